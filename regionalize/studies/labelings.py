"""What is compared: label columns of one layer or of several, and runs, named by one word each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, RegionalizeError, UsageError, listed, located, nearest
from regionalize.model.catalog import METHODS, find_method
from regionalize.model.job import SOURCE
from regionalize.run.existing import by_number, shown_labels
from regionalize.run.recipes import is_recipe, read_recipe

if TYPE_CHECKING:
    from regionalize.model.job import Job
    from regionalize.model.layer import Layer

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Labeling:
    """Clusters of the n rows of a layer, wherever they came from.

    Attributes
    ----------
    name : str
        Short, and different from those of the others.
    labels : (n,) int64
        1 … k; 0 for noise, negative for rows without a label.
    values : dict
        What stands for each cluster in the column it was read from; empty for a run.
    column : str or None
        Column of the layer that holds the labels already.
    settings : dict
        File and column, or method and options.
    """

    name: str
    labels: IntArray
    values: Mapping[int, Any] = field(default_factory=dict)
    column: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether clusters go by their numbers."""
        return by_number(self.values)

    def shown(self, cluster: int) -> str:
        """Return what a person calls a cluster."""
        return str(cluster) if self.is_plain else str(shown_labels(self.values).get(cluster, cluster))


@dataclass(frozen=True)
class Word:
    """One word of the command line, understood as far as that goes without the data."""

    kind: Literal["column", "file", "run"]
    name: str
    column: str = ""
    file: str = ""
    job: Job | None = None
    implied: bool = False
    """Whether nobody typed it: the layer's own labels."""
    text: str = ""
    """As it was typed, or could have been."""


def read_words(
    words: Sequence[str], label_column: str, common: Mapping[str, Any]
) -> tuple[str | None, list[Word]]:
    """Tell which layer is compared, and what of it.

    A word that begins with the name of a method is a run (``skater:k=8``); one that names a file is that
    file's label column (``b.gpkg``, ``b.gpkg:region``); any other is a column of the layer, which ``:NAME``
    says even of a column that is called like a method. The first word is the layer if it names a file. Where
    nothing but files is named, and where only one thing is left, the layer's own label column comes first.

    Parameters
    ----------
    words : sequence of str
        As typed.
    label_column : str
        Column of a file that names none.
    common : mapping
        Options of all runs.

    Returns
    -------
    source : str or None
        The layer; None for the bundled sample.
    list of Word
        Two or more, with names of their own.

    Raises
    ------
    UsageError
        Fewer than two things, or a run that cannot be.

    Examples
    --------
    >>> source, found = read_words(["kmeans", "skater:k=4", "county"], "cluster", {"k": 3})
    >>> source, [(word.kind, word.name) for word in found]
    (None, [('run', 'kmeans'), ('run', 'skater:k=4'), ('column', 'county')])
    """
    source = None
    rest = list(words)
    first: list[Word] = []
    if rest and (rest[0] == "-" or file_and_column(rest[0])):
        source, column = ("-", "") if rest[0] == "-" else file_and_column(rest[0])  # type: ignore[misc]  # checked
        rest = rest[1:]
        if column:
            first = [Word("column", column, column, text=f":{column}")]
    found = [*first, *(read_word(word, label_column, common) for word in rest)]
    only_files = all(word.kind == "file" for word in found)
    if found and source is not None and (only_files or len(found) < 2):
        stem = Path(source).stem if only_files and source != "-" else label_column
        found.insert(0, Word("column", stem, label_column, implied=True))
    if len(found) < 2:
        raise UsageError(
            "there are fewer than two things to compare",
            advice="name label columns, files or methods, such as kmeans skater:k=8",
        )
    return source, with_names_of_their_own(found)


def file_and_column(word: str) -> tuple[str, str] | None:
    """Return the file that a word names, and the column after a colon; None where it names no file.

    Examples
    --------
    >>> file_and_column("old/regions.gpkg:zone"), file_and_column("kmeans:k=3"), file_and_column("zone")
    (('old/regions.gpkg', 'zone'), None, None)
    """
    head, _, column = word.rpartition(":")
    if is_recipe(word) or word.startswith(":"):
        return None
    if names_file(word):
        return word, ""
    return (head, column) if column and names_file(head) else None


def names_file(word: str) -> bool:
    """Whether a word names a file that exists, or ends as the name of a layer's file does."""
    from regionalize.io.source import VECTOR

    if Path(word).suffix.lower() in VECTOR:
        return True
    return os.path.exists(word) and not os.path.isdir(word)  # these never raise, whatever the word


def read_word(word: str, label_column: str, common: Mapping[str, Any]) -> Word:
    """Understand one word."""
    if is_recipe(word):
        from regionalize.run.start import require_k

        job = read_recipe(word, common)
        with named(word):
            require_k(find_method(job.method), job)
            check_run(job, common)
        return Word("run", word, job=job, text=word)
    found = file_and_column(word)
    if found is None:
        column = word.removeprefix(":")
        return Word("column", column, column, text=word)
    file, column = found
    stem = Path(file).stem
    return Word("file", f"{stem}:{column}" if column else stem, column or label_column, file, text=word)


