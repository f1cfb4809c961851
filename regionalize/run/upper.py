"""`--within`: regions that do not cross upper units, such as districts within states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, InfeasibleError, listed
from regionalize.run.existing import column_values, is_missing

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.weights import Weights


@dataclass(frozen=True)
class UpperUnits:
    """What no region may cross.

    Attributes
    ----------
    column : str
        Where they stand.
    code : (n,) int64
        Upper unit of every row, 0, 1, … by first row; -1 for rows without one, which take no part.
    """

    column: str
    code: NDArray[np.int64]

    def inside(
        self, weights: Weights, rows: NDArray[np.int64], k: int | None
    ) -> tuple[Weights, tuple[str, ...]]:
        """Take the links between upper units out of the weights.

        Parameters
        ----------
        weights : Weights
            Of all n rows.
        rows : (m,) int64
            Rows used.
        k : int or None
            Regions asked for.

        Returns
        -------
        Weights
            Of all n rows, without links across.
        tuple of str
            How many upper units there are and how many links were taken out, for the person.

        Raises
        ------
        InfeasibleError
            Fewer regions than pieces of upper units.
        """
        within = weights.within(self.code)
        upper = len(np.unique(self.code[rows]))
        among, left = weights.subset(rows), within.subset(rows)
        pieces = left.n_components
        if k is not None and k < pieces:
            raise InfeasibleError(
                f"k is {k}, but the units fall into {pieces} pieces of the {upper} upper units of "
                f"'{self.column}', and no region can hold units of two",
                advice=f"ask for at least {pieces} regions"
                + (", or join islands with --islands nearest" if among.n_components > 1 else ""),
            )
        total, kept = undirected(among), undirected(left)
        return within, (
            f"no region crosses the {upper} upper units of '{self.column}': "
            f"{total - kept} of {total} links between neighbours were taken out",
        )


def undirected(weights: Weights) -> int:
    """Count pairs of neighbours, whether one or both directions are listed."""
    low, high = np.minimum(weights.row, weights.indices), np.maximum(weights.row, weights.indices)
    return len(np.unique(low * max(len(weights), 1) + high))


def read_upper_units(layer: Layer, job: Job, rows: NDArray[np.int64]) -> UpperUnits | None:
    """Read the column of `--within`, None where it was not given.

    Raises
    ------
    UsageError
        There is no such column.
    DataError
        A row used has no value in it.
    """
    column = job.within
    if column is None:
        return None
    values = column_values(layer, column)
    lost = [row for row in rows.tolist() if is_missing(values[row])]
    if lost:
        raise DataError(
            f"{len(lost)} of {len(layer)} rows have no value, so nobody can tell their upper unit: "
            f"{listed(layer.names(job.id)[lost])}",
            column=column,
            advice="fill them in, or leave the rows out with --where",
        )
    number: dict[object, int] = {}
    code = np.full(len(layer), -1, dtype=np.int64)
    try:
        code[rows] = [number.setdefault(values[row], len(number)) for row in rows.tolist()]
    except TypeError:
        raise DataError(
            "holds lists or structures, which are no upper units",
            column=column,
            advice="name another column",
        ) from None
    return UpperUnits(column, code)
