"""The commands of docs/geoda.md, what they are called in `published.csv`, and what pygeoda calls them."""

from __future__ import annotations

from typing import NamedTuple


class Data(NamedTuple):
    """A layer of the shared folder, its variables, and the column of its population."""

    path: str
    columns: tuple[str, ...]
    where: str = ""
    population: str = ""


ATLAS = Data(
    "brazil/municipalities.gpkg",
    ("t_dens", "t_lixo", "t_luz", "t_banagua", "agua_esgoto", "rdpc"),
    "ufn = 'Ceará'",
    "popt",
)
BOOK_COLUMNS = ("mobility", "environ", "housing", "sanitation", "infra", "gdpcap")
GUERRY = Data(
    "guerry/Guerry.shp",
    ("Crm_prs", "Crm_prp", "Litercy", "Donatns", "Infants", "Suicids"),
    population="Pop1831",
)
TRACTS = Data(
    "chi_sdoh/Chi-SDOH.shp",
    (
        *("ChldPvt14", "EP_CROWD", "EP_UNINSUR", "EP_MINRTY", "Ovr6514P", "EP_AGE17", "EP_DISABL"),
        *("EP_NOHSDP", "EP_LIMENG", "EP_SNGPNT", "Pov14", "EP_PCI", "Unemp14", "EP_NOVEH", "FORCLRISK"),
        "HealthLit",
    ),
    population="Pop2014",
)
AREAS = Data(
    "chicago_cca/Chicago_2020_sdoh.shp",
    (
        *("INCPERCAP", "Und20", "Ov65", "Minrty", "Unemprt"),
        *("Noveh", "Lt_high", "Rentocc", "Rntburd", "Noeng"),
    ),
)


