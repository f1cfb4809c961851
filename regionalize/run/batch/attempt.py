"""What is done with one item: skip it if nothing has changed, run it, and say what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import TYPE_CHECKING

from regionalize.errors import OutputError, RegionalizeError, lacks_memory
from regionalize.run.batch.digests import Digests
from regionalize.run.batch.fingerprint import fingerprint, versions_here
from regionalize.run.batch.items import Finished, Item
from regionalize.run.batch.last_layer import LastLayer

if TYPE_CHECKING:
    from regionalize.model.job import Outputs
    from regionalize.run.batch.record import Record, Records
    from regionalize.run.batch.standing import FilesFound
    from regionalize.run.solve import Solution

LONGEST, PAUSE = 1.0, 0.05
"""Seconds that another batch is given to complete its record, and between looks at it."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What holds for every item of a batch.

    Attributes
    ----------
    threads : int
        For one item, unless its job says.
    out_dir : Path or None
        Where records are kept.
    resume : bool
        Whether they are heeded.
    versions : mapping
        Of regionalize and of the packages it computes with: found once, for all workers.
    """

    threads: int = 1
    out_dir: Path | None = None
    resume: bool = False
    versions: Mapping[str, str] = field(default_factory=versions_here)


class Runner:
    """Does one item after the other, and keeps at hand what the next may need."""

    def __init__(self) -> None:
        self.last_layer = LastLayer()
        self.digests = Digests()

    def attempt(self, item: Item, terms: Terms) -> Finished:
        """Do an item, and return what came of it, whatever goes wrong.

        Raises
        ------
        KeyboardInterrupt, Terminated
            Nothing else.
        """
        start = perf_counter()
        trace = ""
        try:
            return self.do(item, terms, start)
        except RegionalizeError as error:
            said = str(error)
        except OSError as error:
            said = f"{error.filename or item.source}: {error.strerror or error}"
        except Exception as error:  # one that is ours must not sink the others either
            said, trace = unforeseen(item, error)
        seconds = perf_counter() - start
        return Finished(
            item=item, status="failed", seconds=seconds, error=" ".join(said.split()), trace=trace
        )

    def do(self, item: Item, terms: Terms, start: float) -> Finished:
        """Do an item, or raise what stands in the way."""
        if terms.out_dir is None:
            return finished(item, self.solve(item, item.outputs, terms), start)
        from regionalize.io.atomic import telling_of_moves
        from regionalize.run.batch.record import Journal, Records
        from regionalize.run.batch.standing import labels_of, leftovers_note, look, may_replace

        records = Records(terms.out_dir)
        made_from = partial(fingerprint, item, records.folder, self.digests, terms.versions)
        mark = made_from() or ""
        former = records.read(item.name)
        outputs = item.outputs
        journal = Journal(records, item.name, mark, former)
        try:
            if terms.resume and former is not None:
                found = look(former, records, outputs)
                if is_done(former, mark, found):
                    return skipped(item, former, records)
                if not outputs.overwrite:
                    allowed = may_replace(outputs, former, found, records.folder)
                    outputs = replace(outputs, overwrite=allowed)
            with telling_of_moves(journal.tell):
                solution = self.solve(item, outputs, terms)
        except OutputError:
            meanwhile = done_meanwhile(item, mark, records) if terms.resume else None
            if meanwhile is None:
                raise
            return skipped(item, meanwhile, records)
        if made_from() != mark:  # changed while it was being read
            journal.forget_inputs()
        done = finished(item, solution, start)
        about = {"seconds": done.seconds, "measures": done.measures, "notes": done.notes}
        journal.complete(**about, **labels_of(solution, item.outputs))
        return replace(done, notes=(*done.notes, *leftovers_note(former, records, item.outputs)))

    def solve(self, item: Item, outputs: Outputs, terms: Terms) -> Solution:
        """Read, solve and write."""
        from regionalize.run.files import run

        job = item.job
        reader = self.last_layer.reader(item.part, job.where)
        if item.part is not None:
            from regionalize.run.batch.parts import where_of

            job = replace(job, where=where_of(item.part, job.where))
        if job.jobs is None:
            job = replace(job, jobs=terms.threads)
        return run(item.source, job, outputs, reader=reader)


def unforeseen(item: Item, error: Exception) -> tuple[str, str]:
    """Say of an error that nobody worded what it is, and where it is a fault of ours, how it came to be."""
    if lacks_memory(error):
        return f"{item.source}: there is not enough memory for this; use fewer --jobs", ""
    from traceback import format_exc

    fault = f"this is a fault of regionalize ({type(error).__name__}: {error}); report it"
    return f"{item.source}: {fault}", format_exc()


def finished(item: Item, solution: Solution, start: float) -> Finished:
    """Say what came of an item."""
    from regionalize.run.batch.summary import measures_of

    return Finished(
        item=item,
        status="done",
        seconds=perf_counter() - start,
        stages=solution.seconds,
        measures=measures_of(solution.report),
        notes=solution.notes,
    )


def is_done(record: Record, mark: str, found: FilesFound) -> bool:
    """Whether nothing has changed since an item was done."""
    return record.done and record.fingerprint == mark != "" and found.whole


def done_meanwhile(item: Item, mark: str, records: Records) -> Record | None:
    """Return the record of another batch that has just done the same, if that is what stands in the way."""
    from regionalize.run.batch.standing import look

    end = monotonic() + LONGEST
    while True:
        record = records.read(item.name)
        if record is None or record.fingerprint != mark:
            return None
        if record.done:
            return record if is_done(record, mark, look(record, records, item.outputs)) else None
        if monotonic() > end:
            return None
        sleep(PAUSE)  # its files are being put in place


def skipped(item: Item, record: Record, records: Records) -> Finished:
    """Say what came of an item when it was done."""
    from regionalize.run.batch.standing import leftovers_note

    return Finished(
        item=item,
        status="skipped",
        seconds=record.seconds,
        measures=record.measures,
        notes=(*record.notes, *leftovers_note(record, records, item.outputs)),
    )
