"""Compile a kernel on demand, so that small runs never load the compiler."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from types import FunctionType
from typing import Any, TypeVar, cast

Kernel = TypeVar("Kernel", bound=Callable[..., Any])
ROOM = "regionalize.kernels"
"""Where the functions live that kernels may call."""


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
    numba is missing or ``NUMBA_DISABLE_JIT=1`` is set. A kernel may call others.

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

    source = with_compiled_helpers(kernel)
    try:
        # numba falls back to the user's cache directory when the package folder is read-only
        fast: Any = numba.njit(cache=True, nogil=True)(source)
    except RuntimeError:  # no folder to cache in at all, or a function without a file
        fast = numba.njit(nogil=True)(source)
    return cast(Kernel, fast)


def with_compiled_helpers(kernel: Kernel) -> Kernel:
    """Return a copy of `kernel` that calls the compiled twins of the kernels it names.

    Its name tells what they are made of: numba looks for machine code on disk by name and by the kernel's own
    file, and would not notice that a helper in another file has changed.
    """
    source = cast(FunctionType, kernel)
    fast = {name: compiled(helper) for name, helper in helpers_of(source).items()}
    if not fast:
        return kernel
    copy = FunctionType(source.__code__, {**source.__globals__, **fast}, source.__name__)
    copy.__module__, copy.__qualname__ = source.__module__, f"{source.__qualname__}_{fingerprint(source):08x}"
    return cast(Kernel, copy)


def fingerprint(kernel: FunctionType) -> int:
    """Return a number that changes with the code of a kernel, and of those it calls."""
    code = kernel.__code__
    named = (kernel.__globals__.get(name) for name in code.co_names)
    constants = [value for value in named if isinstance(value, int | float)]
    number = zlib.crc32(code.co_code + repr((code.co_names, code.co_consts, constants)).encode())
    for helper in helpers_of(kernel).values():
        number = zlib.crc32(fingerprint(helper).to_bytes(4, "big"), number)
    return number


def helpers_of(kernel: FunctionType) -> dict[str, FunctionType]:
    """Return the kernels that a kernel names."""
    named = {name: kernel.__globals__.get(name) for name in kernel.__code__.co_names}
    return {
        name: value
        for name, value in named.items()
        if isinstance(value, FunctionType) and value.__module__.startswith(ROOM)
    }
