"""Small runs on a machine that is busy: ``python -m benchmarks.threads``.

Processes that do nothing but compute keep every processor busy. A small run, and a process of one thread that
computes about as long, are timed with and without them, in turn: what the second loses is the fair share. The
bar: the run loses no more than a quarter more than that. Beside it, the same run with a thread per processor
for linear algebra, as libraries begin unless told.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median

from benchmarks.timing import REPOSITORY, interleave
from regionalize.kernels.threads import LINEAR_ALGEBRA, processors

BUSY = "while True: pass"
ALONE = "import time\nwhile time.process_time() < {seconds}: sum(range(10_000))"
RUNS = {
    "kmeans": "kmeans --k 6 --columns pct_*",
    "kmeans, centroids, smoothed": "kmeans --k 6 --columns pct_* --with-centroids --hops 2",
    "skater": "skater --k 6 --columns pct_*",
    "spectral": "spectral --k 6 --columns pct_*",
}
"""Commands on the bundled sample."""
BAR = 1.25


@contextmanager
def loaded(count: int) -> Iterator[None]:
    """Keep so many processes computing."""
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        time.sleep(0.5)
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def timed(arguments: list[str], environment: dict[str, str], count: int, _round: int) -> float:
    """Return the seconds of a process, with so many others computing."""
    with loaded(count):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
            cwd=tempfile.gettempdir(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - start


def processor_seconds(arguments: list[str]) -> float:
    """Return the processor seconds of a process."""
    before = os.times()
    timed(arguments, {}, 0, 0)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def compare(words: str, busy: int, rounds: int) -> dict[str, float]:
    """Return how many times longer each way takes on the busy machine."""
    arguments = ["-m", "regionalize", *words.split()]
    timed(arguments, {}, 0, 0)  # bytecode cached
    alone = ["-c", ALONE.format(seconds=processor_seconds(arguments))]
    many = dict.fromkeys((*LINEAR_ALGEBRA, "OMP_NUM_THREADS"), str(os.cpu_count()))
    ways = {"one thread that computes": (alone, {}), "the run": (arguments, {}), "unbound": (arguments, many)}
    tried = {
        f"{name}{load}": partial(timed, own, environment, load)
        for name, (own, environment) in ways.items()
        for load in (0, busy)
    }
    found = interleave(tried, rounds)
    seconds = {name: median(result for _, result in runs) for name, runs in found.items()}
    return {name: seconds[f"{name}{busy}"] / seconds[f"{name}0"] for name in ways}


def main() -> None:
    """Print how much longer runs take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--busy", type=int, default=2 * processors(), help="processes that compute besides")
    parser.add_argument("--only", choices=RUNS, help="one of the runs")
    options = parser.parse_args()
    print(f"{options.busy} processes compute besides, on {processors()} processors; {options.rounds} rounds")
    for name in [options.only] if options.only else RUNS:
        longer = compare(RUNS[name], options.busy, options.rounds)
        fair = longer["one thread that computes"]
        told = ", ".join(f"{way} {times:.2f} times as long" for way, times in longer.items())
        verdict = longer["the run"] / fair
        print(f"{name}: {told}; the run over the fair share {verdict:.2f}, the bar is {BAR:g}", flush=True)


if __name__ == "__main__":
    main()
