"""`--embed`: what stands in the place of columns that are steps of a series."""

from __future__ import annotations

from typing import Any

from regionalize.errors import UsageError


def read_embedding(text: str) -> tuple[str, float]:
    """Split an embedding into its kind and its number, 0 where it has none.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> read_embedding("pca:8"), read_embedding("trend"), read_embedding("season:365.25")
    (('pca', 8.0), ('trend', 0.0), ('season', 365.25))
    """
    kind, colon, after = text.strip().lower().partition(":")
    if kind == "trend" and not colon:
        return kind, 0.0
    try:
        number = float(after)
    except ValueError:
        number = float("nan")
    if kind == "pca" and colon:
        if not (number >= 1 and number.is_integer()):
            raise UsageError(
                f"--embed is '{text}'; it must have a whole number of components", advice="such as pca:8"
            )
        return kind, number
    if kind == "season" and colon:
        if not 2 < number < float("inf"):
            raise UsageError(
                f"--embed is '{text}'; a period must be longer than 2 columns", advice="such as season:12"
            )
        return kind, number
    raise UsageError(f"--embed is '{text}'; it must be pca:Q, trend or season:P", advice="such as pca:8")


def parse_embedding(value: Any) -> str:
    """Return an embedding as it is written in settings, or refuse what is none.

    Examples
    --------
    >>> parse_embedding(" PCA:8")
    'pca:8'
    """
    if not isinstance(value, str):
        raise UsageError(f"--embed is {value!r}; it must be pca:Q, trend or season:P", advice="such as pca:8")
    kind, number = read_embedding(value)
    if not number:
        return kind
    return f"{kind}:{int(number) if number.is_integer() else repr(number)}"
