"""Options of `regionalize batch`: its own, and those of the methods that are meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

from regionalize.cli import options as opt
from regionalize.cli.methods import file_options, in_order, param_option
from regionalize.cli.sectioned import Inputs
from regionalize.model import catalog
from regionalize.model.method import Method

Decorator = Callable[[Any], Any]

INPUTS = click.argument(
    "input",
    cls=Inputs,
    required=False,
    nargs=-1,
    metavar="[INPUT|PLAN.toml]...",
    shell_complete=opt.completes("inputs_and_plans"),
)

BATCH = opt.bundle(
    "Batch",
    click.option(
        "--method",
        metavar="METHOD",
        multiple=True,
        shell_complete=opt.completes("methods"),
        help="What makes the clusters; several are each run: kmeans,skater, or --method once more. Their "
        "options join those below, or stand after a colon: schc:linkage=average.",
    ),
    click.option(
        "--by",
        metavar="COLUMN",
        shell_complete=opt.completes("column"),
        help="A run for each value of a column, such as a state.",
    ),
    opt.file_option("--out-dir", help="Folder for the results, made if it is missing."),
    click.option("--jobs", type=int, metavar="N", help="Runs at a time. [default: one per processor]"),
    click.option(
        "--keep-going/--fail-fast",
        default=None,
        help="Go on where a run fails, or start no more. [default:\N{NO-BREAK SPACE}keep-going]",
    ),
    click.option(
        "--resume",
        is_flag=True,
        default=None,
        help="Skip what is done already, if its input and options have not changed.",
    ),
    opt.file_option("--summary", help="Table to write, a row per run: .csv, .json or .parquet."),
)

OUTPUT = opt.bundle(
    "Output",
    opt.file_option(
        "-o",
        "--output",
        help="Labelled layers to write, format by extension. [default with --out-dir: {name}.gpkg]",
    ),
    opt.OUTPUT_LAYER,
    click.option(
        "--label-column",
        metavar="NAME",
        default="cluster",
        show_default=True,
        help="Name of the label column.",
    ),
    click.option("--overwrite", is_flag=True, default=None, help="Replace outputs that exist."),
    click.option("--qml", is_flag=True, help="Write the styles of the layers beside them, for QGIS."),
)

JSON = opt.bundle(
    "Output",
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table."),
)

OWN = ("method", "by", "out_dir", "jobs", "keep_going", "resume", "summary", "overwrite", "as_json", "input")
"""What is meant for the whole batch, not for its runs."""


def batch_options(methods: Iterable[Method]) -> Decorator:
    """Make the options of a batch of some methods; of none, those that most methods of ours share."""
    named = tuple(methods)
    rows = named or tuple(catalog.OWN.values())
    own = own_options(named)
    several = any(method.nested for method in rows)
    numbers = "Number of clusters, or several where regions nest." if several else "Number of clusters."
    k = click.option("--k", type=opt.Numbers(several), metavar="K[,K...]" if several else "K", help=numbers)
    decorated: Decorator = in_order(
        INPUTS,
        BATCH,
        opt.bundle("Method", *([k] if any(method.takes_k for method in rows) else []), *own.values()),
        opt.SOURCE,
        opt.VARIABLES,
        opt.FEATURES,
        opt.SMOOTHING,
        opt.WEIGHTS,
        *([opt.BOUNDS] if any(method.bounded for method in rows) else []),
        *region_options(rows),
        *([opt.PARTLY] if any(method.large for method in rows) else []),  # it has processes of its own
        opt.bundle("Run", opt.SEED),
        OUTPUT,
        opt.DISSOLVE,
        opt.RESULTS,
        opt.bundle("Output", *files_of(rows, without_linkage=not named or "--linkage" in own)),
        opt.PLOTS,
        opt.SAVE_CONFIG,
        JSON,
    )
    return decorated


def own_options(methods: Iterable[Method]) -> dict[str, Decorator]:
    """Return the options that each method alone has, by what is typed; ``--method`` is the batch's own."""
    found: dict[str, Decorator] = {}
    for method in methods:
        for param in method.params:
            if param.option != "--method":
                found.setdefault(param.option, param_option(param))
    return found


def region_options(methods: Iterable[Method]) -> list[Decorator]:
    """List what contiguous regions, and clusters that are not, can be asked for."""
    rows = tuple(methods)
    weights = {method.compactness for method in rows if method.contiguous}
    options: list[Decorator] = []
    if weights:
        default = weights.pop() if len(weights) == 1 else "the method's"
        options += [opt.WITHIN, opt.compactness(default)]
    options += [opt.LOCKED] if any(method.takes_start for method in rows) else []
    options += [] if all(method.contiguous for method in rows) else [opt.MAKE_CONTIGUOUS]
    return [opt.bundle("Regions", *options)] if options else []


def files_of(methods: Iterable[Method], *, without_linkage: bool) -> list[Decorator]:
    """List the files that only some methods have something to put into, each option once."""
    found = list(dict.fromkeys(option for method in methods for option in file_options(method)))
    return [option for option in found if not (without_linkage and option is opt.LINKAGE)]
