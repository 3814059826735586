// What lies above the page: dialogs, drawers, short notes. The browser's own <dialog> traps the focus and gives it back.
import { html, useEffect, useRef } from "../html.js";
import { t } from "../i18n.js";
import { shared, useShared } from "../shared.js";
import { Button, useId } from "./controls.js";

function Over({ kind, title, onClose, children, actions }) {
  const box = useRef(null);
  const id = useId("over");
  useEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    if (!dialog.open) dialog.showModal();
    return () => {
      if (dialog.open) dialog.close();
      if (before?.isConnected) before.focus();
    };
  }, []);
  const cancelled = (event) => { event.preventDefault(); onClose(); };
  const outside = (event) => { if (event.target === box.current) onClose(); };
  return html`<dialog class=${kind} ref=${box} aria-labelledby=${id} onCancel=${cancelled} onPointerDown=${outside}>
    <div class="over-box">
      <header class="over-head"><h2 id=${id}>${title}</h2><${Button} kind="ghost" icon="close" label=${t("common.close")} onClick=${onClose} /></header>
      <div class="over-body">${children}</div>
      ${actions && html`<footer class="over-foot">${actions}</footer>`}
    </div></dialog>`;
}

/** A question or a form above the page. Mount it to open it. `actions` are its buttons. */
export const Dialog = ({ wide, ...rest }) => html`<${Over} kind="dialog ${wide ? "wide" : ""}" ...${rest} />`;
/** The same from the side: details of something on the page. */
export const Drawer = (props) => html`<${Over} kind="drawer" ...${props} />`;

const question = shared(null);
/** Ask before something that cannot be undone; resolves to whether it was agreed. */
export function confirmed({ title, text, action, danger }) {
  return new Promise((resolve) => question.set({ title, text, action, danger, resolve }));
}

/** Shows what `confirmed` asks; once, in the shell. */
export function Confirmation() {
  const asked = useShared(question);
  if (!asked) return null;
  const answer = (agreed) => { question.set(null); asked.resolve(agreed); };
  const actions = html`<${Button} onClick=${() => answer(false)}>${t("common.cancel")}<//>
    <${Button} kind=${asked.danger ? "danger" : "primary"} onClick=${() => answer(true)}>${asked.action}<//>`;
  return html`<${Dialog} title=${asked.title} onClose=${() => answer(false)} actions=${actions}><p>${asked.text}</p><//>`;
}

const notes = shared([]);
let count = 0;
const drop = (id) => notes.set((all) => all.filter((one) => one.id !== id));

/** A short note that goes by itself; one about a failure stays until it is closed. `action`: {label, onSelect}. */
export function toast(text, { bad = false, action = null } = {}) {
  const id = (count += 1);
  notes.set((all) => [...all.slice(-2), { id, text, bad, action }]);
  if (!bad) setTimeout(() => drop(id), action ? 9_000 : 5_000);
}

/** What became of a request that failed, in the server's words and its hint. */
export function toastProblem(problem) {
  toast([problem.status === 0 ? t("common.unreachable") : problem.message, problem.hint].filter(Boolean).join(" "), { bad: true });
}

/** Shows the notes; once, in the shell. As a popover it also lies above open dialogs. */
export function Toasts() {
  const all = useShared(notes);
  const box = useRef(null);
  useEffect(() => {
    const node = box.current;
    if (!node?.showPopover) return;
    if (node.matches(":popover-open")) node.hidePopover();
    if (all.length) node.showPopover();
  }, [all]);
  return html`<div class="toasts" popover="manual" ref=${box} role="status" aria-live="polite" aria-label=${t("common.notes")}>
    ${all.map((one) => html`<div class="toast ${one.bad ? "bad" : ""}" key=${one.id} role=${one.bad ? "alert" : undefined}>
      <span class="grow">${one.text}</span>
      ${one.action && html`<button type="button" class="strong" onClick=${() => { drop(one.id); one.action.onSelect(); }}>${one.action.label}</button>`}
      <${Button} kind="ghost" icon="close" slim label=${t("common.close")} onClick=${() => drop(one.id)} /></div>`)}</div>`;
}
