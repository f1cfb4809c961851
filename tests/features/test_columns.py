"""Columns: which are chosen, and what numbers they become."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
import shapely

from regionalize.errors import DataError, UsageError
from regionalize.features.columns import read_columns, select_columns
from regionalize.model.layer import Layer

IDENTIFIERS = (
    *(
        "id",
        "ID",
        "fid",
        "gid",
        "OBJECTID",
        "POLY_ID",
        "AreaID",
        "FIPS",
        "fipsno",
        "STFIPS",
        "GEOID10",
        "geoid",
    ),
    *(
        "cartodb_id",
        "code",
        "CODENO",
        "zipcode",
        "cod_mun",
        "tract_id",
        "TRACTCE10",
        "IDNUM0",
        "countyfp",
        "AVE_ID_",
    ),
    "Unnamed: 0",
)
VARIABLES = (
    *(
        "idhm",
        "covid",
        "paid",
        "humidity",
        "acid_rain",
        "gini_idx",
        "area",
        "latent",
        "longevity",
        "xray",
        "yield",
    ),
    *("ideal", "grid", "IMD_rank", "pct2010", "SID74", "no_hs", "age18", "ranking", "unidade"),
)


def layer_of(shapes=None, crs=None, **columns) -> Layer:
    return Layer(pa.table(columns), None, crs, shapes=shapes)


@pytest.fixture
def mixed() -> Layer:
    return layer_of(
        name=["a", "b"],
        gini=[0.1, 0.2],
        idhm=[0.5, 0.6],
        idhm_e=[0.7, 0.8],
        seen=[dt.date(2020, 1, 1), dt.date(2020, 1, 2)],
        urban=[True, False],
        Gini=[1, 2],
        blob=[b"x", b"y"],
        parts=[[1], [2]],
        when=[dt.datetime(2020, 1, 1), None],
        kind=pa.array(["u", "v"]).dictionary_encode(),
        nothing=pa.nulls(2),
    )


class TestSelect:
    def test_order_is_as_given_and_globs_in_file_order_once(self, mixed):
        assert select_columns(mixed, ["urban", "idhm*", "idhm", "gini"])[0] == (
            "urban",
            "idhm",
            "idhm_e",
            "gini",
        )

    def test_case_matters(self, mixed):
        assert select_columns(mixed, ["Gini"])[0] == ("Gini",)
        assert select_columns(mixed, ["g*"])[0] == ("gini",)

    def test_a_name_that_exists_is_taken_as_it_stands(self):
        layer = layer_of(**{"a*": [1, 2], "ab": [3, 4], "x[1]": [5, 6], "x1": [7, 8]})
        assert select_columns(layer, ["a*"])[0] == ("a*",)
        assert select_columns(layer, ["x[1]"])[0] == ("x[1]",)
        assert select_columns(layer, ["a?"])[0] == ("a*", "ab")

    def test_wrong_name_suggests_the_nearest(self, mixed):
        with pytest.raises(UsageError, match=r"no column 'idmh'.*did you mean 'idhm'"):
            select_columns(mixed, ["idmh"])
        with pytest.raises(UsageError, match=r"no column 'zzzzzz'; the columns are name, gini"):
            select_columns(mixed, ["zzzzzz"])

    def test_pattern_without_match(self, mixed):
        with pytest.raises(UsageError, match=r"no column matches 'pop_\*'"):
            select_columns(mixed, ["pop_*"])

    @pytest.mark.parametrize(
        ("column", "kind"),
        [
            ("name", "text"),
            ("seen", "dates or times"),
            ("when", "dates or times"),
            ("blob", "binary"),
            ("parts", "list"),
            ("kind", "categories"),
            ("nothing", "nulls"),
        ],
    )
    def test_named_column_that_is_not_numeric(self, mixed, column, kind):
        with pytest.raises(DataError, match=kind) as caught:
            select_columns(mixed, [column])
        assert caught.value.column == column
        assert caught.value.exit_code == 1

    def test_pattern_passes_over_what_is_not_numeric_and_says_so(self, mixed):
        names, notes = select_columns(mixed, ["*n*"])
        assert names == ("gini", "urban", "Gini")
        assert "name" in notes[0]
        with pytest.raises(DataError, match="no numeric column"):
            select_columns(mixed, ["n*"])

    def test_exclude(self, mixed):
        assert select_columns(mixed, [], ["idhm*", "Gini"])[0] == ("gini", "urban")
        assert select_columns(mixed, ["gini", "urban"], ["urban"])[0] == ("gini",)
        with pytest.raises(UsageError, match="no column 'idmh'"):
            select_columns(mixed, [], ["idmh"])
        for columns in ([], ["gini"]):
            with pytest.raises(UsageError, match="leaves no numeric column"):
                select_columns(mixed, columns, ["*"])

    def test_no_numeric_column(self):
        with pytest.raises(DataError, match="no numeric column"):
            select_columns(layer_of(name=["a", "b"]))

    def test_id_column(self):
        layer = layer_of(key=[5, 6], keep=[1.0, 2.0])
        assert select_columns(layer, id_column="key")[0] == ("keep",)
        assert select_columns(layer, ["k*"], id_column="key")[0] == ("keep",)
        assert select_columns(layer, ["key"], id_column="key")[0] == ("key",)
        with pytest.raises(UsageError, match="did you mean 'key'"):
            select_columns(layer, id_column="Key")

    @pytest.mark.parametrize("name", IDENTIFIERS)
    def test_identifiers_are_left_out_and_named(self, name):
        layer = layer_of(**{name: [4, 9, 2], "literacy": [3, 5, 5]})
        names, notes = select_columns(layer)
        assert names == ("literacy",)
        assert f"{name} (identifiers)" in notes[1]
        assert select_columns(layer, [name])[0] == (name,)

    @pytest.mark.parametrize("name", VARIABLES)
    def test_variables_stay(self, name):
        assert select_columns(layer_of(**{name: [14, 9, 22], "other": [1.5, 2, 3]}))[0] == (name, "other")

    def test_a_fraction_is_no_identifier(self):
        assert select_columns(layer_of(gdp_id=[0.5, 0.7]))[0] == ("gdp_id",)

    def test_an_area_beside_a_perimeter_is_that_of_shapes(self):
        coverage = layer_of(AREA=[1.5, 2], PERIMETER=[5.1, 6], v=[1, 5])
        assert select_columns(coverage)[0] == ("v",)
        houses = layer_of(AREA=[1.5, 2], v=[1, 5])
        assert select_columns(houses)[0] == ("AREA", "v")

    def test_shape_sizes_and_coordinates(self):
        layer = layer_of(Shape_Area=[1.0, 2], Shape_Leng=[1.0, 3], lat=[1.0, 2], X_CENTROID=[1, 2], v=[1, 5])
        names, notes = select_columns(layer)
        assert names == ("v",)
        assert "Shape_Area, Shape_Leng (sizes of shapes)" in notes[1]
        assert "lat, X_CENTROID (coordinates)" in notes[1]

    def test_x_and_y_are_coordinates_only_where_the_layer_lies(self):
        points = shapely.points([[10.0, 50.0], [11.0, 52.0]])
        there = layer_of(points, "EPSG:4326", x=[10.0, 11.0], y=[50.0, 52.0], v=[1, 2])
        assert select_columns(there)[0] == ("v",)
        elsewhere = layer_of(points, "EPSG:4326", x=[0.1, 0.4], y=[7.0, 8.0], v=[1, 2])
        assert select_columns(elsewhere)[0] == ("x", "y", "v")
        assert select_columns(layer_of(x=[10.0, 11.0], y=[50.0, 52.0]))[0] == ("x", "y")

    def test_a_column_that_counts_rows(self):
        count = list(range(1, 21))
        assert select_columns(layer_of(n=count, v=[value % 7 for value in count]))[0] == ("v",)
        assert select_columns(layer_of(n=count[::-1], v=[value % 7 for value in count]))[0] == ("v",)
        # better than nothing, and percentages, short examples and ranks are no count
        assert select_columns(layer_of(n=count))[0] == ("n",)
        assert select_columns(layer_of(percent=[value + 30 for value in count]))[0] == ("percent",)
        assert select_columns(layer_of(n=[1, 2, 3], v=[5, 6, 9]))[0] == ("n", "v")
        assert select_columns(layer_of(rank=count, v=count))[0] == ("rank",)

    def test_nothing_but_identifiers(self):
        with pytest.raises(DataError, match=r"--columns"):
            select_columns(layer_of(fid=[5, 9], GEOID=[1, 2]))

    def test_real_layer(self, shared_data):
        import geopandas

        frame = geopandas.read_file(shared_data("chi_sdoh/Chi-SDOH.shp"))
        names, notes = select_columns(Layer.from_frame(frame))
        assert not {"OBJECTID", "Shape_Leng", "Shape_Area", "TRACTCE10", "geoid10", "COORD_X", "COORD_Y"} & {
            *names
        }
        assert {"EP_PCI", "Pop2014", "WHT50PCT", "Hisp14P"} <= {*names}
        assert all("\n" not in note for note in notes)


class TestRead:
    def test_types(self):
        layer = layer_of(
            flag=[True, None, False],
            small=pa.array([1, 2, 3], pa.int8()),
            half=pa.array(np.array([0.5, 1.5, 2.5], np.float16)),
            single=pa.array([0.25, 1.25, None], pa.float32()),
            money=pa.array([Decimal("1.10"), Decimal("2.25"), None], pa.decimal128(10, 2)),
        )
        read = read_columns(layer, layer.column_names, "mean")
        assert read.values.tolist() == [
            [1, 1, 0.5, 0.25, 1.1],
            [0.5, 2, 1.5, 1.25, 2.25],
            [0, 3, 2.5, 0.75, 1.675],
        ]
        assert read.values.dtype == np.float64
        assert not read.offset.any()

    @pytest.mark.parametrize("start", [2**62, -(2**62), 2**53 + 1, -(2**63)])
    def test_neighbouring_huge_integers_stay_apart(self, start):
        read = read_columns(
            layer_of(a=pa.array([start + 2, None, start, start + 1], pa.int64())), ["a"], "drop"
        )
        assert (read.values[:, 0] - read.values[:, 0].min()).tolist() == [2, 0, 1]
        assert read.raw[:, 0] == pytest.approx(start, rel=1e-12)

    def test_unsigned_and_full_range(self):
        top = 2**64 - 3
        read = read_columns(layer_of(a=pa.array([top, top + 2], pa.uint64())), ["a"])
        assert np.diff(read.values[:, 0]).tolist() == [2]
        read = read_columns(layer_of(a=pa.array([-(2**63), 2**63 - 1], pa.int64())), ["a"])
        assert np.diff(read.values[:, 0]).tolist() == [float(2**64 - 1)]

    def test_long_decimals_stay_apart(self):
        cells = [Decimal(f"12345678901234567890123456.000{last}") for last in (1, 2, 4)]
        read = read_columns(layer_of(a=pa.array(cells, pa.decimal128(38, 4))), ["a"])
        assert read.values[:, 0].tolist() == [0.0, 0.0001, 0.0003]

    def test_offset_only_where_needed(self):
        assert read_columns(layer_of(a=[10**15, 10**15 + 1]), ["a"]).values[:, 0].tolist() == [1e15, 1e15 + 1]

    @pytest.fixture
    def holes(self) -> Layer:
        return layer_of(
            who=["u", "v", "w", "x"], a=[1.0, None, 4.0, 10.0], b=[1.0, np.nan, 3.0, None], c=[1, 2, 3, 4]
        )

    def test_missing_is_an_error_by_default(self, holes):
        with pytest.raises(
            DataError, match=r"missing in 2 of 4 rows: a \(1\), b \(2\).*--missing drop"
        ) as caught:
            read_columns(holes, ["a", "b", "c"])
        assert caught.value.column == ""
        with pytest.raises(DataError) as caught:
            read_columns(holes, ["b", "c"])
        assert caught.value.column == "b"
        assert read_columns(holes, ["c"]).notes == ()

    def test_drop_names_the_rows(self, holes):
        read = read_columns(holes, ["a", "b"], "drop", "who")
        assert read.rows.tolist() == [0, 2]
        assert read.values.tolist() == [[1, 1], [4, 3]]
        assert "v, x" in read.notes[0]

    def test_mean_and_median(self, holes):
        assert read_columns(holes, ["a", "b"], "mean").values.tolist() == [[1, 1], [5, 2], [4, 3], [10, 2]]
        read = read_columns(holes, ["a", "b"], "median")
        assert read.values.tolist() == [[1, 1], [4, 2], [4, 3], [10, 2]]
        assert read.rows.tolist() == [0, 1, 2, 3]
        assert "a (1), b (2)" in read.notes[0]

    def test_mean_of_large_values_does_not_overflow(self):
        read = read_columns(layer_of(a=[1.5e308, 1.7e308, None]), ["a"], "mean")
        assert read.values[2, 0] == pytest.approx(1.6e308)

    @pytest.mark.parametrize("policy", ["error", "drop", "mean", "median"])
    def test_a_column_without_any_value(self, policy):
        layer = layer_of(a=[1.0, 2.0], b=pa.array([None, np.nan], pa.float64()))
        with pytest.raises(DataError, match="no value at all") as caught:
            read_columns(layer, ["a", "b"], policy)
        assert caught.value.column == "b"

    def test_every_row_dropped(self):
        with pytest.raises(DataError, match="every row"):
            read_columns(layer_of(a=[1.0, None], b=[None, 2.0]), ["a", "b"], "drop")

    def test_infinite_values(self):
        layer = layer_of(who=["p", "q", "r"], a=[1.0, -np.inf, np.inf])
        with pytest.raises(
            DataError, match=r"2 of 3 values of 'a' are infinite, the first in row q"
        ) as caught:
            read_columns(layer, ["a"], "drop", "who")
        assert caught.value.column == "a"

    def test_unknown_policy(self):
        with pytest.raises(UsageError, match="error, drop, mean, median"):
            read_columns(layer_of(a=[1]), ["a"], "zero")
