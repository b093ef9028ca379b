// The tree of `convcalc table`: rows that fold, and a click that asks why.
import { element } from "./elements.js";

/** Rows up to which all are open at first. */
const OPEN = 30;

export class Table {
  constructor(panel, onSelect) {
    this.panel = panel;
    this.onSelect = onSelect;
    this.turned = new Set();
  }

  show(table) {
    const { rows } = table;
    this.opened = rows.length <= OPEN;
    this.parts = rows.map((row, number) => this.row(row, (rows[number + 1]?.level ?? 0) > row.level, table));
    const head = element("tr", {}, element("th", { scope: "col" }, table.label));
    const described = rows.some((row) => row.what);
    if (described) head.append(element("th", { scope: "col" }, "kind"));
    for (const column of table.columns) head.append(element("th", { scope: "col", class: column.right && "n" }, column.name));
    if (table.share) head.append(element("th", { scope: "col" }, `% of ${table.share}`));
    const foot = element("tfoot");
    if (table.total.length > 0) {
      const cells = table.total.map((cell, place) => element("td", { class: table.columns[place].right && "n" }, cell));
      foot.append(
        element("tr", {}, element("th", { scope: "row", class: "l0" }, "total"), ...(described ? [element("td")] : []), ...cells),
      );
    }
    const notes = table.notes.map((note) => element("p", { class: "dim" }, note));
    const body = element("tbody", {}, ...this.parts.map((part) => part.line));
    this.panel.replaceChildren(element("table", {}, element("thead", {}, head), body, foot), ...notes);
    this.fold();
  }

  row(row, above, table) {
    const path = element("button", { type: "button", class: "path", on: { click: () => this.onSelect(row.path) } }, row.label);
    const name = element("th", { scope: "row", class: `l${Math.min(row.level, 7)}`, title: row.path });
    const part = { row, above, fold: null };
    if (above) {
      part.fold = element("button", { type: "button", class: "fold", "aria-label": `Fold ${row.path}` });
      part.fold.addEventListener("click", () => {
        if (!this.turned.delete(row.path)) this.turned.add(row.path);
        this.fold();
      });
      name.append(part.fold);
    }
    name.append(path);
    part.line = element("tr", { class: above && "above" }, name);
    if (table.rows.some((each) => each.what)) part.line.append(element("td", { class: "dim" }, row.what));
    row.cells.forEach((cell, place) => part.line.append(element("td", { class: table.columns[place].right && "n" }, cell)));
    if (table.share) {
      const bar = element("span", { class: "bar" });
      bar.style.width = `${(6 * row.bar).toFixed(2)}em`;
      part.line.append(element("td", { class: "share" }, row.share, bar));
    }
    return part;
  }

  /** Hide what stands below closed rows. */
  fold() {
    let closed = Infinity;
    for (const { row, above, line, fold } of this.parts) {
      if (row.level <= closed) closed = Infinity;
      line.hidden = closed !== Infinity;
      if (!above) continue;
      const open = this.opened !== this.turned.has(row.path);
      fold.textContent = open ? "▾" : "▸";
      fold.setAttribute("aria-expanded", open);
      if (!open && closed === Infinity) closed = row.level;
    }
  }
}
