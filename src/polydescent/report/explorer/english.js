// Every text of the page in English. {word|text} marks a term that `gloss` explains.
"use strict";

const english = (() => {
  const { show, count, times } = numerals;
  /** @param {number} n @param {string} one @param {string} [many] */
  const of = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

  const gloss = {
    gradient: "Gradient: the slope of the loss in every weight. A step moves every weight against its slope.",
    loss: "Loss: the sum over all rows of (prediction − y)². Smaller is better.",
    folded: "Folded: a QR decomposition turns all rows into one small triangle of numbers that gives the same loss for every curve.",
    floor: "Floor: the lowest loss that any curve of this degree reaches, the loss of least squares.",
    kappa: "Condition κ: how many times steeper the loss is along its steepest direction than along its flattest. Plain descent needs about κ steps.",
    mode: "Eigenmode: a direction of the weights in which descent moves by itself, whatever the other directions do.",
    limit: "Limit: above this learning rate the steepest mode overshoots by more each step, and the loss grows without end.",
    basis: "Basis: the polynomials that the weights multiply. The curves are the same; the coordinates, and so the way to them, differ.",
    steps: "Steps to 1 %: until one hundredth of what a mode holds of the loss is left.",
    aicc: "AICc: fit and number of weights in one number; the lowest is the degree to take.",
    folds: "Left out: the rows are dealt into parts, each is predicted by a curve of the others; root mean square of what it misses.",
  };

  /** @type {Words} */
  const tour = {
    curve: {
      title: "A curve is its weights",
      text: (m) => `The orange curve is a polynomial of degree ${m.state.degree}: ${of(m.problem.k, "weight")}, and where they start. The dashed blue one is the best there is. Descent knows only how steep the {loss|loss} is where it stands.`,
      more: "Slide the degree, or press the picture to choose a point.",
    },
    step: {
      title: "One step by hand",
      text: () => "Six cards hold every number of one step: predict, measure the {loss|loss}, take its {gradient|gradient}, move each weight against it.",
      more: "Press → once: the cards light up in turn.",
    },
    play: {
      title: "Many steps",
      text: (m) => `Now press Play. The loss falls quickly, then slowly: its steep directions are done first. One hundredth of the slowest is left after ${of(Math.ceil(m.slowest), "step")}.`,
      more: "Space plays and pauses; the slider goes to any step.",
    },
    toofar: {
      title: "Too large a step",
      text: (m) => `η is 3 % above the {limit|limit} ${show(m.limit)}. Each step overshoots, a little more every time: mode 1 grows ${times(m.pace?.[0].excess ?? 0)} times a step.`,
      more: "Move η below the mark and watch it calm down.",
    },
    cure: {
      title: "The fastest steady step",
      text: (m) => `η = ${show(m.state.rate)} makes the steepest and the flattest direction equally slow. On the map of the loss the path zigzags across the valley and creeps along it.`,
      more: "Drag the start; press Play again.",
    },
    momentum: {
      title: "Momentum",
      text: (m) => `A velocity adds up along the valley and cancels across it. With β = ${show(m.state.beta)} the slowest mode needs ${of(Math.ceil(m.slowest), "step")}, not ${count(Math.ceil(m.pinned[0]?.slowest ?? 0))}. The plain run is kept beside it.`,
      more: "On the map below, every place is an η and a β: press one.",
    },
    coordinates: {
      title: "Better coordinates",
      text: (m) => `The same curves in Chebyshev polynomials: {kappa|κ} is ${show(m.problem.condition, 3)} now, and plain descent needs ${of(Math.ceil(m.slowest), "step")}. The valley has become nearly round.`,
      more: "Compare the runs in the race, then try another degree.",
    },
    best: {
      title: "The best there is",
      text: (m) => `Here the loss meets its {floor|floor}, ${show(m.problem.floor, 5)}. No step can go below it, only another degree: the chart says which one the rows support (${m.degrees?.pick ?? ""}).`,
      more: "The band is two standard errors wide on either side. Now try your own.",
    },
  };

  /** @type {Words} */
  const texts = {
    ...signs, gloss, tour,
    other: "中文", otherName: "切换到中文",
    toDark: "Dark", toLight: "Light", share: "Copy link", shared: "Link copied.",
    shareFailed: "Press Ctrl+C: the link is selected.",
    untitled: "Polynomial regression by gradient descent",
    purpose: "Watch {gradient|gradient} descent fit a curve to these data, one step at a time.",
    subtitle: (n, m) =>
      `${of(n, "row")} {folded|folded} into ${of(m, "number")}: every step is the exact step over all rows.`,
    rowsShared: (n) => `This file carries ${of(n, "raw row")}.`,
    held: (text) => `Held: ${text}. Only the other directions are learned.`,
    constant: "the constant", heldTerm: (name, value) => `${name} ${value === 0 ? "left out" : `at ${show(value, 6)}`}`,
    heldPoint: (x, y) => `through (${x}, ${y})`,
    take: "Guided tour", takeName: "Guided tour, 8 stops", leave: "End the tour",
    before: "Back", next: "Next", again: "From the start",
    stopOf: (i, all) => `Stop ${i} of ${all}`,
    walk: "Walk through the steps", first: "First step", back: "One step back", play: "Play",
    pause: "Pause", forth: "One step on", last: "Last step", scrub: "Step, on a logarithmic scale",
    speed: "Speed", auto: "slow, then fast", fast: "as it draws", aSecond: (n) => `${n} a second`,
    step: "step", loss: "loss", lossWord: "{loss|loss}", above: "above the floor",
    aboveWord: "above the {floor|floor}",
    aboveIs: (v) => `above the floor: ${show(v)}`, stepN: (t) => `step ${count(t)}`,
    controls: "Settings", rate: "Learning rate η", rateField: "Learning rate, typed",
    limit: (v) => `limit ${show(v)}`,
    stable: (v) => `Stable: below the {limit|limit} ${show(v, 5)}`,
    diverges: (v) => `Diverges: above the {limit|limit} ${show(v, 5)}`,
    explodes: (mode, factor) => `Mode ${mode} grows ${factor} times each step.`,
    overflow: (t) => `The loss leaves the range of doubles at step ${count(t)}.`,
    noLimit: "Adam has no limit in closed form",
    adamNote: (most) =>
      "It divides by the size of recent gradients: η is about how far a weight moves in a step. " +
      `Every step has to be walked, ${count(most)} at most.`,
    tenfold: (v) => `The slowest mode brings its weights ten times closer in ${v}.`,
    stepsLong: (n, text) => `${text} ${n === 1 ? "step" : "steps"}`,
    adapted: (old, now) => `η was ${show(old)}. It is ${show(now)} now, safe for the new problem; the curve is the same.`,
    keep: "Keep my η",
    fastestRate: "Fastest η", fastestPair: "Fastest η and β",
    atLimit: "Just under", justOver: "Just over",
    optimizer: "Optimizer", gd: "Plain", momentum: "Momentum",
    beta: "Momentum β", betaField: "Momentum, typed",
    steps: "Steps", stepsField: "Steps, typed",
    degree: "Degree", degreeHeld: "The degree is that of what is held.",
    basis: "Basis", power: "Power", chebyshev: "Chebyshev", legendre: "Legendre",
    basisOf: {
      power: "{basis|Powers} of x itself",
      chebyshev: "Tⱼ(u), u from −1 to 1",
      legendre: "Pⱼ(u), u from −1 to 1",
    },
    kappa: (v) => `Condition {kappa|κ} ${v}`,
    good: "All modes move at a similar pace.",
    fair: "The slow modes take about κ times as long as the fast one.",
    poor: "So lopsided that the slow modes hardly move.",
    hopeless: (rank, k) =>
      `Doubles can tell apart only ${rank} of ${of(k, "direction")}: the others stay where they start.`,
    unusable: "Powers of these x leave the range of doubles.",
    cure: "Use Chebyshev",
    few: (rank, k) =>
      `x takes only ${of(rank, "distinct value")}, too few for ${of(k, "weight")}: many curves are best, ` +
      "the one of smallest Chebyshev weights is drawn.",
    start: "Starting weights", zeros: "Zeros", given: "As given", seed: "Seed", random: "Random",
    here: "Start here",
    pin: "Race this run", raceTitle: "Race", raceFull: (n) => `Up to ${n} runs can be told apart.`,
    runHead: "run", restore: "Restore", remove: "Remove", rename: "Name of the run",
    thisRun: "this run", acts: "actions",
    runName: (name, rate, beta, basis, degree) =>
      `${name}, η ${show(rate, 3)}${beta === null ? "" : `, β ${show(beta, 3)}`}, ${basis} ${degree}`,
    shown: "Rows drawn as", density: "Density", sample: "Sample", none: "Nothing",
    picture: "Rows, current curve, best curve", current: "current", best: "best possible",
    bestBand: "best possible, ± 2 standard errors",
    bandToggle: "± 2 s.e.", bandName: "± 2 s.e.: a band of two standard errors around the best curve",
    mode: (i) => `mode ${i}`,
    pictureLabel: (t, loss) =>
      `The rows with the curve at step ${t}, loss ${loss}, and the best curve.`,
    off: "off the chart",
    offChart: (v) => `The current curve is off the chart: it reaches ${show(v)}.`,
    lost: "The current curve has left the range of doubles.",
    outside: (v) => `${of(v, "row lies", "rows lie")} above or below the picture.`,
    pickHint: "Press the picture to choose the point of card 3.",
    addHint: "Press the picture to add a row there: the triangle takes it in exactly.",
    takeHint: "Press a row to take it out.",
    editing: "What a press on the picture does", look: "Point", add: "Add", takeOut: "Take out",
    addHere: "Add", undo: "Undo", newRow: "A row to add",
    editsAre: (n) => `${of(n, "row")} added or taken out.`,
    lossTitle: "Loss by step", floor: (v) => `floor ${show(v, 6)}`, lossView: "What to draw",
    lossLabel: (a, b, f) => `The loss goes from ${a} to ${b}; its floor is ${f}. Arrow keys read it step by step.`,
    probe: (t, v) => `step ${count(t)}: ${v}`,
    viewOf: "Second chart",
    modes: "Modes", surface: "Surface", map: "η and β", degrees: "Degrees",
    modesTitle: "{mode|Eigenmodes}: who holds the excess",
    modesNote: "Press a mode to see its shape on the rows.",
    modesLabel: (k) => `The shares of ${of(k, "mode")} in the loss above the floor, by step. Arrow keys read them step by step.`,
    modeHead: "mode", shareHead: "share now", paceHead: "{steps|steps to 1 %}", paceWord: "steps to 1 %",
    factorHead: "× a step", stuck: "stuck", grows: "grows", beyond: "beyond doubles",
    surfaceTitle: "The loss over two directions",
    surfaceNote: (weights) => (weights
      ? "Contours hold the other weights where they are now. The arrow is the way straight down."
      : "Contours around the best, by two modes. The arrow is the way straight down."),
    surfaceLabel: (a, b) => `Contours of the loss over ${a} and ${b}, with the path of the run.`,
    plane: "Directions", weights: "Weights", acrossName: "To the right", upName: "Upward",
    dragStart: "Drag the ring to move the start.", flatPlane: "One direction alone has no surface.",
    mapTitle: "Steps to 1 %, by η and β",
    mapNote: (name) => (name === "gd"
      ? "Plain descent has no β: each column is one η. Press one to set it."
      : "Press a place, or use the arrow keys, to set η and β."),
    mapLabel: (rate, beta, steps) => `Map of the steps to 1 %: at η ${rate}, β ${beta}, ${steps}.`,
    mapAt: (rate, beta, steps) => `η ${rate}, β ${beta}: ${steps}`, noMap: "Adam's pace depends on its start: it has no map.",
    never: "diverges", slower: "more steps",
    degreesTitle: "Which degree?",
    degreesLabel: (pick) => `Root mean square of the residuals by degree; AICc picks ${pick}.`,
    degreeHead: "degree", floorHead: "{floor|floor}", cvHead: "{folds|left out}", aiccHead: "{aicc|AICc}",
    used: "rows used", leftOut: "rows left out", pick: "pick", setDegree: (d) => `Degree ${d}`,
    degreesNote: "Press a degree to take it.",
    six: "The six steps, with the numbers of this one",
    data: "Data", dataNote: (n, k) => `${of(n, "row")}, folded into a triangle with ${of(k, "row")}.`,
    init: "Start", initNote: "The weights before step 1.",
    forward: "Forward", forwardNote: "The prediction at one point.",
    rowNote: "y is the row nearest to it.",
    stripNote: (n) => `y is the mean of the ${of(n, "row")} around it.`,
    noneNote: "No row lies there.",
    ownNote: "A place of your choice: no rows travel in this file.",
    lossCard: "Loss", lossNote: "The sum of squared residuals over all rows.",
    lossWeighted: "The weighted sum of squared residuals over all rows, Σ ω (ŷ − y)².",
    backward: "Backward", backwardNote: "The slope of the loss in every weight: the gradient.",
    backwardHeld: "The gradient, along what is not held.",
    update: "Update", updateNote: "Every weight moves against its slope.",
    weightHead: "weight", valueHead: "value", bestHead: "least squares ± s.e.",
    termHead: "term", productHead: "product", slopeHead: "slope g", nextHead: "becomes",
    more: (n) => `${n} more`, fewer: "Fewer", lastStep: "The last step: the run ends here.",
    tableTitle: "The run as a table", pythonTitle: "The same in Python", copy: "Copy as Python",
    copied: "Copied.", copyFailed: "Press Ctrl+C: the text is selected.",
    since: (x, unit, origin) => `x = ${x} ${unit}s since ${origin}`,
    aboutTitle: "Why this page is exact, and its keys",
    about: [
      "Folding n rows by QR keeps every loss: ‖V w − y‖² = ‖R w − z‖² + rss for all w. So " +
        "2Rᵀ(R w − z) is the gradient over all rows, up to rounding, and this file needs no row.",
      "The loss is the sum over rows, not the mean: rates are those of polydescent.descend.",
      "Up to step 2,000 each step is walked. Beyond, every mode of R moves by its own 2×2 " +
        "matrix, raised to a power by squaring: step 1,000,000,000 costs no more than step 30.",
      "Another degree is the leading block of the triangle, another basis R times a small matrix, one row more a few plane rotations.",
    ],
    keys: [
      ["Space", "play or pause, wherever the focus is, but in a text field"], ["← →", "one step"],
      ["Shift ← →", "ten steps"], ["Home End", "first and last step"], ["Enter", "press the button in focus"],
    ],
    paused: (t) => `Paused at step ${count(t)}.`,
    ended: (t, loss) => `Step ${count(t)}, loss ${loss}.`,
    bad: (least, most) => `A number from ${least} to ${most}, please.`,
    badDate: (least, most) => `A date from ${least} to ${most}, please.`,
  };
  return Object.freeze(texts);
})();
