"""Compile a kernel on demand, so that small runs never load the compiler."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any, TypeVar, cast

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiles() -> bool:
    """Tell whether there is a compiler, and it is not switched off.

    Examples
    --------
    >>> compiles() in (True, False)
    True
    """
    return os.environ.get("NUMBA_DISABLE_JIT", "0") in {"", "0"} and find_spec("numba") is not None


@cache
def compiled(kernel: Kernel) -> Kernel:
    """Return `kernel` compiled to machine code, cached on disk.

    The kernel's source must run, and give the same answer, as plain Python: that is what runs where
    numba is missing or ``NUMBA_DISABLE_JIT=1`` is set. A kernel calls another by the name of its
    compiled twin only through arguments or plain arithmetic: kernels are flat.

    Examples
    --------
    >>> def total(values):
    ...     out = 0.0
    ...     for value in values:
    ...         out += value
    ...     return out
    >>> import numpy as np
    >>> float(compiled(total)(np.ones(3)))
    3.0
    """
    if not compiles():
        return kernel
    import numba

    try:
        # numba falls back to the user's cache directory when the package folder is read-only
        fast: Any = numba.njit(cache=True, nogil=True)(kernel)
    except RuntimeError:  # no folder to cache in at all, or a function without a file
        fast = numba.njit(nogil=True)(kernel)
    return cast(Kernel, fast)
