// Gradient descent on the triangle, the library's own arithmetic, without a page.
"use strict";

const core = (() => {
  const WALKED = 20000; // steps taken one by one within a frame; beyond, the closed form answers
  const FARTHEST = 1e9;

  // ---- the data: [[R, z], [0, √rss]] in Chebyshev polynomials of u = (x − mid) / half ----

  function unpack({ triangle, domain: [lo, hi], n }) {
    const size = (Math.sqrt(8 * triangle.length + 1) - 1) / 2;
    const rows = [];
    for (let i = 0, from = 0; i < size; from += size - i, i += 1) {
      const row = new Float64Array(size);
      row.set(triangle.slice(from, from + size - i), i);
      rows.push(row);
    }
    const [mid, half] = [lo / 2 + hi / 2, hi / 2 - lo / 2];
    return Object.freeze({ rows, degree: size - 2, lo, hi, mid, half, n });
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
    };
  }

  function pose(data, degree, basis) {
    const { R, z, rss } = triangleIn(data, degree, basis);
    const { curve, target, floor, rank: distinct } = bestOf(data, degree);
    const { s, left, right } = svd(R);
    const lambda = s.map((value) => 2 * value * value);
    const rank = rankOf(s);
    const condition = lambda[0] / lambda[Math.max(rank, 1) - 1];
    return Object.freeze({
      data, degree, basis, k: degree + 1, R, z, rss,
      curve, target, floor, distinct,
      s, left, right, lambda, rank, condition,
    });
  }

  // ---- optimizers: the update, the 2×2 matrix of one mode, the limit, the fastest settings ----
  // `state` is {w, v, m2}: weights, velocity (Adam: first moment), Adam's second moment.

  function plainStep({ w }, g, { rate }) {
    for (let i = 0; i < w.length; i += 1) w[i] -= rate * g[i];
  }

  function momentumStep({ w, v }, g, { rate, beta }) {
    for (let i = 0; i < w.length; i += 1) {
      v[i] = beta * v[i] + g[i];
      w[i] -= rate * v[i];
    }
  }

  function nesterovStep({ w, v }, g, { rate, beta }) {
    for (let i = 0; i < w.length; i += 1) {
      v[i] = beta * v[i] + g[i];
      w[i] -= rate * (g[i] + beta * v[i]);
    }
  }

  function adamStep({ w, v, m2 }, g, { rate, beta1, beta2, eps }, t) {
    const [unbias1, unbias2] = [1 - beta1 ** t, 1 - beta2 ** t];
    for (let i = 0; i < w.length; i += 1) {
      v[i] = beta1 * v[i] + (1 - beta1) * g[i];
      m2[i] = beta2 * m2[i] + (1 - beta2) * g[i] * g[i];
      w[i] -= (rate * (v[i] / unbias1)) / (Math.sqrt(m2[i] / unbias2) + eps);
    }
  }

  // A mode's residual ρ and velocity q (times rate) move by [ρ, q] ← M·[ρ, q] with h = rate·λ.
  // Kept as M − 1, since slow modes live in the digits that 1 − h would round away.
  const OPTIMIZERS = Object.freeze({
    gd: Object.freeze({
      step: plainStep,
      change: (h) => [-h, 0, h, -1],
      limit: (most) => 2 / most,
      fastest: (most, least) => ({ rate: 2 / (most + least) }),
    }),
    momentum: Object.freeze({
      step: momentumStep,
      change: (h, beta) => [-h, -beta, h, beta - 1],
      limit: (most, beta) => (2 * (1 + beta)) / most,
      fastest: (most, least, beta) => ({ rate: (2 * (1 + beta)) / (most + least) }),
      pair: (most, least) => {
        const [a, b] = [Math.sqrt(most), Math.sqrt(least)];
        return { rate: (2 / (a + b)) ** 2, beta: ((a - b) / (a + b)) ** 2 };
      },
    }),
    nesterov: Object.freeze({
      step: nesterovStep,
      change: (h, beta) => [-h * (1 + beta), -beta * beta, h, beta - 1],
      limit: (most, beta) => (2 + 2 * beta) / ((1 + 2 * beta) * most),
      pair: (most, least) => {
        const root = Math.sqrt((3 * most) / least + 1);
        return { rate: 4 / (3 * most + least), beta: (root - 2) / (root + 2) };
      },
    }),
    adam: Object.freeze({ step: adamStep }),
  });

  function momentumOf({ name, beta }) {
    return name === "gd" ? 0 : beta;
  }

  // The largest stable learning rate; null for Adam, which has no closed form.
  function stableLimit({ lambda }, optimizer) {
    const { limit } = OPTIMIZERS[optimizer.name];
    return limit ? limit(lambda[0], momentumOf(optimizer)) : null;
  }

  // The fastest rate at the momentum given, or with `pair` both; null where none is known.
  function fastest({ lambda, rank }, optimizer, pair) {
    const rule = OPTIMIZERS[optimizer.name][pair ? "pair" : "fastest"];
    return rule ? rule(lambda[0], lambda[Math.max(rank, 1) - 1], momentumOf(optimizer)) : null;
  }

  // ---- forward, backward ----

  // R·w − z: the residuals of the triangle, in units of y. R is upper triangular.
  function forward(R, z, w, out = new Float64Array(z.length)) {
    for (let i = 0; i < z.length; i += 1) {
      const row = R[i];
      let sum = 0;
      for (let j = i; j < z.length; j += 1) sum += row[j] * w[j];
      out[i] = sum - z[i];
    }
    return out;
  }

  // 2·Rᵀ·residual: the slope of the loss in every weight.
  function backward(R, residual, out = new Float64Array(residual.length)) {
    out.fill(0);
    for (let i = 0; i < residual.length; i += 1) {
      const row = R[i];
      const twice = 2 * residual[i];
      for (let j = i; j < residual.length; j += 1) out[j] += row[j] * twice;
    }
    return out;
  }

  // ---- the run ----

  function walk(problem, optimizer, start, last) {
    const { k, R, z, rss } = problem;
    const { step } = OPTIMIZERS[optimizer.name];
    const vectors = (length) =>
      ({ w: new Float64Array(length), v: new Float64Array(length), m2: new Float64Array(length) });
    const [state, past, loss] = [vectors(k), vectors((last + 1) * k), new Float64Array(last + 1)];
    const [residual, g] = [new Float64Array(k), new Float64Array(k)]; // 20,000 new ones are slow
    state.w.set(start);
    for (let t = 0; t <= last; t += 1) {
      keep(past, state, t * k);
      forward(R, z, state.w, residual);
      loss[t] = dot(residual, residual) + rss;
      step(state, backward(R, residual, g), optimizer, t + 1);
    }
    return { ...past, loss };
  }

  function keep(past, { w, v, m2 }, from) {
    for (let i = 0; i < w.length; i += 1) {
      past.w[from + i] = w[i];
      past.v[from + i] = v[i];
      past.m2[from + i] = m2[i];
    }
  }

  // Where Adam's run ends early, and where every other run turns to the closed form.
  function reachOf(name, steps) {
    return Math.min(steps, name === "adam" ? WALKED : FARTHEST);
  }

  function descend(problem, optimizer, start, steps) {
    const reach = reachOf(optimizer.name, steps);
    const walked = Math.min(reach, WALKED);
    const first = Float64Array.from({ length: problem.k }, (_, j) => start[j] || 0);
    const past = walk(problem, optimizer, first, walked);
    return Object.freeze({ problem, optimizer, start: first, steps: reach, walked, past });
  }

  // (1 + A)^t − 1 for a 2×2 matrix A; (1 + A)(1 + B) − 1 = A + B + A·B never forms a number near 1.
  function powerMinusOne(change, t) {
    const join = ([a, b, c, d], [e, f, g, h]) => [
      a + e + a * e + b * g, b + f + a * f + b * h,
      c + g + c * e + d * g, d + h + c * f + d * h,
    ];
    let [out, square] = [[0, 0, 0, 0], change];
    for (let rest = t; rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) out = join(out, square);
      square = join(square, square);
    }
    return out;
  }

  // Weights and velocity after t steps, not walked: every mode moves by its own 2×2 matrix.
  function leap({ problem, optimizer, start }, t) {
    const { k, R, target, s, left, right, lambda, rank } = problem;
    const { change } = OPTIMIZERS[optimizer.name];
    const residual = forward(R, target, start);
    const [moved, speed] = [new Float64Array(k), new Float64Array(k)];
    for (let i = 0; i < rank; i += 1) {
      const power = powerMinusOne(change(optimizer.rate * lambda[i], momentumOf(optimizer)), t);
      const rho = dot(left[i], residual);
      moved[i] = (power[0] * rho) / s[i];
      speed[i] = (power[2] * rho) / (s[i] * optimizer.rate);
    }
    const w = blend(right, moved, k);
    return {
      w: w.map((value, j) => start[j] + value),
      v: blend(right, speed, k),
      m2: new Float64Array(k),
    };
  }

  function remembered({ past, problem: { k } }, t) {
    const part = (name) => past[name].slice(t * k, (t + 1) * k);
    return { w: part("w"), v: part("v"), m2: part("m2") };
  }

  // Everything about step t: its loss, what of it is above the floor (`excess`), its `shares`.
  function stateAt(run, t) {
    const { R, z, rss, target, left } = run.problem;
    const state = t <= run.walked ? remembered(run, t) : leap(run, t);
    const residual = forward(R, z, state.w);
    const above = forward(R, target, state.w);
    return {
      ...state, step: t, residual,
      loss: dot(residual, residual) + rss,
      excess: dot(above, above),
      shares: Float64Array.from(left, (direction) => dot(direction, above) ** 2),
      gradient: backward(R, residual),
    };
  }

  // The state after the update of a given one, for showing that update.
  function after(run, { w, v, m2, gradient, step }) {
    const next = { w: w.slice(), v: v.slice(), m2: m2.slice() };
    OPTIMIZERS[run.optimizer.name].step(next, gradient, run.optimizer, step + 1);
    return next;
  }

  // ---- what the spectrum says about steps to come ----

  // 1 − the spectral radius of a mode's matrix, exact for slow modes.
  function gapOf(h, beta, change) {
    const [a, b, c, d] = change(h, beta);
    const [trace, determinant] = [a + d + 2, (a + 1) * (d + 1) - b * c];
    const inside = (trace * trace) / 4 - determinant;
    if (inside < 0) return 1 - Math.sqrt(determinant); // the mode swings
    const root = Math.sqrt(inside);
    // (1 − r₁)(1 − r₂) = h in every one of these optimizers
    return trace >= 0 ? Math.min(h / (1 - (trace / 2 - root)), 1) : 1 - (root - trace / 2);
  }

  // Per mode: the factor of its share of the loss in one step, the steps until 1 % is left.
  function pace({ lambda, rank }, optimizer) {
    const { change } = OPTIMIZERS[optimizer.name];
    if (!change) return null;
    return lambda.map((value, i) => {
      const gap = i < rank ? gapOf(optimizer.rate * value, momentumOf(optimizer), change) : 0;
      const steps = gap > 0 ? Math.max(1, Math.log(0.01) / (2 * Math.log1p(-gap))) : Infinity;
      return Object.freeze({ gap: gap * (2 - gap), factor: (1 - gap) ** 2, steps });
    });
  }

  // The first step whose loss no longer fits in a double, or null.
  function overflowStep(run) {
    const walked = run.past.loss.findIndex((value) => !Number.isFinite(value));
    if (walked >= 0) return walked;
    if (run.walked === run.steps || Number.isFinite(stateAt(run, run.steps).loss)) return null;
    let [fine, over] = [run.walked, run.steps];
    while (over - fine > 1) {
      const middle = Math.floor((fine + over) / 2);
      if (Number.isFinite(stateAt(run, middle).loss)) fine = middle;
      else over = middle;
    }
    return over;
  }

  // ---- steps on a logarithmic scale, and seeded starts ----

  const positionOf = (step, steps) => Math.log1p(step) / Math.log1p(Math.max(steps, 1));
  const stepOf = (position, steps) =>
    Math.min(steps, Math.round(Math.expm1(position * Math.log1p(Math.max(steps, 1)))));

  function sampledSteps(steps, count) {
    const all = Array.from({ length: count + 1 }, (_, i) => stepOf(i / count, steps));
    return [...new Set(all)];
  }

  // mulberry32 and Box–Muller: the page's own, so Python is handed the numbers, never the seed.
  function normals(seed, count) {
    let word = seed >>> 0;
    const uniform = () => {
      word = (word + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(word ^ (word >>> 15), word | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
    return Array.from({ length: count }, () =>
      Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    );
  }

  return Object.freeze({
    WALKED, FARTHEST, FAMILIES, OPTIMIZERS,
    unpack, scaled, basisAt, dot, pose, stableLimit, fastest, descend, stateAt, after, pace,
    overflowStep, reachOf, positionOf, stepOf, sampledSteps, normals,
  });
})();
