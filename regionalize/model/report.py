"""`Report`: what a run found, as plain numbers; how it looks is decided elsewhere."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fit:
    """Sums of squares on transformed data (`docs/formulas.md`).

    `wss_by_cluster` is in label order. ``bss = tss - wss``; ``ratio = bss / tss`` (None when tss is 0).
    `pseudo_f` weighs both by their degrees of freedom (None for one cluster, or without spread within);
    `mean_distance` is that of a unit to the mean of its cluster (None without any cluster).
    """

    tss: float
    wss: float
    bss: float
    ratio: float | None
    wss_by_cluster: tuple[float, ...]
    pseudo_f: float | None
    mean_distance: float | None


@dataclass(frozen=True)
class ClusterShape:
    """Fragmentation, joins, compactness and diameter of one cluster.

    `subclusters` counts its connected components (`subclusters / members` is the book's ratio); entropy
    and Simpson are over component sizes (None for a contiguous cluster); `neighbors` and `joins` are
    directed link counts. `ipq_*`, `diameter` are None when not measured (see `notes` of the report).
    """

    label: int
    members: int
    subclusters: int
    subcluster_ratio: float
    fraction: float
    entropy: float | None
    entropy_normalized: float | None
    simpson: float | None
    simpson_normalized: float | None
    smallest: int
    largest: int
    mean_size: float
    neighbors: int
    joins: int
    join_count_ratio: float | None
    area: float | None = None
    perimeter: float | None = None
    ipq_geoda: float | None = None
    ipq_dissolved: float | None = None
    diameter: int | None = None
    diameter_ratio: float | None = None


@dataclass(frozen=True)
class Fragmentation:
    """How a partition sits on the map.

    Entropy and Simpson are over cluster sizes, natural logarithm; the normalised forms are H / ln k and
    S k. `subclusters` sums the clusters' components; `contiguous` is True when it equals k.
    """

    contiguous: bool
    subclusters: int
    subcluster_ratio: float
    entropy: float
    entropy_normalized: float | None
    simpson: float
    simpson_normalized: float
    neighbors: int
    joins: int
    join_count_ratio: float | None
    clusters: tuple[ClusterShape, ...]
    weights: str

    def by_label(self, k: int) -> list[ClusterShape | None]:
        """Return the clusters 1 … k, None for one without units."""
        found = {cluster.label: cluster for cluster in self.clusters}
        return [found.get(label) for label in range(1, k + 1)]


@dataclass(frozen=True)
class Silhouettes:
    """How much nearer units are to their own cluster than to the next (`docs/formulas.md`).

    `by_cluster` is in label order, None for a cluster of which no unit was measured; `negative` counts
    units that are nearer to another cluster. `units` were measured, all of them unless `sampled`.
    """

    mean: float
    by_cluster: tuple[float | None, ...]
    negative: int
    negative_by_cluster: tuple[int, ...]
    units: int
    sampled: bool


@dataclass(frozen=True)
class Distances:
    """Distances of units to the median or medoid of their cluster (`docs/formulas.md`).

    `total` is to the median or medoid of all units, the least possible sum of a single one unless not
    `exact`; ``ratio = within / total`` (None when total is 0). Lists are in label order.
    """

    metric: str
    center: str
    total: float
    exact: bool
    within: float
    ratio: float | None
    within_by_cluster: tuple[float, ...]
    mean_by_cluster: tuple[float, ...]


Rows = tuple[tuple[float | None, ...], ...]
"""A row a cluster, a column a variable."""


@dataclass(frozen=True)
class Profiles:
    """Mean and standard deviation of every variable over each cluster, in original units (`docs/reports.md`).

    Rows are clusters in label order, columns variables. Standard deviations are those of a sample, with one
    less than the units as divisor: None for fewer than two units. `mean_of_all` and `sd_of_all` are over all
    units in clusters, and ``z = (mean - mean_of_all) / sd_of_all``, None for a constant variable. Whatever
    stands for a cluster elsewhere, these are means.
    """

    mean: Rows
    sd: Rows
    z: Rows
    mean_of_all: tuple[float | None, ...]
    sd_of_all: tuple[float | None, ...]

    def beside(self, other: Profiles) -> Profiles:
        """Return the profiles of the same clusters over these variables and, after them, the other's.

        Examples
        --------
        >>> one = Profiles(((1.0,),), ((0.5,),), ((0.0,),), (1.0,), (0.5,))
        >>> one.beside(one).mean, one.beside(one).sd_of_all
        (((1.0, 1.0),), (0.5, 0.5))
        """

        def joined(mine: Rows, theirs: Rows) -> Rows:
            return tuple(row + other for row, other in zip(mine, theirs, strict=True))

        return Profiles(
            joined(self.mean, other.mean),
            joined(self.sd, other.sd),
            joined(self.z, other.z),
            self.mean_of_all + other.mean_of_all,
            self.sd_of_all + other.sd_of_all,
        )


@dataclass(frozen=True)
class Report:
    """Everything the report of a run holds.

    Attributes
    ----------
    settings : dict
        Method and every option that differs from its default, and the seed.
    input : dict
        File, layer, rows, rows used.
    versions : dict
        Versions of what computed the answer.
    variables : tuple of str
        Attribute names, then coordinate names when they take part.
    sizes : tuple of int
        Members per cluster, label order.
    centers : tuple of tuple of float
        What stands for each cluster, in original units, one row per cluster, columns as `center_columns`.
    fit : Fit
        The headline: attributes alone under `--centroid-weight`, else every clustered variable.
    fit_attributes : Fit or None
        Over the unsmoothed attributes alone, when that differs from `fit`.
    fragmentation : Fragmentation or None
        None for a table without geometry.
    center : str
        What centres are: "mean", "median" or "medoid".
    noise : int
        Units that a method left outside of all clusters.
    r_squared : tuple of (float or None)
        Share of each variable's sum of squares that lies between clusters, as `center_columns`; None for a
        constant variable.
    silhouettes : Silhouettes or None
        Where they were asked for.
    extra : dict
        What only this method or option adds (trade-off curve, iterations, …).
    profiles : Profiles or None
        Means and standard deviations of the clusters, columns as `center_columns`.
    command : str
        The command line that repeats the run; empty where there is none, and with INPUT in the place of a
        layer that is no file.
    """

    settings: dict[str, Any]
    input: dict[str, Any]
    versions: dict[str, str]
    variables: tuple[str, ...]
    sizes: tuple[int, ...]
    center_columns: tuple[str, ...]
    centers: tuple[tuple[float, ...], ...]
    fit: Fit | None
    fit_attributes: Fit | None
    coordinate_share: float
    fragmentation: Fragmentation | None
    center: str = "mean"
    noise: int = 0
    r_squared: tuple[float | None, ...] = ()
    silhouettes: Silhouettes | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    profiles: Profiles | None = None
    command: str = ""

    @property
    def k(self) -> int:
        """Number of clusters."""
        return len(self.sizes)

    def to_dict(self) -> dict[str, Any]:
        """Return nested plain data, ready for JSON."""
        return asdict(self)
