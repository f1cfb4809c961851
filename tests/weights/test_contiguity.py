"""Contiguity against GEOS, pair by pair, on clean, messy and hostile layers."""

import geopandas
import libpysal.graph
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from regionalize.kernels import contiguity as kernel
from regionalize.weights import contiguity
from regionalize.weights.contiguity import contiguity_links

LAYERS = {
    "guerry/Guerry.shp": "clean",
    "natregimes/natregimes.shp": "clean",
    "chi_sdoh/Chi-SDOH.shp": "messy",
    "chicago_cca/Chicago_2020_sdoh.shp": "messy",
    "messy/liverpool/liverpool_lsoa.geojson": "messy",
    "messy/nyc/nyc.shp": "messy",
    "messy/nyc_tracts/NYC_Tract_ACS2008_12.shp": "messy",
    "messy/scotlip/scotlip.shp": "messy",
    "messy/tokyo/tokyomet262a.shp": "messy",
    "brazil/municipalities.gpkg": "messy",
    "england/lsoa_imd2019.gpkg": "messy",
}


def pairs(links):
    return list(zip(*(ends.tolist() for ends in links), strict=True))


def repaired(geometry):
    geometry = np.array(geometry, dtype=object)
    bad = ~(shapely.is_valid(geometry) | shapely.is_missing(geometry))
    geometry[bad] = shapely.make_valid(geometry[bad])
    return geometry


def queen_by_geos(geometry):
    geometry = repaired(geometry)
    first, second = shapely.STRtree(geometry).query(geometry, predicate="intersects")
    return sorted((int(i), int(j)) for i, j in zip(first, second, strict=True) if i < j)


def rook_by_geos(geometry):
    """Dimension of the intersection itself, an overlay and not a predicate."""
    geometry = repaired(geometry)
    linked = []
    for i, j in queen_by_geos(geometry):
        parts = [shapely.get_parts(shapely.get_parts(geometry[unit])) for unit in (i, j)]
        meet = [shapely.intersection(a, b) for a in parts[0] for b in parts[1]]
        if shapely.length(meet).max() > 0:  # of an area, the length of its rim
            linked.append((i, j))
    return linked


@pytest.mark.parametrize("path", LAYERS)
def test_queen_equals_intersects_on_real_layers(shared_data, path):
    geometry = np.asarray(geopandas.read_file(shared_data(path)).geometry.values)
    assert pairs(contiguity_links(geometry)) == queen_by_geos(geometry)


@pytest.mark.parametrize("path", [path for path in LAYERS if "england" not in path and "brazil" not in path])
def test_rook_equals_dimension_of_intersection_on_real_layers(shared_data, path):
    geometry = np.asarray(geopandas.read_file(shared_data(path)).geometry.values)
    linked, overlay = set(pairs(contiguity_links(geometry, rook=True))), set(rook_by_geos(geometry))
    assert overlay == linked


@pytest.mark.parametrize("rook", [False, True])
@pytest.mark.parametrize("path", [path for path, state in LAYERS.items() if state == "clean"])
def test_equal_to_libpysal_on_clean_layers(shared_data, path, rook):
    frame = geopandas.read_file(shared_data(path))
    graph = libpysal.graph.Graph.build_contiguity(frame, rook=rook)
    expected = {(i, j) for i, j in graph.adjacency[graph.adjacency != 0].index if i < j}
    assert set(pairs(contiguity_links(np.asarray(frame.geometry.values), rook=rook))) == expected


