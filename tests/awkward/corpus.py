"""Awkward inputs, one small function each, with what must happen.

To add one: write a function in the file of its kind (`test_attributes.py`, `test_files.py`, …) that takes
`make`, puts files into its folder and returns the source, or a whole command line, and say what must happen::

    @corpus.refused("infinite", "row 4")
    def an_infinite_value(make):
        return make.layer(a=infinity_in_row(4))

    @corpus.works(note="1 of 25 rows")
    def a_null_geometry(make):
        ...

A source alone is run as ``kmeans --k 3 --columns a,b SOURCE -o out.gpkg``; `make.run(…)` changes that.
`refused` sees to it that the command ends with one line of error holding all those words, prints nothing
else on standard output and changes no file. `works` sees to it that it ends well, that another reader finds
every row and column of the source in the output, in the same order with the same values and geometry, and
labels from 1 on beside them; that the source's bytes are as before; and that nothing of GDAL's is shown.
What must happen is what a user needs, not what the program did.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

QUICK = 4
"""`make unit` tries every refusal, and of runs that go on to the end one in so many; `make test-slow` all."""
SEVERAL = (".shp", ".tab", ".gdb", ".dbf")
"""Formats of several files."""
KMEANS = ("kmeans", "--k", 3, "--columns", "a,b")


@dataclass(frozen=True)
class Command:
    """A command line, what it reads and what it writes."""

    args: tuple[Any, ...]
    source: Path | None = None
    output: Path | None = None
    layer: str | None = None


class Maker:
    """Makes files in the folder in which the command is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def grid(self, columns: int = 5, rows: int = 5, crs: Any = "EPSG:32633", **more: Any):
        """Squares of a kilometre, with a name, `a` and `b`; and more columns, or others in their place."""
        x, y = (v.ravel().astype(float) for v in np.meshgrid(np.arange(columns), np.arange(rows)))
        n, rng = len(x), np.random.default_rng(7)
        plain = {
            "name": [f"unit {i}" for i in range(1, n + 1)],
            "a": rng.normal(size=n),
            "b": rng.normal(size=n),
        }
        shapes = shapely.box(500000 + 1000 * x, 1000 * y, 501000 + 1000 * x, 1000 * y + 1000)
        return geopandas.GeoDataFrame(plain | more, geometry=shapes, crs=crs)

    def save(self, frame: pd.DataFrame, name: str = "in.gpkg", **options: Any) -> Path:
        """Write a layer by geopandas."""
        path = self.folder / name
        if name.endswith(".parquet"):
            frame.to_parquet(path, **options)
        elif name.endswith(".csv"):
            frame.drop(columns="geometry", errors="ignore").to_csv(path, index=False, **options)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # no reference system, odd names: they are wanted
                frame.to_file(path, engine="pyogrio", **options)
        return path

    def layer(self, name: str = "in.gpkg", **columns: Any) -> Path:
        """Write the grid with more columns, or others in their place."""
        return self.save(self.grid(**columns), name)

    def shapes(
        self, geometry: Sequence[Any], name: str = "in.gpkg", crs: Any = "EPSG:32633", **more: Any
    ) -> Path:
        """Write shapes of any kind, with `a` and `b`."""
        n, rng = len(geometry), np.random.default_rng(7)
        plain = {"a": rng.normal(size=n), "b": rng.normal(size=n)}
        return self.save(geopandas.GeoDataFrame(plain | more, geometry=list(geometry), crs=crs), name)

    def text(self, name: str, content: str, encoding: str = "utf-8") -> Path:
        """Write a text."""
        return self.data(name, content.encode(encoding))

    def data(self, name: str, content: bytes) -> Path:
        """Write bytes."""
        (self.folder / name).write_bytes(content)
        return self.folder / name

    def run(
        self,
        source: Any,
        *options: Any,
        command: Sequence[Any] = KMEANS,
        output: str = "out.gpkg",
        layer: str | None = None,
    ) -> Command:
        """Return a command line that writes a layer."""
        args = (*command, source, "-o", output, *options)
        return Command(args, Path(source), self.folder / output, layer)

    def command(self, *args: Any) -> Command:
        """Return a command line of which no layer is looked at afterwards."""
        return Command(args)


