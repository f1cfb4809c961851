"""One row per method: the command, the Python call and the docs all follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from regionalize.errors import UsageError, nearest


@dataclass(frozen=True)
class Param:
    """An option of one method.

    `default` must equal the method function's own (a test holds it). `only_with` names another option and
    the value it must have for this one to matter.
    """

    name: str
    kind: type | tuple[str, ...]
    default: Any
    help: str
    minimum: float | None = None
    only_with: tuple[str, Any] | None = None


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
    """

    name: str
    summary: str
    function: str
    params: tuple[Param, ...]
    reference: str
    contiguous: bool = False

    def load(self) -> Callable[..., Any]:
        """Import and return the method's function."""
        module, _, name = self.function.partition(":")
        loaded: Callable[..., Any] = getattr(import_module(module), name)
        return loaded

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
        ),
    )
}


def find_method(name: str) -> Method:
    """Return the catalog's row, or raise a usage error naming the nearest method."""
    if name not in METHODS:
        raise UsageError(f"there is no method '{name}'", advice=nearest(name, METHODS))
    return METHODS[name]
