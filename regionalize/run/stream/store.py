"""Rows of numbers on disk: what does not fit into memory lies in a file without a name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from regionalize.errors import OutputError


class RowStore:
    """Rows of numbers, (n, p), in a file that is gone when it is closed, or its process ends.

    Parameters
    ----------
    columns : int
        p.
    dtype : dtype
        Of the numbers.
    folder : Path, optional
        Where the file is: where the system keeps such files, unless given.

    Examples
    --------
    >>> with RowStore(2) as store:
    ...     store.append(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    ...     len(store), store.read(1, 1).tolist()
    (3, [[3.0, 4.0]])
    """

    def __init__(self, columns: int, dtype: DTypeLike = np.float64, folder: Path | None = None) -> None:
        self.columns, self.dtype, self.folder, self.count = columns, np.dtype(dtype), folder, 0
        try:
            self._file = TemporaryFile(buffering=0, dir=folder, prefix=".regionalize-")  # noqa: SIM115  # closed below
        except OSError as error:
            raise _no_room(error) from error

    def __len__(self) -> int:
        return self.count

    def __enter__(self) -> RowStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, values: NDArray[Any]) -> None:
        """Add rows, (m, p), at the end.

        Raises
        ------
        OutputError
            There is no room for them.
        """
        self.put(self.count, values)

    def put(self, first: int, values: NDArray[Any]) -> None:
        """Write rows, (m, p), over those from number `first` on, or behind the last."""
        rows = np.ascontiguousarray(values, dtype=self.dtype).reshape(-1, self.columns)
        self._write(first, rows)
        self.count = max(self.count, first + len(rows))

    def read(self, first: int, count: int) -> NDArray[Any]:
        """Return at most `count` rows from number `first` on."""
        found = np.empty((max(0, min(count, self.count - first)), self.columns), self.dtype)
        left = memoryview(found).cast("B") if found.size else memoryview(b"")
        self._file.seek(first * self.columns * self.dtype.itemsize)
        while len(left):
            got = self._file.readinto(left)
            if not got:
                raise OSError("rows that were written cannot be read")
            left = left[got:]
        return found

    def batches(self, rows: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Give all rows in order, so many at a time, each time with the number of the first."""
        for first in range(0, self.count, rows):
            yield first, self.read(first, rows)

    def _write(self, first: int, rows: NDArray[Any]) -> None:
        left = memoryview(rows).cast("B") if rows.size else memoryview(b"")
        try:
            self._file.seek(first * self.columns * self.dtype.itemsize)
            while len(left):
                left = left[self._file.write(left) :]
        except OSError as error:
            raise _no_room(error) from error


def _no_room(error: OSError) -> OutputError:
    return OutputError(
        f"rows cannot be kept in a temporary file ({error.strerror or error})",
        advice="set TMPDIR to a folder on a disk with room",
    )
