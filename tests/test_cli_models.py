"""The commands that keep models, fit --save, update, merge, predict: what they say and leave."""

import csv
import errno
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas
import pytest

import polydescent as pd
from polydescent.models import model as store
from polydescent.regression.passes import State
from polydescent.regression.progress import Progress
from polydescent.rows.files import files

COMMAND = [sys.executable, "-m", "polydescent"]


@pytest.fixture
def polydescent(polydescent):
    """The command in a folder with three days of data."""
    for day in range(3):
        generator = np.random.default_rng(day)
        x = generator.uniform(day, day + 1, 500)
        y = 1 + 2 * x - x**2 + 0.1 * generator.standard_normal(500)
        pandas.DataFrame({"hour": x, "kW": y}).to_csv(f"day{day}.csv", index=False)
    return polydescent


ASKED = ("--x", "hour", "--y", "kW", "--degree", 2)


def left():
    return sorted(name for name in os.listdir() if not name.startswith("day"))


def test_standard_input_is_remembered_by_its_content(polydescent, monkeypatch):
    """A model names no file that is gone with the process, and none that only has its name."""

    def piped(content):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))

    data = Path("day0.csv").read_bytes()
    piped(data)
    assert polydescent("fit", "-", *ASKED, "--save", "m.json")[0] == 0
    (source,) = store.load(Path("m.json")).sources
    assert (source.path, source.size, source.rows) == ("standard input", len(data), 500)
    code, _, err = polydescent("update", "m.json", "day0.csv")
    assert code == 2
    assert "before as 'standard input'" in err
    piped(data)
    code, _, err = polydescent("update", "m.json", "-")
    assert (code, "--again" in err) == (2, True)
    piped(data + b"3,4\n")
    code, _, err = polydescent("update", "m.json", "-")
    assert (code, "starts the same" in err) == (2, True)
    Path("standard input").write_bytes(Path("day1.csv").read_bytes() + b"1,2\n")
    assert polydescent("update", "m.json", "day1.csv")[0] == 0
    piped(Path("day2.csv").read_bytes())
    assert polydescent("update", "m.json", "-")[0] == 0
    assert store.load(Path("m.json")).summary.n == 1500
    assert sorted(left()) == ["m.json", "standard input"]


def test_fit_saves_and_updates_add(polydescent):
    code, out, _ = polydescent("fit", "day0.csv", *ASKED, "--save", "m.json")
    assert code == 0
    assert re.search(r"saved in +m\.json", out)
    code, out, err = polydescent("update", "m.json", "day1.csv", "day2.csv")
    assert (code, err) == (0, "")
    assert out == "1,000 rows read, m.json now holds 1,500\n"
    assert left() == ["m.json"]
    whole = pd.fit("day*.csv", x="hour", y="kW", degree=2)
    summary = pd.Summary.load("m.json")
    assert (summary.x_name, summary.y_name, summary.n) == ("hour", "kW", 1500)
    np.testing.assert_allclose(summary.fit().coef, whole.coef, rtol=1e-11)


def test_adding_twice_is_refused_unless_again(polydescent):
    polydescent("fit", "day0.csv", *ASKED, "--save", "m.json")
    before = Path("m.json").read_bytes()
    code, out, err = polydescent("update", "m.json", "day0.csv")
    assert (code, out) == (2, "")
    assert "--again" in err
    assert Path("m.json").read_bytes() == before
    assert polydescent("update", "m.json", "day0.csv", "--again")[0] == 0
    assert pd.Summary.load("m.json").n == 1000


