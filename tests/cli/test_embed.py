"""`--embed` from the shell: what is clustered, what is reported, what is repeated, and what is refused."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from sklearn.decomposition import PCA

import regionalize as rz
from regionalize.errors import UsageError
from regionalize.run.planes import plane_of

STEPS = [f"d{step}" for step in range(1, 13)]
KMEANS = ("kmeans", "in.gpkg", "--k", "4", "--columns", "d1-d12")


@pytest.fixture
def series(tmp_path, monkeypatch):
    """Return a layer in the folder the test runs in: 8 x 8 cells with 12 steps of four kinds of series."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(4)
    x, y = (a.ravel().astype(float) for a in np.meshgrid(np.arange(8), np.arange(8)))
    kinds = np.cumsum(rng.normal(size=(4, 12)), axis=1)
    values = kinds[rng.integers(0, 4, 64)] + rng.normal(0, 0.8, (64, 12))
    columns = dict(zip(STEPS, values.T, strict=True))
    frame = geopandas.GeoDataFrame(
        {"name": [f"cell {cell}" for cell in range(64)], **columns},
        geometry=shapely.box(1000 * x, 1000 * y, 1000 * x + 1000, 1000 * y + 1000),
        crs="EPSG:32633",
    )
    frame.to_file("in.gpkg")
    return frame


def ratio(X, labels):
    """Return BSS/TSS by its definition."""
    within = sum(((X[labels == one] - X[labels == one].mean(axis=0)) ** 2).sum() for one in np.unique(labels))
    return 1 - within / ((X - X.mean(axis=0)) ** 2).sum()


def read(path):
    return geopandas.read_file(path, layer=Path(path).stem)["cluster"].to_numpy()


def told(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def test_what_is_clustered_and_what_is_reported(cli, series):
    done = cli(*KMEANS, "--embed", "PCA:3", "-o", "out.gpkg", "--report", "r.json")
    assert done.code == 0, done.err
    labels, report = read("out.gpkg"), told("r.json")
    z = series[STEPS].to_numpy()
    z = (z - z.mean(axis=0)) / z.std(axis=0, ddof=1)
    components = PCA(3).fit(z)
    share = 100 * components.explained_variance_ratio_.sum()
    assert f"note: pca:3: of 12 columns 3 components, with {share:.1f} % of their variance" in done.err
    assert report["settings"]["embed"] == "pca:3"
    assert report["variables"] == STEPS
    assert report["fit"]["ratio"] == pytest.approx(ratio(components.transform(z), labels))
    assert report["fit_attributes"]["ratio"] == pytest.approx(ratio(z, labels))
    means = series[STEPS].groupby(labels).mean().to_numpy()
    assert np.allclose(report["centers"], means)
    assert "what is clustered" in done.out
    assert "embed pca:3" in done.out


def test_all_components_are_no_embedding(cli, series):
    """Under Euclidean distances; those that sum absolute differences are along other axes."""
    euclidean = {"kmedoids": ("--distance", "euclidean")}
    for method in ("kmeans", "kmedoids", "hierarchical", "skater", "azp"):
        rest = (method, *KMEANS[1:], *euclidean.get(method, ()), "--overwrite", "-o")
        assert cli(*rest, "plain.gpkg").code == 0
        assert cli(*rest, "embedded.gpkg", "--embed", "pca:12").code == 0
        assert (read("plain.gpkg") == read("embedded.gpkg")).all(), method


@pytest.mark.parametrize(
    "options",
    [
        ("--embed", "pca:2", "--hops", "1"),
        ("--embed", "trend", "--with-centroids", "--transform", "raw"),
        ("--embed", "season:6", "--centroid-weight", "0.3"),
    ],
)
def test_the_line_of_the_report_and_the_settings_saved_repeat_the_run(cli, series, options):
    saved = ("--save-config", "c.toml", "--report", "r.json", "-o", "one.gpkg")
    assert cli(*KMEANS, *options, *saved).code == 0
    line = shlex.split(told("r.json")["command"])
    assert line[:2] == ["regionalize", "kmeans"]
    assert line[line.index("--embed") + 1] == options[1]
    assert cli(*[word if word != "one.gpkg" else "two.gpkg" for word in line[1:]]).code == 0
    assert cli("--config", "c.toml", "kmeans", "in.gpkg", "-o", "three.gpkg", "--report", "b.json").code == 0
    assert (read("one.gpkg") == read("two.gpkg")).all()
    assert (read("one.gpkg") == read("three.gpkg")).all()


def test_pictures_name_components(cli, series):
    for count in (1, 3):
        files = ("--plot", f"p{count}.svg", "--report", f"r{count}.html", "--parallel", f"q{count}.svg")
        done = cli(*KMEANS, "--embed", f"pca:{count}", *files)
        assert done.code == 0, done.err
    features = rz.regionalize(
        series, k=4, columns=STEPS, embed="pca:3", with_centroids=True
    ).solution.features
    assert all(axis.endswith(("+1.00 component 1", " X", " Y")) for axis in plane_of(features).axes[:1])
    trend = rz.regionalize(series, k=4, columns=STEPS, embed="trend").solution.features
    assert "mean" in "".join(plane_of(trend).axes)


def test_the_weight_of_centroids_that_is_found_repeats_the_run(cli, series):
    done = cli(*KMEANS, "--embed", "pca:2", "--centroid-weight", "auto", "-o", "o.gpkg", "--report", "r.json")
    assert done.code == 0, done.err
    found = str(told("r.json")["extra"]["centroid_weight"])
    assert cli(*KMEANS, "--embed", "pca:2", "--centroid-weight", found, "-o", "again.gpkg").code == 0
    assert (read("o.gpkg") == read("again.gpkg")).all()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (("--embed", "pca:13"), "asks for 13 components of 12 columns; give at most pca:12"),
        (("--embed", "pca:0"), "--embed is 'pca:0'; it must have a whole number of components; such as"),
        (("--embed", "pca:2.5"), "must have a whole number of components"),
        (("--embed", "pca:-1"), "must have a whole number of components"),
        (("--embed", "pca:nan"), "must have a whole number of components"),
        (("--embed", "pca"), "--embed is 'pca'; it must be pca:Q, trend or season:P; such as pca:8"),
        (("--embed", "trend:2"), "it must be pca:Q, trend or season:P"),
        (("--embed", "season:2"), "a period must be longer than 2 columns"),
        (("--embed", "season:inf"), "a period must be longer than 2 columns"),
        (("--embed", "season:13"), "season:13 needs at least 13 columns, and there are 12"),
        (("--embed", "pca:2", "--column-weights", "d1=2"), "--column-weights weighs them apart; leave"),
        (("--embed", "pca:2", "--centers", "c.csv"), "cannot be compared with new rows; leave out"),
        (("--embed", "pca:2", "--batch-size", "16"), "--batch-size and --embed exclude each other"),
        (("--embed", "pca:2", "--engine", "dask"), "--engine dask and --embed exclude each other"),
    ],
)
def test_what_is_refused(cli, series, line, says):
    done = cli(*KMEANS, *line, "-o", "o.gpkg")
    assert done.code == 2
    assert says in " ".join(done.err.split())


