"""What a fit tells the explorer's page: its own triangle and run, no raw row unless asked."""

import json
import re
import sys
from html import unescape
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import polydescent as pd
from polydescent.cli import main
from polydescent.descent.optimizers import OPTIMIZERS
from polydescent.errors import BadSetting, NoFolder, UnknownName
from polydescent.report.notebook import thumbnail
from polydescent.report.page import payload


def data(n=300):
    x = np.random.default_rng(5).uniform(-3, 3, n)
    return x, np.sin(x) + 0.1 * np.random.default_rng(6).standard_normal(n)


def written(path):
    """The payload that a page holds."""
    text = path.read_text(encoding="utf-8")
    return json.loads(
        re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', text, re.S)[1]
    )


def triangle_of(told):
    side = int((np.sqrt(8 * len(told["triangle"]) + 1) - 1) / 2)
    triangle = np.zeros((side, side))
    triangle[np.triu_indices(side)] = told["triangle"]
    return triangle


def test_the_page_holds_what_it_was_told(tmp_path):
    fit = pd.descend(*data())
    fit.explore(tmp_path / "fit.html", title="</script><b>")
    assert written(tmp_path / "fit.html") == json.loads(json.dumps(payload(fit, 0, "</script><b>")))
    assert [path.name for path in tmp_path.iterdir()] == ["fit.html"]


@pytest.mark.parametrize(
    "optimizer", [pd.GradientDescent(), pd.Momentum(), pd.Nesterov(), pd.Adam()]
)
@pytest.mark.parametrize("basis", ["power", "chebyshev", "legendre"])
def test_the_run_shown_first_is_the_fits_own(optimizer, basis):
    run = pd.descend(*data(), 3, optimizer=optimizer, basis=basis, steps=70)
    told = payload(run)
    settings = dict(told["optimizer"])
    kind = OPTIMIZERS[settings.pop("name")]
    same = {name: told[name] for name in ("basis", "start", "steps")}
    again = pd.descend(*data(), told["degree"], optimizer=kind(**settings), **same)
    np.testing.assert_allclose(again.history.loss, run.history.loss, rtol=1e-12)


def test_least_squares_shows_a_run_that_arrives_there():
    x, y = data()
    told = payload(pd.fit(x, y, 4))
    rate = told["optimizer"]["learning_rate"]
    run = pd.descend(x, y, 4, basis=told["basis"], start=told["start"], steps=told["steps"],
                     optimizer=pd.GradientDescent(rate))  # fmt: skip
    assert run.excess < 1e-6


def test_with_the_rows_it_goes_up_to_degree_ten():
    x, y = data()
    told = payload(pd.fit(x, y, 2))
    triangle = triangle_of(told)
    assert told["degree"] == 2
    assert triangle.shape == (12, 12)
    np.testing.assert_allclose(triangle, pd.summarize(x, y, 10).triangle.array)


def test_without_them_up_to_the_summarys():
    told = payload(pd.summarize(*data(), degree=4).fit(2))
    assert triangle_of(told).shape == (4, 4)
    assert told["density"] is None


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_rows(n):
    told = payload(pd.fit([1.0, 2, 4, 5, 7][:n], [3.0, 1, 2, 2, 2][:n], 0))
    assert triangle_of(told).shape == (n + 1, n + 1)


def test_raw_rows_travel_only_when_asked():
    x, y = data()
    fit = pd.fit(x, y)
    assert payload(fit)["sample"] is None
    assert repr(x[0]) not in json.dumps(payload(fit))
    told = payload(fit, sample=40)["sample"]
    assert 20 < len(told[0]) == len(told[1]) <= 40
    assert set(zip(*told, strict=True)) <= set(zip(x.tolist(), y.tolist(), strict=True))
    assert len(payload(fit, sample=10**6)["sample"][0]) == 300


@pytest.mark.parametrize("n", [100, 300_000])
def test_the_page_is_small_whatever_n_is(tmp_path, n):
    pd.fit(*data(n)).explore(tmp_path / "a.html")
    assert (tmp_path / "a.html").stat().st_size < 120 * 1024


def test_dates_and_large_numbers_say_where_x_starts():
    days = np.datetime64("2024-02-01") + np.arange(30)
    told = payload(pd.fit(days, np.sqrt(np.arange(30)), 2))
    assert told["x_name"] == "x"
    assert told["dates"] == {"origin": 1706745600000, "per": 86_400_000, "unit": "day"}
    assert told["domain"] == [0, 29]
    told = payload(pd.fit(np.arange(30) + 10**17, np.arange(30.0) ** 2, 2))
    assert told["x_name"] == "x − 100000000000000000"


