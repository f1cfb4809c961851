"""The command line that repeats a run: what a shell is told, from what was asked for."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from regionalize.errors import UsageError
from regionalize.model.catalog import find_method
from regionalize.model.job import BOUNDS, SOURCE, Job, Outputs
from regionalize.model.method import Method
from regionalize.run.options import parse_bound, parse_column_weights, split_list

PLACEHOLDER = "INPUT"
"""Stands for a layer that is no file."""
CENTERS = "CENTERS.csv"
"""Stands for centres that are no file."""
WEIGHTS_FILE = "WEIGHTS.gal"
"""Stands for weights that are no file."""

VARIABLES = ("columns", "exclude", "missing", "transform")
FEATURES = (
    *("embed", "column_weights", "with_centroids", "centroid_weight", "centroid_scale"),
    *("project", "dtype"),
)
SMOOTHING = ("hops", "alpha", "smooth_mode")
WEIGHTS = ("weights", "snap", "islands")
REGIONS = ("within", "compactness", "make_contiguous")
SCALE = ("batch_size", "warm_start", "test_share", "sample", "engine")
ALL = (*SOURCE, *VARIABLES, *FEATURES, *SMOOTHING, *WEIGHTS, *BOUNDS, *REGIONS, "locked", *SCALE, "seed")
"""Options of a job, in the order of the help; threads and schedulers change no answer, and belong to a
machine."""

LISTS = ("columns", "exclude")
PAIRS = ("min_bound", "max_bound")


class NotTypableError(Exception):
    """Something was asked for from Python that no command line can say."""


@dataclass(frozen=True)
class Command:
    """A command with its options, before it is told what to read and what to write.

    Attributes
    ----------
    name : str
        Of the command.
    words : tuple of str or None
        Its options and their values; None where no command line says them.
    things : tuple of str
        What is named after the layer.
    label_option : (str, str)
        The option that names the new column of labels, and what it is unless given.
    """

    name: str
    words: tuple[str, ...] | None
    things: tuple[str, ...] = ()
    label_option: tuple[str, str] = ("--label-column", "cluster")

    def line(self, source: str | None = PLACEHOLDER, outputs: Outputs | None = None) -> str:
        """Return the whole line, quoted for a shell; empty where there is none.

        Parameters
        ----------
        source : str or None
            The layer, as a command takes it; None for the bundled sample, which nobody names.
        outputs : Outputs, optional
            Of these, the labelled layer is named.

        Examples
        --------
        >>> Command("kmeans", ("--k", "4", "--where", "pop > 500")).line("my towns.gpkg")
        "regionalize kmeans 'my towns.gpkg' --k 4 --where 'pop > 500'"
        """
        if self.words is None:
            return ""
        layer = [] if source is None else [typable(source)]
        written = [] if outputs is None else self.written(outputs)
        return shlex.join(["regionalize", self.name, *layer, *self.things, *self.words, *written])

    def written(self, outputs: Outputs) -> list[str]:
        """Return the options that name the labelled layer and its column of labels."""
        option, default = self.label_option
        words = ["-o", str(outputs.output)] if outputs.output is not None else []
        words += ["--output-layer", outputs.output_layer] if outputs.output_layer is not None else []
        words += [option, outputs.label_column] if outputs.label_column != default else []
        return words


def method_command(job: Job) -> Command:
    """Return the command of a method."""
    return Command(job.method, typed(lambda: [*number_words(job), *param_words(job), *job_words(job)]))


def with_weights(job: Job, ready: object) -> Job:
    """Return a job that names a file in the place of weights that were handed in ready-made."""
    return job if ready is None else replace(job, weights=WEIGHTS_FILE)


def contiguous_command(job: Job, label_column: str, way: str) -> Command:
    """Return the command that makes a label column contiguous in a way."""
    known = (*SOURCE, *VARIABLES, *WEIGHTS, *BOUNDS, "seed")
    chosen = [] if way == "keep-k" else [f"--{way}"]
    words = typed(lambda: [*column_words(label_column), *chosen, *job_words(job, known)])
    return Command("contiguous", words, label_option=("--new-column", "contiguous"))


def assign_command(
    job: Job, centers: str, *, transform: str | None = None, distance_column: str | None = None
) -> Command:
    """Return the command that finds the nearest centre of every row."""
    words = ["--centers", centers or CENTERS]
    words += [] if transform is None else ["--transform", transform]
    words += [] if distance_column is None else ["--distance-column", distance_column]
    known = (*SOURCE, "missing", *WEIGHTS)
    return Command("assign", typed(lambda: [*words, *job_words(job, known)]))


def validate_command(job: Job, label_column: str, requirements: Mapping[str, int | None]) -> Command:
    """Return the command that measures a label column, and checks what is required of it."""
    texts = [name if value is None else f"{name}={value}" for name, value in requirements.items()]
    required = ["--require", ",".join(texts)] if texts else []
    known = (*SOURCE, *VARIABLES, *WEIGHTS)
    return Command(
        "validate", typed(lambda: [*column_words(label_column), *job_words(job, known), *required])
    )


def smooth_command(job: Job, suffix: str) -> Command:
    """Return the command that writes smoothed columns; it smooths over one hop unless told."""
    known = (*SOURCE, "columns", "exclude", "missing", *SMOOTHING, *WEIGHTS)
    ending = [] if suffix == "_smooth" else ["--suffix", suffix]
    said = {"hops": str(job.hops)} if job.hops != 1 else {}
    asked = replace(job, hops=0) if job.hops == 1 else job
    return Command("smooth", typed(lambda: [*job_words(asked, known, instead=said), *ending]))


def column_words(label_column: str) -> list[str]:
    """Return the option that names the column of labels there are."""
    return [] if label_column == "cluster" else ["--label-column", label_column]


def typed(words: Any) -> tuple[str, ...] | None:
    """Return the words that a function makes, None where no command line can say them."""
    try:
        return tuple(words())
    except (NotTypableError, UsageError):
        return None


def number_words(job: Job) -> list[str]:
    """Return --k with all numbers of regions that were asked for."""
    return [] if job.k is None else ["--k", ",".join(map(str, (*job.levels, job.k)))]


def param_words(job: Job) -> list[str]:
    """Return the method's own options, as they were given."""
    own = {param.name: param.option for param in find_method(job.method).params}
    given = {name: value for name, value in job.params.items() if value is not None}
    return [word for name, value in given.items() for word in (own[name], value_text(value))]


