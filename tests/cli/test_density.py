"""dbscan, hdbscan and optics at the shell: places and variables, lengths, noise and the list of outliers."""

from __future__ import annotations

import csv
import json

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from sklearn.cluster import DBSCAN

import regionalize as rz
from regionalize.model.partition import Partition
from regionalize.weights.places import EARTH_RADIUS

METHODS = ("dbscan", "hdbscan", "optics")
every_method = pytest.mark.parametrize("method", METHODS)


def scattered(crs="EPSG:32633", seed=0, at=(500_000, 4_000_000), scale=1.0):
    """Two dense groups of points of 30 and 20, a few hundred metres wide and 5 km apart, and 10 far ones."""
    rng = np.random.default_rng(seed)
    points = np.concatenate(
        [
            rng.normal(0, 100, (30, 2)),
            rng.normal((5000, 0), 100, (20, 2)),
            np.column_stack([np.arange(10) * 4000.0, np.full(10, 30_000.0)]),
        ]
    )
    return geopandas.GeoDataFrame(
        {"name": [f"é{i}" for i in range(60)], "a": rng.normal(size=60), "b": rng.normal(size=60)},
        geometry=shapely.points(points * scale + at),
        crs=crs,
    )


TRUTH = [1] * 30 + [2] * 20 + [0] * 10
ENOUGH = {
    "dbscan": ("--eps", "400m"),
    "hdbscan": ("--eps", "400m"),
    "optics": ("--eps", "400m"),
}


def great_circles(frame):
    """All distances in metres by the haversine formula."""
    longitude, latitude = np.radians(shapely.get_coordinates(frame.geometry.to_numpy())).T
    east, north = longitude[:, None] - longitude, latitude[:, None] - latitude
    a = np.sin(north / 2) ** 2 + np.cos(latitude[:, None]) * np.cos(latitude) * np.sin(east / 2) ** 2
    return 2 * EARTH_RADIUS * np.arcsin(np.sqrt(a))


