"""Words and tables for the person at the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import isnan
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import rich.console

    from regionalize.model.report import Fit, Fragmentation, Report

Progress = Callable[[str, int, int], None]

PATIENCE = 1.0
"""Seconds before a progress bar is shown."""
NARROWEST = 40


class Console:
    """Results to standard output; notes, progress and errors to standard error."""

    def __init__(self, quiet: bool = False, verbose: bool = False, color: bool | None = None) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.color = color

    def say(self, text: str) -> None:
        """Write one line to standard error, unless asked to be quiet."""
        if not self.quiet:
            print(printable(text), file=sys.stderr)  # noqa: T201  # this is where words are printed

    def say_sample(self, source: str | None) -> None:
        """Say that the bundled sample stands in for a missing INPUT."""
        if source is None:
            self.say("note: no INPUT given: using the bundled sample, 159 counties of Georgia (USA)")

    def notes(self, notes: Iterable[str]) -> None:
        """Write what was noticed."""
        for note in notes:
            self.say(f"note: {note}")

    def fault(self, text: str) -> None:
        """Write one fault to standard error, quiet or not."""
        print(f"fault: {printable(text)}", file=sys.stderr)  # noqa: T201

    def timing(self, seconds: dict[str, float]) -> None:
        """Write how long each stage took."""
        stages = ", ".join(f"{stage} {value:.3f} s" for stage, value in seconds.items())
        print(f"timing: {stages}, in all {sum(seconds.values()):.3f} s", file=sys.stderr)  # noqa: T201

    def written(self, paths: dict[str, Path]) -> None:
        """Say which files were written."""
        for option, path in paths.items():
            if str(path) != "-":
                self.say(f"{'layer' if option == 'output' else option} written to {path}")

    def json(self, document: Any) -> None:
        """Print one JSON document."""
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n")

    def report(self, report: Report, *, as_json: bool = False) -> None:
        """Print a report, as tables that fit the terminal or as JSON."""
        from regionalize.io.reports import report_document

        if as_json:
            self.json(report_document(report))
            return
        show_report(self.rich(), report)

    def rich(self) -> rich.console.Console:
        """Make the rich console for standard output."""
        from rich.console import Console as RichConsole

        no_color = None if self.color is None else not self.color
        console = RichConsole(markup=False, highlight=False, emoji=False, no_color=no_color)
        console.width = max(console.width, NARROWEST)
        return console

    @contextmanager
    def progress(self) -> Iterator[Progress | None]:
        """Give a function that shows progress once something takes longer than about a second."""
        if self.quiet or not sys.stderr.isatty():
            yield None
            return
        start = monotonic()
        bar: Any = None
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int) -> None:
            nonlocal bar
            if bar is None:
                if monotonic() - start < PATIENCE:
                    return
                bar = self._bar()
                bar.start()
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        try:
            yield show
        finally:
            if bar is not None:
                bar.stop()

    def _bar(self) -> Any:
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        no_color = None if self.color is None else not self.color
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=RichConsole(stderr=True, no_color=no_color),
            transient=True,
        )


def printable(text: str) -> str:
    r"""Replace control characters, so that a name in a file cannot drive the terminal.

    Examples
    --------
    >>> printable("a\x1b[31mb")
    'a�[31mb'
    """
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def number(value: float | None, digits: int = 4) -> str:
    """Write a number in few characters, without powers of ten where they can be avoided.

    Examples
    --------
    >>> number(19904.26), number(0.123456), number(12.0), number(None)
    ('19904', '0.1235', '12', '–')
    """
    if value is None or isnan(value):
        return "–"
    if float(value).is_integer() or 10 ** (digits - 1) <= abs(value) < 1e12:
        return f"{value:.0f}" if abs(value) < 1e12 else f"{value:.6g}"
    return f"{value:.{digits}g}"


def show_report(console: rich.console.Console, report: Report) -> None:
    """Print every part of a report."""
    from regionalize.measure.sentence import contiguity_sentence

    header(console, report)
    fit_table(console, report)
    cluster_rows(console, report)
    centers_table(console, report)
    if report.fragmentation is not None:
        spatial_lines(console, report.fragmentation)
        console.print()
        console.print(contiguity_sentence(report.fragmentation), style="bold")
    if "trade_off" in report.extra:
        trade_off_table(console, report.extra["trade_off"], report.extra["centroid_weight"])


def header(console: rich.console.Console, report: Report) -> None:
    """Print method, input and settings."""
    file = Path(report.input["file"]).name if report.input["file"] else "layer"
    used, rows = report.input["rows_used"], report.input["rows"]
    units = f"{rows} units" if used == rows else f"{used} of {rows} units"
    console.print(printable(f"{report.settings['method']}, k = {report.k}, {file}, {units}"), style="bold")
    hidden = {"method", "k", "columns"}
    settings = [f"{name} {setting(value)}" for name, value in report.settings.items() if name not in hidden]
    console.print(printable(", ".join(settings)))
    console.print(printable(f"variables: {', '.join(report.variables)}"))


def setting(value: Any) -> str:
    """Write an option's value in one piece."""
    if value is True:
        return "yes"
    if isinstance(value, dict):
        return ",".join(f"{name}={item:g}" for name, item in value.items())
    return "=".join(map(str, value)) if isinstance(value, tuple) else str(value)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: bool = True) -> Any:
    """Make a plain table; all columns but the first are aligned right, or left for words."""
    from rich.table import Table
    from rich.text import Text

    made = Table(
        title=Text(f"\n{title}"), title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0)
    )
    for position, name in enumerate(columns):
        made.add_column(
            Text(printable(name)),
            justify="left" if position == 0 or not numeric else "right",
            overflow="fold",
        )
    for row in rows:
        made.add_row(*(Text(printable(cell)) for cell in row))
    return made


