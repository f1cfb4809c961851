"""Shared options, in bundles: nouns in one place, so that every command reads alike.

Options arrive as text and are turned into values by `regionalize.run.options`, which Python callers use too.
An option that is not given is None: the default is the job's own, told in the help.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from regionalize.cli import option_types, sectioned
from regionalize.model.job import CHOICES, DEFAULT_SEED

# One name for all that a command is declared with.
Sectioned = sectioned.Sectioned
bundle = sectioned.bundle
OneOf = option_types.OneOf
Numbers = option_types.Numbers
completes = option_types.completes
completes_words = option_types.completes_words
file_option = option_types.file_option

INPUT = click.argument("input", required=False, metavar="[INPUT]", shell_complete=completes("inputs"))

LABELS = click.option(
    "--label-column",
    metavar="NAME",
    shell_complete=completes("column"),
    default="cluster",
    show_default=True,
    help="Column that holds the labels: numbers or text.",
)

SOURCE = bundle(
    "Source",
    click.option(
        "--layer",
        metavar="NAME",
        shell_complete=completes("layers"),
        help="Layer of a file that has several.",
    ),
    click.option("--where", metavar="EXPR", help="Attribute filter, e.g. \"state = 'CE'\"."),
    click.option(
        "--id",
        metavar="COLUMN",
        shell_complete=completes("column"),
        help="Column that names the units in messages and weights files.",
    ),
    click.option("--encoding", metavar="NAME", help="Text encoding, where the file does not say."),
)

MISSING = click.option(
    "--missing",
    type=OneOf(CHOICES["missing"]),
    help="What to do about missing values; dropped rows are written with a null label. "
    "[default:\N{NO-BREAK SPACE}error]",
)

EXCLUDE = click.option(
    "--exclude",
    metavar="LIST",
    multiple=True,
    shell_complete=completes("columns"),
    help="Columns to leave out, by name, range or glob.",
)

VARIABLES = bundle(
    "Variables",
    click.option(
        "--columns",
        metavar="LIST",
        multiple=True,
        shell_complete=completes("numeric_columns"),
        help="Variables by name, range (d1-d40) or glob, comma-separated. "
        "[default: every numeric column that does not look like an identifier]",
    ),
    EXCLUDE,
    MISSING,
    click.option(
        "--transform",
        type=OneOf(CHOICES["transform"]),
        help="Scaling of every variable. [default:\N{NO-BREAK SPACE}z]",
    ),
)

FEATURES = bundle(
    "Features",
    click.option(
        "--embed",
        metavar="pca:Q|trend|season:P",
        help="Columns are a series: cluster its first Q components, or mean, slope and spread, "
        "or mean, slope and wave of P columns.",
    ),
    click.option(
        "--column-weights",
        metavar="LIST",
        multiple=True,
        shell_complete=completes("weighted_columns"),
        help="Weights of variables, e.g. pop=2,gini=.5.",
    ),
    click.option(
        "--with-centroids",
        is_flag=True,
        default=None,
        help="Add the X and Y of the centroid as two variables.",
    ),
    click.option(
        "--centroid-weight",
        metavar="W|auto",
        help="Share of all weight on the centroids, 0 to 1; "
        "auto: the smallest that makes every cluster contiguous.",
    ),
    click.option(
        "--centroid-scale",
        type=OneOf(CHOICES["centroid_scale"]),
        help="Scale X and Y each by itself or by one factor. [default:\N{NO-BREAK SPACE}axis]",
    ),
    click.option(
        "--project",
        metavar="auto|EPSG:n|none",
        help="Where to measure centroids; auto projects a geographic layer. [default:\N{NO-BREAK SPACE}auto]",
    ),
    click.option(
        "--dtype",
        type=OneOf(CHOICES["dtype"]),
        help="Precision of the variables. [default:\N{NO-BREAK SPACE}float64]",
    ),
)

SMOOTH_MODE = click.option(
    "--smooth-mode",
    type=OneOf(CHOICES["smooth_mode"]),
    help="How neighbours are combined. [default:\N{NO-BREAK SPACE}mean]",
)

SMOOTHING = bundle(
    "Smoothing",
    click.option(
        "--hops",
        type=int,
        metavar="H",
        help="Smooth over H-hop neighbourhoods first. [default: 0, smooth: 1]",
    ),
    click.option(
        "--alpha",
        type=float,
        metavar="A",
        help="Share of its own value a unit keeps per hop. [default:\N{NO-BREAK SPACE}0.5]",
    ),
    SMOOTH_MODE,
)

WEIGHTS = bundle(
    "Weights",
    click.option(
        "--weights",
        metavar="SPEC",
        shell_complete=completes("weights"),
        help="queen, rook, knn:6, distance:50km, kernel:gaussian:10 or a .gal, .gwt or .parquet file. "
        "[default: queen for polygons, knn:6 for points]",
    ),
    click.option(
        "--snap", type=float, metavar="DIST", help="Map units between units that still count as touching."
    ),
    click.option(
        "--islands",
        type=OneOf(CHOICES["islands"]),
        help="Units without neighbours: keep them, join them to the nearest, or refuse. "
        "[default:\N{NO-BREAK SPACE}keep]",
    ),
)

BOUNDS = bundle(
    "Bounds",
    click.option("--min-size", type=int, metavar="N", help="Least units in every cluster."),
    click.option("--max-size", type=int, metavar="N", help="Most units in any cluster."),
    click.option(
        "--min-bound",
        metavar="COL=N",
        shell_complete=completes("bounded_column"),
        help="Least sum of a column in every cluster, e.g. pop=50000 or pop=10%.",
    ),
    click.option(
        "--max-bound",
        metavar="COL=N",
        shell_complete=completes("bounded_column"),
        help="Most sum of a column in any cluster.",
    ),
)

WITHIN = click.option(
    "--within",
    metavar="COLUMN",
    shell_complete=completes("column"),
    help="Upper units, such as states, that no region may cross.",
)


def compactness(default: float | str) -> Any:
    """Make --compactness, whose default is the method's."""
    return click.option(
        "--compactness",
        type=float,
        metavar="W",
        help="Weight of compact shape against likeness, from 0 to below 1. "
        f"[default:\N{NO-BREAK SPACE}{default}]",
    )


