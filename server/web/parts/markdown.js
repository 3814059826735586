// Markdown as elements, never as markup: whatever a model or a customer wrote, no tag of theirs comes to be.
import { html } from "../html.js";

const SAFE = /^(https?:\/\/|#\/)/;
const INLINE = /(`[^`\n]+`)|(\*\*(?=\S)(?:[^*]|\*(?!\*))+?\*\*)|(\[[^\]\n]+\]\([^()\s]+\))/;

function inline(text, mark) {
  const parts = [];
  let rest = text;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    if (found.index) parts.push(mark(rest.slice(0, found.index)));
    const [whole, code, strong] = found;
    if (code) parts.push(html`<code>${code.slice(1, -1)}</code>`);
    else if (strong) parts.push(html`<strong>${inline(strong.slice(2, -2), mark)}</strong>`);
    else {
      const [, label, address] = /^\[(.+)\]\((.+)\)$/.exec(whole);
      parts.push(SAFE.test(address) ? html`<a href=${address} target=${address.startsWith("#") ? undefined : "_blank"} rel="noopener noreferrer">${inline(label, mark)}</a>` : mark(whole));
    }
    rest = rest.slice(found.index + whole.length);
  }
  if (rest) parts.push(mark(rest));
  return parts;
}

const cells = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
const ITEM = /^(\s*)(?:([-*•])|(\d+)[.)、])\s+(.*)$/;

function list(lines, at, mark) {
  const [, indent, bullet] = ITEM.exec(lines[at]);
  const items = [];
  const start = Number(ITEM.exec(lines[at])[3]) || 1;
  while (at < lines.length) {
    const found = ITEM.exec(lines[at]);
    if (found && found[1].length > indent.length) {
      const [inner, next] = list(lines, at, mark);
      items.at(-1).push(inner);
      at = next;
    } else if (found && found[1].length === indent.length && Boolean(found[2]) === Boolean(bullet)) {
      items.push([inline(found[4], mark)]);
      at += 1;
    } else if (!found && /^\s{2,}\S/.test(lines[at])) {
      items.at(-1).push(" ", inline(lines[at].trim(), mark));
      at += 1;
    } else break;
  }
  const inside = items.map((item, index) => html`<li key=${index}>${item}</li>`);
  return [bullet ? html`<ul>${inside}</ul>` : html`<ol start=${start}>${inside}</ol>`, at];
}

function table(lines, at, mark) {
  const head = cells(lines[at]);
  const rows = [];
  let next = at + 2;
  for (; next < lines.length && lines[next].includes("|"); next += 1) rows.push(cells(lines[next]));
  const sides = cells(lines[at + 1]).map((one) => (/:$/.test(one) && !/^:/.test(one) ? "end" : ""));
  return [html`<div class="table-box" tabIndex="0"><table class="table"><thead><tr>${head.map((one, index) => html`<th key=${index} scope="col" class=${sides[index]}>${inline(one, mark)}</th>`)}</tr></thead>
    <tbody>${rows.map((row, index) => html`<tr key=${index}>${head.map((_, column) => html`<td key=${column} class=${sides[column]}>${inline(row[column] ?? "", mark)}</td>`)}</tr>`)}</tbody></table></div>`, next];
}

function block(lines, at, mark) {
  const line = lines[at];
  const heading = /^(#{1,4})\s+(.*)$/.exec(line);
  if (heading) return [html`<h3>${inline(heading[2], mark)}</h3>`, at + 1];
  if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) return [html`<hr />`, at + 1];
  if (/^\s*```/.test(line)) {
    let end = at + 1;
    while (end < lines.length && !/^\s*```/.test(lines[end])) end += 1;
    return [html`<pre tabIndex="0"><code>${lines.slice(at + 1, end).join("\n")}</code></pre>`, end + 1];
  }
  if (line.startsWith(">")) {
    let end = at;
    while (end < lines.length && lines[end].startsWith(">")) end += 1;
    return [html`<blockquote>${blocks(lines.slice(at, end).map((one) => one.replace(/^>\s?/, "")), mark)}</blockquote>`, end];
  }
  if (ITEM.test(line)) return list(lines, at, mark);
  if (line.includes("|") && /^\s*\|?\s*:?-{2,}/.test(lines[at + 1] ?? "")) return table(lines, at, mark);
  const begun = at;
  at += 1;
  while (at < lines.length && lines[at].trim() && !ITEM.test(lines[at]) && !/^(#{1,4}\s|>|\s*```)/.test(lines[at])) at += 1;
  const inside = lines.slice(begun, at).flatMap((one, index) => [index ? html`<br />` : null, inline(one, mark)]);
  return [html`<p>${inside}</p>`, at];
}

function blocks(lines, mark) {
  const made = [];
  for (let at = 0; at < lines.length; ) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const [one, next] = block(lines, at, mark);
    made.push(one);
    at = next;
  }
  return made;
}

/** text: Markdown; mark(text): what stands for a piece of plain text, e.g. with its figures marked. */
export function Markdown({ text, mark = (piece) => piece }) {
  return html`<div class="prose">${blocks(text.split("\n"), mark)}</div>`;
}
