"""The Python call: a GeoDataFrame and what to compare in, tables and a picture out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.errors import UsageError, nearest
from regionalize.model.job import JOB_OPTIONS, check_option_names
from regionalize.model.partition import Partition
from regionalize.run.api import Result
from regionalize.run.drawable import Picture, drawn_to, written_to
from regionalize.run.frames import label_series, layer_of, weights_given
from regionalize.studies.commands import compare_command
from regionalize.studies.compare import Compared, compare_labelings
from regionalize.studies.labelings import (
    Labeling,
    Word,
    column_labeling,
    file_labeling,
    read_word,
)

if TYPE_CHECKING:
    import geopandas
    import libpysal.graph
    import pandas as pd

    from regionalize.model.job import Job
    from regionalize.model.weights import Weights

OPTIONS = tuple(name for name in JOB_OPTIONS if name not in {"method", "layer", "where", "encoding"})


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes
    ----------
    frame : geopandas.GeoDataFrame
        The n rows.
    compared : Compared
        Everything measured, as arrays.
    """

    frame: geopandas.GeoDataFrame
    compared: Compared

    @property
    def names(self) -> list[str]:
        """What is compared, in order."""
        return [labeling.name for labeling in self.compared.labelings]

    @property
    def notes(self) -> tuple[str, ...]:
        """What the command line would have said on standard error."""
        return self.compared.notes

    @property
    def table(self) -> pd.DataFrame:
        """Fit and fragmentation, a row of each labeling."""
        import pandas as pd

        from regionalize.studies.comparison_report import comparison_rows

        return pd.DataFrame(comparison_rows(self.compared)).set_index("name")

    @property
    def agreement(self) -> pd.DataFrame:
        """ARI, AMI, NMI, NID and the units compared, a row of every two labelings."""
        import pandas as pd

        from regionalize.studies.comparison_report import pair_rows

        return pd.DataFrame(pair_rows(self.compared)).set_index(["first", "second"])

    @property
    def report(self) -> dict[str, Any]:
        """Everything as nested plain data: what ``--json`` prints."""
        from regionalize.studies.comparison_report import comparison_document

        return comparison_document(self.compared)

    @property
    def labels(self) -> pd.DataFrame:
        """Labels on the frame's index, each labeling's own: 0 for noise, missing where there are none."""
        import pandas as pd

        found = {one.name: one.labels for one in self.compared.labelings}
        return pd.DataFrame(
            {name: label_series(Partition(labels), self.frame.index) for name, labels in found.items()}
        )

    @property
    def matched(self) -> pd.DataFrame:
        """The same under the numbers of the first labeling's clusters; those without a partner come after."""
        import pandas as pd

        found = dict(zip(self.names, self.compared.matched, strict=True))
        return pd.DataFrame(
            {name: label_series(Partition(labels), self.frame.index) for name, labels in found.items()}
        )

    def contingency(self, first: str | None = None, second: str | None = None) -> pd.DataFrame:
        """Count the units that each cluster of one labeling shares with each of another.

        Parameters
        ----------
        first, second : str, optional
            Names; the first two labelings unless given.
        """
        import pandas as pd

        from regionalize.measure.agreement import contingency

        first = self.names[0] if first is None else first
        second = self.names[1] if second is None else second
        for name in (first, second):
            if name not in self.names:
                raise UsageError(f"'{name}' is not compared", advice=nearest(name, self.names))
        places = self.names.index(first), self.names.index(second)
        one, other = (self.compared.labelings[place] for place in places)
        rows, columns = (list(self.compared.numbers(place)) for place in places)
        table = contingency(one.labels, other.labels)
        return pd.DataFrame(
            table[[code - 1 for code in rows]][:, [code - 1 for code in columns]],
            index=pd.Index([one.values.get(code, code) for code in rows], name=first),
            columns=pd.Index([other.values.get(code, code) for code in columns], name=second),
        )

    def to_frame(self, match: bool = False) -> geopandas.GeoDataFrame:
        """Return a copy of the frame with a column of each labeling that it does not hold.

        Parameters
        ----------
        match : bool
            Write labels under the first labeling's numbers, columns of the frame as ``NAME_matched``.
        """
        from regionalize.studies.comparison_files import added_columns, column_names

        columns = {one.name: one.column for one in self.compared.labelings}
        names = column_names(self.compared.layer, columns, match)
        added = added_columns(self.compared, names, match)
        return self.frame.assign(**{name: array.to_pandas().to_numpy() for name, array in added.items()})

    def write_report(self, path: str | Path, *, dissolve_lines: bool = False) -> Path:
        """Write the report into `path`: JSON, CSV, Markdown or a page (``.html``), by its ending.

        `dissolve_lines` outlines the clusters on the map of the page.
        """
        from regionalize.studies.comparison_report import write_comparison

        def write(target: Path, suffix: str) -> None:
            write_comparison(target, self.compared, suffix, dissolve_lines=dissolve_lines)

        return written_to(path, write)

    def plot(self, path: str | Path | None = None, *, dissolve_lines: bool = False) -> Path | Picture:
        """Draw the maps beside each other: into `path` (PNG, SVG, PDF), or as a picture a notebook shows.

        `dissolve_lines` outlines the clusters. HTML is an interactive map with all labelings to choose from.
        """
        from regionalize.run.side_files import MAPS
        from regionalize.studies.comparison_files import draw_comparison

        draw = partial(draw_comparison, self.compared, dissolve_lines=dissolve_lines)
        return drawn_to(path, draw, MAPS)

    def scatter(self, path: str | Path | None = None) -> Path | Picture:
        """Draw the units as points, a panel for each labeling, with the means of its clusters."""
        from regionalize.studies.comparison_plot import draw_planes

        return drawn_to(path, partial(draw_planes, self.compared))


