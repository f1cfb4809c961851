"""What was found once, and may not come back."""

import time

import numpy as np
import pytest
from seeds import COLLECTION, GEO, RECIPE, as_json, npy, within_csv
from targets import survives

DIGITS = b"9" * 5000
"""More than Python turns into a number."""
DEEP = b"[" * 100_000
NO_GEO = "'geo' metadata cannot be understood"
NO_HEAD = "its head says of the weights cannot be understood"


def column_of(**about):
    """Return metadata of GeoParquet in which other things are said of the geometry."""
    return as_json({**GEO, "columns": {"geometry": {**GEO["columns"]["geometry"], **about}}})


def cut_header():
    """Return an array whose header ends within a bracket."""
    return npy(np.ones(6)).replace(b"(6,)", b"(6, ")


REFUSED = [
    ("gal", b"0 " + DIGITS + b" units id\n", "is neither 'n' nor"),
    ("gal", b"4\n1 " + DIGITS + b"\n2\n", "is not a number of neighbours"),
    ("gwt", DIGITS + b"\n1 2 1\n", "is neither 'n' nor"),
    ("parquet-weights", b"{", NO_HEAD),
    ("parquet-weights", b"\xa0", NO_HEAD),
    ("parquet-weights", DEEP, NO_HEAD),
    ("parquet-weights", b"[]", NO_HEAD),
    ("parquet-weights", b'{"n": "4"}', NO_HEAD),
    ("parquet-weights", b'{"n": null}', NO_HEAD),
    ("parquet-weights", b'{"id": 5}', NO_HEAD),
    ("distances-npy", cut_header(), "is not a NumPy array of numbers"),
    ("distances-csv", b"1,2,3,4,5," + b"6" * 200_000, "is no table of numbers"),
    # three rows on five lines: the table was taken for one of four, whose last row was never filled in
    ("distances-csv", b'id,1,2,3,4\n1,0,1,2,3\n2,1,0,4,5\n"3\n",2,4,0,6\n', "but a unit is 0 from itself"),
    (
        "centers",
        within_csv({**RECIPE, "variables": [{"name": "d1", "offset": 10**400}]}),
        "cannot be understood",
    ),
    ("centers", within_csv({**RECIPE, "hops": 0.5}), "hops is 0.5"),
    ("centers", within_csv({**RECIPE, "hops": "a"}), "hops is 'a'"),
    ("centers", within_csv({**RECIPE, "hops": 2**31}), "is more than 10,000"),
    ("centers", within_csv({**RECIPE, "weights": 6, "hops": 1}), "weights is 6"),
    ("centers", b'cluster,d1,settings\n1,1,"{' + DEEP + b'"\n', "cannot be understood"),
    ("columns", b"d1-d" + DIGITS, "there is no column"),
    ("options", b"dbscan\neps=" + b"9" * 20_000, "it must be a number above 0"),  # took half a minute
    ("geo-metadata", b"[]", NO_GEO),
    ("geo-metadata", DEEP, "'geo' metadata is not JSON"),
    ("geo-metadata", as_json({**GEO, "columns": "geometry"}), NO_GEO),
    ("geo-metadata", as_json({**GEO, "columns": {"geometry": 1.5}}), NO_GEO),
    ("geo-metadata", as_json({**GEO, "primary_column": [None]}), "its geometry column '[None]' is missing"),
    ("geo-metadata", column_of(geometry_types=0.5), NO_GEO),
    ("geo-metadata", column_of(encoding=None), NO_GEO),
]
"""The reader, what it is given, and how that is refused."""
READ = [
    ("geo-metadata", column_of(covering=None)),
    ("geo-metadata", column_of(covering=2**31)),
    ("geo-metadata", column_of(covering={"bbox": {"xmin": ""}})),
    ("pandas-metadata", b"{"),
    ("pandas-metadata", b"[]"),
    ("pandas-metadata", b'{"index_columns": null}'),
    ("geojson", as_json({**COLLECTION, "regionalize": {"runs": 5}})),
]
"""What does not matter is passed over."""
EXPRESSIONS = [
    b"2-1\x1f",
    b"2-" + DIGITS,
    b"min-size=" + DIGITS,
    b"knn:" + DIGITS,
    b"distance:" + b"9" * 50_000,
    "tcp://host:²".encode(),
    b"1" * 50_000 + b"-" + b"1" * 50_000,
]


@pytest.fixture(autouse=True)
def _soon():
    """Nothing here takes long."""
    begun = time.process_time()
    yield
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(("name", "content", "says"), REFUSED)
def test_refused_in_a_line(name, content, says, tmp_path):
    assert says in survives(name, content, tmp_path)


@pytest.mark.parametrize(("name", "content"), READ)
def test_passed_over(name, content, tmp_path):
    assert survives(name, content, tmp_path) == ""


@pytest.mark.parametrize("content", EXPRESSIONS)
def test_expressions(content, tmp_path):
    assert survives("expressions", content, tmp_path)
