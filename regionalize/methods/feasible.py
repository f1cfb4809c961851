"""What bounds make impossible, told before any search: by region, component and number of regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError
from regionalize.kernels.regions import SLACK
from regionalize.model.bounds import Bound, plain

if TYPE_CHECKING:
    from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]


def check_bounds(k: int, weights: Weights, bounds: Sequence[Bound]) -> None:
    """Refuse bounds that k contiguous regions cannot keep, as far as sums over components tell.

    Parameters
    ----------
    k : int
        Number of regions.
    weights : Weights
        Neighbours of the n units.
    bounds : sequence of Bound
        What every region must hold.

    Raises
    ------
    InfeasibleError
        Says which bound, and which component or how many regions there would have to be.

    Examples
    --------
    >>> from regionalize.model.weights import Weights
    >>> pair = Weights.from_links(3, np.array([0]), np.array([1]), kind="example")
    >>> check_bounds(2, pair, [Bound("pop", np.array([5.0, 5.0, 1.0]), lower=4)])
    Traceback (most recent call last):
    regionalize.errors.InfeasibleError: the component of unit 3 (1 unit) holds 1 pop, ...
    """
    for bound in bounds:
        bound.check_possible(k)
    if not bounds:
        return
    need, room = least_and_most(weights, bounds)
    if room.sum() < k:
        raise too_many_regions(k, int(room.sum()), bounds)
    if need.sum() > k:
        raise too_few_regions(k, int(need.sum()), bounds)


def least_and_most(weights: Weights, bounds: Sequence[Bound]) -> tuple[NDArray[np.float64], ...]:
    """Return how many regions each component must and can make, as far as sums tell.

    Raises
    ------
    InfeasibleError
        A component holds too little for one region, or too much for some number and too little for one more.
    """
    component = weights.component
    size = np.bincount(component)
    need, room = np.ones(len(size)), size.astype(np.float64)
    for bound in bounds:
        held = np.bincount(component, bound.amount).astype(np.float64)
        refuse_poor_component(component, held, bound)
        if np.isfinite(bound.upper) and bound.upper > 0:
            need = np.maximum(need, np.ceil(held / (bound.upper * (1 + SLACK))))
        if np.isfinite(bound.lower) and bound.lower > 0:
            room = np.minimum(room, np.floor(held / (bound.lower * (1 - SLACK))))
    split = np.flatnonzero(need > room)
    if len(split):
        here, first = split[0], np.flatnonzero(component == split[0])[0] + 1
        raise InfeasibleError(
            f"the component of unit {first} ({size[here]} units) cannot be "
            f"regions of {limits_in_words(bounds)}: too much for {int(room[here])}, "
            f"too little for {int(room[here]) + 1}",
            advice="loosen a bound, or join what lies apart with --islands nearest",
        )
    return need, room


def refuse_poor_component(component: IntArray, held: NDArray[np.float64], bound: Bound) -> None:
    """Refuse a component that holds too little to be a region."""
    for poor in np.flatnonzero(held < bound.lower * (1 - SLACK)):
        units = np.flatnonzero(component == poor)
        shown = "1 unit" if len(units) == 1 else f"{len(units)} units"
        holds = "" if bound.name == "units" else f" {plain(held[poor])} {bound.name},"
        raise InfeasibleError(
            f"the component of unit {units[0] + 1} ({shown}) holds{holds} "
            f"less than the minimum of {plain(bound.lower)} {bound.name}",
            advice="lower the minimum, or join what lies apart with --islands nearest",
        )


def too_many_regions(
    k: int, most: int, bounds: Sequence[Bound], where: str = "the components"
) -> InfeasibleError:
    """Return the error of more regions than lower bounds leave room for."""
    return InfeasibleError(
        f"{where} can be cut into at most {most} regions of at least {least_in_words(bounds)}, not {k}",
        advice=f"ask for at most {most} regions, or lower the minimum",
    )


def too_few_regions(k: int, fewest: int, bounds: Sequence[Bound]) -> InfeasibleError:
    """Return the error of fewer regions than upper bounds ask for."""
    return InfeasibleError(
        f"the components need at least {fewest} regions of at most {most_in_words(bounds)}, more than {k}",
        advice=f"ask for at least {fewest} regions, or raise the maximum",
    )


def not_found(k: int, bounds: Sequence[Bound], how: str) -> InfeasibleError:
    """Return the error of bounds that may be possible, but were not met."""
    return InfeasibleError(
        f"no way was found to {how} {k} regions of {limits_in_words(bounds)}",
        advice="loosen the bound, or ask for another number of regions",
    )


def least_in_words(bounds: Sequence[Bound]) -> str:
    """Name the lower bounds."""
    return " and ".join(f"{plain(bound.lower)} {bound.name}" for bound in bounds if bound.lower > 0)


def most_in_words(bounds: Sequence[Bound]) -> str:
    """Name the upper bounds."""
    return " and ".join(f"{plain(bound.upper)} {bound.name}" for bound in bounds if np.isfinite(bound.upper))


def limits_in_words(bounds: Sequence[Bound]) -> str:
    """Name all bounds."""
    least, most = least_in_words(bounds), most_in_words(bounds)
    return " and ".join([f"at least {least}"] * bool(least) + [f"at most {most}"] * bool(most))
