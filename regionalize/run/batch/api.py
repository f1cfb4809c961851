"""The Python call: many layers or parts in, files and a table out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.errors import UsageError
from regionalize.run.batch.items import Finished

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class BatchResult:
    """What `batch` did.

    Attributes
    ----------
    items : tuple of Finished
        What came of every run, in order: `name`, `status` (``"done"``, ``"skipped"`` or ``"failed"``),
        `seconds`, `measures`, `notes` and `error`.
    notes : tuple of str
        What the command line would have said on standard error of the whole.
    """

    items: tuple[Finished, ...]
    notes: tuple[str, ...]

    @property
    def failed(self) -> tuple[Finished, ...]:
        """The runs that failed, with the reason in `error`."""
        return tuple(one for one in self.items if one.status == "failed")

    @property
    def table(self) -> pd.DataFrame:
        """A row per run, as `--summary` writes it; `docs/batch.md` explains the columns."""
        import pandas as pd
        import pyarrow as pa

        from regionalize.run.batch.summary import summary_rows, summary_table

        types = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
        found: pd.DataFrame = summary_table(summary_rows(self.items)).to_pandas(types_mapper=types.get)
        return found


def batch(
    inputs: str | PathLike[str] | Sequence[str | PathLike[str]] | None = None,
    method: str | Sequence[str] | None = None,
    *,
    by: str | None = None,
    out_dir: str | PathLike[str] | None = None,
    jobs: int | None = None,
    fail_fast: bool | None = None,
    resume: bool | None = None,
    overwrite: bool | None = None,
    summary: str | PathLike[str] | None = None,
    **options: Any,
) -> BatchResult:
    """Run a method on many layers, or on every part of one; a run that fails never sinks the others.

    Parameters
    ----------
    inputs : path, pattern, or several, optional
        Files, folders and patterns such as ``"states/*.gpkg"``, or one plan (``.toml``); the bundled sample
        unless given.
    method : str or sequence of str, optional
        A command of the catalog, also with options, such as ``"schc:linkage=average"``; several are each run
        on all. A plan may name it instead.
    by : str, optional
        A column: a run for each of its values.
    out_dir : path, optional
        Folder of the results, made where it is missing. Layers are called ``{name}.gpkg`` unless `output`
        says otherwise; without either, none are written.
    jobs : int, optional
        Processes; as many as there are processors unless given.
    fail_fast : bool, optional
        Start no more runs once one has failed.
    resume : bool, optional
        Skip what is done and has not changed since.
    overwrite : bool, optional
        Replace outputs that exist.
    summary : path, optional
        The table, to be written as ``.csv``, ``.json`` or ``.parquet``.
    **options
        Every option of a run, with underscores: ``k=12``, ``with_centroids=True``, and outputs with patterns:
        ``map="{name}.png"``. They win over those of a plan.

    Returns
    -------
    BatchResult

    Raises
    ------
    RegionalizeError
        Before any work: something cannot be meant, a pattern matches nothing, outputs exist. What stands in
        the way of single runs is in the result.

    Notes
    -----
    Runs are processes of their own, none of which imports the script that calls this.

    Examples
    --------
    >>> import regionalize as rz
    >>> found = rz.batch(method=["skater", "redcap"], k=4, columns=["pct_rural", "pct_pov"], jobs=1)
    >>> found.table[["name", "status", "k", "contiguous"]].values.tolist()
    [['georgia-skater', 'done', 4, True], ['georgia-redcap', 'done', 4, True]]
    """
    from regionalize.run.batch.fork_server import fork_server
    from regionalize.run.batch.items_of_plan import carry_out, keep_summary, make_batch
    from regionalize.run.batch.plan import plan_of

    named = () if inputs is None else (inputs,) if isinstance(inputs, str | PathLike) else tuple(inputs)
    if inputs is not None and not named:
        raise UsageError("inputs is empty", advice="name a file; None stands for the bundled sample")
    plan = plan_of(
        tuple(fspath(name) for name in named),
        (method,) if isinstance(method, str) else tuple(method or ()),
        by=by,
        out_dir=None if out_dir is None else Path(out_dir),
        jobs=jobs,
        fail_fast=fail_fast,
        resume=resume,
        overwrite=overwrite,
        summary=None if summary is None else Path(summary),
    )
    with fork_server() as server:  # which loads while the batch is planned
        given = {name: value for name, value in options.items() if value is not None}
        made = make_batch(plan, given, shown=True)
        notes = list(made.notes)
        finished = carry_out(made, noted=notes.append, server=server)
    if made.summary is not None:
        keep_summary(made.summary, made.out_dir, finished)
    return BatchResult(items=tuple(finished), notes=tuple(notes))
