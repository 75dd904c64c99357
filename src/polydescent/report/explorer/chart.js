// SVG charts: scales, axes, lines and markers, knowing nothing of gradient descent.
"use strict";

/**
 * @typedef {object} Scale
 * @property {(value: number) => number} at  a value in pixels
 * @property {(p: number) => number} invert
 * @property {[number, string][]} ticks
 * @property {number} [base]  what the labels are differences from
 *
 * @typedef {{left: number, right: number, top: number, bottom: number}} Box
 */

const chart = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const MARGIN = Object.freeze({ left: 60, right: 16, top: 12, bottom: 28 });
  const FAR = 5000; // pixels; browsers draw paths wrongly when coordinates get huge
  const ROOM = 8; // pixels beyond the box in which the end of a line and its dot are still drawn

  /** @type {WeakMap<Element, Map<string, any>>} */
  const parts = new WeakMap();

  /**
   * The child of this name, made where it is missing: a chart is drawn by changing its parts.
   * @param {Element} parent @param {string} key @param {string} name
   * @param {Record<string, string | number>} [attributes] @param {string | null} [text]
   * @returns {any}
   */
  function part(parent, key, name, attributes = {}, text = null) {
    const known = parts.get(parent) ?? new Map();
    parts.set(parent, known);
    let node = known.get(key);
    if (!node) {
      node = parent.appendChild(document.createElementNS(SVG, name));
      known.set(key, node);
    }
    for (const [attribute, value] of Object.entries(attributes)) {
      dom.mark(node, attribute, String(value));
    }
    if (text !== null) dom.put(node, text);
    return node;
  }

  /** Takes away the parts that are no longer drawn. @param {Element} parent @param {(key: string) => boolean} wanted */
  function prune(parent, wanted) {
    const known = parts.get(parent);
    for (const [key, node] of known ?? []) {
      if (wanted(key)) continue;
      node.remove();
      known?.delete(key);
    }
  }

  // ---- scales ----

  /** @param {number} span @param {number} count */
  function niceStep(span, count) {
    const rough = span / count;
    const unit = 10 ** Math.floor(Math.log10(rough));
    return unit * ([1, 2, 5].find((factor) => factor * unit >= rough) || 10);
  }

  /** At least two. @param {number} lo @param {number} hi @param {number} count @returns {number[]} */
  function evenly(lo, hi, count) {
    const step = niceStep(hi - lo, count);
    const first = Math.ceil(lo / step);
    const length = Math.max(0, Math.floor(hi / step) - first + 1);
    if (length < 2 && count < 50) return evenly(lo, hi, 2 * count);
    return Array.from({ length: Math.min(length, 50) }, (_, i) => (first + i) * step);
  }

  /** @param {number} lo @param {number} hi @param {number} from @param {number} to */
  function line(lo, hi, from, to) {
    return {
      at: (/** @type {number} */ value) => from + ((value - lo) / (hi - lo)) * (to - from),
      invert: (/** @type {number} */ p) => lo + ((p - from) / (to - from)) * (hi - lo),
    };
  }

  /**
   * Ticks far from zero and close together are written as differences from `base`.
   * @param {number} lo @param {number} hi @param {number} from @param {number} to
   * @returns {Scale}
   */
  function linear(lo, hi, from, to, count = 6) {
    const values = evenly(lo, hi, count);
    const step = values.length > 1 ? values[1] - values[0] : hi - lo;
    const base = Math.max(Math.abs(lo), Math.abs(hi)) > 1e5 * (hi - lo) ? values[0] : 0;
    const ticks = values.map((value) =>
      /** @type {[number, string]} */ ([value, numerals.show(tidy(value - base, step), 6)]));
    return Object.freeze({ ...line(lo, hi, from, to), ticks, base });
  }

  /**
   * Dates where x holds them, else numbers.
   * @param {Calendar | null} calendar @param {number} lo @param {number} hi @param {number} from
   * @param {number} to @returns {Scale}
   */
  function along(calendar, lo, hi, from, to) {
    if (!calendar) return linear(lo, hi, from, to, Math.max(2, (to - from) / 110));
    for (let count = Math.max(2, (to - from) / 130); ; count *= 2) {
      const ticks = calendar.ticks(lo, hi, count);
      if (ticks.length > 1 || count > 40) {
        return Object.freeze({ ...line(lo, hi, from, to), ticks, base: 0 });
      }
    }
  }

  /** 0.30000000000000004 is 0.3 to a reader. @param {number} value @param {number} step */
  function tidy(value, step) {
    return Math.round(value / step) === 0 ? 0 : Number(value.toPrecision(12));
  }

  /** Log of 1 + step. @param {number} most @param {number} from @param {number} to @returns {Scale} */
  function steps(most, from, to) {
    const scale = Math.log1p(most);
    const decades = Math.floor(Math.log10(most));
    const every = Math.ceil((decades + 1) / 6);
    const ticks = [/** @type {[number, string]} */ ([0, "0"])];
    for (let power = 0; power <= decades; power += every) ticks.push([10 ** power, tenTo(power)]);
    return Object.freeze({
      at: (t) => from + (Math.log1p(t) / scale) * (to - from),
      invert: (p) => Math.expm1(Math.max(0, Math.min(1, (p - from) / (to - from))) * scale),
      ticks,
    });
  }

  /** @param {number} lo @param {number} hi @param {number} from @param {number} to @returns {Scale} */
  function logarithmic(lo, hi, from, to) {
    const [low, high] = [Math.log10(lo), Math.log10(hi)];
    const { at, invert } = line(low, high, from, to);
    const ticks = high - low < 2 ? between(lo, hi, low, high) : decades(low, high);
    return Object.freeze({
      at: (value) => at(Math.log10(value)), invert: (p) => 10 ** invert(p), ticks,
    });
  }

  /** @param {number} low @param {number} high @returns {[number, string][]} */
  function decades(low, high) {
    const every = Math.max(1, Math.ceil((high - low) / 6));
    const first = Math.ceil(low / every) * every;
    const out = /** @type {[number, string][]} */ ([]);
    for (let power = first; power <= high; power += every) out.push([10 ** power, tenTo(power)]);
    return out.length > 1 || every === 1 ? out : [[10 ** Math.ceil(low), tenTo(Math.ceil(low))],
      [10 ** Math.floor(high), tenTo(Math.floor(high))]];
  }

  /**
   * Under two decades: 1, 2, 5; under one: evenly spaced numbers.
   * @param {number} lo @param {number} hi @param {number} low @param {number} high
   * @returns {[number, string][]}
   */
  function between(lo, hi, low, high) {
    if (high - low < 1) return linear(lo, hi, 0, 1, 4).ticks;
    const out = /** @type {[number, string][]} */ ([]);
    for (let power = Math.floor(low); power <= high; power += 1) {
      for (const factor of [1, 2, 5]) {
        const value = factor * 10 ** power;
        if (value >= lo && value <= hi) out.push([value, numerals.show(value)]);
      }
    }
    return out;
  }

  const tenTo = (/** @type {number} */ power) =>
    power >= -2 && power <= 3 ? numerals.show(10 ** power) : `10${numerals.above(power)}`;

  // ---- drawing ----

  /** @type {WeakMap<Element, Box>} */
  const boxes = new WeakMap(); // asking for a size makes the browser lay out the page: ask once

  /** The inside of an SVG as large as it is on the screen, in pixels. @param {any} svg @returns {Box} */
  function boxOf(svg) {
    if (!boxes.has(svg)) measure(svg);
    return /** @type {Box} */ (boxes.get(svg));
  }

  /** Whether the SVG has another size than it was drawn with. @param {any} svg */
  function measure(svg) {
    if (svg.clientWidth === 0) return false; // not shown
    const [width, height] = [Math.max(svg.clientWidth, 120), Math.max(svg.clientHeight, 80)];
    const { left, right, top, bottom } = MARGIN;
    const old = boxes.get(svg);
    if (old?.right === width - right && old.bottom === height - bottom) return false;
    boxes.set(svg, Object.freeze({ left, right: width - right, top, bottom: height - bottom }));
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.parentElement.style.setProperty("--shape", String(width / height)); // paper keeps it
    return true;
  }

  /** @type {WeakMap<Element, {x: Scale, y: Scale}>} */
  const scales = new WeakMap();

  /** The scales that a chart was drawn with last. @param {Element} svg */
  const scalesOf = (svg) => scales.get(svg);

  /**
   * Draws grid and labels; what is drawn in the group returned is clipped to the box.
   * @param {any} svg @param {Box} box @param {Scale} x @param {Scale} y
   */
  function axes(svg, box, x, y) {
    scales.set(svg, { x, y });
    const grid = part(svg, "grid", "g", { class: "grid" });
    const wanted = new Set();
    const tick = (/** @type {string} */ key, /** @type {string} */ d, /** @type {any} */ place,
      /** @type {string} */ label) => {
      wanted.add(`${key}-line`).add(key);
      part(grid, `${key}-line`, "path", { d });
      part(grid, key, "text", place, label);
    };
    x.ticks.forEach(([value, label], i) => {
      const px = round(x.at(value));
      const end = px > box.right - 20 && label.length > 5 ? "end" : "middle";
      tick(`x${i}`, `M${px} ${box.top}V${box.bottom}`,
        { x: end === "end" ? box.right + 14 : px, y: box.bottom + 19, "text-anchor": end }, label);
    });
    y.ticks.forEach(([value, label], i) => {
      const py = round(y.at(value));
      tick(`y${i}`, `M${box.left} ${py}H${box.right}`,
        { x: box.left - 8, y: py + 5, "text-anchor": "end" }, label);
    });
    prune(grid, (key) => wanted.has(key));
    const clip = part(svg, "clip", "clipPath", { id: `${svg.id}-inside` });
    part(clip, "rect", "rect", {
      x: box.left - ROOM, y: box.top - ROOM,
      width: box.right - box.left + 2 * ROOM, height: box.bottom - box.top + 2 * ROOM,
    });
    return part(svg, "inside", "g", { "clip-path": `url(#${svg.id}-inside)` });
  }

  const round = (/** @type {number} */ p) => Math.round(10 * p) / 10;

  /** A pixel near enough to draw; what is no number at all is put out of sight. @param {number} p */
  const near = (p) => (Number.isNaN(p) ? -FAR : Math.max(-FAR, Math.min(FAR, p)));

  /**
   * A path through the points; where a number is missing the line is interrupted.
   * @param {ArrayLike<number>} xs @param {ArrayLike<number>} ys
   */
  function through(xs, ys) {
    let d = "";
    let pen = "M";
    for (let i = 0; i < xs.length; i += 1) {
      if (!Number.isFinite(xs[i]) || Number.isNaN(ys[i])) {
        pen = "M";
        continue;
      }
      d += `${pen}${round(near(xs[i]))} ${round(near(ys[i]))}`;
      pen = "L";
    }
    return d;
  }

  /** What a chart says of the step that is pointed at. @param {any} svg @param {Box} box @param {number | null} px @param {string} text */
  function probe(svg, box, px, text) {
    const shown = px !== null;
    const d = shown ? `M${round(px)} ${box.top}V${box.bottom}` : "";
    part(svg, "probe", "path", { class: "probe", d });
    const end = shown && px > (box.left + box.right) / 2;
    part(svg, "probe-text", "text", {
      class: "probe-text", x: shown ? round(px + (end ? -6 : 6)) : 0, y: box.top + 12,
      "text-anchor": end ? "end" : "start",
    }, shown ? text : "");
  }

  return Object.freeze({
    part, prune, linear, along, steps, logarithmic, boxOf, measure, axes, scalesOf, near, round,
    through, probe,
  });
})();
