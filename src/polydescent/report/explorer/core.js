// Gradient descent on the triangle, the library's own arithmetic, without a page.
"use strict";

/**
 * @typedef {object} Optimizer
 * @property {string} name  "gd", "momentum", "nesterov" or "adam"
 * @property {number} rate
 * @property {number} beta
 * @property {number} beta1
 * @property {number} beta2
 * @property {number} eps
 *
 * Weights, velocity (Adam: first moment), Adam's second moment.
 * @typedef {{w: Vector, v: Vector, m2: Vector}} Moving
 *
 * The quantities of one mode as its 2×2 matrix less 1, row by row.
 * @typedef {[number, number, number, number]} Change
 *
 * @typedef {object} Rule
 * @property {(state: Moving, g: Vector, optimizer: Optimizer, t: number) => void} step
 * @property {(h: number, beta: number) => Change} [change]
 * @property {(most: number, beta: number) => number} [limit]
 * @property {(most: number, least: number, beta: number) => {rate: number}} [fastest]
 * @property {(most: number, least: number) => {rate: number, beta: number}} [pair]
 *
 * Every step that was walked, one after the other; at least as many as were asked for.
 * @typedef {Moving & {loss: Vector}} Walked
 *
 * What is drawn of a step without its weights.
 * @typedef {{step: number, loss: number, excess: number, shares: Vector}} Sample
 *
 * @typedef {object} Run
 * @property {Problem} problem
 * @property {Optimizer} optimizer
 * @property {Vector} start
 * @property {number} steps
 * @property {number} walked  steps taken one by one; beyond, the closed form answers
 * @property {(last: number) => Walked} walk  steps up to `last`, at most `walked`
 *
 * @typedef {object} Step
 * @property {Vector} w
 * @property {Vector} v
 * @property {Vector} m2
 * @property {number} step
 * @property {Vector} residual  R·w − z
 * @property {number} loss
 * @property {number} excess  what of it is above the floor
 * @property {Vector} shares  what of the excess each mode holds
 * @property {Vector} gradient  along what is free
 */

