"""Weights files: round trips with libpysal, files GeoDa wrote, and every fault with its own line."""

import geopandas
import libpysal
import libpysal.graph
import numpy as np
import pytest

from regionalize.errors import DataError, OutputError, UsageError
from regionalize.io.weights_files import read_weights, weights_file_id, write_weights
from regionalize.model.weights import Weights


def read_old(path):
    """Read by libpysal's first generation, which leaves closing to the caller."""
    file = libpysal.io.open(str(path))
    weights = file.read()
    file.close()
    return weights


def ids_of(*names):
    return np.array(names, dtype=object)


def links(weights):
    return dict(
        zip(
            zip(weights.row.tolist(), weights.indices.tolist(), strict=True),
            weights.values.tolist(),
            strict=True,
        )
    )


def example(n=30, seed=0, symmetric=False):
    """Random weights with islands, an order of rows unlike the order of names."""
    rng = np.random.default_rng(seed)
    row, neighbor = rng.integers(0, n - 3, (2, 3 * n))
    if symmetric:
        row, neighbor = np.concatenate([row, neighbor]), np.concatenate([neighbor, row])
    return Weights.from_links(
        n, row, neighbor, None if symmetric else rng.uniform(0.1, 9, len(row)), kind="example"
    )


NAMES = ids_of(*(f"unit {number * 7 % 30}" for number in range(30)))
NUMBERS = ids_of(*(str(number * 7 % 30 + 100) for number in range(30)))


@pytest.mark.parametrize("suffix", [".gal", ".gwt", ".parquet"])
@pytest.mark.parametrize("ids", [NAMES, NUMBERS], ids=["blanks", "numbers"])
def test_what_is_written_is_read_again_in_any_order(tmp_path, suffix, ids):
    weights = example(symmetric=suffix == ".gal")
    path = tmp_path / f"some file{suffix}"
    notes = write_weights(weights, path, ids, "NAME")
    assert weights_file_id(path) == "NAME"
    order = np.random.default_rng(1).permutation(len(ids))
    back = read_weights(path, ids[order])
    assert {(order[i], order[j]): value for (i, j), value in links(back).items()} == links(weights)
    assert bool(notes) == (suffix == ".gwt")
    assert back.kind == path.name


def test_gal_leaves_values_out_and_says_so(tmp_path):
    notes = write_weights(example(), tmp_path / "w.gal", NUMBERS, "ID")
    assert len(notes) == 1
    assert "values" in notes[0]
    assert set(read_weights(tmp_path / "w.gal", NUMBERS).values) == {1.0}


# libpysal's first generation warns of islands, which are meant, and that no layer lies beside the file
@pytest.mark.filterwarnings("ignore:The weights matrix is not fully connected:UserWarning")
@pytest.mark.filterwarnings("ignore:DBF relating:RuntimeWarning")
def test_libpysal_reads_what_we_write(tmp_path):
    weights = example(symmetric=True)
    expected = {(NUMBERS[i], NUMBERS[j]) for i, j in links(weights)}
    write_weights(weights, tmp_path / "w.gal", NUMBERS, "ID")
    old = read_old(tmp_path / "w.gal")
    assert {(i, j) for i, around in old.neighbors.items() for j in around} == expected
    new = libpysal.graph.read_gal(tmp_path / "w.gal")
    assert {(str(i), str(j)) for i, j in new.adjacency[new.adjacency != 0].index} == expected
    assert list(map(str, new.unique_ids)) == NUMBERS.tolist()

    ring, values = np.arange(27), np.random.default_rng(3).uniform(0.1, 9, 54)
    ends = np.concatenate([ring, ring]), np.concatenate([(ring + 1) % 27, (ring - 2) % 27])
    valued = Weights.from_links(27, *ends, values, kind="example")  # no islands: libpysal's reader has none
    write_weights(valued, tmp_path / "w.gwt", NUMBERS[:27], "ID")
    graph = libpysal.graph.read_gwt(tmp_path / "w.gwt")
    told = {(NUMBERS[i], NUMBERS[j]): value for (i, j), value in links(valued).items()}
    read = {(str(i), str(j)): v for (i, j), v in graph.adjacency.items() if v}
    assert read == pytest.approx(told, rel=1e-14)  # pandas read without the last bit before 3
    old = read_old(tmp_path / "w.gwt")
    assert {(i, j): v for i in old.neighbors for j, v in old[i].items()} == {
        (NUMBERS[i], NUMBERS[j]): value for (i, j), value in links(valued).items()
    }


@pytest.mark.parametrize("ids", [NAMES, NUMBERS], ids=["text", "numbers"])
def test_libpysal_reads_our_parquet_with_islands_and_order(tmp_path, ids):
    weights = example()
    write_weights(weights, tmp_path / "w.parquet", ids, "ID")
    graph = libpysal.graph.read_parquet(tmp_path / "w.parquet")
    assert list(map(str, graph.unique_ids)) == ids.tolist()
    assert set(map(str, graph.isolates)) == set(ids[weights.degree == 0])
    assert links(Weights.from_graph(graph)) == links(weights)


