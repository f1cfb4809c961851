"""The command line: the only room that knows click and rich."""

from __future__ import annotations

import os
import sys

from regionalize.kernels.threads import start_with_few
from regionalize.run.absent import do_without


def main() -> None:
    """Run the command line in a process of its own, and leave with its exit code."""
    do_without()
    start_with_few()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller: what is said goes nowhere
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # open until the process ends
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a letter shows a substitute
            stream.reconfigure(errors="replace")
    from regionalize.cli.program import run_program

    raise SystemExit(run_program())
