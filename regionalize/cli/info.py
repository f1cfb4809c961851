"""`regionalize info`: what is in a layer, and whether it is fit to cluster."""

from __future__ import annotations

from typing import Any

import click

from regionalize.cli import options as opt
from regionalize.cli.console import Console
from regionalize.cli.history import show_history
from regionalize.cli.methods import without_empty
from regionalize.cli.tables import number, show_table, show_text
from regionalize.cli.weights import first_few
from regionalize.model.record import RunRecord


@click.command("info", cls=opt.Sectioned)
@opt.INPUT
@opt.SOURCE
@opt.WEIGHTS
@opt.JSON
@click.pass_obj
def command(console: Console, /, input: str | None, as_json: bool, **values: Any) -> None:
    """Say what is in a layer, how it was made and whether it is fit to cluster.

    Rows, reference system, geometry, columns and neighbours, the runs that made columns of it, and what to do
    about what is not fit.
    """
    from regionalize.run.describe import describe_source
    from regionalize.run.options import make_job

    console.say_sample(input)
    with console.progress() as progress:
        found = describe_source(input, make_job("kmeans", without_empty(values)), progress)
    if as_json:
        console.json(found)
    else:
        show_info(console, found)


def show_info(console: Console, found: dict[str, Any]) -> None:
    """Print a description of a layer."""
    rows = [
        ("file", f"{found['file']} ({found['driver']})"),
        ("layer", str(found["layer"])),
        ("rows", str(found["rows"])),
        ("reference system", found["crs"] or "none"),
        ("geometry", counts_text(found["geometry"]) or "none"),
        ("geometry faults", counts_text(found["faults"]) or "none"),
    ]
    weights = found["weights"]
    if weights is not None:
        rows += [
            ("neighbours", f"{weights['kind']}, mean {number(weights['mean_degree'])}"),
            ("islands", first_few(weights["islands"])),
            ("components", str(len(weights["components"]))),
        ]
    rich = console.rich()
    show_table(rich, "Layer", ("property", "value"), rows, numeric=False)
    columns = [
        (item["name"], item["type"], str(item["missing"]), item["left_out"] or "yes")
        for item in found["columns"]
    ]
    show_table(rich, "Columns", ("name", "type", "missing", "variable"), columns, numeric=False)
    show_history(rich, tuple(RunRecord.from_dict(one) for one in found["history"]))
    if found["advice"]:
        rich.print()
        rich.print("Advice", style="bold")
    for line in found["advice"]:
        show_text(rich, f"- {line}", indent=2)


def counts_text(counts: dict[str, int]) -> str:
    """Write counts in one line.

    Examples
    --------
    >>> counts_text({"Polygon": 20, "MultiPolygon": 1})
    '20 Polygon, 1 MultiPolygon'
    """
    return ", ".join(f"{count} {name}" for name, count in counts.items())
