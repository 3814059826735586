// Light, dark or as the system says.
import { keep, kept, shared, useShared } from "./shared.js";

const system = matchMedia("(prefers-color-scheme: dark)");
export const chosen = shared(kept("theme", "system"));
export const shade = shared("light");

function apply() {
  const dark = chosen.value === "dark" || (chosen.value === "system" && system.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", token("--bg"));
  shade.set(dark ? "dark" : "light");
}
system.addEventListener("change", apply);
apply();

/** "light", "dark" or "system", remembered on this device. */
export function chooseTheme(next) {
  keep("theme", next === "system" ? null : next);
  chosen.set(next);
  apply();
}

export const useChosenTheme = () => useShared(chosen);
/** "light" or "dark", whichever is shown. */
export const useShade = () => useShared(shade);
/** The value of a design token, for what is drawn on a canvas. */
export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
