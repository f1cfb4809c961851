"""All rows of a run in batches: read once, kept on disk, and given again as often as they are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regionalize.features.notes import refuse_too_few_rows
from regionalize.features.running import Reservoir, RunningStatistics, split_rows
from regionalize.io.row_batches import RowBatches
from regionalize.model.job import Job
from regionalize.run.stream.gaps import Gaps
from regionalize.run.stream.links import rows_at
from regionalize.run.stream.store import RowStore
from regionalize.run.stream.variables import Scale, Variables, scale_of, statistics_notes

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

ROWS = 1 << 15
"""Rows that are worked on at a time."""


@dataclass
class Rows:
    """All rows, and what is known of them.

    Attributes
    ----------
    job, variables : Job, Variables
        What is asked, and what is clustered.
    store : RowStore
        Columns in original units, NaN where a value is missing.
    statistics : RunningStatistics
        Of the rows that take part, missing values filled in where that was asked.
    scale : Scale
        How columns become comparable.
    warm : (s,) int64
        Numbers of the rows drawn at random, of those that may teach.
    teaching : int
        Rows that take part and are not of the test share.
    notes : tuple of str
        What a person should know of the numbers.
    smoothed : RowStore or None
        Transformed columns, the attributes smoothed, where that was asked.
    """

    job: Job
    variables: Variables
    store: RowStore
    statistics: RunningStatistics
    scale: Scale
    warm: NDArray[np.int64]
    teaching: int
    notes: tuple[str, ...]
    smoothed: RowStore | None = None

    def __len__(self) -> int:
        return len(self.store)

    def batches(self) -> Iterator[tuple[int, FloatArray, BoolArray]]:
        """Give all rows in order: number of the first, values without gaps, and which take part."""
        for first, values in self.store.batches(ROWS):
            yield first, *self.filled(values)

    def read(self, first: int, count: int) -> tuple[FloatArray, BoolArray]:
        """Return some rows, values without gaps, and which take part."""
        return self.filled(self.store.read(first, count))

    def filled(self, values: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Fill gaps, and tell which rows take part."""
        return fill(values, self.statistics, self.job)

    def transformed(self, first: int, values: FloatArray) -> FloatArray:
        """Return the transformed columns, smoothed where that was asked, of rows from number `first` on."""
        if self.smoothed is None:
            return self.scale.apply(values)
        smoothed: FloatArray = np.nan_to_num(self.smoothed.read(first, len(values)))
        return smoothed

    def clustered(self, first: int, values: FloatArray) -> FloatArray:
        """Return what is clustered of rows from number `first` on."""
        return self.variables.weigh(self.transformed(first, values))

    def warm_start(self) -> FloatArray:
        """Return what is clustered of the rows drawn at random."""
        if self.smoothed is not None:
            return self.variables.weigh(rows_at(self.smoothed, self.warm))
        return self.variables.clustered(self.filled(rows_at(self.store, self.warm))[0], self.scale)

    def may_teach(self, first: int, used: BoolArray) -> BoolArray:
        """Tell which rows take part and are not of the test share."""
        return used & ~tested(self.job, first, len(used))


def fill(values: FloatArray, statistics: RunningStatistics, job: Job) -> tuple[FloatArray, BoolArray]:
    """Fill gaps by the mean, or tell which rows have any."""
    gaps = np.isnan(values)
    used = np.ones(len(values), dtype=np.bool_)
    if job.missing == "drop":
        used = ~np.any(gaps, axis=1)
        return np.where(gaps, 0.0, values), used
    return (np.where(gaps, statistics.mean, values) if gaps.any() else values), used


def tested(job: Job, first: int, count: int) -> BoolArray:
    """Tell which rows are of the test share."""
    if not job.test_share:
        return np.zeros(count, dtype=np.bool_)
    return split_rows(first, count, job.test_share, job.seed)


def read_rows(batches: RowBatches, variables: Variables, job: Job, open_files: ExitStack) -> Rows:
    """Read all rows once: onto disk, into statistics, and draw some.

    Raises
    ------
    DataError
        Missing values under ``--missing error``, counted in all rows, and what leaves nothing to cluster.
    """
    store = open_files.enter_context(RowStore(len(variables.columns)))
    statistics, drawn = RunningStatistics(), Reservoir(job.warm_start, job.seed)
    gaps = Gaps(variables, job)
    for batch in batches:
        first = len(store)
        values = variables.read(batch, job, first)
        store.append(values)
        gaps.count(values, batch, first)
        used = ~np.isnan(values).any(axis=1) if job.missing == "drop" else np.ones(len(values), np.bool_)
        statistics.update(values[used])
        numbers = first + np.flatnonzero(used & ~tested(job, first, len(values)))
        drawn.update(np.empty((len(numbers), 0)), numbers)
    gaps.refuse(len(store))
    refuse_too_few_rows(int(statistics.count.max(initial=0)), len(store), job.where)
    if job.missing == "mean" and (statistics.count < len(store)).any():
        filled = RunningStatistics()  # a value that is filled in counts in the spread, as it does in memory
        for _, values in store.batches(ROWS):
            filled.update(fill(values, statistics, job)[0])
        statistics = filled
    notes = gaps.notes(len(store)) + statistics_notes(statistics, variables, job)
    scale = scale_of(statistics, variables, job)
    return Rows(job, variables, store, statistics, scale, drawn.numbers, drawn.seen, notes)
