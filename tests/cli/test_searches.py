"""Methods that search, `azp`, `maxp` and `balance`: what is their own, through the whole command."""

from __future__ import annotations

import json
import re
import signal
import time

import numpy as np
import pytest

from regionalize.model.catalog import METHODS

SHORT = ("--iterations", 60)
VARIABLES = ("--columns", "a,b")
SEARCHES = METHODS["azp"].params[0].kind


@pytest.fixture
def solved(cli):
    """Run a command line that works, and return its report."""

    def run(*args):
        found = cli("-q", *args, "--json")
        assert found.code == 0, found.err
        return json.loads(found.out)

    return run


@pytest.fixture
def labels(solved, read, tmp_path):
    """Run a command line that works, and return the labels it wrote."""

    def run(*args):
        solved(*args, "-o", tmp_path / "labels.gpkg", "--overwrite")
        return read(tmp_path / "labels.gpkg")["cluster"].to_numpy()

    return run


@pytest.fixture
def planned(grid, save):
    """Return 25 squares with plans: five rows, some rows unfinished, one row in two pieces."""
    frame = grid()
    row = np.arange(25) // 5
    frame["rows"] = row + 1
    frame["named"] = np.array(["north", "east", "south", "west", "middle"])[row]
    frame["some"] = np.where(np.arange(25) % 5 < 2, row + 1.0, np.nan)
    frame["broken"] = np.where(row == 4, 1, row + 1)
    frame["stays"] = row == 2
    frame["gone"] = np.nan
    frame["none"] = 0
    frame["debt"] = np.where(row == 0, -1, 5)
    frame["hole"] = np.where(row == 0, np.nan, 5.0)
    return save(frame)


class TestReport:
    """What a search did is in the report, on the terminal and in Markdown."""

    @pytest.mark.parametrize("start", ["schc", "skater", "redcap"])
    def test_the_start_is_what_the_method_makes(self, start, squares, solved):
        alone = solved(start, squares, *VARIABLES, "--k", 5)
        found = solved("azp", squares, *VARIABLES, "--k", 5, "--start", start, *SHORT)
        assert found["extra"]["search"]["bss_tss_start"] == pytest.approx(alone["bss_tss_all"])
        assert found["extra"]["search"]["bss_tss"] == pytest.approx(found["bss_tss_all"])
        assert found["bss_tss_all"] >= alone["bss_tss_all"]
        assert found["extra"]["search"]["iterations"] == 60

    def test_azp_in_words(self, squares, cli):
        said = cli("azp", squares, *VARIABLES, "--k", 5, *SHORT).out
        ratio = re.search(r"^variables .* (0\.\d{6})$", said, re.MULTILINE)[1]
        found = re.search(r"^search: 60 iterations; BSS/TSS (0\.\d{4}) → (0\.\d{4})$", said, re.MULTILINE)
        assert found[1] <= found[2]
        assert float(found[2]) == pytest.approx(float(ratio), abs=6e-5)

    def test_weighted_variables_have_a_ratio_of_their_own(self, squares, cli):
        said = cli("azp", squares, *VARIABLES, "--k", 5, "--column-weights", "a=9", *SHORT).out
        assert "search: 60 iterations; BSS/TSS as weighted 0." in said

    def test_balance_in_words(self, squares, cli, read, tmp_path):
        target = tmp_path / "x.gpkg"
        options = ("--balance", "pop", "--tolerance", "20%", *SHORT)
        said = cli("balance", squares, *VARIABLES, "--k", 3, *options, "-o", target).out
        held = read(target).groupby("cluster")["pop"].sum()
        off = [100 * (end / held.mean() - 1) for end in (held.min(), held.max())]
        wanted = f"balance: the regions hold {held.min()} to {held.max()} pop, "
        assert wanted in " ".join(said.split())
        assert f"({off[0]:+.1f} % to {off[1]:+.1f} %)" in " ".join(said.split())

    def test_maxp_in_words(self, squares, cli):
        said = cli("maxp", squares, *VARIABLES, "--min-size", 7).out
        assert "max-p: 3 regions; by the sums alone there can be no more than 3\n" in said
        said = cli("maxp", squares, *VARIABLES, "--min-size", 13).out
        assert "max-p: 1 region; by the sums alone there can be no more than 1\n" in said

    def test_markdown(self, squares, cli, tmp_path):
        page = tmp_path / "x.md"
        cli("balance", squares, *VARIABLES, "--k", 3, *SHORT, "--report", page)
        text = page.read_text(encoding="utf-8")
        assert "## Search\n\n| measure | value |\n| --- | --- |\n| iterations | 60 |\n" in text
        assert (
            "## Balance\n\n| measure | value |\n| --- | --- |\n| of | units |\n| mean | 8.33333 |\n" in text
        )
        cli("maxp", squares, *VARIABLES, "--min-size", 7, "--report", page, "--overwrite")
        wanted = "By the sums alone there can be no more than 3 regions.\n"
        assert wanted in page.read_text(encoding="utf-8")

    def test_progress_goes_one_way_to_the_end(self, squares):
        from regionalize.model.job import Outputs
        from regionalize.run.files import run
        from regionalize.run.options import make_job

        told = []
        job = make_job("azp", {"k": 5, "columns": "a,b", "iterations": 40_000})
        run(str(squares), job, Outputs(), lambda stage, done, total: told.append((stage, done, total)))
        shares = [done / total for stage, done, total in told if stage == "azp" and total]
        assert shares == sorted(shares)
        assert len(set(shares)) > 1
        assert shares[-1] == 1


