// A titled part of a page.
import { html } from "../html.js";

/** title, a word about how to read it, controls at the right; `height` is what it takes at least, before it is filled too. */
export function Panel({ title, about, tools, wide, height, children, class: more = "" }) {
  return html`<section class="card panel ${wide ? "wide" : ""} ${more}" style=${height ? { minHeight: `${height}px` } : undefined}>
    <header class="card-head"><h2>${title}</h2>${about && html`<span class="about">${about}</span>`}${tools && html`<div class="row push panel-tools">${tools}</div>`}</header>
    <div class="card-body stack">${children}</div></section>`;
}
