// Buttons, sliders and fields: what the reader does to each becomes a change of the state.
"use strict";

const inputs = (() => {
  const { at, put } = dom;
  const { show } = numerals;

  /** @param {string} id @param {string} event @param {(event: any) => void} act */
  function on(id, event, act) {
    at(id).addEventListener(event, act);
  }

  /** @param {string} name @param {(value: string) => void} take */
  function radios(name, take) {
    for (const node of document.getElementsByName(name)) {
      node.addEventListener("change", () => take(/** @type {HTMLInputElement} */ (node).value));
    }
  }

  /** @param {string} text */
  const digits = (text) => text.replaceAll(numerals.MINUS, "-").replaceAll(",", "");

  /**
   * A typed value: taken where it reads as one, else marked and explained.
   * @param {Store} store @param {any} input @param {any} read  with its range
   * @param {(value: any) => void} take
   */
  function typed(store, input, read, take) {
    const { t } = store.model();
    const value = read(digits(input.value));
    const refused = value === undefined;
    input.setAttribute("aria-invalid", String(refused));
    put(at("problem"), refused ? t[read.dated ? "badDate" : "bad"](say(read.least), say(read.most)) : "");
    if (refused) return;
    delete input.dataset.typing;
    take(value);
  }

  const say = (/** @type {any} */ end) => (typeof end === "number" ? show(end) : end);

  /** A reader of x: a number, or a date, within the data. @param {Store} store */
  function placeReader(store) {
    const { calendar, data } = store.model();
    const inside = states.number(data.lo, data.hi);
    if (!calendar) return inside;
    const read = (/** @type {string} */ text) => {
      const found = calendar.read(text);
      if (found === undefined) return undefined;
      const slack = 1e-3 * (data.hi - data.lo); // a date is written without its seconds
      const near = Math.max(data.lo, Math.min(data.hi, found));
      return Math.abs(near - found) <= slack ? near : undefined;
    };
    return Object.assign(read, { least: calendar.text(data.lo), most: calendar.text(data.hi), dated: true });
  }

  /** @param {Store} store @param {Player} player */
  function connect(store, player) {
    const model = store.model;

    /** A change of the run says whether it now diverges. @param {Partial<State>} patch */
    function run(patch) {
      const before = model().diverges;
      store.change(patch);
      const { t, limit, diverges } = model();
      if (diverges === before) return;
      const text = diverges ? t.diverges(limit) : limit === null ? t.noLimit : t.stable(limit);
      store.announce(text.replace(/\{\w+\|([^}]+)\}/g, "$1"));
    }

    const field = (/** @type {string} */ id, /** @type {string} */ name,
      take = (/** @type {any} */ value) => run({ [name]: value })) =>
      on(id, "change", ({ target }) => typed(store, target, states.READERS[name], take));

    const rate = (/** @type {number} */ value) => run({ rate: value, was: null });

    // ---- transport ----
    on("first", "click", () => player.jump(0));
    on("back", "click", () => player.walk(-1));
    on("play", "click", player.toggle);
    on("forth", "click", () => player.walk(1));
    on("last", "click", () => player.jump(model().run.steps));
    on("scrub", "input", ({ target }) =>
      player.jump(forecast.stepOf(target.value / 1000, model().run.steps)));
    field("step", "step", (step) => {
      player.stop();
      store.change({ step, steps: Math.max(step, model().state.steps) });
      if (step > model().state.steps) store.announce(model().t.adamNote(core.ADAM));
    });
    on("speed", "change", ({ target }) => store.change({ speed: target.value }));

    // ---- the run ----
    on("rate", "input", ({ target }) => rate(model().rateRange.rateOf(+target.value)));
    field("rate-field", "rate", rate);
    on("beta", "input", ({ target }) => run({ beta: +target.value }));
    field("beta-field", "beta");
    for (const name of ["beta1", "beta2", "eps"]) field(name, name);
    on("fastest-rate", "click", () => run(actions.fastest(model(), false)));
    on("fastest-pair", "click", () => run(actions.fastest(model(), true)));
    on("at-limit", "click", () => run(actions.beside(model(), -1)));
    on("just-over", "click", () => run(actions.beside(model(), 1)));
    on("keep", "click", () => run({ rate: model().state.was ?? model().state.rate, was: null }));
    on("steps", "input", ({ target }) => store.change({ steps: Math.round(10 ** +target.value) }));
    field("steps-field", "steps");
    on("degree", "input", ({ target }) => run(actions.pose(model(), { degree: +target.value })));
    on("cure", "click", () => run(actions.pose(model(), { basis: "chebyshev" })));
    radios("optimizer", (name) => run(actions.optimizer(model(), name)));
    radios("basis", (basis) => run(actions.pose(model(), { basis })));
    for (const name of ["curve", "rows", "view", "plane", "edit"]) {
      radios(name, (value) => store.change({ [name]: value }));
    }
    for (const name of ["across", "up"]) {
      on(name, "change", ({ target }) => store.change({ [name]: Number(target.value) }));
    }

    // ---- the start ----
    on("start-fields", "change", ({ target }) =>
      typed(store, target, states.READERS.across && states.number(-1e308, 1e308), (value) =>
        run(actions.weight(model(), Number(target.dataset.weight), value))));
    on("given", "click", () => {
      const { state, place, data } = model();
      const start = triangle.rewritten(data, place.initial.start, place.initial, state);
      const same = place.initial.basis === state.basis && place.initial.degree === state.degree;
      run({ start: same ? place.initial.start : start, step: 0 });
    });
    on("zeros", "click", () => run({ start: [0], step: 0 }));
    on("random", "click", () => {
      const { state, data } = model();
      run({ start: core.normals(state.seed, data.degree + 1), step: 0 });
    });
    field("seed", "seed", (seed) => store.change({ seed }));
    on("here", "click", () => {
      const { w } = model().now;
      if (w.every(Number.isFinite)) run({ start: [...w], step: 0 });
    });

    // ---- the race ----
    on("pin", "click", () => store.change(actions.pin(model())));
    on("race", "click", ({ target }) => {
      const { restore, unpin } = target.closest("button")?.dataset ?? {};
      if (restore !== undefined) run(actions.restore(model(), Number(restore)));
      if (unpin !== undefined) store.change(actions.unpin(model(), Number(unpin)));
    });
    on("race", "change", ({ target }) => {
      delete target.dataset.typing;
      store.change(actions.rename(model(), Number(target.dataset.rename), target.value));
    });

    // ---- rows ----
    on("band", "click", () => store.change({ band: !model().state.band }));
    on("undo", "click", () => store.change(actions.undo(model())));
    on("at-x", "change", ({ target }) =>
      typed(store, target, placeReader(store), (x) => store.change({ x, row: null })));
    on("add-here", "click", () =>
      typed(store, at("new-x"), placeReader(store), (x) =>
        typed(store, at("new-y"), states.number(-1e308, 1e308), (y) => {
          const { state, place } = model();
          store.change(actions.add(state, x, y, place.data));
        })));

    // ---- texts ----
    on("language", "click", () =>
      store.change({ language: model().state.language === "en" ? "zh-CN" : "en" }));
    on("theme", "click", () =>
      store.change({ theme: model().state.theme === "dark" ? "light" : "dark" }));
    for (const node of document.querySelectorAll("details")) {
      node.addEventListener("toggle", () => {
        const { state } = model();
        const name = node.dataset.name ?? "";
        if (node.open !== state.opened.includes(name)) store.change(actions.open(state, name));
      });
    }
    on("six", "click", ({ target }) => {
      if (target.dataset.opens) store.change(actions.open(model().state, target.dataset.opens));
    });
    on("copy", "click", async () => {
      const { python: text, t } = model();
      put(at("copied"), await copied(text, () => getSelection()?.selectAllChildren(at("python")))
        ? t.copied : t.copyFailed);
    });
    on("share", "click", async () => {
      const { t } = model();
      const link = at("link");
      link.value = store.link();
      put(at("shared"), await copied(link.value, () => link.select()) ? t.shared : t.shareFailed);
    });
  }

  /** @param {string} text @param {() => void} otherwise */
  async function copied(text, otherwise) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      otherwise();
      return false;
    }
  }

  return Object.freeze({ connect });
})();