@pytest.mark.parametrize("search", SEARCHES)
class TestSearches:
    """What every search of azp must do."""

    def test_no_worse_than_the_start(self, search, squares, solved):
        report = solved("azp", squares, *VARIABLES, "--k", 5, "--search", search, *SHORT)
        assert report["contiguous"]
        assert report["extra"]["search"]["bss_tss"] >= report["extra"]["search"]["bss_tss_start"]
        assert report["extra"]["search"]["iterations"] <= 60

    @pytest.mark.parametrize("start", ["random", "skater", "redcap"])
    def test_bounds(self, search, start, squares, solved):
        bounds = ("--min-size", 3, "--max-size", 7, "--max-bound", "pop=40%")
        options = ("--k", 5, "--search", search, "--start", start, "--iterations", 300)
        report = solved("azp", squares, *VARIABLES, *options, *bounds)
        assert min(report["sizes"]) >= 3
        assert max(report["sizes"]) <= 7

    def test_locked_units_stay(self, search, planned, labels):
        """The third row keeps together, and its region may only grow."""
        options = ("--start", "rows", "--locked", "stays", "--search", search, *SHORT)
        found = labels("azp", planned, *VARIABLES, *options)
        assert len(set(found[10:15])) == 1
        assert len(set(found)) == 5

    def test_more_restarts_are_no_worse(self, search, squares, solved):
        length = SHORT if search == "recombine" else ()
        options = ("--k", 4, "--search", search, "--start", "random", *length)
        one, several = (
            solved("azp", squares, *VARIABLES, *options, "--restarts", number)["bss_tss_all"]
            for number in (1, 6)
        )
        assert several >= one

    def test_the_same_on_any_number_of_threads(self, search, squares, labels):
        options = ("--k", 4, "--search", search, "--start", "random", "--iterations", 5, "--restarts", 4)
        found = [labels("azp", squares, *VARIABLES, *options, "--jobs", jobs) for jobs in (1, 2)]
        assert found[0].tobytes() == found[1].tobytes()

    @pytest.mark.parametrize("k", [1, 25])
    def test_nothing_to_search_for(self, search, k, squares, solved):
        assert solved("azp", squares, *VARIABLES, "--k", k, "--search", search)["k"] == k


@pytest.mark.parametrize("method", ["azp", "maxp", "balance"])
def test_iterations_repeat_what_a_time_limit_stopped(method, squares, cli, labels):
    wanted = ("--min-size", 5) if method == "maxp" else ("--k", 5)
    timed = cli(method, squares, *VARIABLES, *wanted, "--time-limit", 0.2, "--json")
    (note,) = [note for note in timed.notes if "stopped by" in note]
    said = re.search(r"--time-limit 0\.2 after (\d+) iterations; --iterations (\d+) repeats this$", note)
    assert said[1] == said[2] == str(json.loads(timed.out)["extra"]["search"]["iterations"])
    sizes = np.bincount(labels(method, squares, *VARIABLES, *wanted, "--iterations", said[1]))[1:]
    assert sizes.tolist() == json.loads(timed.out)["sizes"]


def test_a_search_that_ends_by_itself_was_not_stopped(squares, cli):
    found = cli("azp", squares, *VARIABLES, "--k", 5, "--search", "greedy", "--time-limit", 50)
    assert found.code == 0
    assert "stopped" not in found.err


