"""Methods of other packages: an entry point of the group `regionalize.methods` names a `Method` row."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, fields
from functools import cache
from typing import get_args

from regionalize.errors import PluginError, RegionalizeError, listed, shortened
from regionalize.model.catalog import OWN
from regionalize.model.job import JOB_OPTIONS, OUTPUT_OPTIONS
from regionalize.model.method import Center, Length, Method, Param, Share

GROUP = "regionalize.methods"
COMMANDS = frozenset(
    {
        *("assign", "batch", "choose-k", "compare", "completion", "contiguous", "info", "map", "rank"),
        *("sample", "smooth", "stability", "validate", "weights"),
    }
)
"""Commands that are no methods (a test holds them equal to those of `regionalize.cli`)."""
ARGUMENTS = ("seed", "bounds", "jobs", "progress", "findings")
"""What every method function is given besides X, k and its own options."""
OF_COMMANDS = frozenset(
    {
        *("as_json", "config", "debug", "help", "json", "no_color", "quiet", "save_config", "timing"),
        *("verbose", "version"),  # at a shell, with any method
        *("by", "fail_fast", "grid", "input", "inputs", "keep_going", "name", "out_dir", "path", "resume"),
        *("run", "summary"),  # of a batch, and of its plan
        *("ks", "match", "resample", "reseed", "runs", "stability_column", "words"),  # of studies
        *("connectivity", "frame", "n_clusters", "options", "params", "things"),  # in Python
    }
)
"""What commands and calls that run methods have besides (a test holds that all are there)."""
RESERVED = frozenset({*JOB_OPTIONS, *OUTPUT_OPTIONS, *ARGUMENTS, *OF_COMMANDS, "X", "levels"})
"""Names that an option of a method cannot have."""
IMPORTED: set[str] = set()
"""Methods of other packages whose code this process has imported, or tried to."""
KINDS = (int, float, str, Share, Length)
"""Kinds of options, beside a tuple of words."""


@dataclass(frozen=True)
class Plugin:
    """An entry point: the name of a method, the package it is from, and what returns its row."""

    name: str
    package: str
    load: Callable[[], object]


@cache
def offered() -> dict[str, Plugin]:
    """Return what installed packages offer, by name and sorted; nothing of it is imported."""
    from importlib.metadata import distributions

    found: dict[str, Plugin] = {}
    seen: set[str] = set()
    for distribution in distributions():
        with suppress(Exception):  # what is wrong with the files of some package is not for us to tell
            if GROUP not in (distribution.read_text("entry_points.txt") or ""):
                continue
            package, version = distribution.metadata["Name"], distribution.version
            if package in seen:  # installed twice: Python imports the first
                continue
            seen.add(package)
            for point in distribution.entry_points:
                if point.group == GROUP:
                    name = point.name
                    other = found.get(name)
                    load = point.load if other is None else both(f"{other.package} and {package} {version}")
                    found[name] = Plugin(name, f"{package} {version}", load)
    return {name: found[name] for name in sorted(found)}


def both(packages: str) -> Callable[[], object]:
    """Return what says that two packages offer a method of one name."""

    def load() -> object:
        raise ValueError(f"{packages} both offer it")

    return load


def plugin_row(name: str) -> Method:
    """Return the row of another package's method.

    Raises
    ------
    KeyError
        No package offers one of that name.
    PluginError
        It cannot be imported, is no row, or has a name or options that are taken.
    """
    found = tried(name)
    if isinstance(found, Method):
        return found
    if isinstance(found, KeyboardInterrupt):  # whoever waits for this one has had enough
        raise found
    package = offered()[name].package
    raise PluginError(
        f"method '{name}' of package {package} cannot be used: {told(found)}",
        advice=f"update that package, or remove it (pip uninstall {package.split()[0]})",
    ) from found


@cache
def tried(name: str) -> Method | BaseException:
    """Return what an entry point names, or what stands in the way; either way it is imported once."""
    plugin = offered()[name]
    try:
        if name in OWN or name in COMMANDS:
            raise ValueError(f"'{name}' is {'a method' if name in OWN else 'a command'} already")
        IMPORTED.add(name)
        with redirect_stdout(sys.stderr):
            row = plugin.load()
        check_row(row, name)
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        return error
    assert isinstance(row, Method)
    return row


def usable() -> list[str]:
    """Name the methods of other packages that can be used."""
    return [name for name in offered() if isinstance(tried(name), Method)]


def faults() -> dict[str, str]:
    """Say of the methods of other packages that cannot be used what is wrong, by name."""
    found = {name: tried(name) for name in offered()}
    return {
        name: f"{told(fault)} ({offered()[name].package})"
        for name, fault in found.items()
        if isinstance(fault, BaseException)
    }


def check_row(row: object, name: str) -> None:
    """Make sure that an object can stand in the catalog under a name.

    Parameters
    ----------
    row : object
        What an entry point names.
    name : str
        What the entry point is called.

    Raises
    ------
    ValueError
        With what is wrong.

    Examples
    --------
    >>> check_row(Method("near", "Group.", "near:near", (), "Doe (2020)"), "near")
    >>> check_row(Method("near", "Group.", "near.near", (), "Doe (2020)"), "near")
    Traceback (most recent call last):
    ValueError: its function is 'near.near', not 'module:function'
    """
    if not isinstance(row, Method):
        raise ValueError(f"its entry point names a {type(row).__name__}, not a Method")
    if row.name != name:
        raise ValueError(f"its row is called '{row.name}', and its entry point '{name}'")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ValueError("a name is made of small letters, digits and hyphens")
    for text in ("summary", "function", "reference", "instead_of_k"):
        if not isinstance(getattr(row, text), str):
            raise ValueError(f"its {text} is not text")
    if not re.fullmatch(r"[\w.]+:\w+", row.function):
        raise ValueError(f"its function is '{row.function}', not 'module:function'")
    for item in fields(Method):
        if isinstance(item.default, bool) and not isinstance(getattr(row, item.name), bool):
            raise ValueError(f"its {item.name} is not True or False")
    if row.center not in get_args(Center):
        raise ValueError(f"its center is '{row.center}', not one of {listed(get_args(Center))}")
    if not isinstance(row.params, tuple) or not all(isinstance(param, Param) for param in row.params):
        raise ValueError("its params are not a tuple of Param")
    check_params(row)


def check_params(row: Method) -> None:
    """Make sure that the options of a row have kinds and names that a command can have."""
    names = [param.name for param in row.params]
    typed = RESERVED - {"method"} | ({"linkage"} if row.linkage_matrix else set())  # as they are at a shell
    for at, param in enumerate(row.params):
        if not re.fullmatch(r"[a-z]\w*", str(param.name)) or param.name in names[:at]:
            raise ValueError(f"it cannot have an option called '{param.name}'")
        shown = param.option.removeprefix("--").replace("-", "_").removeprefix("no_")  # a flag, switched off
        if param.name in RESERVED or shown in typed:
            raise ValueError(f"its option {param.option} is called as one of regionalize's own")
        words = param.kind if isinstance(param.kind, tuple) else None
        if words is None and param.kind not in KINDS:
            raise ValueError(f"its option {param.option} is of no kind there is (int, float, str, words …)")
        if words is not None and (
            param.default not in words or not all(isinstance(one, str) for one in words)
        ):
            raise ValueError(f"the default of its option {param.option} is none of its words")
        if not isinstance(param.help, str) or not param.help:
            raise ValueError(f"its option {param.option} has no help")
        if param.only_with is not None and param.only_with[0] not in names:
            raise ValueError(f"its option {param.option} belongs to one there is not")
    needed = {"start": row.takes_start, "eps": row.places, row.instead_of_k: bool(row.instead_of_k)}
    for name, is_needed in needed.items():
        if is_needed and name not in names:
            raise ValueError(f"it has no option called '{name}', which its row speaks of")


@contextmanager
def blamed(name: str, package: str) -> Iterator[None]:
    """Turn what another package's method does wrong into one line that names the package.

    What it prints goes to standard error, so that standard output stays the result.

    Examples
    --------
    >>> with blamed("near", "near-regions 0.1"):
    ...     1 / 0
    Traceback (most recent call last):
    regionalize.errors.PluginError: method 'near' of package near-regions 0.1 failed: division by zero \
(ZeroDivisionError); tell its authors: the fault is theirs (--debug shows where)
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (RegionalizeError, MemoryError):  # said on purpose, or nobody's fault
        raise
    except (Exception, SystemExit) as error:
        what = "gave a wrong answer" if isinstance(error, AssertionError) else "failed"
        raise PluginError(
            f"method '{name}' of package {package} {what}: {told(error)}",
            advice="tell its authors: the fault is theirs (--debug shows where)",
        ) from error


def told(error: BaseException) -> str:
    """Say what was raised, and of what kind where that is not plain.

    Examples
    --------
    >>> told(KeyError("a")), told(ModuleNotFoundError("No module named 'b'"))
    ("'a' (KeyError)", "No module named 'b'")
    """
    kind, text = type(error).__name__, str(error)
    if not text or kind not in {"ValueError", "AssertionError", "ModuleNotFoundError"}:
        text = f"{shortened(text)} ({kind})".strip()
    return shortened(text)
