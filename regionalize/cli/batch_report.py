"""A batch, as lines while it runs, and as a table when it is done."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from regionalize.cli.console import Console, printable
from regionalize.errors import counted

if TYPE_CHECKING:
    import rich.console

    from regionalize.run.batch.items import Finished
    from regionalize.run.progress import Progress

WIDEST_NAME = 28
"""Cells of a name in a line; the table has it whole."""
MOST_NOTES = 8
"""Notes that are told; documents have all."""
MOST_FAILED = 20
"""Reasons that are told below the table: the lines have said them, and documents have all."""
A_SCREEN = 24
"""Rows of a table whose title is still to be seen when it ends."""
LEAST_NAME = 12
"""Cells of a name in the table, however narrow the terminal."""


class Teller:
    """Says of each run that it has ended, and how."""

    def __init__(self, console: Console, names: Sequence[str], progress: Progress | None) -> None:
        self.console, self.progress = console, progress
        self.shared = len(shared_part(names))
        self.width = min(max((cells(name[self.shared :]) for name in names), default=0), WIDEST_NAME)
        self.done = 0
        self.total = len(names)
        if progress is not None and names:
            progress("running", 0, len(names))

    def __call__(self, one: Finished, done: int, total: int) -> None:
        """Write the line of one run; where only errors are wanted, that of one that failed."""
        self.done = done
        count = f"[{done:>{len(str(total))}}/{total}]"
        line = f"{count} {one.status:<7} {fitted(one.item.name[self.shared :], self.width)}  {outcome(one)}"
        if one.status == "failed" and self.console.quiet:
            print(printable(line), file=sys.stderr)  # noqa: T201  # an error is never kept back
        self.console.say(line)
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


def outcome(one: Finished) -> str:
    """Say in a line what came of a run."""
    if one.status == "failed":
        return one.error
    found = one.measures
    parts = []
    if found.get("k") is not None:
        parts.append(counted(found["k"], "cluster"))
    if found.get("bss_tss_attributes") is not None:
        parts.append(f"BSS/TSS {found['bss_tss_attributes']:.2f}")
    if found.get("contiguous") is not None:
        pieces = f"not contiguous ({counted(found['subclusters'], 'piece')})"
        parts.append("contiguous" if found["contiguous"] else pieces)
    parts.append("done before" if one.status == "skipped" else f"{one.seconds:.1f} s")
    return ", ".join(parts)


def shared_part(names: Sequence[str]) -> str:
    """Return what all names begin with, up to a hyphen: it need not be told of each.

    Examples
    --------
    >>> shared_part(["towns-Acre", "towns-Amapá"]), shared_part(["towns"]), shared_part(["a-b", "a"])
    ('towns-', '', '')
    """
    if len(names) < 2:
        return ""
    first, last = min(names), max(names)  # what these two share, those between do too
    same = next(
        (at for at, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), len(first)
    )
    return first[: first.rfind("-", 0, same) + 1]


def cells(text: str) -> int:
    """Return the width of a text on a terminal."""
    from rich.cells import cell_len

    return cell_len(printable(text))


def fitted(name: str, width: int) -> str:
    """Return a name of just this width.

    Examples
    --------
    >>> fitted("Acre", 6), fitted("Rio Grande do Norte", 10)
    ('Acre  ', 'Rio G…orte')
    """
    shown = shortened(name, width)
    return shown + " " * (width - cells(shown))


def shortened(name: str, width: int) -> str:
    """Return a name of at most this width: long ones differ at their ends, so the middle is left out.

    Examples
    --------
    >>> shortened("Acre", 6), shortened("Acre-k4-compactness-0.3", 12)
    ('Acre', 'Acre-k…s-0.3')
    """
    from rich.cells import set_cell_size

    shown = printable(name)
    if cells(shown) <= width:
        return shown
    tail = shown[len(shown) - (width - 1) // 2 :]
    while cells(tail) > (width - 1) // 2:  # of wide letters fewer fit
        tail = tail[1:]
    return f"{set_cell_size(shown, width - 1 - cells(tail)).rstrip()}…{tail}"


def show_batch(console: rich.console.Console, finished: Sequence[Finished], total: int) -> None:
    """Print a row per run, why those failed that did, and how many are done."""
    from regionalize.cli.tables import GAP, NONE, answers, column, decimals, show_table, show_text

    shared = shared_part([one.item.name for one in finished])

    def measure(name: str) -> list[Any]:
        return [one.measures.get(name) for one in finished]

    columns: dict[str, list[str]] = {
        "units": column(measure("rows_used")),
        "k": column(measure("k")),
        "BSS/TSS": decimals(measure("bss_tss_attributes"), 4),
        "pieces": column(measure("subclusters")),
        "contiguous": answers(measure("contiguous")),
        "seconds": [NONE if one.status == "failed" else f"{one.seconds:.1f}" for one in finished],
        "status": [one.status for one in finished],
    }
    title = headline(finished, total, shared.rstrip("-"))
    if finished:
        taken = sum(GAP + max(map(len, (name, *values))) for name, values in columns.items())
        room = max(console.width - taken, LEAST_NAME)
        names = [shortened(one.item.name[len(shared) :], room) for one in finished]
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
    from regionalize.run.batch.summary import summary_rows

    counts = Counter(one.status for one in finished)
    rows = summary_rows(finished)
    items = [{**row, "notes": list(one.notes)} for row, one in zip(rows, finished, strict=True)]
    return {
        "runs": total,
        **{status: counts[status] for status in ("done", "skipped", "failed")},
        "not_started": total - len(finished),
        "items": plain(items),
    }