def test_we_read_what_libpysal_writes(tmp_path):
    weights = example(symmetric=True)
    graph = weights.to_graph()
    rows = ids_of(*map(str, range(1, 31)))
    graph.to_gal(tmp_path / "rows.gal")
    graph.to_gwt(tmp_path / "rows.gwt")
    graph.to_parquet(tmp_path / "rows.parquet")
    for suffix in ("gal", "gwt", "parquet"):
        assert weights_file_id(tmp_path / f"rows.{suffix}") is None
        back = read_weights(tmp_path / f"rows.{suffix}", rows)
        assert links(back) == links(weights)
        assert any("from 0 to 29" in note for note in back.notes)
    named = weights.to_graph(NAMES)
    named.to_gwt(tmp_path / "names.gwt")  # libpysal turns blanks into underscores
    assert links(read_weights(tmp_path / "names.gwt", NAMES)) == links(weights)
    old = libpysal.weights.W({0: [1], 1: [0, 2], 2: [1]})
    for suffix in ("gal", "gwt"):
        file = libpysal.io.open(str(tmp_path / f"old.{suffix}"), "w")
        if suffix == "gwt":
            file.shpName, file.varName = "layer", "Unknown"
        file.write(old)
        file.close()
        assert set(links(read_weights(tmp_path / f"old.{suffix}", rows[:3]))) == {
            (0, 1),
            (1, 0),
            (1, 2),
            (2, 1),
        }


def test_files_that_geoda_wrote(shared_data):
    frame = geopandas.read_file(shared_data("chi_sdoh/Chi-SDOH.shp"))
    ids = frame["OBJECTID"].astype(str).to_numpy(dtype=object)
    gwt = shared_data("chi_sdoh/Chi-SDOH_k6.gwt")
    assert weights_file_id(gwt) == "OBJECTID"
    weights = read_weights(gwt, ids)
    assert (weights.degree == 6).all()
    centers = np.column_stack([frame.centroid.x, frame.centroid.y])
    apart = np.linalg.norm(centers[weights.row] - centers[weights.indices], axis=1)
    np.testing.assert_allclose(weights.values, apart, rtol=1e-6)  # GeoDa's distances are the layer's
    floats = ids_of(*(f"{name}.0" for name in ids))  # the id column read as floating point
    assert links(read_weights(gwt, floats)) == links(weights)

    gal = shared_data("chi_sdoh/Chi-SDOH_com.gal")
    weights = read_weights(gal, ids)
    lines = gal.read_text().splitlines()[1:]
    heads = [line.split() for line in lines[::2]]
    position = {name: row for row, name in enumerate(ids)}
    assert [int(weights.degree[position[name]]) for name, _ in heads] == [int(count) for _, count in heads]
    assert weights.is_symmetric == (not any("not returned" in note for note in weights.notes))


