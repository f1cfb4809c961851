"""`Layer`: the rows of one vector layer, as they came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from regionalize.errors import DataError, UsageError, nearest
from regionalize.model.record import History

if TYPE_CHECKING:
    import geopandas
    import numpy as np
    import pyarrow as pa
    import pyproj
    from numpy.typing import NDArray

POLYGONAL = frozenset({"Polygon", "MultiPolygon"})
PUNCTUAL = frozenset({"Point", "MultiPoint"})


@dataclass(frozen=True)
class LayerOrigin:
    """Where a layer was read from, and what its format knows beyond the columns.

    `geometry_type` is the type the layer declares (``"Polygon"``, ``"MultiPolygon Z"``, ``"Unknown"``);
    `geometry_name` and `fid_name` are the names its geometry and row-identifier columns have there.
    """

    file: str = ""
    layer: str = ""
    driver: str = ""
    encoding: str | None = None
    geometry_type: str | None = None
    geometry_name: str = "geometry"
    fid_name: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Layer:
    """A vector layer in memory.

    Attributes
    ----------
    attributes : pyarrow.Table
        Every column but the geometry, n rows, in file order with file types and nulls.
    wkb : pyarrow.ChunkedArray or None
        The geometry as the file holds it (n rows of WKB, null where there is none), so that what is
        written is the user's own, byte for byte. None for a table without geometry.
    crs : str or None
        Coordinate reference system as ``"EPSG:4326"`` or WKT.
    origin : LayerOrigin
        Which file and layer it is from, and what of its format is kept for writing.
    notes : tuple of str
        What was noticed while reading, for the person.
    """

    attributes: pa.Table
    wkb: pa.ChunkedArray | None
    crs: str | None
    origin: LayerOrigin = LayerOrigin()
    notes: tuple[str, ...] = ()
    shapes: NDArray[np.object_] | None = None
    """Shapely geometries where they exist already (a layer made from a GeoDataFrame)."""
    history: History = ()
    """The runs that made columns of it, the latest last, where the file tells."""
    misread: Mapping[str, str] = field(default_factory=dict)
    """Columns in which texts stand for numbers, and what was made of them: not to be computed with."""

    def __len__(self) -> int:
        return int(self.attributes.num_rows)

    @property
    def column_names(self) -> list[str]:
        """Names of the attribute columns, in order."""
        return list(self.attributes.column_names)

    @property
    def has_geometry(self) -> bool:
        """Whether the layer has a geometry column at all."""
        return self.wkb is not None or self.shapes is not None

    @cached_property
    def geometry(self) -> NDArray[np.object_]:
        """Shapely geometries, shape (n,); None where null or beyond what GEOS can hold."""
        import numpy as np

        if self.shapes is not None:
            return self.shapes
        if self.wkb is None:
            return np.full(len(self), None, dtype=object)
        raw = self.wkb.to_numpy(zero_copy_only=False) if len(self) else np.empty(0, dtype=object)
        shapes: NDArray[np.object_] = shapes_of(raw)
        return shapes

    @cached_property
    def geometry_kinds(self) -> dict[str, int]:
        """Number of rows per geometry type (``"Polygon"``, …), null and empty left out."""
        import numpy as np
        import shapely

        present = self.geometry[~(shapely.is_missing(self.geometry) | shapely.is_empty(self.geometry))]
        codes, counts = np.unique(shapely.get_type_id(present), return_counts=True)
        return {
            _KIND_NAMES[shapely.GeometryType(int(code)).name]: int(count)
            for code, count in zip(codes, counts, strict=True)
        }

    @cached_property
    def projection(self) -> pyproj.CRS | None:
        """The coordinate reference system as a pyproj object, None when unknown."""
        import pyproj

        return None if self.crs is None else pyproj.CRS.from_user_input(self.crs)

    @cached_property
    def planes(self) -> dict[str, Any]:
        """What `regionalize.features.centroids.project_geometry` keeps of a small layer, by target."""
        return {}

    @property
    def is_geographic(self) -> bool:
        """Whether coordinates are longitude and latitude."""
        return self.projection is not None and bool(self.projection.is_geographic)

    def refuse_misread(self, column: str) -> None:
        """Refuse to compute with a column in which texts stand for numbers.

        Raises
        ------
        DataError
        """
        if column in self.misread:
            advice = "correct it, or leave out the column"
            raise DataError(self.misread[column], advice=advice, column=column)

    def names(self, id_column: str | None = None) -> NDArray[np.object_]:
        """Name every row for messages: the id column's text, or the row number from 1.

        Whole numbers are named alike in every type: 17031, not 17031.0.

        Raises
        ------
        UsageError
            If there is no such column.
        """
        import numpy as np

        if id_column is None:
            return np.array([str(row) for row in range(1, len(self) + 1)], dtype=object)
        if id_column not in self.column_names:
            raise UsageError(
                f"there is no column '{id_column}' for --id", advice=nearest(id_column, self.column_names)
            )
        values = plain_values(self.attributes[id_column])
        whole = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
        return np.array([str(value) for value in whole], dtype=object)

    def take(self, rows: NDArray[np.int64] | pa.Array) -> Layer:
        """Return some of the rows, shape (m,) of positions from 0, with everything that is known of them."""
        from dataclasses import replace

        known = self.origin.metadata
        if "fids" in known:
            known = known | {"fids": known["fids"].take(rows)}
        return replace(
            self,
            attributes=self.attributes.take(rows),
            wkb=None if self.wkb is None else self.wkb.take(rows),
            origin=replace(self.origin, metadata=known),
            shapes=None if self.shapes is None else self.shapes[rows],
        )

    def to_frame(self) -> geopandas.GeoDataFrame:
        """Return the layer as a GeoDataFrame; whole numbers with missing values become floats."""
        import geopandas

        columns = self.attributes.to_pandas()
        name = self.origin.geometry_name or "geometry"
        return geopandas.GeoDataFrame(columns.assign(**{name: self.geometry}), geometry=name, crs=self.crs)

    @staticmethod
    def from_frame(frame: geopandas.GeoDataFrame) -> Layer:
        """Make a layer from a GeoDataFrame (or a DataFrame, without geometry).

        Columns Arrow cannot hold are kept as their text: they can be named, but not clustered.
        """
        import pyarrow as pa

        geometry_name = getattr(frame, "_geometry_column_name", None)
        plain, arrays, names = frame.columns, [], []
        for name in plain:
            if name == geometry_name:
                continue
            series = frame[name]
            try:
                arrays.append(pa.array(series, from_pandas=True))
            except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError):
                arrays.append(pa.array([None if value is None else str(value) for value in series]))
            names.append(str(name))
        table = pa.table(arrays, names=names) if names else pa.table({"row": range(len(frame))})
        if geometry_name is None or geometry_name not in plain:
            return Layer(table, None, None)
        crs = None if frame.crs is None else (frame.crs.to_string())
        shapes = frame.geometry.to_numpy()
        return Layer(table, None, crs, LayerOrigin(geometry_name=geometry_name), shapes=shapes)


def shapes_of(wkb: Any) -> Any:
    """Return shapely geometries of WKB, alone or in an array; None where null or beyond what GEOS can hold.

    Rings that are not closed are closed, and coordinates that are no numbers stay so.

    Examples
    --------
    >>> shapes_of(bytes.fromhex("0101000000000000000000F03F0000000000000040")).wkt
    'POINT (1 2)'
    """
    import numpy as np
    import shapely

    with np.errstate(invalid="ignore"):
        return shapely.from_wkb(wkb, on_invalid="fix")


_KIND_NAMES = {
    "POINT": "Point",
    "LINESTRING": "LineString",
    "LINEARRING": "LinearRing",
    "POLYGON": "Polygon",
    "MULTIPOINT": "MultiPoint",
    "MULTILINESTRING": "MultiLineString",
    "MULTIPOLYGON": "MultiPolygon",
    "GEOMETRYCOLLECTION": "GeometryCollection",
}


def plain_values(column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column as Python has them; of dates that it has not, as their text.

    Examples
    --------
    >>> import pyarrow as pa
    >>> plain_values(pa.chunked_array([pa.array([0, None, 10_000_000], pa.date32())]))
    ['1970-01-01', None, '29349-01-26']
    """
    try:
        found: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):  # beyond the year 9999
        import numpy as np

        texts = np.datetime_as_string(column.to_numpy()).tolist()
        found = [None if text == "NaT" else text for text in texts]
    return found
