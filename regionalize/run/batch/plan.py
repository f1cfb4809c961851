"""A plan: what a batch reads and runs, written down in TOML."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from regionalize.errors import UsageError, located, nearest
from regionalize.io.toml import read_toml
from regionalize.model.catalog import METHODS, find_method
from regionalize.model.job import SOURCE
from regionalize.model.kinds import (
    TEXT,
    TEXTS,
    TRUTH,
    WHOLE_NUMBER,
    Kind,
    as_toml,
    checked,
    keyed,
    refuse_twice,
)
from regionalize.run.batch.plan_values import OUTPUT_PATHS, every_key, keys_of, value_of

ENDING = ".toml"


@dataclass(frozen=True, kw_only=True)
class Input:
    """Something to read.

    Attributes
    ----------
    path : str
        A file, a folder or a pattern.
    name : str
        What runs on it are called; by default, the file's name.
    by : str or None
        A column: a run for each of its values.
    options : mapping
        `layer`, `where`, `id` and `encoding` of its own.
    """

    path: str
    name: str = ""
    by: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Runs:
    """What is done with every input: a method with options, or a grid of such.

    Attributes
    ----------
    methods : tuple of str
        Names, or ``METHOD:option=value,…``; empty for those of the plan.
    name : str
        What it is called.
    options : mapping
        Values by the keys of the plan.
    grid : mapping of str to list
        Values to combine; `methods` stand apart, also those of a grid.
    in_grid : tuple of str
        Keys of the grid as it was written, the method among them.
    place : str
        Where it stands in the plan, for messages.
    """

    methods: tuple[str, ...] = ()
    name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, list[Any]] = field(default_factory=dict)
    in_grid: tuple[str, ...] = ()
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a batch reads and runs.

    Attributes
    ----------
    inputs : tuple of Input
        What is read; none for the bundled sample.
    runs : tuple of Runs
        What is done with each.
    methods : tuple of str
        What runs that name no method use.
    options : mapping
        Values for all runs, by the keys of the plan: methods that lack an option pass over it.
    by, out_dir, jobs, fail_fast, resume, overwrite, summary
        As the command has them; None where nothing is said.
    file : str
        The plan's own, empty where there is none.
    """

    inputs: tuple[Input, ...] = ()
    runs: tuple[Runs, ...] = (Runs(),)
    methods: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    by: str | None = None
    out_dir: Path | None = None
    jobs: int | None = None
    fail_fast: bool | None = None
    resume: bool | None = None
    overwrite: bool | None = None
    summary: Path | None = None
    file: str = ""

    @property
    def folder(self) -> Path:
        """Where paths that it names start from."""
        return Path(self.file).parent

    def every_method(self) -> tuple[str, ...]:
        """Return the methods of all runs, each once, without options of their own."""
        return method_names(text for runs in self.runs for text in (runs.methods or self.methods))


SETTINGS: dict[str, Kind] = {
    "by": TEXT,
    "out-dir": TEXT,
    "jobs": WHOLE_NUMBER,
    "fail-fast": TRUTH,
    "keep-going": TRUTH,
    "resume": TRUTH,
    "overwrite": TRUTH,
    "summary": TEXT,
}
"""Keys of the whole batch."""
AT_THE_TOP = ("inputs", "input", "run", *SETTINGS)
"""Keys that no run has of its own."""


def plan_of(
    inputs: tuple[str, ...], methods: tuple[str, ...] = (), plan: Plan | None = None, **settings: Any
) -> Plan:
    """Return the plan among the inputs, or one for them, with what was typed, which wins.

    Parameters
    ----------
    inputs : tuple of str
        Files, folders and patterns, among them at most one plan.
    methods : tuple of str
        Methods for all runs.
    plan : Plan, optional
        The one among the inputs, if it was read before.
    **settings
        As `regionalize.run.batch.plan.Plan` has them; None where nothing is said.

    Raises
    ------
    UsageError
        Two plans, or one that cannot be meant.
    """
    plans = [name for name in inputs if name.lower().endswith(ENDING)]
    if len(plans) > 1:
        raise UsageError(f"{plans[0]} and {plans[1]} are both plans", advice="run one after the other")
    plan = Plan() if not plans else plan or read_plan(plans[0])
    others = tuple(Input(path=name) for name in inputs if name not in plans)
    if others:
        plan = replace(plan, inputs=others)
    if methods:
        methods = read_methods(list(methods))
        runs = tuple(replace(one, methods=()) for one in plan.runs)
        plan = replace(plan, methods=methods, runs=runs)
    return with_typed(plan, **settings)


