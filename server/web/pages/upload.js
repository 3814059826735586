// Bringing a file in: dropped, looked at with its mapping, then imported as a job.
import { html, useRef, useState } from "../html.js";
import { download, post } from "../api.js";
import { refreshDimensions } from "../dimensions.js";
import { number, size } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { Button, Field, Select } from "../parts/controls.js";
import { Figure } from "../parts/figure.js";
import { Icon } from "../parts/icons.js";
import { JobProgress, goesOn, useJob } from "../parts/job.js";
import { PageHead } from "../parts/layout.js";
import { toastProblem } from "../parts/overlays.js";
import { Failure, Skeleton } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { href } from "../router.js";

const KINDS = ["feedback", "customers", "events", "outcomes", "rates"];
const CHANNELS = ["survey", "review", "ticket", "chat", "call", "email", "social", "app", "offline", "other"];
const FIELDS = {
  feedback: ["text", "occurred_at", "occurred_time", "feedback_id", "customer_id", "conversation_id", "turn", "speaker", "channel", "nps", "csat", "ces", "rating", "region", "city", "product", "version", "org_unit", "customer_type", "tier", "media"],
  customers: ["customer_id", "name", "customer_type", "tier", "region", "city", "org_unit", "owner", "lifetime_value", "since", "renewal_on"],
  events: ["event_id", "customer_id", "occurred_at", "kind", "detail", "value"],
  outcomes: ["customer_id", "occurred_at", "outcome", "value"],
  rates: ["theme", "rate", "n", "source"],
};
const ENDINGS = ".csv,.tsv,.xlsx,.jsonl,.parquet,.gz,.txt";

function form(file, { kind, source, channel, lenient, maps }, dryRun) {
  const data = new FormData();
  data.append("file", file, file.name);
  data.append("kind", kind);
  if (source.trim()) data.append("source", source.trim());
  if (channel) data.append("channel", channel);
  if (lenient) data.append("lenient", "true");
  for (const [column, target] of Object.entries(maps)) data.append("maps", `${target}=${column}`);
  if (dryRun) data.append("dry_run", "true");
  return data;
}

function Drop({ onFile }) {
  const [over, setOver] = useState(false);
  const input = useRef(null);
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer.files[0]) onFile(event.dataTransfer.files[0]);
  };
  return html`<div class="drop ${over ? "over" : ""}" onDragOver=${(event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)} onDrop=${drop}>
    <${Icon} name="upload" size=${30} /><p class="strong">${t("upload.drop")}</p><p class="small quiet">${t("upload.formats")}</p>
    <${Button} kind="primary" onClick=${() => input.current.click()}>${t("upload.choose")}<//>
    <input ref=${input} class="only-read" type="file" tabIndex="-1" aria-label=${t("upload.choose")} accept=${ENDINGS} onChange=${(event) => { if (event.currentTarget.files[0]) onFile(event.currentTarget.files[0]); }} /></div>`;
}

