"""Which number of clusters: one method over a range of k and a grid of settings, measured alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.errors import InfeasibleError, RegionalizeError, UsageError
from regionalize.model.progress import Told, part
from regionalize.run.bounds import read_bounds
from regionalize.run.progress import Progress, Stopwatch, told, within
from regionalize.run.task import Answer, Task, answer, check_room, read_task
from regionalize.studies.grid import read_grid, read_numbers
from regionalize.studies.suggest import Candidate, elbow_of, settings_text, suggest

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.partition import Partition
    from regionalize.model.weights import Weights

Tried = Answer | RegionalizeError
"""The clusters, or why there are none."""


@dataclass(frozen=True)
class Numbers:
    """What a range of k, and a grid of settings, is worth.

    Attributes
    ----------
    layer, job : Layer, Job
        What was asked of what; the job has no k, and the first settings of the grid.
    variables : tuple of str
        Attributes that everything is measured on.
    rows_used : int
        Units in clusters.
    tss : float
        Total sum of squares of the transformed attributes.
    candidates : tuple of Candidate
        By settings in the order of the grid, k rising.
    chosen : Candidate
        The one suggested.
    reason : str
        Why.
    notes : tuple of str
        What was noticed, for the person.
    seconds : dict
        Of each stage.
    partitions : tuple of Partition or None
        Clusters of each candidate.
    command : str
        The command line that repeats it; empty where there is none.
    """

    layer: Layer
    job: Job
    variables: tuple[str, ...]
    rows_used: int
    tss: float
    candidates: tuple[Candidate, ...]
    chosen: Candidate
    reason: str
    notes: tuple[str, ...]
    seconds: dict[str, float]
    partitions: tuple[Partition | None, ...]
    command: str = ""

    @property
    def by_settings(self) -> list[tuple[Candidate, ...]]:
        """Candidates with the same settings of the grid together, k rising."""
        return [tuple(group) for _, group in groupby(self.candidates, key=lambda one: one.grid)]

    @property
    def elbows(self) -> list[int | None]:
        """The elbow for each of `by_settings`."""
        return [elbow_of(group, self.tss) for group in self.by_settings]


def choose_number(
    layer: Layer,
    method: str,
    ks: Any,
    options: Mapping[str, Any],
    *,
    weights: Weights | None = None,
    progress: Progress | None = None,
) -> Numbers:
    """Try a method with several numbers of clusters, and suggest one.

    The layer is in memory, neighbours are found once, and variables are read once per settings of the grid.

    Parameters
    ----------
    layer : Layer
        n rows.
    method : str
        A method, with options of its own as `regionalize.run.recipes.read_recipe` takes them.
    ks : int, str or iterable of int
        As `regionalize.studies.grid.read_numbers` takes them.
    options : mapping
        Options of a run without k; those of `regionalize.studies.grid.GRID` may have several values.
    weights : Weights, optional
        Ready-made weights of the n rows.
    progress : callable, optional
        Told of stages, and of the numbers tried.

    Raises
    ------
    RegionalizeError
        Whatever stands in the way of every k; what stands in the way of some is the reason of those.
    """
    from regionalize.run.weights import ready_weights

    numbers = read_numbers(ks)
    jobs = read_grid(method, options)
    for job, _ in jobs:
        check_room(job, len(layer))
    watch = Stopwatch(progress)
    with watch.stage("weights"):
        ready = ready_weights(layer, max((job for job, _ in jobs), key=lambda job: job.hops), weights)
    tasks: list[Task] = []
    tried: list[dict[int, Tried]] = []
    for place, (job, _) in enumerate(jobs):
        with watch.stage("features"):
            # bounds are held against every k by itself: what some cannot keep, others may
            loose = replace(job, k=numbers[-1], min_size=None, max_size=None, min_bound=None, max_bound=None)
            tasks.append(replace(read_task(layer, loose, ready), job=job))
        with watch.stage(job.method):
            search = part(told(job.method, progress), place, len(jobs))
            tried.append(try_numbers(tasks[-1], numbers, search))
    failures = [one for found in tried for one in found.values() if isinstance(one, RegionalizeError)]
    if len(failures) == len(jobs) * len(numbers):
        raise failures[0]
    with watch.stage("measure"):
        candidates = tuple(
            candidate
            for (_, grid), task, found in zip(jobs, tasks, tried, strict=True)
            for candidate in with_gaps(measure(task, grid, k, one) for k, one in found.items())
        )
    with watch.stage("silhouettes"):
        candidates = with_silhouettes(candidates, tried, jobs[0][0].seed, told("silhouettes", progress))
    first = tasks[0].features
    tss = float(np.sum((first.scaled - first.scaled.mean(axis=0)) ** 2))
    chosen, reason = suggest(candidates, tss)
    notes = (
        *layer.notes,
        *(ready.notes if ready else ()),
        *by_whom(
            {
                settings_text(grid): (*task.features.notes, *task.notes, *by_whom(noticed(found)))
                for (_, grid), task, found in zip(jobs, tasks, tried, strict=True)
            }
        ),
        *tasks[0].method.without_effect(jobs[0][0].params),
        *_sampled(candidates, len(first.rows)),
    )
    return Numbers(
        layer,
        jobs[0][0],
        first.names,
        len(first.rows),
        tss,
        candidates,
        chosen,
        reason,
        tuple(dict.fromkeys(notes)),
        watch.seconds,
        tuple(
            one.partition if isinstance(one, Answer) else None for found in tried for one in found.values()
        ),
    )


def try_numbers(task: Task, ks: Sequence[int], progress: Told | None = None) -> dict[int, Tried]:
    """Make the clusters of every k, or find out why there are none.

    k-means searches all numbers at once (`regionalize.methods.kmeans_range`), and a hierarchy is made once
    and cut for each, where bounds do not make every cut a problem of its own; all else runs once per k.
    """
    job = task.job
    bounded = any(bound is not None for bound in (job.min_size, job.max_size, job.min_bound, job.max_bound))
    at_once = not (bounded or job.make_contiguous or job.centroid_weight == "auto")
    if at_once and job.method == "kmeans" and job.params.get("search") in {None, "swap"}:
        return by_kmeans(task, ks, progress)
    tried = by_hierarchy(task, ks) if at_once and task.method.nested else {}
    for done, k in enumerate(ks):
        search = part(progress, done, len(ks))
        if k not in tried:
            try:
                one = replace(job, k=k)
                bounds = read_bounds(task.layer, one, task.features.rows)
                tried[k] = answer(replace(task, job=one, bounds=bounds), within(search))
            except (InfeasibleError, UsageError) as error:
                tried[k] = error
    return {k: tried[k] for k in ks}


def by_hierarchy(task: Task, ks: Sequence[int]) -> dict[int, Tried]:
    """Cut one hierarchy for every k it reaches: no more than there are units, no fewer than components."""
    rows, fewest = task.features.rows, 1
    if task.method.contiguous and task.inner is not None:
        fewest = task.inner.subset(rows).n_components
    reached = [k for k in ks if fewest <= k <= len(rows)]
    if not reached:
        return {}
    try:
        found = answer(replace(task, job=replace(task.job, k=reached[-1], levels=tuple(reached[:-1]))))
    except (InfeasibleError, UsageError):  # the reason of each is found one by one
        return {}
    return {k: replace(found, partition=found.levels.get(k, found.partition)) for k in reached}


def by_kmeans(task: Task, ks: Sequence[int], progress: Told | None = None) -> dict[int, Tried]:
    """Search all numbers of clusters by k-means at once."""
    from regionalize.methods.kmeans import check_k
    from regionalize.methods.kmeans_range import kmeans_range

    tried: dict[int, Tried] = {}
    for k in ks:
        try:
            check_k(task.features.X, k)
        except (InfeasibleError, UsageError) as error:
            tried[k] = error
    possible = [k for k in ks if k not in tried]
    if possible:
        most = task.method.value(task.job.params, "max_iter")
        job = task.job
        found = kmeans_range(
            task.features.X, possible, seed=job.seed, max_iter=most, jobs=job.jobs, progress=progress
        )
        tried |= {k: Answer(task.features, task.placed(codes), {}, {}) for k, codes in found.items()}
    return {k: tried[k] for k in ks}


def measure(task: Task, grid: dict[str, Any], k: int, tried: Tried) -> Candidate:
    """Measure the clusters of one k: fit over the attributes as they are, pieces and joins on the map."""
    from regionalize.measure.fit import measure_fit
    from regionalize.measure.fragmentation import measure_fragmentation

    if isinstance(tried, RegionalizeError):
        return Candidate(k, grid, tried.reason)
    features, labels, weights = tried.features, tried.partition.labels, task.weights
    fit = measure_fit(features.scaled, labels[features.rows])
    spatial = None if weights is None else measure_fragmentation(labels, weights)
    return Candidate(
        k,
        grid,
        wss=fit.wss,
        bss_tss=fit.ratio,
        pseudo_f=fit.pseudo_f,
        subclusters=spatial.subclusters if spatial else None,
        contiguous=spatial.contiguous if spatial else None,
        join_count_ratio=spatial.join_count_ratio if spatial else None,
        coordinate_share=0.0 if task.job.compactness else features.coordinate_share,
    )


def with_gaps(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Tell each candidate what the next k that has clusters adds to BSS/TSS."""
    found = list(candidates)
    after: float | None = None
    for place in range(len(found) - 1, -1, -1):
        own = found[place].bss_tss
        if own is not None and after is not None:
            found[place] = replace(found[place], gap=after - own)
        after = after if own is None else own
    return found


