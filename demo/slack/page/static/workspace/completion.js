// What a composer offers while it is written in: commands with their targets, people, channels.

import { app, entriesOf, entry } from "../store.js";

const OWN = [{ name: "/invite", about: "Add somebody, or the bot, to this channel", hint: "@token-doctor" }];

// `takes` says what follows: a target, a service account, a namespace, or free text.
export const SUBCOMMANDS = [
  { name: "check", about: "Why is a workload's token refused?", takes: "target" },
  { name: "digest", about: "What expires soon, what never does, what is new", takes: "namespace" },
  { name: "legacy", about: "Token Secrets that never expire", takes: "namespace" },
  { name: "errors", about: "What a log line means", takes: "text" },
  { name: "explain", about: "A cause with its runbook", takes: "text" },
  { name: "restart", about: "New pods with fresh tokens, once approved", takes: "target" },
  { name: "create-secret", about: "A token Secret for a service account, once approved", takes: "account" },
  { name: "requests", about: "What is open", takes: "" },
  { name: "audit", about: "Who did what", takes: "target" },
  { name: "help", about: "Everything there is", takes: "" },
];

const MOST = 8;

/** {from, to, offers: [{insert, text, about}], eager}: `eager` offers are taken by Enter, others only once chosen. */
export function offers(text, caret, { commands }) {
  const before = text.slice(0, caret);
  if (commands && before.startsWith("/")) return command(before);
  const word = /(^|[\s(])([@#])([\w.-]*)$/.exec(before);
  if (!word) return none();
  const from = caret - word[3].length - 1;
  const found = word[2] === "@" ? people(word[3]) : channels(word[3]);
  return { from, to: caret, offers: found.slice(0, MOST), eager: true };
}

const none = () => ({ from: 0, to: 0, offers: [], eager: false });

function command(before) {
  const words = before.split(" ");
  const last = words.at(-1);
  const from = before.length - last.length;
  const pick = (list) => ({ from, to: before.length, offers: list.slice(0, MOST), eager: last.length > 0 });
  if (words.length === 1) {
    const all = [...app().commands, ...OWN];
    return pick(all.filter((each) => each.name.startsWith(last.toLowerCase())).map((each) => ({ insert: `${each.name} `, text: each.name, about: each.about })));
  }
  if (words[0] === "/invite") return last.startsWith("@") || !last ? pick(people(last.slice(1))) : none();
  if (!app().commands.some((each) => each.name === words[0])) return none();
  if (words.length === 2) return pick(SUBCOMMANDS.filter((each) => each.name.startsWith(last.toLowerCase())).map((each) => ({ insert: `${each.name}${each.takes ? " " : ""}`, text: each.name, about: each.about })));
  const takes = words.length === 3 && SUBCOMMANDS.find((each) => each.name === words[1])?.takes;
  if (!takes) return none();
  const found = targets(takes).filter((each) => each.text.includes(last.toLowerCase()));
  const begins = (each) => Number(each.text.startsWith(last.toLowerCase()));
  return pick(found.sort((a, b) => begins(b) - begins(a)));
}

function targets(takes) {
  const offer = (text, about) => ({ insert: text, text, about });
  const teams = entry("cluster")?.teams ?? [];
  if (takes === "namespace") return teams.map((team) => offer(team.namespace, team.title));
  if (takes === "account") return teams.flatMap((team) => team.accounts.map((name) => offer(`${team.namespace}/${name}`, "service account")));
  if (takes === "target") return teams.flatMap((team) => team.workloads.map((each) => offer(`${team.namespace}/${each.name}`, each.kind)));
  return [];
}

function people(word) {
  const begins = (...names) => names.some((name) => name.toLowerCase().startsWith(word.toLowerCase()));
  const users = entriesOf("user").filter((user) => !user.gone && begins(user.name, user.real_name));
  const groups = entriesOf("group").filter((group) => begins(group.handle, group.name));
  return [
    ...users.map((user) => ({ insert: `@${user.name} `, text: user.real_name, about: `@${user.name}`, user: user.id })),
    ...groups.map((group) => ({ insert: `@${group.handle} `, text: group.name, about: `@${group.handle}` })),
  ];
}

function channels(word) {
  const found = entriesOf("channel").filter((each) => !each.direct && each.name.startsWith(word.toLowerCase()));
  return found.map((each) => ({ insert: `#${each.name} `, text: `#${each.name}`, about: each.joined ? "" : "not joined" }));
}

/** What is sent: names made ids, addresses made links, as a workspace's own composer does. */
export function encoded(text) {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const id = (list, test, form) => {
    const found = list.find(test);
    return found ? form(found.id) : null;
  };
  return escaped
    .replace(/(^|[\s(])@([\w.-]*\w)/g, (whole, gap, name) => {
      const known = id(entriesOf("user"), (user) => user.name === name && !user.gone, (user) => `<@${user}>`) ?? id(entriesOf("group"), (group) => group.handle === name, (group) => `<!subteam^${group}>`);
      return known ? gap + known : whole;
    })
    .replace(/(^|[\s(])#([\w-]+)/g, (whole, gap, name) => {
      const known = id(entriesOf("channel"), (each) => each.name === name, (each) => `<#${each}>`);
      return known ? gap + known : whole;
    })
    .replace(/(^|\s)(https?:\/\/[^\s<>]+)/g, "$1<$2>");
}
