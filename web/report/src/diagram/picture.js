// Boxes and lines as SVG.
import { svg } from "./elements.js";
import { SIGNS, exact, fitted, percent, step, textWidth } from "./words.js";

export const FONTS = { name: '600 13px system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif', small: '11px system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif' };
const HEIGHT = 46;
const LOW = 30;
const WIDEST = 232;
const NARROWEST = 104;
const SIDE = 12;
const KNOB = 18;
/** The room of a share. */
const SHARE = 54;

/** Draws the items of a graph, coloured by their share of a cost. */
export class Picture {
  constructor(index, cost) {
    this.index = index;
    this.cost = cost;
    this.totals = Object.fromEntries(
      index.costs.map((name) => [
        name,
        index.nodes.reduce((sum, node) => sum + (node.change === "removed" ? 0 : node.total * node.figures[name]), 0),
      ]),
    );
  }

  /** The share of an item, all its repetitions, in the chosen cost; null where it has none. */
  share(item) {
    if (item.kind === "input" || item.kind === "output" || item.change === "removed") return null;
    const total = this.totals[this.cost];
    return total > 0 ? (item.total * item.figures[this.cost]) / total : null;
  }

  name(item) {
    const times = item.times > 1 ? ` ×${item.times}` : "";
    const sign = SIGNS[item.change ?? "same"];
    return { sign: sign === "" ? "" : `${sign} `, label: item.label, times };
  }

  detail(item) {
    if (item.isGroup) return item.what;
    const kind = item.label === item.kind ? "" : item.kind;
    return [kind, item.window].filter((part) => part !== "").join(" ");
  }

  /** The size of a closed box: one line, or two where there is something to say below the name. */
  size = (item) => {
    const { sign, label, times } = this.name(item);
    const knob = item.isGroup ? KNOB : 0;
    const first = textWidth(`${sign}${label.slice(0, 200)}${times}`, FONTS.name) + knob;
    const detail = this.detail(item);
    const second = detail === "" ? 0 : textWidth(detail.slice(0, 200), FONTS.small) + SHARE;
    const width = Math.max(NARROWEST, Math.max(first + (detail === "" ? SHARE : 0), second) + 2 * SIDE);
    return { width: Math.ceil(Math.min(WIDEST, width)), height: detail === "" ? LOW : HEIGHT };
  };

  /** The room that the heading of an open group needs. */
  least = (item) => {
    const { sign, label, times } = this.name(item);
    return Math.min(360, textWidth(`${sign}${label.slice(0, 200)}${times}`, FONTS.name) + KNOB + SHARE + 2 * SIDE + 16);
  };

  /** All that is known of an item, a line each. */
  said(item) {
    const share = this.share(item);
    // What is read in the box comes first, in its order.
    const lines = [`${item.path}${this.name(item).times}`, this.detail(item)];
    if (share !== null) lines.push(`${percent(share)} of ${this.cost}`);
    lines.push(item.shape_text);
    if (item.times > 1) lines.push(`${item.times} equal repetitions`);
    if (share !== null) {
      for (const name of this.index.costs) {
        const value = item.figures[name];
        const all = item.total > 1 ? ` each, ${exact(value * item.total)} in all ${item.total}` : "";
        lines.push(`${name} ${exact(value)}${all}`);
      }
    }
    if (item.change !== undefined && item.change !== "same") lines.push(item.change);
    return lines.filter((line) => line !== "");
  }

  /** What can be reached by keys: a closed box, or the heading of an open group. */
  control(item, { x, y }, open) {
    const share = this.share(item);
    const ends = item.kind === "input" || item.kind === "output";
    const classes = [
      open ? "heading" : "box",
      item.isGroup ? "group" : "leaf",
      ends ? "end" : "",
      share === null || open ? "" : `share-${step(share)}`,
      item.change ?? "",
    ].filter((name) => name !== "");
    const said = this.said(item);
    const title = svg("title");
    title.textContent = said.join("\n");
    const made = svg(
      "g",
      {
        class: classes.join(" "),
        transform: place(x, y),
        "data-key": item.key,
        role: ends ? "img" : "button",
        tabindex: "-1",
        "aria-label": said.join(", "),
        "aria-expanded": item.isGroup ? String(open) : null,
      },
    );
    // Its name says the same: a title beside it would be read twice.
    made.addEventListener("pointerenter", () => made.prepend(title), { once: true });
    return made;
  }

  /** What lies below the lines: the frame of an open group. */
  frame(item, { x, y, width, height }) {
    const element = svg("g", { class: `frame ${item.change ?? ""}`.trim(), transform: place(x, y) });
    if (item.times > 1) element.append(svg("rect", { class: "behind", x: 5, y: 5, width, height, rx: 7 }));
    element.append(svg("rect", { class: "body", width, height, rx: 7 }));
    return element;
  }

  /** The heading of an open group. */
  heading(item, box) {
    const element = this.control(item, box, true);
    const { sign, label, times } = this.name(item);
    const share = this.sharing(item);
    const room = box.width - 2 * SIDE - KNOB - SHARE;
    const said = `${fitted(`${sign}${label}`, FONTS.name, room - textWidth(times, FONTS.name))}${times}`;
    const width = SIDE + KNOB + textWidth(said, FONTS.name) + 8;
    element.append(svg("rect", { class: "strip", width: box.width, height: 29 }));
    element.append(svg("rect", { class: "body tab", x: 3, y: 3, width: width.toFixed(1), height: 24, rx: 5 }));
    this.knob(element, true);
    this.text(element, "name", SIDE + KNOB, 19, said);
    this.text(element, "share", box.width - SIDE, 19, share);
    return element;
  }

