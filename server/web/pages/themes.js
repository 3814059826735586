// What customers talk about: the themes by heat, size or growth; one theme in depth.
import { html } from "../html.js";
import { date, number, percent } from "../format.js";
import { t } from "../i18n.js";
import { href, setQuery, useRoute } from "../router.js";
import { SelectionBar } from "../parts/add_filter.js";
import { useAsked, useDimensions, useTool } from "../parts/asked.js";
import { get } from "../api.js";
import { Badge, Segments } from "../parts/controls.js";
import { Doubts, Few } from "../parts/doubts.js";
import { narrower, selectionOf, Trail } from "../parts/drill.js";
import { useFilters } from "../parts/filters.js";
import { Figure } from "../parts/figure.js";
import { PageHead } from "../parts/layout.js";
import { Panel } from "../parts/panel.js";
import { Quote } from "../parts/quote.js";
import { Empty, Failure, Skeleton } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { Heat, Trend } from "../parts/theme_rows.js";
import { ThemeCourse } from "../parts/theme_course.js";

const SORTS = ["heat", "size", "negative_share", "rising"];

function List() {
  const { query } = useRoute();
  const { period, filters } = useFilters();
  const sort = SORTS.includes(query.sort) ? query.sort : "heat";
  const found = useTool("list_themes", { ...(period && { period }), filters, sort, limit: 100 });
  const columns = [
    { key: "label", label: t("pages.themes"), sortable: true, show: (one) => html`<span class="strong">${one.label}</span>` },
    { key: "heat", label: t("themes.heat"), sortable: true, show: (one) => html`<${Heat} heat=${one.heat} />` },
    { key: "trend", label: t("themes.trend"), sortable: true, show: (one) => html`<${Trend} trend=${one.trend} negative=${one.negative_share} />` },
    { key: "size", label: t("themes.size"), end: true, sortable: true, show: (one) => html`${number(one.size)} <${Few} n=${one.size} />` },
    { key: "share", label: t("themes.share"), end: true, sortable: true, show: (one) => html`${percent(one.share)} <span class="tiny quiet">${percent(one.share_ci_low)} ~ ${percent(one.share_ci_high)}</span>` },
    { key: "negative_share", label: t("themes.negative"), end: true, sortable: true, show: (one) => percent(one.negative_share, 0) },
    { key: "first_seen", label: t("themes.since"), end: true, sortable: true, show: (one) => date(one.first_seen) },
  ];
  return html`<div class="page"><${Trail} here=${t("pages.themes")} /><${PageHead} title=${t("pages.themes")} about=${t("themes.about")} />
    <${SelectionBar}><${Segments} label=${t("themes.sort")} value=${sort} onChange=${(next) => setQuery({ sort: next })} options=${SORTS.map((value) => ({ value, label: t(`themes.sort_${value}`) }))} /><//>
    <div class="stack spaced">${found.error ? html`<${Failure} problem=${found.error} onRetry=${found.reload} />` : !found.data ? html`<${Skeleton} height=${480} />` : html`
      <p class="small quiet num">${t("themes.total", { n: number(found.data.data.total_themes), items: number(found.data.n) })}</p>
      <${Table} caption=${t("pages.themes")} columns=${columns} rows=${found.data.data.themes} rowKey=${(one) => one.theme_id} empty=${html`<${Empty} icon="themes" title=${t("themes.none")} text=${t("themes.none_about")} />`}
        onRow=${(one) => { location.hash = narrower(query, {}, null, "themes", [one.theme_id]); }} /><${Doubts} caveats=${found.data.caveats} />`}</div></div>`;
}

