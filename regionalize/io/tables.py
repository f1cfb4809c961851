"""Small tables out: cluster centres."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from regionalize.errors import OutputError
from regionalize.io.atomic import replacing


def write_centers(
    path: str | Path,
    columns: Sequence[str],
    rows: Sequence[Sequence[float]],
    *,
    sizes: Sequence[int],
    label_column: str = "cluster",
    overwrite: bool = False,
) -> None:
    """Write cluster centres as CSV: label, size, then the variables in full precision.

    Parameters
    ----------
    path : path
        Output.
    columns : sequence of str
        Names of the p variables.
    rows : sequence of sequences of float, (k, p)
        Centres in original units, cluster 1 first. NaN is written as an empty field.
    sizes : sequence of int, (k,)
        Members per cluster.
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
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = Path(folder) / "centers.csv"
    ...     write_centers(out, ["pop", "area"], [[0.1 + 0.2, 2.0]], sizes=[7])
    ...     print(out.read_text().strip())
    cluster,size,pop,area
    1,7,0.30000000000000004,2.0
    """
    if Path(path).exists() and not overwrite:
        raise OutputError("already exists", file=str(path), advice="use --overwrite to replace it")
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([label_column, "size", *columns])
        for number, (size, center) in enumerate(zip(sizes, rows, strict=True), start=1):
            values = ["" if math.isnan(value) else repr(float(value)) for value in center]
            writer.writerow([number, int(size), *values])
