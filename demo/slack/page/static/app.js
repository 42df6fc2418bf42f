// The page's beginning: whenever something changes, every part brings itself up to it.

import { h } from "./dom.js";
import { settle, start } from "./place.js";
import { onChange, state } from "./store.js";
import "./theme.js";
import { panel, renderCluster } from "./workspace/cluster.js";
import { renderMain } from "./workspace/main.js";
import { renderSide } from "./workspace/side.js";
import { renderThread } from "./workspace/thread.js";
import { renderTop } from "./workspace/top.js";
import { renderModal } from "./windows/modal.js";

let away = null;

function render() {
  if (!state.loaded) return;
  settle();
  renderSide();
  renderMain();
  renderThread();
  renderCluster();
  renderTop(panel);
  renderModal();
  offline();
}

function offline() {
  if (state.online) {
    away?.remove();
    away = null;
  } else if (!away) {
    away = h("div", { class: "offline", role: "alert" }, "The demo has stopped. Start it again with: make demo");
    document.body.append(away);
  }
}

onChange(render);
document.addEventListener("visibilitychange", render);
start();
