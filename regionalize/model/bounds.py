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
        if self.lower * k > total:
            raise InfeasibleError(
                f"{k} clusters of at least {self.lower:g} {self.name} need {self.lower * k:g}, "
                f"but there are only {total:g}",
                advice=f"lower the minimum to {self._shown(total / k, floor)} or less"
                + (f", or ask for at most {int(most)} clusters" if (most := total // self.lower) > 1 else ""),
            )
        if self.upper * k < total:
            raise InfeasibleError(
                f"{k} clusters of at most {self.upper:g} {self.name} hold {self.upper * k:g}, "
                f"but there are {total:g}",
                advice=f"raise the maximum to {self._shown(total / k, ceil)} or more, "
                "or ask for more clusters",
            )
        largest = float(self.amount.max(initial=0.0))
        if largest > self.upper:
            raise InfeasibleError(
                f"one unit alone has {largest:g} {self.name}, more than the maximum of {self.upper:g}",
                advice="raise the maximum",
            )

    def _shown(self, share: float, whole: Callable[[float], int]) -> str:
        return str(whole(share)) if self.name == "units" else f"{share:g}"

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
            raise UsageError(f"the minimum of {low:g} {name} is above the maximum of {high:g}")
        return Bound(name, amount, low, high)


def _amount(value: float | str, total: float) -> float:
    if isinstance(value, str) and value.endswith("%"):
        return float(value[:-1]) / 100.0 * total
    return float(value)
