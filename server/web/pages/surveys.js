// Surveys: who was asked after what, how many answer, and whether a question leads.
import { html, useState } from "../html.js";
import { post } from "../api.js";
import { dateTime, number, percent } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { href, setQuery, useRoute } from "../router.js";
import { Badge, Button, Field } from "../parts/controls.js";
import { PageHead } from "../parts/layout.js";
import { toastProblem } from "../parts/overlays.js";
import { More, usePages } from "../parts/pages.js";
import { Panel } from "../parts/panel.js";
import { openFeedback } from "../parts/quote.js";
import { Empty, Failure, Skeleton } from "../parts/states.js";
import { Table } from "../parts/table.js";

const node = (name) => nameOf("survey_node", name);
const range = (low, high) => html`<span class="tiny quiet block">${low} ~ ${high}</span>`;

function Nodes({ nodes }) {
  const columns = [
    { key: "node", label: t("surveys.node"), show: (one) => html`${node(one.node)} <${Badge}>${nameOf("dimension", one.kind)}<//>` },
    { key: "asked", label: t("surveys.asked"), end: true, sortable: true, show: (one) => number(one.asked) },
    { key: "sent", label: t("surveys.sent"), end: true, sortable: true, show: (one) => number(one.sent) },
    { key: "answered", label: t("surveys.answered"), end: true, sortable: true, show: (one) => number(one.answered) },
    { key: "rate", label: t("surveys.rate"), end: true, show: ({ response_rate: one }) => html`${percent(one.value)}${one.ci_low != null && range(percent(one.ci_low), percent(one.ci_high))}` },
    { key: "score", label: t("surveys.score"), end: true, show: ({ score: one }) => html`${number(one.value, 1)}${one.ci_low != null && range(number(one.ci_low, 1), number(one.ci_high, 1))}` },
  ];
  return html`<${Table} caption=${t("surveys.nodes")} columns=${columns} rows=${nodes} rowKey=${(one) => one.node + one.kind} />`;
}

function List({ from }) {
  const columns = [
    { key: "customer_id", label: t("alerts.customer"), show: (one) => html`<a href=${href("customers", [one.customer_id])}>${one.customer_id}</a>` },
    { key: "node", label: t("surveys.node"), show: (one) => html`<button type="button" class="link" onClick=${() => setQuery({ node: one.node })}>${node(one.node)}</button>` },
    { key: "occasion_at", label: t("surveys.occasion"), show: (one) => html`<span class="nowrap">${dateTime(one.occasion_at)}</span>` },
    { key: "status", label: t("surveys.message"), show: (one) => html`<${Badge} kind=${one.answered_at ? "positive" : ""}>${one.answered_at ? t("surveys.answered") : nameOf("message_status", one.status)}<//>` },
    { key: "score", label: t("surveys.score"), end: true, show: (one) => (one.score == null ? "–" : number(one.score)) },
    { key: "answer_id", label: t("surveys.answer"), show: (one) => one.answer_id && html`<button type="button" class="link" onClick=${() => openFeedback(one.answer_id)}>${t("common.open")}</button>` },
  ];
  return html`<${Table} caption=${t("pages.surveys")} columns=${columns} rows=${from.items} rowKey=${(one) => one.survey_id} /><${More} from=${from} />`;
}

/** Nothing of it is kept. */
function Check() {
  const [question, setQuestion] = useState("");
  const [found, setFound] = useState(null);
  const [busy, setBusy] = useState(false);
  const check = async (event) => {
    event.preventDefault();
    if (!question.trim()) return;
    setBusy(true);
    try {
      setFound(await post("/v1/surveys/check", { question: question.trim() }));
    } catch (error) {
      toastProblem(error);
    }
    setBusy(false);
  };
  return html`<${Panel} title=${t("surveys.check")} about=${t("surveys.check_about")}>
    <form class="stack" onSubmit=${check}><${Field} label=${t("surveys.question")}>${(tied) => html`<textarea class="area" rows="2" maxlength="500" value=${question} onInput=${(event) => { setQuestion(event.currentTarget.value); setFound(null); }} ...${tied} />`}<//>
      <div class="row"><${Button} type="submit" busy=${busy} disabled=${!question.trim()}>${t("settings.check")}<//></div></form>
    ${found && html`<div class="stack tight" role="status">${found.fair ? html`<p><${Badge} kind="positive">${t("surveys.fair")}<//></p>` : html`<p><${Badge} kind="warn">${t("surveys.leads")}<//></p>
      <ul class="points small">${found.leads.map((one) => html`<li key=${one.rule + one.words}><span class="strong">${one.words}</span> ${one.why}</li>`)}</ul>`}
      ${found.better.length > 0 && html`<h3>${t("surveys.better")}</h3><ul class="points">${found.better.map((one) => html`<li key=${one}>${one}</li>`)}</ul>`}</div>`}<//>`;
}

export function Page() {
  const { query } = useRoute();
  const found = usePages("/v1/surveys", { node: query.node }, "surveys");
  return html`<div class="page stack loose"><${PageHead} title=${t("pages.surveys")} about=${t("surveys.about")} />
    ${query.node && html`<div class="filters"><${Button} slim icon="close" onClick=${() => setQuery({ node: "" })}>${node(query.node)}<//></div>`}
    ${found.error ? html`<${Failure} problem=${found.error} onRetry=${found.reload} />` : !found.items ? html`<${Skeleton} lines=${8} />` : found.items.length ? html`<${Nodes} nodes=${found.first.nodes} /><${List} from=${found} />`
      : html`<${Empty} icon="surveys" title=${t("surveys.none")} text=${t("surveys.none_about")} />`}
    <${Check} /></div>`;
}
