"""`Bound`: a least or most that every region must hold, of units or of a column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, UsageError


@dataclass(frozen=True)
class Bound:
    """Every region's sum of `amount` must lie between `lower` and `upper`.

    Attributes
    ----------
    name : str
        What is counted: ``"units"`` or a column's name.
    amount : (m,) float64
        Not negative; ones for units.
    lower, upper : float
        ``-inf`` and ``inf`` where there is no bound.
    """

    name: str
    amount: NDArray[np.float64]
    lower: float = -np.inf
    upper: float = np.inf

    def check_possible(self, k: int) -> None:
        """Raise `InfeasibleError` if no grouping into k regions can satisfy the bound."""
        total = float(self.amount.sum())
        clusters, s = ("1 cluster", "s") if k == 1 else (f"{k} clusters", "")
        if self.lower * k > total:
            raise InfeasibleError(
                f"{clusters} of at least {plain(self.lower)} {self.name} need{s} {plain(self.lower * k)}, "
                f"but there are only {plain(total)}",
                advice=f"lower the minimum to {self._shown(total / k, floor)} or less"
                + (f", or ask for at most {int(most)} clusters" if (most := total // self.lower) > 1 else ""),
            )
        if self.upper * k < total:
            raise InfeasibleError(
                f"{clusters} of at most {plain(self.upper)} {self.name} hold{s} {plain(self.upper * k)}, "
                f"but there are {plain(total)}",
                advice=f"raise the maximum to {self._shown(total / k, ceil)} or more, "
                "or ask for more clusters",
            )
        self.check_units()

    def check_units(self) -> None:
        """Raise `InfeasibleError` if a unit holds more than any region may."""
        largest = float(self.amount.max(initial=0.0))
        if largest > self.upper:
            raise InfeasibleError(
                f"one unit alone has {plain(largest)} {self.name}, "
                f"more than the maximum of {plain(self.upper)}",
                advice="raise the maximum",
            )

    def _shown(self, share: float, whole: Callable[[float], int]) -> str:
        return str(whole(share)) if self.name == "units" or share >= 1e6 else plain(share)

    @staticmethod
    def make(
        name: str, amount: NDArray[np.float64], lower: float | str | None, upper: float | str | None
    ) -> Bound:
        """Build a bound, reading ``"10%"`` as a share of the total.

        Examples
        --------
        >>> Bound.make("pop", np.array([10.0, 30.0]), "10%", None).lower
        4.0
        """
        if not np.all(amount >= 0):
            raise UsageError("a bound needs a column without negative or missing values", column=name)
        total = float(amount.sum())
        low = -np.inf if lower is None else _amount(lower, total)
        high = np.inf if upper is None else _amount(upper, total)
        if low > high:
            raise UsageError(f"the minimum of {plain(low)} {name} is above the maximum of {plain(high)}")
        return Bound(name, amount, low, high)


def plain(amount: float) -> str:
    """Write an amount without powers of ten, which are no way to speak of people.

    Examples
    --------
    >>> plain(1295643.6), plain(26.0), plain(38.750612)
    ('1295644', '26', '38.7506')
    """
    return f"{amount:.0f}" if 1e6 <= abs(amount) < 1e15 else f"{amount:g}"


def _amount(value: float | str, total: float) -> float:
    if isinstance(value, str) and value.endswith("%"):
        return float(value[:-1]) / 100.0 * total
    return float(value)
