"""From option values, as typed at a shell or given in Python, to a `Job`: one place for both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf, nextafter
from numbers import Real
from operator import ge, gt, index, lt
from os import PathLike, fspath
from reprlib import repr as shortened
from typing import Any

from regionalize.errors import UsageError, listed, nearest
from regionalize.model.catalog import METHODS, find_method
from regionalize.model.job import BOUNDS, CHOICES, JOB_OPTIONS, Job, check_option_names
from regionalize.model.length import parse_length
from regionalize.model.method import Length, Method, Param, Share
from regionalize.model.series import parse_embedding

WHOLE = {
    "k": 1,
    "hops": 0,
    "seed": 0,
    "min_size": 0,
    "max_size": 1,
    "jobs": 1,
    "batch_size": 1,
    "warm_start": 1,
}
"""Options that take a whole number, and the least it may be."""
REAL = {
    "alpha": (nextafter(1, 2), "from 0 to 1"),
    "snap": (inf, "a distance of at least 0"),
    "compactness": (1.0, "at least 0 and below 1"),
}
"""Options that take a number of at least 0, what it stays below, and how that is said."""
TEXT = ("layer", "where", "id", "encoding", "project", "weights", "within", "locked", "scheduler")
LARGE = ("batch_size", "warm_start", "test_share", "sample", "engine", "scheduler")
"""Options of `regionalize.run.large`."""
MOST_SEED = 2**63 - 1


def make_job(method: str, options: Mapping[str, Any]) -> Job:
    """Build a job from loose option values, refusing what cannot be meant.

    Parameters
    ----------
    method : str
        A name of the catalog.
    options : mapping
        Option names with underscores. Lists are lists of names, or comma-separated text; bounds are
        ``"pop=10%"`` or a pair; column weights are text, a mapping or pairs. None means not given.

    Raises
    ------
    UsageError
        An unknown option (with the nearest name) or a value outside its range.

    Examples
    --------
    >>> make_job("kmeans", {"k": 4, "columns": "a,b", "min_bound": "pop=10%"}).min_bound
    ('pop', '10%')
    """
    row = find_method(method)
    own = tuple(param.name for param in row.params)
    check_option_names(options, (*JOB_OPTIONS, *own))
    given = {name: value for name, value in options.items() if value is not None}
    check_belongs(row, given)
    params = {name: given.pop(name) for name in own if name in given}
    if "k" in given:
        *given["levels"], given["k"] = parse_numbers(row, given["k"])
        given["levels"] = tuple(given["levels"])
    for name in ("columns", "exclude"):
        if name in given:
            value = given[name]
            given[name] = split_list(value) if isinstance(value, str) else tuple(map(str, value))
    if "embed" in given:
        given["embed"] = parse_embedding(given["embed"])
        if given.get("column_weights"):
            raise UsageError(
                "--embed makes one series of the columns, and --column-weights weighs them apart",
                advice="leave out one of them",
            )
    if "column_weights" in given:
        given["column_weights"] = parse_column_weights(given["column_weights"])
    for name in ("min_bound", "max_bound"):
        if name in given:
            given[name] = parse_bound(given[name], name)
    if "centroid_weight" in given:
        given["centroid_weight"] = parse_centroid_weight(given["centroid_weight"])
        if given.get("with_centroids") is False:
            raise UsageError(
                "--centroid-weight is for centroids, and these are switched off", advice="give one of them"
            )
        given["with_centroids"] = True
    for name, choices in CHOICES.items():
        check_choice(name, given.get(name), choices)
    check_large(row, given)
    values = plain_values(given)
    if not values.get("with_centroids"):
        values.setdefault("compactness", row.compactness)
    if values.get("compactness") and values.get("with_centroids"):
        other = "centroid-weight" if "centroid_weight" in values else "with-centroids"
        raise UsageError(
            f"--compactness and --{other} both put weight on the coordinates", advice="give one of them"
        )
    return Job(**{**values, "method": method, "params": checked_params(row, params)})


def check_large(method: Method, given: dict[str, Any]) -> None:
    """Read the options of large data, if there are any, and refuse what they cannot do."""
    if given.keys() & set(LARGE):
        from regionalize.run.large import read_large

        given.update(read_large(method, given))


def check_belongs(method: Method, given: Mapping[str, Any]) -> None:
    """Refuse options of contiguous regions, and of searches that begin with a plan, for other methods."""
    for name in BOUNDS:
        if name in given and not method.bounded:
            raise UsageError(
                f"{shown(name)} is nothing that {method.name} can keep",
                advice="use kmeans, or a method that makes contiguous regions",
            )
    for name, belongs, kind in (
        ("within", method.contiguous, "make contiguous regions"),
        ("compactness", method.contiguous, "make contiguous regions"),
        ("locked", method.takes_start, "begin with a plan"),
        ("k", method.takes_k, "are told the number of clusters"),
    ):
        if name in given and not belongs:
            raise UsageError(f"{shown(name)} is for methods that {kind}, and {method.name} is none of them")
    if given.get("make_contiguous"):
        check_make_contiguous(method, given)


def check_make_contiguous(method: Method, given: Mapping[str, Any]) -> None:
    """Refuse to make regions contiguous that are anyhow, or that would no longer keep what was asked."""
    if method.contiguous:
        raise UsageError(
            f"regions of {method.name} are contiguous anyhow", advice="leave out --make-contiguous"
        )
    for name in BOUNDS:
        if name in given:
            regions = [name for name, other in METHODS.items() if other.contiguous]
            raise UsageError(
                f"{shown(name)} and --make-contiguous exclude each other: joining pieces keeps no bound",
                advice=f"use a method that makes contiguous regions ({listed(regions)})",
            )
    if isinstance(given.get("k"), list | tuple) and len(given["k"]) > 1:
        raise UsageError("--make-contiguous takes one number of clusters: made contiguous they nest no more")
    if given.get("centroid_weight") == "auto":
        raise UsageError(
            "--centroid-weight auto and --make-contiguous are two ways to contiguous clusters",
            advice="give one of them",
        )


def parse_numbers(method: Method, k: Any) -> tuple[int, ...]:
    """Read one number of regions, or several of a method that nests them, rising, each once.

    Examples
    --------
    >>> parse_numbers(find_method("skater"), 12)
    (12,)
    """
    several = isinstance(k, Iterable) and not isinstance(k, str | bytes)
    numbers = sorted({whole_number("k", one, WHOLE["k"]) for one in (k if several else (k,))})
    if not numbers:
        raise UsageError("--k is empty", advice="give at least one number")
    if len(numbers) > 1 and not method.nested:
        nesting = [name for name, other in METHODS.items() if other.nested]
        raise UsageError(
            f"--k takes one number: regions that {method.name} makes for several do not lie in each other",
            advice=f"run it once per number{f', or use {listed(nesting)}' if nesting else ''}",
        )
    return tuple(numbers)


def plain_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return option values as plain Python numbers, text and truth, refusing what is none or out of range."""
    found = dict(given)
    for name in given.keys() & WHOLE.keys():
        found[name] = whole_number(name, given[name], WHOLE[name])
    if found.get("seed", 0) > MOST_SEED:
        raise UsageError(f"--seed is {found['seed']}; it must be at most {MOST_SEED}")
    for name, (most, range_) in REAL.items():
        if name in given:
            found[name] = real_number(name, given[name])
            if not 0 <= found[name] < most:
                raise UsageError(f"{shown(name)} is {given[name]}; it must be {range_}")
    for name in given.keys() & set(TEXT):
        if not isinstance(given[name], str):
            raise UsageError(f"{shown(name)} is {given[name]!r}; it must be text")
    for name in given.keys() & {"with_centroids", "make_contiguous"}:
        if not isinstance(given[name], bool):
            raise UsageError(f"{shown(name)} is {given[name]!r}; it must be True or False")
    return found


