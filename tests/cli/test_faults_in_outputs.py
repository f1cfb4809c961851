"""Outputs that cannot be written, or must not be: refused before any work, nothing changed."""

from __future__ import annotations

import os
import sys

import pytest

KMEANS = ("kmeans", "--k", 3, "--columns", "a,b")
SIDE_OUTPUTS = [("--map", "x.svg"), ("--report", "x.json"), ("--centers", "x.csv")]


@pytest.mark.parametrize(("option", "name"), [("-o", "x.gpkg"), ("-o", "x.shp"), *SIDE_OUTPUTS])
def test_output_exists(option, name, squares, tmp_path, refused):
    (tmp_path / name).write_text("precious")
    refused(*KMEANS, squares, option, tmp_path / name, says=["exists", "--overwrite", name])


@pytest.mark.parametrize(("option", "name"), [("-o", "x.parquet"), *SIDE_OUTPUTS])
def test_overwrite_replaces_it(option, name, squares, tmp_path, cli):
    (tmp_path / name).write_text("old")
    assert cli(*KMEANS, squares, option, tmp_path / name, "--overwrite").code == 0
    assert (tmp_path / name).read_bytes() != b"old"


def test_layers_that_go_with_a_geopackage_are_named(squares, tmp_path, cli):
    """Replacing the whole file is what was asked for; that it held more is said, and how to keep it."""
    file = tmp_path / "x.gpkg"
    cli(*KMEANS, squares, "-o", file)
    assert "replaced whole" not in cli(*KMEANS, squares, "-o", file, "--overwrite").err
    cli(*KMEANS, squares, "-o", file, "--output-layer", "more")
    wanted = "note: x.gpkg is replaced whole: its layer more goes; --output-layer NAME adds to it instead"
    assert wanted in cli(*KMEANS, squares, "-o", file, "--overwrite").err


def same(path, tmp_path):
    return path


def symbolic(path, tmp_path):
    link = tmp_path / f"link{path.suffix}"
    link.symlink_to(path)
    return link


def hard(path, tmp_path):
    link = tmp_path / f"hard{path.suffix}"
    os.link(path, link)
    return link


def roundabout(path, tmp_path):
    (tmp_path / "sub").mkdir()
    return tmp_path / "sub" / ".." / path.name


@pytest.mark.parametrize("way", [same, symbolic, hard, roundabout])
@pytest.mark.parametrize("name", ["in.gpkg", "in.shp", "in.geojson", "in.parquet"])
def test_output_is_the_input(name, way, grid, save, tmp_path, refused):
    source = save(grid(), name)
    output = way(source, tmp_path)
    refused(*KMEANS, source, "-o", output, "--overwrite", says="input")
    refused("smooth", source, "-o", output, "--overwrite", says="input")


def test_input_through_a_link(grid, save, tmp_path, refused):
    source = save(grid())
    refused(*KMEANS, symbolic(source, tmp_path), "-o", source, "--overwrite", says="input")


def test_a_part_of_the_input(grid, save, tmp_path, refused):
    """A shapefile is several files."""
    source = save(grid(), "in.shp")
    refused(*KMEANS, source.with_suffix(".dbf"), "-o", source, "--overwrite", says="input")


@pytest.mark.parametrize(("option", "name"), [("--report", "in.json"), ("--centers", "in.csv")])
@pytest.mark.parametrize("way", [same, symbolic, hard])
def test_side_output_is_the_input(option, name, way, grid, tmp_path, refused):
    source = tmp_path / name
    if name.endswith("csv"):
        grid().drop(columns="geometry").to_csv(source, index=False)
    else:
        source.write_text(grid().to_crs("EPSG:4326").to_json())
    refused(*KMEANS, source, option, way(source, tmp_path), "--overwrite", says="input")


@pytest.mark.parametrize("way", [same, symbolic, hard])
def test_output_is_the_weights_file(way, squares, tmp_path, cli, refused):
    weights = tmp_path / "w.parquet"
    assert cli("weights", squares, "-o", weights).code == 0
    output = way(weights, tmp_path)
    using = ("--weights", weights, "-o", output, "--overwrite")
    refused(*KMEANS, squares, *using, says="input")
    refused("weights", squares, *using, says="input")
    refused("smooth", squares, *using, says="input")


@pytest.mark.parametrize("way", [same, symbolic, hard, roundabout])
def test_two_outputs_are_one_file(way, squares, tmp_path, refused):
    old = tmp_path / "x.csv"
    old.write_text("old")
    outputs = ("--report", old, "--centers", way(old, tmp_path), "--overwrite")
    refused(*KMEANS, squares, *outputs, code=2, says=["--report", "--centers", "same file"])
    old.unlink()
    if way is not hard:
        refused(*KMEANS, squares, *outputs, code=2, says="same file")


def test_output_and_report_are_one_file(squares, tmp_path, refused):
    refused(
        *KMEANS, squares, "-o", tmp_path / "x.csv", "--report", tmp_path / "x.csv", code=2, says="same file"
    )


def test_a_layer_name_without_a_layer(squares, tmp_path, refused):
    words = ("--output-layer", "regions", "--dissolve", tmp_path / "x.gpkg")
    refused(*KMEANS, squares, *words, code=2, says=["--output-layer", "none is written", "with -o"])


@pytest.mark.parametrize(("option", "name"), [("-o", "x.gpkg"), *SIDE_OUTPUTS])
def test_missing_folder(option, name, squares, tmp_path, refused):
    refused(*KMEANS, squares, option, tmp_path / "nowhere" / name, says=["no folder", "nowhere"])