function One({ id }) {
  const { query } = useRoute();
  const { period, filters } = useFilters();
  const names = useDimensions();
  const asked = { ...period, limit: 12, filter: Object.entries(filters).flatMap(([name, value]) => [].concat(value).map((one) => `${name}=${one}`)) };
  const found = useAsked(JSON.stringify([id, asked]), () => get(`/v1/themes/${encodeURIComponent(id)}`, asked));
  const body = () => {
    const { data, n, caveats } = found.data;
    const shown = Object.entries(data.breakdown ?? {}).filter(([, rows]) => rows.length > 1);
    return html`<${PageHead} title=${data.label} about=${data.keywords.join(t("common.comma"))} actions=${html`<a class="button" href=${narrower(query, { theme: id })}>${t("themes.explore")}</a><a class="button" href=${narrower(query, { theme: id }, null, "feedback")}>${t("drill.all_feedback")}</a>`} />
      <${SelectionBar} />
      <div class="board loose"><div class="card headlines wide">
        <div class="slot"><${Figure} label=${t("themes.size")} value=${n} digits=${0} note=${data.period_label} /><${Few} n=${n} /></div>
        <div class="slot"><${Figure} label=${t("themes.share")} value=${data.share == null ? null : data.share * 100} unit="%" low=${(data.share_ci_low ?? 0) * 100} high=${(data.share_ci_high ?? 0) * 100} /></div>
        <div class="slot"><${Figure} label=${t("themes.negative")} value=${data.negative_share == null ? null : data.negative_share * 100} unit="%" digits=${0} /></div>
        <div class="slot"><span class="quiet small">${t("themes.heat")}</span><${Heat} heat=${data.heat ?? 0} /><${Trend} trend=${data.trend} negative=${data.negative_share} /></div></div>
      <${Panel} title=${t("themes.timeline")} about=${t("drill.by_week")}><${ThemeCourse} timeline=${data.timeline ?? []} label=${data.label} query=${query} id=${id} period=${period} /><//>
      <${Panel} title=${t("themes.wordings")}><ul class="lines">${(data.wordings ?? []).map((one) => html`<li key=${one.label} class="line"><span class="line-main">${one.label}</span><span class="num quiet">${number(one.n)}</span></li>`)}</ul>
        ${data.area && html`<p class="small">${t("themes.area")}${t("common.colon")}<${Badge}>${data.area}<//></p>`}
        ${data.lineage?.length > 0 && html`<div class="stack tight"><h3>${t("themes.lineage")}</h3><ol class="points">${data.lineage.map((one, at) => html`<li key=${at}>${date(one.date)} · ${t(`themes.event_${one.event}`, { other: one.other_label ?? one.other ?? "" })} <span class="quiet num">n = ${number(one.n)}</span></li>`)}</ol></div>`}<//>
      <${Panel} title=${t("themes.where")} about=${t("themes.where_about")}><div class="places">${shown.map(([name, rows]) => html`<div key=${name}><h3>${t("drill.by_dimension", { what: names.find((one) => one.name === name)?.label ?? name })}</h3><ul class="lines">
        ${rows.filter((one) => one.keys[name] !== null).slice(0, 4).map((one) => html`<li key=${one.key}><a class="line slim" href=${narrower({ ...query }, { theme: id, [name]: one.keys[name] })}><span class="line-main clip">${one.label}</span><span class="num small">${percent(one.share, 0)}</span><span class="tiny num ${one.lift > 1.5 ? "late" : "quiet"}">${one.lift == null ? "" : `× ${number(one.lift, 1)}`}</span></a></li>`)}</ul></div>`)}</div><//>
      <${Panel} title=${t("themes.examples")}>${(data.examples ?? []).map((one) => html`<${Quote} key=${one.id} id=${one.id} text=${one.text} sentiment=${one.sentiment} by=${{ channel: one.channel, occurred_at: one.time, ...one.dimensions }} />`)}<//>
      </div><${Doubts} caveats=${caveats} />`;
  };
  return html`<div class="page"><nav class="trail" aria-label=${t("drill.trail")}><ol><li><a href=${href("themes", [], selectionOf(query))}>${t("pages.themes")}</a></li></ol></nav>
    ${found.error ? html`<${Failure} problem=${found.error} onRetry=${found.reload} />` : found.data ? body() : html`<${Skeleton} height=${600} />`}</div>`;
}

export const Page = ({ args }) => (args[0] ? html`<${One} key=${args[0]} id=${args[0]} />` : html`<${List} />`);
