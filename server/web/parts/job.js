// A run of a job: how far it is, what came of it.
import { html, useEffect, useState } from "../html.js";
import { get, post } from "../api.js";
import { number } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { Badge, Button, Progress } from "./controls.js";
import { toastProblem } from "./overlays.js";

const KINDS = { done: "positive", failed: "negative", stopped: "warn", running: "accent", queued: "" };
const PAUSE_MS = 1_000;

export const goesOn = (job) => job.state === "queued" || job.state === "running";

/** The run of this id, asked for again until it has ended; null before the first answer. */
export function useJob(runId, onEnd) {
  const [job, setJob] = useState(null);
  useEffect(() => {
    if (!runId) return undefined;
    let timer = 0;
    let gone = false;
    const look = async () => {
      try {
        const found = await get(`/v1/jobs/${encodeURIComponent(runId)}`);
        if (gone) return;
        setJob(found);
        if (!goesOn(found)) return void onEnd?.(found);
      } catch (problem) {
        if (gone || (problem.status && problem.status < 500)) return void toastProblem(problem);
      }
      timer = setTimeout(look, PAUSE_MS);
    };
    look();
    return () => { gone = true; clearTimeout(timer); };
  }, [runId]);
  return [job, setJob];
}

export const JobState = ({ job }) => html`<${Badge} kind=${KINDS[job.state] || ""} dot>${nameOf("job_state", job.stop_requested && goesOn(job) ? "stopping" : job.state)}<//>`;

/** How far a run is, with the way to stop it. */
export function JobProgress({ job, onChange }) {
  const share = job.total ? job.done / job.total : null;
  const stop = () => post(`/v1/jobs/${encodeURIComponent(job.run_id)}/stop`).then(onChange, toastProblem);
  const stage = job.stage ? nameOf("stage", job.stage) : nameOf("job_state", job.state);
  return html`<div class="stack tight"><div class="row between small"><span>${stage}</span>
      <span class="row"><span class="num quiet">${job.total ? `${number(job.done)} / ${number(job.total)}` : job.done ? number(job.done) : ""}</span>
        <${Button} slim kind="ghost" icon="stop" disabled=${job.stop_requested} onClick=${stop}>${t("jobs.stop")}<//></span></div>
    <${Progress} share=${share} label=${stage} /></div>`;
}

const simple = (value) => ["string", "number", "boolean"].includes(typeof value) && value !== "" && value !== 0 && value !== false;

/** What came of a run, in a line of figures. */
export function JobResult({ job }) {
  if (job.state === "failed") return html`<span class="bad-text">${job.detail}</span>`;
  const told = Object.entries(job.result || {}).filter(([, value]) => simple(value));
  if (!told.length) return html`<span class="quiet">${goesOn(job) ? "" : t("jobs.nothing")}</span>`;
  return html`<span class="small">${told.slice(0, 6).map(([name, value], at) => html`<span key=${name}>${at ? " · " : ""}<span class="quiet">${nameOf("field", name)}</span> <span class="num">${typeof value === "number" ? number(value) : String(value)}</span></span>`)}</span>`;
}
