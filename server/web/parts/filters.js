// Which period and which part of the feedback a page shows; kept in the address, so that a view can be linked to.
import { html } from "../html.js";
import { isoDay } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { setQuery, useRoute } from "../router.js";
import { Button, Select } from "./controls.js";
import { Icon } from "./icons.js";

const DAY = 86_400_000;
const first = (year, month) => `${year + Math.floor(month / 12)}-${String((month % 12 + 12) % 12 + 1).padStart(2, "0")}-01`;
const PRESETS = {
  last_7: (today) => [isoDay(new Date(today - 6 * DAY)), isoDay(new Date(+today + DAY))],
  last_30: (today) => [isoDay(new Date(today - 29 * DAY)), isoDay(new Date(+today + DAY))],
  last_90: (today) => [isoDay(new Date(today - 89 * DAY)), isoDay(new Date(+today + DAY))],
  this_month: (today) => { const [year, month] = isoDay(today).split("-").map(Number); return [first(year, month - 1), first(year, month)]; },
  last_month: (today) => { const [year, month] = isoDay(today).split("-").map(Number); return [first(year, month - 2), first(year, month - 1)]; },
};

/**
 * The filters in the address: {preset, period, filters}. `period` is {from, to} (days, half-open) or undefined for all time;
 * `filters` {dimension: value or [values]}, as the tools take them. In the query a dimension is `d.<name>`.
 */
export function useFilters(fallback = "last_90") {
  const { query } = useRoute();
  const preset = query.from || query.to ? "own" : (query.period || fallback);
  const [from, to] = preset === "own" ? [query.from, query.to] : PRESETS[preset]?.(new Date()) || [];
  const filters = {};
  for (const [name, value] of Object.entries(query)) if (name.startsWith("d.")) filters[name.slice(2)] = value;
  const period = from || to ? { ...(from && { from }), ...(to && { to }) } : undefined;
  return { preset, period, filters };
}

/** The controls: presets, own days, and a select for each of dimensions: [{name, label, values: [{value, label}]}]. */
export function Filters({ fallback = "last_90", dimensions = [], children }) {
  const { preset, period, filters } = useFilters(fallback);
  const presets = ["last_7", "last_30", "last_90", "this_month", "last_month", "all", "own"].map((value) => ({ value, label: t(`filters.${value}`) }));
  const choose = (value) => setQuery(value === "own" ? { period: "", from: period?.from || isoDay(), to: period?.to || "" } : { period: value, from: "", to: "" });
  return html`<div class="filters" role="group" aria-label=${t("filters.title")}>
    <${Select} aria-label=${t("filters.period")} options=${presets} value=${preset} onChange=${choose} />
    ${preset === "own" && html`
      <input class="input" type="date" aria-label=${t("filters.from")} value=${period?.from || ""} onChange=${(event) => setQuery({ from: event.currentTarget.value })} />
      <span class="quiet" aria-hidden="true">–</span>
      <input class="input" type="date" aria-label=${t("filters.before")} title=${t("filters.before")} value=${period?.to || ""} onChange=${(event) => setQuery({ to: event.currentTarget.value })} />`}
    ${dimensions.filter((one) => !(one.name in filters)).map((one) => html`<${Select} key=${one.name} aria-label=${one.label} value=""
      options=${[{ value: "", label: one.label }, ...one.values]} onChange=${(value) => setQuery({ [`d.${one.name}`]: value })} />`)}
    ${Object.entries(filters).map(([name, value]) => {
      const one = dimensions.find((dimension) => dimension.name === name);
      const shown = [].concat(value).map((item) => one?.values.find((known) => known.value === item)?.label ?? nameOf(name, item)).join(t("common.comma"));
      const label = one?.label ?? nameOf("dimension", name);
      return html`<span class="chip" key=${name}>${label}${t("common.colon")}${shown}<button type="button" aria-label=${t("filters.without", { what: `${label} ${shown}` })}
        onClick=${() => setQuery({ [`d.${name}`]: "" })}><${Icon} name="close" /></button></span>`;
    })}
    ${Object.keys(filters).length > 1 && html`<${Button} kind="ghost" slim onClick=${() => setQuery(Object.fromEntries(Object.keys(filters).map((name) => [`d.${name}`, ""])))}>${t("filters.clear")}<//>`}
    ${children}</div>`;
}
