/* The page of a sweep: the table sorts, a point and its row show each other, and what is pointed at is said. */

import { sortable } from "./sorting.js";

document.documentElement.classList.add("js");
document.querySelectorAll("table.sorts").forEach(sortable);
const said = document.getElementById("said");

for (const link of document.querySelectorAll("#cloud a")) {
  const row = document.getElementById(link.getAttribute("href").slice(1));
  const light = (lit) => {
    link.classList.toggle("lit", lit);
    row.classList.toggle("lit", lit);
    said.textContent = lit ? link.querySelector("title").textContent : "";
  };
  for (const element of [link, row]) {
    element.addEventListener("mouseenter", () => light(true));
    element.addEventListener("mouseleave", () => light(false));
    element.addEventListener("focusin", () => light(true));
    element.addEventListener("focusout", () => light(false));
  }
}
