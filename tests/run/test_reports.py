"""Report files: every ending, from Python and from the shell, whole or not at all."""

from __future__ import annotations

import base64
import json
import re

import geopandas
import numpy as np
import pytest
import shapely

import regionalize as rz
from regionalize.cli.program import run_program
from regionalize.errors import UsageError
from regionalize.io.sample import sample_path
from regionalize.model.weights import Weights
from regionalize.run import reports
from regionalize.run.document import run_document

VARIABLES = ["pct_rural", "pct_pov"]


@pytest.fixture(scope="module")
def counties():
    return geopandas.read_file(sample_path())


@pytest.fixture(scope="module")
def found(counties):
    """Return what every call of Python returns that has a report to write."""
    run = rz.regionalize(counties, "skater", k=4, columns=VARIABLES)
    labelled = run.to_frame()
    return {
        "regionalize": run,
        "assign": rz.assign(counties, run),
        "validate": rz.validate(labelled, columns=VARIABLES),
        "choose_k": rz.choose_k(counties, k=range(2, 5), columns=VARIABLES),
        "compare": rz.compare(labelled, ["cluster", "kmeans:k=3"], columns=VARIABLES),
        "stability": rz.stability(counties, k=3, runs=5, columns=VARIABLES),
    }


CALLS = ("regionalize", "assign", "validate", "choose_k", "compare", "stability")


def picture_in(page: str) -> tuple[str, bytes] | None:
    """Return the kind and the bytes of the one picture of a page."""
    found = re.findall(r'<img src="data:([a-z/+]+);base64,([^"]*)"', page)
    assert len(found) <= 1
    return (found[0][0], base64.b64decode(found[0][1])) if found else None


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("ending", reports.REPORTS)
def test_every_call_writes_every_ending_and_repeats_it(call, ending, found, tmp_path):
    one, other = tmp_path / f"one{ending}", tmp_path / f"other{ending.upper()}"
    assert found[call].write_report(one) == one
    found[call].write_report(str(other))
    assert one.read_bytes() == other.read_bytes()
    assert b"\r\n" not in one.read_bytes()
    text = one.read_text(encoding="utf-8")
    if ending == ".json":
        assert json.loads(text)["command"].startswith("regionalize ")
    elif ending == ".csv":
        assert len({line.count(",") for line in text.splitlines()}) == 1
    elif ending == ".md":
        assert text.startswith("# ")
        assert "```sh\nregionalize " in text
    else:
        assert text.startswith("<!DOCTYPE html>")
        kind, data = picture_in(text)
        assert kind == "image/svg+xml"
        assert b"<svg" in data


def test_other_endings_are_refused_and_nothing_is_left(found, tmp_path):
    for call in CALLS:
        with pytest.raises(UsageError, match=r"cannot be written as '.txt'; use .json, .csv, .md, .html"):
            found[call].write_report(tmp_path / "r.txt")
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_fails_leaves_the_old_one(found, tmp_path, monkeypatch):
    path = tmp_path / "r.html"
    path.write_text("old")

    def fail(*_):
        raise RuntimeError("no page")

    monkeypatch.setattr("regionalize.maps.report.page.report_page", fail)
    with pytest.raises(RuntimeError, match="no page"):
        found["regionalize"].write_report(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_heavy_map_is_an_image(found, tmp_path, monkeypatch):
    monkeypatch.setattr(reports, "LIGHT", 100)
    page = found["regionalize"].write_report(tmp_path / "r.html").read_text(encoding="utf-8")
    kind, data = picture_in(page)
    assert kind == "image/png"
    assert data.startswith(b"\x89PNG")


def test_nothing_to_draw_leaves_the_picture_out(counties, tmp_path):
    nowhere = counties.assign(geometry=np.array([None] * len(counties), dtype=object))
    chain = Weights.from_links(len(counties), np.arange(158), np.arange(1, 159), kind="chain")
    for frame, weights in ((counties.drop(columns="geometry"), None), (nowhere, chain)):
        run = rz.regionalize(frame, k=3, columns=VARIABLES, weights=weights)
        page = run.write_report(tmp_path / "r.html").read_text(encoding="utf-8")
        assert picture_in(page) is None


def test_csv_has_deviations_and_the_means_where_centres_are_others(counties, tmp_path):
    import pandas as pd

    for method, columns in (("kmeans", ["center", "sd"]), ("kmedians", ["center", "mean", "sd"])):
        run = rz.regionalize(counties, method, k=3, columns=VARIABLES)
        table = pd.read_csv(run.write_report(tmp_path / "r.csv"))
        groups = counties[VARIABLES].groupby(run.labels)
        for name in columns:
            whole = {"sd": groups.std(), "mean": groups.mean(), "center": None}[name]
            if name == "center":
                whole = groups.mean() if method == "kmeans" else groups.median()
            np.testing.assert_allclose(table[[f"{name}_{one}" for one in VARIABLES]], whole, rtol=1e-9)
        assert ("mean_pct_pov" in table) == (method == "kmedians")


def test_what_stands_for_clusters_is_told_beside_the_means(counties, tmp_path):
    for method, title in (("kmedians", "## Medians"), ("kmedoids", "## Medoids")):
        run = rz.regionalize(counties, method, k=3, columns=VARIABLES, id="name")
        text = run.write_report(tmp_path / "r.md").read_text(encoding="utf-8")
        assert title in text
        assert f"the centres of the clusters are {title[3:].lower()}" in text
    assert all(name in text for name in run.report.extra["medoids"])


def test_titles_name_method_number_and_file(counties, tmp_path):
    assert run_program(["-q", "kmeans", "--k", "3", "--report", str(tmp_path / "r.md")]) == 0
    assert (tmp_path / "r.md").read_text().startswith("# kmeans, k = 3: georgia.gpkg\n")
    run = rz.regionalize(counties, k=3, columns=VARIABLES)
    assert run_document(run.report).title == "kmeans, k = 3"


def test_units_left_out_and_noise_are_told(counties, tmp_path):
    gaps = counties.astype({"pct_pov": float})
    gaps.loc[[3, 8], "pct_pov"] = np.nan
    run = rz.regionalize(gaps, k=3, columns=VARIABLES, missing="drop")
    text = run.write_report(tmp_path / "r.md").read_text(encoding="utf-8")
    assert "| units | 157 of 159 |" in text
    alone = rz.regionalize(counties, "dbscan", eps="30km")
    text = alone.write_report(tmp_path / "r.md").read_text(encoding="utf-8")
    assert f"| noise | {alone.report.noise} |" in text


@pytest.mark.parametrize("method", ["kmeans", "skater"])
def test_few_rows(method, tmp_path):
    for n, k in ((2, 1), (2, 2), (3, 1)):
        frame = geopandas.GeoDataFrame(
            {"a": np.arange(float(n)), "same": np.ones(n)},
            geometry=shapely.box(np.arange(n), 0, np.arange(n) + 1, 1),
            crs="EPSG:32633",
        )
        run = rz.regionalize(frame, method, k=k, columns=["a", "same"])
        for ending in reports.REPORTS:
            assert run.write_report(tmp_path / f"r{ending}").stat().st_size > 50