def fit_table(console: rich.console.Console, report: Report) -> None:
    """Print sums of squares over all variables and over the attributes alone."""
    weighted = "centroid_weight" in report.settings
    first = "attributes" if weighted else "all variables" if report.fit_attributes else "variables"
    fits: list[tuple[str, Fit]] = []
    if report.fit is not None:
        fits.append((first, report.fit))
    if report.fit_attributes is not None:
        fits.append(("attributes alone", report.fit_attributes))
    rows = [(name, *(number(v, 6) for v in (f.tss, f.wss, f.bss, f.ratio))) for name, f in fits]
    console.print(table("Fit", ("sums of squares over", "total", "within", "between", "BSS/TSS"), rows))
    if report.coordinate_share:
        console.print(f"The coordinates carry {report.coordinate_share:.1%} of the weight.")


def cluster_rows(console: rich.console.Console, report: Report) -> None:
    """Print size, fit, pieces and shape per cluster."""
    columns = ["cluster", "size", "WSS"]
    within = report.fit.wss_by_cluster if report.fit else [None] * report.k
    rows = [
        [str(label), str(size), number(value)]
        for label, (size, value) in enumerate(zip(report.sizes, within, strict=True), 1)
    ]
    if report.fragmentation is not None:
        columns += ["pieces", "pieces/size", "joins", "IPQ", "diameter"]
        for row, cluster in zip(rows, report.fragmentation.clusters, strict=True):
            row += [
                str(cluster.subclusters),
                f"{cluster.subcluster_ratio:.2f}",
                "–" if cluster.join_count_ratio is None else f"{cluster.join_count_ratio:.2f}",
                number(cluster.ipq_dissolved, 3),
                number(cluster.diameter),
            ]
    console.print(table("Clusters", columns, rows))


def centers_table(console: rich.console.Console, report: Report) -> None:
    """Print centres in original units, in as many blocks of columns as the width asks for."""
    cells = [[number(value) for value in center] for center in report.centers]
    widths = [
        max(len(name), *(len(row[column]) for row in cells))
        for column, name in enumerate(report.center_columns)
    ]
    start = 0
    while start < len(widths):
        end, room = start, console.width - len("cluster") - 2
        while end < len(widths) and (end == start or room >= widths[end] + 2):
            room -= widths[end] + 2
            end += 1
        rows = [[str(label), *row[start:end]] for label, row in enumerate(cells, 1)]
        title = "Centers in original units" if start == 0 else "Centers, continued"
        console.print(table(title, ["cluster", *report.center_columns[start:end]], rows))
        start = end


def spatial_lines(console: rich.console.Console, spatial: Fragmentation) -> None:
    """Print the measures of the whole partition."""
    rows = [
        ("pieces", f"{spatial.subclusters} ({spatial.subcluster_ratio:.3f} per unit)"),
        ("entropy", f"{number(spatial.entropy)} (normalized {number(spatial.entropy_normalized)})"),
        ("Simpson", f"{number(spatial.simpson)} (normalized {number(spatial.simpson_normalized)})"),
        (
            "joins",
            f"{spatial.joins} of {spatial.neighbors} neighbour links ({number(spatial.join_count_ratio)})",
        ),
    ]
    console.print(
        table(f"Fragmentation ({spatial.weights} weights)", ("measure", "value"), rows, numeric=False)
    )


def trade_off_table(console: rich.console.Console, curve: list[dict[str, Any]], chosen: float) -> None:
    """Print the curve of weight against fit and pieces: every fifth weight, changes and the one chosen."""
    rows = []
    for position, point in enumerate(curve):
        turned = position > 0 and point["contiguous"] != curve[position - 1]["contiguous"]
        if position % 5 == 0 or turned or point["weight"] == chosen:
            mark = "chosen" if point["weight"] == chosen else ""
            rows.append(
                (
                    f"{point['weight']:.2f}",
                    number(point["bss_tss_attributes"]),
                    str(point["subclusters"]),
                    "yes" if point["contiguous"] else "no",
                    mark,
                )
            )
    title = "Weight of the centroids (--report json holds every hundredth)"
    console.print(table(title, ("weight", "BSS/TSS attributes", "pieces", "contiguous", ""), rows))
