import { h } from "../dom.js";

/** Said aloud instead of drawn wrongly; the tests look for it. */
export function unsupported(what) {
  return h("div", { class: "unsupported" }, `This page cannot draw “${what.type}”.`);
}
