import { html } from "../html.js";
import { PageHead } from "../parts/layout.js";
import { t } from "../i18n.js";
export const Page = () => html`<div class="page"><${PageHead} title=${t("pages.chat")} /></div>`;
