"""A document as a page of one file: it asks nobody for anything, and prints well."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regionalize.maps.colors import cluster_color
from regionalize.maps.html import escape, page
from regionalize.maps.report.curve import curve_svg
from regionalize.model.document import (
    Block,
    ClusterName,
    Curve,
    Document,
    Facts,
    Figures,
    Heading,
    Heat,
    Notes,
    Picture,
    Sentence,
    Shell,
    Spread,
    Table,
    alike,
    text_of,
)

WIDE = 104
"""Letters of the widest table that fits a printed page; a wider one is printed in several."""
WORDY = 40
"""Letters from which names are broken into lines."""
LONG = 70
"""Rows from which a table scrolls downwards, too, in a box of its own."""
STEPS = (0.25, 0.75, 1.25, 1.75, 2.25)
"""Where the colours of z change, on both sides of 0."""


def report_page(document: Document) -> str:
    """Return a document as a page of HTML.

    Wide tables scroll in a box of their own, and are printed in several, each with the heads of its rows.
    Colours follow the reader's choice of light or dark, and paper is white.

    Examples
    --------
    >>> text = report_page(Document("a < b", (Heading("Fit"), Table(("k", "BSS/TSS"), ((2, 0.5),)))))
    >>> "<h1>a &lt; b</h1>" in text, "<h2>Fit</h2>" in text, "http" in text.replace("http-equiv", "")
    (True, True, False)
    """
    body = [f"<main>\n<h1>{escape(document.title)}</h1>"]
    inside = False
    for block in document.blocks:
        if isinstance(block, Heading):
            body += ["</section>"] if inside else []
            body.append("<section>")
            inside = True
        body.append(block_html(block))
    body += ["</section>", "</main>"] if inside else ["</main>"]
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    return page(document.title, "\n".join(body), style=style)


def block_html(block: Block) -> str:
    """Return one block as HTML."""
    match block:
        case Heading():
            return f"<h2>{escape(block.text)}</h2>"
        case Sentence():
            kind = ' class="strong"' if block.strong else ""
            return f"<p{kind}>{escape(block.text)}</p>"
        case Figures():
            pairs = (
                f"<div><dt>{escape(name)}</dt><dd>{escape(text_of(value, 4))}</dd></div>"
                for name, value in block.figures
            )
            return f'<dl class="figures">{"".join(pairs)}</dl>'
        case Facts():
            return facts_html(block)
        case Table() | Heat():
            return table_html(block)
        case Picture():
            data = base64.b64encode(block.data).decode()
            return (
                f'<figure><img src="data:{escape(block.media_type)};base64,{data}" alt="{escape(block.alt)}">'
                "</figure>"
            )
        case Curve():
            return f"<figure>{curve_svg(block)}</figure>"
        case Shell():
            return f"<pre><code>{shell_html(block.text)}</code></pre>"
        case Notes():
            return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in block.texts) + "</ul>"


def shell_html(text: str) -> str:
    """Return a command to be copied as it is: its blanks and line ends are kept, options in one piece.

    Examples
    --------
    >>> shell_html("kmeans 'a  b' --k 4")
    'kmeans &#x27;a  b&#x27; <span class="option">--k</span> 4'
    """
    words = []
    for word in text.split(" "):
        shown = "".join(f"&#{ord(char)};" if char.isspace() else escape(char) for char in word)
        words.append(f'<span class="option">{shown}</span>' if word.startswith("-") else shown)
    return " ".join(words)


def facts_html(block: Facts) -> str:
    """Return names and values as a table of two columns."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in block.header)
    rows = (
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(text_of(value, 6))}</td></tr>'
        for name, value in block.rows
    )
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="box"><table class="facts">{body}</table></div>'


def table_html(block: Table | Heat) -> str:
    """Return a table, once for the screen, and in parts for paper where it is too wide for it."""
    texts = heat_texts(block) if isinstance(block, Heat) else cell_texts(block)
    widths = [
        max(len(text_of(name)), *(len(row[place]) for row in texts), 2) + 2
        for place, name in enumerate(block.header)
    ]
    kinds = [kind_of(block, place, width > WORDY) for place, width in enumerate(widths)]
    widths = [min(width, WORDY) for width in widths]
    parts = parts_of(widths)
    caption = block.caption
    whole = part_html(block, texts, kinds, range(1, len(widths)), caption)
    long = "" if len(block.rows) <= LONG else " long narrow" if sum(widths) < WIDE / 2 else " long"
    if len(parts) == 1:
        return f'<div class="box{long}" tabindex="0">{whole}</div>'
    printed = "".join(
        part_html(block, texts, kinds, part, caption if not number else f"{caption} Continued.")
        for number, part in enumerate(parts)
    )
    return f'<div class="box screen{long}" tabindex="0">{whole}</div><div class="paper">{printed}</div>'


def parts_of(widths: Sequence[int]) -> list[range]:
    """Break the columns of a table where a page ends; the first is on each.

    Examples
    --------
    >>> parts_of([20, 30, 30, 30, 30])
    [range(1, 3), range(3, 5)]
    """
    parts, start, room = [], 1, WIDE - widths[0]
    for place in range(1, len(widths)):
        if widths[place] > room and place > start:
            parts.append(range(start, place))
            start, room = place, WIDE - widths[0]
        room -= widths[place]
    return [*parts, range(start, len(widths))]


