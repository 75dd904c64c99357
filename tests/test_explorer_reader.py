"""What a demanding reader tried on the explorer page, in a real browser: nothing shown is wrong."""

import re

import numpy as np
import pytest
from pages import density_of, payload_of, rows

import polydescent
from polydescent.report import explorer
from polydescent.report.page import payload

pytest.importorskip("selenium.webdriver")

from browser import (
    ActionChains,
    By,
    Keys,
    limit,
    needs_a_browser,
    number,
    wanted,
)

pytestmark = needs_a_browser
SIZES = [(1280, 720), (1440, 900), (820, 1100), (721, 900), (360, 740), (320, 640)]


def opened(page, fit, fragment="", **settings):
    path = page.folder / "fit.html"
    path.write_text(explorer.page(payload(fit, **settings) | {"language": "en"}), encoding="utf-8")
    page.driver.get("about:blank")
    page.driver.get(f"{path.as_uri()}#{fragment}")
    page.wait(page.is_ready)
    page.settle()


def script(page, text, *arguments):
    return page.driver.execute_script(f"return {text}", *arguments)


@pytest.fixture
def sized(page):
    def size(width, height, mobile=False):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    yield size
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


# ---- what is held, and weights ----


def test_a_constrained_fit_has_its_own_floor_and_says_so(page):
    x, y = rows()
    fit = polydescent.fit(x, y, 3, fix={0: 5.0})
    opened(page, fit, "step=200")
    assert fit.lowest_loss > 3 * polydescent.fit(x, y, 3).lowest_loss
    floor = page.driver.find_element(By.CSS_SELECTOR, "#loss-chart .floor-label")
    assert number(floor.text.split()[1]) == pytest.approx(fit.lowest_loss, rel=1e-5)
    assert "Held: the constant at 5" in page.text("held")
    assert not page["degree"].is_enabled()
    assert page.number("loss") >= fit.lowest_loss * (1 - 1e-6)
    page.choose("basis", "power")
    start = page.cells("card-start")
    assert start[0] == ["a", "5", "5"]


def test_weights_are_named_and_reach_python(page):
    x, y = rows()
    sigma = np.full(len(x), 0.2)
    opened(page, polydescent.fit(x, y, 3, weights=1 + x**2))
    assert "weighted" in page.text("loss-note")
    assert "weights=weights" in page.text("python")
    opened(page, polydescent.fit(x, y, 3, sigma=sigma, absolute_sigma=True))
    assert "sigma=sigma" in page.text("python")
    assert "absolute_sigma=True" in page.text("python")


# ---- paper ----


@pytest.fixture
def screen(page):
    yield page
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def test_paper_keeps_the_shape_and_is_light(screen):
    page = screen
    page.open("theme=dark&step=30")
    page.driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    page.settle()
    assert script(page, "document.documentElement.dataset.theme") == "light"
    sizes = script(
        page,
        "['rows', 'curves'].map(id => document.getElementById(id).getBoundingClientRect())"
        ".map(b => [b.width, b.height])",
    )
    assert sizes[0] == sizes[1]
    box = "document.getElementById('curves').getAttribute('viewBox')"
    _, _, width, height = map(float, script(page, box).split())
    assert sizes[0][0] / sizes[0][1] == pytest.approx(width / height, rel=0.01)
    assert not page["play"].is_displayed()
    assert not page["scrub"].is_displayed()
    assert page["loss"].is_displayed()
    page.driver.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert script(page, "document.documentElement.dataset.theme") == "dark"


# ---- another degree or basis ----


@pytest.mark.parametrize("name", ["gd", "momentum"])
def test_another_degree_keeps_the_curve_and_takes_a_safe_rate(page, name):
    page.open(f"optimizer={name}&beta=0.8&rate={0.9 * limit(name)}")
    curve = "document.querySelector('#curves .current').getAttribute('d')"
    before, loss = script(page, curve), page.number("loss")
    for degree in (4, 5, 10):
        page.driver.execute_script(
            "const d = document.getElementById('degree'); d.value = arguments[0];"
            "d.dispatchEvent(new Event('input', {bubbles: true}))",
            degree,
        )
        page.settle()
        assert page["status"].get_attribute("data-mood") == "fine"
        assert page.number("loss") == pytest.approx(loss, rel=1e-6)
    after = script(page, curve)
    now, then = (
        [float(v) for v in d.replace("M", " ").replace("L", " ").split()] for d in (after, before)
    )
    np.testing.assert_allclose(now, then, atol=0.2)
    assert page.text("adapted-word").startswith("η was")
    page.choose("basis", "chebyshev")
    assert page.number("loss") == pytest.approx(loss, rel=1e-6)
    assert page.number("rate-field") == pytest.approx(
        0.9 * number(page.text("limit").split()[1]), rel=2e-3
    )
    page.click("keep")
    assert page.number("rate-field") == pytest.approx(0.9 * limit(name), rel=1e-4)
    assert not page["adapted"].is_displayed()


