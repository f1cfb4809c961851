"""Lengths as people type them: a number and a unit."""

from __future__ import annotations

import re
from math import isfinite

METRES = {"m": 1.0, "km": 1000.0, "mi": 1609.344, "ft": 0.3048}
"""Metres in each unit."""


def parse_length(text: str) -> tuple[float, str]:
    """Read a length such as ``1km``, ``2.5 mi`` or, in whatever unit is at hand, ``300``.

    Parameters
    ----------
    text : str
        A number above 0, and ``m``, ``km``, ``mi``, ``ft`` or nothing.

    Returns
    -------
    number : float
        As it was given.
    unit : str
        A key of `METRES`, or empty.

    Raises
    ------
    ValueError
        What is wrong, in words for a message.

    Examples
    --------
    >>> parse_length("2.5 km"), parse_length("300")
    ((2.5, 'km'), (300.0, ''))
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?\s*([a-z]*)", text.strip().lower())
    if not found or found[3] not in {"", *METRES}:
        raise ValueError(f"a distance is a number and {', '.join(METRES)} or nothing (map units)")
    number = float(found[1] + (found[2] or ""))
    if not (isfinite(number) and number > 0):
        raise ValueError("the distance must be more than 0")
    return number, found[3]


def distance_text(metres: float) -> str:
    """Write metres to three digits, in kilometres where these are more than one.

    Examples
    --------
    >>> distance_text(830.4), distance_text(2140), distance_text(12_345_678)
    ('830 m', '2.14 km', '12346 km')
    """
    if metres < 1000:
        return f"{metres:.3g} m"
    return f"{metres / 1000:.3g} km" if metres < 1e6 else f"{metres / 1000:.0f} km"
