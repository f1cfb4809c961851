"""Links as layers of lines: `--save-tree` and `--save-links`; and what is left when a run is stopped."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import scipy.sparse.csgraph
import shapely

from regionalize.model.catalog import METHODS

SKATER = ("skater", "--columns", "a,b", "--id", "name")
FORMATS = ("gpkg", "geojson", "shp", "fgb", "parquet")
every_format = pytest.mark.parametrize("ending", FORMATS)


def expected_lines(frame, lines):
    """Lines between the centroids of the units that two columns name."""
    place = frame.set_index("name").centroid
    ends = [place[lines[end]].get_coordinates().to_numpy() for end in ("from", "to")]
    return shapely.linestrings(np.stack(ends, axis=1))


class TestTree:
    """The spanning tree that was cut."""

    @every_format
    def test_read_back(self, ending, grid, squares, cli, read, tmp_path):
        target, labelled = tmp_path / f"tree.{ending}", tmp_path / "x.gpkg"
        found = cli(*SKATER, squares, "--k", 4, "-o", labelled, "--save-tree", target)
        assert found.code == 0, found.err
        assert f"note: tree written to {target}" in found.notes or f"tree written to {target}" in found.err
        lines, frame = read(target), read(labelled)
        assert [name for name in lines if name != "geometry"] == ["from", "to", "difference", "cut"]
        assert len(lines) == 24
        assert lines.crs == frame.crs
        assert shapely.equals_exact(lines.geometry, expected_lines(frame, lines), 1e-6).all()
        z = frame.set_index("name")[["a", "b"]]
        z = (z - z.mean()) / z.std()
        difference = z.loc[lines["from"]].to_numpy() - z.loc[lines["to"]].to_numpy()
        assert lines["difference"].to_numpy() == pytest.approx(np.linalg.norm(difference, axis=1), rel=1e-6)
        label = frame.set_index("name")["cluster"]
        apart = label[lines["from"]].to_numpy() != label[lines["to"]].to_numpy()
        assert (lines["cut"].astype(bool) == apart).all()
        assert lines["cut"].sum() == 3  # a tree in four parts

    def test_it_spans_with_the_least_length(self, squares, cli, read, tmp_path):
        """The peer is SciPy, on distances of neighbours found by geopandas."""
        assert cli(*SKATER, squares, "--k", 4, "--save-tree", tmp_path / "x.gpkg").code == 0
        lines, frame = read(tmp_path / "x.gpkg"), read(squares)
        row, other = frame.sindex.query(frame.geometry, predicate="intersects")
        z = ((frame[["a", "b"]] - frame[["a", "b"]].mean()) / frame[["a", "b"]].std()).to_numpy()
        length = np.linalg.norm(z[row] - z[other], axis=1)
        links = scipy.sparse.coo_array((length[row != other], (row[row != other], other[row != other])))
        least = scipy.sparse.csgraph.minimum_spanning_tree(links.tocsr()).sum()
        assert lines["difference"].sum() == pytest.approx(least)
        number = dict(zip(frame["name"], range(25), strict=True))
        ends = [lines[end].map(number).to_numpy() for end in ("from", "to")]
        whole = scipy.sparse.coo_array((np.ones(24), ends), shape=(25, 25))
        assert scipy.sparse.csgraph.connected_components(whole, directed=False)[0] == 1

    @pytest.mark.parametrize("method", [name for name, row in METHODS.items() if row.tree])
    def test_every_method_that_cuts_a_tree(self, method, squares, cli, read, tmp_path):
        args = (method, "--columns", "a,b", squares, "--k", 5)
        assert cli(*args, "--save-tree", tmp_path / "x.gpkg").code == 0
        lines = read(tmp_path / "x.gpkg")
        ends = lines["from"].to_numpy() - 1, lines["to"].to_numpy() - 1
        whole = scipy.sparse.coo_array((np.ones(24), ends), shape=(25, 25))
        assert len(lines) == 24
        assert scipy.sparse.csgraph.connected_components(whole, directed=False)[0] == 1
        touching = read(squares).geometry
        assert touching[ends[0]].touches(touching[ends[1]], align=False).all()
        assert lines["cut"].sum() == 4

    def test_within_upper_units_it_is_a_forest(self, grid, save, cli, read, tmp_path):
        frame = grid()
        frame["state"] = np.repeat([1, 2, 2, 3, 3], 5)
        args = (*SKATER, save(frame), "--within", "state", "--k", 7)
        assert cli(*args, "--save-tree", tmp_path / "x.gpkg").code == 0
        lines, state = read(tmp_path / "x.gpkg"), frame.set_index("name")["state"]
        assert (state[lines["from"]].to_numpy() == state[lines["to"]].to_numpy()).all()
        assert len(lines) == 25 - 3
        assert lines["cut"].sum() == 7 - 3

    def test_rows_left_out_and_rows_without_names(self, grid, save, cli, read, tmp_path):
        """Units go by their row numbers from 1; rows without values are in no link."""
        frame = grid()
        frame.loc[[0, 12], "a"] = np.nan
        args = ("skater", save(frame), "--columns", "a,b", "--missing", "drop", "--k", 3)
        assert cli(*args, "--save-tree", tmp_path / "x.gpkg").code == 0
        lines = read(tmp_path / "x.gpkg")
        assert set(lines["from"]) | set(lines["to"]) == set(range(1, 26)) - {1, 13}
        place = frame.centroid
        ends = shapely.get_coordinates(lines.geometry.to_numpy()).reshape(-1, 4)
        assert ends[:, 0] == pytest.approx(place.x.to_numpy()[lines["from"] - 1])
        assert ends[:, 3] == pytest.approx(place.y.to_numpy()[lines["to"] - 1])

    def test_a_unit_without_geometry_has_no_line(self, grid, save, cli, read, tmp_path):
        assert cli("weights", save(grid()), "-o", tmp_path / "in.gal").code == 0
        frame = grid()
        frame.loc[7, "geometry"] = None
        args = (*SKATER[:3], save(frame), "--weights", tmp_path / "in.gal", "--k", 3)
        assert cli(*args, "--save-tree", tmp_path / "x.gpkg").code == 0
        lines = read(tmp_path / "x.gpkg")
        assert (lines.geometry.isna() == ((lines["from"] == 8) | (lines["to"] == 8))).all()
        assert lines.geometry.isna().any()

    def test_equal_places(self, cli, read, save, tmp_path):
        """Four points on one spot: lines of no length."""
        frame = geopandas.GeoDataFrame(
            {"a": [1.0, 2, 4, 9], "b": [1.0, 0, 0, 1]},
            geometry=[shapely.Point(500000, 0)] * 4,
            crs="EPSG:32633",
        )
        args = ("skater", save(frame), "--columns", "a,b", "--weights", "knn:2", "--k", 2)
        for ending in FORMATS:
            target = tmp_path / f"x.{ending}"
            assert cli(*args, "--save-tree", target).code == 0
            assert (read(target).length == 0).all()

    def test_across_the_date_line(self, cli, read, save, tmp_path):
        east = np.array([176.0, 178, 180, 182, 184])
        shapes = [
            shapely.box(x, 0, x + 2, 2) if x < 180 else shapely.box(x - 360, 0, x - 358, 2)
            for x in east.tolist()
        ]
        frame = geopandas.GeoDataFrame(
            {"a": [1.0, 2, 3, 7, 8], "b": range(5)}, geometry=shapes, crs="EPSG:4326"
        )
        args = ("skater", save(frame), "--columns", "a,b", "--weights", "knn:2", "--k", 2)
        assert cli(*args, "--save-tree", tmp_path / "x.geojson").code == 0
        lines = read(tmp_path / "x.geojson").set_index(["from", "to"])
        assert shapely.length(lines.geometry.to_numpy()) == pytest.approx(
            2
        )  # each to the next, none around the world
        assert (lines.total_bounds == [-180, 1, 180, 1]).all()
        assert lines.geometry.loc[(2, 3)].equals(
            shapely.from_wkt("MULTILINESTRING ((179 1, 180 1), (-180 1, -179 1))")
        )
        assert lines.geometry.loc[(4, 5)].equals(shapely.from_wkt("LINESTRING (-177 1, -175 1)"))

    def test_refusals(self, squares, refused, cli, tmp_path):
        args = (*SKATER, squares, "--k", 3, "--save-tree")
        refused(*args, tmp_path / "x.txt", says=["x.txt", "not a format"])
        refused(*args, "-", says="standard output")
        refused(*args, squares, says="is the input")
        refused(*args, squares, "--overwrite", says="is the input")
        refused(*args, tmp_path / "no" / "x.gpkg", says="there is no folder")
        refused(
            *args, tmp_path / "y.gpkg", "-o", tmp_path / "y.gpkg", code=2, says="--save-tree and --output are"
        )
        (tmp_path / "old.gpkg").write_bytes(b"old")
        refused(*args, tmp_path / "old.gpkg", says="already exists")
        refused("kmeans", squares, "--k", 3, "--save-tree", tmp_path / "x.gpkg", code=2, says="--save-tree")
        assert cli(*args, tmp_path / "old.gpkg", "--overwrite").code == 0

    def test_kml_cannot_hold_metres(self, squares, refused, tmp_path):
        refused(*SKATER, squares, "--k", 3, "--save-tree", tmp_path / "x.kml", says="KML holds longitude")

    def test_a_table_is_refused(self, grid, save, cli, refused, tmp_path):
        assert cli("weights", save(grid()), "-o", tmp_path / "in.gal").code == 0
        grid().drop(columns="geometry").to_csv(tmp_path / "in.csv", index=False)
        args = ("skater", tmp_path / "in.csv", "--columns", "a,b", "--weights", tmp_path / "in.gal", "--k", 3)
        assert cli(*args).code == 0
        refused(*args, "--save-tree", tmp_path / "x.gpkg", says="no geometry, so links cannot be drawn")
        refused(*args, "--save-links", tmp_path / "x.gpkg", says="leave out --save-links")


class TestLinks:
    """Links added by `--islands nearest`."""

    @pytest.fixture
    def archipelago(self, grid, save):
        """Three by two squares, 700 m east of them two more, and 250 m north of these an island."""
        frame = grid(3, 2)
        away = grid(1, 2).translate(3700)
        island = grid(1, 1).translate(3700, 2250)
        more = geopandas.GeoDataFrame(geometry=pd.concat([away, island]), crs=frame.crs)
        whole = pd.concat([frame, more], ignore_index=True)
        rng = np.random.default_rng(3)
        whole["name"] = [f"unit {i}" for i in range(9)]
        whole[["a", "b"]] = rng.normal(size=(9, 2))
        return save(whole[["name", "a", "b", "geometry"]])

    @every_format
    @pytest.mark.parametrize("command", ["weights", "skater", "kmeans"])
    def test_read_back(self, ending, command, archipelago, cli, read, tmp_path):
        target = tmp_path / f"links.{ending}"
        args = () if command == "weights" else ("--columns", "a,b", "--k", 2)
        found = cli(
            command, archipelago, "--id", "name", "--islands", "nearest", *args, "--save-links", target
        )
        assert found.code == 0, found.err
        lines, frame = read(target), read(archipelago)
        assert [name for name in lines if name != "geometry"] == ["from", "to", "distance"]
        assert lines.crs == frame.crs
        assert shapely.equals_exact(lines.geometry, expected_lines(frame, lines), 1e-6).all()
        shape = frame.set_index("name").geometry
        between = shape[lines["from"]].distance(shape[lines["to"]], align=False)
        assert lines["distance"].to_numpy() == pytest.approx(between.to_numpy())
        assert sorted(lines["distance"]) == pytest.approx([250, 700])
        assert f"links written to {target}" in found.err

    @every_format
    def test_no_link_was_needed(self, ending, squares, cli, read, tmp_path):
        target = tmp_path / f"links.{ending}"
        found = cli("weights", squares, "--islands", "nearest", "--save-links", target)
        assert found.code == 0, found.err
        assert (
            "note: no link was added to join islands or components: the layer of links is empty"
            in found.notes
        )
        lines = read(target)
        assert len(lines) == 0
        assert {"from", "to", "distance"} <= set(lines.columns) or ending == "geojson"

    def test_islands_that_are_kept_add_none(self, archipelago, cli, read, tmp_path):
        target = tmp_path / "x.gpkg"
        found = cli("kmeans", archipelago, "--columns", "a,b", "--k", 2, "--save-links", target)
        assert any("layer of links is empty" in note for note in found.notes)
        assert len(read(target)) == 0

    def test_refusals(self, archipelago, refused, tmp_path):
        for args in (("weights",), ("kmeans", "--columns", "a,b", "--k", 2)):
            links = (*args, archipelago, "--islands", "nearest", "--save-links")
            refused(*links, archipelago, says="is the input")
            refused(*links, "-", says="standard output")
            (tmp_path / "old.gpkg").write_bytes(b"old")
            refused(*links, tmp_path / "old.gpkg", says="already exists")
        both = ("-o", tmp_path / "x.parquet", "--save-links", tmp_path / "x.parquet")
        refused("weights", archipelago, *both, code=2, says="are the same file")


class TestAllOrNothing:
    """Lines are put in place with the other outputs, or not at all."""

    @pytest.fixture
    def everything(self, squares, tmp_path):
        names = {"-o": "x.gpkg", "--save-tree": "t.shp", "--save-links": "l.fgb", "--report": "r.json"}
        files = [part for option, name in names.items() for part in (option, tmp_path / name)]
        return (*SKATER, squares, "--k", 3, *files)

    def test_all(self, everything, cli, tmp_path):
        assert cli(*everything).code == 0
        written = {path.name for path in tmp_path.iterdir()}
        parts = {f"t.{ending}" for ending in ("shp", "shx", "dbf", "prj", "cpg")}
        assert written == {"in.gpkg", "x.gpkg", "l.fgb", "r.json", *parts}

    @pytest.mark.parametrize("culprit", ["outputs.write_labels", "pictures.draw_solution"])
    def test_nothing_when_stopped_while_writing(self, culprit, everything, cli, tmp_path, monkeypatch, check):
        before = check.tree(tmp_path)

        def stopped(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr(f"regionalize.run.{culprit}", stopped)
        found = cli(*everything, "--map", tmp_path / "m.png")
        assert found.code == 130
        assert check.tree(tmp_path) == before

    def test_nothing_when_the_layer_cannot_be_written(self, everything, cli, tmp_path, monkeypatch, check):
        from regionalize.errors import OutputError

        def failed(*_):
            raise OutputError("no", file="x.gpkg")

        monkeypatch.setattr("regionalize.run.outputs.write_labels", failed)
        before = check.tree(tmp_path)
        check.refusal(cli(*everything), 1, says="error: x.gpkg: no")
        assert check.tree(tmp_path) == before

    @pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
    def test_nothing_when_stopped_while_searching(self, sent, everything, tmp_path, child, check):
        code = (
            f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r}); import standin;"
            "from regionalize.model.catalog import OWN; OWN.update(standin.ROWS);"
            "from regionalize.cli import main; main()"
        )
        args = ["-v", "endless", *everything[1:]]
        args = args[: args.index("--save-tree")] + args[args.index("--save-tree") + 2 :]
        (tmp_path / "x.gpkg").write_bytes(b"old")
        before = check.tree(tmp_path)
        process = child(*args, "--overwrite", code=code)
        assert process.stderr.readline() == "searching\n"
        check.stopped(process, sent, tmp_path, before)


def test_the_stage_is_called_like_the_method(squares, cli, monkeypatch, standin):
    """A bar shows the name of the method, whatever its search consists of."""
    from regionalize.run import solve

    said = []

    def told(X, k, *, progress=None, **_):
        progress(3, 4)
        return np.arange(25) // 5

    monkeypatch.setattr(standin, "planned", told)
    from regionalize.io.read import read_layer
    from regionalize.run.options import make_job

    job = make_job("planned", {"k": 5, "columns": "a,b"})
    solve.solve(read_layer(str(squares)), job, progress=lambda *now: said.append(now))
    assert ("planned", 3, 4) in said
    assert json.dumps(said).count("starts") == 0
