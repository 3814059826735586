// Tasks: what is to be done for which customer, by whom and until when.
import { html, useState } from "../html.js";
import { patch, useGet } from "../api.js";
import { dateTime, number } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { href, setQuery, useRoute } from "../router.js";
import { may } from "../session.js";
import { Badge, Button, Field, Segments, Select } from "../parts/controls.js";
import { Conversations } from "../parts/conversations.js";
import { Comments, TaskHistory } from "../parts/history.js";
import { PageHead } from "../parts/layout.js";
import { MessagesPanel } from "../parts/messages.js";
import { Dialog, toast, toastProblem } from "../parts/overlays.js";
import { More, usePages } from "../parts/pages.js";
import { Panel } from "../parts/panel.js";
import { Quote } from "../parts/quote.js";
import { WhatToSay } from "../parts/say.js";
import { Empty, Failure, Skeleton } from "../parts/states.js";
import { Deadline, Tier } from "../parts/work.js";

const STATUSES = ["undone", "pending_approval", "open", "done", "rejected", "cancelled"];
const KIND = { pending_approval: "warn", open: "accent", done: "positive", rejected: "", cancelled: "" };
const path = (id) => `/v1/tasks/${encodeURIComponent(id)}`;

function List() {
  const { query } = useRoute();
  const status = query.status || "undone";
  const found = usePages("/v1/tasks", { status, due: query.due, owner: query.owner, customer_id: query.customer }, "tasks");
  return html`<div class="page"><${PageHead} title=${t("pages.tasks")} about=${t("tasks.about")} />
    <div class="filters"><${Select} aria-label=${t("tasks.status")} value=${status} onChange=${(next) => setQuery({ status: next })} options=${STATUSES.map((value) => ({ value, label: value === "undone" ? t("tasks.undone") : nameOf("status", value) }))} />
      <${Segments} label=${t("tasks.due")} value=${query.due ?? ""} onChange=${(due) => setQuery({ due })} options=${["", "overdue", "today"].map((value) => ({ value, label: value ? t(`tasks.due_${value}`) : t("tasks.due_any") }))} />
      ${query.owner && html`<${Button} slim icon="close" onClick=${() => setQuery({ owner: "" })}>${query.owner}<//>`}</div>
    <div class="stack spaced">${found.error ? html`<${Failure} problem=${found.error} onRetry=${found.reload} />` : !found.items ? html`<${Skeleton} lines=${10} />` : html`
      <p class="small quiet num">${t("tasks.counts", { open: number(found.first.counts.open), pending: number(found.first.counts.pending_approval), overdue: number(found.first.counts.overdue), done: number(found.first.counts.done) })}</p>
      ${!found.items.length && html`<${Empty} icon="tasks" title=${t("tasks.none")} text=${t("tasks.none_about")} />`}
      <ul class="cards">${found.items.map((one) => html`<li key=${one.task_id}><a class="card work tier-edge-${one.tier ?? "none"} ${one.overdue ? "is-late" : ""}" href=${href("tasks", [one.task_id])}>
        <span class="row wrap"><${Tier} tier=${one.tier} /><${Badge} kind=${KIND[one.status]}>${nameOf("status", one.status)}<//>${one.waiting ? html`<${Badge}>${t("tasks.waiting")}<//>` : null}<span class="strong">${one.customer_id ?? ""}</span><span class="quiet small">${one.owner}</span><span class="push"><${Deadline} at=${one.due_at} overdue=${one.overdue} /></span></span>
        <span class="small two-lines">${one.summary}</span></a></li>`)}</ul><${More} from=${found} />`}</div></div>`;
}

/** What may be done with a task, each a PATCH with the version it was read with. */
function Changes({ task, onDone }) {
  const [asking, setAsking] = useState(null);
  const [value, setValue] = useState("");
  const [busy, setBusy] = useState(false);
  const change = async (changes, said) => {
    setBusy(true);
    try {
      onDone(await patch(path(task.task_id), { ...changes, version: task.version }));
      toast(said);
      setAsking(null);
      setValue("");
    } catch (error) {
      toastProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const forms = {
    owner: { title: t("tasks.reassign"), send: () => change({ owner: value.trim() }, t("tasks.reassigned")) },
    due: { title: t("tasks.move"), send: () => change({ due_at: new Date(value).toISOString() }, t("tasks.moved")) },
    snoozed_until: { title: t("tasks.snooze"), send: () => change({ snoozed_until: new Date(value).toISOString() }, t("tasks.snoozed")) },
  };
  const form = asking && forms[asking];
  const ask = (what, from = "") => { setValue(from); setAsking(what); };
  const send = (event) => { event?.preventDefault(); if (value.trim()) form.send(); };
  const entered = { value, onInput: (event) => setValue(event.currentTarget.value) };
  const field = (tied) => (asking === "owner" ? html`<input class="input" maxlength="100" ...${entered} ...${tied} />` : html`<input class="input" type="datetime-local" ...${entered} ...${tied} />`);
  return html`${task.status === "pending_approval" && may("manager") && html`<${Button} kind="primary" icon="check" busy=${busy} onClick=${() => change({ status: "open" }, t("tasks.approved"))}>${t("tasks.approve")}<//><${Button} busy=${busy} onClick=${() => change({ status: "rejected" }, t("tasks.rejected"))}>${t("tasks.reject")}<//>`}
    ${task.status === "open" && html`<${Button} kind="primary" icon="check" busy=${busy} onClick=${() => change({ status: "done" }, t("tasks.finished"))}>${t("tasks.finish")}<//>`}
    ${["open", "pending_approval"].includes(task.status) && html`<${Button} onClick=${() => ask("owner", task.owner)}>${t("tasks.reassign")}<//><${Button} onClick=${() => ask("due")}>${t("tasks.move")}<//>`}
    ${task.status === "open" && (task.snoozed_until ? html`<${Button} busy=${busy} onClick=${() => change({ snoozed_until: null }, t("tasks.woken"))}>${t("tasks.wake")}<//>` : html`<${Button} onClick=${() => ask("snoozed_until")}>${t("tasks.snooze")}<//>`)}
    ${form && html`<${Dialog} title=${form.title} onClose=${() => setAsking(null)} actions=${html`<${Button} onClick=${() => setAsking(null)}>${t("common.cancel")}<//><${Button} kind="primary" busy=${busy} disabled=${!value.trim()} onClick=${send}>${t("common.save")}<//>`}>
      <form onSubmit=${send}><${Field} label=${t(`tasks.field_${asking}`)}>${field}<//></form><//>`}`;
}

function One({ id }) {
  const found = useGet(path(id));
  const comment = async (text) => {
    try {
      found.set(await patch(path(id), { comment: text }));
      toast(t("tasks.commented"));
      return true;
    } catch (error) {
      toastProblem(error);
      return false;
    }
  };
  const body = (one) => html`<${PageHead} title=${html`<${Tier} tier=${one.tier} /> ${one.customer_id ?? t("pages.tasks")}`} actions=${may("analyst") && html`<${Changes} task=${one} onDone=${found.set} />`} />
    <p class="lead">${one.summary}</p>
    <dl class="facts spaced"><dt>${t("tasks.status")}</dt><dd><${Badge} kind=${KIND[one.status]}>${nameOf("status", one.status)}<//></dd><dt>${t("tasks.owner")}</dt><dd>${one.owner}</dd>
      <dt>${t("tasks.due")}</dt><dd>${dateTime(one.due_at)} <${Deadline} at=${one.due_at} overdue=${one.overdue} /></dd><dt>${t("tasks.made")}</dt><dd>${dateTime(one.created_at)} · ${one.created_by}</dd>
      ${one.snoozed_until && html`<dt>${t("tasks.field_snoozed_until")}</dt><dd>${dateTime(one.snoozed_until)}</dd>`}${one.escalated_to.length > 0 && html`<dt>${t("tasks.escalated")}</dt><dd>${one.escalated_to.join(t("common.comma"))}</dd>`}
      ${one.approved_by && html`<dt>${t("tasks.approved_by")}</dt><dd>${one.approved_by}</dd>`}${one.customer_id && html`<dt>${t("alerts.customer")}</dt><dd><a href=${href("customers", [one.customer_id])}>${one.customer_id}</a></dd>`}
      ${one.alert_id && html`<dt>${t("tasks.alert")}</dt><dd><a href=${href("alerts", [one.alert_id])}>${one.alert_id}</a></dd>`}</dl>
    <div class="board loose"><div class="stack wider"><${WhatToSay} points=${one.what_to_say} />
        <${Panel} title=${t("alerts.advice")}><p class="lines-kept">${one.advice || t("common.none")}</p><//>
        ${one.customer_id && html`<${MessagesPanel} customerId=${one.customer_id} />`}</div>
      <div class="stack wider"><${Panel} title=${t("alerts.evidence")}>${one.quotes.map((quote) => html`<${Quote} key=${quote.feedback_id} id=${quote.feedback_id} text=${quote.text} sentiment=${quote.sentiment ?? ""} by=${{ channel: quote.channel, occurred_at: quote.at }} />`)}${!one.quotes.length && html`<p class="quiet">${t("alerts.no_words")}</p>`}<//>
        <${Panel} title=${t("customers.conversations")}><${Conversations} conversations=${one.conversations} /><//>
        <${Comments} history=${one.history} onSend=${comment} /><${TaskHistory} history=${one.history} /></div></div>`;
  return html`<div class="page"><nav class="trail" aria-label=${t("drill.trail")}><ol><li><a href=${href("tasks")}>${t("pages.tasks")}</a></li></ol></nav>
    ${found.error ? html`<${Failure} problem=${found.error} onRetry=${found.reload} />` : found.data ? body(found.data) : html`<${Skeleton} height=${500} />`}</div>`;
}

export const Page = ({ args }) => (args[0] ? html`<${One} key=${args[0]} id=${args[0]} />` : html`<${List} />`);
