// The app's Home tab.

import { blocks } from "../blocks/index.js";
import { initial } from "../blocks/elements.js";
import { h, keyed } from "../dom.js";
import { act, app, entry } from "../store.js";
import { told } from "../windows/toast.js";

export function home(root) {
  const view = entry("home");
  const make = () => (view ? h("div", { class: "home-page", data: { view: view.id } }, blocks(view.blocks, host(view))) : h("p", { class: "empty" }, `${app().name} is making this page …`));
  keyed(root, [{ key: "home", sign: view ? `${view.id} ${view.hash}` : "none", make }]);
}

function host(view) {
  return {
    id: view.id,
    value: (block, it) => initial(it),
    keep: () => {},
    act: async (it, value) => told(await act("click", { kind: "home", action: it.action_id, value: value ?? null })),
  };
}
