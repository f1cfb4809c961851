"""How alike several labelings of the same units are, and how well each fits and hangs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, InfeasibleError
from regionalize.model.partition import LEFT_OUT, NOISE
from regionalize.run.options import make_job
from regionalize.run.progress import Progress, Stopwatch, told, within
from regionalize.studies.labelings import Labeling, Word, column_labeling, file_labeling, named

if TYPE_CHECKING:
    from regionalize.measure.agreement import Agreement
    from regionalize.model.features import Features
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer
    from regionalize.model.report import Fit, Fragmentation, Silhouettes
    from regionalize.model.weights import Weights

IntArray = NDArray[np.int64]

MEASURED_BY = (
    *("layer", "where", "id", "encoding", "columns", "exclude", "missing", "transform"),
    *("weights", "snap", "islands", "seed"),
)
"""Options that decide what all labelings are measured by, whatever each run has of its own."""

MOST_CELLS = 25_000_000
"""Cells of the largest contingency table: 5,000 clusters by 5,000, 200 megabytes."""


@dataclass(frozen=True)
class Measures:
    """What one labeling is worth.

    Attributes
    ----------
    sizes : tuple of int
        Members of the clusters that have any, in the order of their numbers.
    noise, unlabelled : int
        Rows that are in no cluster, and rows without a label or left out.
    fit : Fit or None
        On the transformed attributes; None without variables.
    fragmentation : Fragmentation or None
        None without neighbours.
    silhouettes : Silhouettes or None
        None without variables, and of a single cluster.
    entropy : float
        Of cluster sizes, natural logarithm.
    kept : float
        Share of the units compared that have the first labeling's number after matching.
    """

    sizes: tuple[int, ...]
    noise: int
    unlabelled: int
    fit: Fit | None
    fragmentation: Fragmentation | None
    silhouettes: Silhouettes | None
    entropy: float
    kept: float


@dataclass(frozen=True)
class Pair:
    """Two labelings, by their places, beside each other."""

    first: int
    second: int
    agreement: Agreement
    table: IntArray
    """Units that cluster i + 1 of the first shares with cluster j + 1 of the second."""


@dataclass(frozen=True)
class Compared:
    """Several labelings of a layer, measured alike.

    Attributes
    ----------
    layer : Layer
        n rows.
    job : Job
        What all were measured by.
    labelings : tuple of Labeling
        Two or more. Rows that ``job.missing`` leaves out have no label in any.
    matched : tuple of (n,) int64
        Labels under the numbers of the first labeling's clusters; clusters without a partner come after them.
    measures : tuple of Measures
        One of each.
    pairs : tuple of Pair
        Every two.
    command : str
        The command line that repeats it; empty where there is none.
    """

    layer: Layer
    job: Job
    features: Features | None
    weights: Weights | None
    labelings: tuple[Labeling, ...]
    matched: tuple[IntArray, ...]
    measures: tuple[Measures, ...]
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    command: str = ""

    def numbers(self, place: int) -> dict[int, int]:
        """Return the number each cluster of a labeling gets by matching."""
        labels = self.labelings[place].labels
        codes, rows = np.unique(labels, return_index=True)
        new = self.matched[place][rows]
        return {int(code): int(number) for code, number in zip(codes, new, strict=True) if code > 0}


def compare_words(
    layer: Layer,
    words: Sequence[Word],
    common: Mapping[str, Any],
    *,
    weights: Weights | None = None,
    progress: Progress | None = None,
) -> Compared:
    """Compare what `regionalize.studies.labelings.read_words` understood.

    Parameters
    ----------
    layer : Layer
        n rows.
    words : sequence of Word
        Two or more.
    common : mapping
        Options of all runs; those of `MEASURED_BY` are also what all labelings are measured by.
    weights : Weights, optional
        Ready-made weights of the n rows.
    progress : callable, optional
        Told of stages and searches.

    Raises
    ------
    RegionalizeError
        Whatever stands in the way, with the name of the run.
    """
    found: dict[str, Labeling] = {}
    notes: list[str] = []
    for word in words:  # what may be refused comes before what takes time
        if word.kind != "run":
            labeling, said = (
                column_labeling(layer, word)
                if word.kind == "column"
                else file_labeling(layer, word, common.get("id"))
            )
            found[word.name] = labeling
            notes += said
    runs = {word.name: word.job for word in words if word.job is not None}
    names = [word.name for word in words]
    return compare_labelings(
        layer, names, found, runs, common, notes=tuple(notes), weights=weights, progress=progress
    )


def compare_labelings(
    layer: Layer,
    names: Sequence[str],
    existing: Mapping[str, Labeling],
    runs: Mapping[str, Job],
    common: Mapping[str, Any],
    *,
    notes: tuple[str, ...] = (),
    weights: Weights | None = None,
    progress: Progress | None = None,
) -> Compared:
    """Make the runs, and measure them and the labelings that exist by one and the same yardstick.

    Parameters
    ----------
    layer : Layer
        n rows.
    names : sequence of str
        Names of all, in order; the others are compared with the first.
    existing, runs : mapping
        Labelings and jobs by name.
    common : mapping
        Options of the command, as for `compare_words`.
    notes : tuple of str
        What was noticed before.
    weights, progress
        As for `compare_words`.

    Returns
    -------
    Compared

    Raises
    ------
    RegionalizeError
        Whatever stands in the way, with the name of the run.
    """
    from regionalize.run.task import check_room
    from regionalize.run.variables import features_if_any
    from regionalize.run.weights import ready_weights

    for name in runs:
        with named(name):
            check_room(runs[name], len(layer))
    watch = Stopwatch(progress)
    measured_by = {name: value for name, value in common.items() if name in MEASURED_BY}
    labels = tuple(one.column for one in existing.values() if one.column is not None)
    job = make_job("kmeans", measured_by)
    job = replace(job, exclude=(*job.exclude, *labels))
    neighbours: dict[tuple[Any, ...], Weights | None] = {}
    if weights is not None:
        neighbours[neighbour_options(job)] = ready_weights(layer, job, weights)

    def weights_for(one: Job) -> Weights | None:
        key = neighbour_options(one)
        if key not in neighbours:
            with watch.stage("weights"):
                neighbours[key] = ready_weights(layer, one)
        return neighbours[key]

    measuring = weights_for(job)
    with watch.stage("features"):
        features = features_if_any(layer, job)
    common_notes = (*layer.notes, *(measuring.notes if measuring else ()))
    common_notes += (*features.notes, *notes)
    rows = features.rows
    labelings = []
    for name in names:
        if name in existing:
            labeling = existing[name]
        else:
            own = replace(runs[name], exclude=(*runs[name].exclude, *labels))
            with named(name):
                labeling, said = run_labeling(layer, name, own, weights_for(own), watch)
            common_notes += tuple(f"{name}: {note}" for note in said if note not in common_notes)
        kept = np.full(len(layer), LEFT_OUT, dtype=np.int64)
        kept[rows] = labeling.labels[rows]
        if not (kept > 0).any():
            raise InfeasibleError(f"{name}: no row has a label of a cluster")
        labelings.append(replace(labeling, labels=kept))
    with watch.stage("measure"):
        known = features if features.names else None
        compared = measured(layer, job, known, measuring, tuple(labelings))
    return replace(compared, notes=tuple(dict.fromkeys(common_notes)), seconds=watch.seconds)


def run_labeling(
    layer: Layer, name: str, job: Job, weights: Weights | None, watch: Stopwatch
) -> tuple[Labeling, tuple[str, ...]]:
    """Make a run; return its labels and what was noticed."""
    from regionalize.run.task import answer, read_task

    task = read_task(layer, job, weights)
    with watch.stage(name):
        found = answer(task, within(told(name, watch.progress)))
    settings = {option: value for option, value in task.job.settings().items() if option != "exclude"}
    notes = (*(weights.notes if weights else ()), *found.features.notes, *task.notes, *found.findings.notes)
    notes += task.method.without_effect(job.params)
    return Labeling(name, found.partition.labels, settings=settings), notes


def measured(
    layer: Layer,
    job: Job,
    features: Features | None,
    weights: Weights | None,
    labelings: tuple[Labeling, ...],
) -> Compared:
    """Measure every labeling, and every two beside each other."""
    from regionalize.measure.agreement import contingency, entropy, match_labels, measure_agreement
    from regionalize.measure.fit import measure_fit
    from regionalize.measure.fragmentation import measure_fragmentation
    from regionalize.measure.silhouette import measure_silhouettes

    refuse_too_many_clusters(labelings)
    first = labelings[0].labels
    matched = (first, *(match_labels(first, one.labels) for one in labelings[1:]))
    dense = [without_gaps(one.labels) for one in labelings]
    distances: list[Silhouettes | None] = [None] * len(labelings)
    if features is not None:
        distances = measure_silhouettes(features.scaled, [one[features.rows] for one in dense], seed=job.seed)
    pairs = []
    for a, b in combinations(range(len(labelings)), 2):
        one, other = labelings[a], labelings[b]
        with named(f"{one.name} and {other.name}"):
            agreement = measure_agreement(one.labels, other.labels)
        pairs.append(Pair(a, b, agreement, contingency(one.labels, other.labels)))
    measures = []
    for place, labels in enumerate(dense):
        both = (first > 0) & (labels > 0)
        measures.append(
            Measures(
                sizes=tuple(np.bincount(labels[labels > 0])[1:].tolist()),
                noise=int((labels == NOISE).sum()),
                unlabelled=int((labels < NOISE).sum()),
                fit=None if features is None else measure_fit(features.scaled, labels[features.rows]),
                fragmentation=None if weights is None else measure_fragmentation(labels, weights),
                silhouettes=distances[place],
                entropy=entropy(labels),
                kept=float((matched[place] == first)[both].mean()),
            )
        )
    return Compared(
        layer, job, features, weights, labelings, matched, tuple(measures), tuple(pairs), notes=()
    )


def refuse_too_many_clusters(labelings: Sequence[Labeling]) -> None:
    """Refuse two labelings whose contingency table would not fit: these are names rather than labels."""
    most = sorted(labelings, key=lambda one: int(one.labels.max()))[-2:]
    sizes = [int(one.labels.max()) for one in most]
    if sizes[0] * sizes[1] > MOST_CELLS:
        raise DataError(
            f"{most[0].name} and {most[1].name} have {sizes[0]:,} and {sizes[1]:,} clusters, too many to "
            "count what each two share",
            advice="compare columns of labels, not of names",
        )


def without_gaps(labels: IntArray) -> IntArray:
    """Give clusters that have members the numbers 1, 2, … in order; noise and rows left out stay."""
    present = np.unique(labels[labels > 0])
    return np.where(labels > 0, np.searchsorted(present, labels) + 1, labels)


def neighbour_options(job: Job) -> tuple[Any, ...]:
    """Return what decides who neighbours whom."""
    return job.weights, job.snap, job.islands
