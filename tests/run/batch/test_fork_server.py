"""A process that forks others: what they run, how they end, and what becomes of it without the server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from regionalize.model import plugins
from regionalize.run.batch import fork_server as module
from regionalize.run.batch.fork_server import ForkServer, fork_server
from regionalize.run.batch.forking import UNKNOWN
from regionalize.run.batch.processes import Worker, WorkerDiedError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")


@pytest.fixture(scope="module")
def server():
    """Return a server that loads."""
    with fork_server() as server:
        assert server is not None
        yield server


@pytest.fixture
def light(monkeypatch):
    """Return a server of its own that loads nothing, so that it may be ended."""
    monkeypatch.setattr(
        module,
        "SERVE",
        f"import regionalize.run.batch.fork_server as it; it.ROOMS = it.LIBRARIES = (); {module.SERVE}",
    )
    with fork_server() as server:
        yield server


def said_by(server, code):
    """Return what a forked process prints, and its exit code."""
    process = server.fork(code)
    process.stdin.close()
    with process.stdout:
        return process.stdout.read().decode(), process.wait(30)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("pass", 0),
        ("raise SystemExit(3)", 3),
        ("raise SystemExit('why')", 1),
        ("raise SystemExit", 0),
        ("1 / 0", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ],
)
def test_how_it_ended(server, code, expected):
    assert said_by(server, code) == ("", expected)


def test_libraries_are_loaded_and_the_compiler_is_not(server):
    code = "import sys; sys.__stdout__.write(' '.join(sys.modules)); sys.__stdout__.flush()"
    names, _ = said_by(server, code)
    loaded = {name.partition(".")[0] for name in names.split()}
    assert {"numpy", "pyarrow", "pyogrio", "pyproj", "shapely"} <= loaded
    assert not loaded & {"numba", "scipy", "pandas", "geopandas", "matplotlib", "dask"}
    assert "regionalize.methods.kmeans" in names.split()


def test_gdal_is_closed_off_once_for_all(server):
    """Drivers that read more than plain files are gone already, and none is registered again."""
    code = """
import sys
from pyogrio import _ogr, list_drivers
from regionalize.io.gdal_closed import PLAIN_FILES
from regionalize.io.read import read_layer
def again(): raise AssertionError
_ogr._register_drivers = again
said = len(read_layer(None)), set(list_drivers()) <= PLAIN_FILES
sys.__stdout__.write(str(said)); sys.__stdout__.flush()
"""
    assert said_by(server, code) == ("(159, True)", 0)


def test_one_that_has_not_ended(server):
    process = server.fork("import sys; sys.stdin.read()")
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.05)
    process.stdin.close()
    process.stdout.close()
    assert process.wait(30) == 0
    assert process.poll() == 0
    process.kill()  # of another that has its number by now: nothing


@pytest.mark.parametrize(("end", "code"), [("terminate", -signal.SIGTERM), ("kill", -signal.SIGKILL)])
def test_ended_from_outside(server, end, code):
    process = server.fork("import sys; sys.stdin.read()")
    getattr(process, end)()
    assert process.wait(30) == code
    process.stdin.close()
    process.stdout.close()


def test_nothing_of_one_is_open_in_another(server):
    """So that each sees the end of its input when whoever writes there is gone."""
    first = server.fork("import sys; sys.stdin.read()")
    code = "import os; print(*sorted(os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd')"
    code += " if os.path.exists(f'/proc/self/fd/{n}')))"
    second, _ = said_by(server, code)
    assert second.count("pipe:") <= 3  # its own two, and standard error
    assert "socket:" not in second
    first.stdin.close()
    first.stdout.close()
    assert first.wait(30) == 0


def test_a_worker_is_started_where_the_server_has_ended(light):
    light.end()
    assert light.fork("pass") is None
    worker = Worker(1, light)
    assert isinstance(worker.process, subprocess.Popen)
    worker.begin()
    assert worker.dismiss() == 0


def test_a_worker_goes_on_without_its_server(light):
    worker = Worker(1, light)
    worker.begin()
    light.end()
    assert worker.process.poll() is None
    assert worker.dismiss() == UNKNOWN


def test_a_worker_that_dies_is_told_how(light):
    worker = Worker(1, light)
    worker.begin()
    os.kill(worker.process.pid, signal.SIGKILL)
    with pytest.raises(WorkerDiedError, match="SIGKILL"):
        worker.begin()


def test_a_server_that_cannot_load(monkeypatch):
    monkeypatch.setattr(module, "SERVE", "raise SystemExit(1)")
    with fork_server() as server:
        assert server.fork("pass") is None


@pytest.mark.parametrize("load", ["1 / 0", "None"], ids=["while it loads", "when asked"])
def test_a_server_that_ends_says_nothing(load, monkeypatch, capfd):
    """Workers are started one by one then."""
    fails = "def scarce(*_): raise MemoryError"
    code = f"{fails}\nimport regionalize.run.batch.fork_server as it; it.forked = scarce\n"
    monkeypatch.setattr(module, "SERVE", f"exec({code!r}); it.load = lambda: {load}; it.serve()")
    with fork_server() as server:
        assert server.fork("pass") is None
        assert server.process.wait(60) == 1
    assert capfd.readouterr().err == ""


def test_one_without_memory_says_nothing(server, capfd):
    assert said_by(server, "raise MemoryError") == ("", 1)
    assert capfd.readouterr().err == ""


def test_no_more_processes(monkeypatch):
    def none(*given, **more):
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(module, "start_python", none)
    with fork_server() as server:
        assert server is None


def test_nothing_is_loaded_before_a_method_of_another_package(monkeypatch):
    """It may need what is passed off as not installed (`regionalize.run.absent`)."""
    monkeypatch.setattr(plugins, "IMPORTED", {"one"})
    with fork_server() as server:
        assert server is None


def test_the_server_ends_with_whoever_started_it(tmp_path):
    code = (
        "import sys, time\n"
        "from regionalize.run.batch.fork_server import ForkServer\n"
        "print(ForkServer().process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        pid = int(process.stdout.readline())
        process.kill()
    limit = time.monotonic() + 60
    while is_there(pid):
        assert time.monotonic() < limit
        time.sleep(0.02)


def is_there(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_script_is_run_once(layers, tmp_path):
    """No process imports it again, as those of `multiprocessing` do."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, regionalize as rz\n"
        "print('once')\n"
        "found = rz.batch(sys.argv[1:], 'kmeans', k=3, columns='a,b', jobs=2)\n"
        "print([one.status for one in found.items])\n"
    )
    inputs = [str(layers(seed)) for seed in range(2)]
    done = subprocess.run(
        [sys.executable, script, *inputs], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "once\n['done', 'done']\n"


def test_many_wait_for_one(light):
    assert isinstance(light, ForkServer)
    found = [light.fork("import time; time.sleep(0.1)") for _ in range(5)]
    assert [one.wait(30) for one in found for _ in range(2)] == [0] * 10
    for one in found:
        one.stdin.close()
        one.stdout.close()
