"""Building weights: specs, distances against brute force, islands, hints, notes."""

import subprocess
import sys

import geopandas
import libpysal
import numpy as np
import pytest
import scipy.spatial
import shapely
from hypothesis import given
from hypothesis import strategies as st

from regionalize.errors import DataError, UsageError
from regionalize.model.layer import Layer
from regionalize.model.weights import Weights
from regionalize.weights import (
    build_weights,
    default_spec,
    describe_weights,
    join_islands,
    nearest,
    parse_spec,
    symmetrize,
)
from regionalize.weights.gaps import _SphereSearch, narrow_gaps, ways_across
from regionalize.weights.nearest import band_links, nearest_links
from regionalize.weights.places import EARTH_RADIUS, places, unwrapped


def layer_of(geometry, crs=None):
    return Layer.from_frame(geopandas.GeoDataFrame(geometry=np.asarray(geometry, dtype=object), crs=crs))


def haversine(degrees):
    """Great-circle metres between all points, by the haversine formula."""
    longitude, latitude = np.radians(degrees).T
    a = (
        np.sin((latitude[:, None] - latitude) / 2) ** 2
        + np.cos(latitude[:, None]) * np.cos(latitude) * np.sin((longitude[:, None] - longitude) / 2) ** 2
    )
    return 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.clip(a, 0, 1)))


