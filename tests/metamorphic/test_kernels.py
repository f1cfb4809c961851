"""Every kernel gives the same bits compiled and as plain Python, on what the methods themselves give it.

Wherever the package compiles a kernel, both are called here: the compiled one as ever, and the plain one on
copies of its arguments. What they return, and what they leave in the arrays that they fill, must be equal.
"""

from __future__ import annotations

import ast
import copy
import importlib
import pkgutil
from pathlib import Path

import numpy as np
import pytest
from country import asked, country

import regionalize as rz
from regionalize.kernels import compiler
from regionalize.measure.outline import open_edges
from regionalize.methods import lloyd, recombination
from regionalize.methods import maxp as maxp_module
from regionalize.model.catalog import METHODS

PACKAGE = Path(rz.__file__).parent
every_method = pytest.mark.parametrize("method", METHODS)

THRESHOLDS = (
    "COMPILED",
    "COMPILED_LINKS",
    "COMPILED_UNITS",
    "COMPILED_VERTICES",
    "COMPILED_WORK",
    "FEW_UNITS",
)
"""What modules call the size from which they compile."""
NOT_IN_MEMORY = {"add_gains", "add_rows_exactly", "nearest_rows", "update_centers"}
"""Kernels of rows in batches and in parts: tests/methods/test_minibatch.py, tests/run/dask/test_kmeans.py."""
SCRATCH = {"room_to_walk"}
"""Kernels that return nothing but memory to work in: of that, shapes are compared."""
SUMMED_BY_NUMPY = {"search_swaps", "find_central_unit"}
"""Kernels that return a sum which NumPy adds up in pairs and numba one by one: it agrees but for rounding."""
SINGLE_MOVES = [("azp", {"search": search}) for search in ("greedy", "annealing", "tabu")]
WAYS = [
    *((name, {}) for name in METHODS),
    *SINGLE_MOVES,
    ("kmeans", {"search": "starts", "n_init": 2}),
    ("kmeans", {"make_contiguous": True}),
    ("kmedians", {"distance": "euclidean"}),
    ("kmedoids", {"distance": "euclidean"}),
    *(("schc", {"linkage": linkage}) for linkage in ("single", "complete", "average")),
    *(("redcap", {"order": "first", "linkage": linkage}) for linkage in ("single", "average")),
    ("skater", {"min_size": 3}),
]
"""Methods with options that take them through kernels of their own."""


def modules():
    """Return the modules of the rooms where kernels may be called."""
    return [
        importlib.import_module(module.name)
        for room in ("kernels", "methods", "measure", "features", "weights", "run", "studies")
        for module in pkgutil.walk_packages([str(PACKAGE / room)], f"regionalize.{room}.")
    ]


def kernels_named():
    """Return the kernels that the package compiles, from its source: what `compiled(…)` names."""
    named = set()
    for path in PACKAGE.rglob("*.py"):
        if path.name == "compiler.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Name):
                continue
            function = node.func
            called = getattr(function, "id", getattr(function, "attr", ""))
            if called in {"compiled", "kernel"} and node.args[0].id != "kernel":  # `kernel`: those of Zoning
                named.add(node.args[0].id)
    return named


@pytest.fixture
def watched(monkeypatch):
    """Call every kernel twice, small layers too; return how often each was called."""
    calls = {}
    real, depth = compiler.compiled, []

    def compiled(kernel):
        if depth:  # a kernel that another one calls is compiled with it
            return real(kernel)
        depth.append(kernel)
        fast = real(kernel)
        depth.pop()

        def both(*arguments):
            again = copy.deepcopy(arguments)
            found, plain = fast(*arguments), kernel(*again)
            name = kernel.__name__
            calls[name] = calls.get(name, 0) + 1
            assert as_bytes(arguments) == as_bytes(again), name
            if name in SCRATCH:
                assert [part.shape for part in found] == [part.shape for part in plain]
            elif name in SUMMED_BY_NUMPY:
                assert np.asarray(found, float) == pytest.approx(np.asarray(plain, float), rel=1e-14), name
            else:
                assert as_bytes(found) == as_bytes(plain), name
            return found

        return both

    for module in modules():
        if getattr(module, "compiled", None) is real:
            monkeypatch.setattr(module, "compiled", compiled)
        for name in THRESHOLDS:
            if hasattr(module, name):
                monkeypatch.setattr(module, name, 0)
    monkeypatch.setattr("regionalize.methods.zoning.PLAIN_UNITS", 0)
    defaults = lloyd.Rows.__init__.__defaults__
    monkeypatch.setattr(lloyd.Rows.__init__, "__defaults__", (0, *defaults[1:]))
    monkeypatch.setattr(recombination, "MOST_TO_BOUNDS", 10)  # plain Python takes long
    monkeypatch.setattr(maxp_module, "UNITS_PACKED", (300, 300))
    return calls


def as_bytes(value):
    """Return what tells values apart to the last bit, whatever they are nested in."""
    if isinstance(value, np.ndarray):
        return value.shape, value.tobytes()
    if isinstance(value, tuple):
        return tuple(map(as_bytes, value))
    if callable(value):
        return None
    number = np.asarray(value)
    return number.astype(np.float64).tobytes()


def run(method, options, n=40):
    """Run a method shortly on a layer of n cells."""
    asked_for = {**asked(method, n, iterations=8), **options}
    if "k" in asked_for:
        asked_for["k"] = 4
    return rz.regionalize(country(n, 1), method, **asked_for).labels.to_numpy()


@pytest.mark.skipif(not compiler.compiles(), reason="there is no compiler, or it is switched off")
@pytest.mark.slow
def test_every_kernel_is_the_same_compiled(watched):
    for method, options in WAYS:
        run(method, options)
    open_edges(country(40, 1).geometry.to_numpy())  # those of outlines, which a report has of larger layers
    assert kernels_named() - watched.keys() == NOT_IN_MEMORY


@pytest.fixture
def without_compiler(monkeypatch):
    """Run as with NUMBA_DISABLE_JIT=1, which is what a machine without numba does."""
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    compiler.compiled.cache_clear()
    yield
    compiler.compiled.cache_clear()


@pytest.fixture(scope="module")
def with_compiler():
    """Labels of every method as it runs here, with a compiler."""
    assert compiler.compiles()
    return {method: run(method, {}, 60) for method in METHODS}


@pytest.mark.skipif(not compiler.compiles(), reason="there is no compiler, or it is switched off")
@every_method
def test_labels_without_a_compiler_are_the_same(method, with_compiler, without_compiler):
    assert not compiler.compiles()
    assert np.array_equal(run(method, {}, 60), with_compiler[method])
