// What stands around every page: navigation at the side, or along the bottom of a phone.
import { html, useState } from "../html.js";
import { choose, nameOf, t, useLanguage } from "../i18n.js";
import { PAGES } from "../pages.js";
import { href, useRoute } from "../router.js";
import { may, signOut, useMe } from "../session.js";
import { chooseTheme, useChosenTheme } from "../theme.js";
import { Button, Menu } from "./controls.js";
import { Icon } from "./icons.js";
import { Dialog, toastProblem } from "./overlays.js";

const GROUPS = ["ask", "see", "act", "data"];
const ON_PHONE = ["dashboard", "chat", "feedback", "alerts"];

export const Logo = () => html`<svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" fill="#2b4acb" />
  <path d="M7 17c2.500 0 2.500-7 5-7s3 13 5.500 13 2.500-9 4.500-9 1.500 3 3 3" fill="none" stroke="#fff" stroke-width="2.600" stroke-linecap="round" stroke-linejoin="round" /></svg>`;

/** One press changes to the other language. */
export function LanguageChoice() {
  const now = useLanguage();
  return html`<${Button} kind="ghost" slim label=${t("settings.language")} onClick=${() => choose(now === "zh" ? "en" : "zh")}><span lang=${now === "zh" ? "en" : "zh-CN"}>${now === "zh" ? "EN" : "中文"}</span><//>`;
}

function ThemeChoice({ place }) {
  const now = useChosenTheme();
  const icons = { light: "sun", dark: "moon", system: "system" };
  const items = Object.entries(icons).map(([value, icon]) => ({ label: t(`settings.theme_${value}`), icon, onSelect: () => chooseTheme(value) }));
  return html`<${Menu} label=${t("settings.theme")} icon=${icons[now]} items=${items} place=${place} slim />`;
}

function Who() {
  const who = useMe();
  const leave = () => signOut().catch(toastProblem);
  return html`<div class="who grow"><div class="clip">${who.user}</div><div class="tiny quiet clip">${nameOf("role", who.role)}${who.scope.length ? ` · ${who.scope.join(t("common.comma"))}` : ""}</div></div>
    ${!who.single_user && html`<${Button} kind="ghost" slim icon="out" label=${t("login.out")} onClick=${leave} />`}`;
}

const shown = () => PAGES.filter((page) => page.group && (!page.role || may(page.role)));

function Links({ page: now }) {
  return html`${GROUPS.map((group) => {
    const pages = shown().filter((page) => page.group === group);
    return pages.length > 0 && html`<div key=${group}><div class="nav-title" id="nav-${group}">${t(`nav.${group}`)}</div><ul aria-labelledby="nav-${group}">
      ${pages.map((page) => html`<li key=${page.name}><a class="nav-link" href=${href(page.name)} aria-current=${page.name === now ? "page" : undefined}>
        <${Icon} name=${page.icon} /><span>${t(`pages.${page.name}`)}</span></a></li>`)}</ul></div>`;
  })}`;
}

function Bottom({ page: now }) {
  const [open, setOpen] = useState(false);
  const first = shown().filter((page) => ON_PHONE.includes(page.name)).sort((a, b) => ON_PHONE.indexOf(a.name) - ON_PHONE.indexOf(b.name));
  const others = shown().some((page) => page.name === now && !first.includes(page));
  return html`<nav class="bottom" aria-label=${t("nav.main")}>
    ${first.map((page) => html`<a key=${page.name} href=${href(page.name)} aria-current=${page.name === now ? "page" : undefined}><${Icon} name=${page.icon} />${t(`pages.${page.name}`)}</a>`)}
    <button type="button" aria-haspopup="dialog" aria-current=${others ? "true" : undefined} onClick=${() => setOpen(true)}><${Icon} name="more" />${t("nav.more")}</button>
    ${open && html`<${Dialog} title=${t("nav.more")} onClose=${() => setOpen(false)}><div class="nav" onClick=${(event) => event.target.closest("a") && setOpen(false)}><${Links} page=${now} /></div>
      <div class="side-foot"><${Who} /><${LanguageChoice} /><${ThemeChoice} place="up" /></div><//>`}</nav>`;
}

/** Side navigation, the page, and on a phone the bottom bar. */
export function Layout({ children }) {
  const { page } = useRoute();
  useLanguage();
  const skip = (event) => { event.preventDefault(); document.getElementById("main").focus(); };
  return html`<a class="skip" href="#main" onClick=${skip}>${t("nav.skip")}</a>
    <div class="shell">
      <div class="side"><a class="brand" href=${href("dashboard")}><${Logo} />VoiceLoop</a>
        <nav class="nav" aria-label=${t("nav.main")}><${Links} page=${page} /></nav>
        <footer class="side-foot"><${Who} /><${LanguageChoice} /><${ThemeChoice} place="up" /></footer></div>
      <main id="main" tabIndex="-1">${children}</main>
    </div><${Bottom} page=${page} />`;
}

/** The top of a page: its heading, a sentence about it, its actions. */
export function PageHead({ title, about, actions, children }) {
  return html`<header class="page-head"><h1>${title}</h1>${children}${actions && html`<div class="actions">${actions}</div>`}${about && html`<p class="about">${about}</p>`}</header>`;
}
