"""`regionalize rank`: items ranked for places."""

from __future__ import annotations

from typing import Any, get_args

import click

from regionalize.cli import options as opt
from regionalize.cli.console import Console
from regionalize.cli.methods import check_standard_output, without_empty
from regionalize.cli.ranking import show_ranking
from regionalize.model.job import DEFAULT_SEED, OUTPUT_OPTIONS
from regionalize.studies.rank.options import UNITS, Membership, Normalization, Score

NOT_OUTPUTS = ("label_column", "centers")
"""Options that a ranking reads, and other commands write."""


@click.command("rank", cls=opt.Sectioned)
@opt.INPUT
@opt.bundle(
    "Places",
    click.option(
        "--at",
        metavar="LAT,LON",
        multiple=True,
        help="Place to rank for, in degrees, e.g. 33.75,-84.39; any number of times.",
    ),
    click.option(
        "--at-file",
        metavar="FILE",
        shell_complete=opt.completes("inputs"),
        help="Places in a file: a .csv with columns lat and lon, or any layer.",
    ),
    click.option("--at-id", metavar="COLUMN", help="Column of that file that names the places."),
)
@opt.bundle(
    "Zones",
    click.option(
        "--label-column",
        metavar="NAME",
        shell_complete=opt.completes("column"),
        help="Column of the items with the regions of an earlier run, which are the zones.",
    ),
    click.option(
        "--bands",
        type=opt.Numbers(True, "write --bands 5 or --bands 3,10"),
        metavar="K[,K...]",
        help="Bands of distance as zones, so many that fit the distances best; several numbers at once.",
    ),
    click.option("--nested", is_flag=True, help="Split the bands of each number into those of the next."),
    click.option(
        "--centers",
        metavar="FILE",
        shell_complete=opt.completes("inputs"),
        help="Places whose surroundings are the zones: a .csv with lat, lon and name, or any layer.",
    ),
    click.option(
        "--membership",
        type=opt.OneOf(get_args(Membership)),
        help="How items belong to zones. [default:\N{NO-BREAK SPACE}gaussian]",
    ),
)
@opt.SOURCE
@opt.bundle(
    "Score",
    click.option(
        "--score",
        type=opt.OneOf(get_args(Score)),
        help="How it falls with distance; weights: by weights of zones. [default:\N{NO-BREAK SPACE}exp]",
    ),
    click.option(
        "--scale",
        type=float,
        metavar="KM",
        help="Distance at which exp is 0.37. [default: the median distance of each place's items]",
    ),
    click.option(
        "--attribute",
        metavar="COLUMN",
        shell_complete=opt.completes("numeric_columns"),
        help="Numbers of the items that count beside proximity, the more the better.",
    ),
    click.option(
        "--attribute-weight",
        type=float,
        metavar="W",
        help="Their share of the score: 0 none, 1 all. [default:\N{NO-BREAK SPACE}0.5]",
    ),
    click.option(
        "--region-weight",
        metavar="ZONE=W",
        multiple=True,
        help="Factor of the scores in a zone, e.g. C3=2; any number of times.",
    ),
    click.option(
        "--normalize",
        type=opt.OneOf(get_args(Normalization)),
        help="What is done to the scores of every place. [default:\N{NO-BREAK SPACE}none]",
    ),
)
@opt.bundle(
    "Learning",
    click.option(
        "--fit",
        metavar="FILE",
        shell_complete=opt.completes("inputs"),
        help="Clicks to learn weights of zones and of the attribute from: columns user and item, with ids of "
        "places and items, and label, rating or clicked if they differ.",
    ),
    click.option(
        "--holdout",
        type=float,
        metavar="P",
        help="Share of its users that measure what was learned. [default:\N{NO-BREAK SPACE}0.2]",
    ),
    click.option(
        "--model",
        metavar="FILE",
        shell_complete=opt.completes("inputs"),
        help="Rank as a .json of --save-model says.",
    ),
)
@opt.bundle(
    "Selection",
    click.option("--top", type=int, metavar="N", help="At most so many items for every place."),
    click.option("--max-km", type=float, metavar="KM", help="Leave out items that are farther."),
    click.option("--min-score", type=float, metavar="S", help="Leave out items that score less."),
    click.option(
        "--keep-zone", metavar="LIST", multiple=True, help="Keep items of these zones alone, e.g. 1,2."
    ),
    click.option(
        "--max-per-cluster",
        "--max-per-region",
        "max_per_region",
        type=int,
        metavar="N",
        help="At most so many items of one zone for every place; the next best fill up.",
    ),
    click.option(
        "--list-all", is_flag=True, help="List what is left out, too, last and with 0 in the column kept."
    ),
)
@opt.bundle(
    "Run",
    click.option(
        "--units",
        type=opt.OneOf(tuple(UNITS)),
        help="What distances are written in. [default:\N{NO-BREAK SPACE}km]",
    ),
    click.option(
        "--block",
        type=int,
        metavar="N",
        help="Pairs of a place and an item to hold at a time. [default:\N{NO-BREAK SPACE}1048576]",
    ),
    click.option(
        "--seed",
        type=int,
        metavar="N",
        help="Draws the users of --holdout; nothing else is drawn. "
        f"[default:\N{NO-BREAK SPACE}{DEFAULT_SEED}]",
    ),
    opt.TIMING,
)
@opt.bundle(
    "Output",
    opt.file_option(
        "-o",
        "--out",
        "--output",
        "output",
        help="Ranking to write: .csv, a layer with the items' columns, or all pairs as .npz; - for GeoJSON.",
    ),
    opt.OUTPUT_LAYER,
    opt.OVERWRITE,
    opt.QML,
    opt.file_option("--map", help="Map of places and their items to draw: .png, .svg, .pdf or .html."),
    opt.file_option("--save-model", help="Zones, options and weights to write as .json, for --model."),
)
@opt.SAVE_CONFIG
@opt.JSON
@click.pass_obj
def command(
    console: Console,
    /,
    input: str | None,
    as_json: bool,
    timing: bool,
    **values: Any,
) -> None:
    """Rank items for places: the nearest first, or by zones, an attribute and weights.

    INPUT has the items: points, or areas by their centroid. Distances are great-circle distances. A score
    falls with distance; zones are bands of distance, regions of an earlier run, or surroundings of places,
    and every item belongs to each of them by a share.

    --fit learns what users prefer from what they chose, and tells by NDCG whether that ranks better.

    References: Sinnott (1984); Bezdek (1981); Wang and Song (2011); Cao et al. (2007); Järvelin and
    Kekäläinen (2002).
    """
    from regionalize.studies.rank.files import RankOutputs, rank_files
    from regionalize.studies.rank.report import ranking_document
    from regionalize.studies.rank.request import make_request

    named = (*OUTPUT_OPTIONS, "save_model")
    outputs = RankOutputs(
        **{name: values.pop(name) for name in named if name in values and name not in NOT_OUTPUTS}
    )
    check_standard_output(outputs.output, as_json)
    places = values.pop("at")  # several are no list: each has a comma of its own
    request = make_request({**without_empty(values), "at": places})
    console.say_sample(input)
    with console.progress() as progress:
        found = rank_files(input, request, outputs, progress)
    console.notes(found.notes)
    console.timing(dict(found.seconds), timing)
    if str(outputs.output) != "-":
        if as_json:
            console.json(ranking_document(found))
        else:
            show_ranking(console.rich(), found)
    console.written(outputs.paths())
