"""Tests run against a changed module, in a copy of this process that has what they need loaded already."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

BESIDE = ("geopandas", "scipy.sparse.csgraph", "scipy.spatial", "hypothesis.strategies", "pyogrio", "pytest")
"""What tests need, and is not changed: loaded once, which spares every trial seconds."""
MEMORY = 8 << 30
"""Bytes of addresses that a trial may ask for: a change may make an array of any size."""
PATIENCE = 10
"""Times its processor time that a trial may take by the clock: the machine may be busy."""
HUSH = "ignore::pytest.PytestAssertRewriteWarning"
"""pytest would have liked to load Hypothesis itself."""


class Outcome(StrEnum):
    """What became of a change."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"


def load_beside() -> None:
    """Load what no change touches; the package itself must stay unknown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in BESIDE:
            __import__(name)
    assert "regionalize" not in sys.modules, "what is changed must be loaded by each trial"


def run_tests(
    copy: Path, tests: Sequence[str], seconds: float, *, profile: str, log: Path
) -> tuple[Outcome, float]:
    """Run tests in a copy of the repository; return what became of them, and the processor time they took."""
    sys.stdout.flush()
    began = time.monotonic()
    process = os.fork()
    if process == 0:
        os._exit(in_child(copy, tests, seconds, profile, log))
    while True:
        found, status, used = os.wait4(process, os.WNOHANG)
        if found:
            break
        if time.monotonic() - began > seconds * PATIENCE:
            os.killpg(process, signal.SIGKILL)
            _, status, used = os.wait4(process, 0)
            return Outcome.TIMED_OUT, used.ru_utime + used.ru_stime
        time.sleep(0.02)
    took = used.ru_utime + used.ru_stime
    if os.WIFSIGNALED(status):
        late = os.WTERMSIG(status) in {signal.SIGXCPU, signal.SIGKILL}
        return (Outcome.TIMED_OUT if late else Outcome.KILLED), took
    return (Outcome.SURVIVED if os.WEXITSTATUS(status) == 0 else Outcome.KILLED), took


def in_child(copy: Path, tests: Sequence[str], seconds: float, profile: str, log: Path) -> int:
    """Run pytest on the copy, with a limit of processor time and of memory; return its exit code."""
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    os.environ["PYTHONPATH"] = str(copy)  # for what tests start
    try:
        import pytest

        options = ["-x", "-q", "--tb=line", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", HUSH]
        code = int(pytest.main([*options, "-m", "not slow", f"--hypothesis-profile={profile}", *tests]))
        room = Path(sys.modules["regionalize"].__file__ or "")
        if not room.is_relative_to(copy):
            print(f"the tests imported {room}")
            return 1
        return code
    except BaseException as error:
        print(repr(error))
        return 1
