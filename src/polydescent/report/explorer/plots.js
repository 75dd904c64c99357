// The loss and the eigenmodes, by step and as a table.
"use strict";

const plots = (() => {
  const NOISE = 1e-28; // a share this small beside the total is rounding, not motion
  const { at, put, make } = dom;
  const { shape } = chart;
  const { show, steps, MINUS } = numerals;

  const seen = (values) => values.filter((value) => Number.isFinite(value) && value > 0);

  // What is worth drawing, from the least to the most: a run that explodes is cut at 10¹⁵ of its
  // start, and one that arrives where its numbers turn to noise.
  function extent(values, first, depth) {
    const cut = Math.max(first, 1e-300) * 1e15;
    const most = Math.min(Math.max(...seen(values), Number.MIN_VALUE), cut);
    const least = Math.max(Math.min(...seen(values), most), most * depth);
    const [lo, hi] = [Math.log10(least), Math.log10(most)];
    const pad = Math.max(0.07 * (hi - lo), 0.02);
    return [10 ** (lo - 2 * pad), 10 ** (hi + pad)];
  }

  function stepAxis(svg, model) {
    const box = chart.boxOf(svg);
    const most = Math.max(model.run.steps, model.ghost ? model.ghost.steps : 1);
    return { box, x: chart.steps(most, box.left, box.right) };
  }

  function lossChart(model) {
    const { samples, ghostSamples, chosen, problem, t } = model;
    const svg = at("loss-chart");
    const { box, x } = stepAxis(svg, model);
    const of = (state) => state[chosen.curve];
    const all = [...samples, ...ghostSamples].map(of);
    const floors = chosen.curve === "loss" ? [problem.floor] : [];
    const [lo, hi] = extent([...all, ...floors], of(samples[0]), 1e-32);
    const y = chart.logarithmic(lo, hi, box.bottom, box.top);
    const inside = chart.axes(svg, box, x, y);
    const held = (value) => y.at(value < lo ? lo : value);
    const line = (states, name) =>
      shape(inside, "path", {
        class: `line ${name}`,
        d: chart.through(states.map((s) => x.at(s.step)), states.map((s) => held(of(s)))),
      });
    for (const floor of floors.filter((value) => value > lo)) {
      const py = y.at(floor);
      shape(inside, "path", { class: "line floor", d: `M${box.left} ${py}H${box.right}` });
      const place = { class: "floor-label", x: box.left + 6, y: py + 14 };
      shape(svg, "text", place, t.floor(floor));
    }
    if (ghostSamples.length > 0) line(ghostSamples, "ghost");
    line(samples, "current");
    const ends = [samples[0], samples[samples.length - 1]].map(({ loss }) => show(loss));
    svg.setAttribute("aria-label", t.lossLabel(...ends, show(problem.floor)));
    return { x, held, of, dot: shape(inside, "circle", { class: "dot", r: 6 }) };
  }

  function modesChart(model) {
    const { samples, problem, t } = model;
    const svg = at("modes-chart");
    const { box, x } = stepAxis(svg, model);
    const shareOf = (state, i) => (state.shares[i] < NOISE * state.excess ? NaN : state.shares[i]);
    const all = samples.flatMap((state) => [...state.shares].map((_, i) => shareOf(state, i)));
    const [lo, hi] = extent(all, samples[0].excess, 1e-26);
    const y = chart.logarithmic(lo, hi, box.bottom, box.top);
    const inside = chart.axes(svg, box, x, y);
    const px = samples.map((state) => x.at(state.step));
    const lines = problem.lambda.map((_, i) => {
      const d = chart.through(px, samples.map((state) => y.at(shareOf(state, i))));
      return modeLine(inside, d, i, problem.k);
    });
    svg.setAttribute("aria-label", t.modesLabel(problem.k));
    return { x, box, lines, now: shape(inside, "path", { class: "line now" }) };
  }

  // One hue, deep for the fast modes and light for the slow; dashes tell neighbors apart.
  function modeLine(parent, d, i, k) {
    const line = shape(parent, "path", { class: "mode", d });
    if (i % 2 === 1) line.setAttribute("stroke-dasharray", i % 4 === 1 ? "7 4" : "3 3");
    line.style.setProperty("--deep", `${Math.round((60 * (k - 1 - i)) / Math.max(k - 1, 1))}%`);
    return line;
  }

  // ---- the table of modes ----

  function modesTable({ problem, pace, t }) {
    const rows = problem.lambda.map((lambda, i) => {
      const row = make("tr");
      const known = pace ? paceTexts(pace[i], i < problem.rank, t) : [t.walked, t.walked];
      const bar = make("td", known[0]);
      bar.className = "bar";
      if (pace && Number.isFinite(pace[i].steps)) bar.append(barOf(pace[i].steps));
      const cells = [make("td"), make("td", show(lambda)), make("td"), bar, make("td", known[1])];
      cells[0].append(modeButton(i, t));
      row.append(...cells);
      return row;
    });
    at("modes").tBodies[0].replaceChildren(...rows);
  }

  function barOf(needed) {
    const bar = make("i");
    bar.style.width = `${Math.min(100, 11 * Math.log10(1 + needed))}%`; // full at 10⁹ steps
    return bar;
  }

  function modeButton(i, t) {
    const button = Object.assign(make("button", String(i + 1)), { type: "button" });
    button.dataset.mode = i;
    button.setAttribute("aria-label", t.mode(i + 1));
    return button;
  }

  function paceTexts({ steps: needed, factor, gap }, moves, t) {
    if (!moves) return [t.stuck, "1"];
    const times = gap > 0 && gap < 1e-3 ? `1 ${MINUS} ${show(gap, 2)}` : show(factor, 3);
    return [Number.isFinite(needed) ? steps(needed) : factor > 1 ? t.grows : t.stuck, times];
  }

  function pressMode({ mode }, drawn) {
    for (const button of at("modes").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.mode) === mode));
    }
    drawn.modes.lines.forEach((line, i) => line.classList.toggle("chosen", i === mode));
  }

  // ---- one frame ----

  function move({ loss, modes }, state) {
    loss.dot.setAttribute("cx", loss.x.at(state.step));
    loss.dot.setAttribute("cy", chart.near(loss.held(loss.of(state))));
    const px = modes.x.at(state.step);
    modes.now.setAttribute("d", `M${px} ${modes.box.top}V${modes.box.bottom}`);
    [...at("modes").tBodies[0].rows].forEach((row, i) => put(row.cells[2], shareText(state, i)));
  }

  function shareText({ shares, excess }, i) {
    return shares[i] < NOISE * excess || !(excess > 0) ? "≈ 0" : show(shares[i], 3);
  }

  return Object.freeze({ lossChart, modesChart, modesTable, pressMode, move });
})();
