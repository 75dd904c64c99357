// Puts a model on the page: texts, controls, the picture, two charts and six cards. Decides nothing.
"use strict";

const view = (() => {
  const CURVE_POINTS = 161;
  const COLLAPSED = 4; // weights shown in a card until the reader asks for more
  const NOISE = 1e-28; // a share this small beside the total is rounding, not motion
  const ICONS = Object.freeze({ fine: "M3 8.5 6.5 12 13 4.5", bad: "M8 1.8 15 14H1zM8 6v4m0 1.8v.4", plain: "M3 8h10" });

  const at = (id) => document.getElementById(id);
  const { shape } = chart;
  const { show, count, sum, field, weight, polynomial, MINUS } = numerals;

  function put(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function make(name, text = null) {
    const node = document.createElement(name);
    if (text !== null) node.textContent = text;
    return node;
  }

  // ---- words ----

  function write(t, language, theme) {
    const root = document.documentElement;
    root.lang = language;
    root.dataset.theme = theme;
    for (const node of document.querySelectorAll("[data-word]")) put(node, t[node.dataset.word]);
    for (const node of document.querySelectorAll("[data-label]")) {
      node.setAttribute("aria-label", t[node.dataset.label]);
    }
    put(at("language"), t.other);
    at("language").setAttribute("aria-label", `${t.otherName} (${t.other})`);
    at("language").lang = language === "en" ? "zh-CN" : "en";
    put(at("theme"), theme === "dark" ? t.toLight : t.toDark);
    at("about").replaceChildren(...t.about.map((text) => make("p", text)));
    at("keys").replaceChildren(...t.keys.flatMap(([key, text]) => [make("dt", key), make("dd", text)]));
  }

  function title({ payload, data, t }) {
    put(at("title"), payload.title || t.untitled);
    document.title = payload.title || t.untitled;
    const shared = payload.sample ? ` ${t.rowsShared(payload.sample[0].length)}` : "";
    put(at("subtitle"), t.subtitle(data.n, payload.triangle.length) + shared);
  }

  // ---- controls ----

  // A field in which the reader is typing is left alone.
  function fill(id, value) {
    const node = at(id);
    if (!("typing" in node.dataset) && node.value !== value) node.value = value;
  }

  function slide(id, value, text) {
    const node = at(id);
    if (Number(node.value) !== value) node.value = value;
    node.setAttribute("aria-valuetext", text);
  }

  function check(name, value) {
    for (const node of document.getElementsByName(name)) node.checked = node.value === value;
  }

  function mood(box, icon, name) {
    at(box).dataset.mood = name;
    at(icon).setAttribute("d", ICONS[name]);
  }

  function controls(model) {
    const { t, chosen, data, problem, rows } = model;
    const sources = { density: model.grid, sample: model.payload.sample };
    slide("rate", model.rateRange.positionOf(chosen.rate), show(chosen.rate));
    fill("rate-field", field(chosen.rate));
    slide("beta", chosen.beta, show(chosen.beta));
    fill("beta-field", field(chosen.beta));
    for (const id of ["beta1", "beta2", "eps"]) fill(id, String(chosen[id]));
    slide("steps", Math.log10(chosen.steps), count(chosen.steps));
    fill("steps-field", String(chosen.steps));
    at("degree").max = data.degree;
    slide("degree", chosen.degree, String(chosen.degree));
    put(at("degree-out"), String(chosen.degree));
    check("optimizer", chosen.optimizer);
    check("basis", chosen.basis);
    check("curve", chosen.curve);
    check("rows", rows);
    for (const node of document.getElementsByName("rows")) {
      node.disabled = node.value !== "none" && !sources[node.value];
    }
    at("rows-as").hidden = !sources.density && !sources.sample;
    at("with-beta").hidden = !["momentum", "nesterov"].includes(chosen.optimizer);
    at("with-adam").hidden = chosen.optimizer !== "adam";
    at("fastest-rate").disabled = !core.fastest(problem, model.run.optimizer, false);
    at("fastest-pair").disabled = !core.fastest(problem, model.run.optimizer, true);
    for (const id of ["at-limit", "just-over"]) at(id).disabled = !(model.limit > 0);
    put(at("pin"), chosen.ghost ? t.unpin : t.pin);
    limit(model);
    condition(model);
    startFields(model);
  }

  function limit({ t, chosen, limit: most, rateRange, run, pace, overflow }) {
    const track = at("rate").parentElement;
    track.classList.toggle("free", most === null);
    if (most === null) {
      mood("status", "status-icon", "plain");
      put(at("status-word"), t.noLimit);
      put(at("status-more"), t.adamNote(core.WALKED));
      return;
    }
    const share = Math.min(Math.max(rateRange.positionOf(most) / 1000, 0), 1);
    track.style.setProperty("--at", `${100 * share}%`);
    track.style.setProperty("--shift", share > 0.7 ? "-100%" : share < 0.3 ? "0" : "-50%");
    put(at("limit"), t.limit(most));
    const diverges = chosen.rate > most;
    mood("status", "status-icon", diverges ? "bad" : "fine");
    put(at("status-word"), diverges ? t.diverges(most) : t.stable(most));
    const fastest = pace.reduce((best, { factor }, i) => (factor > pace[best].factor ? i : best), 0);
    const lines = diverges
      ? [t.explodes(fastest + 1, Math.sqrt(pace[fastest].factor)), overflow === null ? "" : t.overflow(overflow)]
      : [slowest(t, pace, run.problem.rank)];
    put(at("status-more"), lines.filter(Boolean).join(" "));
  }

  function slowest(t, pace, rank) {
    const most = Math.max(...pace.slice(0, rank).map((mode) => mode.steps));
    return Number.isFinite(most) ? t.tenfold(steps(most)) : "";
  }

  const steps = (value) => (value < 1e7 ? count(Math.ceil(value)) : show(value, 3));

  function condition({ t, problem, chosen }) {
    const { condition: kappa, rank, distinct, k, basis } = problem;
    const finite = Number.isFinite(problem.lambda[0]) && problem.lambda[0] > 0;
    const few = distinct < k;
    const lost = rank < Math.min(distinct, k);
    const level = !finite || lost ? "bad" : kappa > 1e6 ? "bad" : few ? "plain" : "fine";
    mood("condition", "condition-icon", level);
    put(at("kappa"), t.kappa(!finite ? "= ∞" : lost ? `> ${show(1 / Number.EPSILON, 1)}` : `= ${show(kappa)}`));
    const advice = !finite ? t.unusable : lost ? t.hopeless(rank, k) : kappaAdvice(t, kappa);
    put(at("advice"), few ? t.few(distinct, k) : advice);
    at("cure").hidden = basis === "chebyshev" || level !== "bad";
    put(at("basis-note"), t.basisOf[chosen.basis]);
  }

  const kappaAdvice = (t, kappa) => (kappa < 20 ? t.good : kappa < 1e6 ? t.fair : t.poor);

  function startFields({ chosen }) {
    const box = at("start-fields");
    if (box.childElementCount !== chosen.degree + 1) {
      box.replaceChildren(...Array.from({ length: chosen.degree + 1 }, (_, j) => startField(j)));
    }
    [...box.children].forEach((label, j) => {
      put(label.firstChild, weight(chosen.basis, chosen.degree, j));
      fill(`start-${j}`, field(chosen.start[j] || 0));
    });
  }

  function startField(j) {
    const label = make("label");
    const input = make("input");
    Object.assign(input, { id: `start-${j}`, inputMode: "decimal", autocomplete: "off" });
    input.dataset.weight = j;
    label.append(make("span"), input);
    return label;
  }

  // ---- the picture ----

  // Where the rows are drawn: their own range, or that of the best curve where no rows came along.
  function rangeOf({ payload, grid, data, problem }) {
    const ys = grid?.y ?? payload.sample?.[1] ?? bestRange(data, problem);
    let [lo, hi] = [Infinity, -Infinity];
    for (const y of ys) [lo, hi] = [Math.min(lo, y), Math.max(hi, y)];
    const [padX, padY] = [0.03 * 2 * data.half || 1, 0.05 * (hi - lo) || 1];
    return { x: [data.lo - padX, data.hi + padX], y: [lo - padY, hi + padY] };
  }

  function bestRange(data, problem) {
    const spread = 2 * Math.sqrt(problem.floor / Math.max(data.n, 1));
    const ys = curveXs(data).map((x) => core.dot(core.basisAt(data, "chebyshev", problem.degree, x), problem.curve));
    return [Math.min(...ys) - spread, Math.max(...ys) + spread];
  }

  const curveXs = ({ lo, hi }) =>
    Array.from({ length: CURVE_POINTS }, (_, i) => lo + (hi - lo) * (i / (CURVE_POINTS - 1)));

  const designOf = ({ data, degree }, basis) =>
    curveXs(data).map((x) => core.basisAt(data, basis, degree, x));

  const heights = (design, weights) => design.map((row) => core.dot(row, weights));

  // Draws what stays while the run plays; `frame` moves the rest.
  function picture(model) {
    const { problem, data, ghost, chosen, t } = model;
    const svg = at("curves");
    const box = chart.boxOf(svg);
    const range = rangeOf(model);
    const x = chart.linear(...range.x, box.left, box.right);
    const y = chart.linear(...range.y, box.bottom, box.top);
    const inside = chart.axes(svg, box, x, y);
    shape(svg, "text", { x: box.right, y: box.bottom - 6, "text-anchor": "end" }, axisName(model.payload.x_name, x));
    shape(svg, "text", { x: box.left + 4, y: box.top + 8 }, axisName(model.payload.y_name, y));
    const xs = curveXs(data);
    const px = xs.map(x.at);
    const lineOf = (name) => shape(inside, "path", { class: `line ${name}` });
    const halo = shape(inside, "path", { class: "halo" });
    const picked = shape(inside, "g", { class: "point" });
    const drawn = {
      box, x, y, px, range,
      design: designOf(problem, problem.basis),
      ghostDesign: ghost && designOf(ghost.problem, ghost.problem.basis),
      feature: lineOf("feature"), ghost: lineOf("ghost"), current: lineOf("current"), best: lineOf("best"),
      miss: shape(picked, "path", { class: "line miss" }),
      picked: shape(picked, "circle", { class: "picked", r: 6 }),
    };
    const best = heights(designOf(problem, "chebyshev"), problem.curve);
    drawn.best.setAttribute("d", chart.through(px, best.map(y.at)));
    halo.setAttribute("d", drawn.best.getAttribute("d"));
    at("ghost-key").hidden = !ghost;
    put(at("ghost-key"), ghost ? `${t.pinned}: ${t[chosen.ghost.optimizer]}, η ${show(chosen.ghost.rate)}` : "");
    feature(drawn, model);
    canvas(model, drawn);
    return drawn;
  }

  const axisName = (name, { base }) => (base === 0 ? name : `${name} ${MINUS} ${show(base, 12)}`);

  // The shape of one eigenmode, a third of the picture high, around its middle.
  function feature(drawn, { problem, mode, t }) {
    at("feature-key").hidden = mode === null;
    drawn.feature.setAttribute("d", "");
    if (mode === null) return;
    put(at("feature-key"), t.mode(mode + 1));
    const ys = heights(drawn.design, problem.right[mode]);
    const tallest = Math.max(...ys.map(Math.abs)) || 1;
    const [middle, third] = [(drawn.box.top + drawn.box.bottom) / 2, (drawn.box.bottom - drawn.box.top) / 3];
    drawn.feature.setAttribute("d", chart.through(drawn.px, ys.map((v) => middle - (third * v) / tallest)));
  }

  // The rows themselves: the one thing too many for SVG. Redrawn on resize, theme and choice only.
  function canvas({ payload, grid, rows }, { box, x, y }) {
    const node = at("rows");
    const sharp = window.devicePixelRatio || 1;
    node.width = Math.round(node.clientWidth * sharp);
    node.height = Math.round(node.clientHeight * sharp);
    const context = node.getContext("2d");
    context.scale(sharp, sharp);
    context.beginPath();
    context.rect(box.left, box.top - 4, box.right - box.left, box.bottom - box.top + 8);
    context.clip();
    const ink = getComputedStyle(document.documentElement).getPropertyValue("--rows");
    if (rows === "density") density(context, grid, x, y, ink);
    if (rows === "sample") sample(context, payload.sample, x, y, ink);
  }

  // A density as bytes, or null where the browser is too old to inflate it.
  async function inflate(grid) {
    if (!grid || !window.DecompressionStream) return null;
    const packed = Uint8Array.from(atob(grid.levels), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return { ...grid, levels: new Uint8Array(await new Response(stream).arrayBuffer()) };
  }

  function density(context, grid, x, y, ink) {
    const picture = new ImageData(grid.columns, grid.rows);
    const color = ink.split(",").map(Number);
    grid.levels.forEach((level, i) => {
      // The faintest cell is one row in ten million and must still be seen.
      picture.data.set([...color, level === 0 ? 0 : 24 + (126 * level) / grid.deepest], 4 * i);
    });
    const small = document.createElement("canvas");
    [small.width, small.height] = [grid.columns, grid.rows];
    small.getContext("2d").putImageData(picture, 0, 0);
    const [left, top] = [x.at(grid.x[0]), y.at(grid.y[1])];
    context.imageSmoothingEnabled = false;
    context.drawImage(small, left, top, x.at(grid.x[1]) - left, y.at(grid.y[0]) - top);
  }

  function sample(context, [xs, ys], x, y, ink) {
    context.fillStyle = `rgba(${ink}, ${xs.length > 1000 ? 0.35 : 0.6})`;
    xs.forEach((value, i) => {
      context.beginPath();
      context.arc(x.at(value), y.at(ys[i]), 2, 0, 7);
      context.fill();
    });
  }

  // ---- the two charts ----

  const seen = (values) => values.filter((value) => Number.isFinite(value) && value > 0);

  // From the least to the most that is worth drawing; a run that explodes is cut at 10¹⁵ of its start.
  function extent(values, first, depth) {
    const most = Math.min(Math.max(...seen(values), Number.MIN_VALUE), Math.max(first, 1e-300) * 1e15);
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
    if (chosen.curve === "loss" && problem.floor > lo) {
      const py = y.at(problem.floor);
      shape(inside, "path", { class: "line floor", d: `M${box.left} ${py}H${box.right}` });
      const label = t.floor(problem.floor);
      shape(svg, "text", { class: "floor-label", x: box.left + 6, y: py + 14 }, label);
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
      const line = shape(inside, "path", {
        class: "mode", d: chart.through(px, samples.map((state) => y.at(shareOf(state, i)))),
      });
      if (i % 2 === 1) line.setAttribute("stroke-dasharray", i % 4 === 1 ? "7 4" : "3 3");
      line.style.setProperty("--deep", `${Math.round((60 * (problem.k - 1 - i)) / Math.max(problem.k - 1, 1))}%`);
      return line;
    });
    svg.setAttribute("aria-label", t.modesLabel(problem.k));
    return { x, box, lines, now: shape(inside, "path", { class: "line now" }) };
  }

  // ---- the table of modes ----

  function modesTable({ problem, pace, t }) {
    const rows = problem.lambda.map((lambda, i) => {
      const row = make("tr");
      const button = make("button", String(i + 1));
      button.type = "button";
      button.dataset.mode = i;
      button.setAttribute("aria-label", t.mode(i + 1));
      const first = make("td");
      first.append(button);
      const [steps1, factor] = pace ? paceTexts(pace[i], i < problem.rank, t) : [t.walked, t.walked];
      const bar = make("td", steps1);
      bar.className = "bar";
      if (pace && Number.isFinite(pace[i].steps)) {
        const ink = bar.appendChild(make("i"));
        ink.style.width = `${Math.min(100, 11 * Math.log10(1 + pace[i].steps))}%`;
      }
      row.append(first, make("td", show(lambda)), make("td"), bar, make("td", factor));
      return row;
    });
    at("modes").tBodies[0].replaceChildren(...rows);
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

  // ---- the six cards ----

  const opened = new Set(); // cards whose long tables the reader has opened

  // Brings a table to these rows of text, touching only cells that change.
  function fillRows(body, rows) {
    while (body.rows.length > rows.length) body.deleteRow(-1);
    rows.forEach((cells, i) => {
      const row = body.rows[i] || body.insertRow();
      while (row.cells.length > cells.length) row.deleteCell(-1);
      cells.forEach((text, j) => put(row.cells[j] || row.insertCell(), text));
    });
  }

  function partsOf(id) {
    const body = at(id).querySelector(".body");
    if (body.childElementCount === 0) {
      const formula = make("p");
      formula.className = "formula";
      const scroll = make("div");
      const table = make("table");
      table.className = "numbers";
      table.append(make("thead"), make("tbody"), make("tfoot"));
      scroll.append(table);
      const more = make("button");
      more.type = "button";
      more.dataset.opens = id;
      body.append(formula, scroll, more);
    }
    const [formula, scroll, more] = body.children;
    return { formula, scroll, more, table: scroll.firstChild };
  }

  // One card: lines of formula, then a table of which the first four rows are always shown.
  function card(id, t, { lines = [], head = [], rows = [], foot = [] }) {
    const { formula, scroll, more, table } = partsOf(id);
    const open = opened.has(id);
    put(formula, lines.join("\n"));
    table.hidden = rows.length === 0;
    scroll.className = open ? "scroll" : "";
    if (open) scroll.setAttribute("tabindex", "0"); // what scrolls must be reachable by key
    else scroll.removeAttribute("tabindex");
    headRow(table, head);
    fillRows(table.tBodies[0], open ? rows : rows.slice(0, COLLAPSED));
    fillRows(table.tFoot, foot);
    more.hidden = rows.length <= COLLAPSED;
    put(more, open ? t.fewer : t.more(rows.length - COLLAPSED));
    more.setAttribute("aria-expanded", String(open));
  }

  function headRow(table, head) {
    const row = table.tHead.rows[0] || table.tHead.insertRow();
    if (row.cells.length === head.length && head.every((text, j) => row.cells[j].textContent === text)) return;
    row.replaceChildren(...head.map((text) => {
      const cell = make("th", text);
      cell.scope = "col";
      return cell;
    }));
  }

  // Cards 1 and 2 change with the run, not with the step.
  function stillCards({ problem, data, run, t }) {
    const { k, R, z, rss, basis, degree } = problem;
    put(at("data-note"), t.dataNote(data.n, k + 1));
    const wide = opened.has("card-data") ? k : Math.min(k, COLLAPSED);
    const rest = wide < k ? ["…"] : [];
    const names = Array.from({ length: wide }, (_, j) => polynomial(basis, j));
    card("card-data", t, {
      head: ["R", ...names, ...rest, "z"],
      rows: Array.from(R, (row, i) => [
        String(i + 1),
        ...Array.from(row.subarray(0, wide), (value, j) => (j < i ? "" : show(clean(value, row[i]), 3))),
        ...rest,
        show(clean(z[i], row[i]), 3),
      ]),
      foot: [["rss", ...Array(wide + rest.length).fill(""), show(rss)]],
    });
    card("card-start", t, {
      lines: [`ŷ = ${modelText(basis, degree)}`],
      head: [t.weightHead, t.valueHead],
      rows: Array.from(run.start, (value, j) => [weight(basis, degree, j), show(value, 6)]),
    });
  }

  // Rounding beside a number of ordinary size: 1e−15 would only make the table wide.
  const clean = (value, beside) => (Math.abs(value) < 1e-13 * Math.abs(beside) ? 0 : value);

  function modelText(basis, degree) {
    const terms = Array.from({ length: degree + 1 }, (_, j) => {
      const p = polynomial(basis, j);
      return weight(basis, degree, j) + (p === "1" ? "" : basis === "power" ? `·${p}` : `·${p}(u)`);
    });
    return terms.length > 5 ? [...terms.slice(0, 3), "…", terms.at(-1)].join(" + ") : terms.join(" + ");
  }

  function movingCards(model, state) {
    const { problem, run, t } = model;
    const name = (j) => weight(problem.basis, problem.degree, j);
    forwardCard(model, state, name);
    const loss = sum([core.dot(state.residual, state.residual), problem.rss]);
    card("card-loss", t, {
      lines: [
        "‖R w − z‖² + rss", `= ${loss.terms.join(" + ")}`, `= ${loss.total}`, "",
        `${t.above}: ${show(state.excess)}`,
      ],
    });
    card("card-backward", t, {
      lines: ["g = 2 Rᵀ (R w − z)"],
      head: [t.weightHead, t.residualHead, t.slopeHead],
      rows: Array.from(state.gradient, (g, j) => [name(j), show(state.residual[j]), show(g)]),
    });
    updateCard(model, state, name, state.step < run.steps);
  }

  function forwardCard({ problem, data, chosen, point, t }, state, name) {
    const { basis, degree } = problem;
    const phi = core.basisAt(data, basis, degree, point.x);
    const products = sum(Array.from(phi, (value, j) => value * state.w[j]));
    const raw = core.FAMILIES[basis].raw;
    fill("at-x", field(point.x));
    const missing = point.y === null ? [] : [
      [t.observed, "", "", show(point.y)], [t.missing, "", "", show(core.dot(phi, state.w) - point.y)],
    ];
    card("card-forward", t, {
      lines: raw ? [] : [`u = ${show(core.scaled(data, point.x))}`],
      head: [t.termHead, t.weightHead, raw ? "φ(x)" : "φ(u)", t.productHead],
      rows: Array.from(phi, (value, j) => [
        polynomial(basis, j), show(state.w[j]), show(value), products.terms[j],
      ]),
      foot: [[t.predicted, "", "", products.total], ...missing],
    });
  }

  const FORMULAS = Object.freeze({
    gd: () => ["w ← w − η g"],
    momentum: () => ["v ← β v + g", "w ← w − η v"],
    nesterov: () => ["v ← β v + g", "w ← w − η (g + β v)"],
    adam: () => ["m ← β₁ m + (1 − β₁) g", "s ← β₂ s + (1 − β₂) g²", "w ← w − η m̂ / (√ŝ + ε)"],
  });

  function updateCard({ run, t }, state, name, goesOn) {
    const { name: optimizer, rate, beta } = run.optimizer;
    const numbers = `η = ${show(rate)}${["momentum", "nesterov"].includes(optimizer) ? `, β = ${show(beta)}` : ""}`;
    const lines = [...FORMULAS[optimizer](), numbers];
    if (!goesOn) {
      card("card-update", t, { lines: [...lines, "", t.lastStep] });
      return;
    }
    const next = core.after(run, state);
    const moving = optimizer !== "gd";
    card("card-update", t, {
      lines,
      head: [t.weightHead, t.valueHead, !moving ? "g" : optimizer === "adam" ? "m" : "v", t.nextHead],
      rows: Array.from(state.w, (value, j) => [
        name(j), show(value, 6), show(moving ? next.v[j] : state.gradient[j]), show(next.w[j], 6),
      ]),
    });
  }

  function light() {
    for (const id of ["card-forward", "card-loss", "card-backward", "card-update"]) {
      at(id).classList.remove("lit");
      void at(id).offsetWidth; // restarts the animation
      at(id).classList.add("lit");
    }
  }

  // ---- texts below ----

  function trajectory({ run, problem, t }) {
    const table = at("trajectory");
    const name = (_, j) => weight(problem.basis, problem.degree, j);
    headRow(table, [t.step, t.loss, t.above, ...Array.from(problem.z, name)]);
    const states = tableSteps(run.steps).map((step) => core.stateAt(run, step));
    fillRows(table.tBodies[0], states.map((state) => [
      count(state.step), show(state.loss, 7), show(state.excess), ...Array.from(state.w, (v) => show(v, 6)),
    ]));
  }

  // 0, 1, 2, 5, 10, 20, 50 … and the last.
  function tableSteps(most) {
    const out = [0];
    for (let unit = 1; unit <= most; unit *= 10) out.push(unit, 2 * unit, 5 * unit);
    return [...out.filter((step) => step < most), most];
  }

  // ---- all of it, and one frame of it ----

  // The picture is the one expensive part: drawn again only where something in it changed.
  function samePicture(a, b) {
    const { chosen: was } = a;
    const { chosen: is } = b;
    return (
      a.problem === b.problem && a.rows === b.rows && a.ghost === b.ghost && a.mode === b.mode &&
      was.theme === is.theme && was.language === is.language
    );
  }

  function draw(model, before, drawnBefore, resized) {
    title(model);
    controls(model);
    modesTable(model);
    stillCards(model);
    const kept = !resized && before && samePicture(before, model);
    const drawn = {
      picture: kept ? drawnBefore.picture : picture(model),
      loss: lossChart(model),
      modes: modesChart(model),
    };
    pressMode(model, drawn);
    if (at("table-details").open) trajectory(model);
    put(at("python"), model.python);
    return drawn;
  }

  function frame(model, drawn, state, ghostState) {
    const { t, run } = model;
    slide("scrub", 1000 * core.positionOf(state.step, run.steps), t.stepN(state.step));
    fill("step", String(state.step));
    put(at("loss"), show(state.loss, 7));
    put(at("excess"), show(state.excess));
    at("curves").setAttribute("aria-label", t.pictureLabel(count(state.step), show(state.loss)));
    moveCurves(drawn.picture, model, state, ghostState);
    drawn.loss.dot.setAttribute("cx", drawn.loss.x.at(state.step));
    drawn.loss.dot.setAttribute("cy", chart.near(drawn.loss.held(drawn.loss.of(state))));
    const px = drawn.modes.x.at(state.step);
    drawn.modes.now.setAttribute("d", `M${px} ${drawn.modes.box.top}V${drawn.modes.box.bottom}`);
    [...at("modes").tBodies[0].rows].forEach((row, i) => put(row.cells[2], shareText(state, i)));
    movingCards(model, state);
  }

  function shareText({ shares, excess }, i) {
    return shares[i] < NOISE * excess || !(excess > 0) ? "≈ 0" : show(shares[i], 3);
  }

  function moveCurves(drawn, { t, point, grid, problem }, state, ghostState) {
    const { x, y, px, range } = drawn;
    const ys = heights(drawn.design, state.w);
    drawn.current.setAttribute("d", chart.through(px, ys.map(y.at)));
    if (ghostState) {
      const ghostYs = heights(drawn.ghostDesign, ghostState.w);
      drawn.ghost.setAttribute("d", chart.through(px, ghostYs.map(y.at)));
    }
    const farthest = ys.reduce((a, b) => (Math.abs(b) > Math.abs(a) || Number.isNaN(b) ? b : a), 0);
    const span = range.y[1] - range.y[0];
    const off = !(farthest < range.y[1] + span && farthest > range.y[0] - span);
    const outside = grid?.outside ? t.outside(grid.outside) : "";
    put(at("picture-note"), Number.isNaN(farthest) ? t.lost : off ? t.offChart(farthest) : `${outside} ${t.pickHint}`.trim());
    movePoint(drawn, problem, point, state.w);
  }

  // The point of card 3, and what the current curve misses it by.
  function movePoint({ x, y, picked, miss }, { data, basis, degree }, point, weights) {
    const predicted = core.dot(core.basisAt(data, basis, degree, point.x), weights);
    const [px, py, curve] = [x.at(point.x), y.at(point.y ?? predicted), y.at(predicted)];
    picked.setAttribute("cx", px);
    picked.setAttribute("cy", chart.near(py));
    miss.setAttribute("d", chart.through([px, px], [py, curve]));
  }

  return Object.freeze({
    at, write, draw, frame, feature, pressMode, light, opened, stillCards, inflate,
  });
})();
