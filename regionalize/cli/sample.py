"""`regionalize sample`: copy the bundled sample data."""

from __future__ import annotations

from pathlib import Path

import click

from regionalize.cli.console import Console


@click.command("sample")
@click.argument("folder", required=False, default=".", type=click.Path(path_type=Path))
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.pass_obj
def command(console: Console, folder: Path, overwrite: bool) -> None:
    """Copy the bundled sample data to FOLDER (here by default).

    159 counties of Georgia (USA) with census variables, as GeoPackage and as shapefile.
    """
    from regionalize.io.sample import copy_sample

    for path in copy_sample(folder, overwrite):
        console.say(f"written {path}")
