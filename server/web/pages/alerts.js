// Alerts: whom somebody should call, why, and whether the alert was right.
import { html, useState } from "../html.js";
import { post, useGet } from "../api.js";
import { dateTime, number } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { href, setQuery, useRoute } from "../router.js";
import { may } from "../session.js";
import { Badge, Button, Field, Segments, Select, Tabs } from "../parts/controls.js";
import { Conversations } from "../parts/conversations.js";
import { PageHead } from "../parts/layout.js";
import { MessagesPanel } from "../parts/messages.js";
import { Outcomes } from "../parts/outcomes.js";
import { Dialog, toast, toastProblem } from "../parts/overlays.js";
import { Panel } from "../parts/panel.js";
import { Points } from "../parts/points.js";
import { Quote } from "../parts/quote.js";
import { WhatToSay } from "../parts/say.js";
import { Empty, Failure, Skeleton } from "../parts/states.js";
import { Deadline, Tier, TIERS } from "../parts/work.js";
import { usePages, More } from "../parts/pages.js";

const verdictKind = { accurate: "positive", false_alarm: "negative" };

/** The list, or how alerts were answered and what became of them. */
function Start() {
  const { query } = useRoute();
  const [scans, setScans] = useState(0);
  const view = query.view === "outcomes" ? "outcomes" : "list";
  return html`<div class="page"><${PageHead} title=${t("pages.alerts")} about=${t("alerts.about")} actions=${view === "list" && may("manager") && html`<${Scan} onDone=${() => setScans(scans + 1)} />`} />
    <${Tabs} id="alerts" label=${t("alerts.views")} value=${view} onChange=${(next) => setQuery({ view: next === "list" ? "" : next })} options=${["list", "outcomes"].map((value) => ({ value, label: t(`alerts.view_${value}`) }))} />
    <div class="settings-panel" role="tabpanel" id="alerts-panel" aria-labelledby="alerts-${view}" tabIndex="0">
      ${view === "list" ? html`<${List} key=${scans} />` : html`<${Outcomes} span=${query.span} onSpan=${(span) => setQuery({ span })} />`}</div></div>`;
}

function Scan({ onDone }) {
  const [scanning, setScanning] = useState(false);
  const scan = async () => {
    setScanning(true);
    try {
      const done = await post("/v1/alerts/scan");
      toast(t("alerts.scanned", { customers: number(done.customers), opened: number(done.opened), tasks: number(done.tasks) }));
      onDone();
    } catch (error) {
      toastProblem(error);
    } finally {
      setScanning(false);
    }
  };
  return html`<${Button} icon="refresh" busy=${scanning} onClick=${scan}>${t("alerts.scan")}<//>`;
}

