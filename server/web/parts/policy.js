// The retention policy: what it means in plain words, the YAML to change it, its versions, shadow mode.
import { html, useState } from "../html.js";
import { post, put, useGet } from "../api.js";
import { dateTime } from "../format.js";
import { language, nameOf, t } from "../i18n.js";
import { may } from "../session.js";
import { Badge, Button, Field, Segments, Select } from "./controls.js";
import { Lesson } from "./lesson.js";
import { confirmed, toast, toastProblem } from "./overlays.js";
import { Replay } from "./replay.js";
import { Loaded } from "./states.js";
import { Table } from "./table.js";

const URL_OF = "/v1/settings/policy";
/** What a refusal can be overridden by: a change that makes more tasks than people can take on. */
const forces = (problem) => problem.status === 400 && confirmed({ title: t("policy.force_title"), text: problem.message, action: t("policy.force"), danger: true });
const shown = (value) => (value == null ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));

function Warnings({ warnings }) {
  return warnings.length > 0 && html`<div class="stack tight" role="alert"><h3>${t("policy.warnings", { n: warnings.length })}</h3>
    <ul class="stack tight small">${warnings.map((one) => html`<li key=${one.at + one.kind + one.text}><span class="mono quiet">${one.at}</span> ${one.text}</li>`)}</ul></div>`;
}

function Plainly({ sentences }) {
  return html`<ul class="stack tight small">${sentences.map((one) => html`<li key=${one.text}>${one.text}</li>`)}</ul>`;
}

function Checked({ found }) {
  if (!found.ok) return html`<p class="small bad-text" role="alert">${found.problem}</p>`;
  return html`<div class="stack" role="status"><p class="small">${found.differences.length ? t("policy.changes", { n: found.differences.length }) : t("policy.same")}</p>
    ${found.differences.length > 0 && html`<ul class="stack tight small">${found.differences.map((one) => html`<li key=${one.at}><span class="mono">${one.at}</span> ${shown(one.before)} → ${shown(one.after)}</li>`)}</ul>`}
    <${Warnings} warnings=${found.warnings} />
    <details><summary>${t("policy.means")}</summary><${Plainly} sentences=${found.sentences} /></details></div>`;
}

