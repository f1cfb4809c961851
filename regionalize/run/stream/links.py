"""Links of rows on disk: who neighbours whom, in row order, of a layer that does not fit into memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.model.tile_links import TileLinks
from regionalize.run.stream.store import RowStore

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

AT_ONCE = 1 << 16
"""Rows that are held in memory at a time."""
BLOCK = 1 << 20
"""Bytes of a store that are read in one go for some of its rows."""
GAP = 1 << 12
"""Bytes between two wanted rows from which a second look costs less than reading on."""


def rows_at(store: RowStore, rows: IntArray) -> NDArray[Any]:
    """Return some rows of a store, (m, p).

    Parameters
    ----------
    store : RowStore
    rows : (m,) int64
        Row numbers, ascending.

    Examples
    --------
    >>> with RowStore(1) as store:
    ...     store.append(np.arange(5.0))
    ...     rows_at(store, np.array([1, 4])).tolist()
    [[1.0], [4.0]]
    """
    found = np.empty((len(rows), store.columns), store.dtype)
    if not len(rows):
        return found
    size = store.columns * store.dtype.itemsize
    block, gap = max(BLOCK // size, 1), max(GAP // size, 1)
    breaks = np.flatnonzero((np.diff(rows) > gap) | (np.diff(rows // block) > 0)) + 1
    ends = [0, *breaks.tolist(), len(rows)]
    for start, stop in pairwise(ends):
        first = int(rows[start])
        found[start:stop] = store.read(first, int(rows[stop - 1]) - first + 1)[rows[start:stop] - first]
    return found


def put_in_groups(store: RowStore, place: IntArray, group: IntArray, rows: NDArray[Any]) -> None:
    """Write rows (m, p) each to where its group goes on, in the order they come in.

    Parameters
    ----------
    store : RowStore
        Where to.
    place : (g,) int64
        Where each group goes on; moved on by what is written.
    group : (m,) int64
        Which group each row is of.
    """
    order = np.argsort(group, kind="stable")
    found, starts = np.unique(group[order], return_index=True)
    ends = [*starts.tolist(), len(order)]
    for number, (start, stop) in zip(found.tolist(), pairwise(ends), strict=True):
        store.put(int(place[number]), rows[order[start:stop]])
        place[number] += stop - start


class LinkStore:
    """Directed links of n rows, in files that are gone when it is closed.

    Parameters
    ----------
    kind : str
        How they were made, as `Weights.kind` says it.
    folder : Path, optional
        Where the files are: where the system keeps such files, unless given.

    Examples
    --------
    >>> with LinkStore("queen") as links:
    ...     links.append(TileLinks(np.array([0, 1, 1]), np.array([1])))
    ...     links.append(TileLinks(np.array([0, 2]), np.array([0, 1])))
    ...     len(links), links.read(2, 5).neighbor.tolist()
    (3, [0, 1])
    """

    def __init__(self, kind: str, folder: Path | None = None) -> None:
        self.kind = kind
        with ExitStack() as opened:
            self._ends = opened.enter_context(RowStore(1, np.int64, folder))
            self._neighbor = opened.enter_context(RowStore(1, np.int64, folder))
            self._values = opened.enter_context(RowStore(1, np.float64, folder))
            self._open = opened.pop_all()
        self._ends.append(np.zeros(1, dtype=np.int64))

    def __len__(self) -> int:
        return len(self._ends) - 1

    @property
    def n_links(self) -> int:
        """Number of directed links."""
        return len(self._neighbor)

    def __enter__(self) -> LinkStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def append(self, links: TileLinks) -> None:
        """Add the links of the rows that follow; either all tiles have values or none has.

        Raises
        ------
        OutputError
            There is no room for them.
        """
        self._ends.append(links.indptr[1:] + self.n_links)
        self._neighbor.append(links.neighbor)
        if links.values is not None:
            self._values.append(links.values)

    def read(self, first: int, count: int) -> TileLinks:
        """Return the links of at most `count` rows from number `first` on."""
        ends = self._ends.read(first, count + 1)[:, 0]
        if not len(ends):
            return TileLinks(np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.int64))
        start, number = int(ends[0]), int(ends[-1] - ends[0])
        values = self._values.read(start, number)[:, 0] if len(self._values) else None
        return TileLinks(ends - start, self._neighbor.read(start, number)[:, 0], values)


class GroupedRows:
    """Rows of whole numbers that come in any order and are read group by group, with bounded memory.

    They are written to disk as they come, and with the first reading to where their group is.

    Parameters
    ----------
    columns : int
        Numbers in a row.
    groups : int
        Number of groups.
    folder : Path, optional
        Where the files are.
    at_once : int
        Rows that are held in memory while they are put in place.

    Examples
    --------
    >>> with GroupedRows(1, 2) as grouped:
    ...     grouped.add(np.array([[7], [8], [9]]), np.array([1, 0, 1]))
    ...     grouped.read(1).tolist()
    [[7], [9]]
    """

    def __init__(self, columns: int, groups: int, folder: Path | None = None, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._held = np.zeros(groups, dtype=np.int64)
        self._ends: list[int] = []
        with ExitStack() as opened:
            self._given = opened.enter_context(RowStore(columns + 1, np.int64, folder))
            self._placed = opened.enter_context(RowStore(columns, np.int64, folder))
            self._open = opened.pop_all()

    def __enter__(self) -> GroupedRows:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def __len__(self) -> int:
        return len(self._held)

    def add(self, rows: IntArray, group: IntArray) -> None:
        """Take rows (m, columns), and the group (m,) of each."""
        self._given.append(np.column_stack([group, rows]))
        self._held += np.bincount(group, minlength=len(self._held))

    def read(self, group: int) -> IntArray:
        """Return the rows of a group in the order they came in; then none may be added."""
        if not self._ends:
            self._ends = [0, *np.cumsum(self._held).tolist()]
            place = np.array(self._ends[:-1], dtype=np.int64)
            for _, given in self._given.batches(self._at_once):
                put_in_groups(self._placed, place, given[:, 0], given[:, 1:])
            self._given.__exit__(None, None, None)
        start, stop = self._ends[group : group + 2]
        return self._placed.read(start, stop - start)


class LinkSorter:
    """Takes directed links in any order, and gives them in row order, a run of rows at a time.

    Parameters
    ----------
    n : int
        Number of rows.
    folder : Path, optional
        Where temporary files are.
    rows : int
        Rows of a run.

    Examples
    --------
    >>> with LinkSorter(3, rows=2) as sorter:
    ...     sorter.add(np.array([2, 0, 2]), np.array([1, 2, 0]))
    ...     [(first, links.neighbor.tolist()) for first, links in sorter.runs()]
    [(0, [2]), (2, [0, 1])]
    """

    def __init__(self, n: int, folder: Path | None = None, rows: int = AT_ONCE) -> None:
        self._n, self._rows = n, rows
        self._links = GroupedRows(3, -(-n // rows), folder, rows)  # the third number are the bits of a weight
        self._weighted = False

    def __enter__(self) -> LinkSorter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._links.__exit__(kind, value, trace)

    def add(self, row: IntArray, neighbor: IntArray, values: FloatArray | None = None) -> None:
        """Take links (m,), with their weights where not all are one."""
        weight = np.ones(len(row)) if values is None else np.asarray(values, dtype=np.float64)
        self._weighted |= values is not None
        self._links.add(np.column_stack([row, neighbor, weight.view(np.int64)]), row // self._rows)

    def runs(self) -> Iterator[tuple[int, TileLinks]]:
        """Give the first row of each run, and its links; a link that was given twice is there twice."""
        for number in range(len(self._links)):
            first, part = number * self._rows, self._links.read(number)
            weight = np.ascontiguousarray(part[:, 2]).view(np.float64) if self._weighted else None
            count = min(self._rows, self._n - first)
            yield first, TileLinks.from_links(count, part[:, 0] - first, part[:, 1], weight)


def stored(runs: Iterable[TileLinks], kind: str, folder: Path | None = None) -> LinkStore:
    """Put runs of links, the first rows first, into a store, to be closed by whoever called."""
    store = LinkStore(kind, folder)
    try:
        for links in runs:
            store.append(links)
    except BaseException:
        store.__exit__(None, None, None)
        raise
    return store
