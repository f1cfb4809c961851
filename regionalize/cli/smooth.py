"""`regionalize smooth`: write H-hop smoothed columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from regionalize.cli import options as opt
from regionalize.cli.console import Console
from regionalize.cli.methods import check_standard_output, without_empty
from regionalize.errors import UsageError, listed
from regionalize.model.job import CHOICES, Outputs


@click.command("smooth", cls=opt.Sectioned)
@opt.INPUT
@opt.SOURCE
@opt.bundle(
    "Variables",
    click.option(
        "--columns",
        metavar="LIST",
        shell_complete=opt.completes("numeric_columns"),
        multiple=True,
        help="Columns to smooth, by name, range or glob. [default: every variable]",
    ),
    opt.EXCLUDE,
    click.option(
        "--missing",
        type=opt.OneOf(CHOICES["missing"]),
        help="What to do about missing values; dropped rows are written with null. "
        "[default:\N{NO-BREAK SPACE}error]",
    ),
)
@opt.SMOOTHING
@opt.WEIGHTS
@opt.bundle(
    "Output",
    click.option(
        "--suffix",
        metavar="TEXT",
        default="_smooth",
        show_default=True,
        help="Ending of the new columns' names.",
    ),
    opt.file_option("-o", "--output", help="Layer to write, format by extension.  [required]"),
    opt.OUTPUT_LAYER,
    click.option("--overwrite", is_flag=True, help="Replace a file that exists."),
)
@opt.SAVE_CONFIG
@opt.JSON
@click.pass_obj
def command(
    console: Console,
    /,
    input: str | None,
    suffix: str,
    output: Path | None,
    output_layer: str | None,
    overwrite: bool,
    as_json: bool,
    **values: Any,
) -> None:
    """Write columns smoothed over H-hop neighbourhoods, in original units.

    Every hop takes x to alpha * x + (1 - alpha) * (what its neighbours have); hops is 1 unless given.
    """
    from regionalize.run.options import make_job
    from regionalize.run.smooth import run_smooth

    if output is None:
        raise UsageError("the file to write is missing", advice="give -o smoothed.gpkg")
    check_standard_output(output, as_json)
    job = make_job("kmeans", {"hops": 1, **without_empty(values)})
    console.say_sample(input)
    with console.progress() as progress:
        added, notes = run_smooth(
            input,
            job,
            output,
            suffix=suffix,
            output_layer=output_layer,
            overwrite=overwrite,
            progress=progress,
        )
    console.notes(notes)
    if as_json:
        console.json({"columns": added, "files": {"output": output}, "notes": notes})
    console.say(f"columns added: {listed(added)}")
    console.written(Outputs(output=output).paths())
