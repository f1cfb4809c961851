"""Documents as Markdown: whatever names hold, tables stay tables and text stays text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regionalize.io.documents import escaped, fenced, markdown
from regionalize.model.document import (
    ClusterName,
    Curve,
    Document,
    Facts,
    Figures,
    Heading,
    Heat,
    Notes,
    Picture,
    Sentence,
    Shell,
    Spread,
    Table,
)

HOSTILE = "a|b\n<img src=x onerror=alert(1)> `x` *y* [z](http://w) ~~s~~ \\| & @someone #12"


def cells_of(line: str) -> int:
    """Count the cells of a line as GitHub does: bars that no backslash precedes."""
    return len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) - 1


@given(text=st.text(st.sampled_from(list(HOSTILE + "\\\r\t_")), max_size=30))
def test_a_cell_is_one_cell(text):
    lines = markdown(Document("t", (Table((text, "n"), ((text, 1.5),)),))).splitlines()
    tables = [line for line in lines if line.startswith("|")]
    assert len(tables) == 3
    assert {cells_of(line) for line in tables} == {2}


@given(text=st.text(max_size=40))
def test_nothing_is_markup(text):
    shown = escaped(text)
    assert "\n" not in shown
    assert "<" not in shown
    assert not re.search("&(?!amp;|lt;|gt;|#8203;)", shown)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*\[\]~|]", shown)


@pytest.mark.parametrize("text", ["# a", "- a", "1. a", "2) a", "+ a", "> a", "#"])
def test_a_sentence_begins_no_list_heading_or_quotation(text):
    assert not re.match(r"(#|-|\+|>|\d+[.)])(\s|$)", escaped(text))


def test_a_currency_is_no_formula():
    """GitHub takes what stands between two dollars for mathematics."""
    assert escaped("rent $a and $b") == r"rent \$a and \$b"


def test_names_of_columns_read_as_they_are():
    assert escaped("pct_rural t_agua (2 - 3), n = 4.5") == "pct_rural t_agua (2 - 3), n = 4.5"
    assert escaped("_a_ b_") == "\\_a\\_ b\\_"


def test_all_kinds_of_blocks():
    document = Document(
        "kmeans, k = 2: a|b",
        (
            Figures((("units", 10), ("BSS/TSS", 0.51234567))),
            Sentence("Contiguous.", strong=True),
            Picture(b"...", "image/png", "a map"),
            Heading("Profiles"),
            Table(
                (ClusterName(1, "north"), "x", "all"),
                (("r", 1.5, Spread(10.123456, 0.98765)), ("s", None, Spread(None, None))),
                "Means.",
            ),
            Heat(("cluster", "x"), ((ClusterName(1, "north"), -0.004), ("s", None)), "z."),
            Curve("weight", (("pieces", ((0.0, 1.0),)),)),
            Facts((("file", None), ("contiguous", False), ("weights", {"a": 2.0}))),
            Notes(("one", "two|three")),
            Shell("regionalize kmeans 'a|b <c>' --k 2"),
        ),
    )
    assert markdown(document) == (
        "# kmeans, k = 2: a\\|b\n\n"
        "|  |  |\n| --- | --- |\n| units | 10 |\n| BSS/TSS | 0.512346 |\n\n"
        "Contiguous.\n\n"
        "## Profiles\n\n"
        "| north | x | all |\n| --- | ---: | ---: |\n"
        "| r | 1.5 | 10.1235 ± 0.9877 |\n| s | – | – ± – |\n\nMeans.\n\n"
        "| cluster | x |\n| --- | ---: |\n| north | 0.00 |\n| s | – |\n\nz.\n\n"
        "| measure | value |\n| --- | --- |\n| file | – |\n| contiguous | no |\n| weights | a=2 |\n\n"
        "- one\n- two\\|three\n\n"
        "```sh\nregionalize kmeans 'a|b <c>' --k 2\n```\n"
    )


def test_a_fence_is_longer_than_what_it_holds():
    assert fenced("a ```` b").startswith("`````sh\n")