def test_a_run_that_exploded_can_be_watched(tmp_path):
    settings = {"optimizer": pd.GradientDescent(1.0), "allow_divergence": True, "steps": 500}
    pd.descend(*data(), 3, **settings).explore(tmp_path / "a.html")


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"path": "a.txt"}, BadSetting),
        ({"path": "gone/a.html"}, NoFolder),
        ({"path": "a.html", "sample": -1}, BadSetting),
        ({"path": "a.html", "sample": 0.5}, BadSetting),
        ({"path": "a.html", "language": "fr"}, UnknownName),
    ],
)
def test_refusals_write_nothing(tmp_path, monkeypatch, settings, error):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        pd.fit(*data()).explore(**settings)
    assert not list(tmp_path.iterdir())


def test_from_the_command(tmp_path, monkeypatch, capsys):
    def ask(page):
        monkeypatch.setattr(
            sys, "argv", ["polydescent", "approximate", "sin(x)", "--explore", page]
        )
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code, capsys.readouterr().out

    monkeypatch.chdir(tmp_path)
    code, out = ask("a.html")
    assert code == 0
    assert out.endswith("Page: a.html\n")
    told = written(tmp_path / "a.html")
    assert told["title"] == "sin(x)"
    assert told["optimizer"] == {"name": "gd", "learning_rate": 1e-6}
    assert told["steps"] == 2000
    assert ask("b.txt") == (2, "")


# ── in a notebook ──


def test_a_notebook_shows_equation_picture_and_numbers():
    x, y = data()
    for fit in (pd.fit(x, y, 3), pd.descend(x, y, 3), pd.summarize(x, y, degree=3).fit()):
        shown = fit._repr_html_()
        picture = ElementTree.fromstring(re.search("<svg.*</svg>", shown, re.S)[0])
        assert len(picture.findall(".//polyline")) == 1
        assert (len(picture.findall(".//circle")) > 100) is (fit.rows is not None)
        assert "R² " in shown
        assert not re.search(r"<script|href|src=|style=", shown)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("n", [1, 2, 40])
def test_the_picture_of_any_rows_stays_inside(n, scale):
    fit = pd.fit(1.7e9 + np.arange(float(n)), scale * np.sin(np.arange(n)), 0 if n == 1 else 1)
    picture = ElementTree.fromstring(thumbnail(fit))
    for dot in picture.findall(".//circle"):
        assert 0 <= float(dot.get("cx", "")) <= 360
        assert 0 <= float(dot.get("cy", "")) <= 200


def test_without_a_path_the_page_comes_back(tmp_path):
    fit = pd.fit(*data())
    shown = fit.explore(title="</iframe><b>", tour=False)
    assert shown is not None
    shown.save(tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == shown.html
    assert written(tmp_path / "a.html")["tour"] is False
    frame = shown._repr_html_()
    assert unescape(re.search('srcdoc="([^"]*)"', frame)[1]) == shown.html
    assert 'sandbox="allow-scripts"' in frame
    assert frame.count("<") == 2
    with pytest.raises(BadSetting):
        shown.save(tmp_path / "a.txt")
    neither: Any = "yes"
    with pytest.raises(BadSetting):
        fit.explore(tour=neither)


def test_what_is_held_travels():
    x, y = data()
    fit = pd.fit(x, y, 3, fix={0: 1.0}, through=(1.0, 2.0))
    held = payload(fit)["held"]
    assert held["fixed"] == [[0, 1.0]]
    assert held["through"] == [[1.0, 2.0]]
    weights = fit.curve.in_chebyshev()
    assert np.array(held["equations"]) @ weights == pytest.approx(np.array(held["values"]))
    assert triangle_of(payload(fit)).shape == (5, 5)
    assert payload(pd.fit(x, y))["held"] is None


def test_rows_travel_as_triangles_of_many():
    """No fold is so small that its rows could be told from it."""
    for n in (50, 179, 180, 2000):
        x, y = data(n)
        told = payload(pd.fit(x, y, 3))
        assert (told["folds"] is None) is (n < 5 * 3 * 12)
        for fold in told["folds"] or []:
            assert fold["n"] >= 3 * 12
        assert (told["loo"] is None) is (told["folds"] is not None)


def test_the_title_is_no_path(tmp_path, monkeypatch):
    folder = tmp_path / "home of somebody" / "data"
    folder.mkdir(parents=True)
    table = folder / "my rows.csv"
    table.write_text("x,y\n" + "".join(f"{i},{i * i}\n" for i in range(20)), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in (str(table), f"{folder.parent.name}/data/my rows.csv"):
        monkeypatch.setattr(
            sys, "argv", ["polydescent", "fit", name, "--x", "x", "--y", "y", "--explore", "a.html"]
        )
        with pytest.raises(SystemExit):
            main()
        assert written(tmp_path / "a.html")["title"] == "my rows.csv"