function List() {
  const { query } = useRoute();
  const status = query.status || "open";
  const found = usePages("/v1/alerts", { status, tier: query.tier, due: query.due }, "alerts");
  const tiers = [{ value: "", label: t("common.all") }, ...TIERS.map((value) => ({ value, label: nameOf("tier", value) }))];
  return html`<div class="filters"><${Segments} label=${t("alerts.tier")} options=${tiers} value=${query.tier ?? ""} onChange=${(tier) => setQuery({ tier })} />
      <${Select} aria-label=${t("alerts.status")} value=${status} onChange=${(next) => setQuery({ status: next === "open" ? "" : next })} options=${["open", "closed", "all"].map((value) => ({ value, label: t(`alerts.status_${value}`) }))} />
      <${Select} aria-label=${t("tasks.due")} value=${query.due ?? ""} onChange=${(due) => setQuery({ due })} options=${["", "overdue", "today"].map((value) => ({ value, label: value ? t(`tasks.due_${value}`) : t("tasks.due_any") }))} /></div>
    <div class="stack spaced">${found.error ? html`<${Failure} problem=${found.error} onRetry=${found.reload} />` : !found.items ? html`<${Skeleton} lines=${10} />` : html`
      <p class="small quiet num">${t("alerts.counts", { open: number(found.first.counts.open), closed: number(found.first.counts.closed), overdue: number(found.first.counts.overdue) })}</p>
      ${!found.items.length && html`<${Empty} icon="alerts" title=${t("alerts.none")} text=${t("alerts.none_about")} />`}
      <ul class="cards">${found.items.map((one) => html`<li key=${one.alert_id}><a class="card work tier-edge-${one.tier}" href=${href("alerts", [one.alert_id])}>
        <span class="row wrap"><${Tier} tier=${one.tier} /><span class="strong">${one.customer_id}</span><span class="quiet small">${one.owner}</span>
          ${one.verdict && html`<${Badge} kind=${verdictKind[one.verdict]}>${t(`alerts.verdict_${one.verdict}`)}<//>`}<span class="push row"><span class="num small">${t("alerts.score", { score: number(one.score, 1) })}</span><${Deadline} at=${one.due_at} overdue=${one.overdue} /></span></span>
        <span class="small">${one.reasons.join(t("common.semicolon"))}</span></a></li>`)}</ul><${More} from=${found} />`}</div>`;
}

function Verdict({ alert, onDone }) {
  const [kind, setKind] = useState(null);
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const save = async (event) => {
    event?.preventDefault();
    setBusy(true);
    try {
      onDone(await post(`/v1/alerts/${encodeURIComponent(alert.alert_id)}/verdict`, { verdict: kind, reason: reason.trim() }));
      toast(t("alerts.thanks"));
      setKind(null);
    } catch (error) {
      toastProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const actions = html`<${Button} onClick=${() => setKind(null)}>${t("common.cancel")}<//><${Button} kind="primary" busy=${busy} disabled=${kind === "false_alarm" && !reason.trim()} onClick=${save}>${t("common.save")}<//>`;
  return html`<span class="row"><${Button} icon="check" onClick=${() => setKind("accurate")}>${t("alerts.verdict_accurate")}<//><${Button} icon="close" onClick=${() => setKind("false_alarm")}>${t("alerts.verdict_false_alarm")}<//></span>
    ${kind && html`<${Dialog} title=${t(`alerts.verdict_${kind}`)} onClose=${() => setKind(null)} actions=${actions}><form class="stack" onSubmit=${save}>
      <p class="quiet small">${t(`alerts.about_${kind}`)}</p>
      <${Field} label=${t("alerts.reason")}>${(tied) => html`<textarea class="area" rows="3" maxlength="500" value=${reason} onInput=${(event) => setReason(event.currentTarget.value)} ...${tied} />`}<//></form><//>`}`;
}

function One({ id }) {
  const found = useGet(`/v1/alerts/${encodeURIComponent(id)}`);
  const body = (one) => html`<${PageHead} title=${html`<${Tier} tier=${one.tier} /> ${one.customer_id}`} actions=${may("analyst") && html`<${Verdict} alert=${one} onDone=${found.set} />`} />
    <p class="lead">${one.summary}</p>
    <dl class="facts spaced"><dt>${t("alerts.owner")}</dt><dd>${one.owner}</dd><dt>${t("tasks.due")}</dt><dd>${dateTime(one.due_at)} <${Deadline} at=${one.due_at} overdue=${one.overdue} /></dd>
      <dt>${t("alerts.raised")}</dt><dd>${dateTime(one.raised_at)}</dd><dt>${t("alerts.status")}</dt><dd>${t(`alerts.status_${one.status}`)}${one.closed_because ? ` · ${t(`alerts.because_${one.closed_because}`)}` : ""}</dd>
      <dt>${t("alerts.customer")}</dt><dd><a href=${href("customers", [one.customer_id])}>${one.customer_id}</a></dd>
      ${one.task && html`<dt>${t("alerts.task")}</dt><dd><a href=${href("tasks", [one.task.task_id])}>${one.task.owner} · ${nameOf("status", one.task.status)}</a></dd>`}</dl>
    <div class="board loose"><div class="stack wider"><${Panel} title=${t("alerts.parts")} about=${t("alerts.parts_about")}><${Points} parts=${one.parts} total=${one.score} /><//><${WhatToSay} points=${one.what_to_say} /></div>
      <div class="stack wider"><${Panel} title=${t("alerts.evidence")}>${one.quotes.map((quote) => html`<${Quote} key=${quote.feedback_id} id=${quote.feedback_id} text=${quote.text} sentiment=${quote.sentiment ?? ""} by=${{ channel: quote.channel, occurred_at: quote.at }} />`)}
        ${!one.quotes.length && html`<p class="quiet">${t("alerts.no_words")}</p>`}<//>
        <${Panel} title=${t("alerts.advice")}><p class="lines-kept">${one.advice}</p><//>
        <${MessagesPanel} customerId=${one.customer_id} />
        <${Panel} title=${t("customers.conversations")}><${Conversations} conversations=${one.conversations} /><//>
        ${one.verdicts.length > 0 && html`<${Panel} title=${t("alerts.verdicts")}><ul class="points">${one.verdicts.map((verdict, at) => html`<li key=${at}><${Badge} kind=${verdictKind[verdict.verdict]}>${t(`alerts.verdict_${verdict.verdict}`)}<//> ${verdict.reason} <span class="quiet tiny">${verdict.by} · ${dateTime(verdict.at)}</span></li>`)}</ul><//>`}</div></div>`;
  return html`<div class="page"><nav class="trail" aria-label=${t("drill.trail")}><ol><li><a href=${href("alerts")}>${t("pages.alerts")}</a></li></ol></nav>
    ${found.error ? html`<${Failure} problem=${found.error} onRetry=${found.reload} />` : found.data ? body(found.data) : html`<${Skeleton} height=${500} />`}</div>`;
}

export const Page = ({ args }) => (args[0] ? html`<${One} key=${args[0]} id=${args[0]} />` : html`<${Start} />`);
