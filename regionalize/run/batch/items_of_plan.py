"""From a plan to items: what is read times what is run, named, and with all outputs checked."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.errors import RegionalizeError, UsageError, counted
from regionalize.features.ranges import spelled_out
from regionalize.io.sample import INSTEAD
from regionalize.model.job import SOURCE, Job, Outputs
from regionalize.run.batch.items import Finished, Item, Part, Told
from regionalize.run.batch.names import file_name, told_apart, unique
from regionalize.run.batch.output_paths import (
    check_forms,
    files_of,
    folders_made,
    has_placeholder,
    make_outputs,
    real_path,
    refuse_existing,
    refuse_inputs,
    refuse_nothing,
)
from regionalize.run.batch.parts import Splitter, part_label
from regionalize.run.batch.plan import Input, Plan
from regionalize.run.batch.sources import expand
from regionalize.run.batch.variants import Variant, refuse_too_many, spell_out

if TYPE_CHECKING:
    from regionalize.run.batch.fork_server import ForkServer


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Everything that is to be done.

    Attributes
    ----------
    items : tuple of Item
        What is to be run.
    refused : tuple of Finished
        What failed before: layers that could not be split by `--by`.
    names : tuple of str
        Of both, in order.
    notes : tuple of str
        What a person should know.
    out_dir, jobs, fail_fast, resume, summary
        As a plan has them.
    """

    items: tuple[Item, ...]
    refused: tuple[Finished, ...] = ()
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    out_dir: Path | None = None
    jobs: int | None = None
    fail_fast: bool = False
    resume: bool = False
    summary: Path | None = None

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Draft:
    """An item without a name, or the reason why it cannot be run."""

    source: str
    label: str
    variant: Variant
    job: Job
    part: Part | None = None
    error: RegionalizeError | None = None


def make_batch(plan: Plan, typed: Mapping[str, Any] | None = None, *, shown: bool = False) -> Batch:
    """Make the items of a plan, and refuse before any work what cannot be written.

    Parameters
    ----------
    plan : Plan
        What to read and run, with what was typed of `by`, `out_dir` and the like already in it.
    typed : mapping, optional
        Options as Python takes them, which win over the plan's.
    shown : bool
        Whether the results remain even where nothing is written.

    Returns
    -------
    Batch
        Folders for its outputs are there.

    Raises
    ------
    UsageError
        Something that cannot be meant.
    DataError
        A pattern that matches nothing; the only layer cannot be split.
    OutputError
        Outputs that exist, or that are inputs.
    """
    check_settings(plan)
    typed = dict(typed or {})
    variants, merged = spell_out(plan, typed)
    splitter = Splitter()
    sources = sources_of(plan)
    refuse_too_many(len(sources) * len(variants), plan)
    drafts: list[Draft] = []
    for one, source, label in sources:
        for variant in variants:
            drafts += drafts_of(one, source, label, variant, plan, typed, splitter)
            refuse_too_many(len(drafts), plan)
    errors = {draft.error for draft in drafts}
    if len(errors) == 1 and (error := errors.pop()) is not None:
        raise error  # it stands in the way of all
    names = unique([file_name(draft.label, draft.variant.label) for draft in drafts])
    overwrite = bool(plan.overwrite)
    items, refused = [], []
    for draft, name in zip(drafts, names, strict=True):
        if draft.error is not None:
            item = Item(name=name, source=draft.source, job=draft.job, outputs=Outputs())
            refused.append(Finished(item=item, status="failed", error=str(draft.error)))
            continue
        outputs = make_outputs(draft.variant.outputs, name, draft.job, plan.out_dir, overwrite=overwrite)
        items.append(Item(name=name, source=draft.source, job=draft.job, outputs=outputs, part=draft.part))
    check_outputs(items, plan, shown=shown)
    notes = list(dict.fromkeys(splitter.notes))
    if not plan.inputs:
        notes.insert(0, INSTEAD)
    if merged:
        verb = "is a run" if merged == 1 else "are runs"
        notes.append(f"{counted(merged, 'combination')} {verb} that others are too, done once")
    return Batch(
        items=tuple(items),
        refused=tuple(refused),
        names=tuple(names),
        notes=tuple(notes),
        out_dir=plan.out_dir,
        jobs=plan.jobs,
        fail_fast=bool(plan.fail_fast),
        resume=bool(plan.resume),
        summary=plan.summary,
    )


def check_settings(plan: Plan) -> None:
    """Refuse settings of the whole batch that cannot be meant."""
    if plan.jobs is not None and plan.jobs < 1:
        raise UsageError(f"--jobs is {plan.jobs}; it must be a whole number of at least 1")
    if plan.resume and plan.out_dir is None:
        raise UsageError("--resume looks for what is done in --out-dir", advice="give --out-dir DIR")
    if plan.by is not None and not plan.by:
        raise UsageError("--by is empty", advice="name a column")
    if plan.out_dir is not None and has_placeholder(str(plan.out_dir)):
        raise UsageError(
            f"--out-dir {plan.out_dir} is one folder, for all runs",
            advice="use -o '{method}/{name}.gpkg', or the like, for folders of their own",
        )


