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
    from regionalize.model.method import Method

NAME = "batch"


class BatchCommand(opt.Sectioned):
    """A command that has the options of the methods it is called for."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Give the command of this call its options, and what a configuration file says of them."""
        from regionalize.cli.config import CONFIG

        config = parent.meta.get(CONFIG) if parent is not None else None
        methods = methods_meant(self, args, config, parent)
        meant = make_command(opt.Sectioned, methods) if methods else self
        if config is not None:
            tables = (*(method.name for method in methods), NAME)
            extra["default_map"] = config.values(meant, *tables)
        if meant is self:
            return super().make_context(info_name, args, parent, **extra)
        return meant.make_context(info_name, args, parent, **extra)


def methods_meant(
    command: click.Command, args: Sequence[str], config: Any, parent: click.Context | None = None
) -> tuple[Method, ...]:
    """Return the methods of the plan, or the one that is named, typed or in a configuration file.

    Raises
    ------
    UsageError
        No such method, or a plan that cannot be meant.
    """
    from regionalize.run.batch.plan import ENDING, read_plan

    # the parent says what --help is called, which click remembers
    lenient = click.Context(command, parent=parent, ignore_unknown_options=True, allow_extra_args=True)
    try:
        found, _, _ = command.make_parser(lenient).parse_args(list(args))
    except click.UsageError:  # an option without its value: told when all options are known
        return ()
    method = found.get("method")
    inputs = typed if isinstance(typed := found.get("input"), tuple | list) else ()
    if config is not None:
        method = method if isinstance(method, str) else config.value("method", NAME)
        said = config.value("inputs", NAME) or config.value("input", NAME) or ()
        inputs = inputs or ((said,) if isinstance(said, str) else said)
    if isinstance(method, str):
        return (find_method(method.partition(":")[0]),)
    plans = [name for name in inputs if isinstance(name, str) and name.lower().endswith(ENDING)]
    return tuple(map(find_method, read_plan(plans[0]).every_method())) if len(plans) == 1 else ()


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
    from regionalize.cli.batch_report import Teller, batch_document, show_batch
    from regionalize.run.batch.items_of_plan import carry_out, make_batch
    from regionalize.run.batch.plan import plan_of

    console: Console = context.obj
    own = {name: values.pop(name) for name in OWN}
    plan = plan_of(
        tuple(own["input"]),
        (own["method"],) if own["method"] is not None else (),
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
    if not plan.inputs:
        console.say_sample(None)
    console.notes(made.notes)
    with console.progress() as progress:
        teller = Teller(console, made.names, progress)
        try:
            finished = carry_out(made, teller)
        except BaseException:
            teller.interrupted(resumable=made.out_dir is not None)
            raise
    if own["as_json"]:
        console.json(batch_document(finished, len(made)))
    else:
        teller.notes(finished)
        show_batch(console.rich(), finished, len(made))
    console.written({"summary": made.summary} if made.summary is not None else {})
    return int(len(finished) < len(made) or any(one.status == "failed" for one in finished))


def is_given(context: click.Context, name: str) -> bool:
    """Whether an option was typed, or set by a configuration file: what is not leaves a plan as it is."""
    return context.get_parameter_source(name) in {ParameterSource.COMMANDLINE, ParameterSource.DEFAULT_MAP}


command = make_command(BatchCommand)