@pytest.mark.parametrize("save", [(), ("--save", "m.json")])
def test_rows_given_twice_are_refused_with_a_model_and_without(polydescent, save):
    Path("day0copy.csv").write_bytes(Path("day0.csv").read_bytes())
    with open("day0copy.csv", "a") as file:
        file.write("0.5,1\n")
    for given in (("day0.csv", "day0.csv"), ("day0.csv", "day0copy.csv"), ("day0*.csv",)):
        code, out, err = polydescent("fit", *given, *ASKED, *save)
        assert (code, out, left()) == (2, "", [])
        assert "would count twice" in err
        assert "--again" in err
        assert polydescent("fit", *given, *ASKED, *save, "--again")[0] == 0
        Path("m.json").unlink(missing_ok=True)
        with pytest.raises(pd.PolydescentError, match="again=True"):
            pd.summarize(list(given), x="hour", y="kW")
        assert pd.summarize(list(given), x="hour", y="kW", again=True).n in (1000, 1001)
    Path("day0copy.csv").unlink()


def test_the_expressions_of_a_model_are_its_own(polydescent):
    options = ("--x", "hour / 24", "--y", "kW * 1000", "--where", "hour > 0.5", "--degree", 1)
    polydescent("fit", "day0.csv", *options, "--save", "m.json")
    polydescent("update", "m.json", "day1.csv")
    whole = pd.fit(
        ["day0.csv", "day1.csv"], x="hour / 24", y="kW * 1000", where="hour > 0.5", degree=1
    )
    np.testing.assert_allclose(pd.Summary.load("m.json").fit().coef, whole.coef, rtol=1e-12)


def test_missing_values_are_omitted_and_counted(polydescent):
    Path("holes.csv").write_text("hour,kW\n1,2\n2,\n3,4\n4,nan\n5,7\n")
    code, _, err = polydescent("fit", "holes.csv", *ASKED)
    assert code == 2
    assert "at row 1 " in err
    code, out, _ = polydescent("fit", "holes.csv", *ASKED, "--missing", "omit", "--save", "m.json")
    assert code == 0
    assert re.search(r"rows omitted +2\n", out)
    code, out, _ = polydescent("update", "m.json", "holes.csv", "--again")
    assert out == (
        "5 rows read, m.json now holds 6\n4 rows with missing values were omitted in all\n"
    )


def test_models_merge_in_any_order(polydescent):
    for day in range(3):
        polydescent("fit", f"day{day}.csv", *ASKED, "--save", f"m{day}.json")
    code, out, _ = polydescent("merge", "m0.json", "m1.json", "m2.json", "-o", "all.json")
    assert (code, out) == (0, "all.json holds 1,500 rows of 3 models\n")
    polydescent("merge", "m2.json", "m0.json", "-o", "m2.json")
    polydescent("merge", "m2.json", "m1.json", "-o", "m2.json")
    whole = pd.fit("day*.csv", x="hour", y="kW", degree=2)
    for name in ("all.json", "m2.json"):
        np.testing.assert_allclose(pd.Summary.load(name).fit().coef, whole.coef, rtol=1e-11)
        assert len(store.load(name).sources) == 3
    code, _, err = polydescent("merge", "all.json", "m1.json", "-o", "twice.json")
    assert code == 2
    assert "was added to 'all.json' before" in err
    assert not Path("twice.json").exists()


def test_models_of_other_columns_or_degrees_do_not_merge(polydescent):
    polydescent("fit", "day0.csv", *ASKED, "--save", "a.json")
    polydescent("fit", "day1.csv", *ASKED[:-1], 3, "--save", "b.json")
    polydescent("fit", "day1.csv", "--x", "kW", "--y", "hour", "--degree", 2, "--save", "c.json")
    for other, said in (("b.json", "degrees 2 and 3"), ("c.json", "x is 'hour' here and 'kW'")):
        code, _, err = polydescent("merge", "a.json", other, "-o", "d.json")
        assert code == 2
        assert said in err
    assert not Path("d.json").exists()


def test_a_refusal_of_the_system_is_one_line(polydescent, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.EIO, "no", "day0.csv")

    monkeypatch.setattr(store, "load", refuse)
    code, out, err = polydescent("predict", "m.json", "--at", 1)
    assert (code, out) == (2, "")
    assert re.fullmatch("polydescent: Cannot use 'day0.csv': .*Check the disk.*\n", err)


