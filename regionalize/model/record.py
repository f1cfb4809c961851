"""`RunRecord`: how columns of a layer were made, kept with the layer."""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

KEY = "regionalize"
"""What the records of a layer are called wherever they are kept."""
FORMAT = 1
"""Of the document that is kept; a higher one may say more than is understood here."""
BESIDE = (".shp", ".gdb", ".kml", ".csv")
"""Endings of layers that hold no records: these lie beside them."""
RECORD_FILE = ".run.json"
"""What is added to the name of a layer, for the file of its records."""


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run: what it was told, and what came out.

    Attributes
    ----------
    made_by : str
        The method or command.
    columns : tuple of str
        The columns of the layer that it made, labels first.
    settings : dict
        Method, seed and every option that differs from its default.
    command : str
        The command line that repeats the run; empty where there is none.
    input : dict
        ``file``, ``layer``, ``rows`` and ``rows_used``, as far as they are known.
    versions : dict of str to str
        Versions of what computed the answer.
    k, seed : int or None
        Number of clusters, and the seed of random draws; None where there is none.
    measures : dict
        The headline of the report: ``bss_tss_all``, ``bss_tss_attributes``, ``contiguous``, ``subclusters``.
    other : dict
        What a later version has written besides; it is kept as it is.

    Examples
    --------
    >>> record = RunRecord(made_by="kmeans", columns=("cluster",), k=4)
    >>> RunRecord.from_dict(record.to_dict()) == record
    True
    """

    made_by: str
    columns: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    input: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    k: int | None = None
    seed: int | None = None
    measures: Mapping[str, Any] = field(default_factory=dict)
    other: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return nested plain data, ready for JSON: what is not known is left out."""
        known = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "other"}
        said = {name: value for name, value in known.items() if value not in (None, "", {})}
        return {**said, "columns": list(self.columns), **self.other}

    @classmethod
    def from_dict(cls, found: Any) -> RunRecord:
        """Return the record that `to_dict` wrote, here or in a later version.

        Raises
        ------
        ValueError
            If it is none.
        """
        if not isinstance(found, dict):
            raise ValueError("a run is not an object")
        names = {item.name for item in fields(cls)} - {"other"}
        known = {name: value for name, value in found.items() if name in names and value is not None}
        for name, kinds in _KINDS.items():
            value = known.get(name)
            if name in known and (not isinstance(value, kinds) or isinstance(value, bool)):
                raise ValueError(f"'{name}' of a run is {reprlib.repr(value)}")
        columns = known.get("columns", [])
        if "made_by" not in known or not all(isinstance(column, str) for column in columns):
            raise ValueError("a run does not say what made which columns")
        known["columns"] = tuple(columns)
        return cls(**known, other={name: value for name, value in found.items() if name not in names})


_KINDS: dict[str, type | tuple[type, ...]] = {
    "made_by": str,
    "columns": list,
    "settings": dict,
    "command": str,
    "input": dict,
    "versions": dict,
    "k": int,
    "seed": int,
    "measures": dict,
}

History = tuple[RunRecord, ...]
"""The runs that made columns of a layer, the latest last."""


def history_of(
    history: Iterable[RunRecord], columns: Collection[str], record: RunRecord | None = None
) -> History:
    """Return what is known of the columns of a layer after another run.

    Parameters
    ----------
    history : iterable of RunRecord
        What was known before.
    columns : collection of str
        The columns there are now. A record goes with the last of its columns.
    record : RunRecord, optional
        The run: its columns are its own from now on, whatever made them before.

    Examples
    --------
    >>> first, second = (RunRecord(made_by=name, columns=(name,)) for name in ("kmeans", "skater"))
    >>> [one.made_by for one in history_of([first], ["pop", "kmeans", "skater"], second)]
    ['kmeans', 'skater']
    >>> [one.made_by for one in history_of([first], ["pop", "skater"], second)]
    ['skater']
    """
    replaced = () if record is None else record.columns
    found = []
    for one in history:
        left = tuple(name for name in one.columns if name in columns and name not in replaced)
        if left:
            found.append(replace(one, columns=left))
    return (*found, *(() if record is None else (record,)))


def renamed(history: Iterable[RunRecord], names: Mapping[str, str]) -> History:
    """Return a history with the names that columns have elsewhere.

    Examples
    --------
    >>> renamed([RunRecord(made_by="kmeans", columns=("cluster_of_all",))], {"cluster_of_all": "cluster_of"})
    (RunRecord(made_by='kmeans', columns=('cluster_of',), ...
    """
    return tuple(
        replace(one, columns=tuple(names.get(name, name) for name in one.columns)) for one in history
    )


def history_document(history: Iterable[RunRecord]) -> dict[str, Any]:
    """Return what is kept with a layer, ready for JSON."""
    return {"format": FORMAT, "runs": [one.to_dict() for one in history]}


def read_history(document: Any) -> History:
    """Return the history that a document holds.

    Raises
    ------
    ValueError
        If it is none: not an object with runs, or a run that does not say what made which columns.

    Examples
    --------
    >>> read_history({"format": 1, "runs": [{"made_by": "kmeans", "columns": ["cluster"]}]})[0].columns
    ('cluster',)
    """
    if not isinstance(document, dict) or not isinstance(document.get("runs"), list):
        raise ValueError("there are no runs in it")
    return tuple(RunRecord.from_dict(one) for one in document["runs"])


def record_file(layer: Path) -> Path | None:
    """Return the file beside a layer that keeps its records, None where the layer has them within.

    Examples
    --------
    >>> record_file(Path("out/regions.SHP")).name, record_file(Path("regions.gpkg"))
    ('regions.SHP.run.json', None)
    """
    return layer.with_name(f"{layer.name}{RECORD_FILE}") if layer.suffix.lower() in BESIDE else None
