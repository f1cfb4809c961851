"""Centres of rows in parts: those of one machine."""

import geopandas
import numpy as np
import pytest
import shapely

from regionalize.errors import OutputError
from regionalize.io.centers import read_centers
from regionalize.methods import hartigan, race
from regionalize.methods import kmeans as module
from regionalize.model.job import Job, Outputs
from regionalize.run.dask import kmeans as parted
from regionalize.run.dask import partitions, solve
from regionalize.run.dask.solve import run_on_dask
from regionalize.run.files import run

N = 1600


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A layer of many rows in parts, few as they are; the search is short."""
    for place in (module, solve):
        monkeypatch.setattr(place, "MANY_ROWS", 1000)
    for name, value in {"SAMPLES": 1, "KEPT": 2, "FIRST_HEAT": 2, "SAMPLE": 400}.items():
        monkeypatch.setattr(race, name, value)
    for place in (hartigan, parted):
        monkeypatch.setattr(place, "MAX_ROUNDS", 2)
    monkeypatch.setattr(partitions, "FEWEST", 400)
    monkeypatch.setattr(partitions, "MOST", 500)
    rng = np.random.default_rng(1)
    x, y = (part.ravel() * 1000.0 for part in np.meshgrid(np.arange(40), np.arange(40)))
    frame = geopandas.GeoDataFrame(
        {"a": rng.normal(size=N) + x / 15e3, "b": rng.normal(size=N) + 1e3, "same": np.full(N, 4.0)},
        geometry=shapely.box(x, y, x + 1000, y + 1000),
        crs="EPSG:3035",
    )
    frame.loc[::397, "a"] = np.nan
    path = tmp_path / "in.parquet"
    frame.to_parquet(path, row_group_size=400)
    return path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"with_centroids": True, "transform": "range-adjust"},
        {"hops": 1, "centroid_weight": 0.4},
        {"where": "b < 1000.2"},
    ],
    ids=["plain", "centroids", "smoothed", "few rows"],
)
def test_centres_are_those_of_one_machine(client, source, tmp_path, options):
    job = Job(k=4, columns=("a", "b", "same"), missing="drop", params={"max_iter": 4}, **options)
    one, many = tmp_path / "one.csv", tmp_path / "many.csv"
    run(str(source), job, Outputs(centers=one))
    on_dask = Job(**vars(job) | {"engine": "dask", "scheduler": client.scheduler.address})
    run_on_dask(str(source), on_dask, Outputs(centers=many, label_column="zone"))
    assert many.read_text().startswith("zone,size,a,b,same")
    theirs, mine = read_centers(one), read_centers(many)
    assert mine.sizes.tolist() == theirs.sizes.tolist()
    assert np.allclose(mine.values, theirs.values)
    assert np.allclose(mine.points(mine.recipe), theirs.points(theirs.recipe))
    for name in ("crs", "hops", "attributes_only", "transform"):
        assert getattr(mine.recipe, name) == getattr(theirs.recipe, name)
    for name in ("agreement", "mean_distance", "farthest"):
        assert getattr(mine.recipe, name) == pytest.approx(getattr(theirs.recipe, name)), name
    for ours, other in zip(mine.recipe.columns, theirs.recipe.columns, strict=True):
        assert (ours.offset, ours.scale) == pytest.approx((other.offset, other.scale))


def test_a_file_that_is_there_is_kept(client, source, tmp_path):
    file = tmp_path / "centers.csv"
    file.write_text("mine")
    job = Job(k=4, columns=("a",), engine="dask", scheduler=client.scheduler.address)
    with pytest.raises(OutputError, match="already exists"):
        run_on_dask(str(source), job, Outputs(centers=file))
    assert file.read_text() == "mine"
