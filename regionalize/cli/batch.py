"""`regionalize batch`: many runs at a time, on many layers, parts of a layer, methods and settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from regionalize.cli import options as opt
from regionalize.cli.batch_options import OWN, batch_options
from regionalize.cli.console import Console
from regionalize.cli.methods import without_empty
from regionalize.model.catalog import find_method
from regionalize.model.job import OUTPUT_OPTIONS

if TYPE_CHECKING:
    from regionalize.cli.config import Config
    from regionalize.model.method import Method
    from regionalize.run.batch.fork_server import ForkServer
    from regionalize.run.batch.plan import Plan

NAME = "batch"
PLAN = "regionalize.plan"
"""Where a click context keeps the plan that was read to know its options."""


class BatchCommand(opt.Sectioned):
    """A command that has the options of the methods it is called for."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Give the command of this call its options, and what a configuration file says of them."""
        from regionalize.cli.config import CONFIG

        config = parent.meta.get(CONFIG) if parent is not None else None
        methods, plan = methods_meant(self, args, config, parent)
        meant = make_command(opt.Sectioned, methods) if methods else self
        if config is not None:
            refuse_tables_of_one(config, methods)
            tables = (*(method.name for method in methods), NAME)
            extra["default_map"] = config.values(meant, *tables)
        make = super().make_context if meant is self else meant.make_context
        context = make(info_name, args, parent, **extra)
        context.meta[PLAN] = plan
        return context


def refuse_tables_of_one(config: Config, methods: Sequence[Method]) -> None:
    """Refuse what a configuration says of one method, where it would hold for others of the batch, too."""
    from regionalize.model.kinds import with_dashes
    from regionalize.run.batch.plan_values import keys_of

    for method in methods:
        others = [other.name for other in methods if other is not method]
        for key in config.tables.get(method.name, {}):
            shared = [other for other in others if with_dashes(key) in keys_of(other)]
            if shared:
                raise config.wrong(
                    f"'{key}' is for {method.name} alone, and {shared[0]} has it too",
                    "write it at the top, or write a plan with a table [[run]] for each method",
                    method.name,
                )


def methods_meant(
    command: click.Command, args: Sequence[str], config: Any, parent: click.Context | None = None
) -> tuple[tuple[Method, ...], Plan | None]:
    """Return the methods that are named, typed or in a configuration file, or those of the plan, and that.

    Raises
    ------
    UsageError
        No such method, or a plan that cannot be meant.
    """
    from regionalize.run.batch.plan import ENDING, method_names, read_methods, read_plan

    # the parent says what --help is called, which click remembers
    lenient = click.Context(command, parent=parent, ignore_unknown_options=True, allow_extra_args=True)
    try:
        found, _, _ = command.make_parser(lenient).parse_args(list(args))
    except click.UsageError:  # an option without its value: told when all options are known
        return (), None
    named = found.get("method")
    inputs = typed if isinstance(typed := found.get("input"), tuple | list) else ()
    if config is not None:
        named = named or config.value("method", NAME)
        said = config.value("inputs", NAME) or config.value("input", NAME) or ()
        inputs = inputs or ((said,) if isinstance(said, str) else said)
    plan = None
    if named:
        names = method_names(read_methods(named))
    else:
        plans = [name for name in inputs if isinstance(name, str) and name.lower().endswith(ENDING)]
        plan = read_plan(plans[0]) if len(plans) == 1 else None
        names = plan.every_method() if plan is not None else ()
    return tuple(map(find_method, names)), plan


def make_command(kind: type[click.Command], methods: Sequence[Method] = ()) -> click.Command:
    """Build the command, with the options of some methods."""

    @click.pass_context
    def run(context: click.Context, /, **values: Any) -> int:
        return run_batch(context, values)

    text = run_batch.__doc__ or ""
    return click.command(NAME, help=text, cls=kind)(batch_options(methods)(run))


def run_batch(context: click.Context, values: dict[str, Any]) -> int:
    """Run a method on many layers, or on every part of one.

    INPUT is a file, a folder or a pattern such as 'states/*.gpkg', or a plan in TOML. Left out, the bundled
    sample is used. Every other option is one of the method, for all runs alike.

    Outputs are named by patterns with {name}, {method} or {k}, from --out-dir on: --map '{name}.png', or .png
    for short. A run that fails never sinks the others: the exit code is 1 then, and the table says why.
    """
    from regionalize.run.batch.fork_server import fork_server

    with fork_server() as server:  # which loads while the batch is planned
        return plan_and_run(context, values, server)


def plan_and_run(context: click.Context, values: dict[str, Any], server: ForkServer | None) -> int:
    """Make a batch of what was typed, run it, tell what came of it, and return the exit code."""
    from regionalize.cli.batch_report import Teller, batch_document, show_batch
    from regionalize.run.batch.items_of_plan import carry_out, keep_summary, make_batch
    from regionalize.run.batch.plan import plan_of

    console: Console = context.obj
    own = {name: values.pop(name) for name in OWN}
    plan = plan_of(
        tuple(own["input"]),
        tuple(own["method"]),
        context.meta.get(PLAN),
        by=own["by"],
        out_dir=own["out_dir"],
        jobs=own["jobs"],
        fail_fast=None if own["keep_going"] is None else not own["keep_going"],
        resume=own["resume"],
        overwrite=own["overwrite"],
        summary=own["summary"],
    )
    given = {name: value for name, value in values.items() if is_given(context, name)}
    outputs = {name: given.pop(name) for name in OUTPUT_OPTIONS if name in given}
    made = make_batch(plan, {**without_empty(given), **outputs}, shown=own["as_json"])
    console.notes(made.notes)
    if not own["as_json"]:
        import rich.console
        import rich.table  # noqa: F401  # for the table at the end: loaded while the workers load
    with console.progress() as progress:
        everything = [*made.items, *(one.item for one in made.refused)]
        teller = Teller(console, everything, progress)
        try:
            finished = carry_out(made, teller, lambda note: console.notes([note]), server)
        except BaseException:
            teller.interrupted(resumable=made.out_dir is not None)
            raise
    if own["as_json"]:
        console.json(batch_document(finished, len(made)))
    else:
        teller.notes(finished)
        show_batch(console.rich(), finished, len(made))
    if made.summary is not None:  # last: whatever stands in its way, the table has been shown
        keep_summary(made.summary, made.out_dir, finished)
        console.written({"summary": made.summary})
    return int(len(finished) < len(made) or any(one.status == "failed" for one in finished))


def is_given(context: click.Context, name: str) -> bool:
    """Whether an option was typed, or set by a configuration file: what is not leaves a plan as it is."""
    return context.get_parameter_source(name) in {ParameterSource.COMMANDLINE, ParameterSource.DEFAULT_MAP}


command = make_command(BatchCommand)
