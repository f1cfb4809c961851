"""`regionalize compare`: how alike labelings are, and what each is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from regionalize.cli import options as opt
from regionalize.cli.console import Console
from regionalize.cli.methods import check_standard_output, without_empty
from regionalize.cli.sectioned import Inputs
from regionalize.model.job import Outputs


@click.command("compare", cls=opt.Sectioned)
@click.argument(
    "words",
    cls=Inputs,
    nargs=-1,
    metavar="[INPUT] THING [THING...]",
    shell_complete=opt.completes("things"),
)
@opt.bundle(
    "Things",
    click.option("--k", type=int, metavar="K", help="Number of clusters of every run that does not say."),
    opt.LABELS,
    click.option(
        "--match", is_flag=True, help="Give clusters the numbers of those of the first thing that they match."
    ),
)
@opt.SOURCE
@opt.VARIABLES
@opt.FEATURES
@opt.SMOOTHING
@opt.WEIGHTS
@opt.BOUNDS
@opt.RUN
@opt.bundle(
    "Output",
    opt.file_option("-o", "--output", help="Layer to write, with a column of labels of everything compared."),
    opt.OUTPUT_LAYER,
    opt.file_option("--map", help="Maps beside each other to draw: .png, .svg, .pdf or .html."),
    opt.DISSOLVE_LINES,
    opt.file_option("--plot", help="Units as points beside each other to draw: .png, .svg or .pdf."),
    opt.file_option(
        "--report", help="Report to write: .html, .md, .json or .csv (units that clusters share)."
    ),
    opt.OVERWRITE,
)
@opt.SAVE_CONFIG
@opt.JSON
@click.pass_obj
def command(
    console: Console,
    /,
    words: tuple[str, ...],
    label_column: str,
    match: bool,
    as_json: bool,
    timing: bool,
    output: Path | None,
    output_layer: str | None,
    map: Path | None,
    dissolve_lines: bool,
    plot: Path | None,
    report: Path | None,
    overwrite: bool,
    **values: Any,
) -> None:
    """Compare label columns of one or several files, and runs of methods.

    A THING is a method with its options, such as skater:k=8,min-size=5 or kmeans; a file, or FILE:COLUMN,
    whose rows are matched to those of INPUT by --id, or else by their order; or a column of INPUT, also
    written :COLUMN. Where only files are named, INPUT is the first of them.

    Every run takes the options below, where its method knows them and its own do not say otherwise. All
    things are measured by the same variables and weights.

    References: Hubert and Arabie (1985); Vinh, Epps and Bailey (2010); Rousseeuw (1987).
    """
    from regionalize.studies.comparison_files import compare_files
    from regionalize.studies.labelings import read_words

    check_standard_output(output, as_json)
    outputs = Outputs(
        output=output,
        output_layer=output_layer,
        map=map,
        dissolve_lines=dissolve_lines,
        plot=plot,
        report=report,
        overwrite=overwrite,
    )
    common = without_empty(values)
    source, things = read_words(words, label_column, common)
    console.say_sample(source)
    with console.progress() as progress:
        compared = compare_files(source, things, common, outputs, match=match, progress=progress)
    console.notes(compared.notes)
    console.timing(compared.seconds, timing)
    if str(output) != "-":
        if as_json:
            from regionalize.studies.comparison_report import comparison_document

            console.json(comparison_document(compared))
        else:
            from regionalize.cli.comparison import show_comparison

            show_comparison(console.rich(), compared, match)
    console.written(outputs.paths())
