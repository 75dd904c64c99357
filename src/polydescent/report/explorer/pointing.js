// Pictures and charts under a pointer: a place on them becomes a point, a step, a setting.
"use strict";

const pointing = (() => {
  const { at } = dom;

  /** @param {any} svg @param {PointerEvent} event */
  function placeOn(svg, event) {
    const box = svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /**
   * What a press and a drag do, a mouse's while it is held, a finger's once it is lifted where it
   * was put down: a finger that scrolls, and other buttons than the first, do nothing.
   * @param {any} svg @param {(event: PointerEvent, first: boolean) => void} act
   */
  function presses(svg, act) {
    let held = false;
    svg.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      if (event.button !== 0 || event.pointerType === "touch") return;
      held = true;
      svg.setPointerCapture(event.pointerId);
      act(event, true);
    });
    svg.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
      if (held) act(event, false);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      svg.addEventListener(end, () => {
        held = false;
      });
    }
    svg.addEventListener("click", (/** @type {PointerEvent} */ event) => {
      if (event.pointerType === "touch") act(event, true);
    });
  }

  /** @param {Store} store */
  function connectPicture(store) {
    const svg = at("curves");
    presses(svg, (event, first) => {
      const model = store.model();
      const scales = chart.scalesOf(svg);
      if (!scales || (!first && model.state.edit !== "look")) return;
      const { x, y } = scales;
      const [px, py] = placeOn(svg, event);
      const far = (/** @type {number} */ a, /** @type {number} */ b) => Math.hypot(x.at(a) - px, y.at(b) - py);
      store.change(actions.press(model, { x: x.invert(px), y: y.invert(py) }, far));
    });
  }

  /** Charts by step are read with the pointer and with the arrow keys. @param {Store} store */
  function connectSteps(store) {
    for (const svg of [at("loss-chart"), at("modes-chart")]) {
      const point = (/** @type {PointerEvent} */ event) => {
        const [px] = placeOn(svg, event);
        const step = Math.round(chart.scalesOf(svg)?.x.invert(px) ?? 0);
        store.change({ probe: Math.min(step, store.model().run.steps) });
      };
      svg.addEventListener("pointermove", point);
      svg.addEventListener("click", point);
      svg.addEventListener("pointerleave", (/** @type {PointerEvent} */ event) => {
        if (event.pointerType !== "touch") store.change({ probe: null });
      });
      svg.addEventListener("blur", () => store.change({ probe: null }));
    }
  }

  /** @param {Store} store */
  function connectModes(store) {
    const shapeOf = (/** @type {any} */ target) => target.closest("button")?.dataset.mode;
    const preview = (/** @type {number | null} */ mode) => picture.feature(store.model(), mode);
    const table = at("modes");
    table.addEventListener("click", (/** @type {any} */ { target }) => {
      const pressed = shapeOf(target);
      if (pressed === undefined) return;
      const mode = Number(pressed);
      store.change({ mode: store.model().state.mode === mode ? null : mode });
    });
    table.addEventListener("mouseover", (/** @type {any} */ { target }) => {
      const over = shapeOf(target);
      preview(over === undefined ? store.model().state.mode : Number(over));
    });
    table.addEventListener("mouseleave", () => preview(store.model().state.mode));
  }

  /** The start is dragged, from near its ring. @param {Store} store */
  function connectSurface(store) {
    const svg = at("surface");
    let dragging = false;
    presses(svg, (event, first) => {
      const model = store.model();
      const scales = chart.scalesOf(svg);
      if (!model.plane || !scales) return;
      const [px, py] = placeOn(svg, event);
      const [a, b] = model.plane.place(model.run.start);
      if (first) dragging = Math.hypot(scales.x.at(a) - px, scales.y.at(b) - py) < 30;
      if (dragging) store.change(actions.startAt(model, scales.x.invert(px), scales.y.invert(py)));
    });
  }

  /** @param {Store} store */
  function connectMap(store) {
    const svg = at("map");
    presses(svg, (event) => {
      const scales = chart.scalesOf(svg);
      if (!scales) return;
      const [px, py] = placeOn(svg, event);
      set(store, scales.x.invert(px), scales.y.invert(py));
    });
    svg.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const move = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      const { map, state } = store.model();
      if (!move || !map) return;
      event.preventDefault();
      const step = map.rates[1] / map.rates[0];
      set(store, state.rate * step ** move[0], 1 - (1 - state.beta) * 10 ** (-move[1] / 12.5));
    });
  }

  /** @param {Store} store @param {number} rate @param {number} beta */
  function set(store, rate, beta) {
    const { state } = store.model();
    const typed = { rate: Number(rate.toPrecision(4)), was: null };
    const used = Math.max(0, Math.min(0.9999, Number(beta.toFixed(4))));
    store.change(state.optimizer === "gd" ? typed : { ...typed, beta: used });
  }

  /** @param {Store} store */
  function connectDegrees(store) {
    const take = (/** @type {number} */ degree) =>
      store.change(actions.pose(store.model(), { degree }));
    at("degrees-table").addEventListener("click", (/** @type {any} */ { target }) => {
      const { degree } = target.closest("button")?.dataset ?? {};
      if (degree !== undefined) take(Number(degree));
    });
    const svg = at("degrees-chart");
    presses(svg, (event) => {
      const [px] = placeOn(svg, event);
      const most = (store.model().degrees?.floor.length ?? 1) - 1;
      take(Math.max(0, Math.min(most, Math.round(chart.scalesOf(svg)?.x.invert(px) ?? 0))));
    });
  }

  // ---- words that explain themselves ----

  /** @param {Store} store */
  function connectTips(store) {
    const tip = at("tip");
    const over = (/** @type {any} */ event) => {
      const word = event.target.closest?.("[data-gloss]");
      tip.hidden = !word;
      if (!word) return;
      dom.put(tip, store.model().t.gloss[word.dataset.gloss]);
      const box = word.getBoundingClientRect();
      const width = Math.min(340, document.documentElement.clientWidth - 20);
      tip.style.maxWidth = `${width}px`;
      const [wide, high] = [tip.offsetWidth, tip.offsetHeight];
      const below = box.bottom + 8 + high < window.innerHeight;
      tip.style.left = `${Math.max(10, Math.min(box.left, document.documentElement.clientWidth - wide - 10))}px`;
      tip.style.top = `${below ? box.bottom + 8 : Math.max(4, box.top - high - 8)}px`;
    };
    for (const event of ["mouseover", "focusin", "click"]) document.addEventListener(event, over);
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") tip.hidden = true;
    });
    document.addEventListener("scroll", () => {
      if (!tip.hidden) over({ target: document.activeElement });
    }, { passive: true });
  }

  /** @param {Store} store */
  function connect(store) {
    connectPicture(store);
    connectSteps(store);
    connectModes(store);
    connectSurface(store);
    connectMap(store);
    connectDegrees(store);
    connectTips(store);
  }

  return Object.freeze({ connect });
})();
