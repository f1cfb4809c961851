"""Run the command line, in this process or in one of its own, and watch what it leaves behind."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import warm

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """What one command line did."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("error: ")]

    @property
    def notes(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("note: ")]


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
            found[name] = "folder"
    return found


@pytest.fixture
def cli(capsys, monkeypatch):
    """Run a command line in this process."""
    from regionalize.cli.program import run_program

    monkeypatch.setenv("COLUMNS", "80")

    def run(*args) -> Outcome:
        capsys.readouterr()
        code = run_program([str(arg) for arg in args])
        said = capsys.readouterr()
        return Outcome(code, said.out, said.err)

    return run


@pytest.fixture
def process_environment():
    """Return the environment of a child: this package importable from anywhere, 80 columns."""
    environment = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS"}}
    path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
    return {**environment, "PYTHONPATH": path, "COLUMNS": "80"}


@pytest.fixture
def warm_program(tmp_path, process_environment):
    """Return a program called `regionalize` that starts at once: a fork of a process that has loaded all."""
    if sys.platform == "win32":
        pytest.skip("programs are forked on Unix only")
    folder = tmp_path / ".bin"
    folder.mkdir()
    warm.warm_program(folder, process_environment)
    return folder / "regionalize"


@pytest.fixture
def process(tmp_path, process_environment):
    """Run a command line in a process of its own, in the test's folder."""

    def run(*args, code=None, stdin=b"", **environment) -> Outcome:
        start = ["-c", code] if code else ["-m", "regionalize"]
        done = subprocess.run(
            [sys.executable, *start, *map(str, args)],
            cwd=tmp_path,
            env={**process_environment, **environment},
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def child(tmp_path, process_environment):
    """Start a command line in a process of its own and go on; whatever becomes of the test, it is ended."""
    if sys.platform == "win32":
        pytest.skip("a child is told to stop by signals of Unix")
    children = []

    def start(*args, code="from regionalize.cli import main; main()") -> subprocess.Popen:
        # whoever runs the tests in the background, or under nohup, has told them to ignore these
        heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        heed += "hasattr(signal, 'SIGHUP') and signal.signal(signal.SIGHUP, signal.SIG_DFL);"
        children.append(
            subprocess.Popen(
                [sys.executable, "-c", heed + code, *map(str, args)],
                cwd=tmp_path,
                env=process_environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return children[-1]

    yield start
    for one in children:
        with one:  # closes the pipes, which would otherwise be found open in some later test
            one.kill()


def check_stopped(child: subprocess.Popen, sent: int, folder: Path, before: dict[str, str]) -> None:
    """Send a signal to a process at work, and see that it ends in one line and leaves what there was."""
    child.send_signal(sent)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 128 + sent
    assert out == ""
    assert [line for line in err.splitlines() if line.startswith("error: ")] == [err.splitlines()[-1]]
    assert "Traceback" not in err
    assert tree(folder) == before


@pytest.fixture
def refused(cli, tmp_path):
    """Assert that a command line is refused in one line and leaves every file as it was."""

    def run(*args, code=1, says=()) -> str:
        before = tree(tmp_path)
        found = cli(*args)
        check_refusal(found, code, says)
        assert tree(tmp_path) == before
        return found.errors[0]

    return run


@pytest.fixture
def check():
    """Return the checks that tests with processes share: `check.refusal`, `check.stopped`, `check.tree`."""

    class Check:
        refusal = staticmethod(check_refusal)
        stopped = staticmethod(check_stopped)
        tree = staticmethod(tree)

    return Check


def check_refusal(found: Outcome, code: int, says=()) -> None:
    sys.stdout.write(found.err)  # shown when the test fails
    assert found.code == code
    assert len(found.errors) == 1, found.err
    assert found.err.splitlines()[-1] == found.errors[0]
    assert "Traceback" not in found.err
    assert found.out == ""
    for word in [says] if isinstance(says, str) else says:
        assert word in found.errors[0]


@pytest.fixture(scope="session")
def grid():
    """Return `frame = grid(columns, rows)`: unit squares in metres with four variables."""
    import geopandas
    import shapely

    def make(columns=5, rows=5, crs="EPSG:32633"):
        x, y = (a.ravel().astype(float) for a in np.meshgrid(np.arange(columns), np.arange(rows)))
        rng = np.random.default_rng(7)
        n = columns * rows
        return geopandas.GeoDataFrame(
            {
                "name": [f"unit {i}" for i in range(n)],
                "a": rng.normal(size=n),
                "b": rng.normal(size=n),
                "pop": rng.integers(10, 100, n),
                "constant": np.ones(n),
            },
            geometry=shapely.box(500000 + 1000 * x, 1000 * y, 501000 + 1000 * x, 1000 * y + 1000),
            crs=crs,
        )

    return make


@pytest.fixture
def save(tmp_path):
    """Return `path = save(frame, "in.gpkg")`."""

    def write(frame, name="in.gpkg"):
        path = tmp_path / name
        if path.suffix == ".parquet":
            frame.to_parquet(path)
        else:
            with warnings.catch_warnings():
                # layers without a reference system are wanted too
                warnings.filterwarnings("ignore", "'crs' was not provided", UserWarning)
                frame.to_file(path, engine="pyogrio")
        return path

    return write


@pytest.fixture
def squares(grid, save):
    """Return a GeoPackage of 25 squares."""
    return save(grid())


@pytest.fixture
def read():
    """Return `frame = read(path)`, by another reader than ours."""
    import geopandas

    def load(path, **options):
        return (
            geopandas.read_parquet(path)
            if Path(path).suffix == ".parquet"
            else geopandas.read_file(path, **{"layer": 0, **options})  # beside it, a GeoPackage has styles
        )

    return load