def read_plan(path: str) -> Plan:
    """Read a plan.

    Parameters
    ----------
    path : str
        A TOML file. Paths in it start from its folder.

    Raises
    ------
    UsageError
        The file cannot be read or is not TOML; an unknown key, with the nearest, or a value of the wrong
        type.
    """
    content = read_toml(path, "plan")
    folder = Path(path).parent
    with located(path):
        for key, value in content.items():
            if isinstance(value, dict) and (key == "batch" or key in METHODS):
                raise UsageError(
                    f"[{key}] is a table of a configuration, which is no plan",
                    advice=f"regionalize --config {path} batch",
                )
        content = keyed(content)
        inputs = read_inputs(content.pop("inputs", None), content.pop("input", []), folder)
        methods = read_methods(content.pop("method", []))
        tables = tables_of(content.pop("run", []), "run")
        runs = tuple(read_runs(table, place) for place, table in tables) or (Runs(),)
        settings = {key: content.pop(key) for key in SETTINGS if key in content}
        for key, value in settings.items():
            checked(key, value, SETTINGS[key])
        plan = Plan(
            inputs=inputs,
            runs=runs,
            methods=methods,
            options=content,
            by=settings.get("by"),
            out_dir=Path(found_from(folder, settings["out-dir"])) if "out-dir" in settings else None,
            jobs=settings.get("jobs"),
            fail_fast=fail_fast(settings),
            resume=settings.get("resume"),
            overwrite=settings.get("overwrite"),
            summary=Path(found_from(folder, settings["summary"])) if "summary" in settings else None,
            file=path,
        )
        used = plan.every_method() or tuple(METHODS)
        for key in content:
            check_key(key, used, also=("method", *AT_THE_TOP))
        return plan


def found_from(folder: Path, path: str) -> str:
    """Return a path that starts from a folder, without needless steps up and down.

    Examples
    --------
    >>> found_from(Path("."), "states/*.gpkg"), found_from(Path("no_such"), "../a.gpkg")
    ('states/*.gpkg', 'a.gpkg')
    """
    full = os.path.join(folder, path)
    short = os.path.normpath(full)
    return short if os.path.realpath(short) == os.path.realpath(full) else full  # not across links


def fail_fast(settings: Mapping[str, Any]) -> bool | None:
    """Return what `fail-fast` says, or `keep-going`, its opposite."""
    refuse_twice(settings, lambda key: "fail-fast" if key in {"fail-fast", "keep-going"} else None)
    if "keep-going" in settings:
        return not settings["keep-going"]
    return settings.get("fail-fast")


def read_inputs(names: Any, tables: Any, folder: Path) -> tuple[Input, ...]:
    """Read what is to be read: a list of paths, and tables with options of their own."""
    names = checked("inputs", names, TEXTS) if names is not None else ()
    if names == [] and not tables:
        raise UsageError("inputs is empty", advice="name a file, a folder or a pattern")
    listed = [names] if isinstance(names, str) else names
    found = [Input(path=found_from(folder, name) if name != "-" else name) for name in listed]
    for place, table in tables_of(tables, "input"):
        with located("", place):
            values = keyed(table)
            for key, value in values.items():
                refuse_unknown(key, ("path", "name", "by", *SOURCE))
                checked(key, value, TEXT)
            if "path" not in values:
                raise UsageError("there is no path", advice='write path = "FILE"')
            found.append(
                Input(
                    path=found_from(folder, values["path"]),
                    name=values.get("name", ""),
                    by=values.get("by"),
                    options={key: values[key] for key in SOURCE if key in values},
                )
            )
    return tuple(found)


def read_methods(value: Any) -> tuple[str, ...]:
    """Read one method, or several, in a list or with commas between them."""
    checked("method", value, TEXTS)
    texts = [value] if isinstance(value, str) else value
    methods = [method for text in texts for method in split_methods(text)]
    for method in methods:
        find_method(method.partition(":")[0])
    return tuple(methods)


