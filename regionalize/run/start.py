"""`--start` and `--locked`: the plan a search begins with, and the units that stay where it has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from regionalize.errors import DataError, UsageError, listed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.method import Method


@dataclass(frozen=True)
class Start:
    """Where a search begins.

    Attributes
    ----------
    plan : (m,) int64 or None
        Region of each row used, 0, 1, … without gaps, -1 where it has none; None where `--start` is a word.
    locked : (m,) bool or None
        Units that keep the region they have in the plan.
    notes : tuple of str
        What was noticed, for the person.
    """

    plan: NDArray[np.int64] | None = None
    locked: NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()

    @property
    def n_regions(self) -> int:
        """Number of regions of the plan."""
        return 0 if self.plan is None else int(self.plan.max(initial=-1)) + 1

    def arguments(self) -> dict[str, Any]:
        """Return what the method's function is given in place of the names of columns."""
        given = {"start": self.plan, "locked": self.locked}
        return {name: value for name, value in given.items() if value is not None}


def start_column(method: Method, job: Job) -> str | None:
    """Return the column that `--start` names, None where it is a word of the method's own or not given.

    Raises
    ------
    UsageError
        Units are locked, and no column says where.
    """
    if not method.takes_start:
        return None
    value = method.value(job.params, "start")
    if value not in next(param.words for param in method.params if param.name == "start"):
        return str(value)
    if job.locked is not None:
        raise UsageError(
            f"--locked keeps units in the regions of a plan, and --start {value} is none",
            advice="name the column that holds the plan with --start COLUMN",
        )
    return None


def require_k(method: Method, job: Job) -> None:
    """Refuse a job without a number of regions that neither the method finds nor a plan tells.

    Raises
    ------
    UsageError
        There is no k, or there is one besides what stands in its place.
    """
    other = method.instead_of_k
    if other and job.params.get(other) is not None:
        if job.k is not None:
            raise UsageError(f"--k and --{other} exclude each other", advice="give one of them")
        return
    if job.k is None and method.takes_k and start_column(method, job) is None:
        advice = f"give --k, such as --k 12{f', or --{other}' if other else ''}"
        raise UsageError("the number of clusters is missing", advice=advice)


def read_start(layer: Layer, method: Method, job: Job, rows: NDArray[np.int64]) -> Start:
    """Read the plan a search begins with, and the units that are locked.

    Parameters
    ----------
    rows : (m,) int64
        Rows used.

    Raises
    ------
    UsageError
        No such column; locked units without a plan.
    DataError
        A column that holds no labels, or neither truth nor numbers; a locked unit without a region.
    """
    import numpy as np

    from regionalize.run.existing import noise_note, read_labels

    column = start_column(method, job)
    if column is None:
        word = job.params.get("start")
        if method.takes_start and word in layer.column_names:
            said = (
                f"--start {word} is the word, not the column of that name; rename the column to start from it"
            )
            return Start(notes=(said,))
        return Start()
    labels = read_labels(layer, column)[0][rows]
    notes = noise_note(labels, column)
    has_region = labels > 0
    plan = np.full(len(rows), -1, dtype=np.int64)
    plan[has_region] = np.unique(labels[has_region], return_inverse=True)[1]
    if job.locked is None:
        return Start(plan, notes=notes)
    locked = read_truth(layer, job.locked)[rows]
    lost = rows[locked & ~has_region]
    if len(lost):
        raise DataError(
            f"{len(lost)} locked units have no region to keep: {listed(layer.names(job.id)[lost])}",
            column=column,
            advice=f"give them one, or unlock them in '{job.locked}'",
        )
    return Start(
        plan,
        locked,
        (
            *notes,
            f"{int(locked.sum())} of {len(rows)} units are locked",
        ),
    )


def read_truth(layer: Layer, column: str) -> NDArray[np.bool_]:
    """Read a column of truth values or numbers, shape (n,): what is missing or zero is false."""
    import numpy as np

    from regionalize.run.existing import column_values, is_missing

    values = column_values(layer, column)
    if not all(is_missing(value) or isinstance(value, bool | int | float) for value in values):
        raise DataError(
            "holds neither numbers nor truth values", column=column, advice="mark locked units with 1"
        )
    return np.array([not is_missing(value) and bool(value) for value in values], dtype=np.bool_)
