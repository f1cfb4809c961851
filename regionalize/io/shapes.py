"""What each format makes of geometry: the bytes as they came wherever it can hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.errors import OutputError, listed
from regionalize.io.columns import ELSEWHERE, SHAPEFILES
from regionalize.io.formats import CSV, FLATGEOBUF, GEODATABASE, GEOJSON, GEOPACKAGE, GEOPARQUET, KML, Format
from regionalize.io.wkb import BEYOND_GEOS, KINDS, Headers, read_headers

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.layer import Layer

_FAMILIES = ((1,), (4,), (2, 5), (3, 6))
"""Kinds a shapefile or a feature class of a geodatabase holds together."""
_MULTI = {1: 4, 2: 5, 3: 6}
_SHAPE_TYPES = {1: "POINT", 4: "MULTIPOINT", 2: "ARC", 3: "POLYGON"}
_WKB_LIMIT = 2**32 - 2**20
"""Beyond 4 GiB the offsets of a shapefile overflow."""


@dataclass(frozen=True)
class FittedShapes:
    """Geometry ready to write.

    `declared` is the layer's geometry type in pyogrio's words; `options` are layer creation options.
    """

    wkb: pa.ChunkedArray | None
    declared: str | None
    options: dict[str, str]
    notes: tuple[str, ...]


def raw_geometry(layer: Layer) -> pa.ChunkedArray | None:
    """Return the geometry as the file held it, or as WKB of the shapes of a layer that was never a file."""
    if layer.wkb is not None or layer.shapes is None:
        return layer.wkb
    return to_wkb(layer.shapes)


def to_wkb(shapes: Any, **options: int) -> pa.ChunkedArray:
    """Return shapes as a column of ISO well-known binary."""
    import pyarrow as pa
    import shapely

    raw = shapely.to_wkb(shapes, flavor="iso", **options)
    column = pa.array(raw, pa.large_binary())
    return pa.chunked_array([column])


@dataclass(frozen=True)
class PlainShapes:
    """Geometry of a kind that a format knows, row by row.

    What a format demands of all rows together (one kind, heights for all) is another step, `fit_together`: it
    needs to know of all rows, but no more than their headers.

    Attributes
    ----------
    wkb : pyarrow.ChunkedArray
        n rows.
    headers : Headers
        Theirs.
    curved : int
        How many curves became straight lines.
    measured : bool
        Whether measures (M) were left out.
    """

    wkb: pa.ChunkedArray
    headers: Headers
    curved: int = 0
    measured: bool = False


def fit_shapes(layer: Layer, form: Format) -> FittedShapes:
    """Return the geometry as a format can hold it.

    The bytes stay as they are, unless the format forbids: curves become short lines, mixed dimensions or
    parts become one kind. A note says so.

    Raises
    ------
    OutputError
        If the format cannot hold these geometries at all, or a table without any.
    """
    plain = plain_shapes(layer, form)
    if plain is None:
        return FittedShapes(None, None, {}, without_shapes(layer, form))
    return fit_together(layer, plain, plain, form)


def without_shapes(layer: Layer, form: Format) -> tuple[str, ...]:
    """Say what a layer becomes whose geometry is not written; refuse it where a format needs some."""
    if layer.has_geometry:
        return ("CSV holds the columns only, not the geometry.",)
    if not form.holds_tables:
        raise OutputError(
            f"the layer has no geometry, which a {form.name} needs",
            advice="write .gpkg, .parquet or .csv instead",
        )
    return ()


def plain_shapes(layer: Layer, form: Format) -> PlainShapes | None:
    """Return the geometry, each row by itself as a format can hold it; None where there is none to write.

    Raises
    ------
    OutputError
        If the format cannot hold these geometries at all.
    """
    wkb = raw_geometry(layer)
    if wkb is None or form is CSV:
        return None
    headers = read_headers(wkb)
    curved = headers.kind >= BEYOND_GEOS
    nested = (headers.kind == 7).any() and layer.shapes is not None  # a collection, perhaps of curves
    straightened = 0
    if (curved.any() or nested) and form not in (GEOPACKAGE, FLATGEOBUF):
        straight = to_wkb(layer.geometry)
        if straight.null_count > wkb.null_count:
            raise OutputError(
                f"{form.name} cannot hold {listed(_names(curved | (headers.kind == 7), headers))}",
                advice=ELSEWHERE,
            )
        wkb, headers, straightened = straight, read_headers(straight), int(curved.sum())
    measured = bool(headers.has_m.any()) and form in (GEOJSON, FLATGEOBUF, KML)
    if measured:
        wkb = _without_measures(layer.geometry, headers)
        headers = read_headers(wkb)
    if form is KML and headers.empty.any():
        wkb = _without(wkb, headers.empty)
    return PlainShapes(wkb, headers, straightened, measured)


def fit_together(layer: Layer, plain: PlainShapes, whole: PlainShapes, form: Format) -> FittedShapes:
    """Return some rows as a format can hold them together with all the others.

    Parameters
    ----------
    layer : Layer
        The rows.
    plain : PlainShapes
        Their geometry.
    whole : PlainShapes
        What is known of the geometry of all rows: headers and counts.
    form : Format

    Raises
    ------
    OutputError
        If the format cannot hold these geometries together.
    """
    notes = list(_crs_notes(layer, form))
    headers = whole.headers
    if whole.curved:
        notes.append(f"{form.name} holds no curves: {whole.curved} became short straight lines.")
    if whole.measured:
        notes.append(f"{form.name} holds no measures (M): they are left out.")
    if headers.empty.any() and form not in (GEOPACKAGE, GEOPARQUET, GEOJSON):
        count = headers.count(headers.empty)
        notes.append(f"{count} empty {'geometry becomes' if count == 1 else 'geometries become'} null.")
    if form in SHAPEFILES:
        return _for_shapefile(layer, plain.wkb, headers, notes)
    if form is GEODATABASE:
        return _for_geodatabase(layer, plain.wkb, headers, notes)
    if form is FLATGEOBUF:
        return _for_flatgeobuf(layer, plain, headers, notes)
    return FittedShapes(plain.wkb, declared_type(layer, headers), {}, tuple(notes))


def _names(rows: Any, headers: Headers) -> list[str]:
    return [KINDS.get(int(code), "unknown") for code in np.unique(headers.kind[rows])]


def _without_measures(shapes: Any, headers: Headers) -> pa.ChunkedArray:
    import shapely

    flat = shapes.copy()
    rows = headers.has_m & ~headers.has_z
    flat[rows] = shapely.force_2d(flat[rows])
    return to_wkb(flat, output_dimension=3)


def _without(wkb: pa.ChunkedArray, rows: Any) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pa.array(~rows), wkb.combine_chunks(), None)


def declared_type(layer: Layer, headers: Headers) -> str:
    """Return the geometry type to declare: the file's own if true, that of all rows, or ``Unknown``."""
    own = layer.origin.geometry_type
    kinds = np.unique(headers.kind[headers.kind > 0])
    if own == "Unknown" or (own is not None and not len(kinds)):
        return _known(own)
    if len(kinds) != 1 or headers.has_m.any() or int(kinds[0]) >= BEYOND_GEOS:
        return "Unknown"
    return KINDS[int(kinds[0])] + (" Z" if headers.has_z.any() else "")


