// A customer's last conversations, turn by turn, as alerts, tasks and the customer's page show them.
import { html } from "../html.js";
import { dateTime } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { Badge } from "./controls.js";
import { openFeedback } from "./quote.js";

const MOOD = { positive: "positive", negative: "negative" };

/** turns: [{feedback_id, speaker, text, sentiment}]; `here` is the one that is open, `broke` the index where it broke out. */
export const Turns = ({ turns, here, broke }) => html`<ol class="talk-turns">${turns.map((turn, index) => html`<li key=${turn.feedback_id} class="talk-turn ${turn.speaker === "agent" ? "agent" : "customer"} ${MOOD[turn.sentiment] ?? ""} ${turn.feedback_id === here ? "here" : ""}">
  <button type="button" onClick=${() => openFeedback(turn.feedback_id)}><span class="tiny quiet">${t(`customers.speaker_${turn.speaker === "agent" ? "agent" : "customer"}`)}</span>
    <span>${turn.text || t("feedback.no_text")}</span>${index === broke && html`<span class="tiny late">${t("customers.broke_out")}</span>`}</button></li>`)}</ol>`;

export function Conversations({ conversations }) {
  if (!conversations?.length) return html`<p class="quiet">${t("customers.no_conversations")}</p>`;
  return html`<div class="stack">${conversations.map((one, at) => html`<details class="talk" key=${at} open=${at === 0}>
    <summary><span class="strong">${nameOf("channel", one.channel)}</span><span class="quiet small">${dateTime(one.from)}</span>
      ${one.resolution && html`<${Badge} kind=${one.resolution === "resolved" ? "positive" : one.resolution === "unresolved" ? "negative" : ""}>${t(`customers.resolution_${one.resolution}`)}<//>`}</summary>
    <${Turns} turns=${one.turns} broke=${one.break_turn} /></details>`)}</div>`;
}
