// One degree and one basis of the data: the best curve, what is uncertain about it, its eigenmodes.
"use strict";

/**
 * With m free directions among k weights; m = k where nothing is held.
 * @typedef {object} Problem
 * @property {Data} data
 * @property {number} degree
 * @property {string} basis
 * @property {number} k  weights
 * @property {Vector[]} R
 * @property {Vector} z
 * @property {number} rss  what no polynomial of this degree explains
 * @property {Vector} curve  the best one, in Chebyshev polynomials
 * @property {Vector} target  R·(best weights): z without what no weights reach
 * @property {number} floor  the lowest loss
 * @property {number} distinct  directions in which the data tell curves apart
 * @property {Vector} best  weights of the best curve, NaN where many are as good
 * @property {Vector} stderr  their standard errors
 * @property {Vector[]} root  Chebyshev: Σ root·rootᵀ is the covariance of the best curve
 * @property {Vector} point  weights that obey what is held
 * @property {Vector[] | null} free  orthonormal directions that do, null for all
 * @property {number[]} s  singular values
 * @property {Vector[]} left
 * @property {Vector[]} right
 * @property {number[]} lambda  curvatures 2s² of the loss along the modes, steepest first
 * @property {number} rank  modes that move
 * @property {number} condition
 */

const problems = (() => {
  const { dot, blend, svd, rankOf } = algebra;
  const { inChebyshev, inBasis, triangleIn } = triangle;

  /**
   * Where the weights may be: everywhere, or a point and the directions that what is held leaves.
   * @param {Data} data @param {Vector[]} columns  of the basis, from `inChebyshev`
   * @returns {{point: Vector, free: Vector[] | null}}
   */
  function allowed({ held }, columns) {
    if (!held) return { point: new Float64Array(columns.length), free: null };
    const B = held.equations.map((equation) =>
      Float64Array.from(columns, (column) => dot(equation, column)));
    return algebra.solutions(B, held.values);
  }

  /**
   * R·N for the free directions N: the rows whose singular values the modes are.
   * @param {Vector[]} R @param {Vector[] | null} free
   */
  function restricted(R, free) {
    return free ? R.map((row) => Float64Array.from(free, (direction) => dot(row, direction))) : R;
  }

  /** @param {Vector[]} small  in the free directions @param {Vector[] | null} free */
  function lifted(small, free) {
    return free ? small.map((v) => blend(free, v, free[0].length)) : small;
  }

  /**
   * The best curve and its loss do not depend on the basis, so they are found where the numbers are
   * good: in Chebyshev.
   * @param {Data} data @param {number} degree
   */
  function bestOf(data, degree) {
    const { R, z, rss } = triangleIn(data, degree, "chebyshev");
    const { point, free } = allowed(data, inChebyshev(data, "chebyshev", degree));
    const { s, left, right: small } = svd(restricted(R, free));
    const right = lifted(small, free);
    const rank = rankOf(s);
    const offset = R.map((row) => dot(row, point));
    const along = left.map((direction) => dot(direction, z) - dot(direction, offset));
    const kept = along.map((value, i) => (i < rank ? value : 0));
    const moved = blend(right, kept.map((value, i) => (value === 0 ? 0 : value / s[i])), z.length);
    const full = !free && rank === z.length;
    const target = full ? z : blend(left, kept, z.length).map((value, i) => value + offset[i]);
    const missed = z.map((value, i) => value - target[i]);
    return {
      curve: moved.map((value, i) => value + point[i]),
      target, rank,
      floor: rss + dot(missed, missed),
      root: right.map((direction, i) => direction.map((value) => value / s[i])),
    };
  }

  /**
   * The weights of the best curve and their standard errors, which need rows to spare.
   * @param {Data} data @param {Vector[]} columns @param {ReturnType<typeof bestOf>} found
   */
  function estimate({ n, known }, columns, { curve, floor, rank, root }) {
    const m = root.length;
    const sd = known ? 1 : Math.sqrt(floor / (n - m));
    const scaled = root.map((column) => column.map((value) => sd * value));
    const spread = scaled.map((column) => inBasis(columns, column));
    const stderr = Float64Array.from(columns, (_, j) =>
      Math.hypot(...spread.map((column) => column[j])));
    const best = inBasis(columns, curve);
    if (rank < m) best.fill(NaN); // many curves are as good
    if (rank < m || (n <= m && !known)) {
      stderr.fill(NaN);
      for (const column of scaled) column.fill(NaN);
    }
    return { best, stderr, root: scaled };
  }

  /** @param {Data} data @param {number} degree @param {string} basis @returns {Problem} */
  function pose(data, degree, basis) {
    const { R, z, rss } = triangleIn(data, degree, basis);
    const columns = inChebyshev(data, basis, degree);
    const found = bestOf(data, degree);
    const { curve, target, floor, rank: distinct } = found;
    const { free } = allowed(data, columns);
    const uncertain = estimate(data, columns, found);
    free?.[0].forEach((_, j) => { // a weight that is held has no error, not even rounding
      if (free.every((direction) => direction[j] === 0)) uncertain.stderr[j] = 0;
    });
    const { s, left, right } = svd(restricted(R, free));
    const lambda = s.map((value) => 2 * value * value);
    const rank = rankOf(s);
    const condition = lambda[0] / lambda[Math.max(rank, 1) - 1];
    return Object.freeze({
      data, degree, basis, k: degree + 1, R, z, rss,
      curve, target, floor, distinct, ...uncertain,
      point: inBasis(columns, curve), free,
      s, left, right: lifted(right, free), lambda, rank, condition,
    });
  }

  /**
   * The nearest weights that obey what is held.
   * @param {Problem} problem @param {Vector} w
   */
  function admitted({ point, free, k }, w) {
    if (!free) return w;
    const beyond = w.map((value, j) => value - point[j]);
    return along({ free, k }, beyond).map((value, j) => value + point[j]);
  }

  /**
   * The part of a vector that lies along the free directions.
   * @param {{free: Vector[] | null, k: number}} problem @param {Vector} v
   */
  function along({ free, k }, v) {
    return free ? blend(free, free.map((direction) => dot(direction, v)), k) : v;
  }

  /**
   * The standard error of the best curve where its Chebyshev polynomials are phi.
   * @param {Problem} problem @param {Vector} phi
   */
  function errorAt({ root }, phi) {
    return Math.hypot(...root.map((column) => dot(column, phi)));
  }

  return Object.freeze({ pose, admitted, along, errorAt });
})();
