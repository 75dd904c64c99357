"""The explorer page in a real browser, by mouse and keyboard, read back beside NumPy."""

import re

import numpy as np
import pytest
from pages import design, rows

pytest.importorskip("selenium.webdriver")

from browser import (
    RATE,
    START,
    ActionChains,
    By,
    Keys,
    assert_shows,
    limit,
    needs_a_browser,
    number,
    wanted,
)

pytestmark = needs_a_browser
HOSTILE = "</script><img src=x onerror=\"document.title='broken into'\"><!-- {{payload}} ${1} &amp;"


def test_first_sight(page):
    page.open()
    assert page.text("title") == "y of x"
    assert page.driver.title == "y of x"
    assert page.number("step") == 0
    assert_shows(page, wanted()[0][0])
    assert page.driver.execute_script("return document.documentElement.lang") == "en"


def test_steps_forth_back_and_to_the_ends(page):
    page.open()
    losses = wanted()[0]
    for button, step in (("forth", 1), ("forth", 2), ("back", 1), ("last", 2000), ("first", 0)):
        page.click(button)
        assert page.number("step") == step
        assert_shows(page, losses[step])


def test_play_reaches_the_end_and_pauses_on_the_way(page):
    page.open("steps=500")
    page.click("play")
    page.wait(lambda: page.number("step") > 5)
    page.click("play")
    paused = page.number("step")
    page.settle()
    assert page.number("step") == paused < 500
    assert page.text("live").startswith("Paused at step")
    page.click("play")
    page.wait(lambda: page.number("step") == 500)
    assert_shows(page, wanted(steps=500)[0][-1])
    page.wait(lambda: page.text("live").startswith("Step 500"))
    page.click("play")
    page.click("back")
    assert page.text("play-word") == "Play"


def test_scrubbing_by_mouse(page):
    page.open()
    page.drag("scrub", 0.6)
    step = int(page.number("step"))
    assert 50 < step < 200
    assert_shows(page, wanted()[0][step])
    assert page["scrub"].get_attribute("aria-valuetext") == f"step {step}"


def test_dragging_the_rate_across_the_limit(page):
    page.open("step=10")
    page.drag("rate", 0.5)
    rate = page.number("rate-field")
    assert rate < limit()
    assert_shows(page, wanted(rate=rate)[0][10], digits=4)
    assert page["status"].get_attribute("data-mood") == "fine"
    page.drag("rate", 0.99)
    assert page.number("rate-field") > limit()
    assert page["status"].get_attribute("data-mood") == "bad"
    assert "Diverges" in page.text("status-word")
    assert "Mode 1 grows" in page.text("status-more")
    assert page.text("live").startswith("Diverges")


def test_typing_a_rate(page):
    page.open("step=2000")
    page.type("rate-field", "3e-4")
    assert_shows(page, wanted(rate=3e-4)[0][-1])
    page.type("rate-field", "fast")
    assert page["rate-field"].get_attribute("aria-invalid") == "true"
    assert "A number from" in page.text("problem")
    page.type("rate-field", "0.0002")
    assert page.text("problem") == ""
    assert_shows(page, wanted(rate=2e-4)[0][-1])


def test_a_field_left_as_it_was_goes_on_showing(page):
    page.open()
    page["step"].send_keys("5", Keys.BACKSPACE, Keys.TAB)
    page.click("forth")
    assert page.number("step") == 1


def test_weights_are_the_library_s_to_all_digits(page):
    page.open("step=2000&optimizer=nesterov&beta=0.8&degree=5&basis=legendre")
    page.click("here")
    weights = wanted("nesterov", degree=5, basis="legendre")[1]
    np.testing.assert_allclose(page.weights(), weights, rtol=1e-11)


@pytest.mark.parametrize("name", ["gd", "momentum", "nesterov"])
def test_the_limit_shown_is_sharp(page, name):
    page.open(f"optimizer={name}&beta=0.8&steps=20000&step=20000")
    shown = re.search(r"limit ([\d.e−]+)", page.text("status-word"))[1].replace("−", "-")
    assert float(shown) == pytest.approx(limit(name), rel=1e-4)
    page.click("at-limit")
    under = page.number("loss")
    page.click("just-over")
    assert page["status"].get_attribute("data-mood") == "bad"
    assert under < 1000 * wanted()[0][0] < page.number("loss")


