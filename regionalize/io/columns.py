"""What each format makes of a column: fitted to it, with a remark, or refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.errors import OutputError, listed
from regionalize.io.formats import (
    CSV,
    FLATGEOBUF,
    GEODATABASE,
    GEOJSON,
    GEOPACKAGE,
    GEOPARQUET,
    KML,
    SHAPEFILE,
    ZIPPED_SHAPEFILE,
    Format,
)

if TYPE_CHECKING:
    import pyarrow as pa

SHAPEFILES = (SHAPEFILE, ZIPPED_SHAPEFILE)
ELSEWHERE = "write a GeoPackage (.gpkg) instead"
_TEXT_BYTES = 254
_NAME_BYTES = 10
_SHAPEFILE_COLUMNS = 255
_KML_OWN = frozenset(
    {"timestamp", "begin", "end", "altitudemode", "tessellate", "extrude", "visibility", "draworder", "icon"}
)
_FORMULA, _SIGNED_NUMBER = r"^[=@+\-\t\r]", r"^[+-][0-9., ]*([eE][+-]?[0-9]+)?$"
"""How formulas of spreadsheets begin, and what begins so and is none."""
_SWALLOWED = "OGC_FID"
"""A column of this name is taken for row numbers, and lost, by every GDAL driver that has none of its own."""


def fit_columns(table: pa.Table, form: Format) -> tuple[pa.Table, tuple[str, ...]]:
    """Return the columns as a format can hold them, and what that changes.

    Parameters
    ----------
    table : pyarrow.Table
    form : Format

    Returns
    -------
    table : pyarrow.Table
        The same rows. Nothing is changed that the format can hold as it is.
    notes : tuple of str
        A sentence per kind of change: a type that becomes another with all values intact, names cut but
        still told apart.

    Raises
    ------
    OutputError
        If values or columns would be lost: numbers beyond what the format holds, text cut, names that
        become the same.
    """
    if form is GEOPARQUET:
        return table, ()
    table, notes = fit_names(table, form)
    table, remarks = fit_values(table, form)
    return table, (*notes, *remark_notes(remarks, form))


def fit_values(table: pa.Table, form: Format) -> tuple[pa.Table, dict[str, list[str]]]:
    """Return columns with values as a format can hold them, and the names of columns by what that changes.

    The type of a column follows from the type that it has, but for integers in shapefiles and KML.

    Raises
    ------
    OutputError
        If values would be lost.
    """
    import pyarrow as pa

    fields, columns = [], []
    remarks: dict[str, list[str]] = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        fitted, remark = fit_column(column, form, field.name)
        metadata = field.metadata if fitted.type == field.type else None
        fields.append(pa.field(field.name, fitted.type, metadata=metadata))
        columns.append(fitted)
        if remark:
            remarks.setdefault(remark, []).append(field.name)
    return (pa.table(columns, schema=pa.schema(fields)) if columns else table), remarks


def remark_notes(remarks: Mapping[str, Sequence[str]], form: Format) -> tuple[str, ...]:
    """Say what changes, and in which columns: a sentence per kind of change."""
    return tuple(f"{_article(form)} {remark}: {listed(names)}." for remark, names in remarks.items())


def _article(form: Format) -> str:
    return f"In {form.name}" if form in (GEOJSON, KML, CSV, FLATGEOBUF) else f"In a {form.name}"


def fit_names(table: pa.Table, form: Format) -> tuple[pa.Table, list[str]]:
    """Check column names against each other and the format; return the table as it is to be named."""
    names = list(table.column_names)
    if form.one_case:
        first: dict[str, str] = {}
        for name in names:
            other = first.setdefault(name.lower(), name)
            if other != name:
                raise OutputError(
                    f"columns '{other}' and '{name}' are the same name in a {form.name}",
                    column=name,
                    advice="write GeoParquet (.parquet) or FlatGeobuf (.fgb), or rename one",
                )
    if form is KML:
        taken = [name for name in names if name.lower() in _KML_OWN]
        if taken:
            raise OutputError(f"KML uses these column names itself: {listed(taken)}", advice=ELSEWHERE)
    new, notes = names, []
    if form in SHAPEFILES:
        new = _shapefile_names(names)
    elif form in (GEOJSON, FLATGEOBUF, GEODATABASE, KML) and _SWALLOWED in names:
        new = [_SWALLOWED.lower() if name == _SWALLOWED else name for name in names]
    changed = [f"{old} -> {cut}" for old, cut in zip(names, new, strict=True) if old != cut]
    if changed:
        reason = f"{_article(form)} column names hold {_NAME_BYTES} bytes; these are cut"
        notes.append(
            f"{reason if form in SHAPEFILES else 'Columns renamed'}: {listed(changed, limit=len(changed))}."
        )
    if form is GEODATABASE:
        odd = [name for name in new if not re.fullmatch(r"[^\W\d]\w{0,63}", name)]
        if odd:
            notes.append(
                "A File Geodatabase allows letters, digits and _ in column names, 64 at most; "
                f"others are replaced: {listed(odd)}."
            )
    return table.rename_columns(new) if new != names else table, notes


def _shapefile_names(names: list[str]) -> list[str]:
    """Cut names at 10 bytes; refuse cuts that make two names one."""
    if len(names) > _SHAPEFILE_COLUMNS:
        raise OutputError(
            f"{len(names)} columns are more than the {_SHAPEFILE_COLUMNS} a shapefile holds", advice=ELSEWHERE
        )
    cut = [name.encode()[:_NAME_BYTES].decode("utf-8", "ignore") for name in names]
    cut = [_SWALLOWED.lower() if name == _SWALLOWED else name for name in cut]
    meant: dict[str, list[str]] = {}
    for name, short in zip(names, cut, strict=True):
        meant.setdefault(short.lower(), []).append(name)
    clash = next((group for group in meant.values() if len(group) > 1), None)
    if clash:
        raise OutputError(
            f"a shapefile's column names hold {_NAME_BYTES} bytes, which makes {listed(clash)} the same",
            column=clash[-1],
            advice=f"{ELSEWHERE}, or choose a shorter --label-column",
        )
    return cut


def fit_column(column: pa.ChunkedArray, form: Format, name: str) -> tuple[pa.ChunkedArray, str]:
    """Return one column as a format can hold it, and a remark (empty when nothing changes)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = _plain(column, form)
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):  # JSON, which GDAL knows
        return column, ""
    if pa.types.is_nested(kind):
        if form is GEOJSON:
            return column, ""
        return _fit_text(_as_json(column), form, name, "lists and structures become text (JSON)")
    if pa.types.is_decimal(kind) and form is not CSV:
        return column.cast(pa.float64(), safe=False), "decimal numbers become floating-point numbers"
    if pa.types.is_duration(kind):
        return column.cast(pa.int64()), f"durations become whole numbers ({kind.unit})"
    if pa.types.is_uint64(kind) and form is not CSV:
        largest = pc.max(column).as_py()
        if largest is not None and largest > np.iinfo(np.int64).max:
            raise OutputError(
                f"holds {largest}, beyond 64-bit integers",
                column=name,
                advice="write GeoParquet (.parquet) instead",
            )
        column, kind = column.cast(pa.int64()), pa.int64()
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _fit_binary(column, form, name)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _fit_text(column, form, name, "")
    if pa.types.is_integer(kind):
        return _fit_integer(column, form, name)
    if pa.types.is_floating(kind):
        return _fit_float(column, form, name)
    if pa.types.is_boolean(kind):
        return column, "true and false become 1 and 0" if form is GEODATABASE else ""
    if pa.types.is_temporal(kind):
        return _fit_time(column, form)
    return column, ""


