// What a figure must not be read without: small samples, groups left out, how it was counted.
import { html } from "../html.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";

// Below this, one or two answers move the figure: the same bound as that of the tools' caveats.
export const SMALL = 30;

/** The caveats of a result, open where there are few. */
export function Doubts({ caveats }) {
  if (!caveats?.length) return null;
  if (caveats.length === 1) return html`<p class="doubts"><${Icon} name="info" size=${14} /><span>${caveats[0]}</span></p>`;
  return html`<details class="doubts"><summary><${Icon} name="info" size=${14} /><span>${t("drill.caveats", { count: caveats.length })}</span></summary>
    <ul>${caveats.map((one) => html`<li key=${one}>${one}</li>`)}</ul></details>`;
}

/** Beside a figure of few answers. */
export const Few = ({ n }) => (n < SMALL ? html`<span class="badge warn" title=${t("drill.few_title")}>${t("drill.few")}</span>` : null);
