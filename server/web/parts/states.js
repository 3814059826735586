// Nothing yet, something is coming, something went wrong.
import { html } from "../html.js";
import { t } from "../i18n.js";
import { Button } from "./controls.js";
import { Icon } from "./icons.js";

/** Why there is nothing here and what to do; `children` are the ways on. */
export function Empty({ icon = "info", title, text, children }) {
  return html`<div class="empty"><${Icon} name=${icon} size=${30} /><h2>${title}</h2>${text && html`<p>${text}</p>`}${children}</div>`;
}

/** Placeholders of what is being fetched: `lines` of text or one block of a height in pixels. */
export function Skeleton({ lines = 3, height }) {
  const bones = height ? [{ width: "100%", height: `${height}px` }] : Array.from({ length: lines }, (_, at) => ({ width: `${92 - (at * 17) % 38}%`, height: "14px" }));
  return html`<div class="stack" aria-busy="true" role="status"><span class="only-read">${t("common.loading")}</span>
    ${bones.map((style, at) => html`<div class="bone" key=${at} style=${style} />`)}</div>`;
}

/** A failed request: what the server says, its hint, and another try. */
export function Failure({ problem, onRetry }) {
  const forbidden = problem.status === 403;
  return html`<div class="notice ${forbidden ? "warn" : "bad"}" role="alert"><${Icon} name="warning" />
    <div class="grow stack tight"><p>${problem.status === 0 ? t("common.unreachable") : problem.message}</p>
      ${problem.hint && html`<p class="quiet">${problem.hint}</p>`}
      ${problem.status >= 500 && problem.request_id && html`<p class="tiny quiet mono">${problem.request_id}</p>`}</div>
    ${onRetry && !forbidden && html`<${Button} slim onClick=${onRetry}>${t("common.retry")}<//>`}</div>`;
}

/** What a `useGet` holds: bones first, a failure if it fails, else `children(data)`. */
export function Loaded({ from, skeleton, children }) {
  if (from.error && from.data === null) return html`<${Failure} problem=${from.error} onRetry=${from.reload} />`;
  if (from.data === null) return skeleton || html`<${Skeleton} />`;
  return children(from.data);
}
