// The words of an answer: its figures show where they come from, its citations open the feedback.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../html.js";
import { t } from "../i18n.js";
import { useId } from "./controls.js";
import { Markdown } from "./markdown.js";
import { openFeedback } from "./quote.js";
import { SourceLine, filtersOf, periodOf } from "./result.js";

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** A function that marks figures and citations in pieces of text, taking the figures in their order. */
function marker(figures, citations, onPoint, onOpen) {
  const waiting = new Map();
  for (const figure of figures) waiting.set(figure.text, [...(waiting.get(figure.text) || []), figure]);
  const texts = [...waiting.keys()].sort((a, b) => b.length - a.length).map(escaped);
  const parts = [];
  if (citations.length) parts.push(`\\[(?<cited>${citations.map(escaped).join("|")})\\]`);
  if (texts.length) parts.push(`(?<![\\d.,])(?<figure>${texts.join("|")})(?!\\d|[.,]\\d)`);
  if (!parts.length) return undefined;
  const pattern = new RegExp(parts.join("|"), "g");
  const numbers = new Map(citations.map((id, index) => [id, index + 1]));
  return (piece) => {
    const made = [];
    let done = 0;
    for (const found of piece.matchAll(pattern)) {
      if (found.index > done) made.push(piece.slice(done, found.index));
      done = found.index + found[0].length;
      if (found.groups.cited) {
        const id = found.groups.cited;
        made.push(html`<button type="button" class="cite" aria-label=${t("chat.open_quote", { id })} title=${id} onClick=${() => openFeedback(id)}>${numbers.get(id)}</button>`);
      } else {
        const queue = waiting.get(found.groups.figure);
        const figure = queue.length > 1 ? queue.shift() : queue[0];
        made.push(html`<${Mark} figure=${figure} onPoint=${onPoint} onOpen=${onOpen} />`);
      }
    }
    if (done < piece.length) made.push(piece.slice(done));
    return made;
  };
}

function Mark({ figure, onPoint, onOpen }) {
  const show = (event) => onPoint({ figure, node: event.currentTarget });
  const hide = () => onPoint(null);
  return html`<button type="button" class="mark" onMouseEnter=${show} onMouseLeave=${hide} onFocus=${show} onBlur=${hide}
    aria-label=${t("chat.figure_source", { figure: figure.text })} onClick=${() => onOpen(figure)}>${figure.text}</button>`;
}

function Hint({ pointed, calls }) {
  const box = useRef(null);
  const id = useId("hint");
  const call = pointed && calls.get(pointed.figure.tool_call_id);
  useLayoutEffect(() => {
    if (!box.current) return undefined;
    // Beside its figure, also while the page scrolls.
    const place = () => {
      const node = box.current;
      if (!node) return;
      const { left, top, bottom } = pointed.node.getBoundingClientRect();
      const own = node.getBoundingClientRect();
      node.style.left = `${Math.max(8, Math.min(left, innerWidth - own.width - 8))}px`;
      node.style.top = `${top - own.height - 8 > 8 ? top - own.height - 8 : bottom + 8}px`;
      node.style.visibility = "visible";
    };
    place();
    addEventListener("scroll", place, true);
    return () => removeEventListener("scroll", place, true);
  }, [pointed]);
  if (!call) return null;
  return html`<div class="hint" id=${id} role="tooltip" ref=${box}>
    <div class="row wrap"><${SourceLine} call=${call} /></div>
    <div class="tiny quiet"><span class="mono">${pointed.figure.path}</span> · ${t("chat.open_source")}</div></div>`;
}

/** text with figures and citations of an answer; onOpen(call, path) shows where a figure comes from. */
export function AnswerText({ text, figures, citations, calls, onOpen }) {
  const [pointed, setPointed] = useState(null);
  const byId = new Map(calls.map((call) => [call.id, call]));
  const known = figures.filter((one) => byId.has(one.tool_call_id));
  const open = (figure) => { setPointed(null); onOpen(byId.get(figure.tool_call_id), figure.path); };
  const said = pointed && byId.get(pointed.figure.tool_call_id);
  useEffect(() => {
    if (!pointed) return undefined;
    const away = (event) => { if (event.key === "Escape") setPointed(null); };
    addEventListener("keydown", away);
    return () => removeEventListener("keydown", away);
  }, [pointed]);
  return html`<${Markdown} text=${text} mark=${marker(known, citations, setPointed, open)} />
    <span class="only-read" aria-live="polite">${said ? [t(`names.tool.${said.name}`), periodOf(said.result), `n = ${said.result.n}`, filtersOf(said.result)].filter(Boolean).join(t("common.comma")) : ""}</span>
    <${Hint} pointed=${pointed} calls=${byId} />`;
}
