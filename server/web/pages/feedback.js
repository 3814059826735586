// The feedback itself: search, narrow, read on; an item opens at the side with its conversation and its labels.
import { html, useEffect, useState } from "../html.js";
import { get } from "../api.js";
import { dateTime, number } from "../format.js";
import { nameOf, t } from "../i18n.js";
import { setQuery, useRoute } from "../router.js";
import { SelectionBar } from "../parts/add_filter.js";
import { useAsked, useTool } from "../parts/asked.js";
import { Badge, Button, Segments, Select } from "../parts/controls.js";
import { Doubts } from "../parts/doubts.js";
import { Trail } from "../parts/drill.js";
import { useFilters } from "../parts/filters.js";
import { PageHead } from "../parts/layout.js";
import { toastProblem } from "../parts/overlays.js";
import { openFeedback } from "../parts/quote.js";
import { Empty, Failure, Skeleton } from "../parts/states.js";

const PAGE = 40;
const KIND = { positive: "positive", negative: "negative" };

function Line({ item }) {
  const { feedback, labels } = item;
  const place = [nameOf("channel", feedback.channel), feedback.region, feedback.product].filter(Boolean).join(" · ");
  return html`<li><button type="button" class="item" onClick=${() => openFeedback(feedback.feedback_id)}>
    <span class="item-text" lang=${feedback.language === "en" ? "en" : undefined}>${feedback.text || html`<span class="quiet">${t("feedback.no_text")}</span>`}</span>
    <span class="row wrap">${labels && html`<${Badge} kind=${KIND[labels.sentiment] ?? ""} dot>${nameOf("sentiment", labels.sentiment)}<//>`}
      ${labels?.emotion && labels.emotion !== "neutral" && html`<${Badge}>${nameOf("emotion", labels.emotion)}<//>`}
      ${["nps", "csat", "rating"].filter((name) => feedback[name] != null).map((name) => html`<${Badge} key=${name}>${nameOf("dimension", name)} ${number(feedback[name])}<//>`)}
      <span class="tiny quiet">${place} · ${dateTime(feedback.occurred_at)}</span></span></button></li>`;
}

/** From the search by meaning, as the list shows it. */
const asItem = (one) => ({
  feedback: { feedback_id: one.id, text: one.text, channel: one.channel, occurred_at: one.time, customer_id: one.customer_id, ...one.scores, ...one.dimensions },
  labels: one.sentiment ? { sentiment: one.sentiment } : null,
});

function ByWords({ query, period, filters, words }) {
  const asked = { ...(period?.from && { from: period.from }), ...(period?.to && { to: period.to }), order: query.order, q: words || undefined, limit: PAGE,
    filter: Object.entries(filters).flatMap(([name, value]) => [].concat(value).map((one) => `${name}=${one}`)) };
  const key = JSON.stringify(asked);
  const first = useAsked(key, () => get("/v1/feedback", asked));
  const [more, setMore] = useState({ key: null, items: [], cursor: null, busy: false });
  useEffect(() => { setMore({ key, items: [], cursor: first.key === key ? first.data?.next_cursor ?? null : null, busy: false }); }, [key, first.key, first.data]);
  const next = async () => {
    setMore((now) => ({ ...now, busy: true }));
    try {
      const page = await get("/v1/feedback", { ...asked, cursor: more.cursor });
      setMore((now) => (now.key === key ? { ...now, items: [...now.items, ...page.items], cursor: page.next_cursor, busy: false } : now));
    } catch (error) {
      toastProblem(error);
      setMore((now) => ({ ...now, busy: false }));
    }
  };
  if (first.error) return html`<${Failure} problem=${first.error} onRetry=${first.reload} />`;
  if (!first.data) return html`<${Skeleton} lines=${12} />`;
  const items = [...first.data.items, ...more.items];
  return html`<${List} items=${items} count=${first.data.total == null ? t("feedback.listed", { n: number(items.length) }) : t("feedback.total", { n: number(first.data.total) })} />
    ${more.cursor && html`<div class="row center"><${Button} busy=${more.busy} onClick=${next}>${t("common.load_more")}<//></div>`}`;
}

function ByMeaning({ period, filters, words }) {
  const found = useTool("search_feedback", { ...(period && { period }), filters, query: words, limit: 60 });
  if (found.error) return html`<${Failure} problem=${found.error} onRetry=${found.reload} />`;
  if (!found.data) return html`<${Skeleton} lines=${12} />`;
  return html`<${List} items=${found.data.data.items.map(asItem)} count=${t("feedback.listed", { n: number(found.data.data.listed) })} /><${Doubts} caveats=${found.data.caveats} />`;
}

function List({ items, count }) {
  if (!items.length) return html`<${Empty} icon="search" title=${t("feedback.none")} text=${t("feedback.none_about")} />`;
  return html`<p class="small quiet num" role="status">${count}</p><ul class="items card">${items.map((item) => html`<${Line} key=${item.feedback.feedback_id} item=${item} />`)}</ul>`;
}

export function Page({ args }) {
  const { query } = useRoute();
  const { period, filters } = useFilters("all");
  const [words, setWords] = useState(query.q ?? "");
  useEffect(() => { setWords(query.q ?? ""); }, [query.q]);
  useEffect(() => { if (args[0]) openFeedback(args[0]); }, [args[0]]);
  const search = (event) => { event.preventDefault(); setQuery({ q: words.trim() }); };
  const meaning = query.by === "meaning" && query.q;
  return html`<div class="page"><${Trail} here=${t("pages.feedback")} /><${PageHead} title=${t("pages.feedback")} />
    <form class="search row wrap" role="search" onSubmit=${search}>
      <input class="input grow" type="search" aria-label=${t("feedback.search")} placeholder=${t("feedback.search")} value=${words} onInput=${(event) => setWords(event.currentTarget.value)} />
      <${Segments} label=${t("feedback.search_by")} value=${query.by ?? "words"} onChange=${(by) => setQuery({ by: by === "words" ? "" : by })}
        options=${[{ value: "words", label: t("feedback.by_words") }, { value: "meaning", label: t("feedback.by_meaning") }]} />
      <${Button} kind="primary" icon="search" type="submit">${t("feedback.go")}<//></form>
    <${SelectionBar} fallback="all"><${Select} aria-label=${t("feedback.order")} value=${query.order ?? "newest"} onChange=${(order) => setQuery({ order: order === "newest" ? "" : order })}
      options=${[{ value: "newest", label: t("feedback.newest") }, { value: "oldest", label: t("feedback.oldest") }]} /><//>
    <div class="stack spaced">${meaning ? html`<${ByMeaning} period=${period} filters=${filters} words=${query.q} />` : html`<${ByWords} query=${query} period=${period} filters=${filters} words=${query.q} />`}</div></div>`;
}
