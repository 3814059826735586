// Messages to a customer: what went, what waits, and why one was not sent.
import { html, useState } from "../html.js";
import { post, useGet } from "../api.js";
import { dateTime, number } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { may } from "../session.js";
import { Badge, Button } from "./controls.js";
import { confirmed, toast, toastProblem } from "./overlays.js";
import { Panel } from "./panel.js";
import { Loaded } from "./states.js";

const KIND = { pending_approval: "warn", prepared: "accent", sending: "accent", sent: "positive", failed: "negative" };
const LIMIT = 20;

function Deeds({ message, onDone }) {
  const [busy, setBusy] = useState(false);
  const path = `/v1/messages/${encodeURIComponent(message.message_id)}`;
  const act = async (deed, asked) => {
    if (!(await confirmed(asked))) return;
    setBusy(true);
    try {
      await post(`${path}/${deed}`);
      toast(t(`messages.did_${deed}`));
      onDone();
    } catch (error) {
      toastProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const cancel = () => act("cancel", { title: t("messages.cancel_title"), text: t("messages.cancel_text"), action: t("messages.cancel"), danger: true });
  const retry = () => act("retry", { title: t("messages.retry_title"), text: t("messages.retry_text"), action: t("common.retry") });
  return html`${["pending_approval", "prepared"].includes(message.status) && may("analyst") && html`<${Button} slim busy=${busy} onClick=${cancel}>${t("messages.cancel")}<//>`}
    ${message.status === "failed" && may("manager") && html`<${Button} slim busy=${busy} onClick=${retry}>${t("common.retry")}<//>`}`;
}

function times(one) {
  if (one.sent_at) return t("messages.sent_at", { when: dateTime(one.sent_at), channel: nameOf("contact", one.channel) });
  if (one.next_at && one.status === "prepared") return t("messages.next_at", { when: dateTime(one.next_at) });
  return t("messages.written_at", { when: dateTime(one.created_at) });
}

function One({ message: one, onDone }) {
  const held = one.why || one.detail;
  return html`<li class="message"><div class="row wrap"><${Badge} kind=${KIND[one.status] ?? ""}>${nameOf("message_status", one.status)}<//>
      ${one.kind === "survey" && html`<${Badge}>${t("messages.survey")}<//>`}<span class="strong">${one.title || one.playbook}</span>
      <span class="push row"><${Deeds} message=${one} onDone=${onDone} /></span></div>
    ${held && html`<p class="small ${one.status === "failed" ? "bad-text" : ""}"><span class="strong">${t(one.status === "sent" ? "messages.note" : "messages.why")}</span> ${[one.why, one.detail].filter(Boolean).join(" · ")}</p>`}
    <details class="small"><summary class="quiet">${t("messages.text")}</summary><p class="lines-kept message-text">${one.text}</p></details>
    <p class="tiny quiet">${times(one)}${one.attempts > 1 ? ` · ${t("messages.attempts", { n: number(one.attempts) })}` : ""} · ${one.created_by}</p></li>`;
}

/** All messages to one customer, newest first. */
export function MessagesPanel({ customerId }) {
  const found = useGet("/v1/messages", { customer_id: customerId, limit: LIMIT });
  return html`<${Panel} title=${t("messages.title")} about=${t("messages.about")}>
    <${Loaded} from=${found}>${({ messages, counts, next_cursor: more }) => html`
      ${messages.length > 0 && html`<div class="row wrap">${Object.entries(counts).map(([status, n]) => html`<${Badge} key=${status} kind=${KIND[status] ?? ""}>${nameOf("message_status", status)} ${number(n)}<//>`)}</div>`}
      ${messages.length ? html`<ul class="messages">${messages.map((one) => html`<${One} key=${one.message_id} message=${one} onDone=${found.reload} />`)}</ul>` : html`<p class="quiet">${t("messages.none")}</p>`}
      ${more && html`<p class="tiny quiet">${t("messages.newest", { n: LIMIT })}</p>`}`}<//><//>`;
}