class TestPlaces:
    @every_method
    def test_a_length_means_places(self, method, save, cli, read, tmp_path):
        path, out = save(scattered()), tmp_path / "out.gpkg"
        found = cli(method, path, *ENOUGH[method], "-o", out)
        assert found.code == 0, found.err
        assert read(out)["cluster"].tolist() == TRUTH
        assert any(
            "by their places: distances between centroids in the plane" in note for note in found.notes
        )
        assert "10 units are noise" in found.out
        assert "variables: X, Y" in found.out

    @every_method
    def test_named_columns_are_then_only_reported_on(self, method, save, cli):
        path = save(scattered())
        found = cli(method, path, *ENOUGH[method], "--columns", "a,b", "--json")
        report = json.loads(found.out)
        assert report["variables"] == ["a", "b"]
        assert report["sizes"] == [30, 20]
        assert any("they are reported on" in note for note in report["notes"])

    @pytest.mark.parametrize(
        ("eps", "crs", "scale"), [("0.2mi", "EPSG:32633", 1), ("1200ft", "EPSG:2263", 1 / 0.3048)]
    )
    def test_lengths_are_turned_into_map_units(self, eps, crs, scale, save, cli):
        path = save(scattered(crs, scale=scale))
        assert json.loads(cli("dbscan", path, "--eps", eps, "--json").out)["sizes"] == [30, 20]

    def test_a_number_is_in_map_units(self, save, cli):
        path = save(scattered("EPSG:2263", scale=1 / 0.3048))
        assert json.loads(cli("dbscan", path, "--eps", "1300", "--json").out)["sizes"] == [30, 20]

    @pytest.mark.parametrize("eps", [300.0, 1000.0, 6000.0])
    @pytest.mark.parametrize("where", [(12.0, 47.0), (-179.99, -17.0), (40.0, 89.9)])
    def test_a_geographic_layer_is_measured_on_the_sphere(self, eps, where):
        """Also across the 180° meridian and at the pole, where no projection is right."""
        rng = np.random.default_rng(4)
        north = rng.normal(where[1], 0.02, 150).clip(-89.99, 89.99)
        east = where[0] + rng.normal(0, 0.02, 150) / np.cos(np.radians(north))
        frame = geopandas.GeoDataFrame(
            geometry=shapely.points((east + 180) % 360 - 180, north), crs="EPSG:4326"
        )
        plain = DBSCAN(eps=eps, min_samples=4, metric="precomputed").fit(great_circles(frame)).labels_
        if not (plain >= 0).any():
            with pytest.raises(rz.RegionalizeError, match="every unit is noise"):
                rz.regionalize(frame, "dbscan", eps=f"{eps:g}m")
            return
        labels = rz.regionalize(frame, "dbscan", eps=f"{eps:g}m").labels.to_numpy()
        assert labels.tolist() == np.maximum(Partition.canonical(plain).labels, 0).tolist()

    def test_sums_of_squares_on_the_sphere_are_square_metres(self):
        frame = scattered().to_crs("EPSG:4326")
        there = rz.regionalize(frame, "dbscan", eps="400m").report
        here = rz.regionalize(scattered(), "dbscan", eps="400m").report
        assert there.fit.wss == pytest.approx(here.fit.wss, rel=0.02)
        assert there.fit.ratio == pytest.approx(here.fit.ratio, abs=1e-3)
        assert there.centers[0] == pytest.approx(frame.geometry[:30].union_all().centroid.coords[0], abs=1e-4)

    def test_a_projection_that_is_named_is_used(self, save, cli):
        path = save(scattered().to_crs("EPSG:4326"))
        found = cli("dbscan", path, "--eps", "400", "--project", "EPSG:32633", "--json")
        assert json.loads(found.out)["sizes"] == [30, 20]
        assert any("in the plane" in note for note in found.notes)

    def test_hdbscan_and_optics_need_no_distance(self, save, cli):
        path = save(scattered().to_crs("EPSG:4326"))
        for method in ("hdbscan", "optics"):
            found = cli(method, path)
            assert found.code == 0, found.err
            assert any("great-circle" in note for note in found.notes)


class TestVariables:
    @every_method
    def test_a_number_and_columns_mean_variables(self, method, save, cli, read, tmp_path):
        frame = scattered()
        groups = np.repeat([0.0, 10.0, 20.0], 20)
        frame = frame.assign(a=frame.a + groups, b=frame.b - groups)
        out = tmp_path / "out.gpkg"
        found = cli(
            method, save(frame), "--eps", "1.5", "--columns", "a,b", "-o", out, "--transform", "demean"
        )
        assert found.code == 0, found.err
        assert any("by their variables" in note for note in found.notes)
        labels = read(out)["cluster"].to_numpy()
        first = [labels[20 * i : 20 * i + 20][labels[20 * i : 20 * i + 20] > 0] for i in range(3)]
        assert [len(np.unique(one)) for one in first] == [1, 1, 1]
        assert len({one[0] for one in first}) == 3

    def test_it_is_that_of_scikit_learn_on_the_transformed_variables(self, save, cli, read, tmp_path):
        frame, out = scattered(), tmp_path / "out.gpkg"
        cli("dbscan", save(frame), "--eps", "0.6", "--columns", "a,b", "-o", out)
        z = frame[["a", "b"]].pipe(lambda x: (x - x.mean()) / x.std())
        plain = DBSCAN(eps=0.6, min_samples=4).fit(z).labels_
        assert plain.min() == -1
        assert read(out)["cluster"].tolist() == np.maximum(Partition.canonical(plain).labels, 0).tolist()

    def test_centroids_may_be_among_them(self, save, cli):
        options = ("--with-centroids", "--columns", "a,b", "--centroid-weight", "0.9", "--min-samples", "3")
        found = cli("dbscan", save(scattered()), "--eps", "0.5", *options, "--json")
        assert found.code == 0, found.err
        assert json.loads(found.out)["coordinate_share"] == pytest.approx(0.9)

    def test_a_table_has_variables_alone(self, save, cli):
        frame = pd.DataFrame(scattered()[["name", "a", "b"]])
        path = save(frame.assign(x=np.repeat([0.0, 9.0], 30)), "in.parquet")
        found = cli("dbscan", path, "--eps", "1", "--columns", "x", "--json")
        assert json.loads(found.out)["sizes"] == [30, 30]
        assert cli("hdbscan", path, "--min-cluster-size", 5).code in {0, 1}


