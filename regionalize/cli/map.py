"""`regionalize map`: draw any label column."""

from __future__ import annotations

from pathlib import Path

import click

from regionalize.cli import options as opt
from regionalize.cli.console import Console
from regionalize.errors import UsageError


@click.command("map", cls=opt.Sectioned)
@opt.INPUT
@opt.LABELS
@click.option(
    "--layer",
    metavar="NAME",
    shell_complete=opt.completes("layers"),
    help="Layer of a file that has several.",
)
@click.option("--where", metavar="EXPR", help="Attribute filter, e.g. \"state = 'CE'\".")
@click.option("--encoding", metavar="NAME", help="Text encoding, where the file does not say.")
@click.option(
    "--id",
    metavar="COLUMN",
    shell_complete=opt.completes("column"),
    help="Column that names the units of an interactive map.",
)
@click.option(
    "--columns",
    metavar="LIST",
    shell_complete=opt.completes("columns"),
    multiple=True,
    help="Columns an interactive map tells the values of, by name or glob, comma-separated. "
    "[default: every numeric column that does not look like an identifier]",
)
@click.option("--title", metavar="TEXT", help="Title of the map.")
@opt.DISSOLVE_LINES
@opt.file_option("-o", "--output", help="Map to draw: .png, .svg, .pdf, or .html to explore.  [required]")
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
@opt.SAVE_CONFIG
@opt.JSON
@click.pass_obj
def command(
    console: Console,
    input: str | None,
    label_column: str,
    layer: str | None,
    where: str | None,
    encoding: str | None,
    id: str | None,
    columns: tuple[str, ...],
    title: str | None,
    dissolve_lines: bool,
    output: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Draw a map of a label column."""
    from regionalize.run.existing import draw_existing

    if output is None:
        raise UsageError("the file to draw is missing", advice="give -o map.png")
    console.say_sample(input)
    with console.progress() as progress:
        notes = draw_existing(
            input,
            output,
            label_column,
            layer=layer,
            where=where,
            encoding=encoding,
            id=id,
            columns=columns,
            title=title,
            dissolve_lines=dissolve_lines,
            overwrite=overwrite,
            progress=progress,
        )
    console.notes(notes)
    if as_json:
        console.json({"files": {"map": output}, "notes": notes})
    console.written({"map": output})
