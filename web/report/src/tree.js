/* The tree of layers: rows that fold, columns that sort the rows of every level, a search, short numbers. */

import { make } from "./elements.js";
import { key, short } from "./numbers.js";
import { linkTo } from "./paths.js";
import { compared, following } from "./sorting.js";

const AT_ONCE = 200;

export function growTree(table, data, onOpen) {
  let waiting = 0;
  const body = table.tBodies[0];
  const rows = [...body.rows].map((element, i) => ({ element, page: data.rows[i], below: [], up: null, open: false }));
  const paths = data.pages.map((page) => page[0]);
  const top = [];
  const path = [];
  for (const row of rows) {
    row.level = Number(/\bl(\d)/.exec(row.element.className)?.[1] ?? 0);
    path.length = row.level;
    row.up = path.at(-1) ?? null;
    (row.up?.below ?? top).push(row);
    path.push(row);
    row.open = row.element.dataset.f === "1";
  }
  const written = rows.map((row) => `${paths[row.page]} ${row.element.cells[1].textContent}`.toLowerCase());
  const largest = Math.max(...rows.map(share)) || 1;
  const shared = table.tHead.rows[0].lastElementChild.textContent.startsWith("%");
  const counts = [...table.tHead.rows[0].cells].map((head) => head.dataset.counts !== undefined);
  shortenAll(table.tFoot.rows[0]);

  function share(row) {
    return Number.parseFloat(row.element.lastElementChild.textContent.replace("<", "")) || 0;
  }

  /* A row is dressed when it is first shown: its link, its button, short numbers and the bar of its share. */
  function dress(row) {
    if (row.dressed) return;
    row.dressed = true;
    const head = row.element.cells[0];
    const link = make("a", { href: linkTo(paths[row.page]), title: paths[row.page] }, head.textContent);
    head.replaceChildren(link);
    if (row.element.dataset.f !== undefined) {
      row.button = make("button", { type: "button", class: "f", "aria-label": `rows of ${paths[row.page]}` });
      head.prepend(row.button);
    }
    shortenAll(row.element);
    if (shared) row.element.lastElementChild.style.setProperty("--part", `${(100 * share(row)) / largest}%`);
  }

  function shortenAll(row) {
    counts.forEach((counted, column) => {
      if (counted) shorten(row.cells[column]);
    });
  }

  /* The style sheet shows what is short in the place of the exact text, which stays. */
  function shorten(cell) {
    const exact = cell.textContent;
    const said = exact === "0" || exact === "0 B" ? "·" : short(exact);
    if (said === exact) return;
    cell.dataset.short = said;
    cell.title = exact;
  }

  /* Shows the rows that are open, or those that a search has found. Of many the first are shown at once, the others
     piece by piece, so that whoever asked need not wait for them. */
  function reveal(found) {
    clearTimeout(waiting);
    const shown = [];
    const walk = (siblings, open) => {
      for (const row of siblings) {
        const visible = found ? found.has(row) : open;
        if (visible) shown.push(row);
        else if (!row.element.hidden) row.element.hidden = true;
        walk(row.below, open && row.open);
      }
    };
    walk(top, true);
    for (const row of shown.slice(AT_ONCE)) row.element.hidden = true;
    piece(shown, 0, found);
  }

  function piece(shown, start, found) {
    for (const row of shown.slice(start, start + AT_ONCE)) {
      dress(row);
      if (row.element.hidden) row.element.hidden = false;
      row.button?.setAttribute("aria-expanded", String(found ? row.below.some((below) => found.has(below)) : row.open));
    }
    const rest = start + AT_ONCE < shown.length;
    table.setAttribute("aria-busy", String(rest));
    if (rest) waiting = setTimeout(() => piece(shown, start + AT_ONCE, found));
  }

  const asked = document.getElementById("search");
  const counted = document.getElementById("found");
  function search() {
    const words = asked.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) {
      counted.textContent = "";
      reveal(null);
      return;
    }
    const found = new Set();
    let count = 0;
    rows.forEach((row, i) => {
      if (!words.every((word) => written[i].includes(word))) return;
      count += 1;
      for (let at = row; at; at = at.up) found.add(at);
    });
    counted.textContent = `${count} ${count === 1 ? "row" : "rows"}`;
    reveal(found);
  }
  asked.addEventListener("input", search);

  function setOpen(row, open) {
    row.open = open;
    asked.value = "";
    search();
  }
  function setAll(open) {
    for (const row of rows) row.open = open;
    asked.value = "";
    search();
  }
  document.getElementById("unfold").addEventListener("click", () => setAll(true));
  document.getElementById("fold").addEventListener("click", () => setAll(false));
  const whole = document.getElementById("exact");
  whole.addEventListener("change", () => document.documentElement.classList.toggle("exact", whole.checked));

  const byElement = new Map(rows.map((row) => [row.element, row]));
  body.addEventListener("click", (event) => {
    const row = byElement.get(event.target.closest("tr"));
    if (!row) return;
    if (event.target === row.button) setOpen(row, !row.open);
    else if (!event.target.closest("a") && !String(getSelection())) onOpen(paths[row.page]);
  });
  body.addEventListener("keydown", (event) => {
    const row = byElement.get(event.target.closest("tr"));
    if (!row) return;
    if (event.key === "ArrowRight" && row.button && !row.open) setOpen(row, true);
    else if (event.key === "ArrowLeft" && row.button && row.open) setOpen(row, false);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      let next = row.element;
      do next = event.key === "ArrowDown" ? next.nextElementSibling : next.previousElementSibling;
      while (next?.hidden);
      next?.cells[0].querySelector("a").focus();
    } else return;
    event.preventDefault();
  });

  const heads = [...table.tHead.rows[0].cells];
  const original = new Map(rows.map((row, i) => [row, i]));
  heads.forEach((head, column) => {
    const button = make("button", { type: "button" }, head.textContent);
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const next = following(head, rows.some((row) => typeof value(row, column) === "number"));
      for (const other of heads) other.removeAttribute("aria-sort");
      if (next) head.setAttribute("aria-sort", next);
      arrange(column, next);
    });
  });

  function value(row, column) {
    return key(row.element.cells[column].textContent.trim());
  }
  function arrange(column, direction) {
    const order = direction && compared(direction, (row) => value(row, column));
    const before = (a, b) => (order && order(a, b)) || original.get(a) - original.get(b);
    const all = document.createDocumentFragment();
    const walk = (siblings) => {
      for (const row of siblings.sort(before)) {
        all.append(row.element);
        walk(row.below);
      }
    };
    walk(top);
    for (const row of rows) row.element.hidden = true;
    body.append(all);
    search();
  }

  reveal(null);
  let marked = null;
  return {
    mark(path) {
      marked?.element.classList.remove("on");
      marked = rows.find((row) => paths[row.page] === path) ?? null;
      marked?.element.classList.add("on");
    },
  };
}
