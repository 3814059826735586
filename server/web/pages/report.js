// The insight report: choose the period, read it, take it along.
import { html, useState } from "../html.js";
import { download } from "../api.js";
import { isoDay } from "../format.js";
import { t, useLanguage } from "../i18n.js";
import { setQuery, useRoute } from "../router.js";
import { Button, Field, Segments } from "../parts/controls.js";
import { PageHead } from "../parts/layout.js";
import { toastProblem } from "../parts/overlays.js";
import { Skeleton } from "../parts/states.js";

const KINDS = ["weekly", "monthly", "daily", "ad_hoc"];
const FORMATS = ["html", "pdf", "md", "json"];
const DAY = 86_400_000;

export function Page() {
  const { query } = useRoute();
  const language = useLanguage();
  const kind = KINDS.includes(query.kind) ? query.kind : "weekly";
  const own = kind === "ad_hoc" ? { from: query.from || isoDay(new Date(Date.now() - 29 * DAY)), to: query.to || isoDay(new Date(Date.now() + DAY)) } : {};
  const asked = { kind, ...own, language };
  const address = `/v1/insights?${new URLSearchParams({ ...asked, format: "html" })}`;
  const [shown, setShown] = useState(null);
  const [busy, setBusy] = useState(null);
  const take = async (format) => {
    setBusy(format);
    try {
      await download("/v1/insights", `voiceloop-${kind}-${own.from ?? isoDay()}.${format}`, { query: { ...asked, format } });
    } catch (error) {
      toastProblem(error);
    } finally {
      setBusy(null);
    }
  };
  return html`<div class="page"><${PageHead} title=${t("pages.report")} about=${t("report.about")} actions=${FORMATS.map((format) => html`<${Button} key=${format} icon="download" busy=${busy === format} onClick=${() => take(format)}>${t(`report.as_${format}`)}<//>`)} />
    <div class="filters"><${Segments} label=${t("report.kind")} value=${kind} onChange=${(next) => setQuery({ kind: next })} options=${KINDS.map((value) => ({ value, label: t(`report.kind_${value}`) }))} />
      ${kind === "ad_hoc" && html`<${Field} label=${t("filters.from")} hideLabel>${(tied) => html`<input class="input" type="date" value=${own.from} onChange=${(event) => setQuery({ from: event.currentTarget.value })} ...${tied} />`}<//>
        <${Field} label=${t("filters.before")} hideLabel>${(tied) => html`<input class="input" type="date" value=${own.to} onChange=${(event) => setQuery({ to: event.currentTarget.value })} ...${tied} />`}<//>`}</div>
    <div class="card report-box" aria-busy=${shown === address ? undefined : "true"}>${shown !== address && html`<div class="report-wait"><${Skeleton} lines=${10} /></div>`}
      <iframe class="report" title=${t("pages.report")} src=${address} sandbox="" onLoad=${() => setShown(address)} /></div></div>`;
}
