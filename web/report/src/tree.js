/* The tree of layers: rows that fold, columns that sort the rows of every level, a search, short numbers. */

import { make } from "./elements.js";
import { key, short } from "./numbers.js";
import { linkTo } from "./paths.js";
import { compared, following } from "./sorting.js";

export function growTree(table, data, onOpen) {
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
    dress(row);
  }
  const written = rows.map((row) => `${paths[row.page]} ${row.element.cells[1].textContent}`.toLowerCase());

  function dress(row) {
    const [head, ...cells] = row.element.cells;
    const link = make("a", { href: linkTo(paths[row.page]) }, head.textContent);
    link.title = paths[row.page];
    head.replaceChildren(link);
    if (row.element.dataset.f !== undefined) {
      row.button = make("button", { type: "button", class: "f", "aria-label": `rows of ${paths[row.page]}` });
      head.prepend(row.button);
    }
    cells.slice(1).forEach(shorten);
  }
  for (const cell of [...table.tFoot.rows[0].cells].slice(1)) shorten(cell);
  bars();

  function shorten(cell) {
    const exact = cell.textContent;
    const said = short(exact);
    if (exact === "0" || exact === "0 B") {
      cell.className = "zero";
      cell.replaceChildren(make("span", { class: "s", "aria-hidden": "true" }, "·"), make("span", { class: "x" }, exact));
    } else if (said !== exact) {
      cell.title = exact;
      cell.replaceChildren(make("span", { class: "s", "aria-hidden": "true" }, said), make("span", { class: "x" }, exact));
    }
  }

  function bars() {
    const last = table.tHead.rows[0].cells.length - 1;
    if (!table.tHead.rows[0].cells[last].textContent.startsWith("%")) return;
    const parts = rows.map((row) => Number.parseFloat(row.element.cells[last].textContent.replace("<", "")) || 0);
    const largest = Math.max(...parts) || 1;
    rows.forEach((row, i) => {
      const cell = row.element.cells[last];
      cell.className = "share";
      const bar = make("i", { "aria-hidden": "true" });
      bar.style.setProperty("--part", `${(100 * parts[i]) / largest}%`);
      cell.append(bar);
    });
  }

  function reveal(found) {
    const walk = (siblings, shown) => {
      for (const row of siblings) {
        row.element.hidden = found ? !found.has(row) : !shown;
        row.button?.setAttribute("aria-expanded", String(found ? row.below.some((below) => found.has(below)) : row.open));
        walk(row.below, shown && row.open);
      }
    };
    walk(top, true);
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
    const cell = row.element.cells[column];
    return key((cell.querySelector(".x, a") ?? cell).textContent.trim());
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
    body.append(all);
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
