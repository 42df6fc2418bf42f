// The cluster beside the workspace: its teams, and levers that break and mend it.

import { h, keyed } from "../dom.js";
import { icon } from "../icons.js";
import { act, changed, entry } from "../store.js";
import { ago } from "../times.js";
import { told } from "../windows/toast.js";
import { put } from "./main.js";

const root = document.getElementById("cluster");
const WORDS = { fine: "fine", trouble: "in trouble", rolling: "rolling out" };

const roomy = matchMedia("(min-width: 1100px)");
const over = matchMedia("(max-width: 700px)"); // as in frame.css

export const panel = {
  open: roomy.matches,
  there: false,
  turn() {
    panel.open = !panel.open;
    changed();
  },
};

roomy.addEventListener("change", () => {
  panel.open = roomy.matches;
  changed();
});

export function renderCluster() {
  const cluster = entry("cluster");
  panel.there = Boolean(cluster);
  root.hidden = !cluster || !panel.open;
  document.body.classList.toggle("with-cluster", !root.hidden);
  if (root.hidden) return;
  if (!root.querySelector(".scroller")) root.replaceChildren(h("header", { class: "head" }), h("div", { class: "scroller", tabindex: "0", role: "group", "aria-label": "The cluster's state" }));
  const [head, body] = root.children;
  keyed(head, [{ key: "head", sign: JSON.stringify([cluster.name, cluster.version]), make: () => h("h2", null, icon("wheel"), cluster.name, h("span", { class: "away" }, cluster.version)) }]);
  keyed(body, [
    tour(),
    title("Teams"),
    ...cluster.teams.map((each) => team(each, cluster.levers.filter((one) => one.namespace === each.namespace))),
    title("The whole cluster"),
    ...cluster.levers.filter((each) => !each.namespace).map((each) => ({ key: `lever-${each.name}`, sign: JSON.stringify(each), make: () => lever(each) })),
    title("What happened"),
    { key: "events", sign: JSON.stringify([cluster.events, Math.floor(Date.now() / 30000)]), make: () => happened(cluster.events) },
  ]);
}

/** Into the message field; where the panel stands over it, the panel makes room. */
function use(text) {
  if (over.matches) panel.turn();
  put(text);
}

const title = (text) => ({ key: `title-${text}`, sign: text, make: () => h("h3", null, text) });

function tour() {
  const run = (text) => h("button", { class: "command", type: "button", title: "Put it into the message field", data: { focus: text }, on: { click: () => use(text) } }, text);
  const make = () =>
    h(
      "details",
      { class: "tour", open: true },
      h("summary", null, "Try this"),
      h(
        "ol",
        null,
        h("li", null, "As Erin, in #incident: ", run("/token check shop/checkout")),
        h("li", null, "Press the answer's button, say why, and ask for approval."),
        h("li", null, "Become Avery, above, and approve it in #approvals."),
        h("li", null, "Back as Erin: watch the rollout end. A minute later the bot says whether it helped: it wants proof."),
        h("li", null, "What expires, and what never does: ", run("/token digest"), " Open its thread, and snooze what can wait."),
        h("li", null, "A token Secret was deleted: ", run("/token check analytics/reports"), " Have it made again with the answer's button; Avery approves."),
        h("li", null, "In #shared: ", run("/token restart shop/checkout"), " Then become Olga, of another company, and try to approve it."),
        h("li", null, "Break something below, and ask again. All commands: ", run("/token help")),
      ),
    );
  return { key: "tour", sign: "", make };
}

function lever(it) {
  const name = it.broken ? it.mend : it.break;
  const word = it.broken ? "Mend" : "Break";
  const pull = async (event) => {
    const button = event.currentTarget;
    button.setAttribute("aria-busy", "true");
    told(await act("pull", { lever: name }));
    button.removeAttribute("aria-busy");
  };
  const button = () =>
    h("button", { class: `button small ${it.broken ? "solid primary" : ""}`, type: "button", "aria-label": `${word}: ${it.label}`, data: { focus: it.name, lever: it.name }, on: { click: pull } }, icon(it.broken ? "wrench" : "bolt", 14), h("span", null, word));
  return h("div", { class: `lever ${it.broken ? "broken" : ""}` }, h("p", null, it.label), name ? button() : null);
}

const opened = new Set(["shop"]);

function team(it, levers) {
  const bad = it.workloads.filter((each) => each.state === "trouble").length;
  const make = () => {
    const node = h("details", { class: "namespace", open: opened.has(it.namespace) }, h("summary", null, h("code", null, it.namespace), h("span", { class: "away" }, it.title), bad ? h("span", { class: "number" }, String(bad)) : null), it.workloads.map((each) => workload(it, each)), levers.map(lever));
    node.addEventListener("toggle", () => (node.open ? opened.add(it.namespace) : opened.delete(it.namespace)));
    return node;
  };
  return { key: `team-${it.namespace}`, sign: JSON.stringify([it, levers]), make };
}

function workload(team, it) {
  const target = `${team.namespace}/${it.name}`;
  const press = () => use(`/token check ${target}`);
  return h(
    "button",
    { class: "workload", type: "button", title: `Check ${target}`, data: { focus: target, workload: target }, on: { click: press } },
    h("span", { class: `light ${it.state}`, role: "img", "aria-label": WORDS[it.state] ?? it.state }),
    h("span", { class: "name" }, it.name, h("small", null, it.note || it.kind)),
    h("span", { class: "ready" }, `${it.ready}/${it.wanted}`),
  );
}

function happened(events) {
  const last = [...events].reverse().slice(0, 12);
  return h("ul", { class: "events" }, last.length ? last.map((each) => h("li", null, h("time", null, ago(each.at)), each.text)) : h("li", null, "Nothing yet."));
}
