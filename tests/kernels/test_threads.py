"""How many threads there may be, and libraries held to that."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
import threadpoolctl
from threadpoolctl import threadpool_info

from regionalize.kernels import threads as module
from regionalize.kernels.threads import LINEAR_ALGEBRA, at_most, one_blas_thread, processors, threads


@pytest.mark.parametrize(
    ("text", "expected"), [("max 100000", 6), ("150000 100000", 2), ("50000 100000", 1), ("garbage", 6)]
)
def test_processors_are_those_of_the_process_and_of_its_control_group(monkeypatch, tmp_path, text, expected):
    monkeypatch.setattr(os, "sched_getaffinity", {0: set(range(6))}.__getitem__, raising=False)
    monkeypatch.setattr(module, "GROUP", tmp_path / "cpu.max")
    assert processors() == 6
    (tmp_path / "cpu.max").write_text(text + "\n")
    assert processors() == expected
    assert threads() == expected


def blas():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_libraries_are_held_inside_and_as_before_afterwards():
    before = pa.cpu_count(), blas()
    with at_most(3):
        assert (threads(), threads(1), pa.cpu_count(), blas()) == (3, 1, 3, {1})
        with at_most(None):
            assert (threads(), pa.cpu_count()) == (3, 3)
        with pytest.raises(KeyError), at_most(2):
            {}[threads(), pa.cpu_count()]
        assert (threads(), pa.cpu_count(), blas()) == (3, 3, {1})
    assert (pa.cpu_count(), blas()) == before
    assert threads() == processors()


def test_a_library_that_is_loaded_later_is_held_too(tmp_path):
    """SciPy brings linear algebra of its own, which a run may load after another began."""
    script = (
        "import numpy, sys\n"
        "from threadpoolctl import threadpool_info\n"
        "from regionalize.kernels.threads import at_most, one_blas_thread\n"
        "def blas(): return [one['num_threads'] for one in threadpool_info() if one['user_api'] == 'blas']\n"
        "with at_most(2):\n"
        "    assert blas() == [1]\n"
        "    import scipy.linalg\n"
        "    print(sorted(blas()))\n"
        "    with one_blas_thread(): print(blas())\n"
        "    print(sorted(blas()))\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in LINEAR_ALGEBRA}
    environment |= {"OPENBLAS_NUM_THREADS": "2", "PYTHONPATH": str(Path(module.__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["[1, 2]", "[1, 1]", "[1, 2]"]


def test_libraries_are_looked_for_once(monkeypatch):
    with one_blas_thread():
        pass
    monkeypatch.setattr(threadpoolctl.ThreadpoolController, "_load_libraries", None)
    with at_most(1), one_blas_thread(), at_most(2):
        assert threads() == 2


def test_what_one_run_may_take_is_nothing_to_another_beside_it():
    with at_most(1), ThreadPoolExecutor(1) as pool:
        assert pool.submit(threads).result() == processors()


def test_a_process_of_our_own_begins_with_one_thread_unless_the_environment_says():
    """The command line sets it before NumPy is loaded, and does not load it for that."""
    script = (
        "import sys, os\n"
        "from regionalize.kernels.threads import start_with_few, LINEAR_ALGEBRA\n"
        "start_with_few()\n"
        "assert 'numpy' not in sys.modules\n"
        "import numpy, threadpoolctl\n"
        "print([os.environ[name] for name in LINEAR_ALGEBRA])\n"
        "print([one['num_threads'] for one in threadpoolctl.threadpool_info()])\n"
    )
    clean = {name: value for name, value in os.environ.items() if name not in LINEAR_ALGEBRA}

    def said(**environment):
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**clean, "PYTHONPATH": str(Path(module.__file__).parents[2]), **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    assert said() == [str(["1"] * len(LINEAR_ALGEBRA)), "[1]"]
    assert said(OPENBLAS_NUM_THREADS="2")[0] == str(["2", *["1"] * (len(LINEAR_ALGEBRA) - 1)])
