// Starts the page: reads what it carries, then connects state, view, player and inputs.
"use strict";

(async () => {
  const { at } = dom;
  const payload = JSON.parse(at("payload").textContent);

  function firstLanguage() {
    const name = payload.language || navigator.language || "en";
    return name.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
  }

  function firstTheme() {
    return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  /** @param {Store} store */
  function connectTour(store) {
    const visit = (/** @type {number | null} */ stop) => {
      store.change(actions.visit(store.model(), stop));
      if (stop === null) return;
      store.change({ playing: false });
      requestAnimationFrame(() =>
        at(tour.STOPS[stop - 1].about).scrollIntoView({ block: "nearest" }));
    };
    const stopNow = () => store.model().state.tour ?? 0;
    at("take-tour").addEventListener("click", () => {
      visit(1);
      requestAnimationFrame(() => at("tour-next").focus());
    });
    at("tour-next").addEventListener("click", () => visit((stopNow() % tour.STOPS.length) + 1));
    at("tour-back").addEventListener("click", () => visit(Math.max(1, stopNow() - 1)));
    at("tour-end").addEventListener("click", () => {
      visit(null);
      requestAnimationFrame(() => at("take-tour").focus());
    });
  }

  view.build();
  const data = triangle.unpack(payload);
  const grid = await picture.inflate(payload.density);
  const reader = { language: firstLanguage(), theme: firstTheme(), grid: grid !== null };
  const initial = states.fromPayload(payload, reader);
  /** @type {Place} */
  const place = Object.freeze({
    initial, data, sample: payload.sample, grid: reader.grid,
    stop: tour.maker(initial, data), stops: payload.tour === false ? 0 : tour.STOPS.length,
  });
  const store = stores.make(place, models.maker(payload, place, grid));
  const player = players.make(store);
  inputs.connect(store, player);
  pointing.connect(store);
  keys.connect(store, player);
  connectTour(store);
  view.draw(store.model(), 0, true);
  const observer = new ResizeObserver((entries) => {
    if (entries.filter(({ target }) => chart.measure(target)).length > 0) store.resized();
  });
  for (const id of ["curves", "loss-chart", "modes-chart", "surface", "map", "degrees-chart"]) {
    observer.observe(at(id));
  }
  document.documentElement.dataset.ready = "";
})();
