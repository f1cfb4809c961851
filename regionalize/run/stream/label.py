"""Label rows that come in batches, measure on the way, and report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError
from regionalize.measure.groups import Groups, fit_of_groups, profiles_of_groups, r_squared_of_groups
from regionalize.methods.minibatch import assign
from regionalize.model.layer import Layer
from regionalize.model.partition import LEFT_OUT
from regionalize.model.report import Report
from regionalize.run.reporting import versions
from regionalize.run.stream.rows import ROWS, Rows
from regionalize.run.stream.store import RowStore

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass
class Labelled:
    """What is known of the labels.

    Attributes
    ----------
    raw : Groups
        Of the columns in original units.
    smoothed : Groups or None
        Of the transformed columns, where they are smoothed.
    inertia : dict of str to (2,) float64
        Rows, and sum of squared distances to the centres, of "train" and "test".
    """

    raw: Groups
    smoothed: Groups | None
    inertia: dict[str, FloatArray]

    @staticmethod
    def nothing(k: int, rows: Rows) -> Labelled:
        """Begin with no rows."""
        p = len(rows.variables.columns)
        smoothed = None if rows.smoothed is None else Groups(k, p)
        return Labelled(Groups(k, p), smoothed, {"train": np.zeros(2), "test": np.zeros(2)})

    def ordered(self, order: NDArray[np.integer[Any]]) -> Labelled:
        """Return the same with the clusters in another order."""
        smoothed = None if self.smoothed is None else self.smoothed.ordered(order)
        return Labelled(self.raw.ordered(order), smoothed, self.inertia)


def label_rows(centers: FloatArray, rows: Rows, labels: RowStore) -> Labelled:
    """Find the nearest centre of every row, and number clusters by falling size.

    Centres that no row is nearest to move to rows that are far from their own, one of each cluster at most,
    and all begins again. That comes to an end: a centre on a row always has that row, so that no centre
    moves twice, and each pass with an empty cluster moves one. It takes few passes, since the clusters that
    have rows may be twice as many after each.
    """
    centers = centers.copy()
    k = len(centers)
    while True:
        found = Labelled.nothing(k, rows)
        first_row = np.full(k, np.iinfo(np.int64).max)
        farthest, places = np.zeros(k), np.empty_like(centers)
        for first, values, used in rows.batches():
            X = rows.clustered(first, values)
            codes, _ = assign(X, centers)
            away = np.where(used, np.square(X - centers[codes]).sum(axis=1), 0.0)
            row = farthest_rows(codes, away)
            farther = row[away[row] > farthest[codes[row]]]
            farthest[codes[farther]], places[codes[farther]] = away[farther], X[farther]
            codes[~used] = LEFT_OUT
            labels.put(first, codes)
            found.raw.update(values, codes)
            if found.smoothed is not None:
                found.smoothed.update(rows.transformed(first, values), codes)
            teach = rows.may_teach(first, used)
            found.inertia["train"] += [teach.sum(), away[teach].sum()]
            found.inertia["test"] += [(used & ~teach).sum(), away[used & ~teach].sum()]
            present, where = np.unique(codes[used], return_index=True)
            np.minimum.at(first_row, present, first + np.flatnonzero(used)[where])
        empty = np.flatnonzero(found.raw.counts == 0)
        if not len(empty):
            break
        far = np.argsort(-farthest, kind="stable")[: min(len(empty), np.count_nonzero(farthest))]
        if not len(far):
            raise InfeasibleError(
                f"k is {k}, but the rows hold fewer distinct combinations of values",
                advice="ask for fewer clusters",
            )
        centers[empty[: len(far)]] = places[far]
    order = np.lexsort((first_row, -found.raw.counts))
    number = np.empty(k, dtype=np.int32)
    number[order] = np.arange(1, k + 1)
    for first, codes in labels.batches(ROWS):
        labels.put(first, np.where(codes >= 0, number[codes], LEFT_OUT))
    return found.ordered(order)


def farthest_rows(codes: IntArray, away: FloatArray) -> IntArray:
    """Return for each cluster that is there the row farthest from its centre, of equal ones the first.

    Examples
    --------
    >>> farthest_rows(np.array([5, 0, 5, 5]), np.array([1.0, 3.0, 2.0, 2.0])).tolist()
    [1, 2]
    """
    order = np.lexsort((-away, codes))
    _, first = np.unique(codes[order], return_index=True)
    rows: IntArray = order[first]
    return rows


def mean_distances(found: Labelled, rows: Rows, labels: RowStore) -> tuple[float, float]:
    """Return how far rows are from the mean of their cluster: in all that is clustered, and in attributes."""
    p, factors = len(rows.variables.names), rows.scale.factors
    sums = []
    for first, values, used in rows.batches():
        codes = labels.read(first, len(values))[used, 0] - 1
        attributes = np.square((values[used] - found.raw.means[codes]) * factors)
        whole = attributes
        if found.smoothed is not None:
            whole = np.square(rows.transformed(first, values)[used] - found.smoothed.means[codes])
        sums.append([np.sqrt(part.sum(axis=1)).sum() for part in (whole, attributes[:, :p])])
    of_all, of_attributes = (fsum(part) / found.raw.counts.sum() for part in zip(*sums, strict=True))
    return float(of_all), float(of_attributes)


def report_of(head: Layer, found: Labelled, rows: Rows, labels: RowStore, updates: int) -> Report:
    """Put together what is known without all rows in memory."""
    job, variables, raw = rows.job, rows.variables, found.raw
    plain = raw.times(rows.scale.factors)
    clustered = plain if found.smoothed is None else found.smoothed
    attributes = slice(0, len(variables.names))
    of_all, of_attributes = mean_distances(found, rows, labels)
    fit = replace(fit_of_groups(clustered), mean_distance=of_all)
    fit_attributes = replace(fit_of_groups(plain, attributes), mean_distance=of_attributes)
    shown = attributes if variables.apart else slice(None)
    columns, of_columns = variables.columns[shown], raw.only(shown)
    about: dict[str, Any] = {"batch_size": job.batch_size, "batches": updates, "warm_start": len(rows.warm)}
    for name, (count, total) in found.inertia.items():
        if count:
            about[name] = {
                "rows": int(count),
                "inertia": float(total),
                "inertia_per_row": float(total / count),
            }
    unmeasured = "pieces, joins and shapes are not measured of rows that come in batches"
    alike = found.smoothed is None and not variables.coordinates
    return Report(
        settings=job.settings(),
        input={
            "file": head.origin.file,
            "layer": head.origin.layer,
            "rows": len(rows),
            "rows_used": int(raw.counts.sum()),
        },
        versions=versions(),
        variables=columns,
        sizes=tuple(int(count) for count in raw.counts),
        center_columns=columns,
        centers=tuple(tuple(row) for row in of_columns.means.tolist()),
        fit=fit_attributes if variables.apart else fit,
        fit_attributes=None if variables.apart or alike else fit_attributes,
        coordinate_share=variables.share,
        fragmentation=None,
        r_squared=r_squared_of_groups(of_columns),
        extra={"batches": about},
        notes=(unmeasured,) if head.has_geometry else (),
        profiles=profiles_of_groups(of_columns),
    )
