"""Pages that measure: tables as scripts write them, published figures as in `published.csv`, ours recomputed.

Only what is cheap is computed anew, and only where the layer is at hand; seconds are of one machine and are
not compared.
"""

from __future__ import annotations

import csv
import itertools
import re
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAGES = ("geoda.md", "comparison.md", "large-data.md")
MARK = re.compile(r"<!-- ([^:>]+): written by python -m benchmarks\.(\w+) --write -->")
SAME = 0.00011
"""Trees and hierarchies leave nothing to chance: four decimals, the last one may be rounded otherwise."""
SEARCHED = 0.005
"""A search may end in another optimum where arithmetic differs in the last bit."""

sys.path.insert(0, str(REPOSITORY))
WHY = "needs the benchmarks, which a wheel has not"
geoda = pytest.importorskip("benchmarks.geoda", reason=WHY)
pages = pytest.importorskip("benchmarks.pages", reason=WHY)
steps = pytest.importorskip("benchmarks.geoda_steps", reason=WHY)


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def rows_of(title: str) -> list[list[str]]:
    """Return the rows of a table of the page on GeoDa."""
    return pages.rows_of(pages.part("geoda.md", title, "geoda"))


def number(cell: str) -> float:
    """Return the number that a cell begins with."""
    found = re.match(r"-?\d+(\.\d+)?", cell)
    assert found is not None, cell
    return float(found[0])


def loaded(shared_data, data):
    """Read a shared layer, or skip."""
    return geoda.read(shared_data(data.path), data)


@pytest.mark.parametrize("page", PAGES)
def test_every_measured_part_is_filled_by_a_script_there_is(page):
    text = text_of(page)
    found = MARK.findall(text)
    assert len(found) == text.count("written by python -m benchmarks.") > 0
    assert len(set(found)) == len(found)
    for title, script in found:
        assert (REPOSITORY / "benchmarks" / f"{script}.py").is_file()
        assert pages.part(page, title, script), f"{title} is empty"


@pytest.mark.parametrize("page", PAGES)
def test_tables_have_as_many_cells_in_every_row(page):
    lines = text_of(page).splitlines()
    for is_table, group in itertools.groupby(lines, lambda line: line.startswith("|")):
        if is_table:
            cells = [len(re.findall(r"(?<!\\)\|", line)) for line in group]
            assert len(cells) > 2
            assert len(set(cells)) == 1


@pytest.mark.parametrize("page", PAGES)
def test_pages_name_no_folder_of_a_machine(page):
    assert not re.search(r"(?:^|[\s`(])/(?:tmp|home|root|work|Users)/", text_of(page))


def test_published_figures_on_the_page_are_those_of_the_file():
    with (REPOSITORY / "benchmarks" / "published.csv").open(encoding="utf-8", newline="") as lines:
        known = {(row["layer"], row["run"], row["figure"]): row for row in csv.DictReader(lines)}
    assert all(row["source"] for row in known.values())
    for row, step in zip(rows_of("guerry"), steps.GUERRY_STEPS, strict=True):
        assert row[0] == step.run
        assert number(row[2]) == pytest.approx(float(known["Guerry", step.run, "BSS/TSS"]["value"]), abs=5e-5)
    for row, step in zip(rows_of("chapter"), steps.CHAPTER, strict=True):
        assert row[0] == step.title
        assert number(row[2]) == float(known["Ceará", step.run, "BSS/TSS"]["value"])
    for row, step in zip(rows_of("places"), steps.PLACES, strict=True):
        assert number(row[1]) == float(known["Ceará, places", step.run, "BSS/TSS"]["value"])
    for row in rows_of("tracts"):
        assert number(row[1]) == float(known["Chicago, tracts", f"kmeans, k = {row[0]}", "WSS"]["value"])


