"""The nearest of some centres for every row of a layer."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import UsageError, listed, located
from regionalize.model.centers import Centers, Recipe, Variable
from regionalize.model.findings import Findings
from regionalize.model.job import check_option_names
from regionalize.model.partition import LEFT_OUT, Partition
from regionalize.model.weights import Weights

if TYPE_CHECKING:
    import geopandas
    import libpysal.graph

    from regionalize.model.features import Features
    from regionalize.model.job import Job, Outputs
    from regionalize.model.layer import Layer
    from regionalize.run.api import Result
    from regionalize.run.files import Solver
    from regionalize.run.progress import Progress
    from regionalize.run.solve import Solution

_CLOSEST = 1 - 1e-9
"""Share of units from which nearest centres count as those of the run: one in a billion may be a tie."""
_BEYOND = 1 + 1e-9
"""Times the largest distance there was from which a unit counts as farther."""


def solve_assign(
    layer: Layer,
    job: Job,
    centers: Centers,
    *,
    file: str = "",
    transform: str | None = None,
    distance_column: str | None = None,
    weights: Weights | None = None,
    progress: Progress | None = None,
) -> Solution:
    """Give every row the number of its nearest centre.

    Parameters
    ----------
    layer : Layer
        n rows.
    job : Job
        Source, ``missing`` and weights; what the variables are is the centres' business.
    centers : Centers
        With or without a recipe.
    file : str
        Where they were read, for messages.
    transform : str, optional
        Transform fitted on these rows, of centres without a recipe. [default: raw]
    distance_column : str, optional
        Name of a column with the distance to the nearest centre, on the scale of the recipe.
    weights : Weights, optional
        Ready-made weights of the n rows, in place of ``job.weights``.
    progress : callable, optional
        Told of the stages.

    Returns
    -------
    Solution
        Clusters keep the numbers of the centres; ``extra["assigned"]`` in its report says how far rows are.

    Raises
    ------
    RegionalizeError
        Columns are missing or cannot be used, or the layer cannot be brought to the centres' system.
    """
    from regionalize.features.apply import apply_features
    from regionalize.methods.nearest_center import nearest_center
    from regionalize.run.command import assign_command, with_weights
    from regionalize.run.progress import Stopwatch
    from regionalize.run.reporting import make_report
    from regionalize.run.solve import conclude
    from regionalize.run.weights import ready_weights

    watch = Stopwatch(progress)
    asked = with_weights(job, weights)
    command = assign_command(asked, file, transform=transform, distance_column=distance_column)
    with located(file):
        recipe, said = fit_recipe(layer, centers, job, transform)
    job, placed = job_of(recipe, job, layer)
    with watch.stage("weights"):
        if weights is None and len(layer) < 2:
            weights = Weights.without_links(len(layer))  # a unit by itself has a nearest centre, too
        weights = ready_weights(layer, job, weights)
    with watch.stage("features"):
        features = apply_features(layer, recipe, job, weights)
        features, scaled = finish_features(features, recipe, transform, centers)
    with watch.stage("assign"):
        nearest, distance = nearest_center(features.X, centers.points(scaled), scaled.distance)
    labels = np.full(len(layer), LEFT_OUT, dtype=np.int64)
    labels[features.rows] = centers.numbers[nearest]
    partition = Partition(labels)
    findings = Findings(centers=replace(centers, recipe=scaled))
    if distance_column is not None:
        findings.columns[distance_column] = distance
    extra = {"assigned": summary(centers, scaled, distance, file)}
    empty = np.setdiff1d(centers.numbers, labels)
    if len(empty):
        placed += (f"no unit is nearest to the centre of cluster {listed(empty.tolist(), 20)}",)
    said += (*placed, *notes_of(scaled, centers, distance, layer.names(job.id)[features.rows]))
    with watch.stage("measure"):
        report = make_report(layer, job, features, weights, partition, extra)
    settings = {name: value for name, value in job.settings().items() if name not in {"seed", "project"}}
    settings |= {"centers": Path(file).name} if file else {}
    return conclude(
        layer,
        job,
        features,
        weights,
        partition,
        report,
        said=said,
        seconds=watch.seconds,
        command=command,
        settings=settings,
        findings=findings,
    )


def fit_recipe(
    layer: Layer, centers: Centers, job: Job, transform: str | None
) -> tuple[Recipe, tuple[str, ...]]:
    """Return the recipe of the centres; where they have none, columns as they are, and a note."""
    if centers.recipe is not None:
        if transform is not None:
            raise UsageError(
                "--transform is for centres that do not say how they were made, and these do",
                advice="leave it out",
            )
        return centers.recipe, ()
    how = transform or "raw"
    variables = tuple(Variable(name) for name in centers.names)
    fitted = "" if how == "raw" else ", fitted on these rows"
    note = f"the centres do not say how they were made: Euclidean distance, transform {how}{fitted}"
    return Recipe("", "euclidean", how, variables), (note,)


def finish_features(
    features: Features, recipe: Recipe, transform: str | None, centers: Centers
) -> tuple[Features, Recipe]:
    """Fit a transform on the rows themselves, where that was asked of centres that tell of none."""
    from regionalize.features.transforms import transform as transformed
    from regionalize.run.centers import variables_of

    if centers.recipe is not None or transform in {None, "raw"}:
        return features, recipe
    assert transform is not None
    scaled = transformed(features.raw, transform)
    variables = variables_of(features.names, features.raw, scaled, features.column_weights, None)
    return replace(features, scaled=scaled, unweighted=scaled, X=scaled), replace(recipe, variables=variables)


def job_of(recipe: Recipe, job: Job, layer: Layer) -> tuple[Job, tuple[str, ...]]:
    """Return the job with the options the recipe tells, and what is to be said of them."""
    notes: tuple[str, ...] = ()
    project = "auto"
    if recipe.coordinates and recipe.crs is None:
        project = "none"
        if layer.crs is not None:
            notes = (
                "the centres were made in a layer without coordinate reference system: "
                "coordinates are compared as they are",
            )
    elif recipe.coordinates and not same_system(recipe.crs, layer):
        project = str(recipe.crs)
    spec = job.weights
    if spec is None and recipe.hops:
        made = replace(job, weights=recipe.weights)
        spec = None if made.weights_file else recipe.weights
        if made.weights_file:
            notes += ("rows were smoothed over a weights file; give that of these rows with --weights",)
    return replace(
        job,
        method="assign",
        k=None,
        transform=recipe.transform,
        with_centroids=bool(recipe.coordinates),
        project=project,
        hops=recipe.hops,
        alpha=recipe.alpha,
        smooth_mode=recipe.smooth_mode,
        weights=spec,
    ), notes


def same_system(crs: str | None, layer: Layer) -> bool:
    """Whether a layer is in a plane system already, so that nothing needs to be moved."""
    import pyproj

    return layer.projection is not None and pyproj.CRS.from_user_input(crs) == layer.projection


def summary(centers: Centers, recipe: Recipe, distance: NDArray[np.float64], file: str) -> dict[str, Any]:
    """Say how far the rows are from their centres, beside those the centres were made of."""
    found: dict[str, Any] = {
        "centers": Path(file).name if file else None,
        "clusters": len(centers.numbers),
        "distance": recipe.distance,
        "mean_distance": float(distance.mean()),
        "farthest": float(distance.max()),
    }
    if centers.recipe is not None:
        found |= {
            "method": recipe.method,
            "made_of": int(centers.sizes.sum()),
            "mean_distance_there": recipe.mean_distance,
            "farthest_there": recipe.farthest,
            "beyond": int((distance > recipe.farthest * _BEYOND).sum()),
        }
    return found


def notes_of(
    recipe: Recipe, centers: Centers, distance: NDArray[np.float64], names: NDArray[np.object_]
) -> tuple[str, ...]:
    """Say where the nearest centre is not the rule of the run, and how many rows are far from all."""
    if centers.recipe is None:
        return ()
    notes = []
    if recipe.agreement < _CLOSEST:
        notes.append(
            f"{recipe.method} does not put every unit with its nearest centre: of the units the centres were "
            f"made of, {100 * recipe.agreement:.1f} % are nearest to their own"
        )
    beyond = np.flatnonzero(distance > recipe.farthest * _BEYOND)
    if len(beyond):
        far = beyond[distance[beyond].argmax()]
        units = "1 unit is" if len(beyond) == 1 else f"{len(beyond)} units are"
        note = f"{units} farther from every centre than any unit the centres were made of"
        if recipe.farthest:
            note += f"; the farthest, {names[far]}, is {distance[far] / recipe.farthest:.3g} times as far"
        notes.append(note)
    return tuple(notes)


def assign_solver(
    centers: Path, outputs: Outputs, *, transform: str | None = None, distance_column: str | None = None
) -> Solver:
    """Read centres, and return what finds the nearest for the rows of a layer.

    Parameters
    ----------
    centers : Path
        What `regionalize.io.centers.read_centers` takes.
    outputs : Outputs
        None of them may be that file.
    transform, distance_column
        As `solve_assign` takes them.

    Raises
    ------
    RegionalizeError
        With the file, the column and the row.
    """
    from regionalize.io.centers import read_centers
    from regionalize.run.refusals import refuse_inputs

    for path in outputs.paths().values():
        refuse_inputs(path, (str(centers),))
    return partial(
        solve_assign,
        centers=read_centers(centers),
        file=str(centers),
        transform=transform,
        distance_column=distance_column,
    )


def assign(
    frame: geopandas.GeoDataFrame,
    centers: str | Path | Result,
    *,
    weights: str | Weights | libpysal.graph.Graph | None = None,
    transform: str | None = None,
    **options: Any,
) -> Result:
    """Give every row of a GeoDataFrame the number of its nearest centre.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        n rows with the columns of the centres.
    centers : path or Result
        A file of centres, or what `regionalize` found.
    weights : str, Weights or libpysal.graph.Graph, optional
        As `regionalize` takes them: to measure fragmentation, and to smooth where the centres were smoothed.
    transform : str, optional
        Transform fitted on these rows, of centres that do not say how they were made. [default: raw]
    **options
        ``missing``, ``id``, ``snap``, ``islands``.

    Returns
    -------
    Result
        Its labels are the numbers of the centres.

    Raises
    ------
    RegionalizeError
        With one line on what is wrong and what to do.

    Examples
    --------
    >>> import geopandas, regionalize as rz
    >>> from regionalize.io.sample import sample_path
    >>> counties = geopandas.read_file(sample_path())
    >>> north = rz.regionalize(counties[:80], "kmeans", k=4, columns=["pct_rural", "pct_pov"])
    >>> south = rz.assign(counties[80:], north)
    >>> len(south.labels), sorted(south.labels.unique().tolist())
    (79, [1, 2, 3, 4])
    """
    from regionalize.io.centers import read_centers
    from regionalize.run.api import result_of
    from regionalize.run.centers import centers_of
    from regionalize.run.frames import layer_of, weights_given
    from regionalize.run.options import make_job

    layer = layer_of(frame, options)
    check_option_names(options, ("missing", "id", "snap", "islands"))
    words, ready = weights_given(weights, frame.index)
    job = make_job("kmeans", {**options, "weights": words})
    if isinstance(centers, str | Path):
        table, file = read_centers(centers), str(centers)
    else:
        table, file = centers_of(centers.solution), ""
    solution = solve_assign(layer, job, table, file=file, transform=transform, weights=ready)
    return result_of(solution, frame)
