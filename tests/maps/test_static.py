"""What a static map is made of, in each format, read back from the file."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
import zlib

import matplotlib as mpl
import numpy as np
import pytest
import shapely
from PIL import Image, ImageFont

from regionalize.errors import DataError, UsageError
from regionalize.maps import units
from regionalize.maps.colors import MISSING_COLOR, NOISE_COLOR, cluster_color
from regionalize.maps.picture import DPI, drawing_lock
from regionalize.maps.static import draw_map

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>&\"'$_^\\ $\\frac{a}{b}$ --> ]]> ${x} %s &amp;"


def draw(geometry, labels, file_format="svg", **options):
    """Return the file's bytes and the notes."""
    file = io.BytesIO()
    array = np.empty(len(geometry), dtype=object)
    array[:] = list(geometry)
    options.setdefault("title", "k-means, k = 3")
    notes = draw_map(array, labels, file, file_format=file_format, **options)
    return file.getvalue(), notes


class Picture:
    """An SVG map read back: names of its groups, its texts, and where its paths lie."""

    def __init__(self, geometry, labels, **options):
        raw, self.notes = draw(geometry, labels, **options)
        self.raw = raw.decode()
        self.root = ET.fromstring(raw)
        self.width, self.height = (float(v) for v in self.root.get("viewBox").split()[2:])
        self.groups = {g.get("id"): g for g in self.root.iter(f"{SVG}g") if g.get("id")}
        self.texts = ["".join(t.itertext()) for t in self.root.iter(f"{SVG}text")]

    def named(self, start):
        return sorted(name for name in self.groups if name.startswith(start))

    def path(self, name):
        return np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", self.d(name)), dtype=float)

    def d(self, name):
        return next(self.groups[name].iter(f"{SVG}path")).get("d")

    def fill(self, name):
        path = next(self.groups[name].iter(f"{SVG}path"))
        return re.search(r"fill: (#\w+)", path.get("style")).group(1)

    def box(self, names):
        """Left, top, right, bottom of the paths, in points from the upper left corner."""
        xy = np.concatenate([self.path(name) for name in names])
        return (*xy.min(axis=0), *xy.max(axis=0))

    def text_boxes(self):
        """Text with its box, measured by Pillow."""
        folder = f"{mpl.get_data_path()}/fonts/ttf"
        boxes = []
        for text in self.root.iter(f"{SVG}text"):
            style = text.get("style")
            size = float(re.search(r"font-size: ([\d.]+)px", style).group(1))
            bold = "-Bold" if "font-weight: 700" in style else ""
            font = ImageFont.truetype(f"{folder}/DejaVuSans{bold}.ttf", 200)
            words = "".join(text.itertext())
            long = font.getlength(words) * size / 200
            x, y = float(text.get("x")), float(text.get("y"))
            left = x - long if "text-anchor: end" in style else x
            boxes.append((words, (left, y - 0.75 * size, left + long, y + 0.2 * size)))
        return boxes


def pixels(geometry, labels, **options):
    raw, _ = draw(geometry, labels, "png", **options)
    return np.asarray(Image.open(io.BytesIO(raw)).convert("RGB")).astype(int)


def rgb(color):
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def grid(columns, rows, width=1.0, height=1.0):
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(columns) * width, np.arange(rows) * height))
    return shapely.box(x, y, x + width, y + height)


def pixel_of(picture, bounds, xy):
    """Pixel (row, column) of map coordinates, from where the layer's paths lie in the SVG."""
    left, top, right, bottom = picture.box(
        [n for n in picture.groups if re.match("cluster-|no-data|not-clustered", n)]
    )
    west, south, east, north = bounds
    x = left + (xy[:, 0] - west) / (east - west) * (right - left)
    y = bottom - (xy[:, 1] - south) / (north - south) * (bottom - top)
    return (y * DPI / 72).astype(int), (x * DPI / 72).astype(int)


# --- what is in it


