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
@click.option("--layer", metavar="NAME", help="Layer of a file that has several.")
@click.option("--where", metavar="EXPR", help="Attribute filter, e.g. \"state = 'CE'\".")
@click.option("--encoding", metavar="NAME", help="Text encoding, where the file does not say.")
@click.option("--title", metavar="TEXT", help="Title of the map.")
@opt.file_option("-o", "--output", help="Map to draw: .png, .svg or .pdf.  [required]")
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
@click.pass_obj
def command(
    console: Console,
    input: str | None,
    label_column: str,
    layer: str | None,
    where: str | None,
    encoding: str | None,
    title: str | None,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Draw a map of a label column."""
    from regionalize.run.existing import draw_existing

    if output is None:
        raise UsageError("the file to draw is missing", advice="give -o map.png")
    console.say_sample(input)
    notes = draw_existing(
        input,
        output,
        label_column,
        layer=layer,
        where=where,
        encoding=encoding,
        title=title,
        overwrite=overwrite,
    )
    console.notes(notes)
    console.written({"map": output})
