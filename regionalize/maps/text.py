"""Words on a page: cleaned, measured, wrapped, cut with an ellipsis, in a font that has their letters."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

BASE_FONT = "DejaVu Sans"
"""Ships with matplotlib, so measured widths are the same on every machine."""

SIMILAR_FONT = "Verdana"
"""Has the widths of `BASE_FONT`: what a viewer of the SVG is asked for where that is not installed."""

_JOINERS = "\u200c\u200d"


def clean(text: object) -> str:
    r"""Return `text` on one line, without control characters and lone surrogates (no XML may hold them).

    Examples
    --------
    >>> clean("Saint\n Paul\x07 ")
    'Saint Paul'
    """
    kept = (char if char.isprintable() or char in _JOINERS else " " for char in str(text))
    return " ".join("".join(kept).split())


def fonts_for(texts: Iterable[str]) -> tuple[list[str], str]:
    """Return font families that together hold the letters of `texts`, and the letters nobody has.

    Fonts are looked at only for letters that the base font lacks, those with wide cover first.
    """
    wanted = {char for text in texts for char in text if ord(char) > 255} - set(_JOINERS)
    families = [BASE_FONT]
    if not wanted:
        return [*families, "sans-serif"], ""
    from matplotlib.font_manager import findSystemFonts, fontManager, get_font

    seen: set[str] = set()

    def look() -> None:
        """Take up families that hold wanted letters, from regular faces not looked at before."""
        regular: dict[str, str] = {}
        for entry in sorted(fontManager.ttflist, key=lambda entry: (entry.name, entry.fname)):
            if entry.style == "normal" and str(entry.weight) in {"400", "normal", "regular", "book"}:
                regular.setdefault(entry.name, entry.fname)
        known = [name for name in regular if name not in seen]
        for name in sorted(
            known, key=lambda name: (name != BASE_FONT, not name.startswith("Noto Sans"), name)
        ):
            seen.add(name)
            if not wanted or name.startswith((".", "Last Resort")):  # those draw a box for everything
                continue
            try:
                font = get_font(regular[name])
            except (OSError, RuntimeError):  # a file FreeType cannot use
                continue
            found = {char for char in wanted if font.get_char_index(ord(char))}
            if found:
                wanted.difference_update(found)
                families.extend([name] if name != BASE_FONT else [])

    look()
    if wanted:  # matplotlib keeps a list of fonts from its first run: one installed since is not on it
        listed = {entry.fname for entry in fontManager.ttflist}
        for path in sorted(set(findSystemFonts()) - listed):
            with suppress(OSError, RuntimeError):
                fontManager.addfont(path)
        look()
    return [*families, "sans-serif"], "".join(sorted(wanted))


def unknown_letters(unknown: str) -> str:
    """Tell the person which letters nobody has.

    Examples
    --------
    >>> unknown_letters("ᚠᚢ")
    'no font on this machine has the letters ᚠ ᚢ: a picture shows boxes in their place'
    """
    return (
        f"no font on this machine has the letters {' '.join(unknown[:8])}"
        f"{' …' if len(unknown) > 8 else ''}: a picture shows boxes in their place"
    )


class Font:
    """One face at one size, able to measure and to fit text.

    Parameters
    ----------
    families : list of str
        Families in order of preference, letter by letter.
    size : float
        Points.
    bold : bool
        Bold or regular.
    """

    def __init__(self, families: list[str], size: float, bold: bool = False) -> None:
        from matplotlib.font_manager import FontProperties

        self.size = size
        self.leading = 1.3 * size
        weight = "bold" if bold else "normal"
        self.properties: FontProperties = FontProperties(family=families, size=size, weight=weight)

    def width(self, text: str) -> float:
        """Width of `text` in points."""
        from matplotlib.textpath import text_to_path

        return float(text_to_path.get_text_width_height_descent(text, self.properties, ismath=False)[0])

    def fit(self, text: str, width: float) -> str:
        """Return `text`, or its longest beginning that fits `width` with an ellipsis."""
        if self.width(text) <= width:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self.width(text[:middle].rstrip() + "…") <= width:
                low = middle
            else:
                high = middle - 1
        return text[:low].rstrip() + "…"

    def wrap(self, text: str, width: float, most: int) -> list[str]:
        """Break `text` into at most `most` lines of `width`; what is left over ends in an ellipsis."""
        lines: list[str] = []
        line = ""
        words = text.split()
        while words:
            word = words.pop(0)
            trial = f"{line} {word}" if line else word
            if self.width(trial) <= width:
                line = trial
            elif len(lines) == most - 1:
                lines.append(self.fit(" ".join([trial, *words[:50]]), width))
                return lines
            elif line:
                lines.append(line)
                line, words = "", [word, *words]
            else:  # a word longer than a line
                head = self.fit(word, width)[:-1] or word[0]
                lines.append(head)
                words = [word[len(head) :], *words]
        return [*lines, line] if line else lines