def job_words(
    job: Job,
    known: Collection[str] = ALL,
    *,
    method: Method | None = None,
    instead: Mapping[str, str] | None = None,
) -> list[str]:
    """Return what a job asks for besides k and the method's own options, without what goes without saying.

    Parameters
    ----------
    job : Job
        What was asked for.
    known : collection of str
        Names of the options that the command has, out of `ALL`.
    method : Method, optional
        The method whose defaults hold, that of the job unless given.
    instead : mapping, optional
        Texts of options that are said in another way than the job has them.

    Raises
    ------
    NotTypableError
        A name that no list can hold.

    Examples
    --------
    >>> job_words(Job(columns=("a", "b, c"), min_bound=("pop", "10%"), seed=1))
    ['--columns', 'a,"b, c"', '--min-bound', 'pop=10%', '--seed', '1']
    """
    defaults = {item.name: item.default for item in fields(job)}
    method = method or find_method(job.method)
    defaults["compactness"] = 0.0 if job.with_centroids else method.compactness
    instead = instead or {}
    words: list[str] = []
    for name in ALL:
        value = getattr(job, name)
        said = name in instead or value != defaults[name] or name == "seed"
        if name == "with_centroids" and (job.centroid_weight is not None or "centroid_weight" in instead):
            said = False  # goes without saying
        if not said or name not in known:
            continue
        option = "--" + name.replace("_", "-")
        words += [option] if value is True else [option, instead.get(name) or option_text(name, value)]
    return words


def option_text(name: str, value: Any) -> str:
    """Write the value of a job's option as it is typed."""
    if name in LISTS:
        return list_text(value)
    if name == "column_weights":
        text = list_text(f"{column}={value_text(weight)}" for column, weight in value)
        return checked(text, parse_column_weights(text) == value)
    if name in PAIRS:
        text = f"{value[0]}={value_text(value[1])}"
        return checked(text, parse_bound(text, name) == value)
    return value_text(value)


def value_text(value: Any) -> str:
    """Write a number without an idle decimal, and anything else as it is.

    Examples
    --------
    >>> value_text(2.0), value_text(0.1), value_text("auto")
    ('2', '0.1', 'auto')
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(float(value)) if isinstance(value, float) else str(value)


def list_text(names: Iterable[str]) -> str:
    """Write names with commas between them, in double quotes where they hold one.

    Raises
    ------
    NotTypableError
        A name whose blanks at the ends would be lost.
    """
    names = tuple(names)
    out = io.StringIO(newline="")
    csv.writer(out).writerow(names)
    text = out.getvalue().removesuffix("\r\n")
    return checked(text, split_list(text) == names)


def checked(text: str, same: bool) -> str:
    """Return a text that is read as what it was made of."""
    if not same:
        raise NotTypableError(text)
    return text


def typable(source: str | Path) -> str:
    """Return a path that no command takes for an option."""
    text = str(source)
    return f"./{text}" if text.startswith("-") and text != "-" else text


def recipe_text(job: Job, others: Collection[str] = ()) -> str:
    """Write a method and its own options, and `others` of the job, as one word.

    Raises
    ------
    NotTypableError
        A value with a comma, which begins the next option.

    Examples
    --------
    >>> recipe_text(Job(method="schc", params={"linkage": "average"}))
    'schc:linkage=average'
    """
    given = {name: value for name, value in job.params.items() if value is not None}
    given |= {name: getattr(job, name) for name in others if getattr(job, name) is not None}
    texts = {name.replace("_", "-"): value_text(value) for name, value in given.items()}
    options = ",".join(
        checked(f"{name}={text}", "," not in text and text == text.strip()) for name, text in texts.items()
    )
    return f"{job.method}:{options}" if options else job.method
