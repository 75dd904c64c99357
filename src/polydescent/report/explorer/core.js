// Gradient descent on the triangle, the library's own arithmetic, without a page.
"use strict";

const core = (() => {
  const WALKED = 20000; // steps taken one by one within a frame; beyond, the closed form answers
  const FARTHEST = 1e9;
  const { dot, blend } = triangle;

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
    WALKED, FARTHEST, OPTIMIZERS,
    stableLimit, fastest, descend, stateAt, after, pace, overflowStep,
    reachOf, positionOf, stepOf, sampledSteps, normals,
  });
})();
