"""A comparison with files at both ends: what is read, what is written, and what is refused before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, OutputError, UsageError, located
from regionalize.model.job import Job
from regionalize.model.partition import NOISE, Partition
from regionalize.run.existing import whole_numbers
from regionalize.studies.compare import Compared, compare_words
from regionalize.studies.labelings import Labeling, Word

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.job import Outputs
    from regionalize.model.layer import Layer
    from regionalize.model.style import Style
    from regionalize.run.progress import Progress


def compare_files(
    source: str | None,
    things: Sequence[Word],
    common: Mapping[str, Any],
    outputs: Outputs,
    *,
    match: bool = False,
    progress: Progress | None = None,
) -> Compared:
    """Read, compare and write; nothing is written unless everything can be.

    Parameters
    ----------
    source, things : str or None, sequence of Word
        As `regionalize.studies.labelings.read_words` tells them.
    common : mapping
        Options of all runs and of what all are measured by.
    outputs : Outputs
        Its layer, map and report are written.
    match : bool
        Write labels under the first labeling's numbers.
    progress : callable, optional
        Told of stages and searches.

    Raises
    ------
    RegionalizeError
        With the file and layer it is about.
    """
    from regionalize.io.read import read_layer
    from regionalize.maps.multiples import MOST_PANELS
    from regionalize.maps.plots.scatter import MOST_CLOUDS
    from regionalize.run.outputs import write_files
    from regionalize.run.progress import Stopwatch
    from regionalize.run.refusals import refuse_outputs
    from regionalize.run.web import PAGE
    from regionalize.studies.commands import compare_command
    from regionalize.studies.comparison_plot import draw_planes
    from regionalize.studies.comparison_report import write_comparison

    if outputs.plot is not None and len(things) > MOST_CLOUDS:
        raise UsageError(
            f"--plot has room for {MOST_CLOUDS} panels, not {len(things)}", advice="compare fewer"
        )
    if outputs.map is not None and outputs.map.suffix.lower() != PAGE and len(things) > MOST_PANELS:
        raise UsageError(
            f"--map draws up to {MOST_PANELS} maps on a page, not {len(things)}",
            advice="compare fewer, or write .html",
        )
    inputs = read_files(source, things, common)
    refuse_outputs(outputs, inputs, None)
    watch = Stopwatch(progress)
    with watch.stage("read"):
        reading = {name: common.get(name) for name in ("layer", "where", "encoding")}
        layer = read_layer(source, **reading)
    with located(layer.origin.file, layer.origin.layer):
        columns = {thing.name: thing.column if thing.kind == "column" else None for thing in things}
        names = column_names(layer, columns, match) if outputs.output is not None else {}
        notes = refuse_outputs(outputs, inputs, layer, tuple(names.values()))
        if outputs.output is not None and not names:
            raise OutputError(
                "all that is compared are columns of the layer already, so there is nothing to add",
                file=str(outputs.output),
                advice="give --match for labels under the first one's numbers, or leave out -o",
            )
        compared = compare_words(layer, things, common, progress=progress)
    command = compare_command(things, common, match=match)
    compared = replace(compared, command=command.line(source, outputs))
    with watch.stage("write"):
        paths = outputs.paths()
        makers = {
            "report": lambda target: write_comparison(
                target, compared, paths["report"].suffix, dissolve_lines=outputs.dissolve_lines
            ),
            "map": lambda target: draw_comparison(
                compared, target, paths["map"].suffix, dissolve_lines=outputs.dissolve_lines
            ),
            "plot": lambda target: draw_planes(compared, target, paths["plot"].suffix),
        }
        notes += write_files(paths, makers, lambda: write_matched(compared, outputs, names, match), progress)
    seconds = {"read": watch.seconds["read"], **compared.seconds, "write": watch.seconds["write"]}
    return replace(compared, notes=tuple(dict.fromkeys((*compared.notes, *notes))), seconds=seconds)


def read_files(
    source: str | None, things: Sequence[Word], common: Mapping[str, Any]
) -> tuple[str | None, ...]:
    """Return every file that is read, the layer first."""
    jobs = [Job(weights=common.get("weights")), *(thing.job for thing in things if thing.job is not None)]
    files = [file for job in jobs for file in job.files]
    return (source, *files, *(thing.file for thing in things if thing.file))


def column_names(layer: Layer, columns: Mapping[str, str | None], match: bool) -> dict[str, str]:
    """Name the column that is written for every labeling, by its name; none for what is there already.

    Parameters
    ----------
    layer : Layer
        What the columns are added to.
    columns : mapping
        The column of the layer that each labeling, by its name, was read from; None for others.
    match : bool
        Columns of the layer are written under the first one's numbers, as ``NAME_matched``.
    """
    taken = {name.lower() for name in (*layer.column_names, layer.origin.geometry_name)}
    found = {}
    for place, (name, column) in enumerate(columns.items()):
        if column is not None and (not match or not place):
            continue
        plain = re.sub(r"\W+", "_", column or name).strip("_")
        tries = [plain, f"{plain}_matched"] if match else [plain]
        tries += [f"{tries[-1]}_{number}" for number in range(2, len(taken) + 3)]
        found[name] = next(one for one in tries if one.lower() not in taken)
        taken.add(found[name].lower())
    return found


def write_matched(
    compared: Compared, outputs: Outputs, names: Mapping[str, str], match: bool
) -> tuple[str, ...]:
    """Write the layer with the labels of every labeling."""
    from regionalize.io.write import write_layer
    from regionalize.run.record import run_record
    from regionalize.studies.comparison_report import comparison_document

    assert outputs.output is not None
    document = comparison_document(compared)
    of = {one.name: dict(one.settings) for one in compared.labelings}
    document["settings"]["labels"] = {column: of[name] for name, column in names.items()}
    return write_layer(
        compared.layer,
        outputs.output,
        added=added_columns(compared, names, match),
        layer_name=outputs.output_layer,
        overwrite=outputs.overwrite,
        styles=added_styles(compared, names, match),
        record=run_record("compare", names.values(), document, ()),
    )


def added_columns(compared: Compared, names: Mapping[str, str], match: bool) -> dict[str, pa.Array]:
    """Return the columns to write, by the names `column_names` found."""
    return {column: written(labels, of) for column, labels, of in added_labels(compared, names, match)}


def added_styles(compared: Compared, names: Mapping[str, str], match: bool) -> list[Style]:
    """Return how the columns are shown, those of the first labeling first."""
    from regionalize.run.existing import shown_labels
    from regionalize.run.styles import labels_style

    styles = []
    for column, labels, of in added_labels(compared, names, match):
        values = None if of.is_plain else shown_labels(values_of(labels, of))
        styles.append(labels_style(compared.layer, labels, column, f"labels of {column}", values))
    return [style for style in styles if style is not None]


def added_labels(
    compared: Compared, names: Mapping[str, str], match: bool
) -> Iterator[tuple[str, NDArray[np.int64], Labeling]]:
    """Yield column, labels and what stands for them, of every labeling that is written."""
    first = compared.labelings[0]
    for labeling, matched in zip(compared.labelings, compared.matched, strict=True):
        if labeling.name in names:
            labels, values = (matched, first) if match else (labeling.labels, labeling)
            yield names[labeling.name], labels, values


def written(labels: NDArray[np.int64], of: Labeling) -> pa.Array:
    """Return a column of what stands for every cluster, null where there is no label.

    Whole numbers stay whole numbers; clusters that `of` has no value for get the numbers after its largest.
    Everything else is written as text, and such clusters as ``other 1``, ``other 2`` …

    Examples
    --------
    >>> of = Labeling("a", np.array([1, 2]), {1: "north", 2: "south"})
    >>> written(np.array([2, 1, 3, -1]), of).to_pylist()
    ['south', 'north', 'other 1', None]
    >>> written(np.array([2, 1, 3, 0]), Labeling("a", np.array([1, 2]), {1: 10, 2: 20})).to_pylist()
    [20, 10, 21, 0]
    """
    from regionalize.run.outputs import label_array

    return label_array(Partition(labels), None if of.is_plain else values_of(labels, of))


def values_of(labels: NDArray[np.int64], of: Labeling) -> dict[int, Any]:
    """Return what stands for every cluster among the labels and for noise, as `written` writes it.

    Examples
    --------
    >>> values_of(np.array([2, 1, 3]), Labeling("a", np.array([1, 2]), {1: "north", 2: "south"}))
    {1: 'north', 2: 'south', 0: 'not clustered', 3: 'other 1'}
    """
    codes = [int(code) for code in np.unique(labels[labels > 0])]
    new = [code for code in codes if code not in of.values]
    if whole_numbers(of.values.values()):
        shown: dict[int, Any] = {code: int(value) for code, value in of.values.items()}
        shown |= {code: max(shown.values()) + number for number, code in enumerate(new, 1)}
        shown[NOISE] = 0
    else:
        shown = {code: str(value) for code, value in of.values.items()}
        shown[NOISE] = "not clustered"
        shown |= {code: f"other {number}" for number, code in enumerate(new, 1)}
    return shown


def panel_words(compared: Compared) -> list[tuple[str, str]]:
    """Say of every labeling what it is, and what it is worth: title and line under it."""
    to_first = {pair.second: pair.agreement for pair in compared.pairs if pair.first == 0}
    found = []
    for place, (labeling, worth) in enumerate(zip(compared.labelings, compared.measures, strict=True)):
        said = [f"k = {len(worth.sizes)}"]
        if worth.fit is not None and worth.fit.ratio is not None:
            said.append(f"BSS/TSS {worth.fit.ratio:.4f}")
        if worth.fragmentation is not None:
            pieces = worth.fragmentation.subclusters
            said.append("contiguous" if worth.fragmentation.contiguous else f"{pieces} pieces")
        if place:
            said.append(f"ARI {to_first[place].adjusted_rand:.3f}")
        title = labeling.name.replace(",", ", ")  # so that a long recipe can be broken into lines
        found.append((title, ", ".join(said)))
    return found


def draw_comparison(
    compared: Compared, target: Path | IO[bytes], suffix: str, *, dissolve_lines: bool = False
) -> tuple[str, ...]:
    """Draw a map of every labeling on one page, like clusters in like colours."""
    from regionalize.maps.multiples import Panel, draw_maps
    from regionalize.maps.picture import format_of
    from regionalize.run.pictures import source_line
    from regionalize.run.web import PAGE
    from regionalize.studies.pages import draw_comparison_page

    if not compared.layer.has_geometry:
        raise DataError("the table has no geometry, so there is no map to draw")
    first = compared.labelings[0]
    heads = zip(panel_words(compared), compared.matched, strict=True)
    panels = [Panel(labels, title, said) for (title, said), labels in heads]
    values = {} if first.is_plain else values_of(np.concatenate(compared.matched), first)
    variables = compared.features.names if compared.features is not None else ()
    words = {
        "title": ", ".join(variables) or f"{len(panels)} labelings",
        "subtitle": "Clusters have the colours of those in the first map that they match. "
        "ARI is to the first.",
        "footer": source_line(
            compared.layer, compared.job, variables, {**compared.job.settings(), "method": "compare"}
        ),
    }
    if suffix.lower() == PAGE:
        return draw_comparison_page(compared, panels, target, **words, dissolve_lines=dissolve_lines)
    return draw_maps(
        compared.layer.geometry,
        panels,
        target,
        file_format=format_of(suffix),
        **words,
        crs=compared.layer.crs,
        names=None
        if first.is_plain
        else {code: str(value) for code, value in values.items() if code != NOISE},
        dissolve_lines=dissolve_lines,
    )