# ---- numbers that overflow, tiny numbers, long numbers ----


def test_what_overflowed_is_not_called_zero(page):
    page.open("degree=10&rate=1e300&step=2000")
    assert "NaN" not in page.text("status")
    assert "Mode 1 grows" in page.text("status-more")
    shares = [row[2] for row in page.cells("modes")]
    assert set(shares) == {"beyond doubles"}


def test_a_tiny_rate_is_read_whole_and_is_as_stable_as_in_the_library(page):
    x, y = rows()
    fit = polydescent.descend(x * 1e40, y, 3, start="zeros")
    opened(page, fit)
    assert page["status"].get_attribute("data-mood") == "fine"
    rate = fit.forecast.optimizer.learning_rate
    assert page.number("rate-field") == pytest.approx(rate, rel=1e-5)
    assert_not_cut(page, "rate-field")
    page.type("step", "1000000000")
    assert page.value("step") == "1000000000"
    for field in ("step", "steps-field"):
        assert_not_cut(page, field)


def assert_not_cut(page, name):
    wide, room = script(page, "(n => [n.scrollWidth, n.clientWidth])(arguments[0])", page[name])
    assert wide <= room, f"{name} needs {wide} pixels and has {room}"


# ---- the point of card 3 ----


def test_the_point_is_a_row_or_a_mean_of_rows_and_survives_a_reload(page):
    page.open()
    x, _ = rows()
    ActionChains(page.driver).move_to_element_with_offset(page["curves"], 60, -40).click().perform()
    page.settle()
    at, text = page.number("at-x"), page.text("point-note")
    count = int(text.split("mean of the ")[1].split()[0]) if "mean" in text else 0
    edges = np.linspace(x.min(), x.max(), 161)
    strip = np.searchsorted(edges, at) - 1
    within = (x >= edges[strip]) & (x < edges[strip + 1])
    assert count == within.sum()
    shown = page.text("card-forward")
    page.wait(lambda: "x=" in page.driver.current_url)
    page.driver.refresh()
    page.wait(page.is_ready)
    page.settle()
    assert page.text("card-forward") == shown


def test_without_rows_it_is_a_place_of_the_readers_choice(page):
    opened(page, polydescent.summarize(*rows(), degree=4).fit(2))
    assert "place of your choice" in page.text("point-note")
    assert len(page.cells("card-forward", "tfoot")) == 1


def test_scrolling_and_other_buttons_pick_nothing(page):
    page.open("x=0.5")
    before = page.number("at-x")
    ActionChains(page.driver).move_to_element_with_offset(
        page["curves"], -90, 20
    ).context_click().perform()
    page.settle()
    assert page.number("at-x") == before
    page.driver.execute_script(
        "const svg = document.getElementById('curves');"
        "const fire = (name, x) => svg.dispatchEvent(new PointerEvent(name, {pointerType: 'touch',"
        " clientX: x, clientY: 300, button: 0, pointerId: 7, bubbles: true}));"
        "fire('pointerdown', 500); fire('pointermove', 550); fire('pointercancel', 550);"
        "fire('pointermove', 600);"
    )
    page.settle()
    assert page.number("at-x") == before


# ---- dates and titles ----


def test_dates_are_dates(page):
    days = np.datetime64("1880-01-01") + np.arange(0, 52_000, 40)
    fit = polydescent.fit(days, np.sin(np.arange(len(days)) / 300), 3)
    opened(page, fit)
    labels = script(
        page, "[...document.querySelectorAll('#curves .grid text')].map(n => n.textContent)"
    )
    years = [label for label in labels if len(label) == 4 and label.isdigit()]
    assert len(years) >= 2
    assert all(1880 <= int(year) <= 2022 for year in years)
    assert page.value("at-x").startswith("19")
    page.type("at-x", "1950-06-15")
    assert page.value("at-x") == "1950-06-15"
    assert page.text("problem") == ""
    page.type("at-x", "yesterday")
    assert "A date from 1880-01-01 to" in page.text("problem")
    page.choose("basis", "power")
    assert "days since 1880-01-01" in page.text("card-forward")
    assert "since" not in page.text("title")