def test_one_patch_and_one_legend_entry_per_cluster():
    labels = np.array([1, 1, 1, 1, 2, 2, 2, 3, 3, 0, -1, -1])
    picture = Picture(grid(4, 3), labels, title="k-means, k = 3", subtitle="a, b", footer="from c.gpkg")
    assert picture.named("cluster-") == ["cluster-1", "cluster-2", "cluster-3"]
    assert picture.named("legend-") == [
        "legend-cluster-1",
        "legend-cluster-2",
        "legend-cluster-3",
        "legend-no-data",
        "legend-not-clustered",
    ]
    for name in (*picture.named("cluster-"), "no-data", "not-clustered"):
        assert picture.fill(name) == picture.fill(f"legend-{name}")
    assert picture.fill("cluster-2") == cluster_color(2)
    assert (picture.fill("not-clustered"), picture.fill("no-data")) == (NOISE_COLOR, MISSING_COLOR)
    rings = {name: picture.d(name).count("M") for name in ("cluster-1", "cluster-2", "no-data")}
    assert rings == {"cluster-1": 4, "cluster-2": 3, "no-data": 2}
    legend = ["cluster", "units", "1", "4", "2", "3", "3", "2", "not clustered", "1", "no data", "2"]
    assert picture.texts == ["k-means, k = 3", "a, b", *legend, "from c.gpkg"]
    assert picture.notes == ()


def test_names_and_sizes_from_outside():
    picture = Picture(
        grid(2, 1),
        [1, 2],
        names={1: "North", 2: "South", 0: "unused"},
        sizes=[1234567, 89],
        legend_title="side",
    )
    assert picture.texts[1:] == ["side", "units", "North", "1,234,567", "South", "89"]


@pytest.mark.parametrize("crs", [None, "EPSG:27700", "EPSG:4326"])
def test_the_pixel_in_a_unit_has_the_colour_of_its_cluster(crs):
    rng = np.random.default_rng(1)
    x, y = np.meshgrid(np.linspace(1.0, 7.0, 9), np.linspace(50.0, 54.0, 7))
    x, y = x + rng.uniform(-0.15, 0.15, x.shape), y + rng.uniform(-0.1, 0.1, y.shape)
    corner = np.stack([x, y], axis=-1) * (1 if crs != "EPSG:27700" else 1000)
    shapes = shapely.polygons(
        np.stack([corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]], 2).reshape(-1, 4, 2)
    )
    labels = rng.integers(-1, 13, len(shapes))
    labels[:13] = np.arange(13)
    options = {"crs": crs, "title": "t"}
    picture = Picture(shapes, labels, **options)
    inside = shapely.get_coordinates(shapely.point_on_surface(shapes))
    row, column = pixel_of(picture, shapely.total_bounds(shapes), inside)
    image = pixels(shapes, labels, **options)
    assert image[row, column].tolist() == [rgb(cluster_color(label)) for label in labels]


def test_holes_islands_and_enclaves():
    outer = shapely.difference(shapely.box(0, 0, 10, 10), shapely.box(1, 1, 9, 9))
    ring = shapely.difference(shapely.box(2, 2, 8, 8), shapely.box(3, 3, 7, 7))
    overlap = [shapely.box(10, 0, 14, 4), shapely.box(12, 2, 16, 6)]
    bow_tie = shapely.Polygon([(12, 8), (14, 10), (14, 8), (12, 10)])
    shapes = [outer, ring, shapely.box(4, 4, 6, 6), *overlap, bow_tie]
    labels = [1, 1, 2, 3, 3, 4]
    expected = {
        (0.5, 5): cluster_color(1),
        (1.5, 5): "#ffffff",  # in the hole
        (2.5, 5): cluster_color(1),  # the island in it
        (3.5, 5): "#ffffff",
        (5, 5): cluster_color(2),  # the enclave
        (13, 3): cluster_color(3),  # where two units of a cluster overlap
        (12.3, 9): cluster_color(4),  # either side of a self-crossing ring
        (13.7, 9): cluster_color(4),
        (13, 8.2): "#ffffff",
    }
    at = np.array(list(expected))
    for turned in (
        shapes,
        [shapely.reverse(shape) for shape in shapes],
        [shapely.force_3d(s, 7) for s in shapes],
    ):
        row, column = pixel_of(Picture(turned, labels), shapely.total_bounds(shapes), at)
        found = pixels(turned, labels)[row, column].tolist()
        assert found == [rgb(color) for color in expected.values()]