def _known(declared: str) -> str:
    base = declared.removesuffix(" Z")
    return declared if base in list(KINDS.values())[: BEYOND_GEOS - 1] else "Unknown"


def _family(layer: Layer, headers: Headers, form: Format) -> tuple[int, ...]:
    """Return the one family all rows belong to."""
    kinds = {int(code) for code in np.unique(headers.kind) if code}
    if not kinds:
        own = (layer.origin.geometry_type or "Polygon").removesuffix(" Z").removesuffix(" M")
        kinds = {code for code, name in KINDS.items() if name == own} or {3}
    for family in _FAMILIES:
        if kinds <= set(family):
            return family
    counts = [f"{headers.count(headers.kind == code)} {KINDS.get(code, code)}" for code in sorted(kinds)]
    raise OutputError(
        f"a {form.name} holds one kind of geometry, the layer has {listed(counts)}", advice=ELSEWHERE
    )


def _height_note(headers: Headers) -> list[str]:
    flat = headers.count(~headers.has_z & (headers.kind > 0))
    if not headers.has_z.any() or not flat:
        return []
    return [
        f"{flat} {'geometry' if flat == 1 else 'geometries'} without height get height 0, as others have one."
    ]


def _for_shapefile(layer: Layer, wkb: pa.ChunkedArray, headers: Headers, notes: list[str]) -> FittedShapes:
    family = _family(layer, headers, SHAPEFILES[0])
    if wkb.nbytes > _WKB_LIMIT:
        raise OutputError("the geometry is larger than the 4 GB a shapefile holds", advice=ELSEWHERE)
    declared = KINDS[family[0]] + (" Z" if headers.has_z.any() else "")
    options = {}
    if headers.has_m.any():
        options["SHPT"] = _SHAPE_TYPES[family[0]] + ("ZM" if headers.has_z.any() else "M")
    return FittedShapes(wkb, declared, options, (*notes, *_height_note(headers)))


