"""How a layer was made: stored by every command that writes one, told by `info`."""

import io
import json
import shlex

import pytest
import rich.console
from hypothesis import given
from hypothesis import strategies as st

from regionalize.cli.history import shell_lines, show_history
from regionalize.io.read import read_layer
from regionalize.model.record import RunRecord

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMED = st.sampled_from(["weights", "min_bound", "k", "labels", "rows", "layer", "file", "bss_tss_all"])
OBJECT = st.dictionaries(NAMED | st.text(max_size=8), JSON, max_size=4)


def made(path, **options):
    return read_layer(path, **options).history


def test_every_run_of_several_is_kept(cli, squares, tmp_path):
    first, second, third = (tmp_path / name for name in ("1.gpkg", "2.geojson", "3.parquet"))
    for words in (
        ("kmeans", squares, "--k", 3, "--columns", "a,b", "--seed", 5, "-o", first),
        ("contiguous", first, "--columns", "a,b", "-o", second),
        ("skater", second, "--k", 4, "--columns", "a,b", "--label-column", "sk", "-o", third),
    ):
        found = cli("-q", *words)
        assert found.code == 0, found.err
    history = made(third)
    assert [(one.made_by, one.columns) for one in history] == [
        ("kmeans", ("cluster",)),
        ("contiguous", ("contiguous",)),
        ("skater", ("sk",)),
    ]
    first_run = history[0]
    assert (first_run.k, first_run.seed) == (3, 5)
    assert first_run.settings["columns"] == ["a", "b"]
    assert first_run.input == {"file": str(squares), "layer": "in", "rows": 25, "rows_used": 25}
    assert set(first_run.measures) == {"bss_tss_all", "bss_tss_attributes", "contiguous", "subclusters"}
    assert history[1].settings["label_column"] == "cluster"
    assert len(made(first)) == 1


def test_what_is_stored_is_what_the_report_says(cli, squares, tmp_path):
    out = tmp_path / "out.gpkg"
    words = ("--k", 3, "--columns", "a,b", "--column-weights", "a=2", "--min-bound", "pop=5%")
    document = json.loads(cli("-q", "kmeans", squares, *words, "-o", out, "--json").out)
    (record,) = made(out)
    for name in ("settings", "command", "input", "versions", "k"):
        assert json.loads(json.dumps(getattr(record, name))) == document[name], name
    assert record.measures == {name: document[name] for name in record.measures}


def test_the_command_repeats_the_labels(cli, squares, tmp_path):
    out, again = tmp_path / "out put.gpkg", tmp_path / "again.gpkg"
    words = ("--k", 3, "--columns", "a,b", "--with-centroids", "--label-column", "it's")
    assert cli("-q", "kmeans", squares, *words, "-o", out).code == 0
    shown = cli("info", out).out
    lines = shown[shown.index("  regionalize kmeans") :].split("\n\n")[0]
    typed = shlex.split(lines.replace("\\\n", ""))
    assert typed[0] == "regionalize"
    assert cli("-q", *[str(again) if word == str(out) else word for word in typed[1:]]).code == 0
    assert read_layer(again).attributes.equals(read_layer(out).attributes)


def test_the_same_run_twice_stores_the_same(cli, squares, tmp_path):
    texts = []
    for threads in (1, 2):
        out = tmp_path / "out.csv"
        words = ("--k", 3, "--columns", "a,b", "--jobs", threads, "-o", out, "--overwrite")
        assert cli("-q", "kmeans", squares, *words).code == 0
        texts.append((tmp_path / "out.csv.run.json").read_bytes())
    assert texts[0] == texts[1]


@pytest.mark.parametrize("ending", ["gpkg", "csv", "geojson"])
def test_other_commands_that_write_a_layer(cli, squares, tmp_path, ending):
    centers, labelled = tmp_path / "centers.csv", tmp_path / "labelled.gpkg"
    words = ("--k", 3, "--columns", "a,b", "--centers", centers, "-o", labelled)
    assert cli("-q", "kmeans", squares, *words).code == 0
    out = tmp_path / f"out.{ending}"
    for name, words, columns in (
        ("assign", ("--centers", centers, "--label-column", "near"), ("near",)),
        ("smooth", ("--columns", "a"), ("a_smooth",)),
        ("stability", ("--k", 3, "--columns", "a,b", "--runs", 3, "--label-column", "s"), ("s", "stability")),
        ("compare", (":cluster", "kmeans:k=2", "--columns", "a,b"), ("kmeans_k_2",)),
    ):
        found = cli(name, labelled, *words, "-o", out, "--overwrite")
        assert found.code == 0, found.err
        history = made(out)
        assert [one.made_by for one in history] == ["kmeans", name]
        assert history[-1].columns == columns
        assert history[-1].command.startswith(f"regionalize {name} ")
        assert history[-1].versions
        assert history[-1].input["rows"] == 25
        beside = f"settings written to {out}.run.json"
        assert (beside in found.err) == (ending == "csv")


