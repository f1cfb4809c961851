"""`run_batch`: many runs, several at a time, each in a process that may die alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from regionalize.io.atomic import remove_leftovers
from regionalize.kernels.threads import processors
from regionalize.run.batch.attempt import Terms
from regionalize.run.batch.items import Finished, Item, Told
from regionalize.run.batch.pool import Pool

if TYPE_CHECKING:
    from regionalize.run.batch.fork_server import ForkServer

Noted = Callable[[str], None]
"""Called with what a person should know."""


def run_batch(
    items: Sequence[Item],
    *,
    jobs: int | None = None,
    fail_fast: bool = False,
    out_dir: Path | None = None,
    resume: bool = False,
    told: Told | None = None,
    noted: Noted | None = None,
    server: ForkServer | None = None,
) -> list[Finished]:
    """Run every item; one that fails never sinks the others.

    Parameters
    ----------
    items : sequence of Item
        What to run. Names are unique, and no two items write the same file.
    jobs : int, optional
        How many run at the same time, at least 1: as many as there are processors by default.
    fail_fast : bool
        Start no more items once one has failed; what has been started is finished. Small layers come first,
        so that what fails does so soon.
    out_dir : Path, optional
        Folder, which exists, of the outputs. Records of what is done are kept in its hidden folder
        `.regionalize`; without it, none are.
    resume : bool
        Skip items that the records say are done, and whose inputs, options and files are as they were
        (`regionalize.run.batch.record`). Files that exist otherwise are kept, unless
        ``item.outputs.overwrite`` says that they may be replaced.
    told : callable, optional
        Called with each item as it is finished, in the thread of the caller.
    noted : callable, optional
        Called at the end with what a person should know of the workers.
    server : ForkServer, optional
        Forks the workers, which are started one by one without it. It is ended where the batch is cut short.

    Returns
    -------
    list of Finished
        In the order of the items. Items that were never started after `fail_fast` are absent.

    Raises
    ------
    KeyboardInterrupt and whatever else a signal raises in the caller's thread
        After the runs under way have been ended and what they had not finished is removed. What `told` was
        told of is done, and its files are whole.

    Notes
    -----
    Not refused here: no items, names or files that two items share, `jobs` below 1.
    """
    jobs = max(1, min(jobs or processors(), len(items)))
    terms = Terms(threads=max(1, processors() // jobs), out_dir=out_dir, resume=resume)
    if resume:
        remove_leftovers(places(items))
    found: dict[int, Finished] = {}
    pool = Pool(items, terms, jobs, fail_fast=fail_fast, server=server)
    try:
        with pool:
            for at, finished in pool.results():
                found[at] = finished
                if told is not None:
                    told(finished, len(found), len(items))
    finally:
        remove_leftovers(places(list(pool.cut_short.values())))
    if pool.missing and noted is not None:
        workers = f"{len(pool.missing)} of {jobs} worker processes"
        noted(f"{workers} could not be started ({pool.missing[0]}); the others did what there was")
    return [found[at] for at in sorted(found)]


def places(items: Iterable[Item]) -> list[Path]:
    """List everything that items write."""
    return [path for item in items for path in item.outputs.paths().values()]
