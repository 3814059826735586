// One part of the feedback: its figures, what it is made of, its course, its themes and its words. Every part leads on.
import { html, useState } from "../html.js";
import { number, percent } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { useRoute } from "../router.js";
import { SelectionBar } from "../parts/add_filter.js";
import { splitting, useDimensions, useTool } from "../parts/asked.js";
import { Select } from "../parts/controls.js";
import { Course } from "../parts/course.js";
import { Doubts, Few } from "../parts/doubts.js";
import { narrower, spanOf, stepOf, Trail } from "../parts/drill.js";
import { useFilters } from "../parts/filters.js";
import { Headlines } from "../parts/headlines.js";
import { Panel } from "../parts/panel.js";
import { Quote } from "../parts/quote.js";
import { Failure, Skeleton } from "../parts/states.js";
import { HotThemes } from "../parts/theme_rows.js";

const METRICS = { nps: { digits: 1, scale: 1, suffix: "" }, negative_share: { digits: 1, scale: 100, suffix: "%" }, csat: { digits: 2, scale: 1, suffix: "" }, volume: { digits: 0, scale: 1, suffix: "" } };

function Answered({ from, height, children }) {
  if (from.error) return html`<${Failure} problem=${from.error} onRetry=${from.reload} />`;
  return from.data ? children(from.data) : html`<${Skeleton} height=${height} />`;
}

/** By a dimension: value with its interval as a line, n, and a way into it. */
function Breakdown({ rows, dimension, metric, query }) {
  const { digits, scale, suffix } = METRICS[metric];
  const drawn = rows.filter((one) => one.value != null);
  const low = Math.min(0, ...drawn.map((one) => one.ci_low ?? one.value));
  const high = Math.max(0, ...drawn.map((one) => one.ci_high ?? one.value));
  const at = (value) => `${(100 * (value - low)) / (high - low || 1)}%`;
  const say = (value) => `${number(value == null ? null : value * scale, digits)}${suffix}`;
  if (!drawn.length) return html`<p class="quiet">${t("common.nothing")}</p>`;
  return html`<ul class="bars">${drawn.map((one) => {
    const key = one.keys[dimension];
    const told = t("drill.row", { what: one.label, value: say(one.value), low: say(one.ci_low), high: say(one.ci_high), n: number(one.n) });
    const inside = html`<span class="clip">${one.label}</span>
      <span class="bars-track" aria-hidden="true"><span class="bars-fill ${one.value < 0 ? "minus" : ""}" style=${{ left: at(Math.min(0, one.value)), width: `calc(${at(Math.max(0, one.value))} - ${at(Math.min(0, one.value))})` }} />
        ${metric !== "volume" && one.ci_low != null && html`<span class="bars-range" style=${{ left: at(one.ci_low), width: `calc(${at(one.ci_high)} - ${at(one.ci_low)})` }} />`}</span>
      <span class="num end strong">${say(one.value)}</span><span class="num end quiet tiny bars-n">${metric !== "volume" && one.ci_low != null ? `${say(one.ci_low)} ~ ${say(one.ci_high)} · ` : ""}n = ${number(one.n)}</span>`;
    return html`<li key=${one.key}>${key === null ? html`<div class="bars-row" title=${told}>${inside}</div>` : html`<a class="bars-row" href=${narrower(query, { [dimension]: key })} title=${told}>${inside}</a>`}</li>`;
  })}</ul>`;
}

export function Page() {
  const { query } = useRoute();
  const { period, filters } = useFilters();
  const selection = { ...(period && { period }), filters };
  const [chosen, setMetric] = useState(null);
  const nps = useTool("nps_stats", { ...selection });
  // Where nobody gave a score, and where the score is what was chosen, numbers of items say more.
  const metric = chosen ?? (filters.nps || filters.nps_class || (nps.data && !nps.data.n) ? "volume" : "nps");
  const choices = splitting(useDimensions()).filter((one) => !(one.name in filters));
  const [by, setBy] = useState("");
  const dimension = by && !(by in filters) ? by : (["region", "product", "channel", "topic"].find((one) => !(one in filters) && choices.some((known) => known.name === one)) ?? choices[0]?.name ?? "channel");
  const step = stepOf(period);
  const grouped = (group) => (metric === "nps" ? ["nps_stats", { ...selection, group_by: [group] }] : ["metric_stats", { ...selection, metric, group_by: [group] }]);
  const parts = useTool(...grouped(dimension));
  const [courseTool, courseArgs] = grouped(step);
  const course = useTool(courseTool, { ...courseArgs, sort: "key", limit: 200 });
  const themes = useTool("list_themes", { ...selection, sort: "size", limit: 6 });
  const words = useTool("search_feedback", { ...selection, limit: 6 });
  const rows = (result) => result.data.groups.map((one) => ({ ...one, value: one.nps ?? one.value }));
  return html`<div class="page"><${Trail} /><h1 class="only-read">${t("pages.explore")}</h1><${SelectionBar} />
    <div class="board"><${Headlines} selection=${selection} nps=${nps} />
      <${Panel} title=${t("drill.by")} tools=${html`
        <${Select} aria-label=${t("drill.metric")} value=${metric} onChange=${setMetric} options=${Object.keys(METRICS).map((value) => ({ value, label: t(`drill.metric_${value}`) }))} />
        <${Select} aria-label=${t("dashboard.rows_by")} value=${dimension} onChange=${setBy} options=${(choices.length ? choices : [{ name: dimension, label: nameOf("dimension", dimension) }]).map((one) => ({ value: one.name, label: one.label }))} />`}>
        <${Answered} from=${parts} height=${300}>${(result) => html`<${Breakdown} rows=${rows(result)} dimension=${result.data.group_by[0]} metric=${metric} query=${query} /><${Doubts} caveats=${result.caveats} />`}<//><//>
      <${Panel} title=${t("drill.course")} about=${t(`drill.by_${step}`)}>
        <${Answered} from=${course} height=${300}>${(result) => {
          const unit = result.data.group_by[0];
          const points = rows(result).map((one) => ({ key: one.keys[unit], value: one.value, low: one.ci_low, high: one.ci_high, n: one.n }));
          return points.length ? html`<${Course} title=${t(`drill.metric_${metric}`)} unit=${unit} points=${points} ...${METRICS[metric]} height=${280} onPick=${(one) => { location.hash = narrower(query, {}, spanOf(unit, one.key, period)); }} />` : html`<p class="quiet">${t("common.nothing")}</p>`;
        }}<//><//>
      <${Panel} title=${t("dashboard.themes")}><${Answered} from=${themes} height=${280}>${(result) => html`<${HotThemes} themes=${result.data.themes} /><${Doubts} caveats=${result.caveats} />`}<//><//>
      <${Panel} title=${t("drill.words")} tools=${html`<a href=${narrower(query, {}, null, "feedback")}>${t("drill.all_feedback")}</a>`}>
        <${Answered} from=${words} height=${280}>${(result) => html`<p class="small quiet num">${t("common.of_n", { n: number(result.n) })} <${Few} n=${result.n} /></p>
          ${result.data.items.filter((one) => one.text).map((one) => html`<${Quote} key=${one.id} id=${one.id} text=${one.text} sentiment=${one.sentiment} by=${{ channel: one.channel, occurred_at: one.time, ...one.dimensions }} />`)}`}<//><//>
    </div></div>`;
}
