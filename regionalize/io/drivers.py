"""The two writers that are not ours: GDAL through its Arrow interface, and pyarrow's CSV."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.errors import OutputError, listed
from regionalize.io import gdal
from regionalize.io.formats import FLATGEOBUF, GEODATABASE, GEOPACKAGE, SHAPEFILE, ZIPPED_SHAPEFILE, Format
from regionalize.io.geopackage import without_triggers
from regionalize.io.parquet import free_name
from regionalize.model.record import KEY

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.layer import Layer


@dataclass(frozen=True)
class Fitted:
    """A layer in the shape a format takes."""

    attributes: pa.Table
    wkb: pa.ChunkedArray | None
    declared: str | None
    options: dict[str, str]
    notes: tuple[str, ...]
    names: dict[str, str] = field(default_factory=dict)
    """What the format makes of each column's name."""


def write_gdal(layer: Layer, fitted: Fitted, form: Format, path: Path, name: str, history: str = "") -> None:
    """Write through GDAL's Arrow interface, with what is kept of the runs that made columns."""
    import pyogrio.errors
    import pyogrio.raw

    table, options = fitted.attributes, dict(fitted.options)
    taken = list(table.column_names)
    geometry_name = None
    if fitted.wkb is not None:
        geometry_name = free_name(_geometry_name(layer, form), taken)
        table = table.append_column(geometry_name, fitted.wkb)
    if form is GEOPACKAGE:
        table = _with_fids(table, layer, options, [*taken, geometry_name or ""])
        if geometry_name is not None:
            options["GEOMETRY_NAME"] = geometry_name
    elif form is FLATGEOBUF:
        options["SPATIAL_INDEX"] = "NO"  # with one, rows would be put in another order
    elif form is GEODATABASE:
        options |= _geodatabase_options(table, taken)
    more: dict[str, Any] = {"encoding": "UTF-8"} if form in (SHAPEFILE, ZIPPED_SHAPEFILE) else {}
    more |= {"layer_metadata": {KEY: history}} if form is FLATGEOBUF and history else {}
    try:
        # warnings: all of it is said in our own words beforehand, or verified
        with without_triggers(path), gdal.quiet(), gdal.writable(path) as plain:
            pyogrio.raw.write_arrow(
                table,
                plain,
                layer=name,
                driver=form.driver,
                geometry_name=geometry_name,
                geometry_type=fitted.declared,
                crs=layer.crs if geometry_name is not None else None,
                layer_options=options,
                **more,
            )
    except (ValueError, RuntimeError, OSError, pyogrio.errors.DataSourceError) as error:
        raise OutputError(
            f"could not be written: {' '.join(str(error).split()).rstrip('.')}",
            advice="write another format, or elsewhere",
        ) from error


def _geometry_name(layer: Layer, form: Format) -> str:
    own = layer.origin.geometry_name
    return "geom" if form is GEOPACKAGE and own in {"", "geometry", "wkb_geometry"} else own or "geometry"


def _with_fids(table: pa.Table, layer: Layer, options: dict[str, str], taken: list[str]) -> pa.Table:
    """Keep the row identifiers of a GeoPackage; rows come back in their order, so it must be rising."""
    fids = layer.origin.metadata.get("fids")
    name = layer.origin.fid_name or "fid"
    free = free_name(name, taken)
    options["FID"] = free
    if fids is None or free != name or len(fids) != len(table) or fids.null_count:
        return table
    values = fids.to_numpy()
    return table.append_column(free, fids) if np.all(np.diff(values) > 0) else table


def _geodatabase_options(table: pa.Table, taken: list[str]) -> dict[str, str]:
    import pyarrow as pa

    options = {"FID": free_name("OBJECTID", taken)}
    recent = any(
        pa.types.is_int64(kind)
        or pa.types.is_uint32(kind)
        or pa.types.is_date(kind)
        or pa.types.is_temporal(kind)
        for kind in table.schema.types
    )
    return options | ({"TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"} if recent else {})


def write_csv(table: pa.Table, path: Path) -> None:
    """Write columns as CSV, numbers in the shortest text that reads back as the same."""
    import pyarrow as pa
    import pyarrow.csv

    if not table.num_columns:
        raise OutputError("there are no columns to write", advice="write another format")
    try:
        pyarrow.csv.write_csv(table, path, pyarrow.csv.WriteOptions(quoting_style="needed"))
    except pa.ArrowException as error:
        raise OutputError(
            f"could not be written: {error}", advice=f"leave out {listed(table.column_names)}"
        ) from error
