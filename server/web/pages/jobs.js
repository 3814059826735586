// Jobs of the server: what runs, what ran, what it does by itself.
import { html, useEffect, useState } from "../html.js";
import { get, post, put, useGet } from "../api.js";
import { clock, dateTime, seconds } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { Button, Field, Menu, Select } from "../parts/controls.js";
import { JobProgress, JobResult, JobState, goesOn } from "../parts/job.js";
import { PageHead } from "../parts/layout.js";
import { Dialog, toast, toastProblem } from "../parts/overlays.js";
import { Loaded } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { setQuery } from "../router.js";
import { may } from "../session.js";

const BY_HAND = [
  { kind: "refresh_themes", role: "manager" }, { kind: "scan_alerts", role: "manager" }, { kind: "write_report", role: "manager" }, { kind: "tend_tasks", role: "manager" },
  { kind: "send_messages", role: "manager" }, { kind: "ask_surveys", role: "manager" }, { kind: "verify_plans", role: "manager" }, { kind: "learn_policy", role: "admin" },
  { kind: "ingest_inbox", role: "admin" }, { kind: "ingest_mailbox", role: "admin" },
];
const STATES = ["queued", "running", "done", "failed", "stopped"];
const SOON_MS = 2_000;
const LATER_MS = 15_000;

const lasted = (job) => (job.started_at && job.finished_at ? seconds(new Date(job.finished_at) - new Date(job.started_at)) : "–");

function Runs({ query }) {
  const [more, setMore] = useState([]);
  const list = useGet("/v1/jobs", { kind: query.kind, status: query.state, limit: 50 });
  const busy = (list.data?.jobs || []).some(goesOn);
  useEffect(() => {
    const timer = setInterval(list.reload, busy ? SOON_MS : LATER_MS);
    return () => clearInterval(timer);
  }, [busy, list.reload]);
  useEffect(() => setMore([]), [query.kind, query.state]);
  const cursor = more.length ? more.at(-1).next_cursor : list.data?.next_cursor;
  const next = () => get("/v1/jobs", { kind: query.kind, status: query.state, limit: 50, cursor }).then((page) => setMore([...more, page]), toastProblem);
  const kinds = [{ value: "", label: t("jobs.all_kinds") }, ...[...BY_HAND.map((one) => one.kind), "ingest_file", "index_feedback", "relabel", "replay_policy"].map((value) => ({ value, label: nameOf("job", value) }))];
  const states = [{ value: "", label: t("jobs.all_states") }, ...STATES.map((value) => ({ value, label: nameOf("job_state", value) }))];
  const columns = [
    { key: "kind", label: t("jobs.kind"), show: (job) => nameOf("job", job.kind) },
    { key: "state", label: t("jobs.state"), show: (job) => html`<${JobState} job=${job} />` },
    { key: "created_at", label: t("jobs.when"), show: (job) => html`<span class="nowrap">${clock(job.created_at)}</span>` },
    { key: "lasted", label: t("jobs.lasted"), end: true, show: lasted },
    { key: "requested_by", label: t("jobs.by"), show: (job) => (job.schedule ? t("jobs.by_schedule") : job.requested_by) },
    { key: "result", label: t("jobs.result"), show: (job) => (goesOn(job) ? html`<${JobProgress} job=${job} onChange=${list.reload} />` : html`<${JobResult} job=${job} />`) },
  ];
  return html`<section class="stack"><div class="row wrap between"><h2>${t("jobs.runs")}</h2><div class="filters">
      <${Select} aria-label=${t("jobs.kind")} options=${kinds} value=${query.kind || ""} onChange=${(kind) => setQuery({ kind })} />
      <${Select} aria-label=${t("jobs.state")} options=${states} value=${query.state || ""} onChange=${(state) => setQuery({ state })} /></div></div>
    <${Loaded} from=${list}>${({ jobs }) => html`<${Table} caption=${t("jobs.runs")} columns=${columns} rows=${[...jobs, ...more.flatMap((page) => page.jobs)]} rowKey=${(job) => job.run_id} />`}<//>
    ${cursor && html`<div class="row"><${Button} onClick=${next}>${t("common.load_more")}<//></div>`}</section>`;
}

