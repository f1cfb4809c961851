"""A page about a method, and about a study, answers the same questions in the same order."""

from __future__ import annotations

import re
from pathlib import Path

import pictures
import pytest
import reference

from regionalize.model.catalog import OWN

DOCS = Path(__file__).parents[2] / "docs"
STUDIES = (
    "contiguous",
    "assign",
    "choose-k",
    "compare",
    "stability",
    "rank",
    "validate",
    "smooth",
    "weights",
)
METHOD = ("When to use it", "When not to", "Formula", "Options", "How it works", "Cost", "References")
STUDY = tuple(title for title in METHOD if title != "How it works")


def sections(name: str) -> dict[str, str]:
    """Return a page by its second titles; what stands before the first is under the empty one."""
    text = (DOCS / reference.page_of(name)).read_text(encoding="utf-8")
    parts = [("", text.partition("\n## ")[0])]
    parts += [(title, body) for title, _, body in (part.partition("\n") for part in text.split("\n## ")[1:])]
    assert len(dict(parts)) == len(parts), "a title is there twice"
    return dict(parts)


@pytest.mark.parametrize("name", [*OWN, *STUDIES])
class TestPage:
    """What every page has."""

    def test_has_all_parts_in_order(self, name):
        found = sections(name)
        wanted = METHOD if name in OWN else STUDY
        assert [title for title in found if title in wanted] == list(wanted)
        assert all(found[title].strip() for title in wanted)
        assert f"`regionalize {name}`" in found[""] or name == "smooth"

    def test_has_a_formula_that_is_set(self, name):
        formula = sections(name)["Formula"]
        assert re.search(r"^```math\n.+?^```$", formula, re.MULTILINE | re.DOTALL)

    def test_lists_its_options(self, name):
        assert f"<!-- options {name}: written by docs/generate.py -->" in sections(name)["Options"]
        assert (DOCS / reference.page_of(name)).name in (DOCS / "index.md").read_text(encoding="utf-8")

    def test_tells_what_it_costs_in_figures(self, name):
        cost = sections(name)["Cost"]
        assert re.search(r"\d|n\^?k", cost)
        assert name not in OWN or re.search(r"memory|GB|bytes", cost, re.IGNORECASE)


@pytest.mark.parametrize("method", OWN.values(), ids=lambda method: method.name)
class TestMethod:
    """What the page of a method has besides."""

    def test_shows_the_map_that_its_first_example_draws(self, method):
        lead = sections(method.name)[""]
        shown = pictures.SHOWN.search(lead)
        assert shown is not None
        assert shown["name"] == f"{method.name}.png"
        assert re.search(rf"^\$ regionalize {method.name} .*--map {method.name}\.png$", lead, re.MULTILINE)

    def test_gives_every_option_with_its_default(self, method):
        table = sections(method.name)["Options"].partition("| shared")[0]
        for param in method.params:
            row = re.search(rf"^\| `{param.option}(?: [^`]*)?` \| (.*?) \| (.*) \|$", table, re.MULTILINE)
            assert row is not None, f"no row for {param.name}"
            told = {None: ("", "none", "as", "log10", "root", "what"), 0.05: ("0.05", "5%")}
            defaults = told.get(param.default, (str(param.default),))
            assert any(row[1].startswith(default) for default in defaults), row[0]
            kinds = param.kind if isinstance(param.kind, tuple) else param.words
            shown = row[0].replace("\\|", "|")  # a bar would end the cell
            assert all(word in shown for word in kinds)

    def test_cites_every_paper_of_the_catalog(self, method):
        listed = sections(method.name)["References"].split("\n- ")
        for authors, year in re.findall(r"([^;(]+?) \((\d{4})\)", method.reference):
            first = (
                re.split(r",| and ", authors.strip().removesuffix(" et al."))[0].strip().split()[-1].lower()
            )
            assert any(first in entry.lower() and f"({year})" in entry for entry in listed), (first, year)
