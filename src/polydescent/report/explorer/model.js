// From settings to all that is shown: the run and its samples, the forecast, the point of card 3.
"use strict";

const models = (() => {
  const SAMPLES = 220; // points of a drawn trajectory

  // Remembers the last answer: most changes leave the problem, or the run, as it was.
  function remembering(compute) {
    let [key, value] = [null, null];
    return (...inputs) => {
      const next = JSON.stringify(inputs);
      if (next !== key) [key, value] = [next, compute(...inputs)];
      return value;
    };
  }

  function runner(data) {
    const problemOf = remembering((degree, basis) => triangle.pose(data, degree, basis));
    return remembering((it) => {
      const problem = problemOf(it.degree, it.basis);
      const run = core.descend(problem, settings.optimizerOf(it), it.start, it.steps);
      const samples = core.sampledSteps(run.steps, SAMPLES).map((step) => core.stateAt(run, step));
      return { problem, run, samples, overflow: core.overflowStep(run) };
    });
  }

  // Six decades of learning rates around the limit; whole decades, so that the limit can move.
  function rateRange(limit) {
    const lowest = limit > 0 && Number.isFinite(limit) ? Math.floor(Math.log10(limit)) - 4 : -5;
    return {
      positionOf: (rate) => Math.max(0, Math.min(1000, ((Math.log10(rate) - lowest) / 6) * 1000)),
      rateOf: (position) => Number((10 ** (lowest + (6 * position) / 1000)).toPrecision(4)),
    };
  }

  // ---- a point of the picture ----

  function nearest([xs, ys], distance) {
    let [best, least] = [0, Infinity];
    for (let i = 0; i < xs.length; i += 1) {
      const far = distance(xs[i], ys[i]);
      if (far < least) [best, least] = [i, far];
    }
    return { x: xs[best], y: ys[best] };
  }

  // The middle of the fullest cell over x, or null where there are no rows.
  function densest({ levels, columns, rows, x: [lo, hi], y: [bottom, top] }, x) {
    const column = Math.floor(((x - lo) / (hi - lo)) * columns);
    const within = Math.max(0, Math.min(columns - 1, column));
    const slice = Array.from({ length: rows }, (_, row) => levels[row * columns + within]);
    const most = Math.max(...slice);
    if (most === 0) return null;
    return top - ((slice.indexOf(most) + 0.5) / rows) * (top - bottom);
  }

  // What x alone says: the row nearest to it, or where most rows are, or no y at all.
  function pointAt({ sample }, grid, x) {
    if (sample) return nearest(sample, (other) => Math.abs(other - x));
    return { x, y: grid && densest(grid, x) };
  }

  // ---- the whole ----

  // `look` is what the settings do not hold: {rows, mode, point}.
  function maker(payload, data, grid) {
    const [runOf, ghostOf] = [runner(data), runner(data)];
    return (chosen, look) => {
      const { problem, run, samples, overflow } = runOf(settings.runOf(chosen));
      const pinned = chosen.ghost && ghostOf(chosen.ghost);
      const limit = core.stableLimit(problem, run.optimizer);
      const diverges = limit !== null && chosen.rate > limit;
      return {
        payload, data, grid, chosen, problem, run, samples, overflow, limit, diverges,
        ...look,
        ghost: pinned && pinned.run,
        ghostSamples: pinned ? pinned.samples : [],
        pace: core.pace(problem, run.optimizer),
        rateRange: rateRange(limit),
        python: settings.toPython(chosen, diverges),
        t: words[chosen.language],
      };
    };
  }

  return Object.freeze({ maker, nearest, pointAt });
})();
