// rich_text: sections, lists, quotes and preformatted text, with styled leaves.

import { h } from "../dom.js";
import { broadcast, channelMention, date, emoji, groupMention, link, userMention, withEmoji } from "./leaves.js";
import { unsupported } from "./unsupported.js";

const STYLES = { bold: "b", italic: "i", strike: "s", underline: "u", highlight: "mark", code: "code" };

const LEAVES = {
  text: (leaf) => (leaf.style?.code ? leaf.text : withEmoji(leaf.text)),
  link: (leaf) => link(leaf.url, leaf.text ?? leaf.url),
  user: (leaf) => userMention(leaf.user_id),
  usergroup: (leaf) => groupMention(leaf.usergroup_id),
  channel: (leaf) => channelMention(leaf.channel_id),
  broadcast: (leaf) => broadcast(leaf.range),
  emoji: (leaf) => emoji(leaf.name, leaf.unicode),
  date: (leaf) => date(leaf.timestamp, leaf.format, leaf.fallback, leaf.url),
  color: (leaf) => h("code", { class: "inline" }, leaf.value),
};

const GROUPS = {
  rich_text_section: (group) => h("div", { class: "line" }, leaves(group)),
  rich_text_preformatted: (group) => h("pre", { tabindex: "0", "aria-label": "quoted text" }, leaves(group)),
  rich_text_quote: (group) => h("blockquote", null, leaves(group)),
  rich_text_list: list,
};

export const GROUP_TYPES = Object.keys(GROUPS);
export const LEAF_TYPES = Object.keys(LEAVES);

export function richText(block) {
  return h("div", { class: "rich" }, block.elements.map((group) => (GROUPS[group.type] ?? unsupported)(group)));
}

function leaves(group) {
  return group.elements.map((leaf) => styled((LEAVES[leaf.type] ?? unsupported)(leaf), leaf.style ?? {}));
}

function styled(node, style) {
  for (const [name, tag] of Object.entries(STYLES)) {
    if (style[name]) node = h(tag, tag === "code" ? { class: "inline" } : null, node);
  }
  return node;
}

/** Lists of rich text are flat: `indent` says how deep one stands, `offset` where an ordered one goes on. */
function list(group) {
  const ordered = group.style === "ordered";
  const indent = group.indent ?? 0;
  const start = ordered && group.offset ? group.offset + 1 : null;
  const items = group.elements.map((item) => h("li", null, leaves(item)));
  return h(ordered ? "ol" : "ul", { class: `indent-${indent}`, start }, items);
}
