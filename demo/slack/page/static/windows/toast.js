// What went wrong with something the person did.

import { h } from "../dom.js";

const SENTENCES = {
  no_connection: "token-doctor is not connected. Is the bot running? See the terminal of the demo.",
  timeout: "token-doctor did not answer in time. Try it again.",
  not_in_channel: "You are not in this channel.",
  is_archived: "This channel is archived.",
};

export function trouble(answer) {
  const code = answer.failure ?? (answer.ok ? "" : answer.error);
  return code ? (SENTENCES[code] ?? `It did not work: ${code}.`) : "";
}

/** Shows it for a while, and hands the answer on. */
export function told(answer) {
  const sentence = trouble(answer);
  if (sentence) toast(sentence);
  return answer;
}

export function toast(sentence) {
  const node = h("div", { class: "toast" }, sentence);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), 6000);
}
