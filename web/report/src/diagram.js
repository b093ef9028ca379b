// The diagram: the graph of a network by its blocks, which open where they stand.
import { Camera } from "./diagram/camera.js";
import { html, svg } from "./diagram/elements.js";
import { GAPS, HEADING } from "./diagram/layout.js";
import { Picture, line, shapeLabel, shapes } from "./diagram/picture.js";
import { found, indexed, levels, shown } from "./diagram/tree.js";
import { SIGNS, stepNames } from "./diagram/words.js";
import { Layouts, serve } from "./diagram/worker.js";

/** Boxes up to which both directions are tried. */
const MOST_TRIED = 300;
const HELP =
  "Arrow keys follow the lines. Enter opens or closes a block and shows the page of a layer, Escape goes to the block " +
  "around it. Drag or scroll to move, Ctrl and scroll or + and − to zoom, 0 to see all.";

class Diagram {
  constructor(element, graph, { cost, onSelect, theme } = {}) {
    this.element = element;
    this.index = indexed(graph);
    this.compared = this.index.nodes.some((node) => node.change !== undefined);
    this.onSelect = onSelect;
    this.open = new Set();
    this.direction = null;
    this.selected = null;
    this.current = null;
    this.layouts = new Layouts();
    this.picture = new Picture(this.index, graph.costs.includes(cost) ? cost : graph.costs[0]);
    this.build(theme);
    this.camera = new Camera(this.stage, this.view);
    this.ready = this.start();
  }

  build(theme) {
    const { index } = this;
    const button = (text, label, act) => {
      const made = html("button", { type: "button", "aria-label": label, title: label }, text);
      made.addEventListener("click", act);
      return made;
    };
    this.chooser = html("select", {});
    for (const name of index.costs) this.chooser.append(html("option", { value: name }, name));
    this.chooser.value = this.picture.cost;
    this.chooser.addEventListener("change", () => this.setCost(this.chooser.value));
    this.turn = button("", "Turn the direction of the flow", () => this.turnAround());
    this.bar = html(
      "div",
      { class: "diagram-bar", role: "group", "aria-label": "Diagram" },
      html("label", {}, "Colour: share of ", this.chooser),
      button("Open all", "Open all blocks", () => this.setOpen(index.groups.map((group) => group.id))),
      button("Close all", "Close all blocks", () => this.setOpen([])),
      this.turn,
      button("−", "Zoom out", () => this.camera.zoom(1 / 1.4)),
      button("+", "Zoom in", () => this.camera.zoom(1.4)),
      button("Fit", "Fit: see all of it", () => this.camera.fit()),
    );
    this.lines = svg("g", { class: "lines", "aria-hidden": "true" });
    this.view = svg("g", { class: "view" });
    const named = { role: "group", "aria-label": "Graph of the network" };
    this.stage = svg("svg", { class: "diagram-stage", tabindex: "-1", ...named }, this.view);
    this.status = html("p", { class: "diagram-status", role: "status" });
    const legend = html("ul", { class: "diagram-legend", "aria-label": "Colours" });
    const swatch = (name, ...parts) => {
      const mark = svg("svg", { class: `swatch ${name}`, width: 16, height: 12, "aria-hidden": "true" });
      mark.append(svg("rect", { class: "body", x: 1, y: 1, width: 14, height: 10, rx: 2 }));
      legend.append(html("li", {}, mark, ...parts));
    };
    stepNames().forEach((text, number) => swatch(`box share-${number}`, text));
    if (this.compared) {
      for (const change of ["added", "removed", "changed"]) swatch(`box ${change}`, `${SIGNS[change]} ${change}`);
    }
    const help = html("p", { class: "diagram-help" }, HELP);
    this.root = html("div", { class: "diagram", "aria-busy": "true" }, this.bar, this.stage, legend, help, this.status);
    if (theme === "light" || theme === "dark") this.root.classList.add(`diagram-${theme}`);
    this.element.append(this.root);
    this.ending = new AbortController();
    const { signal } = this.ending;
    this.stage.addEventListener("click", (event) => this.clicked(event), { signal });
    this.stage.addEventListener("keydown", (event) => this.pressed(event), { signal });
    for (const [name, on] of [["focusin", true], ["focusout", false], ["pointerover", true], ["pointerout", false]]) {
      this.stage.addEventListener(name, (event) => this.light(this.itemOf(event.target), on), { signal });
    }
  }

  async start() {
    if (this.index.nodes.length === 0) {
      const count = this.index.left_out;
      this.root.removeAttribute("aria-busy");
      this.status.classList.add("shown");
      this.status.textContent = count === undefined ? "No layers." : `${count} layers are more than a diagram shows.`;
      return;
    }
    const { width, height } = this.camera.room();
    let best = null;
    for (const direction of this.index.top.length <= MOST_TRIED ? ["right", "down"] : ["down"]) {
      const placed = await this.layouts.ask(this.level(direction), direction);
      if (placed === null) return;
      const scale = Math.min(1, width / (placed.width + 48), height / (placed.height + 48));
      if (best === null || scale >= best.scale) best = { direction, scale, placed };
    }
    this.direction = best.direction;
    this.leaving = this.shapesLeaving(best.direction);
    this.draw(best.placed);
    this.camera.begin(this.placed.boxes[0]);
  }

