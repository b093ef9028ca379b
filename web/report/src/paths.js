/* Paths of layers and groups: which page each has, and links to it. */

import { make } from "./elements.js";

export function pathsOf(data) {
  const places = new Map(data.pages.map((page, i) => [page[0], i]));
  return {
    place: (path) => places.get(path),
    /* The path that has a page: of several equal repetitions (conv2_x.1–2) that of the first. */
    known(path) {
      if (places.has(path)) return path;
      const first = path.replace(/(^|\.)(\d+)–\d+(?=\.|$)/g, "$1$2");
      return places.has(first) ? first : undefined;
    },
  };
}

export const linkTo = (path) => `#layer/${encodeURIComponent(path)}`;

/* Paths that stand in texts and tables become links to their pages. */
export function linkPaths(paths) {
  for (const element of document.querySelectorAll(".path")) {
    const path = paths.known(element.textContent);
    if (path !== undefined) element.replaceChildren(make("a", { href: linkTo(path) }, element.textContent));
  }
}
