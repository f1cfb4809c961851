"""`regionalize sample`: copy the bundled sample data."""

from __future__ import annotations

from pathlib import Path

import click

from regionalize.cli import options as opt
from regionalize.cli.console import Console
from regionalize.cli.examples import Exemplified


@click.command("sample", cls=Exemplified)
@click.argument("folder", required=False, default=".", type=click.Path(path_type=Path))
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@opt.JSON
@click.pass_obj
def command(console: Console, folder: Path, overwrite: bool, as_json: bool) -> None:
    """Copy the bundled sample data to FOLDER (here by default).

    159 counties of Georgia (USA) with census variables, as GeoPackage and as shapefile.
    """
    from regionalize.io.sample import copy_sample

    copies = copy_sample(folder, overwrite)
    for path in copies:
        console.say(f"written {path}")
    if as_json:
        console.json({"files": copies})
