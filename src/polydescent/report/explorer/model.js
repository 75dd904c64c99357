// From a state to all that is shown of it: the run and its samples, the forecast, the point of card 3.
"use strict";

/**
 * The density of the rows, with its cells unpacked; strips are what is known over each column.
 * @typedef {object} Grid
 * @property {number} columns
 * @property {number} rows
 * @property {[number, number]} x
 * @property {[number, number]} y
 * @property {number} outside
 * @property {number} deepest
 * @property {Uint8Array} levels
 * @property {{n: number[], mean: number[]}} strips  rows, and their mean in 1/10000 of the height
 *
 * The place of card 3: `of` says what its y is.
 * @typedef {{x: number, y: number | null, n: number, of: "row" | "strip" | "none" | "own"}} Point
 *
 * @typedef {object} Raced
 * @property {string} name
 * @property {Run} run
 * @property {Sample[]} samples
 * @property {Step} now
 * @property {number} slowest
 *
 * @typedef {{positionOf: (rate: number) => number, rateOf: (position: number) => number}} RateRange
 *
 * @typedef {object} Model
 * @property {State} state
 * @property {any} t  words
 * @property {any} payload
 * @property {Place} place
 * @property {Data} data  with the rows that were added and taken out
 * @property {Grid | null} grid
 * @property {Calendar | null} calendar
 * @property {Problem} problem
 * @property {Run} run
 * @property {Sample[]} samples
 * @property {Step} now
 * @property {number | null} overflow
 * @property {number | null} limit
 * @property {boolean} diverges
 * @property {Pace[] | null} pace
 * @property {number} slowest
 * @property {RateRange} rateRange
 * @property {Point} point
 * @property {Raced[]} pinned
 * @property {Plane | null} plane
 * @property {PaceMap | null} map
 * @property {Degrees | null} degrees
 * @property {string} python
 */

