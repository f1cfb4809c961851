"""The command lines that repeat a study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from regionalize.model.catalog import find_method
from regionalize.model.job import BOUNDS, SOURCE, Job
from regionalize.run.command import (
    ALL,
    FEATURES,
    SMOOTHING,
    VARIABLES,
    WEIGHTS,
    Command,
    NotTypableError,
    job_words,
    number_words,
    recipe_text,
    typable,
    typed,
    value_text,
    with_weights,
)
from regionalize.run.options import make_job
from regionalize.studies.grid import GRID, read_grid, read_numbers
from regionalize.studies.labelings import Word
from regionalize.studies.stability import RUNS, SHARE

STUDIED = tuple(name for name in ALL if name != "locked")
"""Options of a run that stand beside its method; --locked stands within it."""
COMPARED = (*SOURCE, *VARIABLES, *FEATURES, *SMOOTHING, *WEIGHTS, *BOUNDS, "seed")


def stability_command(
    job: Job,
    *,
    runs: int = RUNS,
    resample: float | None = SHARE,
    column: str = "stability",
    weights: object = None,
) -> Command:
    """Return the command that repeats a run many times; `weights` are ready-made ones, if any."""

    def words() -> list[str]:
        asked = with_weights(job, weights)
        found = [*method_words(asked), *number_words(asked)]
        found += [] if runs == RUNS else ["--runs", str(runs)]
        if resample is None:
            found.append("--reseed")
        elif resample != SHARE:
            found += ["--resample", value_text(resample)]
        found += job_words(asked, STUDIED)
        return found + ([] if column == "stability" else ["--stability-column", column])

    return Command("stability", typed(words))


def choose_command(method: str, ks: Any, options: Mapping[str, Any], weights: object = None) -> Command:
    """Return the command that tries numbers of clusters; options as `choose_number` takes them."""

    def words() -> list[str]:
        jobs = read_grid(method, options)
        first = with_weights(jobs[0][0], weights)
        tried = {name: dict.fromkeys(grid[name] for _, grid in jobs if name in grid) for name in GRID}
        several = {name: ",".join(map(value_text, values)) for name, values in tried.items() if values}
        numbers = spans_text(read_numbers(ks))
        found = [] if numbers == "2-15" else ["--k", numbers]
        return [*found, *method_words(first), *job_words(first, STUDIED, instead=several)]

    return Command("choose-k", typed(words))


def compare_command(
    things: Sequence[Word], common: Mapping[str, Any], *, match: bool = False, weights: object = None
) -> Command:
    """Return the command that compares things; options of all as `compare_words` takes them.

    Whatever was not typed has no word to be said by, but for the layer's own labels, which go without.
    """

    def words() -> list[str]:
        if any(not thing.text and not thing.implied for thing in things):
            raise NotTypableError("labels that are no column")
        job = with_weights(make_job("kmeans", common), weights)
        unnamed = [thing.column for thing in things if thing.implied or goes_without_column(thing)]
        found = number_words(job)
        found += ["--label-column", unnamed[0]] if unnamed and unnamed[0] != "cluster" else []
        return [*found, *(["--match"] if match else []), *job_words(job, COMPARED)]

    named = tuple(typable(thing.text) for thing in things if thing.text)
    return Command("compare", typed(words), named)


def goes_without_column(thing: Word) -> bool:
    """Whether a thing is a file whose column of labels nobody named."""
    return thing.kind == "file" and thing.text == thing.file


def method_words(job: Job) -> list[str]:
    """Return the option that names the method with its own options, unless it is k-means and no more."""
    locked = ("locked",) if find_method(job.method).takes_start else ()
    recipe = recipe_text(job, locked)
    return [] if recipe == "kmeans" else ["--method", recipe]


def spans_text(numbers: Iterable[int]) -> str:
    """Write rising numbers with what lies between left out.

    Examples
    --------
    >>> spans_text([2, 3, 4, 10]), spans_text([2, 3])
    ('2-4,10', '2,3')
    """
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    return ",".join(f"{span[0]}-{span[-1]}" if len(span) > 2 else ",".join(map(str, span)) for span in spans)
