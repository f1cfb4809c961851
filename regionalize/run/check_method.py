"""`check_method`: what every method must do, tried on a new one by whoever writes it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import PluginError, RegionalizeError
from regionalize.model.catalog import find_method
from regionalize.model.findings import Findings
from regionalize.model.method import Method
from regionalize.model.plugins import ARGUMENTS, check_row
from regionalize.model.weights import Weights
from regionalize.run.call import call_checked

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE = 6
"""Units along a side of the grid that methods are tried on."""


@dataclass(frozen=True)
class Trial:
    """Units to group: their variables, their neighbours, a number of clusters, options."""

    X: NDArray[np.floating]
    weights: Weights
    k: int
    options: dict[str, Any] = field(default_factory=dict)
    may_refuse: bool = False


def check_method(method: str | Method, **options: Any) -> None:
    """Try a method on small made data, and raise where it does not do what every method must.

    It must give as many clusters as it is asked for, whole numbers from 0, one for each row, the same for the
    same seed, contiguous where its row says so; leave its variables unchanged; have the defaults of its row;
    and cope with one unit, equal units (where it may also refuse), as many clusters as units, parts without a
    link, and single precision.

    Parameters
    ----------
    method : str or Method
        A row, or the name of an installed method.
    **options
        What to call it with in every trial, where it needs something: options of its own, or ``bounds``.

    Raises
    ------
    PluginError
        With what is wrong.

    Examples
    --------
    >>> check_method("skater")
    """
    row = find_method(method) if isinstance(method, str) else method
    try:
        check_row(row, row.name)
    except ValueError as error:
        raise PluginError(f"method '{row.name}': {error}") from error
    check_signature(row)
    for trial in trials(row):
        try:
            first, again = (run_trial(row, trial, options) for _ in range(2))
        except PluginError:
            raise
        except RegionalizeError:
            if not trial.may_refuse:
                raise
            continue
        if not np.array_equal(first, again):
            raise PluginError(f"method '{row.name}' gives other clusters when it is called again")


def check_signature(row: Method) -> None:
    """Make sure that a function takes what it will be given, with the defaults of its row."""
    function: Callable[..., Any] = row.load()
    parameters = inspect.signature(function).parameters
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    given = {*ARGUMENTS, *(param.name for param in row.params)}
    given |= {"weights"} if row.contiguous else set()
    given |= {"levels"} if row.nested else set()
    given |= {"locked"} if row.takes_start else set()
    for name in sorted(given - set(parameters)):
        if not takes_any:
            raise PluginError(f"method '{row.name}': its function does not take '{name}'")
    for param in row.params:
        default = parameters[param.name].default if param.name in parameters else param.default
        if default != param.default:
            differ = f"{param.default!r} in its row, and {default!r} in its function"
            raise PluginError(f"method '{row.name}': {param.name} is {differ}")


def trials(row: Method) -> Iterator[Trial]:
    """Make what a method is tried on, the plain before the awkward."""
    rng = np.random.default_rng(20)
    n = SIDE * SIDE
    grid, halves, X = grid_weights(), grid_weights(cut=True), rng.normal(size=(n, 3))
    levels = {"levels": (2,)} if row.nested else {}
    yield Trial(X, grid, 1)
    yield Trial(X, grid, 5, levels)
    yield Trial(X, halves, 4, levels)
    yield Trial(X.astype(np.float32), grid, 3)
    for param in row.params:
        if isinstance(param.kind, tuple):
            for word in param.kind:
                yield Trial(X, grid, 3, {param.name: word})
    yield Trial(X[:, :1], grid, 2)
    yield Trial(X, grid, n)
    yield Trial(np.ones((n, 2)), grid, 3, may_refuse=True)
    yield Trial(
        X[:1], Weights.from_links(1, np.zeros(0, int), np.zeros(0, int), kind="alone"), 1, may_refuse=True
    )


def grid_weights(*, cut: bool = False) -> Weights:
    """Link the units of a grid that share a side; `cut` leaves out the links between its halves."""
    unit = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    across = [unit[:, :-1], unit[:, 1:]]
    down = [unit[:-1], unit[1:]]
    if cut:
        down = [np.delete(part, SIDE // 2 - 1, axis=0) for part in down]
    first, second = (np.concatenate([a.ravel(), d.ravel()]) for a, d in zip(across, down, strict=True))
    return Weights.from_links(unit.size, first, second, kind="grid")


def run_trial(row: Method, trial: Trial, options: dict[str, Any]) -> NDArray[np.int64]:
    """Call a method on a trial, as a run does."""
    given: dict[str, Any] = {"bounds": (), **trial.options, **options}
    if row.contiguous:
        given["weights"] = trial.weights
    if row.nested:
        given.setdefault("levels", ())
    if row.takes_start:
        given.setdefault("locked", None)
    k = trial.k if row.takes_k and given.get(row.instead_of_k) is None else None
    given |= {"seed": 7, "jobs": 1, "progress": None, "findings": Findings()}
    return call_checked(row, "that is tried", trial.X, k, **given)