const models = (() => {
  const SAMPLES = 160; // points of a drawn trajectory
  const DECADES = 6; // of learning rates on the slider
  const COLUMNS = 66; // of the map
  const BETAS = Object.freeze(Array.from({ length: 26 }, (_, i) => 1 - 10 ** (-i / 12.5)));

  /**
   * Remembers the last answer: most changes leave the problem, or the run, as it was.
   * @template {(...inputs: any[]) => any} F @param {F} compute @returns {F}
   */
  function remembering(compute) {
    let [known, value] = [/** @type {any[] | null} */ (null), /** @type {any} */ (null)];
    return /** @type {F} */ ((...inputs) => {
      if (!known || inputs.some((input, i) => input !== known?.[i])) {
        [known, value] = [inputs, compute(...inputs)];
      }
      return value;
    });
  }

  /** @param {(value: any) => any} compute  of something that is written, not kept */
  function remembered(compute) {
    let [key, value] = ["", /** @type {any} */ (null)];
    return (/** @type {any} */ input) => {
      const next = JSON.stringify(input);
      if (next !== key) [key, value] = [next, compute(input)];
      return value;
    };
  }

  function runner() {
    const problemOf = remembering(problems.pose);
    const settingsOf = remembered((settings) => settings);
    const walked = remembering((/** @type {Problem} */ problem, /** @type {Settings} */ settings) => {
      const run = core.descend(problem, states.optimizerOf(settings), settings.start, settings.steps);
      const samples = core.trace(run, forecast.sampledSteps(run.steps, SAMPLES));
      const last = samples[samples.length - 1];
      return { problem, run, samples,
        overflow: Number.isFinite(last.loss) ? null : forecast.overflowStep(run),
        slowest: forecast.slowest(problem, run.optimizer) };
    });
    return (/** @type {Data} */ data, /** @type {Settings} */ settings) =>
      walked(problemOf(data, settings.degree, settings.basis),
        settingsOf(settings));
  }

  /**
   * Six decades of learning rates around the limit; whole decades, so that the limit can move.
   * @param {number | null} limit @returns {RateRange}
   */
  function rateRange(limit) {
    const known = limit !== null && limit > 0 && Number.isFinite(limit);
    const lowest = known ? Math.floor(Math.log10(limit)) - 4 : -5;
    const share = (/** @type {number} */ rate) => (Math.log10(rate) - lowest) / DECADES;
    return {
      positionOf: (rate) => Math.max(0, Math.min(1000, share(rate) * 1000)),
      rateOf: (position) => Number((10 ** (lowest + (DECADES * position) / 1000)).toPrecision(4)),
    };
  }

  // ---- the point of card 3 ----

  /**
   * The row of a sample that is least far.
   * @param {[number[], number[]]} sample @param {(x: number, y: number) => number} distance
   */
  function nearest([xs, ys], distance) {
    let [best, least] = [0, Infinity];
    for (let i = 0; i < xs.length; i += 1) {
      const far = distance(xs[i], ys[i]);
      if (far < least) [best, least] = [i, far];
    }
    return best;
  }

  /**
   * What is known of y at x: the row chosen or nearest, or the mean of the rows in a strip.
   * @param {State} state @param {Place} place @param {Grid | null} grid @returns {Point}
   */
  function pointOf({ x: asked, row }, { data, sample }, grid) {
    const x = asked ?? data.lo + 0.3 * (data.hi - data.lo);
    if (sample) {
      const i = row ?? nearest(sample, (other) => Math.abs(other - x));
      return { x: sample[0][i], y: sample[1][i], n: 1, of: "row" };
    }
    if (!grid) return { x, y: null, n: 0, of: "own" };
    const share = (x - grid.x[0]) / (grid.x[1] - grid.x[0]);
    const strip = Math.max(0, Math.min(grid.columns - 1, Math.floor(share * grid.columns)));
    const n = grid.strips.n[strip];
    if (n === 0) return { x, y: null, n: 0, of: "none" };
    const [bottom, top] = grid.y;
    return { x, y: bottom + ((top - bottom) * grid.strips.mean[strip]) / 10000, n, of: "strip" };
  }

  /** @param {Problem} problem @param {string} optimizer */
  function mapOf(problem, optimizer) {
    const limit = core.OPTIMIZERS.momentum.limit?.(problem.lambda[0], 1) ?? 0;
    if (optimizer === "adam" || !(limit > 0) || !Number.isFinite(limit)) return null;
    const [lowest, highest] = [Math.log10(limit) - 4, Math.log10(limit) + 0.15];
    const rates = Array.from({ length: COLUMNS }, (_, j) =>
      10 ** (lowest + ((highest - lowest) * j) / (COLUMNS - 1)));
    return forecast.map(problem, optimizer, rates, [...BETAS]);
  }

  // ---- the whole ----

  /** @param {any} payload @param {Place} place @param {Grid | null} grid */
  function maker(payload, place, grid) {
    const calendar = dates.make(payload.dates, place.data.lo, place.data.hi);
    const dataOf = remembering((/** @type {readonly Edit[]} */ edits) =>
      triangle.edited(place.data, edits) ?? place.data);
    const runOf = runner();
    const racers = Array.from({ length: states.MOST_RUNS }, runner);
    const nowOf = remembering(core.stateAt);
    const forecastOf = remembering((/** @type {Problem} */ problem, /** @type {Run} */ run) => ({
      limit: forecast.stableLimit(problem, run.optimizer),
      pace: forecast.pace(problem, run.optimizer),
    }));
    const rangeOf = remembered(rateRange);
    const pointAt = remembered((point) => point);
    const planeOf = remembering(surface.plane);
    const mapFor = remembering(mapOf);
    const degreesOf = remembering(degrees.table);
    const pythonOf = remembered(([settings, edits, data, diverges]) =>
      python.snippet({ ...settings, edits }, data, diverges, calendar, payload.counted));

    /** @param {State} state @param {Data} data @returns {Raced[]} */
    const raced = (state, data) => state.race.map(({ name, run: settings }, i) => {
      const { run, samples, slowest } = racers[i](data, settings);
      return { name, run, samples, slowest, now: core.stateAt(run, Math.min(state.step, run.steps)) };
    });

    /** @param {State} state @returns {Model} */
    return (state) => {
      const data = dataOf(state.edits);
      const settings = states.runOf(state);
      const { problem, run, samples, overflow, slowest } = runOf(data, settings);
      const { limit, pace } = forecastOf(problem, run);
      const diverges = forecast.diverges(state.rate, limit);
      const now = nowOf(run, state.step);
      const { view, plane: kind, across, up, degree } = state;
      const flat = across === up || degree === 0;
      return {
        state, payload, place, data, grid, calendar, t: words[state.language],
        problem, run, samples, overflow, limit, pace, slowest, diverges, now,
        rateRange: rangeOf(limit),
        point: pointAt(pointOf(state, place, grid)),
        pinned: raced(state, data),
        plane: view === "surface" && !flat
          ? planeOf(problem, now, kind, across, up) : null,
        map: view === "map" ? mapFor(problem, state.optimizer) : null,
        degrees: view === "degrees" || state.tour ? degreesOf(data) : null,
        python: pythonOf([settings, state.edits, { known: data.known, weighted: data.weighted,
          held: Boolean(data.held) }, diverges]),
      };
    };
  }

  return Object.freeze({ maker, nearest });
})();
