"""How many threads a run may take, and libraries held to that."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

GROUP = Path("/sys/fs/cgroup/cpu.max")
"""Where a control group, as containers set it, says how much of the processors it may use."""
LINEAR_ALGEBRA = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Read by libraries of linear algebra when they are loaded."""

Run = Callable[..., Iterable[Any]]
"""`map`, or that of an executor."""

_most: ContextVar[int | None] = ContextVar("most", default=None)


def processors() -> int:
    """Return how many processors this process may use: fewer than there are where it is bound to some.

    Examples
    --------
    >>> processors() >= 1
    True
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError):  # no such file; "max" is no limit, and no number
        quota, period = GROUP.read_text(encoding="ascii").split()
        count = min(count, ceil(int(quota) / int(period)))
    return max(count, 1)


def threads(jobs: int | None = None) -> int:
    """Return how many threads to take: what is asked, or what the run may take, or one per processor.

    Parameters
    ----------
    jobs : int, optional
        What is asked here.

    Examples
    --------
    >>> with at_most(3):
    ...     threads(), threads(2)
    (3, 2)
    """
    return jobs or _most.get() or processors()


@contextmanager
def at_most(jobs: int | None) -> Iterator[None]:
    """Hold whatever is called inside to so many threads, and linear algebra to one.

    Libraries take a thread per processor unless told, whatever else the machine does. Linear algebra is
    small here: on many threads it is slower, its threads wait in a loop that keeps a processor busy, and sums
    depend on how many there are.

    Parameters
    ----------
    jobs : int or None
        Threads; None: what is allowed already, or one per processor.

    Examples
    --------
    >>> with at_most(2), at_most(None):
    ...     threads()
    2
    """
    import pyarrow as pa

    number = threads(jobs)
    before, given = pa.cpu_count(), _most.set(number)
    pa.set_cpu_count(number)
    try:
        with _libraries(len(sys.modules)).limit(limits={"blas": 1, "openmp": number}):
            yield
    finally:
        pa.set_cpu_count(before)
        _most.reset(given)


@contextmanager
def side_by_side(jobs: int) -> Iterator[Run]:
    """Give what maps a function on so many threads, in the order of what it is given.

    Examples
    --------
    >>> with side_by_side(2) as run:
    ...     list(run(abs, [-1, -2]))
    [1, 2]
    """
    if jobs == 1:
        yield map
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(jobs) as pool:
        yield pool.map


def one_blas_thread() -> AbstractContextManager[Any]:
    """Hold linear algebra to one thread: on many, small products are slower, and sums differ.

    Examples
    --------
    >>> import numpy as np
    >>> with one_blas_thread():
    ...     print(np.eye(2) @ [3, 4])
    [3. 4.]
    """
    limits: AbstractContextManager[Any] = _libraries(len(sys.modules)).limit(limits=1, user_api="blas")
    return limits


@lru_cache(maxsize=1)
def _libraries(modules: int) -> ThreadpoolController:
    """Return what speaks to the libraries that are loaded.

    To find them takes milliseconds, a part of a small run: they are looked for again only when the number of
    modules is another, which may have brought more.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def start_with_few() -> None:
    """Have linear algebra begin with one thread, unless the environment says how many.

    For a process of our own, before NumPy is loaded: else a thread per processor is made, and each turns in a
    loop for a tenth of a second before it rests.
    """
    for name in LINEAR_ALGEBRA:
        os.environ.setdefault(name, "1")
