// Which degree: a chart and a table of every degree, to choose from.
"use strict";

const choices = (() => {
  const { at, put, mark } = dom;
  const { part } = chart;
  const { show } = numerals;

  /** @param {Model} model */
  function draw(model) {
    const { degrees: found, data, state, t } = model;
    if (!found) return;
    const svg = at("degrees-chart");
    const used = found.floor.map((loss) => Math.sqrt(loss / data.n));
    const left = found.cv ?? [];
    const shown = [...used, ...left].filter((value) => value > 0 && Number.isFinite(value));
    const top = shown.length > 0 ? Math.max(...shown) : 1;
    const lowest = Math.max(shown.length > 0 ? Math.min(...shown) : 0.1, 1e-16 * top);
    const box = chart.boxOf(svg);
    const last = Math.max(found.floor.length - 1, 1);
    const x = chart.linear(-0.3, last + 0.3, box.left, box.right, last + 1);
    const whole = { ...x, ticks: x.ticks.filter(([value]) => Number.isInteger(value)) };
    const y = chart.logarithmic(lowest / 1.15, top * 1.15, box.bottom, box.top);
    const group = chart.axes(svg, box, whole, y);
    const line = (/** @type {number[]} */ values) =>
      chart.through(values.map((_, d) => x.at(d)), values.map((value) => y.at(Math.max(value, lowest / 1.15))));
    part(group, "used", "path", { class: "line current", d: line(used) });
    part(group, "left", "path", { class: "line best", d: line(left) });
    const pick = chart.round(x.at(found.pick));
    part(group, "pick", "path", { class: "line floor", d: `M${pick} ${box.top}V${box.bottom}` });
    part(svg, "pick-text", "text", { class: "floor-label", x: pick + 6, y: box.top + 14 }, t.pick);
    const here = used[state.degree] ?? NaN;
    part(group, "dot", "circle", { class: "dot", r: 6, cx: chart.round(x.at(state.degree)), cy: chart.round(chart.near(y.at(here))) });
    at("cv-key").hidden = !found.cv;
    mark(svg, "aria-label", t.degreesLabel(found.pick));
    degreesTable(found, state, t);
  }

  /** @param {Degrees} found @param {State} state @param {any} t */
  function degreesTable(found, state, t) {
    const rows = dom.keep(at("degrees-table").tBodies[0], found.floor.length, degreeRow);
    rows.forEach((row, d) => {
      const button = row.cells[0].firstChild;
      mark(button, "aria-label", t.setDegree(d));
      mark(button, "aria-pressed", String(d === state.degree));
      put(row.cells[1], show(found.floor[d]));
      put(row.cells[2], `${Number.isFinite(found.aicc[d]) ? found.aicc[d].toFixed(1).replace("-", numerals.MINUS) : show(found.aicc[d])}${d === found.pick ? " ◆" : ""}`);
      put(row.cells[3], found.cv ? show(found.cv[d]) : t.walked);
    });
  }

  /** @param {number} d */
  function degreeRow(d) {
    const row = dom.make("tr");
    const button = Object.assign(dom.make("button", String(d)), { type: "button" });
    button.dataset.degree = d;
    const cells = Array.from({ length: 4 }, () => dom.make("td"));
    cells[0].append(button);
    row.append(...cells);
    return row;
  }

  return Object.freeze({ draw });
})();