def sources_of(plan: Plan) -> list[tuple[Input, str, str]]:
    """Return every file with the input it is of, and what it is called, in natural order.

    Inputs with options of their own come after the others, in the order of the plan.
    """
    from regionalize.io.sample import sample_path

    if not plan.inputs:
        sample = str(sample_path())
        return [(Input(path=sample), sample, file_name(*told_apart([sample])))]
    plain = [one for one in plan.inputs if one == Input(path=one.path)]
    found: list[tuple[Input, str]] = []
    if plain:
        files = expand([one.path for one in plain], plan.out_dir)
        found += [(Input(path=file), file) for file in files]
    for one in plan.inputs:
        if one not in plain:
            found += [(one, file) for file in expand([one.path], plan.out_dir)]
    once: dict[Any, tuple[Input, str]] = {}
    for one, file in found:
        asked = (os.path.realpath(file), one.name, one.by, tuple(sorted(one.options.items())))
        once.setdefault(asked, (one, file))
    found = list(once.values())
    absolute = [os.path.abspath(file) for _, file in found]
    stems = dict(zip(dict.fromkeys(absolute), told_apart(list(dict.fromkeys(absolute))), strict=True))
    count: dict[tuple[str, str], int] = {}
    for one, _ in found:
        count[one.path, one.name] = count.get((one.path, one.name), 0) + 1
    labelled = []
    for (one, file), full in zip(found, absolute, strict=True):
        label = stems[full]
        if one.name:  # of several files, the names of the files too
            label = one.name if count[one.path, one.name] == 1 else f"{one.name}-{label}"
        elif "layer" in one.options and absolute.count(full) > 1:
            label = f"{label}-{one.options['layer']}"
        labelled.append((one, file, label))
    return labelled


def drafts_of(
    one: Input,
    source: str,
    label: str,
    variant: Variant,
    plan: Plan,
    typed: Mapping[str, Any],
    splitter: Splitter,
) -> list[Draft]:
    """Return what one run on one file comes to: itself, or a run for every value of a column."""
    job = with_source(variant, one, typed)
    column = one.by or plan.by
    if column is None:
        return [Draft(source, label, variant, job)]
    found = splitter.parts(source, job, column)
    if isinstance(found, RegionalizeError):
        return [Draft(source, label, variant, job, error=found)]
    parts, numeric = found
    job = without_column(job, column) if numeric else job
    return [Draft(source, file_name(label, part_label(part)), variant, job, part) for part in parts]


def with_source(variant: Variant, one: Input, typed: Mapping[str, Any]) -> Job:
    """Return the job of a run with what an input says of how it is read: typed options win over that.

    Filters of a run and of an input both hold.
    """
    own = {name: value for name, value in one.options.items() if name in SOURCE and name not in typed}
    if not own:
        return variant.job
    if "where" in own and variant.filtered:
        own["where"] = f"({variant.job.where}) AND ({own['where']})"
    return replace(variant.job, **own)


def without_column(job: Job, column: str) -> Job:
    """Leave the column that layers are split by out of the variables."""
    chosen = not job.columns or any(
        column == pattern or fnmatchcase(column, pattern) for pattern in spelled_out(job.columns, (column,))
    )
    return replace(job, exclude=(*job.exclude, column)) if chosen and column not in job.exclude else job


def check_outputs(items: Sequence[Item], plan: Plan, *, shown: bool) -> None:
    """Refuse outputs that cannot be written, and make the folders of those that can."""
    from regionalize.run.batch.standing import is_own_summary
    from regionalize.run.batch.summary import check_summary

    if items:
        refuse_nothing(items, plan.summary, shown=shown)
    files = files_of(items)
    inputs = list(dict.fromkeys(file for item in items for file in (item.source, *item.job.files)))
    inputs += [plan.file] if plan.file else []
    summaries = [] if plan.summary is None else [real_path(plan.summary)]
    refuse_inputs(files, inputs)
    if not (plan.overwrite or plan.resume):
        refuse_existing(files)
    with folders_made([*files, *summaries], plan.out_dir):
        if plan.summary is not None:
            own = plan.resume and plan.out_dir is not None and is_own_summary(plan.summary, plan.out_dir)
            check_summary(plan.summary, inputs, files, replace=bool(plan.overwrite or own))
        check_forms(items)


def carry_out(
    batch: Batch,
    told: Told | None = None,
    noted: Callable[[str], None] | None = None,
    server: ForkServer | None = None,
) -> list[Finished]:
    """Run a batch, and return what came of every item, in order.

    Parameters
    ----------
    batch : Batch
        What to do.
    told : callable, optional
        Called with what came of an item, how many are finished, and how many there are.
    noted : callable, optional
        Called with what a person should know of how it was done.
    server : ForkServer, optional
        Forks the workers, which are started one by one without it.

    Returns
    -------
    list of Finished
        Items that were not started are absent.
    """
    from regionalize.run.batch.batch import run_batch

    total, before = len(batch), len(batch.refused)
    finished = list(batch.refused)
    for number, one in enumerate(batch.refused, 1):
        if told is not None:
            told(one, number, total)
    if batch.items and not (batch.fail_fast and batch.refused):
        finished += run_batch(
            batch.items,
            jobs=batch.jobs,
            fail_fast=batch.fail_fast,
            out_dir=batch.out_dir,
            resume=batch.resume,
            told=None if told is None else lambda one, done, _: told(one, before + done, total),
            noted=noted,
            server=server,
        )
    place = {name: number for number, name in enumerate(batch.names)}
    return sorted(finished, key=lambda one: place[one.item.name])


def keep_summary(path: Path, out_dir: Path | None, finished: Sequence[Finished]) -> None:
    """Write the summary, and remember in the folder of the outputs what it is."""
    from regionalize.io.atomic import replacing, telling_of_moves
    from regionalize.run.batch.record import SUMMARY, Journal, Records
    from regionalize.run.batch.summary import write_summary

    if out_dir is None:
        with replacing(path) as temporary:
            write_summary(temporary, path.suffix, finished)
        return
    records = Records(out_dir)
    journal = Journal(records, SUMMARY, "", records.read(SUMMARY))
    with telling_of_moves(journal.tell), replacing(path) as temporary:
        write_summary(temporary, path.suffix, finished)
    journal.complete()
