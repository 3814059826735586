// Narrow by any dimension of the data: first which, then which value.
import { html, useState } from "../html.js";
import { number } from "../format.js";
import { t } from "../i18n.js";
import { setQuery, useRoute } from "../router.js";
import { splitting, useDimensions } from "./asked.js";
import { Select } from "./controls.js";
import { Filters } from "./filters.js";

function AddFilter() {
  const { query } = useRoute();
  const dimensions = splitting(useDimensions()).filter((one) => one.values.length && !(`d.${one.name}` in query));
  const [name, setName] = useState("");
  const chosen = dimensions.find((one) => one.name === name);
  const take = (value) => {
    setName("");
    if (value) setQuery({ [`d.${chosen.name}`]: value });
  };
  if (chosen) {
    const values = chosen.values.map((one) => ({ value: one.value, label: `${one.label} (${number(one.n)})` }));
    return html`<${Select} aria-label=${t("drill.value_of", { what: chosen.label })} value="" options=${[{ value: "", label: t("drill.value_of", { what: chosen.label }) }, ...values]} onChange=${take} />`;
  }
  return html`<${Select} aria-label=${t("drill.add_filter")} value="" options=${[{ value: "", label: t("drill.add_filter") }, ...dimensions.map((one) => ({ value: one.name, label: one.label }))]} onChange=${setName} />`;
}

/** Period and filters in the address, with every dimension of the data to choose from. */
export function SelectionBar({ fallback = "last_90", children }) {
  const dimensions = useDimensions();
  const { query } = useRoute();
  // Only those in force are told to Filters: it names their values; the others are behind one control.
  const inForce = dimensions.filter((one) => `d.${one.name}` in query);
  return html`<${Filters} fallback=${fallback} dimensions=${inForce}><${AddFilter} />${children}<//>`;
}
