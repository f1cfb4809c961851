"""Where the outputs of a batch go: patterns turned into paths, and all of them checked before any work."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.errors import OutputError, UsageError, counted, nearest
from regionalize.model.job import Job, Outputs
from regionalize.run.batch.digests import files_read
from regionalize.run.batch.items import Item
from regionalize.run.batch.names import clash_key
from regionalize.run.batch.plan import is_ending
from regionalize.run.batch.plan_values import OUTPUT_FIELDS, OUTPUT_PATHS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEFAULT_OUTPUT = "{name}.gpkg"
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
KNOWN = ("name", "method", "k")


def option_of(name: str) -> str:
    """Return an output option as it is typed."""
    return "--" + str(OUTPUT_FIELDS[name].metadata.get("typed", name.replace("_", "-")))


def has_placeholder(text: str) -> bool:
    """Whether a text has what only patterns of outputs can have.

    Examples
    --------
    >>> has_placeholder("x/{method}"), has_placeholder("{x}")
    (True, False)
    """
    return any(found[1] in KNOWN for found in PLACEHOLDER.finditer(text))


def make_outputs(
    given: Mapping[str, Any], name: str, job: Job, out_dir: Path | None, *, overwrite: bool
) -> Outputs:
    """Return what one item writes.

    Parameters
    ----------
    given : mapping
        Output options, patterns in the place of paths.
    name : str
        Of the item, fit to be that of a file.
    job : Job
        What it does.
    out_dir : Path or None
        Where patterns start from.
    overwrite : bool
        Whether files that exist may be replaced.
    """
    from regionalize.run.aggregate import parse_aggregates

    values = {option: value for option, value in given.items() if value is not None}
    if out_dir is not None:
        values.setdefault("output", DEFAULT_OUTPUT)
    for option in OUTPUT_PATHS:
        if option in values:
            values[option] = placed(str(values[option]), option, name, job, out_dir)
    aggregate = values.get("aggregate")
    if aggregate is not None and not (isinstance(aggregate, tuple) and all(map(is_pair, aggregate))):
        values["aggregate"] = parse_aggregates(aggregate)
    if "time_columns" in values:
        columns = values["time_columns"]
        values["time_columns"] = (columns,) if isinstance(columns, str) else tuple(columns)
    return Outputs(**{**values, "overwrite": overwrite})


def is_pair(value: Any) -> bool:
    """Whether an aggregate is read already: a column and a function."""
    return isinstance(value, tuple)


def placed(pattern: str, option: str, name: str, job: Job, out_dir: Path | None) -> Path:
    """Return the path that a pattern stands for.

    Raises
    ------
    UsageError
        Standard output, an unknown or meaningless placeholder, or an ending alone without `out_dir`.

    Examples
    --------
    >>> placed(".png", "map", "ce", Job(), Path("out")).as_posix()
    'out/ce.png'
    >>> placed("{method}/{name}-{k}.png", "map", "ce", Job(k=4), Path("out")).as_posix()
    'out/kmeans/ce-4.png'
    """
    if pattern == "-":
        raise UsageError(
            f"{option_of(option)} -: several layers cannot share standard output",
            advice="write files, with --out-dir",
        )
    if is_ending(pattern):
        if out_dir is None:
            raise UsageError(
                f"{option_of(option)} {pattern} names no place", advice="say where with --out-dir DIR"
            )
        pattern = f"{{name}}{pattern}"
    numbers = "-".join(map(str, (*job.levels, job.k))) if job.k is not None else ""
    values = {"name": name, "method": job.method, "k": numbers}

    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise UsageError(
                f"{option_of(option)} {pattern} has an unknown {found[0]}",
                advice=nearest(found[1], KNOWN) or "use {name}, {method} or {k}",
            )
        if not values[found[1]]:
            raise UsageError(
                f"{option_of(option)} {pattern} asks for k, which {job.method} finds", advice="use {name}"
            )
        return values[found[1]]

    path = Path(PLACEHOLDER.sub(value, pattern))
    return path if out_dir is None else out_dir / path


def files_of(items: Sequence[Item]) -> dict[str, Item]:
    """Return the real path of every file that items write, and whose it is.

    Raises
    ------
    UsageError
        Two items, or two options of one, would write one file, on whatever system.
    """
    found: dict[str, Item] = {}
    folders: dict[Path, str] = {}
    seen: dict[str, tuple[Item, str, Path]] = {}
    for item in items:
        for option, path in item.outputs.paths().items():
            real = real_path(path, folders)
            key = clash_key(real)
            if key in seen:
                other, its_option, its_path = seen[key]
                if other is item:
                    raise UsageError(
                        f"--{option} and --{its_option} are the same file, {path}", advice="give each its own"
                    )
                raise UsageError(
                    f"--{option} would be one file, {its_path}, for '{other.name}' and '{item.name}'",
                    advice="write {name} in it, such as '{name}.png'",
                )
            seen[key] = (item, option, path)
            found[real] = item
    return found


def real_path(path: Path, folders: dict[Path, str] | None = None) -> str:
    """Return a path whose folder is real, and a link's target where it is one.

    `folders` are those known from other paths: most items write into the same.
    """
    folders = {} if folders is None else folders
    if path.parent not in folders:
        folders[path.parent] = os.path.realpath(path.parent)
    plain = os.path.join(folders[path.parent], path.name)
    return os.path.realpath(plain) if os.path.islink(plain) else plain


def refuse_inputs(files: Mapping[str, Item], inputs: Sequence[str]) -> None:
    """Refuse outputs that would replace what is read, on whatever system and whatever links lead there.

    Of both all files count: those of a shapefile, those in a folder.

    Raises
    ------
    OutputError
    """
    from regionalize.io.check_output import parts_of_file

    read = {clash_key(os.path.realpath(part)) for one in inputs for part in (one, *(files_read(one) or ()))}
    for file in files:
        for part in parts_of_file(Path(file)):
            if clash_key(str(part)) in read:
                raise OutputError(
                    "is an input" if str(part) == file else f"would write {part.name}, which is an input",
                    file=file,
                    advice="the input is never changed: choose another --out-dir",
                )


def refuse_existing(files: Mapping[str, Item]) -> None:
    """Refuse to replace what exists, all at once.

    Raises
    ------
    OutputError
        With the number of files there are.
    """
    adding = {
        real_path(item.outputs.output)
        for item in files.values()
        if item.outputs.output is not None and item.outputs.output_layer is not None
    }
    there = [file for file in files if file not in adding and os.path.lexists(file)]
    if there:
        verb = "exists" if len(there) == 1 else "exist"
        first = os.path.relpath(there[0])
        raise OutputError(
            f"{len(there)} of {counted(len(files), 'output')} {verb} already, {first} first",
            advice="use --resume to go on, --overwrite to replace, or another --out-dir",
        )


@contextmanager
def folders_made(files: Iterable[str], out_dir: Path | None) -> Iterator[None]:
    """Make the folders that outputs go to; what was made is taken away again if the block fails.

    Raises
    ------
    OutputError
        A folder that cannot be made or written.
    """
    from regionalize.io.atomic import writable_folder

    made: list[Path] = []
    folders = dict.fromkeys(os.path.dirname(file) for file in files)
    if out_dir is not None:
        folders = {os.path.realpath(out_dir): None, **folders}
    try:
        for folder in map(Path, folders):
            missing = [one for one in (folder, *folder.parents) if not one.exists()]
            made += missing
            writable_folder(folder, make=True)
        yield
    except BaseException:
        for folder in sorted(made, key=lambda one: len(one.parts), reverse=True):
            with suppress(OSError):
                folder.rmdir()
        raise


def check_forms(items: Sequence[Item]) -> None:
    """Refuse outputs that no item could write: of every run the first is looked at, the others are like it.

    Raises
    ------
    RegionalizeError
        What a run by itself would be refused for before any work.
    """
    from regionalize.run.outputs import label_names
    from regionalize.run.refusals import refuse_outputs

    seen: set[Any] = set()
    without_paths: dict[str, Any] = dict.fromkeys(OUTPUT_PATHS)
    for item in items:
        job, outputs = item.job, item.outputs
        paths = outputs.paths()
        form = (
            job.method,
            job.levels,
            tuple((option, "".join(path.suffixes[-2:])) for option, path in paths.items()),
            replace(outputs, **without_paths),
        )
        if form in seen:
            continue
        seen.add(form)
        labels = label_names(outputs.label_column, job)
        alone = replace(outputs, overwrite=True)
        refuse_outputs(alone, (item.source, *job.files), None, labels)
        if alone.dissolve is not None or alone.aggregate:
            from regionalize.run.dissolve import check_dissolve

            check_dissolve(alone, labels, (item.source, *job.files), None)


def refuse_nothing(items: Sequence[Item], summary: Path | None, *, shown: bool) -> None:
    """Refuse a batch of which nothing would remain."""
    if summary is None and not shown and not any(item.outputs.paths() for item in items):
        raise UsageError(
            "nothing would be written", advice="say where with --out-dir DIR, or give --summary FILE"
        )
