// Everything that the reader has chosen, as one frozen value, and the URL hash that says it.
"use strict";

/**
 * What makes a run of gradient descent; the rest of a state is how it is looked at.
 * @typedef {object} Settings
 * @property {number} degree
 * @property {string} basis  "power", "chebyshev" or "legendre"
 * @property {string} optimizer  "gd", "momentum", "nesterov" or "adam"
 * @property {number} rate  the learning rate η
 * @property {number} beta  momentum, of the two that have it
 * @property {number} beta1  of Adam, as the next two
 * @property {number} beta2
 * @property {number} eps
 * @property {readonly number[]} start  weights before step 1, in the basis; what is missing is 0
 * @property {number} steps  where the run ends
 *
 * A run kept to be raced against.
 * @typedef {{name: string, run: Readonly<Settings>}} Pinned
 *
 * @typedef {object} Look
 * @property {number} step  the one that is shown
 * @property {number | null} x  where card 3 predicts; null for a place near the left
 * @property {number | null} row  the row of the sample that the reader chose for card 3
 * @property {string} curve  what the chart draws: "loss" or "excess"
 * @property {string} rows  how rows are drawn: "density", "sample" or "none"
 * @property {boolean} band  whether the best curve has its standard errors around it
 * @property {number | null} mode  the eigenmode whose shape is drawn
 * @property {string} view  the second chart: "modes", "surface", "map" or "degrees"
 * @property {string} plane  what the surface is over: "weights" or "modes"
 * @property {number} across  which of them to the right
 * @property {number} up  and which upward
 * @property {string} edit  what a press on the picture does: "look", "add" or "take"
 * @property {readonly Edit[]} edits  rows added and taken out
 * @property {readonly Pinned[]} race
 * @property {string} speed  of playing: "auto", "fast", or steps a second
 * @property {number | null} tour  the stop of the tour, from 1
 * @property {number | null} was  the rate before the page made it safe, to go back to
 * @property {number | null} other  the rate to return to when leaving or taking up Adam
 * @property {number | null} probe  the step that the reader points at in a chart
 * @property {number} seed  of random weights
 * @property {readonly string[]} opened  cards and texts whose long form is shown
 * @property {string} language  "en" or "zh-CN"
 * @property {string} theme  "light" or "dark"
 * @property {boolean} playing  the one thing that the hash leaves out: a link never starts to move
 *
 * @typedef {Readonly<Settings & Look>} State
 *
 * What a state must fit: it never changes.
 * @typedef {object} Place
 * @property {State} initial  before the reader has touched anything
 * @property {Data} data  without added rows
 * @property {[number[], number[]] | null} sample
 * @property {boolean} grid  whether a density travels along
 * @property {(stop: number) => Partial<State>} stop  of the tour
 * @property {number} stops  how many, 0 for no tour
 */