def test_fastest_buttons(page):
    page.open("optimizer=momentum&step=2000&beta=0.8")
    page.click("fastest-pair")
    x, _ = rows()
    matrix = design(x, 3, "power")
    least, *_, most = np.linalg.eigvalsh(2 * matrix.T @ matrix)
    root = np.sqrt(most / least)
    assert page.number("rate-field") == pytest.approx(
        4 / (np.sqrt(most) + np.sqrt(least)) ** 2, rel=1e-4
    )
    assert page.number("beta-field") == pytest.approx(((root - 1) / (root + 1)) ** 2, rel=1e-4)
    page.click("fastest-rate")
    assert page.number("rate-field") < limit("momentum")


@pytest.mark.parametrize("basis", ["chebyshev", "legendre"])
def test_degree_and_basis(page, basis):
    page.open("step=2000")
    page.choose("basis", basis)
    assert_shows(page, wanted(basis=basis)[0][-1])
    page.drag("degree", 0.7)
    assert page.text("degree-out") == "7"
    assert_shows(page, wanted(basis=basis, degree=7)[0][-1])
    assert len(page["modes"].find_elements(By.CSS_SELECTOR, "tbody tr")) == 8


def test_adam_says_what_it_cannot(page):
    page.open("step=100&beta1=0.9")
    page.choose("optimizer", "adam")
    page.type("rate-field", "0.01")
    assert_shows(page, wanted("adam", rate=0.01)[0][100])
    assert "closed form" in page.text("status-word")
    assert not page["fastest-pair"].is_enabled()
    page.type("step", "1000000")
    assert page.number("step") == 20000


def test_jump_to_a_billion(page):
    page.open("basis=chebyshev")
    page.type("step", "1000000000")
    assert page.number("step") == 1e9
    x, y = rows()
    matrix = design(x, 3, "power")
    residual = y - matrix @ np.linalg.lstsq(matrix, y)[0]
    assert_shows(page, residual @ residual)


def test_start_fields_and_seeds(page):
    page.open("step=50")
    page.type("start-1", "2.5")
    assert page.number("step") == 0
    assert_shows(page, wanted(start=[0.5, 2.5, 0.8, -0.2])[0][0])
    page.click("zeros")
    assert_shows(page, wanted(start=[0.0])[0][0])
    page.click("random")
    random = page.weights()
    page.click("given")
    assert page.weights() == START
    page.click("random")
    assert page.weights() == random


def test_runs_of_a_race_stay(page):
    page.open("step=100")
    path = "return document.querySelector('#curves .{}').getAttribute('d')"
    before = page.driver.execute_script(path.format("current"))
    first = page.text("loss")
    page.click("pin")
    page.type("rate-field", "0.0003")
    assert page.driver.execute_script(path.format("r0")) == before
    assert page.driver.execute_script(path.format("current")) != before
    race = page.driver.find_elements(By.CSS_SELECTOR, "#race tbody tr")
    assert len(race) == 2
    name = race[1].find_element(By.TAG_NAME, "input")
    assert name.get_property("value") == "Plain, η 1e−4, Power 3"
    assert number(page.cells("race")[1][1]) == pytest.approx(number(first), rel=1e-3)
    name.send_keys(Keys.CONTROL, "a")
    name.send_keys("slow one", Keys.ENTER)
    page.wait(lambda: "slow" in page.driver.current_url)
    race[1].find_element(By.CSS_SELECTOR, "[data-restore]").click()
    page.settle()
    assert page.number("rate-field") == RATE
    race[1].find_element(By.CSS_SELECTOR, "[data-unpin]").click()
    page.settle()
    assert not page["race"].is_displayed()


def test_the_address_carries_everything(page):
    page.open()
    page.type("rate-field", "0.0002")
    page.choose("basis", "chebyshev")
    page.click("pin")
    page.choose("view", "degrees")
    page.click("band")
    page.type("step", "77")
    page.wait(lambda: "step=77" in page.driver.current_url)
    names = ("loss", "python", "race", "degrees-table", "best-key")
    shown = [page.text(name) for name in names]
    page.driver.refresh()
    page.wait(page.is_ready)
    page.settle()
    assert [page.text(name) for name in names] == shown


def test_a_hostile_address_only_moves_controls(page):
    page.open(
        "degree=50&basis=<b>&rate=-1&steps=1e99&start=1,x&step=NaN&language=xx&ghost=degree=-3"
    )
    assert page.text("degree-out") == "10"
    assert page.number("rate-field") == RATE
    assert page.number("steps-field") == 2000


def test_language_and_theme(page):
    page.open(language="en", theme="light")
    page.click("language")
    assert page.driver.execute_script("return document.documentElement.lang") == "zh-CN"
    assert page.text("play-word") == "播放"
    page.click("language")
    assert page.text("play-word") == "Play"
    background = "return getComputedStyle(document.querySelector('.panel')).backgroundColor"
    before = page.driver.execute_script(background)
    page.click("theme")
    assert page.driver.execute_script(background) != before


