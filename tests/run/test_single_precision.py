"""Single precision: half the memory of the variables, and the labels of double precision."""

import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from regionalize.io.read import read_layer
from regionalize.measure.agreement import adjusted_rand
from regionalize.model.job import Job
from regionalize.model.layer import Layer
from regionalize.run.solve import solve

REAL = {
    "natregimes/natregimes.shp": ("HR*", "RD*", "UE90"),
    "brazil/municipalities.gpkg": ("t_dens", "t_lixo", "t_luz", "t_banagua", "agua_esgoto", "rdpc"),
}


def agreement(layer, **options):
    """How alike labels in single and in double precision are."""
    single, double = (solve(layer, Job(dtype=kind, **options)) for kind in ("float32", "float64"))
    assert single.features.X.dtype == np.float32
    assert single.report.fit.ratio == pytest.approx(double.report.fit.ratio, rel=1e-5)
    assert np.array(single.report.centers) == pytest.approx(np.array(double.report.centers), rel=1e-5)
    return adjusted_rand(single.partition.labels, double.partition.labels)


@pytest.mark.parametrize("method", ["kmeans", "skater", "schc", "kmedoids", "kmedians"])
@pytest.mark.parametrize("options", [{}, {"with_centroids": True, "hops": 1}], ids=["plain", "smoothed"])
def test_labels_of_the_sample(method, options):
    layer = read_layer(None)
    assert agreement(layer, method=method, k=6, columns=("pct_*",), **options) > 0.999


@pytest.mark.parametrize("method", ["kmeans", "skater"])
@pytest.mark.parametrize("file", REAL)
def test_labels_of_real_layers(shared_data, file, method):
    layer = read_layer(shared_data(file))
    assert agreement(layer, method=method, k=8, columns=REAL[file], missing="drop", islands="nearest") > 0.999


def test_labels_of_a_table_that_the_compiled_kernels_group():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30_000, 5)) + rng.normal(scale=3, size=(9, 5))[rng.integers(9, size=30_000)]
    table = pa.table({f"v{j}": 1000 + X[:, j] for j in range(5)})
    assert agreement(Layer(table, None, None), method="kmeans", k=9) > 0.999


def test_the_memory_of_a_run_is_half():
    """Peak of what a run takes beside the layer, which stays as it is."""
    n, p = 30_000, 24
    rng = np.random.default_rng(4)
    X = rng.normal(size=(n, p)) + rng.normal(scale=2, size=(6, p))[rng.integers(6, size=n)]
    layer = Layer(pa.table({f"v{j}": X[:, j] for j in range(p)}), None, None)
    peak = {}
    for kind in ("float32", "float64"):
        job = Job(method="kmeans", k=6, dtype=kind, jobs=1)
        solve(layer, job)
        tracemalloc.start()
        solve(layer, job)
        peak[kind] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak["float32"] < 0.62 * peak["float64"]
