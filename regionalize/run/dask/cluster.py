"""Workers: a cluster of processes on this machine, or one that runs elsewhere."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

from regionalize.errors import DataError, InfeasibleError, RegionalizeError, UsageError, listed
from regionalize.io.atomic import staging
from regionalize.io.signals import signals_held
from regionalize.kernels.threads import LINEAR_ALGEBRA

if TYPE_CHECKING:
    from distributed import Client

PATIENCE = 10.0
"""Seconds that a scheduler has to answer, and then its workers."""
START = 120.0
"""Seconds that workers of this machine have to start."""
SHARE = 0.8
"""Of the memory that is free, for all workers of this machine together."""
LIBRARIES = 400 * 2**20
"""Bytes that a worker's libraries take, before any data."""
LEAST = 2 * LIBRARIES
"""Bytes that a worker is given at least."""
HELD = 0.6
"""Of what its libraries leave, what a worker holds before it puts rows on disk."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", *LINEAR_ALGEBRA), "1")
"""What a worker's libraries read before they start threads of their own: there is a worker per processor."""
SILENT = logging.CRITICAL + 1
"""Level of a log that tells nothing: what a worker without memory cannot send would be critical."""
_LOGGERS = ("distributed", "tornado.application", "asyncio")


@contextmanager
def connected(
    scheduler: str | None = None, jobs: int | None = None, memory: int | None = None
) -> Iterator[Client]:
    """Give a client of a cluster, and end what was started for it.

    Parameters
    ----------
    scheduler : str, optional
        Address of a scheduler, such as ``tcp://10.0.0.1:8786``. Without one, processes of this machine.
    jobs : int, optional
        How many of these: one per processor unless given.
    memory : int, optional
        Bytes that each of these may take: an equal share of what is free unless given. What does not fit is
        kept on disk, in a folder that is removed in the end.

    Yields
    ------
    distributed.Client

    Raises
    ------
    UsageError
        Dask is not installed; an address that is none.
    DataError
        The scheduler does not answer, has no workers, or these cannot run this version; the workers of this
        machine do not start, or die again and again.
    """
    if find_spec("dask") is None or find_spec("distributed") is None:
        raise UsageError("--engine dask needs dask", advice="pip install 'regionalize[dask]'")
    import dask
    from distributed import Client

    if scheduler is not None:
        check_address(scheduler)
    settings = {
        "distributed.comm.timeouts.connect": f"{PATIENCE:.0f}s",
        "distributed.admin.large-graph-warning-threshold": "1GB",
        "distributed.nanny.pre-spawn-environ": dask.config.get("distributed.nanny.pre-spawn-environ", {})
        | ONE_THREAD,
    }
    with ExitStack() as ends, dask.config.set(settings), warnings.catch_warnings():
        # what they warn of, an error or a run that goes on tells better
        warnings.filterwarnings("ignore", module=r"distributed|tornado")
        ends.enter_context(_silent())
        if scheduler is None:
            address: Any = ends.enter_context(_on_this_machine(jobs, memory))
        else:
            address = scheduler
        try:
            client = Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise DataError(
                f"the scheduler {scheduler} does not answer",
                advice="start it (dask scheduler), or check the address",
            ) from error
        ends.callback(_close, client)
        if scheduler is not None:
            check_workers(client, scheduler)
        with understood():
            yield client


def check_address(scheduler: str) -> None:
    """Refuse what is no address of a scheduler.

    Examples
    --------
    >>> check_address("tcp://127.0.0.1:8786")
    >>> check_address("8786")
    Traceback (most recent call last):
    regionalize.errors.UsageError: --scheduler 8786 is no address; such as tcp://127.0.0.1:8786
    """
    scheme, _, place = scheduler.partition("://")
    host, _, port = place.rpartition(":")
    known = scheme in {"tcp", "tls", "ws", "wss"} and host and re.fullmatch("[0-9]{1,5}", port)
    if not known or int(port) > 65535:
        raise UsageError(f"--scheduler {scheduler} is no address", advice="such as tcp://127.0.0.1:8786")


