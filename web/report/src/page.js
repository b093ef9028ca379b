/* The page of a report: tabs, the tree's folding, sorting and search, pages of layers, receptive fields, the diagram. */

import { mountDiagram } from "./mount.js";
import { showFields } from "./field.js";
import { readLayers } from "./layer.js";
import { linkPaths, pathsOf } from "./paths.js";
import { sortable } from "./sorting.js";
import { openTabs } from "./tabs.js";
import { growTree } from "./tree.js";

document.documentElement.classList.add("js");
const data = JSON.parse(document.getElementById("convcalc-data").textContent);
const paths = pathsOf(data);
const layers = readLayers(data, paths);
const fields = showFields(data, (path) => tabs.go("field", path));
const tree = growTree(document.getElementById("layers"), data, (path) => tabs.go("layer", path));
const diagram = mountDiagram(data, (path) => tabs.go("layer", paths.known(path)));
linkPaths(paths);
document.querySelectorAll("table.sorts").forEach(sortable);
const tabs = openTabs((tab, path) => {
  if (tab === "layer") {
    layers.show(path);
    tree.mark(path);
    diagram.select(path);
  }
  if (tab === "field") fields.show(path);
  if (tab === "diagram") diagram.open();
});
tabs.start();
