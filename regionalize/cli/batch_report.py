"""A batch, as lines while it runs, and as a table when it is done."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from regionalize.cli.batch_names import (
    LEAST_NAME,
    cells,
    elided,
    fitted,
    labels,
    shared_part,
    short_names,
    varied_cells,
)
from regionalize.cli.console import NARROWEST, PIPED, Console, printable
from regionalize.cli.tables import GAP, NONE
from regionalize.errors import counted

if TYPE_CHECKING:
    import rich.console

    from regionalize.run.batch.items import Finished, Item
    from regionalize.run.progress import Progress

WIDEST_NAME = 28
"""Cells of a name in a line; the table has it whole."""
MOST_NOTES = 8
"""Notes that are told; documents have all."""
MOST_FAILED = 20
"""Reasons that are told below the table: the lines have said them, and documents have all."""
A_SCREEN = 24
"""Rows of a table whose title is still to be seen when it ends."""
MOST_SAID = "k = 12, BSS/TSS 0.94, 100 pieces, 12.3 s"
"""What is said of a run, at its longest but for very long ones."""


class Teller:
    """Says of each run that it has ended, and how."""

    def __init__(self, console: Console, items: Sequence[Item], progress: Progress | None) -> None:
        self.console, self.progress = console, progress
        self.line = line_width()
        taken = len(f"[{len(items)}/{len(items)}] skipped ") + GAP + len(MOST_SAID)
        names = short_names(items, min(max(self.line - taken, LEAST_NAME), WIDEST_NAME), self.line // 2)
        self.names = {item.name: name for item, name in zip(items, names, strict=True)}
        self.width = max(map(cells, names), default=0)
        self.done = 0
        self.total = len(items)
        if progress is not None and items:
            progress("running", 0, len(items))

    def __call__(self, one: Finished, done: int, total: int) -> None:
        """Write the line of one run; where only errors are wanted, that of one that failed."""
        self.done = done
        count = f"[{done:>{len(str(total))}}/{total}]"
        line = f"{count} {one.status:<7} {fitted(self.names[one.item.name], self.width)}  "
        line += one.error if one.status == "failed" else outcome(one, self.line - cells(line))
        if one.status == "failed" and self.console.quiet:
            print(printable(line), file=sys.stderr)  # noqa: T201  # an error is never kept back
        self.console.say(line)
        if self.console.verbose and one.stages:
            stages = ", ".join(f"{stage} {seconds:.3f} s" for stage, seconds in one.stages.items())
            self.console.say(f"timing: {stages}")
        if self.progress is not None:
            self.progress("running", done, total)

    def interrupted(self, *, resumable: bool) -> None:
        """Say how much is done of what was interrupted."""
        how = "; --resume goes on from there" if resumable else ""
        self.console.say(f"note: {self.done} of {counted(self.total, 'run')} had ended{how}")

    def notes(self, finished: Sequence[Finished]) -> None:
        """Say what was noticed, once what many runs noticed alike, and that first."""
        runs = Counter(note for one in finished for note in one.notes)
        whose = {note: one.item.name for one in reversed(finished) for note in one.notes}
        for note, count in runs.most_common(MOST_NOTES):
            place = whose[note] if count == 1 else "all runs" if count == len(finished) else f"{count} runs"
            self.console.say(f"note: {place}: {note}")
        if len(runs) > MOST_NOTES:
            left = counted(len(runs) - MOST_NOTES, "more note")
            self.console.say(f"note: {left}: --json and --summary have all")


def outcome(one: Finished, room: int) -> str:
    """Say what came of a run, as much of it as there is room for."""
    found = one.measures
    parts = [] if found.get("k") is None else [f"k = {found['k']}"]
    if found.get("bss_tss_all") is not None:
        parts.append(f"BSS/TSS {found['bss_tss_all']:.2f}")
    if found.get("contiguous") is not None:
        parts.append("contiguous" if found["contiguous"] else counted(found["subclusters"], "piece"))
    if one.status == "done":
        parts.append(f"{one.seconds:.1f} s")
    while len(", ".join(parts)) > room and len(parts) > 1:
        parts.pop()
    return ", ".join(parts)


def line_width() -> int:
    """Return the cells of a line on standard error."""
    if (said := os.environ.get("COLUMNS", "")).isdecimal():
        return max(int(said), NARROWEST)
    try:
        return max(os.get_terminal_size(sys.stderr.fileno()).columns, NARROWEST)
    except (OSError, ValueError):  # no terminal
        return PIPED


def show_batch(console: rich.console.Console, finished: Sequence[Finished], total: int) -> None:
    """Print a row per run, why those failed that did, and how many are done."""
    from regionalize.cli.tables import answers, column, decimals, show_table, show_text

    items = [one.item for one in finished]
    shared = shared_part([item.name for item in items])

    def measure(name: str) -> list[Any]:
        return [one.measures.get(name) for one in finished]

    columns: dict[str, list[str]] = {
        "units": column(measure("rows_used")),
        "k": column(one.measures.get("k", one.item.job.k) for one in finished),
        "BSS/TSS": decimals(measure("bss_tss_all"), 4),
        "attributes": decimals(measure("bss_tss_attributes"), 4),
        "pieces": column(measure("subclusters")),
        "contiguous": answers(measure("contiguous")),
        "seconds": [NONE if one.status == "failed" else f"{one.seconds:.1f}" for one in finished],
        "status": [one.status for one in finished],
    }
    if columns["attributes"] == columns["BSS/TSS"]:
        del columns["attributes"]
    title = headline(finished, total, shared.rstrip("-"))
    if finished:

        def room() -> int:
            taken = (GAP + max(map(len, (name, *values))) for name, values in columns.items())
            return console.width - sum(taken)

        names = [item.name[len(shared) :] for item in items]
        if max(map(cells, names)) > room() and (options := varied_cells(items, ("method", "seed"))):
            names, columns = labels(items), {**options, **columns}
            for name in ("contiguous", "seconds", "attributes"):  # the summary has them
                if room() < LEAST_NAME:
                    columns.pop(name, None)
        names = [elided(name, max(room(), LEAST_NAME)) for name in names]
        show_table(console, title, ["run", *columns], zip(names, *columns.values(), strict=True))
    failed = [one for one in finished if one.status == "failed"]
    for one in failed[:MOST_FAILED]:
        show_text(console, f"{one.item.name}: {one.error}", indent=2)
    if len(failed) > MOST_FAILED:
        show_text(console, f"{len(failed) - MOST_FAILED} more failed: --json and --summary say why")
    if not finished or len(finished) > A_SCREEN:
        show_text(console, title, "bold")


def headline(finished: Sequence[Finished], total: int, of: str = "") -> str:
    """Say how many runs, of what they all are, ended how.

    Examples
    --------
    >>> headline([], 3)
    'batch, 3 runs: 3 not started'
    """
    counts = Counter(one.status for one in finished)
    told = {"done": counts["done"], "done before": counts["skipped"], "failed": counts["failed"]}
    told["not started"] = total - len(finished)
    ended = ", ".join(f"{count} {what}" for what, count in told.items() if count)
    return f"batch, {f'{of}, ' if of else ''}{counted(total, 'run')}: {ended}"


def batch_document(finished: Sequence[Finished], total: int) -> dict[str, Any]:
    """Return everything that is known of the runs, for a program."""
    from regionalize.io.documents import plain
    from regionalize.run.batch.summary import encodable, summary_rows

    counts = Counter(one.status for one in finished)
    rows = summary_rows(finished)
    items = [{**row, "notes": [*map(encodable, one.notes)]} for row, one in zip(rows, finished, strict=True)]
    return {
        "runs": total,
        **{status: counts[status] for status in ("done", "skipped", "failed")},
        "not_started": total - len(finished),
        "items": plain(items),
    }
