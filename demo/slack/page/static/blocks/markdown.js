// The markdown block: standard Markdown, as far as Slack draws it.

import { h } from "../dom.js";
import { link, withEmoji } from "./leaves.js";

export function markdown(block) {
  return h("div", { class: "rich markdown" }, blocksOf(block.text.replace(/\r\n?/g, "\n").split("\n")));
}

const ITEM = /^(\s*)([-*+]|\d+[.)])\s+(.*)$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const ROW = /^\s*\|.*\|\s*$/;

function blocksOf(lines) {
  const out = [];
  let at = 0;
  const take = (test) => {
    const from = at;
    while (at < lines.length && test(lines[at])) at += 1;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at];
    const heading = HEADING.exec(line);
    if (!line.trim()) at += 1;
    else if (/^\s*```/.test(line)) {
      at += 1;
      out.push(h("pre", { tabindex: "0", "aria-label": "quoted text" }, take((each) => !/^\s*```/.test(each)).join("\n")));
      at += 1;
    } else if (RULE.test(line)) {
      at += 1;
      out.push(h("hr"));
    } else if (heading) {
      at += 1;
      out.push(h("div", { class: `heading h${heading[1].length}`, role: "heading", "aria-level": heading[1].length + 2 }, inline(heading[2])));
    } else if (/^\s*>/.test(line)) {
      out.push(h("blockquote", null, blocksOf(take((each) => /^\s*>/.test(each)).map((each) => each.replace(/^\s*> ?/, "")))));
    } else if (ROW.test(line)) out.push(table(take((each) => ROW.test(each))));
    else if (ITEM.test(line)) out.push(list(take((each) => ITEM.test(each) || /^\s+\S/.test(each))));
    else {
      const starts = (each) => !each.trim() || HEADING.test(each) || ITEM.test(each) || /^\s*(>|```)/.test(each) || ROW.test(each) || RULE.test(each);
      out.push(h("p", null, inline([lines[at++], ...take((each) => !starts(each))].join("\n"))));
    }
  }
  return out;
}

/** An item goes on in the lines that are indented under it; deeper items are a list of their own. */
function list(lines) {
  const indent = ITEM.exec(lines[0])[1].length;
  const ordered = /\d/.test(ITEM.exec(lines[0])[2]);
  const items = [];
  for (const line of lines) {
    const item = ITEM.exec(line);
    if (item && item[1].length <= indent) items.push({ first: item[3], rest: [] });
    else items.at(-1).rest.push(line);
  }
  const start = ordered ? parseInt(ITEM.exec(lines[0])[2], 10) : null;
  return h(ordered ? "ol" : "ul", { start }, items.map((item) => h("li", null, inline(item.first), continued(item.rest))));
}

function continued(lines) {
  const from = lines.findIndex((line) => ITEM.test(line));
  const words = (from < 0 ? lines : lines.slice(0, from)).map((line) => line.trim());
  return [words.length ? [" ", inline(words.join(" "))] : [], from < 0 ? [] : list(lines.slice(from))];
}

function table(rows) {
  const cells = rows.map((row) => row.trim().slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|")));
  const ruled = cells[1]?.every((cell) => /^:?-+:?$/.test(cell));
  const body = ruled ? cells.slice(2) : cells;
  const row = (tag, each) => h("tr", null, each.map((cell) => h(tag, tag === "th" ? { scope: "col" } : null, inline(cell))));
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "table" }, h("table", null, ruled ? h("thead", null, row("th", cells[0])) : null, h("tbody", null, body.map((each) => row("td", each)))));
}

const TOKEN = /(`+)([\s\S]+?)\1|\*\*([\s\S]+?)\*\*|__([\s\S]+?)__|(?<!\w)[*_](?=\S)([^*_]+?)(?<=\S)[*_](?!\w)|~~([\s\S]+?)~~|\[([^\]]+)\]\(([^)\s]+)\)|<(https?:[^>\s]+)>|\\([\\`*_{}[\]()#+.!|>~-])/;

function inline(text) {
  const match = TOKEN.exec(text);
  if (!match) return withEmoji(text);
  const [whole, , code, bold, bold2, italic, struck, label, url, bare, escaped] = match;
  let node;
  if (code !== undefined) node = h("code", { class: "inline" }, code);
  else if (bold ?? bold2) node = h("b", null, inline(bold ?? bold2));
  else if (italic) node = h("i", null, inline(italic));
  else if (struck) node = h("s", null, inline(struck));
  else if (label) node = link(url, inline(label));
  else if (bare) node = link(bare);
  else node = escaped;
  return [withEmoji(text.slice(0, match.index)), node, inline(text.slice(match.index + whole.length))];
}
