"""The edge of the program: the group of commands, errors and exit codes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from regionalize import __version__
from regionalize.errors import RegionalizeError, UsageError, nearest
from regionalize.model.catalog import METHODS

COMMANDS = {
    "assign": "Give new rows the number of their nearest centre.",
    "choose-k": "Try a method with several numbers of clusters, and suggest one.",
    "contiguous": "Make an existing label column contiguous.",
    "validate": "Measure an existing label column; --require makes it a check.",
    "compare": "Compare label columns, files and runs: agreement, fit, fragmentation, maps.",
    "stability": "Repeat a run on parts of the units: how often each keeps its region.",
    "weights": "Build, describe and convert spatial weights.",
    "smooth": "Write columns smoothed over H-hop neighbourhoods.",
    "map": "Draw a map of a label column.",
    "info": "Say what is in a layer and whether it is fit to cluster.",
    "sample": "Copy the bundled sample data here.",
}
"""Commands that are not methods: one file each in this folder, loaded when called."""

BOUNDS = ("--min-size", "--max-size", "--min-bound", "--max-bound")
"""Options of the methods that hold clusters within bounds."""

ENDINGS = ("SIGTERM", "SIGHUP")
"""Signals that ask the process to end; like an interrupt, they leave nothing half-written."""
INTERRUPTION = "{}; every file is the old one or the whole new one"


class Terminated(BaseException):
    """The process was asked to end: raised so that temporary files are removed on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Commands(click.Group):
    """Commands by name; a command's module is imported only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Methods first, then the others."""
        return [*METHODS, *COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name in METHODS:
            from regionalize.cli.methods import method_command

            return method_command(METHODS[cmd_name])
        if cmd_name in COMMANDS:
            module = cmd_name.replace("-", "_")
            command: click.Command = import_module(f"regionalize.cli.{module}").command
            return command
        return None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Suggest the nearest command for a wrong one."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            raise UsageError(
                f"there is no command '{name}'",
                advice=nearest(name, self.list_commands(ctx)) or "see regionalize --help",
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List methods and other commands apart, without importing any."""
        for title, rows in (
            ("Methods", [(method.name, method.summary) for method in METHODS.values()]),
            ("Commands", list(COMMANDS.items())),
        ):
            with formatter.section(title):
                formatter.write_dl(rows)


@click.command(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(),
    help="TOML file with option values; options given here win.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say on standard error how long each stage took, too.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing on standard error but errors.")
@click.option("--no-color", is_flag=True, help="No colours (or set NO_COLOR).")
@click.option("--debug", is_flag=True, help="Show a traceback on errors.")
@click.pass_context
def program(
    ctx: click.Context, config: str | None, verbose: bool, quiet: bool, no_color: bool, debug: bool
) -> None:
    """Group places into regions.

    INPUT is any vector layer: shapefile, GeoPackage, GeoJSON, FlatGeobuf, File Geodatabase, KML,
    GeoParquet, in a zip too, or - for GeoJSON on standard input. Left out, the bundled sample is used.
    """
    from regionalize.cli.console import Console

    if verbose and quiet:
        raise UsageError("--verbose and --quiet exclude each other")
    ctx.obj = Console(
        quiet=quiet, verbose=verbose, color=False if no_color or "NO_COLOR" in os.environ else None
    )
    if config is not None:
        from regionalize.cli.config import read_config

        ctx.default_map = read_config(config, ctx)


def run_program(args: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code: 0, 1, 2, 3, 130 or 143 (`docs/cli.md`)."""
    given = list(sys.argv[1:] if args is None else args)
    debug = "--debug" in given
    previous = raise_when_ended()
    try:
        code = program.main(args=given, prog_name="regionalize", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except RegionalizeError as error:
        if debug:
            raise
        return fail(str(error), error.exit_code)
    except (KeyboardInterrupt, click.exceptions.Abort):
        return fail(INTERRUPTION.format("interrupted"), 128 + signal.SIGINT)
    except Terminated as ending:
        return fail(INTERRUPTION.format("terminated"), 128 + ending.number)
    except click.ClickException as error:
        return fail(usage_text(error), error.exit_code)
    except OSError as error:
        if debug and not isinstance(error, BrokenPipeError):
            raise
        return standard_output_failed(error)
    except MemoryError:
        return fail("there is not enough memory for this", 1)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def raise_when_ended() -> dict[int, Any]:
    """Turn signals to end into an exception; return the handlers there were."""
    previous: dict[int, Any] = {}

    def end(number: int, frame: object) -> None:
        raise Terminated(number)

    for name in ENDINGS:
        number = getattr(signal, name, None)
        # a signal that is ignored, as under nohup, stays ignored
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            try:
                previous[number] = signal.signal(number, end)
            except ValueError:  # not in the main thread: the caller sees to signals
                return {}
    return previous


def standard_output_failed(error: OSError) -> int:
    """Say why the result could not be shown, but not when its reader has gone (``| head``)."""
    if not isinstance(error, BrokenPipeError):
        place = f"{error.filename}: " if error.filename else "standard output: "
        fail(f"{place}{error.strerror or error}", 1)
    with suppress(OSError, ValueError):  # what is buffered goes nowhere, so that closing does not fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def usage_text(error: click.ClickException) -> str:
    """One line for what click found wrong, with the nearest option for an unknown one."""
    text = error.format_message().rstrip(".")
    if isinstance(error, click.NoSuchOption):
        method = METHODS.get(error.ctx.command.name or "") if error.ctx is not None else None
        if error.option_name == "--k" and method is not None and not method.takes_k:
            return f"there is no option --k: {method.name} finds the number of regions"
        if error.option_name in BOUNDS and method is not None and not method.bounded:
            return (
                f"there is no option {error.option_name}: {method.name} can keep no bounds; "
                "use kmeans, or a method that makes contiguous regions"
            )
        of_all = error.ctx.parent.command.params if error.ctx is not None and error.ctx.parent else []
        if any(error.option_name in (*param.opts, *param.secondary_opts) for param in of_all):
            return f"{error.option_name} goes before the command: regionalize {error.option_name} …"
        hint = f"; did you mean {error.possibilities[0]}?" if error.possibilities else ""
        return f"there is no option {error.option_name}{hint}"
    return text[:1].lower() + text[1:]


def fail(text: str, code: int) -> int:
    """Write one error line and return the exit code."""
    line = "".join(letter if letter.isprintable() else "�" for letter in " ".join(text.split()))
    try:
        sys.stderr.write(f"error: {line}\n")
    except (UnicodeEncodeError, OSError):
        os.write(2, f"error: {line}\n".encode("ascii", "backslashreplace"))
    return code
