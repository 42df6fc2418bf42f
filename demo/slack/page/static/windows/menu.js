// A menu under a button: arrows move, Enter chooses, Esc and a press elsewhere close it.

import { h } from "../dom.js";

let open = null;

/** `entries`: {text, hint?, run}. */
export function menu(anchor, entries) {
  if (open) {
    const same = open.anchor === anchor;
    open.end();
    if (same) return;
  }
  const items = entries.map((each) =>
    h("button", { class: "menu-item", type: "button", role: "menuitem", tabindex: "-1", on: { click: () => end(each.run) } }, h("span", null, each.text), each.hint ? h("small", null, each.hint) : null),
  );
  const list = h("div", { class: "menu", role: "menu", popover: "manual", on: { keydown } }, items);
  const outside = (event) => !list.contains(event.target) && !anchor.contains(event.target) && end();

  function end(run) {
    removeEventListener("pointerdown", outside, true);
    list.remove();
    anchor.setAttribute("aria-expanded", "false");
    open = null;
    anchor.focus();
    run?.();
  }
  function keydown(event) {
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) items[(to + items.length) % items.length].focus();
    else if (event.key === "Escape" || event.key === "Tab") end();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  (anchor.closest("dialog") ?? document.body).append(list);
  list.showPopover();
  place(list, anchor);
  anchor.setAttribute("aria-expanded", "true");
  addEventListener("pointerdown", outside, true);
  open = { anchor, end };
  items[0]?.focus();
}

function place(list, anchor) {
  const around = anchor.getBoundingClientRect();
  const below = around.bottom + 4 + list.offsetHeight < innerHeight;
  list.style.top = `${below ? around.bottom + 4 : Math.max(8, around.top - 4 - list.offsetHeight)}px`;
  list.style.left = `${Math.max(8, Math.min(around.left, innerWidth - list.offsetWidth - 8))}px`;
}
