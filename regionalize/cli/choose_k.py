"""`regionalize choose-k`: one method over a range of k, and which k its figures speak for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regionalize.cli import options as opt
from regionalize.cli.console import Console
from regionalize.cli.methods import without_empty

if TYPE_CHECKING:
    import rich.console

    from regionalize.studies.choose import Numbers
    from regionalize.studies.suggest import Candidate


@click.command("choose-k", cls=opt.Sectioned)
@opt.INPUT
@opt.bundle(
    "Study",
    click.option(
        "--k",
        "ks",
        metavar="RANGE",
        default="2-15",
        show_default=True,
        help="Numbers of clusters to try: 2-15, or 2,4,8, or both.",
    ),
    click.option(
        "--method",
        shell_complete=opt.completes("methods"),
        metavar="METHOD",
        default="kmeans",
        show_default=True,
        help="What makes the clusters, its own options after a colon: schc:linkage=average.",
    ),
)
@opt.SOURCE
@opt.VARIABLES
@opt.FEATURES
@opt.bundle(
    "Smoothing",
    click.option(
        "--hops",
        metavar="H[,H...]",
        help="Smooth over H-hop neighbourhoods first. [default:\N{NO-BREAK SPACE}0]",
    ),
    click.option(
        "--alpha",
        metavar="A[,A...]",
        help="Share of its own value a unit keeps per hop. [default:\N{NO-BREAK SPACE}0.5]",
    ),
    opt.SMOOTH_MODE,
)
@opt.WEIGHTS
@opt.BOUNDS
@opt.bundle("Regions", opt.WITHIN, opt.compactness("the method's"), opt.MAKE_CONTIGUOUS)
@opt.RUN
@opt.bundle(
    "Output",
    opt.file_option("--plot", help="Charts over k to draw: .png, .svg or .pdf."),
    opt.file_option("--map", help="Maps of every k on one page to draw: .png, .svg, .pdf or .html."),
    opt.DISSOLVE_LINES,
    opt.file_option("--report", help="Report to write: .html, .md, .json or .csv (a row per k)."),
    opt.OVERWRITE,
)
@opt.SAVE_CONFIG
@opt.JSON
@click.pass_obj
def command(
    console: Console,
    /,
    input: str | None,
    ks: str,
    method: str,
    plot: Path | None,
    map: Path | None,
    dissolve_lines: bool,
    report: Path | None,
    overwrite: bool,
    as_json: bool,
    timing: bool,
    **values: Any,
) -> None:
    """Try a method with several numbers of clusters, and suggest one.

    --hops, --alpha and --centroid-weight take several values with commas between them: every combination is
    tried. Everything is measured on the attributes as they are, without smoothing and coordinates.

    References: Rousseeuw (1987); Kaufman and Rousseeuw (1990); Caliński and Harabasz (1974); Satopää et al.
    (2011).
    """
    from regionalize.studies.choose_files import choose_number_of_file
    from regionalize.studies.choose_report import numbers_document

    console.say_sample(input)
    with console.progress() as progress:
        numbers = choose_number_of_file(
            input,
            method,
            ks,
            without_empty(values),
            report=report,
            plot=plot,
            map=map,
            dissolve_lines=dissolve_lines,
            overwrite=overwrite,
            progress=progress,
        )
    console.notes(numbers.notes)
    console.timing(numbers.seconds, timing)
    if as_json:
        console.json(numbers_document(numbers))
    else:
        show_numbers(console.rich(), method, numbers)
    files = {"plot": plot, "map": map, "report": report}
    console.written({name: path for name, path in files.items() if path is not None})


def show_numbers(console: rich.console.Console, method: str, numbers: Numbers) -> None:
    """Print a table for every combination of the grid, and what is suggested."""
    from regionalize.cli.tables import show_table, show_text, units_text
    from regionalize.run.settings import setting_text
    from regionalize.studies.suggest import settings_text

    file, units = numbers.layer.origin.file, units_text(len(numbers.layer), numbers.rows_used)
    tried = sorted({one.k for one in numbers.candidates})
    span = f"{tried[0]} to {tried[-1]}" if len(tried) > 1 else f"{tried[0]}"
    show_text(
        console, f"choose-k, {method}, k = {span}, {Path(file).name if file else 'layer'}, {units}", "bold"
    )
    varied = {name for one in numbers.candidates for name in one.grid}
    hidden = {"method", "columns", *numbers.job.params, *varied}
    hidden |= {"with_centroids"} if "centroid_weight" in varied else set()
    settings = [(name, value) for name, value in numbers.job.settings().items() if name not in hidden]
    show_text(console, ", ".join(setting_text(name, value) for name, value in settings))
    if numbers.variables:
        show_text(console, f"variables: {', '.join(numbers.variables)}", indent=2)
    for group, elbow in zip(numbers.by_settings, numbers.elbows, strict=True):
        columns = candidate_columns(group)
        title = settings_text(group[0].grid) or "Numbers of clusters"
        show_table(console, title[:1].upper() + title[1:], list(columns), zip(*columns.values(), strict=True))
        for one in group:
            if one.reason is not None:
                show_text(console, f"k = {one.k}: {one.reason}", indent=2)
        if elbow is not None:
            show_text(console, f"The elbow is at k = {elbow}.")
    console.print()
    show_text(console, f"{numbers.reason}.", "bold")


def candidate_columns(candidates: tuple[Candidate, ...]) -> dict[str, list[str]]:
    """Write the figures of candidates column by column; what nothing is known of is left out."""
    from regionalize.cli.tables import NONE, answers, column, decimals

    found = {
        "k": [str(one.k) for one in candidates],
        "BSS/TSS": decimals((one.bss_tss for one in candidates), 4),
        "gap": decimals((one.gap for one in candidates), 4),
        "pseudo-F": column(one.pseudo_f for one in candidates),
        "silhouette": decimals((one.silhouette for one in candidates), 3),
        "below 0": column(one.silhouettes.negative if one.silhouettes else None for one in candidates),
        "pieces": column(one.subclusters for one in candidates),
        "joins": decimals((one.join_count_ratio for one in candidates), 2),
        "contiguous": answers(one.contiguous for one in candidates),
    }
    return {
        name: cells for name, cells in found.items() if name == "k" or any(cell != NONE for cell in cells)
    }
