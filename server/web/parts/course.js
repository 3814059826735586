// A figure over time with its 95% interval as a band; steps of few answers are drawn hollow.
import { html, useMemo } from "../html.js";
import { number } from "../format.js";
import { t } from "../i18n.js";
import { token, useShade } from "../theme.js";
import { Chart } from "./chart.js";
import { SMALL } from "./doubts.js";
import { stepLabel } from "./drill.js";

/** points: [{key, value, low, high, n}] in time order; scale multiplies what is shown (100 for shares). */
export function Course({ title, points, unit, digits = 1, scale = 1, suffix = "", height = 250, onPick, describe }) {
  const shade = useShade();
  const option = useMemo(() => {
    const at = (name) => points.map((one) => (one[name] == null ? null : one[name] * scale));
    const [low, high] = [at("low"), at("high")];
    const colour = token("--chart-1");
    const band = { type: "line", stack: "band", stackStrategy: "all", symbol: "none", lineStyle: { opacity: 0 }, silent: true, tooltip: { show: false } };
    const say = (value) => `${number(value, digits)}${suffix}`;
    return {
      grid: { top: 14 },
      legend: { show: false },
      tooltip: {
        axisPointer: { type: "line" },
        formatter: (found) => {
          const one = points[found[0].dataIndex];
          if (one.value == null) return one.key;
          return [one.key, `${title} ${say(one.value * scale)}`, t("common.interval", { low: say(one.low * scale), high: say(one.high * scale) }),
            t("common.of_n", { n: number(one.n) }) + (one.n < SMALL ? ` · ${t("drill.few")}` : "")].join("\n");
        },
      },
      xAxis: { type: "category", boundaryGap: false, data: points.map((one) => stepLabel(unit, one.key)) },
      yAxis: { type: "value", scale: true, axisLabel: { formatter: (value) => `${number(value)}${suffix}` } },
      series: [
        { ...band, data: low },
        { ...band, data: high.map((value, index) => (value == null ? null : value - low[index])), areaStyle: { color: colour, opacity: 0.14 } },
        {
          type: "line", name: title, symbol: "circle", showSymbol: true, clip: false, connectNulls: true, lineStyle: { width: 2, color: colour },
          data: points.map((one) => ({ value: one.value == null ? null : one.value * scale, itemStyle: one.n < SMALL ? { color: token("--surface"), borderColor: colour, borderWidth: 1.5 } : { color: colour } })),
        },
      ],
    };
  }, [points, unit, shade, title, scale]);
  const columns = [
    { key: "key", label: t("drill.time") },
    { key: "value", label: title, end: true, show: (row) => `${number(row.value == null ? null : row.value * scale, digits)}${suffix}` },
    { key: "low", label: t("drill.interval"), end: true, show: (row) => (row.low == null ? "–" : `${number(row.low * scale, digits)} ~ ${number(row.high * scale, digits)}`) },
    { key: "n", label: "n", end: true, show: (row) => number(row.n) },
  ];
  return html`<${Chart} option=${option} describe=${describe || title} height=${height} table=${{ columns, rows: points }}
    onPick=${onPick && ((event) => onPick(points[event.dataIndex]))} />`;
}
