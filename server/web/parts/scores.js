// How many gave which score, 0 to 10.
import { html, useMemo } from "../html.js";
import { number, percent } from "../format.js";
import { t } from "../i18n.js";
import { token, useShade } from "../theme.js";
import { Chart } from "./chart.js";

const CLASS = (score) => (score >= 9 ? "promoters" : score >= 7 ? "passives" : "detractors");
const COLOUR = { promoters: "--chart-2", passives: "--chart-8", detractors: "--chart-3" };

/** groups: those of a volume by the dimension nps; onPick(score). */
export function Scores({ groups, height = 210, onPick }) {
  const shade = useShade();
  const counts = useMemo(() => {
    const found = new Map(groups.filter((one) => one.keys.nps !== null).map((one) => [Number(one.keys.nps), one.n]));
    return Array.from({ length: 11 }, (_, score) => ({ score, n: found.get(score) ?? 0 }));
  }, [groups]);
  const all = counts.reduce((sum, one) => sum + one.n, 0);
  const parts = Object.fromEntries(Object.keys(COLOUR).map((name) => [name, counts.filter((one) => CLASS(one.score) === name).reduce((sum, one) => sum + one.n, 0)]));
  const option = useMemo(() => ({
    grid: { top: 10 },
    tooltip: { formatter: (found) => `${t("drill.score", { score: found[0].name })}\n${number(found[0].value)} · ${percent(all ? found[0].value / all : null)}` },
    xAxis: { type: "category", data: counts.map((one) => String(one.score)) },
    yAxis: { type: "value", splitNumber: 3 },
    series: [{ type: "bar", barMaxWidth: 40, data: counts.map((one) => ({ value: one.n, itemStyle: { color: token(COLOUR[CLASS(one.score)]), borderRadius: 3 } })) }],
  }), [counts, shade]);
  const said = Object.keys(COLOUR).map((name) => `${t(`drill.${name}`)} ${percent(all ? parts[name] / all : null)}`).join(t("common.comma"));
  return html`<div class="stack">
    <div class="row wrap legend">${Object.keys(COLOUR).map((name) => html`<span class="row" key=${name}><span class="swatch ${name}"></span>
      <span>${t(`drill.${name}`)}</span><span class="num strong">${percent(all ? parts[name] / all : null)}</span><span class="quiet num">${number(parts[name])}</span></span>`)}</div>
    <${Chart} option=${option} describe=${`${t("dashboard.distribution")}${t("common.colon")}${said}`} height=${height} tools=${false} onPick=${onPick && ((event) => onPick(counts[event.dataIndex].score))} /></div>`;
}
