// The middle: a channel, or the bot's Home and the messages with it.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { APP, go, here, isApp, shownChannel } from "../place.js";
import { act, app, channelOf, entry, state } from "../store.js";
import { told } from "../windows/toast.js";
import { avatar } from "./avatar.js";
import { composer } from "./composer.js";
import { home } from "./home.js";
import { fill, messagesIn, timeline, toEnd } from "./timeline.js";

const root = document.getElementById("main");
let drawn = ""; // which place the frame was made for
let list = null;
let field = null;

export function renderMain() {
  const channel = shownChannel();
  const place = `${state.user} ${here().channel} ${channel?.joined} ${channel?.members.length} ${Boolean(channel)}`;
  if (place !== drawn) frame(channel);
  drawn = place;
  if (isApp() && here().channel === APP) return home(root.querySelector(".home"));
  if (!channel || !list) return;
  fill(list, messagesIn(channel.id));
  if (channel.unread && !document.hidden) act("read", { channel: channel.id });
}

/** Writes into the message field of the channel, as the panel's examples do. */
export function put(text) {
  if (!field) go({ channel: entry("channel/C0INCIDENT1") ? "C0INCIDENT1" : here().channel });
  queueMicrotask(() => field?.put(text));
}

function frame(channel) {
  list = field = null;
  if (isApp()) appFrame(channel);
  else if (channel) channelFrame(channel);
  else root.replaceChildren();
}

function channelFrame(channel) {
  const count = channel.members.length;
  const head = h("header", { class: "head" }, h("h1", null, icon(channel.private ? "lock" : channel.shared ? "shared" : "hash"), channel.name), h("span", { class: "members", title: "Members" }, icon("people", 16), String(count), h("span", { class: "away" }, "members")));
  list = timeline(`Messages in ${channel.name}`);
  root.replaceChildren(head, list, foot(channel, `Message #${channel.name}`));
}

function foot(channel, label) {
  if (channel.archived) return h("p", { class: "bar" }, "This channel is archived: it can only be read.");
  if (!channel.joined) return joinBar(channel);
  field = composer({ label, id: "composer", where: () => ({ channel: channel.id, thread: "" }), sent: () => list && toEnd(list) });
  return field;
}

function joinBar(channel) {
  const join = async () => told(await act("join", { channel: channel.id }));
  return h("div", { class: "bar join", id: "composer", tabindex: "-1" }, h("b", null, `You are looking at #${channel.name}`), h("button", { class: "button solid primary", type: "button", on: { click: join } }, "Join channel"));
}

function appFrame(channel) {
  const messages = here().channel !== APP;
  const tab = (name, place, on) => h("a", { class: "tab", href: `#/${state.user}/${place}`, "aria-current": on ? "page" : null }, name);
  const head = h("header", { class: "head" }, h("h1", null, avatar(app()?.user, "small"), app()?.name), h("nav", { class: "tabs", "aria-label": "App" }, tab("Home", APP, !messages), tab("Messages", `${APP}-messages`, messages)));
  if (!messages) {
    root.replaceChildren(head, h("div", { class: "home", tabindex: "0", role: "group", "aria-label": "Home" }));
    act("home").then(told);
  } else if (channel && channelOf(channel.id)) {
    list = timeline("Messages with the app");
    root.replaceChildren(head, list, foot(channel, `Message ${app().name}`));
  } else root.replaceChildren(head, h("p", { class: "empty" }, "No messages yet. An outcome that has no other place is told here."));
}
