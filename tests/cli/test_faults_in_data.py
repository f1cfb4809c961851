"""Input that is not fit for what was asked: one line, exit code 1 (2 for a usage fault), nothing written."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import shapely

KMEANS = ("kmeans", "--k", 3, "--columns", "a,b")


def kmeans(source, tmp_path, *options):
    """A run that would write every kind of output."""
    side = ("--map", tmp_path / "map.svg", "--report", tmp_path / "x.json", "--centers", tmp_path / "x.csv")
    return (*KMEANS, source, "-o", tmp_path / "out.gpkg", *side, *options)


def test_no_such_file_names_the_nearest(squares, tmp_path, refused):
    said = refused(*kmeans(tmp_path / "inn.gpkg", tmp_path), says=["no such file", "in.gpkg"])
    assert str(tmp_path / "inn.gpkg") in said


def test_no_such_folder(tmp_path, refused):
    refused(*kmeans(tmp_path / "nowhere" / "in.gpkg", tmp_path), says="there is no folder")


def test_a_folder(tmp_path, squares, refused):
    refused(*kmeans(tmp_path, tmp_path), says=["folder", "in.gpkg"])


@pytest.mark.parametrize("kind", ["txt", "gpkg", "shp", "geojson", "parquet", "zip", "fgb", "gal"])
def test_not_a_layer(kind, tmp_path, refused):
    source = tmp_path / f"not.{kind}"
    source.write_text("dear diary, this is not a layer\n" * 200)
    assert str(source) in refused(*kmeans(source, tmp_path))


@pytest.mark.parametrize("name", ["empty.gpkg", "empty.geojson"])
def test_a_file_of_no_bytes(name, tmp_path, refused):
    (tmp_path / name).touch()
    refused(*kmeans(tmp_path / name, tmp_path), says="empty")


@pytest.mark.parametrize("name", ["in.gpkg", "in.geojson", "in.shp"])
def test_a_layer_without_rows(name, grid, save, tmp_path, refused):
    source = save(grid().iloc[:0], name)
    refused(*kmeans(source, tmp_path), says=str(source))


def test_one_row(grid, save, tmp_path, refused):
    refused(*kmeans(save(grid(1, 1)), tmp_path), says="row")


def test_where_that_leaves_one_row(squares, tmp_path, refused):
    where = "fid = 3"
    refused(*kmeans(squares, tmp_path, "--where", where), says=("a single unit that satisfies", where))


def test_where_that_leaves_nothing(squares, tmp_path, refused):
    refused(*kmeans(squares, tmp_path, "--where", "a > 1e9"), says="--where")


@pytest.mark.parametrize("where", ["no such syntax (", "missing_column = 1", "'"])
def test_where_that_cannot_be_read(where, squares, tmp_path, refused):
    said = refused(*kmeans(squares, tmp_path, "--where", where))
    assert "where" in said.lower() or "missing_column" in said


def test_more_clusters_than_rows(squares, tmp_path, refused):
    refused(*kmeans(squares, tmp_path), "--k", 26, code=2, says=["26", "25"])


def test_more_clusters_than_distinct_rows(grid, save, tmp_path, refused):
    frame = grid()
    frame["a"], frame["b"] = np.arange(25) % 2, 0.0
    refused(*kmeans(save(frame), tmp_path), says=["k is 3", "25 rows", "only 2 distinct"])


def test_missing_column_names_the_nearest(squares, tmp_path, refused):
    said = refused(*kmeans(squares, tmp_path, "--columns", "ppo"), code=2, says="did you mean 'pop'?")
    assert str(squares) in said


def test_pattern_without_a_match(squares, tmp_path, refused):
    refused(*kmeans(squares, tmp_path, "--columns", "zzz*"), code=2, says="zzz*")


def test_text_column(squares, tmp_path, refused):
    refused(*kmeans(squares, tmp_path, "--columns", "name"), says=["'name' holds text"])


def test_date_column(grid, save, tmp_path, refused):
    import pandas as pd

    frame = grid().assign(day=pd.date_range("2020-01-01", periods=25))
    refused(*kmeans(save(frame), tmp_path, "--columns", "day"), says=["day", "dates"])


def test_column_without_a_value(grid, save, tmp_path, refused):
    frame = grid().assign(hollow=np.full(25, np.nan))
    for policy in ("error", "mean", "drop"):
        refused(
            *kmeans(save(frame), tmp_path, "--columns", "hollow", "--missing", policy),
            says=["hollow", "no value"],
        )


def test_infinite_values_name_column_and_row(grid, save, tmp_path, refused):
    frame = grid()
    frame.loc[3, "a"] = np.inf
    for name in ("in.parquet", "in.gpkg"):
        refused(*kmeans(save(frame, name), tmp_path), says=["infinite", "a", "row 4"])


def test_missing_values_are_counted(grid, save, tmp_path, refused):
    frame = grid()
    frame.loc[[3, 5], "a"] = np.nan
    frame.loc[5, "b"] = np.nan
    refused(*kmeans(save(frame), tmp_path), says=["2 of 25 rows", "a (2)", "b (1)", "--missing"])


def test_constant_columns(squares, tmp_path, refused):
    refused(*kmeans(squares, tmp_path, "--columns", "constant", "--exclude", "a,b"), says=["constant"])


def test_islands_may_be_refused(grid, save, tmp_path, refused):
    frame = grid().drop(index=[1, 5, 6])  # leaves the first square alone
    refused(
        *kmeans(save(frame), tmp_path, "--islands", "error", "--id", "name"),
        says=["no neighbours", "unit 0", "--islands nearest"],
    )


def lines(frame):
    return frame.set_geometry(frame.boundary)


def mixed(frame):
    shapes = frame.geometry.to_numpy().copy()
    shapes[::2] = shapely.centroid(shapes[::2])
    return frame.set_geometry(shapes, crs=frame.crs)


@pytest.mark.parametrize("kind", [lines, mixed])
def test_geometry_that_shares_no_borders(kind, grid, save, tmp_path, refused):
    source = save(kind(grid()))
    refused(*kmeans(source, tmp_path), says="--weights knn:6")
    refused(*kmeans(source, tmp_path, "--weights", "queen"), says=["queen weights need polygons"])


@pytest.mark.parametrize("kind", [lines, mixed])
def test_such_geometry_clusters_once_neighbours_are_said(kind, grid, save, tmp_path, cli, read):
    found = cli(*kmeans(save(kind(grid())), tmp_path, "--weights", "knn:4"))
    assert found.code == 0, found.err
    assert len(read(tmp_path / "out.gpkg")) == 25


def test_centroids_without_a_reference_system(grid, save, tmp_path, refused, cli):
    source = save(grid(crs=None), "in.geojson.gpkg")
    said = refused(*kmeans(source, tmp_path, "--with-centroids"), says="coordinate reference system")
    assert "--project none" in said
    assert cli(*kmeans(source, tmp_path, "--with-centroids", "--project", "none")).code == 0


def test_centroids_in_degrees_are_refused(grid, save, tmp_path, refused, cli):
    source = save(grid().to_crs("EPSG:4326"))
    refused(*kmeans(source, tmp_path, "--with-centroids", "--project", "none"), code=2, says=["--project"])
    found = cli(*kmeans(source, tmp_path, "--with-centroids"))
    assert found.code == 0
    assert any("project" in note for note in found.notes)


@pytest.mark.parametrize("project", ["EPSG:nonsense", "EPSG:4326", "sideways"])
def test_projection_that_cannot_be(project, squares, tmp_path, refused):
    said = refused(*kmeans(squares, tmp_path, "--with-centroids", "--project", project), code=2)
    assert "--project" in said
    assert project in said


@pytest.mark.parametrize("part", [".shp", ".dbf", ".shx"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_truncated_shapefile(part, share, grid, save, tmp_path, refused):
    source = save(grid(), "in.shp")
    damaged = source.with_suffix(part)
    content = damaged.read_bytes()
    damaged.write_bytes(content[: int(share * len(content))])
    assert "in.shp" in refused(*kmeans(source, tmp_path))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_geopackage(share, squares, tmp_path, refused):
    content = squares.read_bytes()
    squares.write_bytes(content[: int(share * len(content))])
    said = refused(*kmeans(squares, tmp_path))
    assert "in.gpkg" in said
    assert "sqlite3_" not in said


@pytest.mark.parametrize("name", ["in.geojson", "in.parquet", "in.fgb"])
def test_truncated_otherwise(name, grid, save, tmp_path, refused):
    source = save(grid(), name)
    content = source.read_bytes()
    source.write_bytes(content[: len(content) // 2])
    assert name in refused(*kmeans(source, tmp_path))


def test_several_layers_are_listed(grid, tmp_path, refused):
    source = tmp_path / "two.gpkg"
    grid().to_file(source, layer="north")
    grid().to_file(source, layer="south")
    refused(*kmeans(source, tmp_path), says=["north", "south", "--layer"])
    refused(*kmeans(source, tmp_path, "--layer", "soutt"), says=["did you mean 'south'?"])


def test_unreadable_weights(squares, tmp_path, refused):
    refused(*kmeans(squares, tmp_path, "--weights", tmp_path / "none.gal"), says="none.gal")
    (tmp_path / "bad.gal").write_text("this is not a weights file\n")
    refused(*kmeans(squares, tmp_path, "--weights", tmp_path / "bad.gal"), says="bad.gal")


def test_weights_of_another_layer(squares, grid, save, tmp_path, refused, cli):
    assert cli("weights", save(grid(4, 4), "small.gpkg"), "-o", tmp_path / "small.gal").code == 0
    refused(*kmeans(squares, tmp_path, "--weights", tmp_path / "small.gal"), says="small.gal")


def test_table_has_no_neighbours(grid, tmp_path, refused):
    source = tmp_path / "in.csv"
    grid().drop(columns="geometry").to_csv(source, index=False)
    drawn = ("--map", tmp_path / "x.png")
    for option in (("--weights", "queen"), ("--hops", 1), ("--with-centroids",), drawn):
        refused("kmeans", "--k", 3, "--columns", "a,b", source, *option, says="geometry")


@pytest.mark.parametrize(
    "options",
    [("--min-size", 10), ("--max-size", 5), ("--min-bound", "pop=90%"), ("--max-bound", "pop=1%")],
)
def test_bounds_that_cannot_be_met(options, squares, tmp_path, refused):
    said = refused(*kmeans(squares, tmp_path, *options), code=1)
    assert "units" in said or "pop" in said


def test_bounds_that_nobody_reaches(grid, save, tmp_path, refused):
    frame = grid(3, 1)
    frame["pop"] = [100, 1, 1]  # three clusters of at least 20 hold no more than the total, and yet cannot be
    refused(*kmeans(save(frame), tmp_path, "--min-bound", "pop=20"), code=1, says=["pop", "20"])


def test_no_weight_of_the_centroids_makes_one_of_two(grid, save, tmp_path, refused):
    """Three separate pieces of land cannot be two contiguous clusters."""
    frame = grid(7, 2).drop(index=[2, 9, 4, 11])
    auto = ("--k", 2, "--centroid-weight", "auto")
    said = refused(
        *kmeans(save(frame), tmp_path, *auto), says="no weight of the centroids makes all 2 clusters"
    )
    assert "3 pieces" in said


def test_no_weight_of_the_centroids_leaves_enough_to_group(grid, save, tmp_path, refused):
    frame = grid(5, 1)
    frame["a"] = frame["b"] = [1, 2, 3, 1, 2]
    frame["geometry"] = frame.geometry.iloc[0].centroid
    auto = ("--k", 4, "--centroid-weight", "auto", "--weights", "knn:2")
    refused(*kmeans(save(frame), tmp_path, *auto), says="hold only 3 distinct combinations")


def test_missing_values_in_a_bound(grid, save, tmp_path, refused):
    frame = grid()
    frame["pop"] = frame["pop"].astype(float)
    frame.loc[2, "pop"] = np.nan
    refused(*kmeans(save(frame), tmp_path, "--min-bound", "pop=20"), code=1, says="pop")


def test_old_outputs_survive_a_failed_run(squares, tmp_path, cli, refused):
    """--overwrite replaces only when the whole new output is there."""
    assert cli(*kmeans(squares, tmp_path)).code == 0
    shutil.copy(tmp_path / "out.gpkg", tmp_path / "copy.gpkg")
    refused(*kmeans(squares, tmp_path, "--overwrite", "--columns", "name"))
    refused(*kmeans(squares, tmp_path, "--overwrite", "--min-size", 20))
