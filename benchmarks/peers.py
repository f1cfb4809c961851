"""Other libraries run in processes of their own, because on some input they end the process, or never end.

`attempt` times what a function of this module prepares. Each takes a frame, its variables X (n, p) and
options, puts everything in memory, and returns what is to be timed: a call that returns labels (n,).
"""

from __future__ import annotations

import multiprocessing
import signal
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

MOST_RUNS = 4
RUNS_BELOW = {8.0: 2, 1.0: MOST_RUNS}
"""How many runs there are of what takes less than so many seconds: a first one loads compiled code."""
PATIENCE = 20
"""How many times longer than its limit of processor time a call may take on a busy machine."""
PREPARING = 120.0
"""Seconds for loading libraries and finding neighbours."""
MEMORY = 8.0
"""GiB that a process may take."""

PRELOADED = [
    *("geopandas", "libpysal.graph", "pygeoda", "sklearn.cluster", "spopt.region"),
    *("regionalize.model.layer", "regionalize.run.api", "regionalize.weights", "scipy.sparse.csgraph"),
]
"""Modules that are imported once, where every process begins."""

Labels = Callable[[], np.ndarray]


class Outcome(NamedTuple):
    """What came of it: labels as codes from 0, or the trouble there was."""

    labels: np.ndarray | None
    seconds: float
    memory: float
    trouble: str


def attempt(prepare: Callable[..., Labels], *arguments: Any, limit: float = 60, **options: Any) -> Outcome:
    """Run `prepare(*arguments, **options)()` in a new process, for at most `limit` seconds of processor time.

    Returns medians of the processor seconds of the call, all its threads together, and of the MiB that its
    process held more at the peak than before. The first run, which loads libraries, does not count where
    there are more.
    """
    late = f"not done in {limit:.0f} s"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(sender, limit, prepare, arguments, options))
    child.start()
    sender.close()
    try:
        for allowed in (PREPARING, limit * PATIENCE * MOST_RUNS):
            if not receiver.poll(allowed):
                return Outcome(None, limit, np.nan, late)
            said = receiver.recv()
            if said is not None:
                break
        return Outcome(*said)
    except EOFError:
        child.join()
        code = child.exitcode or 0
        if code == -signal.SIGXCPU:
            return Outcome(None, limit, np.nan, late)
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return Outcome(None, np.nan, np.nan, f"ends the process ({how})")
    finally:
        child.kill()
        child.join()


def _work(
    sender: Connection, limit: float, prepare: Callable[..., Labels], arguments: Any, options: Any
) -> None:
    """Prepare, say so by sending None, time, send what came of it."""
    warnings.simplefilter("ignore")
    try:
        call = prepare(*arguments, **options)
        sender.send(None)
        seconds: list[float] = []
        memory: list[float] = []
        while len(seconds) < runs_due(seconds):
            _limit(limit)  # anew for every run
            before = _resident(reset=True)
            start = time.process_time()
            labels = call()
            seconds.append(time.process_time() - start)
            memory.append(_resident() - before)
        codes = np.unique(np.asarray(labels), return_inverse=True)[1]
        counted = slice(1, None) if len(seconds) > 1 else slice(None)
        sender.send((codes, median(seconds[counted]), median(memory[counted]), ""))
    except Exception as error:  # whatever a peer raises is what came of it
        said = shortened(f"{type(error).__name__}: {' '.join(str(error).split())}", 50)
        sender.send((None, np.nan, np.nan, said))


def runs_due(seconds: list[float]) -> int:
    """Return how many runs there are to be, from the seconds of those done."""
    latest = seconds[-1] if seconds else np.inf
    return max([1, *(runs for bound, runs in RUNS_BELOW.items() if latest < bound)])


def shortened(text: str, most: int) -> str:
    """Cut a text at the end of a word."""
    return text if len(text) <= most else f"{text[:most].rpartition(' ')[0].rstrip(',:;')} …"


