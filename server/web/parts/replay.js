// A policy tried on the past, beside the one that was live: alerts that appear, vanish or change tier, how right, what load.
import { html, useState } from "../html.js";
import { post } from "../api.js";
import { date, dateTime, number, percent } from "../format.js";
import { t } from "../i18n.js";
import { href } from "../router.js";
import { Button, Segments } from "./controls.js";
import { JobProgress, JobResult, goesOn, useJob } from "./job.js";
import { toastProblem } from "./overlays.js";
import { Table } from "./table.js";
import { TIERS, Tier } from "./work.js";

const SHARES = ["precision", "kept_accurate", "kept_false", "left_after", "warned", "warned_early"];
const SHOWN = 50;
const SPANS = ["7", "28", "90"];
const DAY_MS = 86_400_000;
// The last scan of each day tells the same story as all of them, in a fraction of the time; the gate before a change does so too.
const EVERY_HOURS = 24;

const Share = ({ of: one }) => (one.value == null ? html`<span class="quiet">– ${one.n ? `${number(one.hits)} / ${number(one.n)}` : ""}</span>`
  : html`${percent(one.value)}${one.ci_low != null && html`<span class="tiny quiet block">${percent(one.ci_low)} ~ ${percent(one.ci_high)} · ${number(one.hits)} / ${number(one.n)}</span>`}`);

function Sides({ before, after }) {
  const rows = [
    { what: t("replay.alerts"), show: (side) => number(side.alerts) },
    ...TIERS.filter((tier) => before.by_tier[tier] || after.by_tier[tier]).map((tier) => ({ what: html`<${Tier} tier=${tier} />`, show: (side) => number(side.by_tier[tier] ?? 0) })),
    ...SHARES.map((name) => ({ what: t(`replay.${name}`), show: (side) => html`<${Share} of=${side[name]} />` })),
    { what: t("replay.over"), show: (side) => number(side.over) },
  ];
  const columns = [
    { key: "what", label: t("replay.figure") },
    { key: "before", label: t("replay.before"), end: true, show: (row) => row.show(before) },
    { key: "after", label: t("replay.after"), end: true, show: (row) => row.show(after) },
  ];
  return html`<${Table} caption=${t("replay.sides")} columns=${columns} rows=${rows} />`;
}

/** Which alerts differ; only one kind of difference is listed at a time. */
function Differences({ report }) {
  const kinds = ["appear", "vanish", "tier_changes"];
  const [kind, setKind] = useState(kinds.find((one) => report[one].length) ?? "appear");
  const rows = report[kind];
  const columns = [
    { key: "customer_id", label: t("alerts.customer"), show: (one) => html`<a href=${href("customers", [one.customer_id])}>${one.customer_id}</a>` },
    { key: "at", label: t("alerts.raised"), show: (one) => dateTime(one.at) },
    { key: "before", label: t("replay.before"), show: (one) => (one.before ? html`<${Tier} tier=${one.before} />` : "–") },
    { key: "after", label: t("replay.after"), show: (one) => (one.after ? html`<${Tier} tier=${one.after} />` : "–") },
  ];
  return html`<div class="stack"><${Segments} label=${t("replay.differences")} value=${kind} onChange=${setKind} options=${kinds.map((value) => ({ value, label: `${t(`replay.${value}`)} ${number(report[value].length)}` }))} />
    ${rows.length ? html`<${Table} caption=${t(`replay.${kind}`)} columns=${columns} rows=${rows.slice(0, SHOWN)} rowKey=${(one) => one.alert_id} />` : html`<p class="small quiet">${t("common.none")}</p>`}
    ${rows.length > SHOWN && html`<p class="tiny quiet">${t("replay.first", { n: SHOWN })}</p>`}</div>`;
}

function Load({ side }) {
  const over = side.load.filter((one) => one.over);
  if (!over.length) return html`<p class="small">${t("replay.fits")}</p>`;
  const columns = [
    { key: "owner", label: t("tasks.owner"), sortable: true },
    { key: "week", label: t("replay.week"), sortable: true },
    { key: "given", label: t("replay.given"), end: true, show: (one) => `${number(one.given)} / ${one.cap_week == null ? "–" : number(one.cap_week)}` },
    { key: "open", label: t("replay.open"), end: true, show: (one) => `${number(one.open)} / ${one.cap_open == null ? "–" : number(one.cap_open)}` },
    { key: "over", label: t("replay.over"), end: true, sortable: true },
  ];
  return html`<${Table} caption=${t("replay.load")} columns=${columns} rows=${over} rowKey=${(one) => one.owner + one.week} />`;
}

/** report: the result of a job replay_policy. */
export function ReplayReport({ report }) {
  return html`<div class="stack" role="status"><p class="small">${t("replay.span", { from: date(report.since), until: date(report.until), recorded: number(report.recorded), daily: number(report.daily) })}
      ${report.faithful === true ? ` ${t("replay.faithful")}` : report.faithful === false ? ` ${t("replay.unfaithful", { n: number(report.unfaithful.length) })}` : ""}${report.forgotten ? ` ${t("replay.forgotten", { n: number(report.forgotten) })}` : ""}</p>
    ${report.refusals.length > 0 && html`<div class="stack tight" role="alert"><h3 class="bad-text">${t("replay.refused")}</h3><ul class="points small">${report.refusals.map((one) => html`<li key=${one}>${one}</li>`)}</ul></div>`}
    <${Sides} before=${report.before} after=${report.after} /><p class="small quiet">${t("replay.same", { n: number(report.same) })}</p>
    <${Differences} report=${report} /><h3>${t("replay.load")}</h3><${Load} side=${report.after} /></div>`;
}

/** asked: {text} of a draft or {version}; `label` on the button. A manager may; the work is a job of the server. */
export function Replay({ asked, label }) {
  const [days, setDays] = useState("28");
  const [run, setRun] = useState(null);
  const [busy, setBusy] = useState(false);
  const [job, setJob] = useJob(run);
  const begin = async () => {
    setBusy(true);
    try {
      setJob(null);
      setRun((await post("/v1/jobs", { kind: "replay_policy", args: { ...asked, since: new Date(Date.now() - Number(days) * DAY_MS).toISOString(), every_hours: EVERY_HOURS } })).run_id);
    } catch (problem) {
      toastProblem(problem);
    }
    setBusy(false);
  };
  return html`<div class="stack"><div class="row wrap"><${Segments} label=${t("replay.how_long")} value=${days} onChange=${setDays} options=${SPANS.map((value) => ({ value, label: t("replay.days", { n: value }) }))} /><${Button} icon="refresh" busy=${busy || Boolean(job && goesOn(job))} onClick=${begin}>${label}<//><span class="small quiet">${t("replay.about")}</span></div>
    ${job && (goesOn(job) ? html`<${JobProgress} job=${job} onChange=${setJob} />` : job.state === "done" ? html`<${ReplayReport} report=${job.result} />` : html`<${JobResult} job=${job} />`)}</div>`;
}