def test_paths_hold_the_area_of_the_units():
    """The signed areas of a cluster's rings, holes against shells, add up to its polygons' area."""
    rng = np.random.default_rng(4)
    centre = rng.uniform(0, 100, (60, 2))
    shapes = shapely.difference(
        shapely.buffer(shapely.points(centre), rng.uniform(2, 6, 60)),
        shapely.buffer(shapely.points(centre), rng.uniform(0.5, 1.5, 60)),
    )
    shapes = np.array(
        [shapely.MultiPolygon([s, shapely.box(120, i, 121, i + 0.5)]) for i, s in enumerate(shapes)]
    )
    labels = rng.integers(1, 5, 60)
    picture = Picture(shapes, labels)
    left, top, right, bottom = picture.box(picture.named("cluster-"))
    west, south, east, north = shapely.total_bounds(shapes)
    scale = (right - left) / (east - west)
    assert (bottom - top) / (north - south) == pytest.approx(scale, rel=1e-3)
    for label in range(1, 5):
        area = 0.0
        for ring in picture.d(f"cluster-{label}").split("M")[1:]:
            x, y = np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", ring), dtype=float).T
            area -= (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2  # y runs down the page
        assert area == pytest.approx(shapely.area(shapes[labels == label]).sum() * scale**2, rel=2e-3)


def test_shared_borders_stay_shared():
    """Neighbours digitised with different vertices in the last bits keep one border on the page."""
    wavy = np.stack([5 + np.sin(np.linspace(0, 9, 4000)), np.linspace(0, 10, 4000)], axis=1)
    noise = wavy + np.random.default_rng(0).normal(size=wavy.shape) * 1e-9
    left = shapely.Polygon([(0, 10), (0, 0), *wavy])
    right = shapely.Polygon([(10, 0), (10, 10), *noise[::-1]])
    picture = Picture([left, right], [1, 2])
    one = {tuple(xy) for xy in picture.path("cluster-1")}
    two = {tuple(xy) for xy in picture.path("cluster-2")}
    assert 200 < len(one) < 4000  # finer than a pixel was left out
    assert len(one & two) > 0.95 * len(one)


def test_points_lines_polygons_and_collections_together():
    shapes = [
        shapely.box(0, 0, 4, 4),
        shapely.LineString([(5, 0), (9, 4)]),
        shapely.Point(7, 1),
        shapely.GeometryCollection([shapely.MultiPoint([(5, 4), (6, 4)]), shapely.box(8, 0, 9, 1)]),
        shapely.MultiLineString([[(0, 5), (4, 5)], [(5, 5), (9, 5)]]),
        shapely.LinearRing([(2, 6), (3, 6), (3, 7)]),
        None,
        shapely.Polygon(),
        shapely.Point(np.nan, 1),
    ]
    picture = Picture(shapes, [1, 2, 3, 1, 2, 2, 1, 1, 1])
    assert picture.d("cluster-1").count("M") == 2  # areas
    assert len(list(picture.groups["markers"].iter(f"{SVG}use"))) == 3
    assert picture.d("cluster-2").count("M") == 4  # lines
    assert picture.notes == ("the map leaves out 3 rows without a geometry",)
    assert picture.texts[3:] == ["1", "5", "2", "3", "3", "1"]  # the legend counts every member


def test_markers_have_their_colours():
    xy = np.random.default_rng(3).uniform(0, 100, (80, 2))
    xy = xy[np.argsort(xy[:, 0])]
    labels = np.repeat([1, 2, 3, 0], 20)
    picture = Picture(shapely.points(xy), labels)
    uses = list(picture.groups["markers"].iter(f"{SVG}use"))
    fills = [re.search(r"fill: (#\w+)", use.get("style")).group(1) for use in uses]
    assert fills == [cluster_color(label) for label in labels]
    across = [float(use.get("x")) for use in uses]
    np.testing.assert_allclose(
        np.diff(across) / np.diff(xy[:, 0]), np.ptp(across) / np.ptp(xy[:, 0]), rtol=1e-3
    )


def test_buildings_of_a_country_are_seen():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 1e6, (2, 300))
    shapes = shapely.box(x, y, x + 10, y + 10)
    picture = Picture(shapes, np.ones(300, dtype=int))
    assert len(list(picture.groups["markers"].iter(f"{SVG}use"))) == 300
    assert picture.notes == ("300 polygons too small to be seen are drawn as dots",)


# --- projections