def test_every_text_exists_in_both_languages(page):
    page.open("steps=3")
    keys = page.driver.execute_script(
        "return [Object.keys(words.en), Object.keys(words['zh-CN']),"
        " [...document.querySelectorAll('[data-word]')].map(n => n.dataset.word),"
        " [...document.querySelectorAll('[data-label]')].map(n => n.dataset.label)]"
    )
    english, chinese, used, labels = map(set, keys)
    assert english == chinese
    assert used | labels <= english


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_screen_reader_finds_a_name_for_everything(page, language):
    page.open(f"language={language}&optimizer=adam&step=2&degree=5")
    nodes = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {"button", "slider", "textbox", "radio", "image", "region", "columnheader"}
    shown = [node for node in nodes if not node["ignored"]]
    found = [node for node in shown if node["role"]["value"] in named]
    assert named - {node["role"]["value"] for node in found} == set()
    assert [node["role"]["value"] for node in found if not node["name"]["value"].strip()] == []


def test_keyboard_alone(page):
    page.open()
    losses = wanted()[0]
    page.keys(Keys.ARROW_RIGHT)
    page.keys(Keys.ARROW_RIGHT)
    ActionChains(page.driver).key_down(Keys.SHIFT).send_keys(Keys.ARROW_RIGHT).key_up(
        Keys.SHIFT
    ).perform()
    page.settle()
    assert page.number("step") == 12
    page.keys(Keys.ARROW_LEFT)
    assert page.number("step") == 11
    assert_shows(page, losses[11])
    page.keys(Keys.END)
    assert page.number("step") == 2000
    page.keys(Keys.HOME)
    page.keys(Keys.SPACE)
    page.wait(lambda: page.number("step") > 3)
    page.keys(Keys.SPACE)
    assert page.text("play-word") == "Play"
    page["language"].send_keys(Keys.ENTER)
    page.settle()
    assert page.text("play-word") == "播放"
    before = page.driver.execute_script("return document.documentElement.dataset.theme")
    page["theme"].send_keys(Keys.ENTER)
    page.settle()
    assert page.driver.execute_script("return document.documentElement.dataset.theme") != before


def test_the_scrubber_by_keyboard(page):
    page.open("step=100")
    for key, step in ((Keys.ARROW_RIGHT, 101), (Keys.ARROW_DOWN, 100), (Keys.END, 2000)):
        page["scrub"].send_keys(key)
        page.settle()
        assert page.number("step") == step
    page["scrub"].send_keys(Keys.PAGE_DOWN)
    page.settle()
    assert 800 < page.number("step") < 1200
    assert_shows(page, wanted()[0][int(page.number("step"))])


def test_tab_reaches_every_control_in_reading_order(page):
    page.open("optimizer=momentum&step=5")
    active = (
        "const {id, name, dataset} = document.activeElement;"
        "return id || name || (dataset.gloss ? 'gloss' : '')"
    )
    visited = []
    for _ in range(70):
        page.keys(Keys.TAB)
        visited.append(page.driver.execute_script(active))
    visited = [name for name in visited if name != "gloss"]
    expected = "take-tour share language theme first back play forth last scrub step speed"
    assert visited[:15] == [*expected.split(), "rate-field", "rate", "fastest-rate"]
    for name in (
        "optimizer",
        "beta",
        "steps",
        "degree",
        "basis",
        "start-0",
        "pin",
        "rows",
        "edit",
        "band",
        "at-x",
        "curve",
        "loss-chart",
        "view",
        "modes-chart",
    ):
        assert name in visited


def test_controls_by_keyboard(page):
    page.open("step=2000")
    rate = page.number("rate-field")
    page["rate"].send_keys(Keys.ARROW_RIGHT)
    page.settle()
    assert page.number("rate-field") > rate
    assert page.number("step") == 2000
    page["degree"].send_keys(Keys.ARROW_RIGHT)
    page.settle()
    assert page.text("degree-out") == "4"
    page.driver.find_element(By.CSS_SELECTOR, "[name=basis][value=power]").send_keys(
        Keys.ARROW_RIGHT
    )
    page.settle()
    assert page.driver.find_element(By.CSS_SELECTOR, "[value=chebyshev]").is_selected()
    assert_shows(
        page, wanted(rate=page.number("rate-field"), degree=4, basis="chebyshev")[0][-1], 4
    )