def whole_number(name: str, value: Any, least: float | None = None) -> int:
    """Return a whole number of any integer type as int."""
    try:
        number = None if isinstance(value, bool) else index(value)
    except TypeError:
        number = None
    if number is None or (least is not None and number < least):
        bound = "" if least is None else f" of at least {least:g}"
        raise UsageError(f"{shown(name)} is {value}; it must be a whole number{bound}")
    return number


def real_number(name: str, value: Any) -> float:
    """Return a number of any real type as float."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise UsageError(f"{shown(name)} is {value}; it must be a number")
    return float(value)


def checked_params(method: Method, params: Mapping[str, Any]) -> dict[str, Any]:
    """Check a method's own options against the catalog."""
    found = dict(params)
    for param in method.params:
        value = params.get(param.name)
        if value is None:
            continue
        if isinstance(param.kind, tuple):
            check_choice(param.name, value, param.kind)
        elif param.kind is int:
            found[param.name] = whole_number(param.name, value, param.minimum)
        elif param.kind is Share:
            found[param.name] = share(param.name, value)
        elif param.kind is Length:
            found[param.name] = length(param.name, value)
        elif param.kind is float:
            found[param.name] = real_number(param.name, value)
            check_range(param, found[param.name])
        elif param.kind is str and isinstance(value, PathLike):
            found[param.name] = fspath(value)
        elif param.kind is str and not isinstance(value, str):
            raise UsageError(f"{shown(param.name)} is {shortened(value)}; it must be text")
    return found


