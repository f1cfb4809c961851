"""What every library offers, each name looked up: a table of `benchmarks.comparison`."""

from __future__ import annotations

from importlib import import_module
from operator import attrgetter

from benchmarks.pages import table

CAPABILITIES: dict[str, tuple[str, str, str, str]] = {
    "k-means": ("kmeans", "", "", "sklearn.cluster:KMeans"),
    "k-medians": ("kmedians", "", "", ""),
    "k-medoids": ("kmedoids", "", "", ""),
    "hierarchical": ("hierarchical", "", "", "sklearn.cluster:AgglomerativeClustering"),
    "spectral": ("spectral", "", "", "sklearn.cluster:SpectralClustering"),
    "DBSCAN": ("dbscan", "", "", "sklearn.cluster:DBSCAN"),
    "OPTICS": ("optics", "", "", "sklearn.cluster:OPTICS"),
    "HDBSCAN": ("hdbscan", "", "", "sklearn.cluster:HDBSCAN"),
    "Gaussian mixtures, mean shift, affinity propagation": ("", "", "", "sklearn.mixture:GaussianMixture"),
    "SKATER": ("skater", "pygeoda:skater", "spopt.region:Skater", ""),
    "Ward, neighbours joined": (
        *("schc", "pygeoda:schc", "spopt.region:WardSpatial"),
        "sklearn.cluster:AgglomerativeClustering",
    ),
    "REDCAP": ("redcap", "pygeoda:redcap", "", ""),
    "AZP": ("azp", "pygeoda:azp_greedy", "spopt.region:AZP", ""),
    "max-p": ("maxp", "pygeoda:maxp_greedy", "spopt.region:MaxPHeuristic", ""),
    "spectral with contiguity": ("", "", "spopt.region:Spenc", ""),
    "SA3 (extracted clusters), region k-means": ("", "", "spopt.region:SA3", ""),
    "random regions": ("", "", "spopt.region:RandomRegions", ""),
    "regions of equal size": ("balance", "", "", ""),
    "principal components": ("", "", "", "sklearn.decomposition:PCA"),
    "labels made contiguous": ("contiguous", "pygeoda:make_spatial", "", ""),
    "Manhattan distance in trees": ("", "pygeoda:skater", "", ""),
    "fragmentation, joins, compactness": ("validate", "pygeoda:spatial_validation", "", ""),
    "agreement of two solutions": ("compare", "", "", "sklearn.metrics:adjusted_rand_score"),
    "how many clusters": ("choose-k", "", "", "sklearn.metrics:silhouette_score"),
    "stability of every unit": ("stability", "", "", ""),
    "new rows assigned": ("assign", "", "", "sklearn.cluster:KMeans.predict"),
    "many layers at once": ("batch", "", "", ""),
    "maps and reports": ("map", "", "", ""),
    "local statistics (LISA)": ("", "pygeoda:local_moran", "", ""),
}
"""Name by which each has it: ours, then module and name of pygeoda, spopt and scikit-learn; empty: none."""


def capabilities() -> dict[str, str]:
    """Tell what each has, every name looked up."""
    from regionalize.cli.program import COMMANDS
    from regionalize.model.catalog import METHODS

    rows = []
    for title, (mine, *theirs) in CAPABILITIES.items():
        assert not mine or mine in METHODS or mine in COMMANDS, mine
        for place in filter(None, theirs):
            module, _, name = place.partition(":")
            attrgetter(name)(import_module(module))
        names = [mine, *(place.partition(":")[2] for place in theirs)]
        rows.append([title, *(f"`{name}`" if name else "–" for name in names)])
    return {"capabilities": table(["", "regionalize", "pygeoda", "spopt", "scikit-learn"], rows)}
