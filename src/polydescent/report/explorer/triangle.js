// The data as one small triangle, in any degree and basis: its best curve and its eigenmodes.
"use strict";

const triangle = (() => {
  // ---- the data: [[R, z], [0, √rss]] in Chebyshev polynomials of u = (x − mid) / half ----

  function unpack({ triangle: values, domain: [lo, hi], n, absolute_sigma: known = false }) {
    const size = (Math.sqrt(8 * values.length + 1) - 1) / 2;
    const rows = [];
    for (let i = 0, from = 0; i < size; from += size - i, i += 1) {
      const row = new Float64Array(size);
      row.set(values.slice(from, from + size - i), i);
      rows.push(row);
    }
    const [mid, half] = [lo / 2 + hi / 2, hi / 2 - lo / 2];
    return Object.freeze({ rows, degree: size - 2, lo, hi, mid, half, n, known });
  }

  // ---- basis families: p[k+1] = a·v·p[k] − c·p[k−1], where v is x itself or u ----

  const FAMILIES = Object.freeze({
    power: Object.freeze({ raw: true, recurrence: () => [1, 0] }),
    chebyshev: Object.freeze({ raw: false, recurrence: (k) => (k === 0 ? [1, 0] : [2, 1]) }),
    legendre: Object.freeze({
      raw: false,
      recurrence: (k) => [(2 * k + 1) / (k + 1), k / (k + 1)],
    }),
  });

  // Every polynomial up to `degree`, from p[0] and how to multiply by v: numbers or vectors.
  function recur(basis, degree, one, timesV, combine) {
    const { recurrence } = FAMILIES[basis];
    const p = [one];
    for (let k = 0; k < degree; k += 1) {
      const [a, c] = recurrence(k);
      p.push(combine(a, timesV(p[k]), c, k > 0 ? p[k - 1] : null));
    }
    return p;
  }

  function scaled({ mid, half }, x) {
    return half === 0 ? 0 : (x - mid) / half;
  }

  function basisAt(data, basis, degree, x) {
    const v = FAMILIES[basis].raw ? x : scaled(data, x);
    const combine = (a, vp, c, previous) => a * vp - (previous === null ? 0 : c * previous);
    return Float64Array.from(recur(basis, degree, 1, (p) => v * p, combine));
  }

  // u·T_0 = T_1 and u·T_k = (T_{k+1} + T_{k−1}) / 2.
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

  // Column j holds the j-th polynomial of the basis in T_0(u) … T_degree(u).
  function inChebyshev(data, basis, degree) {
    const one = new Float64Array(degree + 1);
    one[0] = 1;
    const timesX = (p) => timesU(p).map((value, i) => data.mid * p[i] + data.half * value);
    const combine = (a, vp, c, previous) =>
      vp.map((value, i) => a * value - (previous === null ? 0 : c * previous[i]));
    return recur(basis, degree, one, FAMILIES[basis].raw ? timesX : timesU, combine);
  }

  // ---- small linear algebra ----

  function dot(a, b) {
    let sum = 0;
    for (let i = 0; i < a.length; i += 1) sum += a[i] * b[i];
    return sum;
  }

  // Σ factors[i]·vectors[i]
  function blend(vectors, factors, length) {
    const out = new Float64Array(length);
    vectors.forEach((vector, i) => {
      for (let j = 0; j < length; j += 1) out[j] += factors[i] * vector[j];
    });
    return out;
  }

  function rotate(a, b, cosine, sine) {
    for (let i = 0; i < a.length; i += 1) {
      const old = a[i];
      a[i] = cosine * old - sine * b[i];
      b[i] = sine * old + cosine * b[i];
    }
  }

  // Rotates two rows and their partners so that the rows are orthogonal; false where they were.
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

  // R = Σ s_i · left_i · right_iᵀ, largest first, by one-sided Jacobi on the rows of R. `left` is
  // the product of the rotations: complete and orthogonal even where R has no full rank.
  function svd(R) {
    const k = R.length;
    const scale = Math.max(...R.map((row) => Math.max(...row.map(Math.abs)))) || 1;
    const rows = R.map((row) => row.map((value) => value / scale));
    const left = R.map((_, i) => new Float64Array(k).fill(1, i, i + 1));
    for (let sweep = 0, moved = true; moved && sweep < 60; sweep += 1) {
      moved = false;
      for (let p = 0; p < k; p += 1) {
        for (let q = p + 1; q < k; q += 1) {
          moved = orthogonalize(rows[p], rows[q], left[p], left[q]) || moved;
        }
      }
    }
    const sizes = rows.map((row) => Math.sqrt(dot(row, row)));
    const order = sizes.map((_, i) => i).sort((i, j) => sizes[j] - sizes[i]);
    const unit = (i) => rows[i].map((value) => (sizes[i] > 0 ? value / sizes[i] : 0));
    return {
      s: order.map((i) => sizes[i] * scale),
      left: order.map((i) => left[i]),
      right: order.map(unit),
    };
  }

  // Modes below rounding of the largest are no information about the data.
  function rankOf(s) {
    return s.filter((value) => value > Number.EPSILON * s.length * s[0]).length;
  }

  // ---- the problem: one degree and one basis of the data ----

  function triangleIn(data, degree, basis) {
    const k = degree + 1;
    const columns = inChebyshev(data, basis, degree);
    const R = Array.from({ length: k }, (_, i) =>
      Float64Array.from(columns, (column) => dot(data.rows[i].subarray(0, k), column)),
    );
    const y = data.rows.map((row) => row[row.length - 1]);
    return { R, z: Float64Array.from(y.slice(0, k)), rss: dot(y.slice(k), y.slice(k)) };
  }

  // The best curve and its loss do not depend on the basis, so they are found where the numbers are
  // good: in Chebyshev. `target` is z without what no polynomial reaches, which is something only
  // where x has fewer values than there are weights.
  function bestOf(data, degree) {
    const { R, z, rss } = triangleIn(data, degree, "chebyshev");
    const { s, left, right } = svd(R);
    const rank = rankOf(s);
    const along = left.map((direction) => dot(direction, z));
    const kept = along.map((value, i) => (i < rank ? value : 0));
    const missed = along.slice(rank);
    return {
      curve: blend(right, kept.map((value, i) => (value === 0 ? 0 : value / s[i])), z.length),
      target: rank === z.length ? z : blend(left, kept, z.length),
      floor: rss + dot(missed, missed),
      rank,
      root: right.map((direction, i) => direction.map((value) => value / s[i])),
    };
  }

  // The weights of a curve given in Chebyshev polynomials: from the highest term down.
  function inBasis(columns, curve) {
    const w = Float64Array.from(curve);
    for (let j = w.length - 1; j >= 0; j -= 1) {
      w[j] /= columns[j][j];
      for (let i = 0; i < j; i += 1) w[i] -= columns[j][i] * w[j];
    }
    return w;
  }

  // The weights of the best curve and their standard errors, which need rows to spare.
  function estimate({ n, known }, columns, { curve, floor, rank, root }) {
    const k = columns.length;
    const sd = known ? 1 : Math.sqrt(floor / (n - k));
    const spread = root.map((column) => inBasis(columns, column));
    const stderr = spread[0].map((_, j) => sd * Math.hypot(...spread.map((column) => column[j])));
    const best = inBasis(columns, curve);
    if (rank < k) best.fill(NaN); // many curves are as good
    if (rank < k || (n <= k && !known)) stderr.fill(NaN);
    return { best, stderr };
  }

  function pose(data, degree, basis) {
    const { R, z, rss } = triangleIn(data, degree, basis);
    const found = bestOf(data, degree);
    const { curve, target, floor, rank: distinct } = found;
    const { best, stderr } = estimate(data, inChebyshev(data, basis, degree), found);
    const { s, left, right } = svd(R);
    const lambda = s.map((value) => 2 * value * value);
    const rank = rankOf(s);
    const condition = lambda[0] / lambda[Math.max(rank, 1) - 1];
    return Object.freeze({
      data, degree, basis, k: degree + 1, R, z, rss,
      curve, target, floor, distinct, best, stderr,
      s, left, right, lambda, rank, condition,
    });
  }

  return Object.freeze({ FAMILIES, unpack, scaled, basisAt, dot, blend, pose });
})();
