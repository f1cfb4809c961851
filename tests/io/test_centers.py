"""Files of centres: written whole, read back as they were, and refused in words where they are broken."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest

from regionalize.errors import DataError, OutputError
from regionalize.io.centers import read_centers, write_centers
from regionalize.model.centers import Centers, Recipe, Variable

RECIPE = Recipe(
    "kmedians",
    "manhattan",
    "z",
    (Variable("a,b", 0.1 + 0.2, 1e-9, 2.0), Variable('c"d', 1e12, math.inf)),
    (Variable("X", 1.5, 2.5, 0.25, (0.0, 1.0, 1 / 3)), Variable("Y", 1.5, 2.5, 0.25, (0.0, 1.0, 2 / 3))),
    crs="EPSG:5880",
    attributes_only=True,
    hops=2,
    alpha=0.25,
    smooth_mode="idw",
    weights="rook",
    agreement=0.875,
    mean_distance=1 / 3,
    farthest=7.0,
)


def some_centers(recipe=RECIPE, names=("a,b", 'c"d')):
    values = np.random.default_rng(1).normal(size=(3, 2)) * [1e-8, 1e12]
    return Centers(np.array([1, 2, 3]), names, values, np.array([3, 2, 1]), recipe)


def test_other_readers_see_a_plain_table(tmp_path):
    import pandas as pd

    path, centers = tmp_path / "c.csv", some_centers()
    write_centers(path, centers, label_column="region")
    with path.open(newline="") as file:
        head, *body = csv.reader(file)
    assert head == ["region", "size", "a,b", 'c"d', "settings"]
    assert [row[:2] for row in body] == [["1", "3"], ["2", "2"], ["3", "1"]]
    assert np.array_equal(np.array([row[2:4] for row in body], dtype=float), centers.values)
    assert [bool(row[4]) for row in body] == [True, False, False]
    frame = pd.read_csv(path)
    np.testing.assert_allclose(frame[["a,b", 'c"d']].to_numpy(), centers.values, rtol=1e-15)
    assert json.loads(frame["settings"][0])["variables"][1]["scale"] is None


def test_without_a_recipe_nothing_is_added(tmp_path):
    path = tmp_path / "c.csv"
    one = Centers(np.array([1]), ("a",), np.array([[np.nan]]), np.array([1]))
    write_centers(path, one)
    assert path.read_text() == "cluster,size,a\n1,1,\n"
    with pytest.raises(OutputError, match="already exists"):
        write_centers(path, one)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
def test_round_trip_however_rows_are_sorted(order, tmp_path):
    """As a spreadsheet leaves it: rows sorted, a byte-order mark, Windows line ends, a blank line."""
    path, centers = tmp_path / "c.csv", some_centers()
    write_centers(path, centers)
    with path.open(newline="") as file:
        head, *body = csv.reader(file)
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, lineterminator="\r\n").writerows([head, *(body[at] for at in order), [""] * 5])
    found = read_centers(path)
    assert found.numbers.tolist() == [at + 1 for at in order]
    assert np.array_equal(found.values, centers.values[order])
    assert found.sizes.tolist() == centers.sizes[order].tolist()
    assert (found.names, found.recipe) == (centers.names, centers.recipe)
    assert np.array_equal(found.points(RECIPE), centers.points(RECIPE)[order])


def test_points_by_hand():
    centers = some_centers()
    points = centers.points(RECIPE)
    np.testing.assert_allclose(points[:, 0], (centers.values[:, 0] - 0.3) / 1e-9 * 2, rtol=1e-12)
    assert not points[:, 1].any()  # a constant column has no say
    np.testing.assert_allclose(points[:, 3], np.array([0, 1, 2 / 3]) / 4)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no centres"),
        ("cluster,a\n", "holds no centres"),
        ("cluster;a\n1;2\n", "separated by semicolons"),
        ("cluster\n1\n", "no column of a variable"),
        ("cluster,size\n1,4\n", "no column of a variable"),
        ("cluster,a,a\n1,2,3\n", "two columns 'a'"),
        ("cluster,a\n1,2\n2\n", "row 2: has 1 fields, and the header has 2"),
        ("cluster,a\n1,2\n2,\n", "a:row 2: the centre is missing"),
        ("cluster,a\n1,2\n2,nan\n", "a:row 2: 'nan' is no number"),
        ("cluster,a\n1,2\n2,inf\n", "a:row 2: 'inf' is no number"),
        ("cluster,a\n1,2\n2,high\n", "a:row 2: 'high' is no number"),
        ("a,b\n1.5,2\n", "a:row 1: '1.5' is no whole number"),
        ("cluster,a\n0,2\n", "cluster:row 1: '0' is no whole number of at least 1"),
        ("cluster,a\n1,2\n1,3\n", "cluster:row 2: has cluster 1 twice"),
        ('cluster,a\n1,"2\n', "is not CSV in UTF-8"),
        ("cluster,a,settings\n1,2,{\n", "settings: cannot be understood"),
        ("cluster,a,settings\n1,2,{}\n", "settings: cannot be understood"),
        ("cluster,a,settings\n1,2,[]\n", "settings:row 1: '[]' is no number"),
    ],
)
def test_what_cannot_be_understood_is_said_with_its_place(text, says, tmp_path):
    path = tmp_path / "c.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_centers(path)
    assert str(caught.value).startswith(f"{path}:")
    assert says in str(caught.value)


def test_other_encodings_and_no_file(tmp_path):
    path = tmp_path / "c.csv"
    path.write_bytes("cluster,área\n1,2\n".encode("latin-1"))
    with pytest.raises(DataError, match="UTF-8"):
        read_centers(path)
    with pytest.raises(DataError, match=r"no\.csv: cannot be read: No such file"):
        read_centers(tmp_path / "no.csv")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda found: found.pop("variables"), "cannot be understood"),
        (lambda found: found.update(colour="red"), "cannot be understood"),
        (lambda found: found.update(distance="cosine"), "distance 'cosine'"),
        (lambda found: found["variables"][0].update(name="z"), "a variable 'z', which is no column"),
        (lambda found: found["variables"][0].update(scale=0), "the scale of 'a,b' is none"),
        (lambda found: found["coordinates"].pop(), "tells of"),
        (lambda found: found.update(crs="FOO:1"), "an unknown coordinate reference system 'FOO:1'"),
        (lambda found: found.update(crs=5), "an unknown coordinate reference system '5'"),
        (lambda found: found["coordinates"][0].update(centers=[0.0, 1.0]), "no centre of cluster 3"),
    ],
)
def test_settings_that_do_not_fit(change, says, tmp_path):
    path = tmp_path / "c.csv"
    write_centers(path, some_centers())
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    settings = json.loads(rows[1][-1])
    change(settings)
    rows[1][-1] = json.dumps(settings)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    with pytest.raises(DataError) as caught:
        read_centers(path)
    assert f"{path}:settings: " in str(caught.value)
    assert says in str(caught.value)


def test_a_variable_may_be_called_settings(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("cluster,settings\n1,2\n2,5\n")
    found = read_centers(path)
    assert (found.names, found.values.tolist(), found.recipe) == (("settings",), [[2.0], [5.0]], None)
