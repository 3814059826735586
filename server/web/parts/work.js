// What is being done: alerts by tier, tasks by deadline, plans with what came of them.
import { html } from "../html.js";
import { get, useGet } from "../api.js";
import { ago, dateTime, number, signed } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { href } from "../router.js";
import { useAsked } from "./asked.js";
import { Badge } from "./controls.js";
import { Panel } from "./panel.js";
import { Loaded, Skeleton } from "./states.js";

export const TIERS = ["red", "orange", "callback", "yellow"];
const KIND = { red: "red", orange: "orange", callback: "accent", yellow: "yellow" };
const SHOWN = 4;

export const Tier = ({ tier }) => (tier ? html`<${Badge} kind=${KIND[tier]} dot>${nameOf("tier", tier)}<//>` : null);
/** When something is due; what is late is said in words too. */
export const Deadline = ({ at, overdue }) => html`<span class="nowrap small ${overdue ? "late" : "quiet"}" title=${dateTime(at)}>${overdue ? `${t("tasks.overdue")} · ` : ""}${ago(at)}</span>`;
const more = (page, query) => html`<a href=${href(page, [], query)}>${t("common.all")}</a>`;

export function AlertPanel() {
  const found = useAsked("alerts by tier", async () => {
    const pages = await Promise.all(TIERS.map((tier) => get("/v1/alerts", { tier, limit: SHOWN })));
    return TIERS.map((tier, at) => ({ tier, ...pages[at] }));
  });
  return html`<${Panel} title=${t("dashboard.alerts")} tools=${more("alerts")} height=${330}>
    <${Loaded} from=${found} skeleton=${html`<${Skeleton} lines=${8} />`}>${(tiers) => html`
      <div class="tiers">${tiers.map((one) => html`<a key=${one.tier} class="tier tier-${one.tier}" href=${href("alerts", [], { tier: one.tier })}>
        <span class="num strong">${number(one.counts.open)}</span><span class="tiny">${nameOf("tier", one.tier)}</span></a>`)}</div>
      <ul class="lines">${tiers.flatMap((one) => one.alerts).slice(0, SHOWN).map((one) => html`<li key=${one.alert_id}><a class="line" href=${href("alerts", [one.alert_id])}>
        <${Tier} tier=${one.tier} /><span class="line-main"><span class="clip strong">${one.customer_id}</span><span class="tiny quiet clip">${one.reasons.join(t("common.comma"))}</span></span>
        <${Deadline} at=${one.due_at} overdue=${one.overdue} /></a></li>`)}</ul>
      ${!tiers.some((one) => one.alerts.length) && html`<p class="quiet">${t("alerts.none")}</p>`}`}<//><//>`;
}

export function TaskPanel() {
  const found = useGet("/v1/tasks", { status: "undone", limit: SHOWN + 2 });
  return html`<${Panel} title=${t("dashboard.tasks")} tools=${more("tasks")} height=${330}>
    <${Loaded} from=${found} skeleton=${html`<${Skeleton} lines=${8} />`}>${({ tasks, counts }) => html`
      <div class="row wrap"><${Badge} kind=${counts.overdue ? "red" : ""}>${t("tasks.overdue")} ${number(counts.overdue)}<//>
        <${Badge} kind=${counts.pending_approval ? "warn" : ""}>${nameOf("status", "pending_approval")} ${number(counts.pending_approval)}<//><${Badge}>${nameOf("status", "open")} ${number(counts.open)}<//></div>
      <ul class="lines">${tasks.map((one) => html`<li key=${one.task_id}><a class="line" href=${href("tasks", [one.task_id])}>
        <${Tier} tier=${one.tier} /><span class="line-main"><span class="clip">${one.summary}</span><span class="tiny quiet clip">${one.owner} · ${nameOf("status", one.status)}</span></span>
        <${Deadline} at=${one.due_at} overdue=${one.overdue} /></a></li>`)}</ul>
      ${!tasks.length && html`<p class="quiet">${t("tasks.none")}</p>`}`}<//><//>`;
}

export function PlanPanel() {
  const found = useAsked("plans with effects", async () => {
    const { plans } = await get("/v1/plans", { limit: SHOWN });
    return Promise.all(plans.map((one) => get(`/v1/plans/${encodeURIComponent(one.plan_id)}`)));
  });
  return html`<${Panel} title=${t("dashboard.plans")} tools=${more("plans")} height=${260}>
    <${Loaded} from=${found} skeleton=${html`<${Skeleton} lines=${8} />`}>${(plans) => html`
      <ul class="lines">${plans.map((one) => html`<li key=${one.plan_id}><a class="line" href=${href("plans", [one.plan_id])}>
        <span class="line-main"><span class="clip strong">${one.problem}</span><span class="tiny quiet clip">${one.window.starts_on} – ${one.window.ends_on} · ${t("plans.measures_n", { n: one.measures.length })}</span></span>
        <${PlanState} plan=${one} /></a></li>`)}</ul>
      ${!plans.length && html`<p class="quiet">${t("plans.none")}</p>`}`}<//><//>`;
}

/** A change in the unit of its metric: points, percentage points, or its own. */
export function effectText(effect) {
  if (effect.effect == null) return t("plans.no_effect");
  const share = effect.kind === "proportion";
  const unit = (value, sign = signed) => (share ? `${sign(value * 100, 1)} pp` : sign(value, 1));
  return `${unit(effect.effect)}${effect.ci_low == null ? "" : ` [${unit(effect.ci_low)}, ${unit(effect.ci_high)}]`}`;
}

export function PlanState({ plan }) {
  const outcome = plan.review?.outcome;
  const main = plan.effects?.find((one) => one.main);
  if (outcome || main) {
    const kind = { achieved: "positive", partly: "warn", missed: "negative", worse: "negative" }[outcome ?? main.verdict] ?? "";
    return html`<span class="row"><${Badge} kind=${kind}>${t(`plans.verdict_${outcome ?? main.verdict}`)}<//>${main && html`<span class="small num nowrap">${effectText(main)}</span>`}</span>`;
  }
  return html`<${Badge} kind=${plan.status === "pending_approval" ? "warn" : ""}>${nameOf("status", plan.status)}<//>`;
}
