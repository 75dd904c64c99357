// The six steps with the numbers of this one, and the whole run as a table.
"use strict";

/** @typedef {{lines?: string[], head?: string[], rows?: string[][], foot?: string[][]}} Contents */

const cards = (() => {
  const COLLAPSED = 4; // weights shown in a card until the reader asks for more
  const { at, put, make, mark, fill, fillRows, headRow } = dom;
  const { show, uncertain, count, sum, field, weight, polynomial } = numerals;

  /** @param {string} name */
  function partsOf(name) {
    const body = at(`card-${name}`).querySelector(".body");
    if (body.childElementCount === 0) {
      const formula = make("p");
      formula.className = "formula";
      const scroll = make("div");
      scroll.className = "scroll";
      const table = make("table");
      table.className = "numbers";
      table.append(make("thead"), make("tbody"), make("tfoot"));
      scroll.append(table);
      const more = make("button");
      more.type = "button";
      more.dataset.opens = name;
      body.append(formula, scroll, more);
    }
    const [formula, scroll, more] = body.children;
    return { formula, scroll, more, table: scroll.firstChild };
  }

  /**
   * One card: lines of formula, then a table of which the first four rows are always shown.
   * @param {string} name @param {Model} model @param {Contents} contents
   */
  function card(name, { state, t }, { lines = [], head = [], rows = [], foot = [] }) {
    const { formula, scroll, more, table } = partsOf(name);
    const open = state.opened.includes(name);
    put(formula, lines.join("\n"));
    table.hidden = rows.length === 0;
    mark(scroll, "tabindex", table.hidden ? "-1" : "0"); // what scrolls must be reachable by key
    headRow(table, head);
    fillRows(table.tBodies[0], open ? rows : rows.slice(0, COLLAPSED));
    fillRows(table.tFoot, foot);
    more.hidden = rows.length <= COLLAPSED;
    put(more, open ? t.fewer : t.more(rows.length - COLLAPSED));
    mark(more, "aria-expanded", String(open));
  }

  /** Cards 1 and 2 change with the run, not with the step. @param {Model} model */
  function still(model) {
    const { problem, data, run, state, t } = model;
    const { k, R, z, rss, basis, degree, best, stderr } = problem;
    put(at("data-note"), t.dataNote(data.n, k + 1));
    put(at("loss-note"), data.weighted ? t.lossWeighted : t.lossNote);
    put(at("backward-note"), data.held ? t.backwardHeld : t.backwardNote);
    const wide = state.opened.includes("data") ? k : Math.min(k, COLLAPSED);
    const rest = wide < k ? ["…"] : [];
    const names = Array.from({ length: wide }, (_, j) => polynomial(basis, j));
    card("data", model, {
      head: ["R", ...names, ...rest, "z"],
      rows: Array.from(R, (row, i) => [
        String(i + 1),
        ...Array.from(row.subarray(0, wide), (value, j) => entry(value, row[i], j < i)),
        ...rest,
        entry(z[i], row[i]),
      ]),
      foot: [["rss", ...Array(wide + rest.length).fill(""), show(rss)]],
    });
    card("start", model, {
      lines: [`ŷ = ${modelText(basis, degree)}`],
      head: [t.weightHead, t.valueHead, t.bestHead],
      rows: Array.from(run.start, (value, j) => [
        weight(basis, degree, j), show(value, 6), uncertain(best[j], stderr[j]),
      ]),
    });
  }

  /**
   * What is rounding beside the diagonal is written 0: 1e−15 would only make the table wide.
   * @param {number} value @param {number} beside
   */
  function entry(value, beside, below = false) {
    if (below) return "";
    return show(Math.abs(value) < 1e-13 * Math.abs(beside) ? 0 : value, 3);
  }

  /** @param {string} basis @param {number} degree */
  function modelText(basis, degree) {
    const terms = Array.from({ length: degree + 1 }, (_, j) => {
      const [w, p] = [weight(basis, degree, j), polynomial(basis, j)];
      return p === "1" ? w : basis === "power" ? `${w}·${p}` : `${w}·${p}(u)`;
    });
    const shown = terms.length > 5 ? [...terms.slice(0, 3), "…", terms[terms.length - 1]] : terms;
    return shown.join(" + ");
  }

  /** @param {Model} model */
  function moving(model) {
    const { problem, run, now, t } = model;
    const name = (/** @type {number} */ j) => weight(problem.basis, problem.degree, j);
    forwardCard(model);
    const loss = sum([algebra.dot(now.residual, now.residual), problem.rss]);
    card("loss", model, {
      lines: [
        "‖R w − z‖² + rss", `= ${loss.terms.join(" + ")}`, `= ${loss.total}`, "",
        t.aboveIs(now.excess),
      ],
    });
    card("backward", model, {
      lines: ["g = 2 Rᵀ (R w − z)"],
      head: [t.weightHead, t.residualHead, t.slopeHead],
      rows: Array.from(now.gradient, (g, j) => [name(j), show(now.residual[j]), show(g)]),
    });
    updateCard(model, name, now.step < run.steps);
  }

  /** @param {Model} model */
  function forwardCard(model) {
    const { problem, data, point, calendar, now, t } = model;
    const { basis, degree } = problem;
    const phi = triangle.basisAt(data, basis, degree, point.x);
    const products = sum(Array.from(phi, (value, j) => value * now.w[j]));
    const raw = triangle.FAMILIES[basis].raw;
    fill("at-x", placeText(model, point.x));
    const notes = { row: t.rowNote, strip: t.stripNote(point.n), none: t.noneNote, own: t.ownNote };
    put(at("point-note"), notes[point.of]);
    const compared = [[t.predicted, products.total]];
    if (point.y !== null) {
      const miss = algebra.dot(phi, now.w) - point.y;
      compared.push([t.observed, show(point.y)], [t.missing, show(miss)]);
    }
    const since = calendar && raw ? [t.since(show(point.x, 6), calendar.unit, calendar.origin)] : [];
    card("forward", model, {
      lines: raw ? since : [`u = ${show(triangle.scaled(data, point.x))}`],
      head: [t.termHead, t.weightHead, raw ? "φ(x)" : "φ(u)", t.productHead],
      rows: Array.from(phi, (value, j) => [
        polynomial(basis, j), show(now.w[j]), show(value), products.terms[j],
      ]),
      foot: compared.map(([what, value]) => [what, "", "", value]),
    });
  }

  /** An x as a field shows it: a date, or a number with the digits that tell rows apart. @param {Model} model @param {number} x */
  function placeText({ calendar, data }, x) {
    if (calendar) return calendar.text(x);
    const beside = Math.ceil(Math.log10(Math.abs(x) / (data.half || 1) + 1));
    return field(x, 5 + beside); // far from zero x differs only in later digits
  }

  /** @type {Readonly<Record<string, string[]>>} */
  const FORMULAS = Object.freeze({
    gd: ["w ← w − η g"],
    momentum: ["v ← β v + g", "w ← w − η v"],
    nesterov: ["v ← β v + g", "w ← w − η (g + β v)"],
    adam: ["m ← β₁ m + (1 − β₁) g", "s ← β₂ s + (1 − β₂) g²", "w ← w − η m̂ / (√ŝ + ε)"],
  });

  /** @param {Model} model @param {(j: number) => string} name @param {boolean} goesOn */
  function updateCard(model, name, goesOn) {
    const { run, now, t } = model;
    const { name: optimizer, rate, beta } = run.optimizer;
    const heavy = ["momentum", "nesterov"].includes(optimizer);
    const numbers = `η = ${show(rate)}${heavy ? `, β = ${show(beta)}` : ""}`;
    const lines = [...FORMULAS[optimizer], numbers];
    if (!goesOn) {
      card("update", model, { lines: [...lines, "", t.lastStep] });
      return;
    }
    const next = core.after(run, now);
    const by = optimizer === "gd" ? now.gradient : next.v;
    card("update", model, {
      lines,
      head: [t.weightHead, t.valueHead, optimizer === "gd" ? "g" : optimizer === "adam" ? "m" : "v", t.nextHead],
      rows: Array.from(now.w, (value, j) => [
        name(j), show(value, 6), show(by[j]), show(next.w[j], 6),
      ]),
    });
  }

  /** Lights up, in turn, what one step does. */
  function light() {
    for (const name of ["forward", "loss", "backward", "update"]) {
      const { classList } = at(`card-${name}`);
      // Two names of one animation: changing between them starts it again without a layout.
      const again = classList.contains("lit");
      classList.toggle("lit", !again);
      classList.toggle("relit", again);
    }
  }

  // ---- the whole run ----

  /** @param {Model} model */
  function trajectory({ run, problem, state, t }) {
    if (!state.opened.includes("table")) return;
    const table = at("trajectory");
    const names = Array.from(problem.z, (_, j) => weight(problem.basis, problem.degree, j));
    headRow(table, [t.step, t.loss, t.above, ...names]);
    const states = tableSteps(run.steps).map((step) => core.stateAt(run, step));
    fillRows(table.tBodies[0], states.map(({ step, loss, excess, w }) => [
      count(step), show(loss, 7), show(excess), ...Array.from(w, (value) => show(value, 6)),
    ]));
  }

  /** 0, 1, 2, 5, 10, 20, 50 … and the last. @param {number} most */
  function tableSteps(most) {
    const out = [0];
    for (let unit = 1; unit <= most; unit *= 10) out.push(unit, 2 * unit, 5 * unit);
    return [...out.filter((step) => step < most), most];
  }

  return Object.freeze({ still, moving, light, trajectory, placeText });
})();
