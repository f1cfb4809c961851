"""Methods that group what lies densely and leave the rest out as noise."""

from __future__ import annotations

from regionalize.model.method import Length, Method, Param

DENSITY: tuple[Method, ...] = (
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
