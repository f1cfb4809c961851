"""One run in memory: a layer and a job in, a result out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, UsageError
from regionalize.model.catalog import Method, find_method
from regionalize.model.findings import Findings
from regionalize.model.partition import LEFT_OUT, Partition
from regionalize.model.report import Report
from regionalize.run.bounds import balanced_column, read_balance, read_bounds
from regionalize.run.reporting import describe_compactness, describe_levels, make_report
from regionalize.run.start import read_start, require_k, start_column
from regionalize.run.upper import read_upper_units

if TYPE_CHECKING:
    from regionalize.model.bounds import Bound
    from regionalize.model.features import Features
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.weights import Weights

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


def told(stage: str, progress: Progress | None) -> Callable[[int, int], None] | None:
    """Return what a search calls to tell how far it is, None where nobody listens."""
    return None if progress is None else (lambda done, total: progress(stage, done, total))


@dataclass(frozen=True)
class Solution:
    """What a run found, with everything it was found from."""

    layer: Layer
    job: Job
    features: Features
    weights: Weights | None
    partition: Partition
    report: Report
    notes: tuple[str, ...]
    seconds: dict[str, float]
    findings: Findings = field(default_factory=Findings)
    levels: dict[int, Partition] = field(default_factory=dict)
    """Coarser regions by their number, rising, of a method that nests them."""
    label_values: dict[int, Any] = field(default_factory=dict)
    """What is written for each region where that is not its number."""

    @property
    def partitions(self) -> tuple[Partition, ...]:
        """The regions of every number asked for, rising: the last is `partition`."""
        return (*self.levels.values(), self.partition)


class Stopwatch:
    """Seconds per stage; whoever shows progress is told when one begins."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self.progress = progress

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to stage `name`."""
        if self.progress is not None:
            self.progress(name, 0, 0)
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - start


def solve(
    layer: Layer, job: Job, *, weights: Weights | None = None, progress: Progress | None = None
) -> Solution:
    """Group the rows of a layer.

    Parameters
    ----------
    layer : Layer
        n rows.
    job : Job
        Everything that changes the answer.
    weights : Weights, optional
        Ready-made weights of the n rows, in place of ``job.weights``.
    progress : callable, optional
        Told of the search as it goes.

    Returns
    -------
    Solution

    Raises
    ------
    RegionalizeError
        Whatever stands in the way, with the column and row where it is known.
    """
    method = find_method(job.method)
    require_k(method, job)
    if method.contiguous and job.centroid_weight == "auto":
        raise UsageError(
            f"--centroid-weight auto looks for contiguous clusters; those of {job.method} always are",
            advice="give a number, or leave it out",
        )
    watch = Stopwatch(progress)
    with watch.stage("weights"):
        weights = ready_weights(layer, job, weights)
    with watch.stage("features"):
        from regionalize.features.build import build_features

        features = build_features(layer, without_guides(method, job), weights)
        start = read_start(layer, method, job, features.rows)
        if job.k is None and start.plan is not None:
            job = replace(job, k=start.n_regions)
        bounds = read_bounds(layer, job, features.rows)
        upper = read_upper_units(layer, job, features.rows)
        columns = {**start.arguments(), **read_balance(layer, method, job, features.rows)}
    inner = weights
    crossed: tuple[str, ...] = ()
    if upper is not None and weights is not None:
        fewest = min((*job.levels, job.k)) if job.k is not None else None
        inner, crossed = upper.inside(weights, features.rows, fewest)
    findings = Findings()
    with watch.stage(job.method):
        if job.centroid_weight == "auto":
            from regionalize.run.centroid_weight import scan_centroid_weights

            features, codes, extra = scan_centroid_weights(method, features, job, bounds, weights, progress)
        else:
            codes = group(method, features, job, bounds, inner, progress, findings, columns)
            extra = dict(findings.facts)
    if job.make_contiguous:
        from regionalize.run.contiguous import made_contiguous

        with watch.stage("contiguous"):
            codes, cost = made_contiguous(layer, codes, features, inner, job.id)
            extra |= cost
    partition = partition_of(codes, features.rows, len(layer))
    k = partition.k if job.k is None else job.k
    levels = {k: partition_of(findings.levels[k], features.rows, len(layer)) for k in job.levels}
    if method.contiguous or job.make_contiguous:
        from regionalize.run.verify import verify, verify_even, verify_locked, verify_nested

        for number, regions in {**levels, k: partition}.items():
            verify(regions, number, bounds, features.rows, inner, None if upper is None else upper.code)
        verify_nested((*levels.values(), partition))
        verify_locked(partition.labels[features.rows], start.plan, start.locked)
        if "balance" in extra:
            amount = columns["balance"].amount if "balance" in columns else None
            verify_even(partition.labels[features.rows], amount, method.value(job.params, "tolerance"))
    with watch.stage("measure"):
        extra |= describe_levels(features, {**levels, k: partition}) if levels else {}
        extra |= describe_compactness(features, partition, job.compactness)
        report = make_report(layer, job, features, weights, partition, extra)
    said = (*crossed, *start.notes, *findings.notes, *method.without_effect(job.params))
    report, notes = with_all_notes(report, layer, weights, features, said)
    return Solution(layer, job, features, weights, partition, report, notes, watch.seconds, findings, levels)


def without_guides(method: Method, job: Job) -> Job:
    """Leave the columns that guide a search out of the variables that are chosen unasked."""
    if job.columns:
        return job
    guides = (job.within, job.locked, start_column(method, job), balanced_column(method, job))
    return replace(job, exclude=(*job.exclude, *(name for name in guides if name is not None)))


def partition_of(codes: NDArray[np.int64], rows: NDArray[np.int64], n: int) -> Partition:
    """Give regions their numbers; of n rows those not used are left out."""
    placed = np.full(n, LEFT_OUT, dtype=np.int64)
    placed[rows] = codes
    return Partition.canonical(placed)


def with_all_notes(
    report: Report, layer: Layer, weights: Weights | None, features: Features, said: tuple[str, ...] = ()
) -> tuple[Report, tuple[str, ...]]:
    """Put what every stage noticed into the report, in the order of the stages, each note once."""
    noticed = (*layer.notes, *(weights.notes if weights else ()), *features.notes, *said, *report.notes)
    notes = tuple(dict.fromkeys(noticed))
    return replace(report, notes=notes), notes


def group(
    method: Method,
    features: Features,
    job: Job,
    bounds: tuple[Bound, ...],
    weights: Weights | None,
    progress: Progress | None = None,
    findings: Findings | None = None,
    columns: Mapping[str, Any] | None = None,
) -> NDArray[np.int64]:
    """Call the method's function on the features, once; `columns` stand in for their names."""
    params = {**job.params, **(columns or {})}
    if method.nested:
        params["levels"] = job.levels
    if method.contiguous:
        if weights is None:
            raise DataError(
                f"the table has no geometry, and {method.name} needs to know who is whose neighbour",
                advice="give a weights file (--weights FILE.gal) or a layer with geometry",
            )
        params["weights"] = weights.subset(features.rows)
    codes: NDArray[np.int64] = method.load()(
        features.X,
        job.k,
        seed=job.seed,
        bounds=bounds,
        jobs=job.jobs,
        progress=told(method.name, progress),
        findings=findings,
        **params,
    )
    return codes


