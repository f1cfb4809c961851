"""Packages that a process does without: half the time of a small run, saved."""

from __future__ import annotations

import sys
from typing import Any

UNUSED = frozenset({"pandas", "geopandas"})
ASKS_FOR_BLAS = "numba.np.arraymath"


class NotHere:
    """An import finder that passes packages off as not installed.

    pyogrio and pyarrow import pandas and geopandas wherever they are installed: half the time of a small run,
    for data frames that a run of files never makes. They do without when there are none. numba imports
    SciPy's linear algebra for functions that no kernel calls, and does without when told that there is none.
    """

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        """Refuse the packages that are not used; leave all others to the next finder."""
        if name in UNUSED:
            raise ModuleNotFoundError(f"{name} is not used by the command line", name=name)
        if name == ASKS_FOR_BLAS:
            import numba.np.linalg

            numba.np.linalg.ensure_blas = no_blas


def no_blas() -> None:
    """Tell numba that there is no linear algebra."""
    raise ImportError("linear algebra is not used by the command line")


def do_without() -> None:
    """Do without them from now on: for a process that is ours alone."""
    sys.meta_path.insert(0, NotHere)  # all of a finder that is ever called
