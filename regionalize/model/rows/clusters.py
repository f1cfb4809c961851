"""Methods whose clusters may lie anywhere: about centres, by joins, by cuts of a graph."""

from __future__ import annotations

from regionalize.model.method import Method, Param

DISTANCE = Param(
    "distance",
    ("manhattan", "euclidean"),
    "manhattan",
    "Distance of units whose sum is made least; euclidean is not squared.",
)
CLUSTERS: tuple[Method, ...] = (
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
                ("k-means++", "random", "k-means||"),
                "k-means++",
                "How first centres are drawn (--search starts): the last draws many in each of a few passes.",
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
        reference="Lloyd (1982); Arthur and Vassilvitskii (2007); Bahmani et al. (2012); Hartigan (1975); "
        "Fränti (2018); Gribel and Vidal (2019)",
        large=True,
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
        name="hierarchical",
        summary="Join the two clusters that differ least, again and again, wherever they are.",
        function="regionalize.methods.hierarchical:hierarchical",
        room="regionalize.methods.hierarchical:check_room",
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
        room="regionalize.methods.spectral:check_room",
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
)
