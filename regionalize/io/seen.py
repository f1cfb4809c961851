"""What has been read of a layer through GDAL, and whether it is what the file holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from regionalize.io import damage
from regionalize.io.gdal_layer import Description, heard, stream_options
from regionalize.io.source import Source
from regionalize.io.text_damage import check_features, rows_of_text

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class Seen:
    """What has been read of a layer.

    Attributes
    ----------
    rows, nulls : int
        How many rows, and how many of them have no geometry.
    rising : bool
        Whether each identifier of a row is above the one before: of a table that is sound they all are.
    gaps : bool
        Whether identifiers are left out.
    first_days : set of str
        Columns in which there is the moment from which days are counted, what GDAL also takes for a date
        that it does not understand.
    """

    rows: int = 0
    nulls: int = 0
    rising: bool = True
    gaps: bool = False
    first_days: set[str] = field(default_factory=set)
    _last: int | None = None

    def add(self, table: pa.Table, wkb: pa.ChunkedArray | None, fids: pa.ChunkedArray | None) -> None:
        """Take note of rows that follow."""
        self.rows += len(table)
        self.nulls += 0 if wkb is None else wkb.null_count
        if fids is not None and len(fids):
            before = [] if self._last is None else [self._last]
            steps = np.diff(fids.to_numpy(), prepend=before)
            self.rising &= bool((steps > 0).all())
            self.gaps |= bool((steps != 1).any())
            self._last = fids[-1].as_py()
            self.first_days |= {name for name in table.column_names if _has_first_day(table[name])}


def _has_first_day(column: pa.ChunkedArray) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if not (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
        return False
    return bool(pc.any(pc.equal(column, pa.scalar(0, kind))).as_py())


def misread_dates(source: Source, layer: str | None, where: str | None, seen: Seen) -> dict[str, str]:
    """Say which texts in a GeoPackage were taken for dates, where GDAL does not say so itself.

    Where rows are filtered, or identifiers have gaps, it reads them in a thread of its own, and nobody hears
    what it says there. So where there is doubt, these columns are read once more, row by row.
    """
    if not seen.first_days or (where is None and not seen.gaps):
        return {}
    import pyogrio.raw

    columns = sorted(seen.first_days)
    with heard(source, where, layer) as said:
        pyogrio.raw.read(source.dataset, layer=layer, where=where, columns=columns, read_geometry=False)
    return said.misread_columns(columns)


def check_rows(source: Source, layer: str | None, about: Description, seen: Seen, where: str | None) -> None:
    """Refuse to go on with fewer rows or geometries than the file holds.

    Parameters
    ----------
    source, layer, about
        The layer, and what is known of it.
    seen : Seen
        What was read.
    where : str or None
        The filter, which hides rows.

    Raises
    ------
    DataError
    """
    filtered = where is not None
    if source.format == "shapefile":
        damage.check_shapes_read(source, seen.nulls, filtered=filtered)
    elif source.format == "GeoPackage" and not source.member:
        with damage.database(source) as connection:
            doubt = filtered or not seen.rising
            damage.check_database(
                connection, about.origin.layer, about.count, seen.rows, seen.nulls, doubt=doubt
            )
    elif source.format in {"GeoPackage", "FlatGeobuf", "File Geodatabase"}:
        damage.check_count(about.count, _count_rows(source, layer) if filtered else seen.rows)
    elif source.format == "GeoJSON":
        check_features(source, None if filtered else seen.rows)
    elif not filtered:
        damage.check_count(rows_of_text(source), seen.rows)


def _count_rows(source: Source, layer: str | None) -> int:
    import pyogrio.raw

    with heard(source, None, layer):
        options = stream_options(source, layer, None, None) | {"columns": [], "use_pyarrow": True}
        with pyogrio.raw.open_arrow(source.dataset, **options) as (_, reader):
            return sum(len(batch) for batch in reader)
