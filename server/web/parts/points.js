// Parts that add up to a score, as bars on both sides of zero.
import { html } from "../html.js";
import { number, signed } from "../format.js";
import { t } from "../i18n.js";
import { openFeedback } from "./quote.js";

/** parts: [{text, points, evidence}]; total: what they add up to. */
export function Points({ parts, total, base }) {
  const most = Math.max(1, ...parts.map((one) => Math.abs(one.points)));
  return html`<div class="stack tight"><ul class="points-list">${base != null && html`<li class="points-row"><span>${t("customers.base")}</span><span /><span class="num end">${number(base, 1)}</span></li>`}
    ${parts.map((one, at) => html`<li class="points-row" key=${at}><span>${one.text}${one.evidence?.length ? html` <span class="row wrap inline">${one.evidence.slice(0, 3).map((id) => html`<button type="button" key=${id} class="link tiny mono" onClick=${() => openFeedback(id)}>${id.slice(0, 10)}</button>`)}</span>` : null}</span>
      <span class="points-track" aria-hidden="true"><span class="points-fill ${one.points < 0 ? "minus" : ""}" style=${{ width: `${(50 * Math.abs(one.points)) / most}%` }} /></span>
      <span class="num end">${signed(one.points)}</span></li>`)}
    <li class="points-row total"><span class="strong">${t("alerts.sum")}</span><span /><span class="num end strong">${number(total, 1)}</span></li></ul></div>`;
}
