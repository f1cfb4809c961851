"""Draw the pictures of ``docs/images``, small, each by the example of the page that shows it.

A picture ``images/NAME.png`` is the ``NAME.png`` that a command of the page writes, or its ``NAME.html`` as a
browser shows it. The first picture of the README is the map of ``make demo``.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from examples import REPOSITORY, find_examples, run_page

IMAGES = REPOSITORY / "docs" / "images"
WIDTHS = {"georgia.png": 780, "numbers.png": 560}
"""How many pixels wide pictures are, where it is not 640."""
DEMO = "```console\n$ regionalize kmeans --k 12 --with-centroids --map georgia.png\n```\n"
SHOWN = re.compile(r"!\[(?P<words>[^\]]*)\]\((?:docs/)?images/(?P<name>[\w.-]+)\)")


def recipes() -> dict[str, tuple[str, str]]:
    """Return, for every picture that a page shows, a page whose examples draw it, and the file they write."""
    found = {}
    for path in (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))):
        page = path.read_text(encoding="utf-8")
        for shown in SHOWN.finditer(page):
            name = shown["name"]
            text = DEMO if name == "georgia.png" else page
            commands = "\n".join(example.text for example in find_examples(text))
            for file in (name, str(Path(name).with_suffix(".html"))):
                if re.search(rf"-\S+ {re.escape(file)}(?!\S)", commands):
                    found[name] = (text, file)
    return found


def draw_pictures(only: list[str]) -> None:
    """Draw all pictures, or those of these names."""
    wanted: dict[str, dict[str, str]] = {}
    for name, (page, file) in recipes().items():
        if not only or name in only:
            wanted.setdefault(page, {})[name] = file
    for page, files in wanted.items():
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            for outcome in run_page(page, folder):
                if outcome.fault:
                    raise SystemExit(outcome.fault)
                if all((folder / file).exists() for file in files.values()):
                    break
            for name, file in files.items():
                if file.endswith(".html"):
                    photograph(folder / file, folder / name)
                save_small(folder / name, IMAGES / name)


def photograph(page: Path, target: Path) -> None:
    """Open a map in a browser, point at a unit, and save what is seen."""
    from playwright.sync_api import sync_playwright

    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    with sync_playwright() as driver:
        browser: Any = driver.chromium.launch(
            executable_path=next(filter(None, found), None), args=["--no-sandbox"]
        )
        tab = browser.new_page(viewport={"width": 840, "height": 540})
        tab.goto(page.as_uri())
        tab.wait_for_timeout(1500)
        tab.mouse.move(290, 290)
        tab.wait_for_timeout(500)
        tab.screenshot(path=target)
        browser.close()


def save_small(source: Path, target: Path) -> None:
    """Save a picture in few colours, as wide as a page shows it."""
    from PIL import Image

    with Image.open(source) as full:
        width = WIDTHS.get(target.name, 640)
        height = round(full.height * width / full.width)
        small = full.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    target.parent.mkdir(exist_ok=True)
    few = small.quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)  # keeps rare fills
    few.save(target, optimize=True)