  /** A closed box. */
  box(item, box) {
    const { width, height } = box;
    const element = this.control(item, box, false);
    const ends = item.kind === "input" || item.kind === "output";
    const round = ends ? height / 2 : 7;
    if (item.times > 1) element.append(svg("rect", { class: "behind", x: 5, y: 5, width, height, rx: round }));
    element.append(svg("rect", { class: "body", width, height, rx: round }));
    const { sign, label, times } = this.name(item);
    const [detail, share] = [this.detail(item), this.sharing(item)];
    const knob = item.isGroup ? KNOB : 0;
    if (item.isGroup) this.knob(element, false, height);
    const [upper, lower] = detail === "" ? [height / 2 + 4.5, height / 2 + 4.5] : [19, 36];
    const beside = textWidth(share, FONTS.small) + (share === "" ? 0 : 6);
    const rest = width - 2 * SIDE - knob - textWidth(times, FONTS.name) - (detail === "" ? beside : 0);
    const name = `${fitted(`${sign}${label}`, FONTS.name, rest)}${times}`;
    if (ends) {
      this.text(element, "name", width / 2, upper, name);
      this.text(element, "detail", width / 2, lower, detail);
    } else {
      this.text(element, "name", SIDE + knob, upper, name);
      this.text(element, "detail", SIDE, lower, fitted(detail, FONTS.small, width - 2 * SIDE - beside));
      this.text(element, "share", width - SIDE, lower, share);
    }
    return element;
  }

  /** The share as it is written; nothing where there is none. */
  sharing(item) {
    const share = this.share(item);
    return share === null || share === 0 ? "" : percent(share);
  }

  knob(element, open, height = HEIGHT) {
    const y = height === LOW ? LOW / 2 : 14.5;
    element.append(
      svg("rect", { class: "knob", x: SIDE - 2, y: y - 6.5, width: 13, height: 13, rx: 3 }),
      svg("path", { class: "knob-sign", d: `M13 ${y}h7${open ? "" : `M16.5 ${y - 3.5}v7`}` }),
    );
  }

  text(element, kind, x, y, content) {
    if (content === "") return;
    const found = svg("text", { class: kind, x: x.toFixed(1), y });
    found.textContent = content;
    element.append(found, " "); // a blank, which is not drawn: what is read are words
  }
}

const place = (x, y) => `translate(${x.toFixed(1)} ${y.toFixed(1)})`;

/** The path of a line through its points, which leaves and enters along the flow. */
export function curve(points, direction) {
  const down = direction === "down";
  const n = (value) => value.toFixed(1);
  let path = `M${n(points[0][0])} ${n(points[0][1])}`;
  for (let index = 1; index < points.length; index += 1) {
    const [[ax, ay], [bx, by]] = [points[index - 1], points[index]];
    if (down ? Math.abs(ax - bx) < 0.5 : Math.abs(ay - by) < 0.5) path += `L${n(bx)} ${n(by)}`;
    else if (down) path += `C${n(ax)} ${n((ay + by) / 2)} ${n(bx)} ${n((ay + by) / 2)} ${n(bx)} ${n(by)}`;
    else path += `C${n((ax + bx) / 2)} ${n(ay)} ${n((ax + bx) / 2)} ${n(by)} ${n(bx)} ${n(by)}`;
  }
  return path;
}

/** A line, with its head where it ends at a box. */
export function line({ ref, points }, direction) {
  const change = ref.change === "same" ? "" : ` ${ref.change}`;
  const found = svg("g", { class: `line${change}`, "data-from": ref.from, "data-to": ref.to });
  const [x, y] = points[points.length - 1];
  const back = direction === "down" ? [x, y - 6] : [x - 6, y];
  const shaft = ref.end ? [...points.slice(0, -1), back] : points;
  found.append(svg("path", { class: "shaft", d: curve(shaft, direction) }));
  if (ref.end) {
    const head = direction === "down" ? `M${x} ${y}l-4 -8h8z` : `M${x} ${y}l-8 -4v8z`;
    found.append(svg("path", { class: "head", d: head }));
  }
  return found;
}

/** The shapes that leave a box, cut to what there is room for. */
export function shapes(texts, room) {
  const whole = [...texts].join(", ");
  const text = fitted(whole, FONTS.small, room);
  return { whole, text, width: textWidth(text, FONTS.small) + 8 };
}

/** They, beside the lines. */
export function shapeLabel({ whole, text }, { x, y, width, height }, direction) {
  const down = direction === "down";
  const found = svg("text", {
    class: "shape",
    x: (down ? x + width / 2 + 6 : x + width + 7).toFixed(1),
    y: (down ? y + height + 16 : y + height / 2 - 6).toFixed(1),
  });
  found.textContent = text;
  if (text !== whole) {
    const title = svg("title");
    title.textContent = whole;
    found.append(title);
  }
  return found;
}
