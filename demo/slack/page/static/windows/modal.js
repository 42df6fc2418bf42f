// Modals: the topmost of the person's open views. The app replaces, stacks and closes them; fields keep what was written.

import { blocks } from "../blocks/index.js";
import { initial } from "../blocks/elements.js";
import { plain } from "../blocks/mrkdwn.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { act, app, changed, entriesOf } from "../store.js";
import { told, trouble } from "./toast.js";

const FIELDS = new Set(["button", "overflow", "image"]); // what is no field
let shown = null; // {id, hash, dialog}
const written = new Map(); // by view, then by block and action: what the person put in
const leaving = new Set(); // closed here already, while the server does not know yet

export function renderModal() {
  const open = entriesOf("view").filter((view) => !leaving.has(view.id));
  const top = open.at(-1);
  if (!top) {
    shown?.dialog.close();
    shown = null;
    return;
  }
  if (!shown) shown = { id: "", hash: "", dialog: frame() };
  if (shown.id !== top.id || shown.hash !== top.hash) draw(top);
  showErrors(top);
}

function frame() {
  const dialog = h("dialog", { class: "window modal", "aria-labelledby": "modal-title" });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function draw(view) {
  shown.id = view.id;
  shown.hash = view.hash;
  const body = h("div", { class: "modal-body", tabindex: "-1", data: { view: view.id } }, blocks(view.blocks, host(view)));
  const submit = view.submit && h("button", { class: "button solid primary", type: "submit", data: { focus: "submit" } }, h("span", null, plain(view.submit)));
  const shut = h("button", { class: "button", type: "button", data: { focus: "close" }, on: { click: close } }, view.close ? plain(view.close) : "Close");
  const cross = h("button", { class: "quiet", type: "button", "aria-label": "Close", on: { click: close } }, icon("close"));
  const mark = h("span", { class: "avatar app small", "aria-hidden": "true" }, app().name[0].toUpperCase());
  const form = h(
    "form",
    { novalidate: true, on: { submit: (event) => send(event, view) } },
    h("header", null, mark, h("h2", { id: "modal-title" }, view.title ? plain(view.title) : app().name), cross),
    body,
    h("p", { class: "modal-trouble", role: "alert" }),
    h("footer", null, h("span", { class: "by" }, `by ${app().name}`), shut, submit),
  );
  shown.dialog.replaceChildren(form);
  (form.querySelector(".input .field, .input select, .input input") ?? submit ?? shut).focus();
}

const keyOf = (block, it) => `${block.block_id} ${it.action_id}`;

function host(view) {
  const kept = written.get(view.id) ?? new Map();
  written.set(view.id, kept);
  return {
    id: view.id,
    value: (block, it) => (kept.has(keyOf(block, it)) ? kept.get(keyOf(block, it)) : initial(it)),
    keep: (block, it, value) => kept.set(keyOf(block, it), value),
    act: async (it, value) => {
      const inBlock = view.blocks.find((block) => block.element === it);
      if (inBlock && !inBlock.dispatch_action) return;
      told(await act("click", { kind: "view", view: view.id, action: it.action_id, value: value ?? null }));
    },
  };
}

function fields(view) {
  return view.blocks.flatMap((block) =>
    [block.element, block.accessory, ...(block.type === "actions" ? block.elements : [])].filter((it) => it && !FIELDS.has(it.type)).map((it) => ({ block, it })),
  );
}

async function send(event, view) {
  event.preventDefault();
  const its = host(view);
  const values = {};
  const missing = {};
  for (const { block, it } of fields(view)) {
    const value = its.value(block, it);
    values[it.action_id] = value;
    const empty = value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length);
    if (block.type === "input" && !block.optional && empty) missing[block.block_id] = "Please complete this required field.";
  }
  mark(missing);
  if (Object.keys(missing).length) return;
  const { dialog } = shown;
  const button = dialog.querySelector("button[type=submit]");
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  dialog.querySelector(".modal-trouble").textContent = "";
  const answer = await act("submit", { view: view.id, values });
  button.removeAttribute("aria-busy");
  said = "";
  changed();
  if (trouble(answer)) dialog.querySelector(".modal-trouble").textContent = trouble(answer);
}

let said = ""; // the errors that were shown last

function showErrors(view) {
  const now = `${view.id} ${view.hash} ${JSON.stringify(view.errors)}`;
  if (now === said) return;
  said = now;
  mark(view.errors);
}

/** Under each field what is wrong with it; the first of them gets the focus. */
function mark(errors) {
  let first = null;
  for (const node of shown.dialog.querySelectorAll(".input")) {
    const sentence = errors[node.dataset.block] ?? "";
    node.querySelector(".wrong").textContent = sentence;
    node.classList.toggle("is-wrong", Boolean(sentence));
    const field = node.querySelector("input, textarea, select");
    field?.setAttribute("aria-invalid", String(Boolean(sentence)));
    if (sentence) first ??= field;
  }
  first?.focus();
}

async function close() {
  const { id } = shown;
  leaving.add(id);
  renderModal();
  told(await act("close", { view: id }));
  written.delete(id);
}
