// Shows the settings in their controls, and what the spectrum says about them.
"use strict";

const controls = (() => {
  /** @type {Readonly<Record<string, string>>} */
  const ICONS = Object.freeze({
    fine: "M3 8.5 6.5 12 13 4.5", bad: "M8 1.8 15 14H1zM8 6v4m0 1.8v.4", plain: "M3 8h10",
  });
  const { at, put, make, mark, fill, slide, rich } = dom;
  const { show, count, steps, times, field, weight } = numerals;

  /** @param {string} box @param {string} icon @param {string} name */
  function mood(box, icon, name) {
    mark(at(box), "data-mood", name);
    mark(at(icon), "d", ICONS[name]);
  }

  /** The learning rate and what becomes of it. @param {Model} model */
  function rate(model) {
    const { state, t } = model;
    slide("rate", model.rateRange.positionOf(state.rate), show(state.rate));
    fill("rate-field", field(state.rate));
    at("adapted").hidden = state.was === null;
    if (state.was !== null) put(at("adapted-word"), t.adapted(state.was, state.rate));
    put(at("run-name"), race.nameOf(model.run, t));
    limit(model);
  }

  /** @param {Model} model */
  function others(model) {
    const { state, data, t } = model;
    slide("beta", state.beta, show(state.beta));
    fill("beta-field", field(state.beta));
    for (const id of /** @type {const} */ (["beta1", "beta2", "eps"])) fill(id, String(state[id]));
    slide("steps", Math.log10(state.steps), count(state.steps));
    fill("steps-field", String(state.steps));
    mark(at("degree"), "max", String(data.degree));
    slide("degree", state.degree, String(state.degree));
    put(at("degree-out"), String(state.degree));
    fill("seed", String(state.seed));
    for (const name of /** @type {const} */ (["optimizer", "basis", "curve", "view", "plane", "edit", "rows"])) {
      dom.check(name, state[name]);
    }
    dom.options("speed", [["auto", t.auto], ...["1", "5", "25"].map((n) =>
      /** @type {[string, string]} */ ([n, t.aSecond(Number(n))])), ["fast", t.fast]], state.speed);
    for (const name of ["modes", "surface", "map", "degrees"]) {
      at(`view-${name}`).hidden = name !== state.view;
    }
    possible(model);
  }

  /** Hides and disables what means nothing for this optimizer and these data. @param {Model} model */
  function possible({ state, problem, run, place, grid, data, limit: most }) {
    const sources = /** @type {Record<string, any>} */ ({ density: grid, sample: place.sample, none: true });
    const able = (/** @type {string} */ name, /** @type {(value: string) => boolean} */ can) => {
      for (const node of document.getElementsByName(name)) {
        const input = /** @type {HTMLInputElement} */ (node);
        input.disabled = !can(input.value);
      }
    };
    able("rows", (name) => Boolean(sources[name]));
    for (const node of document.getElementsByName("edit")) {
      const input = /** @type {HTMLInputElement} */ (node);
      if (input.value === "take") /** @type {HTMLElement} */ (input.parentElement).hidden = !place.sample;
    }
    at("rows-as").hidden = !sources.density && !sources.sample;
    at("undo").hidden = state.edits.length === 0;
    at("new-row").hidden = state.edit !== "add";
    mark(at("band"), "aria-pressed", String(state.band));
    at("with-beta").hidden = !["momentum", "nesterov"].includes(state.optimizer);
    at("with-adam").hidden = state.optimizer !== "adam";
    at("degree").disabled = Boolean(data.held);
    at("degree-note").hidden = !data.held;
    at("fastest-rate").disabled = !forecast.fastest(problem, run.optimizer, false);
    at("fastest-pair").disabled = !forecast.fastest(problem, run.optimizer, true);
    for (const id of ["at-limit", "just-over"]) at(id).disabled = !(most !== null && most > 0 && Number.isFinite(most));
    at("pin").disabled = state.race.length >= states.MOST_RUNS;
  }

  /** @param {string} name @param {string} word @param {string} more */
  function status(name, word, more) {
    mood("status", "status-icon", name);
    rich(at("status-word"), word);
    put(at("status-more"), more);
  }

  /** @param {Model} model */
  function limit(model) {
    const { t, limit: most, rateRange, diverges } = model;
    const track = at("rate").parentElement;
    track.classList.toggle("free", !(most !== null && most > 0));
    if (most === null) status("plain", t.noLimit, t.adamNote(core.ADAM));
    else if (!(most > 0) || !Number.isFinite(most)) status("bad", t.unusable, "");
    else if (diverges) status("bad", t.diverges(most), explosion(model));
    else status("fine", t.stable(most), slowest(model));
    if (most === null || !(most > 0)) return;
    const share = Math.min(Math.max(rateRange.positionOf(most) / 1000, 0), 1);
    track.style.setProperty("--at", `${100 * share}%`);
    track.style.setProperty("--shift", share > 0.7 ? "-100%" : share < 0.3 ? "0" : "-50%");
    put(at("limit"), t.limit(most));
  }

  /** @param {Model} model */
  function explosion({ t, pace, overflow }) {
    const growth = (pace ?? []).map(({ excess }) => excess);
    const most = Math.max(...growth);
    const text = t.explodes(growth.indexOf(most) + 1, times(most, 4));
    return overflow === null ? text : `${text} ${t.overflow(overflow)}`;
  }

  /** Steps in which a mode comes ten times closer: its share falls to 1 %. @param {Model} model */
  function slowest({ t, slowest: most }) {
    return Number.isFinite(most) ? t.tenfold(t.stepsLong(Math.ceil(most), steps(most))) : "";
  }

  /** @param {Model} model */
  function condition({ t, problem, state }) {
    const { condition: kappa, rank, distinct, s, basis } = problem;
    const m = s.length;
    const finite = Number.isFinite(problem.lambda[0]) && problem.lambda[0] > 0;
    const few = distinct < m;
    const lost = rank < distinct;
    const bad = !finite || lost || kappa > 1e6;
    mood("condition", "condition-icon", bad ? "bad" : few ? "plain" : "fine");
    const pace = kappa < 20 ? t.good : bad ? t.poor : t.fair;
    const found = few ? t.few(distinct, m) : pace;
    const advice = lost ? t.hopeless(rank, m) : found;
    const size = lost ? `> ${show(1 / Number.EPSILON, 2)}` : `= ${show(kappa)}`;
    rich(at("kappa"), t.kappa(finite ? size : "= ∞"));
    put(at("advice"), finite ? advice : t.unusable);
    at("cure").hidden = basis === "chebyshev" || !bad;
    rich(at("basis-note"), t.basisOf[state.basis]);
  }

  /** @param {Model} model */
  function startFields({ state }) {
    dom.keep(at("start-fields"), state.degree + 1, startField).forEach((label, j) => {
      put(label.firstChild, weight(state.basis, state.degree, j));
      fill(`start-${j}`, field(state.start[j] || 0));
    });
  }

  /** @param {number} j */
  function startField(j) {
    const label = make("label");
    const input = make("input");
    Object.assign(input, { id: `start-${j}`, inputMode: "decimal", autocomplete: "off" });
    input.dataset.weight = j;
    label.append(make("span"), input);
    return label;
  }

  return Object.freeze({ rate, others, condition, startFields });
})();
