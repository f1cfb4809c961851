"""One row per method: the command, the Python call and the docs all follow from it."""

from __future__ import annotations

from regionalize.errors import UsageError, nearest
from regionalize.model.method import Length, Method, Param, Share

DISTANCE = Param(
    "distance",
    ("manhattan", "euclidean"),
    "manhattan",
    "Distance of units whose sum is made least; euclidean is not squared.",
)
START = Param(
    "start",
    str,
    "schc",
    "Where the search starts: regions of another method, random ones, or a plan in a column.",
    words=("schc", "skater", "redcap", "random"),
)
RESTARTS = Param(
    "restarts", int, 1, "Searches with random numbers of their own; the best is kept.", minimum=1
)
ITERATIONS = Param(
    "iterations", int, None, "How long each search is. [default: what takes a second or two]", minimum=1
)
TIME_LIMIT = Param(
    "time_limit", float, None, "Seconds after which the search stops. [default: none]", above=0
)

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="kmeans",
            summary="Group units by k-means.",
            function="regionalize.methods.kmeans:kmeans",
            params=(
                Param(
                    "search",
                    ("swap", "starts"),
                    "swap",
                    "swap: solutions recombined, centres swapped, single units moved; "
                    "starts: the best of --n-init plain starts.",
                ),
                Param(
                    "init",
                    ("k-means++", "random"),
                    "k-means++",
                    "How first centres are drawn (--search starts).",
                    only_with=("search", "starts"),
                ),
                Param(
                    "n_init",
                    int,
                    150,
                    "Number of starts (--search starts).",
                    minimum=1,
                    only_with=("search", "starts"),
                ),
                Param("max_iter", int, 1000, "Most Lloyd iterations of one start.", minimum=1),
            ),
            reference="Lloyd (1982); Arthur and Vassilvitskii (2007); Hartigan (1975); Fränti (2018); "
            "Gribel and Vidal (2019)",
        ),
        Method(
            name="kmedians",
            summary="Group units about medians: the distances to them are least in sum.",
            function="regionalize.methods.kmedians:kmedians",
            params=(
                DISTANCE,
                Param(
                    "n_init",
                    int,
                    6,
                    "Number of first solutions, and of children in each generation.",
                    minimum=1,
                ),
            ),
            reference="Bradley, Mangasarian and Street (1997); Weiszfeld (1937); Vardi and Zhang (2000); "
            "Gribel and Vidal (2019)",
            center="median",
        ),
        Method(
            name="kmedoids",
            summary="Group units about k of them, the medoids: the distances to them are least in sum.",
            function="regionalize.methods.kmedoids:kmedoids",
            params=(
                DISTANCE,
                Param(
                    "n_init",
                    int,
                    None,
                    "Number of random starts. [default: what takes a fraction of a second]",
                    minimum=1,
                ),
            ),
            reference="Kaufman and Rousseeuw (1990); Schubert and Rousseeuw (2021)",
            center="medoid",
        ),
        Method(
            name="skater",
            summary="Cut the minimum spanning tree of neighbouring units into contiguous regions.",
            function="regionalize.methods.skater:skater",
            params=(),
            reference="Assunção, Neves, Câmara and da Costa Freitas (2006)",
            contiguous=True,
            tree=True,
        ),
        Method(
            name="schc",
            summary="Join neighbouring clusters, always the two that differ least, into contiguous regions.",
            function="regionalize.methods.schc:schc",
            params=(
                Param(
                    "linkage",
                    ("ward", "single", "complete", "average"),
                    "ward",
                    "How clusters differ: by Ward's criterion, or the least, the greatest or the mean "
                    "distance of their units.",
                ),
            ),
            reference="Murtagh (1985); Ward (1963); Lance and Williams (1967)",
            contiguous=True,
            nested=True,
        ),
        Method(
            name="redcap",
            summary="Join neighbours to a tree by a hierarchy, and cut it into contiguous regions.",
            function="regionalize.methods.redcap:redcap",
            params=(
                Param(
                    "order",
                    ("first", "full"),
                    "full",
                    "What clusters are compared over: links between neighbouring units alone, or all pairs "
                    "of units.",
                ),
                Param(
                    "linkage",
                    ("ward", "single", "complete", "average"),
                    "ward",
                    "How clusters differ: by Ward's criterion, or the least, the greatest or the mean "
                    "distance.",
                ),
            ),
            reference="Guo (2008); Guo and Wang (2011)",
            contiguous=True,
            tree=True,
        ),
        Method(
            name="azp",
            summary="Search for the contiguous regions that fit best, from a first solution on.",
            function="regionalize.methods.azp:azp",
            params=(
                Param(
                    "search",
                    ("recombine", "greedy", "tabu", "annealing"),
                    "recombine",
                    "recombine: regions merged and split along random trees; the others move single units.",
                ),
                START,
                RESTARTS,
                ITERATIONS,
                TIME_LIMIT,
                Param(
                    "tabu_length",
                    int,
                    10,
                    "Moves that may not be undone at once (--search tabu).",
                    minimum=0,
                    only_with=("search", "tabu"),
                ),
                Param(
                    "cooling",
                    float,
                    0.85,
                    "What the temperature is multiplied by after each step (--search annealing).",
                    above=0,
                    below=1,
                    only_with=("search", "annealing"),
                ),
                Param(
                    "sweeps",
                    int,
                    1,
                    "Times that all units are tried at each temperature (--search annealing).",
                    minimum=1,
                    only_with=("search", "annealing"),
                ),
            ),
            reference="Openshaw (1977); Openshaw and Rao (1995); DeFord, Duchin and Solomon (2021)",
            contiguous=True,
            takes_start=True,
        ),
        Method(
            name="maxp",
            summary="Find the most contiguous regions that each hold enough, and of these the best.",
            function="regionalize.methods.maxp:maxp",
            params=(RESTARTS, ITERATIONS, TIME_LIMIT),
            reference="Duque, Anselin and Rey (2012)",
            contiguous=True,
            takes_k=False,
        ),
        Method(
            name="balance",
            summary="Make contiguous regions of nearly equal size, or of equal sums of a column.",
            function="regionalize.methods.balance:balance",
            params=(
                Param(
                    "balance",
                    str,
                    "units",
                    "What every region is to hold alike: units, or the sum of a column.",
                    words=("units",),
                ),
                Param(
                    "tolerance",
                    Share,
                    0.05,
                    "How far a region may be from the mean of all, e.g. 5%.",
                    minimum=0,
                ),
                START,
                RESTARTS,
                ITERATIONS,
                TIME_LIMIT,
            ),
            reference="DeFord, Duchin and Solomon (2021)",
            contiguous=True,
            takes_start=True,
            compactness=0.5,
        ),
        Method(
            name="hierarchical",
            summary="Join the two clusters that differ least, again and again, wherever they are.",
            function="regionalize.methods.hierarchical:hierarchical",
            params=(
                Param(
                    "linkage",
                    ("ward", "single", "complete", "average", "weighted", "centroid", "median"),
                    "ward",
                    "How clusters differ: by Ward's criterion, the least, greatest or mean distance of "
                    "their units, the mean of their parts' distances, or the distance of their centroids "
                    "or medians.",
                    typed="method",
                ),
                Param(
                    "cut",
                    float,
                    None,
                    "Undo the joins above this height, in place of --k. [default: none]",
                    minimum=0,
                ),
                Param(
                    "distances",
                    str,
                    None,
                    "Distances of all pairs of units to go by in place of the variables: a .csv or .npy "
                    "file, square or flat. [default: none]",
                ),
            ),
            reference="Ward (1963); Lance and Williams (1967); Müllner (2011)",
            nested=True,
            linkage_matrix=True,
            bounded=False,
            instead_of_k="cut",
        ),
        Method(
            name="spectral",
            summary="Group units by cuts of the graph of their nearest in the variables.",
            function="regionalize.methods.spectral:spectral",
            params=(
                Param(
                    "affinity",
                    ("knn", "mutual-knn", "gaussian"),
                    "knn",
                    "What is alike: units of which one is among the nearest of the other, or both; or all, "
                    "by a Gaussian of their distance.",
                ),
                Param(
                    "neighbors",
                    int,
                    None,
                    "Nearest of each unit, itself among them, for both kinds of knn. [default: log10 of the "
                    "units, rounded up]",
                    minimum=2,
                    only_with=("affinity", ("knn", "mutual-knn")),
                ),
                Param(
                    "sigma",
                    float,
                    None,
                    "Width of the Gaussian. [default: root of 1 over the number of variables]",
                    above=0,
                    only_with=("affinity", "gaussian"),
                ),
            ),
            reference="Shi and Malik (2000); Ng, Jordan and Weiss (2002); von Luxburg (2007)",
            bounded=False,
        ),
        Method(
            name="dbscan",
            summary="Group units that lie densely, by place or by variables, and leave the others out.",
            function="regionalize.methods.dbscan:dbscan",
            params=(
                Param(
                    "eps",
                    Length,
                    None,
                    "Distance within which units are neighbours: with a unit, such as 1km, of places; "
                    "a number is one of variables, or of places in map units.",
                ),
                Param(
                    "min_samples",
                    int,
                    4,
                    "Units within --eps that make a unit dense, itself among them.",
                    minimum=1,
                ),
            ),
            reference="Ester, Kriegel, Sander and Xu (1996); Schubert, Sander, Ester, Kriegel and Xu (2017)",
            takes_k=False,
            bounded=False,
            noise=True,
            places=True,
        ),
        Method(
            name="hdbscan",
            summary="Group units that lie densely, at whatever density lasts, and leave the others out.",
            function="regionalize.methods.hdbscan:hdbscan",
            params=(
                Param("min_cluster_size", int, 10, "Fewest units of a cluster.", minimum=2),
                Param(
                    "min_samples",
                    int,
                    None,
                    "Units that make a unit dense, itself among them; more make more noise. "
                    "[default: as --min-cluster-size]",
                    minimum=1,
                ),
                Param(
                    "eps",
                    Length,
                    None,
                    "Clusters that part only below this distance stay one: of places with a unit, such as "
                    "1km; else a number. [default: none]",
                ),
            ),
            reference="Campello, Moulavi and Sander (2013); Campello, Moulavi, Zimek and Sander (2015); "
            "Malzer and Baum (2020)",
            takes_k=False,
            bounded=False,
            noise=True,
            places=True,
        ),
        Method(
            name="optics",
            summary="Order units by reachability, group the dense stretches, and leave the others out.",
            function="regionalize.methods.optics:optics",
            params=(
                Param(
                    "min_samples",
                    int,
                    5,
                    "Units that make a unit dense, itself among them, and fewest units of a cluster.",
                    minimum=2,
                ),
                Param(
                    "eps",
                    Length,
                    None,
                    "Cut where units are reached from farther than this: of places with a unit, such as 1km; "
                    "else a number. [default: none, see --xi]",
                ),
                Param(
                    "xi",
                    float,
                    0.05,
                    "Steepness at the rims of clusters, without --eps.",
                    above=0,
                    below=1,
                    only_with=("eps", None),
                ),
            ),
            reference="Ankerst, Breunig, Kriegel and Sander (1999); Schubert and Gertz (2018)",
            takes_k=False,
            bounded=False,
            noise=True,
            places=True,
        ),
    )
}


def find_method(name: str) -> Method:
    """Return the catalog's row, or raise a usage error naming the nearest method."""
    if name not in METHODS:
        raise UsageError(f"there is no method '{name}'", advice=nearest(name, METHODS))
    return METHODS[name]