@pytest.mark.parametrize(("latitude", "ratio"), [(0, 1.0), (60, 0.5), (-45, np.sqrt(0.5))])
def test_degrees_are_drawn_with_the_proportions_of_their_latitude(latitude, ratio):
    shape = [shapely.box(10, latitude - 0.5, 11, latitude + 0.5)]
    left, top, right, bottom = Picture(shape, [1], crs="EPSG:4326").box(["cluster-1"])
    assert (right - left) / (bottom - top) == pytest.approx(ratio, rel=1e-3)
    left, top, right, bottom = Picture(shape, [1]).box(["cluster-1"])
    assert (right - left) / (bottom - top) == pytest.approx(1, rel=1e-3)


def test_a_layer_across_the_antimeridian_lies_in_one_piece():
    fiji = [shapely.MultiPolygon([shapely.box(179, -18, 180, -17), shapely.box(-180, -18, -179, -17)])]
    islands = [*fiji, shapely.box(177, -19, 178, -16)]
    left, top, right, bottom = Picture(islands, [1, 2], crs="EPSG:4326").box(["cluster-1", "cluster-2"])
    assert (right - left) / (bottom - top) == pytest.approx(4 * np.cos(np.radians(17.5)) / 3, rel=1e-3)
    world = [shapely.box(-170, -50, -10, 60), shapely.box(-9, -50, 175, 60)]
    assert Picture(world, [1, 2], crs="EPSG:4326").path("cluster-1")[:, 0].max() < 330


def bar(picture):
    """Length of the scale bar in points, and what it says."""
    x = picture.path("scale-bar")[:, 0]
    said = next(t for t in picture.texts if re.fullmatch(r"[\d.,]+ k?m", t))
    number, unit = said.split()
    return np.ptp(x), float(number.replace(",", "")) * {"m": 1, "km": 1000}[unit]


@pytest.mark.parametrize(
    ("crs", "corner", "metres_per_unit"),
    [
        ("EPSG:27700", (4e5, 3e5), 1.0),
        ("EPSG:3435", (1.1e6, 1.8e6), 0.3048006),  # feet
        ("EPSG:27572", (6e5, 2.2e6), 1.0),  # longitude from Paris, in grads
        ("EPSG:3857", (1e6, 8399737.9), 0.5),  # Mercator at 60° north: half
    ],
)
def test_the_scale_bar_is_true(crs, corner, metres_per_unit):
    x, y = corner
    picture = Picture([shapely.box(x, y, x + 40000, y + 30000)], [1], crs=crs)
    left, _, right, _ = picture.box(["cluster-1"])
    points, metres = bar(picture)
    assert points == pytest.approx(metres / (40000 * metres_per_unit) * (right - left), rel=4e-3)
    assert 0.1 * (right - left) < points < 0.35 * (right - left)


def test_no_scale_bar_where_it_would_lie():
    square = [shapely.box(0, 0, 1, 1)]
    assert "scale-bar" not in Picture(square, [1]).groups
    assert "scale-bar" not in Picture(square, [1], crs="EPSG:4326").groups
    world = [shapely.box(-1.5e7, -1e7, 1.5e7, 1e7)]
    assert "scale-bar" not in Picture(world, [1], crs="EPSG:3857").groups
    beyond = [shapely.box(1e9, 1e9, 2e9, 2e9)]
    assert "scale-bar" not in Picture(beyond, [1], crs="EPSG:27700").groups
    local = 'LOCAL_CS["site grid",UNIT["metre",1]]'
    assert "scale-bar" not in Picture(square, [1], crs=local).groups


def arrow(picture):
    """Direction of the arrow to north, in degrees clockwise from upwards; None without one."""
    if "north" not in picture.groups:
        return None
    tip, right, _, left = picture.path("north")[:4]
    ahead = tip - (right + left) / 2
    return np.degrees(np.arctan2(ahead[0], -ahead[1]))  # y runs down the page


