// The overview: how customers feel, what about, where and since when; what is being done.
import { html } from "../html.js";
import { number } from "../format.js";
import { t } from "../i18n.js";
import { href, useRoute } from "../router.js";
import { useTool } from "../parts/asked.js";
import { SelectionBar } from "../parts/add_filter.js";
import { Course } from "../parts/course.js";
import { Doubts } from "../parts/doubts.js";
import { narrower, spanOf, stepOf } from "../parts/drill.js";
import { Emotions } from "../parts/emotions.js";
import { useFilters } from "../parts/filters.js";
import { Headlines } from "../parts/headlines.js";
import { PageHead } from "../parts/layout.js";
import { Panel } from "../parts/panel.js";
import { Problems } from "../parts/problems.js";
import { Scores } from "../parts/scores.js";
import { Failure, Skeleton } from "../parts/states.js";
import { HotThemes } from "../parts/theme_rows.js";
import { AlertPanel, PlanPanel, TaskPanel } from "../parts/work.js";

/** Bones while a tool answers, its failure, or what is made of its result. */
function Answered({ from, height, children }) {
  if (from.error) return html`<${Failure} problem=${from.error} onRetry=${from.reload} />`;
  return from.data ? children(from.data) : html`<${Skeleton} height=${height} />`;
}

export function Page() {
  const { query } = useRoute();
  const { period, filters } = useFilters();
  const selection = { ...(period && { period }), filters };
  const step = stepOf(period);
  const nps = useTool("nps_stats", { ...selection, group_by: [step], sort: "key", limit: 200 });
  const scores = useTool("metric_stats", { ...selection, metric: "volume", group_by: ["nps"] });
  const themes = useTool("list_themes", { ...selection, sort: "heat", limit: 12 });
  const go = (address) => { location.hash = address; };
  return html`<div class="page">
    <${PageHead} title=${t("pages.dashboard")} actions=${html`<a class="button" href=${href("report")}>${t("pages.report")}</a>`} />
    <${SelectionBar} />
    <div class="board">
      <${Headlines} selection=${selection} nps=${nps} />
      <${Panel} title=${t("dashboard.trend")} about=${t(`drill.by_${step}`)}>
        <${Answered} from=${nps} height=${250}>${(result) => {
          const unit = result.data.group_by[0];
          const points = result.data.groups.map((one) => ({ key: one.keys[unit], value: one.nps, low: one.ci_low, high: one.ci_high, n: one.n }));
          return points.length
            ? html`<${Course} title="NPS" unit=${unit} points=${points} describe=${t("dashboard.trend")} onPick=${(one) => go(narrower(query, {}, spanOf(unit, one.key, period)))} /><${Doubts} caveats=${result.caveats} />`
            : html`<p class="quiet">${t("common.nothing")}</p>`;
        }}<//><//>
      <${Panel} title=${t("dashboard.distribution")} about=${t("dashboard.distribution_about")}>
        <${Answered} from=${scores} height=${250}>${(result) => html`<${Scores} groups=${result.data.groups} onPick=${(score) => go(narrower(query, { nps: String(score) }))} />`}<//><//>
      <${Problems} selection=${selection} themes=${themes.data} />
      <${Emotions} selection=${selection} />
      <${Panel} title=${t("dashboard.themes")} about=${t("dashboard.themes_about")} tools=${html`<a href=${narrower(query, {}, null, "themes")}>${t("common.all")}</a>`}>
        <${Answered} from=${themes} height=${330}>${(result) => html`<${HotThemes} themes=${result.data.themes.slice(0, 7)} /><${Doubts} caveats=${result.caveats} />`}<//><//>
      <${AlertPanel} /><${TaskPanel} /><${PlanPanel} />
      <${Quality} selection=${selection} ready=${Boolean(nps.data && themes.data && scores.data)} />
    </div></div>`;
}

// The slowest question of all and the last to be read: it waits until the figures are there.
function Quality({ selection, ready }) {
  const found = useTool("data_quality", ready ? selection : null);
  return html`<${Panel} title=${t("dashboard.quality")} about=${t("dashboard.quality_about")} height=${260}>
    <${Answered} from=${found} height=${180}>${(result) => html`
      <p>${t("dashboard.quality_counts", { n: number(result.n), customers: number(result.data.customers), batches: result.data.ingestion?.batches ?? 0 })}</p>
      ${result.caveats.length ? html`<ul class="points">${result.caveats.map((one) => html`<li key=${one}>${one}</li>`)}</ul>` : html`<p class="quiet">${t("dashboard.quality_fine")}</p>`}`}<//><//>`;
}
