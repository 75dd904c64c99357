// Shows the settings in their controls, and what the spectrum says about them.
"use strict";

const controls = (() => {
  const ICONS = Object.freeze({
    fine: "M3 8.5 6.5 12 13 4.5", bad: "M8 1.8 15 14H1zM8 6v4m0 1.8v.4", plain: "M3 8h10",
  });
  const { at, put, make, fill, slide } = dom;
  const { show, count, steps, field, weight } = numerals;

  function check(name, value) {
    for (const node of document.getElementsByName(name)) node.checked = node.value === value;
  }

  function mood(box, icon, name) {
    at(box).dataset.mood = name;
    at(icon).setAttribute("d", ICONS[name]);
  }

  function draw(model) {
    const { chosen, data } = model;
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
    possible(model);
    limit(model);
    condition(model);
    startFields(model);
  }

  // Hides and disables what means nothing for this optimizer and these data.
  function possible({ t, chosen, problem, run, rows, payload, grid, limit: most }) {
    const sources = { density: grid, sample: payload.sample, none: true };
    check("rows", rows);
    for (const node of document.getElementsByName("rows")) node.disabled = !sources[node.value];
    at("rows-as").hidden = !sources.density && !sources.sample;
    at("with-beta").hidden = !["momentum", "nesterov"].includes(chosen.optimizer);
    at("with-adam").hidden = chosen.optimizer !== "adam";
    at("fastest-rate").disabled = !core.fastest(problem, run.optimizer, false);
    at("fastest-pair").disabled = !core.fastest(problem, run.optimizer, true);
    for (const id of ["at-limit", "just-over"]) at(id).disabled = !(most > 0);
    put(at("pin"), chosen.ghost ? t.unpin : t.pin);
  }

  function status(name, word, more) {
    mood("status", "status-icon", name);
    put(at("status-word"), word);
    put(at("status-more"), more);
  }

  function limit(model) {
    const { t, limit: most, rateRange, diverges } = model;
    const track = at("rate").parentElement;
    track.classList.toggle("free", !(most > 0));
    if (most === null) status("plain", t.noLimit, t.adamNote(core.WALKED));
    else if (!(most > 0)) status("bad", t.unusable, "");
    else if (diverges) status("bad", t.diverges(most), explosion(model));
    else status("fine", t.stable(most), slowest(model));
    if (!(most > 0)) return;
    const share = Math.min(Math.max(rateRange.positionOf(most) / 1000, 0), 1);
    track.style.setProperty("--at", `${100 * share}%`);
    track.style.setProperty("--shift", share > 0.7 ? "-100%" : share < 0.3 ? "0" : "-50%");
    put(at("limit"), t.limit(most));
  }

  function explosion({ t, pace, overflow }) {
    const factors = pace.map(({ factor }) => factor);
    const most = Math.max(...factors);
    const text = t.explodes(factors.indexOf(most) + 1, Math.sqrt(most));
    return overflow === null ? text : `${text} ${t.overflow(overflow)}`;
  }

  function slowest({ t, pace, problem: { rank } }) {
    const most = Math.max(...pace.slice(0, rank).map((mode) => mode.steps));
    return Number.isFinite(most) ? t.tenfold(steps(most)) : "";
  }

  function condition({ t, problem, chosen }) {
    const { condition: kappa, rank, distinct, k, basis } = problem;
    const finite = Number.isFinite(problem.lambda[0]) && problem.lambda[0] > 0;
    const few = distinct < k;
    const lost = rank < distinct;
    const bad = !finite || lost || kappa > 1e6;
    mood("condition", "condition-icon", bad ? "bad" : few ? "plain" : "fine");
    const pace = kappa < 20 ? t.good : bad ? t.poor : t.fair;
    const found = few ? t.few(distinct, k) : pace;
    const advice = lost ? t.hopeless(rank, k) : found;
    const size = lost ? `> ${show(1 / Number.EPSILON, 2)}` : `= ${show(kappa)}`;
    put(at("kappa"), t.kappa(finite ? size : "= ∞"));
    put(at("advice"), finite ? advice : t.unusable);
    at("cure").hidden = basis === "chebyshev" || !bad;
    put(at("basis-note"), t.basisOf[chosen.basis]);
  }

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

  return Object.freeze({ draw });
})();
