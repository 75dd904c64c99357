"""The torch layer and the loss of a summary: values, all kinds of derivatives, tools of torch."""

# wrong types are passed on purpose, and arguments as rows of tables
# pyright: reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false

import copy
import io
import shutil

import numpy as np
import pytest
from cases import lesson

import polydescent as pd
from polydescent.errors import BadCall, BadDegree, BadSetting, OutOfRange, UnknownName
from polydescent.polynomial.basis import BASES, Domain, design_matrix

torch = pytest.importorskip("torch")

from polydescent.estimators import PolynomialLayer, SummaryLoss  # noqa: E402
from polydescent.estimators.recurrence import _BLOCK, Evaluate, Sums, evaluate  # noqa: E402

DEGREES = (0, 1, 3, 8)
each = pytest.mark.parametrize(
    ("basis", "degree"), [(b, d) for b in BASES for d in DEGREES], ids=lambda v: str(v)
)
several = pytest.mark.parametrize("features", [None, 1, 3])
DOUBLE = {"dtype": torch.float64}


def points(*shape, seed=0):
    draws = np.random.default_rng(seed).uniform(-1, 1, shape)
    return torch.tensor(draws, **DOUBLE, requires_grad=True)


def layer_of(basis, degree, features=None, domain=(-1.0, 1.0)):
    torch.manual_seed(degree)
    return PolynomialLayer(degree, basis, domain, features, **DOUBLE)


def wanted(layer, x):
    """By NumPy, from the design matrix."""
    basis, x = BASES[layer.basis], x.detach().double().numpy()
    v = layer.domain.to_unit(x) if basis.on_unit else x
    A = design_matrix(basis, v.reshape(-1), layer.degree)
    weights = layer.weight.detach().double().numpy()
    return (A @ weights.T).reshape((*x.shape, *weights.shape[:-1]))


def close(found, other, tolerance=1e-12):
    np.testing.assert_allclose(found.detach().numpy(), other, rtol=tolerance, atol=tolerance)


# ── values ──


@each
@several
@pytest.mark.parametrize("shape", [(), (7,), (2, 3), (0,), (4, 0, 2)])
def test_values(basis, degree, features, shape):
    layer, x = layer_of(basis, degree, features, (-2.0, 3.0)), 2 * points(*shape)
    y = layer(x)
    assert y.shape == (*shape, *(() if features is None else (features,)))
    assert y.dtype == torch.float64
    close(y, wanted(layer, x))


@each
@pytest.mark.parametrize("points_", [_BLOCK - 1, _BLOCK, 2 * _BLOCK + 5])
def test_blocks_change_nothing(basis, degree, points_):
    v, w, g = points(points_), points(degree + 1, seed=1), points(points_, seed=2)
    close(Evaluate.apply(v, w, basis), evaluate(v, w, basis).detach().numpy())
    A = design_matrix(BASES[basis], v.detach().numpy(), degree)
    close(Sums.apply(v, g, degree + 1, basis), g.detach().numpy() @ A, 1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_dtypes(dtype):
    layer = PolynomialLayer(3, "chebyshev", (1.6e9, 1.61e9), dtype=dtype)
    x = torch.linspace(1.6e9, 1.61e9, 50, **DOUBLE)  # which float32 cannot tell apart
    y = layer(x)
    assert y.dtype == dtype
    close(y.double(), wanted(layer, x), 3 * torch.finfo(dtype).eps * 20)
    y.sum().backward()
    assert layer.weight.grad.dtype == dtype


def test_the_lessons_loss_and_gradient():
    x, y = (torch.tensor(column) for column in lesson())
    layer = PolynomialLayer(3, **DOUBLE)
    loss = (layer(x) - y).square().sum()
    loss.backward()
    a, b, c, d = (w.detach().clone().requires_grad_() for w in layer.weight)
    naive = (a + b * x + c * x**2 + d * x**3 - y).pow(2).sum()
    naive.backward()
    assert loss.item() == pytest.approx(naive.item())
    close(layer.weight.grad, [w.grad.item() for w in (a, b, c, d)], 1e-10)


def test_only_points_and_weights_are_kept_for_the_backward_pass():
    kept = []
    layer, x = layer_of("chebyshev", 8), points(1000).detach()
    hooks = torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t)
    with hooks:
        layer(x)
    assert sum(t.numel() for t in kept) <= 1000 + 9


