// Keys: Space plays wherever the focus is, arrows walk, and a control keeps the keys it needs.
"use strict";

const keys = (() => {
  const { at } = dom;

  /** @param {KeyboardEvent} event */
  function strideOf({ key, shiftKey }) {
    const sign = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[key] || 0;
    return sign * (shiftKey ? 10 : 1);
  }

  /** @param {Store} store @param {Player} player */
  function connect(store, player) {
    /** @param {KeyboardEvent} event */
    function walkBy(event) {
      const { steps } = store.model().run;
      if (event.key === "Home") player.jump(0);
      else if (event.key === "End") player.jump(steps);
      else if (strideOf(event) !== 0) player.walk(strideOf(event));
      else return;
      event.preventDefault();
    }

    /** On the scrubber itself arrows are steps too, and pages are a tenth of the scale. @param {KeyboardEvent} event */
    function scrub(event) {
      const pages = { PageUp: 0.1, PageDown: -0.1 }[event.key];
      if (pages === undefined) {
        walkBy(event);
        return;
      }
      const { state, run } = store.model();
      const position = forecast.positionOf(state.step, run.steps) + pages;
      player.jump(forecast.stepOf(Math.max(0, Math.min(1, position)), run.steps));
      event.preventDefault();
    }

    /** A chart is read by moving what it points at. @param {KeyboardEvent} event */
    function read(event) {
      const { state, run } = store.model();
      const from = state.probe ?? state.step;
      const ends = /** @type {Record<string, number>} */ ({ Home: 0, End: run.steps });
      const to = ends[event.key] ?? from + strideOf(event);
      if (to === from && !(event.key in ends)) return;
      store.change({ probe: Math.max(0, Math.min(run.steps, to)) });
      event.preventDefault();
    }

    const isText = (/** @type {any} */ target) =>
      target.matches("input:not([type]), input[type=text], textarea");
    const isPlain = (/** @type {KeyboardEvent} */ { ctrlKey, metaKey, altKey }) => !ctrlKey && !metaKey && !altKey;

    document.addEventListener("keydown", (event) => {
      const target = /** @type {Element} */ (event.target);
      if (event.key !== " " || !isPlain(event) || isText(target)) return;
      event.preventDefault();
      event.stopPropagation();
      if (!event.repeat) player.toggle();
    }, { capture: true });
    // Buttons and boxes act when Space is let go.
    document.addEventListener("keyup", (event) => {
      if (event.key === " " && !isText(event.target)) event.preventDefault();
    }, { capture: true });
    document.addEventListener("keydown", (event) => {
      const target = /** @type {Element} */ (event.target);
      if (event.defaultPrevented || !isPlain(event)) return;
      const own = target.closest("input, select, summary, [tabindex]");
      if (!own && !["ArrowUp", "ArrowDown"].includes(event.key)) walkBy(event);
    });
    at("scrub").addEventListener("keydown", scrub);
    for (const id of ["loss-chart", "modes-chart"]) at(id).addEventListener("keydown", read);
    document.addEventListener("input", ({ target }) => {
      const input = /** @type {HTMLInputElement} */ (target);
      if (isText(input)) input.dataset.typing = "";
    });
    document.addEventListener("focusout", ({ target }) => {
      const input = /** @type {HTMLInputElement} */ (target);
      if (!input.dataset || input.getAttribute("aria-invalid") === "true") return; // stays, to be put right
      delete input.dataset.typing;
      view.refill(store.model());
    });
  }

  return Object.freeze({ connect });
})();
