// The run as Python that does the same.
"use strict";

const python = (() => {
  const { digits } = numerals;

  /** @type {Readonly<Record<string, (run: Settings) => string>>} */
  const OPTIMIZERS = Object.freeze({
    gd: ({ rate }) => `GradientDescent(learning_rate=${digits(rate)})`,
    momentum: ({ rate, beta }) => `Momentum(learning_rate=${digits(rate)}, momentum=${beta})`,
    nesterov: ({ rate, beta }) => `Nesterov(learning_rate=${digits(rate)}, momentum=${beta})`,
    adam: ({ rate, beta1, beta2, eps }) =>
      `Adam(learning_rate=${digits(rate)}, betas=(${beta1}, ${beta2}), eps=${digits(eps)})`,
  });

  /** @param {number[]} values */
  const list = (values) => `[${values.map(digits).join(", ")}]`;

  /**
   * Rows added come last, with weight 1; rows taken out are left out.
   * @param {readonly Edit[]} edits @param {boolean} dated
   * @param {string} weighted  the column that says so, "" where rows have none
   */
  function editing(edits, dated, weighted) {
    const added = edits.filter(({ sign }) => sign > 0);
    const taken = edits.filter(({ sign }) => sign < 0);
    const lines = ["import numpy as np", ""];
    for (const { x, y } of taken) {
      lines.push(`kept = ~((x == ${digits(x)}) & (y == ${digits(y)}))`, "x, y = x[kept], y[kept]");
    }
    if (added.length > 0 && !dated && weighted) {
      lines.push(`${weighted} = np.append(${weighted}, np.ones(${added.length}))`);
    }
    if (added.length > 0 && !dated) {
      lines.push(`x = np.append(x, ${list(added.map(({ x }) => x))})`);
      lines.push(`y = np.append(y, ${list(added.map(({ y }) => y))})`);
    }
    return edits.length > 0 ? [...lines, ""] : [];
  }

  /**
   * @param {State} state @param {Data} data @param {boolean} diverges
   * @param {Calendar | null} [calendar] @param {boolean} [counted]
   */
  function snippet(state, data, diverges, calendar = null, counted = false) {
    const start = Array.from({ length: state.degree + 1 }, (_, j) => state.start[j] || 0);
    const plain = !data.held && !(calendar && state.edits.length > 0);
    return [
      "import polydescent",
      ...editing(state.edits, calendar !== null, data.known ? "sigma" : data.weighted ? "weights" : ""),
      ...(state.edits.length > 0 ? [] : [""]),
      ...(plain ? [] : ["# what is held, or added on dates, this call does not say"]),
      "fit = polydescent.descend(",
      "    x,",
      "    y,",
      `    degree=${state.degree},`,
      ...(data.known ? ["    sigma=sigma,", "    absolute_sigma=True,"]
        : data.weighted ? ["    weights=weights,"] : []),
      ...(counted ? ["    counts=counts,"] : []),
      ...(calendar ? [`    per="${calendar.unit}",`] : []),
      `    basis="${state.basis}",`,
      `    optimizer=polydescent.${OPTIMIZERS[state.optimizer](state)},`,
      `    start=${list(start)},`,
      `    steps=${state.steps},`,
      ...(diverges ? ["    allow_divergence=True,"] : []),
      ")",
    ].join("\n");
  }

  return Object.freeze({ snippet });
})();
