"""Runs written as one word, `METHOD:option=value,…`, for commands that make several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regionalize.errors import UsageError, nearest
from regionalize.model.catalog import METHODS, find_method
from regionalize.model.job import JOB_OPTIONS, Job
from regionalize.model.method import Method, Param
from regionalize.run.options import LARGE, REAL, WHOLE, make_job

FLAGS = ("with_centroids", "make_contiguous")
"""Options that are there or not."""
LISTS = ("columns", "exclude", "column_weights", "k")
"""Options whose values may hold commas."""


def is_recipe(text: str) -> bool:
    """Tell whether a word names a method of the catalog, with or without options."""
    return text.partition(":")[0] in METHODS


def read_recipe(text: str, common: Mapping[str, Any] | None = None) -> Job:
    """Read a run written as one word.

    Parameters
    ----------
    text : str
        ``kmeans``, ``kmeans:k=8,with-centroids``, ``schc:linkage=average,columns=a,b,k=6``. Options are those
        of the command, without dashes; a flag stands by itself, and a list goes on until the next option.
    common : mapping, optional
        Options of all runs, which those of the word override; what the method does not take is left out.

    Returns
    -------
    Job

    Raises
    ------
    UsageError
        No such method or option (with the nearest), or a value it does not take.

    Examples
    --------
    >>> job = read_recipe("schc:linkage=average,columns=a,b,k=6", {"k": 4, "seed": 1})
    >>> job.method, job.k, job.columns, job.seed, job.params
    ('schc', 6, ('a', 'b'), 1, {'linkage': 'average'})
    """
    name, _, options = text.partition(":")
    method = find_method(name)
    own = {param.name: param for param in method.params}
    typed_as = {param.typed: param.name for param in method.params if param.typed}
    known = (*JOB_OPTIONS, *own)
    given: dict[str, Any] = {}
    last = ""
    for piece in options.split(",") if options else ():
        key, equals, value = piece.partition("=")
        option = key.strip().lstrip("-").replace("-", "_")
        option = typed_as.get(option, option)
        if option in known and (equals or option in FLAGS):
            last = option
            given[option] = value if equals else True
        elif last in LISTS and piece.strip() and (last != "k" or piece.strip().isdigit()):
            given[last] += f",{piece}"
        else:
            shown = option.replace("_", "-")
            hint = f"write {shown}=VALUE" if option in known else nearest(option, known)
            raise UsageError(f"'{text}': '{piece.strip()}' is no option of {name}", advice=hint)
    values = {option: typed(value, option, own.get(option)) for option, value in given.items()}
    shared = taken_by(method, common or {})
    if method.instead_of_k in values:
        shared.pop("k", None)
    return make_job(name, {**shared, **values})


def read_single(text: str, options: Mapping[str, Any]) -> Job:
    """Read a run written as one word, and options beside it that are meant for it alone.

    Parameters
    ----------
    text : str
        As `read_recipe` takes it.
    options : mapping
        Options by name; None counts as not given.

    Raises
    ------
    UsageError
        No such method or option, or one that the method does not take, in either place.

    Examples
    --------
    >>> job = read_single("kmeans:n-init=10", {"k": 4})
    >>> job.k, job.params
    (4, {'n_init': 10})
    """
    given = {name: value for name, value in options.items() if value is not None}
    job = read_recipe(text, given)
    method = find_method(job.method)
    taken = taken_by(method, given)
    for name, value in given.items():
        if name not in taken:  # a recipe passes over it; here it is refused, with the reason
            make_job(method.name, {name: value})
    other = method.instead_of_k
    if other and "k" in given and job.params.get(other) is not None:
        raise UsageError(f"--k and --{other} exclude each other", advice="give one of them")
    return job


def taken_by(method: Method, common: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a method takes of options that are meant for several."""
    left_out = set() if method.takes_k else {"k"}
    left_out |= set() if method.contiguous else {"within", "compactness"}
    left_out |= set() if method.takes_start else {"locked"}
    left_out |= set() if method.bounded else {"min_size", "max_size", "min_bound", "max_bound"}
    left_out |= {"make_contiguous"} if method.contiguous else set()
    left_out |= set() if method.large else set(LARGE)
    own = {param.name for param in method.params}
    return {
        name: value
        for name, value in common.items()
        if name not in left_out and (name in JOB_OPTIONS or name in own)
    }


def typed(value: Any, option: str, param: Param | None) -> Any:
    """Turn text into what an option takes; what cannot be turned is left for the option's own check.

    Examples
    --------
    >>> typed("6", "k", None), typed("4,8", "k", None), typed(".5", "alpha", None), typed("x", "id", None)
    (6, [4, 8], 0.5, 'x')
    """
    if not isinstance(value, str):
        return value
    if option in FLAGS:
        return {"true": True, "false": False}.get(value.strip().lower(), value)
    if option == "k" and "," in value:
        return [typed(one, option, param) for one in value.split(",")]
    whole = option in WHOLE or (param is not None and param.kind is int)
    real = option in REAL or (param is not None and param.kind is float)
    try:
        return int(value) if whole else float(value) if real else value
    except ValueError:
        return value
