"""GDAL, closed off: it reads the file that is named, and nothing that the file refers to.

A file chooses the driver that reads it by what it holds, whatever it is called: some drivers then read other
files, ask servers, or start programs. And what the others read may name an address. So while GDAL is at work
for us it knows the drivers of plain files only, and has no network.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

from regionalize.errors import DataError
from regionalize.io.gdal_messages import library

PLAIN_FILES = frozenset(
    {
        *("Arrow", "AVCBin", "AVCE00", "CSV", "DGN", "DXF", "EDIGEO", "ESRI Shapefile", "ESRIJSON"),
        *("FlatGeobuf", "GeoJSON", "GeoJSONSeq", "GeoRSS", "GML", "GPKG", "GPX", "JML", "JSONFG", "KML"),
        *("LIBKML", "LVBAG", "MapInfo File", "MEM", "MiraMonVector", "ODS", "OGR_GMT", "OpenFileGDB", "OSM"),
        *("Parquet", "S57", "SQLite", "SXF", "TopoJSON", "VFK", "WAsP", "XLS", "XLSX"),
    }
)
"""Drivers whose data are in the file itself and those that belong to it.

Not among them: OGR_VRT and GDALG, which read others; WFS, HTTP, PostgreSQL and the like, which ask servers;
GPSBabel and ADBC, which run programs.
"""
_NOWHERE = "nowhere://0"
_SETTINGS = {
    "GDAL_HTTP_PROXY": _NOWHERE,
    "GDAL_HTTPS_PROXY": _NOWHERE,
    "CPL_VSIL_CURL_ALLOWED_FILENAME": _NOWHERE,
    "OGR_SQLITE_ALLOW_EXTERNAL_ACCESS": "NO",
    "ALLOW_OGR_SQL_FUNCTIONS_FROM_TRIGGER_AND_VIEW": "NO",
    "OGR_SQLITE_LIST_VIRTUAL_OGR": "NO",
    "OGR_SQLITE_LOAD_EXTENSIONS": "",
    "OGR_SQLITE_PRAGMA": "cell_size_check=1",
    "GML_PARSER": "EXPAT",
    "CPL_LOG": os.devnull,
}
"""Options of GDAL, whatever the environment says.

No proxy that there is, no address that may be read, no library that a database may load. SQLite refuses pages
whose rows lie outside of them, of which it would make something else. What GDAL's own threads say is not
printed: names in files could drive a terminal.
"""


class _Answer(ctypes.Structure):
    """GDAL's CPLHTTPResult."""

    _fields_ = [
        ("status", ctypes.c_int),
        ("kind", ctypes.c_void_p),
        ("error", ctypes.c_void_p),
        ("length", ctypes.c_int),
        ("allocated", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("headers", ctypes.c_void_p),
        ("parts", ctypes.c_int),
        ("part", ctypes.c_void_p),
    ]


_Fetch = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p, *[ctypes.c_void_p] * 6)
"""Takes the address, its options, who is told of progress and of data, and what is ours; gives an answer."""
_gate = threading.RLock()
_held = ExitStack()
_inside = 0
_asked = threading.local()


@contextmanager
def closed_off() -> Iterator[None]:
    """Let GDAL read plain files only, and ask nobody for anything, until the block ends.

    Drivers and options are those of the whole process; when the last block ends, they are as before.

    Raises
    ------
    DataError
        If GDAL wanted to ask for something: what it made of the file without is not to be trusted.
    """
    before, _asked.addresses = getattr(_asked, "addresses", None), []
    _enter()
    try:
        yield
    finally:
        _leave()
        addresses, _asked.addresses = _asked.addresses, before
        if addresses:
            raise DataError(
                f"it refers to {addresses[0]}, and nothing is fetched",
                advice="use a copy that holds all of its data, with the code of its coordinate system",
            )


def stay_closed() -> None:
    """Let GDAL be `closed_off` until this process ends, which is ours alone.

    To close it and to open it again, for one layer after the other, takes a millisecond each time.
    """
    _enter()


def _enter() -> None:
    global _inside  # noqa: PLW0603  # drivers and options are the process's, and there is one of it
    with _gate:
        if not _inside:
            _limit()
        _inside += 1
    if (gdal := _http()) is not None:
        gdal.CPLHTTPPushFetchCallback(_REFUSE, None)


def _leave() -> None:
    global _inside  # noqa: PLW0603  # as above
    if (gdal := _http()) is not None:
        gdal.CPLHTTPPopFetchCallback()
    with _gate:
        _inside -= 1
        if not _inside:
            _held.close()


def _limit() -> None:
    import pyogrio
    from pyogrio._ogr import _register_drivers

    options = {**_SETTINGS, "GDAL_SKIP": _others()}
    before = {name: pyogrio.get_gdal_config_option(name) for name in options}
    _held.callback(_register_drivers)  # called last of all: then the options are as before
    _held.callback(pyogrio.set_gdal_config_options, before)
    pyogrio.set_gdal_config_options(options)
    _register_drivers()


@cache
def _others() -> str:
    """Name the drivers to skip, with those that the environment says."""
    import pyogrio

    given = str(pyogrio.get_gdal_config_option("GDAL_SKIP") or "")
    named = given.split("," if "," in given else None)
    return ",".join(dict.fromkeys([*sorted(set(pyogrio.list_drivers()) - PLAIN_FILES), *named]))


@cache
def _http() -> ctypes.CDLL | None:
    """Return GDAL where what it would fetch can be answered here; elsewhere a proxy that is none must do."""
    gdal = library()
    if gdal is None or not hasattr(gdal, "CPLHTTPPushFetchCallback"):
        return None
    gdal.CPLHTTPPushFetchCallback.argtypes = [_Fetch, ctypes.c_void_p]
    gdal.CPLCalloc.argtypes, gdal.CPLCalloc.restype = [ctypes.c_size_t] * 2, ctypes.c_void_p
    gdal.CPLStrdup.argtypes, gdal.CPLStrdup.restype = [ctypes.c_char_p], ctypes.c_void_p
    return gdal


def _refuse(address: bytes, *_: object) -> int:
    """Answer in the place of a server."""
    gdal = _http()
    asked = getattr(_asked, "addresses", None)
    if asked is not None:
        asked.append((address or b"").decode(errors="replace"))
    assert gdal is not None  # it has called
    where = gdal.CPLCalloc(1, ctypes.sizeof(_Answer) + 64)  # room for members of later versions
    answer = _Answer.from_address(where)
    answer.status, answer.error = 1, gdal.CPLStrdup(b"nothing is fetched")
    return int(where)


_REFUSE = _Fetch(_refuse)
