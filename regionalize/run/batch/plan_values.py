"""Options by the keys that stand for them in a plan, and their values as Python takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from regionalize.errors import UsageError
from regionalize.model.catalog import METHODS, find_method
from regionalize.model.job import JOB_OPTIONS, WEIGHTS_FILES, Outputs
from regionalize.model.kinds import as_toml, checked, kind_in, with_dashes
from regionalize.model.method import Method
from regionalize.run.recipes import taken_by

OF_BATCH = ("overwrite", "jobs", "method", "engine", "scheduler")
"""Options of a run that a batch has in another sense, or in place of which it has processes of its own."""
OUTPUT_FIELDS = {field.name: field for field in fields(Outputs)}
OUTPUT_PATHS = tuple(name for name, field in OUTPUT_FIELDS.items() if str(field.type) == "Path | None")
"""Options that name a file to write."""


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
    typed |= {name: field.metadata.get("typed", with_dashes(name)) for name, field in OUTPUT_FIELDS.items()}
    # hierarchical's own --method has no place beside that of a batch: it is said after a colon
    found = {typed.get(name, with_dashes(name)): name for name in names}
    found = {key: name for key, name in found.items() if key not in OF_BATCH}
    for name in names:
        found.setdefault(with_dashes(name), name)
    return found


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
    row = find_method(method)
    param = next((param for param in row.params if param.name == name), None)
    kind = kind_in(row, name)
    if isinstance(value, list) and not kind.several and value and all(map(kind.one, value)):
        raise UsageError(
            f"{key} is {as_toml(value)}",
            advice=f"it takes {kind.takes}; for a run with each, write grid = {{{key} = [...]}} in a [[run]]",
        )
    checked(key, value, kind)
    if name == "axes" and isinstance(value, list):
        return ",".join(value)
    is_file = (
        value.lower().endswith(WEIGHTS_FILES)
        if name == "weights"
        else param is not None and param.kind is str and not param.words
    )
    return str(folder / value) if is_file else value