def test_predict_at_numbers_and_for_files(polydescent):
    polydescent("fit", "day0.csv", *ASKED, "--save", "m.json")
    fit = pd.Summary.load("m.json").fit()
    code, out, _ = polydescent("predict", "m.json", "--at", 0.25, "--at", 0.5)
    assert code == 0
    assert [float(line) for line in out.splitlines()] == [fit(0.25), fit(0.5)]
    code, out, _ = polydescent("predict", "m.json", "day0.csv")
    header, *lines = csv.reader(out.splitlines())
    assert header == ["hour", "kW"]
    x, y = np.array(lines, dtype=float).T
    np.testing.assert_array_equal(x, pandas.read_csv("day0.csv").hour)
    np.testing.assert_array_equal(y, fit(x))
    code, out, _ = polydescent("predict", "m.json", "--at", 0.25, "--degree", 1)
    assert float(out) == pd.Summary.load("m.json").fit(1)(0.25)


def rows_of_csv(text):
    return [[float(v) for v in line.split(",")] for line in text.splitlines()[1:]]


@pytest.mark.parametrize("band", ["confidence", "prediction"])
def test_predict_with_bands(polydescent, band):
    polydescent("fit", "day0.csv", *ASKED, "--save", "m.json")
    fit = pd.Summary.load("m.json").fit()
    reach = getattr(fit, f"{band}_band")
    code, out, _ = polydescent("predict", "m.json", "--at", 0.25, "--band", band, "--level", 0.8)
    assert code == 0
    assert [float(v) for v in out.split(",")] == [fit(0.25), *reach(0.25, 0.8)]
    _, out, _ = polydescent("predict", "m.json", "day0.csv", "--band", band)
    assert out.splitlines()[0].endswith(",low,high")
    x, y, low, high = np.transpose(rows_of_csv(out))
    np.testing.assert_array_equal(y, fit(x))
    np.testing.assert_array_equal([low, high], reach(x))


def test_predict_where_the_curve_is_y(polydescent):
    polydescent("fit", "day0.csv", *ASKED, "--save", "m.json")
    fit = pd.Summary.load("m.json").fit()
    y = float(fit(0.25))
    code, out, err = polydescent("predict", "m.json", "--inverse", y, "--inverse", 1e6)
    assert code == 0
    assert out.splitlines()[0] == "y,x,stderr"
    assert rows_of_csv(out) == [[y, r.value, r.stderr] for r in fit.inverse(y)]
    assert "the curve is nowhere 1e+06" in err


def test_a_prediction_outside_the_data_is_warned_of_in_one_line(polydescent):
    polydescent("fit", "day0.csv", *ASKED, "--save", "m.json")
    command = [sys.executable, "-m", "polydescent", "predict", "m.json", "--at", "50"]
    done = subprocess.run(command, capture_output=True, text=True)  # pytest keeps warnings itself
    assert done.returncode == 0
    assert float(done.stdout)
    assert done.stderr.startswith("polydescent: x = 50 outside [")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "wanted", [("--degree", "auto:5"), ("--fix", "0=1"), ("--terms", "1,2"), ("--through", "0,1")]
)
def test_a_model_predicts_with_the_curve_it_was_saved_with(polydescent, wanted):
    command = ("fit", "day0.csv", "--x", "hour", "--y", "kW", "--json", "--save", "m.json")
    code, out, _ = polydescent(*command, *wanted)
    assert code == 0
    coef = json.loads(out)["coef"]
    _, out, _ = polydescent("predict", "m.json", "--at", 0.5)
    assert float(out) == pytest.approx(np.polynomial.Polynomial(coef)(0.5), rel=1e-9)


