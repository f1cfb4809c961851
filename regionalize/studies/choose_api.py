"""The Python call: a GeoDataFrame in, a table over k and a suggestion out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas
    import libpysal.graph
    import pandas as pd

    from regionalize.model.weights import Weights
    from regionalize.run.drawable import Picture
    from regionalize.studies.choose import Numbers


@dataclass(frozen=True)
class KChoice:
    """What `choose_k` found.

    Attributes
    ----------
    numbers : Numbers
        Everything, candidate by candidate, silhouettes per cluster too.
    """

    numbers: Numbers

    @property
    def table(self) -> pd.DataFrame:
        """A row for every k and combination of the grid; `docs/choose-k.md` explains the columns."""
        import pandas as pd

        from regionalize.studies.choose_report import number_rows

        return pd.DataFrame(number_rows(self.numbers))

    @property
    def suggestion(self) -> dict[str, Any]:
        """What is suggested, as options of `regionalize`: k, and what of the grid varied."""
        from regionalize.studies.choose_report import suggestion

        return suggestion(self.numbers.chosen)

    @property
    def reason(self) -> str:
        """Why that is suggested."""
        return self.numbers.reason

    @property
    def notes(self) -> tuple[str, ...]:
        """What the command line would have said on standard error."""
        return self.numbers.notes

    def write_report(self, path: str | Path) -> Path:
        """Write the report into `path`: JSON, CSV, Markdown or a page (``.html``), by its ending."""
        from regionalize.run.drawable import written_to
        from regionalize.studies.choose_report import write_numbers

        return written_to(path, lambda target, suffix: write_numbers(target, self.numbers, suffix))

    def plot(self, path: str | Path | None = None) -> Path | Picture:
        """Draw charts over k into `path` (PNG, SVG or PDF by its ending), or as a picture notebooks show."""
        from regionalize.run.drawable import drawn_to
        from regionalize.studies.choose_files import draw_numbers

        return drawn_to(path, lambda target, suffix: draw_numbers(self.numbers, target, suffix))

    def map(self, path: str | Path | None = None, *, dissolve_lines: bool = False) -> Path | Picture:
        """Draw a map of every k on one page, as `plot` draws the charts, or an interactive one (HTML).

        `dissolve_lines` outlines the clusters.
        """
        from regionalize.run.drawable import drawn_to
        from regionalize.run.side_files import MAPS
        from regionalize.studies.choose_files import draw_number_maps

        return drawn_to(path, partial(draw_number_maps, self.numbers, dissolve_lines=dissolve_lines), MAPS)


def choose_k(
    frame: geopandas.GeoDataFrame,
    method: str = "kmeans",
    *,
    k: Any = "2-15",
    weights: str | Weights | libpysal.graph.Graph | None = None,
    **options: Any,
) -> KChoice:
    """Try a method with several numbers of clusters, and suggest one.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        n rows; a DataFrame without geometry can be clustered by its attributes.
    method : str
        A method, with options of its own after a colon: ``"schc:linkage=average"``.
    k : str or iterable of int
        Numbers to try: ``range(2, 16)``, ``[2, 4, 8]`` or ``"2-15"``.
    weights : str, Weights or libpysal.graph.Graph, optional
        ``"queen"``, ``"knn:6"``, a weights file, or ready-made weights in row order.
    **options
        Options of the command line, with underscores. ``hops``, ``alpha`` and ``centroid_weight`` may be
        lists: every combination is tried.

    Returns
    -------
    KChoice
        With `table`, `suggestion`, `reason` and `plot`.

    Raises
    ------
    RegionalizeError
        With one line on what stands in the way of every k. What stands in the way of some is in the table.

    Examples
    --------
    >>> import geopandas, regionalize as rz
    >>> from regionalize.io.sample import sample_path
    >>> counties = geopandas.read_file(sample_path())
    >>> found = rz.choose_k(counties, k=range(2, 6), columns=["pct_rural", "pct_pov"])
    >>> found.table.k.tolist(), found.suggestion["k"] in found.table.k.tolist()
    ([2, 3, 4, 5], True)
    """
    from regionalize.run.frames import layer_of, weights_given
    from regionalize.studies.choose import choose_number
    from regionalize.studies.commands import choose_command
    from regionalize.studies.grid import read_numbers

    layer = layer_of(frame, options)
    words, ready = weights_given(weights, frame.index)
    asked = {**options, "weights": words}
    numbers = read_numbers(k)
    found = choose_number(layer, method, numbers, asked, weights=ready)
    return KChoice(replace(found, command=choose_command(method, numbers, asked, ready).line()))
