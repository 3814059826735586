// Who is signed in.
import { csrf, get, post, remove, unknown } from "./api.js";
import { zone } from "./format.js";
import { shared, useShared } from "./shared.js";

// undefined: not known yet; null: nobody; else {user, role, scope, language, single_user, timezone}.
export const me = shared(undefined);
const RANK = { viewer: 0, analyst: 1, service: 1, manager: 2, admin: 3 };

function take(who) {
  csrf.set(who?.csrf ?? null);
  if (who?.timezone) zone.set(who.timezone);
  me.set(who);
  return who;
}

/** Ask the server who we are; null where it wants a key first. Any other failure is thrown. */
export async function recognise() {
  try {
    return take(await get("/v1/me"));
  } catch (error) {
    if (error.status === 401) return take(null);
    throw error;
  }
}

export const signIn = async (key) => take(await post("/v1/session", { key }));

export async function signOut() {
  await remove("/v1/session");
  take(null);
}

// A session that ended meanwhile: ask once more, and show the sign-in if it is so.
unknown.follow(() => { if (me.value) recognise().catch(() => take(null)); });

export const useMe = () => useShared(me);
/** Whether the one signed in has this role or one above it. */
export const may = (role) => Boolean(me.value) && RANK[me.value.role] >= RANK[role];