MAKE_CONTIGUOUS = click.option(
    "--make-contiguous",
    is_flag=True,
    default=None,
    help="Join smaller pieces to neighbours afterwards, until every cluster is one piece.",
)
LOCKED = click.option(
    "--locked",
    metavar="COLUMN",
    shell_complete=completes("column"),
    help="Units, marked by 1 or true, that keep the region they have in --start COLUMN.",
)

PARTLY = bundle(
    "Large data",
    click.option(
        "--batch-size",
        type=int,
        metavar="N",
        help="Read the file in one pass, and update the centres by batches of N rows: memory does not grow.",
    ),
    click.option(
        "--warm-start",
        type=int,
        metavar="N",
        help="Rows drawn at random whose k-means the batches begin with. [default:\N{NO-BREAK SPACE}25600]",
    ),
    click.option(
        "--test-share",
        metavar="P",
        help="Share of the rows that no batch has, such as 20%; they are labelled and measured apart.",
    ),
    click.option(
        "--sample",
        metavar="P%|N",
        help="Fit on a share or a number of the rows, drawn at random, and label all.",
    ),
)

ENGINE = bundle(
    "Large data",
    click.option(
        "--engine",
        type=OneOf(CHOICES["engine"]),
        help="What computes: this process, or Dask. [default:\N{NO-BREAK SPACE}local]",
    ),
    click.option(
        "--scheduler",
        metavar="ADDR",
        help="Dask scheduler to use, such as tcp://host:8786. [default: a cluster on this machine]",
    ),
)

SEED = click.option(
    "--seed",
    type=int,
    metavar="N",
    help=f"Seed of every random draw. [default:\N{NO-BREAK SPACE}{DEFAULT_SEED}]",
)

TIMING = click.option("--timing", is_flag=True, help="Say on standard error how long each stage took.")

