// What became of a task: who changed what and when, and what people noted.
import { html, useState } from "../html.js";
import { dateTime, number } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { may } from "../session.js";
import { Badge, Button, Field } from "./controls.js";
import { Panel } from "./panel.js";

const TIMES = new Set(["due_at", "snoozed_until", "placed_at"]);

function shown(field, value) {
  if (!value) return "–";
  if (field === "status") return nameOf("status", value);
  if (field === "tier") return nameOf("tier", value);
  return TIMES.has(field) ? dateTime(value) : value;
}

function change({ field, before, after }) {
  if (field === "created") return after ? shown("status", after) : "";
  if (field === "escalated_to" || (field === "placed_at" && !before)) return shown(field, after);
  return `${shown(field, before)} → ${shown(field, after)}`;
}

const By = ({ line }) => html`<span class="tiny quiet">${line.actor} · <time dateTime=${line.at}>${dateTime(line.at)}</time></span>`;

/** Newest last, as they happened; comments stand in a list of their own. */
export function TaskHistory({ history }) {
  const changes = history.filter((line) => line.field !== "comment");
  return html`<${Panel} title=${t("tasks.history")} about=${t("tasks.history_about")}>
    ${changes.length ? html`<ol class="course">${changes.map((line) => html`<li key=${line.number}><span class="row wrap"><${Badge}>${t(`tasks.field_${line.field}`)}<//><span class="small">${change(line)}</span></span><${By} line=${line} /></li>`)}</ol>` : html`<p class="quiet">${t("common.none")}</p>`}<//>`;
}

/** onSend(text) adds one and resolves to whether it was kept. */
export function Comments({ history, onSend }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const comments = history.filter((line) => line.field === "comment");
  const send = async (event) => {
    event.preventDefault();
    if (!text.trim()) return;
    setBusy(true);
    if (await onSend(text.trim())) setText("");
    setBusy(false);
  };
  return html`<${Panel} title=${t("tasks.comments", { n: number(comments.length) })}>
    ${comments.length ? html`<ol class="course">${comments.map((line) => html`<li key=${line.number}><p class="lines-kept">${line.after}</p><${By} line=${line} /></li>`)}</ol>` : html`<p class="quiet">${t("tasks.no_comments")}</p>`}
    ${may("analyst") && html`<form class="stack" onSubmit=${send}><${Field} label=${t("tasks.comment")} hideLabel>${(tied) => html`<textarea class="area" rows="2" maxlength="2000" placeholder=${t("tasks.comment_about")} value=${text} onInput=${(event) => setText(event.currentTarget.value)} ...${tied} />`}<//>
      <div class="row"><${Button} type="submit" busy=${busy} disabled=${!text.trim()}>${t("tasks.comment")}<//></div></form>`}<//>`;
}
