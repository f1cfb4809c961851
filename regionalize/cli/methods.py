"""A command for every row of the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regionalize.cli import options as opt
from regionalize.cli.console import Console
from regionalize.errors import UsageError
from regionalize.model.catalog import find_method, package_of
from regionalize.model.job import OUTPUT_OPTIONS, Outputs
from regionalize.model.method import Length, Method, Param, Share

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.run.files import Solver


def method_command(method: Method) -> click.Command:
    """Build the command of one method: shared bundles, and the method's own options."""

    @click.pass_obj
    def callback(console: Console, /, **values: Any) -> None:
        run_method(console, method.name, values)

    own = [param_option(param) for param in method.params]
    decorated = in_order(
        opt.INPUT,
        opt.bundle("Method", *([k_option(method)] if method.takes_k else []), *own),
        opt.SOURCE,
        opt.VARIABLES,
        opt.FEATURES,
        opt.SMOOTHING,
        opt.WEIGHTS,
        *([opt.BOUNDS] if method.bounded else []),
        *region_options(method),
        *([opt.PARTLY, opt.ENGINE] if method.large else []),
        opt.RUN,
        opt.OUTPUT,
        opt.DISSOLVE,
        opt.RESULTS,
        opt.bundle("Output", *file_options(method)),
        opt.PLOTS,
        opt.SAVE_CONFIG,
        opt.JSON,
    )(callback)
    text = f"{method.summary}\n\nReferences: {method.reference}."
    package = package_of(method.name)
    text += f"\n\nThis method is from the package {package}." if package else ""
    return click.command(method.name, help=text, cls=opt.Sectioned)(decorated)


def k_option(method: Method) -> Any:
    """Make --k, which takes several numbers where regions nest."""
    metavar, text = (
        ("K[,K...]", "Number of clusters, or several.") if method.nested else ("K", "Number of clusters.")
    )
    return click.option("--k", type=opt.Numbers(method.nested), metavar=metavar, help=text)


def region_options(method: Method) -> list[Any]:
    """List what only contiguous regions can be asked for."""
    options = [opt.MAKE_CONTIGUOUS]
    if method.contiguous:
        options = [opt.WITHIN, opt.compactness(method.compactness)]
    options += [opt.LOCKED] if method.takes_start else []
    return [opt.bundle("Regions", *options)] if options else []


def file_options(method: Method) -> list[Any]:
    """List the files that only some methods have something to put into."""
    tree = [opt.SAVE_TREE] if method.tree else []
    tree += [opt.OUTLIERS] if method.noise else []
    joins = [opt.DENDROGRAM, opt.TRUNCATE] if method.nested else []
    return [*tree, *joins, *([opt.LINKAGE] if method.linkage_matrix else []), opt.SAVE_LINKS]


def in_order(*decorators: Any) -> Any:
    """Apply decorators so that options come in the order they are listed."""

    def decorate(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def param_option(param: Param) -> Any:
    """Turn a catalog row into an option."""
    kind: Any = param.kind
    metavar: str | None = "N"
    default: Any = param.default
    if isinstance(param.kind, tuple):
        kind, metavar = opt.OneOf(param.kind), None
    elif param.words:
        metavar = "|".join((*param.words, "COLUMN"))
    elif param.kind is Share:
        kind, metavar, default = str, "P%", f"{100 * param.default:g}%"
    elif param.kind is str:
        metavar = "FILE"
    elif param.kind is Length:
        kind, metavar = str, "LENGTH"
    text = param.help if default is None else f"{param.help} [default:\N{NO-BREAK SPACE}{default}]"
    offer = opt.completes_words(param.words) if param.words else None
    return click.option(param.option, param.name, type=kind, metavar=metavar, shell_complete=offer, help=text)


def run_method(console: Console, method: str, values: dict[str, Any]) -> None:
    """Build job and outputs, run, and show the report."""
    from regionalize.run.options import make_job
    from regionalize.run.start import require_k

    source, as_json, timing = values.pop("input"), values.pop("as_json"), values.pop("timing")
    outputs = Outputs(**{name: values.pop(name) for name in OUTPUT_OPTIONS if name in values})
    job = make_job(method, without_empty(values))
    require_k(find_method(method), job)
    run_and_show(console, source, job, outputs, as_json=as_json, timing=timing)


def run_and_show(
    console: Console,
    source: str | None,
    job: Job,
    outputs: Outputs,
    solver: Solver | None = None,
    columns: tuple[str, ...] = (),
    *,
    as_json: bool,
    timing: bool,
) -> None:
    """Run while progress is shown, and then show notes, report and what was written."""
    from regionalize.run.files import run

    check_standard_output(outputs.output, as_json)
    console.say_sample(source)
    with console.progress() as progress:
        solution = run(source, job, outputs, progress, solver, columns)
    console.notes(solution.notes)
    console.timing(solution.seconds, timing)
    if str(outputs.output) != "-":
        console.report(solution.report, as_json=as_json)
    console.written(outputs.paths())


def without_empty(values: dict[str, Any]) -> dict[str, Any]:
    """Drop options that were not given, and make one list of those given several times."""
    return {
        name: ",".join(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value is not None and value != ()
    }


def check_standard_output(output: Path | None, as_json: bool) -> None:
    """Refuse two documents on one standard output."""
    if as_json and str(output) == "-":
        raise UsageError(
            "--json and -o - both write to standard output", advice="write one of them to a file"
        )
