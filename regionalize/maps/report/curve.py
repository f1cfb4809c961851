"""A curve of a report as a small drawing in the page itself, in the page's own colours."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

from regionalize.maps.html import escape
from regionalize.model.document import Curve

WIDTH, HEIGHT = 320.0, 150.0
"""Of one panel without its words."""
LEFT, RIGHT, ABOVE, BELOW = 48.0, 12.0, 30.0, 40.0

Points = Sequence[tuple[float, float]]


def curve_svg(curve: Curve) -> str:
    """Return a panel for every line, below each other, with the chosen place marked.

    Examples
    --------
    >>> text = curve_svg(Curve("weight", (("pieces", ((0.0, 9.0), (1.0, 4.0))),), chosen=1.0))
    >>> text.count("<polyline"), "pieces" in text
    (1, True)
    """
    shown = [(name, points) for name, points in curve.lines if points]
    places = [x for _, points in shown for x, _ in points]
    if not places:
        return ""
    span = min(places), max(places)
    height = ABOVE + HEIGHT + BELOW
    panels = [
        f'<g transform="translate(0 {number * height:g})">{_panel(name, points, span, curve)}</g>'
        for number, (name, points) in enumerate(shown)
    ]
    size = f"0 0 {LEFT + WIDTH + RIGHT:g} {len(shown) * height:g}"
    said = f"{' and '.join(name for name, _ in shown)} over the {curve.across}"
    return (
        f'<svg class="curve" viewBox="{size}" role="img" aria-label="{escape(said)}">{"".join(panels)}</svg>'
    )


def _panel(name: str, points: Points, span: tuple[float, float], curve: Curve) -> str:
    """Draw one line with its axes, from the upper left corner down."""
    values = [y for _, y in points]
    ticks = round_ticks(min(values), max(values))
    low, high = ticks[0], ticks[-1]
    bottom = ABOVE + HEIGHT

    def across(x: float) -> float:
        return LEFT + WIDTH * ((x - span[0]) / (span[1] - span[0]) if span[1] > span[0] else 0.5)

    def up(y: float) -> float:
        return bottom - HEIGHT * (y - low) / (high - low)

    drawn = [f'<text class="title" x="0" y="12">{escape(name)}</text>']
    for tick in ticks:
        y = up(tick)
        drawn.append(f'<line class="grid" x1="{LEFT:g}" x2="{LEFT + WIDTH:g}" y1="{y:.2f}" y2="{y:.2f}"/>')
        drawn.append(f'<text class="end" x="{LEFT - 6:g}" y="{y + 3.5:.2f}">{tick:.6g}</text>')
    for tick in round_ticks(*span):
        if span[0] <= tick <= span[1]:
            drawn.append(f'<text class="middle" x="{across(tick):.2f}" y="{bottom + 15:g}">{tick:.6g}</text>')
    drawn.append(f'<text class="end" x="{LEFT + WIDTH:g}" y="{bottom + 30:g}">{escape(curve.across)}</text>')
    line = " ".join(f"{across(x):.2f},{up(y):.2f}" for x, y in points)
    drawn.append(f'<polyline points="{line}"/>')
    chosen = [(x, y) for x, y in points if x == curve.chosen]
    for x, y in chosen:
        at = across(x)
        drawn.append(f'<line class="chosen" x1="{at:.2f}" x2="{at:.2f}" y1="{ABOVE:g}" y2="{bottom:g}"/>')
        drawn.append(f'<circle cx="{at:.2f}" cy="{up(y):.2f}" r="4"/>')
        side, shift = ("end", -7) if at > LEFT + 0.8 * WIDTH else ("start", 7)
        drawn.append(f'<text class="{side}" x="{at + shift:.2f}" y="{ABOVE + 9:g}">{x:.6g}: {y:.4g}</text>')
    return "".join(drawn)


def round_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers, evenly apart, of which the first and last enclose low and high.

    Examples
    --------
    >>> round_ticks(0.13, 0.46), round_ticks(3, 3)
    ([0.1, 0.2, 0.3, 0.4, 0.5], [2.4, 2.6, 2.8, 3.0, 3.2, 3.4, 3.6])
    """
    if high <= low:
        room = abs(low) / 6 or 0.5
        low, high = low - room, high + room
    rough = (high - low) / most
    size = 10.0 ** floor(log10(rough))
    step = next(size * times for times in (1, 2, 5, 10) if size * times >= rough * (1 - 1e-9))
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]
