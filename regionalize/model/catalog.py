"""One row per method: the command, the Python call and the docs all follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from regionalize.errors import UsageError, nearest

Center = Literal["mean", "median", "medoid"]
"""What stands for a cluster."""


class Share(float):
    """A kind of option: a share of a whole, such as 0.05 or 5%."""


@dataclass(frozen=True)
class Param:
    """An option of one method.

    `default` must equal the method function's own (a test holds it). `only_with` names another option and
    the value it must have for this one to matter. `words` belong to an option of kind `str`: they mean
    something by themselves, and any other text names a column. A default of None is told in `help`. Numbers
    are at least `minimum`, and above or below the others.
    """

    name: str
    kind: type | tuple[str, ...]
    default: Any
    help: str
    minimum: float | None = None
    only_with: tuple[str, Any] | None = None
    words: tuple[str, ...] = ()
    above: float | None = None
    below: float | None = None


@dataclass(frozen=True)
class Method:
    """A way of grouping units.

    Attributes
    ----------
    name : str
        Command name.
    summary : str
        One line for `--help`.
    function : str
        ``"module:function"``, imported on use.
    params : tuple of Param
        What the method takes beyond k, seed and bounds.
    reference : str
        Paper or formula.
    contiguous : bool
        Every cluster is contiguous; the function takes the `weights` that say so.
    takes_start : bool
        It begins with a plan: one of its params is called `start`, and the function takes a word of it, or
        the plan as (m,) int64 with -1 where there is none, and `locked`, (m,) bool or None.
    nested : bool
        Regions of several numbers lie in each other: the function takes `levels`, the coarser numbers, and
        fills `findings.levels` and `findings.merges`.
    tree : bool
        It cuts a spanning tree, and fills `findings.tree`.
    takes_k : bool
        The number of clusters is given; otherwise the method finds it.
    compactness : float
        What `--compactness` is where it is not given.
    noise : bool
        Units may be left outside of all clusters: their code is -1, and their label 0.
    bounded : bool
        Clusters can be held within bounds.
    instead_of_k : str
        One of its params that says where to stop in place of k; empty for none.
    center : {"mean", "median", "medoid"}
        What stands for a cluster; for medoids the function fills `findings.medoids`.
    """

    name: str
    summary: str
    function: str
    params: tuple[Param, ...]
    reference: str
    contiguous: bool = False
    takes_start: bool = False
    nested: bool = False
    tree: bool = False
    takes_k: bool = True
    compactness: float = 0.0
    noise: bool = False
    bounded: bool = True
    instead_of_k: str = ""
    center: Center = "mean"

    def load(self) -> Callable[..., Any]:
        """Import and return the method's function."""
        module, _, name = self.function.partition(":")
        loaded: Callable[..., Any] = getattr(import_module(module), name)
        return loaded

    def value(self, given: Mapping[str, Any], name: str) -> Any:
        """Return what an option of the method is: as given, or its default."""
        default = next(param.default for param in self.params if param.name == name)
        return default if given.get(name) is None else given[name]

    def without_effect(self, given: Mapping[str, Any]) -> tuple[str, ...]:
        """Return a note for every option given that the other options leave without effect."""
        values = {param.name: param.default for param in self.params}
        values.update({name: value for name, value in given.items() if value is not None})
        notes = []
        for param in self.params:
            if param.only_with is None or given.get(param.name) is None:
                continue
            other, value = param.only_with
            if values[other] != value:
                mine, theirs = (name.replace("_", "-") for name in (param.name, other))
                notes.append(f"--{mine} has no effect: it belongs to --{theirs} {value}")
        return tuple(notes)


