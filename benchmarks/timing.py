"""What every measurement needs: interleaved runs, medians, ratios, growth, and where the data are."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

TRIES = 3
REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("REGIONALIZE_SHARED", REPOSITORY.parent / "shared"))


def shared(relative: str) -> Path | None:
    """Return a file of the shared data folder, or None after saying that it is not there."""
    path = SHARED / "data" / relative
    if path.exists():
        return path
    print(f"not here: {relative} of the shared data (set REGIONALIZE_SHARED to the folder that holds data/)")
    return None


class Run(NamedTuple):
    """One finished process."""

    wall: float
    cpu: float
    output: str


def run_process(arguments: Sequence[str | Path], codes: Collection[int] = (0,)) -> Run:
    """Run one Python process from the repository's folder; return its seconds and what it printed.

    It must end with one of the exit codes.
    """

    def work() -> str:
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in codes:
            raise SystemExit(f"{' '.join(map(str, arguments))} failed:\n{done.stderr}")
        return done.stdout

    return timed_run(work)


def timed_run(work: Callable[[], str]) -> Run:
    """Do work that is done by child processes; return its seconds and what it returns."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    output = work()
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, output)


class Timed(NamedTuple):
    """A result, and the seconds that it took where it was made."""

    seconds: float
    result: Any


def in_child(work: Callable[[], Any]) -> Timed:
    """Do the work in a child process, which may crash: it is tried three times."""
    context = get_context("fork")
    for _ in range(TRIES):
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=_send, args=(sender, work))
        child.start()
        sender.close()
        try:
            return Timed(*receiver.recv())
        except EOFError:  # it died
            print(f"a peer crashed (exit code {child.exitcode}), and is tried again", flush=True)
        finally:
            child.join()
    raise SystemExit(f"a peer crashed {TRIES} times")


def _send(sender: Any, work: Callable[[], Any]) -> None:
    start = time.perf_counter()
    result = work()
    sender.send((time.perf_counter() - start, result))


def interleave(ways: Mapping[str, Callable[[int], Any]], rounds: int) -> dict[str, list[tuple[float, Any]]]:
    """Run every way once per round, in turn, so that a busy moment of the machine hits all of them.

    Each is called with the number of the round, from 0. Returns seconds and result of every run; `Timed`
    results bring their seconds along.
    """
    found: dict[str, list[tuple[float, Any]]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            result = way(number)
            own = isinstance(result, Timed)
            found[name].append(result if own else (time.perf_counter() - start, result))
    return found


def medians(found: Mapping[str, Sequence[tuple[float, Any]]]) -> dict[str, float]:
    """Median seconds of each way."""
    return {name: median(seconds for seconds, _ in runs) for name, runs in found.items()}


def growth(seconds: Mapping[int, float]) -> list[tuple[int, int, float]]:
    """Exponent of n between neighbouring sizes: 1 is linear time."""
    sizes = sorted(seconds)
    return [
        (small, large, float(np.log(seconds[large] / seconds[small]) / np.log(large / small)))
        for small, large in pairwise(sizes)
    ]


def show_growth(seconds: Mapping[int, float]) -> None:
    """Print how time grows with n."""
    for small, large, exponent in growth(seconds):
        print(f"growth from {small:,} to {large:,}: n^{exponent:.2f}", flush=True)
