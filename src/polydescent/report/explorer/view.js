// Puts a model on the page: a list of panels, each drawn again only where what it shows has changed.
"use strict";

const view = (() => {
  const { at, put, make, mark, fill, slide, rich } = dom;
  const { show, above } = numerals;

  // ---- what many controls repeat, made once ----

  function build() {
    for (const node of document.querySelectorAll("[data-radios]")) {
      const { radios = "", values = "" } = /** @type {HTMLElement} */ (node).dataset;
      node.replaceWith(...values.split(" ").map((pair) => radio(radios, pair)));
    }
    for (const icon of document.querySelectorAll("button svg, .status svg")) {
      icon.setAttribute("viewBox", "0 0 16 16");
      icon.setAttribute("aria-hidden", "true");
    }
    for (const input of document.querySelectorAll("input:not([type])")) {
      mark(input, "autocomplete", "off");
    }
  }

  /** @param {string} name @param {string} pair  its value, and its word where that is another */
  function radio(name, pair) {
    const [value, word = value] = pair.split(":");
    const [label, input, text] = [make("label"), make("input"), make("span")];
    Object.assign(input, { type: "radio", name, value });
    text.dataset.word = word;
    label.append(input, text);
    return label;
  }

  // ---- words ----

  /** @param {Model} model */
  function write({ t, state: { language, theme } }) {
    const root = document.documentElement;
    root.lang = language;
    root.dataset.theme = theme;
    const each = (/** @type {string} */ name, /** @type {(node: any, key: string) => void} */ act) => {
      for (const node of document.querySelectorAll(`[data-${name}]`)) {
        act(node, /** @type {HTMLElement} */ (node).dataset[name] ?? "");
      }
    };
    each("word", (node, key) => put(node, t[key]));
    each("rich", (node, key) => rich(node, t[key]));
    each("label", (node, key) => mark(node, "aria-label", t[key]));
    put(at("language"), t.other);
    mark(at("language"), "aria-label", `${t.otherName} (${t.other})`);
    at("language").lang = language === "en" ? "zh-CN" : "en";
    put(at("theme"), theme === "dark" ? t.toLight : t.toDark);
    at("about").replaceChildren(...t.about.map((/** @type {string} */ text) => make("p", text)));
    const keys = t.keys.flatMap((/** @type {string[]} */ [key, text]) => [make("dt", key), make("dd", text)]);
    at("keys").replaceChildren(...keys);
  }

  /** @param {Model} model */
  function title(model) {
    const { payload, data, t } = model;
    put(at("title"), payload.title || t.untitled);
    document.title = payload.title || t.untitled;
    const shared = payload.sample ? ` ${t.rowsShared(payload.sample[0].length)}` : "";
    rich(at("subtitle"), t.subtitle(data.n, payload.triangle.length) + shared);
    at("held").hidden = !data.held;
    if (data.held) put(at("held"), t.held(heldText(model, data.held)));
  }

  /** @param {Model} model @param {Held} held */
  function heldText(model, { fixed, through }) {
    const { t } = model;
    const power = (/** @type {number} */ p) => (p === 0 ? t.constant : p === 1 ? "x" : `x${above(p)}`);
    return [
      ...fixed.map(([p, value]) => t.heldTerm(power(p), value)),
      ...through.map(([x, y]) => t.heldPoint(cards.placeText(model, x), show(y, 6))),
    ].join(", ");
  }

  // ---- the tour ----

  /** @param {Model} model */
  function guide(model) {
    const { state, place, t } = model;
    const stop = state.tour === null ? null : tour.STOPS[state.tour - 1];
    at("tour").hidden = !stop;
    at("take-tour").hidden = place.stops === 0 || Boolean(stop);
    document.documentElement.toggleAttribute("data-tour", Boolean(stop));
    for (const node of document.querySelectorAll(".shown")) node.classList.remove("shown");
    if (!stop || state.tour === null) return;
    at(stop.about).classList.add("shown");
    const { title: head, text, more } = t.tour[stop.name];
    put(at("stop"), t.stopOf(state.tour, tour.STOPS.length));
    put(at("stop-title"), head);
    rich(at("stop-text"), text(model));
    put(at("stop-more"), more);
    at("tour-back").disabled = state.tour === 1;
    put(at("tour-next"), state.tour === tour.STOPS.length ? t.again : t.next);
  }

  // ---- the walk ----

  /** @param {Model} model */
  function transport({ state, run, now, t }) {
    at("play").classList.toggle("playing", state.playing);
    put(at("play-word"), state.playing ? t.pause : t.play);
    slide("scrub", 1000 * forecast.positionOf(now.step, run.steps), t.stepN(now.step));
    fill("step", String(now.step));
    put(at("loss"), show(now.loss, 7));
    put(at("excess"), show(now.excess));
    for (const id of ["first", "back"]) mark(at(id), "aria-disabled", String(now.step === 0));
    for (const id of ["forth", "last"]) mark(at(id), "aria-disabled", String(now.step === run.steps));
  }

  /** @param {Model} model */
  function newRow(model) {
    const { point, state } = model;
    if (state.edit !== "add") return;
    fill("new-x", cards.placeText(model, point.x));
    fill("new-y", numerals.field(point.y ?? 0, 5));
  }

  /** @param {Model} model */
  function texts({ python: text, state }) {
    put(at("python"), text);
    for (const node of document.querySelectorAll("details")) {
      const wanted = state.opened.includes(node.dataset.name ?? "");
      if (node.open !== wanted) node.open = wanted;
    }
  }

  // ---- all panels: what each depends on, and how it is drawn ----
  // `late` are tables that nobody can read while they change with every frame: they wait for one
  // without a change.

  /** @type {{of: (m: Model, size: number) => any[], draw: (m: Model) => void, late?: boolean}[]} */
  const PANELS = [
    { of: (m) => [m.t, m.state.theme], draw: write },
    { of: (m) => [m.t, m.data], draw: title },
    { of: (m) => [m.t, m.run, m.state.was], draw: controls.rate },
    {
      of: (m) => [m.t, m.problem, m.limit, m.state.edit, m.state.edits, m.state.band, m.state.race,
        m.state.optimizer, m.state.beta, m.state.beta1, m.state.beta2, m.state.eps, m.state.curve,
        m.state.view, m.state.plane, m.state.rows, m.state.speed, m.state.seed, m.state.steps],
      draw: controls.others,
    },
    { of: (m) => [m.t, m.problem], draw: controls.condition },
    { of: (m) => [m.problem, m.state.start], draw: controls.startFields },
    {
      of: (m, size) => [size, m.grid, m.state.rows, m.state.theme, ...flat(picture.rangeOf(m))],
      draw: picture.canvas,
    },
    {
      of: (m, size) => [size, m.t, m.problem, m.state.edits, m.state.band, m.state.mode,
        ...flat(picture.rangeOf(m))],
      draw: picture.still,
    },
    { of: (m, size) => [size, m.t, m.problem, m.now, m.point, m.state.race, m.state.edit, m.state.edits, m.state.step], draw: picture.moving },
    {
      of: (m, size) => [size, m.t, m.samples, m.state.curve, ...m.pinned.map(({ run }) => run)],
      draw: plots.loss,
    },
    {
      of: (m, size) => [size, m.t, m.now, m.run, m.state.curve, m.state.probe, ...m.pinned.map(({ run }) => run)],
      draw: plots.lossNow,
    },
    { of: (m) => [m.t, m.state.race, m.run, m.now], draw: race.draw },
    ...only("modes",
      { of: (m) => [m.t, m.problem, m.pace, m.state.mode], draw: plots.modesTable, late: true },
      { of: (m, size) => [size, m.t, m.samples, m.state.mode], draw: plots.modes },
      { of: (m, size) => [size, m.t, m.now, m.run, m.state.probe, m.state.mode], draw: plots.modesNow }),
    ...only("surface", { of: (m, size) => [size, m.t, m.plane, m.run, m.now, m.state.plane], draw: valley.draw }),
    ...only("map",
      { of: (m, size) => [size, m.t, m.map, m.run], draw: paces.draw },
      { of: (m, size) => [size, m.map, m.state.theme], draw: paces.ground }),
    ...only("degrees", { of: (m, size) => [size, m.t, m.degrees, m.problem], draw: choices.draw }),
    { of: (m) => [m.t, m.problem, m.state.start, m.state.opened], draw: cards.still, late: true },
    { of: (m) => [m.t, m.now, m.run, m.point, m.state.opened], draw: cards.moving, late: true },
    { of: (m) => [m.t, m.run, m.state.opened], draw: cards.trajectory, late: true },
    { of: (m) => [m.python, m.state.opened], draw: texts, late: true },
    { of: (m) => [m.t, m.now, m.run, m.state.playing], draw: transport },
    { of: (m) => [m.t, m.state.edit, m.point], draw: newRow },
    { of: (m) => (m.state.tour ? [m.t, m.state.tour, m.run, m.degrees] : [m.t, m.data]), draw: guide },
  ];

  /** @param {{x: number[], y: number[]}} range */
  const flat = ({ x, y }) => [...x, ...y];

  /** Panels of the second chart's face that is shown. @param {string} face @param {...typeof PANELS[number]} panels */
  function only(face, ...panels) {
    return panels.map(({ of, draw: drawn, late }) => ({
      late,
      of: (/** @type {Model} */ m, /** @type {number} */ size) =>
        (m.state.view === face ? [true, ...of(m, size)] : [false]),
      draw: (/** @type {Model} */ m) => {
        if (m.state.view === face) drawn(m);
      },
    }));
  }

  const drawn = new Map();

  /**
   * Draws what differs from what is on the page, without what may be late unless `all` is asked for;
   * whether something late was left out.
   * @param {Model} model @param {number} size  counts the times that a chart changed its size
   * @param {boolean} all
   */
  function draw(model, size, all) {
    let stale = false;
    for (const panel of PANELS) {
      const inputs = panel.of(model, size);
      const before = drawn.get(panel);
      if (before?.length === inputs.length && inputs.every((input, i) => Object.is(input, before[i]))) continue;
      if (panel.late && !all) stale = true;
      else {
        panel.draw(model);
        drawn.set(panel, inputs);
      }
    }
    return stale;
  }

  /** What fields show, after one was left as it was. @param {Model} model */
  function refill(model) {
    for (const fields of [controls.rate, controls.others, controls.startFields, transport, cards.moving]) {
      fields(model);
    }
  }

  return Object.freeze({ build, draw, refill });
})();
