"""A ranking as a table: a row for every place and item, the best first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.layer import Layer
    from regionalize.studies.rank.ranking import Ranking

OWN = "item_{}"
"""What a column of the items is called where the ranking has one of its name."""


def ranking_table(found: Ranking) -> pa.Table:
    """Return a ranking as a table.

    Columns are ``user``, ``rank`` (null for what is listed though it was left out), ``item``, the distance
    with its unit in the name, ``score``, ``zone`` and ``membership_1`` to ``membership_K``, and ``kept``.
    Where there are several levels of zones, their names say how many zones the level has: ``zone_3``,
    ``membership_3_1``.

    Examples
    --------
    >>> from regionalize.studies.rank.places import Items, Users
    >>> from regionalize.studies.rank.rank import rank_items
    >>> items = Items(np.array([7, 8]), np.array([[0.0, 3.0], [0.0, 1.0]]))
    >>> table = ranking_table(rank_items(items, Users(np.array([1]), np.zeros((1, 2)))))
    >>> table.column_names, table["item"].to_pylist()
    (['user', 'rank', 'item', 'distance_km', 'score', 'kept'], [8, 7])
    """
    import pyarrow as pa

    columns: dict[str, Any] = {
        "user": id_array(found.users.ids, found.user),
        "rank": pa.array(found.rank.astype(np.int32), mask=~found.kept),
        "item": id_array(found.items.ids, found.item),
        distance_name(found): pa.array(found.distance),
        "score": pa.array(found.score),
    }
    for level, (zones, shares) in enumerate(zip(found.zones, found.memberships, strict=True)):
        at = level_suffix(found, level)
        columns[f"zone{at}"] = zone_array(zones.names, found.codes[level])
        columns |= {f"membership{at}_{k + 1}": pa.array(shares[:, k]) for k in range(len(zones))}
    columns["kept"] = pa.array(found.kept.astype(np.int32))
    return pa.table(columns)


def distance_name(found: Ranking) -> str:
    """Return what the column of distances is called."""
    return f"distance_{found.options.units}"


def level_suffix(found: Ranking, level: int) -> str:
    """Return what the names of a level's columns have: its number of zones where there are several levels."""
    return f"_{len(found.zones[level])}" if len(found.zones) > 1 else ""


def id_array(ids: NDArray[Any], rows: NDArray[np.int64]) -> pa.Array:
    """Return the ids of rows: whole numbers or text."""
    import pyarrow as pa

    if ids.dtype.kind in "iu":
        return pa.array(ids[rows])
    return pa.array([str(one) for one in ids.tolist()], pa.string()).take(pa.array(rows))


def zone_array(names: tuple[str, ...], codes: NDArray[np.int64]) -> pa.Array:
    """Return the zones of rows: numbers where all go by numbers, else their names; null for none."""
    import pyarrow as pa

    whole = all(name.isdecimal() and len(name) < 10 and str(int(name)) == name for name in names)
    known = pa.array([int(name) for name in names], pa.int32()) if whole else pa.array(names, pa.string())
    return known.take(pa.array(codes, mask=codes < 0))


def with_items(table: pa.Table, found: Ranking, layer: Layer, *, named: str | None = None) -> Layer:
    """Return the table as a layer: the items' columns follow, and their geometry.

    Parameters
    ----------
    table : pyarrow.Table
        As `ranking_table`.
    found : Ranking
    layer : Layer
        The items. What an earlier ranking made of its columns is left out.
    named : str, optional
        The only one of its columns that follows, and no geometry.
    """
    import pyarrow as pa
    import shapely

    from regionalize.model.layer import Layer, LayerOrigin
    from regionalize.model.record import history_of, renamed

    before = {name for record in layer.history if record.made_by == "rank" for name in record.columns}
    own = [name for name in layer.column_names if name not in before] if named is None else [named]
    taken = {name.lower() for name in table.column_names}
    names: dict[str, str] = {}
    for name in own:
        new = name
        while new.lower() in taken:
            new = OWN.format(new)
        taken.add(new.lower())
        names[name] = new
    rows = pa.array(found.item)
    columns = {name: table[name] for name in table.column_names}
    columns |= {names[name]: layer.attributes[name].take(rows) for name in own}
    attributes = pa.table(columns)
    notes = tuple(
        f"column '{name}' of the items is called '{new}', for the ranking has a '{name}' of its own"
        for name, new in names.items()
        if new != name
    )
    history = renamed(history_of(layer.history, own), names)
    origin = LayerOrigin(layer=layer.origin.layer, encoding=layer.origin.encoding)
    if named is not None or not own:
        return Layer(attributes, None, None, origin, notes, history=history)
    if not layer.has_geometry:
        places = found.items.places[found.item]
        return Layer(
            attributes,
            None,
            "EPSG:4326",
            origin,
            notes,
            shapes=shapely.points(places[:, ::-1]),
            history=history,
        )
    origin = LayerOrigin(
        layer=layer.origin.layer,
        encoding=layer.origin.encoding,
        geometry_type=layer.origin.geometry_type,
        geometry_name=layer.origin.geometry_name,
    )
    wkb = None if layer.wkb is None else layer.wkb.take(rows)
    there = None if layer.shapes is None else layer.shapes[found.item]
    return Layer(attributes, wkb, layer.crs, origin, notes, shapes=there, history=history)


def matrices(found: Ranking) -> dict[str, NDArray[Any]]:
    """Return a ranking of all pairs as arrays, users by items: what an ``.npz`` holds.

    ``users`` and ``items`` are the ids; shape (u, n) have the distance with its unit in the name, ``scores``,
    ``rank`` (0 for none) and ``zones`` (from 1, 0 for none); ``memberships`` has (u, n, K). Where there are
    several levels of zones, these two say in their names how many zones the level has.
    """
    shape = len(found.users), len(found.items)

    def spread(values: NDArray[Any]) -> NDArray[Any]:
        made = np.zeros((*shape, *values.shape[1:]), dtype=values.dtype)
        made[found.user, found.item] = values
        return made

    arrays = {
        "users": plain_ids(found.users.ids),
        "items": plain_ids(found.items.ids),
        distance_name(found): spread(found.distance),
        "scores": spread(found.score),
        "rank": spread(found.rank),
    }
    for level, shares in enumerate(found.memberships):
        at = level_suffix(found, level)
        arrays[f"zones{at}"] = spread(found.codes[level] + 1)
        arrays[f"memberships{at}"] = spread(shares)
    return arrays


def plain_ids(ids: NDArray[Any]) -> NDArray[Any]:
    """Return ids that NumPy writes without pickling."""
    return ids if ids.dtype.kind in "iu" else np.array([str(one) for one in ids.tolist()], dtype=np.str_)
