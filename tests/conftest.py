"""Settings for all tests: Hypothesis tries the same inputs every time, and arrivals are counted."""

import sys

import pytest
from hypothesis import HealthCheck, settings

from polydescent.cli import main

settings.register_profile(
    "seeded",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # `arrive` lives for all examples
)
settings.load_profile("seeded")


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "arrivals(least): examples of a property test that must come to its assertion"
    )


def pytest_collection_modifyitems(items):
    """A property test whose examples are all refused shows nothing: each says how many may be."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            marked = item.get_closest_marker("arrivals") and "arrive" in item.fixturenames
            assert marked, f"{item.nodeid} does not state how many examples must arrive"


@pytest.fixture
def arrive(request):
    """Called by each example of a property test that comes to the assertion; afterwards there must
    have been as many as the test's mark `arrivals` says.
    """
    (least,) = request.node.get_closest_marker("arrivals").args
    arrived = []
    yield lambda: arrived.append(True)
    assert len(arrived) >= least, f"{len(arrived)} examples arrived of the {least} that must"


@pytest.fixture
def polydescent(capsys, monkeypatch, tmp_path):
    """Run the command in an empty folder; returns (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["polydescent", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        return code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A Chromium that all tests of a file drive; see browser.py."""
    from browser import started

    yield from started(tmp_path_factory.mktemp("profile"))


@pytest.fixture
def page(browser, tmp_path):
    """A page of the explorer in it, to be opened."""
    from browser import watched

    yield from watched(browser, tmp_path)


@pytest.fixture(autouse=True)
def _figures_are_closed():
    """Pyplot keeps the figures that it made; a test is not to see those of another."""
    yield
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
        pyplot.close("all")
