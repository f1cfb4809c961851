"""The report of a run, as tables for the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    settings = [setting(name, value) for name, value in report.settings.items() if name not in hidden]
    show_text(console, ", ".join(settings))
    if report.variables:
        show_text(console, f"variables: {', '.join(report.variables)}", indent=2)


def setting(name: str, value: Any) -> str:
    """Write an option and its value as they are typed.

    Examples
    --------
    >>> setting("with_centroids", True), setting("min_bound", ("pop", "10%")), setting("seed", 7)
    ('with-centroids', 'min-bound pop=10%', 'seed 7')
    """
    option = name.replace("_", "-")
    if value is True:
        return option
    if isinstance(value, dict):
        value = ",".join(f"{key}={item:g}" for key, item in value.items())
    elif isinstance(value, tuple):
        value = ("=" if name.endswith("bound") else ",").join(map(str, value))
    elif name in {"weights", "distances"}:  # a file goes by its name: its folder was said on the command line
        value = Path(value).name
    return f"{option} {value}"


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
        count = "1 unit is noise" if report.noise == 1 else f"{report.noise} units are noise"
        noise = f"{count}, label 0: in no cluster, and in no measure."
        show_text(console, noise, color=cluster_label(0).color)


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


def cost_sentence(cost: dict[str, Any]) -> str:
    """Say what it took to make clusters contiguous, and what it cost in fit.

    Examples
    --------
    >>> fit = {"bss_tss_before": 0.6392, "bss_tss_after": 0.2875}
    >>> cost_sentence({"clusters": 12, "pieces": 41, "regions": 12, **fit})
    'contiguous: 41 pieces joined into 12 regions; BSS/TSS 0.6392 → 0.2875'
    """
    clusters, pieces, regions = cost["clusters"], cost["pieces"], cost["regions"]
    if regions == pieces:
        done = f"{clusters} clusters split into {regions} regions"
    else:
        done = f"{pieces} pieces joined into {regions} regions"
    if pieces == clusters:
        done = f"the {clusters} clusters were in one piece each already"
        if clusters == 1:
            done = "the one cluster was in one piece already"
    if cost["bss_tss_before"] is None or cost["bss_tss_after"] is None:
        return f"contiguous: {done}"
    return f"contiguous: {done}; BSS/TSS {cost['bss_tss_before']:.4f} → {cost['bss_tss_after']:.4f}"


def compactness_sentence(found: dict[str, Any]) -> str:
    """Say how closely regions lie about their centres.

    Examples
    --------
    >>> compactness_sentence({"weight": 0.3, "share": 0.25})
    "Compactness counts 30 %: the regions keep 25.0 % of the layer's moment of inertia."
    """
    share = NONE if found["share"] is None else f"{100 * found['share']:.1f} %"
    return (
        f"Compactness counts {100 * found['weight']:g} %: "
        f"the regions keep {share} of the layer's moment of inertia."
    )


def search_sentence(found: dict[str, Any], ratio: float | None) -> str:
    """Say how long a search was, and what it made of its start; `ratio` is the BSS/TSS of the report.

    The search goes by weighted variables, coordinates included: where that is another ratio, it is said.

    Examples
    --------
    >>> search_sentence({"iterations": 800, "bss_tss_start": 0.4321, "bss_tss": 0.5099}, 0.5099)
    'search: 800 iterations; BSS/TSS 0.4321 → 0.5099'
    """
    made = "1 iteration" if found["iterations"] == 1 else f"{found['iterations']} iterations"
    same = ratio is not None and abs(ratio - found["bss_tss"]) < 1e-6
    of = "BSS/TSS" if same else "BSS/TSS as weighted"
    return f"search: {made}; {of} {found['bss_tss_start']:.4f} → {found['bss_tss']:.4f}"


def batches_sentence(found: dict[str, Any]) -> str:
    """Say what rows the centres are from, and how far rows are from them.

    Examples
    --------
    >>> about = {"batch_size": 256, "batches": 22, "warm_start": 2560}
    >>> batches_sentence(about | {"train": {"rows": 8000, "inertia_per_row": 1.5}})
    'batches: 22 of 256 rows, after 2,560 drawn at random; mean squared distance 1.500 in 8,000 rows'
    >>> few = {"rows": 90, "inertia_per_row": 1.5}
    >>> batches_sentence({"batch_size": 256, "batches": 0, "warm_start": 90, "train": few})
    'batches: none needed: the warm start held all 90 rows; mean squared distance 1.500 in 90 rows'
    """
    learnt = found["train"]["rows"]
    made = f"none needed: the warm start held all {found['warm_start']:,} rows"
    if found["warm_start"] < learnt:
        size = min(found["batch_size"], learnt)
        made = f"{found['batches']:,} of {size:,} rows, after {found['warm_start']:,} drawn at random"
    elif "test" in found:
        made += " that are not of the test share"
    named = {"train": "rows", "test": "test rows"}
    away = [
        f"{number(found[part]['inertia_per_row'])} in {found[part]['rows']:,} {name}"
        for part, name in named.items()
        if part in found and found[part]["rows"]
    ]
    return f"batches: {made}; mean squared distance {', '.join(away)}"


def assigned_sentence(found: dict[str, Any]) -> str:
    """Say how far units are from their nearest centre, beside those the centres were made of.

    Examples
    --------
    >>> far = {"mean_distance": 1.42, "farthest": 3.1, "mean_distance_there": 1.2, "farthest_there": 2.75}
    >>> assigned_sentence(far)
    'nearest centres: 1.420 away on average, 3.100 at most; the units they are made of, 1.200 and 2.750'
    """
    here = f"nearest centres: {number(found['mean_distance'])} away on average"
    here += f", {number(found['farthest'])} at most"
    if "farthest_there" not in found:
        return here
    there = f"{number(found['mean_distance_there'])} and {number(found['farthest_there'])}"
    return f"{here}; the units they are made of, {there}"


def balance_sentence(found: dict[str, Any]) -> str:
    """Say how nearly equal regions are.

    Examples
    --------
    >>> balance_sentence({"of": "units", "mean": 26.5, "least": 26.0, "most": 27.0})
    'balance: the regions hold 26 to 27 units, 26.50 on average (-1.9 % to +1.9 %)'
    """
    least, most, mean = found["least"], found["most"], found["mean"]
    off = f"{100 * (least / mean - 1):+.1f} % to {100 * (most / mean - 1):+.1f} %"
    return (
        f"balance: the regions hold {number(least)} to {number(most)} {found['of']}, "
        f"{number(mean)} on average ({off})"
    )


def most_regions_sentence(regions: int, most: int) -> str:
    """Say how many regions there are, and how many there could be.

    Examples
    --------
    >>> most_regions_sentence(17, 20)
    'max-p: 17 regions; by the sums alone there can be no more than 20'
    """
    count = "1 region" if regions == 1 else f"{regions} regions"
    return f"max-p: {count}; by the sums alone there can be no more than {most}"


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


def distances_sentence(found: dict[str, Any]) -> str:
    """Say what share of the distances is left within clusters.

    Examples
    --------
    >>> table = {"center": "medoid", "exact": True, "within": 450.04, "total": 1320.51, "ratio": 0.340808}
    >>> distances_sentence(table)
    'within 450.0 of 1321 to the medoid of all units: 0.340808'
    """
    ratio = NONE if found["ratio"] is None else f"{found['ratio']:.6f}"
    of_all = f"the {found['center']} of all units" + ("" if found["exact"] else ", the best of those tried")
    return f"within {number(found['within'])} of {number(found['total'])} to {of_all}: {ratio}"


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
