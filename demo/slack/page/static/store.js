// What the person sees, as the server sends it: entries by key, brought up by what changed.

const listeners = new Set();
let entries = new Map();
let socket = null;
let waiting = null;

export const state = { user: "", online: false, loaded: false };

export function entry(key) {
  return entries.get(key);
}

/** All entries of a kind, such as "channel" or "message/C0INCIDENT1". */
export function entriesOf(kind) {
  const found = [];
  for (const [key, value] of entries) if (key.startsWith(`${kind}/`)) found.push(value);
  return found;
}

export function onChange(listener) {
  listeners.add(listener);
}

let asked = false;
export function changed() {
  if (asked) return;
  asked = true;
  queueMicrotask(() => {
    asked = false;
    for (const listener of listeners) listener();
  });
}

/** Shows the workspace as this person from now on. */
export function connect(user) {
  if (state.user === user && socket) return;
  state.user = user;
  state.loaded = false;
  open();
}

function open() {
  clearTimeout(waiting);
  socket?.close();
  const mine = new WebSocket(`ws://${location.host}/page/live?as=${state.user}`);
  socket = mine;
  mine.addEventListener("message", (event) => {
    if (socket === mine) take(JSON.parse(event.data));
  });
  mine.addEventListener("close", () => {
    if (socket !== mine) return;
    state.online = false;
    changed();
    waiting = setTimeout(open, 1500);
  });
}

function take(sent) {
  if (sent.fresh) entries = new Map();
  for (const [key, value] of Object.entries(sent.entries)) {
    if (value === null) entries.delete(key);
    else entries.set(key, value);
  }
  state.online = true;
  state.loaded = true;
  changed();
}

/** What the person does. The answer is {ok, error?, failure?}; an unreachable server is an answer as well. */
export async function act(what, given = {}) {
  try {
    const response = await fetch(`/page/do/${what}?as=${state.user}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(given),
    });
    return await response.json();
  } catch {
    return { ok: false, error: "the demo cannot be reached" };
  }
}

export const userOf = (id) => entry(`user/${id}`);
export const channelOf = (id) => entry(`channel/${id}`);
export const groupOf = (id) => entry(`group/${id}`);
export const app = () => entry("app");
