// The channels and the app, with what is unread.

import { h, keyed } from "../dom.js";
import { icon } from "../icons.js";
import { APP, here } from "../place.js";
import { app, entriesOf, entry, state } from "../store.js";
import { avatar } from "./avatar.js";

const root = document.getElementById("side");

export function renderSide() {
  const channels = entriesOf("channel").filter((each) => !each.direct && !each.archived);
  const items = [
    { key: "team", sign: JSON.stringify(entry("team")), make: () => h("div", { class: "team" }, entry("team")?.name ?? "") },
    heading("Channels"),
    ...channels.filter((each) => each.joined).map(row),
  ];
  const others = channels.filter((each) => !each.joined);
  if (others.length) items.push(heading("Browse"), ...others.map(row));
  if (app()) items.push(heading("Apps"), appRow());
  keyed(root, items);
}

function heading(text) {
  return { key: `heading-${text}`, sign: text, make: () => h("h2", null, text) };
}

function row(channel) {
  const current = here().channel === channel.id;
  const glyph = channel.private ? "lock" : channel.shared ? "shared" : "hash";
  return line(channel.id, channel.id, icon(glyph, 16), channel.name, { current, unread: channel.unread, calls: channel.calls, dim: !channel.joined });
}

function appRow() {
  const direct = entriesOf("channel").find((each) => each.direct);
  const current = here().channel.startsWith(APP);
  const dot = h("span", { class: `presence ${app().connected ? "on" : ""}`, role: "img", "aria-label": app().connected ? "connected" : "not connected" });
  const mark = h("span", { class: "with-presence" }, avatar(app().user, "tiny"), dot);
  return line(APP, APP, mark, app().name, { current, unread: direct?.unread ?? 0, calls: direct?.calls ?? 0, sign: String(app().connected) });
}

function line(key, place, mark, name, { current, unread, calls, dim = false, sign = "" }) {
  const make = () => {
    const number = calls ? h("span", { class: "number", "aria-label": `${calls} for you` }, String(calls)) : null;
    const kind = `row ${current ? "current" : ""} ${unread && !current ? "unread" : ""} ${dim ? "dim" : ""}`;
    return h("a", { class: kind, href: `#/${state.user}/${place}`, "aria-current": current ? "page" : null, data: { focus: place } }, mark, h("span", { class: "name" }, name), current ? null : number);
  };
  return { key: `row-${key}`, sign: JSON.stringify([name, current, unread, calls, dim, sign, state.user]), make };
}
