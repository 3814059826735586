// One conversation as the page shows it: what the server keeps, and the turn under way as its events come.
import { chatEvents, get, patch, post, Problem, remove } from "./api.js";
import { useCallback, useEffect, useRef, useState } from "./html.js";
import { shared } from "./shared.js";

// Turns whose figures and results this tab has seen: the server tells those of the last turn only.
const seen = new Map();
const KEPT = 200;
// Conversations changed: lists of them are fetched anew.
export const changes = shared(0);
const changed = () => changes.set((count) => count + 1);

const fresh = (question) => ({ question, text: "", steps: [], answer: null, state: "running", problem: null, spoken: [] });

function remember(thread, at, turn) {
  seen.set(`${thread}\n${at}\n${turn.question}`, turn);
  if (seen.size > KEPT) seen.delete(seen.keys().next().value);
}

const stepsOf = (answer) => answer.tool_calls.map((call) => ({
  id: call.id, name: call.name, args: call.args, state: call.result.error ? "failed" : "done", n: call.result.n ?? null, error: call.result.error || "",
}));

const whole = (question, answer) => ({ ...fresh(question), text: answer.answer, steps: stepsOf(answer), answer, state: "done" });

function told(thread, stored) {
  return stored.turns.map((turn, at) => {
    const isLast = at === stored.turns.length - 1;
    if (isLast && stored.running) return fresh(turn.question);
    if (isLast && stored.last) {
      const one = whole(turn.question, stored.last);
      // What was said before a decision is part of the turn too.
      return { ...one, text: turn.answer || one.text };
    }
    const before = seen.get(`${thread}\n${at}\n${turn.question}`);
    if (before) return before;
    return { ...fresh(turn.question), text: turn.answer, state: turn.answer ? "done" : "broken" };
  });
}

function after(turn, event) {
  switch (event.type) {
    case "step_started":
      return { ...turn, steps: [...turn.steps.filter((one) => one.id !== event.id), { id: event.id, name: event.name, args: event.args, state: "running", n: null, error: "" }] };
    case "step_finished":
      return { ...turn, steps: turn.steps.map((one) => (one.id === event.id ? { ...one, state: event.ok ? "done" : "failed", n: event.n, error: event.error } : one)) };
    case "token":
      return { ...turn, text: turn.text + event.text, spoken: [...turn.spoken, event.text] };
    case "restart":
      return { ...turn, text: "", spoken: [] };
    case "answer":
      return { ...whole(turn.question, event.answer), spoken: turn.spoken, state: "running" };
    case "done":
      return { ...turn, state: "done", spoken: [] };
    case "error":
      return { ...turn, state: event.problem.status === 409 ? "stopped" : "failed", problem: new Problem(event.problem), spoken: [] };
    default:
      return turn;
  }
}

/**
 * {turns, loading, problem, running, ask, stop, decide, deciding} of a conversation; `thread` null is one not begun.
 * onNamed(thread) is told the name that the server gave a new one.
 */
export function useConversation(thread, onNamed) {
  const [turns, setTurns] = useState([]);
  const [loading, setLoading] = useState(thread !== null);
  const [problem, setProblem] = useState(null);
  const [deciding, setDeciding] = useState(false);
  const name = useRef(thread);
  const held = useRef(null);
  const last = (change) => setTurns((all) => [...all.slice(0, -1), change(all.at(-1))]);

  const follow = useCallback(async (message) => {
    const control = new AbortController();
    held.current = control;
    try {
      const named = (given) => {
        if (name.current === given) return;
        name.current = given;
        onNamed(given);
        changed();
      };
      for await (const event of chatEvents({ message, thread: name.current, signal: control.signal, onThread: named })) {
        if (control.signal.aborted) return;
        last((turn) => after(turn, event));
      }
      last((turn) => (turn.state === "running" ? { ...turn, state: turn.answer ? "done" : "broken" } : turn));
    } catch (error) {
      if (control.signal.aborted) return;
      last((turn) => ({ ...turn, state: "failed", problem: error }));
    } finally {
      if (held.current === control) held.current = null;
      changed();
    }
  }, []);

  const load = useCallback(async () => {
    try {
      const stored = await get(`/v1/chat/${encodeURIComponent(name.current)}`);
      setTurns(told(name.current, stored));
      setLoading(false);
      setProblem(null);
      if (stored.running) follow(undefined);
    } catch (error) {
      setLoading(false);
      setProblem(error);
    }
  }, []);

  useEffect(() => {
    if (thread === name.current && (turns.length || held.current)) return;
    held.current?.abort();
    name.current = thread;
    setTurns([]);
    setProblem(null);
    setLoading(thread !== null);
    if (thread !== null) load();
  }, [thread]);
  useEffect(() => () => held.current?.abort(), []);
  useEffect(() => {
    if (name.current) turns.forEach((turn, at) => { if (turn.answer && turn.state === "done") remember(name.current, at, turn); });
  }, [turns]);

  const running = turns.at(-1)?.state === "running";
  const ask = (question) => {
    setTurns((all) => [...all, fresh(question)]);
    follow(question);
  };
  const stop = async () => {
    if (name.current) await post(`/v1/chat/${encodeURIComponent(name.current)}/stop`, undefined);
  };
  const decide = async (decision) => {
    setDeciding(true);
    try {
      await post(`/v1/chat/${encodeURIComponent(name.current)}/approvals`, decision);
      await load();
      changed();
    } finally {
      setDeciding(false);
    }
  };
  return { turns, loading, problem, running, ask, stop, decide, deciding, reload: load };
}

export async function renameThread(thread, title) {
  const renamed = await patch(`/v1/chat/${encodeURIComponent(thread)}`, { title });
  changed();
  return renamed.thread_id;
}

export async function deleteThread(thread) {
  await remove(`/v1/chat/${encodeURIComponent(thread)}`);
  changed();
}