@pytest.mark.parametrize(
    ("crs", "place"),
    [
        ("EPSG:27700", (-5.5, 50.2)),
        ("EPSG:27700", (-2.0, 54.0)),
        ("EPSG:27572", (7.5, 48.5)),
        ("EPSG:3435", (-87.6, 41.8)),
        (
            "EPSG:5880",
            (-36.0, -8.0),
        ),  # in the south the meridians east of the central one lean left
        ("EPSG:3857", (100.0, 70.0)),
        ("EPSG:3413", (60.0, 80.0)),  # polar: north is somewhere to the left
    ],
)
def test_the_arrow_points_to_true_north(crs, place):
    """Against PROJ's meridian convergence, and against the next place to the north."""
    import pyproj

    forward = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x, y = forward.transform(*place)
    found = arrow(Picture([shapely.box(x - 5000, y - 5000, x + 5000, y + 5000)], [1], crs=crs))
    east, north = np.array(forward.transform(place[0], place[1] + 0.001)) - (x, y)
    assert (found - np.degrees(np.arctan2(east, north)) + 180) % 360 - 180 == pytest.approx(0, abs=0.2)
    paris = 2.33722917 if crs == "EPSG:27572" else 0.0  # where longitudes of this projection begin
    convergence = pyproj.Proj(crs).get_factors(place[0] - paris, place[1]).meridian_convergence
    assert abs((found + 180) % 360 - 180) == pytest.approx(abs(convergence), abs=0.2)


def test_a_country_has_an_arrow_though_its_corners_lie_beyond_the_grid_of_the_datum():
    england = [shapely.box(82679, 5343, 655604, 657534)]
    assert arrow(Picture(england, [1], crs="EPSG:27700")) == pytest.approx(0.37, abs=0.1)
    france = [shapely.box(50000, 1620000, 1190000, 2680000)]
    assert arrow(Picture(france, [1], crs="EPSG:27572")) is not None


def test_no_arrow_where_it_would_lie():
    square = [shapely.box(0, 0, 1, 1)]
    assert arrow(Picture(square, [1])) is None
    assert arrow(Picture(square, [1], crs="EPSG:4326")) is None
    states = [shapely.box(-2.3e6, 3e5, 2.2e6, 3.1e6)]  # the meridians lean by 17° at both ends
    assert arrow(Picture(states, [1], crs="EPSG:5070")) is None
    pole = [shapely.box(-1e6, -1e6, 1e6, 1e6)]
    assert arrow(Picture(pole, [1], crs="EPSG:3413")) is None
    beyond = [shapely.box(1e9, 1e9, 2e9, 2e9)]
    assert arrow(Picture(beyond, [1], crs="EPSG:27700")) is None
    assert arrow(Picture(square, [1], crs='LOCAL_CS["site grid",UNIT["metre",1]]')) is None
    world = Picture([shapely.box(-1.5e7, -1e7, 1.5e7, 1e7)], [1], crs="EPSG:3857")
    assert arrow(world) == pytest.approx(0, abs=0.1)  # though there is no scale bar
    assert "scale-bar" not in world.groups


# --- the page holds it

LONG = "k-means, k = 12, of " + ", ".join(f"variable_{i}" for i in range(80))
PAGES = {
    "square": {"geometry": grid(6, 6), "labels": np.arange(36) % 12 + 1},
    "tall": {"geometry": grid(1, 36), "labels": np.arange(36) % 25 + 1, "crs": "EPSG:27700"},
    "wide": {"geometry": grid(36, 1), "labels": np.arange(36) % 25 + 1, "crs": "EPSG:27700"},
    "25 clusters": {"geometry": grid(10, 10), "labels": np.arange(100) % 25 + 1},
    "60 clusters, wide": {"geometry": grid(30, 10), "labels": np.arange(300) % 60 + 1},
    "noise": {"geometry": grid(6, 6), "labels": np.arange(36) % 9 - 1, "crs": "EPSG:27700"},
    "one unit": {"geometry": grid(1, 1), "labels": [1]},
    "one point": {"geometry": [shapely.Point(3, 4)], "labels": [1], "crs": "EPSG:4326"},
    "a line of points": {
        "geometry": shapely.points(np.zeros(9), np.arange(9)),
        "labels": np.arange(9) % 3 + 1,
    },
    "long title": {
        "geometry": grid(3, 20, 100),
        "labels": np.arange(60) % 3 + 1,
        "title": LONG,
        "subtitle": "x" * 900,
        "footer": "somewhere " * 200,
    },
    "long names": {
        "geometry": grid(6, 6),
        "labels": np.arange(36) % 3 + 1,
        "names": {1: "W" * 200, 2: "a b " * 99, 3: ""},
        "legend_title": "which_of_the_many_groups_it_is_in" * 3,
    },
    "400 regions": {
        "geometry": grid(20, 20),
        "labels": np.arange(400) + 1,
        "names": {i: f"region {i}" for i in range(401)},
    },
    "400 regions, wide": {"geometry": grid(100, 4), "labels": np.arange(400) - 1},
}


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_cut_off_and_no_words_overlap(page):
    options = {"title": "A map", "footer": "source: x", **PAGES[page]}
    image = pixels(**options)
    frame = int(8 * DPI / 72)  # of 18 points of margin, markers and outlines may take some
    margin = np.ones(image.shape[:2], dtype=bool)
    margin[frame:-frame, frame:-frame] = False
    assert (image[margin] == 255).all()
    picture = Picture(**options)
    boxes = picture.text_boxes()
    for words, (left, top, right, bottom) in boxes:
        assert left >= 17, words
        assert top >= 10, words
        assert right <= picture.width - 17, words
        assert bottom <= picture.height - 10, words
    drawn = [n for n in picture.groups if re.match("cluster-|no-data|not-clustered", n)]
    if drawn:
        boxes.append(("the map", picture.box(drawn)))
    low, high = (np.array([box for _, box in boxes])[:, i : i + 2] for i in (0, 2))
    apart = (high[:, None] <= low[None] + 0.1).any(axis=2)
    clash = np.argwhere(~(apart | apart.T) & ~np.eye(len(boxes), dtype=bool))
    assert [(boxes[i][0], boxes[j][0]) for i, j in clash] == []
    legend = picture.named("legend-")
    left, top, right, bottom = picture.box([n for n in legend if picture.d(n)])
    if not picture.groups.get("markers"):
        assert left >= 17
        assert right <= picture.width - 17
        assert top >= 17
        assert bottom <= picture.height - 17


