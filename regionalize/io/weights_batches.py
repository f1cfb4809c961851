"""Weights files that need not fit into memory, some links at a time."""

from __future__ import annotations

import codecs
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, located
from regionalize.io.parquet_metadata import schema_of
from regionalize.io.weights_files import parquet_about, parquet_faults, refuse_columns, weights_suffix
from regionalize.io.weights_text import gal_units, gwt_links, header_count, numbered, truncated

LINKS = 1 << 16
"""Links of a batch."""


@dataclass(frozen=True)
class LinkBatch:
    """Some links, in the ids of the file.

    Attributes
    ----------
    focal, neighbor : (m,) array of str
        Ends of each link. A unit with an entry of its own has a link of weight 0 to itself.
    values : (m,) float64
        Weights.
    lines : (m,) int64
        Where each stands: line, or row of a table.
    """

    focal: NDArray[np.object_]
    neighbor: NDArray[np.object_]
    values: NDArray[np.float64]
    lines: NDArray[np.int64]


class WeightsBatches:
    """The links of a weights file in file order, some at a time, as often as they are asked for.

    Parameters
    ----------
    path : path
        ``.gal``, ``.gwt`` or ``.parquet``.

    Attributes
    ----------
    declared : int or None
        Number of units that the file is for, where it tells.
    has_entries : bool
        Whether a unit without neighbours has an entry too (not in a `.gwt`).

    Raises
    ------
    DataError
        As `regionalize.io.weights_files.read_weights`; what is wrong in the middle shows while it is read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._suffix = weights_suffix(self.path)
        self.has_entries = self._suffix != ".gwt"
        self.declared: int | None
        with located(str(self.path)):
            if self._suffix == ".parquet":
                import pyarrow as pa
                import pyarrow.parquet

                with parquet_faults(), pa.parquet.ParquetFile(self.path) as file:
                    schema = schema_of(file)
                refuse_columns(schema.names)
                self.declared = parquet_about(schema).get("n")
            else:
                self._encoding = _encoding(self.path)
                with closing(self._lines()) as lines:
                    self.declared = header_count(numbered(lines))

    def __iter__(self) -> Iterator[LinkBatch]:
        """Give all links from the first on."""
        with located(str(self.path)):
            if self._suffix == ".parquet":
                yield from self._of_parquet()
                return
            with closing(self._lines()) as lines:
                tokens = numbered(lines)
                header_count(tokens)
                entries = self._of_gal(tokens) if self._suffix == ".gal" else self._of_gwt(tokens)
                while some := list(islice(entries, LINKS)):
                    focal, neighbor, values, places = zip(*some, strict=True)
                    yield LinkBatch(_texts(focal), _texts(neighbor), np.array(values), np.array(places))

    def _lines(self) -> Generator[str, None, None]:
        with self.path.open(encoding=self._encoding) as file:
            yield from file

    def _of_gal(self, tokens: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[str, str, float, int]]:
        units, last = 0, 1
        for name, number, around, line in gal_units(tokens):
            units, last = units + 1, line
            yield name, name, 0.0, number
            for neighbor in around:
                yield name, neighbor, 1.0, line
        if self.declared is not None and units < self.declared:
            raise truncated(f"the file declares {self.declared} units and holds {units}", last)

    def _of_gwt(self, tokens: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[str, str, float, int]]:
        links = 0
        for link in gwt_links(tokens):
            links += 1
            yield link
        if self.declared and not links:
            raise truncated(f"the file declares {self.declared} units and holds no link", 1)

    def _of_parquet(self) -> Iterator[LinkBatch]:
        import pyarrow as pa
        import pyarrow.parquet

        names, seen = ["focal", "neighbor", "weight"], 0
        with parquet_faults(), pa.parquet.ParquetFile(self.path) as file:
            for batch in file.iter_batches(LINKS, columns=names):
                batch.validate(full=True)
                for name in names:
                    if batch[name].null_count:
                        raise DataError("values are missing", column=name)
                lines = np.arange(seen + 1, seen + len(batch) + 1)
                seen += len(batch)
                values = _weights(batch["weight"], lines)
                yield LinkBatch(_texts(batch["focal"]), _texts(batch["neighbor"]), values, lines)


def _weights(column: Any, lines: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return weights as numbers, or refuse the first that is none."""
    try:
        values = np.asarray(column.cast("float64"))
    except (ValueError, NotImplementedError) as error:
        raise DataError("weights are no numbers", column="weight") from error
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(bad):
        value = values[bad[0]]
        reason = f"the weight {value:g} is negative" if value < 0 else f"'{value}' is not a weight"
        raise DataError(reason, row=int(lines[bad[0]]))
    return values


def _texts(names: Any) -> NDArray[np.object_]:
    values = names.to_pylist() if hasattr(names, "to_pylist") else names
    texts = np.empty(len(values), dtype=object)
    texts[:] = [str(value) for value in values]
    return texts


def _encoding(path: Path) -> str:
    """Say how a file's text is written: UTF-8 or, as older programs do, Latin-1."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except OSError as error:
        raise DataError(f"the file cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"
