"""A ranking, as tables for the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from regionalize.cli.tables import column, decimals, number, show_table, show_text
from regionalize.errors import counted
from regionalize.run.settings import setting_text

if TYPE_CHECKING:
    import rich.console

    from regionalize.studies.rank.solve import Ranked

SHOWN_ROWS, SHOWN_USERS, SHOWN_ZONES = 10, 5, 20
"""What the terminal shows at most, where no number was asked for."""


def show_ranking(console: rich.console.Console, found: Ranked) -> None:
    """Print the best items of every place, the scores in all, and the zones."""
    ranking, request = found.ranking, found.request
    file = Path(found.layer.origin.file or "layer").name
    items, places = counted(len(ranking.items), "item"), counted(len(ranking.users), "place")
    show_text(console, f"ranking of {file}, {items} for {places}", "bold")
    told = {
        name: f"{value:g}" if isinstance(value, float) else value
        for name, value in request.settings().items()
        if name != "at"
    }
    show_text(console, ", ".join(setting_text(name, value) for name, value in told.items()))
    if found.fit is not None:
        console.print()
        show_text(console, f"{found.fit.sentences()[0]}.")
    most = ranking.options.top or SHOWN_ROWS
    for user in range(min(len(ranking.users), SHOWN_USERS)):
        show_place(console, found, user, most)
    if len(ranking.users) > SHOWN_USERS:
        console.print()
        show_text(console, f"… and {len(ranking.users) - SHOWN_USERS:,} more places; -o FILE has all.")
    show_scores(console, found)
    for level in range(len(ranking.zones)):
        show_zones(console, found, level)


def show_place(console: rich.console.Console, found: Ranked, user: int, most: int) -> None:
    """Print the best items of one place."""
    ranking = found.ranking
    rows = ((ranking.user == user) & ranking.kept).nonzero()[0]
    name, (latitude, longitude) = ranking.users.ids[user], ranking.users.places[user]
    title = f"Place {name}: {latitude:.6g}, {longitude:.7g}"
    if not len(rows):
        console.print()
        show_text(console, title, "bold")
        show_text(console, "no item")
        return
    shown = rows[:most]
    head = ["rank", "item", ranking.options.units, "score"]
    cells = [
        [str(rank) for rank in ranking.rank[shown]],
        [str(one) for one in ranking.items.ids[ranking.item[shown]].tolist()],
        decimals(ranking.distance[shown].tolist(), 0 if ranking.options.units == "m" else 1),
        column(ranking.score[shown].tolist()),
    ]
    for level, zones in enumerate(ranking.zones):
        head.append(f"zone of {len(zones)}" if len(ranking.zones) > 1 else "zone")
        cells.append([zones.names[code] if code >= 0 else "–" for code in ranking.codes[level][shown]])
    show_table(console, title, head, list(zip(*cells, strict=True)))
    if len(rows) > len(shown):
        show_text(console, f"… and {len(rows) - len(shown):,} more; --top N shows so many, -o FILE has all.")


def show_scores(console: rich.console.Console, found: Ranked) -> None:
    """Print what scores there are in all."""
    from regionalize.studies.rank.report import score_figures

    figures = score_figures(found.ranking)
    rows = counted(int(found.ranking.kept.sum()), "row")
    console.print()
    if figures["mean"] is None:
        show_text(console, f"{rows}.")
        return
    mean, std, least, most = (number(value) for value in figures.values())
    show_text(console, f"{rows}; scores from {least} to {most}, mean {mean}, standard deviation {std}.")


def show_zones(console: rich.console.Console, found: Ranked, level: int) -> None:
    """Print the zones of a level, and what of the ranking is in them."""
    from regionalize.studies.rank.report import level_figures

    ranking = found.ranking
    zones, rows = ranking.zones[level], level_figures(ranking, level)
    unit = ranking.options.units
    if zones.kind == "bands":
        head, places = [f"centre, {unit}"], [column([row["center"] for row in rows])]
    else:
        head = ["latitude", "longitude"]
        places = [decimals([row[name] for row in rows], 3) for name in head]
    cells = [
        [row["zone"] for row in rows],
        *places,
        [f"{row['rows']:,}" for row in rows],
        column([row["mean_distance"] for row in rows]),
        column([row["mean_score"] for row in rows]),
    ]
    titles = ("zone", *head, "rows", f"mean {unit}", "mean score")
    if level == 0 and ranking.options.zone_weights:
        cells.append(column([row["weight"] for row in rows]))
        titles += ("weight",)
    title = f"Zones ({len(zones)})" if len(ranking.zones) > 1 else "Zones"
    lines = list(zip(*cells, strict=True))
    show_table(console, title, titles, lines[:SHOWN_ZONES])
    if len(lines) > SHOWN_ZONES:
        show_text(console, f"… and {len(lines) - SHOWN_ZONES:,} more zones; --json has all.")
