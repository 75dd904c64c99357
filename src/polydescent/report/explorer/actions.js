// What each control asks for: from the model and what was pressed to a patch of the state.
"use strict";

const actions = (() => {
  const BESIDE = 1e-3; // "just over" the limit, and "at" it just under: sharp enough to differ
  const SAFE = 0.9; // of the limit: where a rate goes that was over it
  const ADAM_RATE = 0.05; // a first rate where none was given: Adam's is in units of the weights
  const NEAR = 14; // pixels within which a press means a row that was added

  /**
   * Another degree or basis: the starting curve stays where it can, and the rate becomes the same
   * share of the new limit, unless it is Adam's.
   * @param {Model} model @param {{degree?: number, basis?: string}} wanted
   * @returns {Partial<State>}
   */
  function pose({ state, data, limit, place }, wanted) {
    const to = { degree: state.degree, basis: state.basis, ...wanted };
    to.degree = Math.min(to.degree, data.degree);
    if (place.data.held) to.degree = state.degree;
    const start = triangle.rewritten(data, state.start, state, to);
    const problem = problems.pose(data, to.degree, to.basis);
    const next = forecast.stableLimit(problem, states.optimizerOf(state));
    const usable = next !== null && next > 0 && Number.isFinite(next);
    if (!usable) return { ...to, start };
    const share = limit !== null && limit > 0 ? state.rate / limit : Infinity;
    const rate = Number(((share <= 1 ? share : SAFE) * next * (1 - 1e-6)).toPrecision(6));
    const moved = Math.abs(rate / state.rate - 1) > 1e-4;
    return { ...to, start, ...(moved ? { rate, was: state.was ?? state.rate } : {}) };
  }

  /** @param {Model} model @param {string} name @returns {Partial<State>} */
  function optimizer({ state, problem }, name) {
    if ((name === "adam") === (state.optimizer === "adam")) return { optimizer: name };
    const half = (forecast.stableLimit(problem, { name, beta: 0 }) ?? 0) / 2;
    const rate = state.other ?? (name === "adam" ? ADAM_RATE : half || state.rate);
    return { optimizer: name, rate, other: state.rate, was: null };
  }

  /** @param {Model} model @param {boolean} pair @returns {Partial<State>} */
  function fastest({ problem, run }, pair) {
    const found = forecast.fastest(problem, run.optimizer, pair);
    return found ? { ...found, was: null } : {};
  }

  /** @param {Model} model @param {number} side  −1 under, 1 over @returns {Partial<State>} */
  const beside = ({ limit, state }, side) =>
    ({ rate: limit === null ? state.rate : limit * (1 + side * BESIDE), was: null });

  /** @param {Model} model @param {number} j @param {number} value @returns {Partial<State>} */
  function weight({ state, data }, j, value) {
    const start = Array.from({ length: data.degree + 1 }, (_, i) => state.start[i] || 0);
    start[j] = value;
    return { start, step: 0 };
  }

  /** The start moved within the plane of the surface. @param {Model} model @param {number} a @param {number} b @returns {Partial<State>} */
  function startAt({ plane, run }, a, b) {
    if (!plane) return {};
    const [fromA, fromB] = plane.place(run.start);
    const [f, g] = plane.directions;
    const start = Array.from(run.start, (value, j) => value + (a - fromA) * f[j] + (b - fromB) * g[j]);
    return start.every(Number.isFinite) ? { start, step: 0 } : {};
  }

  /** @param {Model} model @returns {Partial<State>} */
  const pin = ({ state }) =>
    ({ race: [...state.race, Object.freeze({ name: "", run: states.runOf(state) })] });

  /** @param {Model} model @param {number} i @returns {Partial<State>} */
  const unpin = ({ state }, i) => ({ race: state.race.filter((_, j) => j !== i) });

  /** @param {Model} model @param {number} i @param {string} name @returns {Partial<State>} */
  const rename = ({ state }, i, name) => ({
    race: state.race.map((pinned, j) =>
      (j === i ? Object.freeze({ ...pinned, name: states.named(name) }) : pinned)),
  });

  /** @param {Model} model @param {number} i @returns {Partial<State>} */
  const restore = ({ state }, i) => ({ ...state.race[i].run, was: null });

  /**
   * A press on the picture.
   * @param {Model} model @param {{x: number, y: number}} at  in the units of the data
   * @param {(x: number, y: number) => number} far  pixels from there @returns {Partial<State>}
   */
  function press({ state, place: { data, sample } }, at, far) {
    const x = Math.max(data.lo, Math.min(data.hi, at.x));
    const i = sample ? models.nearest(sample, far) : 0;
    if (state.edit === "look") return sample ? { x: sample[0][i], row: i } : { x, row: null };
    const own = state.edits.filter((edit) => far(edit.x, edit.y) > NEAR);
    if (own.length < state.edits.length) return { edits: own };
    if (state.edit === "add") return add(state, Number(x.toPrecision(6)), at.y, data);
    return sample ? { edits: [...state.edits, { x: sample[0][i], y: sample[1][i], sign: -1 }] } : {};
  }

  /** @param {State} state @param {number} x @param {number} y @param {Data} data @returns {Partial<State>} */
  function add(state, x, y, data) {
    const inside = Math.max(data.lo, Math.min(data.hi, x));
    return { edits: [...state.edits, { x: inside, y: Number(y.toPrecision(5)), sign: 1 }] };
  }

  /** @param {Model} model @returns {Partial<State>} */
  const undo = ({ state }) => ({ edits: state.edits.slice(0, -1) });

  /** @param {State} state @param {string} name @returns {Partial<State>} */
  const open = ({ opened }, name) => ({
    opened: opened.includes(name) ? opened.filter((other) => other !== name) : [...opened, name],
  });

  /**
   * A stop of the tour as the reader sees it: theirs stay language and theme.
   * @param {Model} model @param {number | null} stop @returns {Partial<State>}
   */
  function visit({ state, place }, stop) {
    if (stop === null) return { tour: null };
    const { language, theme, speed, opened, rows } = state;
    return { ...place.initial, ...place.stop(stop), tour: stop, language, theme, speed, opened, rows };
  }

  return Object.freeze({
    pose, optimizer, fastest, beside, weight, startAt, pin, unpin, rename, restore, press, add,
    undo, open, visit,
  });
})();