def method_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names of methods, each once, without the options behind a colon."""
    return tuple(dict.fromkeys(text.partition(":")[0] for text in texts))


def split_methods(text: str) -> list[str]:
    """Split methods with commas between them; the options of one, after a colon, go on to the end.

    Examples
    --------
    >>> split_methods("kmeans, skater"), split_methods("kmeans,schc:linkage=ward,k=3")
    (['kmeans', 'skater'], ['kmeans', 'schc:linkage=ward,k=3'])
    """
    names, colon, options = text.partition(":")
    *others, last = (name.strip() for name in names.split(","))
    return [*others, f"{last}{colon}{options}"]


def read_runs(table: Mapping[str, Any], place: str) -> Runs:
    """Read a table `run`; the values of its options are checked with the method they are for."""
    with located("", place):
        values = keyed(table)
        methods = read_methods(values.pop("method", []))
        name = checked("name", values.pop("name", ""), TEXT)
        grid = values.pop("grid", {})
        if not isinstance(grid, dict):
            raise UsageError(f"grid is {as_toml(grid)}", advice="it takes a table of lists")
        grid = keyed(grid)
        for key in (*values, *grid):
            if key in AT_THE_TOP:
                raise UsageError(
                    f"'{key}' is for all runs alike", advice="write it at the top, before any table"
                )
        for key, value in grid.items():
            if not isinstance(value, list) or not value:
                raise UsageError(
                    f"grid.{key} is {as_toml(value)}", advice="it takes a list of values, at least one"
                )
            if key in values or (key == "method" and methods):
                raise UsageError(f"{key} is in the grid and beside it", advice="keep one of them")
        written = tuple(grid)
        if "method" in grid:
            methods = read_methods(grid.pop("method"))
        return Runs(methods=methods, name=name, options=values, grid=grid, in_grid=written, place=place)


def tables_of(tables: Any, key: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return tables of one key, and where each stands."""
    if isinstance(tables, dict):
        raise UsageError(f"{key} is one table", advice=f"write [[{key}]], in double brackets")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{key} is {as_toml(tables)}", advice=f"write tables, [[{key}]]")
    return [(f"{key} {number}", table) for number, table in enumerate(tables, 1)]


def check_key(key: str, methods: Iterable[str], also: Iterable[str] = ()) -> None:
    """Refuse a key that no method has, saying whose it is or what is nearest."""
    methods = tuple(methods)
    if any(key in keys_of(method) for method in methods):
        return
    if key in every_key():
        whose = [method for method in METHODS if key in keys_of(method)]
        raise UsageError(
            f"'{key}' is no option of {', '.join(methods)}",
            advice=f"it belongs to {', '.join(whose)}" if len(whose) < 6 else "leave it out",
        )
    refuse_unknown(key, [*also, *(known for method in methods for known in keys_of(method))])


def refuse_unknown(key: str, known: Iterable[str]) -> None:
    """Refuse a key that is none of the known."""
    known = list(known)
    if key not in known:
        raise UsageError(f"unknown key '{key}'", advice=nearest(key, known))


def options_for(method: str, values: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """Return the options among keys and values that a method has, as Python takes them.

    Parameters
    ----------
    method : str
        A name of the catalog.
    values : mapping
        By the keys of the plan.
    plan : Plan
        Where they stand: files start from its folder.

    Raises
    ------
    UsageError
        A value of the wrong type.
    """
    keys = keys_of(method)
    refuse_twice(values, keys.get)
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = keys.get(key)
        if name is None:
            continue
        found[name] = value_of(method, key, name, value, plan.folder)
    if plan.out_dir is None:
        for name in OUTPUT_PATHS:
            if name in found and found[name] != "-" and not is_ending(found[name]):
                found[name] = found_from(plan.folder, found[name])
    return found


def is_ending(pattern: str) -> bool:
    """Whether a pattern is an ending alone, such as ``.png``.

    Examples
    --------
    >>> is_ending(".png"), is_ending(".shp.zip"), is_ending("{name}.png"), is_ending("./a.png")
    (True, True, False, False)
    """
    return pattern.startswith(".") and "/" not in pattern and "\\" not in pattern and "{" not in pattern


def with_typed(plan: Plan, **typed: Any) -> Plan:
    """Return a plan with what was typed beside it, which wins."""
    if typed.get("by") is not None:
        plan = replace(plan, inputs=tuple(replace(one, by=None) for one in plan.inputs))
    return replace(plan, **{name: value for name, value in typed.items() if value is not None})
