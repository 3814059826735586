// Two dimensions as a table whose cells are coloured by size; each leads to the feedback in it.
import { html } from "../html.js";
import { t } from "../i18n.js";

/**
 * rows, columns: [{key, label}]; cell(row, column) -> null or {heat: 0..1, text, title, href, few, tone}.
 * `corner` names what the rows are.
 */
export function HeatTable({ caption, corner, rows, columns, cell, tone = "negative" }) {
  return html`<div class="heat-box" tabIndex="0" role="region" aria-label=${caption}><table class="heat heat-${tone}">
    <caption class="only-read">${caption}</caption>
    <thead><tr><th scope="col">${corner}</th>${columns.map((column) => html`<th key=${column.key} scope="col">${column.label}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.key}><th scope="row" title=${row.label}>${row.label}</th>
      ${columns.map((column) => {
        const one = cell(row, column);
        return html`<td key=${column.key}>${one
          ? html`<a class="heat-cell ${one.few ? "few" : ""}" href=${one.href} title=${one.title} aria-label=${one.title} style=${{ "--heat": `${Math.round(Math.min(1, one.heat) * 62)}%` }}>${one.text}</a>`
          : html`<span class="heat-cell none" aria-label=${t("common.none")}>·</span>`}</td>`;
      })}</tr>`)}</tbody></table></div>`;
}
