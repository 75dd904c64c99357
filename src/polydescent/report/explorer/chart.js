// SVG charts: scales, axes, lines and markers, knowing nothing of gradient descent.
"use strict";

const chart = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const MARGIN = Object.freeze({ left: 54, right: 14, top: 10, bottom: 26 });
  const FAR = 5000; // pixels; browsers draw paths wrongly when coordinates get huge

  function shape(parent, name, attributes = {}, text = null) {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== null) node.textContent = text;
    return parent.appendChild(node);
  }

  // ---- scales: frozen {at: value → pixel, ticks: [[value, label]]} ----

  function niceStep(span, count) {
    const rough = span / count;
    const unit = 10 ** Math.floor(Math.log10(rough));
    return unit * ([1, 2, 5].find((factor) => factor * unit >= rough) || 10);
  }

  // Ticks far from zero and close together are written as differences from `base`.
  function linear(lo, hi, from, to, count = 6) {
    const step = niceStep(hi - lo, count);
    const first = Math.ceil(lo / step);
    const length = Math.floor(hi / step) - first + 1;
    const values = Array.from({ length }, (_, i) => (first + i) * step);
    const base = Math.max(Math.abs(lo), Math.abs(hi)) > 1e5 * (hi - lo) ? values[0] : 0;
    const at = (value) => from + ((value - lo) / (hi - lo)) * (to - from);
    const ticks = values.map((value) => [value, numerals.show(tidy(value - base, step), 6)]);
    const invert = (p) => lo + ((p - from) / (to - from)) * (hi - lo);
    return Object.freeze({ at, ticks, base, invert });
  }

  // 0.30000000000000004 is 0.3 to a reader.
  function tidy(value, step) {
    return Math.round(value / step) === 0 ? 0 : Number(value.toPrecision(12));
  }

  function steps(most, from, to) {
    const scale = Math.log1p(most);
    const at = (t) => from + (Math.log1p(t) / scale) * (to - from);
    const decades = Math.floor(Math.log10(most));
    const every = Math.ceil((decades + 1) / 6);
    const ticks = [[0, "0"]];
    for (let power = 0; power <= decades; power += every) ticks.push([10 ** power, tenTo(power)]);
    return Object.freeze({ at, ticks });
  }

  function logarithmic(lo, hi, from, to) {
    const [low, high] = [Math.log10(lo), Math.log10(hi)];
    const at = (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
    const ticks = high - low < 2 ? between(lo, hi, low, high) : decades(low, high);
    return Object.freeze({ at, ticks });
  }

  function decades(low, high) {
    const every = Math.max(1, Math.ceil((high - low) / 6));
    const first = Math.ceil(low / every) * every;
    const out = [];
    for (let power = first; power <= high; power += every) out.push([10 ** power, tenTo(power)]);
    return out;
  }

  // Under two decades: 1, 2, 5; under one: evenly spaced numbers.
  function between(lo, hi, low, high) {
    if (high - low < 1) return linear(lo, hi, 0, 1, 4).ticks;
    const out = [];
    for (let power = Math.floor(low); power <= high; power += 1) {
      for (const factor of [1, 2, 5]) {
        const value = factor * 10 ** power;
        if (value >= lo && value <= hi) out.push([value, numerals.show(value)]);
      }
    }
    return out;
  }

  const tenTo = (power) =>
    power >= -2 && power <= 3 ? numerals.show(10 ** power) : `10${numerals.above(power)}`;

  // ---- drawing ----

  const boxes = new WeakMap(); // asking for a size makes the browser lay out the page: ask once

  // The inside of an SVG as large as it is on the screen, in pixels.
  function boxOf(svg) {
    if (!boxes.has(svg)) measure(svg);
    return boxes.get(svg);
  }

  // Whether the SVG has another size than it was drawn with.
  function measure(svg) {
    const [width, height] = [Math.max(svg.clientWidth, 120), Math.max(svg.clientHeight, 80)];
    const { left, right, top, bottom } = MARGIN;
    const box = { left, right: width - right, top, bottom: height - bottom };
    const old = boxes.get(svg);
    boxes.set(svg, Object.freeze(box));
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    return !old || old.right !== box.right || old.bottom !== box.bottom;
  }

  // Empties the SVG and draws grid and labels; what `inside` holds is clipped to the box.
  function axes(svg, box, x, y) {
    svg.replaceChildren();
    const grid = shape(svg, "g", { class: "grid" });
    for (const [value, label] of x.ticks) {
      const px = x.at(value);
      shape(grid, "path", { d: `M${px} ${box.top}V${box.bottom}` });
      shape(grid, "text", { x: px, y: box.bottom + 17, "text-anchor": "middle" }, label);
    }
    for (const [value, label] of y.ticks) {
      const py = y.at(value);
      shape(grid, "path", { d: `M${box.left} ${py}H${box.right}` });
      shape(grid, "text", { x: box.left - 7, y: py + 4, "text-anchor": "end" }, label);
    }
    const clip = shape(svg, "clipPath", { id: `${svg.id}-inside` });
    shape(clip, "rect", {
      x: box.left, y: box.top - 4, width: box.right - box.left, height: box.bottom - box.top + 8,
    });
    return shape(svg, "g", { "clip-path": `url(#${svg.id}-inside)` });
  }

  // A pixel near enough to draw; what is no number at all is put out of sight.
  const near = (p) => (Number.isNaN(p) ? -FAR : Math.max(-FAR, Math.min(FAR, p)));

  // A path through the points; where a number is missing the line is interrupted.
  function through(xs, ys) {
    let d = "";
    let pen = "M";
    for (let i = 0; i < xs.length; i += 1) {
      if (!Number.isFinite(xs[i]) || Number.isNaN(ys[i])) {
        pen = "M";
        continue;
      }
      d += `${pen}${xs[i].toFixed(1)} ${near(ys[i]).toFixed(1)}`;
      pen = "L";
    }
    return d;
  }

  return Object.freeze({ shape, linear, steps, logarithmic, boxOf, measure, axes, near, through });
})();
