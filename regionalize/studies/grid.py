"""What `choose-k` is to try: numbers of clusters, and a grid of settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from regionalize.errors import UsageError, listed
from regionalize.model.catalog import find_method
from regionalize.model.job import Job
from regionalize.model.kinds import is_digits
from regionalize.run.options import shown, whole_number
from regionalize.run.recipes import read_single

GRID = ("hops", "alpha", "centroid_weight")
"""Options that may have several values."""
MOST = 10_000
"""Numbers in one range: no layer is tried with more, and a slip of the hand is told at once."""


def read_numbers(ks: Any) -> tuple[int, ...]:
    """Read numbers of clusters: rising, each once.

    Parameters
    ----------
    ks : int, str or iterable of int
        ``8``, ``"2-15"``, ``"2,4,8"``, ``"2-6,10"`` or ``range(2, 16)``.

    Raises
    ------
    UsageError
        Nothing, or something else than whole numbers of at least 1.

    Examples
    --------
    >>> read_numbers("2-4,10"), read_numbers(range(2, 5))
    ((2, 3, 4, 10), (2, 3, 4))
    """
    found = {whole for part in _listed(ks) for whole in _span("k", part, 1)}
    if not found:
        raise UsageError("--k is empty", advice="write --k 2-15 or --k 2,4,8")
    return tuple(sorted(found))


def read_grid(method: str, options: Mapping[str, Any]) -> list[tuple[Job, dict[str, Any]]]:
    """Return a job without k for every combination of the grid, with what of the grid varies.

    Alpha has no effect on what is not smoothed: with 0 hops there is one job whatever the alphas.

    Raises
    ------
    UsageError
        k is given among the method's options, or the method finds it; whatever `make_job` refuses.

    Examples
    --------
    >>> [grid for _, grid in read_grid("kmeans", {"hops": "0,1", "alpha": ".3,.5"})]
    [{'hops': 0}, {'hops': 1, 'alpha': 0.3}, {'hops': 1, 'alpha': 0.5}]
    """
    common = {name: value for name, value in options.items() if value is not None}
    values = {name: _values(name, common.pop(name)) for name in GRID if name in common}
    several = [name for name, given in values.items() if len(given) > 1]
    found: dict[tuple[tuple[str, Any], ...], Job] = {}
    for combination in product(*values.values()):
        settings = dict(zip(values, combination, strict=True))
        if not settings.get("hops") and len(values.get("hops", ())) > 1:
            settings.pop("alpha", None)
        varied = tuple((name, value) for name, value in settings.items() if name in several)
        found.setdefault(varied, read_method(method, {**common, **settings}))
    return [(job, dict(varied)) for varied, job in found.items()]


def read_method(method: str, common: Mapping[str, Any]) -> Job:
    """Read a method and the options of its runs, without k."""
    job = read_single(method, common)
    row = find_method(job.method)
    if job.k is not None:
        raise UsageError("k is what is to be chosen", advice="leave it out of the method, and give --k 2-15")
    if not row.takes_k:
        raise UsageError(
            f"{row.name} finds the number of clusters itself", advice="choose k for a method that is told it"
        )
    if row.instead_of_k and job.params.get(row.instead_of_k) is not None:
        raise UsageError(
            f"{shown(row.instead_of_k)} stands in the place of k, which is what is to be chosen",
            advice="leave it out",
        )
    return job


def _listed(given: Any) -> list[Any]:
    """Take text at its commas; anything else one by one."""
    if isinstance(given, str):
        return [part.strip() for part in given.split(",") if part.strip()]
    return list(given) if isinstance(given, Iterable) else [given]


def _span(name: str, part: Any, least: int) -> Iterable[int]:
    """Read a whole number, or text such as 2-15."""
    if not isinstance(part, str):
        return (whole_number(name, part, least),)
    ends = [end.strip() for end in part.split("-")]
    if len(ends) > 2 or not all(map(is_digits, ends)):
        raise UsageError(
            f"{shown(name)} holds '{part}'", advice=f"write {shown(name)} 2-15 or {shown(name)} 2,4,8"
        )
    low, high = int(ends[0]), int(ends[-1])
    if high - low >= MOST:
        raise UsageError(
            f"{shown(name)} holds '{part}': these are more than {MOST:,} numbers",
            advice="give a shorter range",
        )
    if low < least or high < low:
        why = f"it must be at least {least}" if low < least else "its end is below its beginning"
        raise UsageError(f"{shown(name)} holds '{part}': {why}")
    return range(low, high + 1)


def _values(name: str, given: Any) -> list[Any]:
    """Read the values of an option of the grid, each once."""
    parts = _listed(given)
    if not parts:
        raise UsageError(f"{shown(name)} is empty", advice="give one value or several, e.g. 0,1")
    if name == "hops":
        return list(dict.fromkeys(whole for part in parts for whole in _span(name, part, 0)))
    found = []
    for part in parts:
        try:
            found.append(part if part == "auto" or not isinstance(part, str) else float(part))
        except ValueError:
            raise UsageError(
                f"{shown(name)} is {listed(parts)}", advice="give numbers, with commas between them"
            ) from None
    return list(dict.fromkeys(found))
