// The bar over everything: who one is at the moment, light or dark, and the cluster's panel.

import { h, keyed } from "../dom.js";
import { icon } from "../icons.js";
import { become } from "../place.js";
import { changed, entry, state, userOf } from "../store.js";
import { theme, turn } from "../theme.js";
import { avatar } from "./avatar.js";

const root = document.getElementById("top");
const ROLES = { U0ENGINEER1: "engineer", U0APPROVER1: "approver", U0OUTSIDER1: "outsider" };

export function renderTop(panel) {
  const people = entry("team")?.people ?? [];
  keyed(root, [
    { key: "brand", sign: "", make: () => h("div", { class: "brand" }, "token-doctor", h("span", null, "demo workspace")) },
    { key: "people", sign: JSON.stringify([people.map((id) => [id, userOf(id)?.real_name, entry(`badge/${id}`)]), state.user]), make: () => switcher(people) },
    { key: "tools", sign: JSON.stringify([theme(), panel.open, panel.there]), make: () => tools(panel) },
  ]);
  document.title = `${title(people)}${entry("team")?.name ?? "Shop"} · token-doctor demo`;
}

function title() {
  const calls = entry(`badge/${state.user}`)?.calls;
  return calls ? `(${calls}) ` : "";
}

function switcher(people) {
  return h("div", { class: "people", role: "radiogroup", "aria-label": "Act as", on: { keydown: arrows } }, people.map(person));
}

function person(id) {
  const me = id === state.user;
  const badge = entry(`badge/${id}`);
  const number = !me && badge?.calls ? h("span", { class: "number", "aria-label": `${badge.calls} for them` }, String(badge.calls)) : null;
  const dot = !me && !number && badge?.unread ? h("span", { class: "dot", role: "img", "aria-label": "something unread" }) : null;
  const name = userOf(id)?.real_name ?? id;
  return h("button", { class: "person", type: "button", role: "radio", "aria-checked": String(me), tabindex: me ? "0" : "-1", title: `Act as ${name}`, data: { focus: id }, on: { click: () => become(id) } }, avatar(id, "small"), h("span", { class: "who" }, h("b", null, name.split(" ")[0]), h("small", null, ROLES[id] ?? "")), number, dot);
}

function arrows(event) {
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const all = [...event.currentTarget.children];
  const next = all[(all.indexOf(document.activeElement) + by + all.length) % all.length];
  next.focus();
  next.click();
}

function tools(panel) {
  const dark = theme() === "dark";
  const paint = () => {
    turn();
    changed();
  };
  const light = h("button", { class: "quiet", type: "button", "aria-label": dark ? "Light colours" : "Dark colours", title: dark ? "Light colours" : "Dark colours", data: { focus: "theme" }, on: { click: paint } }, icon(dark ? "sun" : "moon"));
  const cluster = panel.there ? h("button", { class: "quiet worded", type: "button", "aria-label": "Cluster", "aria-pressed": String(panel.open), data: { focus: "cluster" }, on: { click: panel.turn } }, icon("wheel"), h("span", { class: "word" }, "Cluster")) : null;
  return h("div", { class: "tools" }, cluster, light);
}
