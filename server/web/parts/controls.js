// Buttons, fields, choices: the small things that forms are made of.
import { html, useEffect, useRef, useState } from "../html.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";

let ids = 0;
/** A document-wide id that stays the same for one component. */
export function useId(prefix = "x") {
  const id = useRef(null);
  if (id.current === null) id.current = `${prefix}-${(ids += 1)}`;
  return id.current;
}

/** kind: "", "primary", "ghost", "danger"; icon: a name; label: read out where only the icon is shown. */
export function Button({ kind = "", icon, label, slim, busy, children, class: more = "", ...rest }) {
  const bare = icon && !children;
  return html`<button type="button" class="button ${kind} ${bare ? "icon" : ""} ${slim ? "slim" : ""} ${more}" aria-label=${label}
    title=${bare ? label : undefined} aria-busy=${busy ? "true" : undefined} ...${rest} disabled=${rest.disabled || busy}>
    ${icon && html`<${Icon} name=${icon} />`}${children}</button>`;
}

/** A labelled control; `children` is a function of the attributes that tie label, help and error to it. */
export function Field({ label, help, error, children, hideLabel }) {
  const id = useId("field");
  const described = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  return html`<div class="field"><label for=${id} class=${hideLabel ? "only-read" : ""}>${label}</label>
    ${children({ id, "aria-describedby": described, "aria-invalid": error ? "true" : undefined })}
    ${help && html`<span class="help" id="${id}-help">${help}</span>`}
    ${error && html`<span class="wrong" id="${id}-error" role="alert">${error}</span>`}</div>`;
}

/** options: [{value, label}]; onChange gets the value. */
export function Select({ options, value, onChange, class: more = "", ...rest }) {
  return html`<select class="select ${more}" value=${value} onChange=${(event) => onChange(event.currentTarget.value)} ...${rest}>
    ${options.map((one) => html`<option key=${one.value} value=${one.value} selected=${one.value === value}>${one.label}</option>`)}
  </select>`;
}

/** A few choices side by side, one of them in force. */
export function Segments({ label, options, value, onChange }) {
  return html`<div class="segments" role="group" aria-label=${label}>
    ${options.map((one) => html`<button key=${one.value} type="button" aria-pressed=${String(one.value === value)}
      onClick=${() => onChange(one.value)}>${one.label}</button>`)}</div>`;
}

/** Tabs with arrow keys; the panel below is the caller's, with role=tabpanel and id `${id}-panel`. */
export function Tabs({ id, label, options, value, onChange }) {
  const box = useRef(null);
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = (options.findIndex((one) => one.value === value) + step + options.length) % options.length;
    onChange(options[at].value);
    box.current.children[at].focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} ref=${box} onKeyDown=${move}>
    ${options.map((one) => html`<button key=${one.value} type="button" role="tab" id="${id}-${one.value}" aria-controls="${id}-panel"
      aria-selected=${String(one.value === value)} tabIndex=${one.value === value ? 0 : -1} onClick=${() => onChange(one.value)}>${one.label}</button>`)}
  </div>`;
}

/** A button that opens a list of actions: [{label, icon, onSelect, kind, href}] or null for a rule. */
export function Menu({ label, icon = "more", items, class: more = "", slim, place = "", children, trigger }) {
  const [open, setOpen] = useState(false);
  const box = useRef(null);
  const list = useRef(null);
  useEffect(() => {
    if (!open) return undefined;
    list.current?.querySelector("button, a")?.focus();
    const away = (event) => { if (!box.current?.contains(event.target)) setOpen(false); };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [open]);
  const keys = (event) => {
    const all = [...(list.current?.querySelectorAll("button, a") || [])];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") {
      event.stopPropagation();
      setOpen(false);
      box.current.querySelector("button").focus();
    } else if (step && all.length) {
      event.preventDefault();
      all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
    }
  };
  const select = (one) => () => {
    setOpen(false);
    box.current.querySelector("button").focus();
    one.onSelect?.();
  };
  return html`<div class="menu-box ${more}" ref=${box} onKeyDown=${open ? keys : undefined}>
    ${trigger
      ? trigger({ "aria-haspopup": "menu", "aria-expanded": String(open), onClick: () => setOpen(!open) })
      : html`<${Button} kind="ghost" icon=${icon} label=${children ? undefined : label} slim=${slim} aria-haspopup="menu" aria-expanded=${String(open)}
          onClick=${() => setOpen(!open)}>${children}<//>`}
    ${open && html`<div class="menu ${place}" role="menu" aria-label=${label} ref=${list}>
      ${items.map((one, at) => one === null ? html`<hr key=${at} />` : one.href
        ? html`<a key=${at} role="menuitem" href=${one.href} download=${one.download} onClick=${select(one)}>${one.icon && html`<${Icon} name=${one.icon} />`}${one.label}</a>`
        : html`<button key=${at} type="button" role="menuitem" class=${one.kind || ""} onClick=${select(one)}>${one.icon && html`<${Icon} name=${one.icon} />`}${one.label}</button>`)}
    </div>`}</div>`;
}

/** A short label with a colour: "", "positive", "negative", "warn", "orange", "red", "yellow", "accent". */
export function Badge({ kind = "", dot, children, title }) {
  return html`<span class="badge ${kind}" title=${title}>${dot && html`<span class="dot" />`}${children}</span>`;
}

/** How far something is; `share` 0 to 1, or null where nobody knows. */
export function Progress({ share, label }) {
  const shown = share == null ? null : Math.round(share * 100);
  return html`<div class="bar" role="progressbar" aria-label=${label || t("common.progress")} aria-valuemin="0" aria-valuemax="100"
    aria-valuenow=${shown ?? undefined}><span style=${{ width: `${shown ?? 30}%` }} /></div>`;
}
