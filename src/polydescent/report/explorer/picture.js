// The picture: rows on a canvas; current, best and raced curves over them.
"use strict";

/** @typedef {{box: Box, x: Scale, y: Scale, range: {x: number[], y: number[]}, px: number[]}} Frame */

const picture = (() => {
  const CURVE_POINTS = 161;
  const BAND = 2; // standard errors on either side
  const { at, put } = dom;
  const { part, prune } = chart;
  const { show, MINUS } = numerals;
  const { dot } = algebra;
  const { basisAt } = triangle;

  /** @param {Data} data */
  const curveXs = ({ lo, hi }) =>
    Array.from({ length: CURVE_POINTS }, (_, i) => lo + (hi - lo) * (i / (CURVE_POINTS - 1)));

  const designs = new WeakMap();

  /** The polynomials at every point of a curve. @param {Problem} problem @param {string} [basis] @returns {Vector[]} */
  function designOf(problem, basis = problem.basis) {
    const known = designs.get(problem) ?? {};
    designs.set(problem, known);
    known[basis] ??= curveXs(problem.data).map((x) => basisAt(problem.data, basis, problem.degree, x));
    return known[basis];
  }

  /** @param {Vector[]} design @param {ArrayLike<number>} weights */
  const heights = (design, weights) => design.map((row) => dot(row, weights));

  /**
   * Where the rows are drawn: their own range, or that of the best curve where no rows came along.
   * @param {Model} model
   */
  function rangeOf({ place, grid, data, problem, state }) {
    const ys = [...(grid?.y ?? place.sample?.[1] ?? bestRange(problem))];
    for (const { y } of state.edits) ys.push(y);
    let [lo, hi] = [Infinity, -Infinity];
    for (const y of ys) [lo, hi] = [Math.min(lo, y), Math.max(hi, y)];
    const [padX, padY] = [0.03 * 2 * data.half || 1, 0.05 * (hi - lo) || Math.abs(lo) / 2 || 1];
    return { x: [data.lo - padX, data.hi + padX], y: [lo - padY, hi + padY] };
  }

  /** @param {Problem} problem */
  function bestRange(problem) {
    const spread = 2 * Math.sqrt(problem.floor / Math.max(problem.data.n, 1));
    const ys = heights(designOf(problem, "chebyshev"), problem.curve);
    return [Math.min(...ys) - spread, Math.max(...ys) + spread];
  }

  /** @param {Model} model @returns {Frame} */
  function frame(model) {
    const box = chart.boxOf(at("curves"));
    const range = rangeOf(model);
    const x = chart.along(model.calendar, range.x[0], range.x[1], box.left, box.right);
    const y = chart.linear(range.y[0], range.y[1], box.bottom, box.top);
    return { box, x, y, range, px: curveXs(model.data).map(x.at) };
  }

  /** What stays while the run plays. @param {Model} model */
  function still(model) {
    const { problem, payload, t } = model;
    const svg = at("curves");
    const { box, x, y, px } = frame(model);
    const inside = chart.axes(svg, box, x, y);
    const name = (/** @type {string} */ text, /** @type {Scale} */ { base = 0 }) =>
      (base === 0 ? text : `${text} ${MINUS} ${show(base, 12)}`);
    part(svg, "x-name", "text",
      { class: "name", x: box.right, y: box.bottom - 6, "text-anchor": "end" }, name(payload.x_name, x));
    part(svg, "y-name", "text", { class: "name", x: box.left + 6, y: box.top + 12 }, name(payload.y_name, y));
    for (const line of ["band", "feature", "halo", "best", "under"]) part(inside, line, "path", { class: line === "band" || line === "halo" || line === "under" ? line : `line ${line}` });
    const best = heights(designOf(problem, "chebyshev"), problem.curve);
    const d = chart.through(px, best.map(y.at));
    part(inside, "best", "path", { d });
    part(inside, "halo", "path", { d: model.state.band ? "" : d });
    band(inside, model, px, y, best);
    edits(inside, model, x, y);
    put(at("best-key"), model.state.band ? t.bestBand : t.best);
    feature(model, model.state.mode);
  }

  /** @param {Element} inside @param {Model} model @param {number[]} px @param {Scale} y @param {number[]} best */
  function band(inside, { problem, state }, px, y, best) {
    const errors = designOf(problem, "chebyshev").map((phi) => BAND * problems.errorAt(problem, phi));
    const drawn = state.band && errors.every(Number.isFinite);
    const upper = chart.through(px, best.map((value, i) => y.at(value + errors[i])));
    const lower = chart.through([...px].reverse(), best.map((value, i) => y.at(value - errors[i])).reverse());
    part(inside, "band", "path", { d: drawn ? `${upper}${lower.replace("M", "L")}Z` : "" });
  }

  /** Rows added and taken out. @param {Element} inside @param {Model} model @param {Scale} x @param {Scale} y */
  function edits(inside, { state }, x, y) {
    const group = part(inside, "edits", "g");
    state.edits.forEach((edit, i) => {
      const [px, py] = [chart.round(x.at(edit.x)), chart.round(y.at(edit.y))];
      const d = edit.sign > 0
        ? `M${px} ${py - 7}l7 7l-7 7l-7 -7z` : `M${px - 6} ${py - 6}l12 12m0 -12l-12 12`;
      part(group, `e${i}`, "path", { class: edit.sign > 0 ? "added" : "taken", d });
    });
    prune(group, (key) => Number(key.slice(1)) < state.edits.length);
  }

  /**
   * The shape of one eigenmode, a third of the picture high, around its middle.
   * @param {Model} model @param {number | null} mode
   */
  function feature(model, mode) {
    const line = part(inside(), "feature", "path");
    at("feature-key").hidden = mode === null;
    if (mode === null) {
      dom.mark(line, "d", "");
      return;
    }
    put(at("feature-key"), model.t.mode(mode + 1));
    const { box, px } = frame(model);
    const ys = heights(designOf(model.problem), model.problem.right[mode]);
    const tallest = Math.max(...ys.map(Math.abs)) || 1;
    const [middle, third] = [(box.top + box.bottom) / 2, (box.bottom - box.top) / 3];
    dom.mark(line, "d", chart.through(px, ys.map((v) => middle - (third * v) / tallest)));
  }

  const inside = () => part(at("curves"), "inside", "g");

  // ---- the rows themselves: the one thing too many for SVG ----

  /** @param {Model} model */
  function canvas(model) {
    const { x, y, box } = frame(model);
    const context = cleared(at("rows"));
    context.beginPath();
    context.rect(box.left - 8, box.top - 8, box.right - box.left + 16, box.bottom - box.top + 16);
    context.clip();
    const style = getComputedStyle(document.documentElement);
    const [faint, deep] = ["--faint", "--deep"].map((name) =>
      style.getPropertyValue(name).split(",").map(Number));
    const { grid, place: { sample }, state: { rows } } = model;
    if (rows === "density" && grid) density(context, grid, x, y, faint, deep);
    if (rows === "sample" && sample) dots(context, sample, x, y, faint);
  }

  /** A canvas as sharp as the screen, empty. @param {any} node */
  function cleared(node) {
    const sharp = Math.max(window.devicePixelRatio || 1, 2); // enough for paper too
    node.width = Math.round(node.clientWidth * sharp);
    node.height = Math.round(node.clientHeight * sharp);
    const context = node.getContext("2d");
    context.scale(sharp, sharp);
    return context;
  }

  /**
   * A density with its cells unpacked, or null where the browser is too old to inflate it.
   * @param {any} packed @returns {Promise<Grid | null>}
   */
  async function inflate(packed) {
    if (!packed || !window.DecompressionStream) return null;
    const bytes = Uint8Array.from(atob(packed.levels), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return { ...packed, levels: new Uint8Array(await new Response(stream).arrayBuffer()) };
  }

  /**
   * The faintest cell is one row in ten million and must still be seen.
   * @param {any} context @param {Grid} grid @param {Scale} x @param {Scale} y
   * @param {number[]} faint @param {number[]} deep
   */
  function density(context, grid, x, y, faint, deep) {
    const cells = new ImageData(grid.columns, grid.rows);
    grid.levels.forEach((level, i) => {
      const share = (level - 1) / Math.max(grid.deepest - 1, 1);
      const color = faint.map((from, j) => from + (deep[j] - from) * share);
      cells.data.set([...color, level === 0 ? 0 : 255], 4 * i);
    });
    const small = document.createElement("canvas");
    [small.width, small.height] = [grid.columns, grid.rows];
    small.getContext("2d")?.putImageData(cells, 0, 0);
    const [left, top] = [x.at(grid.x[0]), y.at(grid.y[1])];
    context.imageSmoothingEnabled = false;
    context.drawImage(small, left, top, x.at(grid.x[1]) - left, y.at(grid.y[0]) - top);
  }

  /** @param {any} context @param {[number[], number[]]} sample @param {Scale} x @param {Scale} y @param {number[]} ink */
  function dots(context, [xs, ys], x, y, ink) {
    context.fillStyle = `rgb(${ink.join(",")})`;
    xs.forEach((value, i) => {
      context.beginPath();
      context.arc(x.at(value), y.at(ys[i]), 2.2, 0, 7);
      context.fill();
    });
  }

  // ---- one frame ----

  /** @param {Model} model */
  function moving(model) {
    const { problem, now, pinned, state, t } = model;
    const { x, y, px, box, range } = frame(model);
    const group = inside();
    pinned.forEach(({ run, now: then }, i) => {
      const ys = heights(designOf(run.problem), then.w);
      part(group, `run${i}`, "path", { class: `line run r${i}`, d: chart.through(px, ys.map(y.at)) });
    });
    prune(group, (key) => !key.startsWith("run") || Number(key.slice(3)) < pinned.length);
    const ys = heights(designOf(problem), now.w);
    const d = chart.through(px, ys.map(y.at));
    part(group, "under", "path", { d });
    part(group, "current", "path", { class: "line current", d });
    // above the current one, which would hide it where both agree
    const best = part(group, "best", "path");
    if (best.nextSibling !== null) group.append(part(group, "halo", "path"), best);
    point(part(group, "point", "g"), model, x, y);
    group.append(part(group, "point", "g"));
    offChart(at("curves"), ys, px, box, range.y, t);
    put(at("picture-note"), note(ys, range.y, model));
    dom.mark(at("curves"), "aria-label", t.pictureLabel(state.step, show(now.loss)));
  }

  /** Says where the curve has left the picture. @param {any} svg @param {number[]} ys @param {number[]} px @param {Box} box @param {number[]} range @param {any} t */
  function offChart(svg, ys, px, box, [lo, hi], t) {
    const sides = [
      { key: "above", arrow: "↑", out: (/** @type {number} */ y) => y > hi, py: box.top + 30 },
      { key: "below", arrow: "↓", out: (/** @type {number} */ y) => y < lo, py: box.bottom - 24 },
    ];
    for (const { key, arrow, out, py } of sides) {
      const gone = px.filter((_, i) => out(ys[i]));
      const middle = gone.length > 0 ? gone[Math.floor(gone.length / 2)] : 0;
      part(svg, key, "text", {
        class: "off", y: py, "text-anchor": "middle",
        x: Math.round(Math.max(box.left + 70, Math.min(box.right - 70, middle))),
      }, gone.length > 2 ? `${t.off} ${arrow}` : "");
    }
  }

  /** @param {number[]} ys @param {number[]} range @param {Model} model */
  function note(ys, [lo, hi], { grid, state, t }) {
    if (ys.some(Number.isNaN)) return t.lost;
    const farthest = ys.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
    const gone = farthest > 2 * hi - lo || farthest < 2 * lo - hi;
    if (gone || ys.every((y) => y < lo || y > hi)) return t.offChart(farthest);
    const hint = { look: t.pickHint, add: t.addHint, take: t.takeHint }[state.edit];
    const out = grid?.outside ? [t.outside(grid.outside)] : [];
    const edited = state.edits.length > 0 ? [t.editsAre(state.edits.length)] : [];
    return [...edited, ...out, hint].join(" ");
  }

  /** The point of card 3, and what the current curve misses it by. @param {any} group @param {Model} model @param {Scale} x @param {Scale} y */
  function point(group, { problem, point: place, now }, x, y) {
    const predicted = dot(basisAt(problem.data, problem.basis, problem.degree, place.x), now.w);
    const [px, py] = [x.at(place.x), y.at(place.y ?? predicted)];
    part(group, "miss", "path", { class: "line miss", d: chart.through([px, px], [py, y.at(predicted)]) });
    part(group, "picked", "circle", { class: "picked", r: 6, cx: chart.round(chart.near(px)), cy: chart.round(chart.near(py)) });
  }

  return Object.freeze({ still, moving, canvas, cleared, feature, inflate, rangeOf });
})();
