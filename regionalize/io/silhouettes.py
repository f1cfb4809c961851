"""Silhouettes out: a row per unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from regionalize.io.documents import csv_text


def write_silhouettes(path: Path, names: Iterable[str], columns: Mapping[str, Sequence[Any]]) -> None:
    """Write a CSV row per unit: its name under ``id``, then the columns, numbers in full precision.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = Path(folder) / "silhouettes.csv"
    ...     write_silhouettes(out, ["Bibb"], {"cluster": [1], "silhouette": [0.25], "nearest": [2]})
    ...     print(out.read_text().strip())
    id,cluster,silhouette,nearest
    Bibb,1,0.25,2
    """
    rows = zip(names, *columns.values(), strict=True)
    path.write_text(csv_text(["id", *columns], rows), encoding="utf-8", newline="")
