// What the typed tools answer, as hooks: asked anew when the arguments or the language change.
import { useCallback, useEffect, useMemo, useRef, useState } from "../html.js";
import { tool } from "../api.js";
import { useDimensions as useCatalogue } from "../dimensions.js";
import { useLanguage } from "../i18n.js";

/** {data, error, loading, reload} of any request that `key` stands for; while a new one runs, the last answer stays. */
export function useAsked(key, ask) {
  const [state, setState] = useState({ key: null, data: null, error: null });
  const turn = useRef(0);
  const asking = useRef(ask);
  asking.current = ask;
  const load = useCallback(async () => {
    if (key === null) return;
    const mine = (turn.current += 1);
    try {
      const data = await asking.current();
      if (mine === turn.current) setState({ key, data, error: null });
    } catch (error) {
      if (mine === turn.current) setState({ key, data: null, error });
    }
  }, [key]);
  useEffect(() => {
    load();
    return () => { turn.current += 1; };
  }, [load]);
  return { ...state, loading: key !== null && state.key !== key, reload: load };
}

/** The result of a tool; null arguments ask nothing. */
export function useTool(name, args) {
  const language = useLanguage();
  return useAsked(args === null ? null : JSON.stringify([name, args, language]), () => tool(name, args));
}

/** What the data can be split by: [{name, label, distinct, values: [{value, label, n}]}]; [] until it is known. */
export function useDimensions() {
  const { dimensions } = useCatalogue();
  // The server names them as within a sentence; here they stand alone.
  return useMemo(() => dimensions.map((one) => ({ ...one, label: one.label.charAt(0).toUpperCase() + one.label.slice(1) })), [dimensions]);
}

// Names of single things, and what says how a text came to be: nobody splits a picture by these.
const SINGLE = new Set([
  "feedback_id", "customer_id", "conversation_id", "text_key", "batch_id", "labeller", "media", "turn", "speaker",
  "hour", "weekday", "day_type", "date", "week", "month", "quarter", "year",
]);
/** Of those, what makes a picture with few enough parts. */
export const splitting = (dimensions) => dimensions.filter((one) => !SINGLE.has(one.name) && one.distinct > 1 && one.distinct <= 300);
