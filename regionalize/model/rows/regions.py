"""Methods whose clusters are contiguous."""

from __future__ import annotations

from regionalize.model.method import Method, Param, Share

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

REGIONS: tuple[Method, ...] = (
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
                "How clusters differ: by Ward's criterion, or the least, the greatest or the mean distance.",
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
)
