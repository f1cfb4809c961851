"""The report of a run, as tables for the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.cli.sentences import (
    assigned_sentence,
    balance_sentence,
    batches_sentence,
    compactness_sentence,
    cost_sentence,
    distances_sentence,
    most_regions_sentence,
    search_sentence,
)
from regionalize.cli.tables import (
    NONE,
    cluster_label,
    column,
    decimals,
    number,
    show_table,
    show_text,
    units_text,
)
from regionalize.run.settings import setting_text

if TYPE_CHECKING:
    import rich.console

    from regionalize.model.report import Fragmentation, Report, Silhouettes


CENTERS = {"mean": "Centres", "median": "Medians", "medoid": "Medoids"}
"""What the table of centres is called."""


def show_report(console: rich.console.Console, report: Report) -> None:
    """Print every part of a report."""
    from regionalize.measure.sentence import contiguity_sentence

    show_header(console, report)
    show_fit(console, report)
    show_clusters(console, report)
    show_centers(console, report)
    if "distances" in report.extra:
        show_distances(console, report.extra["distances"])
    if report.silhouettes is not None:
        show_silhouettes(console, report.silhouettes, sum(report.sizes))
    if "levels" in report.extra:
        show_levels(console, report.extra["levels"])
    if "thresholds" in report.extra:
        show_thresholds(console, report.extra["thresholds"], report.extra["linkage"])
    if report.fragmentation is not None:
        show_fragmentation(console, report.fragmentation)
    if "trade_off" in report.extra:
        show_trade_off(console, report.extra["trade_off"], report.extra["centroid_weight"])
    console.print()
    if report.fragmentation is not None:
        show_text(console, contiguity_sentence(report.fragmentation), "bold")
    show_text(console, ", ".join(f"{name} {version}" for name, version in report.versions.items()), "dim")


def show_header(console: rich.console.Console, report: Report) -> None:
    """Print method, input and settings."""
    file = Path(report.input["file"]).name if report.input["file"] else "layer"
    units = units_text(report.input["rows"], report.input["rows_used"])
    show_text(console, f"{report.settings['method']}, k = {report.k}, {file}, {units}", "bold")
    hidden = {"method", "k", "columns"}
    settings = [setting_text(name, value) for name, value in report.settings.items() if name not in hidden]
    show_text(console, ", ".join(settings))
    if report.variables:
        show_text(console, f"variables: {', '.join(report.variables)}", indent=2)


def show_fit(console: rich.console.Console, report: Report) -> None:
    """Print sums of squares over all variables and over the attributes alone."""
    first = "variables"
    if "embed" in report.settings:
        first = "what is clustered"
    elif "centroid_weight" in report.settings or "compactness" in report.settings:
        first = "attributes"
    elif report.fit_attributes is not None:
        first = "all variables"
    named = {first: report.fit, "attributes alone": report.fit_attributes}
    fits = {name: fit for name, fit in named.items() if fit is not None}
    sums = column((value for fit in fits.values() for value in (fit.tss, fit.wss, fit.bss)), 6)
    rows = [
        [name, *sums[3 * at : 3 * at + 3], NONE if fit.ratio is None else f"{fit.ratio:.6f}"]
        for at, (name, fit) in enumerate(fits.items())
    ]
    if rows:
        show_table(console, "Fit", ("sums of squares over", "total", "within", "between", "BSS/TSS"), rows)
    if report.coordinate_share:
        show_text(console, f"The coordinates carry {report.coordinate_share:.1%} of the weight.")
    if "contiguity_cost" in report.extra:
        show_text(console, cost_sentence(report.extra["contiguity_cost"]))
    if "compactness" in report.extra:
        show_text(console, compactness_sentence(report.extra["compactness"]))
    show_search(console, report)


def show_search(console: rich.console.Console, report: Report) -> None:
    """Print what a search did, and how far it came in what it was for."""
    extra = report.extra
    if "most_regions" in extra:
        show_text(console, most_regions_sentence(extra["regions"], extra["most_regions"]))
    if "balance" in extra:
        show_text(console, balance_sentence(extra["balance"]))
    if "assigned" in extra:
        show_text(console, assigned_sentence(extra["assigned"]))
    if "batches" in extra:
        show_text(console, batches_sentence(extra["batches"]))
    if "search" in extra:
        ratio = report.fit.ratio if report.fit is not None else None
        show_text(console, search_sentence(extra["search"], ratio))


def show_clusters(console: rich.console.Console, report: Report) -> None:
    """Print size, fit, pieces and shape per cluster."""
    columns: dict[str, list[str]] = {
        "cluster": cluster_labels(report.k),
    }
    values = report.extra.get("labels", {})  # what stands in the column that clusters were read from
    named = [str(values.get(label, label)) for label in columns["cluster"]]
    if named != columns["cluster"]:
        columns["label"] = named
    columns["size"] = [str(size) for size in report.sizes]
    if report.fit is not None:
        columns["WSS"] = column(report.fit.wss_by_cluster)
    clusters = report.fragmentation.clusters if report.fragmentation is not None else ()
    if report.fragmentation is not None and clusters:
        shapes = report.fragmentation.by_label(report.k)
        columns["pieces"] = [NONE if shape is None else str(shape.subclusters) for shape in shapes]
        columns["pieces/size"] = decimals(
            (None if shape is None else shape.subcluster_ratio for shape in shapes), 2
        )
        columns["joins"] = column((None if shape is None else shape.join_count_ratio for shape in shapes), 2)
        columns["IPQ"] = column((None if shape is None else shape.ipq_dissolved for shape in shapes), 3)
        columns["diameter"] = column(None if shape is None else shape.diameter for shape in shapes)
    show_table(console, "Clusters", list(columns), zip(*columns.values(), strict=True))
    if any(cluster.subclusters > 1 for cluster in clusters):
        show_text(console, "IPQ and diameter are of clusters in one piece.")
    if report.noise:
        from regionalize.measure.sentence import noise_sentence

        show_text(console, noise_sentence(report.noise), color=cluster_label(0).color)


def cluster_labels(k: int) -> list[str]:
    """Return the labels of clusters 1 … k."""
    return [cluster_label(label) for label in range(1, k + 1)]


def show_levels(console: rich.console.Console, levels: list[dict[str, Any]]) -> None:
    """Print the nested regions of every number that was asked for."""
    ratios = [
        NONE if one["bss_tss_attributes"] is None else f"{one['bss_tss_attributes']:.6f}" for one in levels
    ]
    rows = [
        (str(one["k"]), ratio, str(min(one["sizes"])), str(max(one["sizes"])))
        for one, ratio in zip(levels, ratios, strict=True)
    ]
    show_table(console, "Levels", ("k", "BSS/TSS of attributes", "smallest", "largest"), rows)


def show_thresholds(console: rich.console.Console, rows: list[dict[str, Any]], linkage: str) -> None:
    """Print which cuts lead to how many clusters, from the top of the hierarchy down."""
    from regionalize.model.thresholds import nearest_the_top

    shown = nearest_the_top(rows)
    heights = column((row[end] for row in shown for end in ("from", "to", "gap")), 5)
    cells = [
        [str(row["clusters"]), *heights[3 * at : 3 * at + 3], "largest gap" if row["largest_gap"] else ""]
        for at, row in enumerate(shown)
    ]
    title = f"Cuts of the hierarchy ({linkage} linkage)"
    show_table(console, title, ("clusters", "cut from", "to below", "gap", ""), cells)
    if len(shown) < len(rows):
        show_text(console, f"--report json holds all {len(rows)} rows.")


def show_centers(console: rich.console.Console, report: Report) -> None:
    """Print centres in original units, clusters down the side, or variables where there are more of them."""
    names = report.center_columns
    if not names:
        return
    title = f"{CENTERS[report.center]} in original units"
    cells = [column(values) for values in zip(*report.centers, strict=True)]
    labels = cluster_labels(report.k)
    shares = decimals(report.r_squared, 3)
    if "medoids" in report.extra:
        names, cells, shares = ("unit", *names), [report.extra["medoids"], *cells], ["", *shares]
    if len(names) > report.k:
        lines = [[name, *line, share] for name, line, share in zip(names, cells, shares, strict=True)]
        show_table(console, title, ["variable", *labels, "R²"], lines)
    else:
        lines = [[label, *line] for label, *line in zip(labels, *cells, strict=True)]
        show_table(console, title, ["cluster", *names], [*lines, ["R²", *shares]])


def show_distances(console: rich.console.Console, found: dict[str, Any]) -> None:
    """Print how far units are from the median or medoid of their cluster, and in all beside that of all."""
    labels = cluster_labels(len(found["within_by_cluster"]))
    within, mean = column(found["within_by_cluster"]), column(found["mean_by_cluster"])
    title = f"{found['metric'].capitalize()} distances to the {found['center']}"
    show_table(console, title, ("cluster", "within", "mean"), zip(labels, within, mean, strict=True))
    show_text(console, distances_sentence(found))


def show_silhouettes(console: rich.console.Console, found: Silhouettes, units: int) -> None:
    """Print mean silhouettes of the clusters, and of all `units`."""
    means = decimals((*found.by_cluster, found.mean), 3)
    counts = [str(count) for count in (*found.negative_by_cluster, found.negative)]
    labels = [*cluster_labels(len(found.by_cluster)), "all"]
    show_table(
        console, "Silhouettes", ("cluster", "mean", "below 0"), zip(labels, means, counts, strict=True)
    )
    if found.sampled:
        show_text(console, f"Silhouettes are of {found.units} of the {units} units, drawn at random.")


def show_fragmentation(console: rich.console.Console, spatial: Fragmentation) -> None:
    """Print the measures of the whole partition."""
    rows = [
        ("pieces", f"{spatial.subclusters} ({spatial.subcluster_ratio:.3f} per unit)"),
        ("entropy", f"{number(spatial.entropy)} (normalised {number(spatial.entropy_normalized)})"),
        ("Simpson", f"{number(spatial.simpson)} (normalised {number(spatial.simpson_normalized)})"),
        (
            "joins",
            f"{spatial.joins} of {spatial.neighbors} neighbour links ({number(spatial.join_count_ratio)})",
        ),
    ]
    weights = Path(spatial.weights).name
    show_table(console, f"Fragmentation ({weights} weights)", ("measure", "value"), rows, numeric=False)


def show_trade_off(console: rich.console.Console, curve: list[dict[str, Any]], chosen: float) -> None:
    """Print the curve of weight against fit and pieces: every fifth weight, changes and the one chosen."""
    rows = []
    for position, point in enumerate(curve):
        turned = position > 0 and point["contiguous"] != curve[position - 1]["contiguous"]
        if position % 5 == 0 or turned or point["weight"] == chosen:
            rows.append(
                (
                    f"{point['weight']:.2f}",
                    NONE if point["bss_tss_attributes"] is None else f"{point['bss_tss_attributes']:.4f}",
                    str(point["subclusters"]),
                    "yes" if point["contiguous"] else "no",
                    "chosen" if point["weight"] == chosen else "",
                )
            )
    title = "Weight of the centroids (--report json holds every hundredth)"
    show_table(console, title, ("weight", "BSS/TSS of attributes", "pieces", "contiguous", ""), rows)
