// What the spectrum says about steps to come: the limit, the fastest settings, the pace of a mode.
"use strict";

/**
 * @typedef {object} Pace
 * @property {number} gap  1 − the factor, exact for slow modes
 * @property {number} factor  of a mode's share of the loss in one step
 * @property {number} radius  of its distance from the best in one step
 * @property {number} excess  radius − 1, exact near 1
 * @property {number} steps  until 1 % of its share is left
 *
 * @typedef {object} PaceMap
 * @property {number[]} rates  of the columns, rising
 * @property {number[]} betas  of the rows, rising
 * @property {Vector} steps  until 1 % of every share is left, row by row; ∞ where it diverges
 */

const forecast = (() => {
  const AT_THE_LIMIT = 1e-9; // a rate this near the limit is at it, whichever way it was rounded
  const { OPTIMIZERS, momentumOf } = core;

  /**
   * The largest stable learning rate; null for Adam, which has no closed form.
   * @param {Problem} problem @param {{name: string, beta: number}} optimizer
   */
  function stableLimit({ lambda }, optimizer) {
    const { limit } = OPTIMIZERS[optimizer.name];
    return limit ? limit(lambda[0], momentumOf(optimizer)) : null;
  }

  /** @param {number} rate @param {number | null} limit */
  function diverges(rate, limit) {
    return limit !== null && rate > limit * (1 + AT_THE_LIMIT);
  }

  /**
   * The fastest rate at the momentum given, or with `pair` both; null where none is known.
   * @param {Problem} problem @param {Optimizer} optimizer @param {boolean} pair
   * @returns {{rate: number, beta?: number} | null}
   */
  function fastest({ lambda, rank }, optimizer, pair) {
    const rule = OPTIMIZERS[optimizer.name][pair ? "pair" : "fastest"];
    return rule ? rule(lambda[0], lambda[Math.max(rank, 1) - 1], momentumOf(optimizer)) : null;
  }

  /**
   * 1 − the spectral radius of a mode's matrix, exact for slow modes.
   * @param {number} h @param {number} beta @param {(h: number, beta: number) => Change} change
   */
  function gapOf(h, beta, change) {
    const [a, b, c, d] = change(h, beta);
    const [half, determinant] = [(a + d) / 2 + 1, (a + 1) * (d + 1) - b * c];
    if (Math.abs(half) > 1e100) return 1 - 2 * Math.abs(half); // its square would overflow
    const inside = half * half - determinant;
    if (inside < 0) return 1 - Math.sqrt(determinant); // the mode swings
    const root = Math.sqrt(inside);
    // (1 − r₁)(1 − r₂) = h in every one of these optimizers
    return half >= 0 ? Math.min(h / (1 - (half - root)), 1) : 1 - (root - half);
  }

  /** @param {number} gap  1 − the spectral radius @returns {Pace} */
  function paceOf(gap) {
    const steps = gap > 0 ? Math.max(1, Math.log(0.01) / (2 * Math.log1p(-gap))) : Infinity;
    const radius = 1 - gap;
    return Object.freeze({ gap: gap * (2 - gap), factor: radius ** 2, radius, excess: -gap, steps });
  }

  /**
   * Per mode; null for Adam.
   * @param {Problem} problem @param {Optimizer} optimizer @returns {Pace[] | null}
   */
  function pace({ lambda, rank }, optimizer) {
    const { change } = OPTIMIZERS[optimizer.name];
    if (!change) return null;
    const beta = momentumOf(optimizer);
    return lambda.map((value, i) =>
      paceOf(i < rank ? gapOf(optimizer.rate * value, beta, change) : 0));
  }

  /**
   * Steps until every mode has 1 % of its share left; ∞ where one does not shrink.
   * @param {Problem} problem @param {Optimizer} optimizer
   */
  function slowest(problem, optimizer) {
    const paces = pace(problem, optimizer);
    return paces ? Math.max(...paces.slice(0, problem.rank).map(({ steps }) => steps)) : Infinity;
  }

  /**
   * The same over rates and momenta. Of the modes between the steepest and the flattest none is
   * slower than both, so two are enough.
   * @param {Problem} problem @param {string} name @param {number[]} rates @param {number[]} betas
   * @returns {PaceMap}
   */
  function map({ lambda, rank }, name, rates, betas) {
    const change = OPTIMIZERS[name].change;
    const ends = [lambda[0], lambda[Math.max(rank, 1) - 1]];
    const steps = new Float64Array(rates.length * betas.length);
    betas.forEach((beta, i) => rates.forEach((rate, j) => {
      const used = momentumOf({ name, beta });
      const gaps = change ? ends.map((value) => gapOf(rate * value, used, change)) : [0];
      steps[i * rates.length + j] = paceOf(Math.min(...gaps)).steps;
    }));
    return Object.freeze({ rates, betas, steps });
  }

  /**
   * The first step whose loss no longer fits in a double, or null.
   * @param {Run} run
   */
  function overflowStep(run) {
    const lossAt = (/** @type {number} */ step) => core.stateAt(run, step).loss;
    if (Number.isFinite(lossAt(run.steps))) return null;
    const walked = run.walk(run.walked).loss.subarray(0, run.walked + 1)
      .findIndex((value) => !Number.isFinite(value));
    if (walked >= 0) return walked;
    let [fine, over] = [run.walked, run.steps];
    while (over - fine > 1) {
      const middle = Math.floor((fine + over) / 2);
      if (Number.isFinite(lossAt(middle))) fine = middle;
      else over = middle;
    }
    return over;
  }

  // ---- steps on a logarithmic scale ----

  /** @param {number} step @param {number} steps */
  const positionOf = (step, steps) => Math.log1p(step) / Math.log1p(Math.max(steps, 1));

  /** @param {number} position @param {number} steps */
  const stepOf = (position, steps) =>
    Math.min(steps, Math.round(Math.expm1(position * Math.log1p(Math.max(steps, 1)))));

  /** @param {number} steps @param {number} count */
  function sampledSteps(steps, count) {
    const all = Array.from({ length: count + 1 }, (_, i) => stepOf(i / count, steps));
    return [...new Set(all)];
  }

  return Object.freeze({
    stableLimit, diverges, fastest, pace, slowest, map, overflowStep,
    positionOf, stepOf, sampledSteps,
  });
})();
