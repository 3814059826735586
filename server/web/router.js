// Where the page is: `#/<page>/<arg>/...?name=value&name=value`. Everything that can be linked to is in the address.
import { shared, useShared } from "./shared.js";

export const HOME = "dashboard";

function read() {
  const [path, search = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [page, ...args] = path.split("/").filter(Boolean).map(decoded);
  const query = {};
  for (const [name, value] of new URLSearchParams(search)) {
    query[name] = name in query ? [].concat(query[name], value) : value;
  }
  return { page: page || HOME, args, query };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const route = shared(read());
addEventListener("hashchange", () => route.set(read()));

/** {page, args: [text], query: {name: text or [text]}} of the address now. */
export const useRoute = () => useShared(route);

/** The address of a page: empty values of the query are left out, lists are repeated. */
export function href(page, args = [], query = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [].concat(value ?? [])) if (one !== "") search.append(name, one);
  }
  const path = [page, ...[].concat(args)].map(encodeURIComponent).join("/");
  return `#/${path}${search.size ? `?${search}` : ""}`;
}

/** Go there; `replace` leaves no entry to come back to (for filters and the like). */
export function go(page, args = [], query = {}, { replace = false } = {}) {
  const address = href(page, args, query);
  if (location.hash === address) return;
  if (replace) {
    history.replaceState(null, "", address);
    route.set(read());
  } else {
    location.hash = address;
  }
}

/** Change values of the query of the page now, leaving the others. */
export function setQuery(changes) {
  const { page, args, query } = route.value;
  go(page, args, { ...query, ...changes }, { replace: true });
}
