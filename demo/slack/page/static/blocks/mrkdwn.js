// Slack's own markup: *bold* _italic_ ~struck~ `code` ```block``` > quote <links>, with & < > escaped.

import { h } from "../dom.js";
import { broadcast, channelMention, date, groupMention, link, userMention, withEmoji } from "./leaves.js";

/** A text object: {type: "mrkdwn" | "plain_text", text}. */
export function textObject(text) {
  if (text.type === "mrkdwn") return h("div", { class: "rich" }, mrkdwn(text.text));
  return h("span", { class: "plain" }, plain(text));
}

export function plain(text) {
  return text.emoji === false ? text.text : withEmoji(text.text);
}

export function mrkdwn(text) {
  return text.split(/```\n?([\s\S]*?)\n?```/).map((part, index) => (index % 2 ? h("pre", null, inline(part, true)) : lines(part)));
}

/** Lines that begin with > are one quote together. */
function lines(text) {
  const out = [];
  let quote = null;
  text.split("\n").forEach((line, index) => {
    const quoted = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quoted) {
      if (!quote) out.push((quote = h("blockquote")));
      else quote.append("\n");
      quote.append(...flat(inline(quoted[1])));
      return;
    }
    if (index && !quote) out.push("\n");
    quote = null;
    out.push(...flat(inline(line)));
  });
  return out;
}

const flat = (nodes) => [nodes].flat(Infinity).filter((node) => node !== null && node !== undefined);

const PAIRS = { "*": "b", _: "i", "~": "s" };
const TOKEN = /<([^<>]+)>|`([^`\n]+)`|(?<![\w*_~])([*_~])(?=\S)(.+?)(?<=\S)\3(?![\w*_~])/;

function inline(text, verbatim = false) {
  const out = [];
  let rest = text;
  for (let match = TOKEN.exec(rest); match; match = TOKEN.exec(rest)) {
    const [whole, angled, code, mark, inner] = match;
    out.push(words(rest.slice(0, match.index), verbatim));
    if (angled !== undefined) out.push(angle(angled));
    else if (verbatim) out.push(unescaped(whole));
    else if (code !== undefined) out.push(h("code", { class: "inline" }, inline(code, true)));
    else out.push(h(PAIRS[mark], null, inline(inner)));
    rest = rest.slice(match.index + whole.length);
  }
  out.push(words(rest, verbatim));
  return out;
}

function words(text, verbatim) {
  return verbatim ? unescaped(text) : withEmoji(unescaped(text));
}

function unescaped(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** <@U…>, <#C…>, <!subteam^S…>, <!here>, <!date^1700000000^{date}^url|fallback>, <https://…|text>. */
function angle(inner) {
  const [what, label] = split(inner, "|");
  if (what.startsWith("@")) return userMention(what.slice(1));
  if (what.startsWith("#")) return channelMention(what.slice(1));
  if (what.startsWith("!subteam^")) return groupMention(what.slice(9));
  if (what.startsWith("!date^")) {
    const [, timestamp, format, url] = what.split("^");
    return date(Number(timestamp), format, label, url);
  }
  if (what.startsWith("!")) return broadcast(what.slice(1));
  return link(unescaped(what), unescaped(label || what));
}

function split(text, at) {
  const index = text.indexOf(at);
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + 1)];
}
