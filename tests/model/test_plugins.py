"""Methods of other packages: found by their entry points, checked, and blamed for what they do wrong."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import replace

import numpy as np
import pytest

import regionalize as rz
from regionalize.cli.program import COMMANDS
from regionalize.errors import InfeasibleError, PluginError, UsageError
from regionalize.model import plugins
from regionalize.model.catalog import METHODS, OWN, find_method, package_of
from regionalize.model.method import Method, Param
from regionalize.model.weights import Weights
from regionalize.run.call import call

MODULE = """
from regionalize.model.method import Method, Param

SLICES = Method(
    name="slices",
    summary="Cut units in the order of one variable.",
    function="othermethods:slices",
    params=(Param("variable", int, 1, "Which variable.", minimum=1),),
    reference="nobody (2026)",
)
TOUCHING = Method("touching", "Whatever it is told.", "othermethods:touching", (), "nobody", contiguous=True)
HAZY = Method("hazy", "Noise.", "othermethods:hazy", (), "nobody", takes_k=False, noise=True, bounded=False)
ANSWER = None


def slices(X, k, *, variable=1, seed=0, bounds=(), jobs=None, progress=None, findings=None):
    import numpy as np

    print("a word to the wrong stream")
    findings.facts["seen"] = len(X)
    codes = np.empty(len(X), dtype=np.int64)
    codes[np.argsort(X[:, variable - 1], kind="stable")] = np.arange(len(X)) * k // len(X)
    return codes


def touching(X, k, **_):
    return ANSWER(X, k)


