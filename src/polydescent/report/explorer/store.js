// Holds the one state, draws it at most once a frame, and keeps it in the URL hash.
"use strict";

/**
 * @typedef {object} Store
 * @property {() => Model} model  of the state as it is now
 * @property {(patch: Partial<State>) => void} change
 * @property {() => void} resized
 * @property {() => string} link  the address of this state
 * @property {(text: string) => void} announce  to a screen reader
 */

const stores = (() => {
  const PATIENCE = 15; // frames that what may be late waits for one without a change
  const LATER = 250; // milliseconds: browsers refuse a page that rewrites its address in every frame

  /** @param {Place} place @param {(state: State) => Model} modelOf @returns {Store} */
  function make(place, modelOf) {
    let state = states.fromHash(location.hash, place);
    let [asked, size, saving, late] = [false, 0, 0, 0];
    let written = location.hash;
    let paper = false;
    /** @type {Model | null} */
    let known = null;

    const model = () => {
      if (known?.state !== state) known = modelOf(state);
      return /** @type {Model} */ (known);
    };

    const ask = () => {
      if (!asked) requestAnimationFrame(answer);
      asked = true;
    };

    const shown = () => {
      const { state: chosen, ...rest } = model();
      const theme = paper ? "light" : chosen.theme;
      return { ...rest, state: Object.freeze({ ...chosen, theme }) };
    };

    function answer() {
      asked = false;
      if (!view.draw(shown(), size, paper) || late > 0) return;
      late = 1;
      requestAnimationFrame(catchUp);
    }

    /** What may be late is drawn in the first frame without a change, or after some. */
    function catchUp() {
      if (asked && late < PATIENCE) {
        late += 1;
        requestAnimationFrame(catchUp);
        return;
      }
      late = 0;
      view.draw(shown(), size, true);
    }

    const hash = () => `#${states.toHash(state, place)}`;

    function remember() {
      clearTimeout(saving);
      saving = setTimeout(() => {
        written = hash();
        try {
          history.replaceState(null, "", written);
        } catch {
          // A sandboxed frame has no address to write to; the link button still knows it.
        }
      }, LATER);
    }

    /** Paper is light: what is drawn on it is drawn before it is printed. @param {boolean} is */
    const onPaper = (is) => () => {
      paper = is;
      answer();
    };
    window.addEventListener("beforeprint", onPaper(true));
    window.addEventListener("afterprint", onPaper(false));

    window.addEventListener("hashchange", () => {
      if (location.hash === written) return;
      state = states.fromHash(location.hash, place);
      ask();
    });

    return Object.freeze({
      model,
      change: (patch) => {
        state = states.change(state, patch, place);
        ask();
        remember();
      },
      resized: () => {
        size += 1;
        ask();
      },
      link: () => location.href.replace(/#.*$/, "") + hash(),
      announce: (text) => dom.put(dom.at("live"), text),
    });
  }

  return Object.freeze({ make });
})();
