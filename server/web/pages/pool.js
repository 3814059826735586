// The high-risk pool: who is in it, why, since when, and who of the care team cares for them.
import { html, useState } from "../html.js";
import { put, remove, useGet } from "../api.js";
import { date, number } from "../format.js";
import { t } from "../i18n.js";
import { href, setQuery, useRoute } from "../router.js";
import { may } from "../session.js";
import { Badge, Button, Field, Segments, Select } from "../parts/controls.js";
import { PageHead } from "../parts/layout.js";
import { Dialog, confirmed, toast, toastProblem } from "../parts/overlays.js";
import { More, usePages } from "../parts/pages.js";
import { openFeedback } from "../parts/quote.js";
import { Empty, Failure, Skeleton } from "../parts/states.js";

const path = (id) => `/v1/pool/${encodeURIComponent(id)}`;
const KIND = { alert: "negative", low_score: "warn", manual: "accent" };

/** Why a customer is in: what it rests on opens. */
function Reason({ reason }) {
  const text = reason.kind === "alert" && reason.subject ? html`<a href=${href("alerts", [reason.subject])}>${reason.text}</a>`
    : reason.kind === "low_score" && reason.subject ? html`<button type="button" class="link" onClick=${() => openFeedback(reason.subject)}>${reason.text}</button>` : reason.text;
  return html`<li class="row top"><${Badge} kind=${KIND[reason.kind]}>${t(`pool.kind_${reason.kind}`)}<//><span class="grow small">${text}</span></li>`;
}

