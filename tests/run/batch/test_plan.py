"""Plans: what is read from them, and what is refused."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from regionalize.errors import RegionalizeError, UsageError
from regionalize.model.catalog import METHODS
from regionalize.run.batch.items_of_plan import make_batch
from regionalize.run.batch.plan import Plan, Runs, read_plan, read_runs
from regionalize.run.batch.plan_values import keys_of
from regionalize.run.batch.variants import spell_out


@pytest.fixture
def plan(tmp_path):
    """Write a plan and return its name."""

    def write(text: str, name: str = "plan.toml") -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


def jobs(file: str, **typed):
    """Return the settings of all runs of a plan."""
    return [one.job for one in spell_out(read_plan(file), typed)[0]]


def test_every_combination_of_a_grid_is_a_run(plan):
    file = plan(
        """
        transform = "mad"
        [[run]]
        method = "kmeans"
        grid = {k = [8, 12], "with-centroids" = [false, true]}
        [[run]]
        method = "schc"
        k = 5
        [run.grid]
        linkage = ["ward", "average"]
        """
    )
    found = [(job.method, job.k, job.with_centroids, job.params.get("linkage")) for job in jobs(file)]
    assert found == [
        *(("kmeans", k, centroids, None) for k in (8, 12) for centroids in (False, True)),
        ("schc", 5, False, "ward"),
        ("schc", 5, False, "average"),
    ]
    assert {job.transform for job in jobs(file)} == {"mad"}


def test_labels_tell_what_varies(plan):
    file = plan(
        """
        seed = 7
        [[run]]
        method = "kmeans"
        grid = {k = [8, 12]}
        [[run]]
        method = "skater"
        k = 8
        [[run]]
        name = "compact"
        method = "azp"
        grid = {k = [4], compactness = [0.25, 0.5]}
        [[run]]
        name = "plain"
        method = "azp"
        k = 4
        """
    )
    labels = [one.label for one in spell_out(read_plan(file), {})[0]]
    assert labels == [
        "kmeans-k8",
        "kmeans-k12",
        "skater",
        "compact-k4-compactness-0.25",
        "compact-k4-compactness-0.5",
        "plain",
    ]


def labels(file: str) -> list[str]:
    return [one.label for one in spell_out(read_plan(file), {})[0]]


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("k", (3, 4)),
        ("hops", (0, 1)),
        ("transform", ("z", "mad")),
        ("with-centroids", (False, True)),
        ("n-init", (1, 2)),
        ("method", ("kmeans", "kmedians")),
    ],
)
def test_a_grid_that_grows_keeps_the_names_of_its_runs(key, values):
    """What is done is found again by --resume, and nothing is left over under an old name."""
    beside = {"method": "kmeans", "k": 3}
    beside.pop(key, None)
    alone, grown = (
        [
            one.label
            for one in spell_out(Plan(runs=(read_runs({**beside, "grid": {key: list(some)}}, ""),)), {})[0]
        ]
        for some in (values[:1], values)
    )
    assert alone == grown[:1]
    assert len(set(grown)) == 2


def test_what_one_method_varies_names_no_runs_of_another(plan):
    text = """
        k = 3
        [[run]]
        method = "kmeans"
        grid = {transform = ["z", "mad"]}
        [[run]]
        method = "skater"
        """
    assert labels(plan(text)) == ["kmeans-transform-z", "kmeans-transform-mad", "skater"]


def test_numbers_of_regions_that_nest_are_all_named(plan):
    text = '[[run]]\nmethod = "schc"\ngrid = {k = [[3, 6], [4, 6]]}'
    assert labels(plan(text)) == ["k3-6", "k4-6"]


def test_a_single_run_needs_no_label(plan):
    assert spell_out(read_plan(plan('method = "kmeans"\nk = 4')), {})[0][0].label == ""


def test_methods_pass_over_shared_options_that_are_not_theirs(plan):
    file = plan(
        'k = 6\nlinkage = "average"\nmethod = ["schc", "kmeans", "maxp:min-size=10", "dbscan"]\neps = 1.0'
    )
    found = {job.method: job for job in jobs(file)}
    assert found["schc"].params == {"linkage": "average"}
    assert found["kmeans"].k == 6
    assert found["maxp"].k is None
    assert found["dbscan"].params == {"eps": 1.0}


def test_what_is_typed_wins_and_ends_a_grid(plan):
    file = plan('[[run]]\nmethod = "kmeans"\nhops = 1\ngrid = {k = [8, 12], alpha = [0.2, 0.4]}')
    found, merged = spell_out(read_plan(file), {"k": 3, "hops": 2})
    assert [(one.job.k, one.job.hops, one.job.alpha) for one in found] == [(3, 2, 0.2), (3, 2, 0.4)]
    assert merged == 0


def test_equal_combinations_are_run_once(plan):
    file = plan('[[run]]\nmethod = "kmeans"\nk = 4\n[[run]]\nmethod = "kmeans"\ngrid = {k = [4, 5, 4]}')
    found, merged = spell_out(read_plan(file), {})
    assert [one.job.k for one in found] == [4, 5]
    assert merged == 2


def test_paths_start_from_the_folder_of_the_plan(tmp_path, monkeypatch):
    (tmp_path / "plans").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.gpkg").touch()
    text = """
        inputs = ["../data/*.gpkg"]
        out-dir = "out"
        summary = "../all.csv"
        method = "kmeans"
        k = 3
        weights = "w.gal"
        map = "maps/{name}.png"
        """
    (tmp_path / "plans" / "plan.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    batch = make_batch(read_plan("plans/plan.toml"))
    (item,) = batch.items
    assert Path(item.source) == Path("data/a.gpkg")
    assert Path(item.job.weights) == Path("plans/w.gal")
    assert item.outputs.output == Path("plans/out/a.gpkg")
    assert item.outputs.map == Path("plans/out/maps/a.png")
    assert batch.summary == Path("all.csv")


def test_inputs_have_options_of_their_own(tmp_path, plan):
    for name in ("a.gpkg", "b.gpkg"):
        (tmp_path / name).touch()
    file = plan(
        """
        inputs = ["*.gpkg"]
        where = "pop > 1"
        out-dir = "out"
        [[input]]
        path = "a.gpkg"
        name = "rich"
        where = "income > 10"
        id = "code"
        [[run]]
        method = "kmeans"
        k = 3
        [[run]]
        name = "few"
        method = "kmeans"
        k = 3
        where = "few = 1"
        """
    )
    found = {item.name: (item.job.where, item.job.id) for item in make_batch(read_plan(file)).items}
    assert found == {
        "a": ("pop > 1", None),
        "a-few": ("few = 1", None),
        "b": ("pop > 1", None),
        "b-few": ("few = 1", None),
        "rich": ("income > 10", "code"),
        "rich-few": ("(few = 1) AND (income > 10)", "code"),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kk = 3\nmethod = 'kmeans'", "unknown key 'kk'; did you mean 'k'?"),
        ("outdir = 'x'", "did you mean 'out-dir'"),
        ("inputs = [1]", "inputs is 1; it takes text, or a list of texts"),
        ("input = 'a.gpkg'", "[[input]]"),
        ("[input]\npath = 'a'", "in double brackets"),
        ("[[input]]\nname = 'a'", "input 1: there is no path"),
        ("[[input]]\npath = 'a'\nlayers = 'b'", "input 1: unknown key 'layers'; did you mean 'layer'?"),
        ("[[run]]\nmethod = 'kmean'", "run 1: there is no method 'kmean'; did you mean 'kmeans'?"),
        ("[[run]]\nmethod = 'kmeans'\nk = 3\n[[run]]\nmethod = 'kmeans'\nkk = 3", "run 2: unknown key 'kk'"),
        (
            "[[run]]\nmethod = 'kmeans'\nlinkage = 'ward'",
            "run 1: 'linkage' is no option of kmeans; it belongs to",
        ),
        ("method = 'kmeans'\nk = '3'", "k is '3'; it takes a whole number"),
        (
            "method = 'kmeans'\nk = [3, 4]",
            "k is [3, 4]; it takes a whole number; for a run with each, write grid",
        ),
        ("method = 'kmeans'\nk = [3, 'a']", "k is [3, 'a']; it takes a whole number"),
        ("method = 'kmeans'\nk = true", "k is true; it takes a whole number"),
        ("method = 'kmeans'\nk = 3\nwith-centroids = 1", "with-centroids is 1; it takes true or false"),
        ("method = 'kmeans'\nk = 3\ncolumns = 5", "columns is 5; it takes text, or a list of texts"),
        ("method = 'kmeans'\nk = 3\nalpha = 'a'", "alpha is 'a'; it takes a number"),
        ("method = 'kmeans'\nk = 3\nmap = 1", "map is 1; it takes text"),
        ("method = 'kmeans'\nk = 3\nn-init = 1.5", "n-init is 1.5; it takes a whole number"),
        ("method = 'kmeans'\nk = 0", "--k is 0"),
        ("method = 'kmeans'\nk = 3\ntransform = 'x'", "must be one of"),
        ("method = 'kmeans'", "the number of clusters is missing"),
        ("k = 3", "no method is named"),
        ("[[run]]\nmethods = 'kmeans'\nk = 3", "unknown key 'methods'; did you mean 'method'"),
        (
            "[[run]]\ninput = 'a'\nmethod = 'kmeans'",
            "run 1: 'input' is for all runs alike; write it at the top",
        ),
        ("[[run]]\nmethod = 'kmeans'\nout_dir = 'a'", "run 1: 'out-dir' is for all runs alike"),
        ("[[run]]\nmethod = 'kmeans'\ngrid = {jobs = [1]}", "run 1: 'jobs' is for all runs alike"),
        ("jobs = 'many'\nmethod = 'kmeans'\nk = 3", "jobs is 'many'"),
        ("jobs = 0\nmethod = 'kmeans'\nk = 3", "--jobs is 0"),
        ("fail-fast = true\nkeep-going = true", "are one option"),
        ("[[run]]\nmethod = 'kmeans'\ngrid = {k = []}", "run 1: grid.k is []; it takes a list"),
        ("[[run]]\nmethod = 'kmeans'\nk = 3\ngrid = {k = [1]}", "k is in the grid and beside it"),
        ("[[run]]\nmethod = 'kmeans'\ngrid = {k = ['a']}", "k is 'a'"),
        ("[[run]]\nmethod = 'kmeans'\ngrid = {kk = [1]}", "unknown key 'kk'"),
        ("[[run]]\nmethod = 'skater'\nk = 3\nmake-contiguous = true", "no option of skater"),
        ("method = 'kmeans'\nk = 3\nby = 3", "by is 3; it takes text"),
        ("a = ", "is not TOML"),
        ("method = 'kmeans'\nk = 3\ninputs = []", "inputs is empty"),
        ("out-dir = 'a'\nout_dir = 'b'", "'out-dir' and 'out_dir' are one option; keep one of them"),
        (
            "[[run]]\nmethod = 'kmeans'\nk = 3\ngrid = {n-init = [3], n_init = [4, 5]}",
            "run 1: 'n-init' and 'n_init' are one option",
        ),
        ("[[run]]\nmethod = 'kmeans'\nk = 3\nn-init = 1\nn_init = 2", "are one option"),
        ("[[input]]\npath = 'a'\nname = 'b'\nNAME = 'c'", "input 1: unknown key 'NAME'"),
        (
            "method = 'hierarchical'\nk = 3\nlinkage = 'a.npy'\nsave-linkage = 'b.npy'",
            "'linkage' and 'save-linkage' are one option",
        ),
        ("[[run]]\nmethod = 'kmeans'\nk = 3\ngrid = 3", "run 1: grid is 3; it takes a table of lists"),
        ("[batch]\nmethod = 'kmeans'", "[batch] is a table of a configuration, which is no plan"),
        ("[kmeans]\nk = 3", "[kmeans] is a table of a configuration"),
        ('inputs = "a\\u0000.gpkg"', "inputs holds the character of code 0"),
        ('[[run]]\noutput = "a\\u0000.gpkg"', "run.output holds the character of code 0"),
        ("k = 0x" + "f" * 6000, "k is a whole number of more than 64 bits"),
        ("run = [{" + ".".join("a" * 3000) + " = 1}, 1]", "is nested too deeply"),
        ("[column-weights]\n" + ".".join("a" * 3000) + " = 1", "is nested too deeply"),
        (
            "method = 'kmeans'\nk = 3\naggregate = {a = {b = 'sum'}}",
            "it takes text, a list of texts, or a table",
        ),
        ("run = [" + "1, " * 200_000 + "1]", "run is [1, 1, 1, 1, 1, 1, ...]; write tables, [[run]]"),
        ("k" * 200_000 + " = 3", "unknown key 'kkkk"),
        (
            "[[run]]\nmethod = 'kmeans'\ngrid = {k = [" + "3," * 1000 + "], seed = [" + "1," * 1000 + "]}",
            "this would be 1,000,000 runs, and a batch has 100,000 at most",
        ),
        (
            "[[run]]\ngrid = {method = ['kmeans', 'skater'], k = [" + "3," * 60_000 + "]}",
            "this would be 120,000 runs",
        ),
    ],
)
def test_a_plan_is_strict_and_says_where(plan, text, said):
    file = plan(text)
    with pytest.raises(UsageError) as caught:
        make_batch(read_plan(file), {"where": "a = 1"} if "nothing" in said else None, shown=True)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 1500
    if "--jobs" not in said:
        assert str(caught.value).startswith(file)


def test_the_inputs_count_among_the_runs(plan, tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.gpkg").touch()
    file = plan(
        f"inputs = '*.gpkg'\n[[run]]\nmethod = 'kmeans'\nk = 3\ngrid = {{seed = {list(range(60_000))}}}"
    )
    with pytest.raises(UsageError, match="this would be 120,000 runs"):
        make_batch(read_plan(file), shown=True)


def test_several_methods_in_one_word(plan):
    file = plan("method = 'kmeans, schc:linkage=average'\nk = 3")
    assert [(job.method, job.params.get("linkage")) for job in jobs(file)] == [
        ("kmeans", None),
        ("schc", "average"),
    ]


def test_weights_of_columns_are_text_lists_or_tables(plan):
    for text in ("'a=2,b=.5'", "['a=2', 'b=.5']", "{a = 2, b = 0.5}"):
        (job,) = jobs(plan(f"method = 'kmeans'\nk = 3\ncolumn-weights = {text}"))
        assert job.column_weights == (("a", 2.0), ("b", 0.5))


def test_a_plan_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_plan(str(tmp_path / "none.toml"))


@pytest.mark.parametrize("method", METHODS)
def test_a_plan_has_every_option_of_the_command(method):
    """The command that a shell has is built elsewhere: every one of its options is a key."""
    from regionalize.cli.methods import method_command

    not_of_runs = {"timing", "json", "save-config", "jobs", "overwrite", "method"}
    not_of_runs |= {"engine", "scheduler"}  # a batch has processes of its own
    typed = {
        param.opts[-1].lstrip("-")
        for param in method_command(METHODS[method]).params
        if param.opts[-1][:1] == "-"
    }
    assert typed - not_of_runs <= set(keys_of(method))


def test_a_huge_grid_is_made_quickly():
    grid = {"k": list(range(2, 102)), "seed": list(range(120))}
    begun = time.process_time()
    batch = make_batch(Plan(methods=("kmeans",), runs=(Runs(grid=grid),)), shown=True)
    assert len(batch) == 12_000
    assert len(set(batch.names)) == 12_000
    assert time.process_time() - begun < 60  # minutes, were it quadratic


def test_errors_are_errors_of_this_package(plan):
    for text in (
        "[[run]]\n" * 3,
        "run = [1]",
        "method = 3",
        "grid = {k = [3]}",
        "[grid]\nk = [3]",
        "\ufeffk = 3",
    ):
        with pytest.raises(RegionalizeError):
            make_batch(read_plan(plan(text)), shown=True)