def _limit(seconds: float) -> None:
    """Let the system end this process when it has taken too much memory, or more seconds than this."""
    import resource

    bytes_ = int(MEMORY * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (bytes_, bytes_))
    until = int(time.process_time() + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


def _resident(*, reset: bool = False) -> float:
    """Return MiB held at the peak; with `reset`, held now, and forget the peak. NaN where Linux is not."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        return int(status["VmHWM"].split()[0]) / 1024
    except OSError:
        return np.nan


def ours(frame: Any, X: np.ndarray, method: str, bound: Any = None, **options: Any) -> Labels:
    """Prepare a method of ours; `bound` is (name, amount of each unit, least sum)."""
    from regionalize.model.bounds import Bound
    from regionalize.model.catalog import METHODS
    from regionalize.model.layer import Layer
    from regionalize.weights import build_weights

    run = METHODS[method].load()
    if METHODS[method].contiguous:
        options["weights"] = build_weights(Layer.from_frame(frame), "queen")
    if bound is not None:
        name, amount, least = bound
        options["bounds"] = (Bound(name, np.asarray(amount, float), lower=least),)
    return lambda: run(X, **options)


def ours_by_frame(frame: Any, X: np.ndarray, method: str, **options: Any) -> Labels:
    """Prepare our call for frames, with its checks of the input."""
    from regionalize import regionalize

    table = frame.assign(**{f"v{column}": X[:, column] for column in range(X.shape[1])})

    def call() -> np.ndarray:
        found: np.ndarray = regionalize(table, method, columns=["v*"], **options).labels.to_numpy()
        return found

    return call


def pygeoda(frame: Any, X: np.ndarray, function: str, *arguments: Any, **options: Any) -> Labels:
    """Prepare a function of pygeoda that takes k first, or max-p; the variables are transformed already."""
    import pygeoda as library

    links = library.queen_weights(library.open(frame))
    columns = [column.tolist() for column in X.T]
    call = getattr(library, function)
    if function.startswith("maxp"):
        return lambda: call(links, columns, *arguments, scale_method="raw", **options)["Clusters"]
    k, *rest = arguments
    return lambda: call(k, links, columns, *rest, scale_method="raw", **options)["Clusters"]


def pygeoda_make_spatial(frame: Any, X: np.ndarray, labels: np.ndarray) -> Labels:
    """Prepare the repair of pygeoda: clusters to contiguous ones."""
    import pygeoda as library

    links = library.queen_weights(library.open(frame))
    given = [int(label) for label in labels]
    return lambda: library.make_spatial(given, links)


def spopt(frame: Any, X: np.ndarray, name: str, amount: Any = None, **options: Any) -> Labels:
    """Prepare a class of spopt."""
    from importlib import import_module

    from benchmarks.spopt_regions import spopt_labels
    from regionalize.model.layer import Layer
    from regionalize.weights import build_weights

    import_module("spopt.region")  # which takes seconds
    weights = build_weights(Layer.from_frame(frame), "queen")
    return lambda: spopt_labels(name, X, weights, amount, **options)


def scikit_learn_ward(frame: Any, X: np.ndarray, k: int) -> Labels:
    """Prepare Ward's hierarchy of scikit-learn, joins allowed between neighbours."""
    from sklearn.cluster import AgglomerativeClustering

    from regionalize.model.layer import Layer
    from regionalize.weights import build_weights

    links = build_weights(Layer.from_frame(frame), "queen").to_scipy()
    return lambda: AgglomerativeClustering(n_clusters=k, connectivity=links).fit_predict(X)


def scikit_learn_kmeans(frame: Any, X: np.ndarray, k: int, starts: int) -> Labels:
    """Prepare k-means of scikit-learn."""
    from sklearn.cluster import KMeans

    return lambda: KMeans(k, n_init=starts, random_state=1).fit(X).labels_


def our_neighbours(frame: Any) -> Labels:
    """Prepare our queen neighbours; as labels, the number of neighbours of every unit."""
    from regionalize.model.layer import Layer
    from regionalize.weights import build_weights

    layer = Layer.from_frame(frame)
    return lambda: np.diff(build_weights(layer, "queen").to_scipy().tocsr().indptr)


def libpysal(frame: Any) -> Labels:
    """Prepare the queen neighbours of libpysal."""
    from libpysal.graph import Graph

    def call() -> np.ndarray:
        found: np.ndarray = Graph.build_contiguity(frame, rook=False).cardinalities.to_numpy()
        return found

    return call


def pygeoda_queen(frame: Any) -> Labels:
    """Prepare the queen neighbours of pygeoda."""
    import pygeoda as library

    layer = library.open(frame)

    def call() -> np.ndarray:
        links = library.queen_weights(layer)
        return np.array([len(links.get_neighbors(unit)) for unit in range(len(frame))])

    return call
