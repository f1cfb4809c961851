"""Turn what GDAL says of a file or a filter into an error for the person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from regionalize.errors import DataError, listed, nearest, quoted
from regionalize.io import damage, gdal
from regionalize.io.source import Source
from regionalize.io.systems import not_understood

_BROKEN = ("malformed", "I/O", "disk image", "corrupt", "not a database")
_SQL_WORDS = frozenset(
    {
        "and",
        "or",
        "not",
        "in",
        "is",
        "null",
        "like",
        "ilike",
        "between",
        "cast",
        "as",
        "escape",
        "true",
        "false",
        "case",
        "when",
        "then",
        "else",
        "end",
        "exists",
        "glob",
        "select",
        "from",
        "where",
        "integer",
        "float",
        "character",
        "numeric",
        "text",
        "real",
        "date",
        "time",
        "timestamp",
        "fid",
        "ogr_geometry",
        "ogr_geom_area",
        "ogr_style",
        "abs",
        "length",
        "lower",
        "upper",
        "round",
        "substr",
        "trim",
        "coalesce",
        "min",
        "max",
    }
)
"""Words of a filter that are not columns."""


@contextmanager
def understood(source: Source, where: str | None, layer: str | None = None) -> Iterator[None]:
    """Turn what pyogrio raises into an error for the person."""
    from pyogrio.errors import CRSError, DataLayerError, DataSourceError, FeatureError, GeometryError

    try:
        yield
    except CRSError as error:
        raise not_understood(_reason(error), source.format) from error
    except (FeatureError, GeometryError) as error:
        raise DataError(f"the file is damaged: {_reason(error)}", advice=damage.AGAIN) from error
    except DataLayerError as error:
        raise DataError(_reason(error), advice="name another layer with --layer") from error
    except DataSourceError as error:
        reason = _reason(error)
        if "not recognized" in reason or "does not exist" in reason:
            raise DataError(
                "is not a vector layer", advice="name a shapefile, GeoPackage, GeoJSON or the like"
            ) from error
        advice = "close the program that writes to it" if "is locked" in reason else damage.AGAIN
        raise DataError(f"cannot be read: {reason}", advice=advice) from error
    except UnicodeDecodeError:
        raise
    except (ValueError, OSError) as error:
        reason = _reason(error)
        if where is None or any(mark in reason for mark in _BROKEN):
            raise DataError(f"the file is damaged: {reason}", advice=damage.AGAIN) from error
        raise where_error(where, reason, _columns(source, layer)) from error
    except UnboundLocalError as error:  # of pyogrio, where a reference system is not UTF-8
        raise not_understood("it is not UTF-8", source.format) from error
    except IndexError as error:  # pyogrio takes the first of no layers
        raise DataError("holds no layer", advice="name another file") from error
    except MemoryError:  # what GDAL also says where rows of a damaged database are not where they should be
        if source.format == "GeoPackage" and not source.member:
            with damage.database(source) as connection:
                damage.check_pages(connection, "memory does not suffice for its rows")
        raise
    except SystemError as error:  # an Arrow array pyarrow cannot make sense of
        raise DataError("cannot be read: its content is damaged", advice=damage.AGAIN) from error


def _columns(source: Source, layer: str | None) -> list[str]:
    import pyogrio

    try:
        with gdal.quiet():
            return [str(name) for name in pyogrio.read_info(source.dataset, layer=layer)["fields"]]
    except Exception:  # only to make advice better
        return []


def refuse_no_rows(rows: int, where: str | None) -> None:
    """Refuse a layer, or a selection from one, that has no rows.

    Raises
    ------
    DataError
    """
    if not rows and where is not None:
        raise DataError(f"no row satisfies --where {quoted(where)}", advice="check names and values")
    if not rows:
        raise DataError("the layer is empty (0 rows)", advice="name another file or layer")


def where_error(where: str, reason: str, columns: list[str]) -> DataError:
    """Say why a filter cannot be used, naming the nearest column to an unknown word."""
    bare = re.sub(r"'(?:[^']|'')*'", " ", where)
    words = [quoted or word for quoted, word in re.findall(r'"([^"]+)"|([^\W\d]\w*)', bare)]
    lower = {name.lower() for name in columns}
    unknown = [word for word in words if word.lower() not in lower | _SQL_WORDS] if columns else []
    if unknown:
        reason = f"there is no column '{unknown[0]}'"
        advice = nearest(unknown[0], columns) or f"columns are {listed(columns)}"
        if re.search(rf"(?:[=<>(,]|\blike)\s*{re.escape(unknown[0])}\b", bare, re.IGNORECASE):
            advice = f"text goes in single quotes: '{unknown[0]}'"
    else:
        reason = "it is not a valid expression" if "Invalid SQL" in reason else reason
        advice = """write it like: pop > 1000 AND state = 'CE'"""
    return DataError(f"--where {quoted(where)} cannot be used: {reason}", advice=advice)


def _reason(error: Exception) -> str:
    """Put on one line, without SQLite's query, and once what it says twice."""
    text = re.sub(r"^sqlite3_\w+\(.*\) failed: ", "", " ".join(str(error).split())).replace(gdal.AS_IT_IS, "")
    return "; ".join(dict.fromkeys(text.rstrip(".").split("; ")))