def test_the_page_takes_the_shape_of_the_layer():
    tall, square, wide = (
        Picture(grid(*shape), np.ones(100, dtype=int)) for shape in ((4, 25), (10, 10), (25, 4))
    )
    assert tall.height > 1.8 * tall.width
    assert wide.width > 2.5 * wide.height
    assert 0.8 < square.width / square.height < 1.3
    for picture in (tall, square, wide):
        left, top, right, bottom = picture.box(["cluster-1"])
        assert max((right - left) / picture.width, (bottom - top) / picture.height) > 0.75


def test_a_cut_text_ends_in_an_ellipsis_and_a_cut_legend_is_counted():
    picture = Picture(**{"title": LONG, **PAGES["400 regions, wide"]})
    assert picture.texts[0].startswith("k-means, k = 12, of variable_0, variable_1,")
    title = [t for t in picture.texts if t.endswith("…")]
    assert len(title) == 1
    shown = len(picture.named("legend-"))
    assert f"and {400 - shown} more" in picture.texts
    assert f"the legend has room for {shown} of 400 entries" in picture.notes
    assert {"legend-no-data", "legend-not-clustered"} <= set(picture.groups)
    assert len(picture.named("cluster-")) == 398


def test_more_clusters_than_colours_are_told_apart_by_pattern():
    picture = Picture(grid(5, 9), np.arange(45) % 45 + 1)
    assert len(set(re.findall(r'<pattern id="\w+"', picture.raw))) >= 2
    assert any("only 20 colours stay apart: clusters 21 to 45" in note for note in picture.notes)
    few = Picture(grid(5, 4), np.arange(20) + 1)
    assert "<pattern" not in few.raw
    assert few.notes == ()


# --- hostile words


def test_hostile_words_are_only_words():
    names = {1: HOSTILE, 2: "$x^2$", 3: "_hidden", 4: "\x00\x07\x1b[31m\ud800\n tab\tend\ufffe", 5: "% #{}~"}
    options = {
        "title": HOSTILE,
        "subtitle": HOSTILE,
        "footer": HOSTILE,
        "legend_title": "$k$",
        "names": names,
    }
    shapes, labels = grid(5, 3), np.arange(15) % 5 + 1
    picture = Picture(shapes, labels, **options)  # parses
    assert picture.texts[0].replace(" ", "") in HOSTILE.replace(" ", "")
    assert "".join(picture.texts[:1]) == HOSTILE
    assert picture.texts.count(HOSTILE) == 3
    assert {"$x^2$", "_hidden", "[31m tab end", "% #{}~", "$k$"} <= set(picture.texts)
    assert next(t for t in picture.texts if t.endswith("…")).startswith("<script>alert(1)</script>&")
    assert not list(picture.root.iter(f"{SVG}script"))
    assert "<script" not in picture.raw
    for file_format in ("png", "pdf"):
        raw, notes = draw(shapes, labels, file_format, **options)
        assert len(raw) > 5000
        assert notes == ()


