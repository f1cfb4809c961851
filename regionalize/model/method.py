"""`Method` and `Param`: what a row of the catalog says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

Center = Literal["mean", "median", "medoid"]
"""What stands for a cluster."""
Metric = Literal["euclidean", "manhattan"]
"""How the distance of two units is measured."""


class Share(float):
    """A kind of option: a share of a whole, such as 0.05 or 5%."""


class Length(str):
    """A kind of option: a length, such as 1km, or a plain number."""


@dataclass(frozen=True)
class Param:
    """An option of one method.

    Attributes
    ----------
    name : str
        What the method's function calls it.
    kind : type or tuple of str
        What its value is: ``int``, ``float``, ``str``, `Share`, `Length`, or one of some words.
    default : object
        Equal to that of the method's function (a test holds it); one of None is told in `help`.
    help : str
        What it means, for `--help`.
    minimum : float or None
        The least value of a number.
    only_with : tuple of (str, object) or None
        Another option, and the value it must have for this one to matter, or a tuple of such values.
    words : tuple of str
        Of an option of kind `str`: they mean something by themselves, and any other text names a column.
    above, below : float or None
        What a number must be above, or below.
    typed : str
        What the option is called at a shell, without its dashes, where that is not its name.
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
    typed: str = ""

    @property
    def option(self) -> str:
        """The option as it is typed."""
        return "--" + (self.typed or self.name.replace("_", "-"))


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
    linkage_matrix : bool
        It joins all units to one hierarchy, whose joins can be written.
    tree : bool
        It cuts a spanning tree, and fills `findings.tree`.
    takes_k : bool
        The number of clusters is given; otherwise the method finds it.
    compactness : float
        What `--compactness` is where it is not given.
    noise : bool
        Units may be left outside of all clusters: their code is -1, and their label 0.
    places : bool
        It groups units by distance alone, of places or of variables: one of its params is called `eps`, a
        `Length`, and the function takes it as a number in units of X.
    bounded : bool
        Clusters can be held within bounds.
    instead_of_k : str
        One of its params that says where to stop in place of k; empty for none.
    large : bool
        Rows may come in batches, be a sample, or lie on other machines.
    center : {"mean", "median", "medoid"}
        What stands for a cluster; for medoids the function fills `findings.medoids`.
    room : str
        ``"module:function"`` of a number of units and, by name, the params given: it refuses more units than
        memory holds. Asked as soon as the layer is read.
    """

    name: str
    summary: str
    function: str
    params: tuple[Param, ...]
    reference: str
    contiguous: bool = False
    takes_start: bool = False
    nested: bool = False
    linkage_matrix: bool = False
    tree: bool = False
    takes_k: bool = True
    compactness: float = 0.0
    noise: bool = False
    places: bool = False
    bounded: bool = True
    instead_of_k: str = ""
    large: bool = False
    center: Center = "mean"
    room: str = ""

    def load(self) -> Callable[..., Any]:
        """Import and return the method's function."""
        return _imported(self.function)

    def check_room(self, n: int, given: Mapping[str, Any]) -> None:
        """Refuse more units than the method can hold in memory."""
        if self.room:
            _imported(self.room)(n, **given)

    def value(self, given: Mapping[str, Any], name: str) -> Any:
        """Return what an option of the method is: as given, or its default."""
        default = next(param.default for param in self.params if param.name == name)
        return default if given.get(name) is None else given[name]

    def metric(self, given: Mapping[str, Any]) -> Metric:
        """Return what distance means to the method."""
        if not any(param.name == "distance" for param in self.params):
            return "euclidean"
        asked: Metric = self.value(given, "distance")
        return asked

    def without_effect(self, given: Mapping[str, Any]) -> tuple[str, ...]:
        """Return a note for every option given that the other options leave without effect."""
        values = {param.name: param.default for param in self.params}
        values.update({name: value for name, value in given.items() if value is not None})
        notes = []
        for param in self.params:
            if param.only_with is None or given.get(param.name) is None:
                continue
            other, wanted = param.only_with
            wanted = wanted if isinstance(wanted, tuple) else (wanted,)
            if values[other] not in wanted:
                mine, theirs = (name.replace("_", "-") for name in (param.name, other))
                named = " and ".join(str(value) for value in wanted)
                why = f"--{theirs} is given" if wanted == (None,) else f"it belongs to --{theirs} {named}"
                notes.append(f"--{mine} has no effect: {why}")
        return tuple(notes)


def _imported(place: str) -> Callable[..., Any]:
    """Return what ``"module:function"`` names."""
    module, _, name = place.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found
