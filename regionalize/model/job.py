"""`Job`: everything that changes the answer, and `Outputs`: everything that is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from regionalize.errors import UsageError, nearest
from regionalize.model.record import record_file
from regionalize.model.style import style_file

DEFAULT_SEED = 123456789
"""The seed GeoDa ships with, so that users who compare start from the same habit."""

WEIGHTS_FILES = (".gal", ".gwt", ".parquet")
"""Endings of weights files."""

CHOICES = {
    "missing": ("error", "drop", "mean", "median"),
    "transform": ("z", "mad", "range-standardize", "range-adjust", "demean", "robust", "raw"),
    "centroid_scale": ("axis", "isotropic"),
    "smooth_mode": ("mean", "sum", "idw", "gaussian"),
    "dtype": ("float64", "float32"),
    "islands": ("keep", "nearest", "error"),
    "engine": ("local", "dask"),
}
"""Options of a job that take one of a few words."""

SOURCE = ("layer", "where", "id", "encoding")
"""Options of a job that say how a layer is read."""
BOUNDS = ("min_size", "max_size", "min_bound", "max_bound")
"""Options of a job that bound what regions hold."""

BY_DISTANCE = frozenset({"idw", "gaussian"})
"""Ways to smooth that go by how far neighbours are, and so need to know where units lie."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run, complete: two equal jobs on the same layer give the same labels.

    Names and meanings are those of the command line (``docs/cli.md``); values are already parsed.
    """

    method: str = "kmeans"
    k: int | None = None
    # source
    layer: str | None = None
    where: str | None = None
    id: str | None = None
    columns: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    missing: str = "error"
    encoding: str | None = None
    # features
    transform: str = "z"
    embed: str | None = None  # "pca:8", "trend" or "season:12"
    column_weights: tuple[tuple[str, float], ...] = ()
    with_centroids: bool = False
    centroid_weight: float | str | None = None
    centroid_scale: str = "axis"
    project: str = "auto"
    hops: int = 0
    alpha: float = 0.5
    smooth_mode: str = "mean"
    dtype: str = "float64"
    # weights
    weights: str | None = None
    snap: float = 0.0
    islands: str = "keep"
    # bounds: a number, or a share of the column's total such as "10%"
    min_size: int | None = None
    max_size: int | None = None
    min_bound: tuple[str, float | str] | None = None
    max_bound: tuple[str, float | str] | None = None
    # contiguous regions
    within: str | None = None
    compactness: float = 0.0
    locked: str | None = None
    make_contiguous: bool = False
    levels: tuple[int, ...] = ()  # numbers of regions coarser than k, rising
    # large data: of methods that are `large`
    batch_size: int | None = None
    warm_start: int = 25_600
    test_share: float = 0.0
    sample: str | None = None  # a number of rows, or a share such as "1%"
    engine: str = "local"
    scheduler: str | None = None
    # run
    seed: int = DEFAULT_SEED
    jobs: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> tuple[str, ...]:
        """The files read besides the layer, which no output may replace."""
        named = (self.weights_file, self.params.get("distances"))
        return tuple(file for file in named if file is not None)

    @property
    def weights_file(self) -> str | None:
        """The file `weights` names, None when it is a way to build them."""
        named = self.weights is not None and self.weights.lower().endswith(WEIGHTS_FILES)
        return self.weights if named else None

    def settings(self) -> dict[str, Any]:
        """Return what differs from the defaults, ready for JSON, in the order of the fields."""
        chosen: dict[str, Any] = {
            "method": self.method,
            **({} if self.k is None else {"k": self.k}),
            "seed": self.seed,
            "transform": self.transform,
        }
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name not in {*chosen, "jobs", "params"} and value != item.default:
                chosen[item.name] = dict(value) if item.name == "column_weights" else value
        chosen.update({name: value for name, value in self.params.items() if value is not None})
        return chosen


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Where the results of a run go; nothing here changes the answer."""

    output: Path | None = None
    output_layer: str | None = None
    label_column: str = "cluster"
    overwrite: bool = False
    map: Path | None = None
    dissolve_lines: bool = False
    report: Path | None = None
    centers: Path | None = None
    save_tree: Path | None = None
    save_links: Path | None = None
    dendrogram: Path | None = None
    truncate: int | None = None
    save_linkage: Path | None = field(default=None, metadata={"typed": "linkage"})
    outliers: Path | None = None
    dissolve: Path | None = None
    aggregate: tuple[tuple[str, str], ...] = ()
    qml: bool = False
    plot: Path | None = None
    axes: str | None = None
    parallel: Path | None = None
    profile: Path | None = None
    time_columns: tuple[str, ...] = ()
    silhouettes: Path | None = None

    @property
    def draws_map(self) -> bool:
        """Whether clusters are drawn on a map: by itself, or on the page of a report."""
        return self.map is not None or (self.report is not None and self.report.suffix.lower() == ".html")

    def paths(self) -> dict[str, Path]:
        """Return the files asked for, by option as it is typed without the dashes."""
        named = {
            item.metadata.get("typed", item.name.replace("_", "-")): getattr(self, item.name)
            for item in fields(self)
        }
        paths = {name: value for name, value in named.items() if isinstance(value, Path)}
        layers = {"qml": self.output, "dissolve --qml": self.dissolve} if self.qml else {}
        paths |= {name: style_file(layer) for name, layer in layers.items() if layer is not None}
        beside = {"settings": self.output, "settings of --dissolve": self.dissolve}
        records = {name: record_file(layer) for name, layer in beside.items() if layer is not None}
        return paths | {name: file for name, file in records.items() if file is not None}


JOB_OPTIONS = tuple(item.name for item in fields(Job) if item.name not in {"params", "levels"})
OUTPUT_OPTIONS = tuple(item.name for item in fields(Outputs))


def check_option_names(given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Refuse an unknown option by name, suggesting the nearest."""
    for name in given:
        if name not in known:
            raise UsageError(f"unknown option '{name}'", advice=nearest(name, known))