@st.composite
def messy_layers(draw):
    """A grid drawn badly: jitter, dropped and extra vertices, overlaps, duplicates, holes, slivers, gaps."""
    size = draw(st.integers(2, 5))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    rough = draw(st.sampled_from([0.0, 0.1, 0.3]))
    corner = rng.normal(0, rough, (size + 1, size + 1, 2)) + np.stack(
        np.mgrid[: size + 1, : size + 1], axis=-1
    )
    if draw(st.booleans()):
        corner = np.round(corner * 4) / 4 - 2.0  # on a lattice, exactly, around zero
    cells = []
    for i in range(size):
        for j in range(size):
            ring = [corner[i, j], corner[i + 1, j], corner[i + 1, j + 1], corner[i, j + 1]]
            fault = draw(
                st.sampled_from(
                    ["none"] * 6 + ["drop", "middle", "noise", "shift", "repeat", "hole", "minus"]
                )
            )
            if fault == "drop":
                ring = ring[:3]
            elif fault == "middle":  # a vertex the neighbour does not have
                ring.insert(1, (ring[0] + ring[1]) / 2)
            elif fault == "noise":  # borders differ in the last bits
                ring = [point * (1 + 2**-52) for point in ring]
            elif fault == "shift":
                ring = [point + rng.choice([0.25, 0.5, -0.5], 2) for point in ring]
            elif fault == "repeat":
                ring.insert(1, ring[1])
            elif fault == "minus":
                ring = [np.where(point == 0, -0.0, point) for point in ring]
            if draw(st.booleans()):
                ring = ring[::-1]
            holes = []
            if fault == "hole":
                middle = np.mean(ring, axis=0)
                holes = [[middle + 0.3 * (np.array(point) - middle) for point in ring]]
                if draw(st.booleans()):
                    cells.append(shapely.Polygon(holes[0]))
            cells.append(shapely.Polygon(ring, holes))
    extra = draw(
        st.lists(
            st.sampled_from(["copy", "merge", "cover", "tie", "far", "null", "empty", "sheet"]), max_size=4
        )
    )
    for kind in extra:
        one, two = (cells[k] for k in rng.integers(0, len(cells), 2))
        if kind == "copy":
            cells.append(one)
        elif kind == "merge":  # a multipart unit, possibly invalid
            parts = [part for cell in (one, two) for part in shapely.get_parts(cell) if part is not None]
            cells.append(shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"]))
        elif kind == "cover":
            cells.append(shapely.box(*(rng.uniform(-2, 3, 2)), *(rng.uniform(1, 5, 2))))
        elif kind == "tie":  # a bow tie: invalid
            x, y = rng.integers(-2, 4, 2)
            cells.append(shapely.Polygon([(x, y), (x + 1, y + 1), (x + 1, y), (x, y + 1)]))
        elif kind == "far":
            cells.append(shapely.box(90, 90, 91, 91))
        elif kind == "null":
            cells.append(None)
        elif kind == "empty":
            cells.append(shapely.Polygon())
        elif kind == "sheet":  # a second fabric over the first, its inner polygons all sharing their edges
            cells += [
                shapely.box(x, y, x + 0.75, y + 0.75) for x in (0, 0.75, 1.5, 2.25) for y in (0, 0.75, 1.5)
            ]
    layer = np.empty(len(cells), dtype=object)
    layer[:] = cells
    return layer[rng.permutation(len(layer))]


@settings(max_examples=200)
@given(messy_layers())
def test_queen_and_rook_on_hostile_layers(layer):
    queen, rook = set(pairs(contiguity_links(layer))), set(pairs(contiguity_links(layer, rook=True)))
    # Repairing and overlaying round new corners. So where an invalid unit is in play a touch may come or go,
    # and an overlap of the last bits may vanish from an overlay; nothing larger, and nothing else.
    valid = repaired(layer)
    changed = ~shapely.is_valid(layer)
    for i, j in queen ^ set(queen_by_geos(layer)):
        assert changed[[i, j]].any()
        assert shapely.distance(valid[i], valid[j]) < 1e-9
        assert shapely.area(shapely.intersection(valid[i], valid[j])) < 1e-9
    for i, j in rook ^ set(rook_by_geos(layer)):
        assert shapely.area(shapely.intersection(valid[i], valid[j])) < 1e-9
    assert rook <= queen


@settings(max_examples=40)
@given(messy_layers(), st.sampled_from([1e-9, 0.1, 0.3]))
def test_snap_is_distance(layer, snap):
    valid = repaired(layer)
    first, second = np.triu_indices(len(layer), 1)
    near = shapely.distance(valid[first], valid[second]) <= snap
    expected = list(zip(first[near].tolist(), second[near].tolist(), strict=True))
    assert pairs(contiguity_links(layer, snap=snap)) == expected
    assert set(pairs(contiguity_links(layer, rook=True))) <= set(
        pairs(contiguity_links(layer, rook=True, snap=snap))
    )
    assert set(pairs(contiguity_links(layer, rook=True, snap=snap))) <= set(expected)


@pytest.mark.parametrize("rook", [False, True])
def test_blocks_and_the_compiler_change_nothing(monkeypatch, rook):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 30, (2, 400))
    layer = shapely.box(x, y, x + 1 + rng.integers(0, 2, 400), y + 1)
    plain = pairs(contiguity_links(layer, rook=rook))
    monkeypatch.setattr(contiguity, "BLOCK", 37)
    monkeypatch.setattr(kernel, "COMPILED_VERTICES", 0)
    assert pairs(contiguity_links(layer, rook=rook)) == plain


