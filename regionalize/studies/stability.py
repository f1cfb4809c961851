"""How often units keep their region when a run is repeated on some of them, or with other seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import InfeasibleError, RegionalizeError, UsageError
from regionalize.model.partition import NOISE, Partition
from regionalize.model.progress import part
from regionalize.studies.resampling import Draw, draws, restricted

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.weights import Weights
    from regionalize.run.progress import Progress
    from regionalize.run.task import Task

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

RUNS = 100
SHARE = 0.8
"""Units that take part in a run, unless told otherwise."""


@dataclass(frozen=True)
class RegionStability:
    """How stable one region of the reference is, or all units: mean and least share, units below a half."""

    label: int | str
    size: int
    mean: float | None
    least: float | None
    below_half: int


@dataclass(frozen=True)
class Stability:
    """What `measure_stability` found.

    Attributes
    ----------
    layer, job : Layer, Job
        What was run.
    partition : Partition
        Regions of the run on all units: the reference.
    share : (n,) float64
        Share of the runs a unit took part in, in which it kept its region; NaN where it was in none.
    resample : float or None
        Share of the units that took part in each run; None where all did, with other seeds.
    runs : int
        Runs that were asked for.
    regions : tuple of int
        Number of regions of each run that found any.
    adjusted_rand : tuple of float
        Likeness of each of these runs and the reference, on the units of both.
    variables : tuple of str
        Attributes that were used.
    rows_used : int
        Rows without missing values.
    notes : tuple of str
        What was noticed, for the person.
    command : str
        The command line that repeats it; empty where there is none.
    """

    layer: Layer
    job: Job
    partition: Partition
    share: FloatArray
    resample: float | None
    runs: int
    regions: tuple[int, ...]
    adjusted_rand: tuple[float, ...]
    variables: tuple[str, ...]
    rows_used: int
    notes: tuple[str, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    command: str = ""

    @property
    def whole(self) -> RegionStability:
        """All units together."""
        return self._of("all", self.partition.labels >= NOISE)

    @property
    def by_region(self) -> tuple[RegionStability, ...]:
        """The regions of the reference in their order, and then its noise if there is any."""
        labels = self.partition.labels
        found = [self._of(label, labels == label) for label in range(1, self.partition.k + 1)]
        return (*found, self._of("noise", labels == NOISE)) if (labels == NOISE).any() else tuple(found)

    def _of(self, label: int | str, rows: NDArray[np.bool_]) -> RegionStability:
        share = self.share[rows]
        known = share[np.isfinite(share)]
        return RegionStability(
            label,
            len(share),
            float(known.mean()) if len(known) else None,
            float(known.min()) if len(known) else None,
            int((known < 0.5).sum()),
        )


def measure_stability(
    layer: Layer,
    job: Job,
    *,
    runs: int = RUNS,
    resample: float | None = SHARE,
    weights: Weights | None = None,
    progress: Progress | None = None,
) -> Stability:
    """Repeat a run, and count how often every unit keeps its region.

    The reference is the job on all units. Each run takes part of them, or all with another seed, and its
    regions get the numbers of those of the reference they share most units with. Variables are transformed,
    and smoothed, once and on all units. For contiguous regions a unit that takes no part joins the nearest
    that does, with what it holds of a bounded column, so that nothing is torn apart; for others the bounds
    shrink with the amount that takes part.

    Parameters
    ----------
    layer : Layer
        n rows.
    job : Job
        The method, with all its options. Its seed draws everything.
    runs : int
        How many.
    resample : float or None
        Share of the units in each run, above 0 and below 1; None for other seeds.
    weights : Weights, optional
        Ready-made weights of the n rows, in place of ``job.weights``.
    progress : callable, optional
        Told of the runs as they are done.

    Returns
    -------
    Stability

    Raises
    ------
    UsageError
        Several numbers of regions, a share or a number of runs outside its range.
    InfeasibleError
        No run found a solution.
    RegionalizeError
        Whatever stands in the way of the reference.

    References
    ----------
    Hennig (2007), Cluster-wise assessment of cluster stability; Kuhn (1955), The Hungarian method for the
    assignment problem.
    """
    from regionalize.run.progress import Stopwatch, told, within
    from regionalize.run.task import answer, check_room, check_task, read_task
    from regionalize.run.weights import ready_weights

    check_study(job, runs, resample)
    check_task(job)
    check_room(job, len(layer))
    watch = Stopwatch(progress)
    with watch.stage("weights"):
        weights = ready_weights(layer, job, weights)
    with watch.stage("features"):
        task = read_task(layer, job, weights)
    found = answer(task, progress, watch)
    labels = found.partition.labels[task.features.rows]
    tally = Tally(labels)
    report = told("runs", progress)
    with watch.stage("runs"):
        for done, draw in enumerate(draws(task.job.seed, runs, len(labels), resample)):
            tally.add(draw.kept, run_again(task, draw, within(part(report, done, runs))))
    if not tally.regions:
        raise InfeasibleError(
            f"none of {runs} runs found a solution; the first: {tally.failures[0]}",
            advice="let more units take part (--resample 95%), or use --reseed",
        )
    share = np.full(len(layer), np.nan)
    share[task.features.rows] = tally.share
    said = (*layer.notes, *(weights.notes if weights else ()), *task.features.notes, *task.notes)
    said = (*said, *found.findings.notes, *task.method.without_effect(job.params))
    return Stability(
        layer,
        task.job,
        found.partition,
        share,
        resample,
        runs,
        tuple(tally.regions),
        tuple(tally.adjusted_rand),
        task.features.names,
        len(labels),
        tuple(dict.fromkeys((*said, *tally.notes(task.job.method, runs, resample)))),
        watch.seconds,
    )


def check_study(job: Job, runs: int, resample: float | None) -> None:
    """Refuse what cannot be repeated."""
    if job.levels:
        raise UsageError(
            "the stability of one number of regions is measured at a time", advice="give one --k"
        )
    if runs < 1:
        raise UsageError(f"--runs is {runs}; it must be at least 1")
    if resample is not None and not 0 < resample < 1:
        raise UsageError(
            f"--resample is {100 * resample:g}%; it must be above 0% and below 100%",
            advice="use --reseed for runs on all units",
        )


def run_again(task: Task, draw: Draw, progress: Progress | None = None) -> IntArray | RegionalizeError:
    """Return the clusters 1 … k of the units that take part, 0 for noise; or why there is no solution."""
    from regionalize.run.task import answer

    try:
        if draw.kept is None:
            again = replace(task, job=replace(task.job, seed=draw.seed))
        else:
            again = restricted(task, draw)
        found = answer(again, progress)
    except RegionalizeError as error:  # what the layer and the options are was fit for the reference
        return error
    return found.partition.labels[again.features.rows]


class Tally:
    """What the runs agree on with a reference, (m,) labels 1 … k or 0 for noise."""

    def __init__(self, labels: IntArray) -> None:
        self.labels = labels
        self.took_part = np.zeros(len(labels), dtype=np.int64)
        self.stayed = np.zeros(len(labels), dtype=np.int64)
        self.regions: list[int] = []
        self.adjusted_rand: list[float] = []
        self.failures: list[RegionalizeError] = []

    def add(self, kept: IntArray | None, found: IntArray | RegionalizeError) -> None:
        """Count one run: the labels it found for the units kept, or why it found none."""
        from regionalize.measure.agreement import adjusted_rand, match_labels

        if isinstance(found, RegionalizeError):
            self.failures.append(found)
            return
        rows = np.arange(len(self.labels)) if kept is None else kept
        reference = self.labels[rows]
        matched = match_labels(reference, found)
        self.took_part[rows] += 1
        self.stayed[rows] += matched == reference
        self.regions.append(len(np.unique(found[found > 0])))
        if ((reference > 0) & (found > 0)).any():
            self.adjusted_rand.append(adjusted_rand(reference, found))

    @property
    def share(self) -> FloatArray:
        """Share of its runs in which each unit kept its region, NaN without any."""
        with np.errstate(invalid="ignore"):  # no run, no share
            return self.stayed / self.took_part

    def notes(self, method: str, runs: int, resample: float | None) -> Iterator[str]:
        """Say what a person should know of the runs."""
        if resample is not None:
            yield "variables are transformed once, on all units, and not anew for every run"
        if self.failures:
            count = f"{len(self.failures)} of {runs} runs found no solution and count nowhere"
            yield f"{count}; the first: {self.failures[0]}"
        never = int((self.took_part == 0).sum())
        if never:
            units = "1 unit" if never == 1 else f"{never} units"
            yield f"{units} took part in no run, so nothing is known of them; ask for more --runs"
        same = np.array_equal(self.stayed, self.took_part) and all(one == 1 for one in self.adjusted_rand)
        if resample is None and same and runs > 1:
            yield (
                f"every run gave the same regions: {method} draws nothing, or all its searches end alike; "
                "--resample tells more"
            )
