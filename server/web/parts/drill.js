// From anything shown to the feedback behind it: addresses of narrower views, and the way back.
import { html } from "../html.js";
import { nameOf, t } from "../i18n.js";
import { href, useRoute } from "../router.js";
import { useDimensions } from "./asked.js";
import { Icon } from "./icons.js";

const KEPT = ["period", "from", "to"];
const DAY = 86_400_000;
const iso = (time) => new Date(time).toISOString().slice(0, 10);

/** The part of a query that says which feedback is meant: period and dimensions, in the order they were chosen. */
export function selectionOf(query) {
  return Object.fromEntries(Object.entries(query).filter(([name]) => KEPT.includes(name) || name.startsWith("d.")));
}

/** The address of the view of a part: `values` {dimension: value}, `span` {from, to} instead of the period. */
export function narrower(query, values = {}, span = null, page = "explore", args = []) {
  const next = selectionOf(query);
  if (span) {
    delete next.period;
    Object.assign(next, span);
  }
  for (const [name, value] of Object.entries(values)) if (value !== null) next[`d.${name}`] = value;
  return href(page, args, next);
}

/** The days {from, to} of a week, month or date as groups name them, within the period. */
export function spanOf(unit, key, period) {
  const [year, month] = key.split("-").map(Number);
  const span = unit === "month"
    ? { from: `${key}-01`, to: month === 12 ? `${year + 1}-01-01` : `${year}-${String(month + 1).padStart(2, "0")}-01` }
    : { from: key, to: iso(Date.parse(key) + (unit === "week" ? 7 : 1) * DAY) };
  if (period?.from && period.from > span.from) span.from = period.from;
  if (period?.to && period.to < span.to) span.to = period.to;
  return span;
}

/** Into which steps a period is cut to be looked at: as fine as `most` columns allow. */
export function stepOf(period, most = 27) {
  if (!period?.from) return most >= 27 ? "week" : "month";
  const days = ((period.to ? Date.parse(period.to) : Date.now()) - Date.parse(period.from)) / DAY;
  if (days <= Math.min(most, 31)) return "date";
  return days / 7 <= most ? "week" : "month";
}

/** What a step is called where there is little room: 11-16, 2026-11. */
export const stepLabel = (unit, key) => (unit === "month" ? key : key.slice(5));

/** The labels of a row by its dimensions: {channel: "工单", week: "2026-11-16"}. */
export function labelsOf(row, dimensions) {
  const parts = row.label.split(" / ");
  const fits = parts.length === dimensions.length;
  return Object.fromEntries(dimensions.map((name, at) => [name, fits ? parts[at] : (row.keys[name] ?? row.label)]));
}

/** The way here: overview, then each dimension in the order it was chosen; every step leads back to it. */
export function Trail({ here }) {
  const { query } = useRoute();
  const dimensions = useDimensions();
  const kept = Object.fromEntries(Object.entries(query).filter(([name]) => KEPT.includes(name)));
  const steps = [{ label: t("pages.dashboard"), to: href("dashboard", [], kept) }];
  const chosen = {};
  for (const [name, value] of Object.entries(query)) {
    if (!name.startsWith("d.")) continue;
    chosen[name] = value;
    const found = dimensions.find((one) => one.name === name.slice(2));
    const said = [].concat(value).map((one) => found?.values.find((known) => known.value === one)?.label ?? nameOf(name.slice(2), one));
    steps.push({ label: `${found?.label ?? nameOf("dimension", name.slice(2))}${t("common.colon")}${said.join(t("common.comma"))}`, to: href("explore", [], { ...kept, ...chosen }) });
  }
  if (here) steps.push({ label: here });
  return html`<nav class="trail" aria-label=${t("drill.trail")}><ol>
    ${steps.map((step, at) => html`<li key=${at}>${at > 0 && html`<${Icon} name="right" size=${12} />`}
      ${at === steps.length - 1 ? html`<span aria-current="page">${step.label}</span>` : html`<a href=${step.to}>${step.label}</a>`}</li>`)}
  </ol></nav>`;
}