def test_a_hole_outside_its_shell_is_area_once_repaired():
    strange = shapely.Polygon(shapely.box(0, 0, 1, 1).exterior, [shapely.box(5, 5, 6, 6).exterior.coords])
    inside = shapely.box(5.4, 5.4, 5.6, 5.6)
    assert (
        pairs(contiguity_links(np.array([strange, inside]))) == [(0, 1)] == queen_by_geos([strange, inside])
    )


def test_a_touch_at_a_border_that_a_repair_would_move_is_judged_alike_in_any_company():
    """The corner (4, 2) lies on the border of a unit that crosses itself; that of its repair passes it by."""
    crossed = shapely.Polygon([(3, 0), (5, 4), (6, 3), (2, 0)])
    unit = shapely.MultiPolygon([crossed, shapely.box(20, 0, 21, 1)])
    beside = shapely.Polygon([(4, 2), (2, 6), (4, 4)])
    assert shapely.intersects(unit, beside)
    around = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(30, 0, 31, 9)])
    for pair in ([unit, beside], [beside, unit]):
        assert pairs(contiguity_links(np.array(pair))) == [(0, 1)]
        assert pairs(contiguity_links(np.array([*pair, around]))) == [(0, 1)]


def test_collections_count_by_all_their_parts():
    spike = shapely.GeometryCollection([shapely.box(0, 0, 1, 1), shapely.LineString([(1, 0), (3, 0)])])
    layer = np.array([spike, shapely.box(2, 0, 3, 1), shapely.box(3, -1, 4, 0), shapely.box(1, 0, 2, 1)])
    assert pairs(contiguity_links(layer)) == queen_by_geos(layer) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3)]
    assert pairs(contiguity_links(layer, rook=True)) == [(0, 1), (0, 3), (1, 3)]


def test_rook_counts_part_of_an_edge_but_not_a_corner():
    layer = shapely.box([0, 1, 2, 1], [0, 0.5, -0.5, -1], [1, 2, 3, 2], [1, 1.5, 0.5, 0])
    assert pairs(contiguity_links(layer)) == [(0, 1), (0, 3), (1, 2), (2, 3)]
    assert pairs(contiguity_links(layer, rook=True)) == [(0, 1), (2, 3)]


def test_parts_joined_only_by_the_order_of_coordinates_share_no_edge():
    """From the end of one ring to the start of the next there is no edge."""
    two = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3)])
    rings = [shapely.get_coordinates(part) for part in two.geoms]
    bridge = shapely.Polygon([rings[0][-1], rings[1][0], (2.0, 0.0), (1.5, -1.0)])
    layer = np.array([two, bridge])
    assert pairs(contiguity_links(layer, rook=True)) == [
        pair for pair in queen_by_geos(layer) if shapely.get_dimensions(shapely.intersection(*layer)) >= 1
    ]


def test_snap_closes_a_gap_for_rook_but_not_across_a_corner():
    layer = shapely.box([0, 1.01, 1.01], [0, 0, 1.01], [1, 2, 2], [1, 1, 2])
    assert pairs(contiguity_links(layer, rook=True)) == []
    assert pairs(contiguity_links(layer, rook=True, snap=0.02)) == [(0, 1), (1, 2)]
    assert pairs(contiguity_links(layer, snap=0.02)) == [(0, 1), (0, 2), (1, 2)]


def test_no_units_and_only_empty_ones():
    assert pairs(contiguity_links(np.empty(0, dtype=object))) == []
    assert pairs(contiguity_links(np.array([None, shapely.Polygon()], dtype=object))) == []
