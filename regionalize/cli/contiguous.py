"""`regionalize contiguous`: make an existing label column contiguous."""

from __future__ import annotations

from typing import Any

import click

from regionalize.cli import options as opt
from regionalize.cli.console import Console
from regionalize.cli.methods import check_standard_output, without_empty
from regionalize.errors import UsageError
from regionalize.model.job import OUTPUT_OPTIONS, Outputs

WAYS = ("keep-k", "split", "best")


@click.command("contiguous", cls=opt.Sectioned)
@opt.INPUT
@opt.LABELS
@opt.bundle(
    "Way",
    click.option("--keep-k", is_flag=True, help="Join fragments to their largest neighbours.  [default]"),
    click.option("--split", is_flag=True, help="Make every piece a region of its own."),
    click.option("--best", is_flag=True, help="Keep the number of clusters at the least cost in fit."),
)
@opt.SOURCE
@opt.VARIABLES
@opt.WEIGHTS
@opt.BOUNDS
@opt.bundle("Run", opt.SEED)
@opt.bundle(
    "Output",
    opt.file_option("-o", "--output", help="Labelled layer to write, format by extension; - for GeoJSON."),
    click.option(
        "--output-layer", metavar="NAME", help="Layer name; in an existing GeoPackage, the layer to add."
    ),
    click.option(
        "--new-column",
        metavar="NAME",
        default="contiguous",
        show_default=True,
        help="Name of the column of new labels.",
    ),
    click.option("--overwrite", is_flag=True, help="Replace outputs that exist."),
)
@opt.RESULTS
@opt.bundle(
    "Output", click.option("--timing", is_flag=True, help="Say on standard error how long each stage took.")
)
@opt.JSON
@click.pass_obj
def command(console: Console, /, input: str | None, label_column: str, **values: Any) -> None:
    """Make the clusters of a label column contiguous.

    Fragments of a cluster join neighbouring ones, or become regions of their own, and the report says
    what that costs in BSS/TSS. Rows without a label, and those of label 0, take no part.

    References: Anselin (2024).
    """
    from regionalize.run.contiguous import run_contiguous
    from regionalize.run.options import make_job

    way = chosen_way({name: values.pop(name.replace("-", "_")) for name in WAYS})
    as_json, timing, new_column = values.pop("as_json"), values.pop("timing"), values.pop("new_column")
    written = {name: values.pop(name) for name in OUTPUT_OPTIONS if name in values}
    outputs = Outputs(**written, label_column=new_column)
    if not new_column.strip():
        raise UsageError("--new-column is empty", advice="give the new column a name")
    job = make_job("kmeans", without_empty(values))
    check_standard_output(outputs.output, as_json)
    console.say_sample(input)
    with console.progress() as progress:
        solution = run_contiguous(input, job, label_column, way, outputs, progress)
    console.notes(solution.notes)
    if timing or console.verbose:
        console.timing(solution.seconds)
    if str(outputs.output) != "-":
        console.report(solution.report, as_json=as_json)
    console.written(outputs.paths())


def chosen_way(given: dict[str, bool]) -> str:
    """Return the one way that was asked for, the first without any; refuse two."""
    asked = [name for name, is_on in given.items() if is_on]
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} and --{asked[1]} exclude each other", advice="give one of them")
    return asked[0] if asked else WAYS[0]
