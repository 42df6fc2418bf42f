// What stands in a line: mentions, links, dates, emoji. Shared by rich text, mrkdwn and Markdown.

import { h } from "../dom.js";
import { go, ofPermalink } from "../place.js";
import { channelOf, groupOf, state, userOf } from "../store.js";
import { formatted, fullTime } from "../times.js";

const EMOJI = {
  white_check_mark: "✅", x: "❌", warning: "⚠️", hourglass_flowing_sand: "⏳", rotating_light: "🚨", fire: "🔥",
  eyes: "👀", tada: "🎉", thumbsup: "👍", "+1": "👍", "-1": "👎", heavy_check_mark: "✔️", no_entry: "⛔",
  red_circle: "🔴", large_yellow_circle: "🟡", large_green_circle: "🟢", large_blue_circle: "🔵", white_circle: "⚪",
  key: "🔑", lock: "🔒", bell: "🔔", mag: "🔍", stethoscope: "🩺", wave: "👋", rocket: "🚀", bulb: "💡",
  information_source: "ℹ️", raised_hand: "✋", arrows_counterclockwise: "🔄", alarm_clock: "⏰", chart_with_upwards_trend: "📈",
};

export function emoji(name, unicode = "") {
  const drawn = unicode ? String.fromCodePoint(...unicode.split("-").map((part) => parseInt(part, 16))) : EMOJI[name];
  return drawn ? h("span", { class: "emoji", role: "img", "aria-label": name }, drawn) : `:${name}:`;
}

/** Text with its :names: of emoji drawn. */
export function withEmoji(text) {
  return text
    .split(/(:[a-z0-9_+-]+:)/)
    .map((part) => (/^:.+:$/.test(part) && EMOJI[part.slice(1, -1)] ? emoji(part.slice(1, -1)) : part));
}

export function userMention(id) {
  const user = userOf(id);
  return h("span", { class: id === state.user ? "mention me" : "mention" }, `@${user?.real_name ?? id}`);
}

export function groupMention(id) {
  return h("span", { class: "mention" }, `@${groupOf(id)?.handle ?? id}`);
}

export function broadcast(range) {
  return h("span", { class: "mention me" }, `@${range}`);
}

/** A channel that the person cannot see keeps its name. */
export function channelMention(id) {
  const channel = channelOf(id);
  if (!channel) return h("span", { class: "mention" }, "#a private channel");
  return h("a", { class: "mention", href: `#/${state.user}/${id}` }, `#${channel.name}`);
}

/** Only the web is linked; a permalink of this workspace opens in the page. */
export function link(url, ...text) {
  const shown = text.length ? text : [url];
  if (!/^(https?:|mailto:)/i.test(url)) return h("span", null, shown);
  const place = ofPermalink(url);
  if (place) {
    const open = (event) => {
      event.preventDefault();
      go(place);
    };
    return h("a", { href: `#/${state.user}/${place.channel}/${place.thread}`, on: { click: open } }, shown);
  }
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, shown);
}

export function date(timestamp, format, fallback, url) {
  const shown = h("time", { title: fullTime(timestamp), datetime: new Date(timestamp * 1000).toISOString() });
  shown.append(formatted(timestamp, format) || fallback || "");
  return url ? link(url, shown) : shown;
}
