"use strict";
// Tables sort by a click on their heads and filter by a search field; without this script they are plain tables.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  if (rows.length < 2) continue;
  const heads = Array.from(table.tHead.rows[0].cells);
  const number = (text) => Number(text.replace(/[%\s]/g, ""));
  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      const isNumber = head.classList.contains("number");
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (row) => row.cells[at].textContent.trim();
      const sorted = rows.slice().sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        if (!x || !y) return x ? -1 : y ? 1 : 0; // empty ones last, whichever way
        const order = isNumber ? number(x) - number(y) : x.localeCompare(y, "en");
        return down ? -order : order;
      });
      body.append(...sorted);
    });
  });
  if (rows.length < 8) continue;
  const box = document.createElement("div");
  box.className = "search";
  const label = document.createElement("label");
  label.textContent = "Search ";
  const input = document.createElement("input");
  input.type = "search";
  label.append(input);
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  box.append(label, said);
  table.closest(".scroll").before(box);
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
      if (!row.hidden) shown += 1;
    }
    said.textContent = wanted === "" ? "" : `${shown} of ${rows.length} rows`;
  });
}
