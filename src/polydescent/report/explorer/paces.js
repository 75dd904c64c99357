// The map of η and β: how many steps each pair needs on these data.
"use strict";

const paces = (() => {
  const DEEPEST = 6; // decades of steps that the map tells apart
  const { at, put, mark } = dom;
  const { part } = chart;
  const { show, steps } = numerals;

  const BETA_TICKS = /** @type {[number, string][]} */ ([[0, "0"], [0.5, "0.5"], [0.9, "0.9"], [0.99, "0.99"]]);

  /** @param {Box} box @returns {Scale} */
  function betaScale(box) {
    const height = box.bottom - box.top;
    const share = (/** @type {number} */ beta) => -Math.log10(1 - Math.min(beta, 0.9999)) / 2;
    return {
      at: (beta) => box.bottom - share(beta) * height,
      invert: (p) => 1 - 10 ** (-2 * Math.max(0, Math.min(1, (box.bottom - p) / height))),
      ticks: BETA_TICKS,
    };
  }

  /** @param {Model} model */
  function draw(model) {
    const { map, state, t } = model;
    const svg = at("map");
    put(at("map-note"), map ? t.mapNote(state.optimizer) : t.noMap);
    svg.parentElement.hidden = at("map-key").hidden = !map;
    if (!map) return;
    const box = chart.boxOf(svg);
    const { rates } = map;
    const edge = Math.sqrt(rates[1] / rates[0]);
    const x = chart.logarithmic(rates[0] / edge, rates[rates.length - 1] * edge, box.left, box.right);
    const y = betaScale(box);
    const group = chart.axes(svg, box, x, y);
    part(svg, "x-name", "text", { class: "name halo-text", x: box.right, y: box.bottom - 6, "text-anchor": "end" }, "η");
    part(svg, "y-name", "text", { class: "name halo-text", x: box.left + 6, y: box.top + 14 }, "β");
    const beta = state.optimizer === "gd" ? 0 : state.beta;
    const place = { cx: chart.round(chart.near(x.at(state.rate))), cy: chart.round(y.at(beta)) };
    part(group, "here", "circle", { class: "here", r: 7, ...place });
    const said = stepsText(model.slowest, t, model.diverges);
    mark(svg, "aria-label", t.mapLabel(show(state.rate, 3), show(beta, 3), said));
    key(t);
  }

  /** What the cells of the map are, which only the problem and the optimizer change. @param {Model} model */
  function ground({ map }) {
    if (map) cells(map, chart.boxOf(at("map")));
  }

  /** @param {number} needed @param {any} t @param {boolean} [diverges] */
  const stepsText = (needed, t, diverges = !Number.isFinite(needed)) =>
    (diverges ? t.never : Number.isFinite(needed) ? t.stepsLong(Math.ceil(needed), steps(needed)) : t.stuck);

  /** Deep where few steps are enough, striped where none are. @param {PaceMap} map @param {Box} box */
  function cells({ rates, betas, steps: needed }, box) {
    const context = picture.cleared(at("map-cells"));
    const style = getComputedStyle(document.documentElement);
    const [faint, deep] = ["--far", "--close"].map((name) => style.getPropertyValue(name).split(",").map(Number));
    const [width, height] = [(box.right - box.left) / rates.length, (box.bottom - box.top) / (betas.length - 1)];
    needed.forEach((value, at) => {
      const [i, j] = [Math.floor(at / rates.length), at % rates.length];
      const share = Math.min(1, Math.log10(value) / DEEPEST);
      context.fillStyle = Number.isFinite(value)
        ? `rgb(${deep.map((from, c) => from + (faint[c] - from) * share).join(",")})`
        : style.getPropertyValue("--panel");
      const [left, top] = [box.left + j * width, box.bottom - (i + 0.5) * height];
      const from = Math.max(top, box.top);
      context.fillRect(left, from, width + 0.5, Math.min(top + height + 0.5, box.bottom) - from);
    });
    stripes(context, needed, rates, box, width, height, style.getPropertyValue("--bad"));
  }

  /** @param {any} context @param {Vector} needed @param {number[]} rates @param {Box} box @param {number} width @param {number} height @param {string} color */
  function stripes(context, needed, rates, box, width, height, color) {
    context.save();
    context.beginPath();
    needed.forEach((value, at) => {
      if (Number.isFinite(value)) return;
      const top = box.bottom - (Math.floor(at / rates.length) + 0.5) * height;
      context.rect(box.left + (at % rates.length) * width, Math.max(top, box.top), width + 0.5, height);
    });
    context.clip();
    context.strokeStyle = color;
    context.lineWidth = 1.4;
    for (let p = box.left - box.bottom; p < box.right; p += 9) {
      context.beginPath();
      context.moveTo(p, box.bottom);
      context.lineTo(p + box.bottom, 0);
      context.stroke();
    }
    context.restore();
  }

  /** @param {any} t */
  function key(t) {
    const texts = [...[0, 2, 4, 6].map((power) => `${power === 6 ? "≥ " : ""}${power < 4 ? 10 ** power : `10${numerals.above(power)}`}`), t.never];
    dom.keep(at("map-key"), texts.length, (i) => Object.assign(dom.make("span"), { className: `shade s${i}` }))
      .forEach((node, i) => put(node, texts[i]));
  }

  return Object.freeze({ ground, draw });
})();