@pytest.mark.parametrize(("option", "name"), [("-o", "x.gpkg"), *SIDE_OUTPUTS])
def test_output_is_a_folder(option, name, squares, tmp_path, refused):
    (tmp_path / name).mkdir()
    refused(*KMEANS, squares, option, tmp_path / name, "--overwrite", says="folder")


@pytest.mark.parametrize(("option", "name"), [("-o", "x.gpkg"), *SIDE_OUTPUTS])
def test_folder_that_is_a_file(option, name, squares, tmp_path, refused):
    refused(*KMEANS, squares, option, squares / name, says="in.gpkg")


def test_dangling_link(squares, tmp_path, refused):
    (tmp_path / "x.gpkg").symlink_to(tmp_path / "gone" / "y.gpkg")
    refused(*KMEANS, squares, "-o", tmp_path / "x.gpkg", says="x.gpkg")


@pytest.mark.parametrize(
    ("option", "name", "says"),
    [
        ("-o", "x.xyz", ".xyz"),
        ("-o", "x", "x"),
        ("--map", "x.jpeg", ".jpeg"),
        ("--map", "x", ".png"),
        ("--report", "x.txt", ".md"),
        ("--centers", "x.tsv", ".csv"),
    ],
)
def test_unknown_format(option, name, says, squares, tmp_path, refused):
    refused(*KMEANS, squares, option, tmp_path / name, says=[says, name])


@pytest.mark.unix
def test_device(squares, tmp_path, refused):
    os.mkfifo(tmp_path / "pipe.csv")
    refused(*KMEANS, squares, "--centers", tmp_path / "pipe.csv", "--overwrite", says="not a regular file")


def test_label_column_is_there_already(squares, tmp_path, refused):
    said = refused(
        *KMEANS, squares, "-o", tmp_path / "x.gpkg", "--label-column", "pop", says=["already", "'pop'"]
    )
    assert "--label-column" in said
    refused(*KMEANS, squares, "-o", tmp_path / "x.gpkg", "--label-column", "POP", says="POP")


def test_smoothed_column_is_there_already(grid, save, tmp_path, refused):
    source = save(grid().assign(a_smooth=1.0))
    refused("smooth", source, "--columns", "a", "-o", tmp_path / "x.gpkg", says=["'a_smooth'", "--suffix"])


def test_two_documents_on_one_standard_output(squares, refused):
    refused(*KMEANS, squares, "-o", "-", "--json", code=2, says=["--json", "-o -"])


def test_names_that_a_shapefile_would_make_one(grid, save, tmp_path, refused):
    frame = grid().rename(columns={"a": "population_2000", "b": "population_2010"})
    source = save(frame)
    said = refused("kmeans", "--k", 3, "--columns", "popu*", source, "-o", tmp_path / "x.shp")
    assert "population" in said


def test_existing_layer_of_a_geopackage(grid, squares, tmp_path, cli, refused, read):
    target = tmp_path / "many.gpkg"
    grid(3, 3).to_file(target, layer="old")
    refused(*KMEANS, squares, "-o", target, "--output-layer", "old", says=["old", "--overwrite"])
    assert cli(*KMEANS, squares, "-o", target, "--output-layer", "new").code == 0
    assert (len(read(target, layer="old")), len(read(target, layer="new"))) == (9, 25)


def test_sample_refuses_to_overwrite(tmp_path, cli, refused, read):
    found = cli("sample", tmp_path)
    assert found.code == 0
    copies = sorted(path.name for path in tmp_path.iterdir())
    assert {path.split(".")[-1] for path in copies} >= {"gpkg", "shp", "dbf", "shx", "prj"}
    (tmp_path / copies[0]).write_text("mine")
    refused("sample", tmp_path, says=["already holds", copies[0], "--overwrite"])
    assert cli("sample", tmp_path, "--overwrite").code == 0
    assert len(read(next(tmp_path.glob("*.gpkg")))) == len(read(next(tmp_path.glob("*.shp")))) == 159


WITHOUT_PRIVILEGE = """
import ctypes

libc = ctypes.CDLL(None)
header = (ctypes.c_uint32 * 2)(0x20080522, 0)
sets = (ctypes.c_uint32 * 6)()
assert libc.capget(header, sets) == 0
for which in (0, 1):  # root gives up writing and searching where the permissions forbid it
    sets[which] &= ~0b110
assert libc.capset(header, sets) == 0

from regionalize.cli.program import run_program

raise SystemExit(run_program())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="gives up privileges the Linux way")
def test_unwritable_folder(squares, tmp_path, process, check):
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "old.gpkg").write_bytes(b"old")
    closed.chmod(0o555)
    before = check.tree(tmp_path)
    for option, name in [("-o", "new.gpkg"), ("-o", "old.gpkg"), ("--centers", "new.csv")]:
        found = process(*KMEANS, squares, "--overwrite", option, closed / name, code=WITHOUT_PRIVILEGE)
        check.refusal(found, 1, says=["closed", "cannot be written"])
    assert check.tree(tmp_path) == before


def test_ids_that_weights_cannot_hold_are_told_of_the_file_asked_for(grid, save, tmp_path, cli):
    """Not of the hidden one that it is written to first."""
    output = tmp_path / "w.gal"
    result = cli("weights", save(grid().assign(same="x")), "--id", "same", "-o", output)
    assert result.code == 1
    assert f"error: {output}:same: ids repeat" in result.err
    assert not output.exists()
