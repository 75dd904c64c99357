"""Pictures that need a browser: `python docs/screenshots.py` draws the explorer into images/."""

from __future__ import annotations

import base64
import io
import math
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

import polydescent as pd

IMAGES = Path(__file__).parent / "images"
SHOTS = {  # name: (width, height, dark, the state of the page)
    "explorer-light": (1280, 1000, False, "step=300"),
    "explorer-dark": (1280, 1000, True, "step=300"),
    "explorer-zh": (1280, 1000, False, "step=300&language=zh-CN"),
    "explorer-phone": (390, 844, False, "step=300"),
    "explorer-tour-light": (1280, 1000, False, "tour=5"),
    "explorer-tour-dark": (1280, 1000, True, "tour=5"),
}


def page(folder: Path) -> Path:
    """The lesson's run as a page of its own."""
    x = np.linspace(-math.pi, math.pi, 2000)
    run = pd.descend(x, np.sin(x), degree=3, optimizer=pd.GradientDescent(1e-6))
    path = folder / "lesson.html"
    run.explore(path, title="sin(x)", language="en")
    return path


def shoot(path: Path, name: str, width: int, height: int, dark: bool, state: str) -> None:
    """One picture, in the browser's own light or dark mode."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options, Service("/usr/bin/chromedriver"))
    try:
        mode = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": mode})
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(f"{path.as_uri()}#{state}")
        for _ in range(100):
            time.sleep(0.1)
            if browser.execute_script("return 'ready' in document.documentElement.dataset"):
                break
        time.sleep(1)
        shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        picture = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
        picture.quantize(200).save(IMAGES / f"{name}.png", optimize=True)
    finally:
        browser.quit()


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        made = page(Path(folder))
        for name, shot in SHOTS.items():
            shoot(made, name, *shot)
