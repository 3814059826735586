// Signing in by an API key.
import { html, useState } from "../html.js";
import { t } from "../i18n.js";
import { signIn } from "../session.js";
import { Button, Field } from "./controls.js";
import { Logo, LanguageChoice } from "./layout.js";

/** Shown instead of the page while nobody is signed in. */
export function Login() {
  const [key, setKey] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      await signIn(key.trim());
    } catch (problem) {
      setError(problem.status === 0 ? t("common.unreachable") : problem.status === 401 ? t("login.unknown") : problem.message);
      setBusy(false);
    }
  };
  return html`<main class="login"><form onSubmit=${submit}>
    <div class="row between"><span class="brand"><${Logo} />VoiceLoop</span><${LanguageChoice} /></div>
    <h1>${t("login.title")}</h1>
    <${Field} label=${t("login.key")} help=${t("login.help")} error=${error}>${(tied) => html`<input class="input mono" type="password" name="key" autocomplete="current-password"
      spellcheck="false" required value=${key} onInput=${(event) => setKey(event.currentTarget.value)} ...${tied} />`}<//>
    <${Button} kind="primary" type="submit" busy=${busy} disabled=${!key.trim()}>${t("login.go")}<//>
  </form></main>`;
}
