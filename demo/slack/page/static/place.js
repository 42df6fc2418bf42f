// Where the person is: in the address, so that back, forward and a second tab work.

import { app, changed, channelOf, connect, entriesOf, entry, state } from "./store.js";

export const APP = "app";
const last = new Map(); // each person comes back to where they were

/** {user, channel, thread}: `channel` is an id, or "app" for the bot's Home and "app-messages" for what it wrote. */
export function here() {
  const [, user = "", channel = "", thread = ""] = location.hash.split("/");
  return { user, channel, thread };
}

export function go({ user = here().user, channel, thread = "" }) {
  const next = `#/${user}/${channel}${thread ? `/${thread}` : ""}`;
  if (next !== location.hash) location.hash = next;
}

export function become(user) {
  go({ user, channel: "", ...last.get(user) });
}

/** The channel that is shown: the bot's direct messages are a channel too. */
export function shownChannel() {
  const { channel } = here();
  if (channel === `${APP}-messages`) return entriesOf("channel").find((each) => each.direct);
  return channel === APP ? undefined : channelOf(channel);
}

export function isApp() {
  return here().channel.startsWith(APP);
}

function arrived() {
  const { user, channel, thread } = here();
  const people = entry("team")?.people;
  if (people && !people.includes(user)) return go({ user: people[0], channel: "" });
  if (user) last.set(user, { channel, thread });
  if (user !== state.user) connect(user);
  else changed();
}

/** The first place of a person who has not been anywhere, once it is known what they see. */
export function settle() {
  const { user, channel } = here();
  if (!state.loaded || user !== state.user || isApp() || channelOf(channel)) return;
  const first = entriesOf("channel").find((each) => each.joined && !each.direct && !each.archived);
  if (first) history.replaceState(null, "", `#/${user}/${first.id}`);
}

export function start() {
  addEventListener("hashchange", arrived);
  if (here().user) arrived();
  else {
    history.replaceState(null, "", "#/U0ENGINEER1");
    arrived();
  }
}

/** A permalink of this workspace opens here: …/archives/C…/p1700000000000100?thread_ts=…. */
export function ofPermalink(url) {
  const match = /^https:\/\/[^/]+\.slack\.com\/archives\/(\w+)\/p(\d+)(\d{6})(?:\?(.*))?$/.exec(url);
  if (!match || !channelOf(match[1])) return null;
  const thread = new URLSearchParams(match[4]).get("thread_ts") ?? `${match[2]}.${match[3]}`;
  const known = entry(`message/${match[1]}/${thread}`);
  const direct = channelOf(match[1]).direct;
  return known && { channel: direct ? `${APP}-messages` : match[1], thread, ts: `${match[2]}.${match[3]}` };
}

export function isOwnApp(user) {
  return user === app()?.user;
}