RUN = bundle(
    "Run",
    SEED,
    click.option("--jobs", type=int, metavar="N", help="Threads for large data. [default: all processors]"),
    TIMING,
)

OUTPUT_LAYER = click.option(
    "--output-layer", metavar="NAME", help="Layer name; in an existing GeoPackage, the layer to add."
)


OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
QML = click.option(
    "--qml",
    is_flag=True,
    help="Write the style of the layer beside it, as NAME.qml for QGIS; a GeoPackage has it within.",
)


def output(column: str, *, default: str, help: str) -> Callable[[Any], Any]:
    """Make the options of a labelled layer; `column` is the one that names the new labels."""
    return bundle(
        "Output",
        file_option("-o", "--output", help="Labelled layer to write, format by extension; - for GeoJSON."),
        OUTPUT_LAYER,
        click.option(column, metavar="NAME", default=default, show_default=True, help=help),
        OVERWRITE,
        QML,
    )


OUTPUT = output("--label-column", default="cluster", help="Name of the label column.")

MAP = file_option("--map", help="Map to draw: .png, .svg, .pdf, or .html to explore.")
DISSOLVE_LINES = click.option(
    "--dissolve-lines", is_flag=True, help="Outline the clusters on the map, over the units."
)
REPORT = file_option("--report", help="Report to write: .html, .md, .json or .csv (a row per cluster).")

RESULTS = bundle(
    "Output",
    MAP,
    DISSOLVE_LINES,
    REPORT,
    file_option("--centers", help="Cluster centres to write as .csv."),
)

PLOTS = bundle(
    "Pictures",
    file_option("--plot", help="Units as points of a plane to draw: .png, .svg or .pdf."),
    click.option(
        "--axes",
        metavar="A,B",
        shell_complete=completes("numeric_columns"),
        help="Two columns to plot units by. "
        "[default: the first two principal components of what is clustered]",
    ),
    file_option("--parallel", help="Clusters over all variables to draw, as parallel coordinates."),
    file_option(
        "--profile", help="Mean and sd of every time column and cluster, to draw or to write as .csv."
    ),
    click.option(
        "--time-columns",
        metavar="LIST",
        shell_complete=completes("numeric_columns"),
        multiple=True,
        help="Columns of the profile in order: a range such as d1-d40, names or globs, comma-separated.",
    ),
    file_option("--silhouettes", help="Silhouettes of the units to draw, or to write as .csv."),
)

SAVE_LINKS = file_option(
    "--save-links", help="Layer of lines to write: the links --islands nearest adds, format by extension."
)
SAVE_TREE = file_option(
    "--save-tree", help="Layer of lines to write: the spanning tree and its cuts, format by extension."
)
OUTLIERS = file_option(
    "--outliers", help="Units of noise to list as .csv, those farthest from all clusters first."
)
DENDROGRAM = file_option("--dendrogram", help="Dendrogram of the joins to draw: .png, .svg or .pdf.")
TRUNCATE = click.option(
    "--truncate",
    type=int,
    metavar="P",
    help="Branches the dendrogram begins with; what is joined before is contracted. "
    "[default:\N{NO-BREAK SPACE}40]",
)
LINKAGE = file_option(
    "--linkage", "save_linkage", help="Linkage matrix to write, as SciPy has it: .npy or .csv."
)


def aggregates(context: click.Context, param: click.Parameter, value: tuple[str, ...]) -> Any:
    """Read --aggregate."""
    if not value:
        return ()
    from regionalize.run.aggregate import parse_aggregates

    return parse_aggregates(value)


DISSOLVE = bundle(
    "Output",
    file_option("--dissolve", help="Layer of the regions to write, a row per cluster, format by extension."),
    click.option(
        "--aggregate",
        metavar="LIST",
        shell_complete=completes("aggregated_columns"),
        multiple=True,
        callback=aggregates,
        help="What columns come to in each region: pop:sum,income:mean; sum, mean, median, min, max or sd.",
    ),
)

SAVE_CONFIG = bundle(
    "Output",
    file_option("--save-config", help="Settings of this run to write as .toml, which --config reads."),
)

JSON = bundle(
    "Output",
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the report."),
)
