"""The map of a ranking: what is on it, and the words around it."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import counted

if TYPE_CHECKING:
    from regionalize.maps.ranked import RankedShapes
    from regionalize.studies.rank.solve import Ranked

FloatArray = NDArray[np.float64]

USUAL, MOST = 10, 100
"""Items of a place on the map where no number was asked for, and at most."""
_AROUND = 0.35
"""Share of the extent of places and their items by which the map is wider."""
_BENDS = 32
"""Points of a line, for the shortest way is bent on a map."""


def draw_ranking(found: Ranked, target: Path | IO[bytes], suffix: str) -> tuple[str, ...]:
    """Draw places, the best items of each with lines to them, and other items around in grey.

    Parameters
    ----------
    found : Ranked
    target : Path or binary file
        Where to write.
    suffix : str
        ``.png``, ``.svg``, ``.pdf`` or ``.html``.
    """
    from regionalize import __version__
    from regionalize.maps.picture import format_of
    from regionalize.maps.ranked import draw_ranked, draw_ranked_page
    from regionalize.maps.sheet import Captions
    from regionalize.run.settings import setting_text
    from regionalize.run.web import PAGE

    ranking, layer = found.ranking, found.layer
    rows = shown_rows(found)
    items = counted(len(np.unique(ranking.item[rows])), "item")
    file = Path(layer.origin.file or "layer").name
    settings = found.request.settings()
    if "at" in settings:
        settings["at"] = " and ".join(settings["at"])
    told = ", ".join(setting_text(name, value) for name, value in settings.items())
    ranks = "Point at an item for its rank" if suffix.lower() == PAGE else "Numbers are ranks"
    captions = Captions(
        f"{items} of {file} for {counted(len(ranking.users), 'place')}",
        f"{ranks}; lines are the shortest ways.",
        f"{file}; rank, {told}; regionalize {__version__}",
        "ranked for" if len(ranking.users) > 1 else "items",
    )
    shapes, others, crs = shapes_of(found, rows)
    notes: tuple[str, ...] = ()
    wanted = int(ranking.kept.sum())
    if len(rows) < wanted:
        notes += (f"the map shows {len(rows):,} of {wanted:,} ranked items; --top says how many",)
    if suffix.lower() != PAGE:
        return notes + draw_ranked(shapes, target, file_format=format_of(suffix), captions=captions, crs=crs)
    ids, columns = told_rows(found, rows, others)
    return notes + draw_ranked_page(shapes, target, captions=captions, ids=ids, columns=columns, crs=crs)


def shown_rows(found: Ranked) -> NDArray[np.int64]:
    """Return the rows of the ranking that are on the map: the best of each place."""
    ranking = found.ranking
    most = min(ranking.options.top or USUAL, MOST)
    return np.flatnonzero(ranking.kept & (ranking.rank <= most))


def shapes_of(found: Ranked, rows: NDArray[np.int64]) -> tuple[RankedShapes, NDArray[np.int64], str | None]:
    """Return what is on the map, other items that are, and the system it is drawn in."""
    import shapely

    from regionalize.maps.ranked import MOST_COLORS, OTHERS, RankedShapes

    ranking, layer = found.ranking, found.layer
    users, user, item = ranking.users.places, ranking.user[rows], ranking.item[rows]
    places = ranking.items.places
    own_colors = len(users) <= MOST_COLORS
    if len(users) == 1:
        names = ["ranked"]
    elif own_colors:
        names = [f"place {name}" for name in ranking.users.ids.tolist()]
    else:
        names = ["any place"]
    label = user + 1 if own_colors else np.ones(len(user), dtype=np.int64)
    best, first = np.unique(item, return_index=True)
    others = np.setdiff1d(around(places, users, places[best]), best)
    crs = layer.crs if layer.has_geometry else "EPSG:4326"
    to_map = transformer(crs)
    items = layer.geometry if layer.has_geometry else shapely.points(places[:, ::-1])
    lines = [shapely.linestrings(to_map(way)) for way in ways(users[user], places[item])]
    pins = shapely.points(to_map(places[item][:, ::-1]))
    stars = shapely.points(to_map(users[:, ::-1]))
    parts = [items[others], items[best], np.array(lines, dtype=object), pins, stars]
    of_line, of_place = len(names) + 2, len(names) + 1
    labels = [
        np.full(len(others), OTHERS),
        label[first],
        np.full(len(lines), of_line),
        label,
        np.full(len(users), of_place),
    ]
    shapes = RankedShapes(
        np.concatenate([np.asarray(part, dtype=object) for part in parts]),
        np.concatenate(labels).astype(np.int64),
        [str(rank) for rank in ranking.rank[rows]],
        len(users),
        names,
    )
    return shapes, others, crs


def around(places: FloatArray, users: FloatArray, best: FloatArray) -> NDArray[np.int64]:
    """Return which places are within the extent of users and the best items, or somewhat beyond it."""
    shown = np.concatenate([users, best])
    middle = shown[0, 1]
    east = (shown[:, 1] - middle + 180) % 360 - 180  # degrees from the first place, the short way
    low, high = np.array([shown[:, 0].min(), east.min()]), np.array([shown[:, 0].max(), east.max()])
    margin = np.maximum(_AROUND * (high - low), 0.2 * (high - low).max() + 1e-3)
    here = np.column_stack([places[:, 0], (places[:, 1] - middle + 180) % 360 - 180])
    inside: NDArray[np.bool_] = ((here >= low - margin) & (here <= high + margin)).all(axis=1)
    return np.flatnonzero(inside)


def transformer(crs: str | None) -> Any:
    """Return what takes longitude and latitude, shape (m, 2), into a system."""
    import pyproj

    if crs is None or pyproj.CRS.from_user_input(crs).is_geographic:
        return lambda xy: xy
    told = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    return lambda xy: np.column_stack(told.transform(xy[:, 0], xy[:, 1]))


def ways(starts: FloatArray, ends: FloatArray) -> list[FloatArray]:
    """Return the shortest ways on the sphere as longitude and latitude, in one piece at the antimeridian.

    Parameters
    ----------
    starts, ends : (m, 2) float64
        Latitude and longitude.

    Examples
    --------
    >>> way, = ways(np.array([[0.0, 170.0]]), np.array([[0.0, -170.0]]))
    >>> way[[0, -1]].round(6).tolist()
    [[170.0, 0.0], [190.0, 0.0]]
    """
    from regionalize.weights.places import from_sphere, on_sphere

    share = np.linspace(0, 1, _BENDS)[:, None]
    found = []
    for start, end in zip(on_sphere(starts[:, ::-1]), on_sphere(ends[:, ::-1]), strict=True):
        angle = np.arctan2(np.linalg.norm(np.cross(start, end)), start @ end)
        if np.sin(angle) > 1e-9:
            points = (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)
        else:
            points = start + share * (end - start)
        longitude, latitude = from_sphere(points).T
        found.append(np.column_stack([np.unwrap(longitude, period=360), latitude]))
    return found


def told_rows(
    found: Ranked, rows: NDArray[np.int64], others: NDArray[np.int64]
) -> tuple[list[str], dict[str, list[Any]]]:
    """Return what a page calls every row of `shapes_of`, and what it tells of it."""
    from regionalize.studies.rank.table import distance_name, ranking_table

    ranking = found.ranking
    ids, people = ranking.items.ids.tolist(), ranking.users.ids.tolist()
    item, user = ranking.item[rows].tolist(), ranking.user[rows].tolist()
    best = np.unique(ranking.item[rows]).tolist()
    numbered = [f"{rank}. {ids[at]}" for rank, at in zip(ranking.rank[rows].tolist(), item, strict=True)]
    names = [str(ids[at]) for at in [*others.tolist(), *best]]
    names += [f"{people[who]} to {ids[at]}" for who, at in zip(user, item, strict=True)]
    names += [*numbered, *(f"place {name}" for name in people)]
    table = ranking_table(ranking).take(rows)
    before, after = [None] * (len(others) + len(best)), [None] * len(people)
    chosen = [
        name for name in table.column_names if name in {"user", "rank", distance_name(ranking), "score"}
    ]
    chosen += [name for name in table.column_names if name.startswith("zone")]
    told = {name: table[name].to_pylist() for name in chosen}
    return names, {name: [*before, *values, *values, *after] for name, values in told.items()}
