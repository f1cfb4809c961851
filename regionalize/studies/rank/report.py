"""A ranking told: what programs read, and what tables show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.io.documents import plain
from regionalize.run.reporting import versions

if TYPE_CHECKING:
    from regionalize.studies.rank.fit import Fit
    from regionalize.studies.rank.ranking import Ranking
    from regionalize.studies.rank.solve import Ranked


def ranking_document(found: Ranked, *, rows: bool = True) -> dict[str, Any]:
    """Return a ranking as nested plain data, ready for JSON; without its rows where `rows` is false."""
    from regionalize.studies.rank.table import ranking_table

    ranking, layer = found.ranking, found.layer
    document: dict[str, Any] = {
        "settings": found.request.settings(),
        "input": {
            "file": layer.origin.file,
            "layer": layer.origin.layer,
            "rows": len(layer),
            "rows_used": len(ranking.items),
        },
        "items": len(ranking.items),
        "places": len(ranking.users),
        "units": ranking.options.units,
        "score": score_figures(ranking),
        "zones": [level_figures(ranking, level) for level in range(len(ranking.zones))],
        "versions": versions(),
        "notes": list(found.notes),
        "command": found.command,
    }
    if found.fit is not None:
        document["fit"] = fit_figures(found.fit)
    if rows:
        ids, places = ranking.users.ids.tolist(), ranking.users.places.tolist()
        document["users"] = [
            {"user": name, "latitude": place[0], "longitude": place[1]}
            for name, place in zip(ids, places, strict=True)
        ]
        document["ranking"] = ranking_table(ranking).to_pylist()
    told: dict[str, Any] = plain(document)
    return told


def fit_figures(found: Fit) -> dict[str, Any]:
    """Return what was learned, and how well it ranks for users that were held out."""
    return {
        "users": found.learned_from,
        "held_out": found.held_out,
        "k": found.k,
        "ndcg_untrained": found.untrained,
        "ndcg_trained": found.trained,
        "better": found.is_better,
        "zone_weights": list(found.options.zone_weights),
        "attribute_weight": found.options.attribute_weight,
        "less_is_better": found.falls,
    }


def score_figures(found: Ranking) -> dict[str, float | None]:
    """Return mean, standard deviation, least and greatest of the scores that are kept."""
    score = found.score[found.kept]
    if not len(score):
        return dict.fromkeys(("mean", "std", "least", "most"))
    return {
        "mean": float(score.mean()),
        "std": float(score.std()),
        "least": float(score.min()),
        "most": float(score.max()),
    }


def level_figures(found: Ranking, level: int) -> list[dict[str, Any]]:
    """Return of every zone of a level its centre and, of the rows that are kept, how many are in it.

    The centre is a distance, in the unit that is asked for, or latitude and longitude.
    """
    from regionalize.studies.rank.options import UNITS

    zones, kept = found.zones[level], found.kept
    code, distance, score = found.codes[level][kept], found.distance[kept], found.score[kept]
    inside = code >= 0
    size = np.bincount(code[inside], minlength=len(zones))
    sums = [np.bincount(code[inside], values[inside], len(zones)) for values in (distance, score)]
    bands = zones.kind == "bands"
    centers = (zones.centers / UNITS[found.options.units] if bands else zones.centers).tolist()
    parents = [None] * len(zones) if zones.parents is None else (zones.parents + 1).tolist()
    weights = found.options.zone_weights if level == 0 else ()
    told = []
    for at, name in enumerate(zones.names):
        rows = int(size[at])
        where = (
            {"center": centers[at]} if bands else {"latitude": centers[at][0], "longitude": centers[at][1]}
        )
        inner = {} if parents[at] is None else {"within": parents[at]}
        weight = {"weight": weights[at]} if weights else {}
        means = [float(one[at] / rows) if rows else None for one in sums]
        figures = {"rows": rows, "mean_distance": means[0], "mean_score": means[1]}
        told.append({"zone": name, **where, **inner, **weight, **figures})
    return told