# ---- keys ----


def test_space_plays_wherever_focus_is(page):
    page.open("speed=1&step=3")
    names = ("theme", "rate", "speed", "fastest-rate", "band", "loss-chart", "map")
    page.driver.execute_script("document.querySelector('[data-name=about]').open = true")
    others = ["[name=basis][value=power]", "summary", "#modes tbody button", ".term"]
    theme = script(page, "document.documentElement.dataset.theme")
    for node in [
        *(page[name] for name in names[:-1]),
        *(page.driver.find_element(By.CSS_SELECTOR, q) for q in others),
    ]:
        page.driver.execute_script("arguments[0].focus()", node)
        page.keys(Keys.SPACE)
        assert page.text("play-word") == "Pause", node.get_attribute("outerHTML")[:80]
        page.keys(Keys.SPACE)
        assert page.text("play-word") == "Play"
    assert script(page, "document.documentElement.dataset.theme") == theme
    page["at-x"].send_keys(Keys.SPACE)
    assert page.text("play-word") == "Play"


def test_focus_in_the_table_of_modes_survives(page):
    page.open()
    button = page.driver.find_elements(By.CSS_SELECTOR, "#modes tbody button")[1]
    page.driver.execute_script("arguments[0].focus()", button)
    page.type("rate-field", "0.0002")
    page.driver.execute_script("arguments[0].focus()", button)
    button.send_keys(Keys.ENTER)
    page.settle()
    page.keys(Keys.ARROW_RIGHT)
    active = "document.activeElement.dataset.mode"
    assert script(page, active) == "1"
    assert button.get_attribute("aria-pressed") == "true"


# ---- layout ----

OVERLAPS = """(() => {
  const cards = [...document.querySelectorAll('.panel')].filter(n => n.offsetParent);
  const boxes = cards.map(n => n.getBoundingClientRect());
  const out = [];
  boxes.forEach((a, i) => boxes.forEach((b, j) => {
    if (i < j && !['transport', 'tour'].includes(cards[i].id) && a.left < b.right - 1
      && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) out.push([i, j]);
  }));
  for (const n of document.querySelectorAll('#six .card, #controls')) {
    if (n.scrollWidth > n.clientWidth + 1) out.push(n.id);
  }
  return out;
})()"""
SMALL = """[...new Set([...document.querySelectorAll('body *')].filter(n => n.offsetParent
  && [...n.childNodes].some(c => c.nodeType === 3 && c.data.trim()))
  .filter(n => parseFloat(getComputedStyle(n).fontSize) < 13)
  .map(n => n.className || n.tagName))]"""


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_everything_has_its_place(page, sized, size):
    width, height = size
    _, y = rows()
    days = np.datetime64("2001-01-01") + np.arange(400) * 11
    fit = polydescent.fit(days, 1e6 * y, 3)
    sized(width, height, mobile=width < 700)
    for fragment in ("degree=10&step=1000000000&steps=1000000000", "tour=6&rate=1e300&step=90"):
        opened(page, fit, fragment)
        assert page.width() == script(page, "document.documentElement.clientWidth") <= width
        assert script(page, OVERLAPS) == []
        assert script(page, SMALL) == []
        assert script(page, "document.getElementById('scrub').offsetWidth") >= 160
        assert script(page, "Math.min(...['curves', 'loss-chart'].flatMap(id => ['x', 'y'].map(a =>"
                      " [...document.querySelectorAll(`#${id} .grid text`)].filter(n =>"
                      " (n.getAttribute('text-anchor') === 'end' && +n.getAttribute('x') < 60)"
                      " === (a === 'y')).length)))") >= 2  # fmt: skip
        if width >= 1280:
            bottom = script(
                page, "document.getElementById('curves').getBoundingClientRect().bottom"
            )
            assert bottom <= height


