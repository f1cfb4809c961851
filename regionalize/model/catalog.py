"""The methods there are, by name: the command, the Python call and the docs all follow from a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from regionalize.errors import UsageError, nearest
from regionalize.model.method import Method
from regionalize.model.rows.clusters import CLUSTERS
from regionalize.model.rows.density import DENSITY
from regionalize.model.rows.regions import REGIONS

OWN: dict[str, Method] = {method.name: method for method in (*CLUSTERS, *REGIONS, *DENSITY)}
"""The methods of this package."""


class Catalog(Mapping[str, Method]):
    """Methods by name: our own, then those of other packages.

    Other packages are looked for only when a name is none of ours, or when all are listed: a run of ours does
    not pay for them. One that cannot be used is not listed; asking for it by name raises a `PluginError`.
    """

    def __getitem__(self, name: str) -> Method:
        if name in OWN:
            return OWN[name]
        if name not in self:
            raise KeyError(name)
        from regionalize.model.plugins import plugin_row

        return plugin_row(name)

    def __contains__(self, name: object) -> bool:
        if name in OWN:
            return True
        from regionalize.model.plugins import COMMANDS, offered

        return name not in COMMANDS and name in offered()

    def __iter__(self) -> Iterator[str]:
        from regionalize.model.plugins import usable

        yield from OWN
        yield from usable()

    def __len__(self) -> int:
        return sum(1 for _ in self)


METHODS = Catalog()


def find_method(name: str) -> Method:
    """Return the catalog's row, or raise a usage error naming the nearest method."""
    if name not in METHODS:
        raise UsageError(f"there is no method '{name}'", advice=nearest(name, METHODS))
    return METHODS[name]


def package_of(name: str) -> str:
    """Return the package that a method is from, with its version; empty for our own."""
    if name in OWN:
        return ""
    from regionalize.model.plugins import offered

    plugin = offered().get(name)
    return "" if plugin is None else plugin.package
