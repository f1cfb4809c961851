"""What travels through a batch: `Item`, one run of it, and `Finished`, what came of that run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from regionalize.model.job import Job, Outputs

Status = Literal["done", "skipped", "failed"]
"""`skipped`: done before, and nothing has changed since."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """The rows of a layer that have one value in a column (`--by`).

    `value` is a text, a whole number or a truth value, as the column holds it; `filter` selects the same rows
    in the file, as ``--where`` does (`regionalize.run.batch.parts`).
    """

    column: str
    value: str | int | bool
    filter: str = ""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One run of a batch: everything that a worker needs to know, and small enough to be sent.

    Attributes
    ----------
    name : str
        What it is called in lines, tables and names of files; no two items of a batch share it.
    source : str
        What is read.
    job, outputs : Job, Outputs
        What to do and what to write.
    part : Part or None
        The rows that are meant, of those that the job reads; None for all.
    """

    name: str
    source: str
    job: Job
    outputs: Outputs
    part: Part | None = None


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What came of one item.

    Attributes
    ----------
    item : Item
        What was asked for.
    status : {"done", "skipped", "failed"}
        How it ended.
    seconds : float
        What it took; of a skipped item, what it took when it was done.
    stages : mapping of str to float
        What each stage of it took, in seconds; nothing where it was not run now.
    measures : mapping of str to number, text, bool or None
        Every measure of the report, flat: a row of the summary (`regionalize.run.batch.summary`).
    notes : tuple of str
        What the run would have said on standard error.
    error : str
        The line that says why it failed.
    trace : str
        Where in the program it failed, if that is a fault of the program: the traceback.
    """

    item: Item
    status: Status
    seconds: float = 0.0
    stages: Mapping[str, float] = field(default_factory=dict)
    measures: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str = ""
    trace: str = ""


Told = Callable[[Finished, int, int], None]
"""Called with what came of an item, how many are finished, and how many there are."""