def ready_weights(layer: Layer, job: Job, weights: Weights | None = None) -> Weights | None:
    """Build or read the weights a job asks for, islands treated; None for a table without geometry."""
    if weights is None:
        if job.weights_file is not None:
            weights = read_weights_for(layer, job.weights_file, job.id)
        elif layer.has_geometry:
            from regionalize.weights.build import build_weights
            from regionalize.weights.spec import default_spec

            spec = job.weights or default_spec(layer)
            weights = build_weights(layer, spec, snap=job.snap, names=layer.names(job.id))
        elif job.weights is not None or job.hops:
            raise DataError(
                "the table has no geometry, so weights cannot be built from it",
                advice="give a weights file (--weights FILE.gal) or a layer with geometry",
            )
        else:
            return None
    if len(weights) != len(layer):
        raise UsageError(f"the weights are of {len(weights)} units, but the layer has {len(layer)} rows")
    from regionalize.weights.islands import join_islands

    return join_islands(layer, weights, job.islands, layer.names(job.id))


def read_weights_for(layer: Layer, file: str, id_column: str | None) -> Weights:
    """Read a weights file and match it to the layer's rows by id.

    The column is `--id`, or else the one the file's header names, or else the row numbers.
    """
    from regionalize.io.weights_files import read_weights, weights_file_id

    named = id_column or weights_file_id(file)
    matched = {name.lower(): name for name in layer.column_names}.get((named or "").lower())
    return read_weights(file, layer.names(matched))
