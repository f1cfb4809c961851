"""What a run writes: the labelled layer, and the files beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.job import Job, Outputs
    from regionalize.model.partition import Partition
    from regionalize.run.progress import Progress
    from regionalize.run.solve import Solution


def write_outputs(
    solution: Solution, outputs: Outputs, columns: tuple[str, ...] = (), progress: Progress | None = None
) -> tuple[str, ...]:
    """Write every output: the smaller ones are made first and put in place once the layer is."""
    from regionalize.io.atomic import replacing
    from regionalize.run.dissolve import dissolved_file
    from regionalize.run.lines import saved_links, saved_tree
    from regionalize.run.progress import announce_file
    from regionalize.run.side_files import SIDE_FILES

    notes: tuple[str, ...] = ()
    with ExitStack() as pending:
        paths = outputs.paths()
        for kind in SIDE_FILES:
            if kind.option in paths:
                announce_file(paths[kind.option], progress)
                target = pending.enter_context(replacing(paths[kind.option]))
                notes += kind.write(solution, target, outputs)
        if outputs.save_tree is not None:
            notes += pending.enter_context(saved_tree(solution, outputs.save_tree, outputs.overwrite))
        if outputs.save_links is not None:
            assert solution.weights is not None  # a table without geometry was refused
            about = solution.layer, solution.weights, solution.job.id
            notes += pending.enter_context(saved_links(*about, outputs.save_links, outputs.overwrite))
        if outputs.dissolve is not None:
            notes += pending.enter_context(dissolved_file(solution, outputs))
        if outputs.output is not None and str(outputs.output) != "-":
            announce_file(outputs.output, progress)
            notes += write_labels(solution, outputs, columns)
    if str(outputs.output) == "-":  # last, and not among the others: its reader may go away at any time
        announce_file(Path("-"), progress)
        notes += write_labels(solution, outputs, columns)
    return notes


def write_files(
    paths: Mapping[str, Path],
    makers: Mapping[str, Callable[[Path], tuple[str, ...] | None]],
    layer: Callable[[], tuple[str, ...]] | None = None,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Write what a study makes, as `write_outputs` does.

    Parameters
    ----------
    paths : mapping of str to path
        Files asked for, by option.
    makers : mapping of str to callable
        What makes the file of an option at a path, and returns what was noticed.
    layer : callable, optional
        What writes the layer, if one is asked for.
    progress : callable, optional
        Told of the files.
    """
    from regionalize.io.atomic import replacing
    from regionalize.run.progress import announce_file

    notes: tuple[str, ...] = ()
    with ExitStack() as pending:
        for option, make in makers.items():
            if option in paths:
                announce_file(paths[option], progress)
                notes += make(pending.enter_context(replacing(paths[option]))) or ()
        if layer is None or "output" not in paths:
            return notes
        announce_file(paths["output"], progress)
        if str(paths["output"]) != "-":
            return notes + layer()
    return notes + layer()  # last, and not among the others: its reader may go away at any time


def label_names(label_column: str, job: Job) -> tuple[str, ...]:
    """Name the label column of every number of regions a job asks for, rising.

    Examples
    --------
    >>> from regionalize.model.job import Job
    >>> label_names("cluster", Job(k=8, levels=(4,))), label_names("cluster", Job(k=8))
    (('cluster_4', 'cluster_8'), ('cluster',))
    """
    if not job.levels:
        return (label_column,)
    return tuple(f"{label_column}_{k}" for k in (*job.levels, job.k))


def write_labels(solution: Solution, outputs: Outputs, columns: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Write the layer with its label column, or one per number of regions, and columns of the findings."""
    from regionalize.io.write import write_layer
    from regionalize.run.record import label_record
    from regionalize.run.styles import label_styles

    assert outputs.output is not None
    names = label_names(outputs.label_column, solution.job)
    labels = zip(names, solution.partitions, strict=True)
    added = {name: label_array(partition, solution.label_values) for name, partition in labels}
    return write_layer(
        solution.layer,
        outputs.output,
        added=added | {name: found_array(solution, name) for name in columns},
        layer_name=outputs.output_layer,
        overwrite=outputs.overwrite,
        styles=label_styles(solution, names),
        qml=outputs.qml,
        record=label_record(solution, outputs, columns),
    )


def label_array(partition: Partition, values: Mapping[int, Any] | None = None) -> pa.Array:
    """Labels as a 32-bit integer column, or what `values` has for them; null where a row was left out."""
    import pyarrow as pa

    from regionalize.model.partition import LEFT_OUT
    from regionalize.run.existing import shown_labels

    labels = partition.labels
    if values:
        shown = shown_labels(values)
        return pa.array([shown.get(label, label if label != LEFT_OUT else None) for label in labels.tolist()])
    return pa.array(labels.astype("int32"), mask=labels == LEFT_OUT)


def found_array(solution: Solution, name: str) -> pa.Array:
    """Return a column of the findings for all rows, null where a row was left out."""
    import numpy as np
    import pyarrow as pa

    values, rows = solution.findings.columns[name], solution.features.rows
    placed = np.zeros(len(solution.layer), dtype=values.dtype)
    placed[rows] = values
    left_out = np.ones(len(placed), dtype=bool)
    left_out[rows] = False
    return pa.array(placed, mask=left_out)
