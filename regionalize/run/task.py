"""What a method is given for one job, and the clusters it makes of it, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, UsageError
from regionalize.model.catalog import find_method, package_of
from regionalize.model.findings import Findings
from regionalize.model.method import Method
from regionalize.model.partition import LEFT_OUT, NOISE, Partition
from regionalize.run.bounds import balanced_column, read_balance, read_bounds
from regionalize.run.call import call
from regionalize.run.progress import Progress, Stopwatch, told
from regionalize.run.start import Start, read_start, require_k, start_column
from regionalize.run.upper import read_upper_units

if TYPE_CHECKING:
    from regionalize.model.bounds import Bound
    from regionalize.model.features import Features
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Task:
    """One job on one layer, ready for its method.

    Attributes
    ----------
    layer, job, method : Layer, Job, Method
        What is asked of what.
    features : Features
        The variables of the m rows used.
    weights : Weights or None
        Neighbours of all n rows: what the regions are measured by.
    inner : Weights or None
        The same without the links that cross upper units: what the method is given.
    bounds : tuple of Bound
        Amounts of the rows used.
    upper : (n,) int64 or None
        Upper unit of each row, which no region may cross.
    start : Start
        Where a search begins.
    columns : dict
        What the method is given in place of the names of columns and files, and of lengths with units.
    notes : tuple of str
        What was noticed, for the person.
    """

    layer: Layer
    job: Job
    method: Method
    features: Features
    weights: Weights | None
    inner: Weights | None
    bounds: tuple[Bound, ...]
    upper: IntArray | None
    start: Start
    columns: dict[str, Any]
    notes: tuple[str, ...]

    def placed(self, codes: IntArray) -> Partition:
        """Give the clusters of the rows used their numbers; where the method knows noise, that is -1."""
        return partition_of(codes, self.features.rows, len(self.layer), noise=self.method.noise)


@dataclass(frozen=True)
class Answer:
    """What a method made of a task.

    Attributes
    ----------
    features : Features
        Those of the task, or the same weighted as was found best (`--centroid-weight auto`).
    partition : Partition
        The clusters.
    levels : dict of int to Partition
        Coarser regions by their number, rising, of a method that nests them.
    extra : dict
        What only this method or option adds to the report.
    findings : Findings
        What the method told besides.
    """

    features: Features
    partition: Partition
    levels: dict[int, Partition]
    extra: dict[str, Any]
    findings: Findings = field(default_factory=Findings)


def read_task(layer: Layer, job: Job, weights: Weights | None) -> Task:
    """Read from the layer whatever the method needs.

    Parameters
    ----------
    layer : Layer
        n rows.
    job : Job
        Everything that changes the answer.
    weights : Weights or None
        Neighbours of the n rows, as `regionalize.run.weights.ready_weights` returns them.

    Raises
    ------
    RegionalizeError
        Whatever stands in the way, with the column and row where it is known.
    """
    from regionalize.features.build import build_features

    method = check_task(job)
    own: dict[str, Any] = {}
    given: tuple[str, ...] = ()
    if method.places:
        from regionalize.run.places import read_density

        job, features, own = read_density(layer, method, job, weights)
    elif "distances" in job.params:
        from regionalize.run.distances import read_given

        features, own["distances"], given = read_given(layer, job, weights, job.params["distances"])
    else:
        features = build_features(layer, without_guides(method, job), weights)
    start = read_start(layer, method, job, features.rows)
    if job.k is None and start.plan is not None:
        job = replace(job, k=start.n_regions)
    bounds = read_bounds(layer, job, features.rows)
    upper = read_upper_units(layer, job, features.rows)
    columns = {**start.arguments(), **read_balance(layer, method, job, features.rows), **own}
    inner = weights
    crossed: tuple[str, ...] = ()
    if upper is not None and weights is not None:
        fewest = min((*job.levels, job.k)) if job.k is not None else None
        inner, crossed = upper.inside(weights, features.rows, fewest)
    code = None if upper is None else upper.code
    notes = (*given, *crossed, *start.notes)
    return Task(layer, job, method, features, weights, inner, bounds, code, start, columns, notes)


def check_task(job: Job) -> Method:
    """Return the job's method, or refuse a job that lacks k or asks for what the method does anyhow."""
    method = find_method(job.method)
    if job.batch_size is not None:
        raise UsageError(
            "--batch-size reads a file some rows at a time, and here all rows are in memory",
            advice="leave it out",
        )
    if job.sample is not None:
        from regionalize.run.sample import check_sample

        check_sample(method, job)
    require_k(method, job)
    if method.contiguous and job.centroid_weight == "auto":
        raise UsageError(
            f"--centroid-weight auto looks for contiguous clusters; those of {job.method} always are",
            advice="give a number, or leave it out",
        )
    if method.noise and job.centroid_weight == "auto":
        raise UsageError(
            f"--centroid-weight auto compares solutions of all units, and {job.method} leaves some out",
            advice="give a number",
        )
    return method


