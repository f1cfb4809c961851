"""The pages of the documentation, opened as files with the network switched off."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    pytest.importorskip("furo", reason="needs the builder of the site: pip install .[docs]")
    folder = tmp_path_factory.mktemp("site")
    words = ["-q", "-c", "docs", "-d", str(folder / "tree"), ".", str(folder / "html")]
    subprocess.run([sys.executable, "-m", "sphinx", *words], cwd=REPOSITORY, check=True)
    return folder / "html"


@pytest.fixture
def visit(chromium, site):
    """Open a page; in the end it must have asked for nothing but files of the site, and have had no fault."""
    faults: list[str] = []
    contexts = []

    def open_page(name: str, **settings):
        context = chromium.new_context(**settings)
        context.set_offline(True)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("requestfailed", lambda request: faults.append(f"failed: {request.url}"))
        page.on(
            "request",
            lambda request: None if request.url.startswith(site.as_uri()) else faults.append(request.url),
        )
        page.goto(f"{site.as_uri()}/{name}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults


@pytest.mark.parametrize("view", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize(
    "name", ["README", "docs/index", "docs/kmeans", "docs/cli", "docs/python-api", "docs/formulas"]
)
def test_a_page_fits_and_follows_the_light(visit, name, view):
    grounds = []
    for scheme in ("light", "dark"):
        page = visit(f"{name}.html", viewport=view, color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert grounds[0] != grounds[1]


def test_the_entrance_leads_to_the_index(visit):
    page = visit("index.html")
    page.wait_for_url("**/docs/index.html")
    assert page.locator("h1").inner_text().startswith("Documentation")


def test_formulas_are_set_by_the_browser(visit):
    page = visit("docs/kmeans.html")
    box = page.locator(".formula math").first.bounding_box()
    assert box is not None
    assert box["height"] > 30  # limits below and above the sums


def test_the_search_finds_a_page(visit):
    page = visit("search.html?q=skater")
    found = page.locator("#search-results li a")
    found.first.wait_for()
    assert any("skater.html" in (link.get_attribute("href") or "") for link in found.all())