class Step(NamedTuple):
    """A command without its layer and variables.

    `run` is its name in `published.csv`; `why`, what makes it differ where it does; `peer`, the function of
    pygeoda with its arguments. POP stands for the column of the population, a percentage for its share.
    """

    run: str
    words: str
    why: str = ""
    title: str = ""
    peer: tuple[object, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it finds the number of regions itself."""
        return "--k" not in self.words


PLACES = (
    Step("kmeans", "kmeans --k 12"),
    Step("hierarchical", "hierarchical --k 12"),
    Step("kmedoids", "kmedoids --k 12"),
    Step("spectral", "spectral --k 12 --neighbors 8"),
)

CHAPTER = (
    Step("kmeans", "kmeans --k 12", title="9.3 k-means"),
    Step("hierarchical", "hierarchical --k 12", title="5.4 Ward's hierarchy"),
    Step("centroids", "kmeans --k 12 --with-centroids", title="9.3 with centroids"),
    Step("weight 0.25", "kmeans --k 12 --centroid-weight 0.25", title="9.4 weighted, as above"),
    Step("weight auto", "kmeans --k 12 --centroid-weight auto", title="9.4 weighted until contiguous"),
    Step("make contiguous", "kmeans --k 12 --make-contiguous", title="9.5 made contiguous"),
    Step("schc", "schc --k 12", title="10.2 SCHC", peer=("schc", 12, "ward")),
    Step("skater", "skater --k 12", title="10.3 SKATER", peer=("skater", 12)),
    Step("skater, units", "skater --k 12 --min-size 10", title="10.3 at least 10 units"),
    Step("redcap", "redcap --k 12", title="10.4 REDCAP", peer=("redcap", 12, "fullorder-wardlinkage")),
    Step(
        "azp greedy",
        "azp --k 12 --search greedy --start random",
        title="11.2 AZP, greedy",
        peer=("azp_greedy", 12),
    ),
    Step("azp greedy", "azp --k 12 --search greedy", title="11.2 greedy, from SCHC"),
    Step(
        "azp tabu",
        "azp --k 12 --search tabu --start random",
        title="11.2 AZP, tabu",
        peer=("azp_tabu", 12, 10),
    ),
    Step("azp tabu", "azp --k 12 --search tabu", title="11.2 tabu, from SCHC"),
    Step(
        "azp annealing",
        "azp --k 12 --search annealing --start random",
        title="11.2 AZP, annealing",
        peer=("azp_sa", 12, 0.85),
    ),
    Step(
        "azp annealing from schc",
        "azp --k 12 --search annealing --cooling 0.8 --sweeps 5",
        title="11.2 annealing, from SCHC",
    ),
    Step("azp annealing, best start of 50", "azp --k 12", title="11.2 AZP as it is here"),
    Step(
        "maxp 10%",
        "maxp --min-bound POP=10%",
        title="11.3 max-p",
        peer=("maxp_greedy", "POP", 0.10),
    ),
    Step("maxp 5%", "maxp --min-bound POP=5%", title="11.3 max-p", peer=("maxp_sa", "POP", 0.05)),
    Step("maxp 3%", "maxp --min-bound POP=3%", title="11.3 max-p", peer=("maxp_sa", "POP", 0.03)),
)

RANDOM = "other random numbers, from another random start"
FOUND = "recombination finds more than moves of single units"
MORE = "more regions, of which the best partition is kept"

GUERRY_STEPS = (
    Step("skater", "skater --k 5"),
    Step("redcap first single", "redcap --k 5 --order first --linkage single"),
    Step("redcap full single", "redcap --k 5 --linkage single"),
    Step("redcap full complete", "redcap --k 5 --linkage complete"),
    Step("redcap full average", "redcap --k 5 --linkage average"),
    Step("redcap full ward", "redcap --k 5"),
    Step("schc ward", "schc --k 5"),
    Step("schc average", "schc --k 5 --linkage average"),
    Step("azp greedy", "azp --k 5 --search greedy --start random", RANDOM),
    Step("azp tabu", "azp --k 5 --search tabu --start random", RANDOM),
    Step("azp annealing", "azp --k 5 --search annealing --start random", RANDOM),
    Step("azp annealing, rgeoda", "azp --k 5 --search annealing --start random", RANDOM),
    Step("azp annealing", "azp --k 5", FOUND),
    Step("azp greedy, population", "azp --k 5 --min-bound POP=3236.67", FOUND),
    Step("maxp greedy", "maxp --min-bound POP=3236.67", MORE),
    Step("maxp greedy, rgeoda", "maxp --min-bound POP=3236.67", MORE),
    Step("maxp tabu", "maxp --min-bound POP=3236.67", MORE),
    Step("maxp annealing", "maxp --min-bound POP=3236.67", MORE),
)

NUMBERS = (3, 4, 5, 6, 8, 10)
TREES = (
    Step("skater", "skater", peer=("skater",)),
    *(
        Step(f"schc {linkage}", f"schc --linkage {linkage}", peer=("schc", linkage))
        for linkage in ("ward", "single", "complete", "average")
    ),
    *(
        Step(
            f"redcap {order} {linkage}",
            f"redcap --order {order} --linkage {linkage}",
            peer=("redcap", f"{order}order-{linkage}linkage"),
        )
        for order, linkage in (
            *(("first", "single"), ("full", "single"), ("full", "complete")),
            *(("full", "average"), ("full", "ward")),
        )
    ),
)

MISPRINT = "a misprint: its own sums of squares give 0.120391"
OTHER = "a better optimum of its own sum, which is of distances"
HIERARCHIES = (
    Step("hierarchical ward", "hierarchical --k 5"),
    Step("hierarchical complete", "hierarchical --k 5 --method complete"),
    Step("hierarchical average", "hierarchical --k 5 --method average", "the last digit"),
    Step("hierarchical single", "hierarchical --k 5 --method single", MISPRINT),
)
TRACT_STEPS = (
    Step("kmeans, population", "kmeans --k 8 --min-bound POP=200000", "GeoDa drops starts below the bound"),
    Step("kmedians", "kmedians --k 8", OTHER),
)