def test_letters_no_font_has_are_said_and_do_not_warn(monkeypatch, recwarn, caplog):
    from matplotlib import font_manager

    ours = [entry for entry in font_manager.fontManager.ttflist if entry.name == "DejaVu Sans"]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", ours)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])
    for file_format in ("png", "svg", "pdf"):
        raw, notes = draw(grid(2, 1), [1, 2], file_format, names={1: "東京", 2: "Ceará Žižkov Αθήνα Київ"})
        assert notes == (
            "no font on this machine has the letters 京 東: a picture shows boxes in their place",
        )
        assert len(raw) > 1000
    assert "東京" in draw(grid(2, 1), [1, 2], names={1: "東京"})[0].decode()
    assert not recwarn.list
    assert not caplog.records


# --- bytes and settings


@pytest.mark.parametrize("file_format", ["png", "svg", "pdf"])
def test_same_input_same_bytes(file_format):
    shapes, labels = grid(6, 6), np.arange(36) % 25 - 1
    first, _ = draw(shapes, labels, file_format, crs="EPSG:27700")
    with mpl.rc_context(
        {"font.size": 30, "savefig.bbox": "tight", "figure.facecolor": "red", "hatch.color": "red"}
    ):
        before = dict(mpl.rcParams)
        second, _ = draw(shapes, labels, file_format, crs="EPSG:27700")
        assert dict(mpl.rcParams) == before
    assert first == second
    other = draw(shapes, labels, file_format, title="another")[0]
    assert other != first


def test_files_say_no_date_and_no_program():
    shapes, labels = grid(2, 2), [1, 1, 2, 2]
    png = Image.open(io.BytesIO(draw(shapes, labels, "png", title="A title")[0]))
    assert png.text == {"Title": "A title"}
    svg = draw(shapes, labels, "svg")[0].decode()
    assert "matplotlib" not in svg.lower()
    assert "dc:date" not in svg
    pdf = draw(shapes, labels, "pdf")[0]
    assert b"CreationDate" not in pdf
    assert b"Matplotlib" not in pdf


def test_the_pdf_fills_one_path_per_cluster():
    raw, _ = draw(grid(4, 3), [1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3], "pdf")
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", raw, re.S)
    page = next(text for text in map(_inflate, streams) if b" re" in text or b" m\n" in text)
    colors = [
        tuple(round(float(v) * 255) for v in m) for m in re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) rg", page)
    ]
    for label in (1, 2, 3):
        assert tuple(rgb(cluster_color(label))) in colors
    assert raw.startswith(b"%PDF-")


def _inflate(stream):
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def test_a_heavy_layer_becomes_an_image_in_a_vector_file(monkeypatch):
    monkeypatch.setattr(units, "_MOST_VERTICES", 100)
    shapes, labels = grid(8, 8), np.arange(64) % 3 + 1
    picture = Picture(shapes, labels)
    assert len(list(picture.root.iter(f"{SVG}image"))) == 1
    assert picture.named("legend-") == ["legend-cluster-1", "legend-cluster-2", "legend-cluster-3"]
    assert picture.notes == ("the layer is heavy: the SVG holds its units as an image",)
    assert picture.texts[0] == "k-means, k = 3"
    assert draw(shapes, labels, "pdf")[1] == ("the layer is heavy: the PDF holds its units as an image",)
    assert draw(shapes, labels, "png")[1] == ()


def test_a_heavy_layer_is_simplified_where_that_keeps_it_lines(monkeypatch):
    """Two units whose wavy border is finer than anybody sees; the image and the lines show the same."""
    wavy = np.stack([5 + 0.002 * np.sin(np.arange(4000.0)), np.linspace(0, 10, 4000)], axis=1)
    left = shapely.Polygon([(0, 10), (0, 0), *wavy])
    right = shapely.Polygon([(10, 0), (10, 10), *wavy[::-1]])
    full = Picture([left, right], [1, 2])
    monkeypatch.setattr(units, "_MOST_VERTICES", 500)
    light = Picture([left, right], [1, 2])
    assert light.notes == ()
    assert not list(light.root.iter(f"{SVG}image"))
    for name in ("cluster-1", "cluster-2"):
        assert len(light.path(name)) < 100 < 500 < len(full.path(name))
        np.testing.assert_allclose(light.box([name]), full.box([name]), atol=0.16)
    one, two = ({tuple(xy) for xy in light.path(f"cluster-{label}")} for label in (1, 2))
    border = {xy for xy in one if abs(xy[0] - np.median([x for x, _ in one & two])) < 1}
    assert border <= two
    monkeypatch.setattr(units, "_MOST_SIMPLIFIED", 500)
    assert Picture([left, right], [1, 2]).notes  # too heavy to try


