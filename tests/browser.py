"""A browser to drive, and a page of the explorer in it, with the verbs its tests are written in."""

import re
import shutil

import pytest
from pages import density_of, design, limit_of, payload_of, reference, rows
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from polydescent.report import explorer

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
needs_a_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="needs a browser to drive: apt-get install chromium chromium-driver",
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--window-size=1366,900",
]
RATE = 1e-4
START = [0.5, -0.3, 0.8, -0.2]


def number(text):
    return float(text.replace("−", "-").replace(",", ""))


class Page:
    """One page in one browser, with the few verbs the tests below are written in."""

    def __init__(self, driver, folder):
        self.driver = driver
        self.folder = folder

    def open(self, fragment="", data=None, **changes):
        x, y = data or rows()
        settings = {
            "optimizer": {"name": "gd", "learning_rate": RATE},
            "start": START,
            "density": density_of(x, y),
        }
        path = self.folder / "fit.html"
        path.write_text(explorer.page(payload_of(x, y, **(settings | changes))), encoding="utf-8")
        self.driver.get("about:blank")
        self.driver.get(f"{path.as_uri()}#{fragment}")
        self.wait(self.is_ready)
        self.settle()

    def is_ready(self):
        return self.driver.execute_script("return 'ready' in document.documentElement.dataset")

    def settle(self):
        self.driver.execute_async_script(
            "const done = arguments[0];"
            " requestAnimationFrame(() => requestAnimationFrame(() => done()));"
        )

    def __getitem__(self, name):
        return self.driver.find_element(By.ID, name)

    def text(self, name):
        return self[name].get_property("textContent")

    def value(self, name):
        return self[name].get_property("value")

    def number(self, name):
        return number(self.value(name) if self[name].tag_name == "input" else self.text(name))

    def click(self, name):
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", self[name])
        self[name].click()
        self.settle()

    def choose(self, group, value):
        node = self.driver.find_element(By.CSS_SELECTOR, f"[name={group}][value={value}]")
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", node)
        node.click()
        self.settle()

    def type(self, name, text):
        self[name].send_keys(Keys.CONTROL, "a")
        self[name].send_keys(text, Keys.ENTER)
        self.settle()

    def keys(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()
        self.settle()

    def drag(self, name, across):
        """Takes a slider's thumb from where it is to a fraction of its width."""
        node = self[name]
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", node)
        width, thumb = node.size["width"], 20
        low, high = (float(node.get_attribute(end)) for end in ("min", "max"))
        here = (self.number(name) - low) / (high - low)

        def offset(share):
            return round(thumb / 2 + share * (width - thumb) - width / 2)

        ActionChains(self.driver).move_to_element_with_offset(
            node, offset(here), 0
        ).click_and_hold().move_by_offset(8, 0).move_to_element_with_offset(
            node, offset(across), 0
        ).release().perform()
        self.settle()

    def wait(self, condition, seconds=20):
        WebDriverWait(self.driver, seconds, poll_frequency=0.05).until(lambda _: condition())

    def weights(self):
        """The starting weights in all their digits; "Start here" makes any weights those."""
        return [
            float(value)
            for value in re.search(r"start=\[(.*)\]", self.text("python"))[1].split(",")
        ]

    def cells(self, name, part="tbody"):
        return self.driver.execute_script(
            "return [...document.querySelectorAll(`#${arguments[0]} ${arguments[1]} tr`)]"
            ".map((row) => [...row.cells].map((cell) => cell.textContent))",
            name,
            part,
        )

    def column(self, name, index):
        return [number(row[index]) for row in self.cells(name)]

    def width(self):
        return self.driver.execute_script("return document.documentElement.scrollWidth")


def started(profile):
    """Chromium with a profile of its own, until it is no longer needed."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_script_timeout(20)
    yield driver
    driver.quit()


def watched(driver, folder):
    """A page that may say nothing in the console and ask for nothing."""
    driver.get_log("browser")
    driver.get_log("performance")
    yield Page(driver, folder)
    assert driver.get_log("browser") == []
    assert_no_request(driver.get_log("performance"))


def assert_no_request(log):
    """Nothing but the file itself is ever asked for (chrome: is the browser's own first tab)."""
    wanted = [
        match[1]
        for entry in log
        if '"Network.requestWillBeSent"' in entry["message"]
        for match in [re.search(r'"url":"([^"]+)"', entry["message"])]
        if match
    ]
    assert [url for url in wanted if not url.startswith(("file:///", "about:", "chrome:"))] == []
    assert all(url.split("#")[0].endswith("fit.html") for url in wanted if url.startswith("file:"))


def wanted(name="gd", rate=RATE, degree=3, basis="power", steps=2000, start=START):
    x, y = rows()
    padded = (list(start) + [0.0] * (degree + 1))[: degree + 1]
    return reference(design(x, degree, basis), y, name, rate, padded, steps)


def limit(name="gd", degree=3, basis="power"):
    matrix = design(rows()[0], degree, basis)
    return limit_of(2 * matrix.T @ matrix, name)


def assert_shows(page, expected, digits=6):
    assert page.number("loss") == pytest.approx(expected, rel=10.0**-digits)
