"use strict";
const { runs, ended } = document.currentScript.dataset;
const root = document.getElementById("root");

// Locust's tables show text. A cell of ours that is a path becomes a link to it.
function link(cell) {
  const path = cell.textContent;
  if (!path.startsWith(runs)) return;
  const anchor = document.createElement("a");
  anchor.href = path;
  anchor.textContent = path.endsWith("/") ? "files" : "report";
  anchor.setAttribute("aria-label", `${anchor.textContent} of ${cell.parentNode.cells[0].textContent}`);
  cell.replaceChildren(anchor);
}

const seen = { childList: true, characterData: true, subtree: true };
new MutationObserver(() => root.querySelectorAll("td").forEach(link)).observe(root, seen);

// Once a test has stopped, Locust's page looks no more, and its last seconds and its report are still to come.
let before;
async function look() {
  const answer = await fetch(ended).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const now = await answer.text();
  if (before !== undefined && now !== before) location.reload();
  before = now;
}
look();
setInterval(look, 2000);
