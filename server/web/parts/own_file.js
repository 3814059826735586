// An editor of the data folder's own taxonomy or lexicon: checked by the server before it counts.
import { html, useRef, useState } from "../html.js";
import { put } from "../api.js";
import { t } from "../i18n.js";
import { may } from "../session.js";
import { Button, Field } from "./controls.js";
import { JobProgress, JobResult, goesOn, useJob } from "./job.js";
import { confirmed, toast, toastProblem } from "./overlays.js";

function Problems({ problems, onGo }) {
  return html`<ul class="stack tight small" role="alert">${problems.map((one) => html`<li key=${`${one.at}${one.wrong}`}>
    ${one.line ? html`<button type="button" class="link" onClick=${() => onGo(one.line)}>${t("settings.line", { n: one.line })}</button>` : null} <span class="mono">${one.at}</span>
    <span class="bad-text">${one.wrong}</span>${one.allowed && html` <span class="quiet">${one.allowed}</span>`}</li>`)}</ul>`;
}

/** name: "taxonomy" or "lexicon"; text and version as GET /v1/settings/labelling gives them; onSaved() after a change counts. */
export function OwnFile({ name, text, version, onSaved }) {
  const [draft, setDraft] = useState(text);
  const [checked, setChecked] = useState(null);
  const [busy, setBusy] = useState(false);
  const [run, setRun] = useState(null);
  const [job, setJob] = useJob(run, onSaved);
  const area = useRef(null);
  const send = async (dryRun) => {
    setBusy(true);
    try {
      const found = await put(`/v1/settings/labelling/${name}`, { text: draft, version, dry_run: dryRun });
      setChecked(found);
      if (found.ok && !dryRun) {
        toast(t("settings.saved"));
        setRun(found.job?.run_id ?? null);
        onSaved();
      }
    } catch (problem) {
      toastProblem(problem);
    }
    setBusy(false);
  };
  const save = async () => {
    if (await confirmed({ title: t("settings.save_title"), text: t("settings.save_text"), action: t("common.save") })) send(false);
  };
  const go = (line) => {
    const start = draft.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    const end = draft.indexOf("\n", start);
    area.current.focus();
    area.current.setSelectionRange(start, end < 0 ? draft.length : end);
    area.current.scrollTop = Math.max(0, (line - 4) * 21);
  };
  const mine = may("admin");
  return html`<div class="stack">
    <${Field} label=${t(`settings.own_${name}`)} help=${t("settings.own_help")}>${(tied) => html`<textarea ref=${area} class="area code-editor" spellcheck="false" readonly=${!mine}
      value=${draft} onInput=${(event) => { setDraft(event.currentTarget.value); setChecked(null); }} ...${tied} />`}<//>
    ${checked && (checked.ok ? html`<p class="small" role="status">${t("settings.sound")}</p>` : html`<${Problems} problems=${checked.problems} onGo=${go} />`)}
    ${job && (goesOn(job) ? html`<${JobProgress} job=${job} onChange=${setJob} />` : html`<p class="small">${t("settings.relabelled")} <${JobResult} job=${job} /></p>`)}
    ${mine && html`<div class="row"><${Button} busy=${busy} onClick=${() => send(true)}>${t("settings.check")}<//>
      <${Button} kind="primary" busy=${busy} disabled=${draft === text} onClick=${save}>${t("common.save")}<//>
      ${draft !== text && html`<${Button} kind="ghost" onClick=${() => { setDraft(text); setChecked(null); }}>${t("settings.undo")}<//>`}</div>`}</div>`;
}
