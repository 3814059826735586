// What others say in other words: items near in meaning.
import { html } from "../html.js";
import { t } from "../i18n.js";
import { useTool } from "./asked.js";
import { Quote } from "./quote.js";
import { Skeleton } from "./states.js";

export function Similar({ feedback }) {
  const found = useTool("search_feedback", feedback.text ? { query: feedback.text.slice(0, 400), limit: 6 } : null);
  if (!feedback.text || found.error) return null;
  const items = found.data?.data.items.filter((one) => one.id !== feedback.feedback_id && one.text !== feedback.text).slice(0, 4);
  return html`<section class="stack"><h3>${t("feedback.similar")}</h3>${!items ? html`<${Skeleton} lines=${3} />` : items.length === 0 ? html`<p class="quiet small">${t("common.none")}</p>` : items.map((one) => html`<${Quote} key=${one.id} id=${one.id} text=${one.text} sentiment=${one.sentiment} by=${{ channel: one.channel, occurred_at: one.time, ...one.dimensions }} />`)}</section>`;
}
