"""A run takes no more threads than it was told to, whatever library it calls."""

import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import scipy.spatial
import shapely
from threadpoolctl import threadpool_info

from regionalize.io.write import write_layer
from regionalize.model.job import Job, Outputs
from regionalize.model.layer import Layer
from regionalize.run.files import run
from regionalize.run.solve import solve

JOBS = 3
"""More or fewer than this machine has, so that nobody comes upon it by chance."""


@pytest.fixture(scope="module")
def layer():
    rng = np.random.default_rng(5)
    places = rng.uniform(0, 1e5, (6000, 2))
    table = pa.table({f"v{j}": rng.normal(size=6000) for j in range(4)})
    wkb = pa.chunked_array([pa.array(shapely.to_wkb(shapely.points(places)), pa.binary())])
    return Layer(table, wkb, "EPSG:32633")


class Watch:
    """Notes what libraries may take whenever a run tells of its progress."""

    def __init__(self):
        self.stages, self.seen = set(), set()

    def __call__(self, stage, done, total):
        self.stages.add(stage)
        blas = max(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")
        self.seen.add((pa.cpu_count(), blas))


@pytest.fixture
def asked(monkeypatch):
    """Threads asked of nearest neighbours and of GDAL."""
    found = {"tree": [], "gdal": []}
    tree, read = scipy.spatial.KDTree, pyogrio.raw.read_arrow

    def noted(function):
        def called(*args, **kwargs):
            found["tree"].append(kwargs["workers"])
            return function(*args, **kwargs)

        return called

    def read_arrow(*args, **kwargs):
        found["gdal"].append(pyogrio.get_gdal_config_option("OGR_GPKG_NUM_THREADS"))
        return read(*args, **kwargs)

    monkeypatch.setattr(tree, "query", noted(tree.query))
    monkeypatch.setattr(tree, "query_ball_point", noted(tree.query_ball_point))
    monkeypatch.setattr(pyogrio.raw, "read_arrow", read_arrow)
    return found


@pytest.mark.parametrize("method", ["kmeans", "skater"])
def test_a_run_from_file_to_file(layer, tmp_path, asked, method):
    source = tmp_path / "in.gpkg"
    write_layer(layer, source, added={})
    before = pa.cpu_count()
    watch = Watch()
    job = Job(method=method, k=4, columns=("v*",), weights="knn:6", hops=1, jobs=JOBS)
    run(str(source), job, Outputs(output=tmp_path / "out.gpkg"), progress=watch)
    assert {"read", "weights", "features", method, "measure", "writing out.gpkg"} <= watch.stages
    assert watch.seen == {(JOBS, 1)}
    assert set(asked["tree"]) == {JOBS}
    assert set(map(int, asked["gdal"])) == {1}  # what it would say in another, nobody hears
    assert pa.cpu_count() == before


def test_a_solution_in_memory(layer, asked):
    watch = Watch()
    solve(layer, Job(method="skater", k=4, weights="knn:4", jobs=JOBS), progress=watch)
    assert watch.seen == {(JOBS, 1)}
    assert set(asked["tree"]) == {JOBS}


@pytest.mark.parametrize("method", ["dbscan", "spectral"])
def test_methods_that_ask_a_tree(layer, asked, method):
    options = {"k": 3} if method == "spectral" else {"params": {"eps": "5km"}}
    solve(layer, Job(method=method, columns=("v*",), weights="knn:4", jobs=JOBS, **options))
    assert set(asked["tree"]) == {JOBS}
