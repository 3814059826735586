// API keys: who may call the server, with which role, for which units.
import { html, useState } from "../html.js";
import { post, remove, useGet } from "../api.js";
import { ago, date, dateTime } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { recognise } from "../session.js";
import { Badge, Button, Field, Select } from "./controls.js";
import { Dialog, confirmed, toast, toastProblem } from "./overlays.js";
import { Loaded } from "./states.js";
import { Table } from "./table.js";

const ROLES = ["viewer", "analyst", "manager", "admin", "service"];

function NewKey({ onClose, onMade }) {
  const [wanted, setWanted] = useState({ name: "", role: "analyst", scope: "", days: "" });
  const [made, setMade] = useState(null);
  const [error, setError] = useState("");
  const set = (name) => (event) => setWanted({ ...wanted, [name]: event.currentTarget.value });
  const save = async (event) => {
    event.preventDefault();
    const scope = wanted.scope.split(/[,，\n]/).map((one) => one.trim()).filter(Boolean);
    try {
      setMade(await post("/v1/keys", { name: wanted.name.trim(), role: wanted.role, scope, days: Number(wanted.days) || null }));
      onMade();
    } catch (problem) {
      setError([problem.message, problem.hint].filter(Boolean).join(" "));
    }
  };
  // The first key ends single use: from now on this page too needs to sign in.
  const close = () => { onClose(); recognise().catch(toastProblem); };
  const copy = () => navigator.clipboard.writeText(made.token).then(() => toast(t("common.copied")));
  if (made) {
    return html`<${Dialog} title=${t("keys.made")} onClose=${close} actions=${html`<${Button} icon="copy" onClick=${copy}>${t("common.copy")}<//><${Button} kind="primary" onClick=${close}>${t("common.close")}<//>`}>
      <div class="stack"><p>${t("keys.once")}</p><p class="token">${made.token}</p></div><//>`;
  }
  const actions = html`<${Button} onClick=${onClose}>${t("common.cancel")}<//><${Button} kind="primary" disabled=${!wanted.name.trim()} onClick=${save}>${t("keys.make")}<//>`;
  return html`<${Dialog} title=${t("keys.new")} onClose=${onClose} actions=${actions}><form class="stack" onSubmit=${save}>
    <${Field} label=${t("keys.name")} error=${error}>${(tied) => html`<input class="input" maxlength="100" required value=${wanted.name} onInput=${set("name")} ...${tied} />`}<//>
    <${Field} label=${t("keys.role")}>${(tied) => html`<${Select} options=${ROLES.map((value) => ({ value, label: nameOf("role", value) }))} value=${wanted.role} onChange=${(role) => setWanted({ ...wanted, role })} ...${tied} />`}<//>
    <${Field} label=${t("keys.scope")} help=${t("keys.scope_help")}>${(tied) => html`<input class="input" value=${wanted.scope} onInput=${set("scope")} ...${tied} />`}<//>
    <${Field} label=${t("keys.days")} help=${t("keys.days_help")}>${(tied) => html`<input class="input" type="number" min="1" max="3650" value=${wanted.days} onInput=${set("days")} ...${tied} />`}<//></form><//>`;
}

/** For administrators. */
export function Keys() {
  const list = useGet("/v1/keys", { limit: 200 });
  const [making, setMaking] = useState(false);
  const revoke = async (key) => {
    if (!(await confirmed({ title: t("keys.revoke_title"), text: t("keys.revoke_text", { name: key.name }), action: t("keys.revoke"), danger: true }))) return;
    try {
      await remove(`/v1/keys/${encodeURIComponent(key.key_id)}`);
      list.reload();
      recognise().catch(toastProblem);
    } catch (problem) {
      toastProblem(problem);
    }
  };
  const state = (key) => (key.revoked_at ? html`<${Badge} kind="negative">${t("keys.revoked")}<//>` : key.expires_at ? t("keys.until", { when: date(key.expires_at) }) : html`<${Badge} kind="positive">${t("keys.valid")}<//>`);
  const columns = [
    { key: "name", label: t("keys.name"), sortable: true },
    { key: "role", label: t("keys.role"), show: (key) => nameOf("role", key.role), sortable: true },
    { key: "scope", label: t("keys.scope"), show: (key) => key.scope.join(t("common.comma")) || t("keys.everything") },
    { key: "created_at", label: t("keys.created"), show: (key) => html`<span title=${dateTime(key.created_at)}>${date(key.created_at)}</span>`, sortable: true },
    { key: "last_used_at", label: t("keys.used"), show: (key) => (key.last_used_at ? ago(key.last_used_at) : "–"), sortable: true },
    { key: "state", label: t("keys.state"), show: state },
    { key: "act", label: t("jobs.change"), end: true, show: (key) => !key.revoked_at && html`<${Button} slim kind="danger" onClick=${() => revoke(key)}>${t("keys.revoke")}<//>` },
  ];
  return html`<section class="stack"><div class="row between wrap"><p class="small quiet">${t("keys.about")}</p><${Button} kind="primary" icon="plus" onClick=${() => setMaking(true)}>${t("keys.new")}<//></div>
    <${Loaded} from=${list}>${({ keys }) => html`<${Table} caption=${t("settings.keys")} columns=${columns} rows=${keys} rowKey=${(key) => key.key_id} empty=${html`<p class="small quiet">${t("keys.none")}</p>`} />`}<//>
    ${making && html`<${NewKey} onClose=${() => setMaking(false)} onMade=${list.reload} />`}</section>`;
}
