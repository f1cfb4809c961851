"""What is done with one item: skip it if nothing has changed, run it, and say what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from regionalize.errors import OutputError, RegionalizeError
from regionalize.run.batch.digests import Digests
from regionalize.run.batch.items import Finished, Item
from regionalize.run.batch.last_layer import LastLayer

if TYPE_CHECKING:
    from regionalize.model.job import Outputs
    from regionalize.run.batch.record import Record, Records
    from regionalize.run.batch.standing import FilesFound
    from regionalize.run.solve import Solution


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
    """

    threads: int = 1
    out_dir: Path | None = None
    resume: bool = False


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
        except MemoryError:
            said = f"{item.source}: there is not enough memory for this; use fewer --jobs"
        except OSError as error:
            said = f"{error.filename or item.source}: {error.strerror or error}"
        except Exception as error:  # one that is ours must not sink the others either
            from traceback import format_exc

            said = (
                f"{item.source}: this is a fault of regionalize ({type(error).__name__}: {error}); report it"
            )
            trace = format_exc()
        seconds = perf_counter() - start
        return Finished(
            item=item, status="failed", seconds=seconds, error=" ".join(said.split()), trace=trace
        )

    def do(self, item: Item, terms: Terms, start: float) -> Finished:
        """Do an item, or raise what stands in the way."""
        if terms.out_dir is None:
            return finished(item, self.solve(item, item.outputs, terms), start)
        from regionalize.io.atomic import telling_of_moves
        from regionalize.run.batch.fingerprint import fingerprint
        from regionalize.run.batch.record import Journal, Records
        from regionalize.run.batch.standing import contents_of

        records = Records(terms.out_dir)
        mark = fingerprint(item, records.folder, self.digests) or ""
        former = records.read(item)
        outputs = item.outputs
        if terms.resume and former is not None:
            found = look_at_files(item, former, records)
            if former.done and former.fingerprint == mark != "" and not (found.lost or found.changed):
                return skipped(item, former)
            outputs = replacing_own(item, former, found, records)
        journal = Journal(records, item, mark, former)
        with telling_of_moves(journal.tell):
            solution = self.solve(item, outputs, terms)
        if fingerprint(item, records.folder, self.digests) != mark:  # changed while it was being read
            journal.forget_inputs()
        done = finished(item, solution, start)
        journal.complete(done, contents_of(solution, item.outputs, records.folder))
        return done

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


def finished(item: Item, solution: Solution, start: float) -> Finished:
    """Say what came of an item."""
    from regionalize.run.batch.summary import measures_of

    return Finished(
        item=item,
        status="done",
        seconds=perf_counter() - start,
        measures=measures_of(solution.report),
        notes=solution.notes,
    )


def skipped(item: Item, record: Record) -> Finished:
    """Say what came of an item when it was done."""
    return Finished(
        item=item,
        status="skipped",
        seconds=record.seconds,
        measures=record.measures,
        notes=record.notes,
    )


def look_at_files(item: Item, record: Record, records: Records) -> FilesFound:
    """Look at what has become of the files of an item."""
    from regionalize.run.batch.standing import look

    return look(record, records, item.outputs.output_layer)


def replacing_own(item: Item, record: Record, found: FilesFound, records: Records) -> Outputs:
    """Return outputs that may replace files that are the item's own.

    Raises
    ------
    OutputError
        If there is somebody else's work in some.
    """
    from regionalize.run.batch.standing import may_replace

    if item.outputs.overwrite:
        return item.outputs
    if found.changed:
        reason = "was changed since it was written" if record.done else "already exists"
        advice = "use --overwrite to make it anew"
        raise OutputError(reason, advice=advice, file=str(records.path(found.changed[0])))
    return replace(item.outputs, overwrite=may_replace(item.outputs, found, records.folder))
