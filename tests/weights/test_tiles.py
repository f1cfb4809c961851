"""Neighbours by tiles against those of the whole layer, for any layer in any tiles."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regionalize.model.layer import Layer
from regionalize.model.tile_links import TileLinks, joined_links
from regionalize.weights import build_weights, contiguity, nearest
from regionalize.weights import tiles as by_tiles
from regionalize.weights.build import usable
from regionalize.weights.places import places
from regionalize.weights.tiles import (
    Nearest,
    apart,
    by_distance,
    contiguity_of_tile,
    nearer,
    nearest_tile,
    nearest_within,
    outline,
    points_outline,
    rows_seen,
    tiles_meeting,
    unit_boxes,
    within_reach,
)

REAL = {
    "guerry/Guerry.shp": 7,
    "natregimes/natregimes.shp": 9,
    "messy/liverpool/liverpool_lsoa.geojson": 5,
    "messy/nyc/nyc.shp": 3,
    "messy/nyc_tracts/NYC_Tract_ACS2008_12.shp": 6,
    "messy/scotlip/scotlip.shp": 4,
    "messy/tokyo/tokyomet262a.shp": 6,
    "brazil/municipalities.gpkg": 8,
    "england/lsoa_imd2019.gpkg": 6,
}
"""Layers, and the tiles they are tried in."""


def layer_of(geometry, crs=None):
    return Layer.from_frame(geopandas.GeoDataFrame(geometry=np.asarray(geometry, dtype=object), crs=crs))


def contiguity_by_tiles(geometry, tiles, rook=False, snap=0.0):
    """Send every tile through the functions, as a driver does; return the links of each."""
    boxes = [unit_boxes(geometry[rows]) for rows in tiles]
    found = []
    meeting = tiles_meeting(np.array([outline(tile) for tile in boxes]), snap)
    for number, rows in enumerate(tiles):
        halo = [tiles[other][rows_seen(boxes[other], boxes[number], snap)] for other in meeting[number]]
        halo = np.concatenate([np.empty(0, dtype=np.int64), *halo])
        found.append(contiguity_of_tile(geometry[rows], rows, geometry[halo], halo, rook=rook, snap=snap))
    return found


def nearest_by_tiles(geometry, tiles, k, kernel=None, geographic=False):
    placed = [np.flatnonzero(usable(geometry[rows])) for rows in tiles]
    points = [
        places(geometry[rows[at]], geographic=geographic) for rows, at in zip(tiles, placed, strict=True)
    ]
    numbers = [rows[at] for rows, at in zip(tiles, placed, strict=True)]
    corners = np.array([points_outline(tile) for tile in points])
    links = []
    for tile, rows in enumerate(tiles):
        found = nearest_within(points[tile], numbers[tile], k)
        for other in by_distance(corners, tile):
            found = nearer(points[tile], numbers[tile], found, points[other], numbers[other])
        links.append(nearest_tile(len(rows), placed[tile], found, kernel=kernel, sphere=geographic))
    return links


def put_together(tiles, links):
    """Return all links as (row, neighbour) to weight, by row numbers of the layer."""
    together = {}
    for rows, tile in zip(tiles, links, strict=True):
        assert len(tile) == len(rows)
        values = np.ones(len(tile.neighbor)) if tile.values is None else tile.values
        for position in range(len(rows)):
            of_row = tile.neighbor[tile.indptr[position] : tile.indptr[position + 1]]
            assert (np.diff(of_row) > 0).all()
        pairs = zip(rows[tile.row].tolist(), tile.neighbor.tolist(), values.tolist(), strict=True)
        for row, neighbor, value in pairs:
            assert (row, neighbor) not in together
            together[row, neighbor] = value
    return together


def as_links(weights):
    pairs = zip(weights.row.tolist(), weights.indices.tolist(), weights.values.tolist(), strict=True)
    return {(row, neighbor): value for row, neighbor, value in pairs}


def split(n, count, how, seed=0):
    """Cut rows 0 … n - 1 into tiles: runs, interleaved, at random and out of order; some may be empty."""
    rows, rng = np.arange(n), np.random.default_rng(seed)
    if how == "runs":
        return np.array_split(rows, count)
    if how == "interleaved":
        return [rows[start::count] for start in range(count)]
    if how == "single":
        return [rows[:1], rows[:0], rows[1:]]
    tile = rng.integers(0, count, n)
    return [rng.permutation(rows[tile == number]) for number in range(count)]


HOW = ("runs", "interleaved", "random", "single")


@st.composite
def hostile_layers(draw):
    """Squares on a lattice with all that goes wrong: overlaps, doubles, holes, bow ties, gaps, nothing."""
    n = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rough = draw(st.sampled_from([0.0, 2.0**-45, 0.2]))
    kinds = ["box"] * 8 + [
        "tie",
        "hole",
        "outside",
        "two",
        "cover",
        "inner",
        "collection",
        "none",
        "empty",
        "nan",
    ]
    units = []
    for _ in range(n):
        kind = draw(st.sampled_from(kinds))
        x, y = rng.integers(0, 6, 2) + rng.normal(0, 1, 2) * rough
        box = shapely.box(x, y, x + 1, y + 1)
        if kind == "tie":
            box = shapely.Polygon([(x, y), (x + 1, y + 1), (x + 1, y), (x, y + 1)])
        elif kind == "hole":
            box = shapely.Polygon(
                shapely.box(x, y, x + 2, y + 2).exterior,
                [shapely.box(x + 0.5, y + 0.5, x + 1.5, y + 1.5).exterior],
            )
        elif kind == "outside":  # a hole that becomes area when it is repaired
            box = shapely.Polygon(box.exterior, [shapely.box(x + 3, y, x + 4, y + 1).exterior])
        elif kind == "two":  # parts that may overlap, so that it is invalid
            far = rng.integers(0, 4, 2)
            box = shapely.MultiPolygon(
                [box, shapely.box(x + far[0], y + far[1], x + far[0] + 1, y + far[1] + 1)]
            )
        elif kind == "cover":
            box = shapely.box(x - 1, y - 1, x + 4, y + 3)
        elif kind == "inner":
            box = shapely.box(x + 0.25, y + 0.25, x + 0.75, y + 0.75)
        elif kind == "collection":
            box = shapely.GeometryCollection([box, shapely.box(x + 1, y + 1, x + 2, y + 2)])
        elif kind in {"none", "empty"}:
            box = None if kind == "none" else shapely.Polygon()
        elif kind == "nan":
            with np.errstate(invalid="ignore"):
                box = shapely.Polygon([(x, y), (np.nan, y), (x, y + 1)])
        units.append(box)
    layer = np.empty(n, dtype=object)
    layer[:] = units
    return layer


@settings(max_examples=150)
@given(
    hostile_layers(),
    st.integers(1, 7),
    st.sampled_from(HOW),
    st.booleans(),
    st.sampled_from([0.0, 1e-9, 0.25, 1.0]),
)
def test_contiguity_in_tiles_is_that_of_the_layer(layer, count, how, rook, snap):
    if not usable(layer).any():
        return
    tiles = split(len(layer), count, how, seed=count)
    whole = build_weights(layer_of(layer), "rook" if rook else "queen", snap=snap)
    assert put_together(tiles, contiguity_by_tiles(layer, tiles, rook, snap)) == as_links(whole)


@pytest.mark.parametrize("how", ["runs", "random"])
@pytest.mark.parametrize("path", REAL)
def test_contiguity_of_real_layers_in_pieces(shared_data, path, how):
    geometry = np.asarray(geopandas.read_file(shared_data(path)).geometry.values)
    tiles = split(len(geometry), REAL[path], how)
    for rook in (False, True):
        if rook and len(geometry) > 10_000:
            continue  # none of its borders match, and GEOS takes long to say so
        whole = build_weights(layer_of(geometry), "rook" if rook else "queen")
        assert put_together(tiles, contiguity_by_tiles(geometry, tiles, rook)) == as_links(whole)


@pytest.mark.parametrize("path", ["messy/nyc/nyc.shp", "messy/tokyo/tokyomet262a.shp"])
@pytest.mark.parametrize("rook", [False, True])
def test_snap_across_tiles_of_real_layers(shared_data, path, rook):
    geometry = np.asarray(geopandas.read_file(shared_data(path)).geometry.values)
    snap = float(np.sqrt(np.median(shapely.area(geometry))) / 20)
    whole = build_weights(layer_of(geometry), "rook" if rook else "queen", snap=snap)
    for how in HOW:
        tiles = split(len(geometry), 5, how)
        assert put_together(tiles, contiguity_by_tiles(geometry, tiles, rook, snap)) == as_links(whole)


def test_the_decision_on_a_pair_does_not_hang_on_who_else_is_asked(monkeypatch):
    """Pairs are asked in blocks of units, and invalid units repaired where that may matter to the pair."""
    rng = np.random.default_rng(5)
    rings = rng.integers(0, 6, (120, 6, 2)) + rng.normal(0, 0.1, (120, 6, 2))
    layer = np.array([shapely.Polygon(ring) for ring in rings])  # nearly all cross themselves
    whole = as_links(build_weights(layer_of(layer), "queen"))
    for block in (1, 7, 50):
        monkeypatch.setattr(contiguity, "BLOCK", block)
        assert as_links(build_weights(layer_of(layer), "queen")) == whole
    for late in range(0, 120, 7):
        for early in range(late):
            alone = contiguity.contiguity_links(layer[[early, late]])
            assert bool(len(alone[0])) == ((late, early) in whole)


def test_the_halo_is_who_may_be_a_neighbour_and_nobody_else():
    """Of tiles that cover each other wholly, only those beside own rows are seen."""
    x, y = np.divmod(np.arange(900), 30)
    boxes = shapely.bounds(shapely.box(x, y, x + 1, y + 1))
    corner = np.flatnonzero((x < 3) & (y < 3))
    rest = np.setdiff1d(np.arange(900), corner)
    around = np.flatnonzero((x < 4) & (y < 4))
    assert rest[rows_seen(boxes[rest], boxes[corner])].tolist() == np.setdiff1d(around, corner).tolist()
    wide = np.flatnonzero((x < 5) & (y < 5))
    assert set(np.setdiff1d(wide, corner)) <= set(rest[rows_seen(boxes[rest], boxes[corner], snap=1.0)])


def test_rows_between_a_tile_s_own_and_beside_none_of_them_are_not_seen():
    """The box around a tile holds them; no unit's own box does."""
    own = np.array([[0.0, 0, 1, 1], [9, 9, 10, 10]])
    between = np.array([[2.0, 2, 3, 3], [4, 4, 5, 5], [6, 6, 7, 7]])
    assert rows_seen(between, own).tolist() == []
    assert rows_seen(between, own, snap=0.4).tolist() == []
    assert rows_seen(between, own, snap=1.0).tolist() == [0, 2]