# ── derivatives ──


@each
@several
def test_gradients_of_every_order_and_kind(basis, degree, features):
    v = points(5)
    w = points(*(() if features is None else (features,)), degree + 1, seed=1)

    def values(v, w):
        return Evaluate.apply(v, w, basis)

    kinds = {"check_batched_grad": True, "check_forward_ad": True}
    assert torch.autograd.gradcheck(values, (v, w), **kinds)
    assert torch.autograd.gradgradcheck(
        values, (v, w), check_batched_grad=True, check_fwd_over_rev=True
    )


@each
def test_gradients_of_the_sums(basis, degree):
    v, g = points(5), points(5, seed=2)

    def sums(v, g):
        return Sums.apply(v, g, degree + 1, basis)

    assert torch.autograd.gradcheck(sums, (v, g), check_batched_grad=True, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(sums, (v, g), check_fwd_over_rev=True)


@each
def test_the_slope_in_x_is_that_of_numpy(basis, degree):
    layer, x = layer_of(basis, degree, domain=(-3.0, 2.0)), points(9)
    (slope,) = torch.autograd.grad(layer(x).sum(), x, create_graph=True)
    powers = np.polynomial.Polynomial(layer.coef.numpy())
    close(slope, powers.deriv()(x.detach().numpy()), 1e-10)
    if degree > 1:
        (bend,) = torch.autograd.grad(slope.sum(), x)
        close(bend, powers.deriv(2)(x.detach().numpy()), 1e-9)


@each
@pytest.mark.parametrize("transform", ["vmap", "jacfwd", "jacrev", "hessian", "jvp", "per sample"])
def test_function_transforms(basis, degree, transform):
    layer, x = layer_of(basis, degree), points(6).detach()
    name, w = "weight", layer.weight.detach()
    A = torch.tensor(design_matrix(BASES[basis], x.numpy(), degree))

    def values(w, x=x):
        return torch.func.functional_call(layer, {name: w}, (x,))

    if transform == "vmap":
        many = torch.stack([w, 2 * w, 3 * w])
        close(torch.func.vmap(values)(many), (many @ A.T).numpy())
        close(torch.func.vmap(values, (None, 0))(w, x[:, None])[:, 0], (A @ w).numpy())
    elif transform in ("jacfwd", "jacrev"):
        close(getattr(torch.func, transform)(values)(w), A.numpy())
    elif transform == "hessian":
        found = torch.func.hessian(lambda w: (values(w) - 1).square().sum())(w)
        close(found, (2 * A.T @ A).numpy(), 1e-10)
    elif transform == "jvp":
        out, moved = torch.func.jvp(values, (w,), (torch.ones_like(w),))
        close(out, (A @ w).numpy())
        close(moved, A.sum(dim=1).numpy())
    else:
        one = torch.func.grad(lambda w, x: values(w, x).sum())
        close(torch.func.vmap(one, (None, 0))(w, x[:, None]), A.numpy())


# ── as a module ──


@each
def test_export(basis, degree):
    layer, x = layer_of(basis, degree), points(11).detach()
    program = torch.export.export(layer, (x,))
    close(program.module()(x), layer(x).detach().numpy())


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.parametrize("basis", BASES)
def test_compile_of_the_full_graph(basis):
    layer, x = layer_of(basis, 3), points(11).detach()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    compiled(x).sum().backward()
    gradient = layer.weight.grad.clone()
    layer.weight.grad = None
    layer(x).sum().backward()
    close(gradient, layer.weight.grad.numpy())
    close(compiled(x), layer(x).detach().numpy())


def test_it_is_kept_copied_and_moved():
    layer, x = layer_of("legendre", 3, 2), points(5).detach()
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    other = PolynomialLayer(3, "legendre", features=2, **DOUBLE)
    other.load_state_dict(torch.load(file))
    close(other(x), layer(x).detach().numpy())
    close(copy.deepcopy(layer)(x), layer(x).detach().numpy())
    assert copy.deepcopy(layer).to(torch.float32).weight.dtype == torch.float32
    assert PolynomialLayer(2, device="meta").weight.device.type == "meta"
    assert [*layer.state_dict()] == ["weight"]
    assert repr(layer) == (
        "PolynomialLayer(degree=3, basis='legendre', domain=(-1.0, 1.0), features=2)"
    )
    assert repr(PolynomialLayer()) == "PolynomialLayer(degree=3, basis='power')"


@pytest.mark.parametrize("basis", BASES)
def test_a_layer_that_begins_with_a_fit(basis):
    x, y = lesson()
    fit = pd.fit(x + 5, y, 5)
    layer = PolynomialLayer.of(fit, basis)
    assert layer.weight.dtype == torch.float64
    close(layer(torch.tensor(x + 5)), fit(x + 5), 1e-9)
    close(layer.coef, fit.coef, 1e-9)
    assert PolynomialLayer.of(fit, dtype=torch.float32).weight.dtype == torch.float32
    single = pd.fit(torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))
    assert PolynomialLayer.of(single, basis).weight.dtype == torch.float32
    run = pd.descend(x, y, 3, basis="legendre", steps=5, optimizer="momentum", allow_divergence=1)
    close(PolynomialLayer.of(run, basis)(torch.tensor(x)), run(x), 1e-9)