class TestRefusals:
    def test_dbscan_says_what_eps_may_be(self, save, refused):
        said = refused(
            "dbscan", save(scattered()), code=2, says=["needs --eps", "half of the units have 3 others"]
        )
        half, most = (part.split(",")[0].split(" or ")[0] for part in said.split("within ")[-2:])
        D = np.sort(great_circles(scattered().to_crs("EPSG:4326")), axis=1)[:, 3]
        assert float(half.removesuffix(" m")) == pytest.approx(np.median(D), rel=0.01)
        assert float(most.removesuffix(" km")) == pytest.approx(np.quantile(D, 0.9) / 1000, rel=0.01)

    def test_what_is_suggested_works(self, save, cli, refused):
        for path in (save(scattered(), "plane.gpkg"), save(scattered().to_crs("EPSG:4326"), "sphere.gpkg")):
            suggested = refused("dbscan", path, code=2).partition("such as --eps ")[2].split(":")[0]
            assert cli("dbscan", path, "--eps", suggested).code == 0

    @pytest.mark.parametrize("eps", ["0", "-1", "0km", "nan", "inf", "1e999m", "5 parsecs", "km", ""])
    @every_method
    def test_wrong_lengths(self, method, eps, squares, refused):
        refused(method, squares, f"--eps={eps}", code=2, says="--eps is")

    def test_degrees_are_not_of_one_length(self, save, refused):
        refused("dbscan", save(scattered().to_crs(4326)), "--eps", 2, code=2, says=["degrees", "--eps 2km"])

    @pytest.mark.parametrize(
        "given",
        [("--with-centroids",), ("--centroid-weight", ".5"), ("--hops", 1), ("--column-weights", "a=2")],
    )
    def test_options_of_variables_where_places_are_clustered(self, given, squares, refused):
        refused("dbscan", squares, "--eps", "1km", *given, code=2, says=[given[0], "by their places"])

    def test_automatic_weights_of_centroids(self, squares, refused):
        options = ("--eps", 1, "--columns", "a,b", "--centroid-weight", "auto")
        refused("dbscan", squares, *options, code=2, says="dbscan leaves some out")

    @pytest.mark.parametrize("given", [("--k", 3), ("--min-size", 2), ("--within", "name")])
    def test_what_they_do_not_take(self, given, squares, refused):
        refused("dbscan", squares, "--eps", "1km", *given, code=2)

    def test_no_clusters(self, save, refused):
        path = save(scattered())
        refused(
            "dbscan", path, "--eps", "1m", says=["every unit is noise", "longer --eps", "3 others within"]
        )
        refused("hdbscan", path, "--min-cluster-size", 60, says=["every unit is noise", "--min-cluster-size"])
        refused("optics", path, "--eps", "1m", says=["every unit is noise", "longer --eps"])

    def test_a_unit_needs_a_reference_system(self, save, grid, refused):
        path = save(grid(crs=None))
        refused(
            "dbscan",
            path,
            "--eps",
            "1km",
            "--project",
            "none",
            says=["no coordinate reference system", "map units"],
        )

    def test_a_length_needs_geometry(self, save, refused):
        path = save(pd.DataFrame(scattered()[["name", "a"]]), "in.parquet")
        refused("dbscan", path, "--eps", "1km", says="no geometry, so nothing is 1 km away")

    @pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:4326"])
    def test_units_without_geometry(self, crs, save, cli, read, refused, tmp_path):
        frame, out = scattered().to_crs(crs), tmp_path / "out.gpkg"
        frame.loc[3, "geometry"] = None
        path = save(frame)
        says = ["1 of 60 rows", "é3", "--missing drop"]
        refused("dbscan", path, "--eps", "400m", "--id", "name", says=says)
        assert cli("dbscan", path, "--eps", "400m", "--missing", "drop", "-o", out).code == 0
        labels = read(out)["cluster"]
        assert labels.isna().tolist() == [row == 3 for row in range(60)]
        assert labels.drop(3).tolist() == [label for row, label in enumerate(TRUTH) if row != 3]