def test_refusals_end_with_code_2_and_write_nothing(polydescent, subtests):
    polydescent("fit", "day0.csv", *ASKED, "--save", "m.json")
    pd.Summary.load("m.json").save("bare.json")
    Path("broken.json").write_bytes(Path("m.json").read_bytes()[:-9])
    before = {name: Path(name).read_bytes() for name in left()}
    for arguments, said in {
        ("update", "none.json", "day1.csv"): "no file 'none.json'",
        ("update", "m.json", "day9.csv"): "no file 'day9.csv'. Did you mean",
        ("update", "broken.json", "day1.csv"): "no whole model file",
        ("update", "bare.json", "day1.csv"): "does not name its columns",
        ("fit", "day0.csv", *ASKED, "--save", "day1.csv"): "not overwritten",
        ("fit", "day0.csv", *ASKED, "--save", "none/m.json"): "none",
        ("fit", "day0.csv", *ASKED, "--save", "n.json", "--over", "rows"): "--save streams",
        ("update", "/dev/null", "day1.csv"): "is a device, not a file",
        ("fit", "day0.csv", *ASKED, "--save", "/dev/null"): "is a device, not a file",
        ("fit", "day0.csv", *ASKED, "--save", "n" * 300): "Use a shorter name",
        ("merge", "m.json", "bare.json", "-o", "day1.csv"): "not overwritten",
        ("predict", "m.json"): "Nothing to predict",
        ("predict", "bare.json", "day0.csv"): "does not name its columns",
        ("predict", "m.json", "--at", 1, "--degree", 5): "from 0 to 2",
        ("predict", "m.json", "--at", 1, "--sigma", 1): "goes with --band prediction",
        ("predict", "m.json", "--at", 1, "--sigma", 1, "--band", "prediction"): "had no sigma",
        ("predict", "m.json", "--inverse", "x"): "a number",
        ("predict", "m.json", "--at", 1, "--level", 2): "between 0 and 1",
    }.items():
        with subtests.test(" ".join(map(str, arguments))):
            code, out, err = polydescent(*arguments)
            assert (code, out) == (2, "")
            assert said in err
            assert {name: Path(name).read_bytes() for name in left()} == before


def test_two_updates_at_once_lose_nothing(polydescent):
    polydescent("fit", "day0.csv", *ASKED, "--save", "m.json")
    updates = [
        subprocess.Popen([*COMMAND, "update", "m.json", name], stdout=subprocess.DEVNULL)
        for name in ("day1.csv", "day2.csv")
    ]
    assert [update.wait() for update in updates] == [0, 0]
    assert pd.Summary.load("m.json").n == 1500
    assert left() == ["m.json"]


# ── progress, on a terminal ──────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def long_file(tmp_path_factory):
    """Rows that take a few seconds: a CSV read through a slow expression."""
    path = tmp_path_factory.mktemp("long") / "long.csv"
    x = np.linspace(0, 1, 1_500_000)
    pandas.DataFrame({"x": x, "y": x}).to_csv(path, index=False, float_format="%.6f")
    return path


SLOW = "y + 0 * length(repeat(md5(CAST(y AS VARCHAR)), 200))"


def run_on_a_terminal(arguments, interrupt_at=None):
    """(exit code, all that a terminal showed); Ctrl-C once the pattern has been shown."""
    terminal, side = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdout=side, stderr=side, stdin=side, process_group=0
    )
    os.close(side)
    shown = ""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                shown += os.read(terminal, 1 << 16).decode(errors="replace")
            except OSError:  # the other side is closed
                break
        if interrupt_at and re.search(interrupt_at, shown):
            process.send_signal(signal.SIGINT)
            interrupt_at = None
    return process.wait(), shown