def check_range(param: Param, value: float) -> None:
    """Refuse a number outside the range of a method's own option, or one that is none."""
    limits = (
        (param.minimum, "at least", ge),
        (param.above, "above", gt),
        (param.below, "below", lt),
    )
    named = [(limit, words, holds) for limit, words, holds in limits if limit is not None]
    if not all(holds(value, limit) for limit, _, holds in named):
        range_ = " and ".join(f"{words} {limit:g}" for limit, words, _ in named)
        raise UsageError(f"{shown(param.name)} is {value:g}; it must be {range_}")


def share(name: str, value: Any) -> float:
    """Read a share of a whole, 0.05 or "5%".

    Examples
    --------
    >>> share("tolerance", "5%"), share("tolerance", 0.05)
    (0.05, 0.05)
    """
    text = str(value).strip()
    try:
        found = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < inf:
        raise UsageError(f"{shown(name)} is {value}; it must be a share such as 5% or 0.05")
    return found


def length(name: str, value: Any) -> float | str:
    """Read a length: with a unit it stays text, without it is a number.

    Examples
    --------
    >>> length("eps", "1 KM"), length("eps", "0.5"), length("eps", 2)
    ('1km', 0.5, 2.0)
    """
    try:
        number, unit = parse_length(value if isinstance(value, str) else repr(real_number(name, value)))
    except ValueError:
        raise UsageError(
            f"{shown(name)} is {value!r}; it must be a number above 0, or a length such as 1km or 500m"
        ) from None
    return f"{number:.15g}{unit}" if unit else number


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuse a word that is not among the choices."""
    if value is not None and value not in choices:
        hint = nearest(str(value), choices)
        raise UsageError(f"{shown(name)} is '{value}'; it must be one of {', '.join(choices)}", advice=hint)


def shown(name: str) -> str:
    """Write an option's name as it is typed."""
    return "--" + name.replace("_", "-")


def split_list(value: str | Iterable[str]) -> tuple[str, ...]:
    """Split comma-separated text, or each of several; a comma inside double quotes stays.

    Examples
    --------
    >>> split_list(["a,b", '"c, d"'])
    ('a', 'b', 'c, d')
    """
    import csv
    import io

    texts = [value] if isinstance(value, str) else list(value)
    rows = (row for text in texts for row in csv.reader(io.StringIO(text, newline=""), skipinitialspace=True))
    return tuple(name.strip() for row in rows for name in row if name.strip())


def parse_column_weights(value: Any) -> tuple[tuple[str, float], ...]:
    """Read ``pop=2,gini=.5``, a mapping or pairs."""
    if isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        pairs: Iterable[tuple[str, Any]] = [split_pair(item, "column-weights") for item in split_list(value)]
    else:
        try:
            pairs = dict(value).items()
        except (TypeError, ValueError):
            raise UsageError(
                f"--column-weights is {value!r}", advice="give a mapping of columns to weights"
            ) from None
    found = []
    for name, number in pairs:
        try:
            found.append((str(name), float(number)))
        except (TypeError, ValueError):
            raise UsageError(
                f"the weight of '{name}' is '{number}', which is not a number",
                advice="write --column-weights pop=2",
            ) from None
    return tuple(found)


def parse_bound(value: Any, name: str) -> tuple[str, float | str]:
    """Read ``pop=50000`` or ``pop=10%``."""
    if isinstance(value, str):
        column, amount = split_pair(value, name)
    elif isinstance(value, Mapping) and len(value) == 1:
        ((column, amount),) = value.items()
    elif isinstance(value, tuple | list) and len(value) == 2:
        column, amount = value
    else:
        raise UsageError(f"{shown(name)} is {value!r}", advice="give a pair of column and amount")
    text = str(amount).strip()
    share = text.endswith("%")
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = float("nan")
    if not 0 <= number < float("inf"):
        raise UsageError(
            f"{shown(name)} of '{column}' is '{amount}'", advice="give a number or a share such as 10%"
        )
    return str(column), text if share else number


def split_pair(text: str, option: str) -> tuple[str, str]:
    """Split ``column=value`` at the last equals sign."""
    column, equals, value = text.rpartition("=")
    if not equals or not column.strip():
        raise UsageError(f"{shown(option)} is '{text}'", advice="write COLUMN=VALUE")
    return column.strip(), value.strip()


def parse_centroid_weight(value: Any) -> float | str:
    """Read a number from 0 to 1, or ``auto``."""
    if value == "auto":
        return "auto"
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not 0 <= number <= 1:
        raise UsageError(f"--centroid-weight is {value}", advice="give a number from 0 to 1, or auto")
    return number
