// Timestamps as a workspace shows them, in the reader's own time zone.

const clock = new Intl.DateTimeFormat("en-US", { hour: "numeric", minute: "2-digit" });
const clockSeconds = new Intl.DateTimeFormat("en-US", { hour: "numeric", minute: "2-digit", second: "2-digit" });
const day = (options) => new Intl.DateTimeFormat("en-US", options);
const SHORT = day({ month: "short", day: "numeric", year: "numeric" });
const LONG = day({ weekday: "long", month: "long", day: "numeric", year: "numeric" });
const PLAIN = day({ month: "long", day: "numeric", year: "numeric" });

export const dateOf = (ts) => new Date(Number(ts) * 1000);
export const timeOf = (ts) => clock.format(dateOf(ts));
export const fullTime = (ts) => `${LONG.format(dateOf(ts))} at ${clockSeconds.format(dateOf(ts))}`;

const sameDay = (a, b) => a.toDateString() === b.toDateString();

function near(date) {
  for (const [name, back] of [["today", 0], ["yesterday", -1], ["tomorrow", 1]]) {
    const other = new Date();
    other.setDate(other.getDate() + back);
    if (sameDay(date, other)) return name;
  }
  return "";
}

export function dayOf(ts) {
  const name = near(dateOf(ts));
  return name ? name[0].toUpperCase() + name.slice(1) : LONG.format(dateOf(ts));
}

export function ago(ts) {
  const seconds = Math.round(Date.now() / 1000 - Number(ts));
  if (Math.abs(seconds) < 60) return "less than a minute ago";
  const words = (number, unit) => `${number} ${unit}${number === 1 ? "" : "s"}`;
  const size = Math.abs(seconds);
  const [number, unit] =
    size < 3600 ? [size / 60, "minute"] : size < 86400 ? [size / 3600, "hour"] : [size / 86400, "day"];
  return seconds > 0 ? `${words(Math.floor(number), unit)} ago` : `in ${words(Math.floor(number), unit)}`;
}

/** Slack's date tokens: {date_short_pretty} {time} and the like. */
export function formatted(timestamp, format) {
  const date = dateOf(timestamp);
  const pretty = (formatter) => near(date) || formatter.format(date);
  const two = (number) => String(number).padStart(2, "0");
  const tokens = {
    date_num: () => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    date_slash: () => `${two(date.getMonth() + 1)}/${two(date.getDate())}/${date.getFullYear()}`,
    date: () => PLAIN.format(date),
    date_short: () => SHORT.format(date),
    date_long: () => LONG.format(date),
    date_pretty: () => pretty(PLAIN),
    date_short_pretty: () => pretty(SHORT),
    date_long_pretty: () => pretty(LONG),
    day_divider_pretty: () => pretty(LONG),
    time: () => clock.format(date),
    time_secs: () => clockSeconds.format(date),
    ago: () => ago(timestamp),
  };
  return format.replace(/\{(\w+)\}/g, (whole, name) => tokens[name]?.() ?? whole);
}
