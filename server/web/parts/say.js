// What to say to a customer about to leave: apology, value, return, limits, promise, and what to keep from.
import { html } from "../html.js";
import { t } from "../i18n.js";
import { Panel } from "./panel.js";

const ORDER = ["apology", "value", "return", "limits", "promise", "avoid"];

/** points: [{kind, text}] in the order of a call. */
export function WhatToSay({ points }) {
  const kinds = ORDER.filter((kind) => points.some((one) => one.kind === kind));
  return html`<${Panel} title=${t("say.title")} about=${t("say.about")}>
    ${kinds.length ? html`<dl class="say">${kinds.map((kind) => html`<div key=${kind} class="say-row ${kind}"><dt>${t(`say.${kind}`)}</dt>
      <dd>${points.filter((one) => one.kind === kind).map((one) => html`<p key=${one.text}>${one.text}</p>`)}</dd></div>`)}</dl>` : html`<p class="quiet">${t("common.none")}</p>`}<//>`;
}
