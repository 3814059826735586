// A value that several components show: set it once, all of them follow.
import { useEffect, useState } from "./html.js";

/** @returns {{value: any, set(next: any): void, follow(listener: Function): Function}} */
export function shared(value) {
  const listeners = new Set();
  return {
    get value() { return value; },
    set(next) {
      value = typeof next === "function" ? next(value) : next;
      for (const listener of [...listeners]) listener(value);
    },
    follow(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The present value of something shared, and again whenever it changes. */
export function useShared(one) {
  const [value, setValue] = useState(one.value);
  useEffect(() => {
    setValue(() => one.value);
    return one.follow((next) => setValue(() => next));
  }, [one]);
  return value;
}

/** What is kept on this device, if the browser lets us; `fallback` otherwise. */
export function kept(name, fallback = null) {
  try {
    const text = localStorage.getItem(`vl-${name}`);
    return text === null ? fallback : text;
  } catch {
    return fallback;
  }
}

/** Keep a text on this device; null forgets it. A browser that refuses storage only forgets sooner. */
export function keep(name, text) {
  try {
    if (text === null) localStorage.removeItem(`vl-${name}`);
    else localStorage.setItem(`vl-${name}`, text);
  } catch {
    return false;
  }
  return true;
}