def test_halos_in_blocks_are_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 20, (500, 2))
    boxes = np.hstack([low, low + rng.uniform(0, 2, (500, 2))])
    boxes[::17] = np.nan
    expected = [
        other
        for other in range(0, 500, 2)
        if any(
            (boxes[other, :2] <= boxes[own, 2:]).all() and (boxes[other, 2:] >= boxes[own, :2]).all()
            for own in range(1, 500, 4)
        )
    ]
    monkeypatch.setattr(by_tiles, "BLOCK", 11)
    assert (2 * rows_seen(boxes[::2], boxes[1::4])).tolist() == expected


def test_tiles_without_a_place_see_nobody():
    nothing = np.full((3, 4), np.nan)
    some = np.array([[0.0, 0, 1, 1]])
    assert np.isnan(outline(nothing)).all()
    assert np.isnan(outline(nothing[:0])).all()
    assert (
        len(rows_seen(nothing, some)) == len(rows_seen(some, nothing)) == len(rows_seen(some[:0], some)) == 0
    )
    assert [len(met) for met in tiles_meeting(np.array([outline(nothing), outline(some)]))] == [0, 0]
    empty = np.empty(0, dtype=object), np.empty(0, dtype=np.int64)
    assert len(contiguity_of_tile(*empty, *empty)) == 0


