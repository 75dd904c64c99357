// The guided tour: eight stops, each a state of the page made from the reader's own data.
"use strict";

const tour = (() => {
  const SHARE = 0.5; // of the limit: a rate that nobody would call too large
  const OVER = 1.03; // of the limit: too large, but slowly enough to be watched
  const WATCHED = 60; // steps of it
  const ZIGZAG = 40; // steps of a path that can still be followed
  const ROUND = 1e4; // a condition number up to which the tour can walk in powers of x

  /** What each stop is called in the words, and the part of the page that it is about. */
  const STOPS = Object.freeze([
    { name: "curve", about: "picture" }, { name: "step", about: "six" },
    { name: "play", about: "transport" }, { name: "toofar", about: "run-panel" },
    { name: "cure", about: "second-panel" }, { name: "momentum", about: "loss-panel" },
    { name: "coordinates", about: "basis-panel" }, { name: "best", about: "picture" },
  ]);

  const PLAIN = Object.freeze({ name: "gd", rate: 1, beta: 0.9, beta1: 0, beta2: 0, eps: 0 });

  /** @param {Problem} problem */
  const isWalkable = ({ lambda, rank, distinct, condition }) =>
    Number.isFinite(lambda[0]) && lambda[0] > 0 && rank === distinct && condition < ROUND;

  /** @param {number} value  as a reader would type it, and never above */
  const typed = (value) => Number((value * (1 - 5e-5)).toPrecision(4));

  /**
   * The patch of each stop.
   * @param {State} initial @param {Data} data @returns {(stop: number) => Partial<State>}
   */
  function maker(initial, data) {
    const { degree } = initial;
    const inPowers = problems.pose(data, degree, "power");
    const first = isWalkable(inPowers) ? inPowers : problems.pose(data, degree, "chebyshev");
    const second = problems.pose(data, degree, first === inPowers ? "chebyshev" : "legendre");
    const stops = [first, second].map((problem) => walks(problem, initial));
    const [plain, better] = stops;
    const runs = /** @type {Record<string, Partial<State>>} */ ({
      curve: plain.slow,
      step: plain.slow,
      play: { ...plain.slow, steps: plain.slowSteps },
      toofar: { ...plain.slow, rate: Number((OVER * plain.limit).toPrecision(4)),
        steps: WATCHED, step: WATCHED },
      cure: { ...plain.fast, step: plain.zigzag, view: "surface", plane: "modes",
        across: plain.valley, up: 0 },
      momentum: { ...plain.heavy, step: Math.min(plain.heavyNeeded, plain.fastSteps),
        race: pinned(initial, plain.fast), view: "map", curve: "excess" },
      coordinates: { ...better.fast, steps: plain.fastSteps,
        step: Math.min(better.needed, plain.fastSteps),
        race: pinned(initial, plain.fast, plain.heavy), curve: "excess" },
      best: { ...better.fast, step: better.fastSteps, view: "degrees", band: true },
    });
    return (stop) => runs[STOPS[stop - 1].name];
  }

  /** @param {State} initial @param {...Partial<State>} runs */
  const pinned = (initial, ...runs) =>
    runs.map((run) => Object.freeze({ name: "", run: states.runOf({ ...initial, ...run }) }));

  /**
   * The runs of one problem from the reader's own start: half the limit, the fastest plain one, the
   * fastest with momentum.
   * @param {Problem} problem @param {State} initial
   */
  function walks(problem, initial) {
    const { data, degree, basis } = problem;
    const limit = forecast.stableLimit(problem, PLAIN) || initial.rate;
    const start = triangle.rewritten(data, initial.start, initial, { degree, basis });
    const pace = (/** @type {Optimizer} */ optimizer) => {
      const needed = forecast.slowest(problem, optimizer);
      return Math.max(1, Math.min(Number.isFinite(needed) ? Math.ceil(needed) : 1e6, 1e8));
    };
    const rate = typed(forecast.fastest(problem, PLAIN, false)?.rate || limit);
    const pair = { rate, beta: 0.9, ...forecast.fastest(problem, { ...PLAIN, name: "momentum" }, true) };
    const beta = Math.min(Number(pair.beta.toPrecision(4)), 0.9999);
    const slow = { degree, basis, start, optimizer: "gd", rate: typed(SHARE * limit), steps: 100 };
    const needed = pace({ ...PLAIN, rate });
    const heavy = { ...PLAIN, name: "momentum", rate: typed(pair.rate), beta };
    const fast = { ...slow, rate, steps: Math.max(30, 2 * needed) };
    const zigzag = Math.min(Math.ceil(needed / 4), ZIGZAG);
    const run = core.descend(problem, states.optimizerOf({ ...initial, ...fast }), start, fast.steps);
    const { shares } = core.stateAt(run, zigzag);
    const others = shares.length > 1 ? shares.slice(1) : shares;
    return {
      zigzag, valley: shares.length - others.length + others.indexOf(Math.max(...others)),
      limit, slow, needed, fast, fastSteps: fast.steps,
      slowSteps: Math.max(30, 2 * pace({ ...PLAIN, rate: slow.rate })),
      heavy: { ...fast, optimizer: "momentum", rate: heavy.rate, beta },
      heavyNeeded: pace(heavy),
    };
  }

  return Object.freeze({ STOPS, maker });
})();
