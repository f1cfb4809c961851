"""Python started anew: an interpreter like this one, with its paths and flags."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, suppress
from typing import Any

from regionalize.kernels.threads import LINEAR_ALGEBRA

_QUIET = (
    "sys.excepthook = lambda kind, *more: issubclass(kind, MemoryError) or sys.__excepthook__(kind, *more)"
)


def here(code: str) -> str:
    """Return code that finds modules where this process does, and nowhere else.

    Where there is no memory for it, it ends quietly: whoever waits for an answer says that there is none.
    """
    return f"import sys; sys.path[:] = {sys.path!a}; {_QUIET}; {code}"


def start_python(code: str, *, threads: int, stdin: int, stdout: int) -> subprocess.Popen[bytes]:
    """Start an interpreter like this one, for code that takes so many threads.

    Where it cannot even begin, for want of memory say, its own words would be a traceback: what it says is
    heard from the first line of the code on.
    """
    # in a group of its own: an interrupt at the terminal is for whoever started it, who tells it
    apart: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    with ExitStack() as ends:
        if sys.platform != "win32":  # where files are not handed on by number
            with suppress(OSError):  # standard error is closed
                said = os.dup(2)
                ends.callback(os.close, said)
                apart |= {"stderr": subprocess.DEVNULL, "pass_fds": (said,)}
                code = f"import os; os.dup2({said}, 2); os.close({said}); {code}"
        process: subprocess.Popen[bytes] = subprocess.Popen(
            [sys.executable, *interpreter_flags(), "-P", "-c", code],
            stdin=stdin,
            stdout=stdout,
            env={**os.environ, **limits(threads)},
            **apart,
        )
    return process


def limits(threads: int) -> dict[str, str]:
    """Return what holds linear algebra to so many threads, unless the environment says how many."""
    return {name: str(threads) for name in ("OMP_NUM_THREADS", *LINEAR_ALGEBRA) if name not in os.environ}


def interpreter_flags() -> list[str]:
    """Return the flags of this interpreter that change what a run does or says."""
    known = {
        "-I": sys.flags.isolated,
        "-E": sys.flags.ignore_environment,
        "-s": sys.flags.no_user_site,
        "-B": sys.flags.dont_write_bytecode,
        "-O": sys.flags.optimize == 1,
        "-OO": sys.flags.optimize > 1,
        "-Xdev": sys.flags.dev_mode,
        f"-Xutf8={sys.flags.utf8_mode}": True,
    }
    return [*(flag for flag, is_set in known.items() if is_set), *(f"-W{text}" for text in sys.warnoptions)]
