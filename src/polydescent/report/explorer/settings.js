// What the reader has chosen, as a frozen value, and the two texts it becomes: a hash and Python.
"use strict";

const settings = (() => {
  // ---- reading one value from text: undefined where the text is not one ----

  const oneOf = (...names) => (text) => (names.includes(text) ? text : undefined);

  // The reader knows its own range, to say it where a text is refused.
  function number(least, most, round = (value) => value) {
    const read = (text) => {
      const value = String(text).trim() === "" ? NaN : round(Number(text));
      return Number.isFinite(value) && value >= least && value <= most ? value : undefined;
    };
    return Object.assign(read, { least, most });
  }

  const whole = (least, most) => number(least, most, Math.round);

  const any = number(-Number.MAX_VALUE, Number.MAX_VALUE);

  function numbers(text) {
    const values = String(text).split(",").map(any);
    return values.length <= 64 && values.every((value) => value !== undefined) ? values : undefined;
  }

  // One reader per setting; the highest degree is the payload's and is checked by `change`.
  const READERS = Object.freeze({
    degree: whole(0, 64),
    basis: oneOf(...Object.keys(triangle.FAMILIES)),
    optimizer: oneOf(...Object.keys(core.OPTIMIZERS)),
    rate: number(Number.MIN_VALUE, 1e300),
    beta: number(0, 0.9999),
    beta1: number(0, 0.9999),
    beta2: number(0, 0.999999),
    eps: number(0, 1),
    start: numbers,
    steps: whole(1, core.FARTHEST),
    step: whole(0, core.FARTHEST),
    x: any,
    curve: oneOf("loss", "excess"),
    language: oneOf("en", "zh-CN"),
    theme: oneOf("light", "dark"),
  });
  // What makes a run; the rest is how it is looked at.
  const OF_A_RUN = Object.freeze([
    "degree", "basis", "optimizer", "rate", "beta", "beta1", "beta2", "eps", "start", "steps",
  ]);

  // What the payload says, before the reader has touched anything.
  function fromPayload(payload, { language, theme }) {
    const { name, learning_rate: rate, momentum, betas, eps } = payload.optimizer;
    return Object.freeze({
      degree: payload.degree,
      basis: payload.basis,
      optimizer: name,
      rate,
      beta: momentum ?? 0.9,
      beta1: betas?.[0] ?? 0.9,
      beta2: betas?.[1] ?? 0.999,
      eps: eps ?? 1e-8,
      start: Object.freeze([...payload.start]),
      steps: Math.max(1, core.reachOf(name, payload.steps)),
      step: 0,
      x: null,
      curve: "loss",
      language,
      theme,
      ghost: null,
    });
  }

  // The settings with some of them replaced, kept within what the data and the optimizer allow.
  function change(old, patch, most) {
    const next = { ...old, ...patch };
    next.degree = Math.min(next.degree, most);
    next.steps = core.reachOf(next.optimizer, next.steps);
    next.step = Math.min(next.step, next.steps);
    return Object.freeze(next);
  }

  const runOf = (chosen) =>
    Object.freeze(Object.fromEntries(OF_A_RUN.map((key) => [key, chosen[key]])));

  const optimizerOf = ({ optimizer: name, rate, beta, beta1, beta2, eps }) =>
    Object.freeze({ name, rate, beta, beta1, beta2, eps });

  // ---- the URL hash: what differs from the payload; a pinned run is a hash within the hash ----

  function toHash(chosen, initial) {
    const query = new URLSearchParams();
    for (const key of Object.keys(READERS)) {
      const text = String(chosen[key]);
      if (key in chosen && text !== String(initial[key])) query.set(key, text);
    }
    if (chosen.ghost) query.set("ghost", toHash(chosen.ghost, initial) || "payload");
    return query.toString();
  }

  // Whatever in the hash can be read; a stranger's hash can do no more than move the controls.
  function fromHash(hash, initial, most) {
    const query = new URLSearchParams(hash.replace(/^#/, ""));
    const patch = {};
    for (const [key, read] of Object.entries(READERS)) {
      const value = query.has(key) ? read(query.get(key)) : undefined;
      if (value !== undefined) patch[key] = value;
    }
    const pinned = query.get("ghost");
    const ghost = pinned === null ? null : runOf(fromHash(pinned, initial, most));
    return change(initial, { ...patch, ghost }, most);
  }

  // ---- Python that does the same ----

  // All digits, and never 0.000001.
  const digits = (value) =>
    value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);

  const PYTHON = Object.freeze({
    gd: ({ rate }) => `GradientDescent(learning_rate=${digits(rate)})`,
    momentum: ({ rate, beta }) => `Momentum(learning_rate=${digits(rate)}, momentum=${beta})`,
    nesterov: ({ rate, beta }) => `Nesterov(learning_rate=${digits(rate)}, momentum=${beta})`,
    adam: ({ rate, beta1, beta2, eps }) =>
      `Adam(learning_rate=${digits(rate)}, betas=(${beta1}, ${beta2}), eps=${digits(eps)})`,
  });

  function toPython(chosen, diverges) {
    const start = Array.from({ length: chosen.degree + 1 }, (_, j) => chosen.start[j] || 0);
    return [
      "import polydescent",
      "",
      "fit = polydescent.descend(",
      "    x,",
      "    y,",
      `    degree=${chosen.degree},`,
      `    basis="${chosen.basis}",`,
      `    optimizer=polydescent.${PYTHON[chosen.optimizer](chosen)},`,
      `    start=[${start.map(digits).join(", ")}],`,
      `    steps=${chosen.steps},`,
      ...(diverges ? ["    allow_divergence=True,"] : []),
      ")",
    ].join("\n");
  }

  return Object.freeze({
    READERS, number, fromPayload, change, runOf, optimizerOf, toHash, fromHash, toPython,
  });
})();
