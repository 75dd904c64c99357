// Which degree: the floor, the AICc and the error of rows left out, for every degree at once.
"use strict";

/**
 * @typedef {object} Degrees
 * @property {number[]} floor  the lowest loss of each degree, from 0 up
 * @property {number[]} aicc  ∞ where there are too few rows
 * @property {number[] | null} cv  root mean square of what rows leave that were not used
 * @property {number} pick  the degree of the lowest AICc; of degrees that fit exactly, the lowest
 */

const degrees = (() => {
  const RANK_TOLERANCE = 64 * Number.EPSILON;
  const EXACT = 1e-28; // share of Σ y² below which a loss is rounding
  const { dot, rotateIn } = algebra;

  /** @param {Vector[]} rows  of a triangle @param {number} k */
  function determines(rows, k) {
    for (let j = 0; j < k; j += 1) {
      const column = Math.hypot(...rows.slice(0, k).map((row) => row[j]));
      if (!(Math.abs(rows[j][j]) > RANK_TOLERANCE * k * column)) return false;
    }
    return true;
  }

  /** @param {Data} data  the highest degree that its rows determine */
  function highest({ rows, degree, n }) {
    for (let d = Math.min(degree, n - 1); d > 0; d -= 1) if (determines(rows, d + 1)) return d;
    return 0;
  }

  /** @param {Data} data @param {number} loss @param {number} parameters */
  function aicc({ n, known, logWeights }, loss, parameters) {
    const p = parameters + (known ? 0 : 1);
    const spread = known
      ? loss + n * Math.log(2 * Math.PI)
      : n * (Math.log(2 * Math.PI) + Math.log(loss) - Math.log(n) + 1);
    const left = n - p - 1;
    if (left <= 0) return Infinity;
    return spread - logWeights + 2 * p + (2 * p * (p + 1)) / left;
  }

  /** @param {Vector[]} rows @param {number} k  back-substitution on the leading k columns */
  function solve(rows, k) {
    const w = new Float64Array(k);
    for (let i = k - 1; i >= 0; i -= 1) {
      let sum = rows[i][rows.length - 1];
      for (let j = i + 1; j < k; j += 1) sum -= rows[i][j] * w[j];
      w[i] = sum / rows[i][i];
    }
    return w;
  }

  /** @param {Fold[]} folds @param {number} without @returns {Fold} */
  function allBut(folds, without) {
    const size = folds[0].rows.length;
    const rows = Array.from({ length: size }, () => new Float64Array(size));
    let n = 0;
    folds.forEach((fold, i) => {
      if (i === without) return;
      for (const row of fold.rows) rotateIn(rows, row.slice());
      n += fold.n;
    });
    return { rows, n };
  }

  /**
   * Σ r² of a fold under the curve of the others; NaN where they determine none.
   * @param {Fold} fold @param {Fold} others @param {number} k
   */
  function left(fold, others, k) {
    if (others.n < k || !determines(others.rows, k)) return NaN;
    const w = solve(others.rows, k);
    const missed = fold.rows.map((row, i) =>
      row[row.length - 1] - (i < k ? dot(row.subarray(0, k), w) : 0));
    return dot(missed, missed);
  }

  /** @param {Data} data @param {number} most */
  function crossValidation({ folds, loo, n }, most) {
    if (!folds) return loo && loo.slice(0, most + 1);
    const rest = folds.map((_, i) => allBut(folds, i));
    return Array.from({ length: most + 1 }, (_, degree) => {
      const parts = folds.map((fold, i) => left(fold, rest[i], degree + 1));
      return Math.sqrt(parts.reduce((a, b) => a + b, 0) / n);
    });
  }

  /** @param {Data} data @returns {Degrees} */
  function table(data) {
    const most = highest(data);
    const y = data.rows.map((row) => row[row.length - 1]);
    const floor = Array.from({ length: most + 1 }, (_, d) => dot(y.slice(d + 1), y.slice(d + 1)));
    const criteria = floor.map((loss, d) => aicc(data, loss, d + 1));
    const exact = floor.findIndex((loss, d) => loss <= EXACT * dot(y, y) && data.n > d + 1);
    const best = criteria.indexOf(Math.min(...criteria));
    return Object.freeze({
      floor, aicc: criteria,
      cv: crossValidation(data, most),
      pick: exact >= 0 ? exact : Math.max(best, 0),
    });
  }

  return Object.freeze({ table });
})();
