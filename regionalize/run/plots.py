"""Plots of a solution: units by two axes, clusters over variables, clusters over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from regionalize.errors import DataError, RegionalizeError, UsageError, counted
from regionalize.run.pictures import plot_captions

if TYPE_CHECKING:
    from regionalize.measure.steps import Steps
    from regionalize.model.job import Outputs
    from regionalize.model.layer import Layer
    from regionalize.run.solve import Solution

MEANT = {"mean": "means", "median": "medians", "medoid": "medoids"}


def check_plots(outputs: Outputs, layer: Layer | None) -> None:
    """Refuse plots that cannot be drawn: columns that are missing, or named for nothing.

    Parameters
    ----------
    outputs : Outputs
        All that is asked for.
    layer : Layer or None
        None before it is read.
    """
    if outputs.axes is not None:
        if outputs.plot is None:
            raise UsageError("--axes is for the plot of units", advice="name its file with --plot")
        check_axes(outputs.axes, layer)
    if outputs.profile is None:
        if outputs.time_columns:
            raise UsageError("--time-columns is for the profile", advice="name its file with --profile")
    elif not outputs.time_columns:
        raise UsageError(
            "--profile needs the columns it runs through", advice="give them, such as --time-columns d1-d40"
        )
    elif layer is not None:
        from regionalize.features.columns import read_numbers
        from regionalize.features.time_columns import select_steps
        from regionalize.run.options import split_list

        read_numbers(layer, select_steps(layer, split_list(outputs.time_columns))[0])


def check_axes(axes: str | Sequence[str], layer: Layer | None) -> tuple[str, str]:
    """Return the two columns `--axes` names, or refuse what are not two numeric columns of the layer."""
    from regionalize.features.columns import read_numbers, select_columns
    from regionalize.run.options import split_list

    names = split_list(axes)
    if len(names) != 2 or names[0] == names[1]:
        raise UsageError(
            f"--axes names {counted(len(set(names)), 'column')}",
            advice="give two, such as --axes income,rent",
        )
    if layer is not None:
        try:
            for name in names:
                select_columns(layer, [name])
                if name not in layer.column_names:
                    raise UsageError(f"'{name}' is a pattern", advice="name two columns")
        except RegionalizeError as error:
            error.reason = f"--axes: {error.reason}"
            raise
        read_numbers(layer, names)
    return names[0], names[1]


def draw_units(
    solution: Solution, target: Path | IO[bytes], suffix: str, axes: str | Sequence[str] = ()
) -> tuple[str, ...]:
    """Draw the units by two columns, or by what tells most of the variables that were clustered."""
    import numpy as np

    from regionalize.maps.picture import format_of
    from regionalize.maps.plots.scatter import Cloud, draw_scatter
    from regionalize.run.existing import shown_names
    from regionalize.run.planes import centers_on, chosen_plane, plane_of

    if axes:
        plane, centers = chosen_plane(solution, check_axes(axes, solution.layer))
    else:
        plane = plane_of(solution.features)
        centers = centers_on(plane, solution)
    title, footer = plot_captions(solution)
    labels = solution.partition.labels[solution.features.rows]
    said = f"White marks are the {MEANT[solution.report.center]} of the clusters."
    if solution.findings.centers is not None:
        said = "White marks are the centres that units were given to."
    if len(plane.axes) == 1:
        said += " Height within a strip means nothing."
    drawn: tuple[str, ...] = draw_scatter(
        plane.places,
        [Cloud(labels, centers={label: place.tolist() for label, place in centers.items()})],
        target,
        file_format=format_of(suffix),
        axes=plane.axes,
        alike=plane.components is not None,
        title=title,
        subtitle=said,
        footer=footer,
        names=shown_names(solution.label_values),
    )
    lost = int((~np.isfinite(plane.places).all(axis=1)).sum())
    if lost:
        units = counted(lost, "unit")
        drawn += (f"the plot leaves out {units} without a value in {' or '.join(plane.axes)}",)
    if solution.job.hops and plane.components is None:
        drawn += ("the plot shows values as they were before smoothing",)
    return drawn


def draw_variables(solution: Solution, target: Path | IO[bytes], suffix: str) -> tuple[str, ...]:
    """Draw clusters over all variables, as parallel coordinates."""
    import numpy as np

    from regionalize.maps.picture import format_of
    from regionalize.maps.plots.parallel import draw_parallel
    from regionalize.run.existing import shown_names

    features = solution.features
    names, values = features.names, features.raw
    if features.coordinates is not None and not features.attributes_only:
        names = (*names, *features.coordinate_names)
        values = np.column_stack([values, features.coordinates])
    if not names:
        raise DataError("no variables are known to draw", advice="name some with --columns")
    title, footer = plot_captions(solution)
    return draw_parallel(
        values,
        solution.partition.labels[features.rows],
        target,
        file_format=format_of(suffix),
        variables=names,
        title=title,
        subtitle="Variables in standard deviations from the mean of all units. Lines are medians of the "
        "clusters, ribbons reach from quartile to quartile.",
        footer=footer,
        names=shown_names(solution.label_values),
    )


def steps_of(solution: Solution, columns: Iterable[str]) -> tuple[Steps, tuple[str, ...], tuple[str, ...]]:
    """Measure clusters over columns that are steps of time; return names and notes, too."""
    import numpy as np

    from regionalize.features.columns import read_numbers
    from regionalize.features.time_columns import select_steps
    from regionalize.measure.steps import measure_steps
    from regionalize.run.options import split_list

    layer, labels = solution.layer, solution.partition.labels
    names, notes = select_steps(layer, split_list(columns))
    values, offset = read_numbers(layer, names, solution.job.id)
    steps = measure_steps(values + offset, labels)
    used = labels >= 0
    missing = int(np.isnan(values[used]).sum())
    if missing:
        units = int(np.isnan(values[used]).any(axis=1).sum())
        total = values[used].size
        notes += (
            f"{missing:,} of {total:,} values in the time columns are missing, of {counted(units, 'unit')}: "
            "left out of the means",
        )
    return steps, names, notes


def profile_to(
    solution: Solution, target: Path | IO[bytes], suffix: str, columns: Iterable[str]
) -> tuple[str, ...]:
    """Draw the profile, or write its figures: what `suffix` asks for."""
    if suffix.lower() == ".csv":
        assert isinstance(target, Path)
        return write_steps(solution, target, columns)
    return draw_steps(solution, target, suffix, columns)


def draw_steps(
    solution: Solution, target: Path | IO[bytes], suffix: str, columns: Iterable[str]
) -> tuple[str, ...]:
    """Draw mean and standard deviation of every step and cluster."""
    from regionalize.maps.picture import format_of
    from regionalize.maps.plots.profile import draw_profile
    from regionalize.run.existing import shown_names

    steps, names, notes = steps_of(solution, columns)
    title, footer = plot_captions(solution)
    span = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
    return notes + draw_profile(
        steps.means,
        steps.deviations,
        target,
        file_format=format_of(suffix),
        steps=names,
        sizes=dict(zip(steps.labels.tolist(), steps.units.tolist(), strict=True)),
        title=f"{title.partition(': ')[0]}: {span}",
        subtitle="Lines are means, ribbons one standard deviation of the units up and down, grey the mean of "
        "all units in clusters.",
        footer=footer,
        of_all=steps.of_all,
        names=shown_names(solution.label_values),
    )


def write_steps(solution: Solution, target: Path, columns: Iterable[str]) -> tuple[str, ...]:
    """Write a CSV row per cluster and step: values present, their mean and standard deviation."""
    from regionalize.io.documents import csv_text, plain
    from regionalize.run.existing import shown_labels

    steps, names, notes = steps_of(solution, columns)
    shown = shown_labels(solution.label_values)
    rows = [
        plain((shown.get(label, label), count, name, mean, deviation))
        for label, *of in zip(
            steps.labels.tolist(),
            steps.counts.tolist(),
            steps.means.tolist(),
            steps.deviations.tolist(),
            strict=True,
        )
        for name, count, mean, deviation in zip(names, *of, strict=True)
    ]
    text = csv_text(("cluster", "n", "column", "mean", "sd"), rows)
    target.write_text(text, encoding="utf-8", newline="")
    return notes
