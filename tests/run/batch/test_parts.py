"""`--by`: every value's rows, and a filter that selects the same rows in the file."""

from __future__ import annotations

import geopandas
import pyarrow as pa
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regionalize.errors import DataError, UsageError
from regionalize.io.read import read_layer
from regionalize.model.layer import Layer
from regionalize.run.batch.parts import parts_of, where_of

ENDINGS = ("gpkg", "geojson", "shp", "fgb", "parquet")
texts = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Co", "Cn")), max_size=6)


def written(folder, ending, values, column="zone"):
    """Write points with a column, and return the file."""
    points = shapely.points([(i, i) for i in range(len(values))])
    frame = geopandas.GeoDataFrame({"row": range(len(values)), column: values}, geometry=points, crs=4326)
    path = folder / f"layer.{ending}"
    path.unlink(missing_ok=True)
    if ending == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    return str(path)


def check_filters(path, column="zone", where=None):
    """Compare what each part's filter selects with the rows that have its value."""
    layer = read_layer(path, where=where)
    parts, without = parts_of(layer, column)
    cells = layer.attributes[column].to_pylist()
    rows = layer.attributes["row"].to_pylist()
    for part in parts:
        selected = read_layer(path, where=where_of(part, where)).attributes["row"].to_pylist()
        assert selected == [row for row, cell in zip(rows, cells, strict=True) if cell == part.value]
    assert without == sum(cell is None or cell != cell or not str(cell).strip() for cell in cells)
    return parts


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=12)
@given(values=st.lists(texts, min_size=1, max_size=6))
@example(values=["CE", "ce", "Ce", "pe", None])
@example(values=["it's", "''", "'", 'a"b', "a\\", "a\\'b", "%", "_", "a%"])
@example(values=[" lead", "São Paulo", "日本", "a -- b", "a;b", "1", "01", "1.0", "null", "NaN"])
def test_filters_select_the_rows_of_a_text(tmp_path_factory, ending, values):
    folder = tmp_path_factory.mktemp("layer")
    if not any(value and value.strip() for value in values):
        values = [*values, "x"]
    check_filters(written(folder, ending, values))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([10, 9, 10, -1], [-1, 9, 10]),
        ([10.0, None, 9.0, 10.0], [9, 10]),
        ([3550308, 3550309, 3550308], [3550308, 3550309]),
        ([True, False, True], [False, True]),
    ],
)
def test_filters_select_the_rows_of_numbers_and_truth(tmp_path, ending, values, expected):
    parts = check_filters(written(tmp_path, ending, values))
    assert [part.value for part in parts] == expected


@pytest.mark.parametrize("ending", [ending for ending in ENDINGS if ending != "shp"])
@pytest.mark.parametrize("column", ["my zone", "zo'ne", 'zo"ne', "select", "São", "a.b", "1st", "a\\b"])
def test_names_of_columns_are_quoted(tmp_path, ending, column):
    check_filters(written(tmp_path, ending, ["a", "b", "a"], column), column)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_filter_of_the_run_holds_too(tmp_path, ending):
    path = written(tmp_path, ending, ["a", "b", "a", "b", "a"])
    parts = check_filters(path, where="row < 2 OR row > 3")
    assert [part.value for part in parts] == ["a", "b"]


def test_categories_are_text(tmp_path):
    import pandas

    check_filters(written(tmp_path, "parquet", pandas.Categorical(["b", "a", "b"])))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (pa.array([0.5, 1.0]), "holds 0.5"),
        (pa.array([1e300, 1.0]), "holds 1e"),
        (pa.array([float("inf"), 1.0]), "holds inf"),
        (pa.array([1, 2], pa.timestamp("s")), "whole numbers or truth values"),
        (pa.array([b"a", b"b"]), "whole numbers or truth values"),
        (pa.array([[1], [2]]), "whole numbers or truth values"),
        (pa.array([None, None], pa.string()), "no row has a value"),
        (pa.array(["", "  "]), "no row has a value"),
    ],
)
def test_other_columns_are_refused_with_advice(values, said):
    with pytest.raises(DataError, match=said) as caught:
        parts_of(Layer(pa.table({"zone": values}), None, None), "zone")
    assert "name" in caught.value.advice


def test_the_nearest_column_is_named():
    with pytest.raises(UsageError, match="did you mean 'zone'"):
        parts_of(Layer(pa.table({"zone": ["a"]}), None, None), "zones")


def test_decimals_that_are_whole_are_whole_numbers():
    import decimal

    layer = Layer(pa.table({"zone": pa.array([decimal.Decimal("2.00"), decimal.Decimal("1")])}), None, None)
    assert [part.value for part in parts_of(layer, "zone")[0]] == [1, 2]