function Options({ options, onChange }) {
  const set = (name) => (value) => onChange({ ...options, [name]: value });
  return html`<div class="upload-options">
    <${Field} label=${t("upload.kind")}>${(tied) => html`<${Select} options=${KINDS.map((value) => ({ value, label: t(`upload.kind_${value}`) }))} value=${options.kind} onChange=${(kind) => onChange({ ...options, kind, maps: {} })} ...${tied} />`}<//>
    <${Field} label=${t("upload.source")}>${(tied) => html`<input class="input" maxlength="200" placeholder=${t("upload.source_guess")} value=${options.source} onChange=${(event) => set("source")(event.currentTarget.value)} ...${tied} />`}<//>
    ${options.kind === "feedback" && html`<${Field} label=${t("feedback.channel")}>${(tied) => html`<${Select} options=${[{ value: "", label: t("upload.channel_guess") }, ...CHANNELS.map((value) => ({ value, label: nameOf("channel", value) }))]} value=${options.channel} onChange=${set("channel")} ...${tied} />`}<//>`}
    <label class="check small"><input type="checkbox" checked=${options.lenient} onChange=${(event) => set("lenient")(event.currentTarget.checked)} />${t("upload.lenient")}</label></div>`;
}

function Mapping({ preview, kind, busy, onMap }) {
  const targets = Object.fromEntries(Object.entries(preview.file.mapping).map(([target, column]) => [column, target]));
  const options = (column) => [
    { value: "-", label: t("upload.leave_out") },
    ...FIELDS[kind].map((value) => ({ value, label: nameOf("import_field", value) })),
    ...(kind === "feedback" ? [{ value: `metric:${column}`, label: t("upload.as_metric") }, { value: `dim:${column}`, label: t("upload.as_dimension") }] : []),
  ];
  const chosen = (column) => {
    const target = targets[column] ?? "-";
    return options(column).some((one) => one.value === target) ? target : "other";
  };
  const choices = (column) => (chosen(column) === "other" ? [{ value: "other", label: targets[column] }, ...options(column)] : options(column));
  const columns = [
    { key: "column", label: t("upload.column") },
    { key: "target", label: t("upload.target"), show: ({ column }) => html`<${Select} aria-label=${t("upload.target_of", { column })} disabled=${busy} options=${choices(column)} value=${chosen(column)} onChange=${(target) => onMap(column, target)} />` },
    { key: "values", label: t("upload.values"), show: ({ column }) => html`<span class="quiet">${preview.sample.slice(0, 3).map((row) => row[column]).filter(Boolean).join(" · ").slice(0, 120)}</span>` },
    { key: "why", label: t("upload.why"), show: ({ column }) => html`<span class="quiet small">${preview.file.reasons[column] || preview.file.ignored_columns[column] || ""}</span>` },
  ];
  return html`<${Table} caption=${t("upload.mapping")} columns=${columns} rows=${preview.columns.map((column) => ({ column }))} rowKey=${(row) => row.column} />`;
}

function Counts({ report, tense }) {
  return html`<div class="figures"><${Figure} label=${t("upload.rows")} value=${report.read ?? report.rows} digits=${0} /><${Figure} label=${t(`upload.stored_${tense}`)} value=${report.stored} digits=${0} />
    <${Figure} label=${t("upload.duplicates")} value=${report.duplicates} digits=${0} /><${Figure} label=${t("upload.rejected")} value=${report.rejected} digits=${0} /></div>`;
}

function Preview({ preview, options, busy, onMap, onBegin, onBack }) {
  const { file, sample, columns } = preview;
  const facts = [file.format, file.encoding, file.date_format && t("upload.dates", { format: file.date_format }), ...Object.entries(file.metrics_scales).map(([name, scale]) => `${nameOf("import_field", name)} ${scale}`)].filter(Boolean);
  return html`<section class="stack loose" aria-busy=${String(busy)}>
    ${file.error && html`<div class="notice bad" role="alert"><${Icon} name="warning" /><p>${file.error}</p></div>`}
    <div class="card"><div class="card-body stack"><${Counts} report=${file} tense="would" /><p class="small quiet">${facts.join(" · ")}</p></div></div>
    <div class="stack"><h2>${t("upload.mapping")}</h2><p class="small quiet">${t("upload.mapping_about")}</p><${Mapping} preview=${preview} kind=${options.kind} busy=${busy} onMap=${onMap} /></div>
    <div class="stack"><h2>${t("upload.sample")}</h2><${Table} caption=${t("upload.sample")} columns=${columns.map((key) => ({ key, label: key, show: (row) => (row[key] || "").slice(0, 80) }))} rows=${sample} /></div>
    <div class="row upload-go"><${Button} onClick=${onBack}>${t("upload.other")}<//><${Button} kind="primary" busy=${busy} disabled=${Boolean(file.error)} onClick=${onBegin}>${t("upload.begin", { n: number(file.rows) })}<//></div></section>`;
}

