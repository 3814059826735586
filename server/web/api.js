// The public API, as any program uses it. Errors are Problems: RFC 9457 documents, or what the network said.
import { useCallback, useEffect, useRef, useState } from "./html.js";
import { shared } from "./shared.js";

export class Problem extends Error {
  constructor(document) {
    super(document.detail || document.title || String(document.status));
    Object.assign(this, { status: 0, hint: "", errors: null, request_id: "", type: "" }, document);
  }
}

// The token that unsafe requests of a session send back; session.js sets it.
export const csrf = shared(null);
// Counts answers that said "nobody knows who asks": session.js shows the sign-in then.
export const unknown = shared(0);

function address(path, query) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query || {})) {
    for (const one of [].concat(value ?? [])) if (one !== "") search.append(name, String(one));
  }
  return search.size ? `${path}?${search}` : path;
}

async function problemOf(response) {
  let document = { status: response.status, title: response.statusText };
  if ((response.headers.get("content-type") || "").includes("json")) document = { ...document, ...(await response.json()) };
  document.retry_after = Number(response.headers.get("retry-after")) || 0;
  if (response.status === 401) unknown.set((times) => times + 1);
  return new Problem(document);
}

async function send(method, path, { query, body, form, signal, accept, headers = {} } = {}) {
  const sent = { Accept: accept || "application/json", ...headers };
  if (csrf.value && method !== "GET") sent["X-CSRF-Token"] = csrf.value;
  if (body !== undefined) sent["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(address(path, query), {
      method, headers: sent, signal, credentials: "same-origin", body: form ?? (body === undefined ? undefined : JSON.stringify(body)),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ type: "network", status: 0, detail: error.message });
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** The JSON of an answer; null where it has no content. Options: query, body (JSON), form (FormData), signal, headers. */
export async function call(method, path, options) {
  const response = await send(method, path, options);
  if (response.status === 204) return null;
  return (response.headers.get("content-type") || "").includes("json") ? response.json() : response.text();
}

export const get = (path, query, options) => call("GET", path, { ...options, query });
export const post = (path, body, options) => call("POST", path, { ...options, body });
export const put = (path, body, options) => call("PUT", path, { ...options, body });
export const patch = (path, body, options) => call("PATCH", path, { ...options, body });
export const remove = (path, options) => call("DELETE", path, options);

/** A file as the server sends it, saved under a name. */
export async function download(path, name, options) {
  const response = await send(options?.method || "GET", path, { accept: "*/*", ...options });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** What GET answers, fetched anew whenever path or query change: {data, error, loading, reload, set}. A null path fetches nothing. */
export function useGet(path, query) {
  const key = path === null ? null : address(path, query);
  const [state, setState] = useState({ key, data: null, error: null, loading: key !== null });
  const asked = useRef(0);
  const load = useCallback(async () => {
    if (key === null) return;
    const mine = (asked.current += 1);
    setState((now) => ({ ...now, error: null, loading: true }));
    try {
      const data = await call("GET", key);
      if (mine === asked.current) setState({ key, data, error: null, loading: false });
    } catch (error) {
      if (mine === asked.current) setState((now) => ({ ...now, key, error, loading: false }));
    }
  }, [key]);
  useEffect(() => {
    load();
    return () => { asked.current += 1; };
  }, [load]);
  const set = useCallback((data) => setState((now) => ({ ...now, data: typeof data === "function" ? data(now.data) : data })), []);
  return { ...state, loading: state.loading || state.key !== key, reload: load, set };
}

/** What a read tool answers: {tool, args, period, filters, n, data, evidence, caveats, chart}. */
export const tool = (name, args = {}, options) => post(`/v1/tools/${encodeURIComponent(name)}`, args, options);

async function* parsed(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += value;
      let end;
      while ((end = rest.indexOf("\n\n")) >= 0) {
        const event = { type: "message", id: "", data: "", retry: 0 };
        for (const line of rest.slice(0, end).split("\n")) {
          const at = line.indexOf(":");
          if (at <= 0) continue;
          const text = line.slice(at + 1).replace(/^ /, "");
          const name = line.slice(0, at);
          if (name === "data") event.data += event.data ? `\n${text}` : text;
          else if (name === "event") event.type = text;
          else if (name === "id") event.id = text;
          else if (name === "retry") event.retry = Number(text) || 0;
        }
        rest = rest.slice(end + 2);
        if (event.data) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

const RETRIES = 6;
const pause = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(new DOMException("", "AbortError")); }, { once: true });
  });

/**
 * The events of a chat turn, each as its JSON. A connection that breaks is taken up again after the last event seen.
 * `message` starts a turn; without one the turn of `thread` is followed. `onThread` is told the thread's name.
 */
export async function* chatEvents({ message, thread, signal, onThread }) {
  let seen = "";
  let wait = 2_000;
  let name = thread;
  let begun = message === undefined;
  for (let broken = 0; broken <= RETRIES; broken += 1) {
    let response = null;
    try {
      const headers = seen ? { "Last-Event-ID": seen } : {};
      response = begun
        ? await send("GET", `/v1/chat/${encodeURIComponent(name)}/events`, { accept: "text/event-stream", signal, headers })
        : await send("POST", "/v1/chat", { accept: "text/event-stream", signal, body: thread ? { message, thread_id: thread } : { message } });
      if (response.status === 204) return;
      const told = response.headers.get("x-thread-id");
      if (told) onThread?.((name = decodeURIComponent(told)));
      begun = true;
      for await (const event of parsed(response)) {
        if (event.retry) wait = event.retry;
        if (event.id) seen = event.id;
        broken = 0;
        yield JSON.parse(event.data);
        if (event.type === "done" || event.type === "error") return;
      }
    } catch (error) {
      // Before the turn began, asking again could ask twice.
      if (error.name === "AbortError" || !begun || (error instanceof Problem && error.status)) throw error;
    }
    await pause(Math.min(wait * 2 ** broken, 15_000), signal);
  }
  throw new Problem({ type: "network", status: 0 });
}
