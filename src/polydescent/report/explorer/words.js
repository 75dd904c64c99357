// Every text of the page in two languages, and how its numbers are written.
"use strict";

const numerals = (() => {
  const MINUS = "\u2212";
  const dashed = (text) => text.replaceAll("-", MINUS);
  const grouped = (digits) => digits.replace(/\B(?=(\d{3})+(?!\d))/g, ",");

  // A number for reading: `digits` significant ones, plain where that is short, else with a power of ten.
  function show(value, digits = 4) {
    if (Number.isNaN(value)) return "NaN";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size >= 1e-3 && size < 10 ** Math.max(digits, 6)) return dashed(plain(value, digits));
    return dashed(value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e"));
  }

  function plain(value, digits) {
    const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
    const [whole, fraction = ""] = value.toFixed(Math.min(decimals, 20)).split(".");
    const trimmed = fraction.replace(/0+$/, "");
    return trimmed ? `${grouped(whole)}.${trimmed}` : grouped(whole);
  }

  const count = (value) => grouped(String(Math.round(value)));

  // Terms and their sum with the sum's last decimal, so that what is printed adds up.
  function sum(terms, digits = 6) {
    const total = terms.reduce((a, b) => a + b, 0);
    if (!Number.isFinite(total)) return { terms: terms.map((value) => show(value)), total: show(total) };
    const power = total === 0 ? 0 : Math.floor(Math.log10(Math.max(...terms.map(Math.abs), 1e-300)));
    const unit = power >= -3 && power < 9 ? 0 : power;
    const decimals = Math.max(0, digits - 1 - (power - unit));
    const tail = unit === 0 ? "" : `e${unit}`;
    const round = (value) => Number((value * 10 ** -unit).toFixed(decimals));
    const print = (value) => {
      const [whole, fraction] = value.toFixed(decimals).split(".");
      return dashed((fraction ? `${grouped(whole)}.${fraction}` : grouped(whole)) + tail);
    };
    const [whole, rest] = [round(total), terms.slice(1).map(round)];
    const first = rest.reduce((left, value) => left - value, whole);
    return { terms: [first, ...rest].map(print), total: print(whole) };
  }

  // What a text field shows: short, and typed back it means the same.
  function field(value) {
    const short = Number(value.toPrecision(6));
    return Math.abs(short) < 1e-3 && short !== 0 ? short.toExponential() : String(short);
  }

  const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";
  const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const digitsIn = (alphabet) => (value) =>
    [...String(value)].map((digit) => (digit === "-" ? "⁻" : alphabet[digit])).join("");
  const below = digitsIn(SUBSCRIPTS);
  const above = digitsIn(SUPERSCRIPTS);

  // The lesson's a, b, c, d where it has them; numbered beyond.
  const weight = (basis, degree, j) => (basis === "power" && degree <= 3 ? "abcd"[j] : `w${below(j)}`);

  function polynomial(basis, j) {
    if (basis !== "power") return (basis === "chebyshev" ? "T" : "P") + below(j);
    return j === 0 ? "1" : j === 1 ? "x" : `x${above(j)}`;
  }

  return Object.freeze({ MINUS, show, count, sum, field, above, weight, polynomial });
})();

