"""What `--weights` may say, and what it is when nothing is said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

import shapely

from regionalize.errors import DataError, UsageError, counted, nearest
from regionalize.model.job import WEIGHTS_FILES
from regionalize.model.kinds import is_digits
from regionalize.model.layer import POLYGONAL, PUNCTUAL, Layer
from regionalize.model.length import parse_length

FORMS = "queen, rook, knn:6, distance:50km, kernel:gaussian:10, or a .gal, .gwt or .parquet file"
KINDS = ("queen", "rook", "knn", "distance", "kernel")
KERNELS = ("gaussian", "triangular", "uniform", "quadratic", "quartic")
KERNEL_SYNONYMS = {"epanechnikov": "quadratic", "biweight": "quartic"}
DEFAULT_NEIGHBORS = 6


@dataclass(frozen=True)
class WeightsSpec:
    """A parsed `--weights`.

    Attributes
    ----------
    kind : str
        ``"queen"``, ``"rook"``, ``"knn"``, ``"distance"``, ``"kernel"`` or ``"file"``.
    neighbors : int
        Of knn and kernel.
    distance : float
        Of a distance band, in `unit`.
    unit : str
        ``"m"``, ``"km"``, ``"mi"``, ``"ft"``, or ``""`` for the units of the layer's coordinates.
    function : str
        Of a kernel.
    path : str
        Of a weights file.
    """

    kind: str
    neighbors: int = 0
    distance: float = 0.0
    unit: str = ""
    function: str = ""
    path: str = ""

    @property
    def is_contiguity(self) -> bool:
        """Whether units are neighbours because they touch."""
        return self.kind in {"queen", "rook"}


def parse_spec(text: str) -> WeightsSpec:
    """Read the text of `--weights`.

    Raises
    ------
    UsageError
        When it is none of the accepted forms.

    Examples
    --------
    >>> parse_spec("knn:6").neighbors
    6
    >>> spec = parse_spec("distance:2.5 km")
    >>> spec.distance, spec.unit
    (2.5, 'km')
    >>> parse_spec("kernel:epanechnikov:10").function
    'quadratic'
    >>> parse_spec("roads.gal").kind
    'file'
    """
    text = text.strip()
    if PurePath(text).suffix.lower() in WEIGHTS_FILES:
        return WeightsSpec("file", path=text)
    kind, *rest = (part.strip().lower() for part in text.split(":"))
    match kind, rest:
        case (("queen" | "rook"), []):
            return WeightsSpec(kind)
        case "knn", [count]:
            return WeightsSpec(kind, neighbors=_count(count, text))
        case "distance", [length]:
            distance, unit = _length(length, text)
            return WeightsSpec(kind, distance=distance, unit=unit)
        case "kernel", [function, count]:
            function = KERNEL_SYNONYMS.get(function, function)
            if function not in KERNELS:
                raise _unknown(text, nearest(function, KERNELS) or f"kernels are {', '.join(KERNELS)};")
            return WeightsSpec(kind, neighbors=_count(count, text), function=function)
    raise _unknown(text, "" if kind in KINDS else nearest(kind, KINDS))


def default_spec(layer: Layer) -> str:
    """Return the weights a layer gets when nothing is said: queen for polygons, knn:6 for points.

    Raises
    ------
    DataError
        When the layer has neither (lines, mixed kinds, collections, no geometry at all).
    """
    return spec_for(layer.geometry_kinds if layer.has_geometry else {})


def spec_for(kinds: dict[str, int]) -> str:
    """Return the weights that kinds of geometry, counted over a whole layer, get when nothing is said.

    Raises
    ------
    DataError
        As `default_spec`.

    Examples
    --------
    >>> spec_for({"Polygon": 20, "MultiPolygon": 1}), spec_for({"Point": 4})
    ('queen', 'knn:3')
    """
    if not kinds:
        raise no_places()
    if kinds.keys() <= POLYGONAL:
        return "queen"
    if kinds.keys() <= PUNCTUAL:
        return f"knn:{max(1, min(DEFAULT_NEIGHBORS, sum(kinds.values()) - 1))}"
    raise DataError(
        f"no weights go without saying for {described(kinds)}",
        advice=f"say how neighbours are found, such as --weights knn:{DEFAULT_NEIGHBORS}",
    )


def no_places() -> DataError:
    """Say that no row lies anywhere, and what to do."""
    return DataError(
        "no row has a geometry, so nobody has neighbours", advice="give a weights file: --weights FILE.gal"
    )


def too_few_places(k: int, units: int) -> DataError:
    """Say that there are not k neighbours for every unit, and what to do.

    Examples
    --------
    >>> print(too_few_places(6, 4))
    6 neighbours each cannot be found among 4 units; use at most 3
    """
    return DataError(
        f"{counted(k, 'neighbour')} each cannot be found among {counted(units, 'unit')}",
        advice=f"use at most {units - 1}" if units > 1 else "add rows",
    )


def described(kinds: dict[str, int]) -> str:
    """Write counted geometry kinds for a message.

    Examples
    --------
    >>> described({"LineString": 2, "Polygon": 1})
    '2 LineString and 1 Polygon'
    """
    return " and ".join(f"{count} {kind}" for kind, count in kinds.items())


def refuse_contiguity(layer: Layer, kind: str) -> None:
    """Raise a `DataError` when units are not areas, and so cannot share borders."""
    kinds = layer.geometry_kinds if layer.has_geometry else {}
    others = {name: count for name, count in kinds.items() if name not in POLYGONAL}
    collections = (
        shapely.get_type_id(layer.geometry) == shapely.GeometryType.GEOMETRYCOLLECTION if others else None
    )
    if collections is not None and (shapely.get_dimensions(layer.geometry[collections]) == 2).all():
        others.pop("GeometryCollection", None)
    if others:
        raise DataError(
            f"{kind} weights need polygons, and here are {described(others)}",
            advice=f"use --weights knn:{DEFAULT_NEIGHBORS} or a distance such as --weights distance:50km",
        )


def _unknown(text: str, hint: str = "") -> UsageError:
    return UsageError(
        f"'{text}' is not a way to make weights", advice=" ".join(filter(None, (hint, f"use {FORMS}")))
    )


def _count(digits: str, text: str) -> int:
    if not is_digits(digits) or int(digits) < 1:
        raise _unknown(text, f"'{digits}' is not a number of neighbours, 1 or more;")
    return int(digits)


def _length(length: str, text: str) -> tuple[float, str]:
    try:
        return parse_length(length)
    except ValueError as error:
        raise _unknown(text, f"{error};") from None