def _for_geodatabase(layer: Layer, wkb: pa.ChunkedArray, headers: Headers, notes: list[str]) -> FittedShapes:
    family = _family(layer, headers, GEODATABASE)
    declared = KINDS[family[-1]] + (" Z" if headers.has_z.any() else "")
    notes.append("A File Geodatabase stores coordinates on a fine grid, and single parts as multipart.")
    return FittedShapes(wkb, declared, {}, tuple(notes))


def _for_flatgeobuf(layer: Layer, plain: PlainShapes, headers: Headers, notes: list[str]) -> FittedShapes:
    """Keep heights: FlatGeobuf has them for all rows or none, and only where the kind is declared."""
    kinds = [int(code) for code in np.unique(headers.kind) if code]
    if not headers.has_z.any() or (len(kinds) == 1 and headers.has_z[headers.kind > 0].all()):
        return FittedShapes(plain.wkb, _flat_type(layer, headers, kinds), {}, tuple(notes))
    if len(kinds) > 1 and not any(set(kinds) <= {code, multi} for code, multi in _MULTI.items()):
        raise OutputError("FlatGeobuf cannot hold heights and several kinds of geometry", advice=ELSEWHERE)
    import shapely

    shapes = layer.geometry.copy()
    flat = ~(shapely.is_missing(shapes) | shapely.has_z(shapes) | shapely.is_empty(shapes))
    shapes[flat] = shapely.force_3d(shapes[flat])
    notes += _height_note(headers)
    if len(kinds) > 1:
        single = (plain.headers.kind == kinds[0]) & ~plain.headers.empty
        make = {1: shapely.multipoints, 2: shapely.multilinestrings, 3: shapely.multipolygons}[kinds[0]]
        shapes[single] = make(shapes[single], indices=np.arange(int(single.sum())))
        count = headers.count((headers.kind == kinds[0]) & ~headers.empty)
        notes.append(f"FlatGeobuf: {count} {KINDS[kinds[0]]} rows became {KINDS[kinds[-1]]}.")
    return FittedShapes(to_wkb(shapes), f"{KINDS[kinds[-1]]} Z", {}, tuple(notes))


def _flat_type(layer: Layer, headers: Headers, kinds: list[int]) -> str:
    if len(kinds) == 1 and kinds[0] < BEYOND_GEOS and not headers.has_m.any():
        return KINDS[kinds[0]] + (" Z" if headers.has_z.any() else "")
    return "Unknown" if kinds else declared_type(layer, headers)


def _crs_notes(layer: Layer, form: Format) -> list[str]:
    if form not in (GEOJSON, KML):
        return []
    if layer.crs is None:
        reads = "is read as" if form is KML else "is read by some programs as"
        return [f"The layer has no coordinate system; {form.name} {reads} longitude and latitude."]
    if is_wgs84(layer):
        return []
    if form is KML:
        raise OutputError(
            f"KML holds longitude and latitude (WGS 84), the layer is in {short_crs(layer)}", advice=ELSEWHERE
        )
    if layer.projection is None:
        return [f"GeoJSON cannot name the coordinate system {short_crs(layer)}: it is left out."]
    return [f"Coordinates stay in {short_crs(layer)}; some programs read GeoJSON as longitude and latitude."]


def short_crs(layer: Layer) -> str:
    """Name the coordinate system in a word or two."""
    name = layer.crs or "no coordinate system"
    return name if len(name) < 20 else f"'{layer.projection.name}'" if layer.projection else name[:20]


def is_wgs84(layer: Layer) -> bool:
    """Whether coordinates are WGS 84 degrees."""
    return layer.crs in {"EPSG:4326", "OGC:CRS84", "EPSG:4979"} or (
        layer.projection is not None and layer.projection.is_geographic and layer.projection.to_epsg() == 4326
    )
