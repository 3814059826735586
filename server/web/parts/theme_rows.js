// Themes as lines: how hot, where they are going, how many, how negative.
import { html } from "../html.js";
import { number, percent } from "../format.js";
import { t } from "../i18n.js";
import { useRoute } from "../router.js";
import { Badge } from "./controls.js";
import { Few } from "./doubts.js";
import { narrower } from "./drill.js";

const SIGN = { rising: "↗", new: "✳", falling: "↘", steady: "→" };

/** Where a theme is going; growing is bad news only of what customers are unhappy about. */
export const Trend = ({ trend, negative }) => (trend ? html`<${Badge} kind=${["rising", "new"].includes(trend) ? (negative >= 0.5 ? "negative" : "accent") : ""}><span aria-hidden="true">${SIGN[trend] ?? "→"}</span>${t(`themes.trend_${trend}`)}<//>` : null);

/** Heat 0 to 100 as a bar with its number. */
export const Heat = ({ heat }) => html`<span class="heat-bar" title=${t("themes.heat_title")}><span class="heat-track"><span style=${{ width: `${Math.min(100, heat)}%` }} /></span><span class="num">${number(heat)}</span></span>`;

export function HotThemes({ themes }) {
  const { query } = useRoute();
  if (!themes.length) return html`<p class="quiet">${t("themes.none")}</p>`;
  return html`<ul class="lines">${themes.map((one) => html`<li key=${one.theme_id}><a class="line" href=${narrower(query, {}, null, "themes", [one.theme_id])}>
    <span class="line-main"><span class="clip strong">${one.label}</span><span class="tiny quiet clip">${t("themes.counts", { n: number(one.size), share: percent(one.share), negative: percent(one.negative_share, 0) })}</span></span>
    <${Few} n=${one.size} /><${Trend} trend=${one.trend} negative=${one.negative_share} /><${Heat} heat=${one.heat} /></a></li>`)}</ul>`;
}
