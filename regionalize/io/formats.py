"""The formats that can be written: name, extensions, GDAL driver."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from regionalize.errors import OutputError, listed, nearest


@dataclass(frozen=True)
class Format:
    """A file format, by what writing it needs to know.

    Attributes
    ----------
    name : str
        As a person says it.
    driver : str
        GDAL's name; empty where pyarrow writes.
    extensions : tuple of str
        The first is the usual one.
    one_case : bool
        Whether column names that differ only in case are the same name.
    holds_tables : bool
        Whether a table without geometry can be written.
    """

    name: str
    driver: str
    extensions: tuple[str, ...]
    one_case: bool = False
    holds_tables: bool = True


GEOPACKAGE = Format("GeoPackage", "GPKG", (".gpkg",), one_case=True)
SHAPEFILE = Format("shapefile", "ESRI Shapefile", (".shp",), one_case=True, holds_tables=False)
ZIPPED_SHAPEFILE = Format(
    "zipped shapefile", "ESRI Shapefile", (".shp.zip", ".zip"), one_case=True, holds_tables=False
)
GEOJSON = Format("GeoJSON", "GeoJSON", (".geojson", ".json"))
FLATGEOBUF = Format("FlatGeobuf", "FlatGeobuf", (".fgb",))
GEODATABASE = Format("File Geodatabase", "OpenFileGDB", (".gdb",), one_case=True)
KML = Format("KML", "LIBKML", (".kml",), one_case=True, holds_tables=False)
GEOPARQUET = Format("GeoParquet", "", (".parquet", ".geoparquet"))
CSV = Format("CSV", "", (".csv",))

FORMATS = (
    GEOPACKAGE,
    SHAPEFILE,
    ZIPPED_SHAPEFILE,
    GEOJSON,
    FLATGEOBUF,
    GEODATABASE,
    KML,
    GEOPARQUET,
    CSV,
)


_NOT_ZIPPED = {
    extension
    for form in FORMATS
    if form not in (SHAPEFILE, ZIPPED_SHAPEFILE)
    for extension in form.extensions
}


def find_format(path: str | Path) -> Format:
    """Return the format an output's extension asks for; ``-`` is GeoJSON.

    Raises
    ------
    OutputError
        If the extension is none of those known.

    Examples
    --------
    >>> find_format("regions.SHP.zip").name
    'zipped shapefile'
    """
    if str(path) == "-":
        return GEOJSON
    name = Path(path).name.lower()
    for form in FORMATS:
        if name.endswith(form.extensions):
            inner = Path(name.removesuffix(".zip")).suffix
            if form is ZIPPED_SHAPEFILE and inner in _NOT_ZIPPED:
                raise OutputError(
                    "only shapefiles are written as .zip", file=str(path), advice=f"write {inner}"
                )
            return form
    known = [extension for form in FORMATS for extension in form.extensions]
    suffix = Path(name).suffix
    reason = f"'{suffix}' is not a format that can be written" if suffix else "the name has no extension"
    meant = nearest(suffix, known) if len(suffix) > 4 else ""  # of three letters any other is near
    raise OutputError(reason, file=str(path), advice=meant or f"use one of {listed(known, limit=len(known))}")


SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
"""Endings of the files that a shapefile is."""
SHAPEFILE_INDEXES = (".sbn", ".sbx", ".qix", ".idm", ".ind", ".qpj")
"""Endings of what programs make from these, and that contradicts others of the name."""
JOURNALS = ("-wal", "-journal")
"""What a database that is in use, or was left half written, keeps of its content in a file beside it."""
NAMED_LAYERS = (GEOPACKAGE, GEODATABASE, FLATGEOBUF, GEOJSON)
"""Formats that hold the name of a layer beside the name of the file."""
_NOT_FIRST_IN_A_LAYER_NAME = "`~!@#$%^&*()+-={}|[]\\:\";'<>?,./"
"""What GDAL refuses at the start of a GeoPackage layer's name."""
_NOT_IN_A_LAYER_NAME = str.maketrans(dict.fromkeys('<>:"/\\|?*', "-"))
"""What GDAL refuses anywhere in a KML layer's name."""


def stem_of(name: str, form: Format) -> str:
    """Return the name of a file without its ending, which may have two parts.

    Examples
    --------
    >>> stem_of("regions.shp.zip", ZIPPED_SHAPEFILE)
    'regions'
    """
    return name[: -len(next(end for end in form.extensions if name.lower().endswith(end)))]


def layer_name_of(name: str, form: Format, asked: str | None = None) -> str:
    """Name the layer of a file: as it was asked for, or like the file.

    Examples
    --------
    >>> layer_name_of("-new.gpkg", GEOPACKAGE), layer_name_of("new.gpkg", GEOPACKAGE, "regions")
    ('new', 'regions')
    """
    if asked is not None and form in NAMED_LAYERS:
        return asked
    stem = stem_of(name, form)
    if form is KML:
        return stem.translate(_NOT_IN_A_LAYER_NAME)
    return (stem.lstrip(_NOT_FIRST_IN_A_LAYER_NAME) or "regions") if form is GEOPACKAGE else stem
