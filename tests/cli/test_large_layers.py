"""What a report says of layers too large for exact figures: the size is lowered here."""

import html
import json
import re

import pytest

from regionalize.measure import diameter, shape

GIVEN = ("skater", "--k", "4", "--columns", "pct_*")
"""Regions of the bundled sample."""


def words(text):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


@pytest.fixture
def exact(cli):
    return json.loads(cli(*GIVEN, "--json").out)["fragmentation"]["clusters"]


def test_estimates_are_near_and_are_said_everywhere(cli, tmp_path, monkeypatch, exact):
    monkeypatch.setattr(shape, "DISSOLVE_VERTICES", 14_000)
    said = "The compactness of dissolved outlines is estimated, from the units along them:"
    found = json.loads(cli(*GIVEN, "--json").out)
    assert any(note.startswith(said) for note in found["notes"])
    for estimated, wanted in zip(found["fragmentation"]["clusters"], exact, strict=True):
        assert estimated["ipq_dissolved"] == pytest.approx(wanted["ipq_dissolved"], rel=0.01)
        assert (estimated["area"], estimated["diameter"]) == (wanted["area"], wanted["diameter"])
    page = tmp_path / "report.html"
    told = cli(*GIVEN, "--report", page)
    assert told.code == 0
    assert said in words(told.out + told.err)
    assert said in words(page.read_text(encoding="utf-8"))


def test_what_is_left_out_is_said_everywhere(cli, tmp_path, monkeypatch, exact):
    monkeypatch.setattr(shape, "DISSOLVE_VERTICES", 10)
    monkeypatch.setattr(diameter, "DIAMETER_LINKS", 10)
    page = tmp_path / "report.html"
    found = json.loads(cli(*GIVEN, "--json").out)
    for measured, wanted in zip(found["fragmentation"]["clusters"], exact, strict=True):
        assert (measured["ipq_dissolved"], measured["diameter"]) == (None, None)
        assert measured["ipq_geoda"] == wanted["ipq_geoda"]
    told = cli(*GIVEN, "--report", page)
    for said in ("The compactness of dissolved outlines is left out:", "is left out: proving it would take"):
        assert any(said in note for note in found["notes"])
        assert said in words(told.out + told.err)
        assert said in words(page.read_text(encoding="utf-8"))
