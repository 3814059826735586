// The page: who asks, then the shell, then the page of the address.
import { html, render, useEffect, useErrorBoundary, useState } from "./html.js";
import { Problem } from "./api.js";
import { remembered, speak, language, t, useLanguage } from "./i18n.js";
import { PAGES } from "./pages.js";
import { Layout } from "./parts/layout.js";
import { Login } from "./parts/login.js";
import { Confirmation, Toasts } from "./parts/overlays.js";
import { FeedbackDrawer } from "./parts/quote.js";
import { Empty, Failure, Skeleton } from "./parts/states.js";
import { useRoute } from "./router.js";
import { me, recognise, useMe } from "./session.js";
import "./theme.js";

function Routed() {
  const route = useRoute();
  const page = PAGES.find((one) => one.name === route.page);
  const [held, setHeld] = useState({ name: null, module: null, failure: null });
  const [broken, mend] = useErrorBoundary((error) => console.error(error));
  useEffect(() => {
    mend();
    if (!page) return undefined;
    let gone = false;
    page.load().then(
      (module) => { if (!gone) setHeld({ name: page.name, module, failure: null }); },
      (error) => { if (!gone) setHeld({ name: page.name, module: null, failure: new Problem({ status: 0, detail: error.message }) }); },
    );
    return () => { gone = true; };
  }, [page]);
  useEffect(() => {
    document.title = page ? `${t(`pages.${page.name}`)} · VoiceLoop` : "VoiceLoop";
  }, [page, useLanguage()]);
  if (!page) return html`<div class="page"><${Empty} icon="search" title=${t("common.no_page")} /></div>`;
  if (broken || (held.name === page.name && held.failure)) {
    return html`<div class="page"><${Failure} problem=${held.failure || new Problem({ status: 500, detail: t("common.broken") })} onRetry=${() => location.reload()} /></div>`;
  }
  if (held.name !== page.name) return html`<div class="page"><${Skeleton} lines=${6} /></div>`;
  return html`<${held.module.Page} key=${page.name} args=${route.args} query=${route.query} />`;
}

function App({ failure }) {
  const who = useMe();
  useLanguage();
  if (failure) return html`<main class="page narrow"><${Failure} problem=${failure} onRetry=${() => location.reload()} /></main>`;
  if (who === null) return html`<${Login} /><${Toasts} />`;
  return html`<${Layout}><${Routed} /><//><${FeedbackDrawer} /><${Confirmation} /><${Toasts} />`;
}

async function begin() {
  let failure = null;
  const words = speak(remembered() || language.value);
  try {
    await recognise();
  } catch (error) {
    failure = error;
  }
  await words;
  // Nothing chosen on this device: as the server has been set up, where the browser has no wish of ours.
  if (!remembered() && me.value && !navigator.languages.some((one) => /^(zh|en)\b/i.test(one))) await speak(me.value.language);
  const root = document.getElementById("app");
  root.replaceChildren();
  render(html`<${App} failure=${failure} />`, root);
}

begin();
