// One feedback in full: the words, what they were labelled, where they come from.
import { html } from "../html.js";
import { dateTime, number } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { href } from "../router.js";
import { useTopicNames } from "../dimensions.js";
import { may } from "../session.js";
import { Badge } from "./controls.js";
import { LabelEditor } from "./label_editor.js";
import { Similar } from "./similar.js";
import { Turns } from "./conversations.js";

const PLACES = ["region", "city", "product", "version", "org_unit", "customer_type", "tier"];
const SCORES = ["nps", "csat", "ces", "rating"];
const polar = { positive: "positive", negative: "negative" };

/** item: as GET /v1/feedback/{id} answers; onChange gets it with corrected labels. */
export function FeedbackDetail({ item, onChange }) {
  const topicName = useTopicNames();
  const feedback = item.feedback;
  const labels = item.labels;
  const facts = [
    [t("feedback.when"), dateTime(feedback.occurred_at)],
    [t("feedback.channel"), nameOf("channel", feedback.channel)],
    [t("feedback.source"), feedback.source],
    ...SCORES.filter((name) => feedback[name] != null).map((name) => [nameOf("dimension", name), number(feedback[name])]),
    ...Object.entries(feedback.metrics || {}).map(([name, one]) => [name, number(one, Number.isInteger(one) ? 0 : 1)]),
    ...PLACES.filter((name) => feedback[name]).map((name) => [nameOf("dimension", name), nameOf(name, feedback[name])]),
    ...Object.entries(feedback.attributes || {}),
  ];
  return html`<article class="stack loose">
    <p class="feedback-text" lang=${feedback.language === "en" ? "en" : "zh-CN"}>${feedback.text || html`<span class="quiet">${t("feedback.no_text")}</span>`}</p>
    ${labels && html`<section class="stack tight"><h3 class="only-read">${t("feedback.labels")}</h3><div class="row wrap">
      <${Badge} kind=${polar[labels.sentiment] || ""} dot>${nameOf("sentiment", labels.sentiment)}<//>
      ${labels.emotion && html`<${Badge}>${nameOf("emotion", labels.emotion)}<//>`}
      ${labels.intent && html`<${Badge}>${nameOf("intent", labels.intent)}<//>`}
      ${labels.priority && labels.priority !== "normal" && html`<${Badge} kind="warn">${nameOf("priority", labels.priority)}<//>`}
      ${(labels.topics || []).map((one) => html`<${Badge} key=${one.topic} kind=${polar[one.polarity] || ""}>${topicName(one.topic)}<//>`)}
      ${(labels.risk_signals || []).map((one) => html`<${Badge} key=${one} kind="red">${nameOf("risk", one)}<//>`)}
    </div>${onChange && may("analyst") && html`<${LabelEditor} item=${item} onChange=${onChange} />`}</section>`}
    <dl class="facts">
      ${feedback.customer_id && html`<dt>${t("feedback.customer")}</dt><dd><a href=${href("customers", [feedback.customer_id])}>${feedback.customer_id}</a></dd>`}
      ${facts.map(([name, value]) => html`<dt key=${name}>${name}</dt><dd>${value}</dd>`)}
      <dt>${t("feedback.id")}</dt><dd class="mono">${feedback.feedback_id}</dd>
    </dl>
    ${item.conversation?.length > 1 && html`<section class="stack tight"><h3>${t("feedback.conversation")}</h3><${Turns} here=${feedback.feedback_id}
      turns=${item.conversation.map((one) => ({ feedback_id: one.feedback.feedback_id, speaker: one.feedback.speaker, text: one.feedback.text, sentiment: one.labels?.sentiment }))} /></section>`}
    <${Similar} feedback=${feedback} /></article>`;
}
