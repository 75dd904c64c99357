// The page's one state and everything that may change it: controls, keys, playing and the URL hash.
"use strict";

(async () => {
  const { at } = dom;
  const PLAY_FRAMES = 480; // from the first step to the last, however many there are
  const BESIDE = 1e-3; // "just over" the limit, and "at" it just under: sharp enough to differ
  const ADAM_RATE = 0.05; // a first rate where none was given: Adam's is in units of the weights

  view.build();
  const payload = JSON.parse(at("payload").textContent);
  const data = triangle.unpack(payload);
  const grid = await picture.inflate(payload.density);
  const modelOf = models.maker(payload, data, grid);
  const initial = settings.fromPayload(payload, { language: firstLanguage(), theme: firstTheme() });
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

  let chosen = settings.fromHash(location.hash, initial, data.degree);
  let rows = grid ? "density" : payload.sample ? "sample" : "none";
  let mode = null; // the eigenmode whose shape is drawn
  let picked = null; // the point the reader clicked; else it is found at chosen.x
  let playing = false;
  let otherRate = null; // what to return to when the optimizer changes from or to Adam
  let model = null;
  let drawn = null;

  function firstLanguage() {
    const name = payload.language || navigator.language || "en";
    return name.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
  }

  function firstTheme() {
    return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  function modelNow() {
    if (mode !== null && mode > chosen.degree) mode = null;
    return modelOf(chosen, { rows, mode, point: point() });
  }

  // ---- the point of card 3 ----

  function point() {
    return picked ?? models.pointAt(payload, grid, chosen.x ?? data.lo + 0.3 * (data.hi - data.lo));
  }

  function pick(event) {
    const box = at("curves").getBoundingClientRect();
    const { x, y } = drawn.picture;
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const clicked = { x: Math.max(data.lo, Math.min(data.hi, x.invert(px))), y: y.invert(py) };
    const far = (a, b) => Math.hypot(x.at(a) - px, y.at(b) - py);
    picked = rows === "sample" ? models.nearest(payload.sample, far) : clicked;
    change({ x: picked.x });
  }

  // ---- drawing, at most once a frame ----

  let asked = null; // what the next frame draws again: the step, all, or all in a new size

  function ask(all, resized = false) {
    if (asked === null) requestAnimationFrame(answer);
    asked = { all: all || Boolean(asked?.all), resized: resized || Boolean(asked?.resized) };
  }

  function answer() {
    const { all, resized } = asked;
    asked = null;
    if (all) redraw(resized);
    else drawFrame();
  }

  function redraw(resized) {
    const before = model;
    model = modelNow();
    view.write(model.t, chosen.language, chosen.theme);
    drawn = view.draw(model, before, drawn, resized);
    drawFrame();
  }

  function drawFrame() {
    model = { ...model, chosen, point: point() };
    const state = core.stateAt(model.run, chosen.step);
    const { ghost } = model;
    const ghostState = ghost && core.stateAt(ghost, Math.min(chosen.step, ghost.steps));
    view.frame(model, drawn, state, ghostState);
    showPlaying();
  }

  function showPlaying() {
    at("play").classList.toggle("playing", playing);
    const word = playing ? model.t.pause : model.t.play;
    if (at("play-word").textContent !== word) at("play-word").textContent = word;
    const { step } = chosen;
    for (const id of ["first", "back"]) at(id).setAttribute("aria-disabled", String(step === 0));
    for (const id of ["forth", "last"]) {
      at(id).setAttribute("aria-disabled", String(step === model.run.steps));
    }
  }

  function change(patch) {
    const before = chosen;
    chosen = settings.change(chosen, patch, data.degree);
    const moved = Object.keys(patch).every((key) => key === "step" || key === "x");
    ask(!moved || before.steps !== chosen.steps);
    remember();
  }

  // ---- the URL hash ----

  let saving = null;

  // Later and once: browsers refuse a page that rewrites its address in every frame.
  function remember() {
    clearTimeout(saving);
    saving = setTimeout(() => {
      history.replaceState(null, "", `#${settings.toHash(chosen, initial)}`);
    }, 250);
  }

  function recall() {
    stop();
    picked = null;
    chosen = settings.fromHash(location.hash, initial, data.degree);
    ask(true);
  }

  // ---- walking ----

  function announce(text) {
    at("live").textContent = text;
  }

  function go(step, { lit = false } = {}) {
    change({ step: Math.max(0, Math.min(step, chosen.steps)) });
    if (lit) cards.light();
  }

  function tell() {
    const { loss } = core.stateAt(model.run, chosen.step);
    announce(model.t.ended(chosen.step, numerals.show(loss, 6)));
  }

  function stepBy(count) {
    stop();
    go(chosen.step + count, { lit: Math.abs(count) === 1 });
  }

  function jump(step) {
    stop();
    go(step);
  }

  function play() {
    if (chosen.step >= chosen.steps) go(0);
    if (calm.matches) {
      go(chosen.steps);
      tell();
      return;
    }
    playing = true;
    requestAnimationFrame(advance);
  }

  // By frames, not by the clock: a hidden tab stands still and goes on where it was.
  function advance() {
    if (!playing) return;
    const position = core.positionOf(chosen.step, chosen.steps) + 1 / PLAY_FRAMES;
    go(Math.max(chosen.step + 1, core.stepOf(position, chosen.steps)));
    if (chosen.step >= chosen.steps) {
      playing = false;
      tell();
    } else {
      requestAnimationFrame(advance);
    }
  }

  function stop() {
    if (!playing) return;
    playing = false;
    announce(model.t.paused(chosen.step));
    ask(false);
  }

  function toggle() {
    if (playing) stop();
    else play();
  }

  // ---- controls ----

  function on(id, event, act) {
    at(id).addEventListener(event, act);
  }

  // A typed value: taken where it reads as one, else marked and explained.
  function typed(input, read, take) {
    const value = read(input.value.replaceAll(numerals.MINUS, "-").replaceAll(",", ""));
    const refused = value === undefined;
    input.setAttribute("aria-invalid", String(refused));
    at("problem").textContent = refused ? model.t.bad(read.least, read.most) : "";
    if (refused) return;
    delete input.dataset.typing;
    take(value);
  }

  function field(id, name, take = (value) => changeRun({ [name]: value })) {
    on(id, "change", (event) => typed(event.target, settings.READERS[name], take));
  }

  function changeRun(patch) {
    const wasDiverging = model.diverges;
    change(patch);
    const { t, limit, diverges } = modelNow();
    if (diverges === wasDiverging) return;
    announce(diverges ? t.diverges(limit) : limit === null ? t.noLimit : t.stable(limit));
  }

  function changeOptimizer(name) {
    const crosses = (name === "adam") !== (chosen.optimizer === "adam");
    if (!crosses) {
      changeRun({ optimizer: name });
      return;
    }
    const half = core.stableLimit(model.problem, { name, beta: 0 }) / 2;
    const rate = otherRate ?? (name === "adam" ? ADAM_RATE : half);
    otherRate = chosen.rate;
    changeRun({ optimizer: name, rate });
  }

  function fastest(pair) {
    const found = core.fastest(model.problem, model.run.optimizer, pair);
    if (found) changeRun(found);
  }

  function atLimit(factor) {
    changeRun({ rate: model.limit * factor });
  }

  function connectTransport() {
    on("first", "click", () => jump(0));
    on("back", "click", () => stepBy(-1));
    on("play", "click", toggle);
    on("forth", "click", () => stepBy(1));
    on("last", "click", () => jump(chosen.steps));
    on("scrub", "input", ({ target }) => jump(core.stepOf(target.value / 1000, chosen.steps)));
    on("scrub", "keydown", scrubKeys);
    field("step", "step", (step) => {
      stop();
      change({ step, steps: Math.max(step, chosen.steps) });
      if (step > chosen.steps) announce(model.t.adamNote(core.WALKED));
    });
  }

  function connectRun() {
    on("rate", "input", ({ target }) => changeRun({ rate: model.rateRange.rateOf(+target.value) }));
    field("rate-field", "rate");
    on("beta", "input", ({ target }) => changeRun({ beta: +target.value }));
    field("beta-field", "beta");
    for (const name of ["beta1", "beta2", "eps"]) field(name, name);
    on("fastest-rate", "click", () => fastest(false));
    on("fastest-pair", "click", () => fastest(true));
    on("at-limit", "click", () => atLimit(1 - BESIDE));
    on("just-over", "click", () => atLimit(1 + BESIDE));
    on("steps", "input", ({ target }) => change({ steps: Math.round(10 ** +target.value) }));
    field("steps-field", "steps");
    on("degree", "input", ({ target }) => changeRun({ degree: +target.value }));
    on("cure", "click", () => changeRun({ basis: "chebyshev" }));
    radios("optimizer", changeOptimizer);
    radios("basis", (basis) => changeRun({ basis }));
    radios("curve", (curve) => change({ curve }));
    radios("rows", (name) => {
      rows = name;
      ask(true);
    });
  }

  function radios(name, take) {
    for (const node of document.getElementsByName(name)) {
      node.addEventListener("change", () => take(node.value));
    }
  }

  function connectStart() {
    const startWith = (start) => changeRun({ start, step: 0 });
    on("start-fields", "change", ({ target }) => {
      typed(target, settings.READERS.x, (value) => {
        const start = Array.from({ length: data.degree + 1 }, (_, j) => chosen.start[j] || 0);
        start[Number(target.dataset.weight)] = value;
        startWith(start);
      });
    });
    on("given", "click", () => startWith(initial.start));
    on("zeros", "click", () => startWith([0]));
    on("random", "click", () => {
      startWith(core.normals(Number(at("seed").value) || 0, data.degree + 1));
    });
    on("here", "click", () => {
      const { w } = core.stateAt(model.run, chosen.step);
      if (w.every(Number.isFinite)) startWith([...w]);
    });
    on("pin", "click", () => change({ ghost: chosen.ghost ? null : settings.runOf(chosen) }));
  }

  function connectPictures() {
    on("curves", "pointerdown", (event) => {
      pick(event);
      at("curves").addEventListener("pointermove", pick);
      const release = () => at("curves").removeEventListener("pointermove", pick);
      window.addEventListener("pointerup", release, { once: true });
    });
    on("at-x", "change", (event) =>
      typed(event.target, settings.number(data.lo, data.hi), (x) => {
        picked = null;
        change({ x });
      }),
    );
    const shapeOf = (target) => target.closest("button")?.dataset.mode;
    const preview = (which) => picture.feature(drawn.picture, { ...model, mode: which });
    on("modes", "click", ({ target }) => {
      const pressed = shapeOf(target);
      if (pressed === undefined) return;
      mode = mode === Number(pressed) ? null : Number(pressed);
      model = { ...model, mode };
      plots.pressMode(model, drawn);
      preview(mode);
    });
    on("modes", "mouseover", ({ target }) => {
      const over = shapeOf(target);
      preview(over === undefined ? mode : Number(over));
    });
    on("modes", "mouseleave", () => preview(mode));
  }

  function connectTexts() {
    on("language", "click", () => change({ language: chosen.language === "en" ? "zh-CN" : "en" }));
    on("theme", "click", () => change({ theme: chosen.theme === "dark" ? "light" : "dark" }));
    on("table-details", "toggle", () => ask(true));
    on("six", "click", ({ target }) => {
      const id = target.dataset.opens;
      if (!id) return;
      if (!cards.opened.delete(id)) cards.opened.add(id);
      cards.still(model);
      ask(false);
    });
    on("copy", "click", copy);
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(model.python);
      at("copied").textContent = model.t.copied;
    } catch {
      getSelection().selectAllChildren(at("python"));
      at("copied").textContent = model.t.copyFailed;
    }
  }

  // ---- keys ----

  function strideOf({ key, shiftKey }) {
    const sign = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[key] || 0;
    return sign * (shiftKey ? 10 : 1);
  }

  function walkBy(event) {
    const ends = { Home: 0, End: chosen.steps };
    if (event.key in ends) jump(ends[event.key]);
    else if (strideOf(event) !== 0) stepBy(strideOf(event));
    else return;
    event.preventDefault();
  }

  // On the scrubber itself arrows are steps too, and pages are a tenth of the scale.
  function scrubKeys(event) {
    const pages = { PageUp: 0.1, PageDown: -0.1 }[event.key];
    if (pages === undefined) {
      walkBy(event);
      return;
    }
    const position = core.positionOf(chosen.step, chosen.steps) + pages;
    jump(core.stepOf(Math.max(0, Math.min(1, position)), chosen.steps));
    event.preventDefault();
  }

  function keys(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const inControl = event.target.closest("input, summary, [tabindex]");
    if (event.key === " " && !inControl && !event.target.closest("button")) {
      event.preventDefault();
      toggle();
    } else if (!inControl && !["ArrowUp", "ArrowDown"].includes(event.key)) {
      walkBy(event);
    }
  }

  connectTransport();
  connectRun();
  connectStart();
  connectPictures();
  connectTexts();
  document.addEventListener("keydown", keys);
  document.addEventListener("input", ({ target }) => {
    if (target.type === "text") target.dataset.typing = "";
  });
  document.addEventListener("focusout", ({ target }) => {
    if (target.getAttribute("aria-invalid") === "true") return; // stays, to be put right
    delete target.dataset.typing;
    ask(false);
  });
  window.addEventListener("hashchange", recall);
  redraw(true);
  const observer = new ResizeObserver((entries) => {
    if (entries.filter(({ target }) => chart.measure(target)).length > 0) ask(true, true);
  });
  for (const id of ["curves", "loss-chart", "modes-chart"]) observer.observe(at(id));
})();
