"""The interactive map as a file: decoded here by other means than the page's own, it is what was drawn."""

from __future__ import annotations

import base64
import io
import json
import re

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from regionalize.errors import DataError
from regionalize.maps.colors import PALETTE
from regionalize.maps.ground import Ground
from regionalize.maps.web.drawing import Drawing
from regionalize.maps.web.packing import packed, packed_steps
from regionalize.maps.web.page import MOST_VALUES, Coloring, Units, draw_page

UTM = "EPSG:32633"


def unpacked(text: str) -> list[int]:
    """Read numbers as the words of `packed` tell them."""
    values, number, place = [], 0, 0
    for byte in base64.b64decode(text):
        number += (byte & 127) * 128**place
        place += 1
        if byte < 128:
            values.append(-(number + 1) // 2 if number % 2 else number // 2)
            number = place = 0
    assert not place
    return values


def summed(text: str) -> list[int]:
    return np.cumsum(unpacked(text)).tolist()


def split(values, sizes):
    ends = np.cumsum(sizes)
    return [values[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def shapes_of(data: dict) -> list[tuple[int, object]]:
    """Return the row and the shape of every part of a page, on its grid."""
    arcs = data["arcs"]
    places = list(zip(summed(arcs["x"]), summed(arcs["y"]), strict=True))
    arc = split(places, unpacked(arcs["sizes"]))
    areas, found = data["areas"], []
    refs = split(summed(areas["refs"]), unpacked(areas["sizes"]))
    for row, rings in zip(summed(areas["rows"]), split(refs, unpacked(areas["rings"])), strict=True):
        lines = []
        for ring in rings:
            pieces = [arc[ref // 2][:: -1 if ref % 2 else 1] for ref in ring]
            assert all(one[-1] == two[0] for one, two in zip(pieces, pieces[1:] + pieces[:1], strict=True))
            lines.append([place for piece in pieces for place in piece[:-1]])
        found.append((row, lines))
    rows = summed(data["lines"]["rows"])
    found += list(zip(rows, arc[len(arc) - len(rows) :], strict=True))
    points = zip(summed(data["points"]["x"]), summed(data["points"]["y"]), strict=True)
    return found + list(zip(summed(data["points"]["rows"]), points, strict=True))


def drawn(geometry, labels=None, **options):
    """Return the text of a page, its data and the notes."""
    file = io.BytesIO()
    labels = [1] * len(geometry) if labels is None else labels
    colorings = options.pop("colorings", [Coloring.of_clusters("plan", labels)])
    notes = draw_page(np.asarray(geometry), colorings, file, **{"title": "A map", "crs": UTM} | options)
    text = file.getvalue().decode()
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    return text, json.loads(data[1]), notes


@given(st.lists(st.integers(-(2**31), 2**31 - 1)))
def test_numbers_come_back(values):
    assert unpacked(packed(values)) == values
    assert summed(packed_steps(np.array([value // 2 for value in values], dtype=np.int64))) == [
        value // 2 for value in values
    ]


@given(st.integers(0, 2**32), st.floats(1e-3, 1e6), st.floats(-1e7, 1e7))
def test_geometry_comes_back_within_the_tolerance(seed, scale, corner):
    rng = np.random.default_rng(seed)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(rng.random((20, 2)))))
    cells = shapely.transform(cells, lambda xy: corner + scale * xy)
    ground = Ground.survey(cells, None)
    drawing = Drawing.of(ground)
    west, _, _, north = ground.extent
    found = shapes_of(drawing.packed())
    assert [row for row, _ in found] == list(range(len(cells)))
    for row, (shell,) in found:
        xy = np.array([[west, north]]) + drawing.step * np.array([*shell, shell[0]]) * [1, -1]
        away = shapely.hausdorff_distance(cells[row].exterior, shapely.linearrings(xy))
        assert away <= drawing.error * (1 + 1e-6) + 1e-9 * abs(corner)
    assert drawing.error < 0.01 * np.median(
        np.hypot(*np.diff(shapely.bounds(cells)[:, [[0, 2], [1, 3]]])[..., 0].T)
    )


def test_neighbours_share_their_borders_also_where_these_differ_in_the_last_bits():
    x, y = (axis.ravel() for axis in np.meshgrid(range(6), range(6)))
    rng = np.random.default_rng(1)
    squares = shapely.box(x, y, x + 1, y + 1)
    corners = [shapely.get_coordinates(one)[:-1] * 1e5 for one in squares]
    noisy = shapely.polygons([shapely.linearrings(xy + rng.normal(0, 1e-9, xy.shape)) for xy in corners])
    assert not shapely.coverage_is_valid(noisy)
    _, data, _ = drawn(noisy)
    found = [shapely.Polygon(rings[0]) for _, rings in shapes_of(data["shapes"])]
    assert shapely.coverage_is_valid(found)
    assert shapely.union_all(found).area == sum(one.area for one in found)
    assert shapely.get_num_interior_rings(shapely.coverage_union_all(found)) == 0


def test_holes_multiparts_lines_and_points():
    ring = shapely.Polygon([(0, 0), (8, 0), (8, 8), (0, 8)], [[(2, 2), (2, 6), (6, 6), (6, 2)]])
    two = shapely.MultiPolygon([shapely.box(10, 0, 11, 1), shapely.box(12, 0, 13, 1)])
    line = shapely.LineString([(0, 10), (3, 12), (8, 10)])
    shapes = [shapely.Point(1, 9), ring, None, two, line, shapely.MultiPoint([(2, 9), (3, 9)])]
    _, data, notes = drawn(shapes)
    assert notes == ("the map leaves out 1 row without a geometry",)
    found = shapes_of(data["shapes"])
    assert [row for row, _ in found] == [1, 3, 3, 4, 0, 5, 5]
    shell, hole = (shapely.Polygon(one) for one in found[0][1])
    assert shell.area * 16 / 64 == pytest.approx(hole.area, rel=1e-3)
    assert len(found[3][1]) == 3
    step = 13 / data["width"]
    np.testing.assert_allclose(
        np.array([at for _, at in found[4:]]) * step, [[1, 3], [2, 3], [3, 3]], atol=step
    )


def test_points_alone_have_a_grid_fine_enough_to_tell_neighbours_apart():
    x = np.r_[0.0, 1.0, 300_000.0]  # a metre apart in a layer 300 km wide
    _, data, _ = drawn(shapely.points(x, 0 * x))
    first, second, last = (at[0] for _, at in shapes_of(data["shapes"]))
    assert second > first
    assert last * (data["metres"]) == pytest.approx(300_000, rel=2e-3)  # UTM is true to a thousandth


def test_degrees_have_the_proportions_of_their_latitude_and_cross_the_antimeridian():
    squares = shapely.box([178, 179, -180, -179], 59.5, [179, 180, -179, -178], 60.5)
    _, data, _ = drawn(squares, crs="EPSG:4326")
    assert data["metres"] is None
    assert data["width"] == pytest.approx(2 * data["height"], rel=1e-3)  # 4° at 60° north, and 1°
    wests = [min(x for x, _ in rings[0]) for _, rings in shapes_of(data["shapes"])]
    np.testing.assert_allclose(wests, np.arange(4) / 4 * data["width"], atol=1)


def test_a_heavy_layer_is_simplified_and_it_is_said():
    angle = np.linspace(0, 2 * np.pi, 3000)
    coasts = [
        shapely.Polygon(
            np.column_stack(
                [x * 3000 + (1000 + 20 * np.sin(200 * angle)) * np.cos(angle), 1000 * np.sin(angle)]
            )
        )
        for x in range(5)
    ]
    ground = Ground.survey(np.array(coasts), UTM)
    free, bound = Drawing.of(ground), Drawing.of(ground, most=2000)
    assert not free.simplified
    assert bound.simplified
    assert len(bound.areas.points) <= 2000 < len(free.areas.points)
    west, _, _, north = ground.extent
    for row, (shell,) in shapes_of(bound.packed()):
        xy = np.array([[west, north]]) + bound.step * np.array([*shell, shell[0]]) * [1, -1]
        assert shapely.hausdorff_distance(coasts[row].exterior, shapely.linearrings(xy)) <= bound.error


def test_the_note_on_simplifying_is_on_the_page_too(monkeypatch):
    monkeypatch.setattr("regionalize.maps.web.drawing.MOST_VERTICES", 500)
    monkeypatch.setattr(Drawing.of, "__defaults__", (500,))
    text, _, notes = drawn([shapely.Point(0, 0).buffer(1000, quad_segs=1000)])
    assert len(notes) == 1
    assert re.fullmatch(r"borders are simplified by up to [\d.]+ m, to stay fluid", notes[0])
    assert f"<li>{notes[0]}</li>" in text


def test_labels_classes_and_colours():
    squares = shapely.box(np.arange(5), 0, np.arange(1, 6), 1)
    _, data, _ = drawn(squares, [3, 0, -5, 1, 3])
    (coloring,) = data["colorings"]
    classes = coloring["classes"]
    assert [(one["text"], one["count"], one["day"]) for one in classes] == [
        *(("1", 1, PALETTE[0]), ("3", 2, PALETTE[2])),
        *(("not clustered", 1, "#b3b3b3"), ("no data", 1, "#dcdcdc")),
    ]
    assert unpacked(coloring["places"]) == [1, 2, 3, 0, 1]
    assert [one["night"] == one["day"] for one in classes] == [True, True, False, False]


def test_values_keep_whole_numbers_and_sensible_digits():
    values = [12345678, 0.123456789, 123456.789, -1e-7 / 3, None, float("nan"), 2**60, True, "x\ny", 4.0, ""]
    squares = shapely.box(np.arange(11), 0, np.arange(1, 12), 1)
    units = Units([str(row) for row in range(11)], "id", {"v": values})
    _, data, _ = drawn(squares, units=units)
    shown = data["columns"][0]["values"]
    assert shown == [
        *(12345678, 0.12346, 123457, -3.3333e-8, None, None),
        *("1152921504606846976", "True", "x y", 4, None),
    ]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_no_number_is_changed_beyond_its_fifth_digit(values):
    squares = shapely.box(np.arange(len(values)), 0, np.arange(1, len(values) + 1), 1)
    units = Units([str(row) for row in range(len(values))], "id", {"v": values})
    _, data, _ = drawn(squares, units=units)
    for value, shown in zip(values, data["columns"][0]["values"], strict=True):
        most = 0.5e-4 * abs(value) + 5e-324
        assert abs(value - shown) <= (min(0.5, most) if abs(value) < 2**53 else most) * (1 + 1e-9)
        if 1e-9 < abs(value) < 1e15:
            assert len(f"{abs(shown):.12f}".strip("0").replace(".", "").lstrip("0")) <= max(
                5, len(str(int(abs(shown))))
            )


def test_very_large_and_very_small_numbers_are_short_too():
    units = Units(["a", "b"], "id", {"v": [2.020073367150445e300, -1.5783670219035234e-301]})
    _, data, _ = drawn(shapely.box([0, 1], 0, [1, 2], 1), units=units)
    assert data["columns"][0]["values"] == [2.0201e300, -1.5784e-301]


def test_a_unit_without_a_name_is_a_dash():
    _, data, _ = drawn(shapely.box([0, 1], 0, [1, 2], 1), units=Units(["", " \t"], "id"))
    assert data["ids"] == ["–", "–"]


def test_too_many_values_are_left_out_and_it_is_said():
    count = 3
    squares = shapely.box(np.arange(count), 0, np.arange(1, count + 1), 1)
    units = Units(["a", "b", "c"], "id", {f"v{j}": [0] * count for j in range(MOST_VALUES // count + 5)})
    _, data, notes = drawn(squares, units=units)
    assert len(data["columns"]) == MOST_VALUES // count
    assert notes == (f"the map has room for the values of 666,666 columns of {MOST_VALUES // 3 + 5}",)


def test_the_same_input_makes_the_same_bytes():
    squares = shapely.box(np.arange(5), 0, np.arange(1, 6), 1)
    assert drawn(squares, [1, 2, 1, 2, 3])[0] == drawn(squares, [1, 2, 1, 2, 3])[0]


def test_the_page_asks_nobody_for_anything():
    text, _, _ = drawn([shapely.box(0, 0, 1, 1)])
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    without_icon = text.replace('<link rel="icon" href="data:,">', "")  # keeps browsers from asking for one
    assert not re.search(r"(src|href|action)\s*=|url\(|@import|https?:", without_icon)


def test_hostile_words_do_not_end_the_data():
    name = "</script><script>alert(1)</script><!--\u2028\ud800"
    units = Units([name], name, {name: [name]})
    coloring = Coloring.of_clusters(name, [1], {1: name}, legend_title=name, detail=name)
    text, data, _ = drawn(
        [shapely.box(0, 0, 1, 1)], colorings=[coloring], units=units, title=name, subtitle=name, footer=name
    )
    assert text.count("<script") == text.count("</script>") == 2
    shown = "</script><script>alert(1)</script><!--"
    assert data["ids"] == [shown]
    assert data["columns"] == [{"name": shown, "values": [shown]}]
    assert data["colorings"][0]["classes"][0]["text"] == shown


def test_nothing_to_draw_is_refused_as_for_any_map():
    with pytest.raises(DataError, match="nothing to draw"):
        drawn([None, None])
    with pytest.raises(DataError, match="nothing to draw"):
        drawn([])


@pytest.mark.parametrize(
    "options",
    [
        {"labels": [1]},
        {"units": Units(["a"])},
        {"units": Units(["a", "b"], "id", {"v": [1]})},
    ],
)
def test_what_does_not_fit_the_geometries_is_refused(options):
    with pytest.raises(DataError, match="do not fit 2 geometries"):
        drawn(shapely.box([0, 1], 0, [1, 2], 1), **options)


def test_real_layers_stay_small(shared_data):
    import pyogrio

    frame = pyogrio.read_dataframe(shared_data("guerry/Guerry.shp"))
    names = ["Crm_prs", "Crm_prp", "Litercy", "Donatns", "Infants", "Suicids"]
    units = Units(frame["Dprtmnt"].tolist(), "Dprtmnt", {name: frame[name].tolist() for name in names})
    text, data, notes = drawn(frame.geometry.to_numpy(), units=units, crs=frame.crs)
    assert notes == ()
    assert len(text) < 175_000
    found = shapes_of(data["shapes"])
    west, _, east, _ = frame.total_bounds
    step = (east - west) / data["width"]
    area = sum(shapely.Polygon(rings[0], rings[1:]).area for _, rings in found if len(rings[0]) > 2)
    assert area * step**2 == pytest.approx(frame.area.sum(), rel=1e-4)