def compare(
    frame: geopandas.GeoDataFrame,
    things: Mapping[str, Any] | Sequence[str],
    *,
    weights: str | Weights | libpysal.graph.Graph | None = None,
    **options: Any,
) -> Comparison:
    """Compare labelings of the rows of a GeoDataFrame: columns, arrays and runs.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        n rows; a DataFrame without geometry can be compared by everything but its pieces.
    things : mapping or sequence of str
        Two or more, by the names they shall have: labels (n,) of any type, a Series on the frame's index, a
        `Result`, or text as on the command line: a run such as ``"skater:k=8"``, a column (``":kmeans"`` if
        it is called like a method) or ``"FILE:COLUMN"``. A sequence of texts is named by them.
    weights : str, Weights or libpysal.graph.Graph, optional
        As for `regionalize`.
    **options
        Options of all runs that do not say otherwise (``k=6``, ``columns=[…]``, ``seed=1`` …); variables and
        weights are also what everything is measured by.

    Returns
    -------
    Comparison

    Raises
    ------
    RegionalizeError
        With one line on what is wrong and what to do.

    Examples
    --------
    >>> import geopandas, regionalize as rz
    >>> from regionalize.io.sample import sample_path
    >>> counties = geopandas.read_file(sample_path())
    >>> found = rz.compare(counties, ["kmeans", "skater"], k=4, columns=["pct_rural", "pct_pov"])
    >>> found.table[["k", "contiguous"]].to_dict("list")
    {'k': [4, 4], 'contiguous': [False, True]}
    >>> sorted(found.agreement.columns)
    ['ami', 'ari', 'nid', 'nmi', 'units']
    """
    layer = layer_of(frame, options)
    if isinstance(things, str):
        things = [things]
    named = things if isinstance(things, Mapping) else {str(thing): thing for thing in things}
    if len(named) < 2:
        raise UsageError("there are fewer than two things to compare", advice='give ["kmeans", "skater"]')
    check_option_names(options, OPTIONS)
    spec, ready = weights_given(weights, frame.index)
    common = {name: value for name, value in {**options, "weights": spec}.items() if value is not None}
    existing: dict[str, Labeling] = {}
    runs: dict[str, Job] = {}
    notes: tuple[str, ...] = ()
    words = []
    for name, thing in named.items():
        said: tuple[str, ...] = ()
        word = Word("column", name)
        if isinstance(thing, str):
            word = replace(read_word(thing, "cluster", common), name=name)
            word = replace(word, text=thing if thing == name else "")  # a shell gives no names
            if word.job is not None:
                runs[name] = word.job
            elif word.kind == "file":
                existing[name], said = file_labeling(layer, word, common.get("id"))
            else:
                existing[name], said = column_labeling(layer, word)
        else:
            existing[name] = given_labeling(name, thing, frame.index)
        notes += said
        words.append(word)
    compared = compare_labelings(layer, list(named), existing, runs, common, notes=notes, weights=ready)
    compared = replace(compared, command=compare_command(words, common, weights=ready).line())
    return Comparison(frame, compared)


def given_labeling(name: str, labels: Any, index: pd.Index[Any]) -> Labeling:
    """Take labels as they are given in Python."""
    import pandas as pd
    import pyarrow as pa

    from regionalize.run.existing import number_labels

    if isinstance(labels, Result):
        labels = labels.labels
    if isinstance(labels, pd.Series) and not labels.index.equals(index):
        if not labels.index.is_unique or len(labels) != len(index) or not index.isin(labels.index).all():
            raise UsageError(
                f"the labels of '{name}' are on another index than the frame", advice="give them as an array"
            )
        labels = labels.reindex(index)
    try:
        values = pa.array(labels, from_pandas=True).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError):
        raise UsageError(f"'{name}' is a {type(labels).__name__}, not labels of the rows") from None
    if len(values) != len(index):
        raise UsageError(f"'{name}' has {len(values)} labels, and the frame {len(index)} rows")
    codes, meant = number_labels(values, name)
    return Labeling(name, codes, meant, None, {"labels": name})
