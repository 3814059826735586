// Drafts that wait for a person: what will be done, by whom, by when.
import { html, useState } from "../html.js";
import { ago, dateTime } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { may } from "../session.js";
import { Badge, Button } from "./controls.js";
import { Icon } from "./icons.js";

function Measures({ plan }) {
  return html`<ol class="measures">${plan.measures.map((one) => html`<li key=${one.id || one.action}><span class="strong">${one.action}</span>
    <span class="quiet small">${[one.owner_department, one.window_days && t("approvals.days", { n: one.window_days }), one.target].filter(Boolean).join(" · ")}</span></li>`)}</ol>`;
}

function Draft({ draft, plan, busy, onDecide }) {
  const [whole, setWhole] = useState(false);
  const long = draft.summary.length > 160;
  return html`<li class="draft">
    <div class="row wrap"><${Badge} kind=${draft.kind === "plan" ? "accent" : "warn"}>${t(`approvals.${draft.kind}`)}<//>
      ${draft.expired && html`<${Badge} kind="negative">${t("approvals.expired")}<//>`}
      ${draft.customer_id && html`<span class="mono small">${draft.customer_id}</span>`}</div>
    <p class=${long && !whole ? "draft-text clamp" : "draft-text"}>${draft.summary}</p>
    ${long && html`<button type="button" class="link small" aria-expanded=${String(whole)} onClick=${() => setWhole(!whole)}>${t(whole ? "approvals.less" : "approvals.whole")}</button>`}
    ${plan && plan.plan_id === draft.id && html`<${Measures} plan=${plan} />`}
    <div class="row wrap between"><span class="small quiet row">
        ${draft.owner && html`<span class="row"><${Icon} name="person" size=${14} />${draft.owner}</span>`}
        ${draft.due_at && html`<span class="row" title=${dateTime(draft.due_at)}><${Icon} name="jobs" size=${14} />${t("approvals.due", { when: dateTime(draft.due_at), ago: ago(draft.due_at) })}</span>`}</span>
      <span class="row push"><${Button} slim disabled=${busy} onClick=${() => onDecide({ reject: [draft.id] })}>${t("approvals.reject")}<//>
        <${Button} slim kind="primary" icon="check" disabled=${busy} onClick=${() => onDecide({ approve: [draft.id] })}>${t("approvals.approve")}<//></span></div></li>`;
}

/** drafts: of an answer; plan: its plan, if it has one; onDecide(decision) takes {approve: [ids]} or {reject: [ids]}. */
export function Approvals({ drafts, plan, busy, onDecide }) {
  const everything = drafts.map((one) => one.id);
  return html`<section class="approvals" aria-label=${t("approvals.title")}>
    <header class="row wrap"><${Icon} name="tasks" /><h3>${t("approvals.waiting", { n: drafts.length })}</h3>
      ${!may("manager") && html`<span class="small quiet">${t("approvals.role", { role: nameOf("role", "manager") })}</span>`}
      ${drafts.length > 1 && html`<span class="row push"><${Button} slim kind="ghost" disabled=${busy} onClick=${() => onDecide({ reject: everything })}>${t("approvals.reject_all")}<//>
        <${Button} slim disabled=${busy} onClick=${() => onDecide({ approve: everything })}>${t("approvals.approve_all")}<//></span>`}</header>
    <ul>${drafts.map((draft) => html`<${Draft} key=${draft.id} draft=${draft} plan=${plan} busy=${busy} onDecide=${onDecide} />`)}</ul></section>`;
}
