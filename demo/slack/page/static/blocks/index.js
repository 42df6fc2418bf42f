// Block Kit: one function a block. `host` is where the blocks stand (see elements.js).

import { h } from "../dom.js";
import { chart } from "./charts.js";
import { element } from "./elements.js";
import { link } from "./leaves.js";
import { markdown } from "./markdown.js";
import { mrkdwn, plain, textObject } from "./mrkdwn.js";
import { richText } from "./rich_text.js";
import { dataTable, table } from "./tables.js";
import { unsupported } from "./unsupported.js";

const DRAWN = {
  section,
  header: (block) => h("div", { class: "header", role: "heading", "aria-level": "3" }, plain(block.text)),
  divider: () => h("hr"),
  image: (block) => h("figure", { class: "image" }, block.title ? h("figcaption", null, plain(block.title)) : null, h("img", { src: block.image_url, alt: block.alt_text })),
  actions: (block, host) => h("div", { class: "actions" }, block.elements.map((each) => element(each, block, host))),
  context: (block) => h("div", { class: "context" }, block.elements.map(small)),
  input,
  rich_text: richText,
  markdown,
  table,
  data_table: dataTable,
  data_visualization: chart,
  video: (block) => h("div", { class: "video" }, h("b", null, link(block.title_url ?? block.video_url, plain(block.title))), block.description ? h("div", null, plain(block.description)) : null, h("img", { src: block.thumbnail_url, alt: block.alt_text })),
  alert: (block) => h("div", { class: `alert ${block.level ?? "default"}`, role: "note" }, textObject(block.text)),
};

export const BLOCK_TYPES = Object.keys(DRAWN);

export function blocks(list, host) {
  return list.map((block) => {
    const node = (DRAWN[block.type] ?? unsupported)(block, host);
    node.classList.add("block");
    node.dataset.block = block.block_id ?? "";
    return node;
  });
}

function section(block, host) {
  const fields = block.fields ? h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "field-text" }, textObject(field)))) : null;
  const body = h("div", { class: "section-body" }, block.text ? textObject(block.text) : null, fields);
  const accessory = block.accessory ? h("div", { class: "accessory" }, element(block.accessory, block, host)) : null;
  return h("div", { class: "section" }, body, accessory);
}

function small(each) {
  if (each.type === "image") return h("img", { src: each.image_url, alt: each.alt_text });
  return h("span", null, each.type === "mrkdwn" ? mrkdwn(each.text) : plain(each));
}

/** A label, the field, its hint, and room for what is wrong with it. */
function input(block, host) {
  const name = `field-${host.id}-${block.block_id}`;
  const optional = block.optional ? h("span", { class: "optional" }, " (optional)") : null;
  const field = element(block.element, block, host, name);
  const hint = block.hint ? h("div", { class: "hint" }, plain(block.hint)) : null;
  const wrong = h("div", { class: "wrong", role: "alert" });
  return h("div", { class: "input" }, h("label", { id: name, on: { click: () => field.focus() } }, plain(block.label), optional), field, h("div", { id: `${name}-more` }, wrong, hint));
}
