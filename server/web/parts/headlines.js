// The figures at the top: each with its interval, its n, and what changed against the period before.
import { html } from "../html.js";
import { number } from "../format.js";
import { t } from "../i18n.js";
import { useRoute } from "../router.js";
import { useTool } from "./asked.js";
import { Few } from "./doubts.js";
import { narrower } from "./drill.js";
import { Figure } from "./figure.js";

const SHARE = 100;

/** Only a change whose interval leaves out zero is called one. */
function changed(found, scale) {
  const data = found.data?.data;
  if (!data || data.change == null) return {};
  if (!data.significant) return { note: t("dashboard.no_change") };
  return { change: data.change * scale, note: t("dashboard.change_interval", { low: number(data.ci_low * scale, 1), high: number(data.ci_high * scale, 1) }) };
}

/** nps: the result of nps_stats that the page has asked for anyway. */
export function Headlines({ selection, nps }) {
  const { query } = useRoute();
  const compared = selection.period ? selection : null;
  const moved = useTool("compare_periods", compared && { ...compared, metric: "nps" });
  const negative = useTool("metric_stats", { ...selection, metric: "negative_share" });
  const worse = useTool("compare_periods", compared && { ...compared, metric: "negative_share" });
  const volume = useTool("metric_stats", { ...selection, metric: "volume" });
  const csat = useTool("metric_stats", { ...selection, metric: "csat" });
  const open = (values) => () => { location.hash = narrower(query, values); };
  const score = nps.data?.data;
  const share = negative.data?.data;
  const satisfied = csat.data?.data;
  return html`<div class="card headlines wide">
    <${Slot} from=${nps}><${Figure} label="NPS" value=${score?.nps} low=${score?.ci_low} high=${score?.ci_high} n=${nps.data?.n} ...${changed(moved, 1)} onOpen=${open({})} /><${Few} n=${nps.data?.n ?? SHARE} /><//>
    <${Slot} from=${negative}><${Figure} label=${t("dashboard.negative")} value=${share?.value == null ? null : share.value * SHARE} unit="%" low=${share?.ci_low == null ? null : share.ci_low * SHARE}
      high=${share?.ci_high == null ? null : share.ci_high * SHARE} n=${negative.data?.n} better="down" ...${changed(worse, SHARE)} onOpen=${open({ sentiment: "negative" })} /><${Few} n=${negative.data?.n ?? SHARE} /><//>
    <${Slot} from=${csat}><${Figure} label="CSAT" value=${satisfied?.value} digits=${2} unit="/ 5" low=${satisfied?.ci_low} high=${satisfied?.ci_high} n=${csat.data?.n} onOpen=${open({})} /><${Few} n=${csat.data?.n ?? SHARE} /><//>
    <${Slot} from=${volume}><${Figure} label=${t("dashboard.volume")} value=${volume.data?.n} digits=${0} note=${volume.data?.data.period_label} onOpen=${() => { location.hash = narrower(query, {}, null, "feedback"); }} /><//>
  </div>`;
}

function Slot({ from, children }) {
  if (from.error) return html`<div class="slot"><p class="quiet small">${from.error.message}</p></div>`;
  return html`<div class="slot" aria-busy=${from.data ? undefined : "true"}>${from.data ? children : html`<div class="bone" style=${{ width: "60%", height: "14px" }} /><div class="bone" style=${{ width: "45%", height: "32px" }} /><div class="bone" style=${{ width: "80%", height: "12px" }} />`}</div>`;
}