class TestOutputs:
    @every_method
    def test_outliers_are_listed_the_remotest_first(self, method, save, cli, tmp_path):
        frame, listed = scattered(), tmp_path / "outliers.csv"
        assert cli(method, save(frame), *ENOUGH[method], "--id", "name", "--outliers", listed).code == 0
        with listed.open(encoding="utf-8", newline="") as file:
            rows = [*csv.DictReader(file)]
        xy = shapely.get_coordinates(frame.geometry.to_numpy())
        apart = np.linalg.norm(xy[50:, None] - xy[None, :50], axis=2)
        order = np.argsort(-apart.min(axis=1), kind="stable")
        assert [row["id"] for row in rows] == [f"é{50 + at}" for at in order]
        assert [int(row["row"]) for row in rows] == (51 + order).tolist()
        assert [float(row["distance_m"]) for row in rows] == pytest.approx(apart.min(axis=1)[order].tolist())
        nearest = [TRUTH[at] for at in apart.argmin(axis=1)[order]]
        assert [int(row["nearest_cluster"]) for row in rows] == nearest
        assert [int(row["size"]) for row in rows] == [{1: 30, 2: 20}[label] for label in nearest]
        own = {"dbscan": "neighbors", "hdbscan": "outlier_score", "optics": "core_distance_m"}[method]
        assert len({row[own] for row in rows}) > 0

    def test_distances_on_the_sphere_are_great_circles(self):
        frame = scattered().to_crs("EPSG:4326")
        found = rz.regionalize(frame, "dbscan", eps="400m")
        listed = found.outliers
        expected = great_circles(frame)[50:, :50].min(axis=1)
        assert listed["distance_m"].to_numpy() == pytest.approx(np.sort(expected)[::-1], rel=1e-6)
        assert sorted(listed.index) == [*range(50, 60)]

    def test_no_outliers_are_an_empty_list(self, squares, cli, tmp_path):
        listed = tmp_path / "outliers.csv"
        assert cli("dbscan", squares, "--eps", "2km", "--outliers", listed).code == 0
        assert listed.read_text().splitlines() == ["row,nearest_cluster,size,distance_m,neighbors"]

    def test_the_list_follows_the_rules_of_outputs(self, squares, cli, refused, tmp_path):
        there = tmp_path / "there.csv"
        there.write_text("mine")
        options = ("dbscan", squares, "--eps", "1km")
        refused(*options, "--outliers", there, says="already exists")
        refused(*options, "--outliers", tmp_path / "a.txt", says=".csv")
        refused(
            *options,
            "--outliers",
            tmp_path / "a.csv",
            "--centers",
            tmp_path / "a.csv",
            code=2,
            says="same file",
        )
        assert cli(*options, "--outliers", there, "--overwrite").code == 0
        assert there.read_text().startswith("row,")
        refused("kmeans", squares, "--k", 2, "--outliers", tmp_path / "a.csv", code=2, says="--outliers")

    @every_method
    def test_one_cluster_works_throughout(self, method, save, cli, read, tmp_path):
        """All reports, the map and the list, where k is 1 and there is noise."""
        frame = pd.concat([scattered()[:30], scattered()[50:]], ignore_index=True)
        options = {"hdbscan": ("--min-cluster-size", 10, "--eps", "1m")}.get(method, ("--eps", "400m"))
        if method == "hdbscan":  # which never finds fewer than two
            frame = scattered()
        files = [
            tmp_path / name for name in ("out.gpkg", "map.png", "r.json", "r.csv", "r.md", "c.csv", "o.csv")
        ]
        names = ("-o", "--map", "--report", "--centers", "--outliers")
        for report in files[2:5]:
            chosen = (files[0], files[1], report, *files[5:])
            pairs = [word for pair in zip(names, chosen, strict=True) for word in pair]
            found = cli(method, save(frame), *options, *pairs, "--overwrite")
            assert found.code == 0, found.err
        assert all(path.stat().st_size for path in files)
        assert set(read(files[0])["cluster"]) == ({0, 1} if method != "hdbscan" else {0, 1, 2})

    @every_method
    def test_noise_stays_out_when_clusters_are_made_contiguous(self, method, grid, save, cli, read, tmp_path):
        """Two groups of squares that touch only through noise, each of two values."""
        frame = grid(7, 5)
        column = np.tile(np.arange(7), 5)
        middle = column == 3
        frame["a"] = np.where(middle, np.arange(35) * 100.0, np.where(column % 2, 5.0, 0.0))
        options = {"hdbscan": ("--min-cluster-size", 5)}.get(method, ())
        before, after = tmp_path / "before.gpkg", tmp_path / "after.gpkg"
        run = (method, save(frame), "--columns", "a", "--eps", 1, "--transform", "raw", *options)
        assert cli(*run, "-o", before).code == 0
        found = cli(*run, "--make-contiguous", "-o", after)
        assert found.code == 0, found.err
        first, then = read(before)["cluster"], read(after)["cluster"]
        assert ((first == 0) == (then == 0)).all()
        assert (first == 0).any()
        assert "Contiguous: every cluster is one piece" in found.out

    def test_clusters_that_noise_takes_apart_cannot_be_made_contiguous(self, grid, save, refused):
        """Two clusters in three stretches of squares, with noise between: links of islands are no help."""
        frame = grid(9, 2)
        column = np.tile(np.arange(9), 2)
        between = (column == 2) | (column == 6)
        frame["a"] = np.where(between, np.arange(18) * 100.0 + 50, np.where(column < 4, 0.0, 5.0))
        frame.loc[column > 6, "a"] = 0.0
        run = ("dbscan", save(frame), "--columns", "a", "--transform", "raw", "--eps", 1, "--make-contiguous")
        says = ("without the noise the units fall into 3 components", "leave less out as noise")
        refused(*run, "--islands", "nearest", code=1, says=says)

    def test_one_cluster_in_one_piece_is_told_so(self, squares, cli):
        found = cli("dbscan", squares, "--columns", "a,b", "--eps", 99, "--make-contiguous")
        assert found.code == 0, found.err
        assert "contiguous: the one cluster was in one piece already" in found.out

    @every_method
    def test_the_same_bytes_on_any_number_of_threads(self, method, save, cli, tmp_path, monkeypatch):
        path, written = save(scattered()), []
        for jobs in (1, 3):
            folder = tmp_path / str(jobs)
            folder.mkdir()
            monkeypatch.chdir(folder)  # the layer tells the command that made it, with the name it was given
            assert cli(method, path, *ENOUGH[method], "--jobs", jobs, "-o", "out.geojson").code == 0
            written.append((folder / "out.geojson").read_bytes())
        assert written[0] == written[1]

    def test_an_option_without_effect_is_said(self, save, cli):
        found = cli("optics", save(scattered()), "--eps", "400m", "--xi", "0.1")
        assert "note: --xi has no effect: --eps is given" in found.notes


def test_the_estimator_gives_noise_as_scikit_learn_does():
    X = shapely.get_coordinates(scattered().geometry.to_numpy())
    labels = rz.Regionalizer("dbscan", eps=400.0).fit_predict(X)
    assert labels.tolist() == [label - 1 for label in TRUTH]