function Editor({ policy, onDone }) {
  const [draft, setDraft] = useState(policy.text);
  const [why, setWhy] = useState("");
  const [state, setState] = useState("live");
  const [checked, setChecked] = useState(null);
  const [busy, setBusy] = useState(false);
  const send = async (dryRun, force = false) => {
    setBusy(true);
    try {
      const found = await put(`${URL_OF}?language=${language.value}`, { text: draft, made_from: policy.version.number, why, state, force, dry_run: dryRun });
      setChecked(found);
      if (found.version) {
        toast(t("policy.saved", { number: found.version.number, state: nameOf("policy_state", found.version.state) }));
        onDone();
      }
    } catch (problem) {
      setBusy(false);
      if (!dryRun && !force && (await forces(problem))) return send(false, true);
      toastProblem(problem);
    }
    return setBusy(false);
  };
  const save = async () => {
    if (await confirmed({ title: t("policy.save_title"), text: t(`policy.save_${state}`), action: t("common.save") })) send(false);
  };
  return html`<div class="stack">
    <${Field} label=${t("policy.yaml")} help=${t("policy.help")}>${(tied) => html`<textarea class="area code-editor" spellcheck="false" value=${draft}
      onInput=${(event) => { setDraft(event.currentTarget.value); setChecked(null); }} ...${tied} />`}<//>
    <${Field} label=${t("policy.why")}>${(tied) => html`<input class="input" maxlength="2000" value=${why} onInput=${(event) => setWhy(event.currentTarget.value)} ...${tied} />`}<//>
    <${Segments} label=${t("policy.how")} value=${state} onChange=${setState} options=${["live", "shadow"].map((value) => ({ value, label: t(`policy.put_${value}`) }))} />
    ${checked && html`<${Checked} found=${checked} />`}
    <div class="row"><${Button} busy=${busy} onClick=${() => send(true)}>${t("settings.check")}<//>
      <${Button} kind="primary" busy=${busy} disabled=${draft === policy.text} onClick=${save}>${t("common.save")}<//>
      ${draft !== policy.text && html`<${Button} kind="ghost" onClick=${() => { setDraft(policy.text); setChecked(null); }}>${t("settings.undo")}<//>`}</div>
    ${draft !== policy.text && checked?.ok && html`<${Replay} key=${draft} asked=${{ text: draft }} label=${t("replay.draft")} />`}</div>`;
}

function Versions({ versions, onDone }) {
  const done = async (path, body, asked) => {
    if (asked && !(await confirmed(asked))) return null;
    try {
      await post(`${URL_OF}/${path}`, body);
      return onDone();
    } catch (problem) {
      if (body.decision === "promote" && !body.force && (await forces(problem))) return done(path, { ...body, force: true });
      return toastProblem(problem);
    }
  };
  const back = ({ number }) => done("revert", { number }, { title: t("policy.back_title", { number }), text: t("policy.back_text"), action: t("settings.back"), danger: true });
  const decide = ({ number }, decision) => done("shadow", { number, decision }, { title: t(`policy.${decision}_title`, { number }), text: t(`policy.${decision}_text`), action: t(`policy.${decision}`) });
  const acts = (one) => {
    if (one.state === "live") return null;
    if (one.state === "retired") return html`<${Button} slim onClick=${() => back(one)}>${t("settings.back")}<//>`;
    return html`<span class="row">${["promote", "withdraw"].map((decision) => html`<${Button} key=${decision} slim onClick=${() => decide(one, decision)}>${t(`policy.${decision}`)}<//>`)}</span>`;
  };
  const columns = [
    { key: "number", label: t("settings.version") },
    { key: "state", label: t("policy.state"), show: (one) => html`<${Badge} kind=${one.state === "live" ? "accent" : ""}>${nameOf("policy_state", one.state)}<//>` },
    { key: "at", label: t("settings.when"), show: (one) => html`<span class="nowrap">${dateTime(one.at)}</span>` },
    { key: "made_by", label: t("jobs.by") },
    { key: "why", label: t("policy.why"), show: (one) => (one.reverts ? `${t("policy.brought_back", { number: one.reverts })} ${one.why}` : one.why) },
    ...(may("admin") ? [{ key: "act", label: t("jobs.change"), end: true, show: acts }] : []),
  ];
  return html`<div class="stack"><h2>${t("policy.versions")}</h2><${Table} caption=${t("policy.versions")} columns=${columns} rows=${versions} rowKey=${(one) => one.number} /></div>`;
}

/** One of the versions tried on the past: the one in shadow mode first, for it may go live next. */
function Past({ versions }) {
  const [number, setNumber] = useState((versions.find((one) => one.state === "shadow") ?? versions[0]).number);
  const options = versions.map((one) => ({ value: String(one.number), label: `${one.number} · ${nameOf("policy_state", one.state)}` }));
  return html`<section class="stack" aria-labelledby="past-head"><h2 id="past-head">${t("replay.title")}</h2>
    <${Field} label=${t("settings.version")}>${(tied) => html`<${Select} class="short" options=${options} value=${String(number)} onChange=${(value) => setNumber(Number(value))} ...${tied} />`}<//>
    <${Replay} key=${number} asked=${{ version: number }} label=${t("replay.version", { number })} /></section>`;
}

/** The part of the settings about the policy; only an administrator may change it. */
export function Policy() {
  const found = useGet(URL_OF, { language: language.value });
  const history = useGet(`${URL_OF}/versions`);
  const renew = () => {
    found.reload();
    history.reload();
  };
  return html`<div class="stack loose"><${Loaded} from=${found}>${(policy) => html`<div class="stack loose"><p class="small quiet">${t("policy.about", { number: policy.version.number })}</p>
      <${Warnings} warnings=${policy.warnings} /><${Plainly} sentences=${policy.sentences} />
      ${may("admin") ? html`<${Editor} key=${policy.version.number} policy=${policy} onDone=${renew} />` : html`<pre class="code policy" tabIndex="0" aria-label=${t("settings.policy")}>${policy.text}</pre>`}</div>`}<//>
    ${may("manager") && html`<${Lesson} onPut=${renew} />`}
    <${Loaded} from=${history}>${({ versions }) => html`<${Versions} versions=${versions} onDone=${renew} />${may("manager") && html`<${Past} versions=${versions} />`}`}<//></div>`;
}
