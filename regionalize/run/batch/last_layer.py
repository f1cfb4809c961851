"""The layer that was read last, kept for the next item of the same source."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from regionalize.errors import RegionalizeError

if TYPE_CHECKING:
    from regionalize.model.layer import Layer
    from regionalize.run.batch.items import Part
    from regionalize.run.files import Reader


class LastLayer:
    """Reads layers, and keeps the last one: a grid over one file, or the parts of one, read it once."""

    def __init__(self) -> None:
        self.asked: Any = None
        self.layer: Layer | None = None

    def read(self, path: str | None, *, layer: str | None, where: str | None, encoding: str | None) -> Layer:
        """Return what `regionalize.io.read.read_layer` returns, without reading the same file again."""
        from regionalize.io.read import read_layer
        from regionalize.run.batch.digests import stamps

        asked = (path, layer, where, encoding, stamps(path))
        if self.layer is None or asked != self.asked:
            self.layer = None  # two need not be held at a time
            self.layer = read_layer(path, layer=layer, where=where, encoding=encoding)
            self.asked = asked
        return self.layer

    def reader(self, part: Part | None, among: str | None) -> Reader:
        """Return what reads a part of a layer from memory: of the rows that the filter `among` selects.

        The reader itself is given the filter that selects the part. The file is read with it after all where
        that could tell something else: where something was noted, perhaps of other rows alone, or where other
        rows are what is damaged. But what is in memory counts where the filter does not select the same rows:
        one cannot say text in an encoding that is guessed.
        """
        if part is None:
            return self.read

        def read(path: str | None, *, layer: str | None, where: str | None, encoding: str | None) -> Layer:
            from regionalize.io.read import read_layer

            found: Layer | None = None
            with suppress(RegionalizeError):
                whole = self.read(path, layer=layer, where=among, encoding=encoding)
                rows = rows_of(whole, part)
                found = whole.take(rows) if len(rows) else None
            if found is not None and not found.notes:
                return found
            try:
                alone = read_layer(path, layer=layer, where=where, encoding=encoding)
            except RegionalizeError:
                if found is None:
                    raise
                return found
            return alone if found is None or len(alone) == len(found) else found

        return read


def rows_of(layer: Layer, part: Part) -> Any:
    """Return the positions of the rows that have the value of a part, rising, shape (m,) int64."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = layer.attributes[part.column]
    try:
        same = pc.equal(column, pa.scalar(part.value, column.type))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(same.fill_null(False).to_numpy())