def test_parts_of_a_network_train_together():
    torch.manual_seed(0)
    x, y = (torch.tensor(column, dtype=torch.float32) for column in lesson())
    net = torch.nn.Sequential(
        torch.nn.Unflatten(0, (-1, 1)),
        torch.nn.Linear(1, 1),
        torch.nn.Tanh(),
        PolynomialLayer(3, "chebyshev", features=2),
        torch.nn.Flatten(1),
        torch.nn.Linear(2, 1),
        torch.nn.Flatten(0),
    )
    optimizer = torch.optim.Adam(net.parameters(), 0.05)
    losses = []
    for _ in range(150):
        optimizer.zero_grad()
        loss = (net(x) - y).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


# ── the loss of a summary ──


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("degree", DEGREES)
def test_the_loss_of_all_rows(basis, degree):
    x, y = lesson()
    summary = pd.summarize(x, y, 8)
    layer = PolynomialLayer(degree, basis, (summary.domain.lo, summary.domain.hi), **DOUBLE)
    rows = (layer(torch.tensor(x)) - torch.tensor(y)).square().sum()
    loss = SummaryLoss(summary, basis, degree)
    assert loss(layer).item() == pytest.approx(rows.item(), rel=1e-9)
    (by_rows,) = torch.autograd.grad(rows, layer.weight)
    (by_summary,) = torch.autograd.grad(loss(layer.weight), layer.weight)
    scale = float(by_rows.abs().max())
    np.testing.assert_allclose(by_summary.numpy(), by_rows.numpy(), atol=1e-9 * scale)
    weights = torch.stack([layer.weight.detach(), 0 * layer.weight.detach()])
    close(loss(weights), [rows.item(), float((y * y).sum())], 1e-9)
    assert torch.autograd.gradcheck(loss, (points(degree + 1),), check_forward_ad=True)


