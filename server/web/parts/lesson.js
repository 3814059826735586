// What verdicts teach of the policy: what would change, how it did on verdicts it never saw; put as shadow or live.
import { html, useState } from "../html.js";
import { get, post } from "../api.js";
import { date, number, percent } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { may } from "../session.js";
import { Button } from "./controls.js";
import { Figure } from "./figure.js";
import { confirmed, toast, toastProblem } from "./overlays.js";
import { Table } from "./table.js";

const URL_OF = "/v1/settings/policy/lesson";
const SHARE = 100;
const pct = (value) => (value == null ? null : value * SHARE);
const ShareFigure = ({ label, of: one }) => html`<${Figure} label=${label} value=${pct(one.value)} unit=${one.value == null ? "" : "%"} n=${one.n} low=${pct(one.ci_low)} high=${pct(one.ci_high)} />`;

function HeldOut({ found }) {
  const { gap } = found;
  return html`<div class="stack tight"><h3>${t("lesson.held_out")}</h3><p class="small quiet">${t("lesson.held_out_about", { day: date(found.since) })}</p>
    <div class="figures"><${ShareFigure} label=${t("lesson.before")} of=${found.precision_before} /><${ShareFigure} label=${t("lesson.after")} of=${found.precision_after} /><${ShareFigure} label=${t("lesson.lost")} of=${found.accurate_lost} /></div>
    ${gap.value != null && html`<p class="small">${t("lesson.gap", { gap: number(pct(gap.value), 1), low: number(pct(gap.ci_low), 1), high: number(pct(gap.ci_high), 1), verdict: t(gap.significant ? "outcomes.significant" : "outcomes.not_significant") })}</p>`}</div>`;
}

function Changes({ changes }) {
  const columns = [
    { key: "says", label: t("lesson.change"), show: (one) => html`<span class="wrap">${one.says}</span>` },
    { key: "before", label: t("lesson.now"), end: true, show: (one) => number(one.before, 2) },
    { key: "after", label: t("lesson.then"), end: true, show: (one) => number(one.after, 2) },
  ];
  return html`<${Table} caption=${t("lesson.changes", { n: changes.length })} columns=${columns} rows=${changes} rowKey=${(one) => one.what + one.key} />`;
}

function Situations({ situations }) {
  const columns = [
    { key: "told", label: t("lesson.situation"), sortable: true },
    { key: "kind", label: t("lesson.kind"), show: (one) => t(`lesson.kind_${one.kind}`), sortable: true },
    { key: "n", label: t("lesson.verdicts"), end: true, sortable: true },
    { key: "value", label: t("lesson.accurate"), end: true, sortable: true, show: (one) => html`${percent(one.value)}${one.ci_low != null && html`<span class="tiny quiet block">${percent(one.ci_low)} ~ ${percent(one.ci_high)}</span>`}` },
    { key: "call_at", label: t("lesson.call_at"), end: true, show: (one) => (one.call_at == null ? "–" : number(one.call_at, 1)) },
  ];
  return html`<details><summary>${t("lesson.situations", { n: situations.length })}</summary><${Table} caption=${t("lesson.situation")} columns=${columns} rows=${situations} rowKey=${(one) => one.kind + one.name} /></details>`;
}

/** For managers, who see it, and administrators, who may put it. onPut() after a version came of it. */
export function Lesson({ onPut }) {
  const [found, setFound] = useState(null);
  const [busy, setBusy] = useState("");
  const learn = async () => {
    setBusy("learn");
    try {
      setFound(await get(URL_OF));
    } catch (problem) {
      toastProblem(problem);
    }
    setBusy("");
  };
  const send = async (state, force = false) => {
    setBusy(state);
    try {
      const done = await post(URL_OF, { state, force });
      toast(t("policy.saved", { number: done.number, state: nameOf("policy_state", done.state) }));
      setFound(null);
      onPut();
    } catch (problem) {
      setBusy("");
      if (state === "live" && !force && problem.status === 400 && (await confirmed({ title: t("policy.force_title"), text: problem.message, action: t("policy.force"), danger: true }))) return send(state, true);
      toastProblem(problem);
    }
    return setBusy("");
  };
  const putIt = async (state) => {
    if (await confirmed({ title: t("policy.save_title"), text: t(`policy.save_${state}`), action: t(`policy.put_${state}`) })) send(state);
  };
  return html`<section class="stack" aria-labelledby="lesson-head"><h2 id="lesson-head">${t("lesson.title")}</h2><p class="small quiet">${t("lesson.about")}</p>
    <div class="row"><${Button} icon="refresh" busy=${busy === "learn"} onClick=${learn}>${t("lesson.learn")}<//></div>
    ${found && html`<div class="stack" role="status"><p>${found.says}</p>
      <p class="small quiet num">${t("lesson.counts", { n: number(found.verdicts), accurate: number(found.accurate), customers: number(found.customers), version: found.policy_version })}</p>
      ${found.held_out && html`<${HeldOut} found=${found.held_out} />`}
      ${found.changes.length > 0 && html`<${Changes} changes=${found.changes} />`}
      ${found.situations.length > 0 && html`<${Situations} situations=${found.situations} />`}
      ${found.learnt && found.changes.length > 0 && !found.refused && may("admin") && html`<div class="row wrap"><${Button} kind="primary" busy=${busy === "shadow"} onClick=${() => putIt("shadow")}>${t("policy.put_shadow")}<//><${Button} busy=${busy === "live"} onClick=${() => putIt("live")}>${t("policy.put_live")}<//></div>`}</div>`}</section>`;
}
