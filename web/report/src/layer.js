/* The page of a layer or a group: its explanation, what it reads and what reads it. */

import { make } from "./elements.js";

export function readLayers(data) {
  const section = document.getElementById("layer");
  const places = new Map(data.pages.map((page, i) => [page[0], i]));
  const readers = new Map();
  for (const [path, , , , , , read] of data.pages) {
    for (const source of read) readers.set(source, [...(readers.get(source) ?? []), path]);
  }
  const text = (number) => (number === undefined || number < 0 ? "" : data.texts[number]);
  let told = () => {};

  function links(label, paths) {
    if (!paths?.length) return [];
    const items = paths.flatMap((path, i) => {
      const known = places.has(path);
      const item = known ? make("a", { href: `#layer/${encodeURIComponent(path)}` }, path) : make("span", {}, path);
      return i ? [", ", item] : [item];
    });
    return [make("p", {}, `${label} `, ...items)];
  }

  function show(path) {
    const place = places.get(path);
    const box = document.getElementById("layer-page");
    document.getElementById("h-layer").textContent = place === undefined ? "Layer" : path;
    section.querySelector(".empty").hidden = place !== undefined;
    if (place === undefined) {
      box.replaceChildren();
      return;
    }
    const [, kind, shapes, rule, sections, , read] = data.pages[place];
    const sources = [];
    box.replaceChildren(
      make("p", {}, make("b", {}, text(kind)), ` ${text(shapes)}`),
      ...(text(rule) ? [make("p", { class: "dim" }, text(rule))] : []),
      ...links("reads", read),
      ...links("read by", readers.get(path)),
      ...sections.flatMap((number) => written(data.sections[number], sources)),
      ...(sources.length ? [make("h3", {}, "sources"), listed(sources)] : []),
    );
    told(path);
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

  return { show, onSelect: (listener) => (told = listener) };
}
