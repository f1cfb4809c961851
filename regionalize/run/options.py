"""From option values, as typed at a shell or given in Python, to a `Job`: one place for both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from regionalize.errors import UsageError, nearest
from regionalize.model.catalog import Method, find_method
from regionalize.model.job import JOB_OPTIONS, Job, check_option_names

CHOICES = {
    "missing": ("error", "drop", "mean", "median"),
    "transform": ("z", "mad", "range-standardize", "range-adjust", "demean", "robust", "raw"),
    "centroid_scale": ("axis", "isotropic"),
    "smooth_mode": ("mean", "sum", "idw", "gaussian"),
    "dtype": ("float64", "float32"),
    "islands": ("keep", "nearest", "error"),
}
"""Options that take one of a few words; the command line shows the same lists."""

MOST_SEED = 2**63 - 1


def make_job(method: str, options: Mapping[str, Any]) -> Job:
    """Build a job from loose option values, refusing what cannot be meant.

    Parameters
    ----------
    method : str
        A name of the catalog.
    options : mapping
        Option names with underscores. Lists may be comma-separated text, bounds ``"pop=10%"`` or a pair,
        column weights text, a mapping or pairs. None means not given.

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
    params = {name: given.pop(name) for name in own if name in given}
    for name in ("columns", "exclude"):
        if name in given:
            given[name] = split_list(given[name])
    if "column_weights" in given:
        given["column_weights"] = parse_column_weights(given["column_weights"])
    for name in ("min_bound", "max_bound"):
        if name in given:
            given[name] = parse_bound(given[name], name)
    if "centroid_weight" in given:
        given["centroid_weight"] = parse_centroid_weight(given["centroid_weight"])
        given["with_centroids"] = True
    for name, choices in CHOICES.items():
        check_choice(name, given.get(name), choices)
    check_numbers(given)
    return Job(**{**given, "method": method, "params": checked_params(row, params)})


def check_numbers(given: Mapping[str, Any]) -> None:
    """Refuse numbers outside their range."""
    whole = {"k": 1, "hops": 0, "seed": 0, "min_size": 0, "max_size": 1, "jobs": 1}
    for name, least in whole.items():
        value = given.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
            raise UsageError(f"{shown(name)} is {value}; it must be a whole number of at least {least}")
    if given.get("seed", 0) > MOST_SEED:
        raise UsageError(f"--seed is {given['seed']}; it must be at most {MOST_SEED}")
    if not 0 <= given.get("alpha", 0.5) <= 1:
        raise UsageError(f"--alpha is {given['alpha']}; it must be from 0 to 1")
    if not 0 <= given.get("snap", 0.0) < float("inf"):
        raise UsageError(f"--snap is {given['snap']}; it must be a distance of at least 0")


def checked_params(method: Method, params: Mapping[str, Any]) -> dict[str, Any]:
    """Check a method's own options against the catalog."""
    for param in method.params:
        value = params.get(param.name)
        if isinstance(param.kind, tuple):
            check_choice(param.name, value, param.kind)
        elif value is not None and param.minimum is not None and value < param.minimum:
            raise UsageError(f"{shown(param.name)} is {value}; it must be at least {param.minimum:g}")
    return dict(params)


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

    texts = [value] if isinstance(value, str) else list(value)
    rows = csv.reader([str(text) for text in texts], skipinitialspace=True)
    return tuple(name.strip() for row in rows for name in row if name.strip())


def parse_column_weights(value: Any) -> tuple[tuple[str, float], ...]:
    """Read ``pop=2,gini=.5``, a mapping or pairs."""
    if isinstance(value, str) or (isinstance(value, tuple) and all(isinstance(item, str) for item in value)):
        pairs: Iterable[tuple[str, Any]] = [split_pair(item, "column-weights") for item in split_list(value)]
    else:
        pairs = value.items() if isinstance(value, Mapping) else value
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
    column, amount = split_pair(value, name) if isinstance(value, str) else value
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
