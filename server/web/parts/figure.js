// One number with what it rests on.
import { html } from "../html.js";
import { number, signed } from "../format.js";
import { t } from "../i18n.js";

/**
 * value with digits and unit; n, low and high where it has them; change (with `better`: "up" or "down") against what came before;
 * onOpen makes it a button that leads to what it was counted from.
 */
export function Figure({ label, value, digits = 1, unit = "", n, low, high, change, changeDigits = 1, better = "up", note, onOpen }) {
  const good = change == null || change === 0 ? "" : (change > 0) === (better === "up") ? "up" : "down";
  const inside = html`<span class="what">${label}</span>
    <span class="value num">${typeof value === "string" ? value : number(value, digits)}${unit && html`<span class="unit">${unit}</span>`}</span>
    ${change != null && html`<span class="change ${good} num">${signed(change, changeDigits)}</span>`}
    <span class="of num">${[
      low != null && high != null && t("common.interval", { low: number(low, digits), high: number(high, digits) }),
      n != null && t("common.of_n", { n: number(n) }),
      note,
    ].filter(Boolean).join(" · ")}</span>`;
  return onOpen ? html`<button type="button" class="figure" onClick=${onOpen}>${inside}</button>` : html`<div class="figure">${inside}</div>`;
}
