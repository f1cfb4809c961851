"""Bounds and `--balance`: how much of something regions hold, read from the layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, UsageError
from regionalize.model.bounds import Bound

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.method import Method


def read_bounds(layer: Layer, job: Job, rows: NDArray[np.int64]) -> tuple[Bound, ...]:
    """Turn the bounds of a job into amounts per row used."""
    found = []
    if job.min_size is not None or job.max_size is not None:
        found.append(Bound.make("units", np.ones(len(rows)), job.min_size, job.max_size))
    wanted: dict[str, dict[str, Any]] = {}
    for side, bound in (("lower", job.min_bound), ("upper", job.max_bound)):
        if bound is not None:
            wanted.setdefault(bound[0], {})[side] = bound[1]
    for column, sides in wanted.items():
        name, amount = read_amount(layer, column, job, rows)
        found.append(Bound.make(name, amount, sides.get("lower"), sides.get("upper")))
    for one in found:
        one.check_units()
        for k in (*job.levels, job.k):
            if k is not None:
                one.check_possible(k)
    return tuple(found)


def balanced_column(method: Method, job: Job) -> str | None:
    """Return the column that `--balance` names, None where it is a word or not given."""
    words = next((param.words for param in method.params if param.name == "balance"), ())
    named = job.params.get("balance")
    return named if words and named is not None and named not in words else None


def read_balance(layer: Layer, method: Method, job: Job, rows: NDArray[np.int64]) -> dict[str, Bound]:
    """Read what regions are to hold alike."""
    column = balanced_column(method, job)
    if column is None:
        return {}
    name, amount = read_amount(layer, column, job, rows)
    if not amount.any():
        raise DataError("holds nothing but zeros, so there is nothing to balance", column=name)
    return {"balance": Bound.make(name, amount, None, None)}


def read_amount(
    layer: Layer, column: str, job: Job, rows: NDArray[np.int64]
) -> tuple[str, NDArray[np.float64]]:
    """Read one column of the rows used, of which no value may be missing."""
    from regionalize.features.columns import read_columns, select_columns

    names, _ = select_columns(layer, (column,))
    if len(names) != 1:
        raise UsageError(f"'{column}' names {len(names)} columns", advice="name one")
    return names[0], read_columns(layer, names, "error", job.id).raw[rows, 0]
