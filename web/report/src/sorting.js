/* Tables whose columns sort their rows. */

import { make } from "./elements.js";
import { key } from "./numbers.js";

export function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  heads.forEach((head, column) => {
    const button = make("button", { type: "button" }, head.textContent);
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const next = following(head, rows.some((row) => typeof key(row.cells[column].textContent.trim()) === "number"));
      for (const other of heads) other.removeAttribute("aria-sort");
      if (next) head.setAttribute("aria-sort", next);
      const order = compared(next, (row) => key(row.cells[column].textContent.trim()));
      table.tBodies[0].append(...(next ? [...rows].sort(order) : rows));
    });
  });
}

/* The direction after a click: numbers from the largest, words from a, then the other way, then as they stood. */
export function following(head, numbers) {
  const [first, second] = numbers ? ["descending", "ascending"] : ["ascending", "descending"];
  const now = head.getAttribute("aria-sort");
  return now === null ? first : now === first ? second : null;
}

/* An order of what has values: numbers before words, what has none last. */
export function compared(direction, value) {
  const sign = direction === "descending" ? -1 : 1;
  return (a, b) => {
    const [one, other] = [value(a), value(b)];
    if (one === null || other === null) return (one === null) - (other === null);
    if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
    return sign * (typeof one === "number" ? one - other : one.localeCompare(other, "en", { numeric: true }));
  };
}
