"""`Weights`: who neighbours whom, as compressed sparse rows in row order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import libpysal.graph
    import scipy.sparse

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Weights:
    """Spatial weights of n units.

    Attributes
    ----------
    indptr : (n + 1,) int64
        Row i's neighbours are ``indices[indptr[i]:indptr[i + 1]]``.
    indices : (m,) int64
        Neighbour row numbers, ascending within a row, never the row itself.
    values : (m,) float64
        Weight of each link; all ones for contiguity.
    kind : str
        How they were made, as the user would write it: ``"queen"``, ``"knn:6"``, ``"roads.gal"``.
    notes : tuple of str
        What was noticed while building, for the person.
    added : tuple of (int, int, float)
        Links made on purpose to join islands or components: row, row, distance in CRS units (metres
        for a geographic layer).
    """

    indptr: IntArray
    indices: IntArray
    values: FloatArray
    kind: str
    notes: tuple[str, ...] = ()
    added: tuple[tuple[int, int, float], ...] = ()

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def n_links(self) -> int:
        """Number of directed links (a symmetric pair counts twice)."""
        return len(self.indices)

    @cached_property
    def degree(self) -> IntArray:
        """Number of neighbours of each unit, shape (n,)."""
        return np.diff(self.indptr)

    @cached_property
    def row(self) -> IntArray:
        """Row number of each link, shape (m,): the first half of coordinate format."""
        return np.repeat(np.arange(len(self)), self.degree)

    @cached_property
    def islands(self) -> IntArray:
        """Rows that neither have a neighbour nor are one."""
        linked = self.degree > 0
        linked[self.indices] = True
        return np.flatnonzero(~linked)

    @cached_property
    def component(self) -> IntArray:
        """Component number of each unit (0, 1, … by first row), links taken as undirected."""
        from regionalize.kernels.components import connected_components

        return connected_components(self.indptr, self.indices)

    @property
    def n_components(self) -> int:
        """Number of connected components, islands included."""
        return int(self.component.max()) + 1 if len(self) else 0

    @cached_property
    def is_symmetric(self) -> bool:
        """Whether every link has its reverse with the same weight."""
        order = np.lexsort((self.row, self.indices))
        return bool(
            np.array_equal(self.indices[order], self.row)
            and np.array_equal(self.row[order], self.indices)
            and np.array_equal(self.values[order], self.values)
        )

    def subset(self, rows: NDArray[np.integer[Any]]) -> Weights:
        """Return the weights among some rows, in their order, renumbered 0 … len(rows) - 1."""
        if np.array_equal(rows, np.arange(len(self))):
            return self
        place = np.full(len(self), -1)
        place[rows] = np.arange(len(rows))
        row, neighbor = place[self.row], place[self.indices]
        kept = (row >= 0) & (neighbor >= 0)
        return Weights.from_links(len(rows), row[kept], neighbor[kept], self.values[kept], kind=self.kind)

    def within(self, groups: NDArray[np.integer[Any]]) -> Weights:
        """Return the weights without the links between units of different groups, groups (n,) int.

        Examples
        --------
        >>> path = Weights.from_links(4, np.arange(3), np.arange(1, 4), kind="example")
        >>> path.within(np.array([5, 5, 2, 2])).indices.tolist()
        [1, 3]
        """
        kept = groups[self.row] == groups[self.indices]
        below = np.concatenate([[0], np.cumsum(kept)])
        return Weights(below[self.indptr], self.indices[kept], self.values[kept], self.kind)

    def to_scipy(self) -> scipy.sparse.csr_array[np.float64]:
        """Return a SciPy CSR array, shape (n, n)."""
        import scipy.sparse

        return scipy.sparse.csr_array((self.values, self.indices, self.indptr), shape=(len(self), len(self)))

    def to_graph(self, ids: Any = None) -> libpysal.graph.Graph:
        """Return a `libpysal.graph.Graph` on `ids` (row numbers by default)."""
        from libpysal.graph import Graph

        names = np.arange(len(self)) if ids is None else np.asarray(ids)
        focal, neighbor, weight = names[self.row], names[self.indices], self.values
        alone = names[self.degree == 0]
        if len(alone):  # libpysal writes a unit without neighbours as a link to itself of weight 0
            focal, neighbor = np.concatenate([focal, alone]), np.concatenate([neighbor, alone])
            weight = np.concatenate([weight, np.zeros(len(alone))])
            rank = {name: position for position, name in enumerate(names.tolist())}
            order = np.argsort([rank[name] for name in focal.tolist()], kind="stable")
            focal, neighbor, weight = focal[order], neighbor[order], weight[order]
        return Graph.from_arrays(focal, neighbor, weight)

    @staticmethod
    def from_links(
        n: int, row: NDArray[Any], neighbor: NDArray[Any], values: NDArray[Any] | None = None, **about: Any
    ) -> Weights:
        """Build weights from directed links; a repeated link is kept once, a self link is dropped.

        Parameters
        ----------
        n : int
            Number of units.
        row, neighbor : (m,) int
            Ends of each link.
        values : (m,) float, optional
            Weights (ones by default). Of a repeated link the first is kept.
        **about
            `kind`, `notes`, `added`.

        Examples
        --------
        >>> w = Weights.from_links(3, np.array([0, 1, 1]), np.array([1, 0, 0]), kind="example")
        >>> w.indptr.tolist(), w.indices.tolist(), w.islands.tolist()
        ([0, 1, 2, 2], [1, 0], [2])
        """
        keep = row != neighbor
        key = row[keep].astype(np.int64) * n + neighbor[keep]
        if values is None:
            key = np.sort(key)  # np.unique hashes first, and is several times slower
            key = key[np.diff(key, prepend=-1) != 0]
            weight = np.ones(len(key))
        else:
            key, first = np.unique(key, return_index=True)
            weight = np.asarray(values, dtype=np.float64)[keep][first]
        degree = np.bincount(key // n, minlength=n) if len(key) else np.zeros(n, dtype=np.int64)
        indptr = np.concatenate([[0], np.cumsum(degree)]).astype(np.int64)
        return Weights(indptr, key % n if n else key, weight, **about)

    @staticmethod
    def without_links(n: int) -> Weights:
        """Return weights of n units without neighbours."""
        nothing = np.empty(0, dtype=np.int64)
        return Weights.from_links(n, nothing, nothing, kind="none")

    @staticmethod
    def from_graph(graph: libpysal.graph.Graph, kind: str = "graph") -> Weights:
        """Take a `libpysal.graph.Graph`, its ids in order becoming rows 0 … n - 1."""
        adjacency = graph.adjacency
        ids = graph.unique_ids
        row = ids.get_indexer(adjacency.index.get_level_values("focal"))
        neighbor = ids.get_indexer(adjacency.index.get_level_values("neighbor"))
        return Weights.from_links(len(ids), row, neighbor, adjacency.to_numpy(dtype=np.float64), kind=kind)
