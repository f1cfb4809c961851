"""What can go wrong, said to the person at the shell.

An error is one line: ``FILE[:layer][:column][:row]: reason; what to do``. The function that notices
the fault knows the column and the row; the code that opened the file adds the file and the layer
with :func:`located`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_MOST_LETTERS = 1000
"""Of an advice or a place in a message: names in a file may be of any length."""


class RegionalizeError(Exception):
    """A fault in data, files or feasibility (exit code 1).

    Parameters
    ----------
    reason : str
        What is wrong, without the place.
    advice : str, optional
        What to do about it.
    file, layer, column : str, optional
        Where it is.
    row : int or str, optional
        Row number (from 1) or identifier.

    Examples
    --------
    >>> print(RegionalizeError("2 missing values", advice="use --missing drop", file="a.gpkg", column="pop"))
    a.gpkg:pop: 2 missing values; use --missing drop
    """

    exit_code = 1

    def __init__(
        self,
        reason: str,
        *,
        advice: str = "",
        file: str = "",
        layer: str = "",
        column: str = "",
        row: int | str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = shortened(reason)
        self.advice = advice
        self.file = file
        self.layer = layer
        self.column = column
        self.row = row

    def __str__(self) -> str:
        row = "" if self.row is None else f"row {self.row}"
        place = ":".join(
            shortened(part, _MOST_LETTERS) for part in (self.file, self.layer, self.column, row) if part
        )
        text = f"{place}: {self.reason}" if place else self.reason
        return " ".join((f"{text}; {shortened(self.advice, _MOST_LETTERS)}" if self.advice else text).split())


class UsageError(RegionalizeError):
    """An option or argument that cannot be meant (exit code 2)."""

    exit_code = 2


class DataError(RegionalizeError):
    """The layer, a column or a weights file is not fit for what was asked."""


class InfeasibleError(RegionalizeError):
    """No solution satisfies what was asked (k, bounds, contiguity)."""


class OutputError(RegionalizeError):
    """An output cannot be written, or must not be."""


class PluginError(RegionalizeError):
    """A method of another package cannot be used, or is wrong."""


@contextmanager
def located(file: str = "", layer: str = "") -> Iterator[None]:
    """Add the file and layer to any `RegionalizeError` raised inside that has none."""
    try:
        yield
    except RegionalizeError as error:
        if not error.file:
            error.file, error.layer = file, error.layer or layer
        raise


@contextmanager
def legible(file: str) -> Iterator[None]:
    """Say of what a disk or a system refuses which input it is about.

    Examples
    --------
    >>> with legible("towns.gpkg"):
    ...     raise OSError(5, "Input/output error")
    Traceback (most recent call last):
    regionalize.errors.DataError: towns.gpkg: cannot be read: Input/output error; check the disk it is on
    """
    try:
        yield
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        raise DataError(reason, advice="check the disk it is on", file=file) from error


def nearest(word: object, known: Iterable[str]) -> str:
    """Return advice naming the known word nearest to `word`, or the empty string.

    Examples
    --------
    >>> nearest("litercy", ["Litercy", "Wealth"])
    "did you mean 'Litercy'?"
    >>> nearest("HR06", ["HR60", "HR70", "HR90"])  # the same letters in another order come first
    "did you mean 'HR60'?"
    """
    from difflib import get_close_matches

    lowered, by_lower = str(word).lower(), {name.lower(): name for name in known}
    found = get_close_matches(lowered, by_lower, n=10, cutoff=0.5)
    found.sort(key=lambda name: sorted(name) != sorted(lowered))
    return f"did you mean '{by_lower[found[0]]}'?" if found else ""


def lacks_memory(error: BaseException) -> bool:
    """Whether an error means that there is no memory: Python's own, or a library that cannot be loaded.

    Examples
    --------
    >>> lacks_memory(ImportError("libgdal.so: failed to map segment from shared object"))
    True
    """
    return isinstance(error, MemoryError) or (
        isinstance(error, ImportError) and "failed to map segment" in str(error)
    )


def counted(count: int, noun: str) -> str:
    """Write a number of things.

    Examples
    --------
    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shortened(text: str, limit: int = 500) -> str:
    """Leave out the middle of a long text, so that what strangers wrote cannot flood a terminal.

    Examples
    --------
    >>> shortened("abcdefghij", limit=7), shortened("abc")
    ('abc … j', 'abc')
    """
    if len(text) <= limit:
        return text
    tail = limit // 4
    return f"{text[: limit - tail - 3]} … {text[-tail:]}"


def quoted(text: str) -> str:
    r"""Put text in quotes that it does not hold itself; without any where it holds both kinds.

    Examples
    --------
    >>> print(quoted("pop > 5"), quoted("name = 'Rome'"), quoted("\"name\" = 'Rome'"))
    'pop > 5' "name = 'Rome'" "name" = 'Rome'
    """
    marks = [mark for mark in ("'", '"') if mark not in text]
    return f"{marks[0]}{text}{marks[0]}" if marks else text


def listed(names: Iterable[object], limit: int = 8) -> str:
    """Join names for a message, cutting a long list and saying how many were left out.

    Examples
    --------
    >>> listed(range(5), limit=3)
    '0, 1, 2 and 2 more'
    """
    items = [str(name) for name in names]
    shown = ", ".join(items[:limit])
    return f"{shown} and {len(items) - limit} more" if len(items) > limit else shown
