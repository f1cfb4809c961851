"""Damaged layers through whole commands, and what is wrong with what came of it."""

from __future__ import annotations

import csv
import random
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from layers import COLUMNS, ROWS, rows_in
from mutation import mutant
from warm_jobs import Ended, Warm

PEAK = 1500
"""Megabytes; the program takes 200 for these layers."""
SECONDS = 30
CENTERS = "cluster,a,b\n1,-1,0\n2,1,0\n3,0,1\n"
CHOSEN = ("--columns", COLUMNS, "--missing", "mean")
COMMANDS = {
    "kmeans": ("--k", 3, *CHOSEN, "--with-centroids", "-o", "out.gpkg"),
    "skater": ("--k", 3, *CHOSEN, "--islands", "nearest", "-o", "out.gpkg"),
    "info": (),
    "weights": ("-o", "out.gal"),
    "assign": ("--centers", "centers.csv", "--missing", "mean", "-o", "out.gpkg"),
    "rank": ("--at", "45.1,15.01", "-o", "out.csv"),
}
OFTEN = (50, 10, 10, 10, 10, 10)
RESULTS = ("out.gpkg", "out.gal", "out.csv")
OURS = {"centers.csv", "out.txt", "err.txt", "call.txt", "call.err", *RESULTS, "out.csv.run.json"}
IN_OUR_WORDS = {
    "More than one layer": "",
    "Measured (M)": "",
    "Non closed ring": "rings that are not closed",
    "Unable to open": "The index (.shx) is missing",
    "Could not decode": "GDAL says",
    "parsed incompletely": "stands where a number should",
    "Invalid content for": "stands where a date should",
    "Unexpected data type": "stands where a date should",
    "UnicodeDecodeError": "",  # of GDAL alone: what is written can be read
}
"""What GDAL says, and how it is told; empty where nobody needs to hear it."""


@dataclass(frozen=True)
class Case:
    """A damaged layer, the command that was given it, and what came of it."""

    number: int
    damaged: str
    command: str
    ended: Ended
    fault: str

    def __str__(self) -> str:
        how = f"code {self.ended.code}, {self.ended.seconds} s"
        return f"number {self.number}: {self.damaged}, {self.command}: {how}: {self.fault}"


def tried(warm: Warm, kind: str, good: list[Path], seed: str, numbers: Iterator[int]) -> Iterator[Case]:
    """Damage a layer in one way after the other, and give each to a command."""
    content = {file.name: file.read_bytes() for file in good}
    for number in numbers:
        files, hit = mutant_files(content, seed, kind, number)
        draw = random.Random(f"command {seed} {kind} {number}")
        command = draw.choices(list(COMMANDS), OFTEN)[0]
        lay_out(warm.folder, files)
        ended = warm.run(command, good[0].name, *COMMANDS[command], seconds=SECONDS)
        if ended.code is None:  # the machine may have been asleep
            lay_out(warm.folder, files)
            ended = warm.run(command, good[0].name, *COMMANDS[command], seconds=3 * SECONDS)
        yield Case(number, hit, command, ended, fault_in(warm, kind, files, ended))


def mutant_files(
    content: dict[str, bytes], seed: str, kind: str, number: int
) -> tuple[dict[str, bytes], str]:
    """Return the files of a layer, one of them damaged or gone, and which."""
    draw = random.Random(f"{seed} {kind} {number}")
    hit = draw.choice(list(content))
    files = content | {hit: mutant(content[hit], draw, most=1 if number % 2 else 3)}
    if len(files) > 1 and draw.random() < 0.03:
        del files[draw.choice(list(files)[1:])]
    return files, hit


def sweep(kind: str, good: list[str], folder: str, seed: str, first: int, count: int) -> dict[str, Any]:
    """Read so many damaged layers in this process, whole and some rows at a time.

    Before each, its number is written into the folder, for the case that the process ends.
    """
    content = {Path(file).name: Path(file).read_bytes() for file in good}
    path, refused, faults = Path(folder, next(iter(content))), 0, []
    for number in range(first, first + count):
        files, hit = mutant_files(content, seed, kind, number)
        lay_out(Path(folder), files)
        Path(folder, "number").write_text(str(number))
        whole, fault = read(path, rows=None)
        pieces, another = read(path, rows=10)
        refused += whole is None
        fault = fault or another or difference(whole, pieces, rows_in(kind, path))
        if fault:
            faults.append(f"number {number}: {hit}: {fault}")
    return {"refused": refused, "faults": faults}


def read(path: Path, *, rows: int | None) -> tuple[Any, str]:
    """Read a layer whole or so many rows at a time; return it, None if it is refused, and what is wrong."""
    from regionalize.errors import RegionalizeError
    from regionalize.io.read import read_layer
    from regionalize.io.row_batches import RowBatches
    from regionalize.io.rows import joined
    from regionalize.model.layer import plain_values

    try:
        if rows is None:
            layer = read_layer(path)
        else:
            batches = RowBatches(path, rows=rows)
            layer = replace(joined(list(batches)), notes=batches.notes)
        for column in layer.attributes.columns:
            plain_values(column)
        layer = replace(layer, misread=dict(layer.misread))
        assert not layer.has_geometry or len(layer.geometry) == len(layer)
    except RegionalizeError as error:
        return None, repr(error) if len(str(error).splitlines()) != 1 else ""
    except Exception as error:
        return None, repr(error)
    return layer, ""


