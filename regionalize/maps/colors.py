"""Colours of clusters and of shares: the same number is the same colour on every map."""

from __future__ import annotations

NOISE_COLOR = "#b3b3b3"
"""Fill of units no cluster took (label 0)."""
MISSING_COLOR = "#dcdcdc"
"""Fill of units that took no part (label -1)."""

PALETTE = (
    *("#8778f0", "#ffd24b", "#c32d5a", "#78e1ff", "#003c87"),
    *("#4b9687", "#784b00", "#c3e1b4", "#785a87", "#ff8769"),
    *("#00694b", "#b4870f", "#780f1e", "#a587b4", "#691e4b"),
    *("#0069c3", "#f0a5d2", "#0fc396", "#69781e", "#ff4b78"),
)
"""Twenty colours, found by search so that every beginning of the list stays apart: the smallest CIEDE2000
distance between any two of the first 12 is 19 in ordinary vision and 11 under simulated protanopia,
deuteranopia and tritanopia; of all 20 it is 15 and 9. Lightness does much of that work, since it is what
every reader sees. ``tests/maps/color_vision.py`` holds the search and the measure."""

SHADES = ("#f4edca", "#b9c48e", "#749b83", "#3c6f7c", "#254164")
"""Of shares: pale to dark in even steps of lightness, so that grey paper and every eye keep their order."""
LIMITS = (0.5, 0.75, 0.9, 0.99)
"""Shares from which the next shade is taken: what stays by chance, mostly, nearly always and always."""

_TINTS = (0.0, 0.45, -0.35, 0.7, -0.6)
"""Share of white (or, negative, of black) mixed in, each time the list is used up."""


def cluster_color(label: int) -> str:
    """Return the hex colour of one label: a cluster from 1, noise (0) or left out (negative).

    The first 20 stay apart, for colour-blind readers too. Beyond, they are used again in lighter and darker
    tints (all different up to 100, repeating after): a map then needs a second sign, see `cluster_turn`.

    Examples
    --------
    >>> cluster_color(1), cluster_color(0)
    ('#8778f0', '#b3b3b3')
    """
    if label < 1:
        return NOISE_COLOR if label == 0 else MISSING_COLOR
    turn, place = divmod(label - 1, len(PALETTE))
    tint = _TINTS[turn % len(_TINTS)]
    end = 255 if tint > 0 else 0
    channels = (int(PALETTE[place][i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(value + (end - value) * abs(tint)):02x}" for value in channels)


def cluster_turn(label: int) -> int:
    """Return how often the palette was used up before this label: 0 for the first 20 clusters and for greys.

    Examples
    --------
    >>> cluster_turn(20), cluster_turn(21)
    (0, 1)
    """
    return max(label - 1, 0) // len(PALETTE)


def shade_color(label: int) -> str:
    """Return the hex colour of a shade, 1 for the palest; grey for none.

    Examples
    --------
    >>> shade_color(1), shade_color(-1)
    ('#f4edca', '#dcdcdc')
    """
    return SHADES[label - 1] if label > 0 else MISSING_COLOR


def shade_text(label: int) -> str:
    """Say which shares have a shade.

    Examples
    --------
    >>> [shade_text(label) for label in (1, 4, 5)]
    ['below 50 %', '90 to 99 %', '99 % and more']
    """
    if label == 1:
        return f"below {100 * LIMITS[0]:g} %"
    low = f"{100 * LIMITS[label - 2]:g}"
    return f"{low} % and more" if label == len(SHADES) else f"{low} to {100 * LIMITS[label - 1]:g} %"
