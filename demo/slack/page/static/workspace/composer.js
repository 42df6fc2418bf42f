// The message field, with what it offers above it.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { act } from "../store.js";
import { told } from "../windows/toast.js";
import { avatar } from "./avatar.js";
import { encoded, offers } from "./completion.js";

let numbers = 0;

/** `where()` → {channel, thread}; `sent()` is told of what leaves. Slash commands are offered in channels only: threads do not take them. */
export function composer({ label, id, where, sent }) {
  const name = `offers-${(numbers += 1)}`;
  const list = h("div", { class: "offers", role: "listbox", id: name, "aria-label": "Suggestions", hidden: true });
  const field = h("textarea", { id, rows: 1, "aria-label": label, placeholder: label, role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": name, autocomplete: "off", spellcheck: "false" });
  const sender = h("button", { class: "send", type: "submit", "aria-label": "Send", disabled: true }, icon("send"));
  const start = (mark) => () => {
    field.focus();
    field.setRangeText(mark, mark === "/" ? 0 : field.selectionStart, mark === "/" ? field.value.length : field.selectionEnd, "end");
    written();
  };
  const tool = (glyph, title, mark) => h("button", { class: "tool", type: "button", title, "aria-label": title, on: { click: start(mark) } }, icon(glyph));
  const box = h("div", { class: "box" }, field, h("div", { class: "bar" }, where().thread ? null : tool("slash", "Run a command", "/"), tool("at", "Mention somebody", "@"), h("span", { class: "hint" }, h("b", null, "Shift + Enter"), " for a new line"), sender));
  const form = h("form", { class: "composer" }, list, box);
  const shown = { offers: [], at: -1, from: 0, to: 0, eager: false };

  function written() {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, 200)}px`;
    sender.disabled = !field.value.trim();
    offer(offers(field.value, field.selectionStart, { commands: !where().thread }));
  }
  function offer(found) {
    Object.assign(shown, found, { at: found.eager && found.offers.length ? 0 : -1 });
    list.replaceChildren(...shown.offers.map(option));
    list.hidden = !shown.offers.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    point();
  }
  function option(each, index) {
    const press = (event) => {
      event.preventDefault();
      take(index);
    };
    return h("div", { class: "offer", role: "option", id: `${name}-${index}`, on: { mousedown: press } }, each.user ? avatar(each.user, "tiny") : null, h("b", null, each.text), h("span", null, each.about));
  }
  function point() {
    [...list.children].forEach((node, index) => {
      node.setAttribute("aria-selected", String(index === shown.at));
      if (index === shown.at) node.scrollIntoView({ block: "nearest" });
    });
    if (shown.at >= 0) field.setAttribute("aria-activedescendant", `${name}-${shown.at}`);
    else field.removeAttribute("aria-activedescendant");
  }
  function take(index) {
    field.setRangeText(shown.offers[index].insert, shown.from, shown.to, "end");
    written();
    field.focus();
  }
  /** Enter sends what is complete: a word that says the whole offer needs no completing. */
  function complete() {
    const each = shown.offers[shown.at];
    const word = field.value.slice(shown.from, shown.to);
    return !each || word === each.insert.trim() || (word === each.text && shown.at === 0);
  }
  function keydown(event) {
    if (event.isComposing) return;
    const count = shown.offers.length;
    if (count && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const by = event.key === "ArrowDown" ? 1 : -1;
      shown.at = shown.at < 0 ? (by > 0 ? 0 : count - 1) : (shown.at + by + count) % count;
      point();
    } else if (count && event.key === "Tab" && !event.shiftKey) take(Math.max(0, shown.at));
    else if (count && event.key === "Escape") offer({ offers: [], from: 0, to: 0, eager: false });
    else if (event.key === "Enter" && !event.shiftKey) {
      if (complete()) send();
      else take(shown.at);
    } else return;
    event.preventDefault();
  }
  async function send() {
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    written();
    sent();
    const { channel, thread } = where();
    const slash = /^(\/\w+)\s*([\s\S]*)$/.exec(text);
    const answer = slash ? await act("command", { channel, thread, command: slash[1], text: slash[2] }) : await act("say", { channel, thread, text: encoded(text) });
    if (!slash || !answer.failure) told(answer);
    if (!answer.ok && !field.value) {
      field.value = text;
      written();
    }
  }

  field.addEventListener("input", written);
  field.addEventListener("click", written);
  field.addEventListener("keydown", keydown);
  field.addEventListener("blur", () => offer({ offers: [], from: 0, to: 0, eager: false }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  form.put = (text) => {
    field.value = text;
    field.focus();
    field.setSelectionRange(text.length, text.length);
    written();
  };
  return form;
}