def check_room(job: Job, n: int) -> None:
    """Refuse more rows than the job's method can hold, before anything is worked out from them.

    Where rows may be left out for missing values, nobody knows yet how many there will be: the method itself
    refuses then.

    Raises
    ------
    RegionalizeError
    """
    if job.missing != "drop":
        given = {name: value for name, value in job.params.items() if value is not None}
        find_method(job.method).check_room(n, given)


def answer(task: Task, progress: Progress | None = None, watch: Stopwatch | None = None) -> Answer:
    """Call the method, and check what it makes of the task by other code than made it.

    Parameters
    ----------
    task : Task
        As `read_task` returns it.
    progress : callable, optional
        Told of the search as it goes.
    watch : Stopwatch, optional
        Given the seconds of each stage.

    Raises
    ------
    RegionalizeError
        Whatever stands in the way.
    AssertionError
        The method is wrong: not a fault of the data.
    """
    job, features, watch = task.job, task.features, watch or Stopwatch()
    findings = Findings()
    with watch.stage(job.method):
        if job.centroid_weight == "auto":
            from regionalize.run.centroid_weight import scan_centroid_weights

            features, codes, findings, extra = scan_centroid_weights(task, progress)
        else:
            codes = call_method(task, features, progress, findings)
            extra = dict(findings.facts)
    if task.method.noise and not (codes >= 0).any():
        from regionalize.run.places import all_noise

        raise all_noise(task.method, job, features)
    if job.make_contiguous:
        from regionalize.run.contiguous import made_contiguous

        with watch.stage("contiguous"):
            codes, cost = made_contiguous(task.layer, codes, features, task.inner, job.id)
            extra |= cost
    partition = task.placed(codes)
    k = partition.k if job.k is None else job.k
    levels = {number: task.placed(findings.levels[number]) for number in job.levels}
    if task.method.contiguous or job.make_contiguous:
        with faults_of(task.method):
            verify_answer(task, {**levels, k: partition}, even="balance" in extra)
    return Answer(features, partition, levels, extra, findings)


def faults_of(method: Method) -> AbstractContextManager[None]:
    """Name the package in what is found wrong, where the method is another package's."""
    package = package_of(method.name)
    if not package:
        return nullcontext()
    from regionalize.model.plugins import blamed

    return blamed(method.name, package)


def verify_answer(task: Task, regions: Mapping[int, Partition], *, even: bool) -> None:
    """Make sure that contiguous regions, the finest last, are what was asked for."""
    from regionalize.run.verify import verify, verify_even, verify_locked, verify_nested

    rows = task.features.rows
    if task.method.noise:
        rows = rows[list(regions.values())[-1].labels[rows] > 0]
    for number, partition in regions.items():
        verify(partition, number, task.bounds, rows, task.inner, task.upper)
    verify_nested(tuple(regions.values()))
    finest = list(regions.values())[-1].labels[rows]
    verify_locked(finest, task.start.plan, task.start.locked)
    if even:
        amount = task.columns["balance"].amount if "balance" in task.columns else None
        verify_even(finest, amount, task.method.value(task.job.params, "tolerance"))


def without_guides(method: Method, job: Job) -> Job:
    """Leave the columns that guide a search out of the variables that are chosen unasked."""
    if job.columns:
        return job
    guides = (job.within, job.locked, start_column(method, job), balanced_column(method, job))
    return replace(job, exclude=(*job.exclude, *(name for name in guides if name is not None)))


def partition_of(codes: IntArray, rows: IntArray, n: int, *, noise: bool = False) -> Partition:
    """Give clusters their numbers; of n rows those not used are left out, and -1 is noise if there is any."""
    placed = np.full(n, LEFT_OUT, dtype=np.int64)
    placed[rows] = codes
    partition = Partition.canonical(placed)
    if noise:
        partition.labels[rows[codes < 0]] = NOISE
    return partition


def call_method(
    task: Task, features: Features, progress: Progress | None = None, findings: Findings | None = None
) -> IntArray:
    """Call the method's function on the features, once."""
    job, method = task.job, task.method
    params = {**job.params, **task.columns}
    if method.nested:
        params["levels"] = job.levels
    if method.contiguous:
        if task.inner is None:
            raise DataError(
                f"the table has no geometry, and {method.name} needs to know who is whose neighbour",
                advice="give a weights file (--weights FILE.gal) or a layer with geometry",
            )
        params["weights"] = task.inner.subset(features.rows)
    function: Callable[..., IntArray] = call
    if job.sample is not None:
        from regionalize.run.sample import call_on_sample

        function = partial(call_on_sample, sample=job.sample)
    return function(
        method,
        features.X,
        job.k,
        seed=job.seed,
        bounds=task.bounds,
        jobs=job.jobs,
        progress=told(method.name, progress),
        findings=findings,
        **params,
    )
