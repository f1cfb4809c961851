"""Does a partition hold what it promises? Asked without trusting what made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, UsageError, listed, nearest
from regionalize.kernels.components import components_within
from regionalize.model.kinds import is_digits
from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]

REQUIREMENTS = ("contiguous", "k", "min-size", "max-size")
"""What `find_faults` can be asked for; all but ``contiguous`` take a whole number."""


@dataclass(frozen=True)
class PartitionCheck:
    """What a check of a partition found.

    Attributes
    ----------
    sizes : dict of int to int
        Members of each cluster that has any, by label.
    missing : tuple of int
        Numbers from 1 to the highest label, or to k where it was given, that no unit bears.
    noise, left_out : int
        Units labelled 0, and units labelled below 0.
    pieces : dict of int to tuple of (s,) int64
        Of each cluster that is not contiguous, the rows of each connected piece, largest first (ties:
        first row).
    """

    sizes: dict[int, int]
    missing: tuple[int, ...]
    noise: int
    left_out: int
    pieces: dict[int, tuple[IntArray, ...]]

    @property
    def contiguous(self) -> bool:
        """Whether every cluster is one connected piece."""
        return not self.pieces

    @property
    def k(self) -> int:
        """Number of clusters that have members."""
        return len(self.sizes)


def check_partition(
    labels: NDArray[np.integer[Any]], weights: Weights, k: int | None = None
) -> PartitionCheck:
    """Look at labels alone and say how many clusters there are and which are in pieces.

    Parameters
    ----------
    labels : (n,) int
        Clusters 1 … k, noise 0, left out -1.
    weights : Weights
        Of the same n units; links join in both directions.
    k : int, optional
        Number of clusters there should be.

    Returns
    -------
    PartitionCheck

    Raises
    ------
    DataError
        When labels and weights differ in length.

    Examples
    --------
    >>> path = Weights(np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2]), np.ones(6), "example")
    >>> check = check_partition(np.array([1, 2, 2, 1]), path, k=3)
    >>> check.missing, [piece.tolist() for piece in check.pieces[1]]
    ((3,), [[0], [3]])
    """
    if len(labels) != len(weights):
        raise DataError(f"there are {len(labels)} labels for the {len(weights)} units of the weights")
    present, counts = np.unique(labels[labels > 0], return_counts=True)
    expected = range(1, max(int(labels.max(initial=0)), k or 0) + 1)
    component = components_within(weights.indptr, weights.indices, labels)
    order = np.argsort(component, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(component[order])) + 1) if len(labels) else []
    by_cluster: dict[int, list[IntArray]] = {}
    for rows in groups:
        if labels[rows[0]] > 0:
            by_cluster.setdefault(int(labels[rows[0]]), []).append(rows)
    return PartitionCheck(
        sizes=dict(zip(present.tolist(), counts.tolist(), strict=True)),
        missing=tuple(sorted(set(expected) - set(present.tolist()))),
        noise=int((labels == 0).sum()),
        left_out=int((labels < 0).sum()),
        pieces={
            label: tuple(sorted(rows, key=len, reverse=True))
            for label, rows in sorted(by_cluster.items())
            if len(rows) > 1
        },
    )


def parse_requirements(text: str) -> dict[str, int | None]:
    """Turn what a user requires into a mapping for `find_faults`.

    Parameters
    ----------
    text : str
        Comma-separated: ``contiguous``, ``k=N``, ``min-size=N``, ``max-size=N``.

    Returns
    -------
    dict of str to int or None
        In the order given.

    Raises
    ------
    UsageError
        For an unknown requirement, and for one with a number missing, wrong or out of place.

    Examples
    --------
    >>> parse_requirements("contiguous, min-size=10")
    {'contiguous': None, 'min-size': 10}
    """
    required: dict[str, int | None] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (part.strip() for part in item.partition("="))
        _known(name)
        if name == "contiguous":
            if equals:
                raise UsageError("'contiguous' takes no number", advice="write just contiguous")
            required[name] = None
        elif is_digits(value) and int(value) > 0:
            required[name] = int(value)
        else:
            raise UsageError(f"'{item}' needs a whole number above 0", advice=f"write for example {name}=10")
    if not required:
        raise UsageError("nothing is required", advice=f"choose from {listed(REQUIREMENTS)}")
    return required


def find_faults(
    labels: NDArray[np.integer[Any]],
    weights: Weights,
    requirements: Mapping[str, int | None],
    names: NDArray[np.object_],
) -> list[str]:
    """List every way in which a partition breaks what is required of it.

    Parameters
    ----------
    labels : (n,) int
        Clusters 1 … k, noise 0, left out -1; only clusters are judged.
    weights : Weights
        Of the same n units.
    requirements : mapping
        As from :func:`parse_requirements`.
    names : (n,) object
        Name of each unit.

    Returns
    -------
    list of str
        One sentence a fault, naming the cluster, counts and first units; empty when all is well.

    Raises
    ------
    UsageError
        For an unknown requirement.

    Examples
    --------
    >>> path = Weights(np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2]), np.ones(6), "example")
    >>> find_faults(np.array([1, 2, 2, 1]), path, {"contiguous": None}, np.array(list("abcd")))
    ['Cluster 1 (2 units) is in 2 pieces: 1 (a), 1 (d).']
    """
    check = check_partition(labels, weights)
    faults = []
    for name, value in requirements.items():
        _known(name)
        if name == "contiguous":
            faults += [_pieces_fault(label, rows, names) for label, rows in check.pieces.items()]
        elif value is None:
            raise UsageError(f"'{name}' needs a number", advice=f"write for example {name}=10")
        elif name == "k" and check.k != value:
            faults.append(
                f"There {'is 1 cluster' if check.k == 1 else f'are {check.k} clusters'}, not {value}."
            )
        elif name == "min-size":
            small = [label for label, size in check.sizes.items() if size < value]
            faults += [_size_fault(label, labels, f"fewer than {value}", names) for label in small]
        elif name == "max-size":
            large = [label for label, size in check.sizes.items() if size > value]
            faults += [_size_fault(label, labels, f"more than {value}", names) for label in large]
    return faults


def _pieces_fault(label: int, pieces: tuple[IntArray, ...], names: NDArray[np.object_]) -> str:
    shown = listed((f"{len(rows)} ({listed(names[rows], limit=3)})" for rows in pieces), limit=5)
    units = sum(map(len, pieces))
    return f"Cluster {label} ({units} units) is in {len(pieces)} pieces: {shown}."


def _size_fault(label: int, labels: NDArray[np.integer[Any]], bound: str, names: NDArray[np.object_]) -> str:
    members = names[labels == label]
    units = "1 unit" if len(members) == 1 else f"{len(members)} units"
    return f"Cluster {label} has {units}, {bound}: {listed(members, limit=3)}."


def _known(name: str) -> None:
    if name not in REQUIREMENTS:
        raise UsageError(
            f"'{name}' cannot be required",
            advice=nearest(name, REQUIREMENTS) or f"choose from {listed(REQUIREMENTS)}",
        )
