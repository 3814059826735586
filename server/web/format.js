// Numbers, times and sizes as a reader of the page's language writes them.
import { language } from "./i18n.js";
import { shared } from "./shared.js";

// The zone that the server counts days in; session.js sets it.
export const zone = shared(undefined);
const locale = () => (language.value === "zh" ? "zh-CN" : "en-GB");

/** 1234.5 -> "1,234.5"; null -> an en dash. */
export function number(value, digits = 0) {
  if (value == null || Number.isNaN(value)) return "–";
  return new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

/** 0.1234 -> "12.3%". */
export function percent(share, digits = 1) {
  return share == null ? "–" : `${number(share * 100, digits)}%`;
}

/** 3.2 -> "+3.2", -1 -> "−1.0". */
export function signed(value, digits = 1) {
  if (value == null) return "–";
  const text = number(Math.abs(value), digits);
  if (Number(Math.abs(value).toFixed(digits)) === 0) return text;
  return `${value < 0 ? "−" : "+"}${text}`;
}

const time = (options) => (value) => {
  if (!value) return "–";
  const when = value instanceof Date ? value : new Date(value);
  if (Number.isNaN(when.getTime())) return String(value);
  return new Intl.DateTimeFormat(locale(), { timeZone: zone.value, ...options }).format(when);
};
export const date = time({ year: "numeric", month: "short", day: "numeric" });
export const dateTime = time({ year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
export const clock = time({ month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
/** How long ago, or in how long: "3 hours ago", "2天后". */
export function ago(value, now = Date.now()) {
  if (!value) return "–";
  const seconds = (new Date(value).getTime() - now) / 1_000;
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return relative.format(0, "minute");
}

/** The day of a moment in the server's zone as the API writes it: 2026-10-01. */
export function isoDay(value = new Date()) {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone.value, year: "numeric", month: "2-digit", day: "2-digit" }).format(value);
}

/** Bytes as B, KB or MB. */
export const size = (bytes) => (bytes < 1e3 ? `${number(bytes)} B` : bytes < 1e6 ? `${number(bytes / 1e3)} KB` : `${number(bytes / 1e6, 1)} MB`);
/** Milliseconds as seconds. */
export const seconds = (ms) => `${number(ms / 1_000, ms < 10_000 ? 1 : 0)} s`;
