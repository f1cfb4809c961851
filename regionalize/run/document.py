"""The report of a run as a document: what is said of it, in which order and under which title."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from regionalize.io.reports import batch_parts
from regionalize.measure.sentence import contiguity_sentence, noise_sentence
from regionalize.model.catalog import METHODS
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
    table_of,
)
from regionalize.model.report import Fragmentation, Profiles, Report
from regionalize.model.thresholds import nearest_the_top
from regionalize.run.existing import shown_labels

EXTRA = {
    "contiguity_cost": "Cost of contiguity",
    "compactness": "Compactness",
    "search": "Search",
    "balance": "Balance",
    "assigned": "Nearest centres",
}
"""What only some runs report, measure by measure."""

ALL = "all"
"""What all units together are called in a table of clusters."""

CENTERS = {"median": "Medians", "medoid": "Medoids"}
"""What the table of centres is called where they are not the means."""

COMMANDS = {
    "contiguous": ("Make the clusters of a label column contiguous.", "Anselin (2024)"),
    "assign": ("Give every row the number of its nearest centre.", "Lloyd (1982)"),
    "validate": (
        "Measure the clusters of a label column.",
        "Anselin (2024); Rousseeuw (1987); Caliński and Harabasz (1974)",
    ),
}
"""What commands that are no methods do, and where it is written."""


def run_document(report: Report, picture: Picture | None = None) -> Document:
    """Return the document of a run: what matters most first, how it was made last.

    Parameters
    ----------
    report : Report
        Everything that was measured.
    picture : Picture, optional
        The map.
    """
    name = file_name(report.input["file"])
    title = f"{report.settings['method']}, k = {report.k}" + (f": {name}" if name else "")
    blocks: list[Block] = [*summary(report), *([picture] if picture is not None else [])]
    blocks += profiles(report)
    blocks += clusters(report)
    blocks += fragmentation(report)
    blocks += fit(report)
    blocks += others(report)
    if report.notes:
        blocks += [Heading("Notes"), Notes(report.notes)]
    method = report.settings["method"].split(" ")[0]
    settings = {name: bound_typed(name, value) for name, value in report.settings.items()}
    settings = with_variables(settings, report.variables)
    blocks += making(method, settings, report.input, report.command, report.versions)
    return Document(title, tuple(blocks))


def file_name(file: str | None) -> str:
    """Return what a layer's file is called, without its folder."""
    return Path(file).name if file else ""


def summary(report: Report) -> Iterator[Block]:
    """Tell the numbers to see first."""
    attributes = report.fit_attributes or report.fit
    spatial = report.fragmentation
    used, rows = report.input["rows_used"], report.input["rows"]
    found: list[tuple[str, Any]] = [("clusters", report.k)]
    found.append(("units", used if used == rows else f"{used} of {rows}"))
    found += [("noise", report.noise)] if report.noise else []
    of = " of the attributes" if report.fit_attributes or report.coordinate_share else ""
    found += [(f"BSS/TSS{of}", attributes.ratio)] if attributes else []
    found += [("mean silhouette", report.silhouettes.mean)] if report.silhouettes else []
    found += [("pieces", spatial.subclusters)] if spatial else []
    yield Figures(tuple(found))
    if spatial is not None:
        yield Sentence(contiguity_sentence(spatial), strong=True)
    if report.noise:
        yield Sentence(noise_sentence(report.noise))


def cluster_names(report: Report) -> list[ClusterName]:
    """Name the clusters as the column they were read from does, or by their numbers."""
    values = shown_labels({int(number): value for number, value in report.extra.get("labels", {}).items()})
    return [ClusterName(label, str(values.get(label, label))) for label in range(1, report.k + 1)]


def profiles(report: Report) -> Iterator[Block]:
    """Tell what clusters are like: means and deviations, how far off the whole, and their centres."""
    found, names, down = report.profiles, report.center_columns, cluster_names(report)
    if found is None or not names or not down:
        return
    yield Heading("Profiles")
    spreads = [
        [Spread(mean, sd) for mean, sd in zip(*pair, strict=True)]
        for pair in zip(found.mean, found.sd, strict=True)
    ]
    whole = [Spread(mean, sd) for mean, sd in zip(found.mean_of_all, found.sd_of_all, strict=True)]
    caption = "Mean ± standard deviation (of a sample: n - 1) in original units."
    if report.center != "mean":
        caption += f" These are means, while the centres of the clusters are {report.center}s: see below."
    yield crossed([*down, ALL], names, [*spreads, whole], caption)
    yield heat(found, down, names)
    if report.center != "mean":
        title = CENTERS[report.center]
        yield Heading(title)
        columns, rows = names, [list(row) for row in report.centers]
        if "medoids" in report.extra:
            columns = ("unit", *names)
            rows = [[unit, *row] for unit, row in zip(report.extra["medoids"], rows, strict=True)]
        yield crossed(down, columns, rows, f"{title}, in original units.")
    yield Heading("Variables")
    yield Table(
        ("variable", "R²"),
        tuple(zip(names, report.r_squared, strict=True)),
        "R² is the share of a variable's sum of squares that lies between clusters.",
        bars=(("R²", 1.0),),
    )


