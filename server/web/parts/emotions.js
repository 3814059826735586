// Which emotion is met where: shares within each value of a dimension.
import { html, useState } from "../html.js";
import { number, percent } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { useRoute } from "../router.js";
import { splitting, useDimensions, useTool } from "./asked.js";
import { Select } from "./controls.js";
import { Doubts, SMALL } from "./doubts.js";
import { labelsOf, narrower } from "./drill.js";
import { HeatTable } from "./heat_table.js";
import { Failure, Skeleton } from "./states.js";
import { Panel } from "./panel.js";

const EMOTIONS = ["angry", "disappointed", "anxious", "puzzled", "neutral", "satisfied", "delighted"];
const ROWS = 9;
const OWN = new Set(["emotion", "sentiment", "nps_class", "nps", "csat", "ces", "rating"]);

export function Emotions({ selection }) {
  const { query } = useRoute();
  const [by, setBy] = useState("channel");
  const choices = splitting(useDimensions()).filter((one) => !OWN.has(one.name));
  const found = useTool("metric_stats", { ...selection, metric: "volume", group_by: [by, "emotion"], limit: 500 });
  const choice = html`<${Select} aria-label=${t("dashboard.rows_by")} value=${by} onChange=${setBy}
    options=${(choices.length ? choices : [{ name: by, label: nameOf("dimension", by) }]).map((one) => ({ value: one.name, label: one.label }))} />`;
  return html`<${Panel} title=${t("dashboard.emotions")} about=${t("dashboard.emotions_about")} tools=${choice}>
    ${found.error ? html`<${Failure} problem=${found.error} onRetry=${found.reload} />` : !found.data ? html`<${Skeleton} height=${330} />` : html`<${Cells} result=${found.data} by=${found.data.data.group_by[0]} query=${query} />`}<//>`;
}

function Cells({ result, by, query }) {
  const rows = new Map();
  for (const one of result.data.groups) {
    const key = one.keys[by];
    if (key === null || one.keys.emotion === null) continue;
    const row = rows.get(key) ?? { key, label: labelsOf(one, [by, "emotion"])[by], n: 0, of: {} };
    row.of[one.keys.emotion] = one.n;
    row.n += one.n;
    rows.set(key, row);
  }
  const shown = [...rows.values()].sort((a, b) => b.n - a.n).slice(0, ROWS).map((row) => ({ ...row, label: `${row.label} (${number(row.n)})`, name: row.label }));
  if (!shown.length) return html`<p class="quiet">${t("common.nothing")}</p>`;
  const cell = (row, column) => {
    const n = row.of[column.key] ?? 0;
    if (!n) return null;
    return {
      heat: n / row.n, text: percent(n / row.n, 0), few: row.n < SMALL, href: narrower(query, { [by]: row.key, emotion: column.key }),
      title: `${row.name} · ${column.label}${t("common.colon")}${percent(n / row.n)} (${number(n)} / ${number(row.n)})${row.n < SMALL ? ` · ${t("drill.few")}` : ""}`,
    };
  };
  return html`<${HeatTable} tone="accent" caption=${t("dashboard.emotions")} corner=${html`<span class="only-read">${by}</span>`} rows=${shown} columns=${EMOTIONS.map((key) => ({ key, label: nameOf("emotion", key) }))} cell=${cell} />
    <${Doubts} caveats=${result.caveats} />`;
}
