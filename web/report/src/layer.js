/* The page of a layer or a group: its explanation, what it reads and what reads it. */

import { make } from "./elements.js";
import { linkTo } from "./paths.js";

const MOST_HELD = 60;

export function readLayers(data, paths) {
  const section = document.getElementById("layer");
  const name = (source) => (typeof source === "number" ? data.pages[source][0] : source);
  const readers = new Map();
  for (const [path, , , , , , , read] of data.pages) {
    for (const source of read.map(name)) readers.set(source, [...(readers.get(source) ?? []), path]);
  }
  const text = (number) => (number === undefined || number < 0 ? "" : data.texts[number]);

  /* Text with what stands between backticks as code. */
  function coded(prose) {
    return prose.split("`").map((part, i) => (i % 2 ? make("code", {}, part) : part));
  }

  function links(label, found) {
    if (!found?.length) return [];
    const items = found.slice(0, MOST_HELD).flatMap((path, i) => {
      const known = paths.place(path) !== undefined;
      const item = known ? make("a", { href: linkTo(path) }, path) : make("span", {}, path);
      return i ? [", ", item] : [item];
    });
    const more = found.length > MOST_HELD ? [` and ${found.length - MOST_HELD} more`] : [];
    return [make("p", {}, make("span", { class: "dim" }, `${label} `), ...items, ...more)];
  }

  /* The layers of a group, by their paths. */
  function held(path) {
    return data.layers.map((place) => data.pages[place][0]).filter((name) => name.startsWith(`${path}.`));
  }

  function show(asked) {
    const path = paths.known(asked);
    const place = path === undefined ? undefined : paths.place(path);
    const box = document.getElementById("layer-page");
    document.getElementById("h-layer").textContent = place === undefined ? "Layer" : path;
    section.querySelector(".empty").hidden = place !== undefined;
    if (place === undefined) {
      box.replaceChildren(...(asked ? [make("p", { class: "note" }, `There is no page of ${asked}.`)] : []));
      return;
    }
    const [, kind, shapes, rule, sections, field, drawing, read] = data.pages[place];
    const sources = [];
    box.replaceChildren(
      make("p", {}, make("b", {}, text(kind)), ` ${text(shapes)}`),
      ...(text(rule) ? [make("p", { class: "dim" }, ...coded(text(rule)))] : []),
      ...links("reads", read.map(name)),
      ...links("read by", readers.get(path)),
      ...links("holds", held(path)),
      ...(field >= 0 && data.layers.includes(place) ? [seen(path)] : []),
      ...(drawing >= 0 ? [drawn(drawing, path)] : []),
      ...sections.flatMap((number) => written(data.sections[number], sources)),
      ...(sources.length ? [make("h3", {}, "sources"), listed(sources)] : []),
    );
  }

  /* The drawing of a layer's arithmetic, as a picture: its styles and names are its own, and nothing in it runs. */
  function drawn(number, path) {
    const source = `data:image/svg+xml,${encodeURIComponent(data.drawings[number])}`;
    return make("p", {}, make("img", { class: "drawing", src: source, alt: `The window of ${path}, position by position` }));
  }

  function seen(path) {
    return make("p", {}, make("a", { href: `#field/${encodeURIComponent(path)}` }, "its receptive field over the input"));
  }

  function written([heading, steps, drawing], sources) {
    const rows = steps.map((number) => {
      const [result, expression, substituted, value, note, source] = data.steps[number].map(text);
      const formula = [expression, substituted].filter(Boolean).flatMap((part) => [make("code", {}, part), " = "]);
      const remark = [note ?? ""];
      if (source) {
        if (!sources.includes(source)) sources.push(source);
        remark.push(` [${sources.indexOf(source) + 1}]`);
      }
      return make(
        "tr",
        {},
        make("th", { scope: "row" }, text(data.steps[number][0])),
        make("td", { class: "b" }, "= ", ...formula, make("b", {}, value)),
        make("td", { class: "dim b" }, ...remark),
      );
    });
    const table = make("table", { class: "steps" }, make("tbody", {}, ...rows));
    const drawn = drawing === undefined ? [] : [make("pre", {}, text(drawing))];
    return [make("h3", {}, text(heading)), make("div", { class: "wide plain" }, table), ...drawn];
  }

  function listed(sources) {
    const items = sources.map((source) => {
      const parts = source.split(/(https:\/\/[\w./-]+\w)/);
      return make("li", {}, ...parts.map((part, i) => (i % 2 ? make("a", { href: part, rel: "noreferrer" }, part) : part)));
    });
    return make("ol", {}, ...items);
  }

  return { show };
}
