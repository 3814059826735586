// Apache ECharts, fetched when the first chart is shown, in the page's colours, with the same values as a table.
import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { t, useLanguage } from "../i18n.js";
import { number } from "../format.js";
import { token, useShade } from "../theme.js";
import { Button } from "./controls.js";
import { Table } from "./table.js";

let library = null;
const loaded = () => (library ??= import("../vendor/echarts.mjs"));
const all = (one) => (one == null ? [] : Array.isArray(one) ? one : [one]);

function dressed(option, narrow) {
  const [text, quiet, line, surface] = ["--text-2", "--text-3", "--line", "--raised"].map(token);
  const font = getComputedStyle(document.body).fontFamily;
  const axis = (one) => ({
    ...one,
    axisLine: { show: one.type === "category", lineStyle: { color: line }, ...one.axisLine },
    axisTick: { show: false, ...one.axisTick },
    splitLine: { show: one.type !== "category", lineStyle: { color: line }, ...one.splitLine },
    axisLabel: {
      color: quiet, fontSize: 12, hideOverlap: true,
      ...(one.type === "category" ? { width: narrow ? 84 : 150, overflow: "truncate" } : {}), ...one.axisLabel,
    },
    nameTextStyle: { color: quiet, ...one.nameTextStyle },
  });
  const series = all(option.series).map((one) => ({
    ...(one.type === "bar" ? { barMaxWidth: 22, itemStyle: { borderRadius: 3, ...one.itemStyle } } : {}),
    ...(one.type === "line" ? { symbolSize: 6, showSymbol: all(one.data).length < 40, lineStyle: { width: 2, ...one.lineStyle } } : {}),
    ...one,
  }));
  const named = series.filter((one) => one.name).length > 1;
  const { title, ...rest } = option;
  return {
    animationDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 300,
    color: Array.from({ length: 8 }, (_, at) => token(`--chart-${at + 1}`)),
    textStyle: { fontFamily: font, color: text },
    ...rest,
    grid: all(option.xAxis).length ? { left: 8, right: 16, top: named ? 36 : 16, bottom: 4, containLabel: true, ...option.grid } : undefined,
    legend: option.legend || named ? { type: "scroll", top: 0, left: 0, right: 70, icon: "roundRect", itemWidth: 10, itemHeight: 10, textStyle: { color: text }, ...option.legend } : undefined,
    // Drawn on the canvas: no markup is made of names that customers may have written.
    tooltip: {
      trigger: "axis", confine: true, backgroundColor: surface, borderColor: line, textStyle: { color: token("--text"), fontSize: 12 },
      axisPointer: { type: "shadow", shadowStyle: { color: token("--hover"), opacity: 0.5 } }, ...option.tooltip, renderMode: "richText",
    },
    ...(option.xAxis ? { xAxis: all(option.xAxis).map(axis) } : {}),
    ...(option.yAxis ? { yAxis: all(option.yAxis).map(axis) } : {}),
    series,
  };
}

const plain = (value) => (value && typeof value === "object" && !Array.isArray(value) ? value.value : value);
const written = (value) => (typeof value === "number" ? number(value, Number.isInteger(value) ? 0 : 1) : Array.isArray(value) ? value.map(written).join(", ") : String(value ?? "–"));

/** The values of a chart as {columns, rows}: categories by series, or names and values. */
export function tableOf(option) {
  const category = [...all(option.xAxis), ...all(option.yAxis)].find((one) => one.type === "category");
  const series = all(option.series);
  if (!category) {
    const rows = series.flatMap((one) => all(one.data).map((item) => ({ what: item?.name ?? one.name, value: plain(item) })));
    return { columns: [{ key: "what", label: t("chart.what") }, { key: "value", label: t("chart.value"), end: true, show: (row) => written(row.value) }], rows };
  }
  const rows = all(category.data).map((what, at) => ({ what: plain(what), ...Object.fromEntries(series.map((one, index) => [`s${index}`, plain(all(one.data)[at])])) }));
  const columns = series.map((one, at) => ({ key: `s${at}`, label: one.name || t("chart.value"), end: true, sortable: true, show: (row) => written(row[`s${at}`]) }));
  return { columns: [{ key: "what", label: t("chart.what"), sortable: true }, ...columns], rows };
}

/**
 * option: an ECharts option, undressed (no colours, no fonts); describe: the finding in words for who cannot see it;
 * onPick({name, seriesName, dataIndex, value, data}) on a click; table: {columns, rows} instead of the derived one.
 */
export function Chart({ option, describe, height = 260, onPick, table, tools = true }) {
  const box = useRef(null);
  const made = useRef(null);
  const picked = useRef(onPick);
  picked.current = onPick;
  const [asTable, setAsTable] = useState(false);
  const [ready, setReady] = useState(false);
  const shade = useShade();
  const language = useLanguage();
  useEffect(() => {
    if (asTable) return undefined;
    let gone = false;
    let watch = null;
    loaded().then((echarts) => {
      if (gone || !box.current) return;
      made.current = echarts.init(box.current, null, { renderer: "canvas" });
      made.current.on("click", (event) => picked.current?.(event));
      watch = new ResizeObserver(() => made.current?.resize());
      watch.observe(box.current);
      setReady(true);
    });
    return () => {
      gone = true;
      watch?.disconnect();
      made.current?.dispose();
      made.current = null;
      setReady(false);
    };
  }, [asTable]);
  useEffect(() => {
    if (ready && made.current) made.current.setOption(dressed(option, box.current.clientWidth < 480), { notMerge: true });
  }, [ready, option, shade, language]);
  const values = useMemo(() => (asTable ? table || tableOf(option) : null), [asTable, option, table, language]);
  return html`<div class="chart">
    ${tools && html`<div class="chart-tools"><${Button} kind="ghost" slim icon=${asTable ? "chart" : "table"} label=${asTable ? t("chart.as_chart") : t("chart.as_table")}
      onClick=${() => setAsTable(!asTable)} /></div>`}
    ${asTable
      ? html`<${Table} caption=${describe} columns=${values.columns} rows=${values.rows} />`
      : html`<div class="chart-canvas" ref=${box} role="img" aria-label=${describe} style=${{ height: `${height}px`, cursor: onPick ? "pointer" : "default" }} />`}
  </div>`;
}
