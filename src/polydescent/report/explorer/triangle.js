// The rows as one small triangle, more or fewer of them, in any degree and basis.
"use strict";

/**
 * A basis family: p[k+1] = a·v·p[k] − c·p[k−1], where v is x itself (`raw`) or u in [−1, 1].
 * @typedef {object} Family
 * @property {boolean} raw
 * @property {(k: number) => [number, number]} recurrence  k → [a, c]
 *
 * The triangle of some of the rows, for cross-validation.
 * @typedef {{rows: Vector[], n: number}} Fold
 *
 * What a fit holds fixed: equations[i]·(Chebyshev weights) = values[i]; `fixed` and `through` say
 * it in words: pairs [power, coefficient] and [x, y].
 * @typedef {object} Held
 * @property {Vector[]} equations
 * @property {number[]} values
 * @property {[number, number][]} fixed
 * @property {[number, number][]} through
 *
 * @typedef {object} Data
 * @property {Vector[]} rows  [[R, z], [0, √rss]] in Chebyshev polynomials of u = (x − mid) / half
 * @property {number} degree  the highest that the triangle holds
 * @property {number} lo
 * @property {number} hi
 * @property {number} mid
 * @property {number} half
 * @property {number} n  rows behind it
 * @property {boolean} known  whether the weights are 1/σ² with σ known
 * @property {boolean} weighted
 * @property {number} logWeights  Σ ln ω
 * @property {Held | null} held
 * @property {Fold[] | null} folds
 * @property {number[] | null} loo  of each degree what rows leave that were not used, without folds
 *
 * A row added (sign 1) or taken out (−1).
 * @typedef {{x: number, y: number, sign: number}} Edit
 */

