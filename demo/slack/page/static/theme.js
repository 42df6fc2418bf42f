// Light and dark: the machine's wish, until the person says otherwise.

import { changed } from "./store.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const KEPT = "token-doctor-demo-theme";

export function theme() {
  return localStorage.getItem(KEPT) ?? (dark.matches ? "dark" : "light");
}

export function paint() {
  document.documentElement.dataset.theme = theme();
}

export function turn() {
  localStorage.setItem(KEPT, theme() === "dark" ? "light" : "dark");
  paint();
}

dark.addEventListener("change", () => {
  paint();
  changed(); // the button's sign, too
});
paint();
