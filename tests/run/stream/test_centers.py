"""Centres of rows that come in batches: those of memory, and what new rows are compared with."""

import geopandas
import numpy as np
import pytest

import regionalize as rz
from regionalize.io.centers import read_centers
from regionalize.io.sample import sample_path
from regionalize.run.stream import label, learn, rows, solve

COLUMNS = ["pct_rural", "pct_bach", "pct_pov"]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Have several pieces of a small layer."""
    for module in (solve, rows, learn, label):
        monkeypatch.setattr(module, "ROWS", 50)


def described(columns):
    """Return names, and the numbers of columns of a recipe."""
    numbers = [(one.offset, one.scale, one.weight, *(one.centers or ())) for one in columns]
    return [one.name for one in columns], numbers


@pytest.mark.parametrize("crs", [None, "EPSG:4326"], ids=["plane", "degrees"])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"transform": "range-standardize", "column_weights": {"pct_bach": 2.0}},
        {"transform": "range-adjust", "missing": "drop"},
        {"transform": "raw", "with_centroids": True},
        {"with_centroids": True, "centroid_scale": "isotropic"},
        {"centroid_weight": 0.3},
        {"hops": 2},
        {"hops": 1, "centroid_weight": 0.4, "weights": "knn:4"},
        {"hops": 1, "with_centroids": True, "missing": "mean"},
    ],
)
def test_centres_are_those_of_memory(tmp_path, asked, crs):
    counties = geopandas.read_file(sample_path())[["name", *COLUMNS, "geometry"]].assign(same=3.0)
    counties = counties if crs is None else counties.to_crs(crs)
    if "missing" in asked:
        counties.loc[[7, 80], "pct_pov"] = np.nan
    source = tmp_path / "in.gpkg"
    counties.to_file(source)
    options = {"k": 4, "columns": [*COLUMNS, "same"], **asked}
    found, expected = tmp_path / "batches.csv", tmp_path / "memory.csv"
    rz.regionalize_file(source, batch_size=32, centers=found, label_column="zone", **options)
    rz.regionalize_file(source, centers=expected, label_column="zone", **options)
    assert found.read_text().partition("\n")[0] == expected.read_text().partition("\n")[0]
    found, expected = read_centers(found), read_centers(expected)
    assert np.allclose(found.values, expected.values)
    assert found.sizes.tolist() == expected.sizes.tolist()
    ours, theirs = found.recipe, expected.recipe
    for one in ("method", "distance", "transform", "crs", "attributes_only", "hops", "alpha", "smooth_mode"):
        assert getattr(ours, one) == getattr(theirs, one), one
    assert ours.weights == theirs.weights
    for one in ("agreement", "mean_distance", "farthest"):
        assert getattr(ours, one) == pytest.approx(getattr(theirs, one)), one
    for group in ("variables", "coordinates"):
        (names, numbers), (wanted, figures) = (described(getattr(part, group)) for part in (ours, theirs))
        assert names == wanted
        assert [len(one) for one in numbers] == [len(one) for one in figures]
        for mine, other in zip(numbers, figures, strict=True):
            assert np.allclose(mine, other)


def test_new_rows_join_the_centres_of_batches(tmp_path):
    file, out = tmp_path / "centers.csv", tmp_path / "out.gpkg"
    rz.regionalize_file(
        None,
        k=4,
        columns=COLUMNS,
        batch_size=16,
        warm_start=40,
        centers=file,
        output=out,
        label_column="zone",
    )
    counties = geopandas.read_file(out, layer=out.stem)
    centers = read_centers(file)
    assert centers.sizes.tolist() == counties["zone"].value_counts().sort_index().tolist()
    labels = rz.assign(counties, file).labels.to_numpy()
    X = counties[COLUMNS].to_numpy()
    mean, sd = X.mean(axis=0), X.std(axis=0, ddof=1)
    apart = ((X - mean) / sd)[:, None] - (centers.values - mean) / sd
    assert labels.tolist() == ((apart**2).sum(axis=2).argmin(axis=1) + 1).tolist()
    assert centers.recipe.agreement == pytest.approx((labels == counties["zone"]).mean())
