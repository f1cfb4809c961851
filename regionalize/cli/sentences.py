"""Figures of a report as sentences."""

from __future__ import annotations

from typing import Any

from regionalize.cli.tables import NONE, number


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