const core = (() => {
  const WALKED = 2000; // steps taken one by one within a frame; beyond, the closed form answers
  const ADAM = 20000; // the same of Adam, which has no closed form
  const FARTHEST = 1e9;
  const { dot, blend } = algebra;

  // ---- optimizers: the update, the 2×2 matrix of one mode, the limit, the fastest settings ----

  /** @param {Moving} state @param {Vector} g @param {Optimizer} optimizer */
  function plainStep({ w }, g, { rate }) {
    for (let i = 0; i < w.length; i += 1) w[i] -= rate * g[i];
  }

  /** @param {Moving} state @param {Vector} g @param {Optimizer} optimizer */
  function momentumStep({ w, v }, g, { rate, beta }) {
    for (let i = 0; i < w.length; i += 1) {
      v[i] = beta * v[i] + g[i];
      w[i] -= rate * v[i];
    }
  }

  /** @param {Moving} state @param {Vector} g @param {Optimizer} optimizer */
  function nesterovStep({ w, v }, g, { rate, beta }) {
    for (let i = 0; i < w.length; i += 1) {
      v[i] = beta * v[i] + g[i];
      w[i] -= rate * (g[i] + beta * v[i]);
    }
  }

  /** @param {Moving} state @param {Vector} g @param {Optimizer} optimizer @param {number} t */
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
  /** @param {Rule} it */
  const rule = (it) => Object.freeze(it);

  /** @type {Readonly<Record<string, Rule>>} */
  const OPTIMIZERS = Object.freeze({
    gd: rule({
      step: plainStep,
      change: (h) => [-h, 0, h, -1],
      limit: (most) => 2 / most,
      fastest: (most, least) => ({ rate: 2 / (most + least) }),
    }),
    momentum: rule({
      step: momentumStep,
      change: (h, beta) => [-h, -beta, h, beta - 1],
      limit: (most, beta) => (2 * (1 + beta)) / most,
      fastest: (most, least, beta) => ({ rate: (2 * (1 + beta)) / (most + least) }),
      pair: (most, least) => {
        const [a, b] = [Math.sqrt(most), Math.sqrt(least)];
        return { rate: (2 / (a + b)) ** 2, beta: ((a - b) / (a + b)) ** 2 };
      },
    }),
    nesterov: rule({
      step: nesterovStep,
      change: (h, beta) => [-h * (1 + beta), -beta * beta, h, beta - 1],
      limit: (most, beta) => (2 + 2 * beta) / ((1 + 2 * beta) * most),
      pair: (most, least) => {
        const root = Math.sqrt((3 * most) / least + 1);
        return { rate: 4 / (3 * most + least), beta: (root - 2) / (root + 2) };
      },
    }),
    adam: rule({ step: adamStep }),
  });

  /** @param {{name: string, beta: number}} optimizer */
  function momentumOf({ name, beta }) {
    return name === "gd" ? 0 : beta;
  }

  // ---- forward, backward ----

  /**
   * R·w − z: the residuals of the triangle, in units of y. R is upper triangular.
   * @param {Vector[]} R @param {Vector} z @param {Vector} w
   */
  function forward(R, z, w, out = new Float64Array(z.length)) {
    for (let i = 0; i < z.length; i += 1) {
      const row = R[i];
      let sum = 0;
      for (let j = i; j < z.length; j += 1) sum += row[j] * w[j];
      out[i] = sum - z[i];
    }
    return out;
  }

  /**
   * 2·Rᵀ·residual: the slope of the loss in every weight.
   * @param {Vector[]} R @param {Vector} residual
   */
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

  /**
   * The slope along what is free, and a step along it. Adam, which divides each slope by its own
   * size, is brought back to what is held.
   * @param {Problem} problem @param {Moving} state @param {Vector} g @param {Optimizer} optimizer
   * @param {number} t
   */
  function stepWithin(problem, state, g, optimizer, t) {
    OPTIMIZERS[optimizer.name].step(state, g, optimizer, t);
    if (problem.free && optimizer.name === "adam") {
      state.w.set(problems.admitted(problem, state.w));
    }
  }

  /**
   * Takes steps one by one, as far as they are asked for, and keeps them.
   * @param {Problem} problem @param {Optimizer} optimizer @param {Vector} start
   * @returns {(last: number) => Walked}
   */
  function walker(problem, optimizer, start) {
    const { k, R, z, rss } = problem;
    const state = { w: start.slice(), v: new Float64Array(k), m2: new Float64Array(k) };
    const [residual, g] = [new Float64Array(k), new Float64Array(k)]; // 20,000 new ones are slow
    const past = { w: new Float64Array(0), v: new Float64Array(0), m2: new Float64Array(0),
      loss: new Float64Array(0) };
    let next = 0;
    return (last) => {
      if (next <= last) grow(past, Math.max(last + 1, 2 * next), k);
      for (; next <= last; next += 1) {
        keep(past, state, next * k);
        forward(R, z, state.w, residual);
        past.loss[next] = dot(residual, residual) + rss;
        backward(R, residual, g);
        stepWithin(problem, state, problem.free ? problems.along(problem, g) : g, optimizer, next + 1);
      }
      return past;
    };
  }

  /** Room for more steps. @param {Walked} past @param {number} steps @param {number} k */
  function grow(past, steps, k) {
    for (const name of /** @type {const} */ (["w", "v", "m2", "loss"])) {
      const wider = new Float64Array(steps * (name === "loss" ? 1 : k));
      wider.set(past[name].subarray(0, wider.length));
      past[name] = wider;
    }
  }

  /** @param {Walked} past @param {Moving} state @param {number} from */
  function keep(past, { w, v, m2 }, from) {
    for (let i = 0; i < w.length; i += 1) {
      past.w[from + i] = w[i];
      past.v[from + i] = v[i];
      past.m2[from + i] = m2[i];
    }
  }

  /**
   * Where Adam's run ends early.
   * @param {string} name @param {number} steps
   */
  function reachOf(name, steps) {
    return Math.min(steps, name === "adam" ? ADAM : FARTHEST);
  }

  /**
   * @param {Problem} problem @param {Optimizer} optimizer @param {readonly number[]} start
   * @param {number} steps @param {number} [most]  steps to walk @returns {Run}
   */
  function descend(problem, optimizer, start, steps, most = WALKED) {
    const reach = reachOf(optimizer.name, steps);
    const walked = Math.min(reach, optimizer.name === "adam" ? ADAM : most);
    const asked = Float64Array.from({ length: problem.k }, (_, j) => start[j] || 0);
    const first = problems.admitted(problem, asked);
    const walk = walker(problem, optimizer, first);
    return Object.freeze({ problem, optimizer, start: first, steps: reach, walked, walk });
  }

  /**
   * (1 + A)^t − 1 for a 2×2 matrix A; (1 + A)(1 + B) − 1 = A + B + A·B never forms a number near 1.
   * @param {Change} change @param {number} t
   */
  function powerMinusOne(change, t) {
    let [a, b, c, d] = [0, 0, 0, 0]; // the power so far, less 1
    let [e, f, g, h] = change; // a square of a square …, less 1
    for (let rest = t; rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) {
        const [p, q] = [a + e + a * e + b * g, b + f + a * f + b * h];
        const [r, s] = [c + g + c * e + d * g, d + h + c * f + d * h];
        a = p;
        b = q;
        c = r;
        d = s;
      }
      const cross = f * g;
      const [p, s] = [2 * e + e * e + cross, 2 * h + h * h + cross];
      f *= 2 + e + h;
      g *= 2 + e + h;
      e = p;
      h = s;
    }
    return /** @type {Change} */ ([a, b, c, d]);
  }

  /**
   * Weights and velocity after t steps, not walked: every mode moves by its own 2×2 matrix.
   * @param {Run} run @param {number} t @returns {Moving}
   */
  function leap({ problem, optimizer, start }, t) {
    const { k, R, target, s, left, right, lambda, rank } = problem;
    const change = /** @type {(h: number, beta: number) => Change} */
      (OPTIMIZERS[optimizer.name].change);
    const residual = forward(R, target, start);
    const [moved, speed] = [new Float64Array(s.length), new Float64Array(s.length)];
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

  /** @param {Run} run @param {number} t @returns {Moving} */
  function remembered({ walk, problem: { k } }, t) {
    const past = walk(t);
    const part = (/** @type {Vector} */ all) => all.slice(t * k, (t + 1) * k);
    return { w: part(past.w), v: part(past.v), m2: part(past.m2) };
  }

  /**
   * Everything about step t.
   * @param {Run} run @param {number} t @returns {Step}
   */
  function stateAt(run, t) {
    const { problem } = run;
    const { R, z, rss, target, left } = problem;
    const state = t <= run.walked ? remembered(run, t) : leap(run, t);
    const residual = forward(R, z, state.w);
    const above = target === z ? residual : forward(R, target, state.w);
    return {
      ...state, step: t, residual,
      loss: dot(residual, residual) + rss,
      excess: dot(above, above),
      shares: Float64Array.from(left, (direction) => dot(direction, above) ** 2),
      gradient: problems.along(problem, backward(R, residual)),
    };
  }

  /** The weights alone. @param {Run} run @param {number} t */
  function weightsAt(run, t) {
    const { k } = run.problem;
    return t <= run.walked ? run.walk(t).w.subarray(t * k, (t + 1) * k) : leap(run, t).w;
  }

  /**
   * The shares of rising steps, by the closed form: each mode goes on from the step before, without
   * any weights. Adam has none and is walked.
   * @param {Run} run @param {number[]} steps @returns {Sample[]}
   */
  function trace(run, steps) {
    const { problem, optimizer, start } = run;
    const { change } = OPTIMIZERS[optimizer.name];
    if (!change) return steps.map((step) => stateAt(run, step));
    const { lambda, left, rank, R, target, floor } = problem;
    const beta = momentumOf(optimizer);
    const first = forward(R, target, start);
    const paths = lambda.map((value, i) => {
      const moves = i < rank ? change(optimizer.rate * value, beta) : null;
      return { moves, rho: dot(left[i], first), q: 0 };
    });
    let from = 0;
    return steps.map((step) => {
      const shares = new Float64Array(paths.length);
      let excess = 0;
      paths.forEach((path, i) => {
        if (path.moves) advance(path, path.moves, step - from);
        shares[i] = path.rho * path.rho;
        excess += shares[i];
      });
      from = step;
      return { step, loss: floor + excess, excess, shares };
    });
  }

  /** @param {{rho: number, q: number}} path @param {Change} moves @param {number} count */
  function advance(path, moves, count) {
    const { rho, q } = path;
    if (count === 1) {
      const [a, b, c, d] = moves;
      path.rho = rho + (a * rho + b * q);
      path.q = q + (c * rho + d * q);
    } else if (count > 0) {
      const [a, b, c, d] = powerMinusOne(moves, count);
      path.rho = rho + (a * rho + b * q);
      path.q = q + (c * rho + d * q);
    }
  }

  /**
   * The state after the update of a given one, for showing that update.
   * @param {Run} run @param {Step} at
   */
  function after(run, { w, v, m2, gradient, step }) {
    const next = { w: w.slice(), v: v.slice(), m2: m2.slice() };
    stepWithin(run.problem, next, gradient, run.optimizer, step + 1);
    return next;
  }

  /**
   * mulberry32 and Box–Muller: the page's own, so Python is handed the numbers, never the seed.
   * @param {number} seed @param {number} count
   */
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
    WALKED, ADAM, FARTHEST, OPTIMIZERS,
    momentumOf, forward, descend, stateAt, weightsAt, trace, after, reachOf, normals,
  });
})();
