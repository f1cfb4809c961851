"""The edge of the program: the group of commands, errors and exit codes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from regionalize import __version__
from regionalize.cli.examples import Exemplified
from regionalize.errors import RegionalizeError, UsageError, lacks_memory, nearest
from regionalize.model.catalog import METHODS, OWN, package_of
from regionalize.run.endings import Terminated, raise_when_ended

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "assign": "Give new rows the number of their nearest centre.",
    "choose-k": "Try a method with several numbers of clusters, and suggest one.",
    "contiguous": "Make an existing label column contiguous.",
    "validate": "Measure an existing label column; --require makes it a check.",
    "compare": "Compare label columns, files and runs: agreement, fit, fragmentation, maps.",
    "stability": "Repeat a run on parts of the units: how often each keeps its region.",
    "batch": "Run a method on many layers, or on every part of one.",
    "rank": "Rank items for places: the nearest, by zones, scores and an attribute.",
    "weights": "Build, describe and convert spatial weights.",
    "smooth": "Write columns smoothed over H-hop neighbourhoods.",
    "map": "Draw a map of a label column.",
    "info": "Say what is in a layer and whether it is fit to cluster.",
    "sample": "Copy the bundled sample data here.",
    "completion": "Print the script that completes commands in bash, zsh or fish.",
}
"""Commands that are not methods: one file each in this folder, loaded when called."""

BOUNDS = ("--min-size", "--max-size", "--min-bound", "--max-bound")
"""Options of the methods that hold clusters within bounds."""

INTERRUPTION = "{}; every file is the old one or the whole new one"


NO_MEMORY = "there is not enough memory for this; close other programs, or take fewer rows"


class Commands(Exemplified, click.Group):
    """Commands by name; a command's module is imported only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Methods first, then the others."""
        return [*METHODS, *COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name in COMMANDS:
            module = cmd_name.replace("-", "_")
            command: click.Command = import_module(f"regionalize.cli.{module}").command
            return command
        if cmd_name in METHODS:
            from regionalize.cli.methods import method_command

            return method_command(METHODS[cmd_name])
        return None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what stands before the command; show the help where nothing stands at all."""
        # it is no result: standard output stays empty, and a script is told
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(UsageError.exit_code)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named; with none, say which ones a configuration file is for."""
        if not getattr(ctx, "_protected_args", ctx.args):
            config, advice = ctx.params.get("config"), "see regionalize --help"
            if config is not None:
                from regionalize.cli.config import commands_in

                advice = commands_in(config, self.list_commands(ctx))
            raise UsageError("no command is named", advice=advice)
        return super().invoke(ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Complete commands by what is told of them, without making any, and options."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        from click.shell_completion import CompletionItem

        told = {**{name: row.summary for name, row in METHODS.items()}, **COMMANDS}
        return [CompletionItem(name, help=text) for name, text in told.items() if name.startswith(incomplete)]

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
        """List methods, those of other packages and other commands apart, without importing any of ours."""
        from regionalize.model.plugins import faults

        other = {name: method for name, method in METHODS.items() if name not in OWN}
        for title, rows in (
            ("Methods", [(method.name, method.summary) for method in OWN.values()]),
            (
                "Methods of other packages",
                [(row.name, f"{row.summary} ({package_of(row.name)})") for row in other.values()],
            ),
            ("Methods that cannot be used", list(faults().items())),
            ("Commands", list(COMMANDS.items())),
        ):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def complete_config(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
    """Offer files of settings to a shell."""
    from regionalize.cli.candidates import configurations

    return configurations(ctx, param, incomplete)


@click.command(
    "regionalize",
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(),
    shell_complete=complete_config,
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
        from regionalize.cli.config import CONFIG, OF_METHODS, read_config

        found = ctx.meta[CONFIG] = read_config(config, ctx)
        name = str(ctx.invoked_subcommand)
        command = program.get_command(ctx, name)
        if command is not None and name not in OF_METHODS:
            ctx.default_map = {name: found.values(command, name)}


def run_program(args: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code: 0 to 3, 129, 130 or 143 (`docs/cli.md`)."""
    if args is None and "_REGIONALIZE_COMPLETE" in os.environ:  # a shell asks what may come next
        from regionalize.cli.completion import complete

        return complete(program)
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
        return fail(NO_MEMORY, 1)
    except ImportError as error:
        if not lacks_memory(error) or debug:
            raise
        return fail(NO_MEMORY, 1)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def standard_output_failed(error: OSError) -> int:
    """Say why the result could not be shown, but not when its reader has gone (``| head``)."""
    if isinstance(error, FileNotFoundError) and not error.filename:  # what is relative to it is nowhere
        fail("the folder that this runs in is gone; go to another one", 1)
    elif not isinstance(error, BrokenPipeError):
        reason = error.strerror or str(error)
        text = f"{error.filename}: {reason}; check it" if error.filename else f"standard output: {reason}"
        fail(text, 1)
    from regionalize.cli.console import unheard

    unheard(sys.stdout)
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
        if method is None or not method.large:
            from regionalize.run.large import needs_all_rows, way_with
            from regionalize.run.options import LARGE, shown

            for name in LARGE:
                if error.option_name == shown(name):
                    if method is not None:
                        return str(needs_all_rows(method, name))
                    way = way_with(name)
                    return f"there is no option {shown(name)} here: it is for k-means, as in kmeans {way}"
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
        with suppress(OSError):  # nobody listens, or the disk of a log is full
            os.write(2, f"error: {line}\n".encode("ascii", "backslashreplace"))
    return code