def test_regions_are_told_how_they_were_made(cli, squares, tmp_path):
    out = tmp_path / "regions.gpkg"
    words = ("--k", "2,4", "--columns", "a,b", "--label-column", "r", "--dissolve", out)
    found = cli("-q", "schc", squares, *words)
    assert found.code == 0, found.err
    for k in (2, 4):
        (record,) = made(out, layer=f"r_{k}")
        assert (record.columns, record.k) == ((f"r_{k}",), k)
    assert (
        cli("-q", "kmeans", squares, "--k", 3, "--columns", "a", "--dissolve", tmp_path / "r.geojson").code
        == 0
    )
    assert made(tmp_path / "r.geojson")[0].columns == ("cluster",)


def test_pipes_keep_it(process, squares, tmp_path):
    first = process("-q", "kmeans", str(squares), "--k", "3", "--columns", "a,b", "-o", "-")
    second = process("-q", "smooth", "-", "--columns", "a", "-o", "-", stdin=first.out.encode())
    shown = process("-q", "info", "-", "--json", stdin=second.out.encode())
    history = json.loads(shown.out)["history"]
    assert [one["made_by"] for one in history] == ["kmeans", "smooth"]
    assert history[1]["input"]["file"] == "standard input"


def test_smoothing_is_repeated_by_its_command(cli, squares, tmp_path):
    out, again = tmp_path / "out.gpkg", tmp_path / "again.gpkg"
    for words in (
        ("--hops", 0),
        (),
        ("--hops", 3, "--alpha", 0.25, "--suffix", " s", "--smooth-mode", "sum"),
        ("--columns", "a,b", "--exclude", "b", "--weights", "rook"),
    ):
        found = cli("-q", "smooth", squares, *words, "-o", out, "--overwrite")
        assert found.code == 0, found.err
        typed = shlex.split(made(out)[-1].command)[1:]
        typed[typed.index(str(out))] = str(again)
        assert cli("-q", *typed, "--overwrite").code == 0
        assert read_layer(again).attributes.equals(read_layer(out).attributes), words


def test_python_has_it_too(squares, tmp_path):
    import geopandas
    import pyarrow as pa

    import regionalize as rz

    frame = geopandas.read_file(squares)
    found = rz.regionalize(frame, "kmeans", k=3, columns=["a", "b"], seed=4)
    record = found.record
    assert isinstance(record, rz.RunRecord)
    assert (record.made_by, record.columns, record.k, record.seed) == ("kmeans", ("cluster",), 3, 4)
    labels = {"cluster": pa.array(found.labels.to_numpy())}
    rz.write_layer(rz.read_layer(squares), tmp_path / "out.gpkg", added=labels, record=record)
    assert rz.read_layer(tmp_path / "out.gpkg").history == (record,)


class TestInfo:
    def test_a_layer_that_nobody_made(self, cli, squares):
        assert "Made by" not in cli("info", squares).out
        assert json.loads(cli("info", squares, "--json").out)["history"] == []

    def test_fits_the_terminal(self, cli, squares, tmp_path):
        out = tmp_path / f"{'a long name ' * 5}.gpkg"
        words = ("--k", 3, "--columns", "a,b", "--exclude", "name", "--with-centroids", "-o", out)
        assert cli("-q", "kmeans", squares, *words).code == 0
        lines = cli("info", out).out.splitlines()
        start = lines.index("Made by")
        assert lines[start + 1] == "kmeans, k = 3: column cluster"
        long = [line for line in lines[start:] if len(line) > 80]
        assert all(str(tmp_path) in line for line in long), "only a word that is longer by itself"

    @given(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1),
        st.integers(10, 90),
    )
    def test_a_broken_command_is_the_command(self, words, width):
        lines = shell_lines(shlex.join(words), width)
        assert all(line.endswith("\\") for line in lines[:-1])
        joined = "".join(
            line.removesuffix("\\") if at < len(lines) - 1 else line for at, line in enumerate(lines)
        )
        assert shlex.split(joined) == words

    @given(OBJECT, OBJECT, OBJECT, OBJECT, st.text(), st.text(min_size=1), st.none() | st.integers())
    def test_whatever_a_file_says_can_be_shown(self, settings, read, versions, measures, command, name, k):
        record = RunRecord(
            made_by=name,
            columns=(name,),
            settings=settings,
            input=read,
            versions=versions,
            measures=measures,
            command=command,
            k=k,
        )
        out = io.StringIO()
        show_history(rich.console.Console(file=out, width=80, markup=False, emoji=False), (record,))
        assert "\x1b" not in out.getvalue()


def test_labels_of_earlier_runs_are_no_variables_unless_named(tmp_path, cli):
    first, second = tmp_path / "first.gpkg", tmp_path / "second.gpkg"
    assert cli("kmeans", "--k", "4", "-o", first).code == 0
    assert cli("smooth", first, "--columns", "pct_pov", "-o", second).code == 0
    taken = cli("kmeans", second, "--k", "3", "--json")
    variables = json.loads(taken.out)["variables"]
    assert "cluster" not in variables
    assert "cluster (labels of earlier runs)" in taken.err
    assert any(name.startswith("pct_pov_") for name in variables)  # smoothed columns are variables
    named = cli("kmeans", second, "--k", "3", "--columns", "cluster,pct_pov", "--json")
    assert json.loads(named.out)["variables"] == ["cluster", "pct_pov"]
