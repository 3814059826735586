// Runs before the first paint: the theme chosen earlier must not flash in afterwards.
(() => {
  const kept = (name) => {
    try { return localStorage.getItem(name); } catch { return null; }
  };
  const root = document.documentElement;
  const theme = kept("vl-theme");
  const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "dark" : "light";
  const language = kept("vl-language") || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
  root.lang = language === "zh" ? "zh-CN" : "en";
  // The page writes no markup. Of what the chart library does, emptying a node is all it needs.
  if (window.trustedTypes) {
    window.trustedTypes.createPolicy("default", { createHTML: (text) => (text === "" ? "" : null) });
  }
})();
