"""`regionalize assign`: the nearest of some centres for new rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from regionalize.cli import options as opt
from regionalize.cli.console import Console
from regionalize.cli.methods import run_and_show, without_empty
from regionalize.errors import UsageError
from regionalize.model.job import CHOICES, OUTPUT_OPTIONS, Outputs


@click.command("assign", cls=opt.Sectioned)
@opt.INPUT
@click.option(
    "--centers",
    metavar="PATH",
    shell_complete=opt.completes("tables"),
    type=click.Path(path_type=Path),
    help="Centres, as a run wrote them with --centers, or a .csv made by hand.  [required]",
)
@opt.SOURCE
@opt.bundle(
    "Variables",
    opt.MISSING,
    click.option(
        "--transform",
        type=opt.OneOf(CHOICES["transform"]),
        help="Scaling, fitted on these rows, of centres that do not say how they were made. "
        "[default:\N{NO-BREAK SPACE}raw]",
    ),
)
@opt.WEIGHTS
@opt.OUTPUT
@opt.DISSOLVE
@opt.bundle(
    "Output",
    click.option(
        "--distance-column", metavar="NAME", help="Column of the distance to the nearest centre to add."
    ),
    opt.MAP,
    opt.DISSOLVE_LINES,
    opt.REPORT,
    opt.TIMING,
)
@opt.PLOTS
@opt.SAVE_CONFIG
@opt.JSON
@click.pass_obj
def command(console: Console, /, input: str | None, centers: Path | None, **values: Any) -> None:
    """Give every row the number of its nearest centre.

    The file of centres brings its columns, their transform and weights, smoothing and reference system:
    new rows are scaled by what these came to on the rows the centres were made of.

    References: Lloyd (1982).
    """
    from regionalize.run.assign import assign_solver
    from regionalize.run.options import make_job

    if centers is None:
        raise UsageError("the file of centres is missing", advice="give --centers centers.csv")
    as_json, timing = values.pop("as_json"), values.pop("timing")
    transform, distance_column = values.pop("transform"), values.pop("distance_column")
    outputs = Outputs(**{name: values.pop(name) for name in OUTPUT_OPTIONS if name in values})
    if distance_column is not None and not distance_column.strip():
        raise UsageError("--distance-column is empty", advice="give the new column a name")
    job = make_job("kmeans", without_empty(values))
    solver = assign_solver(centers, outputs, transform=transform, distance_column=distance_column)
    columns = () if distance_column is None else (distance_column,)
    run_and_show(console, input, job, outputs, solver, columns, as_json=as_json, timing=timing)
