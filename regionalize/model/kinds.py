"""What the values of options are in a file: the types of TOML, for plans and configurations alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from reprlib import repr as shortened
from typing import Any

from regionalize.errors import UsageError
from regionalize.model.job import Job, Outputs
from regionalize.model.method import Length, Method, Param, Share

_MOST_DIGITS = 18


@dataclass(frozen=True)
class Kind:
    """A type of values.

    Attributes
    ----------
    takes : str
        How it is said.
    one : callable
        Whether a value that is neither a list nor a table is of this type.
    several : bool
        Whether a list of such will do, too.
    table : callable or None
        Whether a table will do; None for none.
    """

    takes: str
    one: Callable[[Any], bool]
    several: bool = False
    table: Callable[[dict[str, Any]], bool] | None = None

    def holds(self, value: Any) -> bool:
        """Whether a value, as TOML has it, is of this type."""
        if isinstance(value, list):
            return self.several and all(map(self.one, value))
        if isinstance(value, dict):
            return self.table is not None and self.table(value)
        return self.one(value)


def is_digits(text: str) -> bool:
    """Whether text is a whole number, and of no more digits than the count of anything has.

    Python refuses to read numbers of thousands of digits.

    Examples
    --------
    >>> is_digits("12"), is_digits("-1"), is_digits("9" * 5000)
    (True, False, False)
    """
    return text.isdecimal() and len(text) <= _MOST_DIGITS


def is_integer(value: Any) -> bool:
    """Whether TOML has a whole number there: 3, and neither 3.0 nor true."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether TOML has a number there."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_text(value: Any) -> bool:
    """Whether TOML has text there."""
    return isinstance(value, str)


def is_measure(value: Any) -> bool:
    """Whether TOML has a number there, or text, which may have a unit."""
    return is_number(value) or is_text(value)


def is_texts(value: Any) -> bool:
    """Whether TOML has text there, or a list of texts."""
    return is_text(value) or (isinstance(value, list) and all(map(is_text, value)))


TEXT = Kind("text", is_text)
TEXTS = Kind("text, or a list of texts", is_text, several=True)
TRUTH = Kind("true or false", lambda value: isinstance(value, bool))
WHOLE_NUMBER = Kind("a whole number", is_integer)
WHOLE_NUMBERS = Kind("a whole number, or a list of such", is_integer, several=True)
NUMBER = Kind("a number", is_number)
MEASURE = Kind("a number or text", is_measure)
MEASURES = Kind("a number or text, or a list of such", is_measure, several=True)
WEIGHTS = Kind(
    "text, a list of texts, or a table of columns and numbers",
    is_text,
    several=True,
    table=lambda table: all(map(is_number, table.values())),
)
FUNCTIONS = Kind(
    "text, a list of texts, or a table of columns and functions",
    is_text,
    several=True,
    table=lambda table: all(map(is_texts, table.values())),
)
BOUND = Kind(
    "text, or a table of one column and its amount",
    is_text,
    table=lambda table: len(table) == 1 and all(map(is_measure, table.values())),
)

OF_TYPES = {
    "bool": TRUTH,
    "int": WHOLE_NUMBER,
    "float": NUMBER,
    "str": TEXT,
    "Path": TEXT,
    "float | str": MEASURE,
    "tuple[str, ...]": TEXTS,
    "tuple[tuple[str, float], ...]": WEIGHTS,
    "tuple[tuple[str, str], ...]": FUNCTIONS,
    "tuple[str, float | str]": BOUND,
}
"""What stands in a file for what a field of `Job` or `Outputs` holds."""
KINDS: Mapping[str, Kind] = {
    item.name: OF_TYPES[str(item.type).removesuffix(" | None")]
    for item in (*fields(Job), *fields(Outputs))
    if item.name not in {"method", "params", "levels"}
} | {"axes": TEXTS, "sample": MEASURE, "test_share": MEASURE, "region_weight": WEIGHTS, "keep_zone": TEXTS}
"""Of the options that methods share, by their names in Python; `k` is several numbers where regions nest."""


def kind_in(method: Method, name: str) -> Kind:
    """Return what an option of a method takes, by its name in Python.

    Examples
    --------
    >>> from regionalize.model.catalog import find_method
    >>> kind_in(find_method("schc"), "k").takes, kind_in(find_method("kmeans"), "columns").takes
    ('a whole number, or a list of such', 'text, or a list of texts')
    """
    for param in method.params:
        if param.name == name:
            return kind_of_param(param)
    return WHOLE_NUMBERS if name == "k" and method.nested else KINDS[name]


def kind_of_param(param: Param) -> Kind:
    """Return what an option takes that one method alone has."""
    if isinstance(param.kind, tuple):
        return TEXT
    kinds: dict[type, Kind] = {int: WHOLE_NUMBER, float: NUMBER, Share: MEASURE, Length: MEASURE}
    return kinds.get(param.kind, TEXT)


def checked(key: str, value: Any, kind: Kind) -> Any:
    """Return a value of the type that is asked for, or refuse it: types are not bent to fit.

    Raises
    ------
    UsageError
        Without the place. Of a list the first value is told that is of no use.

    Examples
    --------
    >>> checked("columns", ["a", 3], TEXTS)
    Traceback (most recent call last):
    regionalize.errors.UsageError: columns is 3; it takes text, or a list of texts
    """
    if not kind.holds(value):
        several = isinstance(value, list) and kind.several
        odd = next(one for one in value if not kind.one(one)) if several else value
        raise UsageError(f"{key} is {as_toml(odd)}", advice=f"it takes {kind.takes}")
    return value


def as_toml(value: Any) -> str:
    """Write a value for a message about as it stands in the file, a long one shortened.

    Examples
    --------
    >>> as_toml(True), as_toml("many"), as_toml(date(2026, 1, 2)), as_toml([1] * 20)
    ('true', "'many'", '2026-01-02', '[1, 1, 1, 1, 1, 1, ...]')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return shortened(value)


def refuse_twice(keys: Iterable[str], option_of: Callable[[str], Any]) -> None:
    """Refuse two keys of a table that stand for one option.

    Parameters
    ----------
    keys : iterable of str
        As they are spelled.
    option_of : callable
        What a key stands for; None for nothing.

    Raises
    ------
    UsageError
        Without the place.

    Examples
    --------
    >>> refuse_twice(["n-init", "n_init"], with_dashes)
    Traceback (most recent call last):
    regionalize.errors.UsageError: 'n-init' and 'n_init' are one option; keep one of them
    """
    said: dict[Any, str] = {}
    for key in keys:
        option = option_of(key)
        if option in said:
            raise UsageError(f"'{said[option]}' and '{key}' are one option", advice="keep one of them")
        if option is not None:
            said[option] = key


def with_dashes(key: str) -> str:
    """Return a key with the dashes that an option is typed with."""
    return key.replace("_", "-")


def keyed(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table by its keys as they are typed at a shell; two spellings of one are refused."""
    refuse_twice(table, with_dashes)
    return {with_dashes(key): value for key, value in table.items()}
