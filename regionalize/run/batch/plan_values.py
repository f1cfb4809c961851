"""Options by the keys that stand for them in a plan, and the types that their values have there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

from regionalize.errors import UsageError
from regionalize.model.catalog import METHODS, find_method
from regionalize.model.job import JOB_OPTIONS, WEIGHTS_FILES, Outputs
from regionalize.model.method import Length, Method, Param, Share
from regionalize.run.options import REAL, WHOLE
from regionalize.run.recipes import taken_by

FLAGS = ("with_centroids", "make_contiguous", "dissolve_lines", "qml")
LISTS = ("columns", "exclude", "time_columns")
PAIRS = ("min_bound", "max_bound")
OF_BATCH = ("overwrite", "jobs", "method")
"""Options of a run that a batch has in another sense."""
OUTPUT_FIELDS = {field.name: field for field in fields(Outputs)}
OUTPUT_PATHS = tuple(name for name, field in OUTPUT_FIELDS.items() if str(field.type) == "Path | None")
"""Options that name a file to write."""

Check = tuple[str, Callable[[Any], bool]]
"""What is said of a type of values, and what tells them."""


def is_whole(value: Any) -> bool:
    """Whether TOML has a whole number there."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether TOML has a number there."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_text(value: Any) -> bool:
    """Whether TOML has text there."""
    return isinstance(value, str)


def is_texts(value: Any) -> bool:
    """Whether TOML has text there, or a list of texts."""
    return is_text(value) or (isinstance(value, list) and all(map(is_text, value)))


def is_numbers(value: Any) -> bool:
    """Whether TOML has a whole number there, or a list of such."""
    return is_whole(value) or (isinstance(value, list) and bool(value) and all(map(is_whole, value)))


TEXT: Check = ("text", is_text)
TEXTS: Check = ("text, or a list of texts", is_texts)
TRUTH: Check = ("true or false", lambda value: isinstance(value, bool))
WHOLE_NUMBER: Check = ("a whole number", is_whole)
NUMBER: Check = ("a number", is_number)
NUMBER_OR_TEXT: Check = ("a number or text", lambda value: is_number(value) or is_text(value))
NUMBERS: Check = ("a whole number, or a list of such", is_numbers)
TABLE: Check = ("text, a list of texts, or a table", lambda value: is_texts(value) or isinstance(value, dict))
PAIR: Check = ("text, or a table of one column", lambda value: is_text(value) or isinstance(value, dict))


def check_of(name: str, param: Param | None = None) -> Check:
    """Return what an option takes in TOML.

    Parameters
    ----------
    name : str
        As Python has it.
    param : Param, optional
        The catalog's row of an option that one method alone has.
    """
    if param is not None:
        kinds: dict[Any, Check] = {
            int: WHOLE_NUMBER,
            float: NUMBER,
            Share: NUMBER_OR_TEXT,
            Length: NUMBER_OR_TEXT,
        }
        return kinds.get(param.kind, TEXT) if not isinstance(param.kind, tuple) else TEXT
    if name == "k":
        return NUMBERS
    if name in FLAGS:
        return TRUTH
    if name in LISTS or name == "axes":
        return TEXTS
    if name in {"column_weights", "aggregate"}:
        return TABLE
    if name in PAIRS:
        return PAIR
    if name in WHOLE or name == "truncate":
        return WHOLE_NUMBER
    if name in REAL:
        return NUMBER
    return NUMBER_OR_TEXT if name == "centroid_weight" else TEXT


def checked(key: str, value: Any, check: Check) -> Any:
    """Return a value of the type that is asked for, or refuse it.

    Raises
    ------
    UsageError
        Without the place.
    """
    takes, holds = check
    if not holds(value):
        shown = str(value).lower() if isinstance(value, bool) else shortened(value)
        raise UsageError(f"{key} is {shown}", advice=f"it takes {takes}")
    return value


@cache
def keys_of(method: str) -> Mapping[str, str]:
    """Return the keys of all options that runs of a method have, and what Python calls each.

    What is typed at a shell, without the dashes; what Python calls an option stands for it too, where no
    other option is typed so.

    Examples
    --------
    >>> keys_of("hierarchical")["linkage"], keys_of("schc")["linkage"], "dendrogram" in keys_of("kmeans")
    ('save_linkage', 'linkage', False)
    """
    row = find_method(method)
    names = option_names(row)
    typed = {param.name: param.option.removeprefix("--") for param in row.params}
    typed |= {name: field.metadata.get("typed", typed_as(name)) for name, field in OUTPUT_FIELDS.items()}
    # hierarchical's own --method has no place beside that of a batch: it is said after a colon
    found = {typed.get(name, typed_as(name)): name for name in names}
    found = {key: name for key, name in found.items() if key not in OF_BATCH}
    for name in names:
        found.setdefault(typed_as(name), name)
    return found


def typed_as(name: str) -> str:
    """Return a name with the dashes that an option is typed with."""
    return name.replace("_", "-")


def option_names(method: Method) -> tuple[str, ...]:
    """Return the options that runs of a method have in a batch, as Python calls them."""
    job = taken_by(method, dict.fromkeys((*JOB_OPTIONS, *(param.name for param in method.params))))
    return tuple(name for name in (*job, *output_names(method)) if name not in OF_BATCH)


def output_names(method: Method) -> tuple[str, ...]:
    """Return the outputs that a method has something to put into."""
    lacking = set() if method.tree else {"save_tree"}
    lacking |= set() if method.noise else {"outliers"}
    lacking |= set() if method.nested else {"dendrogram", "truncate"}
    lacking |= set() if method.linkage_matrix else {"save_linkage"}
    return tuple(name for name in OUTPUT_FIELDS if name not in lacking)


@cache
def every_key() -> frozenset[str]:
    """Return the keys of the options of all methods."""
    return frozenset(key for method in METHODS for key in keys_of(method))


def value_of(method: str, key: str, name: str, value: Any, folder: Path) -> Any:
    """Return an option's value as Python takes it: checked, files that are read found from a folder."""
    param = next((param for param in find_method(method).params if param.name == name), None)
    checked(key, value, check_of(name, param))
    if name == "axes" and isinstance(value, list):
        return ",".join(value)
    is_file = (
        value.lower().endswith(WEIGHTS_FILES)
        if name == "weights"
        else param is not None and param.kind is str and not param.words
    )
    return str(folder / value) if is_file else value