ABC = ids_of("a", "b", "c")
FAULTS = {
    "unknown id": ("w.gal", "0 3 t id\na 1\nb\nb 1\na\nc 1\nd\n", 7, "no unit 'd'"),
    "unknown entry": ("w.gal", "3\na 1\nb\nb 1\na\nbb 0\n\n", 6, "no unit 'bb'"),
    "missing entry": ("w.parquet", None, None, "1 of 3 rows have no entry: c"),
    "repeated entry": ("w.gal", "0 3 t id\na 1\nb\nb 1\na\na 1\nb\n", 6, "entry of 'a' is there twice"),
    "repeated link": ("w.gal", "0 3 t id\na 2\nb b\nb 1\na\nc 0\n", 3, "'a' to 'b' is there twice"),
    "repeated line": ("w.gwt", "0 3 t id\na b 1\nb c 1\na b 1\n", 4, "'a' to 'b' is there twice"),
    "negative count": ("w.gal", "0 3 t id\na -1\n\nb 0\n\nc 0\n", 2, "less than none"),
    "odd count": ("w.gal", "0 3 t id\na x\nb\n", 2, "'x' is not a number of neighbours"),
    "wrong count": ("w.gal", "0 3 t id\na 2\nb\nb 1\na\nc 0\n", 3, "should have 2 neighbours and 1"),
    "truncated at neighbours": (
        "w.gal",
        "0 3 t id\na 1\nb\nb 1\n",
        4,
        "ends before the neighbours of unit 'b'",
    ),
    "truncated at entries": ("w.gal", "0 3 t id\na 1\nb\nb 1\na\n", 5, "declares 3 units and holds 2"),
    "truncated link": ("w.gwt", "0 3 t id\na b 1\nb", 3, "ends within a link"),
    "no links": ("w.gwt", "0 3 t id\n", 1, "holds no link"),
    "other n": ("w.gal", "0 2 t id\na 1\nb\nb 1\na\n", 1, "2 units and the layer has 3"),
    "negative weight": ("w.gwt", "0 3 t id\na b -1\n", 2, "negative"),
    "odd weight": ("w.gwt", "0 3 t id\na b 1\nb a nan\n", 3, "'nan' is not a weight"),
    "blanks without quotes": ("w.gwt", "0 3 t id\na b c 1\nb a 1\n", 2, "should stand here"),
    "not weights": ("w.gal", "<html>\n<body>\n", 1, "header"),
    "empty": ("w.gal", "", None, "empty"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_own_line(tmp_path, fault):
    name, text, line, reason = FAULTS[fault]
    path = tmp_path / name
    if text is None:
        write_weights(
            Weights.from_links(2, np.array([0, 1]), np.array([1, 0]), kind="x"), path, ABC[:2], "id"
        )
        table = libpysal.graph.read_parquet(path)
        table.to_parquet(path)  # libpysal's own, without our count of units
    else:
        path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_weights(path, ABC)
    message = str(caught.value)
    assert reason in message
    assert str(path) in message
    assert "\n" not in message
    assert caught.value.row == line or line is None


def test_faults_of_the_whole_file(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        read_weights(tmp_path / "none.gal", ABC)
    with pytest.raises(DataError, match="there is no such file"):
        weights_file_id(tmp_path / "none.gwt")
    with pytest.raises(UsageError, match="not a weights file"):
        read_weights(tmp_path / "none.swm", ABC)
    (tmp_path / "w.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="no whole Parquet file"):
        read_weights(tmp_path / "w.parquet", ABC)
    (tmp_path / "w.gal").write_text("0 2 t id\na 1\nb\nb 1\na\n")
    with pytest.raises(DataError, match="ids repeat"):
        read_weights(tmp_path / "w.gal", ids_of("a", "a"))


def test_one_way_links_of_a_gal_are_noted_and_of_a_gwt_are_not(tmp_path):
    (tmp_path / "w.gal").write_text("0 3 t id\na 1\nb\nb 0\n\nc 0\n")
    assert read_weights(tmp_path / "w.gal", ABC).notes == ("1 link is not returned by the neighbour: a to b",)
    (tmp_path / "w.gwt").write_text("0 3 t id\na b 2\nc a 1\nb b 3\n")
    weights = read_weights(tmp_path / "w.gwt", ABC)
    assert links(weights) == {(0, 1): 2.0, (2, 0): 1.0}
    assert weights.notes == ("1 links of a unit to itself were left out: b",)


def test_headers_quotes_marks_and_encodings(tmp_path):
    path = tmp_path / "w.gal"
    names = ids_of("São Paulo", "Los Angeles", "c")
    text = '0 3 "my layer" "the id"\r\n"São Paulo" 1\r\n"Los Angeles"\r\n'
    text += '"Los Angeles" 1\r\n"São Paulo"\r\nc 0\r\n\r\n'
    for encoding in ("utf-8", "utf-8-sig", "latin-1"):
        path.write_bytes(text.encode(encoding))
        weights = read_weights(path, names)
        assert weights_file_id(path) == "the id"
        assert links(weights) == {(0, 1): 1.0, (1, 0): 1.0}
    path.write_text("3\nc 0\na 1\nb\nb 1\na\n")  # no blank line after the island, no id variable
    assert weights_file_id(path) is None
    assert read_weights(path, ABC).islands.tolist() == [2]


def test_numbers_match_as_numbers_only_where_that_is_unambiguous(tmp_path):
    path = tmp_path / "w.gwt"
    path.write_text("0 2 t id\n1 2 1.5\n")
    assert links(read_weights(path, ids_of("001", "2.0"))) == {(0, 1): 1.5}
    path.write_text("0 3 t id\n1 2 1.5\n")
    with pytest.raises(DataError, match="no unit '1'"):
        read_weights(path, ids_of("01", "001", "2"))
    big = ids_of("9007199254740993", "9007199254740992")  # beyond what floating point tells apart
    path.write_text("0 2 t id\n9007199254740993.0 9007199254740992.0 1.5\n")
    assert links(read_weights(path, big)) == {(0, 1): 1.5}


def test_ids_that_cannot_be_written(tmp_path):
    weights = Weights.from_links(2, np.array([0, 1]), np.array([1, 0]), kind="x")
    with pytest.raises(OutputError, match="ids repeat: a"):
        write_weights(weights, tmp_path / "w.gal", ids_of("a", "a"), "id")
    with pytest.raises(OutputError, match="quotes"):
        write_weights(weights, tmp_path / "w.gal", ids_of('a"', "b"), "id")
    assert not list(tmp_path.iterdir())
