// The page: what is written is asked about, what is answered is shown, and the address says where one is.
import { Editor } from "./editor.js";
import { element, picture } from "./elements.js";
import * as places from "./place.js";
import { Python } from "./python.js";
import { Schema } from "./schema.js";
import { Table } from "./table.js";
import { Tabs } from "./tabs.js";

const PAUSE = 250;
const FIRST = "lenet5";
const NUMBERS = ["kernel", "stride", "before", "after", "dilation", "size"];
const get = (id) => document.getElementById(id);

async function json(name) {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer.json();
}

class Playground {
  constructor() {
    this.place = places.read(location.hash);
    this.edits = 0;
    this.saves = 0;
    this.known = null; // the spec of the gallery that stands in the editor, as it is
    this.stale = true;
    this.python = new Python((state, part) => this.loaded(state, part));
    this.editor = new Editor(get("editor"), (text) => this.changed(text), json("schema.json").then((found) => new Schema(found)));
    this.table = new Table(get("table"), (path) => this.choose(path));
    this.tabs = new Tabs(get("tabs"), (name) => this.opened(name));
    get("gallery").addEventListener("change", () => this.start(get("gallery").value));
    get("variant").addEventListener("change", () => this.pick(get("variant").value));
    get("link").addEventListener("click", () => this.copy());
    get("numbers").addEventListener("input", () => this.invert());
    get("numbers").addEventListener("submit", (event) => event.preventDefault());
    addEventListener("hashchange", () => this.arrive());
    this.begin();
  }

  async begin() {
    const { specs } = await json("gallery.json");
    this.titles = new Map(specs.map(({ name, title }) => [name, title]));
    for (const [name, title] of this.titles) get("gallery").append(element("option", { value: name }, `${title} (${name})`));
    await this.open();
  }