def hazy(X, k, **_):
    return ANSWER(X, k)
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return what installs a package: `installed("name", {"method": "module:attribute"}, module=source)`."""

    def install(name, points, **modules):
        folder = tmp_path / name
        about = folder / f"{name}-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = "".join(f"{key} = {value}\n" for key, value in points.items())
        (about / "entry_points.txt").write_text(f"[regionalize.methods]\n{lines}")
        for module, source in modules.items():
            (folder / f"{module}.py").write_text(textwrap.dedent(source))
            monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.syspath_prepend(folder)
        forget()
        return folder

    def forget():
        plugins.offered.cache_clear()
        plugins.tried.cache_clear()
        plugins.IMPORTED.clear()

    yield install
    monkeypatch.undo()
    forget()
    sys.modules.pop("othermethods", None)


@pytest.fixture
def other(installed):
    """Install one package of three methods, and return its module."""
    from importlib import import_module

    points = {name: f"othermethods:{name.upper()}" for name in ("slices", "touching", "hazy")}
    installed("other-methods", points, othermethods=MODULE)
    return import_module("othermethods")


def test_none_is_looked_for_where_the_name_is_ours(monkeypatch):
    def looked():
        raise AssertionError("packages were looked for")

    monkeypatch.setattr(plugins, "offered", looked)
    assert all(METHODS[name] is OWN[name] and name in METHODS and not package_of(name) for name in OWN)
    with pytest.raises(AssertionError, match="looked for"):
        list(METHODS)


def test_names_of_commands_are_known():
    assert set(COMMANDS) == plugins.COMMANDS


@pytest.mark.parametrize("row", OWN.values(), ids=OWN)
def test_our_own_rows_pass(row):
    plugins.check_row(row, row.name)


def test_a_method_of_another_package_is_one_of_the_catalog(other):
    assert list(METHODS) == [*OWN, "hazy", "slices", "touching"]
    assert len(METHODS) == len(OWN) + 3
    assert find_method("slices").load() is other.slices
    assert package_of("slices") == "other-methods 1.0"
    with pytest.raises(UsageError, match="did you mean 'slices'"):
        find_method("slice")
    X = np.array([[3.0], [1.0], [2.0], [4.0]])
    assert rz.Regionalizer("slices", n_clusters=2).fit_predict(X).tolist() == [0, 1, 1, 0]


def test_what_it_prints_and_finds_stays_apart(other, capsys):
    from regionalize.model.findings import Findings

    findings = Findings()
    call(find_method("slices"), np.zeros((4, 1)), 2, findings=findings)
    assert findings.facts == {"facts": {"seen": 4}}
    said = capsys.readouterr()
    assert said.out == ""
    assert "wrong stream" in said.err


BAD_ROWS = {
    "no row": ("3", "names a int, not a Method"),
    "another name": ("replace(ROW, name='else')", "called 'else'"),
    "function": ("replace(ROW, function='x')", "not 'module:function'"),
    "summary": ("replace(ROW, summary=None)", "summary is not text"),
    "flag": ("replace(ROW, contiguous='yes')", "contiguous is not True or False"),
    "center": ("replace(ROW, center='mode')", "center is 'mode'"),
    "params": ("replace(ROW, params=['a'])", "not a tuple of Param"),
    "option name": ("replace(ROW, params=(Param('a b', int, 1, 'x'),))", "called 'a b'"),
    "option twice": ("replace(ROW, params=(Param('a', int, 1, 'x'),) * 2)", "called 'a'"),
    "shared option": ("replace(ROW, params=(Param('columns', int, 1, 'x'),))", "one of regionalize's own"),
    "argument": ("replace(ROW, params=(Param('findings', int, 1, 'x'),))", "one of regionalize's own"),
    "typed": ("replace(ROW, params=(Param('a', int, 1, 'x', typed='where'),))", "one of regionalize's own"),
    "of batch": ("replace(ROW, params=(Param('by', int, 1, 'x'),))", "option --by is called as one"),
    "of its table": ("replace(ROW, params=(Param('out_dir', str, None, 'x'),))", "option --out-dir is"),
    "switched off": ("replace(ROW, params=(Param('no_qml', int, 1, 'x'),))", "option --no-qml is called"),
    "kind": ("replace(ROW, params=(Param('a', list, 1, 'x'),))", "no kind"),
    "words": ("replace(ROW, params=(Param('a', ('x', 'y'), 'z', 'x'),))", "none of its words"),
    "help": ("replace(ROW, params=(Param('a', int, 1, ''),))", "no help"),
    "only with": ("replace(ROW, params=(Param('a', int, 1, 'x', only_with=('b', 1)),))", "there is not"),
    "start": ("replace(ROW, takes_start=True)", "no option called 'start'"),
    "place of k": ("replace(ROW, instead_of_k='cut')", "no option called 'cut'"),
}


@pytest.mark.parametrize(("row", "says"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_refused_by_name(row, says, installed):
    source = f"""
        from dataclasses import replace
        from regionalize.model.method import Method, Param
        ROW = Method("near", "x", "m:f", (), "x")
        BAD = {row}
    """
    installed("bad-rows", {"near": "badrows:BAD"}, badrows=source)
    assert "near" not in list(METHODS)
    with pytest.raises(PluginError, match=r"package bad-rows 1\.0 cannot be used") as caught:
        find_method("near")
    assert says in str(caught.value)
    assert "pip uninstall bad-rows" in str(caught.value)
    assert says in plugins.faults()["near"]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import not_there_at_all", "No module named 'not_there_at_all'"),
        ("1 / 0", "division by zero (ZeroDivisionError)"),
        ("raise SystemExit(3)", "SystemExit"),
        ("raise ValueError('much' * 100_000)", "muchmuchmuch"),
        ("def broken(:", "SyntaxError"),
        ("", "ROW"),
    ],
)
def test_a_package_that_cannot_be_imported_breaks_nothing(source, says, installed, cli_like):
    installed("broken-methods", {"near": "brokenmethods:ROW"}, brokenmethods=source)
    code, out, err = cli_like("kmeans", "--k", "3")
    assert code == 0, err
    code, out, err = cli_like("--help")
    assert code == 0
    assert len(out) < 6000
    assert "Methods that cannot be used" in out
    assert "(broken-methods1.0)" in "".join(out.split())
    code, out, err = cli_like("near", "--k", "3")
    assert code == 1
    assert out == ""
    assert "Traceback" not in err
    assert says in err
    assert err.count("error: ") == 1
    assert len(err) < 700


@pytest.fixture
def cli_like(capsys):
    from regionalize.cli.program import run_program

    def run(*args):
        capsys.readouterr()
        code = run_program(["-q", *args])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.mark.parametrize("name", ["kmeans", "map", "choose-k"])
def test_names_that_are_taken_stay_ours(name, installed, cli_like):
    installed("thief", {name: "othermethods:SLICES"}, othermethods=MODULE)
    assert (name in METHODS) == (name in OWN)
    assert find_method("kmeans") is OWN["kmeans"]
    assert "already" in plugins.faults()[name]
    code, out, _ = cli_like(name, "--help")
    assert code == 0
    assert "thief" not in out


def test_two_packages_of_one_name_are_both_named(installed):
    installed("first", {"slices": "othermethods:SLICES"}, othermethods=MODULE)
    installed("second", {"slices": "othermethods:SLICES"})
    with pytest.raises(PluginError, match="both offer it") as caught:
        find_method("slices")
    assert "first 1.0" in str(caught.value)
    assert "second 1.0" in str(caught.value)


USES = """
import {module}
from regionalize.model.method import Method