def check_run(job: Job, common: Mapping[str, Any]) -> None:
    """Refuse a run over other rows than the others', or into several numbers of regions."""
    for name in SOURCE:  # the rows are the same for all
        if getattr(job, name) != common.get(name):
            raise UsageError(f"{name} is the same for all", advice=f"give --{name} to the command")
    if job.levels:
        raise UsageError("k takes one number here", advice="write a run for each number")


@contextmanager
def named(name: str) -> Iterator[None]:
    """Put the name of a run before the reason of any `RegionalizeError` raised inside."""
    try:
        yield
    except RegionalizeError as error:
        error.reason = f"{name}: {error.reason}"
        raise


def with_names_of_their_own(words: Sequence[Word]) -> list[Word]:
    """Add a number to names that are taken."""
    taken: set[str] = set()
    found = []
    for word in words:
        name, number = word.name, 2
        while name in taken:
            name, number = f"{word.name} ({number})", number + 1
        taken.add(name)
        found.append(replace(word, name=name))
    return found


def column_labeling(layer: Layer, word: Word) -> tuple[Labeling, tuple[str, ...]]:
    """Read a label column of the layer itself; return it and what was noticed."""
    from regionalize.run.existing import noise_note, read_labels

    if word.implied and word.column not in layer.column_names:
        raise UsageError(
            f"there is no column '{word.column}' to compare with",
            advice="name two columns, files or methods, or give --label-column",
        )
    if word.column not in layer.column_names:
        known = [*layer.column_names, *METHODS]
        raise UsageError(
            f"there is no column, method or file '{word.column}'",
            advice=nearest(word.column.partition(":")[0], known)
            or f"the columns are {listed(layer.column_names, 20)}",
        )
    labels, values = read_labels(layer, word.column)
    notes = noise_note(labels, word.column)
    if word.column in METHODS:
        notes += (f"'{word.column}' is the column of that name, not a run",)
    return Labeling(word.name, labels, values, word.column, {"column": word.column}), notes


def file_labeling(layer: Layer, word: Word, id_column: str | None) -> tuple[Labeling, tuple[str, ...]]:
    """Read a label column of another file for the rows of the layer; return it and what was noticed."""
    from regionalize.io.read import read_layer
    from regionalize.run.existing import column_values, noise_note, number_labels

    other = read_layer(word.file)
    with located(other.origin.file, other.origin.layer):
        values = column_values(other, word.column)
        rows, notes = matching_rows(layer, other, id_column)
        labels, meant = number_labels([values[row] for row in rows], word.column)
    settings = {"file": other.origin.file, "layer": other.origin.layer, "column": word.column}
    notes = (*other.notes, *notes, *noise_note(labels, word.column))
    return Labeling(word.name, labels, meant, None, settings), notes


def matching_rows(layer: Layer, other: Layer, id_column: str | None) -> tuple[list[int], tuple[str, ...]]:
    """Return the row of another layer that belongs to each row of a layer: by id, or else by order.

    Raises
    ------
    DataError
        Ids that are missing or occur twice; without ids, another number of rows.
    """
    file = Path(other.origin.file).name
    if id_column is None:
        if len(other) != len(layer):
            raise DataError(
                f"has {len(other)} rows, and the layer it is compared with {len(layer)}",
                advice="give --id COLUMN to match rows by what both call them",
            )
        said = f"the rows of {file} are matched by their order; --id COLUMN matches them by name"
        return list(range(len(layer))), (said,)
    with located(layer.origin.file, layer.origin.layer):
        wanted = ids_of_rows(layer, id_column)
    place = ids_of_rows(other, id_column)
    lacking = [name for name in wanted if name not in place]
    if lacking:
        raise DataError(
            f"has no row for {listed(lacking)}",
            advice="compare layers of the same units, or select rows with --where",
            column=id_column,
        )
    spare = len(place) - len(wanted)
    notes = (f"{file} has {spare} rows more, which are not compared",) if spare else ()
    return [place[name] for name in wanted], notes


def ids_of_rows(layer: Layer, id_column: str) -> dict[str, int]:
    """Return the row of every id, or refuse ids that are missing or occur twice."""
    names = layer.names(id_column).tolist()
    missing = layer.attributes[id_column].is_null().to_pylist()
    if any(missing):
        raise DataError("an id is missing", column=id_column, row=missing.index(True) + 1)
    place: dict[str, int] = {}
    for row, name in enumerate(names):
        if place.setdefault(name, row) != row:
            raise DataError(
                f"'{name}' is the id of several rows",
                column=id_column,
                row=row + 1,
                advice="name a column whose values are all different",
            )
    return place
