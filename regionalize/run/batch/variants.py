"""Runs spelled out: a job for every method and combination of a grid, and what tells them apart."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import product
from math import prod
from typing import Any

from regionalize.errors import UsageError, counted, located
from regionalize.model.catalog import METHODS, find_method
from regionalize.model.job import JOB_OPTIONS, OUTPUT_OPTIONS, Job, check_option_names
from regionalize.run.batch.plan import Plan, Runs, check_key, options_for, refuse_unknown
from regionalize.run.batch.plan_values import every_key, keys_of, option_names
from regionalize.run.options import make_job
from regionalize.run.recipes import read_recipe

RUN_KEYS = ("method", "name", "grid")
"""Keys of a table of runs besides options."""
MOST_RUNS = 100_000
"""Of a batch: more would be days of work, and are a slip in a grid."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One run, before it is told on what.

    Attributes
    ----------
    job : Job
        What to do.
    outputs : mapping
        What to write, options as given: patterns in the place of paths.
    name : str
        What the run is called in the plan; empty for nothing.
    label : str
        What tells it from the others, for names.
    filtered : bool
        Whether it has a filter of its own, which holds besides that of an input.
    in_grid : tuple of str
        Options that stand in its grid, by their names in Python: they are part of its label, however many
        values there are.
    place : str
        Where it stands in the plan.
    """

    job: Job
    outputs: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    label: str = ""
    filtered: bool = False
    in_grid: tuple[str, ...] = ()
    place: str = ""


def spell_out(plan: Plan, typed: Mapping[str, Any]) -> tuple[tuple[Variant, ...], int]:
    """Return every run of a plan, and how many combinations came to one that was there already.

    Parameters
    ----------
    plan : Plan
        What to run.
    typed : mapping
        Options as Python takes them, which win over the plan. A grid over one of them is a grid no more.

    Raises
    ------
    UsageError
        No method; an option that no run has, or a value that cannot be meant; no number of clusters.
    """
    methods = plan.every_method()
    for runs in plan.runs:
        with located(plan.file, runs.place):
            require_method(runs, plan)
    for name in typed:
        check_taken(name, typed[name], methods)
    refuse_too_many(sum(combinations_of(runs, plan, typed) for runs in plan.runs), plan)
    found: dict[Any, Variant] = {}
    combinations = 0
    for runs in plan.runs:
        with located(plan.file, runs.place):
            for variant in variants_of(runs, plan, typed):
                combinations += 1
                found.setdefault(identity(variant), variant)
    return labelled(tuple(found.values())), combinations - len(found)


def require_method(runs: Runs, plan: Plan) -> None:
    """Refuse a table without a method, or the key that stands in its place."""
    if runs.methods or plan.methods:
        return
    for key in (*runs.options, *runs.grid):
        refuse_unknown(key, (*RUN_KEYS, *every_key()))
    raise UsageError("no method is named", advice="give --method, such as --method kmeans")


def combinations_of(runs: Runs, plan: Plan, typed: Mapping[str, Any]) -> int:
    """Return how many runs a table comes to, before any is made."""
    names = [text.partition(":")[0] for text in runs.methods or plan.methods]
    return sum(prod(len(runs.grid[key]) for key in axes_of(runs, name, typed)) for name in names)


def axes_of(runs: Runs, method: str, typed: Mapping[str, Any]) -> list[str]:
    """Return the keys of a grid that a method has, and that nothing typed takes the place of."""
    keys = keys_of(method)
    return [key for key in runs.grid if key in keys and keys[key] not in typed]


def refuse_too_many(count: int, plan: Plan) -> None:
    """Refuse a batch of more runs than can be meant."""
    if count > MOST_RUNS:
        raise UsageError(
            f"this would be {counted(count, 'run')}, and a batch has {MOST_RUNS:,} at most",
            advice="give fewer values, or make several batches of it",
            file=plan.file,
        )


def check_taken(name: str, value: Any, methods: Sequence[str]) -> None:
    """Refuse an option that none of the methods has, with the reason."""
    if any(name in option_names(find_method(method)) for method in methods):
        return
    if name in OUTPUT_OPTIONS:
        whose = [method for method in METHODS if name in option_names(find_method(method))]
        raise UsageError(
            f"{', '.join(methods)} has nothing for '{name}'", advice=f"it is for {', '.join(whose)}"
        )
    if name not in JOB_OPTIONS:
        check_option_names(
            {name: value}, tuple(known for method in methods for known in keys_of(method).values())
        )
    make_job(methods[0], {name: value})  # refuses it, and says why


def variants_of(runs: Runs, plan: Plan, typed: Mapping[str, Any]) -> Iterable[Variant]:
    """Return the runs of one table."""
    texts = runs.methods or plan.methods
    names = [text.partition(":")[0] for text in texts]
    for key in (*runs.options, *runs.grid):
        check_key(key, names, also=RUN_KEYS)
    for text, name in zip(texts, names, strict=True):
        keys, own_names = keys_of(name), option_names(find_method(name))
        over = {option: value for option, value in typed.items() if option in own_names}
        shared = options_for(name, plan.options, plan)
        own = options_for(name, runs.options, plan)
        axes = axes_of(runs, name, typed)
        in_grid = tuple(keys[key] for key in axes) + (("method",) if "method" in runs.in_grid else ())
        for values in product(*(runs.grid[key] for key in axes)):
            chosen = options_for(name, dict(zip(axes, values, strict=True)), plan)
            variant = make_variant(text, shared, {**own, **chosen}, over, runs)
            yield replace(variant, in_grid=in_grid)


def make_variant(
    text: str, shared: Mapping[str, Any], own: Mapping[str, Any], over: Mapping[str, Any], runs: Runs
) -> Variant:
    """Make one run of options shared, its own, and typed ones that win over both."""
    from regionalize.run.start import require_k

    method = find_method(text.partition(":")[0])
    given = {**shared, **own, **over}
    given = {name: value for name, value in given.items() if value is not None}
    other = method.instead_of_k
    if other and "k" not in own and "k" not in over and other in {**own, **over}:
        given.pop("k", None)  # of all runs, and this one says where to stop in another way
    outputs = {name: given.pop(name) for name in OUTPUT_OPTIONS if name in given}
    job = read_recipe(text, given)
    require_k(method, job)
    return Variant(
        job=job,
        outputs=outputs,
        name=runs.name,
        filtered="where" in own,
        place=runs.place,
    )


def identity(variant: Variant) -> Any:
    """Return what two runs share that are one."""
    return (variant.name, frozen(settings_of(variant.job)), frozen(variant.outputs))


def settings_of(job: Job) -> dict[str, Any]:
    """Return what is not by default, the options of the method apart from those of the same name."""
    return {**job.settings(), "method": job.method}


def frozen(value: Any) -> Any:
    """Return nested plain data that can be a key."""
    if isinstance(value, Mapping):
        return tuple(sorted((str(name), frozen(one)) for name, one in value.items()))
    if isinstance(value, list | tuple):
        return tuple(map(frozen, value))
    return (type(value).__name__, value) if isinstance(value, bool) else value


def labelled(variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
    """Give each run a label, which tells it from the others and changes as little as may be with them.

    It has the run's name, if there is one; the method, where others of that name have another; and what
    stands in the grid, or differs from other runs of the name and method.
    """
    alike: dict[str, list[Variant]] = {}
    for variant in variants:
        alike.setdefault(variant.name, []).append(variant)
    labels: dict[int, str] = {}
    for name, group in alike.items():
        methods = {variant.job.method for variant in group}
        varied = {
            method: names_that_vary([named_settings(one.job) for one in group if one.job.method == method])
            for method in methods
        }
        for variant in group:
            job = variant.job
            names = {*varied[job.method], *variant.in_grid, *(["method"] if len(methods) > 1 else [])}
            labels[id(variant)] = "-".join(filter(None, (name, label_text(job, names, variant.in_grid))))
    return tuple(replace(variant, label=labels[id(variant)]) for variant in variants)


def named_settings(job: Job) -> dict[str, Any]:
    """Return what is not by default, as names tell it: all numbers of regions together."""
    found = settings_of(job)
    if job.levels:
        found["k"] = (*found.pop("levels"), job.k)
    return found


def names_that_vary(settings: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Name the settings that are not the same in all.

    Examples
    --------
    >>> names_that_vary([{"method": "kmeans", "k": 4, "hops": 1}, {"k": 5, "method": "kmeans"}])
    ('k', 'hops')
    """
    names = dict.fromkeys(name for one in settings for name in one)
    return tuple(name for name in names if len({frozen(one.get(name)) for one in settings}) > 1)


