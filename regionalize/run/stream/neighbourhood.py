"""Smoothing of rows that come in batches: links from a file or from the map, values mixed on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError
from regionalize.features.centroids import centroid_points, project_geometry, sphere_points
from regionalize.features.running import RunningStatistics
from regionalize.features.smoothing import effect_notes
from regionalize.io.row_batches import RowBatches
from regionalize.io.weights_files import ONE_SIDED, one_sided_note, weights_file_id, weights_suffix
from regionalize.model.job import BY_DISTANCE, Job
from regionalize.model.layer import Layer
from regionalize.run.stream.gaps import Counted
from regionalize.run.stream.links import LinkStore
from regionalize.run.stream.neighbours import links_by_tiles
from regionalize.run.stream.one_sided import one_sided
from regionalize.run.stream.rows import ROWS, Rows
from regionalize.run.stream.smoothing import degrees, smooth_rows
from regionalize.run.stream.store import RowStore
from regionalize.run.stream.variables import choose_plane
from regionalize.run.stream.weights_file import links_of_file
from regionalize.weights.build import usable
from regionalize.weights.spec import default_spec


def smooth_attributes(rows: Rows, batches: RowBatches, open_files: ExitStack) -> tuple[str, ...]:
    """Smooth the attributes of all rows, and have the rows give these from now on.

    Parameters
    ----------
    rows : Rows
        As read; its `smoothed` is filled in.
    batches : RowBatches
        The same rows, with geometry, and the columns that may name them.
    open_files : ExitStack
        Closes what is kept on disk.

    Returns
    -------
    tuple of str
        What a person should know.

    Raises
    ------
    RegionalizeError
        As smoothing in memory does.
    """
    job, p = rows.job, len(rows.variables.names)
    with ExitStack() as while_smoothing:
        links, notes = find_links(batches, job, len(rows))
        while_smoothing.enter_context(links)
        scaled = while_smoothing.enter_context(RowStore(p))
        for _, values, used in rows.batches():
            known = rows.scale.apply(values)[:, :p]
            known[~used] = np.nan
            scaled.append(known)
        where, sphere = None, False
        if job.smooth_mode in BY_DISTANCE:
            where, said = places(batches, rows)
            notes += said
            sphere = batches.head.is_geographic
            while_smoothing.enter_context(where)
        smoothed = smooth_rows(
            scaled,
            links,
            hops=job.hops,
            alpha=job.alpha,
            mode=job.smooth_mode,
            coordinates=where,
            sphere=sphere,
            rows_at_once=ROWS,
        )
        notes += smoothing_effect(scaled, smoothed, links, job.smooth_mode)
    if rows.variables.coordinates:
        with smoothed:
            smoothed = with_coordinates(smoothed, rows)
    rows.smoothed = open_files.enter_context(smoothed)
    return notes


def smoothing_effect(
    before: RowStore, after: RowStore, links: LinkStore, mode: str, rows_at_once: int = ROWS
) -> tuple[str, ...]:
    """Say what smoothing did, as `regionalize.features.smoothing.smoothing_notes` does.

    Parameters
    ----------
    before, after : RowStore
        Variables (n, p) before and after; rows with a NaN took no part.
    links : LinkStore
        What they were smoothed over.
    mode : str
        How.
    rows_at_once : int
        Rows of a batch.
    """
    spreads, pairs = (RunningStatistics(), RunningStatistics()), RunningStatistics()
    products, origin, lonely = 0.0, None, 0
    for first, own in before.batches(rows_at_once):
        mixed = after.read(first, len(own))
        degree, used = degrees(before, links, first, own)
        lonely += int(np.count_nonzero(degree[used] == 0))
        pair = np.stack([degree, np.sqrt(np.square(mixed).sum(axis=1))], axis=1)[used]
        if origin is None and len(pair):
            origin = pair[0]
        products += float(np.prod(pair - origin, axis=1).sum()) if len(pair) else 0.0
        pairs.update(pair)
        for spread, values in zip(spreads, (own, mixed), strict=True):
            spread.update(values[used])
    n = int(pairs.count.max())
    correlation = 0.0
    if (pairs.high > pairs.low).all() and origin is not None:
        together = products / n - float(np.prod(pairs.mean - origin))
        correlation = together / float(np.prod(pairs.sd)) * n / (n - 1)
    mean_spread = [float(np.mean(spread.sd)) * sqrt((n - 1) / n) for spread in spreads]
    return effect_notes(links.kind, mean_spread, lonely, n, correlation, mode)


def find_links(batches: RowBatches, job: Job, count: int) -> tuple[LinkStore, tuple[str, ...]]:
    """Return who neighbours whom, from a weights file or from the map, and what to know of it."""
    if job.weights_file is not None:
        named = job.id or weights_file_id(job.weights_file)
        matched = {name.lower(): name for name in batches.head.column_names}.get((named or "").lower())
        names = None if matched is None else ids(batches, matched)
        links = links_of_file(job.weights_file, count, names, rows_at_once=ROWS)
        lists = weights_suffix(Path(job.weights_file)) == ".gal"  # in the others one way may be meant
        return links, one_sided_notes(links, batches, matched) if lists else ()
    if not batches.head.has_geometry:
        raise DataError(
            "the table has no geometry, so weights cannot be built from it",
            advice="give a weights file (--weights FILE.gal) or a layer with geometry",
        )
    spec = job.weights or default_spec(next(iter(batches), batches.head))
    bare = Counted()
    links = links_by_tiles(counting_bare(batches, bare, job.id), spec, snap=job.snap, rows_at_once=ROWS)
    if not bare.count:
        return links, ()
    return links, (f"{bare.count} of {count} rows have no geometry and so no neighbours: {bare}",)


def counting_bare(batches: RowBatches, bare: Counted, id_column: str | None) -> Iterator[Layer]:
    """Give all rows, and count those without geometry on the way."""
    first = 0
    for batch in batches:
        bare.add(~usable(batch.geometry), batch, first, id_column)
        first += len(batch)
        yield batch


def one_sided_notes(links: LinkStore, batches: RowBatches, id_column: str | None) -> tuple[str, ...]:
    """Name the links that are not returned by the neighbour, as they are in memory."""
    try:
        count, ends = one_sided(links, ONE_SIDED, ROWS)
        if not count:
            return ()
        names = {row: str(row + 1) for row in ends.ravel().tolist()}
        if id_column is not None:
            first = 0
            for some in ids(batches, id_column):
                here = [row for row in names if first <= row < first + len(some)]
                names |= {row: str(some[row - first]) for row in here}
                first += len(some)
    except BaseException:
        links.__exit__(None, None, None)
        raise
    return (one_sided_note(count, [f"{names[row]} to {names[other]}" for row, other in ends.tolist()]),)


def ids(batches: RowBatches, column: str) -> Iterator[NDArray[np.object_]]:
    """Give the names of all rows."""
    for batch in batches:
        yield batch.names(column)


def places(batches: RowBatches, rows: Rows) -> tuple[RowStore, tuple[str, ...]]:
    """Return where all rows are, in degrees of a geographic layer, else in the plane."""
    store, job = RowStore(2), rows.job
    plane, lost = job.project, Counted()
    notes: tuple[str, ...] = ()
    if not batches.head.is_geographic:
        plane, notes = choose_plane(next(iter(batches), batches.head), batches, job)
    for batch in batches:
        found = (
            sphere_points(batch)
            if batch.is_geographic
            else centroid_points(project_geometry(batch, plane).geometry)
        )
        _, used = rows.read(len(store), len(batch))
        lost.add(used & ~np.isfinite(found).all(axis=1), batch, len(store), job.id)
        store.append(found)
    if lost.count:
        store.__exit__(None, None, None)
        raise DataError(
            f"{lost.count} of {len(rows)} rows have no geometry, so no distance to their neighbours: {lost}",
            advice="use --smooth-mode mean, or leave the rows out with --where",
        )
    return store, notes


def with_coordinates(smoothed: RowStore, rows: Rows) -> RowStore:
    """Return smoothed attributes with the transformed coordinates beside them."""
    both = RowStore(len(rows.variables.columns))
    for first, values, _ in rows.batches():
        coordinates = rows.scale.apply(values)[:, smoothed.columns :]
        both.append(np.hstack([smoothed.read(first, len(values)), coordinates]))
    return both
