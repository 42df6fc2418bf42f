// The few ways in which nodes are made. Nothing here takes markup: text stays text.

const SVG = "http://www.w3.org/2000/svg";

/** An element. `props`: class, on (listeners), data, and attributes; null, undefined and false are left out. */
export function h(tag, props, ...children) {
  return filled(document.createElement(tag), props, children);
}

/** The same for SVG. */
export function svg(tag, props, ...children) {
  return filled(document.createElementNS(SVG, tag), props, children);
}

function filled(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (name === "data") Object.assign(node.dataset, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  add(node, children);
  return node;
}

export function add(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
}

/** Brings a list up to `items` ({key, sign, make}): a node whose sign is the same stays, with focus and selection. */
export function keyed(parent, items) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const wanted = items.map((item) => {
    const known = old.get(item.key);
    if (known && known.sign === item.sign) return known;
    const made = item.make();
    made.dataset.key = item.key;
    made.sign = item.sign;
    if (known) replaced(known, made);
    return made;
  });
  const stays = new Set(wanted);
  for (const node of [...parent.children]) if (!stays.has(node)) node.remove();
  wanted.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

/** Puts `fresh` where `known` is; who had the focus in it has it afterwards, where it is still there. */
export function replaced(known, fresh) {
  const active = known.contains(document.activeElement) ? document.activeElement : null;
  const name = active?.dataset.focus;
  known.replaceWith(fresh);
  if (!active) return;
  const again = name ? fresh.querySelector(`[data-focus="${CSS.escape(name)}"]`) : null;
  if (again) again.focus();
  else if (fresh.tabIndex >= -1 && fresh.hasAttribute("tabindex")) fresh.focus();
}
