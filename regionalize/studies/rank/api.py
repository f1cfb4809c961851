"""The Python call: a GeoDataFrame of items and some places in, a table of the best out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

    from regionalize.run.drawable import Picture
    from regionalize.studies.rank.solve import Ranked


@dataclass(frozen=True)
class RankResult:
    """What `rank` found.

    Attributes
    ----------
    table : pandas.DataFrame
        A row for every place and item, the best first: user, rank, item, distance, score, zones and
        memberships.
    report : dict
        What the command line prints with ``--json``, but for the rows.
    notes : tuple of str
        What the command line would have said on standard error.
    found : Ranked
        The ranking as arrays, with what it was made from.
    """

    table: pd.DataFrame
    report: dict[str, Any]
    notes: tuple[str, ...]
    found: Ranked

    def plot(self, path: str | Path | None = None) -> Path | Picture:
        """Draw the map into `path` (PNG, SVG, PDF or HTML by its ending), or as a picture for a notebook."""
        from regionalize.run.drawable import drawn_to
        from regionalize.run.side_files import MAPS
        from regionalize.studies.rank.picture import draw_ranking

        return drawn_to(path, partial(draw_ranking, self.found), MAPS)


def rank(items: geopandas.GeoDataFrame, at: Any, **options: Any) -> RankResult:
    """Rank items for places: the nearest first, or by zones, an attribute and weights.

    Parameters
    ----------
    items : geopandas.GeoDataFrame
        n rows: points, or areas by their centroid; or a DataFrame with columns of latitude and longitude.
    at : (float, float), str, list of these, or geopandas.GeoDataFrame
        Places: latitude and longitude in degrees, ``"LAT,LON"``, or a frame with a row for each.
    **options
        Those of the command, with underscores: ``top=10``, ``max_km=50``, ``bands=[3, 10]``,
        ``label_column="cluster"``, ``region_weight={"C3": 2}`` …; ``at_id`` names the rows of a frame of
        places. ``save_model="ranking.json"`` keeps the ranking for ``model="ranking.json"``, in place of a
        file of that name.

    Returns
    -------
    RankResult

    Raises
    ------
    RegionalizeError
        With one line on what is wrong and what to do.

    Examples
    --------
    >>> import geopandas, regionalize as rz
    >>> from regionalize.io.sample import sample_path
    >>> counties = geopandas.read_file(sample_path())
    >>> found = rz.rank(counties, (33.75, -84.39), id="name", top=3)
    >>> found.table["item"].tolist(), found.table["distance_km"].round(1).tolist()
    (['Fulton', 'DeKalb', 'Clayton'], [8.4, 15.3, 23.3])
    """
    import pandas as pd

    from regionalize.run.frames import layer_of
    from regionalize.run.refusals import check_ending
    from regionalize.studies.rank.files import MODEL
    from regionalize.studies.rank.model import write_model
    from regionalize.studies.rank.places import read_users, users_of
    from regionalize.studies.rank.report import ranking_document
    from regionalize.studies.rank.request import make_request
    from regionalize.studies.rank.solve import rank_layer
    from regionalize.studies.rank.table import ranking_table

    layer = layer_of(items, options)
    kept = options.pop("save_model", None)
    if kept is not None:
        check_ending("save-model", Path(kept), (MODEL,))
    framed = isinstance(at, pd.DataFrame)
    at_id = options.pop("at_id", None)
    request = make_request({**options, **({} if framed else {"at": at})})
    users = users_of(layer_of(at, {}), at_id) if framed else read_users(request.at)
    found = rank_layer(layer, users, request)
    if kept is not None:
        write_model(found.model, kept)
    if not framed:
        found = replace(found, command=request.command().line())
    table = ranking_table(found.ranking).to_pandas()
    return RankResult(table, ranking_document(found, rows=False), found.notes, found)