def around_the_globe(n, seed=0):
    rng = np.random.default_rng(seed)
    anywhere = np.column_stack([rng.uniform(-180, 180, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))])
    anywhere[: n // 4, 0] = rng.choice([-1, 1], n // 4) * rng.uniform(179, 180, n // 4)  # the antimeridian
    anywhere[n // 4 : n // 2, 1] = rng.uniform(85, 90, n // 4)  # a pole
    return anywhere


# specs


@pytest.mark.parametrize(
    ("text", "kind", "more"),
    [
        ("queen", "queen", {}),
        (" Rook ", "rook", {}),
        ("knn:6", "knn", {"neighbors": 6}),
        ("distance:50km", "distance", {"distance": 50.0, "unit": "km"}),
        ("distance: 1.5e3 FT", "distance", {"distance": 1500.0, "unit": "ft"}),
        ("distance:.5", "distance", {"distance": 0.5, "unit": ""}),
        ("kernel:Gaussian:10", "kernel", {"function": "gaussian", "neighbors": 10}),
        ("kernel:epanechnikov:3", "kernel", {"function": "quadratic", "neighbors": 3}),
        ("a folder/w.GAL", "file", {"path": "a folder/w.GAL"}),
    ],
)
def test_specs(text, kind, more):
    spec = parse_spec(text)
    assert spec.kind == kind
    assert {name: getattr(spec, name) for name in more} == more


MALFORMED = """quen queen:1 knn
knn:0 knn:-1 knn:2.5 knn:six knn:6:1 distance distance:0 distance:-1km distance:km
distance:5parsec distance:1e999 distance:nan kernel:10 kernel:box:10 kernel:gaussian:0"""


@pytest.mark.parametrize("text", ["", *MALFORMED.split()])
def test_malformed_specs_name_the_accepted_forms(text):
    with pytest.raises(UsageError, match=r"use queen, rook, knn:6, distance:50km, kernel:gaussian:10"):
        parse_spec(text)


def test_a_near_miss_is_named():
    with pytest.raises(UsageError, match="did you mean 'queen'"):
        parse_spec("quen")
    with pytest.raises(UsageError, match="did you mean 'gaussian'"):
        parse_spec("kernel:gausian:10")


def test_defaults_by_kind_of_layer():
    box, point, line = shapely.box(0, 0, 1, 1), shapely.Point(0, 0), shapely.LineString([(0, 0), (1, 1)])
    assert default_spec(layer_of([box, None, shapely.MultiPolygon([box])])) == "queen"
    assert default_spec(layer_of([point] * 9)) == "knn:6"
    assert default_spec(layer_of([point] * 4)) == "knn:3"
    assert default_spec(layer_of([point] * 2)) == default_spec(layer_of([point])) == "knn:1"
    for geometry in ([line], [box, point], [box, shapely.GeometryCollection([box])]):
        with pytest.raises(DataError, match=r"--weights knn:6"):
            default_spec(layer_of(geometry))
    with pytest.raises(DataError, match=r"2 LineString and 1 Polygon|1 Polygon and 2 LineString"):
        default_spec(layer_of([line, line, box]))
    for empty in ([None, None], [shapely.Polygon()]):
        with pytest.raises(DataError, match="no row has a geometry"):
            default_spec(layer_of(empty))


@pytest.mark.parametrize("spec", ["queen", "rook"])
def test_contiguity_needs_polygons(spec):
    with pytest.raises(DataError, match=r"need polygons, and here are 2 Point.*knn:6"):
        build_weights(layer_of([shapely.Point(0, 0), shapely.Point(1, 1)]), spec)
    areas = shapely.GeometryCollection([shapely.box(1, 0, 2, 1)])
    assert build_weights(layer_of([shapely.box(0, 0, 1, 1), areas]), spec).n_links == 2


# nearest, band, kernel


@st.composite
def crowds(draw):
    """Points on a coarse lattice: ties and coincident points everywhere."""
    n = draw(st.integers(3, 60))
    numbers = st.integers(0, draw(st.sampled_from([1, 4, 30])))
    return np.array(draw(st.lists(st.tuples(numbers, numbers), min_size=n, max_size=n)), dtype=float)


def nearest_by_hand(points, k):
    linked = []
    for i, point in enumerate(points):
        square = ((points - point) ** 2).sum(axis=1)
        others = sorted((square[j], j) for j in range(len(points)) if j != i)
        linked += [(i, j) for _, j in others[:k]]
    return linked


@given(crowds(), st.integers(1, 9), st.booleans())
def test_nearest_equal_brute_force_with_ties_by_row(points, k, by_tree):
    k = min(k, len(points) - 1)
    with pytest.MonkeyPatch.context() as patch:
        if by_tree:
            patch.setattr(nearest, "SMALL", 0)
        row, neighbor, distance = nearest_links(points, k)
    assert list(zip(row.tolist(), neighbor.tolist(), strict=True)) == nearest_by_hand(points, k)
    np.testing.assert_allclose(distance, np.linalg.norm(points[row] - points[neighbor], axis=1))


def test_many_units_at_one_place_do_not_swamp_the_search():
    points = np.repeat([[0.0, 0.0], [5.0, 5.0]], 20_000, axis=0)
    row, neighbor, distance = nearest_links(points, 3)
    assert (distance == 0).all()
    assert neighbor[:12].tolist() == [1, 2, 3, 0, 2, 3, 0, 1, 3, 0, 1, 2]
    assert neighbor[-3:].tolist() == [20_000, 20_001, 20_002]
    assert (np.bincount(row) == 3).all()


@pytest.mark.parametrize("n", [200, 1500])
def test_nearest_on_the_sphere_equal_haversine(n):
    degrees = around_the_globe(n)
    weights = build_weights(layer_of(shapely.points(degrees), "EPSG:4326"), "knn:5")
    metres = haversine(degrees)
    np.fill_diagonal(metres, np.inf)
    expected = np.sort(np.argsort(metres, axis=1)[:, :5], axis=1)
    np.testing.assert_array_equal(weights.indices.reshape(n, 5), expected)


@pytest.mark.parametrize("n", [200, 1500])
@pytest.mark.parametrize(
    ("text", "metres"), [("800km", 8e5), ("500mi", 500 * 1609.344), ("7", np.radians(7) * EARTH_RADIUS)]
)
def test_bands_on_the_sphere_equal_haversine(n, text, metres):
    degrees = around_the_globe(n, 1)
    weights = build_weights(layer_of(shapely.points(degrees), "EPSG:4326"), f"distance:{text}")
    near = haversine(degrees) <= metres
    np.fill_diagonal(near, False)
    np.testing.assert_array_equal(weights.to_scipy().toarray() != 0, near)
    assert weights.is_symmetric
    assert bool(weights.notes) == (text == "7")


@pytest.mark.parametrize("n", [300, 1500])
def test_bands_in_the_plane_include_their_edge(n):
    points = np.random.default_rng(2).integers(0, 40, (n, 2)).astype(float)
    first, second = band_links(points, 5.0)  # many pairs are exactly 5 apart (3-4-5)
    near = np.triu(((points[:, None] - points) ** 2).sum(axis=2) <= 25, 1)
    assert {*zip(first.tolist(), second.tolist(), strict=True)} == {
        *zip(*map(np.ndarray.tolist, np.nonzero(near)), strict=True)
    }


def test_band_units_follow_the_crs():
    points = shapely.points([[0, 0], [3000, 0], [7000, 0]])
    feet = build_weights(
        layer_of(points, "EPSG:3435"), "distance:1km"
    )  # US survey feet: 3281 to the kilometre
    assert feet.degree.tolist() == [1, 1, 0]
    assert build_weights(layer_of(points, "EPSG:32633"), "distance:3km").degree.tolist() == [1, 1, 0]
    assert build_weights(layer_of(points), "distance:4000").degree.tolist() == [1, 2, 1]
    with pytest.raises(DataError, match="no coordinate reference system"):
        build_weights(layer_of(points), "distance:4km")


def test_a_band_that_links_everybody_is_refused_before_memory_ends(monkeypatch):
    monkeypatch.setattr(nearest, "MOST_LINKS", 1000)
    with pytest.raises(DataError, match="999 neighbours each"):
        band_links(np.random.default_rng(0).random((1000, 2)), 10.0)


@pytest.mark.parametrize("function", ["gaussian", "triangular", "uniform", "quadratic", "quartic"])
def test_kernels_equal_libpysal(function):
    points = np.random.default_rng(4).random((60, 2))
    weights = build_weights(layer_of(shapely.points(points)), f"kernel:{function}:7")
    theirs = libpysal.weights.Kernel(points, fixed=False, k=7, function=function)
    matrix = theirs.full()[0]
    np.fill_diagonal(matrix, 0)
    np.testing.assert_allclose(weights.to_scipy().toarray(), matrix, atol=1e-9)
    assert (weights.degree == 7).all()


def test_kernels_fall_with_great_circle_distance_and_bear_coincident_points():
    degrees = np.array([[179.5, 0], [-179.5, 0], [178, 0], [0, 0], [0, 0], [0, 0]])
    weights = build_weights(layer_of(shapely.points(degrees), "EPSG:4326"), "kernel:triangular:2")
    dense = weights.to_scipy().toarray()
    assert dense[0, 1] == pytest.approx(1 - 1.0 / 1.5, abs=1e-6)
    assert dense[3].tolist() == [0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize("spec", ["knn:3", "kernel:uniform:3"])
def test_too_many_neighbours(spec):
    with pytest.raises(DataError, match="1 neighbour each cannot be found among 1 unit; add rows"):
        build_weights(layer_of([shapely.Point(0, 0)]), "knn:1")
    with pytest.raises(DataError, match="3 neighbours each cannot be found among 3 units; use at most 2"):
        build_weights(layer_of([*shapely.points(np.eye(3)[:, :2]), None]), spec)


# places


def test_places_of_units_cut_or_wrapped_at_the_antimeridian():
    cut = shapely.MultiPolygon([shapely.box(178, -1, 180, 1), shapely.box(-180, -1, -178, 1)])
    wrapped = shapely.Polygon([(178, -1), (-178, -1), (-178, 1), (178, 1)])
    beyond = shapely.box(178, -1, 182, 1)
    ring_of_ice = shapely.Polygon([(-180, -90), (180, -90), (180, -70), (-180, -70)])
    world = shapely.box(-180, -90, 180, 90)
    found = places(np.array([cut, wrapped, beyond, ring_of_ice, world]), geographic=True)
    np.testing.assert_allclose(found[:3], [[-1, 0, 0]] * 3, atol=1e-12)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1)
    crossing = shapely.LineString([(179, 0), (-179, 0)])
    np.testing.assert_allclose(places(np.array([crossing]), geographic=True), [[-1, 0, 0]], atol=1e-12)


def test_places_weigh_parts_by_area_and_follow_the_highest_dimension():
    both = shapely.MultiPolygon([shapely.box(0, 0, 2, 2), shapely.box(10, 0, 11, 1)])
    with_point = shapely.GeometryCollection([shapely.box(0, 0, 2, 2), shapely.Point(50, 50)])
    flat, sphere = (places(np.array([both, with_point]), geographic=kind) for kind in (False, True))
    longitude = np.degrees(np.arctan2(sphere[:, 1], sphere[:, 0]))
    latitude = np.degrees(np.arcsin(sphere[:, 2]))
    np.testing.assert_allclose(np.column_stack([longitude, latitude]), flat, atol=0.02)


def test_the_place_of_several_points_on_the_sphere_is_amid_them():
    angles = np.radians([0.0, 10.0, 50.0])
    found = places(np.array([shapely.MultiPoint([(0, 0), (10, 0), (50, 0)])]), geographic=True)
    middle = np.arctan2(np.sin(angles).sum(), np.cos(angles).sum())
    np.testing.assert_allclose(found, [[np.cos(middle), np.sin(middle), 0]], atol=1e-12)


def test_the_place_of_very_small_parts_is_amid_them_too():
    small = shapely.MultiPolygon([*shapely.box([0, 0.001], -5e-6, [1e-5, 0.00101], 5e-6)])
    x, y, z = places(np.array([small]), geographic=True)[0]
    assert np.degrees(np.arctan2(y, x)) == pytest.approx(0.000505, abs=1e-9)
    assert z == pytest.approx(0, abs=1e-12)


def test_what_is_wide_without_a_leap_stays_as_it_is():
    country = shapely.segmentize(shapely.box(-100, 50, 100, 60), 10)
    world = shapely.box(-180, -90, 180, 90)
    around = shapely.LineString([(170, 0), (-170, 0), (-160, 5)])  # this one leaps
    found = unwrapped(np.array([country, world, around]))
    assert found[0].equals_exact(country)
    assert found[1].equals_exact(world)
    assert shapely.get_coordinates(found[2])[:, 0].tolist() == [170, 190, 200]


def test_a_polygon_that_crosses_itself_still_has_its_place_inside():
    bow_tie = shapely.Polygon([(0, 0), (1, 1.0001), (1, 0), (0, 1)])  # its lobes cancel out almost to nothing
    assert not shapely.box(0, 0, 1, 1).contains(bow_tie.centroid)
    found = places(np.array([bow_tie]), geographic=False)
    assert shapely.box(0.4, 0.4, 0.6, 0.6).contains(shapely.Point(found[0]))


# rows without a place


def test_rows_without_geometry_have_no_neighbours_and_are_counted():
    squares = [
        shapely.box(0, 0, 1, 1),
        None,
        shapely.box(1, 0, 2, 1),
        shapely.Polygon(),
        shapely.box(2, 0, 3, 1),
    ]
    infinite = shapely.Polygon([(0, 0), (np.inf, 0), (1, 1)])
    layer = layer_of([*squares, infinite])
    for spec in ("queen", "rook", "knn:1", "distance:1.5", "kernel:uniform:1"):
        weights = build_weights(layer, spec)
        assert weights.degree[[1, 3, 5]].sum() == 0
        assert (weights.degree[[0, 2, 4]] > 0).all()
        assert weights.notes[0] == "3 of 6 rows have no geometry and so no neighbours: 2, 4, 6"
    with pytest.raises(DataError, match="no row has a geometry"):
        build_weights(layer_of([None, None]), "queen")


def test_snap_must_make_sense():
    layer = layer_of(shapely.box([0, 1], [0, 0], [1, 2], [1, 1]))
    for snap in (-1.0, np.nan, np.inf):
        with pytest.raises(UsageError, match="--snap"):
            build_weights(layer, "queen", snap=snap)
    with pytest.raises(UsageError, match="no meaning for knn:1"):
        build_weights(layer, "knn:1", snap=1.0)
    with pytest.raises(UsageError, match="is a file"):
        build_weights(layer, "w.gal")


# islands, components, hints


def test_collections_share_borders_if_all_in_them_are_areas():
    box, line = shapely.box(0, 0, 1, 1), shapely.LineString([(1, 0), (2, 0)])
    of_areas, of_lines = shapely.GeometryCollection([box]), shapely.GeometryCollection([line])
    beside = shapely.box(1, 0, 2, 1)
    assert build_weights(layer_of([of_areas, beside]), "queen").n_components == 1
    with pytest.raises(DataError, match="need polygons, and here are 1 GeometryCollection"):
        build_weights(layer_of([of_lines, beside]), "queen")


@pytest.mark.parametrize("spec", ["queen", "rook"])
def test_a_gap_is_hinted_at_and_the_hint_closes_it(spec):
    layer = layer_of(shapely.box([0, 1.0013, 9], [0, 0, 0], [1, 2, 10], [1, 1, 1]))
    weights = build_weights(layer, spec, names=np.array(["left", "right", "far"], dtype=object))
    assert weights.notes == (
        "left and right are in separate components, 0.0013 map units apart; --snap 0.0014 would join them",
    )
    closed = build_weights(layer, spec, snap=0.0014)
    assert closed.n_components == 2
    assert not closed.notes


def test_a_gap_is_hinted_at_where_it_is_all_that_parts_the_layer():
    (note,) = build_weights(layer_of(shapely.box([0, 1.0013], [0, 0], [1, 2], [1, 1])), "queen").notes
    assert "--snap 0.0014 would join them" in note


def test_corners_with_gaps_between_are_no_hint_for_sides():
    """However many there are."""
    at = 1.001 * np.arange(25)
    layer = layer_of(shapely.box(at, at, at + 1, at + 1))
    assert "would join them" in build_weights(layer, "queen").notes[0]
    assert build_weights(layer, "rook").notes == ()


def test_polygons_without_area_have_no_gap_that_could_be_meant():
    lines = np.array([shapely.Polygon([(x, 0), (x, 1), (x, 0)]) for x in (0, 0.5)])
    assert len(narrow_gaps(lines, np.array([0, 1])).distance) == 0


def test_distances_about_the_very_pole_are_great_circles():
    both = shapely.points([[20.0, 89.0], [-130.0, 88.5]])
    found = _SphereSearch(both)._measure(0, 1, np.array([0.0, 0.0, 1.0]))
    assert found == pytest.approx(haversine(np.array([[20.0, 89.0], [-130.0, 88.5]]))[0, 1], rel=2e-4)


def test_the_way_across_from_a_corner_meets_a_border_between_the_points_it_is_cut_into():
    corner, away = np.array([1.0625, 0.5625]), np.radians(0.0625)  # half a piece of the border beside it
    tip = shapely.Polygon(corner + np.array([[0, 0], [0.5, 0.5], [1, 0], [0.5, -0.5]]))
    found = ways_across(np.array([shapely.box(0, 0, 1, 1), tip]), np.array([0, 1]), geographic=True)
    to_the_meridian = np.arcsin(np.sin(away) * np.cos(np.radians(corner[1]))) * EARTH_RADIUS
    assert found.distance.tolist() == pytest.approx([to_the_meridian], rel=1e-4)


def test_real_water_gets_no_hint():
    assert not build_weights(layer_of(shapely.box([0, 1.5], [0, 0], [1, 2.5], [1, 1])), "queen").notes


def archipelago(seed=0, n=40):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 100, (2, n)).round()
    return shapely.box(x, y, x + rng.integers(1, 9, n), y + rng.integers(1, 9, n))


@pytest.mark.parametrize("seed", range(5))
def test_joining_leaves_one_component_by_shortest_links(seed):
    layer = layer_of(archipelago(seed))
    weights = build_weights(layer, "queen")
    assert weights.n_components > 3
    joined = join_islands(layer, weights, "nearest", layer.names())
    assert joined.n_components == 1
    assert joined.is_symmetric
    assert len(joined.added) == weights.n_components - 1
    assert sum(note.startswith("joined") for note in joined.notes) == len(joined.added)
    table = shapely.distance(layer.geometry[:, None], layer.geometry.copy())
    for a, b, distance in joined.added:
        assert distance == pytest.approx(table[a, b])
    # joining each component to its nearest, until one is left, is a shortest tree between components
    tree = scipy.sparse.csgraph.minimum_spanning_tree(table + 1)  # SciPy takes 0 for no link
    assert sum(distance for *_, distance in joined.added) == pytest.approx(tree.sum() - len(table) + 1)
    kept = dict.fromkeys(zip(weights.row.tolist(), weights.indices.tolist(), strict=True))
    assert kept.keys() <= set(zip(joined.row.tolist(), joined.indices.tolist(), strict=True))


def test_joining_goes_by_great_circle_across_the_antimeridian():
    squares = shapely.box([178, -179, 160, 175], [60, 60, 60, 10], [179, -178, 161, 176], [61, 61, 61, 11])
    layer = layer_of(squares, "EPSG:4326")
    joined = join_islands(layer, build_weights(layer, "queen"), "nearest", layer.names())
    links = {(a, b): distance for a, b, distance in joined.added}
    # due east and west between meridians 2 degrees apart, shortest at the poleward corners
    corner = haversine(np.array([[179.0, 61.0], [181.0, 61.0]]))[0, 1]
    assert links[0, 1] == pytest.approx(corner, rel=1e-4)
    assert joined.n_components == 1


def test_great_circle_joins_meet_edges_and_not_only_vertices():
    wide = shapely.box(0, 0, 20, 1)  # its long edge has no vertex near longitude 10
    island = shapely.box(10, 1.5, 10.1, 1.6)
    layer = layer_of([wide, island], "EPSG:4326")
    joined = join_islands(layer, build_weights(layer, "queen"), "nearest", layer.names())
    assert joined.added[0][2] == pytest.approx(np.radians(0.5) * EARTH_RADIUS, rel=1e-3)
    assert joined.notes[-1].endswith(" m apart")


@pytest.mark.parametrize("spec", ["knn:1", "distance:1"])
def test_points_are_joined_too(spec):
    points = np.random.default_rng(1).uniform(0, 50, (30, 2))
    for crs in (None, "EPSG:4326"):
        layer = layer_of(shapely.points(points), crs)
        joined = join_islands(layer, build_weights(layer, spec), "nearest", layer.names())
        assert joined.n_components == 1


def test_policies_on_islands():
    layer = layer_of([*shapely.box([0, 1, 5, 6, 20], 0, [1, 2, 6, 7, 21], 1), None])
    names = np.array(list("abcdef"), dtype=object)
    weights = build_weights(layer, "queen")
    kept = join_islands(layer, weights, "keep", names)
    assert kept.notes[-2:] == (
        "2 units have no neighbours: e, f",
        "the weights fall into 4 separate components; apart from the largest of 2 units: 2 units (c, d)",
    )
    np.testing.assert_array_equal(kept.indices, weights.indices)
    with pytest.raises(DataError, match=r"2 units have no neighbours: e, f.*--islands nearest"):
        join_islands(layer, weights, "error", names)
    with pytest.raises(UsageError, match="use keep, nearest, error"):
        join_islands(layer, weights, "drop", names)
    joined = join_islands(layer, weights, "nearest", names)
    assert [(a, b) for a, b, _ in joined.added] == [(1, 2), (3, 4)]
    assert joined.notes[-1] == "1 rows without a geometry could not be joined to anything"
    whole = build_weights(layer_of(shapely.box([0, 1], 0, [1, 2], 1)), "queen")
    for policy in ("keep", "nearest", "error"):
        assert join_islands(layer, whole, policy, names[:2]) is whole


def test_of_many_components_four_are_named_and_the_others_counted():
    left = np.array([0, 1, 2, *(10 * pair + step for pair in range(1, 7) for step in (0, 1))])
    names = np.array([f"u{x}" for x in left], dtype=object)
    layer = layer_of(shapely.box(left, 0, left + 1, 1))
    assert join_islands(layer, build_weights(layer, "queen"), "keep", names).notes[-1] == (
        "the weights fall into 7 separate components; apart from the largest of 3 units: 2 units (u10, u11), "
        "2 units (u20, u21), 2 units (u30, u31), 2 units (u40, u41) and 2 more"
    )


def test_real_islands_are_counted(shared_data):
    frame = geopandas.read_file(shared_data("messy/scotlip/scotlip.shp"))
    layer = Layer.from_frame(frame)
    weights = build_weights(layer, "queen")
    assert (len(weights.islands), weights.n_components) == (3, 4)
    assert join_islands(layer, weights, "nearest", layer.names()).n_components == 1
    frame = geopandas.read_file(shared_data("brazil/municipalities.gpkg"))
    brazil, names = Layer.from_frame(frame), frame["name"].to_numpy(dtype=object)
    weights = build_weights(brazil, "queen")
    assert set(names[weights.islands]) == {"Fernando de Noronha", "Ilhabela"}  # islands in the sea, both
    assert weights.n_components == 3
    joined = join_islands(brazil, weights, "nearest", names)
    assert joined.n_components == 1
    links = {frozenset(names[[a, b]]): distance for a, b, distance in joined.added}
    mainland = frozenset(["Ilhabela", "São Sebastião"])  # across the channel, some 2 km
    assert 1000 < links[mainland] < 5000


# description, symmetry, libpysal


def test_description():
    layer = layer_of(shapely.box([0, 1, 2, 9], 0, [1, 2, 3, 10], 1))
    found = describe_weights(build_weights(layer, "queen"), np.array(list("abcd"), dtype=object))
    assert found == {
        "kind": "queen",
        "n": 4,
        "links": 4,
        "min_degree": 0,
        "mean_degree": 1.0,
        "max_degree": 2,
        "degrees": {0: 1, 1: 2, 2: 1},
        "islands": ["d"],
        "components": [{"size": 3, "first": "a"}, {"size": 1, "first": "d"}],
        "symmetric": True,
        "added": [],
    }


def test_description_of_nothing():
    none = Weights.from_links(0, np.zeros(0, int), np.zeros(0, int), kind="queen")
    found = describe_weights(none, np.zeros(0, dtype=object))
    assert [found[key] for key in ("n", "links", "min_degree", "mean_degree", "max_degree")] == [0] * 5
    assert (found["degrees"], found["islands"], found["components"]) == ({}, [], [])


@pytest.mark.parametrize("how", ["union", "mutual"])
def test_symmetrize_equals_matrix_algebra(how):
    points = np.random.default_rng(3).random((50, 2))
    weights = build_weights(layer_of(shapely.points(points)), "knn:4")
    dense = weights.to_scipy().toarray()
    expected = np.maximum(dense, dense.T) if how == "union" else np.minimum(dense, dense.T)
    made = symmetrize(weights, how)
    np.testing.assert_array_equal(made.to_scipy().toarray(), expected)
    assert made.is_symmetric
    with pytest.raises(UsageError, match="union or mutual"):
        symmetrize(weights, "both")


@given(
    st.integers(1, 12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.floats(0, 9)), max_size=30),
    st.randoms(),
)
def test_graph_there_and_back(n, links, random):
    row, neighbor = (np.array([link[end] % n for link in links], dtype=np.int64) for end in (0, 1))
    weights = Weights.from_links(n, row, neighbor, np.array([link[2] for link in links]), kind="example")
    names = [f"unit {i}" for i in range(n)]
    random.shuffle(names)
    graph = weights.to_graph(names)
    assert graph.unique_ids.tolist() == names
    silent = np.bincount(weights.row, weights.values, n) == 0  # libpysal's isolates: nothing weighs anything
    assert set(graph.isolates) == {names[i] for i in np.flatnonzero(silent)}
    back = Weights.from_graph(graph)
    for part in ("indptr", "indices", "values"):
        np.testing.assert_array_equal(getattr(back, part), getattr(weights, part))
    assert weights.to_graph().unique_ids.tolist() == list(range(n))


@pytest.mark.parametrize("spec", ["queen", "knn:4", "distance:2", "kernel:gaussian:4"])
def test_small_layers_load_nothing_heavy(spec):
    script = f"""
import sys
import pyarrow, shapely
from regionalize.model.layer import Layer
from regionalize.weights import build_weights, describe_weights, join_islands
shapes = shapely.box(range(200), 0, range(1, 201), 1)
rows = pyarrow.Table.from_arrays([pyarrow.nulls(200)], ["nothing"])
layer = Layer(rows, None, None, shapes=shapes)
weights = join_islands(layer, build_weights(layer, "{spec}"), "nearest", layer.names())
assert describe_weights(weights, layer.names())["n"] == 200
heavy = "pandas", "geopandas", "scipy", "numba", "libpysal", "sklearn"
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
