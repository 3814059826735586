// The chat: conversations at the side, the turns, and where to ask.
import { html, useEffect, useRef, useState } from "../html.js";
import { useGet } from "../api.js";
import { changes, deleteThread, renameThread, useConversation } from "../conversation.js";
import { ago } from "../format.js";
import { t, words } from "../i18n.js";
import { Button, Field, Menu } from "../parts/controls.js";
import { Icon } from "../parts/icons.js";
import { Dialog, Drawer, confirmed, toastProblem } from "../parts/overlays.js";
import { ResultDetail } from "../parts/result.js";
import { Failure, Loaded, Skeleton } from "../parts/states.js";
import { Turn } from "../parts/turn.js";
import { go, href } from "../router.js";
import { useShared } from "../shared.js";

const MOST = 8_000;

function Rename({ thread, onClose }) {
  const [title, setTitle] = useState(thread);
  const [error, setError] = useState("");
  const save = async (event) => {
    event.preventDefault();
    try {
      const name = await renameThread(thread, title.trim());
      onClose();
      go("chat", [name], {}, { replace: true });
    } catch (problem) {
      setError(problem.message);
    }
  };
  const actions = html`<${Button} onClick=${onClose}>${t("common.cancel")}<//><${Button} kind="primary" disabled=${!title.trim() || title.includes("/")} onClick=${save}>${t("common.save")}<//>`;
  return html`<${Dialog} title=${t("chat.rename")} onClose=${onClose} actions=${actions}><form onSubmit=${save}>
    <${Field} label=${t("chat.title")} error=${error}>${(tied) => html`<input class="input" value=${title} maxlength="100" onInput=${(event) => setTitle(event.currentTarget.value)} ...${tied} />`}<//></form><//>`;
}

function Threads({ now, onChosen }) {
  const times = useShared(changes);
  const list = useGet("/v1/chat/threads", { limit: 100 });
  const [renaming, setRenaming] = useState(null);
  useEffect(() => { if (times) list.reload(); }, [times]);
  const drop = async (thread) => {
    if (!(await confirmed({ title: t("chat.delete_title"), text: t("chat.delete_text", { title: thread.asked || thread.thread_id }), action: t("common.delete"), danger: true }))) return;
    try {
      await deleteThread(thread.thread_id);
      if (thread.thread_id === now) go("chat");
    } catch (problem) {
      toastProblem(problem);
    }
  };
  return html`<${Loaded} from=${list} skeleton=${html`<${Skeleton} lines=${5} />`}>${({ threads }) => html`<ul class="threads">
    ${threads.map((one) => html`<li key=${one.thread_id} class=${one.thread_id === now ? "now" : ""}>
      <a href=${href("chat", [one.thread_id])} aria-current=${one.thread_id === now ? "page" : undefined} onClick=${onChosen}>
        <span class="clip">${/^[0-9a-f]{12}$/.test(one.thread_id) ? one.asked : one.thread_id}</span>
        <span class="tiny quiet clip">${one.running ? t("chat.running") : one.awaiting.length ? t("chat.awaiting", { n: one.awaiting.length }) : ago(one.asked_at)}</span></a>
      <${Menu} slim label=${t("common.more")} items=${[
        { label: t("common.rename"), icon: "edit", onSelect: () => setRenaming(one.thread_id) },
        { label: t("common.delete"), icon: "trash", kind: "danger", onSelect: () => drop(one) },
      ]} /></li>`)}
    ${!threads.length && html`<li class="small quiet none">${t("chat.no_threads")}</li>`}</ul>
    ${renaming && html`<${Rename} thread=${renaming} onClose=${() => setRenaming(null)} />`}`}<//>`;
}

