// data_visualization: bar, line, area and pie, drawn as SVG; what is drawn is told to screen readers as a table.

import { h, svg } from "../dom.js";

const SIZES = { wide: 560, narrow: 330 }; // the narrow one in threads and on a phone: the same letters, less room
const HEIGHT = 250;
const BOX = { left: 48, right: 12, top: 12, bottom: 44 };
const number = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

export function chart(block) {
  const { chart: data, title } = block;
  const drawing = h("div", { class: "drawing" }, Object.entries(SIZES).map(([size, width]) => (data.type === "pie" ? pie(data, size, width) : plot(data, size, width))));
  const names = data.type === "pie" ? data.segments.map((each) => each.label) : data.series.map((each) => each.name);
  const key = names.length > 1 ? h("ul", { class: "legend" }, names.map((name, index) => h("li", { class: `tone-${index % 6}` }, h("span", { class: "swatch", "aria-hidden": "true" }), name))) : null;
  return h("figure", { class: "chart" }, h("figcaption", null, title), drawing, key, spoken(data, title));
}

function canvas(size, width, height, ...children) {
  return svg("svg", { class: size, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, children);
}

/** The same numbers for who cannot see the drawing. */
function spoken(data, title) {
  const rows =
    data.type === "pie"
      ? data.segments.map((each) => [each.label, each.value])
      : data.axis_config.categories.map((label) => [label, ...data.series.map((each) => valueAt(each, label))]);
  const names = data.type === "pie" ? ["Value"] : data.series.map((each) => each.name);
  const table = h("table", null, h("caption", null, title), h("tr", null, h("th", null, ""), names.map((name) => h("th", null, name))), rows.map((row) => h("tr", null, row.map((cell) => h("td", null, cell)))));
  return h("div", { class: "spoken" }, table);
}

const valueAt = (series, label) => series.data.find((point) => point.label === label)?.value ?? 0;

/** Round steps for an axis from low to high: at most five, and whole ones where all values are whole. */
function steps(low, high, whole) {
  const raw = Math.max((high - low || 1) / 4, whole ? 1 : 0);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= raw);
  const from = Math.floor(low / step) * step;
  const marks = [];
  for (let at = from; at < high + step / 2; at += step) marks.push(Number(at.toFixed(10)));
  if (marks.at(-1) < high) marks.push(marks.at(-1) + step);
  return marks;
}

/** A label under its place: a long one takes two lines, where it has a gap. */
function labelled(label, x, y, room) {
  const [, first, second] = (label.length * 6 > room && /^(.{3,}?[\s-])(.+)$/.exec(label)) || [null, label, ""];
  return svg("text", { class: "tick", x, y, "text-anchor": "middle" }, svg("tspan", { x }, first.trimEnd()), second && svg("tspan", { x, dy: 13 }, second));
}

function plot(data, size, width) {
  const { categories, x_label: under, y_label: beside } = data.axis_config;
  const values = data.series.flatMap((each) => each.data.map((point) => point.value));
  const marks = steps(Math.min(0, ...values), Math.max(0, ...values), values.every(Number.isInteger));
  const inner = { width: width - BOX.left - BOX.right, height: HEIGHT - BOX.top - BOX.bottom };
  const [low, high] = [marks[0], marks.at(-1)];
  const frame = {
    low,
    slot: inner.width / categories.length,
    x: (index) => BOX.left + (inner.width / categories.length) * (index + 0.5),
    y: (value) => BOX.top + inner.height * (1 - (value - low) / (high - low || 1)),
  };
  const grid = marks.map((mark) => [
    svg("line", { class: mark === 0 ? "axis" : "grid", x1: BOX.left, x2: width - BOX.right, y1: frame.y(mark), y2: frame.y(mark) }),
    svg("text", { class: "tick", x: BOX.left - 8, y: frame.y(mark) + 4, "text-anchor": "end" }, number.format(mark)),
  ]);
  const every = Math.ceil(categories.length / (width / 56));
  const labels = categories.map((label, index) => index % every === 0 && labelled(label, frame.x(index), HEIGHT - BOX.bottom + 16, frame.slot * every));
  const names = [
    under && svg("text", { class: "axis-name", x: BOX.left + inner.width / 2, y: HEIGHT - 6, "text-anchor": "middle" }, under),
    beside && svg("text", { class: "axis-name", transform: `translate(11 ${BOX.top + inner.height / 2}) rotate(-90)`, "text-anchor": "middle" }, beside),
  ];
  const draw = { bar: bars, line: lines, area: areas }[data.type];
  return canvas(size, width, HEIGHT, grid, labels, names, draw(data.series, categories, frame));
}

function bars(series, categories, frame) {
  const wide = Math.min(42, (frame.slot * 0.72) / series.length);
  return series.map((each, at) =>
    categories.map((label, index) => {
      const value = valueAt(each, label);
      const [top, bottom] = [frame.y(Math.max(0, value)), frame.y(Math.min(0, value))];
      const x = frame.x(index) + wide * (at - series.length / 2);
      const shape = svg("rect", { class: `fill tone-${at % 6}`, x: x + 1, y: top, width: Math.max(1, wide - 2), height: Math.max(0, bottom - top), rx: 2 });
      shape.append(svg("title", null, `${each.name}, ${label}: ${number.format(value)}`));
      return shape;
    }),
  );
}

const pointsOf = (each, categories, frame) => categories.map((label, index) => [frame.x(index), frame.y(valueAt(each, label))]);

function lines(series, categories, frame) {
  return series.map((each, at) => {
    const points = pointsOf(each, categories, frame);
    const dots = points.map(([x, y], index) => svg("circle", { class: `fill tone-${at % 6}`, cx: x, cy: y, r: 3.2 }, svg("title", null, `${each.name}, ${categories[index]}: ${number.format(valueAt(each, categories[index]))}`)));
    return [svg("polyline", { class: `stroke tone-${at % 6}`, points: points.map((point) => point.join(",")).join(" ") }), dots];
  });
}

function areas(series, categories, frame) {
  const floor = frame.y(Math.max(0, frame.low));
  const filled = series.map((each, at) => {
    const points = pointsOf(each, categories, frame);
    const around = [[points[0][0], floor], ...points, [points.at(-1)[0], floor]];
    return svg("polygon", { class: `area tone-${at % 6}`, points: around.map((point) => point.join(",")).join(" ") });
  });
  return [filled, lines(series, categories, frame)];
}

function pie(data, size, width) {
  const total = data.segments.reduce((sum, each) => sum + each.value, 0);
  const [radius, hole, middle] = [95, 55, [width / 2, 110]];
  const at = (part, far) => {
    const angle = part * 2 * Math.PI - Math.PI / 2;
    return `${middle[0] + far * Math.cos(angle)} ${middle[1] + far * Math.sin(angle)}`;
  };
  let from = 0;
  const shapes = data.segments.map((each, index) => {
    const to = Math.min(from + each.value / total, from + 0.9999);
    const large = to - from > 0.5 ? 1 : 0;
    const path = `M${at(from, radius)}A${radius} ${radius} 0 ${large} 1 ${at(to, radius)}L${at(to, hole)}A${hole} ${hole} 0 ${large} 0 ${at(from, hole)}Z`;
    from = to;
    return svg("path", { class: `slice tone-${index % 6}`, d: path }, svg("title", null, `${each.label}: ${number.format(each.value)} (${Math.round((100 * each.value) / total)} %)`));
  });
  return canvas(size, width, 220, shapes, svg("text", { class: "total", x: middle[0], y: middle[1] + 7, "text-anchor": "middle" }, number.format(total)));
}
