"""`regionalize contiguous`: make an existing label column contiguous."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from regionalize.cli import options as opt
from regionalize.cli.console import Console
from regionalize.cli.methods import run_and_show, without_empty
from regionalize.errors import UsageError
from regionalize.model.job import OUTPUT_OPTIONS, Outputs

WAYS = ("keep-k", "split", "best")


@click.command("contiguous", cls=opt.Sectioned)
@opt.INPUT
@opt.LABELS
@opt.bundle(
    "Way",
    click.option("--keep-k", is_flag=True, help="Join pieces to their largest neighbours.  [default]"),
    click.option("--split", is_flag=True, help="Make every piece a region of its own."),
    click.option("--best", is_flag=True, help="Keep the number of clusters at the least cost in fit."),
)
@opt.SOURCE
@opt.VARIABLES
@opt.WEIGHTS
@opt.BOUNDS
@opt.bundle("Run", opt.SEED)
@opt.output("--new-column", default="contiguous", help="Name of the column of new labels.")
@opt.DISSOLVE
@opt.RESULTS
@opt.PLOTS
@opt.bundle("Output", opt.TIMING)
@opt.SAVE_CONFIG
@opt.JSON
@click.pass_obj
def command(console: Console, /, input: str | None, label_column: str, **values: Any) -> None:
    """Make the clusters of a label column contiguous.

    The smaller pieces of a cluster join neighbouring ones, or become regions of their own, and the report
    says what that costs in BSS/TSS. Rows without a label, and those of label 0, take no part.

    References: Anselin (2024).
    """
    from regionalize.run.contiguous import solve_contiguous
    from regionalize.run.options import make_job

    way = chosen_way({name: values.pop(name.replace("-", "_")) for name in WAYS})
    as_json, timing, new_column = values.pop("as_json"), values.pop("timing"), values.pop("new_column")
    written = {name: values.pop(name) for name in OUTPUT_OPTIONS if name in values}
    outputs = Outputs(**written, label_column=new_column)
    if not new_column.strip():
        raise UsageError("--new-column is empty", advice="give the new column a name")
    job = make_job("kmeans", without_empty(values))
    solver = partial(solve_contiguous, label_column=label_column, way=way)
    run_and_show(console, input, job, outputs, solver, as_json=as_json, timing=timing)


def chosen_way(given: dict[str, bool]) -> str:
    """Return the one way that was asked for, the first without any; refuse two."""
    asked = [name for name, is_on in given.items() if is_on]
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} and --{asked[1]} exclude each other", advice="give one of them")
    return asked[0] if asked else WAYS[0]
