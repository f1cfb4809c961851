"""`regionalize validate`: measure labels that exist already."""

from __future__ import annotations

from typing import Any

import click

from regionalize.cli import options as opt
from regionalize.cli.console import Console
from regionalize.cli.methods import without_empty
from regionalize.model.job import OUTPUT_OPTIONS, Outputs

FAULTS = 3


@click.command("validate", cls=opt.Sectioned)
@opt.INPUT
@opt.LABELS
@opt.SOURCE
@opt.VARIABLES
@opt.WEIGHTS
@click.option(
    "--require",
    metavar="LIST",
    multiple=True,
    help="k=N, min-size=N, max-size=N, contiguous: what must hold, comma-separated.",
)
@opt.bundle(
    "Output",
    opt.MAP,
    opt.DISSOLVE_LINES,
    opt.REPORT,
    opt.OVERWRITE,
)
@opt.PLOTS
@opt.SAVE_CONFIG
@opt.JSON
@click.pass_obj
def command(
    console: Console,
    /,
    input: str | None,
    label_column: str,
    require: tuple[str, ...],
    as_json: bool,
    **values: Any,
) -> int:
    """Measure an existing label column: fit, silhouettes, fragmentation, joins, compactness and diameter.

    Silhouettes of more than 20,000 units are measured on a random sample of so many. With --require, faults
    are listed on standard error and the exit code is 3.
    """
    from regionalize.run.options import make_job
    from regionalize.run.validate import validate_source

    outputs = Outputs(**{name: values.pop(name) for name in OUTPUT_OPTIONS if name in values})
    job = make_job("kmeans", without_empty(values))
    console.say_sample(input)
    with console.progress() as progress:
        found = validate_source(
            input, job, label_column, require=",".join(require), outputs=outputs, progress=progress
        )
    console.notes(found.solution.notes)
    console.report(found.solution.report, as_json=as_json)
    console.written(outputs.paths())
    for fault in found.faults:
        console.fault(fault)
    return FAULTS if found.faults else 0
