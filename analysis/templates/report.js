"use strict";
// The page is whole without this: it adds sorting by a column's head, a choice of colours, and open details in print.
const words = new Intl.Collator("en", { numeric: true });

function keyOf(row, column) {
  const cell = row.cells[column], value = cell.dataset.value;
  if (value === undefined) return cell.textContent.trim();
  return value === "" ? null : Number(value);
}

function compare(a, b) {
  return typeof a === "number" ? a - b : words.compare(a, b);
}

function sort(head) {
  const body = head.closest("table").tBodies[0], column = head.cellIndex;
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const rows = [...body.rows].map((row) => [keyOf(row, column), row]);
  rows.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : up ? compare(a, b) : compare(b, a)));
  body.append(...rows.map(([, row]) => row));
}

for (const head of document.querySelectorAll("table.sorted thead th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  button.addEventListener("click", () => sort(head));
  head.append(button);
}

const theme = document.getElementById("theme"), colours = ["system", "light", "dark"];
theme.hidden = false;
theme.addEventListener("click", () => {
  const next = colours[(colours.indexOf(document.documentElement.dataset.theme ?? "system") + 1) % colours.length];
  document.documentElement.dataset.theme = next;
  theme.textContent = `colours: ${next}`;
});

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
