// A list of messages that follows its end, with days between them. Arrow keys walk from message to message.

import { h, keyed } from "../dom.js";
import { entriesOf, entry } from "../store.js";
import { dateOf, dayOf } from "../times.js";
import { message, openThread } from "./message.js";

const CLOSE = 5 * 60; // seconds: within them an author's messages are drawn together

/** The channel's own messages, replies left out unless they were sent to the channel too. */
export function messagesIn(channel) {
  return sorted([...entriesOf(`message/${channel}`), ...entriesOf(`ephemeral/${channel}`)].filter((it) => !it.thread || it.broadcast));
}

export function repliesTo(channel, ts) {
  return sorted([...entriesOf(`message/${channel}`), ...entriesOf(`ephemeral/${channel}`)].filter((it) => it.thread === ts));
}

export const parentOf = (channel, ts) => entry(`message/${channel}/${ts}`);

const sorted = (list) => list.sort((a, b) => (a.ts < b.ts ? -1 : 1));

export function timeline(label) {
  const node = h("div", { class: "timeline", role: "feed", "aria-label": label, tabindex: "0", on: { keydown: walk } });
  node.follows = true;
  let before = 0;
  node.addEventListener("scroll", () => {
    // What grew below since is no reason to stay behind: only who scrolls up wants to.
    if (node.scrollHeight - node.scrollTop - node.clientHeight < 60) node.follows = true;
    else if (node.scrollTop < before) node.follows = false;
    before = node.scrollTop;
  });
  new ResizeObserver(() => node.follows && toEnd(node)).observe(node);
  return node;
}

export function toEnd(node) {
  node.follows = true;
  node.scrollTop = node.scrollHeight;
}

/** `first` are nodes' items before the messages, such as a thread's parent. */
export function fill(node, messages, { inThread = false, first = [] } = {}) {
  const items = [...first];
  let before = null;
  for (const it of messages) {
    if (!inThread && (!before || dateOf(before.ts).toDateString() !== dateOf(it.ts).toDateString())) {
      items.push({ key: `day-${dateOf(it.ts).toDateString()}`, sign: dayOf(it.ts), make: () => h("div", { class: "day", role: "separator" }, h("span", null, dayOf(it.ts))) });
      before = null;
    }
    const joined = Boolean(before) && before.user === it.user && before.kind === it.kind && it.ts - before.ts < CLOSE && !before.replies && it.kind !== "ephemeral";
    items.push({ key: `${it.kind}-${it.ts}`, sign: JSON.stringify([it, joined]), make: () => message(it, { joined, inThread }) });
    before = it;
  }
  keyed(node, items);
  if (node.follows) toEnd(node);
}

function walk(event) {
  const list = event.currentTarget;
  const all = [...list.querySelectorAll(".message")];
  const now = event.target.closest(".message");
  if (event.target !== list && event.target !== now) return; // a button, a field: their own keys
  const at = all.indexOf(now);
  const to = { ArrowUp: at < 0 ? all.length - 1 : at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
  if (to !== undefined && all[to]) all[to].focus();
  else if (now && (event.key === "t" || event.key === "Enter")) {
    const it = { ts: now.dataset.ts };
    openThread(it);
  } else return;
  event.preventDefault();
}