NEAR = Method("near", "x", "near_methods:near", (), "x", bounded=False)


def near(X, k, **_):
    import numba
    import numpy as np
    import pandas
    from pyarrow import Table

    dot = numba.njit(lambda a, b: np.dot(a, b))
    assert dot(np.ones(2), np.ones(2)) == 2  # needs SciPy's linear algebra
    assert len(Table.from_pandas(pandas.DataFrame(X))) == len(X)
    return pandas.qcut(pandas.Series(X[:, 0]).rank(method="first"), k, labels=False).to_numpy()
"""


@pytest.mark.parametrize("module", ["pandas", "geopandas", "libpysal"])
def test_one_that_uses_what_the_command_line_does_without(module, installed, tmp_path):
    """In a process of its own, in which pandas is refused to whoever would only import it in passing."""
    import os
    import subprocess
    from pathlib import Path

    pytest.importorskip(module, reason="not installed here, and nothing of ours needs it")
    folder = installed("near-methods", {"near": "near_methods:NEAR"}, near_methods=USES.format(module=module))
    paths = os.pathsep.join([str(folder), str(Path(rz.__file__).parents[1])])
    for line in (
        ["near", "--k", "3", "-o", "near.gpkg"],
        ["batch", "near.gpkg", "--method", "near", "--k", "2", "--label-column", "two", "--out-dir", "out"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "regionalize", "-q", *line],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout


def test_one_that_interrupts_does_not_end_a_listing(installed, cli_like):
    installed("rude-methods", {"near": "rudemethods:ROW"}, rudemethods="raise KeyboardInterrupt")
    code, out, err = cli_like("--help")
    assert code == 0
    assert err == ""
    assert "(KeyboardInterrupt)" in out
    assert cli_like("kmean")[2] == "error: there is no command 'kmean'; did you mean 'kmeans'?\n"
    assert cli_like("near", "--k", "3")[0] == 130  # as is right where the user did it


def test_every_name_that_commands_and_calls_have_is_reserved():
    """An option of a method joins those of whatever runs it."""
    import inspect

    import click

    from regionalize.cli.program import program

    def names(param):
        words = (*param.opts, *param.secondary_opts)
        return {param.name, *(word.lstrip("-").replace("-", "_") for word in words)}

    context = click.Context(program)
    ours = {name for row in OWN.values() for one in row.params for name in (one.name, one.typed)}
    calls = (rz.regionalize, rz.Regionalizer, rz.batch, rz.choose_k, rz.compare, rz.stability)
    taken = {name for call in calls for name in inspect.signature(call).parameters}
    for name in (*OWN, "batch", "choose-k", "compare", "stability"):
        for param in program.get_command(context, name).params:
            taken |= names(param)
    for param in program.params:
        taken |= names(param)
    assert len(taken) > 80
    assert {name for name in taken if len(name) > 1} <= plugins.RESERVED | ours


def path(n):
    return Weights.from_links(n, np.arange(n - 1), np.arange(1, n), kind="path")


WRONG = {
    "too short": (lambda X, k: np.zeros(3, int), "shape (3,) for 6 rows"),
    "floats": (lambda X, k: np.zeros(len(X)), "float64, not whole numbers"),
    "truth": (lambda X, k: np.zeros(len(X), bool), "bool, not whole numbers"),
    "nothing": (lambda X, k: None, "shape ()"),
    "text": (lambda X, k: ["a"] * len(X), "not whole numbers"),
    "below 0": (lambda X, k: np.arange(len(X)) % k - 1, "returned -1"),
    "too few": (lambda X, k: np.zeros(len(X), int), "1 regions were made, not 2"),
    "too many": (lambda X, k: np.arange(len(X)), "6 regions were made, not 2"),
    "pieces": (lambda X, k: np.arange(len(X)) % 2, "pieces"),
    "changed X": (lambda X, k: X.fill(0), "read-only"),
    "a bug": (lambda X, k: X["a"], "IndexError"),
    "an exit": (lambda X, k: sys.exit(3), "SystemExit"),
}


@pytest.mark.parametrize(("answer", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_with_the_package(answer, says, other):
    other.ANSWER = answer
    X = np.arange(12.0).reshape(6, 2)
    before = X.copy()
    with pytest.raises(PluginError, match=r"method 'touching' of package other-methods 1\.0") as caught:
        call(find_method("touching"), X, 2, weights=path(6))
    assert says in str(caught.value)
    assert np.array_equal(X, before)
    assert X.flags.writeable


def test_a_right_answer_passes_whatever_numbers_it_uses(other):
    for codes in ([0, 0, 1, 1, 1, 1], np.array([7, 7, 7, 2, 2, 2], np.int8)):
        other.ANSWER = lambda X, k, codes=codes: codes
        found = call(find_method("touching"), np.zeros((6, 1)), 2, weights=path(6))
        assert found.dtype == np.int64
        assert found.tolist() == list(codes)


def test_what_cannot_be_is_refused_before_it_is_asked(other):
    other.ANSWER = lambda X, k: pytest.fail("it was asked")
    apart = Weights.from_links(6, np.array([0, 3]), np.array([1, 4]), kind="pairs")
    with pytest.raises(InfeasibleError, match="4 components"):
        call(find_method("touching"), np.zeros((6, 1)), 2, weights=apart)
    with pytest.raises(UsageError, match="only 6 rows"):
        call(find_method("slices"), np.zeros((6, 1)), 7)


def test_its_own_refusals_are_passed_on(other):
    def refuse(X, k):
        raise InfeasibleError("it cannot be", advice="try another")

    other.ANSWER = refuse
    with pytest.raises(InfeasibleError, match="it cannot be; try another"):
        call(find_method("touching"), np.zeros((6, 1)), 2, weights=path(6))


def test_noise_of_another_package(other, cli_like):
    other.ANSWER = lambda X, k: np.where(np.arange(len(X)) < 3, -1, 0)
    code, out, err = cli_like("hazy")
    assert code == 0, err
    assert "3 units are noise" in out
    other.ANSWER = lambda X, k: np.full(len(X), -1)
    code, out, err = cli_like("hazy")
    assert code == 1
    assert "every unit is noise" in err


def test_bounds_are_held_to(other, cli_like):
    given = ("slices", "--k", "5", "--columns", "tot_pop")  # cut by population, the first slice has least
    code, _, err = cli_like(*given, "--min-bound", "tot_pop=15%")
    assert code == 1
    assert "package other-methods 1.0 gave a wrong answer: region" in err
    assert cli_like(*given, "--min-size", "31")[0] == 0


class TestCheckMethod:
    ROW = Method("slices", "x", "othermethods:slices", (Param("variable", int, 1, "x", minimum=1),), "x")

    @pytest.mark.parametrize("name", ["kmedoids", "skater", "schc", "redcap", "hierarchical", "hdbscan"])
    def test_ours_pass(self, name):
        rz.check_method(name)

    def test_another_passes(self, other):
        rz.check_method("slices")
        rz.check_method(self.ROW)

    def test_another_default(self, other):
        with pytest.raises(PluginError, match="variable is 2 in its row, and 1 in its function"):
            rz.check_method(replace(self.ROW, params=(Param("variable", int, 2, "x"),)))

    def test_an_option_that_the_function_lacks(self, other):
        with pytest.raises(PluginError, match="does not take 'more'"):
            rz.check_method(replace(self.ROW, params=(Param("more", int, 2, "x"),)))

    def test_regions_that_are_not_contiguous(self, other):
        other.slices = lambda X, k, variable=1, **_: np.arange(len(X)) % k
        with pytest.raises(PluginError, match="pieces"):
            rz.check_method(replace(self.ROW, contiguous=True))

    def test_another_answer_every_time(self, other):
        turn = iter(range(100))
        other.slices = lambda X, k, variable=1, **_: np.roll(np.arange(len(X)) % k, next(turn))
        with pytest.raises(PluginError, match="when it is called again"):
            rz.check_method(self.ROW)