def test_where_there_are_no_variables(cli, series):
    np.savetxt("d.csv", np.ones((64, 64)) - np.eye(64), delimiter=",")
    done = cli("hierarchical", "in.gpkg", "--k", "2", "--distances", "d.csv", "--embed", "pca:2")
    assert "--distances takes their place" in " ".join(done.err.split())
    done = cli("dbscan", "in.gpkg", "--eps", "2km", "--embed", "pca:2")
    assert "--embed is about variables" in " ".join(done.err.split())
    assert cli("dbscan", "in.gpkg", "--eps", "1.5", "--embed", "pca:2", "-o", "o.gpkg").code == 0


def test_studies_embed_too(cli, series):
    rest = ("in.gpkg", "--columns", "d1-d12", "--embed", "pca:3")
    assert cli("choose-k", *rest, "--k", "2-4").code == 0
    assert cli("stability", *rest, "--k", "3", "--runs", "3").code == 0
    done = cli("compare", *rest, "--k", "3", "kmeans", "skater")
    assert done.code == 0, done.err


def test_from_python(series):
    found = rz.regionalize(series, k=4, columns=STEPS, embed="pca:12")
    plain = rz.regionalize(series, k=4, columns=STEPS)
    assert (found.labels == plain.labels).all()
    with pytest.raises(UsageError, match="cannot be compared with new rows"):
        rz.assign(series, rz.regionalize(series, k=4, columns=STEPS, embed="pca:2"))
    with pytest.raises(UsageError, match="--embed is 8; it must be pca:Q, trend or season:P"):
        rz.regionalize(series, k=4, columns=STEPS, embed=8)


def test_ranges_are_columns_wherever_columns_are(cli, series):
    assert cli(*KMEANS, "-o", "range.gpkg").code == 0
    named = ("kmeans", "in.gpkg", "--k", "4", "--columns", ",".join(STEPS), "-o", "named.gpkg")
    assert cli(*named).code == 0
    assert (read("range.gpkg") == read("named.gpkg")).all()
    done = cli(
        "kmeans", "in.gpkg", "--k", "4", "--columns", "d1-d12", "--exclude", "d3-d11", "--report", "r.json"
    )
    assert done.code == 0
    assert told("r.json")["variables"] == ["d1", "d2", "d12"]
    assert cli(*KMEANS, "--batch-size", "16", "-o", "batches.gpkg").code == 0
    done = cli("kmeans", "in.gpkg", "--k", "4", "--columns", "d1-d14")
    assert "there is no column 'd13'" in done.err