  /** What is seen now, to be laid out in a direction. */
  level(direction) {
    this.leaving = this.shapesLeaving(direction);
    const size = (item) => ({ ...this.picture.size(item), label: this.leaving.get(item.key)?.width ?? 0 });
    return levels(this.index, this.open, size, this.picture.least, HEADING);
  }

  /** Key of what is seen -> the shapes of what others read of it. */
  shapesLeaving(direction) {
    const found = new Map();
    for (const node of this.index.nodes) {
      const from = shown(node, this.open);
      if (!node.readers.some((reader) => shown(this.index.nodes[reader], this.open) !== from)) continue;
      if (!found.has(from.key)) found.set(from.key, new Set());
      found.get(from.key).add(node.shape_text);
    }
    const room = direction === "down" ? 200 : GAPS.right - 14;
    return new Map([...found].map(([key, texts]) => [key, shapes(texts, room)]));
  }

  /** Lay out and draw what is open now; false where something else was asked for since. */
  async update() {
    this.root.setAttribute("aria-busy", "true");
    const placed = await this.layouts.ask(this.level(this.direction), this.direction);
    if (placed === null) return false;
    this.draw(placed);
    return true;
  }

  draw(placed) {
    const { index, direction } = this;
    const focused = this.itemOf(document.activeElement);
    this.placed = placed;
    this.boxes = new Map(placed.boxes.map((box) => [box.key, box]));
    this.elements = new Map();
    // Frames lie below the lines, headings and boxes above them.
    const frames = [];
    const controls = [];
    for (const box of placed.boxes) {
      const item = index.byKey.get(box.key);
      const open = item.isGroup && this.open.has(item.id);
      if (open) frames.push(this.picture.frame(item, box));
      const control = open ? this.picture.heading(item, box) : this.picture.box(item, box);
      this.elements.set(box.key, control);
      controls.push(control);
    }
    const labels = [...this.leaving].map(([key, each]) => shapeLabel(each, this.boxes.get(key), direction));
    this.lines.replaceChildren(...placed.lines.map((each) => line(each, direction)), ...labels);
    this.view.replaceChildren(...frames, this.lines, ...controls);
    this.camera.size = { width: placed.width, height: placed.height };
    this.root.removeAttribute("aria-busy");
    this.turn.textContent = direction === "down" ? "↓" : "→";
    if (this.selected !== null) this.elements.get(this.shownKey(this.selected))?.classList.add("selected");
    const next = (focused !== null && this.elements.has(focused.key) ? focused.key : null) ?? this.current;
    this.roam(next !== null && this.elements.has(next) ? next : placed.boxes[0].key, focused !== null);
  }

  itemOf(target) {
    const element = target instanceof Element ? target.closest("[data-key]") : null;
    return element !== null && this.stage.contains(element) ? this.index.byKey.get(element.dataset.key) : null;
  }

  shownKey(item) {
    return (item.chain.find((group) => !this.open.has(group.id)) ?? item).key;
  }

  /** Make a box the one that Tab reaches. */
  roam(key, focus) {
    this.elements.get(this.current)?.setAttribute("tabindex", "-1");
    this.current = key;
    const element = this.elements.get(key);
    element.setAttribute("tabindex", "0");
    if (focus) element.focus({ preventScroll: true });
  }

  light(item, on) {
    if (item === null) return;
    for (const each of this.lines.children) {
      if (each.dataset.from === item.key || each.dataset.to === item.key) each.classList.toggle("lit", on);
    }
  }

  clicked(event) {
    const item = this.itemOf(event.target);
    if (item === null) return;
    this.roam(item.key, true);
    this.act(item);
  }

  act(item) {
    if (item.isGroup) this.toggle(item);
    else if (item.kind !== "input" && item.kind !== "output") {
      this.mark(item);
      this.onSelect?.(item.path);
    }
  }

  mark(item) {
    for (const element of this.stage.querySelectorAll(".selected")) element.classList.remove("selected");
    this.selected = item;
    this.elements.get(this.shownKey(item))?.classList.add("selected");
  }

  async toggle(item) {
    const before = this.boxes.get(item.key);
    const opening = !this.open.has(item.id);
    if (opening) this.open.add(item.id);
    else this.open.delete(item.id);
    if (!(await this.update())) return;
    const after = this.boxes.get(item.key);
    const { scale } = this.camera.at;
    const shift = (before.x - after.x + (before.width - after.width) / 2) * scale;
    this.camera.pan(this.direction === "down" ? shift : (before.x - after.x) * scale, (before.y - after.y) * scale);
    this.camera.reveal(after);
    this.say(`${item.label} ${opening ? "opened" : "closed"}`);
  }

