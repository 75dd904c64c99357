// The few things done to elements again and again.
"use strict";

const dom = (() => {
  /** @param {string} id @returns {any} */
  const at = (id) => document.getElementById(id);

  /** @param {Element} node @param {string} text */
  function put(node, text) {
    const only = node.firstChild;
    if (only instanceof Text && only.nextSibling === null) {
      if (only.data !== text) only.data = text; // the node stays: less to lay out again
    } else if (node.textContent !== text) node.textContent = text;
  }

  /** @param {string} name @param {string | null} [text] @returns {any} */
  function make(name, text = null) {
    const node = document.createElement(name);
    if (text !== null) node.textContent = text;
    return node;
  }

  /** @param {Element} node @param {string} name @param {string} value */
  function mark(node, name, value) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }

  // ---- texts with terms that explain themselves: {word|text} ----

  const written = new WeakMap();

  /** @param {Element} node @param {string} text */
  function rich(node, text) {
    if (written.get(node) === text) return;
    written.set(node, text);
    node.replaceChildren(...text.split(/(\{\w+\|[^}]+\})/).filter(Boolean).map((part) => {
      const found = /^\{(\w+)\|([^}]+)\}$/.exec(part);
      return found ? term(found[1], found[2]) : part;
    }));
  }

  /** @param {string} word @param {string} text */
  function term(word, text) {
    const button = Object.assign(make("button", text), { type: "button", className: "term" });
    button.dataset.gloss = word;
    button.setAttribute("aria-describedby", "tip");
    return button;
  }

  /** A field in which the reader is typing is left alone. @param {string} id @param {string} value */
  function fill(id, value) {
    const node = at(id);
    if (!("typing" in node.dataset) && node.value !== value) node.value = value;
  }

  /** @param {string} id @param {number} value @param {string} text */
  function slide(id, value, text) {
    const node = at(id);
    if (Number(node.value) !== value) node.value = value;
    mark(node, "aria-valuetext", text);
  }

  /** @param {string} name @param {string} value */
  function check(name, value) {
    for (const node of document.getElementsByName(name)) {
      const input = /** @type {HTMLInputElement} */ (node);
      input.checked = input.value === value;
    }
  }

  /** @param {string} id @param {[string, string][]} options @param {string} value */
  function options(id, options, value) {
    const node = at(id);
    const key = JSON.stringify(options);
    if (written.get(node) !== key) {
      written.set(node, key);
      node.replaceChildren(...options.map(([name, text]) =>
        Object.assign(make("option", text), { value: name })));
    }
    if (node.value !== value) node.value = value;
  }

  /** Brings a table to these rows of text, touching only cells that change. @param {any} body @param {string[][]} rows */
  function fillRows(body, rows) {
    while (body.rows.length > rows.length) body.deleteRow(-1);
    rows.forEach((cells, i) => {
      const row = body.rows[i] || body.insertRow();
      while (row.cells.length > cells.length) row.deleteCell(-1);
      cells.forEach((text, j) => put(row.cells[j] || row.insertCell(), text));
    });
  }

  /** @param {any} table @param {string[]} head */
  function headRow(table, head) {
    const row = table.tHead.rows[0] || table.tHead.insertRow();
    if (written.get(row) === head.join("\n")) return;
    written.set(row, head.join("\n"));
    row.replaceChildren(...head.map((text) => {
      const cell = Object.assign(make("th"), { scope: "col" });
      rich(cell, text);
      return cell;
    }));
  }

  /**
   * Brings the children of a node to as many, made once and kept: focus survives a redraw.
   * @param {Element} parent @param {number} count @param {(i: number) => Element} create
   */
  function keep(parent, count, create) {
    while (parent.childElementCount > count) parent.lastElementChild?.remove();
    while (parent.childElementCount < count) parent.append(create(parent.childElementCount));
    return /** @type {any[]} */ ([...parent.children]);
  }

  return Object.freeze({
    at, put, make, mark, rich, fill, slide, check, options, fillRows, headRow, keep,
  });
})();
