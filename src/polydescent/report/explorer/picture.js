// The picture: rows on a canvas; current, best and pinned curve over them.
"use strict";

const picture = (() => {
  const CURVE_POINTS = 161;
  const { at, put } = dom;
  const { shape } = chart;
  const { show, MINUS } = numerals;
  const { dot, basisAt } = triangle;

  // Where the rows are drawn: their own range, or that of the best curve where no rows came along.
  function rangeOf({ payload, grid, data, problem }) {
    const ys = grid?.y ?? payload.sample?.[1] ?? bestRange(problem);
    let [lo, hi] = [Infinity, -Infinity];
    for (const y of ys) [lo, hi] = [Math.min(lo, y), Math.max(hi, y)];
    const [padX, padY] = [0.03 * 2 * data.half || 1, 0.05 * (hi - lo) || 1];
    return { x: [data.lo - padX, data.hi + padX], y: [lo - padY, hi + padY] };
  }

  function bestRange(problem) {
    const spread = 2 * Math.sqrt(problem.floor / Math.max(problem.data.n, 1));
    const ys = heights(designOf(problem, "chebyshev"), problem.curve);
    return [Math.min(...ys) - spread, Math.max(...ys) + spread];
  }

  const curveXs = ({ lo, hi }) =>
    Array.from({ length: CURVE_POINTS }, (_, i) => lo + (hi - lo) * (i / (CURVE_POINTS - 1)));

  const designOf = ({ data, degree }, basis) =>
    curveXs(data).map((x) => basisAt(data, basis, degree, x));

  const heights = (design, weights) => design.map((row) => dot(row, weights));

  // Draws what stays while the run plays; `move` does the rest.
  function draw(model) {
    const { problem, ghost } = model;
    const svg = at("curves");
    const box = chart.boxOf(svg);
    const range = rangeOf(model);
    const x = chart.linear(...range.x, box.left, box.right);
    const y = chart.linear(...range.y, box.bottom, box.top);
    const inside = chart.axes(svg, box, x, y);
    nameAxes(svg, box, model.payload, x, y);
    const lineOf = (name) => shape(inside, "path", { class: `line ${name}` });
    const halo = shape(inside, "path", { class: "halo" });
    const picked = shape(inside, "g", { class: "point" });
    const drawn = {
      box, x, y, range,
      px: curveXs(model.data).map(x.at),
      design: designOf(problem, problem.basis),
      ghostDesign: ghost && designOf(ghost.problem, ghost.problem.basis),
      feature: lineOf("feature"),
      ghost: lineOf("ghost"),
      current: lineOf("current"),
      best: lineOf("best"), // above the current one, which would hide it where both agree
      miss: shape(picked, "path", { class: "line miss" }),
      picked: shape(picked, "circle", { class: "picked", r: 6 }),
    };
    const best = heights(designOf(problem, "chebyshev"), problem.curve);
    drawn.best.setAttribute("d", chart.through(drawn.px, best.map(y.at)));
    halo.setAttribute("d", drawn.best.getAttribute("d"));
    nameGhost(model);
    feature(drawn, model);
    canvas(model, drawn);
    return drawn;
  }

  function nameAxes(svg, box, { x_name: xName, y_name: yName }, x, y) {
    const text = (name, { base }) => (base === 0 ? name : `${name} ${MINUS} ${show(base, 12)}`);
    const right = { x: box.right, y: box.bottom - 6, "text-anchor": "end" };
    shape(svg, "text", right, text(xName, x));
    shape(svg, "text", { x: box.left + 4, y: box.top + 8 }, text(yName, y));
  }

  function nameGhost({ ghost, t }) {
    at("ghost-key").hidden = !ghost;
    if (!ghost) return;
    const { name, rate } = ghost.optimizer;
    put(at("ghost-key"), t.pinned(t[name], rate));
  }

  // The shape of one eigenmode, a third of the picture high, around its middle.
  function feature({ box, px, design, feature: line }, { problem, mode, t }) {
    at("feature-key").hidden = mode === null;
    line.setAttribute("d", "");
    if (mode === null) return;
    put(at("feature-key"), t.mode(mode + 1));
    const ys = heights(design, problem.right[mode]);
    const tallest = Math.max(...ys.map(Math.abs)) || 1;
    const [middle, third] = [(box.top + box.bottom) / 2, (box.bottom - box.top) / 3];
    line.setAttribute("d", chart.through(px, ys.map((v) => middle - (third * v) / tallest)));
  }

  // The rows themselves: the one thing too many for SVG. Redrawn on resize, theme and choice only.
  function canvas({ payload, grid, rows }, { box, x, y }) {
    const node = at("rows");
    const sharp = window.devicePixelRatio || 1;
    node.width = Math.round(node.clientWidth * sharp);
    node.height = Math.round(node.clientHeight * sharp);
    const context = node.getContext("2d");
    context.scale(sharp, sharp);
    context.beginPath();
    context.rect(box.left, box.top - 4, box.right - box.left, box.bottom - box.top + 8);
    context.clip();
    const ink = getComputedStyle(document.documentElement).getPropertyValue("--rows");
    if (rows === "density") density(context, grid, x, y, ink);
    if (rows === "sample") sample(context, payload.sample, x, y, ink);
  }

  // A density as bytes, or null where the browser is too old to inflate it.
  async function inflate(grid) {
    if (!grid || !window.DecompressionStream) return null;
    const packed = Uint8Array.from(atob(grid.levels), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return { ...grid, levels: new Uint8Array(await new Response(stream).arrayBuffer()) };
  }

  function density(context, grid, x, y, ink) {
    const cells = new ImageData(grid.columns, grid.rows);
    const color = ink.split(",").map(Number);
    grid.levels.forEach((level, i) => {
      // The faintest cell is one row in ten million and must still be seen.
      cells.data.set([...color, level === 0 ? 0 : 24 + (126 * level) / grid.deepest], 4 * i);
    });
    const small = document.createElement("canvas");
    [small.width, small.height] = [grid.columns, grid.rows];
    small.getContext("2d").putImageData(cells, 0, 0);
    const [left, top] = [x.at(grid.x[0]), y.at(grid.y[1])];
    context.imageSmoothingEnabled = false;
    context.drawImage(small, left, top, x.at(grid.x[1]) - left, y.at(grid.y[0]) - top);
  }

  function sample(context, [xs, ys], x, y, ink) {
    context.fillStyle = `rgba(${ink}, ${xs.length > 1000 ? 0.35 : 0.6})`;
    xs.forEach((value, i) => {
      context.beginPath();
      context.arc(x.at(value), y.at(ys[i]), 2, 0, 7);
      context.fill();
    });
  }

  // ---- one frame ----

  function move(drawn, model, state, ghostState) {
    const { y, px } = drawn;
    const ys = heights(drawn.design, state.w);
    drawn.current.setAttribute("d", chart.through(px, ys.map(y.at)));
    if (ghostState) {
      const ghostYs = heights(drawn.ghostDesign, ghostState.w);
      drawn.ghost.setAttribute("d", chart.through(px, ghostYs.map(y.at)));
    }
    put(at("picture-note"), note(ys, drawn.range.y, model));
    movePoint(drawn, model.problem, model.point, state.w);
  }

  function note(ys, [lo, hi], { grid, t }) {
    if (ys.some(Number.isNaN)) return t.lost;
    const farthest = ys.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
    const gone = farthest > 2 * hi - lo || farthest < 2 * lo - hi;
    if (gone || ys.every((y) => y < lo || y > hi)) return t.offChart(farthest);
    return grid?.outside ? `${t.outside(grid.outside)} ${t.pickHint}` : t.pickHint;
  }

  // The point of card 3, and what the current curve misses it by.
  function movePoint({ x, y, picked, miss }, { data, basis, degree }, point, weights) {
    const predicted = dot(basisAt(data, basis, degree, point.x), weights);
    const [px, py, curve] = [x.at(point.x), y.at(point.y ?? predicted), y.at(predicted)];
    picked.setAttribute("cx", px);
    picked.setAttribute("cy", chart.near(py));
    miss.setAttribute("d", chart.through([px, px], [py, curve]));
  }

  return Object.freeze({ draw, move, feature, inflate });
})();