def label_text(job: Job, names: Collection[str], in_grid: Collection[str] = ()) -> str:
    """Write settings as part of a name: the method, k, then the others; defaults only those of a grid.

    Examples
    --------
    >>> job = Job(method="schc", k=4, with_centroids=True, alpha=0.25)
    >>> label_text(job, ("k", "alpha", "hops")), label_text(job, ("hops", "with_centroids"), ("hops",))
    ('k4-alpha-0.25', 'with-centroids-hops-0')
    """
    defaults = settings_of(Job(method=job.method))
    settings = {name: value for name, value in named_settings(job).items() if defaults.get(name) != value}
    every = {**{item.name: getattr(job, item.name) for item in fields(job)}, **job.params}
    settings |= {name: every.get(name) for name in in_grid if name not in settings}
    settings["method"] = job.method
    pieces = []
    for name in dict.fromkeys(("method", "k", *every)):
        value = settings.get(name) if name in names else None
        if value is None or value is False:
            continue
        typed = name.replace("_", "-")
        if name == "method":
            pieces.append(str(value))
        elif name == "k":
            pieces.append(f"k{value_label(value)}")
        else:
            pieces.append(typed if value is True else f"{typed}-{value_label(value)}")
    return "-".join(pieces)


def value_label(value: Any) -> str:
    """Write an option's value as part of a name.

    Examples
    --------
    >>> value_label(("a", "b")), value_label((("pop", 2.0),)), value_label(2.0)
    ('a-b', 'pop-2', '2')
    """
    if isinstance(value, Mapping):
        return "-".join(f"{name}-{value_label(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return "-".join(map(value_label, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