class TestPlan:
    """`--start COLUMN`."""

    @pytest.mark.parametrize("method", ["azp", "balance"])
    @pytest.mark.parametrize("plan", ["rows", "named", "some"])
    def test_k_is_the_number_of_its_regions(self, method, plan, planned, solved):
        given = solved(method, planned, *VARIABLES, "--start", plan, "--k", 5, *SHORT)
        found = solved(method, planned, *VARIABLES, "--start", plan, *SHORT)
        assert found["k"] == 5
        assert found["settings"]["k"] == 5
        assert found["sizes"] == given["sizes"]

    def test_bounds_are_held_against_the_number_it_has(self, planned, refused):
        said = "5 clusters of at least 6 units need 30"
        refused("azp", planned, *VARIABLES, "--start", "rows", "--min-size", 6, says=said)

    def test_unfinished_rows_are_finished(self, planned, labels):
        """Rows are locked as far as the plan goes, so what it leaves open is all that can change."""
        found = labels("azp", planned, *VARIABLES, "--start", "some", "--locked", "some", *SHORT)
        grid = found.reshape(5, 5)
        assert (grid[:, 0] == grid[:, 1]).all()
        assert len(set(grid[:, 0])) == 5

    def test_all_units_locked(self, planned, labels):
        found = labels("azp", planned, *VARIABLES, "--start", "rows", "--locked", "rows")
        assert (found == np.arange(25) // 5 + 1).all()

    @pytest.mark.parametrize(
        ("options", "code", "says"),
        [
            ((), 2, ["number of clusters is missing", "--k"]),
            (("--start", "random"), 2, ["number of clusters is missing"]),
            (("--start", "rows", "--k", 4), 1, ["5 regions, not 4", "ask for 5 regions"]),
            (
                ("--start", "broken"),
                1,
                ["1 region of the start plan is not contiguous", "first: regionalize"],
            ),
            (("--start", "gone"), 1, ["gone", "only missing values"]),
            (("--start", "nowhere"), 2, ["no column 'nowhere'"]),
            (("--k", 5, "--locked", "stays"), 2, ["--start schc is none", "--start COLUMN"]),
            (("--start", "rows", "--locked", "named"), 1, ["neither numbers nor truth values"]),
            (("--start", "some", "--locked", "rows"), 1, ["15 locked units have no region"]),
        ],
    )
    def test_refusals(self, options, code, says, planned, refused, tmp_path):
        target = ("-o", tmp_path / "x.gpkg")
        refused("azp", planned, *VARIABLES, *options, *target, code=code, says=says)


class TestOptions:
    """What cannot be meant is refused; what has no effect is said."""

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (("--time-limit", 0), "--time-limit is 0; it must be above 0"),
            (("--time-limit", -1), "above 0"),
            (("--time-limit", "nan"), "above 0"),
            (("--time-limit", "soon"), "--time-limit"),
            (("--iterations", 0), "at least 1"),
            (("--restarts", 0), "at least 1"),
            (("--cooling", 0), "--cooling is 0; it must be above 0 and below 1"),
            (("--cooling", 1), "above 0 and below 1"),
            (("--cooling", 2), "above 0 and below 1"),
            (("--cooling", "nan"), "above 0 and below 1"),
            (("--sweeps", 0), "at least 1"),
            (("--tabu-length", -1), "at least 0"),
            (("--search", "climb"), "recombine, greedy, tabu, annealing"),
            (("--k", "3,5"), "--k takes one number"),
        ],
    )
    def test_azp(self, options, says, squares, refused):
        refused("azp", squares, *VARIABLES, "--k", 5, *options, code=2, says=says)

    def test_options_of_another_search(self, squares, cli):
        options = ("--tabu-length", 3, "--cooling", 0.5, "--sweeps", 2)
        found = cli("azp", squares, *VARIABLES, "--k", 5, "--search", "tabu", *options)
        assert "note: --cooling has no effect: it belongs to --search annealing" in found.notes
        assert "note: --sweeps has no effect: it belongs to --search annealing" in found.notes
        assert not any("--tabu-length" in note for note in found.notes)

    @pytest.mark.parametrize(("method", "default"), [("azp", "0.0"), ("balance", "0.5")])
    def test_compactness_in_the_help_is_the_methods_own(self, method, default, cli):
        shown = " ".join(cli(method, "--help").out.split())
        told = "from 0 to below 1. [default: "
        assert f"{told}{default}]" in shown.replace("\N{NO-BREAK SPACE}", " ")