def difference(whole: Any, pieces: Any, there: int | None) -> str:
    """Return how what was read whole differs from what was read piece by piece, or from what there is."""
    found = [None if layer is None else len(layer) for layer in (whole, pieces)]
    if any(rows not in {None, there} for rows in found) and there is not None:
        return f"{there} rows in, {found} read"
    if found[0] != found[1]:
        return f"{found[0]} rows read whole, {found[1]} in batches"
    if whole is None:
        return ""
    for name in whole.column_names:
        if plainly(whole.attributes[name]) != plainly(pieces.attributes[name]):
            return f"column {name} is another in batches"
    if whole.wkb is not None and whole.wkb.to_pylist() != pieces.wkb.to_pylist():
        return "geometry is another in batches"
    return "" if whole.misread == pieces.misread else "what is misread is told otherwise in batches"


def plainly(column: Any) -> str:
    """Return values of a column in letters, in which those that are no number are equal."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):  # a damaged file may call text so
        return repr(column.to_pylist())
    return repr(column.cast("string").to_pylist())


def lay_out(folder: Path, files: dict[str, bytes]) -> None:
    """Empty a folder, and put files into it."""
    for old in folder.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    (folder / "centers.csv").write_text(CENTERS)


def fault_in(warm: Warm, kind: str, files: dict[str, bytes], ended: Ended) -> str:
    """Return what is wrong, empty for nothing."""
    folder, lines = warm.folder, ended.err.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    if "Traceback" in ended.err:
        return f"a traceback: {lines[-1]}"
    if ended.code is None:
        return "it does not end"
    if printed := [line for line in lines if re.match(r"(Warning|ERROR) \d+: ", line)]:
        return f"GDAL prints: {printed[0]}"
    if ended.code not in {0, 1, 2}:
        return "it was ended by a signal" if ended.code < 0 else "another exit code"
    if ended.peak > PEAK:
        return f"it took {ended.peak} MB"
    if any((folder / name).read_bytes() != raw for name, raw in files.items()):
        return "the input is changed"
    if litter := sorted({one.name for one in folder.iterdir()} - files.keys() - OURS):
        return f"it left {litter}"
    if ended.code:
        left = [name for name in RESULTS if (folder / name).exists()]
        one = len(errors) == 1 and lines[-1] == errors[0] and not ended.out
        return "" if one and not left else f"it left {left}" if left else f"{len(errors)} lines of errors"
    return fault_in_result(warm, kind, folder / next(iter(files)), ended)


def fault_in_result(warm: Warm, kind: str, file: Path, ended: Ended) -> str:
    """Compare what came out of a layer with what its bytes tell, and what GDAL reads of it by itself."""
    try:
        out, there = rows_out(file.parent), rows_in(kind, file)
    except (sqlite3.Error, ValueError) as error:
        return f"what was written cannot be read: {error}"
    if out is not None and there is not None and out != there:
        return f"{there} rows in, {out} out"
    if kind == "parquet":  # GDAL cannot read these here
        return ""
    told = warm.read(file)
    heard = " ".join((ended.err + ended.out).split())  # info has what it notices in its report
    said = [" ".join(text.split()) for text in (told["error"], *told["warnings"]) if text]
    unsaid = [text for text in said if text[:40] not in heard and not told_otherwise(text, heard)]
    if unsaid:
        return f"what GDAL says is not told: {unsaid[0]}"
    if out is not None and told["rows"] not in {None, out}:
        return f"GDAL alone reads {told['rows']} rows, {out} out"
    if out is not None and out < ROWS and there is None:
        return f"{out} rows out, where nobody can tell how many there are"
    return ""


def told_otherwise(text: str, heard: str) -> bool:
    """Whether what GDAL says is among what was heard, in other words."""
    return any(mark in text and words in heard for mark, words in IN_OUR_WORDS.items())


def rows_out(folder: Path) -> int | None:
    """Count the rows of what was written."""
    layer, weights, table = (folder / f"out{suffix}" for suffix in (".gpkg", ".gal", ".csv"))
    if layer.exists():
        with closing(sqlite3.connect(layer)) as database:
            known = "SELECT table_name FROM gpkg_contents WHERE table_name != 'layer_styles'"
            name = database.execute(known).fetchone()[0]
            return len(database.execute(f'SELECT * FROM "{name}"').fetchall())  # with all its text
    if weights.exists():
        return int(weights.read_text().split()[1])
    if table.exists():
        with table.open(newline="") as file:
            return sum(1 for _ in csv.reader(file)) - 1
    return None
