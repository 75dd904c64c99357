"""The other languages that explanations are told in: a catalogue of sentences, as they stand in
the code, to what they are in each.
"""

from __future__ import annotations

from collections.abc import Callable

from polydescent.errors import UnknownName

# {name} stands for a symbol or a number, and may stand elsewhere in the sentence.
_CHINESE = {
    # ── the derivation ──
    "The model": "模型",
    "The weights are what is learned:": "要学习的是权重：",
    "The weight is what is learned:": "要学习的是权重：",
    "The model may curve in x, but it is linear in the weights. Everything below follows from "
    "that.": "模型对 x 可以弯曲，对权重却是线性的。下面的一切都由此而来。",
    "The loss": "损失",
    "There are {n} rows {rows}. Each leaves a residual {r}, and the loss is the sum of their "
    "squares: the sum, not the mean, so learning rates are about the sum.": (
        "共有 {n} 行数据 {rows}。每一行留下一个残差 {r}，损失是残差的平方和：是和，不是均值，"
        "所以学习率说的也是和。"
    ),
    "The gradient, by the chain rule": "梯度，由链式法则",
    "A weight moves the prediction, the prediction moves the residual, the residual moves the "
    "loss:": "权重牵动预测，预测牵动残差，残差牵动损失：",
    "The prediction is linear in each weight: its derivative is what that multiplies.": (
        "预测对每个权重都是线性的：导数就是这个权重所乘的东西。"
    ),
    "With one row of {V} for each row of data, holding the powers of its x, all of it is": (
        "让矩阵 {V} 的每一行对应一行数据，装着它的 x 的各次幂，那么全部写成"
    ),
    "The Hessian": "Hessian 矩阵",
    "Differentiating once more, each residual again gives the power its weight multiplies. With "
    "the power sums {S},": "再求一次导，每个残差又给出它的权重所乘的幂。记幂和为 {S}，则",
    "No weight and no y occurs in {H}: the loss is a bowl of one curvature everywhere, with one "
    "lowest point if there are at least {k} different x.": (
        "{H} 里既没有权重也没有 y：损失是一只处处曲率相同的碗，只要至少有 {k} 个不同的 x，"
        "就只有一个最低点。"
    ),
    "One step": "一步",
    "Against the gradient, {eta} times its length:": "逆着梯度走，步长是梯度的 {eta} 倍：",
    "At the lowest point {best} the gradient is zero, and it grows in proportion to the error "
    "{error}. So a step multiplies the error by a matrix that never changes:": (
        "在最低点 {best} 梯度为零，离开它时梯度与误差 {error} 成正比。所以每一步都是把误差乘以"
        "一个始终不变的矩阵："
    ),
    "Along each eigenvector of {H}, of curvature {lambda}, the error is multiplied by a number of "
    "its own, {factor}, at every step.": (
        "沿着 {H} 的每个特征向量（曲率为 {lambda}），误差每一步都乘以它自己的一个数 {factor}。"
    ),
    "Why the learning rate has a limit": "学习率为什么有上限",
    "The error shrinks in every direction only if each of these numbers lies between {minus_one} "
    "and 1. The steepest direction decides:": (
        "只有当这些数都在 {minus_one} 与 1 之间时，误差才在每个方向上都缩小。最陡的方向说了算："
    ),
    "Above it the error along the steepest direction changes sign and grows at every step. Below "
    "it the flattest direction is the slowest. Both shrink alike, and the whole fastest, at": (
        "超过它，最陡方向上的误差每一步都变号并且变大。低于它，最平的方向最慢。"
        "两者缩得一样快，从而整体最快，是在"
    ),
    "by a factor of {contraction} a step, where {kappa} is the condition number. For the 2,000 "
    "points of the lesson, equally spaced on {period}, at degree {degree}:": (
        "这时每一步的因子为 {contraction}，其中 {kappa} 是条件数。对课上那 2,000 个点"
        "（在 {period} 上等距），次数为 {degree} 时："
    ),
    "The same from a triangle": "从三角阵得到的也一样",
    "An orthogonal change of the rows changes no sum of squares. It turns the {n} rows of {V} into "
    "the {k} of a triangle {R}:": (
        "对行作正交变换，平方和不变。它把 {V} 的 {n} 行变成三角阵 {R} 的 {k} 行："
    ),
    "for every {w}, so gradient and Hessian are the same too, and a step over a billion rows costs "
    "no more than one over {k}:": (
        "对任意 {w} 都成立，所以梯度和 Hessian 也相同，在十亿行上走一步，不比在 {k} 行上走一步贵："
    ),
    # ── one step by hand ──
    "Step {step} of {steps}, by hand": "第 {step} 步（共 {steps} 步），手算",
    "data": "数据",
    "weights": "权重",
    "forward": "前向",
    "loss": "损失",
    "backward": "反向",
    "update": "更新",
    "{n} rows folded into {k}: Σ (ŷ − y)² = ‖R·w − z‖² + rss for every w": (
        "{n} 行折叠成 {k} 行：对任意 w，Σ (ŷ − y)² = ‖R·w − z‖² + rss"
    ),
    "first row, x = {x}: ŷ = {sum} = {y}": "第一行，x = {x}：ŷ = {sum} = {y}",
    "its residual: ŷ − y = {at} − {y} = {r}": "它的残差：ŷ − y = {at} − {y} = {r}",
    "all rows, folded: e = R·w − z = {e}": "所有的行，折叠之后：e = R·w − z = {e}",
    "by hand": "手算",
    "by differences": "差商",
    "apart by": "相差",
    "by differences: (loss(w + h) − loss(w − h)) / 2h": "差商：(损失(w + h) − 损失(w − h)) / 2h",
    "w ← w − η·g, with s the step before and c the change of g in it": (
        "w ← w − η·g，其中 s 是上一步走过的路，c 是 g 在这一步里的变化"
    ),
    "p ← g + (g·g)/(g₀·g₀)·p, w ← w − (p·g / p·H·p)·p, with g₀ the g of the step before": (
        "p ← g + (g·g)/(g₀·g₀)·p, w ← w − (p·g / p·H·p)·p，其中 g₀ 是上一步的 g"
    ),
}
LANGUAGES = {"en": {}, "zh-CN": _CHINESE}


def in_language(language: str) -> Callable[[str], str]:
    """What says a sentence of ours in a language. Raises UnknownName."""
    if not isinstance(language, str) or language not in LANGUAGES:
        raise UnknownName("language", language, LANGUAGES)
    catalogue = LANGUAGES[language]
    return lambda sentence: catalogue.get(sentence, sentence)