const triangle = (() => {
  const { dot, rotateIn, rotateOut } = algebra;

  /** @param {ArrayLike<number>} values  the upper triangle, row by row */
  function rowsOf(values) {
    const size = (Math.sqrt(8 * values.length + 1) - 1) / 2;
    const rows = [];
    for (let i = 0, from = 0; i < size; from += size - i, i += 1) {
      const row = new Float64Array(size);
      for (let j = i; j < size; j += 1) row[j] = values[from + j - i];
      rows.push(row);
    }
    return rows;
  }

  /** @param {string} packed  doubles, lowest byte first, in base64 */
  function doubles(packed) {
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return Array.from({ length: bytes.length / 8 }, (_, i) => view.getFloat64(8 * i, true));
  }

  /** @param {any} payload @returns {Data} */
  function unpack({ triangle: values, domain: [lo, hi], n, absolute_sigma, weighted, ...more }) {
    const rows = rowsOf(values);
    const { held = null, folds = null, loo = null, log_weights: logWeights = 0 } = more;
    return Object.freeze({
      rows, degree: rows.length - 2, lo, hi, mid: lo / 2 + hi / 2, half: hi / 2 - lo / 2, n,
      known: Boolean(absolute_sigma), weighted: Boolean(weighted), logWeights,
      held: held && {
        ...held, equations: held.equations.map((/** @type {number[]} */ e) => Float64Array.from(e)),
      },
      folds: folds && folds.map((/** @type {{triangle: string, n: number}} */ fold) =>
        ({ rows: rowsOf(doubles(fold.triangle)), n: fold.n })),
      loo: loo && loo.map((/** @type {number | null} */ error) => error ?? NaN),
    });
  }

  /** @param {boolean} raw @param {Family["recurrence"]} recurrence @returns {Family} */
  const family = (raw, recurrence) => Object.freeze({ raw, recurrence });

  /** @type {Readonly<Record<string, Family>>} */
  const FAMILIES = Object.freeze({
    power: family(true, () => [1, 0]),
    chebyshev: family(false, (k) => (k === 0 ? [1, 0] : [2, 1])),
    legendre: family(false, (k) => [(2 * k + 1) / (k + 1), k / (k + 1)]),
  });

  /**
   * Every polynomial up to `degree`, from p[0] and how to multiply by v: numbers or vectors.
   * @template P
   * @param {string} basis @param {number} degree @param {P} one @param {(p: P) => P} timesV
   * @param {(a: number, vp: P, c: number, previous: P | null) => P} combine
   */
  function recur(basis, degree, one, timesV, combine) {
    const { recurrence } = FAMILIES[basis];
    const p = [one];
    for (let k = 0; k < degree; k += 1) {
      const [a, c] = recurrence(k);
      p.push(combine(a, timesV(p[k]), c, k > 0 ? p[k - 1] : null));
    }
    return p;
  }

  /** @param {Data} data @param {number} x */
  function scaled({ mid, half }, x) {
    return half === 0 ? 0 : (x - mid) / half;
  }

  /** @param {Data} data @param {string} basis @param {number} degree @param {number} x */
  function basisAt(data, basis, degree, x) {
    const v = FAMILIES[basis].raw ? x : scaled(data, x);
    return Float64Array.from(
      recur(basis, degree, 1, (p) => v * p, (a, vp, c, previous) =>
        a * vp - (previous === null ? 0 : c * previous)),
    );
  }

  /**
   * u·T_0 = T_1 and u·T_k = (T_{k+1} + T_{k−1}) / 2.
   * @param {Vector} p
   */
  function timesU(p) {
    const out = new Float64Array(p.length);
    for (let k = 0; k < p.length; k += 1) {
      if (p[k] === 0) continue;
      const share = k === 0 ? p[k] : p[k] / 2;
      if (k + 1 < p.length) out[k + 1] += share;
      if (k > 0) out[k - 1] += share;
    }
    return out;
  }

  /**
   * Column j holds the j-th polynomial of the basis in T_0(u) … T_degree(u).
   * @param {Data} data @param {string} basis @param {number} degree
   */
  function inChebyshev(data, basis, degree) {
    const one = new Float64Array(degree + 1);
    one[0] = 1;
    const timesX = (/** @type {Vector} */ p) =>
      timesU(p).map((value, i) => data.mid * p[i] + data.half * value);
    return recur(basis, degree, one, FAMILIES[basis].raw ? timesX : timesU,
      (a, vp, c, previous) =>
        vp.map((value, i) => a * value - (previous === null ? 0 : c * previous[i])));
  }

  /**
   * The weights of a curve given in Chebyshev polynomials: from the highest term down.
   * @param {Vector[]} columns  from `inChebyshev` @param {ArrayLike<number>} curve
   */
  function inBasis(columns, curve) {
    const w = Float64Array.from(curve);
    for (let j = w.length - 1; j >= 0; j -= 1) {
      w[j] /= columns[j][j];
      for (let i = 0; i < j; i += 1) w[i] -= columns[j][i] * w[j];
    }
    return w;
  }

  /**
   * The same curve in another basis and degree: what a lower degree cannot say is cut off its
   * Chebyshev series. Zeros where powers of these x leave the range of doubles.
   * @param {Data} data @param {readonly number[]} w
   * @param {{basis: string, degree: number}} from @param {{basis: string, degree: number}} to
   */
  function rewritten(data, w, from, to) {
    const weights = Float64Array.from({ length: from.degree + 1 }, (_, j) => w[j] || 0);
    const columns = inChebyshev(data, from.basis, from.degree);
    const curve = algebra.blend(columns, weights, from.degree + 1);
    const cut = Float64Array.from({ length: to.degree + 1 }, (_, j) => curve[j] || 0);
    const found = inBasis(inChebyshev(data, to.basis, to.degree), cut);
    return Array.from(found.every(Number.isFinite) ? found : new Float64Array(found.length));
  }

  /**
   * R, z and rss of one degree in one basis: ‖R·w − z‖² + rss is the loss of all rows.
   * @param {Data} data @param {number} degree @param {string} basis
   */
  function triangleIn(data, degree, basis) {
    const k = degree + 1;
    const columns = inChebyshev(data, basis, degree);
    const R = Array.from({ length: k }, (_, i) =>
      Float64Array.from(columns, (column) => dot(data.rows[i].subarray(0, k), column)),
    );
    const y = data.rows.map((row) => row[row.length - 1]);
    return { R, z: Float64Array.from(y.slice(0, k)), rss: dot(y.slice(k), y.slice(k)) };
  }

  // ---- rows added and taken out ----

  /** @param {Data} data @param {Edit} edit */
  function rowOf(data, { x, y }) {
    return Float64Array.of(...basisAt(data, "chebyshev", data.degree, x), y);
  }

  const copied = (/** @type {Vector[]} */ rows) => rows.map((row) => row.slice());

  /**
   * The data with rows of weight 1 added and taken out, as if folded anew; null where what is left
   * does not determine a curve. Added rows go to the folds in turn; rows taken out belong to
   * a fold that nobody knows, so then there are none.
   * @param {Data} data @param {readonly Edit[]} edits @returns {Data | null}
   */
  function edited(data, edits) {
    if (edits.length === 0) return data;
    const rows = copied(data.rows);
    const added = edits.filter(({ sign }) => sign > 0);
    const taken = edits.filter(({ sign }) => sign < 0);
    for (const edit of added) rotateIn(rows, rowOf(data, edit));
    if (!taken.every((edit) => rotateOut(rows, rowOf(data, edit)))) return null;
    const folds = taken.length > 0 ? null : data.folds;
    return Object.freeze({
      ...data, rows, n: data.n + added.length - taken.length, loo: null,
      folds: folds && folds.map((fold, i) =>
        grown(data, fold, added.filter((_, j) => j % folds.length === i))),
    });
  }

  /** @param {Data} data @param {Fold} fold @param {Edit[]} edits @returns {Fold} */
  function grown(data, fold, edits) {
    const rows = copied(fold.rows);
    for (const edit of edits) rotateIn(rows, rowOf(data, edit));
    return { rows, n: fold.n + edits.length };
  }

  return Object.freeze({
    FAMILIES, unpack, scaled, basisAt, inChebyshev, inBasis, rewritten, triangleIn, edited,
  });
})();
