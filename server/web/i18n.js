// Every word that is shown: from words.zh.json and words.en.json, `{name}` standing for a value.
import { keep, kept, shared, useShared } from "./shared.js";

let known = {};
export const language = shared(document.documentElement.lang.startsWith("zh") ? "zh" : "en");

/** Fetch the words of a language and show everything in it; the API is asked in it from then on. */
export async function speak(next) {
  const response = await fetch(new URL(`./words.${next}.json`, import.meta.url));
  known = await response.json();
  document.documentElement.lang = next === "zh" ? "zh-CN" : "en";
  document.cookie = `lang=${next}; path=/; max-age=31536000; SameSite=Strict`;
  language.set(next);
}

/** As `speak`, and remembered on this device. */
export function choose(next) {
  keep("language", next);
  return speak(next);
}

export const remembered = () => kept("language");
export const useLanguage = () => useShared(language);

function held(key) {
  let at = known;
  for (const part of key.split(".")) at = at?.[part];
  return at;
}

function found(key) {
  const text = held(key);
  return typeof text === "string" ? text : undefined;
}

/** The words of a key such as "chat.stop". A key without words shows itself, and the console tells. */
export function t(key, values) {
  const text = found(key);
  if (text === undefined) {
    console.error(`no words for ${key}`);
    return key;
  }
  return values ? text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole)) : text;
}

/** The name of a value such as ("channel", "review"); values that we have no name for are shown as they are. */
export const nameOf = (group, value) => (value == null ? "" : (found(`names.${group}.${value}`) ?? String(value)));

/** The texts of a key that holds a list; none where there is no such key. */
export function words(key) {
  const list = held(key);
  return Array.isArray(list) ? list : [];
}
