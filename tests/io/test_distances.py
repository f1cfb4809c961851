"""Distances from files of every shape, faults in them, and linkage matrices out."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from scipy.cluster.hierarchy import is_valid_linkage, linkage
from scipy.spatial.distance import pdist, squareform

from regionalize.errors import DataError, UsageError
from regionalize.io.distances import read_distances
from regionalize.io.linkage import linkage_matrix, write_linkage
from regionalize.model import distances as table
from regionalize.model.distances import check_table, distances_among, number_of_pairs

NAMES = np.array(["Évora", "a b", "17", "no, really"], dtype=object)


@pytest.fixture
def square():
    return squareform(pdist(np.random.default_rng(4).normal(size=(4, 3))))


@pytest.fixture
def write(tmp_path):
    """Return `path = write(rows)`: a CSV."""

    def make(rows, name="d.csv"):
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        return path

    return make


def labelled(square, names, *, header=True, first=True):
    rows = [[*([name] if first else []), *row] for name, row in zip(names, square.tolist(), strict=True)]
    return [[*(["id"] if first else []), *names], *rows] if header else rows


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7])
def test_every_shape_holds_the_same(n, write, tmp_path):
    square = squareform(pdist(np.random.default_rng(n).normal(size=(n, 2)))).reshape(n, n)
    flat = square[np.triu_indices(n, 1)]
    names = [f"u{i}" for i in range(n)]
    files = [write(square.tolist(), "a.csv"), write(labelled(square, names), "b.csv")]
    files += [write(labelled(square, names, first=False), "c.csv")]
    files += [write(labelled(square, names, header=False), "d.csv")]
    files += [tmp_path / name for name in ("e.npy", "f.npy", "g.npy")]
    for path, array in zip(files[4:], (square, flat, square.astype(np.float32)), strict=True):
        np.save(path, array)
    if n > 1:
        files += [write([flat.tolist()], "h.csv"), write([[value] for value in flat], "i.csv")]
    for path in files:
        condensed, units, _ = read_distances(path, n)
        np.testing.assert_allclose(condensed, flat, rtol=1e-6 if path.name == "g.npy" else 0)
        assert units.tolist() == list(range(n))


@pytest.mark.parametrize(("header", "first"), [(True, True), (True, False), (False, True)])
def test_units_are_matched_by_name(header, first, square, write):
    order = [2, 0, 3, 1]
    shuffled = square[np.ix_(order, order)]
    path = write(labelled(shuffled, NAMES[order], header=header, first=first))
    condensed, units, notes = read_distances(path, 4, NAMES)
    assert notes == ()
    assert NAMES[order][units].tolist() == NAMES.tolist()
    np.testing.assert_array_equal(squareform(distances_among(condensed, 4, units)), square)
    assert "--id" in read_distances(path, 4)[2][0]


def test_a_table_without_names_goes_by_the_order_of_rows(square, write):
    _, units, notes = read_distances(write(square.tolist()), 4, NAMES)
    assert units.tolist() == [0, 1, 2, 3]
    assert "no names" in notes[0]


def test_blank_lines_and_a_mark_of_the_encoding(square, tmp_path):
    lines = [",".join(map(repr, row)) for row in square.tolist()]
    path = tmp_path / "d.csv"
    path.write_text("\ufeff" + "\r\n".join([*lines, "", ""]), encoding="utf-8")
    np.testing.assert_array_equal(read_distances(path, 4)[0], squareform(square))


def test_some_of_the_units():
    X = np.random.default_rng(0).normal(size=(9, 2))
    some = np.array([7, 2, 8, 0, 3])
    np.testing.assert_array_equal(distances_among(pdist(X), 9, some), pdist(X[some]))
    assert distances_among(pdist(X), 9, some[:1]).shape == (0,)


@pytest.mark.parametrize(
    ("row", "column", "value", "says"),
    [
        (1, 2, -1.0, "row 2, column 3 holds -1; a distance is"),
        (1, 2, np.nan, "row 2, column 3 holds nan"),
        (0, 3, np.inf, "row 1, column 4 holds inf"),
        (2, 2, 0.5, "row 3, column 3 holds 0.5, but a unit is 0 from itself"),
        (3, 1, 9.0, "is not symmetric: row 4, column 2 holds 9, and row 2, column 4"),
    ],
)
@pytest.mark.parametrize("kind", ["npy", "plain", "labelled"])
def test_what_is_no_distance_is_named_by_its_place(row, column, value, says, kind, square, write, tmp_path):
    square[row, column] = value
    if kind == "npy":
        path = tmp_path / "d.npy"
        np.save(path, square)
    else:
        names = ["p", "q", "r", "s"]
        path = write(square.tolist() if kind == "plain" else labelled(square, names))
    if kind == "labelled":  # a line and a column further
        for at in (4, 3, 2, 1):
            says = says.replace(f"row {at}", f"row {at + 1}").replace(f"column {at}", f"column {at + 1}")
    with pytest.raises(DataError) as caught:
        read_distances(path, 4)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_rounding_is_no_fault(square, write):
    rough = square * (1 + 1e-12 * np.arange(16).reshape(4, 4))
    rough[2, 2] = 1e-12
    read_distances(write(rough.tolist()), 4)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows[1].__setitem__(2, "x"), "row 2, column 3 holds 'x', not a distance"),
        (lambda rows: rows[1].__setitem__(2, ""), "row 2, column 3 holds nothing, not a distance"),
        (lambda rows: rows[2].pop(), "row 3: has 3 cells, not 4"),
        (
            lambda rows: rows.pop(),
            "holds a table of 3 by 4, not of the distances of the layer's 4 units",
        ),
        (lambda rows: rows.extend([rows[0]] * 2), "6 by 4"),
        (lambda rows: rows.clear(), "0 by 0"),
    ],
)
def test_tables_that_are_none(change, says, square, write):
    rows = square.tolist()
    change(rows)
    with pytest.raises(DataError) as caught:
        read_distances(write(rows), 4)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_flat_table_with_a_fault(write):
    with pytest.raises(DataError, match="number 3 holds -2"):
        read_distances(write([[1, 1, -2, 1, 1, 1]]), 4)
    with pytest.raises(DataError, match="row 2, column 1 holds 'x'"):
        read_distances(write([[1], ["x"], [1], [1], [1], [1]]), 4)
    with pytest.raises(DataError, match="5 by 1, not of"):
        read_distances(write([[1]] * 5), 4)


def test_names_that_do_not_match(square, write):
    other = ["Évora", "a b", "17", "nobody"]
    with pytest.raises(DataError, match="there is no unit 'nobody' in the layer"):
        read_distances(write(labelled(square, other)), 4, NAMES)
    with pytest.raises(DataError, match="'17' is there twice"):
        read_distances(write(labelled(square, ["Évora", "a b", "17", "17"])), 4, NAMES)
    rows = labelled(square, NAMES.tolist())
    rows[0][1:3] = rows[0][2:0:-1]
    with pytest.raises(DataError, match="row 2 is of 'Évora', but column 2 of 'a b'"):
        read_distances(write(rows), 4, NAMES)


def test_files_that_cannot_be_read(tmp_path):
    faults = {
        "none.csv": (None, "cannot be read"),
        "d.txt": (b"0", "use .csv or .npy"),
        "latin.csv": ("é,0\n".encode("latin-1"), "not UTF-8"),
        "text.npy": (b"0,1\n1,0\n", "not a NumPy array"),
        "empty.npy": (b"", "not a NumPy array"),
    }
    for name, (content, says) in faults.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError) as caught:
            read_distances(tmp_path / name, 2)
        assert says in str(caught.value)
        assert name in str(caught.value)
    for array in (np.array(["a"]), np.array([1 + 1j]), np.array([{}], dtype=object), np.array([True])):
        np.save(tmp_path / "odd.npy", array)
        with pytest.raises(DataError, match="numbers"):
            read_distances(tmp_path / "odd.npy", 2)
    np.save(tmp_path / "odd.npy", np.zeros((3, 2)))
    with pytest.raises(DataError, match="holds a table of 3 by 2, not of the distances of the layer's 4"):
        read_distances(tmp_path / "odd.npy", 4)


def test_a_table_beyond_memory_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "available_memory", lambda: 8 * number_of_pairs(1000))
    check_table(1000)
    with pytest.raises(UsageError, match="need a table of"):
        read_distances(tmp_path / "never made.csv", 1001)


@pytest.mark.parametrize("suffix", [".npy", ".csv", ".CSV"])
def test_linkage_matrices_come_back(suffix, tmp_path):
    joined = linkage(np.random.default_rng(3).normal(size=(30, 2)), "average")
    assert np.array_equal(linkage_matrix(joined[:, :3]), joined)
    path = tmp_path / f"z{suffix}"
    write_linkage(path, joined[:, :3], suffix)
    back = np.load(path) if suffix == ".npy" else np.loadtxt(path, delimiter=",")
    assert back.shape == (29, 4)
    assert np.array_equal(back, joined)
    assert is_valid_linkage(back)


def test_a_linkage_matrix_of_one_unit(tmp_path):
    write_linkage(tmp_path / "z.npy", np.empty((0, 3)), ".npy")
    assert np.load(tmp_path / "z.npy").shape == (0, 4)
    write_linkage(tmp_path / "z.csv", np.empty((0, 3)), ".csv")
    assert (tmp_path / "z.csv").read_text() == "# first,second,height,units\n"
