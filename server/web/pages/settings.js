// Settings: this device, the topics and words that label feedback, the policy, keys.
import { html } from "../html.js";
import { post, useGet } from "../api.js";
import { dateTime } from "../format.js";
import { choose, language, nameOf, t, useLanguage } from "../i18n.js";
import { Badge, Button, Segments, Tabs } from "../parts/controls.js";
import { Keys } from "../parts/keys.js";
import { PageHead } from "../parts/layout.js";
import { confirmed, toast, toastProblem } from "../parts/overlays.js";
import { OwnFile } from "../parts/own_file.js";
import { Policy } from "../parts/policy.js";
import { Empty, Loaded } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { go } from "../router.js";
import { may, useMe } from "../session.js";
import { chooseTheme, useChosenTheme } from "../theme.js";

const here = (names) => names[language.value] ?? Object.values(names)[0] ?? "";

function General() {
  const who = useMe();
  const spoken = useLanguage();
  const theme = useChosenTheme();
  return html`<div class="card"><div class="card-body"><dl class="facts settings-facts">
    <dt>${t("settings.spoken")}</dt><dd><${Segments} label=${t("settings.spoken")} value=${spoken} onChange=${choose} options=${["zh", "en"].map((value) => ({ value, label: nameOf("own_language", value) }))} /></dd>
    <dt>${t("settings.theme")}</dt><dd><${Segments} label=${t("settings.theme")} value=${theme} onChange=${chooseTheme} options=${["system", "light", "dark"].map((value) => ({ value, label: t(`settings.theme_${value}`) }))} /></dd>
    <dt>${t("settings.who")}</dt><dd>${who.user} · ${nameOf("role", who.role)}</dd>
    <dt>${t("keys.scope")}</dt><dd>${who.scope.join(t("common.comma")) || t("keys.everything")}</dd>
    <dt>${t("settings.zone")}</dt><dd>${who.timezone}</dd></dl></div></div>`;
}

function Topics({ labelling, onSaved }) {
  const columns = [
    { key: "name", label: t("settings.topic"), show: (one) => here(one.names), value: (one) => here(one.names), sortable: true },
    { key: "path", label: t("settings.path"), show: (one) => html`<span class="mono quiet">${one.path}</span>`, sortable: true },
    { key: "department", label: t("settings.department"), show: (one) => here(one.departments), value: (one) => here(one.departments), sortable: true },
  ];
  return html`<div class="stack loose"><div class="row wrap"><span class="small quiet">${t("settings.packs")}</span>${labelling.packs.map((pack) => html`<${Badge} key=${pack.name} kind=${pack.on ? "accent" : ""}>${here(pack.title)}${pack.on ? ` · ${t("settings.on")}` : ""}<//>`)}</div>
    <${OwnFile} key=${`taxonomy ${labelling.version}`} name="taxonomy" text=${labelling.taxonomy} version=${labelling.version} onSaved=${onSaved} />
    <div class="stack"><h2>${t("settings.topics", { n: labelling.topics.length })}</h2><${Table} caption=${t("settings.topic")} columns=${columns} rows=${labelling.topics} rowKey=${(one) => one.path} /></div></div>`;
}

function History({ onBack }) {
  const list = useGet("/v1/settings/labelling/history");
  const back = async (version) => {
    if (!(await confirmed({ title: t("settings.back_title"), text: t("settings.back_text", { version }), action: t("settings.back"), danger: true }))) return;
    try {
      await post("/v1/settings/labelling/rollback", { version });
      toast(t("settings.saved"));
      onBack();
      list.reload();
    } catch (problem) {
      toastProblem(problem);
    }
  };
  const columns = [
    { key: "at", label: t("settings.when"), show: (one) => dateTime(one.at) },
    { key: "version", label: t("settings.version"), show: (one) => html`<span class="mono">${one.version}</span>` },
    { key: "action", label: t("settings.action"), show: (one) => nameOf("change", one.action) },
    { key: "actor", label: t("jobs.by") },
    ...(may("admin") ? [{ key: "act", label: t("jobs.change"), end: true, show: (one) => html`<${Button} slim onClick=${() => back(one.version)}>${t("settings.back")}<//>` }] : []),
  ];
  return html`<${Loaded} from=${list}>${({ changes }) => html`<${Table} caption=${t("settings.history")} columns=${columns} rows=${changes} empty=${html`<${Empty} title=${t("settings.no_history")} />`} />`}<//>`;
}

function Labelling({ tab }) {
  const found = useGet("/v1/settings/labelling");
  if (tab === "history") return html`<${History} onBack=${found.reload} />`;
  return html`<${Loaded} from=${found}>${(labelling) => (tab === "taxonomy"
    ? html`<${Topics} labelling=${labelling} onSaved=${found.reload} />`
    : html`<${OwnFile} key=${`lexicon ${labelling.version}`} name="lexicon" text=${labelling.lexicon} version=${labelling.version} onSaved=${found.reload} />`)}<//>`;
}

export function Page({ args }) {
  const tabs = ["general", "taxonomy", "lexicon", ...(may("manager") ? ["history"] : []), "policy", ...(may("admin") ? ["keys"] : [])];
  const tab = tabs.includes(args[0]) ? args[0] : "general";
  return html`<div class="page"><${PageHead} title=${t("pages.settings")} />
    <${Tabs} id="settings" label=${t("pages.settings")} value=${tab} onChange=${(value) => go("settings", [value], {}, { replace: true })} options=${tabs.map((value) => ({ value, label: t(`settings.${value}`) }))} />
    <div class="settings-panel" role="tabpanel" id="settings-panel" aria-labelledby="settings-${tab}" tabIndex="0">
      ${tab === "general" && html`<${General} />`}${["taxonomy", "lexicon", "history"].includes(tab) && html`<${Labelling} key=${tab} tab=${tab} />`}
      ${tab === "policy" && html`<${Policy} />`}${tab === "keys" && html`<${Keys} />`}</div></div>`;
}
