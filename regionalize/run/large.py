"""Options of large data: rows in batches, a sample of them, or on other machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from regionalize.errors import UsageError
from regionalize.model.job import BOUNDS, Outputs
from regionalize.model.method import Method
from regionalize.run.options import LARGE, share, shown, whole_number

_OF_BATCHES = ("warm_start", "test_share")
_AT_ONCE = {"transform": (("mad", "robust"), "z"), "missing": (("median",), "mean")}
"""Values of options that need all values of a column at once, and what to use in their place."""


@dataclass(frozen=True)
class Way:
    """A way with rows that are never all together: what it excludes, and what it writes.

    Attributes
    ----------
    option : str
        What asks for it, as it is typed.
    apart : str
        What keeps it from looking at all rows.
    excluded : mapping of str to str
        Options that it excludes, and why.
    written : tuple of str
        Options of what it can write.
    """

    option: str
    apart: str
    excluded: Mapping[str, str]
    written: tuple[str, ...]


BATCHES = Way(
    "--batch-size",
    "that needs all rows in memory",
    {
        "make_contiguous": "pieces are joined once all rows are known",
        "locked": "there is no plan to begin with",
        "sample": "both read a part of the rows",
        "embed": "what series are embedded in is found in all rows",
        **dict.fromkeys(BOUNDS, "a batch knows nothing of the other rows of a cluster"),
    },
    ("output", "output_layer", "label_column", "overwrite", "report", "centers", "qml"),
)
WORKERS = Way(
    "--engine dask",
    "that needs all rows in one place",
    {
        "make_contiguous": "pieces are joined where all rows are together",
        "locked": "there is no plan to begin with",
        "sample": "a sample needs no cluster",
        "embed": "what series are embedded in is found in all rows",
        **dict.fromkeys(BOUNDS, "clusters are balanced where all rows are together"),
    },
    ("output", "label_column", "overwrite", "report", "centers"),
)


def read_large(method: Method, given: Mapping[str, Any]) -> dict[str, Any]:
    """Read the options of large data.

    Parameters
    ----------
    method : Method
        What they are given for.
    given : mapping
        All options that were given.

    Returns
    -------
    dict
        Those of large data, as a `Job` has them.

    Raises
    ------
    UsageError
        A method or an option that does not go with them.

    Examples
    --------
    >>> from regionalize.model.catalog import find_method
    >>> read_large(find_method("kmeans"), {"batch_size": 256, "test_share": "20%"})
    {'batch_size': 256, 'test_share': 0.2}
    """
    found = {name: given[name] for name in LARGE if name in given}
    if not method.large:
        raise needs_all_rows(method, next(iter(found)))
    for name in _OF_BATCHES:
        if name in found and "batch_size" not in found:
            raise UsageError(f"{shown(name)} is for rows that come in batches", advice="add --batch-size 256")
    if "scheduler" in found and found.get("engine") != "dask":
        raise UsageError("--scheduler is for Dask", advice="add --engine dask")
    if "test_share" in found:
        found["test_share"] = share("test_share", found["test_share"])
        if found["test_share"] >= 1:
            raise UsageError(
                f"--test-share is {given['test_share']}; it must be below 1", advice="such as 20%"
            )
    if "sample" in found:
        found["sample"] = read_sample(found["sample"])
    if "batch_size" in found:
        whole_number("batch_size", found["batch_size"], 1)
        if found.get("engine") == "dask":
            raise UsageError(
                "--batch-size and --engine dask are two ways with large data",
                advice="leave out one of them",
            )
        refuse_options(BATCHES, given)
    return found


def needs_all_rows(method: Method, name: str) -> UsageError:
    """Say that an option of large data is none of a method, and what to do.

    Examples
    --------
    >>> from regionalize.model.catalog import find_method
    >>> raise needs_all_rows(find_method("skater"), "engine")
    Traceback (most recent call last):
    regionalize.errors.UsageError: --engine is for k-means, and skater needs all rows at once; use kmeans \
--engine dask, or fewer rows (--where)
    """
    return UsageError(
        f"{shown(name)} is for k-means, and {method.name} needs all rows at once",
        advice=f"use kmeans {way_with(name)}, or fewer rows (--where)",
    )


def way_with(name: str) -> str:
    """Return how an option of large data begins.

    Examples
    --------
    >>> way_with("scheduler"), way_with("test_share"), way_with("sample")
    ('--engine dask', '--batch-size 256', '--sample 1%')
    """
    if name in {"engine", "scheduler"}:
        return WORKERS.option
    return "--sample 1%" if name == "sample" else f"{BATCHES.option} 256"


def refuse_files_only(given: Mapping[str, Any]) -> None:
    """Refuse what reads rows from a file where they are in memory already.

    Raises
    ------
    UsageError
    """
    for name in ("batch_size", "engine"):
        if given.get(name) not in (None, "local"):
            raise UsageError(
                f"{shown(name)} reads a file, and the rows are in memory already",
                advice="call regionalize_file, or leave it out",
            )


def read_sample(value: Any) -> str:
    """Return a number of rows, or a share of them, as text.

    Examples
    --------
    >>> read_sample("1 %"), read_sample(5000), read_sample(0.01)
    ('1%', '5000', '1%')
    """
    text = "".join(str(value).split())
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = 0.0
    percent = number if text.endswith("%") else 100 * number if number < 1 else None
    if not number > 0 or (percent is not None and percent > 100) or (percent is None and number % 1):
        raise UsageError(f"--sample is {value}; it must be a share such as 1%, or a number of rows")
    return f"{percent:.15g}%" if percent is not None else f"{number:.0f}"


def refuse_options(way: Way, given: Mapping[str, Any]) -> None:
    """Refuse options that need all rows at once.

    Parameters
    ----------
    way : Way
    given : mapping
        Options by name; those left out, None, False and "keep" ask for nothing.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> refuse_options(BATCHES, {"transform": "robust"})
    Traceback (most recent call last):
    ...
    regionalize.errors.UsageError: --batch-size and --transform robust exclude each other: that needs all \
values of a column at once; use --transform z
    """
    for name, why in way.excluded.items():
        if given.get(name) not in (None, False):
            raise UsageError(f"{way.option} and {shown(name)} exclude each other: {why}")
    for name, (words, other) in _AT_ONCE.items():
        if given.get(name) in words:
            raise UsageError(
                f"{way.option} and {shown(name)} {given[name]} exclude each other: "
                "that needs all values of a column at once",
                advice=f"use {shown(name)} {other}",
            )
    if given.get("islands") not in (None, "keep"):
        raise UsageError(
            f"{way.option} and --islands {given['islands']} exclude each other: {way.apart}",
            advice="leave out --islands, and units without neighbours keep their values",
        )
    if given.get("centroid_weight") == "auto":
        raise UsageError(f"{way.option} takes a number for --centroid-weight", advice="such as 0.3")


def refuse_other_outputs(way: Way, outputs: Outputs) -> None:
    """Refuse what is written of all rows together.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> refuse_other_outputs(BATCHES, Outputs(map="m.png"))
    Traceback (most recent call last):
    ...
    regionalize.errors.UsageError: --batch-size and --map exclude each other: that needs all rows in memory; \
write the labels with -o, and go on from there
    """
    plain = Outputs()
    for item in fields(outputs):
        if item.name not in way.written and getattr(outputs, item.name) != getattr(plain, item.name):
            option = item.metadata.get("typed", item.name.replace("_", "-"))
            raise UsageError(
                f"{way.option} and --{option} exclude each other: {way.apart}",
                advice="write the labels with -o, and go on from there",
            )
