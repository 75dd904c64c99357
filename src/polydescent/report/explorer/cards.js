// The six steps with the numbers of this one, and the whole run as a table.
"use strict";

const cards = (() => {
  const COLLAPSED = 4; // weights shown in a card until the reader asks for more
  const { at, put, make, fill, fillRows, headRow } = dom;
  const { show, uncertain, count, sum, field, weight, polynomial } = numerals;

  const opened = new Set(); // cards whose long tables the reader has opened

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

  // Cards 1 and 2 change with the run, not with the step.
  function still({ problem, data, run, t }) {
    const { k, R, z, rss, basis, degree, best, stderr } = problem;
    put(at("data-note"), t.dataNote(data.n, k + 1));
    const wide = opened.has("card-data") ? k : Math.min(k, COLLAPSED);
    const rest = wide < k ? ["…"] : [];
    const names = Array.from({ length: wide }, (_, j) => polynomial(basis, j));
    card("card-data", t, {
      head: ["R", ...names, ...rest, "z"],
      rows: Array.from(R, (row, i) => [
        String(i + 1),
        ...Array.from(row.subarray(0, wide), (value, j) => entry(value, row[i], j < i)),
        ...rest,
        entry(z[i], row[i]),
      ]),
      foot: [["rss", ...Array(wide + rest.length).fill(""), show(rss)]],
    });
    card("card-start", t, {
      lines: [`ŷ = ${modelText(basis, degree)}`],
      head: [t.weightHead, t.valueHead, t.bestHead],
      rows: Array.from(run.start, (value, j) => [
        weight(basis, degree, j), show(value, 6), uncertain(best[j], stderr[j]),
      ]),
    });
  }

  // What is rounding beside the diagonal is written 0: 1e−15 would only make the table wide.
  function entry(value, beside, below = false) {
    if (below) return "";
    return show(Math.abs(value) < 1e-13 * Math.abs(beside) ? 0 : value, 3);
  }

  function modelText(basis, degree) {
    const terms = Array.from({ length: degree + 1 }, (_, j) => {
      const [w, p] = [weight(basis, degree, j), polynomial(basis, j)];
      return p === "1" ? w : basis === "power" ? `${w}·${p}` : `${w}·${p}(u)`;
    });
    const shown = terms.length > 5 ? [...terms.slice(0, 3), "…", terms.at(-1)] : terms;
    return shown.join(" + ");
  }

  function moving(model, state) {
    const { problem, run, t } = model;
    const name = (j) => weight(problem.basis, problem.degree, j);
    forwardCard(model, state, name);
    const loss = sum([triangle.dot(state.residual, state.residual), problem.rss]);
    card("card-loss", t, {
      lines: [
        "‖R w − z‖² + rss", `= ${loss.terms.join(" + ")}`, `= ${loss.total}`, "",
        t.aboveIs(state.excess),
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
    const phi = triangle.basisAt(data, basis, degree, point.x);
    const products = sum(Array.from(phi, (value, j) => value * state.w[j]));
    const raw = triangle.FAMILIES[basis].raw;
    const beside = Math.ceil(Math.log10(Math.abs(point.x) / (data.half || 1) + 1));
    fill("at-x", field(point.x, 5 + beside)); // far from zero x differs only in later digits
    const compared = [[t.predicted, products.total]];
    if (point.y !== null) {
      const miss = triangle.dot(phi, state.w) - point.y;
      compared.push([t.observed, show(point.y)], [t.missing, show(miss)]);
    }
    card("card-forward", t, {
      lines: raw ? [] : [`u = ${show(triangle.scaled(data, point.x))}`],
      head: [t.termHead, t.weightHead, raw ? "φ(x)" : "φ(u)", t.productHead],
      rows: Array.from(phi, (value, j) => [
        polynomial(basis, j), show(state.w[j]), show(value), products.terms[j],
      ]),
      foot: compared.map(([what, value]) => [what, "", "", value]),
    });
  }

  const FORMULAS = Object.freeze({
    gd: ["w ← w − η g"],
    momentum: ["v ← β v + g", "w ← w − η v"],
    nesterov: ["v ← β v + g", "w ← w − η (g + β v)"],
    adam: ["m ← β₁ m + (1 − β₁) g", "s ← β₂ s + (1 − β₂) g²", "w ← w − η m̂ / (√ŝ + ε)"],
  });

  function updateCard({ run, t }, state, name, goesOn) {
    const { name: optimizer, rate, beta } = run.optimizer;
    const heavy = ["momentum", "nesterov"].includes(optimizer);
    const numbers = `η = ${show(rate)}${heavy ? `, β = ${show(beta)}` : ""}`;
    const lines = [...FORMULAS[optimizer], numbers];
    if (!goesOn) {
      card("card-update", t, { lines: [...lines, "", t.lastStep] });
      return;
    }
    const next = core.after(run, state);
    const velocity = [optimizer === "adam" ? "m" : "v", next.v];
    const [sign, by] = optimizer === "gd" ? ["g", state.gradient] : velocity;
    card("card-update", t, {
      lines,
      head: [t.weightHead, t.valueHead, sign, t.nextHead],
      rows: Array.from(state.w, (value, j) => [
        name(j), show(value, 6), show(by[j]), show(next.w[j], 6),
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

  // ---- the whole run ----

  function trajectory({ run, problem, t }) {
    const table = at("trajectory");
    const name = (_, j) => weight(problem.basis, problem.degree, j);
    headRow(table, [t.step, t.loss, t.above, ...Array.from(problem.z, name)]);
    const states = tableSteps(run.steps).map((step) => core.stateAt(run, step));
    fillRows(table.tBodies[0], states.map(({ step, loss, excess, w }) => [
      count(step), show(loss, 7), show(excess), ...Array.from(w, (value) => show(value, 6)),
    ]));
  }

  // 0, 1, 2, 5, 10, 20, 50 … and the last.
  function tableSteps(most) {
    const out = [0];
    for (let unit = 1; unit <= most; unit *= 10) out.push(unit, 2 * unit, 5 * unit);
    return [...out.filter((step) => step < most), most];
  }

  return Object.freeze({ opened, still, moving, light, trajectory });
})();
