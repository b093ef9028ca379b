/* The receptive field of the chosen layer over the input: one picture, whose boxes move. */

import { draw, make } from "./elements.js";

const WIDE = 620;
const HIGH = 460;
const STRIP = 6;
const LETTERS = { 1: "l", 2: "hw", 3: "dhw" };

/* A number of the data: an integer, or a fraction "p/q". */
function value(written) {
  if (typeof written === "number") return written;
  const [p, q] = String(written).split("/").map(Number);
  return q === undefined ? p : p / q;
}

/* What a position of an axis sees: [first, last]; null for nothing. */
function seen(axis, position) {
  const [first, last, jump, , , repeats] = axis;
  if (repeats) {
    const [step, ...intervals] = repeats;
    const turns = Math.floor(position / intervals.length);
    const interval = intervals[position - turns * intervals.length];
    return interval && interval.map((end) => end + turns * step);
  }
  const moved = jump === null ? 0 : position * value(jump);
  return [value(first) + moved, value(last) + moved];
}

/* The part of an interval that lies in the input. */
function clipped([first, last], size) {
  return [Math.max(first, 0), Math.min(last, size - 1)];
}

export function showFields(data, onShow) {
  const select = document.getElementById("field-layer");
  if (!select) return { show() {} };
  const picture = document.getElementById("field-picture");
  const table = document.getElementById("field-table");
  const inputs = document.getElementById("field-positions");
  const known = data.layers.filter((place) => data.pages[place][5] >= 0);
  for (const place of known) select.append(make("option", { value: data.pages[place][0] }, data.pages[place][0]));
  let chosen = null;

  function choose(path) {
    const place = known.find((one) => data.pages[one][0] === path);
    if (place === undefined) return;
    select.value = path;
    const [sizes, axes] = data.fields[data.pages[place][5]];
    chosen = { path, shapes: data.texts[data.pages[place][2]], sizes, axes, at: axes.map((axis) => Math.floor(axis[6] / 2)) };
    const letters = LETTERS[axes.length];
    inputs.replaceChildren(
      ...axes.map((axis, i) => {
        const input = make("input", { type: "number", min: 0, max: axis[6] - 1, value: chosen.at[i] });
        input.disabled = axis[6] < 2 || axis[2] === null;
        input.addEventListener("input", () => {
          const wanted = Math.round(Number(input.value));
          chosen.at[i] = Math.min(Math.max(Number.isFinite(wanted) ? wanted : 0, 0), axis[6] - 1);
          update();
        });
        return make("label", {}, `position ${letters ? letters[i] : i + 1} `, input, " ");
      }),
    );
    update();
  }

  function frame(i) {
    const axis = chosen.axes[i];
    const ends = [0, axis[6] - 1].map((q) => seen(axis, q)).filter(Boolean);
    return [Math.min(0, ...ends.map(([a]) => a)), Math.max(chosen.sizes[i], ...ends.map(([, b]) => b + 1))];
  }

  function update() {
    const { axes, sizes, at } = chosen;
    const across = axes.length - 1;
    const down = axes.length > 1 ? across - 1 : -1;
    const [left, right] = frame(across);
    const [top, foot] = down < 0 ? [0, (right - left) / STRIP] : frame(down);
    const scale = Math.min(WIDE / (right - left), HIGH / (foot - top));
    const width = (right - left) * scale;
    const height = (foot - top) * scale;
    const box = (kind, [a, b], vertical) => {
      const [c, d] = vertical ?? [0, foot - 1];
      return draw("rect", {
        class: kind,
        x: ((a - left) * scale).toFixed(1),
        y: ((c - top) * scale).toFixed(1),
        width: ((b + 1 - a) * scale).toFixed(1),
        height: ((d + 1 - c) * scale).toFixed(1),
      });
    };
    const here = axes.map((axis, i) => seen(axis, at[i]));
    const beside = (i) =>
      axes[i][2] === null ? [] : [at[i] - 1, at[i] + 1].filter((q) => q >= 0 && q < axes[i][6]).map((q) => seen(axes[i], q));
    const vertical = down < 0 ? undefined : here[down];
    picture.setAttribute("viewBox", `0 0 ${width.toFixed(1)} ${height.toFixed(1)}`);
    picture.setAttribute("width", width.toFixed(1));
    picture.setAttribute("height", height.toFixed(1));
    picture.setAttribute("aria-label", `What position ${at.join(", ")} of ${chosen.path} sees of the input`);
    const boxes = [
      picture.querySelector("defs"),
      draw("rect", { class: "padding", x: 0, y: 0, width: width.toFixed(1), height: height.toFixed(1) }),
      box("input", [0, sizes[across] - 1], down < 0 ? undefined : [0, sizes[down] - 1]),
    ];
    if (here.every(Boolean)) {
      for (const one of beside(across)) if (one) boxes.push(box("beside", one, vertical));
      if (down >= 0) for (const one of beside(down)) if (one) boxes.push(box("beside", here[across], one));
      boxes.push(box("seen", here[across], vertical));
      const within = [here[across], vertical].map((ends, i) => ends && clipped(ends, sizes[i ? down : across]));
      if (within.every((ends) => !ends || ends[0] <= ends[1])) boxes.push(box("within", ...within));
    }
    picture.replaceChildren(...boxes);
    chosen.place = { left, top, scale, across, down };
    inputs.querySelectorAll("input").forEach((input, i) => {
      if (document.activeElement !== input) input.value = at[i];
    });
    told();
  }

  function told() {
    const letters = LETTERS[chosen.axes.length];
    const rows = chosen.axes.map((axis, i) => {
      const found = seen(axis, chosen.at[i]);
      const outside = found ? Math.max(-found[0], 0) + Math.max(found[1] + 1 - chosen.sizes[i], 0) : 0;
      const cells = [
        chosen.sizes[i],
        axis[4] ? axis[3] : `≤ ${axis[3]}`,
        axis[2] ?? "–",
        `${chosen.at[i]} of ${axis[6]}`,
        found ? `${found[0]} … ${found[1]}` : "nothing",
        outside,
      ];
      const head = make("th", { scope: "row" }, letters ? letters[i] : String(i + 1));
      return make("tr", {}, head, ...cells.map((cell) => make("td", { class: "n" }, String(cell))));
    });
    table.caption.textContent = `${chosen.path}: ${chosen.shapes}`;
    table.tBodies[0].replaceChildren(...rows);
  }

  picture.addEventListener("click", (event) => {
    if (!chosen) return;
    const bounds = picture.getBoundingClientRect();
    const { left, top, scale, across, down } = chosen.place;
    const zoom = picture.viewBox.baseVal.width / bounds.width;
    const to = (pixels, from) => (pixels * zoom) / scale + from;
    aim(across, to(event.clientX - bounds.left, left));
    if (down >= 0) aim(down, to(event.clientY - bounds.top, top));
    update();
  });

  /* The position of an axis whose field has its middle next to a place of the input. */
  function aim(i, place) {
    const axis = chosen.axes[i];
    const start = seen(axis, 0);
    if (axis[2] === null || !start) return;
    const nearest = Math.round((place - (start[0] + start[1] + 1) / 2) / value(axis[2]));
    chosen.at[i] = Math.min(Math.max(nearest, 0), axis[6] - 1);
  }

  select.addEventListener("change", () => onShow(select.value));
  const first = table.caption.textContent.split(":")[0];
  return { show: (path) => choose(path || chosen?.path || first) };
}
