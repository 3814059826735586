// What a tool found: the figures with their intervals, what they were counted from, and the whole result on demand.
import { html } from "../html.js";
import { number } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { Badge } from "./controls.js";
import { Chart } from "./chart.js";
import { openFeedback } from "./quote.js";
import { Table } from "./table.js";

/** "2026-10-01 to 2026-10-31" of a result's half-open period, in the words of its data where it has them. */
export function periodOf(result) {
  if (result.data?.period_label) return result.data.period_label;
  const { from, to } = result.period || {};
  return from || to ? `${(from || "").slice(0, 10)} – ${(to || "").slice(0, 10)}` : t("filters.all");
}

/** The filters of a result in words; empty where it has none. */
export function filtersOf(result) {
  return Object.entries(result.filters || {})
    .map(([name, value]) => `${nameOf("dimension", name)} = ${[].concat(value).map((one) => nameOf(name, one)).join(t("common.comma"))}`)
    .join(" · ");
}

const simple = (value) => value === null || typeof value !== "object";
const shown = (value) => (typeof value === "number" ? number(value, Number.isInteger(value) ? 0 : 2) : value === null ? "–" : typeof value === "boolean" ? t(value ? "common.yes" : "common.no") : simple(value) ? String(value) : JSON.stringify(value));

/** The value at a path such as data.groups[0].nps, or undefined. */
export function at(result, path) {
  let value = result;
  for (const part of path.replace(/\[(\d+)\]/g, ".$1").split(".")) value = part === "length" && Array.isArray(value) ? value.length : value?.[part];
  return value;
}

function Rows({ name, rows }) {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))]
    .filter((key) => rows.some((row) => simple(row[key]) && row[key] != null) && !(key === "key" && "label" in rows[0])).slice(0, 9);
  const columns = keys.map((key) => ({
    key, label: nameOf("field", key), sortable: true, end: rows.some((row) => typeof row[key] === "number"), show: (row) => shown(row[key] ?? null),
  }));
  return html`<section class="stack tight"><h3>${nameOf("field", name)}</h3><${Table} caption=${name} columns=${columns} rows=${rows} /></section>`;
}

/** call: {name, args, result} of an answer. `path` names the figure that was pointed at. */
export function ResultDetail({ call, path }) {
  const { result } = call;
  if (result.error) return html`<p>${result.error}</p>`;
  const data = result.data || {};
  const facts = Object.entries(data).filter(([key, value]) => simple(value) && value !== null && value !== "" && key !== "period_label");
  const lists = Object.entries(data).filter(([, value]) => Array.isArray(value) && value.length && !simple(value[0]) && !Array.isArray(value[0]));
  return html`<div class="stack loose">
    <dl class="facts">
      <dt>${t("result.tool")}</dt><dd>${nameOf("tool", call.name)} <span class="mono quiet">${call.name}</span></dd>
      <dt>${t("result.period")}</dt><dd>${periodOf(result)}</dd>
      ${filtersOf(result) && html`<dt>${t("result.filters")}</dt><dd>${filtersOf(result)}</dd>`}
      <dt>${t("result.n")}</dt><dd class="num">${number(result.n)}</dd>
      ${path && html`<dt>${t("result.path")}</dt><dd><span class="mono">${path}</span> = <strong class="num">${shown(at(result, path) ?? null)}</strong></dd>`}
    </dl>
    ${result.chart && html`<${Chart} option=${result.chart} describe=${`${nameOf("tool", call.name)} · ${periodOf(result)}`} height=${240} />`}
    ${facts.length > 0 && html`<dl class="facts">${facts.map(([key, value]) => html`<dt key=${key}>${nameOf("field", key)}</dt><dd class="num">${shown(value)}</dd>`)}</dl>`}
    ${lists.map(([name, rows]) => html`<${Rows} key=${name} name=${name} rows=${rows} />`)}
    ${result.caveats?.length > 0 && html`<ul class="stack tight small quiet">${result.caveats.map((one) => html`<li key=${one}>${one}</li>`)}</ul>`}
    ${result.evidence?.length > 0 && html`<section class="stack tight"><h3>${t("result.evidence")}</h3><div class="row wrap">
      ${result.evidence.slice(0, 30).map((id) => html`<button type="button" key=${id} class="link small mono" onClick=${() => openFeedback(id)}>${id}</button>`)}</div></section>`}
    <details><summary class="small quiet">${t("result.arguments")}</summary><pre class="code" tabIndex="0">${JSON.stringify(call.args, null, 2)}</pre></details>
  </div>`;
}

/** One line: which tool, which period, how many. */
export function SourceLine({ call }) {
  if (call.result.error) return html`<span>${nameOf("tool", call.name)}</span>`;
  return html`<span class="strong">${nameOf("tool", call.name)}</span> <${Badge}>${periodOf(call.result)}<//> <${Badge}>n = ${number(call.result.n)}<//>
    ${filtersOf(call.result) && html`<${Badge}>${filtersOf(call.result)}<//>`}`;
}