def test_ctrl_c_says_how_to_go_on_and_the_same_command_does(long_file, tmp_path):
    model = tmp_path / "m.json"
    arguments = ("fit", long_file, "--x", "x", "--y", SLOW, "--degree", 1, "--save", model)
    code, shown = run_on_a_terminal(arguments, interrupt_at=r"rows/s")
    assert code == 130
    assert re.search(r"[\d,]+ rows · [\d.]+[kM]? rows/s · \d+% · .* left", shown)
    assert re.search(r"Stopped after [\d,]+ rows, nothing is lost: the same command", shown)
    assert not model.exists()
    assert len(os.listdir(tmp_path)) == 1
    code, shown = run_on_a_terminal((*arguments, "--quiet"))
    assert code == 0
    assert "rows/s" not in shown
    assert os.listdir(tmp_path) == ["m.json"]
    assert pd.Summary.load(model).n == 1_500_000
    direct = pd.summarize(long_file, x="x", y=SLOW, degree=1)
    np.testing.assert_array_equal(pd.Summary.load(model).triangle.array, direct.triangle.array)


def test_a_pipe_shows_no_progress(long_file, tmp_path):
    arguments = ["fit", long_file, "--x", "x", "--y", SLOW, "--degree", "1", "--json"]
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert json.loads(done.stdout)["rows"] == 1_500_000


def test_the_line_counts_bytes_of_all_files(polydescent):
    class Terminal(io.StringIO):
        said = ""

        def isatty(self):
            return True

        def write(self, text):
            self.said += text

        def flush(self):
            pass

    source = files("day?.csv", "hour", "kW")
    progress = Progress(source, stream=Terminal())
    half = State(done=(500,), taken=250, share=0.5)
    assert progress.share(half) == pytest.approx(0.5, abs=0.01)
    assert progress.line(half, 10.0) == "750 rows · 75 rows/s · 50% · 10 s left"
    assert progress.line(half, 7200.0).endswith("2 h 0 min left")


@pytest.fixture
def dated(polydescent):
    """The same, with two files of dates: 1 + 2 a week since 2024-05-01."""
    for name, weeks in (("day8.csv", range(30)), ("day9.csv", range(30, 50))):
        days = [str(np.datetime64("2024-05-01") + 7 * w) for w in weeks]
        y = [1.0 + 2 * w for w in weeks]
        pandas.DataFrame({"day": days, "kW": y}).to_csv(name, index=False)
    return polydescent


ON_DATES = ("--x", "day", "--y", "kW", "--degree", 1, "--per", "week")


def test_a_model_of_dates_keeps_origin_and_unit(dated):
    code, out, _ = dated("fit", "day8.csv", *ON_DATES, "--save", "m.json")
    assert code == 0
    assert "t = weeks since 2024-05-01, coefficients are per week" in out
    assert dated("update", "m.json", "day9.csv")[0] == 0
    line = pd.Summary.load("m.json").fit()
    np.testing.assert_allclose(line.coef, [1, 2], rtol=1e-12)
    assert line(np.datetime64("2024-05-08")) == pytest.approx(3)
    assert (line.n, line.summary.x_name, str(line.axis)) == (50, "day", "2024-05-01")


def test_models_of_dates_merge_and_predict(dated):
    dated("fit", "day8.csv", *ON_DATES, "--save", "a.json")
    dated("fit", "day9.csv", *ON_DATES[:-2], "--save", "b.json")  # per day, from another origin
    assert dated("merge", "a.json", "b.json", "-o", "m.json")[0] == 0
    code, out, _ = dated("predict", "m.json", "--at", "2024-05-08", "--at", "2024-05-08T00:00Z")
    assert code == 0
    assert [float(line) for line in out.split()] == pytest.approx([3, 3])
    code, out, _ = dated("predict", "m.json", "day8.csv")
    header, first, second, *_ = out.splitlines()
    assert (code, header) == (0, "day,kW")
    assert first.startswith("2024-05-01,")
    assert float(second.removeprefix("2024-05-08,")) == pytest.approx(3)
    code, _, err = dated("predict", "m.json", "--at", "5")
    assert code == 2
    assert "a date such as 2024-05-01" in err


