// What the feedback can be split and filtered by, with the server's names for dimensions and their values.
import { get } from "./api.js";
import { useEffect } from "./html.js";
import { language } from "./i18n.js";
import { shared, useShared } from "./shared.js";

const EMPTY = { dimensions: [], metrics: [] };
const known = shared(EMPTY);
let asked = null;

/** Fetch them again: after an import, or in another language. */
export async function refreshDimensions() {
  asked = language.value;
  try {
    known.set(await get("/v1/dimensions"));
  } catch {
    // Names are then shown as they are in the data; the next page that needs them asks again.
    asked = null;
  }
}

/** {dimensions: [{name, label, distinct, values: [{value, label, n}]}], metrics: [name]}; empty until they are known. */
export function useDimensions() {
  const spoken = useShared(language);
  useEffect(() => { if (asked !== spoken) refreshDimensions(); }, [spoken]);
  return useShared(known);
}

/** A function from a topic such as service/response_speed to its name. */
export function useTopicNames() {
  const topics = useDimensions().dimensions.find((one) => one.name === "topic")?.values || [];
  return (path) => topics.find((one) => one.value === path)?.label ?? path;
}
