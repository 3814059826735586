// Customers at risk, and one customer from all sides: health, scores, conversations, behaviour, tasks.
import { html, useMemo, useState } from "../html.js";
import { useGet } from "../api.js";
import { date, dateTime, number, percent } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { go, href } from "../router.js";
import { useTool } from "../parts/asked.js";
import { Badge, Button } from "../parts/controls.js";
import { Chart } from "../parts/chart.js";
import { Conversations } from "../parts/conversations.js";
import { Doubts } from "../parts/doubts.js";
import { Figure } from "../parts/figure.js";
import { PageHead } from "../parts/layout.js";
import { Panel } from "../parts/panel.js";
import { Points } from "../parts/points.js";
import { openFeedback } from "../parts/quote.js";
import { Empty, Failure, Skeleton } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { Deadline, Tier } from "../parts/work.js";

function List() {
  const found = useTool("churn_risk", { limit: 50 });
  const [id, setId] = useState("");
  const search = (event) => { event.preventDefault(); if (id.trim()) go("customers", [id.trim()]); };
  const columns = [
    { key: "customer_id", label: t("alerts.customer") },
    { key: "health", label: t("customers.health"), end: true, sortable: true, show: (one) => number(one.health, 1) },
    { key: "probability", label: t("customers.probability"), end: true, sortable: true, show: (one) => percent(one.probability, 0) },
    { key: "tier", label: t("alerts.tier"), sortable: true, show: (one) => html`<${Tier} tier=${one.tier} />` },
    { key: "items", label: t("customers.items"), end: true, sortable: true },
    { key: "reasons", label: t("customers.reasons"), show: (one) => html`<span class="two-lines">${one.reasons.slice(0, 2).map((reason) => reason.text).join(t("common.semicolon"))}</span>` },
  ];
  return html`<div class="page"><${PageHead} title=${t("pages.customers")} about=${t("customers.about")} />
    <form class="row wrap" role="search" onSubmit=${search}><input class="input search-one" type="search" aria-label=${t("customers.search")} placeholder=${t("customers.search")} value=${id} onInput=${(event) => setId(event.currentTarget.value)} /><${Button} type="submit" icon="search">${t("common.open")}<//></form>
    <div class="stack spaced">${found.error ? html`<${Failure} problem=${found.error} onRetry=${found.reload} />` : !found.data ? html`<${Skeleton} height=${420} />` : html`
      <p class="small quiet num">${t("customers.counts", { assessed: number(found.data.data.assessed), risk: number(found.data.data.at_risk), below: number(found.data.data.below_threshold), threshold: number(found.data.data.threshold) })}</p>
      <${Table} caption=${t("pages.customers")} columns=${columns} rows=${found.data.data.customers} rowKey=${(one) => one.customer_id} onRow=${(one) => go("customers", [one.customer_id])} empty=${html`<${Empty} icon="person" title=${t("customers.none")} />`} /><${Doubts} caveats=${found.data.caveats} />`}</div></div>`;
}

/** All scores on one scale of 0 to 1 of their own: a point opens the feedback that gave it. */
function ScoreCourse({ scores }) {
  const option = useMemo(() => {
    const metrics = [...new Set(scores.map((one) => one.metric))];
    return {
      xAxis: { type: "time" }, yAxis: { type: "value", scale: true }, tooltip: { trigger: "item", formatter: (one) => `${one.seriesName} ${number(one.value[1])}\n${dateTime(one.value[0])}` },
      series: metrics.map((metric) => ({ type: "line", name: nameOf("dimension", metric), showSymbol: true, symbolSize: 9, data: scores.filter((one) => one.metric === metric && one.at).map((one) => ({ value: [one.at, one.value], id: one.feedback_id })) })),
    };
  }, [scores]);
  return html`<${Chart} option=${option} height=${240} describe=${t("customers.scores")} onPick=${(event) => event.data?.id && openFeedback(event.data.id)}
    table=${{ columns: [{ key: "at", label: t("drill.time"), show: (one) => dateTime(one.at) }, { key: "metric", label: t("drill.metric"), show: (one) => nameOf("dimension", one.metric) }, { key: "value", label: t("chart.value"), end: true }], rows: scores }} />`;
}

