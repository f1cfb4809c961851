"""The pages as a site: it is built without a warning, and every page is reached from the index."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


class Addresses(HTMLParser):
    """What a page fetches when it is shown, and what it links to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.linked: list[str] = []
        self.unnamed = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in {"img", "script", "iframe", "source"} and given.get("src"):
            self.fetched.append(given["src"])
        if tag == "link" and given.get("rel") not in {"index", "search", "next", "prev", "canonical"}:
            self.fetched.append(given.get("href", ""))
        if tag == "a":
            self.linked.append(given.get("href", ""))
        self.unnamed += tag == "img" and not given.get("alt")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    pytest.importorskip("furo", reason="needs the builder of the site: pip install .[docs]")
    folder = tmp_path_factory.mktemp("site")
    words = f"-q -W -n --keep-going -c docs -d {folder}/tree . {folder}/html".split()
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words],
        cwd=REPOSITORY,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return folder / "html"


def pages(site: Path) -> dict[Path, Addresses]:
    return {page.resolve(): Addresses(page.read_text(encoding="utf-8")) for page in site.rglob("*.html")}


def test_every_page_is_reached_from_the_entrance(site):
    found = pages(site)
    reached: set[Path] = set()
    waiting = [(site / "index.html").resolve()]
    while waiting:
        page = waiting.pop()
        if page not in reached and page in found:
            reached.add(page)
            waiting += [(page.parent / link.partition("#")[0]).resolve() for link in found[page].linked]
    sources = [path for folder in ("", "docs", "sample_data") for path in (REPOSITORY / folder).glob("*.md")]
    for source in sources:
        assert (site / source.relative_to(REPOSITORY)).with_suffix(".html").resolve() in reached, source.name


def test_no_page_fetches_anything_from_elsewhere(site):
    for page, addresses in pages(site).items():
        assert not [address for address in addresses.fetched if re.match(r"\w+:|//", address)], page.name
        for address in addresses.fetched:
            assert (page.parent / re.split(r"[?#]", address)[0]).exists(), (page.name, address)
    for script in (*site.rglob("*.css"), *site.rglob("*.js")):
        text = script.read_text(encoding="utf-8")
        far = re.search(r"""url\(['"]?(https?:)?//|import\s+['"]https?:|fetch\(['"]https?:""", text)
        assert not far, script.name


def test_every_picture_is_told_in_words(site):
    assert all(addresses.unnamed == 0 for addresses in pages(site).values())


def test_every_formula_is_set_without_a_script(site):
    set_on = {}
    for page in (site / "docs").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "mathjax" not in text.lower(), page.name
        set_on[page.stem] = formulas = re.findall(r"<math.*?</math>", text, flags=re.DOTALL)
        for formula in formulas:
            # a command that the converter does not know stands there as it is, or as a sign of nothing
            assert "\\" not in formula, (page.name, formula)
            assert "<mo />" not in formula, (page.name, formula)
    assert set_on["kmeans"]


def test_the_reference_of_python_is_filled_in(site):
    import regionalize

    text = (site / "docs" / "python-api.html").read_text(encoding="utf-8")
    assert all(f'id="regionalize.{name}"' in text for name in regionalize.__all__)