START = Param(
    "start",
    str,
    "schc",
    "Where the search starts: regions of another method, random ones, or a plan in a column.",
    words=("schc", "skater", "redcap", "random"),
)
RESTARTS = Param(
    "restarts", int, 1, "Searches with random numbers of their own; the best is kept.", minimum=1
)
ITERATIONS = Param(
    "iterations", int, None, "How long each search is. [default: what takes a second or two]", minimum=1
)
TIME_LIMIT = Param(
    "time_limit", float, None, "Seconds after which the search stops. [default: none]", above=0
)

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="kmeans",
            summary="Group units by k-means.",
            function="regionalize.methods.kmeans:kmeans",
            params=(
                Param(
                    "search",
                    ("swap", "starts"),
                    "swap",
                    "swap: solutions recombined, centres swapped, single units moved; "
                    "starts: the best of --n-init plain starts.",
                ),
                Param(
                    "init",
                    ("k-means++", "random"),
                    "k-means++",
                    "How first centres are drawn (--search starts).",
                    only_with=("search", "starts"),
                ),
                Param(
                    "n_init",
                    int,
                    150,
                    "Number of starts (--search starts).",
                    minimum=1,
                    only_with=("search", "starts"),
                ),
                Param("max_iter", int, 1000, "Most Lloyd iterations of one start.", minimum=1),
            ),
            reference="Lloyd (1982); Arthur and Vassilvitskii (2007); Hartigan (1975); Fränti (2018); "
            "Gribel and Vidal (2019)",
        ),
        Method(
            name="skater",
            summary="Cut the minimum spanning tree of neighbouring units into contiguous regions.",
            function="regionalize.methods.skater:skater",
            params=(),
            reference="Assunção, Neves, Câmara and da Costa Freitas (2006)",
            contiguous=True,
            tree=True,
        ),
        Method(
            name="schc",
            summary="Join neighbouring clusters, always the two that differ least, into contiguous regions.",
            function="regionalize.methods.schc:schc",
            params=(
                Param(
                    "linkage",
                    ("ward", "single", "complete", "average"),
                    "ward",
                    "How clusters differ: by Ward's criterion, or the least, the greatest or the mean "
                    "distance of their units.",
                ),
            ),
            reference="Murtagh (1985); Ward (1963); Lance and Williams (1967)",
            contiguous=True,
            nested=True,
        ),
        Method(
            name="redcap",
            summary="Join neighbours to a tree by a hierarchy, and cut it into contiguous regions.",
            function="regionalize.methods.redcap:redcap",
            params=(
                Param(
                    "order",
                    ("first", "full"),
                    "full",
                    "What clusters are compared over: links between neighbouring units alone, or all pairs "
                    "of units.",
                ),
                Param(
                    "linkage",
                    ("ward", "single", "complete", "average"),
                    "ward",
                    "How clusters differ: by Ward's criterion, or the least, the greatest or the mean "
                    "distance.",
                ),
            ),
            reference="Guo (2008); Guo and Wang (2011)",
            contiguous=True,
            tree=True,
        ),
        Method(
            name="azp",
            summary="Search for the contiguous regions that fit best, from a first solution on.",
            function="regionalize.methods.azp:azp",
            params=(
                Param(
                    "search",
                    ("recombine", "greedy", "tabu", "annealing"),
                    "recombine",
                    "recombine: regions merged and split along random trees; the others move single units.",
                ),
                START,
                RESTARTS,
                ITERATIONS,
                TIME_LIMIT,
                Param(
                    "tabu_length",
                    int,
                    10,
                    "Moves that may not be undone at once (--search tabu).",
                    minimum=0,
                    only_with=("search", "tabu"),
                ),
                Param(
                    "cooling",
                    float,
                    0.85,
                    "What the temperature is multiplied by after each step (--search annealing).",
                    above=0,
                    below=1,
                    only_with=("search", "annealing"),
                ),
                Param(
                    "sweeps",
                    int,
                    1,
                    "Times that all units are tried at each temperature (--search annealing).",
                    minimum=1,
                    only_with=("search", "annealing"),
                ),
            ),
            reference="Openshaw (1977); Openshaw and Rao (1995); DeFord, Duchin and Solomon (2021)",
            contiguous=True,
            takes_start=True,
        ),
        Method(
            name="maxp",
            summary="Find the most contiguous regions that each hold enough, and of these the best.",
            function="regionalize.methods.maxp:maxp",
            params=(RESTARTS, ITERATIONS, TIME_LIMIT),
            reference="Duque, Anselin and Rey (2012)",
            contiguous=True,
            takes_k=False,
        ),
        Method(
            name="balance",
            summary="Make contiguous regions of nearly equal size, or of equal sums of a column.",
            function="regionalize.methods.balance:balance",
            params=(
                Param(
                    "balance",
                    str,
                    "units",
                    "What every region is to hold alike: units, or the sum of a column.",
                    words=("units",),
                ),
                Param(
                    "tolerance",
                    Share,
                    0.05,
                    "How far a region may be from the mean of all, e.g. 5%.",
                    minimum=0,
                ),
                START,
                RESTARTS,
                ITERATIONS,
                TIME_LIMIT,
            ),
            reference="DeFord, Duchin and Solomon (2021)",
            contiguous=True,
            takes_start=True,
            compactness=0.5,
        ),
    )
}


def find_method(name: str) -> Method:
    """Return the catalog's row, or raise a usage error naming the nearest method."""
    if name not in METHODS:
        raise UsageError(f"there is no method '{name}'", advice=nearest(name, METHODS))
    return METHODS[name]