@st.composite
def crowds(draw):
    """Points on a coarse lattice: ties and coincident points everywhere, some missing."""
    n = draw(st.integers(2, 60))
    numbers = st.integers(0, draw(st.sampled_from([1, 4, 30])))
    points = shapely.points(draw(st.lists(st.tuples(numbers, numbers), min_size=n, max_size=n)))
    for row in draw(st.lists(st.integers(0, n - 1), max_size=3)):
        points[row] = None
    return points


@settings(max_examples=150)
@given(crowds(), st.integers(1, 7), st.integers(1, 7), st.sampled_from(HOW), st.booleans())
def test_nearest_in_tiles_are_those_of_the_layer(layer, k, count, how, by_tree):
    k = min(k, int(usable(layer).sum()) - 1)
    if k < 1:
        return
    with pytest.MonkeyPatch.context() as patch:
        if by_tree:
            patch.setattr(nearest, "SMALL", 0)
        tiles = split(len(layer), count, how, seed=k)
        links = put_together(tiles, nearest_by_tiles(layer, tiles, k))
        assert links == as_links(build_weights(layer_of(layer), f"knn:{k}"))


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("spec", ["knn:6", "kernel:gaussian:4"])
@pytest.mark.parametrize(
    "path", ["guerry/Guerry.shp", "brazil/municipalities.gpkg", "messy/tokyo/tokyomet262a.shp"]
)
def test_nearest_of_real_layers_in_pieces(shared_data, path, spec, how):
    frame = geopandas.read_file(shared_data(path))
    layer = Layer.from_frame(frame)
    kind, *function, k = spec.split(":")
    tiles = split(len(layer), 6, how)
    links = nearest_by_tiles(layer.geometry, tiles, int(k), *function, geographic=layer.is_geographic)
    found, whole = put_together(tiles, links), as_links(build_weights(layer, spec))
    assert found.keys() == whole.keys()
    assert (found == whole) or kind == "kernel"
    np.testing.assert_allclose([found[key] for key in whole], list(whole.values()), rtol=1e-12)