def check_workers(client: Client, scheduler: str) -> None:
    """Refuse a cluster without workers, or with workers on which this version does not run."""
    with suppress(TimeoutError):
        client.wait_for_workers(1, timeout=PATIENCE)
    found: dict[str, Any] = client.run(eval, _ABOUT, on_error="return")  # it needs nothing of ours
    if not found:
        raise DataError(
            f"the scheduler {scheduler} has no workers", advice=f"start some: dask worker {scheduler}"
        )
    own = eval(_ABOUT)
    for worker, about in found.items():
        if isinstance(about, Exception):
            raise DataError(
                f"regionalize cannot be used on the worker {worker} ({str(about).splitlines()[0]})",
                advice="install it there: pip install 'regionalize[dask]'",
            )
        pairs = [(name, about[name], value) for name, value in own.items() if about[name] != value]
        different = [f"{name} {there} in place of {here}" for name, there, here in pairs]
        if different:
            raise DataError(
                f"the worker {worker} has {listed(different)}", advice="install the same versions there"
            )


_ABOUT = (
    "{'Python': '%d.%d' % __import__('sys').version_info[:2],"
    " 'regionalize': __import__('regionalize').__version__,"
    " **{name: __import__(name).__version__ for name in ('numpy', 'pyarrow', 'distributed')}}"
)
"""What must be the same everywhere."""


@contextmanager
def _on_this_machine(jobs: int | None, memory: int | None) -> Iterator[Any]:
    import dask
    from distributed import LocalCluster

    from regionalize.kernels.memory import available_memory

    workers = jobs or os.cpu_count() or 1
    limit = memory or max(int(SHARE * available_memory()) // workers, LEAST)
    spilling = {
        "distributed.worker.memory.target": max(HELD * (1 - LIBRARIES / limit), 0.05),
        "distributed.worker.memory.spill": 0.85,
        "distributed.worker.memory.pause": False,  # it does one thing at a time, and might never go on
    }
    with (
        staging(Path(gettempdir(), "regionalize-dask")) as folder,  # a killed run's is removed
        dask.config.set({**spilling, "temporary-directory": str(folder)}),
    ):
        try:
            with signals_held(), _deaf_to_interrupts():
                cluster = LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    memory_limit=limit,
                    host="127.0.0.1",
                    scheduler_port=0,
                    dashboard_address=None,
                    worker_dashboard_address=None,
                    local_directory=str(folder),
                    silence_logs=SILENT,
                    death_timeout=START,
                )
        except (OSError, RuntimeError, TimeoutError) as error:
            refused = _refused(error)
            if refused is not None:
                raise DataError(
                    f"the workers cannot be started ({refused.strerror})",
                    advice="check the space there, or set TMPDIR to another folder",
                    file=gettempdir(),
                ) from error
            raise DataError(
                f"the workers cannot be started ({_first_line(error)})",
                advice="use fewer (--jobs); in a script, call it under: if __name__ == '__main__'",
            ) from error
        try:
            yield cluster
        finally:
            _close(cluster)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start threads, and by these processes, that Ctrl-C does not reach: whoever started them ends them.

    It goes to every process of a terminal, and workers would each show a traceback. This one heeds it
    afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing.resource_tracker import ensure_running

    # of what workers that could not be started leave, it would tell when all is over
    sys.warnoptions.append("ignore:resource_tracker")
    try:
        ensure_running()  # it would let interrupts through again in the thread that starts it
    finally:
        sys.warnoptions.pop()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _close(ended: Any) -> None:
    with suppress(Exception):  # what has died already cannot be told that it is over
        ended.close(timeout=PATIENCE)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what others log off standard error: what a person should know comes as an error."""
    known = [name for name in logging.Logger.manager.loggerDict if name.startswith("distributed.")]
    loggers = [logging.getLogger(name) for name in (*_LOGGERS, *known)]  # some have levels of their own
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(SILENT)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def understood() -> Iterator[None]:
    """Say in a line what became of the cluster."""
    from concurrent.futures import CancelledError

    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    try:
        yield
    except RegionalizeError:
        raise
    except KilledWorker as error:
        raise InfeasibleError(
            "workers died again and again over the same rows: they need more memory",
            advice="use fewer workers (--jobs), or smaller row groups in the file",
        ) from error
    except MemoryError as error:
        raise InfeasibleError(
            "a worker has no memory left for its rows",
            advice="use fewer workers (--jobs), or smaller row groups in the file",
        ) from error
    except (CommClosedError, CancelledError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of a file, not of a connection
            raise
        raise DataError("the cluster went away", advice="start it again, and run this again") from error


def _refused(error: BaseException | None) -> OSError | None:
    """Return what the system said of a file, from which an error came."""
    while error is not None:
        if isinstance(error, OSError) and error.errno and error.filename:
            return error
        error = error.__cause__ or error.__context__
    return None


def _first_line(error: BaseException) -> str:
    cause = error.__cause__ or error.__context__
    text = str(error).strip() or (str(cause).strip() if cause else "") or type(error).__name__
    return text.splitlines()[0]