function EditSchedule({ schedule, onClose, onSaved }) {
  const [cron, setCron] = useState(schedule.cron);
  const [error, setError] = useState("");
  const save = async (event) => {
    event.preventDefault();
    try {
      const { kind, args, enabled } = schedule;
      await put(`/v1/jobs/schedules/${encodeURIComponent(schedule.name)}`, { kind, args, enabled, cron });
      onSaved();
    } catch (problem) {
      setError([problem.message, problem.hint].filter(Boolean).join(" "));
    }
  };
  const actions = html`<${Button} onClick=${onClose}>${t("common.cancel")}<//><${Button} kind="primary" onClick=${save}>${t("common.save")}<//>`;
  return html`<${Dialog} title=${nameOf("job", schedule.kind)} onClose=${onClose} actions=${actions}><form onSubmit=${save}>
    <${Field} label=${t("jobs.cron")} help=${t("jobs.cron_help")} error=${error}>${(tied) => html`<input class="input mono" value=${cron} onInput=${(event) => setCron(event.currentTarget.value)} ...${tied} />`}<//></form><//>`;
}

function Schedules() {
  const list = useGet("/v1/jobs/schedules");
  const [edited, setEdited] = useState(null);
  const turn = async ({ name, kind, args, cron, enabled }) => {
    try {
      await put(`/v1/jobs/schedules/${encodeURIComponent(name)}`, { kind, args, cron, enabled: !enabled });
      list.reload();
    } catch (problem) {
      toastProblem(problem);
    }
  };
  const columns = [
    { key: "kind", label: t("jobs.kind"), show: (one) => html`${nameOf("job", one.kind)} <span class="quiet small">${one.name}</span>` },
    { key: "cron", label: t("jobs.cron"), show: (one) => html`<span class="mono">${one.cron}</span>` },
    { key: "next_at", label: t("jobs.next"), show: (one) => (one.enabled ? dateTime(one.next_at) : html`<span class="quiet">${t("jobs.off")}</span>`) },
    ...(may("admin") ? [{
      key: "act", label: t("jobs.change"), end: true,
      show: (one) => html`<span class="row"><${Button} slim onClick=${() => turn(one)}>${t(one.enabled ? "jobs.turn_off" : "jobs.turn_on")}<//><${Button} slim kind="ghost" icon="edit" label=${t("common.edit")} onClick=${() => setEdited(one)} /></span>`,
    }] : []),
  ];
  return html`<section class="stack"><h2>${t("jobs.schedules")}</h2>
    <${Loaded} from=${list}>${({ schedules }) => html`<${Table} caption=${t("jobs.schedules")} columns=${columns} rows=${schedules} rowKey=${(one) => one.name} />`}<//>
    ${edited && html`<${EditSchedule} schedule=${edited} onClose=${() => setEdited(null)} onSaved=${() => { setEdited(null); list.reload(); }} />`}</section>`;
}

export function Page({ query }) {
  const [times, setTimes] = useState(0);
  const begin = async (kind) => {
    try {
      await post("/v1/jobs", { kind, args: {} });
      toast(t("jobs.begun", { what: nameOf("job", kind) }));
      setTimes(times + 1);
    } catch (problem) {
      toastProblem(problem);
    }
  };
  const items = BY_HAND.filter((one) => may(one.role)).map(({ kind }) => ({ label: nameOf("job", kind), onSelect: () => begin(kind) }));
  const actions = items.length > 0 && html`<${Menu} label=${t("jobs.begin")} icon="plus" items=${items}>${t("jobs.begin")}<//>`;
  return html`<div class="page stack loose"><${PageHead} title=${t("pages.jobs")} about=${t("jobs.about")} actions=${actions} />
    <${Runs} key=${times} query=${query} />${may("manager") && html`<${Schedules} />`}</div>`;
}