def heat(found: Profiles, down: Sequence[ClusterName], names: Sequence[str]) -> Heat:
    """Put the means beside those of all units, in standard deviations."""
    caption = (
        "Cluster means as z: standard deviations of all units above or below their mean, "
        "whatever the transform."
    )
    table = crossed(down, names, [list(row) for row in found.z], caption)
    return Heat(table.header, table.rows, caption)


def crossed(down: Sequence[Any], names: Sequence[str], cells: Sequence[Sequence[Any]], caption: str) -> Table:
    """Put clusters down the side, or variables where there are more of them; all units count as none."""
    if len(names) > len([cluster for cluster in down if cluster != ALL]):
        rows = tuple((name, *row) for name, row in zip(names, zip(*cells, strict=True), strict=True))
        return Table(("variable", *down), rows, caption, by_row=True)
    rows = tuple((cluster, *row) for cluster, row in zip(down, cells, strict=True))
    return Table(("cluster", *names), rows, caption)


def clusters(report: Report) -> Iterator[Block]:
    """Tell sizes, and how close units are within each cluster."""
    names, units = cluster_names(report), sum(report.sizes)
    if not names:
        return
    columns: dict[str, Sequence[Any]] = {"cluster": names}
    if any(name.text != str(name.label) for name in names):
        columns["number"] = [name.label for name in names]
    columns["size"] = report.sizes
    columns["share in %"] = [100 * size / units for size in report.sizes]
    if report.fit is not None:
        columns["WSS"] = report.fit.wss_by_cluster
    if report.silhouettes is not None:
        columns["silhouette"] = report.silhouettes.by_cluster
        columns["below 0"] = report.silhouettes.negative_by_cluster
    if "distances" in report.extra:
        columns["distances within"] = report.extra["distances"]["within_by_cluster"]
        columns["mean distance"] = report.extra["distances"]["mean_by_cluster"]
    if "medoids" in report.extra:
        columns["medoid"] = report.extra["medoids"]
    yield Heading("Clusters")
    yield Table(tuple(columns), tuple(zip(*columns.values(), strict=True)), bars=(("size", None),))
    if report.silhouettes is not None:
        found = report.silhouettes
        measured = f"{found.units} of {units}, drawn at random" if found.sampled else str(found.units)
        yield Heading("Silhouettes")
        yield Facts((("mean", found.mean), ("below 0", found.negative), ("units", measured)))


def fragmentation(report: Report) -> Iterator[Block]:
    """Tell how the clusters sit on the map, in all and one by one."""
    spatial = report.fragmentation
    if spatial is None:
        return
    measures = (
        *("contiguous", "subclusters", "subcluster_ratio", "entropy", "entropy_normalized", "simpson"),
        *("simpson_normalized", "neighbors", "joins", "join_count_ratio", "weights"),
    )
    yield Heading("Fragmentation")
    yield Facts(tuple((name.replace("_", " "), getattr(spatial, name)) for name in measures))
    if report.k:
        yield fragmentation_table(spatial, cluster_names(report))


def fragmentation_table(spatial: Fragmentation, names: Sequence[ClusterName]) -> Table:
    """Tell of every cluster its pieces, joins and shape; measures that no cluster has are left out."""
    measures = {
        "subclusters": "subclusters",
        "per unit": "subcluster_ratio",
        "entropy": "entropy",
        "Simpson": "simpson",
        "joins": "join_count_ratio",
        "IPQ (GeoDa)": "ipq_geoda",
        "IPQ": "ipq_dissolved",
        "diameter": "diameter",
    }
    shapes = spatial.by_label(len(names))
    columns: dict[str, list[Any]] = {"cluster": list(names)}
    for title, name in measures.items():
        values = [getattr(shape, name, None) for shape in shapes]
        if any(value is not None for value in values):
            columns[title] = values
    caption = "Entropy and Simpson are of the pieces of a cluster; IPQ and diameter of clusters in one piece."
    return Table(tuple(columns), tuple(zip(*columns.values(), strict=True)), caption)


