"""What a page of several maps is made of, read back from the file."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
import shapely
from PIL import Image, ImageFont

from regionalize.errors import DataError, UsageError
from regionalize.maps import units
from regionalize.maps.colors import MISSING_COLOR, NOISE_COLOR, cluster_color
from regionalize.maps.multiples import MOST_PANELS, Panel, draw_maps
from regionalize.maps.picture import DPI

SVG = "{http://www.w3.org/2000/svg}"
LONG = "kmeans:" + ", ".join(f"option_{i}=value_{i}" for i in range(30))


def grid(columns, rows, width=1.0, height=1.0):
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(columns) * width, np.arange(rows) * height))
    return shapely.box(x, y, x + width, y + height)


def draw(geometry, panels, file_format="svg", **options):
    file = io.BytesIO()
    shapes = np.array(list(geometry), dtype=object)
    notes = draw_maps(shapes, panels, file, file_format=file_format, **{"title": "Several", **options})
    return file.getvalue(), notes


class Page:
    """An SVG of several maps: its named groups, where their paths lie, and its texts with their boxes."""

    def __init__(self, geometry, panels, **options):
        raw, self.notes = draw(geometry, panels, **options)
        self.raw = raw.decode()
        root = ET.fromstring(raw)
        self.width, self.height = (float(v) for v in root.get("viewBox").split()[2:])
        self.ids = [group.get("id") for group in root.iter(f"{SVG}g") if group.get("id")]
        self.groups = {group.get("id"): group for group in root.iter(f"{SVG}g") if group.get("id")}
        self.texts = [("".join(text.itertext()), text) for text in root.iter(f"{SVG}text")]
        self.words = [words for words, _ in self.texts]

    def named(self, start):
        return [name for name in self.groups if name.startswith(start)]

    def path(self, name):
        found = next(self.groups[name].iter(f"{SVG}path")).get("d")
        return np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", found), dtype=float)

    def fill(self, name):
        style = next(self.groups[name].iter(f"{SVG}path")).get("style")
        return re.search(r"fill: (#\w+)", style).group(1)

    def box(self, start):
        """Left, top, right, bottom of all paths whose names start so."""
        xy = np.concatenate([self.path(name) for name in self.named(start)])
        return np.array([*xy.min(axis=0), *xy.max(axis=0)])

    def text_boxes(self):
        folder = f"{mpl.get_data_path()}/fonts/ttf"
        for words, text in self.texts:
            style = text.get("style")
            size = float(re.search(r"font-size: ([\d.]+)px", style).group(1))
            bold = "-Bold" if "font-weight: 700" in style else ""
            font = ImageFont.truetype(f"{folder}/DejaVuSans{bold}.ttf", 200)
            x, y = float(text.get("x")), float(text.get("y"))
            yield (
                words,
                np.array([x, y - 0.75 * size, x + font.getlength(words) * size / 200, y + 0.2 * size]),
            )


def random_panels(count, n, k=7):
    rng = np.random.default_rng(count)
    return [Panel(rng.integers(1, k + 1, n), f"map {i}", f"ARI 0.{i}") for i in range(count)]


def test_every_unit_has_the_colour_of_its_cluster_in_every_map():
    shapes = grid(6, 5)
    panels = [Panel(np.arange(30) % 9 - 1, "a"), Panel(np.arange(30) // 3 + 1, "b"), Panel(np.ones(30), "c")]
    page = Page(shapes, panels)
    image = np.asarray(Image.open(io.BytesIO(draw(shapes, panels, "png")[0])).convert("RGB")).astype(int)
    centre = shapely.get_coordinates(shapely.centroid(shapes)) / (6, 5)
    for number, panel in enumerate(panels, 1):
        left, top, right, bottom = page.box(f"map-{number}-")
        x, y = left + centre[:, 0] * (right - left), bottom - centre[:, 1] * (bottom - top)
        found = image[(y * DPI / 72).astype(int), (x * DPI / 72).astype(int)]
        wanted = [cluster_color(int(label)) for label in panel.labels]
        assert ["#{:02x}{:02x}{:02x}".format(*pixel) for pixel in found] == wanted


def test_one_legend_names_what_any_map_shows():
    panels = [Panel([1, 2, 2, -1], "a"), Panel([5, 5, 0, 1], "b")]
    page = Page(grid(4, 1), panels, names={5: "South", 9: "unused"}, legend_title="side")
    assert page.named("legend-") == [f"legend-{n}" for n in ("cluster-1", "cluster-2", "cluster-5")] + [
        "legend-not-clustered",
        "legend-no-data",
    ]
    assert page.fill("legend-cluster-5") == page.fill("map-2-cluster-5") == cluster_color(5)
    assert (page.fill("legend-not-clustered"), page.fill("legend-no-data")) == (NOISE_COLOR, MISSING_COLOR)
    assert page.words[-6:] == ["side", "1", "2", "South", "not clustered", "no data"]
    assert "units" not in page.words  # the maps count differently
    assert page.notes == ()


def test_names_of_groups_are_unique():
    page = Page(grid(5, 5), random_panels(4, 25))
    assert len(page.ids) == len(set(page.ids))
    assert {name.split("-cluster")[0] for name in page.named("map-")} == {f"map-{i}" for i in (1, 2, 3, 4)}


PAGES = {
    **{f"{n} square": (n, grid(5, 5), {}) for n in range(1, MOST_PANELS + 1)},
    "tall": (5, grid(2, 25), {"crs": "EPSG:27700"}),
    "wide": (5, grid(40, 1), {"crs": "EPSG:27700"}),
    "long words": (7, grid(5, 5), {"title": LONG, "subtitle": LONG, "footer": LONG, "crs": "EPSG:27700"}),
    "points": (3, shapely.points(np.random.default_rng(0).uniform(0, 9, (60, 2))), {}),
    "one unit": (2, grid(1, 1), {}),
    "60 clusters": (3, grid(10, 10), {"k": 60}),
}


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_off_and_nothing_overlaps(name):
    count, shapes, options = PAGES[name]
    options = dict(options)
    panels = random_panels(count, len(shapes), options.pop("k", 7))
    if "long" in name:
        panels = [Panel(panel.labels, LONG, LONG) for panel in panels]
    page = Page(shapes, panels, **options)
    boxes = list(page.text_boxes())
    if "points" not in name:
        names = [f"map-{i}-" for i in range(1, count + 1)] if count > 1 else ["cluster-"]
        boxes += [(name, page.box(name)) for name in names]
    for words, (left, top, right, bottom) in boxes:
        assert left >= 17, words
        assert top >= 10, words
        assert right <= page.width - 17, words
        assert bottom <= page.height - 10, words
    low, high = (np.array([box for _, box in boxes])[:, i : i + 2] for i in (0, 2))
    apart = (high[:, None] <= low[None] + 0.1).any(axis=2)
    clash = np.argwhere(~(apart | apart.T) & ~np.eye(len(boxes), dtype=bool))
    assert [(boxes[i][0], boxes[j][0]) for i, j in clash] == []


def test_maps_are_of_one_size_in_the_order_of_reading():
    page = Page(grid(8, 3), random_panels(7, 24))
    boxes = np.array([page.box(f"map-{i}-") for i in range(1, 8)])
    np.testing.assert_allclose(
        boxes[:, 2:] - boxes[:, :2], (boxes[0, 2:] - boxes[0, :2])[None].repeat(7, 0), atol=0.1
    )
    rows = np.round(boxes[:, 1]).astype(int)
    assert (np.diff(rows) >= 0).all()
    assert all((np.diff(boxes[rows == row, 0]) > 0).all() for row in rows)
    titles = {words: box for words, box in page.text_boxes() if re.fullmatch(r"map \d", words)}
    for number, box in enumerate(boxes):
        assert titles[f"map {number}"][0] == pytest.approx(box[0], abs=1)
        assert 0 < box[1] - titles[f"map {number}"][3] < 40


@pytest.mark.parametrize(("count", "columns"), [(2, 2), (4, 2), (9, 3)])
def test_square_layers_fill_the_page_evenly(count, columns):
    page = Page(grid(5, 5), random_panels(count, 25))
    left = {round(page.box(f"map-{i}-")[0]) for i in range(1, count + 1)}
    assert len(left) == columns


def test_the_scale_bar_is_true():
    shapes = grid(4, 3, 10000, 10000)
    page = Page(shapes, random_panels(2, 12), crs="EPSG:27700")
    left, _, right, _ = page.box("map-1-")
    said = next(words for words in page.words if re.fullmatch(r"\d+ km", words))
    bar = page.path("scale-bar")[:, 0]
    assert np.ptp(bar) == pytest.approx(int(said.split()[0]) / 40 * (right - left), rel=5e-3)


def test_a_heavy_page_holds_images(monkeypatch):
    shapes = grid(10, 10)
    monkeypatch.setattr(units, "_MOST_VERTICES", 1100)  # one map of 100 squares has 500
    light, notes = draw(shapes, random_panels(2, 100))
    assert notes == ()
    assert b"<image" not in light
    heavy, notes = draw(shapes, random_panels(3, 100))
    assert notes == ("the layer is heavy: the SVG holds its units as an image",)
    assert b"<image" in heavy


@pytest.mark.parametrize("file_format", ["png", "svg", "pdf"])
def test_the_same_bytes_every_time(file_format):
    panels = random_panels(3, 25)
    assert draw(grid(5, 5), panels, file_format) == draw(grid(5, 5), panels, file_format)


def test_what_cannot_be_drawn():
    with pytest.raises(UsageError, match="gif"):
        draw(grid(2, 1), random_panels(2, 2), "gif")
    with pytest.raises(DataError, match="3 labels do not fit 2 geometries"):
        draw(grid(2, 1), [Panel([1, 1], "a"), Panel([1, 1, 1], "b")])
    with pytest.raises(DataError, match="17 maps do not fit"):
        draw(grid(2, 1), random_panels(17, 2))
    with pytest.raises(DataError, match="no row has a geometry"):
        draw([None, None], random_panels(2, 2))


def test_rows_without_a_geometry_are_told():
    _, notes = draw([*grid(3, 1), None], [Panel([1, 1, 2, 2], "a"), Panel([2, 1, 2, 1], "b")])
    assert notes == ("the map leaves out 1 row without a geometry",)
