"""Packages that a process does without: half the time of a small run, saved."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

UNUSED = frozenset({"pandas", "geopandas"})
ASKS_FOR_BLAS = "numba.np.arraymath"


class NotHere:
    """An import finder that passes packages off as not installed.

    pyogrio and pyarrow import pandas and geopandas wherever they are installed: half the time of a small run,
    for data frames that a run of files never makes. They do without when there are none. numba imports
    SciPy's linear algebra for functions that no kernel calls, and does without when told that there is none.

    A method of another package may need them all: once the code of one is imported, nothing is refused.
    """

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        """Refuse the packages that are not used; leave all others to the next finder."""
        if name in UNUSED and not others_run():
            raise ModuleNotFoundError(f"{name} is not used by the command line", name=name)
        if name == ASKS_FOR_BLAS:
            import numba.np.linalg

            numba.np.linalg.ensure_blas = asked_by_others(numba.np.linalg.ensure_blas)


def others_run() -> bool:
    """Tell whether this process has imported, or is importing, a method of another package."""
    plugins = sys.modules.get("regionalize.model.plugins")
    return plugins is not None and bool(plugins.IMPORTED)


def asked_by_others(ensure_blas: Callable[[], None]) -> Callable[[], None]:
    """Tell numba that there is no linear algebra, as long as the code that runs is ours alone."""

    def ensure() -> None:
        if not others_run():
            raise ImportError("linear algebra is not used by the command line")
        ensure_blas()

    return ensure


def is_ours() -> bool:
    """Tell whether this process does without them, and all that it runs is ours."""
    return NotHere in sys.meta_path and not others_run()


def do_without() -> None:
    """Do without them from now on: for a process that is ours alone."""
    if NotHere not in sys.meta_path:
        sys.meta_path.insert(0, NotHere)  # all of a finder that is ever called