def fit(report: Report) -> Iterator[Block]:
    """Tell the sums of squares."""
    several = "what is clustered" if "embed" in report.settings else "all variables"
    named = {
        several if report.fit_attributes else "variables": report.fit,
        "attributes alone": report.fit_attributes,
    }
    rows = tuple(
        (name, one.tss, one.wss, one.bss, one.ratio, one.pseudo_f, one.mean_distance)
        for name, one in named.items()
        if one is not None
    )
    if not rows:
        return
    yield Heading("Fit")
    yield Table(("over", "TSS", "WSS", "BSS", "BSS/TSS", "pseudo-F", "mean distance"), rows)
    if report.coordinate_share:
        yield Sentence(f"The coordinates carry {report.coordinate_share:.1%} of the weight.")


def others(report: Report) -> Iterator[Block]:
    """Tell what only some methods and options have."""
    extra = report.extra
    if "trade_off" in extra:
        yield from trade_off(extra["trade_off"], extra["centroid_weight"])
    for name, title in EXTRA.items():
        if name in extra:
            yield Heading(title)
            yield Facts(tuple((key.replace("_", " "), value) for key, value in extra[name].items()))
    if "batches" in extra:
        yield from batches(report)
    if "distances" in extra:
        found = extra["distances"]
        yield Heading(f"Distances to the {found['center']}")
        yield Facts(tuple((name, found[name]) for name in ("metric", "total", "within", "ratio")))
    if "most_regions" in extra:
        yield Sentence(f"By the sums alone there can be no more than {extra['most_regions']} regions.")
    if "levels" in extra:
        yield Heading("Levels")
        yield table_of(extra["levels"])
    if "thresholds" in extra:
        yield Heading(f"Cuts of the hierarchy ({extra['linkage']} linkage)")
        yield table_of([dict(row) for row in nearest_the_top(extra["thresholds"])])


def batches(report: Report) -> Iterator[Block]:
    """Tell of a run in batches what was learnt from, and how far rows are from their nearest centre."""
    found = report.extra["batches"]
    numbers = {
        "rows of a batch": min(found["batch_size"], found["train"]["rows"]),
        "batches": found["batches"],
        "rows of the warm start": found["warm_start"],
    }
    rows = tuple((name, *one.values()) for name, one in batch_parts(report).items())
    yield Heading("Batches")
    yield Facts(tuple(numbers.items()))
    yield Table(("part", "rows", "sum of squared distances", "mean squared distance"), rows)


def trade_off(curve: Sequence[Mapping[str, Any]], chosen: float) -> Iterator[Block]:
    """Tell what each weight of the centroids leaves of fit and contiguity."""
    yield Heading("Weight of the centroids")
    yield Sentence(f"{chosen:.2f} is the smallest weight that leaves every cluster in one piece.")
    lines = {"BSS/TSS of the attributes": "bss_tss_attributes", "pieces": "subclusters"}
    yield Curve(
        "weight of the centroids",
        tuple(
            (title, tuple((point["weight"], point[name]) for point in curve if point[name] is not None))
            for title, name in lines.items()
        ),
        chosen,
    )
    yield table_of([dict(point) for point in curve])


def bound_typed(name: str, value: Any) -> Any:
    """Write a bound as it is typed; all else is written by whoever writes tables.

    Examples
    --------
    >>> bound_typed("min_bound", ("pop", "10%")), bound_typed("columns", ("a", "b"))
    ('pop=10%', ('a', 'b'))
    """
    return "=".join(map(str, value)) if name in {"min_bound", "max_bound"} else value


def with_variables(settings: Mapping[str, Any], variables: Sequence[str]) -> dict[str, Any]:
    """Return settings with the variables that were used, where these are not just the columns named."""
    named = list(settings.get("columns", ())) == list(variables)
    return {**settings, **({} if named or not variables else {"variables": list(variables)})}


def making(
    method: str,
    settings: Mapping[str, Any],
    origin: Mapping[str, Any],
    command: str,
    versions: Mapping[str, str],
    *,
    reference: str = "",
) -> Iterator[Block]:
    """Tell how the answer was made, and how to make it again.

    Parameters
    ----------
    method : str
        Of the catalog, or a command.
    settings, origin : mapping
        Options by name, and what was read.
    command : str
        The line that repeats it; empty for none.
    versions : mapping
        Of what computed it.
    reference : str
        A sentence on the papers besides those of the method, without its full stop.
    """
    yield Heading("How it was made")
    if command:
        yield Shell(command)
    said, written = COMMANDS.get(method, ("", ""))
    if method in METHODS:
        said, written = METHODS[method].summary, METHODS[method].reference
    if said:
        yield Sentence(f"{method}: {said} References: {written}.")
    if reference:
        yield Sentence(f"{reference}.")
    yield Facts(tuple(settings.items()), ("setting", "value"))
    yield Facts(tuple(origin.items()), ("input", "value"))
    yield Sentence("Versions: " + ", ".join(f"{name} {number}" for name, number in versions.items()))
