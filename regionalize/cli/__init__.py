"""The command line: the only room that knows click and rich."""

from __future__ import annotations


def main() -> None:
    """Run the command line and leave with its exit code."""
    from regionalize.cli.program import run_program

    raise SystemExit(run_program())
