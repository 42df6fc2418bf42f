import { h } from "../dom.js";
import { isOwnApp } from "../place.js";
import { userOf } from "../store.js";

const TONES = 6;

/** Initials on a colour of the person's own; the author of Slack's own words has none. */
export function avatar(id, size = "") {
  const user = userOf(id);
  if (!user) return h("span", { class: `avatar slack ${size}`, "aria-hidden": "true" }, "i");
  const tone = [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7) % TONES;
  const initials = user.app ? user.real_name[0].toUpperCase() : user.real_name.split(" ").map((part) => part[0]).join("").slice(0, 2);
  const kind = isOwnApp(id) ? "app" : `tone-${tone}`;
  return h("span", { class: `avatar ${kind} ${size}`, "aria-hidden": "true" }, initials);
}

export function nameOf(id) {
  return userOf(id)?.real_name ?? "Workspace";
}
