"""What every picture goes through: matplotlib's settings, a blank page, what is put on it, the file."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, Literal, cast

from regionalize.errors import UsageError
from regionalize.maps.sheet import Words
from regionalize.maps.text import BASE_FONT, SIMILAR_FONT

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

FileFormat = Literal["png", "svg", "pdf"]

DPI = 200
"""Pixels per inch of a PNG."""
RASTER_DPI = 300
"""The same where a vector file holds the units as an image."""

drawing_lock = Lock()
"""Matplotlib keeps its settings in one place for the whole process: one picture at a time."""


def format_of(suffix: str) -> FileFormat:
    """Return the format that a file's ending asks for; whoever draws refuses one that is none.

    Examples
    --------
    >>> format_of(".PNG")
    'png'
    """
    return cast("FileFormat", suffix.lower().lstrip("."))


def check_format(file_format: str, what: str) -> None:
    """Refuse a format that `what`, such as a map, cannot be written in."""
    if file_format not in ("png", "svg", "pdf"):
        raise UsageError(f"a {what} cannot be written as '{file_format}'", advice="use png, svg or pdf")


@contextmanager
def drawing() -> Iterator[None]:
    """Draw with matplotlib's own defaults, whatever the user set, so that bytes repeat; undone afterwards."""
    log = logging.getLogger("matplotlib")
    with ExitStack() as ends:
        ends.enter_context(drawing_lock)
        ends.callback(log.setLevel, log.level)
        log.setLevel(logging.ERROR)  # it tells of caches, from its import on, and of weights of fonts
        import matplotlib as mpl

        ends.enter_context(mpl.rc_context())
        ends.enter_context(warnings.catch_warnings())
        # letters that no font on this machine has are in our notes
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from", UserWarning)
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "font.sans-serif": [BASE_FONT, SIMILAR_FONT],
                "hatch.linewidth": 0.5,
                "pdf.fonttype": 3,  # 42 embeds CFF fonts such as Noto CJK under the wrong type
                "svg.fonttype": "none",
                "svg.hashsalt": "regionalize",
            }
        )
        yield


def blank_page(width: float, height: float) -> tuple[Figure, Transform]:
    """Make a white page of a size in points, and what takes points from its lower left corner onto it."""
    from matplotlib.figure import Figure
    from matplotlib.transforms import Affine2D

    figure = Figure(figsize=(width / 72, height / 72), facecolor="white")
    return figure, Affine2D().scale(1 / 72) + figure.dpi_scale_trans


def fill_page(figure: Figure, artists: Iterable[Artist], words: Iterable[Words], points: Transform) -> None:
    """Put shapes on a page, and words over them."""
    for artist in artists:
        figure.add_artist(artist)
    for one in words:
        figure.text(
            one.x,
            one.y,
            one.text,
            transform=points,
            fontproperties=one.font.properties,
            color=one.color,
            ha="right" if one.right else "left",
            va="baseline",
            parse_math=False,  # a dollar sign is a dollar sign
        )


def save_page(
    figure: Figure, target: Path | IO[bytes], file_format: FileFormat, title: str, source: str = ""
) -> None:
    """Write a page with its title, and without what would make the bytes differ from run to run.

    `source` goes whole into what a file says about itself, however little of it the page had room for.
    """
    metadata: dict[str, str | None] = {
        "png": dict.fromkeys(["Software"]),
        "svg": dict.fromkeys(["Date", "Creator"]),
        "pdf": dict.fromkeys(["CreationDate", "Creator", "Producer"]),
    }[file_format]
    metadata["Title"] = title
    if source:
        metadata["Subject" if file_format == "pdf" else "Description"] = source
    dpi = DPI if file_format == "png" else RASTER_DPI
    figure.savefig(target, format=file_format, dpi=dpi, metadata=metadata)
