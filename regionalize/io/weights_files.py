"""Weights files: `.gal` and `.gwt` as GeoDa and libpysal write them, and Parquet."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, OutputError, UsageError, listed, located, nearest
from regionalize.io.parquet_metadata import schema_of
from regionalize.io.weights_ids import IdMatcher, counts_from_zero, repeated
from regionalize.io.weights_text import Entries, first_line, parse_gal, parse_gwt, unreadable, weight
from regionalize.model.job import WEIGHTS_FILES
from regionalize.model.weights import Weights

Ids = NDArray[np.object_]
IntArray = NDArray[np.int64]

ONE_SIDED = 4
"""Links that are named of those not returned."""
NO_NAME = frozenset({"unknown", ""})
"""What writers put in the header when they do not know the id variable."""


def weights_file_id(path: str | Path) -> str | None:
    """Return the name of the id variable in a weights file's header, if it has one.

    Raises
    ------
    DataError
        When the file cannot be read.
    """
    path = Path(path)
    with located(str(path)):
        if weights_suffix(path) == ".parquet":
            return parquet_about(_parquet_schema(path)).get("id")
        header = first_line(path)
        return header[3] if len(header) == 4 and header[3].lower() not in NO_NAME else None


def read_weights(path: str | Path, ids: Ids) -> Weights:
    """Read weights and match them to rows by id, never by order.

    Parameters
    ----------
    path : path
        ``.gal``, ``.gwt`` or ``.parquet``.
    ids : (n,) array of str
        Id of each row. ``17031`` and ``17031.0`` are one id. Where these are row numbers 1 … n and the file,
        as libpysal writes it, numbers rows from 0 without naming an id variable, that is understood and
        noted.

    Returns
    -------
    Weights
        Values as in the file (GeoDa writes distances into a `.gwt` of nearest neighbours); ones for `.gal`.
        Its notes tell of asymmetric links in a `.gal`, of units without a line in a `.gwt`, of links of a
        unit to itself, which are left out.

    Raises
    ------
    DataError
        For an unknown id, a row without an entry (`.gal`), a repeated entry or link, a negative, wrong or
        unreadable count or weight, a truncated file, a number of units other than n: with the line.
    """
    path = Path(path)
    with located(str(path)):
        suffix = weights_suffix(path)
        parsers: dict[str, Callable[[Path], Entries]] = {
            ".gal": parse_gal,
            ".gwt": parse_gwt,
            ".parquet": _parse_parquet,
        }
        entries = parsers[suffix](path)
        n = len(ids)
        if entries.declared is not None and entries.declared != n:
            raise DataError(
                f"the file is for {entries.declared} units and the layer has {n} rows",
                advice="use the weights made for this layer",
                row=1,
            )
        notes = []
        matcher = IdMatcher(ids)
        if weights_file_id(path) is None and counts_from_zero(
            ids, (*entries.heads, *entries.focal, *entries.neighbor)
        ):
            matcher.by_text = {str(row): row for row in range(n)}
            notes.append(f"the file numbers rows from 0 to {n - 1}, and was matched by row number")
        heads = _rows(matcher, entries.heads, entries.head_lines)
        row = _rows(matcher, entries.focal, entries.lines)
        neighbor = _rows(matcher, entries.neighbor, entries.lines)
        again = _first_repeat(heads)
        if again is not None:
            raise DataError(
                f"the entry of '{entries.heads[again]}' is there twice",
                advice="keep one",
                row=entries.head_lines[again],
            )
        again = _first_repeat(row * n + neighbor)
        if again is not None:
            raise DataError(
                f"the link from '{entries.focal[again]}' to '{entries.neighbor[again]}' is there twice",
                advice="keep one",
                row=entries.lines[again],
            )
        missing = np.setdiff1d(np.arange(n), np.concatenate([heads, row]))
        if len(missing) and suffix != ".gwt":
            raise DataError(
                f"{len(missing)} of {n} rows have no entry: {listed(ids[missing])}",
                advice="use the weights made for this layer",
            )
        if len(missing):
            notes.append(
                f"{len(missing)} units have no line in the file and so no neighbours: {listed(ids[missing])}"
            )
        itself = row == neighbor
        own = itself & (
            np.array(entries.values) != 0
        )  # weight 0 is how libpysal writes a unit without neighbours
        if own.any():
            notes.append(f"{int(own.sum())} links of a unit to itself were left out: {listed(ids[row[own]])}")
        weights = Weights.from_links(
            n, row, neighbor, np.array(entries.values, dtype=np.float64), kind=path.name
        )
        if suffix == ".gal" and not weights.is_symmetric:
            notes.append(_asymmetric(weights, ids))
        return Weights(weights.indptr, weights.indices, weights.values, weights.kind, tuple(notes))


def write_weights(weights: Weights, path: str | Path, ids: Ids, id_name: str) -> tuple[str, ...]:
    """Write weights to exactly this path, in the format of its extension.

    Parameters
    ----------
    weights : Weights
    path : path
        ``.gal`` (neighbours only), ``.gwt`` (links with values) or ``.parquet`` (columns focal, neighbor,
        weight; `libpysal.graph.read_parquet` reads it).
    ids : (n,) array of str
        Id of each row, all different.
    id_name : str
        Name of the id variable.

    Returns
    -------
    tuple of str
        What the format could not hold.

    Raises
    ------
    OutputError
        When ids repeat or cannot be written.
    """
    path = Path(path)
    suffix = weights_suffix(path)
    if len(set(ids.tolist())) < len(ids):
        raise OutputError(
            f"ids repeat: {listed(repeated(ids))}",
            advice="choose another --id",
            column=id_name,
        )
    if suffix == ".parquet":
        _write_parquet(weights, path, ids, id_name)
        return ()
    bad = [name for name in ids if not name or '"' in name or "\n" in name or "\r" in name]
    if bad:
        raise OutputError(
            f"{len(bad)} ids are empty or hold quotes or line breaks: {listed(map(repr, bad))}",
            advice="choose another --id or write .parquet",
            column=id_name,
        )
    written = np.array([_quoted(name) for name in ids], dtype=object)
    notes = []
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"0 {len(weights)} {_quoted(path.stem or 'layer')} {_quoted(id_name or 'Unknown')}\n")
        if suffix == ".gal":
            for i, name in enumerate(written):
                around = written[weights.indices[weights.indptr[i] : weights.indptr[i + 1]]]
                file.write(f"{name} {len(around)}\n{' '.join(around)}\n")
            if (weights.values != 1).any():
                notes.append(".gal files hold neighbours only: the weights' values were left out")
        else:
            links = zip(written[weights.row], written[weights.indices], weights.values.tolist(), strict=True)
            file.writelines(f"{i} {j} {value!r}\n" for i, j, value in links)
            alone = ids[weights.degree == 0]
            if len(alone):
                notes.append(f".gwt files have no line for a unit without neighbours: {listed(alone)}")
    return tuple(notes)


def weights_suffix(path: Path) -> str:
    """Return the extension of a weights file, in lower case, or refuse another."""
    suffix = path.suffix.lower()
    if suffix not in WEIGHTS_FILES:
        raise UsageError(
            f"'{path.name}' is not a weights file",
            advice=nearest(suffix, WEIGHTS_FILES) or f"use {', '.join(WEIGHTS_FILES)}",
        )
    return suffix


def _quoted(name: str) -> str:
    return f'"{name}"' if re.search(r"\s", name) else name


@contextmanager
def parquet_faults() -> Iterator[None]:
    """Say in a line why a file cannot be read."""
    import pyarrow as pa

    try:
        yield
    except OSError as error:
        raise unreadable(error) from None
    except (pa.ArrowException, UnicodeDecodeError) as error:
        reason = f"this is no whole Parquet file ({str(error).splitlines()[0]})"
        raise DataError(reason, advice="write it again") from None


def refuse_columns(names: Iterable[str]) -> None:
    """Refuse a table without the columns of weights."""
    names = list(names)
    lost = [name for name in ("focal", "neighbor", "weight") if names.count(name) != 1]
    if lost:
        raise DataError(
            f"there is no column {listed(lost)}, or there are several",
            advice="weights have columns focal, neighbor, weight",
        )


def _read_parquet(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet

    with parquet_faults():
        table = pa.parquet.read_table(path)
        table.validate(full=True)  # text that is not UTF-8, above all
    refuse_columns(table.column_names)
    return table


def _parquet_schema(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet

    with parquet_faults(), pa.parquet.ParquetFile(path) as file:
        schema = schema_of(file)
    refuse_columns(schema.names)
    return schema


def parquet_about(schema: Any) -> dict[str, Any]:
    """Return what this program has written into the head of a file: `id`, `n` and `kind`.

    Raises
    ------
    DataError
        If it is something else.
    """
    try:
        about = json.loads((schema.metadata or {}).get(b"regionalize", b"{}"))
    except (ValueError, RecursionError):
        about = None
    if (
        not isinstance(about, dict)
        or not isinstance(about.get("id"), str | None)
        or type(about.get("n", 0)) is not int
    ):
        raise DataError("what its head says of the weights cannot be understood", advice="write it again")
    return about


def _parse_parquet(path: Path) -> Entries:
    """Read links; a unit without neighbours has one to itself of weight 0."""
    table = _read_parquet(path)
    for name in ("focal", "neighbor", "weight"):
        if table[name].null_count:
            reason = f"{table[name].null_count} values are missing"
            raise DataError(reason, advice="write the file again", column=name)
    focal, neighbor = ([str(value) for value in table[name].to_pylist()] for name in ("focal", "neighbor"))
    values = [weight(str(value), row) for row, value in enumerate(table["weight"].to_pylist(), start=1)]
    lines = list(range(1, len(focal) + 1))
    return Entries(parquet_about(table.schema).get("n"), focal, neighbor, values, lines)


def _write_parquet(weights: Weights, path: Path, ids: Ids, id_name: str) -> None:
    """Write the adjacency in the form of a frame indexed by focal and neighbor, as libpysal does."""
    import pyarrow as pa
    import pyarrow.parquet

    alone = np.flatnonzero(weights.degree == 0)
    row, neighbor = np.concatenate([weights.row, alone]), np.concatenate([weights.indices, alone])
    values = np.concatenate([weights.values, np.zeros(len(alone))])
    order = np.argsort(row, kind="stable")
    whole = all(re.fullmatch(r"0|-?[1-9][0-9]{0,17}", name) for name in ids)
    names = (
        pa.array([int(name) for name in ids]) if whole and len(ids) else pa.array(ids.tolist(), pa.string())
    )
    columns = {
        "weight": pa.array(values[order]),
        "focal": names.take(row[order]),
        "neighbor": names.take(neighbor[order]),
    }
    kinds = {
        "weight": "float64",
        "focal": "int64" if whole else "unicode",
        "neighbor": "int64" if whole else "unicode",
    }
    pandas_view = {
        "index_columns": ["focal", "neighbor"],
        "column_indexes": [],
        "columns": [
            {
                "name": name,
                "field_name": name,
                "pandas_type": kind,
                "numpy_type": kind.replace("unicode", "object"),
                "metadata": None,
            }
            for name, kind in kinds.items()
        ],
        "pandas_version": "2.0.0",
    }
    about = {"id": id_name or None, "n": len(weights), "kind": weights.kind}
    metadata = {
        "pandas": json.dumps(pandas_view),
        "libpysal": json.dumps({"transformation": "O", "version": "4.10"}),
        "regionalize": json.dumps(about),
    }
    pa.parquet.write_table(pa.table(columns).replace_schema_metadata(metadata), path)


def _rows(matcher: IdMatcher, names: list[str], lines: list[int]) -> IntArray:
    return np.array([matcher.row(*one) for one in zip(names, lines, strict=True)], dtype=np.int64)


def _first_repeat(keys: IntArray) -> int | None:
    """Return the place of the first key that was there before."""
    order = np.argsort(keys, kind="stable")
    again = order[1:][keys[order[1:]] == keys[order[:-1]]]
    return int(again.min()) if len(again) else None


def _asymmetric(weights: Weights, ids: Ids) -> str:
    """Name the links that are not returned."""
    n = len(weights)
    there, back = weights.row * n + weights.indices, weights.indices * n + weights.row
    alone = np.flatnonzero(~np.isin(there, back))
    links = [f"{ids[weights.row[link]]} to {ids[weights.indices[link]]}" for link in alone[:ONE_SIDED]]
    return one_sided_note(len(alone), links)


def one_sided_note(count: int, links: list[str]) -> str:
    """Say how many links are not returned, and name the first.

    Examples
    --------
    >>> one_sided_note(6, ["1 to 2", "1 to 7", "3 to 1", "4 to 5"])
    '6 links are not returned by the neighbour: 1 to 2, 1 to 7, 3 to 1, 4 to 5 and 2 more'
    """
    one = "1 link is" if count == 1 else f"{count} links are"
    more = f" and {count - len(links)} more" if count > len(links) else ""
    return f"{one} not returned by the neighbour: {', '.join(links)}{more}"