def kind_of(block: Table | Heat, place: int, wordy: bool) -> str:
    """Return the class of a column: numbers stand to the right, and long names are broken into lines."""
    number = bool(place) if isinstance(block, Heat) else block.is_numeric(place)
    classes = [*(["number"] if number else []), *(["wordy"] if wordy else [])]
    return f' class="{" ".join(classes)}"' if classes else ""


def part_html(
    block: Table | Heat, texts: Sequence[Sequence[str]], kinds: Sequence[str], places: range, caption: str
) -> str:
    """Return the first column of a table and those at some places; `kinds` are the classes of all."""
    head = f'<th scope="col"{kinds[0]}>{name_html(block.header[0])}</th>'
    head += "".join(
        f'<th scope="col"{kinds[place]}>{name_html(block.header[place])}</th>' for place in places
    )
    most = bar_scales(block) if isinstance(block, Table) else {}
    lines = []
    for row, line in zip(block.rows, texts, strict=True):
        name = name_html(row[0]) if isinstance(row[0], ClusterName) else escape(line[0])
        cells = [f'<th scope="row"{kinds[0]}>{name}</th>']
        for place in places:
            if isinstance(block, Heat):
                cells.append(f'<td class="z {step_of(row[place])}">{escape(line[place])}</td>')
                continue
            text = value_html(row[place], line[place])
            if place in most:
                text = bar_svg(row[place], most[place]) + text
            cells.append(f"<td{kinds[place]}>{text}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    classes = [*(["heat"] if isinstance(block, Heat) else []), *(["captioned"] if caption else [])]
    kind = f' class="{" ".join(classes)}"' if classes else ""
    return f"<table{kind}>{title}<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def cell_texts(table: Table) -> list[list[str]]:
    """Write the cells of a table; numbers of one kind, down a column or along a row, look alike."""
    if table.by_row:
        return [[text_of(row[0]), *written_alike(row[1:])] for row in table.rows]
    columns = [written_alike(column) for column in zip(*table.rows, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)]


def written_alike(cells: Sequence[Any]) -> list[str]:
    """Write cells of one kind: numbers, means with deviations, or anything else by itself."""
    known = [cell for cell in cells if cell is not None]
    if known and all(isinstance(cell, Spread) for cell in known):
        flat = alike(value for cell in cells for value in ((cell.mean, cell.sd) if cell else (None, None)))
        return [f"{mean} ± {sd}" for mean, sd in zip(flat[::2], flat[1::2], strict=True)]
    if known and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in known):
        return alike(cells)
    return [text_of(cell, 4) for cell in cells]


def heat_texts(table: Heat) -> list[list[str]]:
    """Write z with two decimals and its sign."""
    return [[text_of(row[0]), *map(z_text, row[1:])] for row in table.rows]


def z_text(z: float | None) -> str:
    """Write one z.

    Examples
    --------
    >>> z_text(1.234), z_text(-0.5), z_text(-0.001), z_text(None)
    ('+1.23', '−0.50', '0.00', '–')
    """
    if z is None:
        return "–"
    return f"{z:+.2f}".replace("-", "\N{MINUS SIGN}") if abs(z) >= 0.005 else "0.00"


def step_of(z: float | None) -> str:
    """Return the class of a cell: how far from 0 on which side.

    Examples
    --------
    >>> step_of(0.1), step_of(-0.9), step_of(7.0), step_of(None)
    ('z0', 'low2', 'high5', 'none')
    """
    if z is None:
        return "none"
    step = sum(abs(z) >= limit for limit in STEPS)
    return "z0" if not step else f"{'low' if z < 0 else 'high'}{step}"


def name_html(name: Any) -> str:
    """Return the head of a row or a column; a cluster's has its colour on the map beside it."""
    if isinstance(name, ClusterName):
        fill = cluster_color(name.label)
        square = f'<rect width="10" height="10" fill="{fill}"/>'
        swatch = f'<svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">{square}</svg>'
        return f"{swatch}{escape(name.text)}"
    return escape(text_of(name))


def value_html(value: Any, text: str) -> str:
    """Return a cell; a standard deviation stands back behind its mean."""
    if isinstance(value, Spread):
        mean, sd = text.split(" ± ")
        return f'{escape(mean)} <span class="sd">± {escape(sd)}</span>'
    return escape(text)


def bar_scales(table: Table) -> dict[int, float]:
    """Return what a whole bar is, for every column that is drawn as bars."""
    found = {}
    for name, whole in table.bars:
        place = table.header.index(name)
        largest = max((row[place] for row in table.rows if row[place] is not None), default=0)
        if largest > 0:
            found[place] = float(whole or largest)
    return found


def bar_svg(value: float | None, most: float) -> str:
    """Return a bar as long as a number is large."""
    long = 100 * max(value or 0.0, 0.0) / most
    return (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{long:.4g}" height="10"/></svg>'
    )
