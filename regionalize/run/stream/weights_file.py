"""Neighbours from a weights file, for a layer that does not fit into memory: ids meet rows on disk."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, located
from regionalize.io.weights_batches import WeightsBatches
from regionalize.io.weights_files import weights_file_id
from regionalize.io.weights_ids import exact_number
from regionalize.model.tile_links import TileLinks
from regionalize.run.stream.links import AT_ONCE, GroupedRows, LinkSorter, LinkStore, stored

IntArray = NDArray[np.int64]
Names = NDArray[np.object_]


def links_of_file(
    path: str | Path,
    count: int,
    names: Iterable[Names] | None = None,
    *,
    folder: Path | None = None,
    rows_at_once: int = AT_ONCE,
) -> LinkStore:
    """Read weights and match them to rows by id, with bounded memory.

    Ids and links are put on disk in groups by a hash of the id, so that each group of links meets the few ids
    that it can mean; once for each end of a link. The file may be in any order.

    Parameters
    ----------
    path : path
        ``.gal``, ``.gwt`` or ``.parquet``. Values are those that `regionalize.io.weights_files.read_weights`
        reads; links of a unit to itself are left out.
    count : int
        Rows of the layer, n.
    names : iterable of arrays of str, optional
        Ids of all rows in order, some at a time. Without them rows are known as 1 … n, or 0 … n - 1 if the
        file counts from zero and names no id variable. Ids that are the same number, or the same text but for
        blanks and underscores, are one.
    folder : Path, optional
        Where temporary files are.
    rows_at_once : int
        Ids, or rows with their links, that are held in memory at a time.

    Returns
    -------
    LinkStore
        To be closed by whoever called.

    Raises
    ------
    DataError
        An unknown id, a row without an entry (not in a `.gwt`), a link that is there twice, ids that repeat,
        a number of units other than n, a fault of the file.
    OutputError
        There is no room on disk.
    """
    file = WeightsBatches(path)
    with located(str(path)), ExitStack() as opened:
        if file.declared is not None and file.declared != count:
            raise DataError(
                f"the file is for {file.declared} units and the layer has {count} rows",
                advice="use the weights made for this layer",
                row=1,
            )
        sorter = opened.enter_context(LinkSorter(count, folder, rows_at_once))
        if names is None:
            _match_numbers(file, count, sorter)
        else:
            groups = -(-max(count, 1) // rows_at_once)
            ids = opened.enter_context(GroupedRows(3, groups, folder, rows_at_once))
            _put_ids(names, ids)
            _match_ids(file, ids, sorter, folder, rows_at_once)
        runs = (_checked(links, first, file.has_entries) for first, links in sorter.runs())
        return stored(runs, Path(path).name, folder)


def _match_numbers(file: WeightsBatches, count: int, sorter: LinkSorter) -> None:
    """Match links by row number."""
    first = 1 if weights_file_id(file.path) is not None else _first_number(file, count)
    for batch in file:
        ends = []
        for names in (batch.focal, batch.neighbor):
            rows = _numbers(names) - first
            bad = np.flatnonzero((rows < 0) | (rows >= count))
            if len(bad):
                raise _unknown(
                    names[bad[0]], int(batch.lines[bad[0]]), f"rows are {first} to {count - 1 + first}"
                )
            ends.append(rows)
        sorter.add(ends[0], ends[1], batch.values)


def _first_number(file: WeightsBatches, count: int) -> int:
    """Tell whether a file numbers rows from 0 or from 1."""
    for batch in file:
        for names in (batch.focal, batch.neighbor):
            numbers = _numbers(names)
            if (numbers == 0).any():
                return 0
            if (numbers == count).any():
                return 1
    return 1


def _numbers(names: Names) -> IntArray:
    """Return ids as whole numbers; -1 for what is none."""
    try:
        return names.astype(np.str_).astype(np.int64)
    except (ValueError, OverflowError):
        values = [exact_number(name) for name in names.tolist()]
        whole = [
            int(value)
            if value is not None and value == value.to_integral_value() and abs(value) < 2**62
            else -1
            for value in values
        ]
        return np.array(whole, dtype=np.int64)


def _put_ids(names: Iterable[Names], ids: GroupedRows) -> None:
    first = 0
    for some in names:
        keys = _keys(some)
        ids.add(np.column_stack([keys, np.arange(first, first + len(some))]), _group(keys, ids))
        first += len(some)


def _match_ids(
    file: WeightsBatches, ids: GroupedRows, sorter: LinkSorter, folder: Path | None, at_once: int
) -> None:
    """Find the row of one end of all links, then that of the other."""
    with (
        GroupedRows(6, len(ids), folder, at_once) as by_focal,
        GroupedRows(5, len(ids), folder, at_once) as by_neighbor,
    ):
        for batch in file:
            focal, neighbor = _keys(batch.focal), _keys(batch.neighbor)
            rest = np.column_stack([neighbor, batch.values.view(np.int64), batch.lines])
            by_focal.add(np.column_stack([focal, rest]), _group(focal, ids))
        for group in range(len(ids)):
            links = by_focal.read(group)
            row = _found(links[:, :2], ids.read(group), links[:, 5], file)
            neighbor = links[:, 2:4]
            by_neighbor.add(np.column_stack([neighbor, row, links[:, 4:]]), _group(neighbor, ids))
        for group in range(len(ids)):
            links = by_neighbor.read(group)
            row = _found(links[:, :2], ids.read(group), links[:, 4], file)
            sorter.add(links[:, 2], row, np.ascontiguousarray(links[:, 3]).view(np.float64))


def _keys(names: Names) -> IntArray:
    """Return 128 bits for each id, (m, 2): the same for texts that mean the same."""
    digests = b"".join(blake2b(_plain(name).encode(), digest_size=16).digest() for name in names.tolist())
    return np.frombuffer(digests, dtype=np.int64).reshape(-1, 2)


def _plain(name: str) -> str:
    """Write an id as all do that mean the same.

    Examples
    --------
    >>> _plain("17031.0"), _plain("Los Angeles"), _plain("007")
    ('17031', 'Los_Angeles', '7')
    """
    number = exact_number(name)
    if number is None:
        return "_".join(name.split())
    whole = number.to_integral_value()
    return f"{whole:f}" if number == whole and abs(number.adjusted()) < 40 else str(number.normalize())


def _group(keys: IntArray, ids: GroupedRows) -> IntArray:
    return np.asarray(keys[:, 0] % len(ids))


def _found(keys: IntArray, ids: IntArray, lines: IntArray, file: WeightsBatches) -> IntArray:
    """Return the rows that keys (m, 2) mean among ids (q, 3)."""
    ids = ids[np.argsort(ids[:, 0], kind="stable")]
    if (ids[1:, 0] == ids[:-1, 0]).any():
        raise DataError("ids repeat, so the file cannot be matched", advice="choose another --id")
    place = np.searchsorted(ids[:, 0], keys[:, 0])
    known = place < len(ids)
    known[known] = (ids[place[known], :2] == keys[known]).all(axis=1)
    lost = np.flatnonzero(~known)
    if len(lost):
        at = lost[int(lines[lost].argmin())]
        raise _unknown(
            _name(file, keys[at], int(lines[at])), int(lines[at]), "--id names the column to match by"
        )
    return np.asarray(ids[place, 2])


def _name(file: WeightsBatches, key: IntArray, line: int) -> str:
    """Look up how the file writes an id."""
    for batch in file:
        for names in (batch.focal, batch.neighbor):
            here = names[batch.lines == line]
            for name in here[(_keys(here) == key).all(axis=1)].tolist():
                return str(name)
    return "?"


def _unknown(name: str, line: int, advice: str) -> DataError:
    return DataError(f"there is no unit '{name}' in the layer", advice=advice, row=line)


def _checked(links: TileLinks, first: int, has_entries: bool) -> TileLinks:
    """Refuse what is there twice or not at all, and leave out the links of units to themselves."""
    row = links.row
    again = np.flatnonzero((np.diff(row) == 0) & (np.diff(links.neighbor) == 0))
    if len(again):
        here, there = int(row[again[0]]) + first + 1, int(links.neighbor[again[0]]) + 1
        what = f"the link from row {here} to row {there}" if here != there else f"the entry of row {here}"
        raise DataError(f"{what} is there twice", advice="keep one")
    alone = np.flatnonzero(np.diff(links.indptr) == 0)
    if has_entries and len(alone):
        raise DataError(
            f"row {int(alone[0]) + first + 1} has no entry", advice="use the weights made for this layer"
        )
    apart = row + first != links.neighbor
    values = None if links.values is None else links.values[apart]
    return TileLinks.from_links(len(links), row[apart], links.neighbor[apart], values)
