"use strict";
// Sorts and searches the tables of this page. It moves rows and reads their text; it makes no markup of any text.
(function () {
  function number(text) {
    const match = /^[−-]?\d+(\.\d+)?/.exec(text.trim());
    return match === null ? null : Number(match[0].replace("−", "-"));
  }
  function value(row, column) {
    const cell = row.cells[column];
    return cell === undefined ? "" : cell.textContent.trim();
  }
  function compare(column, sign) {
    return function (a, b) {
      const left = value(a, column), right = value(b, column);
      const x = number(left), y = number(right);
      if (x !== null && y !== null) return sign * (x - y);
      if (x !== null || y !== null) return x !== null ? -1 : 1;
      return sign * left.localeCompare(right);
    };
  }
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      if (head.textContent.trim() === "") return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", function () {
        const up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const body = table.tBodies[0];
        body.append(...Array.from(body.rows).sort(compare(column, up ? 1 : -1)));
      });
    });
  }
  const search = document.getElementById("search");
  if (search === null) return;
  search.hidden = false;
  const field = search.querySelector("input"), found = search.querySelector("output");
  const rows = Array.from(document.querySelectorAll("table.searched > tbody > tr"));
  field.addEventListener("input", function () {
    const words = field.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLocaleLowerCase();
      row.hidden = !words.every(function (word) { return text.includes(word); });
      shown += row.hidden ? 0 : 1;
    }
    found.textContent = words.length === 0 ? "" : shown + " of " + rows.length;
  });
})();
