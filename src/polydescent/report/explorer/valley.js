// The loss over two directions of the weights, with the path of the run.
"use strict";

const valley = (() => {
  const AROUND = 96; // points of a contour
  const CONTOURS = 8;
  const ALL = 300; // first steps of the path, each of which is drawn
  const EQUAL = 8; // how much longer than high a valley may be and still have equal scales
  const { at, put, mark } = dom;
  const { part } = chart;
  const { weight } = numerals;

  /** The steps that a path is drawn through. @param {Model} model @returns {number[]} */
  function pathSteps({ run, now }) {
    const each = Math.min(ALL, run.walked, now.step);
    const first = Array.from({ length: each + 1 }, (_, i) => i);
    const later = forecast.sampledSteps(now.step, 120).filter((step) => step > each);
    return [...first, ...later];
  }

  /** @param {number[]} values @returns {[number, number]} */
  function spanOf(values) {
    const fine = values.filter((value) => Math.abs(value) < 1e100);
    const [lo, hi] = [Math.min(...fine), Math.max(...fine)];
    const pad = 0.12 * (hi - lo) || Math.abs(hi) / 4 || 1;
    return [lo - pad, hi + pad];
  }

  /** As many pixels a unit both ways, where the valley is not too long for it. @param {[number, number]} x @param {[number, number]} y @param {Box} box */
  function balanced(x, y, box) {
    const [width, height] = [box.right - box.left, box.bottom - box.top];
    const [a, b] = [(x[1] - x[0]) / width, (y[1] - y[0]) / height];
    if (Math.max(a, b) > EQUAL * Math.min(a, b)) return [x, y];
    const unit = Math.max(a, b);
    const widened = (/** @type {[number, number]} */ [lo, hi], /** @type {number} */ length) =>
      /** @type {[number, number]} */ ([(lo + hi - unit * length) / 2, (lo + hi + unit * length) / 2]);
    return [widened(x, width), widened(y, height)];
  }

  /** @param {Model} model @param {number} i */
  const directionName = ({ state, t }, i) =>
    (state.plane === "modes" ? t.mode(i + 1) : weight(state.basis, state.degree, i));

  /** @param {Model} model */
  function draw(model) {
    const { plane, state, run, now, problem, t } = model;
    const svg = at("surface");
    const count = state.plane === "modes" ? problem.s.length : problem.k;
    const choices = Array.from({ length: count }, (_, i) =>
      /** @type {[string, string]} */ ([String(i), directionName(model, i)]));
    dom.options("across", choices, String(state.across));
    dom.options("up", choices, String(state.up));
    put(at("surface-note"), plane ? `${t.surfaceNote(state.plane === "weights")} ${t.dragStart}` : t.flatPlane);
    svg.style.display = plane ? "" : "none";
    if (!plane) return;
    const [nameA, nameB] = [directionName(model, state.across), directionName(model, state.up)];
    mark(svg, "aria-label", t.surfaceLabel(nameA, nameB));
    const path = pathSteps(model).map((step) => plane.place(core.weightsAt(run, step)));
    const start = path[0];
    const here = plane.place(now.w);
    const spots = [...path, plane.center];
    const box = chart.boxOf(svg);
    const [spanX, spanY] = balanced(spanOf(spots.map(([a]) => a)), spanOf(spots.map(([, b]) => b)), box);
    const x = chart.linear(spanX[0], spanX[1], box.left, box.right, 5);
    const y = chart.linear(spanY[0], spanY[1], box.bottom, box.top, 5);
    const group = chart.axes(svg, box, x, y);
    part(svg, "x-name", "text", { class: "name", x: box.right, y: box.bottom - 6, "text-anchor": "end" }, nameA);
    part(svg, "y-name", "text", { class: "name", x: box.left + 6, y: box.top + 12 }, nameB);
    contours(group, plane, x, y, spanX, spanY);
    const trace = (/** @type {[number, number][]} */ places) =>
      chart.through(places.map(([a]) => x.at(a)), places.map(([, b]) => y.at(b)));
    part(group, "path", "path", { class: "line current thin", d: trace(path) });
    const [cx, cy] = [chart.round(x.at(plane.center[0])), chart.round(y.at(plane.center[1]))];
    part(group, "center", "path", { class: "line best", d: `M${cx - 6} ${cy}h12m-6 -6v12` });
    arrow(group, plane, here, x, y);
    part(group, "dot", "circle", { class: "dot", r: 6, cx: chart.round(chart.near(x.at(here[0]))), cy: chart.round(chart.near(y.at(here[1]))) });
    part(group, "start", "circle", { class: "grip", r: 8, cx: chart.round(x.at(start[0])), cy: chart.round(y.at(start[1])) });
  }

  /** Each a quarter of the excess of the one around it. @param {any} group @param {Plane} plane @param {Scale} x @param {Scale} y @param {[number, number]} spanX @param {[number, number]} spanY */
  function contours(group, plane, x, y, spanX, spanY) {
    const { center: [ca, cb], axes } = plane;
    const size = axes.map(([a, b]) => a * a + b * b);
    const levelAt = (/** @type {number} */ a, /** @type {number} */ b) =>
      axes.reduce((sum, [ua, ub], i) =>
        sum + (Number.isFinite(size[i]) ? (((a - ca) * ua + (b - cb) * ub) / size[i]) ** 2 : 0), 0);
    const most = Math.max(...spanX.flatMap((a) => spanY.map((b) => levelAt(a, b))));
    for (let i = 0; i < CONTOURS; i += 1) {
      const ring = Array.from({ length: AROUND + 1 }, (_, j) =>
        surface.contour(plane, most / 4 ** (i + 0.5), (2 * Math.PI * j) / AROUND));
      part(group, `contour${i}`, "path", { class: "contour", d: chart.through(ring.map(([a]) => x.at(a)), ring.map(([, b]) => y.at(b))) });
    }
  }

  /** @param {any} group @param {Plane} plane @param {[number, number]} here @param {Scale} x @param {Scale} y */
  function arrow(group, { downhill: [a, b] }, here, x, y) {
    const [px, py] = [x.at(here[0]), y.at(here[1])];
    const [dx, dy] = [x.at(here[0] + a) - px, y.at(here[1] + b) - py];
    const size = Math.hypot(dx, dy);
    const drawn = size > 0 && Number.isFinite(size);
    const [ux, uy] = [(44 * dx) / size, (44 * dy) / size];
    const [ex, ey] = [px + ux, py + uy];
    const head = `L${chart.round(ex - 0.25 * ux - 0.14 * uy)} ${chart.round(ey - 0.25 * uy + 0.14 * ux)}` +
      `M${chart.round(ex)} ${chart.round(ey)}L${chart.round(ex - 0.25 * ux + 0.14 * uy)} ${chart.round(ey - 0.25 * uy - 0.14 * ux)}`;
    part(group, "arrow", "path", {
      class: "line downhill",
      d: drawn ? `M${chart.round(px)} ${chart.round(py)}L${chart.round(ex)} ${chart.round(ey)}${head}` : "",
    });
  }

  return Object.freeze({ draw });
})();
