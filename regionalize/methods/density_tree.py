"""What the tree of a density hierarchy tells beyond the clusters taken from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class DensityTree:
    """Single linkage over mutual reachability, read from the top: the distance shrinks, and rows leave.

    A join whose two sides both have `min_cluster_size` rows is a split: its sides are clusters of their own.
    At any other join of so many rows the larger side goes on as the same cluster, and the rows of the other
    leave it.

    Parameters
    ----------
    joins : (n - 1, 2) int64
        Joins in the order of height: rows are nodes 0 … n - 1, join i makes node n + i.
    heights : (n - 1,) float64
        Mutual reachability distances, rising.
    min_cluster_size : int
        Fewest rows of a cluster.
    """

    def __init__(self, joins: IntArray, heights: FloatArray, min_cluster_size: int) -> None:
        n, pairs = len(heights) + 1, joins.tolist()
        size = [1] * n
        for left, right in pairs:
            size.append(size[left] + size[right])
        cluster = [2 * n - 2] * (2 * n - 1)
        last = [2 * n - 2] * (2 * n - 1)
        parent: dict[int, int] = {}
        for node in range(2 * n - 2, n - 1, -1):
            splits = min(size[child] for child in pairs[node - n]) >= min_cluster_size
            for child in pairs[node - n]:
                cluster[child] = child if splits else cluster[node]
                last[child] = child if size[child] >= min_cluster_size else last[node]
                if splits:
                    parent[child] = node
        self.joins, self.heights, self.min_cluster_size = joins, heights, min_cluster_size
        self.size = size
        self.cluster = cluster
        """The cluster each node is in, or left last, by the node it was when it split off."""
        self.left_at: FloatArray = heights[np.array(last[:n]) - n]
        """Distance at which each row leaves its last cluster, (n,)."""
        self.last = last
        """The smallest node around each one that is large enough for a cluster."""
        self.parent = parent
        """Where each cluster split off; the root is not among them."""

    def outlier_scores(self) -> FloatArray:
        """Score how far outside each row lies: GLOSH, the global-local outlier score from hierarchies.

        A row leaves the last cluster it belongs to at a distance e; that cluster, or what becomes of it,
        lives on down to a distance f. The score is 1 - f / e: 0 for rows that stay until the end, near 1 for
        those far outside of something dense (Campello, Moulavi, Zimek and Sander 2015, section 6).

        Returns
        -------
        (n,) float64
            From 0 to 1.

        Examples
        --------
        >>> joins, heights = np.array([[0, 1], [4, 2], [5, 3]]), np.array([1.0, 1.0, 4.0])
        >>> DensityTree(joins, heights, 2).outlier_scores().tolist()
        [0.0, 0.0, 0.0, 0.75]
        """
        n, pairs, height = len(self.heights) + 1, self.joins.tolist(), self.heights.tolist()
        lowest = [np.inf] * n
        for (left, right), node in zip(pairs, range(n, 2 * n - 1), strict=True):
            mine = height[node - n] if self.size[node] >= self.min_cluster_size else np.inf
            lowest.append(min(lowest[left], lowest[right], mine))
        whole = list(range(2 * n - 1))  # what is joined at one height is one cluster there
        for node in range(2 * n - 2, n - 1, -1):
            for child in pairs[node - n]:
                if child >= n and height[child - n] == height[node - n]:
                    whole[child] = whole[node]
        ends_at = np.array([lowest[whole[node]] for node in self.last[:n]])
        scores = np.zeros(n)
        apart = self.left_at > 0
        scores[apart] = 1 - ends_at[apart] / self.left_at[apart]
        return scores

    def merged(self, labels: IntArray, eps: float) -> tuple[IntArray, FloatArray]:
        """Put back what only split below a distance, as far up as there are two clusters at all.

        That is ``cluster_selection_epsilon`` of scikit-learn, which fails with it under NumPy 2.4 and later.

        Parameters
        ----------
        labels : (n,) int64
            Clusters taken from the tree, -1 for noise.
        eps : float
            Distance below which no cluster may have split off.

        Returns
        -------
        labels : (n,) int64
            Clusters 0 … in the order of `labels`, -1 for noise.
        probability : (n,) float64
            How deep in its cluster a row is, 0 for noise to 1.

        References
        ----------
        Malzer and Baum (2020), A hybrid approach to hierarchical density-based cluster selection.
        """
        n = len(labels)
        taken: list[int] = []
        for label in range(labels.max(initial=-1) + 1):
            members = np.flatnonzero(labels == label)
            node = self.cluster[members[0]]
            while self.size[node] < len(members):
                node = self._above(node)
            while node in self.parent and self.heights[self.parent[node] - n] < eps:
                above = self._above(node)
                if above not in self.parent:
                    break
                node = above
            if node not in taken:
                taken.append(node)
        found = np.full(n, -1)
        probability = np.zeros(n)
        for label, node in enumerate(taken):
            rows = self._rows(node)
            found[rows] = label
            left_at, end = self.left_at[rows], self._end(node)
            probability[rows] = np.where(left_at > end, end / np.where(left_at > 0, left_at, 1.0), 1.0)
        return found, probability

    def _above(self, cluster: int) -> int:
        """Return the cluster that another one split off from."""
        return self.cluster[self.parent[cluster]]

    def _rows(self, node: int) -> IntArray:
        n, rows, waiting = len(self.heights) + 1, [], [node]
        while waiting:
            one = waiting.pop()
            if one < n:
                rows.append(one)
            else:
                waiting += self.joins[one - n].tolist()
        return np.sort(np.array(rows))

    def _end(self, node: int) -> float:
        """Return the distance at which a cluster splits, or its last rows leave."""
        n = len(self.heights) + 1
        while True:
            large = [
                child for child in self.joins[node - n].tolist() if self.size[child] >= self.min_cluster_size
            ]
            if len(large) != 1:
                return float(self.heights[node - n])
            node = large[0]
