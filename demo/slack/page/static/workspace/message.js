// One message: who, when, its blocks, its reactions, and the way into its thread.

import { blocks } from "../blocks/index.js";
import { initial } from "../blocks/elements.js";
import { emoji, link } from "../blocks/leaves.js";
import { mrkdwn } from "../blocks/mrkdwn.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { go, here } from "../place.js";
import { act, app, userOf } from "../store.js";
import { ago, fullTime, timeOf } from "../times.js";
import { menu } from "../windows/menu.js";
import { told, toast } from "../windows/toast.js";
import { avatar, nameOf } from "./avatar.js";

/** `joined`: it follows one of the same author closely, and needs no head. `inThread`: no way into the thread. */
export function message(it, { joined = false, inThread = false } = {}) {
  const only = it.kind === "ephemeral";
  const head = joined ? null : h("div", { class: "head" }, h("span", { class: "author" }, nameOf(it.user)), badge(it), time(it));
  const aside = joined ? h("span", { class: "stamp" }, time(it)) : avatar(it.user);
  const body = h(
    "div",
    { class: "body" },
    only ? h("div", { class: "only" }, icon("eye", 14), "Only visible to you") : null,
    head,
    h("div", { class: "content" }, content(it), it.edited ? h("span", { class: "edited", title: "This message was edited" }, "(edited)") : null),
    reactions(it),
    only ? dismiss(it) : null,
    it.replies && !inThread ? threadBar(it) : null,
  );
  const label = `${nameOf(it.user)}, ${timeOf(it.ts)}: ${spoken(it.text) || "a message"}`;
  const node = h("div", { class: `message ${it.kind} ${joined ? "joined" : ""}`, role: "article", tabindex: "-1", "aria-label": label, data: { ts: it.ts } }, h("div", { class: "gutter" }, aside), body);
  if (!only) offerTools(node, it, inThread);
  return node;
}

/** A message's text without its markup. */
function spoken(text) {
  return h("div", null, mrkdwn(text)).textContent;
}

function badge(it) {
  const user = userOf(it.user);
  if (user?.app) return h("span", { class: "badge" }, "APP");
  return user?.team ? h("span", { class: "away" }, user.team) : null;
}

function time(it) {
  return h("time", { title: fullTime(it.ts), datetime: new Date(Number(it.ts) * 1000).toISOString() }, timeOf(it.ts));
}

function content(it) {
  const drawn = it.blocks.length ? blocks(it.blocks, host(it)) : it.text ? h("div", { class: "rich" }, mrkdwn(it.text)) : null;
  return [drawn, (it.attachments ?? []).map(attachment)];
}

/** What stands in a message has no state of its own beyond what was chosen. */
function host(it) {
  return {
    id: it.ts,
    value: (block, element) => initial(element),
    keep: () => {},
    act: async (element, value) => told(await act("click", { kind: it.kind, channel: it.channel, ts: it.ts, action: element.action_id, value: value ?? null })),
  };
}

/** What other apps still send: a coloured bar with a title, a text and fields. */
function attachment(it) {
  const fields = (it.fields ?? []).map((field) => h("div", { class: field.short ? "short" : "" }, h("b", null, field.title), h("div", null, mrkdwn(String(field.value)))));
  const title = it.title ? h("b", null, it.title_link ? link(it.title_link, it.title) : it.title) : null;
  const node = h("div", { class: "attachment" }, it.pretext ? mrkdwn(it.pretext) : null, title, it.text ? h("div", null, mrkdwn(it.text)) : null, fields.length ? h("div", { class: "fields" }, fields) : null, it.footer ? h("small", null, it.footer) : null);
  node.style.setProperty("--bar", { good: "#2eb67d", warning: "#e0a72e", danger: "#d6374f" }[it.color] ?? it.color ?? "");
  return node;
}

function reactions(it) {
  if (!it.reactions?.length) return null;
  return h("div", { class: "reactions" }, it.reactions.map((each) => h("span", { class: "reaction", title: each.users.map(nameOf).join(", ") }, emoji(each.name), ` ${each.users.length}`)));
}

function dismiss(it) {
  const press = async () => told(await act("dismiss", { channel: it.channel, ts: it.ts }));
  return h("button", { class: "plain-link", type: "button", data: { focus: "dismiss" }, on: { click: press } }, "Dismiss message");
}

function threadBar(it) {
  const count = `${it.replies} ${it.replies === 1 ? "reply" : "replies"}`;
  const fresh = it.fresh_replies ? h("span", { class: "fresh" }, `${it.fresh_replies} new`) : null;
  return h("button", { class: "thread-bar", type: "button", data: { focus: "thread" }, on: { click: () => openThread(it) } }, it.repliers.slice(0, 4).map((id) => avatar(id, "tiny")), h("span", { class: "count" }, count), fresh, h("span", { class: "last" }, `Last reply ${ago(it.last_reply)}`));
}

export function openThread(it) {
  go({ channel: here().channel, thread: it.thread || it.ts });
}

/** The tools over a message: made when it is pointed at or holds the focus, so that Tab is not a long way. */
function offerTools(node, it, inThread) {
  const offer = () => {
    if (!node.querySelector(".tools")) node.append(tools(it, inThread));
  };
  const withdraw = (event) => {
    const there = node.querySelector(".tools");
    const stays = there?.querySelector("[aria-expanded=true]") || node.contains(event.relatedTarget) || node.contains(document.activeElement);
    if (!stays) there?.remove();
  };
  node.addEventListener("mouseenter", offer);
  node.addEventListener("focusin", offer);
  node.addEventListener("mouseleave", withdraw);
  node.addEventListener("focusout", withdraw);
}

function tools(it, inThread) {
  const reply = h("button", { class: "tool", type: "button", "aria-label": "Reply in thread", title: "Reply in thread", data: { focus: "reply" }, on: { click: () => openThread(it) } }, icon("reply"));
  const more = h("button", { class: "tool", type: "button", "aria-label": "More actions", title: "More actions", "aria-haspopup": "menu", data: { focus: "more" }, on: { click: () => menu(more, entries(it, inThread)) } }, icon("more"));
  return h("div", { class: "tools", role: "group", "aria-label": "Message actions" }, inThread ? null : reply, more);
}

function entries(it, inThread) {
  const own = app().shortcuts.map((each) => ({
    text: each.name,
    hint: app().name,
    run: async () => told(await act("shortcut", { channel: it.channel, ts: it.ts, callback: each.callback })),
  }));
  const copy = async () => {
    await navigator.clipboard.writeText(spoken(it.text));
    toast("The text is copied.");
  };
  return [...own, ...(inThread ? [] : [{ text: "Reply in thread", run: () => openThread(it) }]), { text: "Copy text", run: copy }];
}
