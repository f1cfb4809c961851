"""A comparison, as tables for the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from regionalize.cli.tables import answers, cluster_label, column, decimals, show_table, show_text
from regionalize.errors import listed
from regionalize.run.settings import setting_text

if TYPE_CHECKING:
    import rich.console

    from regionalize.studies.compare import Compared, Pair

MOST_CLUSTERS = 24
"""Rows and columns of a contingency table that are printed; reports hold all."""


def show_comparison(console: rich.console.Console, compared: Compared, match: bool = False) -> None:
    """Print what every labeling is worth, how alike every two are, and which clusters match.

    With `match`, clusters of the second labeling go by the numbers of the first in the contingency table.
    """
    show_header(console, compared)
    show_measures(console, compared)
    show_agreement(console, compared)
    if len(compared.labelings) == 2:
        show_contingency(console, compared, compared.pairs[0], match)
    show_matching(console, compared)


def show_header(console: rich.console.Console, compared: Compared) -> None:
    """Print the layer and what all are measured by."""
    file = Path(compared.layer.origin.file or "layer").name
    show_text(console, f"compare, {file}, {len(compared.layer)} units", "bold")
    hidden = {"method", "columns", "exclude"}
    settings = {name: value for name, value in compared.job.settings().items() if name not in hidden}
    if compared.weights is not None:
        settings["weights"] = compared.weights.kind
    show_text(console, ", ".join(setting_text(name, value) for name, value in settings.items()))
    if compared.features is not None:
        show_text(console, f"variables: {', '.join(compared.features.names)}", indent=2)


def show_measures(console: rich.console.Console, compared: Compared) -> None:
    """Print fit and fragmentation side by side."""
    from regionalize.studies.comparison_report import comparison_rows

    found = comparison_rows(compared)

    def row(title: str, name: str, digits: int = 0) -> list[str]:
        values = [one[name] for one in found]
        return [title, *(decimals(values, digits) if digits else column(values))]

    lines = [row("clusters", "k"), row("units in clusters", "units")]
    lines += [row(name, name) for name in ("noise", "unlabelled") if any(one[name] for one in found)]
    lines += [row("smallest", "smallest"), row("largest", "largest")]
    if compared.features is not None:
        lines += [row("BSS/TSS", "bss_tss_attributes", 6), row("silhouette", "silhouette", 4)]
    if compared.weights is not None:
        lines += [
            ["contiguous", *answers(one["contiguous"] for one in found)],
            row("pieces", "subclusters"),
            row("joins", "join_count_ratio", 4),
        ]
    lines.append(row("entropy", "entropy", 4))
    show_table(console, "Fit and fragmentation", ["", *(one["name"] for one in found)], lines)
    far = compared.measures[0].silhouettes
    if far is not None and far.sampled:
        show_text(console, f"Silhouettes are of a sample of {far.units:,} units.")


def show_agreement(console: rich.console.Console, compared: Compared) -> None:
    """Print how alike every two labelings are."""
    from regionalize.studies.comparison_report import AGREEMENT, pair_rows

    lines = [
        [
            f"{pair['first']}, {pair['second']}",
            *(f"{pair[name]:.4f}" for name in AGREEMENT),
            str(pair["units"]),
        ]
        for pair in pair_rows(compared)
    ]
    show_table(console, "Agreement", ["", *(name.upper() for name in AGREEMENT), "units"], lines)


def show_contingency(console: rich.console.Console, compared: Compared, pair: Pair, match: bool) -> None:
    """Print the units that clusters share, those that match on the diagonal."""
    one, other = compared.labelings[pair.first], compared.labelings[pair.second]
    down = sorted(compared.numbers(pair.first))
    by_match = compared.numbers(pair.second)
    across = sorted(by_match, key=lambda code: by_match[code])
    rows, columns = down[:MOST_CLUSTERS], across[:MOST_CLUSTERS]
    lines = [
        [
            cluster_label(i, one.shown(i)),
            *(str(pair.table[i - 1, j - 1]) for j in columns),
            str(pair.table[i - 1].sum()),
        ]
        for i in rows
    ]
    if rows == down:
        total = pair.table.sum(axis=0)
        lines.append(["all", *(str(total[j - 1]) for j in columns), str(total.sum())])
    title = f"Units of {one.name} (down) in {other.name} (across)"
    heading = [
        cluster_label(by_match[j], one.shown(by_match[j]) if match else other.shown(j)) for j in columns
    ]
    show_table(console, title, ["", *heading, "all"], lines)
    if rows != down or columns != across:
        show_text(
            console,
            f"The first {len(rows)} of {len(down)} and {len(columns)} of {len(across)} clusters are shown; "
            "--report FILE.csv has all.",
        )


def show_matching(console: rich.console.Console, compared: Compared) -> None:
    """Say which cluster of each labeling is which of the first."""
    first = compared.labelings[0]
    known = compared.numbers(0)
    console.print()
    for place, labeling in enumerate(compared.labelings[1:], 1):
        numbers = compared.numbers(place)
        in_order = sorted(numbers, key=lambda code: numbers[code])
        paired = [code for code in in_order if numbers[code] in known]
        new = [labeling.shown(code) for code in in_order if numbers[code] not in known]
        said = [f"{labeling.shown(code)} is {first.shown(numbers[code])}" for code in paired]
        kept = compared.measures[place].kept
        show_text(
            console,
            f"{labeling.name} matched to {first.name}: {listed(said, MOST_CLUSTERS)}; "
            f"{f'new: {listed(new)}; ' if new else ''}{100 * kept:.1f} % of units agree.",
            indent=2,
        )
