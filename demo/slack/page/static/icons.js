// Line icons, drawn on 20 × 20.

import { svg } from "./dom.js";

const PATHS = {
  hash: "M7.5 3 6 17M14 3l-1.5 14M3.5 7.3h13.6M2.9 12.7h13.6",
  lock: "M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  shared: "M4 10a3.5 3.5 0 1 0 7 0 3.5 3.5 0 1 0-7 0M9 10a3.5 3.5 0 1 0 7 0 3.5 3.5 0 1 0-7 0",
  close: "M5 5l10 10M15 5 5 15",
  reply: "M3 4.5h14v9H9l-4 3.2v-3.2H3z",
  more: "M10 4.6v.1M10 10v.1M10 15.4v.1",
  dots: "M4.6 10h.1M10 10h.1M15.4 10h.1",
  send: "M3 17 17.5 10 3 3l2 7zM5 10h6",
  at: "M13 10a3 3 0 1 0-6 0 3 3 0 0 0 6 0zm0 0v1.2a2 2 0 0 0 4 0V10a7 7 0 1 0-2.8 5.6",
  slash: "M12.5 3.5l-5 13",
  eye: "M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5zm8 2.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z",
  sun: "M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM10 1.8v1.8M10 16.4v1.8M1.8 10h1.8M16.4 10h1.8M4.2 4.2l1.3 1.3M14.5 14.5l1.3 1.3M15.8 4.2l-1.3 1.3M5.5 14.5l-1.3 1.3",
  moon: "M16.5 12.2A7 7 0 0 1 7.8 3.5a7 7 0 1 0 8.7 8.7z",
  people: "M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 16.5c0-3 2.4-5 5.5-5s5.5 2 5.5 5M13 4a2.8 2.8 0 0 1 0 5.3M15 12c1.9.6 3 2.2 3 4.5",
  wheel: "M10 12.6a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2zM10 2.4v5M10 12.6v5M2.8 6.2l4.8 2.5M12.4 11.3l4.8 2.5M17.2 6.2l-4.8 2.5M7.6 11.3l-4.8 2.5M10 17.6a7.6 7.6 0 1 0 0-15.2 7.6 7.6 0 0 0 0 15.2z",
  chevron: "M5 7.5l5 5 5-5",
  app: "M4 4h5v5H4zM11 4h5v5h-5zM4 11h5v5H4zM11 11h5v5h-5z",
  bolt: "M11 2.5 4.5 11H10l-1 6.5L15.5 9H10z",
  wrench: "M12.2 7.8a3.6 3.6 0 0 0 4.9-4.4l-2.3 2.3-2-.5-.5-2 2.3-2.3a3.6 3.6 0 0 0-4.4 4.9L3 13a2.1 2.1 0 1 0 3 3z",
};

export function icon(name, size = 18) {
  const heavy = name === "more" || name === "dots";
  return svg(
    "svg",
    { class: "icon", viewBox: "0 0 20 20", width: size, height: size, "aria-hidden": "true" },
    svg("path", { d: PATHS[name], "stroke-width": heavy ? 2.6 : 1.5 }),
  );
}
