// table and data_table.

import { h, replaced } from "../dom.js";
import { richText } from "./rich_text.js";
import { unsupported } from "./unsupported.js";

const CELLS = {
  raw_text: (cell) => cell.text,
  raw_number: (cell) => cell.text ?? String(cell.value),
  rich_text: (cell) => richText(cell),
};

export const CELL_TYPES = Object.keys(CELLS);

function content(cell) {
  return (CELLS[cell.type] ?? unsupported)(cell);
}

function scrolled(label, table) {
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label }, table);
}

/** The first row is the heading, as Slack draws it. */
export function table(block) {
  const settings = block.column_settings ?? [];
  const look = (index) => {
    const { align = "left", is_wrapped: wrapped = false } = settings[index] ?? {};
    return `${align}${wrapped ? "" : " unwrapped"}`;
  };
  const row = (cells, tag) =>
    h("tr", null, cells.map((cell, index) => h(tag, { class: look(index), scope: tag === "th" ? "col" : null }, content(cell))));
  const [head, ...rest] = block.rows;
  return scrolled("table", h("table", null, h("thead", null, row(head, "th")), h("tbody", null, rest.map((each) => row(each, "td")))));
}

/** Rows in pages, sorted by the column whose heading is pressed. */
export function dataTable(block) {
  const shown = { page: 0, by: -1, down: false };
  let drawn = draw(block, shown, again);
  function again() {
    const fresh = draw(block, shown, again);
    replaced(drawn, fresh);
    drawn = fresh;
  }
  return drawn;
}

const size = (block) => block.page_size ?? 10;
const worth = (cell) => (cell.type === "raw_number" ? cell.value : cell.type === "raw_text" ? cell.text : "");

function draw(block, shown, again) {
  const [head, ...rest] = block.rows;
  if (shown.by >= 0) {
    const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0) * (shown.down ? -1 : 1);
    rest.sort((a, b) => order(worth(a[shown.by]), worth(b[shown.by])));
  }
  const pages = Math.max(1, Math.ceil(rest.length / size(block)));
  const rows = rest.slice(shown.page * size(block), (shown.page + 1) * size(block));
  const headings = head.map((cell, index) => heading(cell, index, shown, again));
  const named = block.row_header_column_index ?? -1;
  const body = rows.map((row) =>
    h("tr", null, row.map((cell, index) => h(index === named ? "th" : "td", { class: side(cell), scope: index === named ? "row" : null }, content(cell)))),
  );
  const table = h("table", null, h("caption", null, block.caption), h("thead", null, h("tr", null, headings)), h("tbody", null, body));
  return h("div", { class: "data-table" }, scrolled(block.caption, table), pages > 1 ? pager(pages, shown, again) : null);
}

const side = (cell) => (cell.type === "raw_number" ? "right" : "left");

function heading(cell, index, shown, again) {
  const press = () => {
    shown.down = shown.by === index && !shown.down;
    shown.by = index;
    again();
  };
  const sorted = shown.by === index ? (shown.down ? "descending" : "ascending") : "none";
  const arrow = sorted === "none" ? "" : shown.down ? " ↓" : " ↑";
  return h("th", { scope: "col", "aria-sort": sorted }, h("button", { class: "sorter", type: "button", data: { focus: `sort-${index}` }, on: { click: press } }, content(cell), arrow));
}

function pager(pages, shown, again) {
  const turn = (by) => () => {
    shown.page = Math.min(pages - 1, Math.max(0, shown.page + by));
    again();
  };
  const button = (text, by, off) => h("button", { class: "button small", type: "button", disabled: off, data: { focus: `page-${by}` }, on: { click: turn(by) } }, text);
  return h("div", { class: "pager" }, button("Previous", -1, shown.page === 0), `Page ${shown.page + 1} of ${pages}`, button("Next", 1, shown.page === pages - 1));
}
