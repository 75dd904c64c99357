// Small dense linear algebra: products, plane rotations, singular values, directions left free.
"use strict";

/** @typedef {Float64Array} Vector */

const algebra = (() => {
  /**
   * Σ a[i]·b[i]
   * @param {ArrayLike<number>} a
   * @param {ArrayLike<number>} b
   */
  function dot(a, b) {
    let sum = 0;
    for (let i = 0; i < a.length; i += 1) sum += a[i] * b[i];
    return sum;
  }

  /**
   * Σ factors[i]·vectors[i]
   * @param {Vector[]} vectors
   * @param {ArrayLike<number>} factors
   * @param {number} length
   */
  function blend(vectors, factors, length) {
    const out = new Float64Array(length);
    vectors.forEach((vector, i) => {
      for (let j = 0; j < length; j += 1) out[j] += factors[i] * vector[j];
    });
    return out;
  }

  /** @param {Vector} a @param {Vector} b @param {number} cosine @param {number} sine */
  function rotate(a, b, cosine, sine) {
    for (let i = 0; i < a.length; i += 1) {
      const old = a[i];
      a[i] = cosine * old - sine * b[i];
      b[i] = sine * old + cosine * b[i];
    }
  }

  /**
   * Rotates two rows and their partners so that the rows are orthogonal; false where they were.
   * @param {Vector} a @param {Vector} b @param {Vector} partnerA @param {Vector} partnerB
   */
  function orthogonalize(a, b, partnerA, partnerB) {
    const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)];
    // NaN and a row of zeros count as orthogonal too: nothing here may loop forever.
    if (!(Math.abs(ab) > Number.EPSILON * Math.sqrt(aa) * Math.sqrt(bb))) return false;
    const tau = (bb - aa) / (2 * ab);
    const tangent = (tau < 0 ? -1 : 1) / (Math.abs(tau) + Math.hypot(1, tau));
    const cosine = 1 / Math.hypot(1, tangent);
    rotate(a, b, cosine, cosine * tangent);
    rotate(partnerA, partnerB, cosine, cosine * tangent);
    return true;
  }

  /**
   * A = Σ s_i · left_i · right_iᵀ, largest first, by one-sided Jacobi on the rows of A. `left` is
   * the product of the rotations: complete and orthogonal even where A has no full rank.
   * @param {Vector[]} A  k rows of length m ≤ k
   */
  function svd(A) {
    const [k, m] = [A.length, A[0].length];
    const scale = Math.max(...A.map((row) => Math.max(...row.map(Math.abs)))) || 1;
    const rows = A.map((row) => row.map((value) => value / scale));
    const left = A.map((_, i) => new Float64Array(k).fill(1, i, i + 1));
    for (let sweep = 0, moved = true; moved && sweep < 60; sweep += 1) {
      moved = false;
      for (let p = 0; p < k; p += 1) {
        for (let q = p + 1; q < k; q += 1) {
          moved = orthogonalize(rows[p], rows[q], left[p], left[q]) || moved;
        }
      }
    }
    const sizes = rows.map((row) => Math.sqrt(dot(row, row)));
    const order = sizes.map((_, i) => i).sort((i, j) => sizes[j] - sizes[i]).slice(0, m);
    const unit = (/** @type {number} */ i) =>
      rows[i].map((value) => (sizes[i] > 0 ? value / sizes[i] : 0));
    return {
      s: order.map((i) => sizes[i] * scale),
      left: order.map((i) => left[i]),
      right: order.map(unit),
    };
  }

  /**
   * Singular values below rounding of the largest are no information about the data.
   * @param {number[]} s
   */
  function rankOf(s) {
    return s.filter((value) => value > Number.EPSILON * s.length * s[0]).length;
  }

  /**
   * One more row under an upper triangle, turned into it by plane rotations; both are changed.
   * @param {Vector[]} T @param {Vector} row
   */
  function rotateIn(T, row) {
    for (let j = 0; j < row.length; j += 1) {
      const size = Math.hypot(T[j][j], row[j]);
      if (size === 0) continue;
      const [cosine, sine] = [T[j][j] / size, row[j] / size];
      for (let i = j; i < row.length; i += 1) {
        const old = T[j][i];
        T[j][i] = cosine * old + sine * row[i];
        row[i] = cosine * row[i] - sine * old;
      }
      T[j][j] = size;
    }
  }

  /**
   * The opposite, by hyperbolic rotations; false where the other rows would not determine a curve.
   * The corner, which is what no curve explains, may become 0 but never less.
   * @param {Vector[]} T @param {Vector} row
   */
  function rotateOut(T, row) {
    const last = row.length - 1;
    for (let j = 0; j <= last; j += 1) {
      const [old, out] = [Math.abs(T[j][j]), Math.abs(row[j])];
      const squared = (old - out) * (old + out);
      if (j === last) T[j][j] = Math.sqrt(Math.max(squared, 0));
      else if (!(squared > 1e-12 * old * old)) return false;
      else hyperbolic(T[j], row, j, Math.sqrt(squared));
    }
    return true;
  }

  /** @param {Vector} kept @param {Vector} row @param {number} j @param {number} size */
  function hyperbolic(kept, row, j, size) {
    const [cosine, sine] = [size / kept[j], row[j] / kept[j]];
    for (let i = j; i < row.length; i += 1) {
      kept[i] = (kept[i] - sine * row[i]) / cosine;
      row[i] = cosine * row[i] - sine * kept[i];
    }
  }

  /**
   * Takes from a vector what lies along orthonormal directions; twice, since once leaves rounding.
   * @param {Vector} v @param {Vector[]} directions
   */
  function clear(v, directions) {
    for (let pass = 0; pass < 2; pass += 1) {
      for (const direction of directions) {
        const along = dot(v, direction);
        for (let i = 0; i < v.length; i += 1) v[i] -= along * direction[i];
      }
    }
    return v;
  }

  /** @param {Vector} v */
  function normalize(v) {
    const size = Math.hypot(...v);
    return v.map((value) => (Math.abs(value) < 4 * Number.EPSILON * size ? 0 : value / size));
  }

  /**
   * The v with B·v = b: one of them, and orthonormal directions in which they may differ. Unit
   * vectors stay unit vectors, so that a coefficient held leaves the others what they were.
   * @param {Vector[]} B  p rows of length k
   * @param {number[]} b
   */
  function solutions(B, b) {
    const k = B[0].length;
    const held = /** @type {Vector[]} */ ([]);
    let point = new Float64Array(k);
    B.forEach((row, i) => {
      const own = normalize(clear(row.slice(), held));
      const missing = (b[i] - dot(row, point)) / dot(row, own);
      point = point.map((value, j) => value + missing * own[j]);
      held.push(own);
    });
    const free = /** @type {Vector[]} */ ([]);
    const units = Array.from({ length: k }, (_, j) => new Float64Array(k).fill(1, j, j + 1));
    while (free.length < k - held.length) {
      const left = units.map((unit) => clear(unit.slice(), [...held, ...free]));
      const sizes = left.map((v) => dot(v, v));
      free.push(normalize(left[sizes.indexOf(Math.max(...sizes))]));
    }
    return { point, free };
  }

  return Object.freeze({ dot, blend, svd, rankOf, rotateIn, rotateOut, clear, solutions });
})();