def test_the_source_line_is_in_the_file_whole():
    """However long: the page has room for four lines of it."""
    source = "places.gpkg; k-means; variables " + ", ".join(f"größe_{i}" for i in range(300))
    shapes, labels = grid(2, 1), [1, 2]
    picture = Picture(shapes, labels, footer=source)
    assert picture.texts[-1].endswith("…")
    described = picture.root.iter("{http://purl.org/dc/elements/1.1/}description")
    assert ["".join(one.itertext()).strip() for one in described] == [source]
    png, _ = draw(shapes, labels, "png", footer=source)
    assert Image.open(io.BytesIO(png)).info["Description"] == source
    pdf, _ = draw(shapes, labels, "pdf", footer="places.gpkg; k 2")
    assert b"/Subject (places.gpkg; k 2)" in pdf


def test_a_path_is_written_like_a_file(tmp_path):
    shapes, labels = grid(2, 1), [1, 2]
    target = tmp_path / "map.anything"
    draw_map(shapes, labels, target, file_format="svg", title="t")
    assert target.read_bytes() == draw(shapes, labels, title="t")[0]


def test_neither_pyplot_nor_the_network_is_touched():
    code = (
        "import io, sys, socket, warnings, shapely\n"
        # pyparsing 3.3, of matplotlib before 3.10.8
        "warnings.filterwarnings('ignore', '.* deprecated - use', DeprecationWarning)\n"
        "def no(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = no\n"
        "from regionalize.maps.static import draw_map\n"
        "assert 'matplotlib' not in sys.modules and 'pyproj' not in sys.modules\n"
        "draw_map(shapely.box([0, 1], 0, [1, 2], 1), [1, 2], io.BytesIO(), file_format='png', title='t')\n"
        "assert 'matplotlib.pyplot' not in sys.modules and 'pandas' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


# --- faults


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(DataError, match="no row has a geometry; leave the map out"):
        draw([None, shapely.Polygon()], [1, 2])
    with pytest.raises(DataError, match="3 labels do not fit 1 geometries"):
        draw([shapely.Point(0, 0)], [1, 2, 3])
    with pytest.raises(UsageError, match="cannot be written as 'jpg'; use png, svg or pdf"):
        draw([shapely.Point(0, 0)], [1], "jpg")
    assert not drawing_lock.locked()


@pytest.mark.parametrize(
    "relative",
    [
        "guerry/Guerry.shp",
        "natregimes/natregimes.shp",
        "chi_sdoh/Chi-SDOH.shp",
        "messy/tokyo/tokyomet262a.shp",
        "messy/nyc/nyc.shp",
        "messy/scotlip/scotlip.shp",
    ],
)
def test_real_layers_have_the_right_pixel_in_every_unit(shared_data, relative):
    import pyogrio

    frame = pyogrio.read_dataframe(shared_data(relative))
    shapes = frame.geometry.to_numpy()
    labels = np.random.default_rng(0).integers(1, 13, len(shapes))
    crs = None if frame.crs is None else frame.crs.to_wkt()
    picture = Picture(shapes, labels, crs=crs)
    circle = shapely.maximum_inscribed_circle(shapes)  # well inside, away from outlines
    at = shapely.get_coordinates(shapely.get_point(circle, 0))
    left, _, right, _ = picture.box(picture.named("cluster-"))
    west, south, east, north = shapely.total_bounds(shapes)
    roomy = shapely.length(circle) * (right - left) / (east - west) > 1.0  # points of radius
    row, column = pixel_of(picture, (west, south, east, north), at)
    found = pixels(shapes, labels, crs=crs)[row, column]
    wrong = (found != np.array([rgb(cluster_color(label)) for label in labels])).any(axis=1)
    assert roomy.sum() > 0.5 * len(shapes)
    assert not (wrong & roomy).any()
