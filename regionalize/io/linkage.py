"""Linkage matrices out: the joins of a hierarchy as SciPy has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def linkage_matrix(merges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put the number of units that each join holds beside it.

    Parameters
    ----------
    merges : (n - 1, 3) float64
        Two nodes and a height of each join: units are nodes 0 … n - 1, and join i makes node n + i.

    Returns
    -------
    (n - 1, 4) float64
        SciPy's ``Z``.

    Examples
    --------
    >>> linkage_matrix(np.array([[0.0, 1, 0.5], [2, 3, 4]])).tolist()
    [[0.0, 1.0, 0.5, 2.0], [2.0, 3.0, 4.0, 3.0]]
    """
    units = [1.0] * (len(merges) + 1)
    for first, second in merges[:, :2].astype(np.int64).tolist():
        units.append(units[first] + units[second])
    return np.column_stack([merges, units[len(merges) + 1 :]])


def write_linkage(path: Path, merges: NDArray[np.float64], suffix: str) -> None:
    """Write the linkage matrix to `path` as `suffix` asks for: ``.npy``, or ``.csv`` with a line of names.

    The names follow a ``#``, so that ``numpy.loadtxt`` passes over them.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "joins.csv"
    ...     write_linkage(file, np.array([[0.0, 1, 0.5]]), ".csv")
    ...     print(file.read_text(), end="")
    # first,second,height,units
    0,1,0.5,2
    """
    joined = linkage_matrix(merges)
    if suffix.lower() == ".npy":
        with path.open("wb") as file:  # numpy.save would put .npy behind any other name
            np.save(file, joined)
        return
    lines = (f"{int(a)},{int(b)},{height!r},{int(units)}" for a, b, height, units in joined.tolist())
    path.write_text("\n".join(["# first,second,height,units", *lines, ""]), encoding="utf-8")
