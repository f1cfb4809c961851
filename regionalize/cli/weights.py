"""`regionalize weights`: build, describe and convert spatial weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from regionalize.cli import options as opt
from regionalize.cli.console import Console
from regionalize.cli.methods import without_empty
from regionalize.cli.tables import number, show_table
from regionalize.errors import listed


@click.command("weights", cls=opt.Sectioned)
@opt.INPUT
@opt.SOURCE
@opt.WEIGHTS
@opt.bundle(
    "Weights",
    click.option(
        "--symmetric",
        type=opt.OneOf(["union", "mutual"]),
        help="Make every link go both ways: add the reverse, or keep only mutual links.",
    ),
)
@opt.bundle(
    "Output",
    opt.file_option("-o", "--output", help="Weights file to write: .gal, .gwt or .parquet."),
    opt.SAVE_LINKS,
    click.option("--overwrite", is_flag=True, help="Replace a file that exists."),
)
@opt.SAVE_CONFIG
@opt.JSON
@click.pass_obj
def command(
    console: Console,
    /,
    input: str | None,
    symmetric: str | None,
    output: Path | None,
    save_links: Path | None,
    overwrite: bool,
    as_json: bool,
    **values: Any,
) -> None:
    """Build spatial weights, describe them, and write them as .gal, .gwt or .parquet.

    A weights file given as --weights is read, matched to the layer by id, described and converted.
    """
    from regionalize.run.neighbours import run_weights
    from regionalize.run.options import make_job

    console.say_sample(input)
    job = make_job("kmeans", without_empty(values))
    with console.progress() as progress:
        description, notes = run_weights(input, job, symmetric, output, overwrite, save_links, progress)
    console.notes(notes)
    if as_json:
        console.json({**description, "notes": notes})
    else:
        show_weights(console, description)
    written = {"weights": output, "save-links": save_links}
    console.written({name: path for name, path in written.items() if path is not None})


def show_weights(console: Console, found: dict[str, Any]) -> None:
    """Print a description of weights."""
    rows = [
        ("units", str(found["n"])),
        ("links", f"{found['links']} (directed)"),
        (
            "neighbours",
            f"{found['min_degree']} to {found['max_degree']}, mean {number(found['mean_degree'])}",
        ),
        ("islands", first_few(found["islands"])),
        ("components", components(found["components"])),
        ("symmetric", "yes" if found["symmetric"] else "no"),
    ]
    rich = console.rich()
    show_table(rich, f"Weights: {Path(found['kind']).name}", ("property", "value"), rows, numeric=False)
    degrees = [(str(degree), str(units)) for degree, units in found["degrees"].items()]
    show_table(rich, "Units by number of neighbours", ("neighbours", "units"), degrees)
    if found["added"]:
        added = [(one, other, number(distance)) for one, other, distance in found["added"]]
        title = "Links made to join islands and components"
        show_table(rich, title, ("unit", "unit", "distance"), added, numeric=False)


def first_few(items: list[Any]) -> str:
    """Count a list and name its first few.

    Examples
    --------
    >>> first_few(["a", "b"]), first_few([])
    ('2: a, b', 'none')
    """
    return f"{len(items)}: {listed(items, limit=5)}" if items else "none"


def components(found: list[dict[str, Any]]) -> str:
    """Count components and say how large they are.

    Examples
    --------
    >>> components([{"size": 52}, {"size": 1}]), components([{"size": 159}])
    ('2: of 52, 1 units', '1')
    """
    if len(found) == 1:
        return "1"
    return f"{len(found)}: of {listed((item['size'] for item in found), limit=8)} units"
