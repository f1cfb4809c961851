"""`regionalize stability`: how often units keep their region when a run is repeated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regionalize.cli import options as opt
from regionalize.cli.console import Console
from regionalize.cli.methods import check_standard_output, without_empty
from regionalize.cli.tables import cluster_label, decimals, show_table, show_text, units_text
from regionalize.errors import UsageError
from regionalize.model.job import OUTPUT_OPTIONS, Outputs
from regionalize.run.settings import setting_text

if TYPE_CHECKING:
    import rich.console

    from regionalize.studies.stability import Stability


@click.command("stability", cls=opt.Sectioned)
@opt.INPUT
@opt.bundle(
    "Method",
    click.option(
        "--method",
        shell_complete=opt.completes("methods"),
        metavar="METHOD[:OPTIONS]",
        default="kmeans",
        show_default=True,
        help="Method, also with options of its own, e.g. kmeans:n-init=10.",
    ),
    click.option("--k", type=int, metavar="K", help="Number of clusters."),
)
@opt.bundle(
    "Runs",
    click.option("--runs", type=int, metavar="N", default=100, show_default=True, help="How many."),
    click.option(
        "--resample",
        metavar="P%",
        help="Share of the units that take part in each run. [default:\N{NO-BREAK SPACE}80%]",
    ),
    click.option("--reseed", is_flag=True, help="All units in every run, and other seeds, instead."),
)
@opt.SOURCE
@opt.VARIABLES
@opt.FEATURES
@opt.SMOOTHING
@opt.WEIGHTS
@opt.BOUNDS
@opt.bundle("Regions", opt.WITHIN, opt.compactness("the method's"), opt.MAKE_CONTIGUOUS)
@opt.RUN
@opt.OUTPUT
@opt.bundle(
    "Output",
    click.option(
        "--stability-column",
        metavar="NAME",
        default="stability",
        show_default=True,
        help="Name of the column of stability.",
    ),
    opt.file_option("--map", help="Map of the stability to draw: .png, .svg, .pdf or .html."),
    opt.DISSOLVE_LINES,
    opt.file_option("--report", help="Report to write: .html, .md, .json or .csv (a row per region)."),
)
@opt.SAVE_CONFIG
@opt.JSON
@click.pass_obj
def command(
    console: Console,
    /,
    input: str | None,
    method: str,
    runs: int,
    resample: str | None,
    reseed: bool,
    stability_column: str,
    as_json: bool,
    timing: bool,
    **values: Any,
) -> None:
    """Measure how often every unit keeps its region when the run is repeated.

    The run on all units is the reference. Each of the others is of a part of the units, drawn at random, or,
    with --reseed, of all with another seed; its regions are matched to those of the reference by the units
    they share. A unit's stability is the share of its runs in which it is in the region it has in the
    reference.

    References: Hennig (2007); Kuhn (1955).
    """
    from regionalize.run.options import share
    from regionalize.run.recipes import read_single
    from regionalize.studies.stability import SHARE
    from regionalize.studies.stability_files import stability_files
    from regionalize.studies.stability_report import stability_document

    if reseed and resample is not None:
        raise UsageError("--resample and --reseed exclude each other", advice="give one of them")
    if not stability_column.strip():
        raise UsageError("--stability-column is empty", advice="give the new column a name")
    outputs = Outputs(**{name: values.pop(name) for name in OUTPUT_OPTIONS if name in values})
    check_standard_output(outputs.output, as_json)
    part = SHARE if resample is None else share("resample", resample)
    job = read_single(method, without_empty(values))
    console.say_sample(input)
    with console.progress() as progress:
        found = stability_files(
            input,
            job,
            outputs,
            runs=runs,
            resample=None if reseed else part,
            column=stability_column,
            progress=progress,
        )
    console.notes(found.notes)
    console.timing(found.seconds, timing)
    if str(outputs.output) != "-":
        if as_json:
            console.json(stability_document(found))
        else:
            show_stability(console.rich(), found)
    console.written(outputs.paths())


def show_stability(console: rich.console.Console, found: Stability) -> None:
    """Print stability by region and in all."""
    file = Path(found.layer.origin.file or "layer").name
    units = units_text(len(found.layer), found.rows_used)
    show_text(console, f"stability of {found.job.method}, k = {found.partition.k}, {file}, {units}", "bold")
    settings = [
        setting_text(name, value)
        for name, value in found.job.settings().items()
        if name not in {"method", "k", "columns"}
    ]
    show_text(console, ", ".join(settings))
    if found.variables:
        show_text(console, f"variables: {', '.join(found.variables)}", indent=2)
    rows = [
        (region_label(one.label), str(one.size), *decimals((one.mean, one.least), 3), str(one.below_half))
        for one in (*found.by_region, found.whole)
    ]
    show_table(console, "Stability", ("region", "size", "mean", "least", "below 0.5"), rows)
    console.print()
    show_text(console, runs_sentence(found))


def region_label(label: int | str) -> str:
    """Return what a region is called, or the noise, or all units."""
    if label == "all":
        return label
    return cluster_label(0, label) if isinstance(label, str) else cluster_label(label)


def runs_sentence(found: Stability) -> str:
    """Say what the runs were, how alike they are to the reference, and how many regions they found."""
    solved = len(found.regions)
    of = f"{found.runs} run{'' if found.runs == 1 else 's'}"
    if solved < found.runs:
        of = f"{solved} of {of}"
    what = (
        "on all units with other seeds"
        if found.resample is None
        else f"on {100 * found.resample:g} % of the units"
    )
    text = f"{of} {what}"
    if found.adjusted_rand:
        mean = sum(found.adjusted_rand) / len(found.adjusted_rand)
        text += f"; adjusted Rand index to the run on all units {mean:.3f} on average"
        text += f", {min(found.adjusted_rand):.3f} at least"
    least, most = min(found.regions), max(found.regions)
    if (least, most) != (found.partition.k, found.partition.k):
        text += f"; {least} to {most} regions" if least != most else f"; {least} regions"
    return f"{text}."