def cut(path: Path, share: float) -> Path:
    """Leave the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    return path


def with_zeros(path: Path, start: float, length: int = 512) -> Path:
    """Overwrite a part from a share of the length on, as a disk does that loses a sector."""
    content = bytearray(path.read_bytes())
    at = int(start * len(content))
    content[at : at + length] = bytes(len(content[at : at + length]))
    path.write_bytes(content)
    return path


Builder = Callable[[Maker], Any]


@dataclass(frozen=True)
class Case:
    """An awkward input and what must happen."""

    build: Builder
    code: int
    says: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    unlabelled: int = 0
    holds: Callable[[Any], Any] | None = None
    kept: Sequence[str] | None = None
    written: Sequence[str] | None = None

    def check(self, folder: Path, run: Callable[..., Any]) -> None:
        """Build it, run the command and look at what became of it."""
        made = self.build(Maker(folder))
        command = made if isinstance(made, Command) else Maker(folder).run(made)
        before = tree(folder)
        found = run(*command.args)
        print(found.err, found.out)  # noqa: T201  # shown when the test fails
        errors = [line for line in found.err.splitlines() if line.startswith("error: ")]
        assert "Traceback" not in found.err + found.out
        assert "Warning" not in found.err
        assert "GDAL_" not in found.err
        assert "OGR_" not in found.err
        assert found.code == self.code
        for word in self.silent:
            assert word not in found.err
        if self.written is not None:
            self.check_batch(folder, before, found.out + found.err)
            return
        if self.code:
            assert len(errors) == 1 or self.code == 3
            for word in self.says:
                assert word in (errors or [found.err])[0]
            assert not errors or ";" in errors[0] or self.code == 2, "it says what to do"
            assert tree(folder) == before
            return
        assert not errors
        for word in self.notes:
            assert word in found.err
        after = tree(folder)
        assert {name: after.get(name) for name in before} == before
        if command.output is not None:
            self.check_output(command)
        elif self.holds is not None:
            assert self.holds(found.out) is not False

    def check_batch(self, folder: Path, before: dict[str, str], said: str) -> None:
        """Look for the words and for the layers; what was there stays."""
        for word in self.says:
            assert word in said
        after = tree(folder)
        assert {name: after.get(name) for name in before} == before
        layers = sorted(path.name for path in (folder / "out").glob("*.gpkg"))
        assert layers == sorted(self.written or ())
        for name in layers:
            if f"out/{name}" not in before:
                assert set(read(folder / "out" / name)["cluster"].dropna()) == {1, 2, 3}

    def check_output(self, command: Command) -> None:
        """Compare the output with the source, both read by another reader."""
        frame = read(command.output)
        if self.kept is None:
            source = read(command.source, command.layer)
            compare(source, frame, list(source.columns))
        labels = frame["cluster"] if "cluster" in frame else pd.Series(dtype=float)
        assert labels.isna().sum() == self.unlabelled
        sizes = labels.dropna().astype(int).value_counts().sort_index()
        assert list(sizes.index) == list(range(1, len(sizes) + 1))
        assert (sizes.diff().dropna() <= 0).all(), "numbered by falling size"
        if self.holds is not None:
            assert self.holds(frame) is not False


@dataclass
class Corpus:
    """The cases of one kind."""

    cases: list[Case] = field(default_factory=list)

    def refused(self, *says: str, code: int = 1, silent: Sequence[str] = ()) -> Callable[[Builder], Builder]:
        """Say that a case ends with an error of these words."""
        return self._add(code=code, says=says, silent=tuple(silent))

    def works(
        self,
        *notes: str,
        silent: Sequence[str] = (),
        unlabelled: int = 0,
        holds: Callable[[Any], Any] | None = None,
        kept: Sequence[str] | None = None,
    ) -> Callable[[Builder], Builder]:
        """Say that a case ends well, and notes hold these words.

        Parameters
        ----------
        notes
            Words on standard error.
        silent
            Words that are not there.
        unlabelled
            Rows without a label.
        holds
            Looks at the output as another reader reads it (or at standard output, where no layer is
            written); False is a fault.
        kept
            ``()`` where the output cannot be compared with the source column by column.
        """
        return self._add(
            code=0, notes=notes, silent=tuple(silent), unlabelled=unlabelled, holds=holds, kept=kept
        )

    def batch(self, code: int, *says: str, written: Sequence[str]) -> Callable[[Builder], Builder]:
        """Say how a batch ends, which words its output holds, and which layers are in `out`."""
        return self._add(code=code, says=says, written=tuple(written))

    def _add(self, **what: Any) -> Callable[[Builder], Builder]:
        def add(build: Builder) -> Builder:
            self.cases.append(Case(build, **what))
            return build

        return add

    def test(self) -> Callable[..., None]:
        """Return the test of all cases."""

        whole = [case for case in self.cases if not case.code or case.written is not None]
        slow = [case for at, case in enumerate(whole) if at % QUICK]

        def named(case: Case) -> Any:
            marks = [pytest.mark.slow] if case in slow else []
            return pytest.param(case, id=case.build.__name__, marks=marks)

        @pytest.mark.parametrize("case", [named(case) for case in self.cases])
        def test(case: Case, run_here: Callable[..., Any], tmp_path: Path) -> None:
            case.check(tmp_path, run_here)

        return test


def read(path: Path, layer: str | None = None) -> pd.DataFrame:
    """Read a layer with pyogrio's other reader, or GeoParquet with geopandas."""
    if path.suffix == ".parquet":
        try:
            return geopandas.read_parquet(path)
        except ValueError:  # no geometry
            return pd.read_parquet(path)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        if path.suffix not in SEVERAL:  # pyogrio takes some names for others
            path = Path(shutil.copy(path, Path(folder) / f"plain{path.suffix}"))
        name = layer if layer is not None else pyogrio.list_layers(path)[0, 0]
        return pyogrio.read_dataframe(path, layer=name, use_arrow=False, on_invalid="ignore")


def compare(source: pd.DataFrame, output: pd.DataFrame, columns: list[str]) -> None:
    """Assert that the rows of the source are in the output, in their order, bit by bit."""
    assert len(output) == len(source)
    lower = {str(name).lower(): name for name in output.columns}
    for name in columns:
        if isinstance(source[name], geopandas.GeoSeries):
            there = output.geometry
            assert list(shapely.to_wkb(there.to_numpy())) == list(shapely.to_wkb(source[name].to_numpy()))
            continue
        there = output[lower[str(name).lower()]]
        for one, other in zip(source[name].tolist(), there.tolist(), strict=True):
            assert same(one, other), (name, one, other)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, list | dict | np.ndarray) or isinstance(other, list | dict | np.ndarray):
        return str(list(one)) == str(list(other))
    if pd.isna(one) or pd.isna(other):
        return bool(pd.isna(one) and pd.isna(other))
    return bool(one == other)


def tree(folder: Path) -> dict[str, str]:
    """Every file and link below a folder, with what it holds."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"link to {os.readlink(path)}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            found[name] = "folder" if path.is_dir() else "other"
    return found
