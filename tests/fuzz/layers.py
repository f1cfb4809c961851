"""Good layers to damage, and what else than GDAL tells of how many rows a damaged one has."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import struct
import warnings
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np

ROWS = 36
COLUMNS = "a,b"


def frame():
    """Return a grid of uneven quadrilaterals with columns of several types, some values missing."""
    import geopandas
    import pandas
    import shapely

    draw = np.random.default_rng(11)
    side = int(ROWS**0.5)
    corner = np.stack(np.meshgrid(np.arange(side + 1), np.arange(side + 1)), axis=-1) * 1000.0
    corner[1:-1, 1:-1] += draw.uniform(-200, 200, (side - 1, side - 1, 2))
    corner += (500_000, 5_000_000)
    cells = [(i, j) for i in range(side) for j in range(side)]
    shapes = [
        shapely.Polygon([corner[i, j], corner[i, j + 1], corner[i + 1, j + 1], corner[i + 1, j]])
        for i, j in cells
    ]
    days = pandas.Timestamp("2020-01-01") + pandas.to_timedelta(np.arange(ROWS), unit="D")
    table = {
        "name": [f"Ünit {row}" if row % 5 else None for row in range(ROWS)],
        "a": draw.normal(size=ROWS),
        "b": draw.normal(size=ROWS),
        "pop": draw.integers(10, 10_000, ROWS),
        "day": days.astype("datetime64[ms]"),
    }
    return geopandas.GeoDataFrame(table, geometry=shapes, crs="EPSG:32633")


def build(folder: Path) -> dict[str, list[Path]]:
    """Write the layer in every format, the same bytes each time; return the files, that to be named first."""
    import pyogrio

    folder.mkdir(parents=True, exist_ok=True)
    units = frame()
    found = {}
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2020-01-01T00:00:00.000Z"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a shapefile holds days as text
        for kind, name, options in (
            ("gpkg", "units.gpkg", {}),
            ("shp", "units.shp", {"ENCODING": "UTF-8", "DBF_DATE_LAST_UPDATE": "2020-01-01"}),
            ("geojson", "units.geojson", {}),
            ("fgb", "units.fgb", {"SPATIAL_INDEX": "NO"}),
        ):
            units.to_file(folder / name, engine="pyogrio", **options)
            found[kind] = [folder / name]
    found["shp"] += [folder / f"units{suffix}" for suffix in (".shx", ".dbf", ".prj", ".cpg")]
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
    units.to_parquet(folder / "units.parquet", index=False)
    found["parquet"] = [folder / "units.parquet"]
    with zipfile.ZipFile(folder / "units.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in found["shp"]:
            entry = zipfile.ZipInfo(file.name, (2020, 1, 1, 0, 0, 0))
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    found["zip"] = [folder / "units.zip"]
    centers = units.geometry.centroid.to_crs("EPSG:4326")
    table = units.drop(columns="geometry").assign(lon=centers.x, lat=centers.y)
    table.to_csv(folder / "units.csv", index=False)
    found["csv"] = [folder / "units.csv"]
    return found


def rows_in(kind: str, path: Path) -> int | None:
    """Count the rows of a layer without GDAL; None where its bytes do not tell."""
    try:
        return COUNTS[kind](path)
    except Exception:  # what is damaged past understanding tells nothing
        return None


def _gpkg(path: Path) -> int | None:
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        if database.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
            return None
        names = database.execute("SELECT table_name FROM gpkg_geometry_columns").fetchall()
        return len(database.execute(f'SELECT * FROM "{names[0][0]}"').fetchall()) if len(names) == 1 else None


def _shp(path: Path) -> int | None:
    """Rows of the table that are not marked as deleted."""
    raw = path.with_suffix(".dbf").read_bytes()
    rows, header, width = struct.unpack("<IHH", raw[4:12])
    marks = raw[header::width][:rows]
    return len(marks) - marks.count(b"*")


def _geojson(path: Path) -> int | None:
    return sum(isinstance(one, dict) for one in json.loads(path.read_bytes())["features"])


def _fgb(path: Path) -> int | None:
    """Walk over the features, each of which begins with its length."""
    raw, count = path.read_bytes(), 0
    at = 12 + struct.unpack("<I", raw[8:12])[0]
    while at < len(raw):
        at += 4 + struct.unpack("<I", raw[at : at + 4])[0]
        count += 1
    return count if at == len(raw) and count <= ROWS else None  # what is more, its header does not count


def _parquet(path: Path) -> int | None:
    import pyarrow.parquet

    return pyarrow.parquet.read_metadata(path).num_rows


def _zip(path: Path) -> int | None:
    return None  # its checksums tell of all damage


def _csv(path: Path) -> int | None:
    text = path.read_bytes().decode("utf-8", "replace")
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    return len(rows) - (not any(map(_is_number, rows[0])))  # with a number in it, it is no line of names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


COUNTS = {
    "gpkg": _gpkg,
    "shp": _shp,
    "geojson": _geojson,
    "fgb": _fgb,
    "parquet": _parquet,
    "zip": _zip,
    "csv": _csv,
}
