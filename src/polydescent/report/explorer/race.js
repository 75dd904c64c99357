// The race: runs kept with their settings, on the loss chart and in a table beneath it.
"use strict";

const race = (() => {
  const { at, put, make, mark } = dom;
  const { show, steps } = numerals;
  const ICONS = Object.freeze({ restore: "M3 7h6.5a3.5 3.5 0 0 1 0 7H6M6 4 3 7l3 3", unpin: "M4 4l8 8M12 4l-8 8" });

  /** What a run is called until it is renamed. @param {Run} run @param {any} t @returns {string} */
  function nameOf({ optimizer: { name, rate, beta }, problem: { basis, degree } }, t) {
    const heavy = name === "momentum" || name === "nesterov";
    return t.runName(t[name], rate, heavy ? beta : null, t[basis], degree);
  }

  /** @param {Model} model */
  function draw({ pinned, run, now, slowest, t }) {
    at("race-panel").hidden = pinned.length === 0;
    if (pinned.length === 0) return;
    dom.headRow(at("race"), [t.runHead, t.loss, t.above, t.paceWord, t.acts]);
    const all = [{ name: t.thisRun, run, now, slowest }, ...pinned];
    const rows = dom.keep(at("race").tBodies[0], all.length, raceRow);
    rows.forEach((row, i) => {
      const { name, run: raced, now: then, slowest: needed } = all[i];
      const called = nameOf(raced, t);
      if (i === 0) put(row.cells[0].lastChild, name);
      else {
        const field = row.cells[0].lastChild;
        if (!("typing" in field.dataset) && field.value !== (name || called)) field.value = name || called;
        mark(field, "aria-label", `${t.rename} ${i}`);
        mark(field, "title", called);
        const [restore, remove] = row.cells[4].children;
        mark(restore, "aria-label", `${t.restore}: ${name || called}`);
        mark(remove, "aria-label", `${t.remove}: ${name || called}`);
      }
      put(row.cells[1], show(then.loss));
      put(row.cells[2], show(then.excess));
      put(row.cells[3], Number.isFinite(needed) ? steps(needed) : "∞");
    });
  }

  /** @param {number} i */
  function raceRow(i) {
    const row = make("tr");
    const cells = Array.from({ length: 5 }, () => make("td"));
    const key = make("span");
    key.className = i === 0 ? "key current" : `key run r${i - 1}`;
    const name = make(i === 0 ? "span" : "input");
    cells[0].append(key, name);
    if (i > 0) {
      Object.assign(name, { type: "text", autocomplete: "off", maxLength: 40 });
      name.dataset.rename = i - 1;
      for (const act of /** @type {const} */ (["restore", "unpin"])) {
        const button = Object.assign(make("button"), { type: "button" });
        button.dataset[act] = i - 1;
        const icon = chart.part(button, "icon", "svg", { viewBox: "0 0 16 16", "aria-hidden": "true" });
        chart.part(icon, "path", "path", { d: ICONS[act], fill: "none" });
        cells[4].append(button);
      }
    }
    row.append(...cells);
    return row;
  }

  return Object.freeze({ draw, nameOf });
})();
