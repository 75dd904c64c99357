// Walks the shown step: one at a time, to a place, or by itself at the speed the reader chose.
"use strict";

/**
 * @typedef {object} Player
 * @property {(step: number, lit?: boolean) => void} jump
 * @property {(count: number) => void} walk
 * @property {() => void} toggle
 * @property {() => void} stop
 */

const players = (() => {
  const FRAMES = 480; // from the first step to the last, however many there are
  const SLOW = 20; // first steps that are shown one by one, so that the cards can be followed
  const [FIRST, LAST] = [700, 120]; // milliseconds that the first and the last of them stay

  /** How long a step stays before the next, in milliseconds; 0 for one frame. @param {string} speed @param {number} step */
  function pause(speed, step) {
    if (speed === "auto") return step < SLOW ? FIRST * (LAST / FIRST) ** (step / (SLOW - 1)) : 0;
    return speed === "fast" ? 0 : 1000 / Number(speed);
  }

  /** @param {Store} store @returns {Player} */
  function make(store) {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    let next = 0; // when the next step is due

    function tell() {
      const { now, t } = store.model();
      store.announce(t.ended(now.step, numerals.show(now.loss, 6)));
    }

    /** @param {number} step @param {boolean} [lit] */
    function go(step, lit = false) {
      const { run } = store.model();
      store.change({ step: Math.max(0, Math.min(step, run.steps)), probe: null });
      if (lit) cards.light();
    }

    // By frames, not by the clock: a hidden tab stands still and goes on where it was.
    /** @param {number} time */
    function advance(time) {
      const { state } = store.model();
      if (!state.playing) return;
      const wait = pause(state.speed, state.step);
      if (wait > 0 && time < next) {
        requestAnimationFrame(advance);
        return;
      }
      const position = forecast.positionOf(state.step, state.steps) + 1 / FRAMES;
      const leap = wait > 0 ? 0 : forecast.stepOf(position, state.steps);
      go(Math.max(state.step + 1, leap), wait >= LAST);
      next = time + pause(state.speed, state.step + 1);
      if (store.model().state.step >= state.steps) {
        store.change({ playing: false });
        tell();
      } else requestAnimationFrame(advance);
    }

    function play() {
      const { state } = store.model();
      if (state.step >= state.steps) go(0);
      if (calm.matches) {
        go(state.steps);
        tell();
        return;
      }
      store.change({ playing: true });
      next = 0;
      requestAnimationFrame(advance);
    }

    function stop() {
      const { state, t } = store.model();
      if (!state.playing) return;
      store.change({ playing: false });
      store.announce(t.paused(state.step));
    }

    return Object.freeze({
      stop,
      jump: (step, lit) => {
        stop();
        go(step, lit);
      },
      walk: (count) => {
        stop();
        go(store.model().state.step + count, Math.abs(count) === 1);
      },
      toggle: () => (store.model().state.playing ? stop() : play()),
    });
  }

  return Object.freeze({ make });
})();
