"""Start-up beside importing click alone: ``python -m benchmarks.startup``. The bar: within 2.5 times."""

from __future__ import annotations

import argparse
from functools import partial

from benchmarks.timing import Run, interleave, medians, run_process

COMMANDS = {
    "import click": ("-c", "import click"),
    "regionalize --help": ("-m", "regionalize", "--help"),
    "regionalize --version": ("-m", "regionalize", "--version"),
    "regionalize kmeans --help": ("-m", "regionalize", "kmeans", "--help"),
}


def timed(command: tuple[str, ...], _: int) -> Run:
    """Run one round."""
    return run_process(command)


def main() -> None:
    """Print median seconds of whole processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args().rounds
    for command in COMMANDS.values():
        run_process(command)  # bytecode cached, files in memory
    ways = {name: partial(timed, command) for name, command in COMMANDS.items()}
    seconds = medians(interleave(ways, rounds))
    print(f"whole processes, medians of {rounds} interleaved runs; the bar is 2.5")
    for name, took in seconds.items():
        print(f"{name:<26} {took * 1000:6.0f} ms   {took / seconds['import click']:5.2f} times import click")


if __name__ == "__main__":
    main()
