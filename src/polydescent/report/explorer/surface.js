// The loss over two directions of the weights: its contours, the path of a run, the way down.
"use strict";

/**
 * Through the weights w of a step. A place in it is (a, b): for two weights their values, for two
 * modes how far w is from the best along each.
 * @typedef {object} Plane
 * @property {[Vector, Vector]} directions
 * @property {[number, number]} center  where the loss is lowest in the plane
 * @property {[[number, number], [number, number]]} axes  of the ellipse 1 above the lowest
 * @property {number} least  the excess at the center
 * @property {(w: ArrayLike<number>) => [number, number]} place
 * @property {[number, number]} downhill  the negative slope, in the plane
 */

const surface = (() => {
  const { dot } = algebra;

  /**
   * @param {Problem} problem @param {string} kind  "weights" or "modes" @param {number} i @param {number} j
   * @returns {[Vector, Vector]}
   */
  function directionsOf({ right, k }, kind, i, j) {
    const unit = (/** @type {number} */ at) => new Float64Array(k).fill(1, at, at + 1);
    return kind === "modes" ? [right[i], right[j]] : [unit(i), unit(j)];
  }

  /**
   * Half axes of the ellipse p·a² + 2q·ab + r·b² = 1; an infinite one where it is a strip.
   * @param {number} p @param {number} q @param {number} r
   * @returns {[[number, number], [number, number]]}
   */
  function ellipse(p, q, r) {
    const angle = Math.atan2(2 * q, p - r) / 2;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const steep = p * c * c + 2 * q * c * s + r * s * s;
    const flat = Math.max(p * s * s - 2 * q * c * s + r * c * c, 0);
    const [a, b] = [1 / Math.sqrt(steep), 1 / Math.sqrt(flat)];
    return [[a * c, a * s], [-b * s, b * c]];
  }

  /**
   * @param {Problem} problem @param {Step} step @param {string} kind  "weights" or "modes"
   * @param {number} i @param {number} j @returns {Plane}
   */
  function plane(problem, step, kind, i, j) {
    const { R, z, target, point } = problem;
    const directions = directionsOf(problem, kind, i, j);
    const origin = kind === "modes" ? point : new Float64Array(point.length);
    const place = (/** @type {ArrayLike<number>} */ w) => /** @type {[number, number]} */ (
      directions.map((d) => d.reduce((sum, value, at) => sum + value * (w[at] - origin[at]), 0)));
    const [f, g] = directions.map((d) => core.forward(R, new Float64Array(z.length), d));
    const above = core.forward(R, target, step.w);
    const [p, q, r] = [dot(f, f), dot(f, g), dot(g, g)];
    const [slopeA, slopeB] = [dot(f, above), dot(g, above)];
    const determinant = p * r - q * q;
    const [moveA, moveB] = [
      (q * slopeB - r * slopeA) / determinant, (q * slopeA - p * slopeB) / determinant,
    ];
    const now = place(step.w);
    const lowest = above.map((value, at) => value + moveA * f[at] + moveB * g[at]);
    return Object.freeze({
      directions, place,
      center: /** @type {[number, number]} */ ([now[0] + moveA, now[1] + moveB]),
      axes: ellipse(p, q, r),
      least: dot(lowest, lowest),
      downhill: /** @type {[number, number]} */ (directions.map((d) => -dot(d, step.gradient))),
    });
  }

  /**
   * A point of the contour `above` the lowest, at an angle around it.
   * @param {Plane} plane @param {number} above @param {number} angle @returns {[number, number]}
   */
  function contour({ center, axes: [u, v] }, above, angle) {
    const [c, s] = [Math.sqrt(above) * Math.cos(angle), Math.sqrt(above) * Math.sin(angle)];
    return [center[0] + c * u[0] + s * v[0], center[1] + c * u[1] + s * v[1]];
  }

  return Object.freeze({ plane, contour });
})();