function One({ id }) {
  const found = useGet(`/v1/customers/${encodeURIComponent(id)}`, { limit: 10 });
  const body = ({ data, n, caveats }) => {
    const { customer, risk } = data;
    const profile = [["tier", "dimension.tier"], ["region", "dimension.region"], ["city", "dimension.city"], ["org_unit", "dimension.org_unit"]].filter(([name]) => customer[name]);
    return html`<${PageHead} title=${customer.customer_id} actions=${html`<a class="button" href=${href("feedback", [], { "d.customer_id": id, period: "all" })}>${t("drill.all_feedback")}</a>`} />
      <dl class="facts spaced">${profile.map(([name]) => html`<dt key=${name}>${nameOf("dimension", name)}</dt><dd>${customer[name]}</dd>`)}
        ${customer.owner && html`<dt>${t("tasks.owner")}</dt><dd>${customer.owner}</dd>`}${customer.since && html`<dt>${t("customers.since")}</dt><dd>${date(customer.since)}</dd>`}${customer.renewal_on && html`<dt>${t("customers.renewal")}</dt><dd>${date(customer.renewal_on)}</dd>`}${customer.lifetime_value != null && html`<dt>${t("customers.value")}</dt><dd class="num">${number(customer.lifetime_value)}</dd>`}</dl>
      <div class="board loose"><div class="card headlines wide">
        <div class="slot"><${Figure} label=${t("customers.health")} value=${risk?.health ?? null} unit="/ 100" /></div><div class="slot"><${Figure} label=${t("customers.probability")} value=${risk ? risk.probability * 100 : null} unit="%" digits=${0} note=${risk && t(`customers.by_${risk.probability_by}`)} /></div>
        <div class="slot"><${Figure} label=${t("customers.items")} value=${n} digits=${0} /></div><div class="slot"><span class="quiet small">${t("alerts.tier")}</span><div>${risk?.tier ? html`<${Tier} tier=${risk.tier} />` : t("common.none")}</div></div></div>
      <${Panel} title=${t("customers.why")} about=${t("customers.why_about")}>${risk ? html`<${Points} base=${risk.base} parts=${risk.reasons} total=${risk.health} />` : html`<p class="quiet">${t("customers.no_risk")}</p>`}<//>
      <${Panel} title=${t("customers.scores")}>${data.scores.length ? html`<${ScoreCourse} scores=${data.scores} />` : html`<p class="quiet">${t("common.nothing")}</p>`}<//>
      <${Panel} title=${t("customers.conversations")}><${Conversations} conversations=${data.conversations} /><//>
      <${Panel} title=${t("customers.said")}><div class="row wrap">${Object.entries(data.sentiments).map(([name, count]) => html`<${Badge} key=${name} kind=${name === "neutral" ? "" : name} dot>${nameOf("sentiment", name)} ${number(count)}<//>`)}</div>
        <ul class="lines">${data.themes.map((one) => html`<li key=${one.theme_id}><a class="line slim" href=${href("themes", [one.theme_id], { period: "all" })}><span class="line-main clip">${one.label}</span><span class="num quiet">${number(one.n)}</span></a></li>`)}</ul><//>
      <${Panel} title=${t("pages.tasks")}>${data.tasks.length ? html`<ul class="lines">${data.tasks.map((one) => html`<li key=${one.task_id}><a class="line" href=${href("tasks", [one.task_id])}><${Tier} tier=${one.tier} /><span class="line-main"><span class="clip">${one.summary}</span><span class="tiny quiet">${one.owner} · ${nameOf("status", one.status)}</span></span><${Deadline} at=${one.due_at} /></a></li>`)}</ul>` : html`<p class="quiet">${t("tasks.none")}</p>`}<//>
      <${Panel} title=${t("customers.timeline")}><ol class="points">${[...data.events.map((one) => ({ at: one.at, text: [nameOf("event", one.kind), one.detail].filter(Boolean).join(" · ") })), ...data.outcomes.map((one) => ({ at: one.at, text: t(`customers.outcome_${one.outcome}`) }))].sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, 15).map((one, at) => html`<li key=${at}><span class="quiet small num">${dateTime(one.at)}</span> ${one.text}</li>`)}</ol><//>
      </div><${Doubts} caveats=${caveats} />`;
  };
  return html`<div class="page"><nav class="trail" aria-label=${t("drill.trail")}><ol><li><a href=${href("customers")}>${t("pages.customers")}</a></li></ol></nav>
    ${found.error ? html`<${Failure} problem=${found.error} onRetry=${found.reload} />` : found.data ? body(found.data) : html`<${Skeleton} height=${600} />`}</div>`;
}

export const Page = ({ args }) => (args[0] ? html`<${One} key=${args[0]} id=${args[0]} />` : html`<${List} />`);
