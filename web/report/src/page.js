/* The page of a report: tabs, the tree's folding, sorting and search, pages of layers, and the receptive field. */

import { openTabs } from "./tabs.js";
import { growTree } from "./tree.js";
import { readLayers } from "./layer.js";

const root = document.documentElement;
root.classList.add("js");
const data = JSON.parse(document.getElementById("convcalc-data").textContent);
const layers = readLayers(data);
const tabs = openTabs((tab, path) => {
  if (tab === "layer") layers.show(path);
});
const tree = growTree(document.getElementById("layers"), data, (path) => tabs.go("layer", path));
layers.onSelect((path) => tree.mark(path));
tabs.start();
