// How often a theme was raised, week by week; a bar opens its week.
import { html, useMemo } from "../html.js";
import { t } from "../i18n.js";
import { Chart } from "./chart.js";
import { narrower, spanOf, stepLabel } from "./drill.js";

/** timeline: [{week, n}]. */
export function ThemeCourse({ timeline, label, query, id, period }) {
  const option = useMemo(() => ({
    grid: { top: 10 },
    xAxis: { type: "category", data: timeline.map((one) => stepLabel("week", one.week)) },
    yAxis: { type: "value", minInterval: 1 },
    series: [{ type: "bar", name: label, data: timeline.map((one) => one.n) }],
  }), [timeline, label]);
  if (!timeline.length) return html`<p class="quiet">${t("common.nothing")}</p>`;
  return html`<${Chart} option=${option} describe=${`${t("themes.timeline")}${t("common.colon")}${label}`} height=${240}
    onPick=${(event) => { location.hash = narrower(query, { theme: id }, spanOf("week", timeline[event.dataIndex].week, period)); }} />`;
}