def with_silhouettes(
    candidates: Sequence[Candidate],
    tried: Sequence[Mapping[int, Tried]],
    seed: int,
    progress: Told | None = None,
) -> tuple[Candidate, ...]:
    """Measure the silhouettes of all candidates: the distances of the same units are computed once."""
    from regionalize.measure.silhouette import measure_silhouettes

    found = list(candidates)
    answers = [one for numbers in tried for one in numbers.values()]
    together: dict[bytes, list[tuple[int, Answer]]] = {}
    for place, one in enumerate(answers):
        if isinstance(one, Answer):
            together.setdefault(one.features.rows.tobytes(), []).append((place, one))
    for number, alike in enumerate(together.values()):
        features = alike[0][1].features
        labelings = [one.partition.labels[features.rows] for _, one in alike]
        search = part(progress, number, len(together))
        measured = measure_silhouettes(features.scaled, labelings, seed=seed, progress=search)
        for (place, _), silhouettes in zip(alike, measured, strict=True):
            found[place] = replace(found[place], silhouettes=silhouettes)
    return tuple(found)


def noticed(tried: Mapping[int, Tried]) -> dict[str, list[str]]:
    """Return what the method noticed while it made the clusters of each k."""
    return {f"k = {k}": one.findings.notes for k, one in tried.items() if isinstance(one, Answer)}


def by_whom(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what all have noticed as it is, and anything else behind the name of whom it is from.

    Examples
    --------
    >>> by_whom({"hops 1": ["2 islands", "smoothed"], "hops 2": ["2 islands", "smoothed away"]})
    ['2 islands', 'hops 1: smoothed', 'hops 2: smoothed away']
    """
    found = []
    for name, own in notes.items():
        for note in own:
            shared = all(note in others for others in notes.values())
            found.append(note if shared else f"{name}: {note}")
    return list(dict.fromkeys(found))


def _sampled(candidates: Sequence[Candidate], rows: int) -> tuple[str, ...]:
    measured = next((one.silhouettes for one in candidates if one.silhouettes is not None), None)
    if measured is None or not measured.sampled:
        return ()
    return (f"silhouettes are of a random sample of {measured.units:,} of {rows:,} units",)