@pytest.mark.parametrize("basis", BASES)
def test_any_optimizer_trains_on_it(basis):
    x, y = lesson()
    summary = pd.summarize(x, y, 3)
    layer = PolynomialLayer(3, basis, (summary.domain.lo, summary.domain.hi), **DOUBLE)
    loss = SummaryLoss(summary, basis)
    optimizer = torch.optim.LBFGS(layer.parameters(), line_search_fn="strong_wolfe", max_iter=50)

    def closure():
        optimizer.zero_grad()
        value = loss(layer)
        value.backward()
        return value

    optimizer.step(closure)
    assert loss(layer).item() == pytest.approx(summary.rss, rel=1e-6)
    best = summary.fit()
    assert best.loss == pytest.approx(summary.rss)


def test_the_loss_as_a_module():
    loss = SummaryLoss(pd.summarize(*lesson(), 3))
    assert repr(loss) == "SummaryLoss(of 2,000 rows, degree=3, basis='power')"
    assert not list(loss.parameters())
    assert {*loss.state_dict()} == {"R", "z", "rss"}
    narrow = copy.deepcopy(loss).to(torch.float32)
    w = torch.ones(4, requires_grad=True)  # of float32: sums are of float64 all the same
    assert loss(w).dtype == torch.float64
    assert narrow(w).item() == pytest.approx(loss(w).item(), rel=1e-5)
    loss(w).backward()
    assert w.grad.dtype == torch.float32
    close(torch.func.hessian(loss)(w.detach().double()), (2 * loss.R.mT @ loss.R).numpy())
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    assert compiled(w.detach()).item() == pytest.approx(loss(w).item())


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: PolynomialLayer(-1), BadDegree, "degree"),
        (lambda: PolynomialLayer(basis="fourier"), UnknownName, "no basis"),
        (lambda: PolynomialLayer(domain=(1, 1)), BadSetting, "the first below the second"),
        (lambda: PolynomialLayer(domain=(0, np.inf)), BadSetting, "two finite numbers"),
        (lambda: PolynomialLayer(domain=3), BadSetting, "two finite numbers"),
        (lambda: PolynomialLayer(features=0), BadSetting, "features"),
        (lambda: SummaryLoss(lesson()), BadSetting, "summarize"),
        (lambda: PolynomialLayer.of(pd.summarize(*lesson(), 3)), BadSetting, "a Fit"),
        (lambda: SummaryLoss(pd.summarize(*lesson(), 3))(torch.zeros(3)), BadCall, "of 4 weights"),
        (lambda: SummaryLoss(pd.summarize(*lesson(), 3))(torch.tensor(1.0)), BadCall, "of 4 w"),
        (lambda: SummaryLoss(pd.summarize(*lesson(), 3), degree=4), BadDegree, "from 0 to 3"),
        (
            lambda: SummaryLoss(pd.summarize([1e200, 2e200, 3e200], [1, 2, 4], 2)),
            OutOfRange,
            "chebyshev",
        ),
    ],
)
def test_refusals(make, error, says):
    with pytest.raises(error, match=says):
        make()


def test_a_layer_in_other_coordinates_is_refused():
    loss = SummaryLoss(pd.summarize(*lesson(), 3), "chebyshev")
    for layer in (
        PolynomialLayer(3),
        PolynomialLayer(3, "chebyshev"),
        PolynomialLayer(2, "chebyshev", loss.domain),
    ):
        with pytest.raises(BadCall, match="make it with degree=3, basis='chebyshev', domain="):
            loss(layer)
    assert loss(PolynomialLayer(3, "chebyshev", Domain(-np.pi, np.pi))).dtype == torch.float64


def test_nothing_loads_torch_unasked():
    assert "PolynomialLayer" in dir(__import__("polydescent.estimators").estimators)
    with pytest.raises(AttributeError, match="no attribute 'Layer'"):
        _ = __import__("polydescent.estimators").estimators.Layer
    assert pd.PolynomialLayer is PolynomialLayer
    assert pd.SummaryLoss is SummaryLoss