const states = (() => {
  const MOST_RUNS = 6; // that can be told apart on one chart
  const MOST_EDITS = 40;
  const NAME = 40; // characters of the name of a run
  const OPENABLE = ["data", "start", "forward", "backward", "update", "table", "python", "about"];

  // ---- reading one value from text: undefined where the text is not one ----

  /** @param {string[]} names */
  const oneOf = (...names) => (/** @type {string} */ text) =>
    (names.includes(text) ? text : undefined);

  /**
   * The reader knows its own range, to say it where a text is refused.
   * @param {number} least @param {number} most
   */
  function number(least, most, round = (/** @type {number} */ value) => value) {
    const read = (/** @type {unknown} */ text) => {
      const value = String(text).trim() === "" ? NaN : round(Number(text));
      return Number.isFinite(value) && value >= least && value <= most ? value : undefined;
    };
    return Object.assign(read, { least, most });
  }

  /** @param {number} least @param {number} most */
  const whole = (least, most) => number(least, most, Math.round);

  const any = number(-Number.MAX_VALUE, Number.MAX_VALUE);

  /** @param {string} text */
  const yes = (text) => ({ true: true, false: false })[text];

  /** null is written as nothing. @template T @param {(text: string) => T} read */
  const perhaps = (read) => (/** @type {string} */ text) => (text === "" ? null : read(text));

  /** @param {string} text */
  function numbers(text) {
    const values = text === "" ? [] : text.split(",").map(any);
    const fine = values.length <= 200 && values.every((value) => value !== undefined);
    return fine ? /** @type {number[]} */ (values) : undefined;
  }

  /** @param {string} text */
  function edits(text) {
    const found = numbers(text);
    if (!found || found.length % 3 !== 0 || found.length / 3 > MOST_EDITS) return undefined;
    const out = Array.from({ length: found.length / 3 }, (_, i) =>
      ({ x: found[3 * i], y: found[3 * i + 1], sign: found[3 * i + 2] }));
    return out.every(({ sign }) => sign === 1 || sign === -1) ? out : undefined;
  }

  /** @param {string} text */
  const names = (text) => OPENABLE.filter((name) => text.split(",").includes(name));

  /** @type {Readonly<Record<keyof Settings, (text: string) => any>>} */
  const OF_A_RUN = Object.freeze({
    degree: whole(0, 64),
    basis: oneOf(...Object.keys(triangle.FAMILIES)),
    optimizer: oneOf(...Object.keys(core.OPTIMIZERS)),
    rate: number(Number.MIN_VALUE, 1e300),
    beta: number(0, 0.9999),
    beta1: number(0, 0.9999),
    beta2: number(0, 0.999999),
    eps: number(0, 1),
    start: numbers,
    steps: whole(1, core.FARTHEST),
  });

  // One reader per field; `race` is a hash within the hash.
  /** @type {Readonly<Record<string, any>>} */
  const READERS = Object.freeze({
    ...OF_A_RUN,
    step: whole(0, core.FARTHEST),
    x: perhaps(any),
    row: perhaps(whole(0, 1e9)),
    curve: oneOf("loss", "excess"),
    rows: oneOf("density", "sample", "none"),
    band: yes,
    mode: perhaps(whole(0, 64)),
    view: oneOf("modes", "surface", "map", "degrees"),
    plane: oneOf("weights", "modes"),
    across: whole(0, 64),
    up: whole(0, 64),
    edit: oneOf("look", "add", "take"),
    edits,
    speed: oneOf("auto", "1", "5", "25", "fast"),
    was: perhaps(number(Number.MIN_VALUE, 1e300)),
    other: perhaps(number(Number.MIN_VALUE, 1e300)),
    probe: perhaps(whole(0, core.FARTHEST)),
    seed: whole(0, 4294967295),
    opened: names,
    language: oneOf("en", "zh-CN"),
    theme: oneOf("light", "dark"),
  });

  /**
   * What the payload says, before the reader has touched anything.
   * @param {any} payload @param {{language: string, theme: string, grid: boolean}} reader
   * @returns {State}
   */
  function fromPayload(payload, { language, theme, grid }) {
    const { name, learning_rate: rate, momentum, betas, eps } = payload.optimizer;
    return Object.freeze({
      degree: payload.degree,
      basis: payload.basis,
      optimizer: name,
      rate,
      beta: momentum ?? 0.9,
      beta1: betas?.[0] ?? 0.9,
      beta2: betas?.[1] ?? 0.999,
      eps: eps ?? 1e-8,
      start: Object.freeze([...payload.start]),
      steps: Math.max(1, core.reachOf(name, payload.steps)),
      step: 0, x: null, row: null, curve: "loss",
      rows: grid ? "density" : payload.sample ? "sample" : "none",
      band: false, mode: null, view: "modes", plane: "weights", across: 0, up: 1,
      edit: "look", edits: [], race: [], speed: "auto", tour: null, was: null, other: null,
      probe: null, seed: 1, opened: [], language, theme, playing: false,
    });
  }

  /**
   * The state with some of it replaced, kept within what the data and the optimizer allow.
   * @param {State} old @param {Partial<State>} patch @param {Place} place @returns {State}
   */
  function change(old, patch, place) {
    const next = { ...old, ...patch };
    const { data, sample, grid } = place;
    settleRun(next, data, place);
    next.step = Math.min(next.step, next.steps);
    if (next.x !== null) next.x = Math.max(data.lo, Math.min(data.hi, next.x));
    if (next.row !== null && !(sample && next.row < sample[0].length)) next.row = null;
    if ((next.rows === "density" && !grid) || (next.rows === "sample" && !sample)) {
      next.rows = place.initial.rows;
    }
    const modes = next.degree + 1 - (data.held ? data.held.values.length : 0);
    if (next.mode !== null && next.mode >= modes) next.mode = null;
    const directions = next.plane === "modes" ? modes : next.degree + 1;
    next.across = Math.min(next.across, directions - 1);
    next.up = Math.min(next.up, directions - 1);
    if (next.across === next.up) next.up = next.across === 0 ? Math.min(1, directions - 1) : 0;
    if (next.edit === "take" && !sample) next.edit = "look";
    if (next.edits !== old.edits) next.edits = possible(next.edits, place);
    next.race = next.race.slice(0, MOST_RUNS);
    if (next.tour !== null && !(next.tour <= place.stops)) next.tour = null;
    return Object.freeze(next);
  }

  /** @param {Settings} next @param {Data} data @param {{initial: State}} place */
  function settleRun(next, data, { initial }) {
    next.degree = data.held ? initial.degree : Math.min(next.degree, data.degree);
    next.steps = core.reachOf(next.optimizer, next.steps);
  }

  /**
   * Rows within the domain, and taken out only where the sample has them and others remain.
   * @param {readonly Edit[]} asked @param {Place} place
   */
  function possible(asked, { data, sample }) {
    const known = (/** @type {Edit} */ { x, y }) =>
      Boolean(sample?.[0].some((value, i) => value === x && sample[1][i] === y));
    const kept = /** @type {Edit[]} */ ([]);
    for (const edit of asked.slice(0, MOST_EDITS)) {
      const inside = edit.x >= data.lo && edit.x <= data.hi;
      const twice = kept.some((e) => e.sign < 0 && e.x === edit.x && e.y === edit.y);
      if (!inside || (edit.sign < 0 && (!known(edit) || twice))) continue;
      if (edit.sign > 0 || triangle.edited(data, [...kept, edit])) kept.push(edit);
    }
    return Object.freeze(kept);
  }

  /** @param {Settings} state @returns {Readonly<Settings>} */
  const runOf = (state) =>
    /** @type {Readonly<Settings>} */ (Object.freeze(Object.fromEntries(
      Object.keys(OF_A_RUN).map((key) => [key, state[/** @type {keyof Settings} */ (key)]]))));

  /** @param {Settings} settings @returns {Optimizer} */
  const optimizerOf = ({ optimizer: name, rate, beta, beta1, beta2, eps }) =>
    Object.freeze({ name, rate, beta, beta1, beta2, eps });

  // ---- the hash: what differs from where the reader stands before touching anything ----

  /** @param {any} value */
  const written = (value) =>
    value === null ? ""
      : Array.isArray(value) && typeof value[0] === "object"
        ? value.map(({ x, y, sign }) => `${x},${y},${sign}`).join(",")
        : String(value);

  /** @param {[string, string][]} pairs */
  const joined = (pairs) =>
    pairs.map(([key, text]) => `${key}=${encodeURIComponent(text).replaceAll("%2C", ",")}`).join("&");

  /** @param {string} hash @returns {[string, string][]} */
  function pairsOf(hash) {
    return hash.replace(/^#/, "").split("&").flatMap((part) => {
      const [key, ...rest] = part.split("=");
      try {
        return [/** @type {[string, string]} */ ([key, decodeURIComponent(rest.join("="))])];
      } catch {
        return [];
      }
    });
  }

  /** @param {any} value @param {any} base @param {string[]} keys @returns {[string, string][]} */
  const differing = (value, base, keys) =>
    keys.flatMap((key) => {
      const text = written(value[key]);
      return text === written(base[key]) ? [] : [/** @type {[string, string]} */ ([key, text])];
    });

  /** @param {[string, string][]} pairs @param {Record<string, (text: string) => any>} readers */
  function read(pairs, readers) {
    const patch = /** @type {Record<string, any>} */ ({});
    for (const [key, text] of pairs) {
      const value = Object.hasOwn(readers, key) ? readers[key](text) : undefined;
      if (value !== undefined) patch[key] = value;
    }
    return patch;
  }

  /** @param {string} text @param {Place} place @returns {Pinned} */
  function pinnedFrom(text, place) {
    const pairs = pairsOf(text);
    const run = { ...place.initial, ...read(pairs, OF_A_RUN) };
    settleRun(run, place.data, place);
    const name = pairs.find(([key]) => key === "name")?.[1] ?? "";
    return Object.freeze({ name: named(name), run: runOf(run) });
  }

  /** @param {string} name */
  const named = (name) => [...name.replace(/\s+/g, " ").trim()].slice(0, NAME).join("");

  /** @param {Place} place @param {number | null} tour */
  function baseOf(place, tour) {
    if (tour === null) return place.initial;
    return change(place.initial, { ...place.stop(tour), tour }, place);
  }

  /** @param {readonly Pinned[]} race @param {Place} place */
  const raceText = (race, { initial }) =>
    race.map(({ name, run }) =>
      joined([...(name ? [/** @type {[string, string]} */ (["name", name])] : []),
        ...differing(run, initial, Object.keys(OF_A_RUN))]) || "same");

  /** @param {State} state @param {Place} place */
  function toHash(state, place) {
    const base = baseOf(place, state.tour);
    const pairs = differing(state, base, Object.keys(READERS));
    const race = raceText(state.race, place);
    if (race.join() !== raceText(base.race, place).join()) {
      pairs.push(...(race.length > 0 ? race : ["none"]).map((text) =>
        /** @type {[string, string]} */ (["pin", text])));
    }
    if (state.tour !== null) pairs.unshift(["tour", String(state.tour)]);
    return joined(pairs);
  }

  /**
   * Whatever in the hash can be read; a stranger's hash can do no more than move the controls.
   * @param {string} hash @param {Place} place
   */
  function fromHash(hash, place) {
    const pairs = pairsOf(hash);
    const asked = pairs.filter(([key]) => key === "tour").map(([, text]) => text);
    const tour = whole(1, place.stops)(asked.at(-1) ?? "") ?? null;
    const patch = read(pairs, READERS);
    const pins = pairs.filter(([key]) => key === "pin").map(([, text]) => text);
    if (pins.length > 0) {
      patch.race = pins.filter((text) => text !== "none").slice(0, MOST_RUNS)
        .map((text) => pinnedFrom(text, place));
    }
    return change(baseOf(place, tour), patch, place);
  }

  return Object.freeze({
    READERS, MOST_RUNS, MOST_EDITS,
    number, named, fromPayload, change, runOf, optimizerOf, toHash, fromHash,
  });
})();