function Result({ job, setJob, onAgain }) {
  if (!job) return html`<${Skeleton} lines=${3} />`;
  if (goesOn(job)) return html`<div class="card"><div class="card-body"><${JobProgress} job=${job} onChange=${setJob} /></div></div>`;
  const { result } = job;
  const rejects = () => download(`/v1/feedback/files/${encodeURIComponent(job.run_id)}/rejects`, `rejects-${result.file || "rows"}`).catch(toastProblem);
  return html`<section class="stack loose" aria-live="polite">
    ${job.state === "done"
      ? html`<div class="card"><div class="card-body stack"><h2 class="row"><${Icon} name="check" />${t("upload.done", { file: result.file })}</h2><${Counts} report=${result} tense="did" />
          ${result.rejected > 0 && html`<div class="stack tight small"><ul>${Object.entries(result.reject_reasons || {}).map(([why, n]) => html`<li key=${why}><span class="num">${number(n)}</span> × ${why}</li>`)}</ul>
            <div><${Button} slim icon="download" onClick=${rejects}>${t("upload.rejects")}<//></div></div>`}</div></div>
        <div class="row wrap"><a class="button primary" href=${href("dashboard")}>${t("upload.see_dashboard")}</a><a class="button" href=${href("themes")}>${t("upload.see_themes")}</a><a class="button" href=${href("feedback")}>${t("upload.see_feedback")}</a><${Button} kind="ghost" onClick=${onAgain}>${t("upload.again")}<//></div>`
      : html`<div class="notice bad" role="alert"><${Icon} name="warning" /><p class="grow">${job.detail || nameOf("job_state", job.state)}</p><${Button} slim onClick=${onAgain}>${t("upload.again")}<//></div>`}</section>`;
}

const START = { kind: "feedback", source: "", channel: "", lenient: false, maps: {} };

export function Page() {
  const [file, setFile] = useState(null);
  const [options, setOptions] = useState(START);
  const [preview, setPreview] = useState(null);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const [run, setRun] = useState(null);
  const asked = useRef(0);
  const [job, setJob] = useJob(run, refreshDimensions);
  const look = async (one, how) => {
    const mine = (asked.current += 1);
    setFile(one);
    setOptions(how);
    setBusy(true);
    setProblem(null);
    try {
      const found = await post("/v1/feedback/files", undefined, { form: form(one, how, true) });
      if (mine === asked.current) setPreview(found);
    } catch (error) {
      if (mine === asked.current) setProblem(error);
    }
    if (mine === asked.current) setBusy(false);
  };
  const begin = async () => {
    setBusy(true);
    try {
      setRun((await post("/v1/feedback/files", undefined, { form: form(file, options, false) })).run_id);
    } catch (error) {
      setProblem(error);
    }
    setBusy(false);
  };
  const again = () => { asked.current += 1; setFile(null); setPreview(null); setProblem(null); setRun(null); setJob(null); setOptions(START); setBusy(false); };
  const map = (column, target) => look(file, { ...options, maps: { ...options.maps, [column]: target } });
  return html`<div class="page stack loose"><${PageHead} title=${t("pages.upload")} about=${t("upload.about")} />
    ${run ? html`<${Result} job=${job} setJob=${setJob} onAgain=${again} />` : html`
      ${!file && html`<${Drop} onFile=${(one) => look(one, options)} />`}
      ${file && html`<div class="row wrap between"><span class="row"><${Icon} name="file" /><span class="strong">${file.name}</span><span class="quiet small">${size(file.size)}</span></span><${Button} slim kind="ghost" onClick=${again}>${t("upload.other")}<//></div>
        <${Options} options=${options} onChange=${(next) => look(file, next)} />`}
      ${problem && html`<${Failure} problem=${problem} onRetry=${() => look(file, { ...options, maps: {} })} />`}
      ${file && !preview && busy && html`<${Skeleton} lines=${8} />`}
      ${preview && html`<${Preview} preview=${preview} options=${options} busy=${busy} onMap=${map} onBegin=${begin} onBack=${again} />`}`}</div>`;
}
