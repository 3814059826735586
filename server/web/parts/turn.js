// One question with its answer: the steps, the words, charts, quotes, what waits for a decision, what to ask next.
import { html, useState } from "../html.js";
import { number, seconds } from "../format.js";
import { nameOf, t, words } from "../i18n.js";
import { AnswerText } from "./answer_text.js";
import { Approvals } from "./approvals.js";
import { Chart } from "./chart.js";
import { Button, Segments } from "./controls.js";
import { Icon } from "./icons.js";
import { toast } from "./overlays.js";
import { Quote } from "./quote.js";
import { periodOf } from "./result.js";
import { Failure } from "./states.js";

function Steps({ turn, onOpen }) {
  const [open, setOpen] = useState(false);
  const { steps, state, answer } = turn;
  const running = state === "running" && !turn.text;
  const now = steps.findLast((one) => one.state === "running");
  if (!steps.length && !running) return null;
  const told = running
    ? (now ? t("chat.step_now", { tool: nameOf("tool", now.name) }) : t("chat.thinking"))
    : t("chat.steps", { n: steps.length, time: answer?.elapsed_ms ? seconds(answer.elapsed_ms) : "" });
  const calls = new Map((answer?.tool_calls || []).map((call) => [call.id, call]));
  return html`<div class="steps">
    <button type="button" class="steps-head" aria-expanded=${String(open)} onClick=${() => setOpen(!open)}>
      ${running ? html`<span class="spin" aria-hidden="true" />` : html`<${Icon} name=${open ? "down" : "right"} size=${14} />`}<span>${told}</span></button>
    ${open && html`<ol>${steps.map((step) => html`<li key=${step.id} class=${step.state}>
      <div class="row wrap"><span class="strong">${nameOf("tool", step.name)}</span>
        ${step.n != null && html`<span class="small quiet num">n = ${number(step.n)}</span>`}
        ${calls.has(step.id) && !calls.get(step.id).result.error && html`<button type="button" class="link small" onClick=${() => onOpen(calls.get(step.id))}>${t("chat.result")}</button>`}</div>
      ${step.error && html`<p class="small bad-text">${step.error}</p>`}
      <details><summary class="tiny quiet">${t("result.arguments")}</summary><pre class="code" tabIndex="0">${JSON.stringify(step.args, null, 2)}</pre></details></li>`)}</ol>`}
  </div>`;
}

function Charts({ calls }) {
  const drawn = calls.filter((call) => call.result.chart);
  const [chosen, setChosen] = useState(0);
  if (!drawn.length) return null;
  const call = drawn[Math.min(chosen, drawn.length - 1)];
  const name = nameOf("tool", call.name);
  const bars = [].concat(call.result.chart.yAxis ?? []).find((one) => one.type === "category")?.data?.length || 0;
  return html`<figure class="answer-chart"><figcaption class="row wrap">
      ${drawn.length > 1
        ? html`<${Segments} label=${t("chat.charts")} value=${chosen} onChange=${setChosen} options=${drawn.map((one, at) => ({ value: at, label: nameOf("tool", one.name) }))} />`
        : html`<span class="strong small">${name}</span>`}
      <span class="small quiet">${periodOf(call.result)} · n = ${number(call.result.n)}</span></figcaption>
    <${Chart} key=${call.id} option=${call.result.chart} describe=${`${name}, ${periodOf(call.result)}, n = ${call.result.n}`} height=${Math.max(220, Math.min(420, bars * 30 + 60))} /></figure>`;
}

/** The words that a tool's result has for a cited feedback. */
function quoted(calls, id) {
  const search = (value) => {
    if (!value || typeof value !== "object") return null;
    if ((value.id === id || value.feedback_id === id) && typeof value.text === "string") return value;
    for (const one of Object.values(value)) {
      const found = search(one);
      if (found) return found;
    }
    return null;
  };
  for (const call of calls) {
    const found = search(call.result.data);
    if (found) return found;
  }
  return null;
}

function Quotes({ ids, calls }) {
  const found = ids.map((id) => [id, quoted(calls, id)]);
  return html`<section class="quotes" aria-label=${t("chat.quotes")}><h3 class="small quiet">${t("chat.quotes")}</h3>
    ${found.map(([id, one], at) => html`<div class="row top" key=${id}><span class="cite as-label">${at + 1}</span><${Quote} id=${id} text=${one?.text || id} by=${one} /></div>`)}</section>`;
}

/** Questions that follow from what was found, without those asked before. */
function nextQuestions(answer, asked) {
  const split = answer.tool_calls.some((call) => call.args.group_by?.length);
  const all = answer.tool_calls.toReversed().flatMap((call) => words(`suggest.${call.name}`));
  return [...new Set(all)].filter((text) => !asked.includes(text) && !(split && text.includes(t("suggest.split")))).slice(0, 3);
}

/** turn: of useConversation. `isLast` shows what to ask next. */
export function Turn({ turn, isLast, asked, deciding, onOpen, onDecide, onAsk }) {
  const { answer, state, text } = turn;
  const calls = answer?.tool_calls || [];
  const copy = () => navigator.clipboard.writeText(text).then(() => toast(t("common.copied")));
  return html`<article class="turn" aria-label=${turn.question.slice(0, 80)}>
    <h2 class="question">${turn.question}</h2>
    <${Steps} turn=${turn} onOpen=${onOpen} />
    <div class="answer" lang=${answer ? (answer.language === "en" ? "en" : "zh-CN") : undefined}>
      ${text && html`<${AnswerText} text=${text} figures=${answer?.figures || []} citations=${answer?.citations || []} calls=${calls} onOpen=${onOpen} />`}
      ${state === "running" && text && !answer && html`<span class="caret" aria-hidden="true" />`}
    </div>
    ${state === "stopped" && html`<p class="small quiet row"><${Icon} name="stop" size=${14} />${t("chat.stopped")}</p>`}
    ${state === "broken" && html`<p class="small quiet">${t("chat.broken")} <button type="button" class="link" onClick=${() => onAsk(turn.question)}>${t("common.retry")}</button></p>`}
    ${state === "failed" && html`<${Failure} problem=${turn.problem} onRetry=${() => onAsk(turn.question)} />`}
    ${answer && html`<${Charts} calls=${calls} />`}
    ${answer?.citations.length > 0 && html`<${Quotes} ids=${answer.citations} calls=${calls} />`}
    ${answer?.pending_approvals.length > 0 && isLast && html`<${Approvals} drafts=${answer.pending_approvals} plan=${answer.plan} busy=${deciding} onDecide=${onDecide} />`}
    ${state === "done" && text && html`<div class="turn-foot row wrap"><${Button} kind="ghost" slim icon="copy" label=${t("chat.copy")} onClick=${copy} />
      ${answer && html`<span class="tiny quiet">${t(`chat.by_${answer.planner}`)}</span>`}</div>`}
    ${isLast && state === "done" && answer && !answer.pending_approvals.length && html`<div class="next" role="group" aria-label=${t("chat.next")}>
      ${nextQuestions(answer, asked).map((one) => html`<button type="button" key=${one} class="suggestion" onClick=${() => onAsk(one)}>${one}</button>`)}</div>`}
  </article>`;
}
