"""Report files: which endings there are, and what writes each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from regionalize.errors import DataError
from regionalize.model.document import Document, Picture

if TYPE_CHECKING:
    from regionalize.model.layer import Layer
    from regionalize.run.solve import Solution

REPORTS = (".json", ".csv", ".md", ".html")
"""What a report may end in: two for programs, two for people."""

LIGHT = 30_000
"""Corners of all geometries up to which a map on a page is drawn in lines, beyond as an image."""


def write_solution(solution: Solution, target: Path, suffix: str, *, dissolve_lines: bool = False) -> None:
    """Write the report of a solution in the form that `suffix` asks for.

    `dissolve_lines` outlines the clusters on the map of a page.
    """
    from regionalize.io.reports import write_report
    from regionalize.run.document import run_document
    from regionalize.run.pictures import captions, draw_solution

    suffix = suffix.lower()
    if suffix in (".json", ".csv"):
        write_report(target, solution.report, suffix)
        return
    picture = None
    if suffix == ".html":
        alt = f"Map of {captions(solution)[0]}"
        maps = len(solution.partitions)
        draw = partial(draw_solution, solution, dissolve_lines=dissolve_lines)
        picture = picture_of(solution.layer, draw, alt, maps)
    write_document(run_document(solution.report, picture), target, suffix)


def write_document(document: Document, target: Path, suffix: str) -> None:
    """Write a document as Markdown or as a page."""
    if suffix.lower() == ".html":
        from regionalize.maps.report.page import report_page

        text = report_page(document)
    else:
        from regionalize.io.documents import markdown

        text = markdown(document)
    target.write_text(text, encoding="utf-8", newline="\n")


def picture_of(
    layer: Layer, draw: Callable[[IO[bytes], str], Any], alt: str, maps: int = 1
) -> Picture | None:
    """Draw a map into memory; None for a layer with nothing to draw.

    Parameters
    ----------
    layer : Layer
        What is drawn: how heavy it is decides between lines and an image.
    draw : callable
        Given where to and the ending of the format.
    alt : str
        What the map shows, in words.
    maps : int
        How often the layer is drawn.
    """
    import shapely

    if not layer.has_geometry:
        return None
    light = maps * int(shapely.get_num_coordinates(layer.geometry).sum()) <= LIGHT
    with suppress(DataError):  # no row has a geometry that can be drawn
        return drawn_picture(draw, ".svg" if light else ".png", alt)
    return None


def drawn_picture(draw: Callable[[IO[bytes], str], Any], suffix: str, alt: str) -> Picture:
    """Draw a picture into memory, in the format of an ending."""
    drawn = BytesIO()
    draw(drawn, suffix)
    kind = {".svg": "image/svg+xml", ".png": "image/png"}[suffix]
    return Picture(drawn.getvalue(), kind, alt)
