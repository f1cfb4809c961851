"""Small graphs of the kinds that layers have, and values to go with them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
from hypothesis import strategies as st

from regionalize.model.weights import Weights


def linked(n: int, links) -> Weights:
    """Weights from pairs of units, each listed in both directions."""
    ends = np.array([*links], dtype=np.int64).reshape(-1, 2)
    return Weights.from_links(n, ends.ravel(), ends[:, ::-1].ravel(), kind="test")


def one_way(n: int, links) -> Weights:
    """Weights from pairs of units, each listed by its first unit only."""
    first, second = np.array([*links], dtype=np.int64).reshape(-1, 2).T
    return Weights.from_links(n, first, second, kind="test")


def reordered(weights: Weights, order: np.ndarray) -> Weights:
    """Weights of the units `order`, in that order."""
    place = np.argsort(order)
    return Weights.from_links(len(weights), place[weights.row], place[weights.indices], kind="test")


def grid(rows: int, columns: int, missing=()) -> tuple[int, list[tuple[int, int]]]:
    """Cells of a grid that are there, joined with the one to the right and the one below."""
    cells = [(r, c) for r in range(rows) for c in range(columns) if r * columns + c not in missing]
    place = {cell: number for number, cell in enumerate(cells)}
    links = [
        (place[r, c], place[other]) for r, c in cells for other in ((r, c + 1), (r + 1, c)) if other in place
    ]
    return len(cells), links


def triangulated(points: np.ndarray) -> list[tuple[int, int]]:
    """Links of the Delaunay triangulation of points, which is planar."""
    from scipy.spatial import Delaunay

    if len(points) < 3:
        return [(unit, unit + 1) for unit in range(len(points) - 1)]
    corners = Delaunay(points).simplices
    return sorted({(min(a, b), max(a, b)) for t in corners.tolist() for a in t for b in t if a != b})


def random_layout(rng: np.random.Generator, most: int) -> tuple[int, list[tuple[int, int]]]:
    """A grid with cells missing, a triangulation with links missing, or a tree; rows in random order."""
    kind = rng.integers(4)
    if kind < 2:
        rows = int(rng.integers(1, 5))
        columns = int(rng.integers(1, max(most // rows, 1) + 1))
        gone = np.flatnonzero(rng.random(rows * columns) < rng.choice([0, 0.15, 0.3]))
        n, links = grid(rows, columns, {*gone.tolist()} if len(gone) < rows * columns else ())
    elif kind == 2:
        n = int(rng.integers(1, most + 1))
        links = triangulated(rng.random((n, 2)))
        links = [link for link in links if rng.random() < rng.choice([1.0, 0.8, 0.5])]
    else:
        n = int(rng.integers(1, most + 1))
        links = [(int(rng.integers(max(0, unit - 4), unit)), unit) for unit in range(1, n)]
    order = rng.permutation(n)
    return n, [(int(order[a]), int(order[b])) for a, b in links]


def random_values(rng: np.random.Generator, n: int) -> np.ndarray:
    """One to three variables: smooth numbers, few different ones, or rows of which many are equal."""
    p = int(rng.integers(1, 4))
    kind = rng.integers(3)
    if kind == 0:
        return rng.normal(size=(n, p))
    if kind == 1:
        return rng.integers(0, 3, size=(n, p)).astype(float)
    return rng.normal(size=(n, p))[rng.integers(0, n, size=n)]


def within(X: np.ndarray, labels: np.ndarray) -> float:
    """Sum of squared distances to the means of the regions."""
    return sum(float(((X[labels == c] - X[labels == c].mean(axis=0)) ** 2).sum()) for c in np.unique(labels))


def pieces(labels: np.ndarray, weights: Weights) -> int:
    """Number of connected pieces of all regions, by SciPy."""
    row = np.repeat(np.arange(len(labels)), np.diff(weights.indptr))
    same = labels[row] == labels[weights.indices]
    links = scipy.sparse.csr_array(
        (np.ones(same.sum()), (row[same], weights.indices[same])), shape=(len(labels),) * 2
    )
    return int(scipy.sparse.csgraph.connected_components(links, directed=False)[0])


def same_partition(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two lists of labels group the same units together, whatever the numbers."""
    pairs = {*zip(one.tolist(), other.tolist(), strict=True)}
    return len(pairs) == len({*one.tolist()}) == len({*other.tolist()})


@st.composite
def graphs(draw, *, side: int = 6, levels: tuple[int | None, ...] = (None,)):
    """Two variables on a grid with some links taken away (so islands and components): values, weights.

    `levels` are how many different values a variable may have, the fewer the more ties; None stands for
    normal numbers, of which no two are equal.
    """
    n, links = grid(draw(st.integers(1, side)), draw(st.integers(1, side)))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    share = draw(st.sampled_from([1.0, 0.8, 0.4]))
    weights = one_way(n, [link for link in links if rng.random() < share])
    count = draw(st.sampled_from(levels))
    X = rng.normal(size=(n, 2)) if count is None else rng.integers(0, count, size=(n, 2)).astype(float)
    return X, weights


class Case(NamedTuple):
    """Values, weights and links in pairs, by number so that a failure can be read."""

    X: np.ndarray
    weights: Weights
    links: list[tuple[int, int]]
    number: int

    def __repr__(self) -> str:
        return f"case({self.number}) of {len(self.X)} units"


def case(number: int, most: int) -> Case:
    """Return the random layout of a number, of up to `most` units or little more."""
    rng = np.random.default_rng(number)
    n, links = random_layout(rng, most)
    return Case(random_values(rng, n), linked(n, links), links, number)


def layouts(most: int) -> st.SearchStrategy[Case]:
    """Random layouts for Hypothesis."""
    return st.integers(0, 100_000).map(lambda number: case(number, most))