def test_a_crowd_at_one_place_goes_by_row_number_across_tiles():
    layer = np.repeat(shapely.points([[0.0, 0.0], [5.0, 5.0]]), 2_000)
    tiles = split(len(layer), 5, "random")
    links = put_together(tiles, nearest_by_tiles(layer, tiles, 3))
    nearest = {0: [1, 2, 3], 2: [0, 1, 3], 1999: [0, 1, 2]}
    for row, others in nearest.items():
        assert sorted(other for start, other in links if start == row) == others
    assert sorted(pair for pair in links if pair[0] == 3999) == [(3999, 2000), (3999, 2001), (3999, 2002)]


@example(0.1, 0.3)
@given(st.floats(0, 1), st.floats(0, 1))
def test_no_tile_within_reach_is_passed_over(x, y):
    """A unit exactly as far as the reach is near, however the distance is rounded."""
    corner = np.array([[3.0, 4.0], [9.0, 9.0]])
    point = np.array([[x, y]])
    reach = np.hypot(3 - x, 4 - y)
    assert within_reach(point, np.array([reach]), corner).all()
    assert not within_reach(point, np.array([reach * (1 - 1e-9)]), corner).any()


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(1, 8))
def test_tiles_are_asked_by_the_distance_of_their_outlines(seed, count):
    """By distances of boxes as GEOS measures them: a search that ends at the first too far misses nobody."""
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.uniform(-9, 9, (count, 2, 2)), axis=1)
    boxes = shapely.box(*corners.reshape(-1, 4).T)
    corners[rng.random(count) < 0.2] = np.nan  # tiles without a place
    placed = np.flatnonzero(~np.isnan(corners[:, 0, 0]))
    for tile in placed:
        order = by_distance(corners, tile)
        assert sorted(order.tolist()) == np.setdiff1d(placed, tile).tolist()
        far = shapely.distance(boxes[tile], boxes[order])
        assert (np.diff(far) >= -1e-9).all()
        found = np.array([apart(corners[tile], corners[other]) for other in order])
        np.testing.assert_allclose(found, far, atol=1e-12)
        assert (found <= far + 1e-12).all()


def test_few_rows_leave_places_open():
    """Whoever asks knows that the layer is too small for k: there are neighbours that nobody is."""
    point, none = np.zeros((1, 2)), np.empty((0, 2))
    found = nearest_within(point, np.array([7]), 2)
    assert np.isinf(found.reach).all()
    nobody = [by_tiles.NOBODY] * 2
    three = nearest_within(np.array([[0.0, 0], [1, 0], [3, 0]]), np.array([4, 7, 9]), 4)
    assert three.neighbor.tolist() == [[7, 9, *nobody], [4, 9, *nobody], [7, 4, *nobody]]
    assert np.isinf(three.reach).all()
    found = nearer(point, np.array([7]), found, np.ones((1, 2)), np.array([3]))
    assert found.neighbor.tolist() == [[3, by_tiles.NOBODY]]
    assert nearer(point, np.array([7]), found, none, np.empty(0, dtype=np.int64)) is found
    assert len(nearest_within(none, np.empty(0, dtype=np.int64), 2).neighbor) == 0
    assert isinstance(Nearest.nobody(0, 3), Nearest)


def test_links_of_tiles_make_the_weights_of_the_layer(shared_data):
    geometry = np.asarray(geopandas.read_file(shared_data("guerry/Guerry.shp")).geometry.values)
    tiles = split(len(geometry), 4, "runs")
    whole = build_weights(layer_of(geometry), "queen")
    joined = joined_links(contiguity_by_tiles(geometry, tiles), "queen")
    for one, other in ((joined.indptr, whole.indptr), (joined.indices, whole.indices)):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(joined.values, whole.values)


def test_the_halo_of_links():
    tile = TileLinks.from_links(3, np.array([0, 2, 2, 2]), np.array([11, 10, 4, 25]))
    assert tile.indptr.tolist() == [0, 1, 1, 4]
    assert tile.neighbor.tolist() == [11, 4, 10, 25]
    assert tile.beyond(10).tolist() == [4, 25]
    assert len(joined_links([], "queen")) == 0
