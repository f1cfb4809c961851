"""The layers on each backend of Keras that is installed, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
BACKENDS = {
    "numpy": ["jax"],  # from which Keras takes some functions of that backend
    "jax": ["jax"],
    "torch": ["torch"],
    "tensorflow": ["tensorflow"],
}
CHECKS = sorted(str(path) for path in Path(__file__).parent.glob("check_*.py"))
QUIET = [
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning",  # Keras saving, NumPy 2
    "ignore::DeprecationWarning:tensorflow",
    "ignore::DeprecationWarning:torch",
]


FASTER_COMPILING = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
"""JAX compiles every operation for every shape, and runs each once: most of the time of these tests."""


def python(*words, home, **environment):
    """Run Python on this checkout, with a folder for what Keras writes about itself."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KERAS_", "PYTEST_"))}
    settings = {"PYTHONPATH": str(REPOSITORY), "KERAS_HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "3"}
    settings |= {"XLA_FLAGS": FASTER_COMPILING}
    return subprocess.run(
        [sys.executable, *words],
        cwd=REPOSITORY,
        env={**kept, **settings, **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_checks_and_examples(backend, tmp_path):
    for module in ["keras", *BACKENDS[backend]]:
        if find_spec(module) is None:
            pytest.skip(f"needs {module}, which is not installed here")
    quiet = [word for warning in QUIET for word in ("-W", warning)]
    options = [
        "-q",
        "-o",
        "addopts=",
        "-p",
        "no:cacheprovider",
        "--import-mode=importlib",
        "--doctest-modules",
    ]
    folders = [f"--basetemp={tmp_path / 'checks'}", *CHECKS, "regionalize/keras"]
    done = python("-m", "pytest", *options, *quiet, *folders, home=tmp_path, KERAS_BACKEND=backend)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


@pytest.mark.parametrize("statement", ["import regionalize", "import regionalize.cli.program"])
def test_keras_is_not_imported_by_anything_else(statement, tmp_path):
    done = python("-c", f"{statement}; import sys; print('keras' in sys.modules)", home=tmp_path)
    assert done.stdout == "False\n", done.stderr


BLOCKED = """
import sys
sys.modules["keras"] = None
import regionalize.keras
"""

OLD = """
import sys, types
sys.modules["keras"] = types.ModuleType("keras")
sys.modules["keras"].__version__ = "2.15.0"
import regionalize.keras
"""


@pytest.mark.parametrize(
    ("script", "words"), [(BLOCKED, "needs Keras 3:"), (OLD, "needs Keras 3, and this is 2.15.0:")]
)
def test_without_keras_the_message_says_what_to_install(script, words, tmp_path):
    done = python("-c", script, home=tmp_path)
    last = done.stderr.splitlines()[-1]
    assert last.endswith(f"Error: regionalize.keras {words} pip install 'regionalize[keras]'"), done.stderr


def test_without_a_backend_the_message_says_what_to_set(tmp_path):
    if find_spec("keras") is None:
        pytest.skip("needs keras, which is not installed here (regionalize[keras])")
    if find_spec("tensorflow") is not None:
        pytest.skip("tensorflow is installed, which Keras takes unless told")
    done = python("-c", "import regionalize.keras", home=tmp_path)
    assert "ImportError: Keras cannot load its backend" in done.stderr.splitlines()[-1]
    assert "KERAS_BACKEND=jax" in done.stderr
