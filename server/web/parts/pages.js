// Lists that the server gives in pages.
import { html, useEffect, useState } from "../html.js";
import { get } from "../api.js";
import { t } from "../i18n.js";
import { useAsked } from "./asked.js";
import { Button } from "./controls.js";
import { toastProblem } from "./overlays.js";

/** {items (null until known), first (the first page), error, more(), cursor, busy, reload}. */
export function usePages(path, query, noun) {
  const key = `${path} ${JSON.stringify(query)}`;
  const found = useAsked(key, () => get(path, { limit: 50, ...query }));
  const [rest, setRest] = useState({ of: null, items: [], cursor: null });
  const [busy, setBusy] = useState(false);
  useEffect(() => { setRest({ of: found.data, items: [], cursor: found.data?.next_cursor ?? null }); }, [found.data]);
  const more = async () => {
    setBusy(true);
    try {
      const page = await get(path, { limit: 50, ...query, cursor: rest.cursor });
      setRest((now) => (now.of === found.data ? { ...now, items: [...now.items, ...page[noun]], cursor: page.next_cursor } : now));
    } catch (error) {
      toastProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return { items: found.data && [...found.data[noun], ...rest.items], first: found.data, error: found.error, reload: found.reload, cursor: rest.cursor, more, busy };
}

export const More = ({ from }) => (from.cursor ? html`<div class="row center"><${Button} busy=${from.busy} onClick=${from.more}>${t("common.load_more")}<//></div>` : null);
