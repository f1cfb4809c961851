"""Silhouettes out: a row per unit."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any


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
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", *columns])
        writer.writerows(zip(names, *columns.values(), strict=True))
