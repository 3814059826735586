// Action plans: what to do about a cause, who owns it, how it will be judged, and what came of it.
import { html, useState } from "../html.js";
import { call, download, patch, useGet } from "../api.js";
import { date, number, percent } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { href, setQuery, useRoute } from "../router.js";
import { may } from "../session.js";
import { Badge, Button, Menu, Select } from "../parts/controls.js";
import { PageHead } from "../parts/layout.js";
import { toast, toastProblem } from "../parts/overlays.js";
import { More, usePages } from "../parts/pages.js";
import { Panel } from "../parts/panel.js";
import { openFeedback } from "../parts/quote.js";
import { Empty, Failure, Skeleton } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { effectText, PlanState } from "../parts/work.js";

const STATUSES = ["", "pending_approval", "open", "done", "rejected", "cancelled"];
const KIND = { achieved: "positive", partly: "warn", missed: "negative", worse: "negative", inconclusive: "" };
const path = (id) => `/v1/plans/${encodeURIComponent(id)}`;

function List() {
  const { query } = useRoute();
  const found = usePages("/v1/plans", { status: query.status }, "plans");
  return html`<div class="page"><${PageHead} title=${t("pages.plans")} about=${t("plans.about")} actions=${html`<a class="button" href=${href("chat")}>${t("plans.ask")}</a>`} />
    <div class="filters"><${Select} aria-label=${t("tasks.status")} value=${query.status ?? ""} onChange=${(status) => setQuery({ status })} options=${STATUSES.map((value) => ({ value, label: value ? nameOf("status", value) : t("common.all") }))} /></div>
    <div class="stack spaced">${found.error ? html`<${Failure} problem=${found.error} onRetry=${found.reload} />` : !found.items ? html`<${Skeleton} lines=${8} />` : html`
      ${!found.items.length && html`<${Empty} icon="plans" title=${t("plans.none")} text=${t("plans.none_about")}><a class="button" href=${href("chat")}>${t("plans.ask")}</a><//>`}
      <ul class="cards">${found.items.map((one) => html`<li key=${one.plan_id}><a class="card work" href=${href("plans", [one.plan_id])}>
        <span class="row wrap"><span class="strong grow">${one.problem}</span><${PlanState} plan=${one} /></span>
        <span class="small">${one.cause}</span><span class="tiny quiet">${date(one.window.starts_on)} – ${date(one.window.ends_on)} · ${t("plans.measures_n", { n: one.measures.length })} · ${t(`plans.grade_${one.evidence_grade}`)}</span></a></li>`)}</ul><${More} from=${found} />`}</div></div>`;
}

