"""Which columns of a file are read, when not all of them are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regionalize.errors import DataError, listed, nearest


@dataclass(frozen=True)
class ColumnChoice:
    """Columns of a file.

    Attributes
    ----------
    kept : tuple of str
        Those asked for, in the order of the file.
    read : tuple of str
        Those, and after them the ones that a filter may speak of.
    """

    kept: tuple[str, ...]
    read: tuple[str, ...]


def choose_columns(there: Sequence[str], wanted: Sequence[str] | None, where: str | None) -> ColumnChoice:
    """Choose the columns to read.

    Parameters
    ----------
    there : sequence of str
        The columns of the file.
    wanted : sequence of str or None
        Those asked for; None for all.
    where : str or None
        A filter.

    Raises
    ------
    DataError
        If a column is not there, or two have the same name.

    Examples
    --------
    >>> choose_columns(["name", "pop", "state"], ["pop"], "STATE = 'CE'")
    ColumnChoice(kept=('pop',), read=('pop', 'state'))
    """
    check_names(there)
    if wanted is None:
        return ColumnChoice(tuple(there), tuple(there))
    for name in wanted:
        if name not in there:
            raise DataError(
                f"there is no column '{name}'", advice=nearest(name, there) or f"columns are {listed(there)}"
            )
    kept = tuple(name for name in there if name in set(wanted))
    filtered = [name for name in there if name not in kept and where is not None and named_in(name, where)]
    return ColumnChoice(kept, (*kept, *filtered))


def named_in(name: str, where: str) -> bool:
    """Whether a filter may speak of a column."""
    return name.replace('"', '""').lower() in where.lower()


def check_names(names: Sequence[str]) -> None:
    """Refuse columns of the same name.

    Raises
    ------
    DataError
    """
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise DataError(
            f"{len(twice)} column names occur twice: {listed(twice)}", advice="rename one of each"
        )
