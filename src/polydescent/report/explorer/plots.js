// The loss and the eigenmodes, by step and as a table.
"use strict";

const plots = (() => {
  const NOISE = 1e-28; // a share this small beside the total is rounding, not motion
  const { at, put, make, mark } = dom;
  const { part, prune } = chart;
  const { show, steps, times } = numerals;

  const seen = (/** @type {number[]} */ values) =>
    values.filter((value) => Number.isFinite(value) && value > 0);

  /**
   * What is worth drawing, from the least to the most: a run that explodes is cut at 10¹⁵ of its
   * start, and one that arrives where its numbers turn to noise.
   * @param {number[]} values @param {number} first @param {number} depth
   */
  function extent(values, first, depth) {
    const cut = Math.max(first, 1e-300) * 1e15;
    const fine = seen(values);
    const top = fine.reduce((a, b) => Math.max(a, b), Number.MIN_VALUE);
    const most = Math.min(top, cut);
    const least = Math.max(fine.reduce((a, b) => Math.min(a, b), most), most * depth);
    const [lo, hi] = [Math.log10(least), Math.log10(most)];
    const pad = Math.max(0.07 * (hi - lo), 0.02);
    return [10 ** (lo - 2 * pad), 10 ** (hi + pad)];
  }

  /** @param {any} svg @param {Model} model */
  function stepAxis(svg, { run, pinned }) {
    const box = chart.boxOf(svg);
    const most = Math.max(run.steps, ...pinned.map((raced) => raced.run.steps));
    return { box, x: chart.steps(most, box.left, box.right) };
  }

  // ---- the loss ----

  /** @param {Model} model */
  const valueOf = ({ state }) => (/** @type {Sample} */ step) =>
    (state.curve === "loss" ? step.loss : step.excess);

  /** @param {Model} model */
  function loss(model) {
    const { samples, pinned, state, problem, t } = model;
    const svg = at("loss-chart");
    const { box, x } = stepAxis(svg, model);
    const of = valueOf(model);
    const all = [samples, ...pinned.map((raced) => raced.samples)].flat().map(of);
    const floors = state.curve === "loss" ? [problem.floor] : [];
    const [lo, hi] = extent([...all, ...floors], of(samples[0]), 1e-32);
    const y = chart.logarithmic(lo, hi, box.bottom, box.top);
    const group = chart.axes(svg, box, x, y);
    const held = (/** @type {number} */ value) => y.at(value < lo ? lo : value);
    const line = (/** @type {Sample[]} */ states) =>
      chart.through(states.map((s) => x.at(s.step)), states.map((s) => held(of(s))));
    const floor = floors.find((value) => value > lo);
    const py = floor === undefined ? 0 : chart.round(y.at(floor));
    part(group, "floor", "path", { class: "line floor", d: floor === undefined ? "" : `M${box.left} ${py}H${box.right}` });
    part(svg, "floor-label", "text", { class: "floor-label", x: box.left + 6, y: py > box.bottom - 18 ? py - 6 : py + 16 },
      floor === undefined ? "" : t.floor(floor));
    pinned.forEach((raced, i) =>
      part(group, `run${i}`, "path", { class: `line run r${i}`, d: line(raced.samples) }));
    prune(group, (key) => !key.startsWith("run") || Number(key.slice(3)) < pinned.length);
    group.append(part(group, "current", "path", { class: "line current", d: line(samples) }));
    group.append(part(group, "dot", "circle", { class: "dot", r: 6 }));
    const ends = [samples[0], samples[samples.length - 1]].map((step) => show(step.loss));
    mark(svg, "aria-label", t.lossLabel(...ends, show(problem.floor)));
  }

  /** The dot of this step, and what the chart says of the one pointed at. @param {Model} model */
  function lossNow(model) {
    const { now, run, state, t } = model;
    const svg = at("loss-chart");
    const scales = chart.scalesOf(svg);
    if (!scales) return;
    const box = chart.boxOf(svg);
    const py = scales.y.at(Math.max(valueOf(model)(now), Number.MIN_VALUE));
    part(part(svg, "inside", "g"), "dot", "circle", {
      cx: chart.round(scales.x.at(now.step)),
      cy: chart.round(chart.near(Math.min(py, box.bottom))),
    });
    const step = state.probe === null ? null : Math.min(state.probe, run.steps);
    const text = step === null ? "" : t.probe(step, show(valueOf(model)(core.stateAt(run, step)), 5));
    chart.probe(svg, box, step === null ? null : scales.x.at(step), text);
    saying(svg, model, t.probe(step ?? now.step, show(valueOf(model)(step === null ? now : core.stateAt(run, step)), 5)));
  }

  /** A chart that is read with the arrow keys, as a slider is. @param {Element} svg @param {Model} model @param {string} text */
  function saying(svg, { run, now, state }, text) {
    mark(svg, "aria-valuemin", "0");
    mark(svg, "aria-valuemax", String(run.steps));
    mark(svg, "aria-valuenow", String(state.probe ?? now.step));
    mark(svg, "aria-valuetext", text);
  }

  // ---- the modes ----

  /** @param {Sample} step @param {number} i */
  const shareOf = (step, i) => (step.shares[i] < NOISE * step.excess ? NaN : step.shares[i]);

  /** @param {Model} model */
  function modes(model) {
    const { samples, problem, state, t } = model;
    const svg = at("modes-chart");
    const { box, x } = stepAxis(svg, { ...model, pinned: [] });
    const count = problem.s.length;
    const all = /** @type {number[]} */ ([]);
    for (const step of samples) for (let i = 0; i < count; i += 1) all.push(shareOf(step, i));
    const [lo, hi] = extent(all, samples[0].excess, 1e-26);
    const y = chart.logarithmic(lo, hi, box.bottom, box.top);
    const group = chart.axes(svg, box, x, y);
    const px = samples.map((step) => x.at(step.step));
    for (let i = 0; i < count; i += 1) {
      const d = chart.through(px, samples.map((step) => y.at(shareOf(step, i))));
      modeLine(group, d, i, count, i === state.mode);
    }
    prune(group, (key) => !key.startsWith("mode") || Number(key.slice(4)) < count);
    group.append(part(group, "now", "path", { class: "line now" }));
    mark(svg, "aria-label", t.modesLabel(count));
  }

  /** One hue, deep for the fast modes and light for the slow; dashes tell neighbors apart. @param {any} parent @param {string} d @param {number} i @param {number} count @param {boolean} chosen */
  function modeLine(parent, d, i, count, chosen) {
    const dashes = ["none", "7 4", "none", "3 3"][i % 4];
    const line = part(parent, `mode${i}`, "path", { class: chosen ? "mode chosen" : "mode", d, "stroke-dasharray": dashes });
    const depth = `${Math.round((60 * (count - 1 - i)) / Math.max(count - 1, 1))}%`;
    if (line.dataset.depth === depth) return;
    line.dataset.depth = depth;
    line.style.setProperty("--depth", depth);
  }

  /** @param {Model} model */
  function modesNow(model) {
    const { now, problem, run, state, t } = model;
    const svg = at("modes-chart");
    const scales = chart.scalesOf(svg);
    if (!scales) return;
    const box = chart.boxOf(svg);
    const px = chart.round(scales.x.at(now.step));
    part(part(svg, "inside", "g"), "now", "path", { d: `M${px} ${box.top}V${box.bottom}` });
    const step = state.probe === null ? null : Math.min(state.probe, run.steps);
    const read = (/** @type {Step} */ at) => {
      const first = Math.max(0, at.shares.findIndex((share) => share === Math.max(...at.shares)));
      return t.probe(at.step, `${t.mode(first + 1)} ${shareText(at, first, t)}`);
    };
    const said = read(step === null ? now : core.stateAt(run, step));
    chart.probe(svg, box, step === null ? null : scales.x.at(step), step === null ? "" : said);
    saying(svg, model, said);
    const rows = at("modes").tBodies[0].rows;
    const there = Math.min(rows.length, problem.s.length); // the table may come a frame later
    for (let i = 0; i < there; i += 1) put(rows[i].cells[2], shareText(now, i, t));
  }

  /** @param {Step} step @param {number} i @param {any} t */
  function shareText({ shares, excess }, i, t) {
    if (!Number.isFinite(excess) || !Number.isFinite(shares[i])) return t.beyond;
    return shares[i] < NOISE * excess || !(excess > 0) ? "≈ 0" : show(shares[i], 3);
  }

  // ---- the table of modes ----

  /** @param {Model} model */
  function modesTable({ problem, pace, now, state, t }) {
    const rows = dom.keep(at("modes").tBodies[0], problem.s.length, modeRow);
    rows.forEach((row, i) => {
      const known = pace ? paceTexts(pace[i], i < problem.rank, t) : [t.walked, t.walked];
      const button = row.cells[0].firstChild;
      mark(button, "aria-label", t.mode(i + 1));
      mark(button, "aria-pressed", String(i === state.mode));
      put(row.cells[1], show(problem.lambda[i]));
      put(row.cells[2], shareText(now, i, t));
      put(row.cells[3].firstChild, known[0]);
      const needed = pace && Number.isFinite(pace[i].steps) ? pace[i].steps : 0;
      const width = Math.round(Math.min(100, 11 * Math.log10(1 + needed))); // full at 10⁹ steps
      const bar = row.cells[3].lastChild;
      if (bar.style.width !== `${width}%`) bar.style.width = `${width}%`;
      put(row.cells[4], known[1]);
    });
  }

  /** @param {number} i */
  function modeRow(i) {
    const row = make("tr");
    const button = Object.assign(make("button", String(i + 1)), { type: "button" });
    button.dataset.mode = i;
    const cells = Array.from({ length: 5 }, () => make("td"));
    cells[0].append(button);
    cells[3].className = "bar";
    cells[3].append(make("span"), make("i"));
    row.append(...cells);
    return row;
  }

  /** @param {Pace} pace @param {boolean} moves @param {any} t */
  function paceTexts({ steps: needed, excess }, moves, t) {
    if (!moves) return [t.stuck, "1"];
    const factor = excess * (2 + excess); // of the share, less 1
    const size = Math.abs(excess) < 1e100 ? factor : excess;
    return [Number.isFinite(needed) ? steps(needed) : excess > 0 ? t.grows : t.stuck, times(size)];
  }

  return Object.freeze({ loss, lossNow, modes, modesNow, modesTable, shareText, valueOf });
})();
