// Tables: sortable by what the caller has loaded, rows that open something.
import { html, useState } from "../html.js";
import { t } from "../i18n.js";
import { Empty } from "./states.js";
import { Icon } from "./icons.js";

const compare = (a, b) => (a == null ? (b == null ? 0 : 1) : b == null ? -1 : typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));

/**
 * columns: [{key, label, end (align right), value(row) to sort by, show(row) to display, sortable}];
 * rows: any records; onRow(row) makes rows open something: the first cell then holds the button.
 */
export function Table({ caption, columns, rows, rowKey, onRow, empty }) {
  const [order, setOrder] = useState(null);
  if (!rows.length) return empty || html`<${Empty} title=${t("common.nothing")} />`;
  const value = (column, row) => (column.value ? column.value(row) : row[column.key]);
  const sorted = order ? [...rows].sort((a, b) => order.step * compare(value(order.column, a), value(order.column, b))) : rows;
  const sortBy = (column) => setOrder(order?.column.key === column.key ? (order.step === 1 ? { column, step: -1 } : null) : { column, step: 1 });
  const cell = (column, row, at) => {
    const shown = column.show ? column.show(row) : row[column.key];
    return at === 0 && onRow ? html`<button type="button" class="link" onClick=${(event) => { event.stopPropagation(); onRow(row); }}>${shown}</button>` : shown;
  };
  return html`<div class="table-box" tabIndex="0" role="region" aria-label=${caption}><table class="table">
    <caption class="only-read">${caption}</caption>
    <thead><tr>${columns.map((column) => {
      const on = order?.column.key === column.key;
      return html`<th key=${column.key} scope="col" class=${column.end ? "end" : ""} aria-sort=${on ? (order.step === 1 ? "ascending" : "descending") : undefined}>
        ${column.sortable ? html`<button type="button" onClick=${() => sortBy(column)}>${column.label}${on && html`<${Icon} name=${order.step === 1 ? "up" : "down"} size=${12} />`}</button>` : column.label}</th>`;
    })}</tr></thead>
    <tbody>${sorted.map((row, index) => html`<tr key=${rowKey ? rowKey(row) : index} class=${onRow ? "opens" : ""} onClick=${onRow ? () => onRow(row) : undefined}>
      ${columns.map((column, at) => html`<td key=${column.key} class=${column.end ? "end" : ""}>${cell(column, row, at)}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}
