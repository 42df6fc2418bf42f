// The panel at the side with one thread.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { go, here, shownChannel } from "../place.js";
import { act, state } from "../store.js";
import { composer } from "./composer.js";
import { message } from "./message.js";
import { fill, parentOf, repliesTo, timeline, toEnd } from "./timeline.js";

const root = document.getElementById("thread");
let drawn = "";
let list = null;

export function renderThread() {
  const channel = shownChannel();
  const { thread } = here();
  const parent = channel && thread ? parentOf(channel.id, thread) : undefined;
  root.hidden = !parent;
  document.body.classList.toggle("with-thread", Boolean(parent));
  if (!parent) {
    drawn = "";
    return;
  }
  const place = `${state.user} ${channel.id} ${thread} ${channel.joined}`;
  const opened = place !== drawn;
  if (opened) frame(channel, parent);
  drawn = place;
  const replies = repliesTo(channel.id, thread);
  const count = `${replies.length} ${replies.length === 1 ? "reply" : "replies"}`;
  const first = [
    { key: "parent", sign: JSON.stringify(parent), make: () => message(parent, { inThread: true }) },
    { key: "count", sign: count, make: () => h("div", { class: "count-line" }, h("span", null, count)) },
  ];
  fill(list, replies, { inThread: true, first });
  if (opened) {
    const line = list.querySelector(".count-line");
    list.scrollTop = replies.length ? line.offsetTop - list.offsetTop - 120 : 0; // the answers, under the parent's end
    list.follows = false;
    root.querySelector("textarea")?.focus();
  }
  if (parent.fresh_replies && !document.hidden) act("read", { channel: channel.id, thread });
}

function frame(channel, parent) {
  const close = () => {
    go({ channel: here().channel });
    document.getElementById("composer")?.focus();
  };
  const head = h("header", { class: "head" }, h("h2", null, "Thread", h("span", { class: "away" }, channel.direct ? "" : ` #${channel.name}`)), h("button", { class: "quiet", type: "button", "aria-label": "Close thread", on: { click: close } }, icon("close")));
  list = timeline("Thread");
  const field = channel.joined && !channel.archived ? composer({ label: "Reply …", id: "reply", where: () => ({ channel: channel.id, thread: parent.ts }), sent: () => toEnd(list) }) : null;
  root.replaceChildren(head, list, field ?? "");
  root.onkeydown = (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) close();
  };
}