const words = (() => {
  const { show, count } = numerals;

  const en = {
    other: "中文", otherName: "切换到中文",
    toDark: "Dark", toLight: "Light",
    untitled: "Polynomial regression by gradient descent",
    subtitle: (n, m) =>
      `${count(n)} rows folded into ${count(m)} numbers. Every step below is the exact full-batch step.`,
    rowsShared: (n) => `This file carries ${count(n)} raw rows.`,
    walk: "Walk through the steps", first: "First step", back: "One step back", play: "Play",
    pause: "Pause", forth: "One step on", last: "Last step", scrub: "Step, on a logarithmic scale",
    step: "step", loss: "loss", above: "above the floor", stepN: (t) => `step ${count(t)}`,
    controls: "Settings", rate: "Learning rate η", rateField: "Learning rate, typed",
    limit: (v) => `limit ${show(v)}`,
    stable: (v) => `Stable: below the limit ${show(v, 5)}`,
    diverges: (v) => `Diverges: above the limit ${show(v, 5)}`,
    explodes: (mode, times) => `Mode ${mode} grows ${show(times)} times each step.`,
    overflow: (t) => `The loss leaves the range of doubles at step ${count(t)}.`,
    noLimit: "Adam has no limit in closed form",
    adamNote: (most) =>
      "It divides by the size of recent gradients, so η is about the distance a weight moves in a step. " +
      `Every step has to be walked: ${count(most)} at most.`,
    tenfold: (v) => `The slowest mode brings its weights ten times closer in ${v} steps.`,
    fastestRate: "Fastest η", fastestPair: "Fastest η and β", atLimit: "At the limit", justOver: "Just over",
    optimizer: "Optimizer", gd: "Plain", momentum: "Momentum", nesterov: "Nesterov", adam: "Adam",
    beta: "Momentum β", betaField: "Momentum, typed", beta1: "β₁", beta2: "β₂", eps: "ε",
    steps: "Steps", stepsField: "Steps, typed",
    degree: "Degree", basis: "Basis", power: "Power", chebyshev: "Chebyshev", legendre: "Legendre",
    basisOf: {
      power: "Powers of x itself", chebyshev: "Tⱼ(u), u from −1 to 1", legendre: "Pⱼ(u), u from −1 to 1",
    },
    kappa: (v) => `Condition κ ${v}`,
    good: "All modes move at a similar pace.",
    fair: "The slow modes take about κ times as long as the fast one.",
    poor: "So lopsided that the slow modes hardly move.",
    hopeless: (rank, k) =>
      `Doubles can tell apart only ${rank} of ${k} directions here: the others stay where they start.`,
    unusable: "Powers of these x leave the range of doubles.",
    cure: "Use Chebyshev",
    few: (rank, k) =>
      `x takes only ${rank} distinct values, too few for ${k} weights: many curves are best, ` +
      "the one of smallest Chebyshev weights is drawn.",
    start: "Starting weights", zeros: "Zeros", given: "As given", seed: "Seed", random: "Random",
    here: "Start here",
    pin: "Pin this run", unpin: "Unpin the run", pinned: "pinned",
    shown: "Rows drawn as", density: "Density", sample: "Sample", none: "Nothing",
    picture: "Rows, current curve, best curve", current: "current", best: "best possible", rows: "rows",
    mode: (i) => `mode ${i}`,
    pictureLabel: (t, loss) => `The rows with the curve at step ${t}, loss ${loss}, and the best curve.`,
    offChart: (v) => `The current curve is off the chart: it reaches ${show(v)}.`,
    lost: "The current curve has left the range of doubles.",
    outside: (v) => `${count(v)} rows lie above or below the picture.`,
    pickHint: "Click the picture to choose the point of card 3.",
    lossTitle: "Loss by step", floor: (v) => `floor ${show(v, 6)}`, lossView: "What to draw",
    lossLabel: (a, b, f) => `The loss falls or rises from ${a} to ${b}; its floor is ${f}.`,
    modesTitle: "Eigenmodes: who holds the excess",
    modesNote: "Press a mode to see its shape on the rows.",
    modesLabel: (k) => `The shares of ${k} modes in the loss above the floor, by step.`,
    modeHead: "mode", curvatureHead: "λ", shareHead: "share now", paceHead: "steps to 1 %",
    factorHead: "× a step", stuck: "stuck", grows: "grows", walked: "–",
    six: "The six steps, with the numbers of this one",
    data: "Data", dataNote: (n, k) => `${count(n)} rows, folded into a triangle with ${k} rows.`,
    init: "Start", initNote: "The weights before step 1.",
    forward: "Forward", forwardNote: "The prediction at one point.", atX: "x =",
    lossCard: "Loss", lossNote: "The sum of squared residuals over all rows.",
    backward: "Backward", backwardNote: "The slope of the loss in every weight.",
    update: "Update", updateNote: "Every weight moves against its slope.",
    weightHead: "weight", valueHead: "value", termHead: "term", productHead: "product", residualHead: "R w − z", slopeHead: "slope g",
    nextHead: "becomes", predicted: "ŷ", observed: "y", missing: "ŷ − y",
    more: (n) => `${n} more`, fewer: "Fewer", lastStep: "The last step: the run ends here.",
    tableTitle: "The run as a table", pythonTitle: "The same in Python", copy: "Copy as Python",
    copied: "Copied.", copyFailed: "Press Ctrl+C: the text is selected.",
    aboutTitle: "Why this page is exact, and its keys",
    about: [
      "Folding n rows by QR keeps every loss: ‖V w − y‖² = ‖R w − z‖² + rss for all w. So the gradient " +
        "2Rᵀ(R w − z) is the gradient over all rows, equal up to rounding, and this file needs no row.",
      "The loss is the sum over rows, not the mean, so learning rates are those of polydescent.descend.",
      "Up to step 20,000 each step is walked. Beyond, every mode of R moves by its own 2×2 matrix, whose " +
        "powers are found by squaring: step 1,000,000,000 costs no more than step 30.",
      "Another degree is the leading block of the same triangle, another basis R times a small matrix.",
    ],
    keys: [
      ["Space", "play or pause"], ["← →", "one step"], ["Shift ← →", "ten steps"],
      ["Home End", "first and last step"],
    ],
    paused: (t) => `Paused at step ${count(t)}.`,
    ended: (t, loss) => `Step ${count(t)}, loss ${loss}.`,
    bad: (least, most) => `A number from ${show(least)} to ${show(most)}, please.`,
  };

  const zh = {
    other: "English", otherName: "Switch to English",
    toDark: "深色", toLight: "浅色",
    untitled: "用梯度下降做多项式回归",
    subtitle: (n, m) => `${count(n)} 行数据折叠成 ${count(m)} 个数。下面的每一步都是全部数据上的精确一步。`,
    rowsShared: (n) => `本文件带有 ${count(n)} 行原始数据。`,
    walk: "逐步查看", first: "第一步", back: "退一步", play: "播放",
    pause: "暂停", forth: "进一步", last: "最后一步", scrub: "步数（对数刻度）",
    step: "步", loss: "损失", above: "高出下限", stepN: (t) => `第 ${count(t)} 步`,
    controls: "设置", rate: "学习率 η", rateField: "键入学习率",
    limit: (v) => `极限 ${show(v)}`,
    stable: (v) => `稳定：低于极限 ${show(v, 5)}`,
    diverges: (v) => `发散：高于极限 ${show(v, 5)}`,
    explodes: (mode, times) => `模式 ${mode} 每步放大 ${show(times)} 倍。`,
    overflow: (t) => `到第 ${count(t)} 步，损失超出双精度的范围。`,
    noLimit: "Adam 的极限没有闭式解",
    adamNote: (most) =>
      `它除以近期梯度的大小，所以 η 大约就是一个权重每步移动的距离。每一步都须逐步计算，至多 ${count(most)} 步。`,
    tenfold: (v) => `最慢的模式每 ${v} 步使权重的误差缩小到十分之一。`,
    fastestRate: "最快的 η", fastestPair: "最快的 η 与 β", atLimit: "恰在极限", justOver: "略超极限",
    optimizer: "优化器", gd: "普通", momentum: "动量", nesterov: "Nesterov", adam: "Adam",
    beta: "动量 β", betaField: "键入动量", beta1: "β₁", beta2: "β₂", eps: "ε",
    steps: "总步数", stepsField: "键入总步数",
    degree: "次数", basis: "基", power: "幂", chebyshev: "切比雪夫", legendre: "勒让德",
    basisOf: { power: "x 本身的幂", chebyshev: "Tⱼ(u)，u 从 −1 到 1", legendre: "Pⱼ(u)，u 从 −1 到 1" },
    kappa: (v) => `条件数 κ ${v}`,
    good: "各模式的快慢相近。",
    fair: "慢模式所需的步数约为快模式的 κ 倍。",
    poor: "快慢悬殊，慢模式几乎不动。",
    hopeless: (rank, k) => `双精度在这里只能分辨 ${k} 个方向中的 ${rank} 个，其余方向停在起点。`,
    unusable: "这些 x 的幂超出双精度的范围。",
    cure: "改用切比雪夫",
    few: (rank, k) =>
      `x 只有 ${rank} 个不同的值，不足以确定 ${k} 个权重：最优曲线不止一条，图中画的是切比雪夫权重最小的一条。`,
    start: "初始权重", zeros: "全零", given: "原值", seed: "种子", random: "随机",
    here: "以此为起点",
    pin: "固定这次运行", unpin: "取消固定", pinned: "固定的运行",
    shown: "数据画成", density: "密度", sample: "样本", none: "不画",
    picture: "数据、当前曲线与最优曲线", current: "当前", best: "最优", rows: "数据",
    mode: (i) => `模式 ${i}`,
    pictureLabel: (t, loss) => `数据、第 ${t} 步的曲线（损失 ${loss}）与最优曲线。`,
    offChart: (v) => `当前曲线已超出画面，达到 ${show(v)}。`,
    lost: "当前曲线已超出双精度的范围。",
    outside: (v) => `有 ${count(v)} 行数据在画面之上或之下。`,
    pickHint: "点击图中任意处，选择卡片 3 所用的点。",
    lossTitle: "损失随步数的变化", floor: (v) => `下限 ${show(v, 6)}`, lossView: "画什么",
    lossLabel: (a, b, f) => `损失从 ${a} 变到 ${b}，下限为 ${f}。`,
    modesTitle: "特征模式：超额损失归谁",
    modesNote: "按下一个模式，可在图中看到它的形状。",
    modesLabel: (k) => `${k} 个模式在超额损失中的份额随步数的变化。`,
    modeHead: "模式", curvatureHead: "λ", shareHead: "当前份额", paceHead: "降到 1 % 的步数",
    factorHead: "每步倍数", stuck: "不动", grows: "增长", walked: "–",
    six: "六个步骤与这一步的实际数值",
    data: "数据", dataNote: (n, k) => `${count(n)} 行数据，折叠成 ${k} 行的三角阵。`,
    init: "初始化", initNote: "第 1 步之前的权重。",
    forward: "前向", forwardNote: "在一个点上的预测。", atX: "x =",
    lossCard: "损失", lossNote: "全部数据的残差平方和。",
    backward: "反向", backwardNote: "损失对每个权重的斜率。",
    update: "更新", updateNote: "每个权重沿斜率的反方向移动。",
    weightHead: "权重", valueHead: "值", termHead: "项", productHead: "乘积", residualHead: "R w − z", slopeHead: "斜率 g",
    nextHead: "变为", predicted: "ŷ", observed: "y", missing: "ŷ − y",
    more: (n) => `另有 ${n} 个`, fewer: "收起", lastStep: "最后一步：运行到此为止。",
    tableTitle: "运行过程（表格）", pythonTitle: "同样的 Python 代码", copy: "复制 Python 代码",
    copied: "已复制。", copyFailed: "文字已选中，请按 Ctrl+C。",
    aboutTitle: "为什么这一页是精确的，以及快捷键",
    about: [
      "用 QR 折叠 n 行数据，任何权重的损失都不变：对所有 w，‖V w − y‖² = ‖R w − z‖² + rss。因此梯度 " +
        "2Rᵀ(R w − z) 就是全部数据上的梯度（相差仅为舍入），而这个文件不需要任何一行原始数据。",
      "损失是各行之和而不是平均，所以这里的学习率与 polydescent.descend 的相同。",
      "20,000 步以内逐步计算；再往后，R 的每个模式各按一个 2×2 矩阵变化，用反复平方求它的幂：" +
        "第 1,000,000,000 步并不比第 30 步更费时。",
      "换一个次数，就是取同一个三角阵的左上角；换一个基，就是让 R 乘上一个小矩阵。",
    ],
    keys: [
      ["空格", "播放或暂停"], ["← →", "一步"], ["Shift ← →", "十步"], ["Home End", "第一步与最后一步"],
    ],
    paused: (t) => `已停在第 ${count(t)} 步。`,
    ended: (t, loss) => `第 ${count(t)} 步，损失 ${loss}。`,
    bad: (least, most) => `请输入 ${show(least)} 到 ${show(most)} 之间的数。`,
  };

  return Object.freeze({ en: Object.freeze(en), "zh-CN": Object.freeze(zh) });
})();