  /** Somebody went back, or put another address into this window. */
  async arrive() {
    const place = places.read(location.hash);
    if (location.hash.replace(/^#/, "") === this.written) return;
    this.place = place;
    await this.open();
  }

  /** Show what the place says. */
  async open() {
    const { place } = this;
    const numbers = (place.window ?? "").split(",").map(Number);
    if (numbers.length === NUMBERS.length && numbers.every(Number.isSafeInteger)) {
      NUMBERS.forEach((name, at) => (get("numbers").elements[name].value = numbers[at]));
    }
    this.tabs.open(this.tabs.has(place.tab) ? place.tab : "table");
    const text = place.text === undefined ? null : await places.unpacked(place.text);
    if (text !== null) {
      this.known = null;
      get("gallery").value = "";
      this.write(text);
    } else {
      await this.fetch(this.titles.has(place.spec) ? place.spec : FIRST);
    }
  }

  async fetch(name) {
    const answer = await fetch(`specs/${name}.yaml`);
    const text = await answer.text();
    this.known = { name, text };
    get("gallery").value = name;
    this.write(text);
  }

  write(text) {
    if (this.editor.text === text) this.changed(text);
    else this.editor.text = text;
  }

  start(name) {
    if (name === "") return;
    this.place = { tab: this.place.tab };
    this.fetch(name);
  }

  loaded(state, part) {
    get("progress").hidden = part === undefined;
    get("progress").value = part ?? 1;
    const failed = state.startsWith("failed: ");
    get("status").className = failed ? "bad" : "";
    get("status").textContent = failed ? `convcalc did not start: ${state.slice(8)}` : state === "ready" ? "Reading the spec …" : `${state} …`;
  }

  /** The text is another one: ask about it once nobody types. */
  changed(text) {
    this.edits += 1;
    if (this.known !== null && text !== this.known.text) {
      this.known = null;
      get("gallery").value = "";
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), this.shown ? PAUSE : 0);
  }

  pick(variant) {
    this.place.variant = variant;
    this.ask();
  }

  /** One question is open at a time; the answer to one that is not of this text any more is left. */
  async ask() {
    if (this.asking) {
      this.again = true;
      return;
    }
    this.asking = true;
    try {
      do {
        this.again = false;
        await this.look();
      } while (this.again);
    } finally {
      this.asking = false;
    }
  }

  async look() {
    const { edits } = this;
    const { text } = this.editor;
    const answer = await this.python.ask({ ask: "network", text, variant: this.place.variant || null });
    if (edits !== this.edits) return;
    if (answer.error && this.place.variant) {
      this.place.variant = "";
      this.again = true;
      return;
    }
    this.save(text);
    if (!answer.table) {
      this.fail(answer);
      return;
    }
    this.stale = false;
    get("stale").hidden = true;
    this.shown = true;
    document.title = `${answer.name} · convcalc playground`;
    get("status").className = "";
    get("status").textContent = `${answer.shapes} · ${Math.max(1, Math.round(answer.took))} ms`;
    document.documentElement.dataset.took = answer.took.toFixed(1);
    this.variants(answer.variants);
    this.table.show(answer.table);
    this.graphed = false;
    this.opened(this.tabs.current);
    const checked = await this.python.ask({ ask: "check", text });
    if (edits === this.edits) this.find(checked.findings ?? answer.findings, true);
  }

  /** What is wrong is said; the last network stays, and is said to be of before. */
  fail(answer) {
    const { error } = answer;
    this.stale = true;
    get("stale").hidden = !this.shown;
    get("status").className = "bad";
    const said = error ? `${error.message}${error.hint ? `: ${error.hint}` : ""}` : "the spec has errors";
    get("status").textContent = said;
    this.find(answer.findings ?? [], false);
  }

  find(findings, whole) {
    this.editor.mark(findings);
    document.documentElement.dataset.findings = findings.length;
    const items = findings.map((finding) => {
      const [first, ...others] = finding.lines;
      const place = first.indexOf(finding.code);
      const head = [element("b", {}, first.slice(first.indexOf(":") + 1, place + finding.code.length)), first.slice(place + finding.code.length)];
      const lines = others.map((line) => element("span", { class: /^\s*hint:/.test(line) ? "hint" : "source" }, `\n${line}`));
      const button = element("button", { type: "button", class: finding.severity }, element("pre", {}, ...head, ...lines));
      button.addEventListener("click", () => this.editor.go(finding));
      return element("li", {}, button);
    });
    const passed = element("p", { class: "passed" }, "check finds nothing");
    get("findings").replaceChildren(...(items.length > 0 ? [element("ul", {}, ...items)] : whole ? [passed] : []));
  }

  variants(names) {
    get("variant-label").hidden = names.length === 0;
    get("variant").replaceChildren(element("option", { value: "" }, "none"), ...names.map((name) => element("option", { value: name }, name)));
    get("variant").value = this.place.variant ?? "";
  }

  choose(path) {
    this.place.layer = path;
    this.tabs.open("layer");
  }

  /** A tab is looked at: what it needs is asked for now. */
  async opened(name) {
    this.place.tab = name;
    if (this.written !== undefined) this.save(this.editor.text);
    if (name === "diagram") await this.draw();
    else if (name === "layer") await this.explain();
    else if (name === "invert") await this.invert();
  }

  async draw() {
    if (this.graphed || this.stale) return;
    this.graphed = true;
    const { graph, error } = await this.python.ask({ ask: "graph" });
    this.diagram?.destroy();
    this.diagram = null;
    get("diagram").replaceChildren();
    if (error) get("diagram").append(element("p", { class: "wrong" }, error.message));
    else this.diagram = globalThis.convcalc.diagram.mount(get("diagram"), graph, { onSelect: (path) => this.choose(path) });
  }

  async explain() {
    const panel = get("layer");
    const { layer } = this.place;
    if (!layer) return panel.replaceChildren(element("p", { class: "dim" }, "Choose a row of the table, or a box of the diagram."));
    if (this.stale) return undefined;
    const { text, svg, window, inside, error } = await this.python.ask({ ask: "layer", path: layer });
    if (layer !== this.place.layer) return undefined;
    if (error) return panel.replaceChildren(element("p", { class: "wrong" }, error.message));
    const parts = [element("h2", {}, layer), element("pre", { class: "text" }, text)];
    if (svg) parts.push(element("figure", {}, picture(svg, `The window of ${window}, moving over its input`)));
    if (inside.length > 0) {
      const links = inside.map((path) => {
        const choose = { click: () => this.choose(path) };
        return element("li", {}, element("button", { type: "button", class: "path", on: choose }, path));
      });
      parts.push(element("h3", {}, "Layers inside"), element("ul", { class: "inside" }, ...links));
    }
    return panel.replaceChildren(...parts);
  }

  async invert() {
    const { elements } = get("numbers");
    const panel = get("inverted");
    if (!get("numbers").checkValidity()) {
      panel.replaceChildren(element("p", { class: "wrong" }, "whole numbers are needed, within their bounds"));
      return;
    }
    const numbers = Object.fromEntries(NUMBERS.map((name) => [name, elements[name].valueAsNumber]));
    const wanted = NUMBERS.map((name) => numbers[name]).join(",");
    this.place.window = wanted;
    if (this.written !== undefined) this.save(this.editor.text);
    const { text, drawings, error } = await this.python.ask({ ask: "invert", ...numbers });
    if (this.place.window !== wanted) return;
    if (error) {
      const hint = error.hint ? [element("p", { class: "hint" }, `hint: ${error.hint}`)] : [];
      panel.replaceChildren(element("p", { class: "wrong" }, error.message), ...hint);
      return;
    }
    const figures = drawings.map(({ said, svg }) => element("figure", {}, element("figcaption", {}, said), picture(svg, said)));
    panel.replaceChildren(...figures, element("pre", { class: "text" }, text));
  }

  /** The place in the address: a spec of the gallery by its name, another text whole. A later one goes before it. */
  async save(text) {
    const [save, before] = [++this.saves, location.hash];
    const { tab, variant, layer, window } = this.place;
    const spec = this.known?.name ?? null;
    const packed = spec === null ? await places.packed(text) : null;
    if (save !== this.saves || location.hash !== before) return;
    this.tooLong = spec === null && packed === null;
    const shown = { spec, text: packed, variant, tab: tab === "table" ? null : tab };
    shown.layer = tab === "layer" ? layer : null;
    shown.window = tab === "invert" ? window : null;
    this.written = places.written(shown);
    history.replaceState(null, "", `#${this.written}`);
  }

  async copy() {
    await this.save(this.editor.text);
    const said = this.tooLong ? "the spec is too long for a link" : "the link is copied";
    try {
      if (!this.tooLong) await navigator.clipboard.writeText(location.href);
      get("status").textContent = said;
    } catch {
      get("status").textContent = "the browser does not let pages copy: the link is in the address bar";
    }
  }
}

new Playground();
