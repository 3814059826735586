// Labels that a person puts right: in effect at once on every item with the same text, and learnt from.
import { html, useState } from "../html.js";
import { patch } from "../api.js";
import { nameOf, t } from "../i18n.js";
import { useDimensions } from "./asked.js";
import { Button, Field, Select } from "./controls.js";
import { toast, toastProblem } from "./overlays.js";

const VALUES = {
  sentiment: ["positive", "neutral", "negative"],
  emotion: ["angry", "disappointed", "anxious", "puzzled", "neutral", "satisfied", "delighted"],
  intent: ["complaint", "enquiry", "suggestion", "praise", "churn", "other"],
  priority: ["urgent", "important", "normal"],
};
const FIELDS = [...Object.keys(VALUES), "topics"];

/** item: as GET /v1/feedback/{id} answers; onChange gets it with its new labels. */
export function LabelEditor({ item, onChange }) {
  const [open, setOpen] = useState(false);
  const [field, setField] = useState("sentiment");
  const [chosen, setChosen] = useState(null);
  const [busy, setBusy] = useState(false);
  const topics = useDimensions().find((one) => one.name === "topic")?.values ?? [];
  const now = field === "topics" ? (item.labels.topics ?? []).map((one) => one.topic) : item.labels[field];
  const value = chosen ?? now;
  const save = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const done = await patch(`/v1/feedback/${encodeURIComponent(item.feedback.feedback_id)}/labels`, { field, value: Array.isArray(value) ? value.join("|") || "none" : value });
      onChange({ ...item, labels: done.labels });
      toast(t("labels.saved", { n: done.items }));
      setChosen(null);
      setOpen(false);
    } catch (error) {
      toastProblem(error);
    } finally {
      setBusy(false);
    }
  };
  if (!open) return html`<div><${Button} slim icon="edit" onClick=${() => setOpen(true)}>${t("labels.correct")}<//></div>`;
  const toggle = (topic) => setChosen(value.includes(topic) ? value.filter((one) => one !== topic) : [...value, topic]);
  return html`<form class="stack label-form" onSubmit=${save} aria-label=${t("labels.correct")}>
    <${Field} label=${t("labels.field")}>${(tied) => html`<${Select} ...${tied} value=${field} onChange=${(next) => { setField(next); setChosen(null); }} options=${FIELDS.map((one) => ({ value: one, label: t(`labels.field_${one}`) }))} />`}<//>
    ${field === "topics"
      ? html`<fieldset class="topics"><legend>${t("labels.value")}</legend>${topics.map((one) => html`<label class="check small" key=${one.value}><input type="checkbox" checked=${value.includes(one.value)} onChange=${() => toggle(one.value)} />${one.label}</label>`)}</fieldset>`
      : html`<${Field} label=${t("labels.value")}>${(tied) => html`<${Select} ...${tied} value=${value} onChange=${setChosen} options=${VALUES[field].map((one) => ({ value: one, label: nameOf(field, one) }))} />`}<//>`}
    <div class="row"><${Button} kind="primary" type="submit" busy=${busy} disabled=${chosen === null}>${t("common.save")}<//><${Button} onClick=${() => { setOpen(false); setChosen(null); }}>${t("common.cancel")}<//></div></form>`;
}
