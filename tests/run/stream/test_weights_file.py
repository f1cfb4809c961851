"""Weights files matched to rows on disk against the reading of the whole file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regionalize.errors import DataError
from regionalize.io import weights_batches
from regionalize.io.weights_files import read_weights, write_weights
from regionalize.model.tile_links import joined_links
from regionalize.model.weights import Weights
from regionalize.run.stream.weights_file import links_of_file

SUFFIXES = (".gal", ".gwt", ".parquet")
IDS = {
    "numbers": lambda n: [str(17031 + 2 * i) for i in range(n)],
    "names": lambda n: [f"Évora {i} no" for i in range(n)],
    "rows": lambda n: [str(i + 1) for i in range(n)],
    "from zero": lambda n: [str(i) for i in range(n)],
}


def some_weights(n, rng):
    row, neighbor = rng.integers(0, n, (2, 3 * n))
    apart = (row != neighbor) & (row > 0) & (neighbor > 0)  # the first is an island
    return Weights.from_links(n, row[apart], neighbor[apart], rng.uniform(0, 5, apart.sum()), kind="test")


def texts(names):
    return np.array(names, dtype=object)


def whole(links):
    with links:
        return joined_links([links.read(0, len(links))], links.kind)


def assert_same(found, expected):
    assert found.kind == expected.kind
    assert found.indptr.tolist() == expected.indptr.tolist()
    assert found.indices.tolist() == expected.indices.tolist()
    assert found.values.tolist() == expected.values.tolist()


def shuffle(path, rng):
    """Put the lines of a file into any order."""
    if path.suffix == ".parquet":
        table = pyarrow.parquet.read_table(path)
        pyarrow.parquet.write_table(table.take(rng.permutation(len(table))), path, row_group_size=7)
    elif path.suffix == ".gwt":
        header, *lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text(
            "\n".join([header, *(lines[at] for at in rng.permutation(len(lines)))]), encoding="utf-8"
        )


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 60),
    st.integers(1, 70),
    st.sampled_from(SUFFIXES),
    st.sampled_from(list(IDS)),
)
def test_the_links_of_a_file_are_those_read_whole(tmp_path_factory, seed, n, rows, suffix, kind):
    rng = np.random.default_rng(seed)
    ids = texts(IDS[kind](n))
    path = tmp_path_factory.mktemp("weights") / f"w{suffix}"
    weights = some_weights(n, rng)
    if not weights.n_links:
        return  # which a .gwt file cannot say
    write_weights(weights, path, ids, "" if kind == "from zero" else "code")
    shuffle(path, rng)
    numbered = kind in {"rows", "from zero"}
    known = texts(IDS["rows"](n)) if numbered else ids
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights_batches, "LINKS", 11)
        names = None if numbered else [ids[first : first + 5] for first in range(0, n, 5)]
        found = whole(links_of_file(path, n, names, rows_at_once=rows))
    assert_same(found, read_weights(path, known))


def test_ids_that_mean_the_same(tmp_path):
    path = tmp_path / "w.gwt"
    path.write_text("0 3 layer code\n17031.0 Los_Angeles 1\nLos_Angeles 17031 2\n5 5 9\n")
    ids = texts(["17031", "Los Angeles", "5"])
    assert_same(whole(links_of_file(path, 3, [ids])), read_weights(path, ids))


def test_old_files_in_latin_letters(tmp_path):
    path = tmp_path / "w.gal"
    path.write_bytes("2\nÉvora 1\nFaro\nFaro 1\nÉvora\n".encode("latin-1"))
    ids = texts(["Évora", "Faro"])
    assert_same(whole(links_of_file(path, 2, [ids])), read_weights(path, ids))


FAULTS = {
    "w.gal": {
        "3\n1 1\n2\n2 1\n1\n3 1\n9\n": "w.gal:row 7: there is no unit '9' in the layer",
        "3\n1 1\n2\n2 1\n1\n": "declares 3 units and holds 2",
        "3\n1 1\n2\n2 1\n1\n2 1\n1\n": "row 2 is there twice|there twice",
        "3\n1 1\n2\n2 1\n1\n3 2\n1 1\n": "from row 3 to row 1 is there twice",
        "3\n1 2\n2\n": "should have 2 neighbours and 1 are listed",
        "4\n1 0\n": "for 4 units and the layer has 3 rows",
        "": "the file is empty",
    },
    "w.gwt": {
        "0 3 x Unknown\n1 2 1\n2 x 1\n": "row 3: there is no unit 'x' in the layer",
        "0 3 x Unknown\n1 2 -1\n": "the weight -1 is negative",
        "0 3 x Unknown\n1 2 1\n1 2 1\n": "from row 1 to row 2 is there twice",
        "0 3 x Unknown\n": "holds no link",
    },
}


@pytest.mark.parametrize("with_ids", [False, True])
@pytest.mark.parametrize(
    ("name", "text", "message"), [(name, *case) for name, cases in FAULTS.items() for case in cases.items()]
)
def test_faults_are_found_as_in_memory(tmp_path, name, text, message, with_ids):
    path = tmp_path / name
    path.write_text(text)
    ids = texts(["1", "2", "3"])
    with pytest.raises(DataError):
        read_weights(path, ids)
    with pytest.raises(DataError, match=message):
        links_of_file(path, 3, [ids] if with_ids else None)


def test_ids_that_repeat_and_rows_without_an_entry(tmp_path):
    path = tmp_path / "w.parquet"
    write_weights(some_weights(4, np.random.default_rng(0)), path, texts(list("abcd")), "code")
    with pytest.raises(DataError, match="ids repeat"):
        links_of_file(path, 4, [texts(["a", "b", "c", "c"])])
    table = pyarrow.parquet.read_table(path).replace_schema_metadata(None)
    kept = np.flatnonzero(np.array(table["focal"].to_pylist()) != "c")
    pyarrow.parquet.write_table(table.take(kept), path)
    with pytest.raises(DataError, match="row 3 has no entry"):
        links_of_file(path, 4, [texts(list("abcd"))])
    pyarrow.parquet.write_table(table.drop(["weight"]), path)
    with pytest.raises(DataError, match="there is no column weight"):
        links_of_file(path, 4, [texts(list("abcd"))])
    path.write_bytes(b"PAR1 nothing")
    with pytest.raises(DataError, match="no whole Parquet file"):
        links_of_file(path, 4)


LIMITED = """
import resource, sys
import numpy as np
import pyarrow.parquet
from regionalize.run.stream.weights_file import links_of_file

path, n, limit, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), 4096
def names():
    for first in range(0, n, size):
        yield np.array([f"unit {row}" for row in range(first, min(first + size, n))], dtype=object)
def used():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
links_of_file(path + "0.gwt", 3, [np.array(["a", "b", "c"], dtype=object)]).__exit__(None, None, None)
resource.setrlimit(resource.RLIMIT_AS, (used() + limit,) * 2)
with links_of_file(path, n, names(), rows_at_once=size) as links:
    print(len(links), links.n_links)
"""


@pytest.mark.unix
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux to know its address space")
def test_memory_does_not_grow_with_the_file(tmp_path):
    for n in (5_000, 200_000):
        path = tmp_path / "ring.gwt"
        (tmp_path / "ring.gwt0.gwt").write_text("0 3 x code\na b 1\n")
        with path.open("w") as file:
            file.write(f"0 {n} ring code\n")
            file.writelines(f'"unit {row}" "unit {(row * 7919 + 1) % n}" 1\n' for row in range(n))
        found = subprocess.run(
            [sys.executable, "-c", LIMITED, str(path), str(n), str(80 * 2**20)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, found.stderr
        assert int(found.stdout.split()[0]) == n
