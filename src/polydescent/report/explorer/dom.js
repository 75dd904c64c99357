// The few things done to elements again and again.
"use strict";

const dom = (() => {
  const at = (id) => document.getElementById(id);

  function put(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function make(name, text = null) {
    const node = document.createElement(name);
    if (text !== null) node.textContent = text;
    return node;
  }

  // A field in which the reader is typing is left alone.
  function fill(id, value) {
    const node = at(id);
    if (!("typing" in node.dataset) && node.value !== value) node.value = value;
  }

  function slide(id, value, text) {
    const node = at(id);
    if (Number(node.value) !== value) node.value = value;
    node.setAttribute("aria-valuetext", text);
  }

  // Brings a table to these rows of text, touching only cells that change.
  function fillRows(body, rows) {
    while (body.rows.length > rows.length) body.deleteRow(-1);
    rows.forEach((cells, i) => {
      const row = body.rows[i] || body.insertRow();
      while (row.cells.length > cells.length) row.deleteCell(-1);
      cells.forEach((text, j) => put(row.cells[j] || row.insertCell(), text));
    });
  }

  function headRow(table, head) {
    const row = table.tHead.rows[0] || table.tHead.insertRow();
    if ([...row.cells].map((cell) => cell.textContent).join() === head.join()) return;
    row.replaceChildren(...head.map((text) => Object.assign(make("th", text), { scope: "col" })));
  }

  return Object.freeze({ at, put, make, fill, slide, fillRows, headRow });
})();