def _plain(column: pa.ChunkedArray, form: Format) -> pa.ChunkedArray:
    """Undo ways of storing that GDAL does not read: dictionaries, views, all-null and half-size types."""
    import pyarrow as pa

    kind = column.type
    if isinstance(kind, pa.BaseExtensionType) and not (
        kind.extension_name == "arrow.json" and form in (GEOJSON, GEOPACKAGE)
    ):
        return _plain(
            pa.chunked_array([chunk.storage for chunk in column.chunks], type=kind.storage_type), form
        )
    if pa.types.is_dictionary(kind):
        return _plain(column.cast(kind.value_type), form)
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    if pa.types.is_date64(kind):
        return column.cast(pa.date32())
    if "view" in str(kind) or pa.types.is_fixed_size_binary(kind):
        return column.cast(pa.large_string() if "string" in str(kind) else pa.large_binary())
    return column


def _as_json(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa

    texts = [
        None if value is None else json.dumps(value, ensure_ascii=False, default=str)
        for value in column.to_pylist()
    ]
    return pa.chunked_array([pa.array(texts, pa.string())])


def _fit_binary(column: pa.ChunkedArray, form: Format, name: str) -> tuple[pa.ChunkedArray, str]:
    import pyarrow as pa

    if form in (GEOPACKAGE, FLATGEOBUF, GEODATABASE):
        return column, ""
    texts = [None if value is None else value.hex() for value in column.to_pylist()]
    hexadecimal = pa.chunked_array([pa.array(texts, pa.string())])
    return _fit_text(hexadecimal, form, name, "bytes become hexadecimal text")


def _fit_text(column: pa.ChunkedArray, form: Format, name: str, remark: str) -> tuple[pa.ChunkedArray, str]:
    import pyarrow.compute as pc

    if form in SHAPEFILES and len(column):
        lengths = pc.min_max(pc.binary_length(column))
        longest = lengths["max"].as_py()
        if longest is not None and longest > _TEXT_BYTES:
            raise OutputError(
                f"a shapefile holds {_TEXT_BYTES} bytes of text, the longest here has {longest}",
                column=name,
                advice=ELSEWHERE,
            )
        if lengths["min"].as_py() == 0 and not remark:
            remark = "empty text becomes null"
    if form is CSV and not remark and _has_formulas(column):
        remark = "text is kept that a spreadsheet may take for a formula"
    return column, remark


def _has_formulas(column: pa.ChunkedArray) -> bool:
    import pyarrow.compute as pc

    begins, number = (pc.match_substring_regex(column, pattern) for pattern in (_FORMULA, _SIGNED_NUMBER))
    found: bool | None = pc.any(pc.and_not(begins, number)).as_py()
    return bool(found)


def _fit_integer(column: pa.ChunkedArray, form: Format, name: str) -> tuple[pa.ChunkedArray, str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if form not in (*SHAPEFILES, KML) or column.type.bit_width < 32 or column.null_count == len(column):
        return column, ""
    span = pc.min_max(column)
    low, high = span["min"].as_py(), span["max"].as_py()
    if form is KML:
        if low >= np.iinfo(np.int32).min and high <= np.iinfo(np.int32).max:
            return column.cast(pa.int32()), ""
        return column.cast(pa.string()), "integers beyond 32 bits become text"
    if low > -(10**17) and high < 10**18:  # 18 characters, the sign among them
        return column, ""
    values = column.drop_null().to_numpy()
    as_float = values.astype(np.float64)
    exact = np.all(np.abs(as_float) < 2.0**63) and np.array_equal(as_float.astype(np.int64), values)
    if not exact:
        raise OutputError(
            f"a shapefile holds integers of 18 digits, these reach {high if high >= 10**18 else low}",
            column=name,
            advice=ELSEWHERE,
        )
    return column.cast(
        pa.float64(), safe=False
    ), "integers of more than 18 digits become floating-point numbers"


def _fit_float(column: pa.ChunkedArray, form: Format, name: str) -> tuple[pa.ChunkedArray, str]:
    if form not in (*SHAPEFILES, GEOPACKAGE, GEOJSON):
        return column, "numbers keep 15 digits" if form is KML else ""
    values: Any = column.drop_null().to_numpy()
    finite = np.isfinite(values)
    if form in (GEOPACKAGE, GEOJSON):
        if form is GEOPACKAGE and np.isnan(values).any():
            return column, "NaN becomes null"
        return column, "NaN and infinity become null" if form is GEOJSON and not finite.all() else ""
    size = np.abs(values[finite])
    if (values[finite] >= 1e24).any() or (values[finite] <= -1e23).any():
        raise OutputError(
            f"a shapefile's number has 24 characters, these reach {size.max():g}",
            column=name,
            advice=ELSEWHERE,
        )
    small = size[size > 0]
    if len(small) and small.min() < 5e-16:
        raise OutputError(
            f"a shapefile's number has 15 decimals, so {small.min():g} would be 0",
            column=name,
            advice=ELSEWHERE,
        )
    if len(small) and small.min() < 1e-6:
        return column, "numbers are cut at 15 decimals, which costs the smallest some digits"
    return column, ""


def _fit_time(column: pa.ChunkedArray, form: Format) -> tuple[pa.ChunkedArray, str]:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_date(kind):
        text = {FLATGEOBUF: "dates become date-times", KML: "dates become text"}
        return column, text.get(form, "")
    if pa.types.is_time(kind):
        kept = form in (GEOJSON, GEODATABASE, CSV)
        return column, "" if kept else "times of day become text"
    if form in (CSV, GEOJSON):
        return column, ""
    changes = []
    if form in SHAPEFILES or form is KML:
        changes.append("date-times become text")
    elif form is GEOPACKAGE and kind.tz is None:
        changes.append("date-times without a zone are taken as UTC")
    elif form in (FLATGEOBUF, GEODATABASE) and kind.tz is not None:
        changes.append("date-times lose their zone")
    if kind.unit in {"us", "ns"}:
        try:
            column.cast(pa.timestamp("ms", tz=kind.tz), safe=True)
        except pa.ArrowInvalid:
            changes.append("date-times are rounded to milliseconds")
    return column, ", ".join(changes)
