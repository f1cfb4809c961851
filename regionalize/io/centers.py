"""Cluster centres as CSV: written by a run, read to find the nearest for new rows."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, get_args

import numpy as np

from regionalize.errors import DataError, OutputError, located
from regionalize.io.atomic import replacing
from regionalize.model.centers import SETTINGS, Centers, Recipe, Variable
from regionalize.model.method import Metric

SIZE = "size"
_LONGEST_FIELD = 1 << 27
"""Characters of one field: the settings hold a number per cluster and variable where rows were smoothed."""


def write_centers(
    path: str | Path, centers: Centers, *, label_column: str = "cluster", overwrite: bool = False
) -> None:
    """Write cluster centres as CSV: label, size, then the variables in full precision.

    What new rows need to be compared with them, their recipe, is JSON in the first row of one more column.

    Parameters
    ----------
    path : path
        Output.
    centers : Centers
        NaN is written as an empty field.
    label_column : str
        Header of the first column.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    OutputError
        If the file exists already or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> one = Centers(np.array([1]), ("pop", "area"), np.array([[0.1 + 0.2, 2.0]]), np.array([7]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = Path(folder) / "centers.csv"
    ...     write_centers(out, one)
    ...     print(out.read_text().strip())
    cluster,size,pop,area
    1,7,0.30000000000000004,2.0
    """
    if Path(path).exists() and not overwrite:
        raise OutputError("already exists", file=str(path), advice="use --overwrite to replace it")
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        settings = [] if centers.recipe is None else [settings_text(centers.recipe)]
        writer.writerow([label_column, SIZE, *centers.names, *([SETTINGS] if settings else [])])
        rows = zip(centers.numbers.tolist(), centers.sizes.tolist(), centers.values.tolist(), strict=True)
        for number, size, center in rows:
            values = ["" if math.isnan(value) else repr(value) for value in center]
            writer.writerow([number, size, *values, *settings])
            settings = [""] * len(settings)


def settings_text(recipe: Recipe) -> str:
    """Write a recipe as JSON, infinite scales as null."""
    document = asdict(recipe)
    for group in ("variables", "coordinates"):
        for variable in document[group]:
            if math.isinf(variable["scale"]):
                variable["scale"] = None
            if variable["centers"] is None:
                del variable["centers"]
    return json.dumps(document, ensure_ascii=False)


def read_centers(path: str | Path) -> Centers:
    r"""Read cluster centres: what `write_centers` wrote, or a table made by hand.

    The first column numbers the clusters, a column ``size`` beside it is their size, and the others are
    variables in original units, but for one that is called ``settings`` and holds JSON in one of its cells.

    Parameters
    ----------
    path : path
        CSV, comma-separated, UTF-8.

    Raises
    ------
    DataError
        With the file, the column and the row that cannot be understood.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "centers.csv"
    ...     _ = file.write_text("cluster,pop\n2,50.0\n1,10\n")
    ...     found = read_centers(file)
    >>> found.numbers.tolist(), found.names, found.values.tolist(), found.recipe
    ([2, 1], ('pop',), [[50.0], [10.0]], None)
    """
    with located(str(path)):
        head, rows = _table(Path(path))
        texts = [row.pop(head.index(SETTINGS)) for row in rows] if _has_settings(head, rows) else []
        if texts:
            head.remove(SETTINGS)
        first = 2 if head[1:2] == [SIZE] else 1
        names = head[first:]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice or not names:
            raise DataError(
                f"has two columns '{twice[0]}'" if twice else "has no column of a variable",
                advice="the first column numbers the clusters, the others are variables",
            )
        numbers = [_whole(row[0], head[0], at, least=1) for at, row in enumerate(rows, 1)]
        seen: set[int] = set()
        for at, number in enumerate(numbers, 1):
            if number in seen:
                raise DataError(f"has cluster {number} twice", column=head[0], row=at)
            seen.add(number)
        sizes = [
            _whole(row[1], SIZE, at, least=0) if first == 2 and row[1].strip() else 0
            for at, row in enumerate(rows, 1)
        ]
        values = [
            [_real(cell, name, at) for cell, name in zip(row[first:], names, strict=True)]
            for at, row in enumerate(rows, 1)
        ]
        recipe = _recipe([text for text in texts if text.strip()], names, max(numbers)) if texts else None
        return Centers(
            np.array(numbers, dtype=np.int64),
            tuple(names),
            np.array(values, dtype=np.float64),
            np.array(sizes, dtype=np.int64),
            recipe,
        )


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows, all of one length, blank lines passed over."""
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [line for line in csv.reader(file, strict=True) if any(cell.strip() for cell in line)]
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", advice="name a file of centres") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"is not CSV in UTF-8: {error}", advice="write it with --centers, or save it as CSV UTF-8"
        ) from None
    finally:
        csv.field_size_limit(before)
    if len(lines) < 2:
        raise DataError("holds no centres", advice="give a header and a row per cluster")
    head, rows = [name.strip() for name in lines[0]], lines[1:]
    if len(head) == 1 and ";" in head[0]:
        raise DataError("is separated by semicolons", advice="save it with commas")
    for at, row in enumerate(rows, 1):
        if len(row) != len(head):
            raise DataError(f"has {len(row)} fields, and the header has {len(head)}", row=at)
    return head, rows


def _has_settings(head: list[str], rows: list[list[str]]) -> bool:
    return SETTINGS in head and any(row[head.index(SETTINGS)].lstrip().startswith("{") for row in rows)


def _whole(text: str, column: str, row: int, *, least: int) -> int:
    number = _real(text, column, row)
    if not number.is_integer() or not least <= number < 2**31:
        raise DataError(
            f"'{text}' is no whole number of at least {least}",
            column=column,
            row=row,
            advice="the first column numbers the clusters",
        )
    return int(number)


def _real(text: str, column: str, row: int) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        what = f"'{text}' is no number" if text.strip() else "the centre is missing"
        raise DataError(
            what, column=column, row=row, advice="give every centre a number, or leave out its row"
        )
    return number


_KINDS: dict[str, tuple[type, ...]] = {
    "method": (str,),
    "transform": (str,),
    "attributes_only": (bool,),
    "hops": (int,),
    "alpha": (int, float),
    "smooth_mode": (str,),
    "weights": (str, type(None)),
    "agreement": (int, float),
    "mean_distance": (int, float),
    "farthest": (int, float),
}
"""What the settings hold beside variables, and what is refused in words of its own."""


def _recipe(texts: list[str], names: list[str], clusters: int) -> Recipe:
    """Read the settings, and make sure that the file has all they speak of."""
    advice = "write the centres again with --centers, or remove the column"
    if len(texts) > 1:
        raise DataError("is filled in several rows", column=SETTINGS, advice=advice)
    try:
        given: dict[str, Any] = json.loads(texts[0])
        given["variables"] = tuple(_variable(one) for one in given["variables"])
        given["coordinates"] = tuple(_variable(one) for one in given["coordinates"])
        recipe = Recipe(**given)
        for name, kind in _KINDS.items():
            if type(found := getattr(recipe, name)) not in kind:
                raise ValueError(f"{name} is {shortened(found)}")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise DataError(f"cannot be understood: {error}", column=SETTINGS, advice=advice) from None
    if recipe.distance not in get_args(Metric) or len(recipe.coordinates) not in {0, 2}:
        raise DataError(f"tells of distance '{recipe.distance}'", column=SETTINGS, advice=advice)
    for variable in recipe.columns:
        if variable.centers is None and variable.name not in names:
            raise DataError(
                f"tells of a variable '{variable.name}', which is no column", column=SETTINGS, advice=advice
            )
        if variable.centers is not None and len(variable.centers) < clusters:
            raise DataError(f"has no centre of cluster {clusters}", column=SETTINGS, advice=advice)
    if recipe.crs is not None and not _known_system(recipe.crs):
        raise DataError(
            f"tells of an unknown coordinate reference system '{recipe.crs}'", column=SETTINGS, advice=advice
        )
    used = {variable.name for variable in recipe.columns}
    strange = [name for name in names if name not in used]
    if strange:
        raise DataError(
            "is not among the variables of the settings", column=strange[0], advice="remove the column"
        )
    return recipe


def _known_system(crs: Any) -> bool:
    import pyproj

    if not isinstance(crs, str):
        return False
    try:
        pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        return False
    return True


def _variable(given: dict[str, Any]) -> Variable:
    scale = math.inf if given["scale"] is None else float(given["scale"])
    offset, weight = float(given["offset"]), float(given["weight"])
    if not (math.isfinite(offset) and scale > 0 and 0 <= weight < math.inf):
        raise ValueError(f"the scale of '{given['name']}' is none")
    centers = given.get("centers")
    if centers is not None:
        centers = tuple(float(center) for center in centers)
        if not all(map(math.isfinite, centers)):
            raise ValueError(f"a centre of '{given['name']}' is missing")
    return Variable(str(given["name"]), offset, scale, weight, centers)