class TestBalance:
    """`balance`: equal shares of units, or of a column."""

    @pytest.mark.parametrize("k", [2, 3, 4, 6, 7])
    def test_units_are_as_equal_as_can_be(self, k, squares, solved):
        report = solved("balance", squares, *VARIABLES, "--k", k, "--tolerance", 0, *SHORT)
        assert set(report["sizes"]) <= {25 // k, -(-25 // k)}

    @pytest.mark.parametrize("tolerance", ["10%", 0.1, " 10 %"])
    def test_a_column(self, tolerance, squares, read, solved, tmp_path):
        target = tmp_path / "x.gpkg"
        options = ("--balance", "pop", "--tolerance", tolerance, *SHORT)
        report = solved("balance", squares, *VARIABLES, "--k", 4, *options, "-o", target)
        held = read(target).groupby("cluster")["pop"].sum()
        assert (held / held.mean() - 1).abs().max() <= 0.1
        facts = report["extra"]["balance"]
        assert facts["of"] == "pop"
        assert (facts["least"], facts["most"]) == (held.min(), held.max())
        assert facts["mean"] == pytest.approx(held.mean())

    def test_what_is_balanced_is_no_variable(self, squares, solved):
        options = ("--k", 3, "--balance", "pop", "--tolerance", "20%", *SHORT)
        assert "pop" not in solved("balance", squares, *options)["variables"]
        assert solved("balance", squares, *options, "--columns", "a,pop")["variables"] == ["a", "pop"]

    @pytest.mark.parametrize("balance", ["units", "pop"])
    def test_uneven_regions_are_never_written(self, balance, squares, cli, tmp_path, monkeypatch):
        """The check after the method is independent of it."""
        from regionalize.run import task

        def uneven(*args):
            args[3].facts["balance"] = {"of": balance, "mean": 1.0, "least": 1.0, "most": 1.0}
            return np.where(np.arange(25) < 10, 0, 1)

        monkeypatch.setattr(task, "call_method", uneven)
        options = ("--k", 2, "--balance", balance, "-o", tmp_path / "x.gpkg")
        with pytest.raises(AssertionError, match="on average"):
            cli("balance", squares, *VARIABLES, *options)
        assert not (tmp_path / "x.gpkg").exists()

    def test_bounds_besides(self, squares, solved):
        options = ("--balance", "pop", "--tolerance", "25%", "--max-size", 7, *SHORT)
        assert max(solved("balance", squares, *VARIABLES, "--k", 4, *options)["sizes"]) <= 7

    def test_a_layer_without_reference_system_has_no_shape(self, grid, save, refused, solved):
        source = save(grid(crs=None))
        said = ["the shape of its regions is not known", "--project none", "--compactness 0"]
        refused("balance", source, *VARIABLES, "--k", 3, says=said)
        for way in (("--project", "none"), ("--compactness", 0)):
            assert solved("balance", source, *VARIABLES, "--k", 3, *way, *SHORT)["k"] == 3

    @pytest.mark.parametrize(
        ("options", "code", "says"),
        [
            (("--tolerance", -1), 2, "--tolerance is -1"),
            (("--tolerance", "-1%"), 2, "--tolerance is -1%"),
            (("--tolerance", "much"), 2, "such as 5% or 0.05"),
            (("--tolerance", "nan"), 2, "such as 5% or 0.05"),
            (("--balance", "nowhere"), 2, "no column 'nowhere'"),
            (("--balance", "named"), 1, ["named", "text"]),
            (("--balance", "*o*"), 2, ["columns", "name one"]),
            (("--balance", "debt"), 2, ["debt", "negative"]),
            (("--balance", "hole"), 1, ["hole", "missing"]),
            (("--balance", "none"), 1, ["none", "zeros"]),
            (("--balance", "pop", "--tolerance", "0%"), 1, ["the nearest hold", "--tolerance"]),
            (("--compactness", 1), 2, "below 1"),
            (("--compactness", 0.5, "--with-centroids"), 2, "give one of them"),
        ],
    )
    def test_refusals(self, options, code, says, planned, refused, tmp_path):
        target = ("-o", tmp_path / "x.gpkg")
        refused("balance", planned, *VARIABLES, "--k", 4, *options, *target, code=code, says=says)


class TestMaxP:
    """`maxp`: as many regions as hold enough."""

    @pytest.mark.parametrize("least", [1, 2, 3, 5, 8, 12, 13, 25])
    def test_a_grid_can_be_packed_fully(self, least, squares, solved):
        report = solved("maxp", squares, *VARIABLES, "--min-size", least, *SHORT)
        assert report["k"] == report["extra"]["regions"] == report["extra"]["most_regions"] == 25 // least
        assert min(report["sizes"]) >= least

    @pytest.mark.parametrize("least", [150, "20%"])
    def test_a_column(self, least, squares, read, solved, tmp_path):
        target = tmp_path / "x.gpkg"
        report = solved("maxp", squares, *VARIABLES, "--min-bound", f"pop={least}", "-o", target)
        held = read(target).groupby("cluster")["pop"].sum()
        wanted = 0.2 * held.sum() if least == "20%" else least
        assert held.min() >= wanted
        assert report["k"] == len(held) <= held.sum() // wanted == report["extra"]["most_regions"]

    @pytest.mark.parametrize(
        ("options", "code", "says"),
        [
            ((), 2, ["needs a minimum", "--min-bound pop=10%"]),
            (("--max-size", 9), 2, "needs a minimum"),
            (("--min-size", 0), 2, "needs a minimum"),
            (("--min-bound", "none=5%"), 2, "needs a minimum"),
            (("--min-size", 5, "--k", 5), 2, "there is no option --k: maxp finds the number of regions"),
            (("--min-size", 26), 1, ["26 units", "25"]),
            (("--min-size", 9, "--max-size", 8), 2, "above the maximum"),
            (("--min-size", 2, "--max-bound", "pop=50"), 1, ["one unit alone", "maximum of 50"]),
            (("--min-bound", "debt=5"), 2, ["debt", "negative"]),
            (("--min-bound", "named=5"), 1, ["named", "text"]),
            (("--min-size", 5, "--start", "rows"), 2, "no option --start"),
        ],
    )
    def test_refusals(self, options, code, says, planned, refused, tmp_path):
        target = ("-o", tmp_path / "x.gpkg")
        refused("maxp", planned, *VARIABLES, *options, *target, code=code, says=says)

    def test_python_has_the_same_words(self, grid):
        import regionalize as rz
        from regionalize.errors import UsageError

        with pytest.raises(UsageError, match="maxp is none of them"):
            rz.regionalize(grid(), "maxp", k=3, columns=["a"], min_size=5)
        assert rz.regionalize(grid(), "maxp", columns=["a"], min_size=12).report.k == 2


@pytest.mark.parametrize(
    "args",
    [
        ("azp", "--k", 6, "--restarts", 3),
        ("balance", "--k", 6),
        ("maxp", "--min-size", 10),
    ],
    ids=lambda args: args[0],
)
def test_an_interrupt_ends_a_search(args, tmp_path, child, check):
    """A minute is what it would take otherwise."""
    (tmp_path / "out.gpkg").write_bytes(b"old")
    before = check.tree(tmp_path)
    files = ("-o", "out.gpkg", "--overwrite", "--report", "x.json")
    process = child(*args, *files, "--time-limit", 60)
    assert "sample" in process.stderr.readline()  # said before any work
    time.sleep(2.0)
    assert process.poll() is None
    asked = time.monotonic()
    check.stopped(process, signal.SIGINT, tmp_path, before)
    assert time.monotonic() - asked < 20


@pytest.mark.slow
@pytest.mark.parametrize("method", [name for name, row in METHODS.items() if row.contiguous])
def test_brazil(method, shared_data, cli, read, tmp_path):
    """5,564 municipalities, some invalid, with islands: kept where no bound forbids it."""
    source = shared_data("brazil/municipalities.gpkg")
    target = tmp_path / "x.gpkg"
    k = len(json.loads(cli("-q", "weights", source, "--json").out)["components"]) + 5
    asked = {"maxp": ("--min-bound", "popt=2%"), "balance": ("--balance", "popt", "--k", k)}
    islands = ("--islands", "nearest" if method in asked else "keep")
    options = ("--columns", "idhm_e,idhm_l,idhm_r", *asked.get(method, ("--k", k)), *islands)
    found = cli("-q", method, source, *options, "-o", target, "--json")
    assert found.code == 0, found.err
    judged = cli("-q", "validate", target, *islands, "--columns", "idhm_*", "--require", "contiguous")
    assert judged.code == 0, judged.err
    frame = read(target)
    assert len(frame) == 5564
    people = frame.groupby("cluster")["popt"].sum()
    if method == "maxp":
        assert people.min() >= 0.02 * people.sum()
    else:
        assert len(people) == k
    if method == "balance":
        assert (people / people.mean() - 1).abs().max() <= 0.05