def test_a_unit_is_for_dates_alone(dated):
    code, _, err = dated("fit", "day0.csv", *ASKED, "--per", "week", "--save", "m.json")
    assert code == 2
    assert "only dates and durations have a unit" in err
    assert left() == []


def test_a_model_of_nanoseconds_predicts_them(polydescent):
    t = 1_700_000_000_123_456_789 + np.arange(100)
    frame = pandas.DataFrame({"t": t, "v": 2.0 * np.arange(100)}).astype({"t": "Int64"})
    frame.loc[3, "t"] = pandas.NA
    frame.to_csv("days.csv", index=False)
    asked = ("--x", "t", "--y", "v", "--degree", 1, "--missing", "omit", "--save", "m.json")
    assert polydescent("fit", "days.csv", *asked)[0] == 0
    assert float(polydescent("predict", "m.json", "--at", t[7])[1]) == pytest.approx(14)
    rows = polydescent("predict", "m.json", "days.csv")[1].splitlines()
    assert rows[4] == "nan,nan"
    x, y = rows[8].split(",")
    assert (int(x), float(y)) == (t[7], pytest.approx(14))


def test_a_model_keeps_whether_sigma_is_absolute(polydescent):
    frame = pandas.read_csv("day0.csv").assign(sd=0.3)
    frame[:250].to_csv("a.csv", index=False)
    frame[250:].to_csv("b.csv", index=False)
    asked = (*ASKED, "--sigma", "sd", "--absolute-sigma")
    assert polydescent("fit", "a.csv", *asked, "--save", "m.json")[0] == 0
    assert store.load("m.json").curve["absolute_sigma"] is True
    assert polydescent("update", "m.json", "b.csv")[0] == 0
    model = store.load("m.json")
    assert model.curve["absolute_sigma"] is True
    known = pd.fit(frame.hour, frame.kW, 2, sigma=frame.sd, absolute_sigma=True)
    found = model.summary.fit(absolute_sigma=model.curve["absolute_sigma"])
    np.testing.assert_allclose(found.stderr, known.stderr, rtol=1e-9)
    assert found.aic == pytest.approx(known.aic, rel=1e-9)
    assert float(polydescent("predict", "m.json", "--at", 0.5)[1]) == pytest.approx(known(0.5))
    assert polydescent("predict", "m.json", "--at", 0.5, "--degree", "auto")[0] == 0
    assert polydescent("fit", "a.csv", *ASKED, "--save", "n.json")[0] == 0
    assert "absolute_sigma" not in store.load("n.json").curve
    asked = (*ASKED, "--sigma", "sd")
    assert polydescent("fit", "b.csv", *asked, "--save", "o.json")[0] == 0
    code, _, err = polydescent("merge", "m.json", "o.json", "-o", "all.json", "--again")
    assert (code, "absolute_sigma is True here and False" in err) == (2, True)


def test_a_descent_knows_that_sigma_is_absolute(polydescent):
    pandas.read_csv("day0.csv").assign(sd=0.3).to_csv("a.csv", index=False)
    asked = (*ASKED, "--sigma", "sd", "--optimizer", "momentum", "--save", "m.json")
    assert polydescent("fit", "a.csv", *asked, "--absolute-sigma")[0] == 0
    assert store.load("m.json").curve["absolute_sigma"] is True


def test_models_of_other_counts_do_not_merge(polydescent):
    frame = pandas.read_csv("day0.csv").assign(n=2)
    frame.to_csv("a.csv", index=False)
    assert polydescent("fit", "a.csv", *ASKED, "--save", "m.json")[0] == 0
    assert polydescent("fit", "a.csv", *ASKED, "--counts", "n", "--save", "n.json")[0] == 0
    code, _, err = polydescent("merge", "m.json", "n.json", "-o", "o.json", "--again")
    assert (code, "counts is None here and 'n'" in err) == (2, True)
