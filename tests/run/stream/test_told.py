"""What a run in batches tells: what it refuses and notes, as in memory, and what stands in its reports."""

import csv
import re

import geopandas
import numpy as np
import pytest
import shapely

import regionalize as rz
from regionalize.errors import DataError
from regionalize.io.sample import sample_path
from regionalize.run.stream import label, learn, neighbourhood, rows, solve

COLUMNS = ["pct_rural", "pct_pov"]
BATCHES = {"batch_size": 32}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Have several pieces of a small layer."""
    for module in (solve, rows, learn, label, neighbourhood):
        monkeypatch.setattr(module, "ROWS", 50)


@pytest.fixture
def layer(tmp_path):
    """Counties with values, and with shapes, that are missing in several batches."""
    counties = geopandas.read_file(sample_path())[["name", *COLUMNS, "geometry"]]
    counties.loc[[3, 90, 120], "pct_pov"] = np.nan
    counties.loc[90, "pct_rural"] = np.nan
    counties.loc[[10, 90, 140], "geometry"] = None
    counties.loc[150, "geometry"] = shapely.Polygon()
    path = tmp_path / "in.gpkg"
    counties.to_file(path)
    return path


def refusals(source, **options):
    """Return what a run in memory and one in batches are refused with."""
    told = []
    for more in ({}, BATCHES):
        with pytest.raises(DataError) as refusal:
            rz.regionalize_file(source, k=3, **options, **more)
        told.append(str(refusal.value))
    return told


def test_missing_values_of_all_rows_are_counted(layer):
    in_memory, in_batches = refusals(layer, columns=COLUMNS)
    assert "values are missing in 3 of 159 rows: pct_rural (1), pct_pov (3)" in in_batches
    assert in_batches == in_memory.replace("drop, mean or median", "drop or mean")


@pytest.mark.parametrize("named", [{}, {"id": "name"}], ids=["numbers", "names"])
def test_rows_without_geometry_are_counted_and_named(layer, named):
    in_memory, in_batches = refusals(layer, columns=COLUMNS, missing="mean", with_centroids=True, **named)
    assert "4 of 159 rows have no geometry, so no centroid" in in_batches
    assert in_batches == in_memory
    in_memory, in_batches = refusals(layer, columns=COLUMNS, missing="mean", hops=1, smooth_mode="idw")
    assert (
        "4 of 159 rows have no geometry, so no distance to their neighbours: 11, 91, 141, 151" in in_batches
    )
    assert in_batches == in_memory


def test_a_row_left_out_needs_no_geometry(layer):
    """Of row 91, which lacks all, no distance is asked; nor of those left out for their geometry."""
    options = {"columns": COLUMNS, "missing": "drop", "hops": 1, "smooth_mode": "idw", "where": "name <> ''"}
    in_memory, in_batches = refusals(layer, **options)
    assert "3 of 159 rows have no geometry, so no distance to their neighbours: 11, 141, 151" in in_batches
    assert in_batches == in_memory


@pytest.mark.parametrize("named", [{}, {"id": "name"}], ids=["numbers", "names"])
def test_rows_without_geometry_are_told_where_neighbours_are_sought(layer, named):
    options = {"k": 3, "columns": COLUMNS, "missing": "mean", "hops": 1, **named}
    in_memory, in_batches = (rz.regionalize_file(layer, **options, **more).notes for more in ({}, BATCHES))
    told = [note for note in in_batches if "no geometry" in note]
    assert told
    assert told[0].startswith("4 of 159 rows have no geometry and so no neighbours: ")
    assert told == [note for note in in_memory if "no geometry" in note]


def test_rows_left_out_are_named(layer):
    options = {"k": 3, "columns": COLUMNS, "missing": "drop", "with_centroids": True}
    in_memory, in_batches = (rz.regionalize_file(layer, **options, **more).notes for more in ({}, BATCHES))
    told = [note for note in in_batches if " left out " in note]
    assert len(told) == 2
    assert told == [note for note in in_memory if " left out " in note]


@pytest.mark.parametrize("named", [{}, {"id": "name"}], ids=["numbers", "names"])
def test_links_that_are_not_returned_are_told(tmp_path, named):
    """Links of a file with only some of the queen neighbours of each county."""
    counties = rz.read_layer(None)
    names = counties.names(named.get("id"))
    links = rz.build_weights(counties, "queen")
    kept = np.random.default_rng(1).random(links.n_links) < 0.97
    lines = ["159"]
    for row in range(159):
        own = slice(links.indptr[row], links.indptr[row + 1])
        around = links.indices[own][kept[own]]
        lines += [f"{names[row]} {len(around)}".replace(" ", "_", names[row].count(" "))]
        lines += [" ".join(names[other].replace(" ", "_") for other in around)]
    weights = tmp_path / "some.gal"
    weights.write_text("\n".join(lines) + "\n")
    options = {"k": 3, "columns": COLUMNS, "hops": 1, "weights": str(weights), **named}
    in_memory, in_batches = (rz.regionalize_file(None, **options, **more).notes for more in ({}, BATCHES))
    told = [note for note in in_batches if "not returned" in note]
    assert re.match(rf"{np.count_nonzero(~kept)} links are not returned by the neighbour: ", told[0])
    assert told == [note for note in in_memory if "not returned" in note]


@pytest.mark.parametrize("share", [None, 0.25])
def test_report_files_tell_how_far_rows_are(tmp_path, share):
    options = {"k": 3, "columns": COLUMNS, "batch_size": 20, "warm_start": 50, "test_share": share}
    text, table = tmp_path / "r.md", tmp_path / "r.csv"
    found = rz.regionalize_file(None, report=text, **options).report.extra["batches"]
    rz.regionalize_file(None, report=table, **options)
    written = list(csv.DictReader(table.read_text().splitlines()))
    markdown = text.read_text()
    assert "## Batches" in markdown
    assert "warm start" in markdown
    for part in ("train", "test"):
        key = f"{part}_mean_squared_distance"
        assert (key in written[0]) == (part in found) == bool(part == "train" or share)
        if part in found:
            assert {float(row[key]) for row in written} == {found[part]["inertia_per_row"]}
            assert {int(row[f"{part}_rows"]) for row in written} == {found[part]["rows"]}
            assert re.search(rf"\| {part} +\| +{found[part]['rows']} \|", markdown)


def test_a_report_tells_no_more_rows_of_a_batch_than_there_are(tmp_path):
    text = tmp_path / "r.md"
    rz.regionalize_file(None, k=3, columns=COLUMNS, batch_size=99_999_999, warm_start=50, report=text)
    assert re.search(r"\| rows of a batch +\| 159 \|", text.read_text())


def test_many_centres_without_rows_take_few_passes(monkeypatch):
    """All centres but one lose their rows at first: 59 get rows, at most twice as many with each pass."""
    passes, label_rows = [], solve.label_rows

    def lost(centers, rows, labels):
        batches = rows.batches
        monkeypatch.setattr(rows, "batches", lambda: passes.append(1) or batches())
        return label_rows(np.full_like(centers, 1e3), rows, labels)

    monkeypatch.setattr(solve, "label_rows", lost)
    found = rz.regionalize_file(None, k=60, columns=COLUMNS, **BATCHES)
    assert len(found.report.sizes) == 60
    assert min(found.report.sizes) >= 1
    assert len(passes) <= 10