def test_picking_a_point(page):
    page.open(sample=[values.tolist() for values in rows()], density=None)
    x, y = rows()
    ActionChains(page.driver).move_to_element_with_offset(page["curves"], 40, 30).click().perform()
    page.settle()
    picked = page.number("at-x")
    row = np.argmin(np.abs(x - picked))
    assert x[row] == pytest.approx(picked, rel=1e-5)
    forward = page["card-forward"].text.replace("−", "-")
    assert f"{y[row]:.3g}"[:5] in forward


def test_six_cards_hold_the_numbers_of_this_step(page):
    page.open("step=10&optimizer=momentum&beta=0.8")
    x, y = rows()
    matrix = design(x, 3, "power")
    losses, weights = wanted("momentum", steps=10)
    _, after = wanted("momentum", steps=11)
    assert page.column("card-start", 1) == START
    np.testing.assert_allclose(page.column("card-forward", 1), weights, rtol=1e-3)
    at = page.number("at-x")
    feet = [row[-1] for row in page.cells("card-forward", "tfoot")]
    predicted, observed, missing = map(number, feet)
    assert predicted == pytest.approx(np.polyval(weights[::-1], at), rel=1e-4)
    assert missing == pytest.approx(predicted - observed, abs=2e-3 * abs(missing))
    assert f"= {losses[10]:.3f}" in page.text("card-loss")
    gradient = 2 * matrix.T @ (matrix @ weights - y)
    np.testing.assert_allclose(page.column("card-backward", 2), gradient, rtol=1e-3)
    np.testing.assert_allclose(page.column("card-update", 1), weights, rtol=1e-5)
    np.testing.assert_allclose(page.column("card-update", 3), after, rtol=1e-5)


def test_shares_that_are_noise_are_not_shown_as_numbers(page):
    page.open(f"step=400&rate={1.2 * limit()}")
    assert page["status"].get_attribute("data-mood") == "bad"
    shares = [row[2] for row in page.cells("modes")]
    assert number(shares[0]) > 1e30
    assert shares[-1] == "≈ 0"


def test_a_mode_shows_its_shape(page):
    page.open()
    button = page.driver.find_element(By.CSS_SELECTOR, "#modes tbody button")
    button.send_keys(Keys.ENTER)
    page.settle()
    assert button.get_attribute("aria-pressed") == "true"
    drawn = "return document.querySelector('#curves .feature').getAttribute('d').length"
    assert page.driver.execute_script(drawn) > 100


def test_the_run_as_a_table(page):
    page.open()
    page.driver.execute_script("document.querySelector('[data-name=table]').open = true")
    page.wait(lambda: page.cells("trajectory"))
    last = page["trajectory"].find_elements(By.CSS_SELECTOR, "tbody tr")[-1].text.replace("−", "-")
    step, loss, _, *weights = [float(text.replace(",", "")) for text in last.split()]
    losses, expected = wanted()
    assert step == 2000
    assert loss == pytest.approx(losses[-1], rel=1e-6)
    np.testing.assert_allclose(weights, expected, rtol=1e-5)


def test_reduced_motion_jumps(page):
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    page.open()
    page.click("play")
    assert page.number("step") == 2000
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_phone_never_scrolls_sideways(page, language):
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page.open(f"language={language}&degree=10&optimizer=momentum&step=40")
    page.driver.execute_script(
        "for (const node of document.querySelectorAll('details')) node.open = true"
    )
    page.settle()
    assert page.width() == 360
    small = page.driver.execute_script(
        "return [...document.querySelectorAll("
        "'button:not(.term), select, input:not([type=radio]):not(.unseen), .choice span, summary')]"
        ".filter(n => n.offsetParent && n.getBoundingClientRect().height < 44)"
        ".map(n => n.id || n.outerHTML)"
    )
    assert small == []
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_hostile_names_are_text(page):
    page.open(title=HOSTILE, x_name=HOSTILE, y_name=HOSTILE)
    assert page.text("title") == HOSTILE
    assert page.driver.title == " ".join(HOSTILE.split())
    assert page.driver.find_elements(By.TAG_NAME, "img") == []
    assert HOSTILE in page.text("curves")


def test_hopeless_powers_say_so(page):
    x, y = rows()
    late = x * 1e6 + 1.7e9
    page.open("degree=10&optimizer=momentum&step=100", data=(late, y))
    assert page["condition"].get_attribute("data-mood") == "bad"
    page.click("cure")
    assert page["condition"].get_attribute("data-mood") == "fine"
    assert page.driver.find_element(By.CSS_SELECTOR, "[value=chebyshev]").is_selected()
