"""What is printed of public values: one short line; in a notebook a table that runs nothing."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

import polydescent as pd

X = np.linspace(-1, 2, 300)
Y = 1 - X**3 + 0.1 * np.cos(40 * X)
DAYS = np.datetime64("2024-01-01") + np.arange(300)
FITS = {
    "exact": pd.fit(X, Y, 3),
    "dates": pd.fit(DAYS, Y, 2),
    "weighted": pd.fit(X, Y, 3, sigma=1 + X**2),
    "held": pd.fit(X, Y, 3, fix={0: 1.0}, through=(1, 0)),
    "high": pd.fit(X, Y, 40),
    "few": pd.fit([0, 1], [1, 3], 1),
    "walked": pd.descend(X, Y, 3, basis="chebyshev"),
    "adam": pd.descend(X, Y, 1, optimizer="adam", learning_rate=0.01, steps=5000),
    "summary": pd.summarize(X, Y, 3).fit(),
}
HOSTILE = '<script>alert("x")</script>&\x1b[31m'


def parts(fit):
    found = [fit, fit.derivative(), fit._uncertain, fit.least_squares, fit.curve, fit.degrees()]
    found += [fit.summary, fit.summary.triangle, fit.history, fit.forecast, fit.rows]
    return [part for part in found if part is not None] + fit.roots() + fit.extrema()


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_every_part_is_one_short_line_with_facts(fit):
    for part in parts(fit):
        line = repr(part)
        assert "\n" not in line
        assert "array(" not in line
        assert len(line) < (1200 if part is fit else 320), line
        assert line.startswith("<"), line
        assert any(sign.isdigit() for sign in line)


PICTURE = re.compile(r"<svg.*?</svg>", re.DOTALL)


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.text = [], set(), []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        assert not attrs
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def assert_table(text):
    """The texts of the table; a picture before it holds shapes and text, nothing that acts."""
    for picture in PICTURE.findall(text):
        assert not re.search(r"<script|<foreignObject|<image|<use|href|\son\w+=", picture)
    tags = Tags(PICTURE.sub("", text))
    assert tags.seen <= {"table", "caption", "tr", "th", "td", "p"}
    assert "\x1b" not in text
    return tags.text


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_notebooks_show_small_tables(fit):
    told = assert_table(fit._repr_html_())
    assert all(f"{c:.10g}" in told for c in fit.coef.tolist())
    assert len(assert_table(fit.degrees()._repr_html_())) > fit.degree
    assert f"{fit.n:,}" in assert_table(fit.summary._repr_html_())
    if fit.forecast is not None:
        assert f"{fit.forecast.lowest_loss:.6g}" in assert_table(fit.forecast._repr_html_())
    latex = fit._repr_latex_()
    assert latex == f"${fit.equation('latex', errors=True)}$"


def test_names_in_tables_are_text():
    fit = pd.fit({HOSTILE: X, "y": Y}, x=HOSTILE, y="y", degree=1)
    for shown in (fit, fit.summary):
        assert "<script>" in "".join(assert_table(shown._repr_html_()))
        assert "<script>" not in shown._repr_html_()
    assert "\x1b" not in repr(fit.rows)