def test_no_gap_under_the_picture_at_degree_20(page, sized):
    x, y = rows()
    sized(1440, 900)
    opened(page, polydescent.fit(x, y, 20), "degree=20")
    gap = script(
        page,
        "document.getElementById('six').getBoundingClientRect().top"
        " - document.getElementById('picture').getBoundingClientRect().bottom",
    )
    assert 0 < gap < 20
    assert len(page.cells("modes")) == 21


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_rows_can_be_seen(page, theme):
    page.open(f"theme={theme}")
    style = "getComputedStyle(document.{})"
    faint = script(page, style.format("documentElement") + ".getPropertyValue('--faint')")
    ground = script(page, style.format("querySelector('.panel')") + ".backgroundColor")
    faint, ground = ([int(n) for n in re.findall(r"\d+", color)] for color in (faint, ground))
    assert contrast(faint, ground) >= 3


def contrast(a, b):
    def luminance(color):
        share = np.array(color) / 255
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_one_row_is_one_row(page):
    opened(page, polydescent.fit([1.0], [2.0], 0))
    assert page.text("subtitle").startswith("1 row folded into")
    assert "1 row," in page.text("data-note")


def test_sliders_are_seen_in_forced_colors(screen):
    page = screen
    page.open()
    features = [{"name": "forced-colors", "value": "active"}]
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    assert script(page, "matchMedia('(forced-colors: active)').matches")
    rules = script(
        page,
        "[...document.styleSheets[0].cssRules]"
        ".filter(rule => rule.conditionText?.includes('forced'))"
        ".flatMap(rule => [...rule.cssRules].map(one => one.selectorText)).join()",
    )
    assert "slider-runnable-track" in rules


# ---- a frame without an address, a hash without sense ----


def test_a_sandboxed_frame_works(page):
    x, y = rows()
    html = explorer.page(payload_of(x, y, density=density_of(x, y)))
    path = page.folder / "fit.html"
    path.write_text(
        "<!doctype html><iframe sandbox='allow-scripts' width=1000 height=800></iframe>"
    )
    page.driver.get(path.as_uri())
    page.driver.execute_script("document.querySelector('iframe').srcdoc = arguments[0]", html)
    page.driver.switch_to.frame(0)
    page.wait(page.is_ready)
    page.type("rate-field", "0.0002")
    page.click("forth")
    assert page.number("step") == 1
    page.driver.execute_async_script("setTimeout(arguments[0], 400)")
    page.driver.switch_to.default_content()


def test_a_far_x_is_no_error(page):
    page.open("x=1e308")
    assert page.number("at-x") == pytest.approx(rows()[0].max(), rel=1e-4)


# ---- the tour, by keyboard alone ----


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_tour_by_keyboard_alone(page, language):
    page.open(language=language)
    page.driver.execute_script("document.body.focus()")
    for _ in range(10):
        page.keys(Keys.TAB)
        if script(page, "document.activeElement.id") == "take-tour":
            break
    page.keys(Keys.ENTER)
    page.settle()
    titles, losses = [], []
    for stop in range(1, 9):
        assert script(page, "document.activeElement.id") == "tour-next"
        titles.append(page.text("stop-title"))
        losses.append(page.number("loss"))
        assert "NaN" not in page.text("stop-text")
        assert page["status"].get_attribute("data-mood") == ("bad" if stop == 4 else "fine")
        assert len(page.driver.find_elements(By.CLASS_NAME, "shown")) == 1
        page.wait(lambda stop=stop: f"tour={stop}" in page.driver.current_url)
        if stop < 8:
            page.keys(Keys.ENTER)
            page.settle()
    assert len(set(titles)) == 8
    assert losses[7] < losses[0]
    assert page["tour"].is_displayed()
    page.keys(Keys.TAB, Keys.ENTER)
    page.settle()
    assert not page["tour"].is_displayed()
    assert script(page, "document.activeElement.id") == "take-tour"


def test_a_page_without_the_tour(page):
    page.open("tour=3", tour=False)
    assert not page["take-tour"].is_displayed()
    assert not page["tour"].is_displayed()


def test_words_explain_themselves(page):
    page.open()
    term = page.driver.find_element(By.CSS_SELECTOR, "#kappa .term")
    page.driver.execute_script("arguments[0].focus()", term)
    page.settle()
    assert page["tip"].is_displayed()
    assert page.text("tip").startswith("Condition κ")
    page.keys(Keys.ESCAPE)
    assert not page["tip"].is_displayed()


# ---- surface, map, degrees, rows added ----


