// The problem heat map: where and when customers were unhappy, by any dimension and time.
import { html, useState } from "../html.js";
import { number, percent } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { useRoute } from "../router.js";
import { splitting, useDimensions, useTool } from "./asked.js";
import { Segments, Select } from "./controls.js";
import { Doubts, SMALL } from "./doubts.js";
import { labelsOf, narrower, spanOf, stepLabel, stepOf } from "./drill.js";
import { HeatTable } from "./heat_table.js";
import { Failure, Skeleton } from "./states.js";
import { Panel } from "./panel.js";

const COLUMNS = 14;
const ROWS = 12;
const FIRST = ["topic", "theme", "region", "product", "channel", "version", "org_unit"];

/** themes: the list_themes result of the page (null while it comes): by theme, its hottest are the rows. */
export function Problems({ selection, themes }) {
  const { query } = useRoute();
  const [by, setBy] = useState("topic");
  const [show, setShow] = useState("count");
  const dimensions = useDimensions();
  const choices = splitting(dimensions).filter((one) => !["sentiment", "emotion"].includes(one.name));
  choices.sort((a, b) => (FIRST.indexOf(a.name) + 1 || 99) - (FIRST.indexOf(b.name) + 1 || 99));
  const step = stepOf(selection.period, COLUMNS);
  const themeIds = themes?.data.themes.map((one) => one.theme_id) ?? null;
  const ready = by !== "theme" || themeIds !== null;
  const filters = by === "theme" && themeIds?.length && !selection.filters.theme ? { ...selection.filters, theme: themeIds } : selection.filters;
  const found = useTool("metric_stats", ready ? { ...selection, filters, metric: "negative_share", group_by: [by, step], limit: 500 } : null);
  const tools = html`<${Segments} label=${t("dashboard.shown_as")} value=${show} onChange=${setShow}
      options=${[{ value: "count", label: t("dashboard.count") }, { value: "share", label: t("dashboard.share") }]} />
    <${Select} aria-label=${t("dashboard.rows_by")} value=${by} onChange=${setBy}
      options=${(choices.length ? choices : [{ name: by, label: nameOf("dimension", by) }]).map((one) => ({ value: one.name, label: one.label }))} />`;
  return html`<${Panel} wide title=${t("dashboard.problems")} about=${t("dashboard.problems_about")} tools=${tools}>
    ${found.error ? html`<${Failure} problem=${found.error} onRetry=${found.reload} />` : !found.data ? html`<${Skeleton} height=${440} />` : html`<${Cells} result=${found.data} show=${show} query=${query} period=${selection.period} />`}<//>`;
}

function Cells({ result, show, query, period }) {
  const [by, step] = result.data.group_by;
  const rows = new Map();
  const steps = new Set();
  for (const one of result.data.groups) {
    const key = one.keys[by];
    if (key === null || one.keys[step] === null || one.value === null) continue;
    const row = rows.get(key) ?? { key, label: labelsOf(one, [by, step])[by], negative: 0, of: {} };
    const negative = Math.round(one.value * one.n);
    row.of[one.keys[step]] = { ...one, negative };
    row.negative += negative;
    rows.set(key, row);
    steps.add(one.keys[step]);
  }
  const shown = [...rows.values()].sort((a, b) => b.negative - a.negative).slice(0, ROWS);
  const columns = [...steps].sort().slice(-COLUMNS * 2).map((key) => ({ key, label: stepLabel(step, key) }));
  if (!shown.length) return html`<p class="quiet">${t("common.nothing")}</p>`;
  const most = Math.max(1, ...shown.flatMap((row) => Object.values(row.of).map((one) => one.negative)));
  const cell = (row, column) => {
    const one = row.of[column.key];
    if (!one) return null;
    const few = one.n < SMALL;
    return {
      few: few && show === "share", heat: show === "count" ? one.negative / most : one.value, text: show === "count" ? number(one.negative) : percent(one.value, 0),
      href: narrower(query, { [by]: row.key, sentiment: "negative" }, spanOf(step, column.key, period)),
      title: t("dashboard.cell", { what: row.label, when: column.label, negative: number(one.negative), n: number(one.n), share: percent(one.value), low: percent(one.ci_low), high: percent(one.ci_high) }) + (few ? ` · ${t("drill.few")}` : ""),
    };
  };
  return html`<${HeatTable} caption=${t("dashboard.problems")} corner=${t(`drill.by_${step}`)} rows=${shown} columns=${columns} cell=${cell} /><${Doubts} caveats=${result.caveats} />`;
}
