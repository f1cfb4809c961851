"""Regions as a layer: against geopandas.dissolve, and what each kind of unit becomes."""

import warnings
from fractions import Fraction

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely

import regionalize as rz
from regionalize.errors import DataError, UsageError
from regionalize.run.aggregate import FUNCTIONS, aggregate, parse_aggregates


def theirs(frame, labels, columns, crs=None):
    """Dissolve as geopandas does, invalid units repaired."""
    frame = frame[[*columns, frame.geometry.name]].assign(label=labels.to_numpy())
    frame = frame.set_geometry(frame.geometry.make_valid())
    frame = frame[frame["label"].notna() & (frame["label"] > 0)]
    functions = ["sum", "mean", "median", "min", "max", "std"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sd of a single unit
        return frame.dissolve("label", aggfunc=dict.fromkeys(columns, functions))


def check_against(found, frame, columns, rel):
    regions = found.dissolve({column: list(FUNCTIONS) for column in columns})
    other = theirs(frame, found.labels, columns)
    assert regions["cluster"].tolist() == other.index.tolist()
    assert regions["n"].tolist() == found.labels[found.labels > 0].value_counts().sort_index().tolist()
    for column in columns:
        for ours, name in (("min", "min"), ("max", "max")):
            assert regions[f"{column}_{ours}"].tolist() == other[(column, name)].tolist()
        for ours, name in (("mean", "mean"), ("median", "median"), ("sd", "std")):
            np.testing.assert_allclose(regions[f"{column}_{ours}"], other[(column, name)], rtol=1e-12)
        groups = [frame[column][(found.labels == label).to_numpy()] for label in regions["cluster"]]
        exact = [float(sum(map(Fraction, group.tolist()))) for group in groups]
        assert regions[f"{column}_sum"].tolist() == exact
        np.testing.assert_allclose(exact, other[(column, "sum")], rtol=1e-14)
    areas = [shapely.area(np.asarray(each.geometry)) for each in (regions, other)]
    np.testing.assert_allclose(*areas, rtol=rel)
    assert regions.crs == frame.crs
    assert regions.is_valid.all()
    return regions, other


def test_guerry_as_geopandas(shared_data):
    frame = geopandas.read_file(shared_data("guerry/Guerry.shp"))
    found = rz.regionalize(frame, "skater", k=6, columns=["Crm_prs", "Litercy", "Donatns"])
    regions, other = check_against(found, frame, ["Pop1831", "Litercy"], 1e-9)
    np.testing.assert_allclose(regions["area"], other.area, rtol=1e-9)  # a plane in metres
    whole, units = shapely.union_all(regions.geometry), shapely.union_all(frame.geometry)
    assert whole.symmetric_difference(units).area < 1e-9 * units.area


def test_brazil_as_geopandas(shared_data):
    """Borders do not all match, and 46 units are invalid: areas agree to the grid the borders are put on."""
    frame = geopandas.read_file(shared_data("brazil/municipalities.gpkg"))
    numbers = frame.select_dtypes("number").columns
    columns = [name for name in numbers if frame[name].notna().all() and frame[name].nunique() > 1000][:2]
    found = rz.regionalize(frame, "kmeans", k=20, columns=columns, with_centroids=True)
    regions, _ = check_against(found, frame, columns, 1e-4)
    total = shapely.area(np.asarray(regions.geometry)).sum()
    assert abs(total / shapely.union_all(np.asarray(frame.make_valid())).area - 1) < 1e-5
    rings = shapely.get_num_interior_rings(shapely.get_parts(np.asarray(regions.geometry)))
    assert rings.sum() < 1500  # the general union has thousands


def test_england_has_no_hairlines(shared_data):
    """Taken as they come, the borders within a region stay in its outline, for they never quite touch."""
    frame = pyogrio.read_dataframe(shared_data("england/lsoa_imd2019.gpkg"), columns=[], max_features=3000)
    xy = shapely.get_coordinates(shapely.centroid(np.asarray(frame.geometry)))
    frame["x"], frame["y"] = xy.T
    regions = rz.regionalize(frame, "kmeans", k=4, columns=["x", "y"]).dissolve()
    parts = shapely.get_parts(np.asarray(regions.geometry))
    holes = [shapely.Polygon(ring) for part in parts for ring in part.interiors]
    width = np.sqrt(np.median(frame.area))
    assert all(2 * hole.area / hole.length > 1e-3 * width for hole in holes)
    units = shapely.coverage_union_all(shapely.make_valid(np.asarray(frame.geometry)))
    assert regions.length.sum() < units.length / 3


@pytest.fixture
def frame():
    x, y = (axis.ravel().astype(float) for axis in np.meshgrid(np.arange(6), np.arange(4)))
    geometry = shapely.box(5e5 + 1000 * x, 1000 * y, 5e5 + 1000 * x + 1000, 1000 * y + 1000)
    values = {
        "a": np.where(x < 2, 0.0, 9.0) + 0.1 * y,
        "pop": np.arange(24),
        "some": np.where(x > 2, np.nan, x),
    }
    return geopandas.GeoDataFrame(values, geometry=geometry, crs=32633)


def test_a_row_per_cluster(frame):
    found = rz.regionalize(frame, "kmeans", k=2, columns=["a"])
    regions = found.dissolve("pop:sum,some:mean,some:sd")
    assert list(regions.columns) == ["cluster", "n", "area", "pop_sum", "some_mean", "some_sd", "geometry"]
    assert regions["cluster"].tolist() == [1, 2]
    assert regions["n"].tolist() == [16, 8]
    assert regions["area"].tolist() == pytest.approx([16e6, 8e6])
    assert regions["pop_sum"].sum() == frame["pop"].sum()
    assert regions["some_mean"].tolist() == [2.0, 0.5]  # nulls are left out
    assert regions["pop_sum"].dtype == np.int64
    assert regions.crs == frame.crs
    whole = shapely.box(5e5, 0, 5e5 + 6000, 4000)
    assert shapely.union_all(regions.geometry).equals(whole)


def test_points_and_lines_are_collected(frame):
    frame["geometry"] = frame.centroid
    found = rz.regionalize(frame, "kmeans", k=2, columns=["a"])
    regions = found.dissolve()
    assert list(regions.columns) == ["cluster", "n", "geometry"]  # points have no area
    assert set(regions.geom_type) == {"MultiPoint"}
    assert [len(shape.geoms) for shape in regions.geometry] == regions["n"].tolist()
    frame["geometry"] = frame.buffer(10).exterior
    regions = rz.regionalize(frame, "kmeans", k=2, columns=["a"], weights="knn:4").dissolve()
    assert set(regions.geom_type) == {"MultiLineString"}


def test_mixed_units_stay_together(frame):
    frame.loc[:4, "geometry"] = frame.loc[:4].centroid
    regions = rz.regionalize(frame, "kmeans", k=2, columns=["a"], weights="knn:4").dissolve()
    assert set(regions.geom_type) == {"GeometryCollection"}
    assert regions.area.sum() == pytest.approx(19e6)
    assert sum(len(shapely.get_parts(shapely.get_parts(shape))) >= 1 for shape in regions.geometry) == 2


def test_rows_in_no_region_are_left_out(frame):
    frame.loc[3, "a"] = np.nan
    found = rz.regionalize(frame, "kmeans", k=2, columns=["a"], missing="drop")
    assert found.dissolve()["n"].sum() == 23


def test_rows_without_geometry_count(frame):
    frame.loc[0, "geometry"] = None
    found = rz.regionalize(frame, "kmeans", k=2, columns=["a"])
    regions = found.dissolve({"pop": "sum"})
    assert regions["n"].sum() == 24
    assert regions["area"].sum() == pytest.approx(23e6)


def test_names_that_are_taken(frame):
    found = rz.regionalize(frame, "kmeans", k=2, columns=["a"])
    assert list(found.dissolve(label_column="n").columns) == ["n", "n_2", "area", "geometry"]
    assert list(found.dissolve(label_column="geometry").columns) == ["geometry", "n", "area", "geometry_2"]
    assert list(found.dissolve("pop:sum", label_column="pop_sum").columns)[:4] == [
        "pop_sum",
        "n",
        "area",
        "pop_sum_2",
    ]


def test_one_region_and_as_many_as_units(frame):
    one = rz.regionalize(frame, "kmeans", k=1, columns=["a"]).dissolve("pop:sd")
    assert one["n"].tolist() == [24]
    assert one["pop_sd"][0] == pytest.approx(frame["pop"].std())
    every = rz.regionalize(frame, "kmeans", k=24, columns=["a", "pop"]).dissolve("pop:sd")
    assert every["n"].tolist() == [1] * 24
    assert every["pop_sd"].isna().all()


def test_what_is_refused(frame):
    found = rz.regionalize(frame.assign(name="x"), "kmeans", k=2, columns=["a"])
    with pytest.raises(UsageError, match="there is no column 'popp' for --aggregate; did you mean 'pop'"):
        found.dissolve({"popp": "sum"})
    with pytest.raises(DataError, match="name: holds text, which has no sum"):
        found.dissolve({"name": "sum"})
    with pytest.raises(
        UsageError, match="must be one of sum, mean, median, min, max, sd; did you mean 'mean'"
    ):
        found.dissolve({"pop": "meam"})
    with pytest.raises(UsageError, match="write COLUMN:FUNCTION"):
        found.dissolve("pop")
    with pytest.raises(UsageError, match="'pop:sum' twice"):
        found.dissolve("pop:sum,pop:sum")
    table = frame.drop(columns="geometry")
    with pytest.raises(DataError, match="no geometry"):
        rz.regionalize(table, "kmeans", k=2, columns=["a"]).dissolve()


def test_sums_do_not_overflow_or_lose_digits():
    import pyarrow as pa

    from regionalize.model.layer import Layer

    large = Layer(pa.table({"n": [2**62, 2**62, 2**62], "x": [1e16, 1.0, -1e16]}), None, None)
    rows = [np.arange(3)]
    assert aggregate(large, [("n", "sum"), ("x", "sum"), ("n", "mean")], rows) == [
        [3 * 2**62],
        [1.0],
        [2.0**62],
    ]


def test_aggregates_as_text_or_mapping():
    assert parse_aggregates(("a:sum, b:mean", '"c,d":max')) == (("a", "sum"), ("b", "mean"), ("c,d", "max"))
    assert parse_aggregates({"a": "sum", "b": ("min", "max")}) == (("a", "sum"), ("b", "min"), ("b", "max"))
    assert parse_aggregates(()) == ()