def test_a_place_on_the_map_sets_both(page):
    page.open("view=map&optimizer=momentum&step=5")
    before = page.number("rate-field"), page.number("beta-field")
    ActionChains(page.driver).scroll_to_element(page["map"]).move_to_element_with_offset(
        page["map"], 40, -30
    ).click().perform()
    page.settle()
    assert page.number("rate-field") != before[0]
    assert page.number("beta-field") != before[1]
    rate = page.number("rate-field")
    page["map"].send_keys(Keys.ARROW_LEFT)
    page.settle()
    assert page.number("rate-field") < rate
    assert "steps to 1 %" in page["map"].get_attribute("aria-label")


def test_the_start_is_dragged_on_the_surface(page):
    page.open("view=surface&step=20")
    grip = page.driver.find_element(By.CSS_SELECTOR, "#surface .grip")
    before = page.weights()
    ActionChains(page.driver).scroll_to_element(page["surface"]).click_and_hold(
        grip
    ).move_by_offset(-30, 10).release().perform()
    page.settle()
    after = page.weights()
    assert after[:2] != before[:2]
    assert after[2:] == pytest.approx(before[2:], rel=1e-12)


def test_a_degree_is_chosen_from_the_table(page):
    page.open("view=degrees")
    row = page.driver.find_elements(By.CSS_SELECTOR, "#degrees-table tbody button")[5]
    page.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", row)
    row.click()
    page.settle()
    assert page.text("degree-out") == "5"
    assert "◆" in page.text("degrees-table")


def test_a_row_is_added_and_undone(page):
    page.open("step=2000")
    floor = page.text("loss")
    page.choose("edit", "add")
    page.type("new-x", "0.5")
    page.type("new-y", "30")
    page.click("add-here")
    x, y = rows()
    fit = polydescent.fit(np.append(x, 0.5), np.append(y, 30.0), 3)
    label = page.driver.find_element(By.CSS_SELECTOR, "#loss-chart .floor-label").text
    assert number(label.split()[1]) == pytest.approx(fit.loss, rel=1e-5)
    assert page.text("subtitle").startswith("401 rows")
    page.click("undo")
    assert page.text("loss") == floor


def test_a_row_of_the_sample_is_taken_out(page):
    x, y = rows()
    page.open("edit=take", sample=[x.tolist(), y.tolist()], density=None)
    ActionChains(page.driver).move_to_element_with_offset(page["curves"], 40, 30).click().perform()
    page.settle()
    assert page.text("subtitle").startswith("399 rows")


# ---- charts answer, speed, links ----


def test_charts_answer_keys_and_the_pointer(page):
    page.open("step=10")
    losses = wanted()[0]
    chart = page["loss-chart"]
    for _ in range(3):
        chart.send_keys(Keys.ARROW_RIGHT)
    page.settle()
    said = chart.get_attribute("aria-valuetext")
    assert said.startswith("step 13: ")
    assert number(said.split(": ")[1]) == pytest.approx(losses[13], rel=1e-4)
    ActionChains(page.driver).scroll_to_element(chart).move_to_element(chart).perform()
    page.settle()
    step, value = page.driver.find_element(By.CSS_SELECTOR, "#loss-chart .probe-text").text.split(
        ": "
    )
    assert number(value) == pytest.approx(losses[int(number(step.split()[1]))], rel=1e-4)


def test_the_first_steps_are_slow_and_light_up(page):
    page.open("steps=500")
    page.click("play")
    page.wait(lambda: page.number("step") >= 2)
    assert page.number("step") < 6
    assert page.driver.find_elements(By.CSS_SELECTOR, "#card-update.lit, #card-update.relit")
    page.click("play")


def test_the_link_says_this_state(page):
    page.open("step=77&rate=0.0003")
    page.click("share")
    page.wait(lambda: page.text("shared"))
    assert page.value("link").endswith("#rate=0.0003&step=77")


def test_the_curve_may_leave_the_picture(page):
    page.open(f"rate={1.5 * limit()}&step=60")
    assert "off the chart" in page.driver.find_element(By.ID, "curves").get_property("textContent")
    assert "off the chart" in page.text("picture-note")


def test_the_notebook_shows_the_page(page):
    x, y = rows()
    shown = polydescent.fit(x, y, 3).explore(language="en")
    path = page.folder / "fit.html"
    path.write_text(f"<!doctype html>{shown._repr_html_()}", encoding="utf-8")
    page.driver.get(path.as_uri())
    page.driver.switch_to.frame(0)
    page.wait(page.is_ready)
    assert page.text("title") == "y of x"
    page.driver.switch_to.default_content()
