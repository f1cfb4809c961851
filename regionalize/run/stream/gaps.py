"""Values that are missing of rows that come in pieces: counted, and then refused or told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, listed

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.run.stream.variables import Variables

NAMED = 8
"""Rows that are named of those counted."""


class Gaps:
    """Values that are missing, and rows without geometry where centroids take part.

    Parameters
    ----------
    variables : Variables
    job : Job
        Its ``missing`` and ``id`` are used.

    Attributes
    ----------
    columns : (p,) int64
        How many in each column.
    lacking : Counted
        Rows that lack an attribute.
    unplaced : Counted
        Rows that lack their geometry; not those left out already for an attribute.
    """

    def __init__(self, variables: Variables, job: Job) -> None:
        self._variables, self._job = variables, job
        self.columns = np.zeros(len(variables.columns), dtype=np.int64)
        self.lacking, self.unplaced = Counted(), Counted()

    def count(self, values: NDArray[np.floating], batch: Layer, first: int) -> None:
        """Count the NaN of values (m, p), those of a batch whose first row has the number `first`."""
        absent = np.isnan(values)
        if not absent.any():
            return
        attributes = len(self._variables.names)
        lacking, bare = absent[:, :attributes].any(axis=1), absent[:, attributes:].any(axis=1)
        if self._job.missing == "drop":
            bare &= ~lacking
        self.columns += absent.sum(axis=0)
        self.lacking.add(lacking, batch, first, self._job.id)
        self.unplaced.add(bare, batch, first, self._job.id)

    def merge(self, other: Gaps) -> None:
        """Add those of rows that follow."""
        self.columns += other.columns
        self.lacking.merge(other.lacking)
        self.unplaced.merge(other.unplaced)

    @property
    def where(self) -> str:
        """Name the attributes with gaps."""
        names = zip(self._variables.names, self.columns.tolist(), strict=False)
        return listed([f"{name} ({count})" for name, count in names if count], 20)

    def refuse(self, total: int) -> None:
        """Refuse what `Job.missing` does not allow, in so many rows.

        Raises
        ------
        DataError
            A column without any value, values that are missing under ``error``, rows without geometry unless
            these are dropped.
        """
        names = self._variables.names
        with_gaps = [name for name, count in zip(names, self.columns.tolist(), strict=False) if count]
        for name, count in zip(names, self.columns.tolist(), strict=False):
            if count == total:
                raise DataError(
                    f"column '{name}' has no value at all", advice="leave it out with --exclude", column=name
                )
        if self._job.missing == "error" and with_gaps:
            raise DataError(
                f"values are missing in {self.lacking.count} of {total} rows: {self.where}",
                advice="use --missing drop or mean",
                column=with_gaps[0] if len(with_gaps) == 1 else "",
            )
        if self._job.missing != "drop" and self.unplaced.count:
            raise DataError(
                f"{self.unplaced.count} of {total} rows have no geometry, so no centroid: {self.unplaced}",
                advice="use --missing drop",
            )

    def notes(self, total: int) -> tuple[str, ...]:
        """Say what became of those that are not refused."""
        if self._job.missing == "mean":
            return (f"missing values replaced by the mean of their column: {self.where}",) * bool(self.where)
        because = {f"for missing values in {self.where}": self.lacking}
        because["because they have no geometry"] = self.unplaced
        return tuple(
            f"{rows.count} of {total} rows left out {why}: {rows}"
            for why, rows in because.items()
            if rows.count
        )


class Counted:
    """Number of some rows, and the names of the first.

    Examples
    --------
    >>> rows = Counted()
    >>> rows.count, rows.names = 10, [str(number) for number in range(1, 9)]
    >>> print(rows)
    1, 2, 3, 4, 5, 6, 7, 8 and 2 more
    """

    def __init__(self) -> None:
        self.count = 0
        self.names: list[str] = []

    def add(self, which: NDArray[np.bool_], batch: Layer, first: int, id_column: str | None) -> None:
        """Count rows (m,) of a batch, whose first has the number `first`."""
        self.count += int(np.count_nonzero(which))
        rows = np.flatnonzero(which)[: NAMED - len(self.names)]
        if len(rows):
            names = batch.names(id_column)[rows] if id_column else rows + first + 1
            self.names += [str(name) for name in names]

    def merge(self, other: Counted) -> None:
        """Add rows that follow."""
        self.count += other.count
        self.names = (self.names + other.names)[:NAMED]

    def __str__(self) -> str:
        more = self.count - len(self.names)
        return ", ".join(self.names) + (f" and {more} more" if more else "")