function PutIn({ customer = "", onClose, onDone }) {
  const [wanted, setWanted] = useState({ customer, why: "" });
  const [busy, setBusy] = useState(false);
  const set = (name) => (event) => setWanted({ ...wanted, [name]: event.currentTarget.value });
  const ready = wanted.customer.trim() && wanted.why.trim();
  const save = async (event) => {
    event?.preventDefault();
    if (!ready) return;
    setBusy(true);
    try {
      await put(path(wanted.customer.trim()), { why: wanted.why.trim() });
      toast(t("pool.was_put", { customer: wanted.customer.trim() }));
      onDone();
    } catch (error) {
      toastProblem(error);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${t("pool.put")} onClose=${onClose} actions=${html`<${Button} onClick=${onClose}>${t("common.cancel")}<//><${Button} kind="primary" busy=${busy} disabled=${!ready} onClick=${save}>${t("common.save")}<//>`}>
    <form class="stack" onSubmit=${save}><${Field} label=${t("customers.search")}>${(tied) => html`<input class="input" maxlength="200" required value=${wanted.customer} onInput=${set("customer")} ...${tied} />`}<//>
      <${Field} label=${t("pool.why")} help=${t("pool.why_help")}>${(tied) => html`<textarea class="area" rows="3" maxlength="500" required value=${wanted.why} onInput=${set("why")} ...${tied} />`}<//></form><//>`;
}

function Assign({ stay, onClose, onDone }) {
  const policy = useGet("/v1/settings/policy");
  const team = policy.data?.policy.pool?.team.members ?? [];
  const [carer, setCarer] = useState(stay.carer);
  const [busy, setBusy] = useState(false);
  const save = async (event) => {
    event?.preventDefault();
    setBusy(true);
    try {
      await put(path(stay.customer_id), { carer });
      toast(t("pool.given", { carer }));
      onDone();
    } catch (error) {
      toastProblem(error);
      setBusy(false);
    }
  };
  const options = ["", ...new Set([...team, ...(stay.carer ? [stay.carer] : [])])].map((value) => ({ value, label: value || t("pool.nobody") }));
  const body = policy.data && !team.length ? html`<p class="small quiet">${t("pool.no_team")}</p>`
    : html`<form onSubmit=${save}><${Field} label=${t("pool.carer")}>${(tied) => html`<${Select} options=${options} value=${carer} onChange=${setCarer} ...${tied} />`}<//></form>`;
  return html`<${Dialog} title=${t("pool.assign_of", { customer: stay.customer_id })} onClose=${onClose}
    actions=${html`<${Button} onClick=${onClose}>${t("common.cancel")}<//><${Button} kind="primary" busy=${busy} disabled=${!carer || carer === stay.carer} onClick=${save}>${t("common.save")}<//>`}>
    ${policy.error ? html`<${Failure} problem=${policy.error} onRetry=${policy.reload} />` : policy.data ? body : html`<${Skeleton} lines=${2} />`}<//>`;
}

function Stay({ stay, onPut, onAssign, onDone }) {
  const takeOut = async () => {
    if (!(await confirmed({ title: t("pool.take_title", { customer: stay.customer_id }), text: t("pool.take_text"), action: t("pool.take"), danger: true }))) return;
    try {
      await remove(path(stay.customer_id));
      toast(t("pool.taken", { customer: stay.customer_id }));
      onDone();
    } catch (error) {
      toastProblem(error);
    }
  };
  return html`<li class="card work ${stay.left_at ? "" : stay.carer ? "tier-edge-callback" : "tier-edge-red"}">
    <div class="row wrap"><a class="strong" href=${href("customers", [stay.customer_id])}>${stay.customer_id}</a>
      ${stay.left_at ? html`<${Badge}>${t(`pool.left_${stay.left_because}`)}<//>` : stay.carer ? html`<span class="small">${t("pool.cared", { carer: stay.carer })}</span>` : html`<${Badge} kind="warn">${t("pool.nobody")}<//>`}
      <span class="push small quiet num">${t("pool.since", { day: date(stay.entered_at), n: number(stay.days) })}${stay.left_at ? ` · ${t("pool.until", { day: date(stay.left_at) })}` : ""}</span></div>
    <ul class="stack tight">${stay.reasons.map((reason) => html`<${Reason} key=${reason.kind + reason.subject + reason.at} reason=${reason} />`)}</ul>
    ${!stay.left_at && may("analyst") && html`<div class="row wrap">${may("manager") && html`<${Button} slim onClick=${() => onAssign(stay)}>${t("pool.assign")}<//>`}
      <${Button} slim onClick=${() => onPut(stay.customer_id)}>${t("pool.add_reason")}<//>${may("manager") && html`<${Button} slim kind="ghost" onClick=${takeOut}>${t("pool.take")}<//>`}</div>`}</li>`;
}

export function Page() {
  const { query } = useRoute();
  const past = query.past === "1";
  const found = usePages("/v1/pool", { past: past || undefined, carer: query.carer }, "pool");
  const [putting, setPutting] = useState(null);
  const [assigned, setAssigned] = useState(null);
  const done = () => { setPutting(null); setAssigned(null); found.reload(); };
  const carers = [...new Set((found.items ?? []).map((one) => one.carer).filter(Boolean))].sort();
  const choices = [...new Set(["", ...carers, ...(query.carer ? [query.carer] : [])])].map((value) => ({ value, label: value || t("pool.any_carer") }));
  return html`<div class="page"><${PageHead} title=${t("pages.pool")} about=${t("pool.about")} actions=${may("analyst") && html`<${Button} icon="plus" onClick=${() => setPutting("")}>${t("pool.put")}<//>`} />
    <div class="filters"><${Segments} label=${t("pool.which")} value=${past ? "1" : ""} onChange=${(value) => setQuery({ past: value })} options=${[{ value: "", label: t("pool.now") }, { value: "1", label: t("pool.past") }]} />
      <${Select} aria-label=${t("pool.carer")} value=${query.carer ?? ""} options=${choices} onChange=${(carer) => setQuery({ carer })} /></div>
    <div class="stack spaced">${found.error ? html`<${Failure} problem=${found.error} onRetry=${found.reload} />` : !found.items ? html`<${Skeleton} lines=${10} />` : html`
      <p class="small quiet num">${t("pool.counts", { n: number(found.first.customers), without: number(found.first.without_carer) })}</p>
      ${!found.items.length && html`<${Empty} icon="pool" title=${t("pool.none")} text=${t("pool.none_about")} />`}
      <ul class="cards">${found.items.map((one) => html`<${Stay} key=${one.customer_id + one.entered_at} stay=${one} onPut=${setPutting} onAssign=${setAssigned} onDone=${done} />`)}</ul><${More} from=${found} />`}</div>
    ${putting !== null && html`<${PutIn} customer=${putting} onClose=${() => setPutting(null)} onDone=${done} />`}
    ${assigned && html`<${Assign} stay=${assigned} onClose=${() => setAssigned(null)} onDone=${done} />`}</div>`;
}