@pytest.mark.parametrize(
    "step", [step for step in steps.GUERRY_STEPS if not step.why], ids=lambda step: step.run
)
def test_guerry_is_grouped_as_the_tests_of_geoda_have_it(step, shared_data):
    layer = loaded(shared_data, steps.GUERRY)
    value = geoda.run(step, layer).document["bss_tss_all"]
    assert value == pytest.approx(float(geoda.published("Guerry", step.run)), abs=1e-7)
    shown = next(row for row in rows_of("guerry") if row[0] == step.run)
    assert number(shown[3]) == pytest.approx(value, abs=SAME)


def test_max_p_finds_more_regions_than_geoda(shared_data):
    layer = loaded(shared_data, steps.GUERRY)
    step = next(step for step in steps.GUERRY_STEPS if step.run == "maxp greedy")
    found = geoda.run(step, layer).document
    assert found["k"] >= 9
    assert found["subclusters"] == found["k"]
    shown = next(row for row in rows_of("guerry") if row[0] == step.run)
    assert f", {found['k']} regions" in shown[3]
    assert number(shown[3]) == pytest.approx(found["bss_tss_all"], abs=SEARCHED)


def test_validation_of_guerry_is_that_of_geoda(shared_data):
    layer = loaded(shared_data, steps.GUERRY)
    rows = pages.rows_of(geoda.validation(layer))
    assert rows == rows_of("validation")
    for measure, published, here in rows[:-1]:
        assert here == published, measure
    assert rows[-1][2] == f"{rows[-1][1]} the same"


@pytest.mark.parametrize("step", steps.HIERARCHIES, ids=lambda step: step.run)
def test_hierarchies_of_chicago_are_those_of_the_book(step, shared_data):
    layer = loaded(shared_data, steps.AREAS)
    value = geoda.run(step, layer).document["bss_tss_all"]
    shown = next(row for row in rows_of("other chapters") if row[1] == f"`{step.words}`")
    assert number(shown[3]) == pytest.approx(value, abs=2e-6)
    misprint = 1e-4 if step.why == steps.MISPRINT else 0
    assert value == pytest.approx(float(geoda.published("Chicago, areas", step.run)), abs=2e-6 + misprint)


@pytest.mark.parametrize(
    ("run", "tolerance"),
    [
        *(("kmeans", SEARCHED), ("hierarchical", SAME), ("centroids", SEARCHED), ("weight 0.25", SEARCHED)),
        *(("make contiguous", SEARCHED), ("schc", SAME), ("skater", SAME), ("skater, units", SAME)),
        *(("redcap", SAME), ("maxp 10%", SEARCHED)),
    ],
)
def test_chapter_on_ceara_is_as_the_page_says(run, tolerance, shared_data):
    layer = loaded(shared_data, steps.ATLAS)
    step = next(step for step in steps.CHAPTER if step.run == run)
    shown = next(row for row in rows_of("chapter") if row[0] == step.title)
    found = geoda.run(step, layer).document
    assert number(shown[4]) == pytest.approx(found["bss_tss_attributes"], abs=tolerance)
    if tolerance == SAME:
        assert int(shown[5]) == found["subclusters"]
        assert shown[6] == f"{min(found['sizes'])} to {max(found['sizes'])}"


def test_a_quarter_of_the_weight_is_what_centroids_are_as_variables(shared_data):
    """The identity that the page states: two of eight variables are a quarter of all weight."""
    layer = loaded(shared_data, steps.ATLAS)
    one, other = (
        geoda.run(steps.Step("", f"kmeans --k 12 {more}"), layer).document["bss_tss_attributes"]
        for more in ("--with-centroids", "--centroid-weight 0.25")
    )
    assert one == pytest.approx(other, abs=1e-9)


@pytest.mark.parametrize("run", ["schc", "skater", "redcap"])
def test_geodas_trees_and_ours_have_the_same_fit_on_ceara(run):
    shown = next(row for row, step in zip(rows_of("chapter"), steps.CHAPTER, strict=True) if step.run == run)
    assert number(shown[3]) == pytest.approx(number(shown[4]), abs=SAME)
