// The question before a press that matters: {title, text, confirm, deny, style}.

import { h } from "../dom.js";
import { plain, textObject } from "../blocks/mrkdwn.js";

/** True when the person says so; Esc and the other button say no. */
export function confirmed(asked, opener) {
  return new Promise((answer) => {
    const yes = h("button", { class: `button solid ${asked.style ?? "primary"}`, type: "button", value: "yes" }, plain(asked.confirm));
    const no = h("button", { class: "button", type: "button", value: "no" }, plain(asked.deny));
    const dialog = h(
      "dialog",
      { class: "window confirm", "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text" },
      h("h2", { id: "confirm-title" }, plain(asked.title)),
      h("div", { id: "confirm-text" }, textObject(asked.text)),
      h("footer", null, no, yes),
    );
    const end = (said) => () => dialog.close(said);
    yes.addEventListener("click", end("yes"));
    no.addEventListener("click", end("no"));
    dialog.addEventListener("close", () => {
      dialog.remove();
      opener?.focus();
      answer(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
    yes.focus();
  });
}
