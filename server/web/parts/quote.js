// A customer's own words; they open the whole feedback at the side.
import { html } from "../html.js";
import { useGet } from "../api.js";
import { dateTime } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { shared, useShared } from "../shared.js";
import { Drawer } from "./overlays.js";
import { FeedbackDetail } from "./feedback_detail.js";
import { Loaded, Skeleton } from "./states.js";

const opened = shared(null);
/** Show the feedback of this id at the side. */
export const openFeedback = (id) => opened.set(id);

/** text: the words; id: of the feedback; by: {channel, occurred_at, region ...} to say where they come from. */
export function Quote({ id, text, by, sentiment = "" }) {
  const source = by && [nameOf("channel", by.channel), by.region, by.product, by.occurred_at && dateTime(by.occurred_at)].filter(Boolean).join(" · ");
  return html`<button type="button" class="quote ${sentiment}" onClick=${() => openFeedback(id)}>
    ${text}${source && html`<span class="by">${source}</span>`}<span class="only-read">${t("feedback.open")}</span></button>`;
}

/** Shows what `openFeedback` opens; once, in the shell. */
export function FeedbackDrawer() {
  const id = useShared(opened);
  return id === null ? null : html`<${OneFeedback} key=${id} id=${id} />`;
}

function OneFeedback({ id }) {
  const found = useGet(`/v1/feedback/${encodeURIComponent(id)}`);
  return html`<${Drawer} title=${t("feedback.one")} onClose=${() => opened.set(null)}>
    <${Loaded} from=${found} skeleton=${html`<${Skeleton} lines=${8} />`}>${(item) => html`<${FeedbackDetail} item=${item} onChange=${found.set} />`}<//><//>`;
}
