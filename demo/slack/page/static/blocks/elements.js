// What a person can press, choose and fill in. `host` says where it stands:
// host.act(element, value) tells the app, host.value(block, element) and host.keep(block, element, value) hold a field's state.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { entriesOf } from "../store.js";
import { confirmed } from "../windows/confirm.js";
import { menu } from "../windows/menu.js";
import { plain } from "./mrkdwn.js";
import { unsupported } from "./unsupported.js";

const text = (type) => (element, block, host, named) => textInput(element, block, host, named, type);
const people = () => entriesOf("user").filter((user) => !user.gone).map((user) => [user.id, user.real_name]);
const channels = () => entriesOf("channel").filter((each) => each.joined && !each.direct).map((each) => [each.id, `#${each.name}`]);
const options = (element) => choices(element).map((option) => [option.value, plain(option.text)]);

const DRAWN = {
  button,
  overflow,
  image: (element) => h("img", { class: "accessory-image", src: element.image_url, alt: element.alt_text }),
  static_select: (...all) => select(...all, options(all[0]), "initial_option"),
  external_select: (...all) => select(...all, [], "initial_option"),
  users_select: (...all) => select(...all, people(), "initial_user"),
  channels_select: (...all) => select(...all, channels(), "initial_channel"),
  conversations_select: (...all) => select(...all, channels(), "initial_conversation"),
  multi_static_select: (...all) => several(...all, options(all[0])),
  multi_external_select: (...all) => several(...all, []),
  multi_users_select: (...all) => several(...all, people()),
  multi_channels_select: (...all) => several(...all, channels()),
  multi_conversations_select: (...all) => several(...all, channels()),
  radio_buttons: (...all) => ticks(...all, "radio"),
  checkboxes: (...all) => ticks(...all, "checkbox"),
  plain_text_input: text("text"),
  email_text_input: text("email"),
  url_text_input: text("url"),
  number_input: text("number"),
  datepicker: text("date"),
  timepicker: text("time"),
  datetimepicker: moment,
};

export const ELEMENT_TYPES = Object.keys(DRAWN);

/** `named` is the id of the label, "" where the element names itself. */
export function element(it, block, host, named = "") {
  return (DRAWN[it.type] ?? unsupported)(it, block, host, named);
}

export function choices(it) {
  return [...(it.options ?? []), ...(it.option_groups ?? []).flatMap((group) => group.options)];
}

/** What a field holds when nobody touched it: a text, an id, an option's value, or several of them. */
export function initial(it) {
  if (it.initial_option) return it.initial_option.value;
  if (it.initial_options) return it.initial_options.map((option) => option.value);
  const key = Object.keys(it).find((name) => name.startsWith("initial_"));
  return key ? it[key] : null;
}

const focus = (it) => ({ focus: it.action_id, action: it.action_id });

/** Asks where the element has a confirm dialog; then the app is told, and the element is busy until it has heard. */
async function tell(it, node, host, value) {
  if (it.confirm && !(await confirmed(it.confirm, node))) return false;
  node.setAttribute("aria-busy", "true");
  await host.act(it, value);
  node.removeAttribute("aria-busy");
  return true;
}

function button(it, block, host) {
  const style = it.style ? `button ${it.style}` : "button";
  const press = () => {
    if (node.getAttribute("aria-busy")) return;
    if (it.url) open(it.url, "_blank", "noopener");
    tell(it, node, host);
  };
  const node = h("button", { class: style, type: "button", "aria-label": it.accessibility_label, data: focus(it), on: { click: press } }, h("span", null, plain(it.text)));
  return node;
}

function overflow(it, block, host) {
  const press = () =>
    menu(node, it.options.map((option) => ({ text: plain(option.text), run: () => tell(it, node, host, option.value) })));
  const node = h("button", { class: "button overflow", type: "button", "aria-label": "More", "aria-haspopup": "menu", data: focus(it), on: { click: press } }, icon("dots"));
  return node;
}

function select(it, block, host, named, entries) {
  const now = host.value(block, it) ?? "";
  const empty = h("option", { value: "", disabled: true, hidden: true }, it.placeholder ? plain(it.placeholder) : "Choose …");
  const change = async () => {
    const wanted = node.value;
    if (!(await tell(it, node, host, wanted))) node.value = host.value(block, it) ?? "";
    else host.keep(block, it, wanted);
  };
  const node = h("select", { class: "select", ...label(it, named), data: focus(it), on: { change } }, empty, entries.map(([value, shown]) => h("option", { value }, shown)));
  node.value = now;
  return node;
}

function several(it, block, host, named, entries) {
  const now = host.value(block, it) ?? [];
  const change = () => {
    const wanted = [...node.selectedOptions].map((option) => option.value);
    host.keep(block, it, wanted);
    tell(it, node, host, wanted);
  };
  const node = h("select", { class: "select several", multiple: true, size: Math.min(6, Math.max(2, entries.length)), ...label(it, named), data: focus(it), on: { change } }, entries.map(([value, shown]) => h("option", { value, selected: now.includes(value) }, shown)));
  return node;
}

function ticks(it, block, host, named, type) {
  const now = [host.value(block, it) ?? []].flat();
  const name = `${block.block_id}-${it.action_id}-${host.id}`;
  const change = () => {
    const ticked = [...node.querySelectorAll("input:checked")].map((input) => input.value);
    const wanted = type === "radio" ? ticked[0] : ticked;
    host.keep(block, it, wanted);
    tell(it, node, host, wanted);
  };
  const one = (option, index) =>
    h("label", { class: "tick" }, h("input", { type, name, value: option.value, checked: now.includes(option.value), data: { focus: `${it.action_id}-${index}` }, on: { change } }), h("span", null, plain(option.text), option.description ? h("small", null, plain(option.description)) : null));
  const node = h("div", { class: "ticks", role: type === "radio" ? "radiogroup" : "group", ...label(it, named), data: { action: it.action_id } }, it.options.map(one));
  return node;
}

function textInput(it, block, host, named, type) {
  const input = () => host.keep(block, it, node.value || null);
  const change = () => type !== "text" && tell(it, node, host, node.value);
  const shared = { ...label(it, named), class: "field", maxlength: it.max_length, placeholder: it.placeholder ? plainText(it.placeholder) : null, data: focus(it), on: { input, change } };
  const node = it.multiline ? h("textarea", { ...shared, rows: 4 }) : h("input", { ...shared, type, autocomplete: "off", min: it.min_value, max: it.max_value, step: it.is_decimal_allowed ? "any" : null });
  node.value = host.value(block, it) ?? "";
  return node;
}

function moment(it, block, host, named) {
  const seconds = host.value(block, it);
  const change = () => {
    const at = Math.floor(new Date(node.value).getTime() / 1000);
    host.keep(block, it, at);
    tell(it, node, host, at);
  };
  const node = h("input", { type: "datetime-local", class: "field", ...label(it, named), data: focus(it), on: { change } });
  if (seconds) node.value = new Date(seconds * 1000 - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  return node;
}

const plainText = (object) => object.text;

function label(it, named) {
  return named ? { "aria-labelledby": named, "aria-describedby": `${named}-more` } : { "aria-label": it.placeholder ? plainText(it.placeholder) : it.action_id };
}
