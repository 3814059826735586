// What became of alerts, by tier: how soon they were answered and done, and who stayed.
import { html } from "../html.js";
import { useGet } from "../api.js";
import { number, percent } from "../format.js";
import { t } from "../i18n.js";
import { Segments } from "./controls.js";
import { Figure } from "./figure.js";
import { Panel } from "./panel.js";
import { Empty, Loaded, Skeleton } from "./states.js";
import { Table } from "./table.js";
import { TIERS, Tier } from "./work.js";

const PERIODS = { 30: "last 30 days", 90: "last 90 days", all: "" };
const SHARE = 100;
const interval = (one, scale, digits) => one.ci_low != null && html`<span class="tiny quiet block">${number(one.ci_low * scale, digits)} ~ ${number(one.ci_high * scale, digits)}</span>`;

const Share = ({ of: one }) => (one.value == null ? html`<span class="quiet">–</span>` : html`<span class="num">${percent(one.value)}</span>${interval(one, SHARE, 1)}<span class="tiny quiet block">${t("common.of_n", { n: number(one.n) })}</span>`);
const Hours = ({ of: one }) => (one.value == null ? html`<span class="quiet">–</span>` : html`<span class="num">${t("outcomes.hours", { n: number(one.value, 1) })}</span>${interval(one, 1, 1)}`);

function Held({ holdout }) {
  const { treated, held_out: held, effect } = holdout;
  const pp = (value) => (value == null ? null : value * SHARE);
  return html`<${Panel} title=${t("outcomes.holdout")} about=${t("outcomes.holdout_about")}><div class="figures">
    ${[["treated", treated], ["held_out", held]].map(([name, one]) => html`<${Figure} key=${name} label=${t(`outcomes.${name}`)} value=${pp(one.value)} unit=${one.value == null ? "" : "%"} n=${one.n} low=${pp(one.ci_low)} high=${pp(one.ci_high)} />`)}
    <${Figure} label=${t("outcomes.effect")} value=${pp(effect.value)} unit=${effect.value == null ? "" : "pp"} low=${pp(effect.ci_low)} high=${pp(effect.ci_high)} note=${effect.value == null ? "" : effect.significant ? t("outcomes.significant") : t("outcomes.not_significant")} /></div>
    <p class="tiny quiet">${t(`plans.grade_${holdout.evidence_grade}`)}</p><//>`;
}

/** span: "30", "90" or "all"; onSpan(next) when another is chosen. */
export function Outcomes({ span = "90", onSpan }) {
  const chosen = span in PERIODS ? span : "90";
  const found = useGet("/v1/outcomes", { period: PERIODS[chosen] });
  const columns = [
    { key: "tier", label: t("alerts.tier"), show: (one) => html`<${Tier} tier=${one.tier} />` },
    { key: "alerts", label: t("outcomes.alerts"), end: true, sortable: true, show: (one) => html`<span class="num">${number(one.alerts)}</span><span class="tiny quiet block">${t("outcomes.answered_n", { n: number(one.answered) })}</span>` },
    { key: "first", label: t("outcomes.first"), end: true, show: (one) => html`<${Hours} of=${one.first_response_hours.median} />` },
    { key: "p90", label: t("outcomes.p90"), end: true, show: (one) => html`<${Hours} of=${one.first_response_hours.p90} />` },
    { key: "on_time", label: t("outcomes.on_time"), end: true, show: (one) => html`<${Share} of=${one.on_time} />` },
    { key: "resolved", label: t("outcomes.resolved"), end: true, show: (one) => html`<${Hours} of=${one.resolution_hours.median} /><span class="tiny quiet block">${t("outcomes.done_n", { n: number(one.done) })}</span>` },
    { key: "saved", label: t("outcomes.saved"), end: true, show: (one) => html`<${Share} of=${one.saved} />` },
  ];
  const spans = [["30", "last_30"], ["90", "last_90"], ["all", "all"]].map(([value, name]) => ({ value, label: t(`filters.${name}`) }));
  return html`<div class="stack loose"><div class="filters"><${Segments} label=${t("filters.period")} options=${spans} value=${chosen} onChange=${onSpan} /></div>
    <${Loaded} from=${found} skeleton=${html`<${Skeleton} height=${300} />`}>${(data) => (data.alerts ? html`
      <div class="figures"><${Figure} label=${t("outcomes.alerts")} value=${data.alerts} digits=${0} /><${Figure} label=${t("outcomes.retention")} value=${data.retention_rate.value == null ? null : data.retention_rate.value * SHARE} unit=${data.retention_rate.value == null ? "" : "%"} n=${data.retention_rate.n} note=${t("outcomes.retention_about")} /></div>
      <${Table} caption=${t("outcomes.title")} columns=${columns} rows=${[...data.tiers].sort((a, b) => TIERS.indexOf(a.tier) - TIERS.indexOf(b.tier))} rowKey=${(one) => one.tier} />
      <p class="small quiet">${t("outcomes.about", { days: number(data.saved_days) })}</p>
      ${data.holdout && html`<${Held} holdout=${data.holdout} />`}` : html`<${Empty} icon="alerts" title=${t("outcomes.none")} text=${t("outcomes.none_about")} />`)}<//></div>`;
}