function Composer({ running, draft, onAsk, onStop }) {
  const [text, setText] = useState(draft || "");
  const box = useRef(null);
  useEffect(() => { if (draft) setText(draft); }, [draft]);
  useEffect(() => {
    const area = box.current;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 220)}px`;
  }, [text]);
  useEffect(() => { if (matchMedia("(pointer: fine)").matches) box.current.focus(); }, []);
  const send = (event) => {
    event?.preventDefault();
    const question = text.trim();
    if (!question || running || question.length > MOST) return;
    setText("");
    onAsk(question);
  };
  const keys = (event) => {
    // Enter also ends a word that is being composed from pinyin: that must not send.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) send(event);
  };
  return html`<form class="composer" onSubmit=${send}>
    <textarea ref=${box} rows="1" aria-label=${t("chat.question")} placeholder=${t("chat.placeholder")} value=${text} maxlength=${MOST}
      onInput=${(event) => setText(event.currentTarget.value)} onKeyDown=${keys} />
    ${running
      ? html`<${Button} icon="stop" label=${t("chat.stop")} onClick=${onStop} />`
      : html`<${Button} kind="primary" icon="send" type="submit" label=${t("chat.send")} disabled=${!text.trim()} />`}</form>`;
}

function Start({ onAsk }) {
  return html`<div class="start"><h2>${t("chat.start")}</h2><p class="quiet">${t("chat.start_about")}</p>
    <ul>${words("chat.starters").map((one) => html`<li key=${one}><button type="button" class="starter" onClick=${() => onAsk(one)}>${one}<${Icon} name="right" size=${15} /></button></li>`)}</ul></div>`;
}

/** Reads a streamed answer out sentence by sentence; once it is there it stays silent. */
function Spoken({ turn }) {
  const whole = turn?.state === "running" ? turn.spoken.join("") : "";
  const ends = [...whole.matchAll(/[。！？!?\n]|\.\s/g)].at(-1);
  const told = ends ? whole.slice(0, ends.index + 1) : "";
  const sentences = told.split(/(?<=[。！？!?\n])/).map((one) => one.replace(/[*#`]/g, "").trim()).filter(Boolean);
  const state = { failed: turn?.problem?.message, stopped: t("chat.stopped") }[turn?.state];
  return html`<div class="only-read" role="log" aria-live="polite" aria-label=${t("chat.answer")}>${sentences.map((one, at) => html`<p key=${at}>${one}</p>`)}${state && html`<p>${state}</p>`}</div>`;
}

export function Page({ args, query }) {
  const thread = args[0] ?? null;
  const named = (name) => go("chat", [name], {}, { replace: true });
  const talk = useConversation(thread, named);
  const [source, setSource] = useState(null);
  const [listed, setListed] = useState(false);
  const end = useRef(null);
  const turns = talk.turns;
  const text = turns.at(-1)?.text;
  const stuck = useRef(true);
  useEffect(() => {
    const watch = () => { stuck.current = innerHeight + scrollY > document.documentElement.scrollHeight - 160; };
    addEventListener("scroll", watch, { passive: true });
    return () => removeEventListener("scroll", watch);
  }, []);
  useEffect(() => { if (turns.length && (stuck.current || turns.at(-1).text === "")) end.current?.scrollIntoView({ block: "end" }); }, [turns.length, text]);
  const ask = (question) => { stuck.current = true; talk.ask(question); };
  const decide = (decision) => talk.decide(decision).catch(toastProblem);
  const stop = () => talk.stop().catch(toastProblem);
  const fresh = html`<${Button} icon="plus" onClick=${() => { setListed(false); go("chat"); }}>${t("chat.new")}<//>`;
  return html`<div class="chat">
    <aside class="chat-side" aria-label=${t("chat.threads")}>${fresh}<${Threads} now=${thread} /></aside>
    <section class="chat-main">
      <header class="chat-bar"><h1 class="only-read">${t("pages.chat")}</h1>
        <${Button} kind="ghost" icon="threads" label=${t("chat.threads")} onClick=${() => setListed(true)} />
        <span class="clip grow strong">${turns[0]?.question || t("pages.chat")}</span><${Button} kind="ghost" icon="plus" label=${t("chat.new")} onClick=${() => go("chat")} /></header>
      <div class="turns">
        ${talk.problem && html`<${Failure} problem=${talk.problem} onRetry=${talk.reload} />`}
        ${talk.loading && html`<${Skeleton} lines=${6} />`}
        ${!talk.loading && !turns.length && !talk.problem && html`<${Start} onAsk=${ask} />`}
        ${turns.map((turn, at) => html`<${Turn} key=${at} turn=${turn} isLast=${at === turns.length - 1} asked=${turns.map((one) => one.question)} deciding=${talk.deciding}
          onAsk=${ask} onDecide=${decide} onOpen=${(call, path) => setSource({ call, path })} />`)}
        <${Spoken} turn=${turns.at(-1)} />
      </div>
      <div class="chat-foot"><${Composer} running=${talk.running} draft=${query.ask} onAsk=${ask} onStop=${stop} /><p class="tiny quiet">${t("chat.note")}</p></div>
      <div ref=${end} />
    </section>
    ${source && html`<${Drawer} title=${t("result.title")} onClose=${() => setSource(null)}><${ResultDetail} call=${source.call} path=${source.path} /><//>`}
    ${listed && html`<${Drawer} title=${t("chat.threads")} onClose=${() => setListed(false)}><div class="stack">${fresh}<${Threads} now=${thread} onChosen=${() => setListed(false)} /></div><//>`}
  </div>`;
}