function Actions({ plan, reload }) {
  const [busy, setBusy] = useState(false);
  const doing = (work, said) => async () => {
    setBusy(true);
    try {
      const done = await work();
      toast(typeof said === "function" ? said(done) : said);
      await reload();
    } catch (error) {
      toastProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const decide = (status, said) => doing(() => patch(path(plan.plan_id), { status }), said);
  const files = ["md", "csv", "json"].map((format) => ({ label: t(`plans.export_${format}`), icon: "file", onSelect: () => download(`${path(plan.plan_id)}/export`, `${plan.plan_id}.${format}`, { query: { format } }).catch(toastProblem) }));
  return html`${plan.status === "pending_approval" && may("manager") && html`<${Button} kind="primary" icon="check" busy=${busy} onClick=${decide("open", t("tasks.approved"))}>${t("tasks.approve")}<//><${Button} busy=${busy} onClick=${decide("rejected", t("tasks.rejected"))}>${t("tasks.reject")}<//>`}
    ${plan.status === "open" && may("analyst") && html`<${Button} busy=${busy} onClick=${doing(() => call("POST", `${path(plan.plan_id)}/verify`), (done) => t(`plans.state_${done.state}`, { day: date(done.due_on) }))}>${t("plans.verify")}<//>`}
    <${Menu} label=${t("plans.export")} icon="download" items=${files}>${t("plans.export")}<//>`;
}

function One({ id }) {
  const found = useGet(path(id));
  const columns = [
    { key: "action", label: t("plans.measure"), show: (one) => html`<span class="strong">${one.action}</span>${one.first_step && html`<br /><span class="tiny quiet">${t("plans.first_step")}${t("common.colon")}${one.first_step}</span>`}` },
    { key: "owner_department", label: t("plans.owner"), sortable: true },
    { key: "target", label: t("plans.target"), show: (one) => one.target || "–" },
    { key: "window_days", label: t("plans.days"), end: true, sortable: true },
    { key: "cost", label: t("plans.cost"), show: (one) => t(`plans.cost_${one.cost}`) },
    { key: "priority_score", label: t("plans.priority"), end: true, sortable: true, show: (one) => number(one.priority_score, 1) },
  ];
  const level = (effect, value) => (effect.kind === "proportion" ? percent(value) : number(value, 1));
  const effects = [
    { key: "title", label: t("plans.figure"), show: (one) => html`${one.title || one.metric}${one.main ? html` <${Badge} kind="accent">${t("plans.main")}<//>` : null}` },
    { key: "verdict", label: t("plans.verdict"), show: (one) => html`<${Badge} kind=${KIND[one.verdict]}>${t(`plans.verdict_${one.verdict}`)}<//>` },
    { key: "effect", label: t("plans.effect"), end: true, show: effectText },
    { key: "levels", label: t("plans.levels"), end: true, show: (one) => `${level(one, one.level_before)} → ${level(one, one.level_after)}` },
    { key: "n", label: "n", end: true, show: (one) => `${number(one.n_before)} / ${number(one.n_after)}` },
    { key: "grade", label: t("plans.grade"), show: (one) => t(`plans.grade_${one.evidence_grade}`) },
  ];
  const body = (one) => html`<${PageHead} title=${one.problem} actions=${html`<${Actions} plan=${one} reload=${found.reload} />`} />
    <p class="row wrap"><${PlanState} plan=${one} /><span class="quiet small">${date(one.window.starts_on)} – ${date(one.window.ends_on)} · ${t(`plans.grade_${one.evidence_grade}`)}</span></p>
    <dl class="facts spaced"><dt>${t("plans.cause")}</dt><dd>${one.cause}</dd>${one.hypothesis && html`<dt>${t("plans.hypothesis")}</dt><dd>${one.hypothesis}</dd>`}${one.control && html`<dt>${t("plans.control")}</dt><dd>${one.control}</dd>`}
      ${one.review?.follow_up && html`<dt>${t("plans.follow_up")}</dt><dd><a href=${href("plans", [one.review.follow_up])}>${one.review.follow_up}</a></dd>`}</dl>
    <div class="board loose"><${Panel} wide title=${t("plans.measures")}><${Table} caption=${t("plans.measures")} columns=${columns} rows=${one.measures} /><//>
      <${Panel} wide title=${t("plans.effects")}>${one.effects.length ? html`<${Table} caption=${t("plans.effects")} columns=${effects} rows=${one.effects} />` : html`<p class="quiet">${t("plans.not_verified", { day: date(one.window.ends_on) })}</p>`}<//>
      ${one.risks.length > 0 && html`<${Panel} title=${t("plans.risks")}><ul class="points">${one.risks.map((risk) => html`<li key=${risk}>${risk}</li>`)}</ul><//>`}
      ${one.evidence.length > 0 && html`<${Panel} title=${t("alerts.evidence")}><div class="row wrap">${one.evidence.slice(0, 20).map((item) => html`<button type="button" class="link mono small" key=${item} onClick=${() => openFeedback(item)}>${item.slice(0, 12)}</button>`)}</div><//>`}</div>`;
  return html`<div class="page"><nav class="trail" aria-label=${t("drill.trail")}><ol><li><a href=${href("plans")}>${t("pages.plans")}</a></li></ol></nav>
    ${found.error ? html`<${Failure} problem=${found.error} onRetry=${found.reload} />` : found.data ? body(found.data) : html`<${Skeleton} height=${500} />`}</div>`;
}

export const Page = ({ args }) => (args[0] ? html`<${One} key=${args[0]} id=${args[0]} />` : html`<${List} />`);