  async setOpen(ids) {
    this.open = new Set(ids);
    if (!(await this.update())) return;
    this.camera.begin(this.placed.boxes[0]);
    this.say(ids.length === 0 ? "All blocks closed" : `${this.boxes.size} boxes`);
  }

  async turnAround() {
    this.direction = this.direction === "down" ? "right" : "down";
    if (await this.update()) this.camera.begin(this.placed.boxes[0]);
  }

  say(text) {
    this.status.textContent = text;
  }

  pressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const item = this.itemOf(event.target);
    const act = this.keys(event.key, item);
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  keys(key, item) {
    const general = {
      "+": () => this.camera.zoom(1.4),
      "=": () => this.camera.zoom(1.4),
      "-": () => this.camera.zoom(1 / 1.4),
      0: () => this.camera.fit(),
    };
    if (key in general) return general[key];
    if (item === null) return undefined;
    const go = (target) => () => {
      if (target === null || target === undefined) return;
      this.roam(target, true);
      this.camera.reveal(this.boxes.get(target));
    };
    const [back, on, left, right] =
      this.direction === "down"
        ? ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]
        : ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
    const keys = {
      Enter: () => this.act(item),
      " ": () => this.act(item),
      Escape: go(item.chain[item.chain.length - 1]?.key),
      Home: go(this.placed.boxes[0].key),
      End: go(this.placed.boxes[this.placed.boxes.length - 1].key),
      [on]: go(this.along(item, "from", "to")),
      [back]: go(this.along(item, "to", "from")),
      [left]: go(this.beside(item, -1)),
      [right]: go(this.beside(item, 1)),
    };
    return Object.hasOwn(keys, key) ? keys[key] : undefined;
  }

  /** The nearest box along the lines; of an open block the first box in it. */
  along(item, near, far) {
    if (item.isGroup && this.open.has(item.id)) {
      return near === "from" ? this.shownKey(item.items[0]) : this.along(item.items[0], near, far);
    }
    const targets = new Set(this.placed.lines.filter(({ ref }) => ref[near] === item.key).map(({ ref }) => ref[far]));
    return this.nearest(item, [...targets], () => true);
  }

  /** The nearest box on one side of the flow. */
  beside(item, sign) {
    const down = this.direction === "down";
    const { cross, main } = this.middle(item.key, down);
    const closed = this.placed.boxes.map((box) => box.key).filter((key) => !this.open.has(this.groupId(key)));
    return this.nearest(item, closed, (key) => {
      const other = this.middle(key, down);
      return sign * (other.cross - cross) > 8 && Math.abs(other.main - main) < 60;
    });
  }

  groupId(key) {
    const item = this.index.byKey.get(key);
    return item.isGroup ? item.id : null;
  }

  middle(key, down) {
    const box = this.boxes.get(key);
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    return down ? { cross: x, main: y } : { cross: y, main: x };
  }

  nearest(item, keys, fits) {
    const from = this.middle(item.key, true);
    const distance = (key) => {
      const to = this.middle(key, true);
      return Math.hypot(to.cross - from.cross, to.main - from.main);
    };
    const candidates = keys.filter((key) => key !== item.key && fits(key));
    return candidates.length === 0 ? null : candidates.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  }

  setCost(name) {
    if (!this.index.costs.includes(name)) throw new RangeError(`no cost ${name}`);
    this.picture.cost = name;
    this.chooser.value = name;
    if (this.placed !== undefined) this.draw(this.placed);
  }

  /** Open what is around the layer or block at a path, mark it and bring it into sight. */
  async select(path) {
    await this.ready;
    const item = found(this.index, path);
    if (item === null) return false;
    const closed = item.chain.filter((group) => !this.open.has(group.id));
    for (const group of closed) this.open.add(group.id);
    if (closed.length > 0 && !(await this.update())) return false;
    this.mark(item);
    this.roam(item.key, false);
    this.camera.reveal(this.boxes.get(item.key));
    return true;
  }

  /** What is open is shown whole while it is printed. All of it is there once the promises that wait are kept. */
  setPaper(paper) {
    this.layouts.setPrompt(paper);
    this.ready.then(() => this.camera.setPaper(paper));
  }

  destroy() {
    this.ending.abort();
    this.camera.destroy();
    this.layouts.destroy();
    this.root.remove();
  }
}

/** Draw a graph in an element. `onSelect` is called with the path of a layer that is chosen. */
function mount(element, graph, options) {
  const diagram = new Diagram(element, graph, options);
  return {
    select: (path) => diagram.select(path),
    setCost: (name) => diagram.setCost(name),
    fit: () => diagram.camera.fit(),
    setPaper: (paper) => diagram.setPaper(paper),
    destroy: () => diagram.destroy(),
    ready: diagram.ready,
    place: () => diagram.layouts.place,
  };
}

if (typeof document === "undefined") serve();
else globalThis.convcalc = { ...globalThis.convcalc, diagram: { mount } };
