"""Runs spelled out: a job for every method and combination of a grid, and what tells them apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from regionalize.errors import UsageError, located
from regionalize.model.catalog import METHODS, find_method
from regionalize.model.job import JOB_OPTIONS, OUTPUT_OPTIONS, Job, check_option_names
from regionalize.run.batch.plan import Plan, Runs, check_key, options_for
from regionalize.run.batch.plan_values import keys_of, option_names
from regionalize.run.options import make_job
from regionalize.run.recipes import read_recipe


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
    place : str
        Where it stands in the plan.
    """

    job: Job
    outputs: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    label: str = ""
    filtered: bool = False
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
    if not methods or not all(runs.methods or plan.methods for runs in plan.runs):
        raise UsageError(
            "no method is named", advice="give --method, such as --method kmeans", file=plan.file
        )
    for name in typed:
        check_taken(name, typed[name], methods)
    found: dict[Any, Variant] = {}
    combinations = 0
    for runs in plan.runs:
        with located(plan.file, runs.place):
            for variant in variants_of(runs, plan, typed):
                combinations += 1
                found.setdefault(identity(variant), variant)
    return labelled(tuple(found.values())), combinations - len(found)


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
        check_key(key, names, also=("method", "name", "grid"))
    for text, name in zip(texts, names, strict=True):
        keys, own_names = keys_of(name), option_names(find_method(name))
        over = {option: value for option, value in typed.items() if option in own_names}
        shared = options_for(name, plan.options, plan)
        own = options_for(name, runs.options, plan)
        axes = [key for key in runs.grid if key in keys and keys[key] not in over]
        for values in product(*(runs.grid[key] for key in axes)):
            chosen = options_for(name, dict(zip(axes, values, strict=True)), plan)
            yield make_variant(text, shared, {**own, **chosen}, over, runs)


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
    """Give each run a label of its name, if it has one, and what differs from others of that name."""
    from dataclasses import replace

    alike: dict[str, list[Variant]] = {}
    for variant in variants:
        alike.setdefault(variant.name, []).append(variant)
    labels: dict[int, str] = {}
    for name, group in alike.items():
        settings = [settings_of(variant.job) for variant in group]
        varied = names_that_vary(settings)
        for variant, found in zip(group, settings, strict=True):
            labels[id(variant)] = "-".join(filter(None, (name, label_text(found, varied))))
    return tuple(replace(variant, label=labels[id(variant)]) for variant in variants)


def names_that_vary(settings: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Name the settings that are not the same in all, method and k first.

    Examples
    --------
    >>> names_that_vary([{"method": "kmeans", "k": 4, "hops": 1}, {"k": 5, "method": "kmeans"}])
    ('k', 'hops')
    """
    names = dict.fromkeys(("method", "k", *(name for one in settings for name in one)))
    return tuple(name for name in names if len({frozen(one.get(name)) for one in settings}) > 1)


def label_text(settings: Mapping[str, Any], names: Sequence[str]) -> str:
    """Write the settings that vary as part of a name.

    Examples
    --------
    >>> label_text({"method": "schc", "k": 4, "with_centroids": True, "alpha": 0.5}, ("k", "alpha"))
    'k4-alpha-0.5'
    """
    pieces = []
    for name in names:
        value = settings.get(name)
        if name == "k" and "levels" in names and "levels" in settings:
            value = "-".join(map(str, (*settings["levels"], value)))
        if value is None or value is False or name == "levels":
            continue
        typed = name.replace("_", "-")
        if name == "method":
            pieces.append(str(value))
        elif name == "k":
            pieces.append(f"k{value}")
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
