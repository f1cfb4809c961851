"""`regionalize batch` as it is typed: exit codes, files, tables, plans, parts, and going on."""

from __future__ import annotations

import csv
import json
import shlex
import shutil
import sqlite3

import numpy as np
import pytest

RUN = ("--method", "kmeans", "--k", 3, "--columns", "a,b")


@pytest.fixture
def folder(grid, save, tmp_path, monkeypatch):
    """Work in a folder with three layers in `in`, and one with columns to part it by."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name, rows in (("one", 4), ("two", 5), ("ten", 6)):
        save(grid(4, rows), f"in/{name}.gpkg")
    frame = grid(6, 6)
    frame["state"] = np.resize(["São Tomé", "d'Oeste", 'N/A "x"', None], 36)
    frame["year"] = np.resize([9, 10, 2000], 36)
    frame["coast"] = np.resize([True, False], 36)
    frame["text"] = "all the same"
    save(frame, "parts.gpkg")
    save(frame, "parts.parquet")
    return tmp_path


def names(where, ending="gpkg"):
    return sorted(path.name for path in where.glob(f"*.{ending}"))


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def strict(text):
    """Read JSON as RFC 8259 has it: no NaN."""
    return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


class TestInputs:
    @pytest.mark.parametrize(
        "inputs",
        [
            ("in/*.gpkg",),
            ("in",),
            ("**/t*.gpkg", "in/one.gpkg"),
            ("in/one.gpkg", "in/ten.gpkg", "in/two.gpkg"),
        ],
        ids=["quoted", "folder", "deep", "expanded"],
    )
    def test_each_file_is_a_run(self, inputs, cli, folder):
        found = cli("batch", *inputs, *RUN, "--out-dir", "out")
        assert found.code == 0, found.err
        assert names(folder / "out") == ["one.gpkg", "ten.gpkg", "two.gpkg"]
        assert "batch, 3 runs: 3 done" in found.out
        assert sum(line.startswith("[") for line in found.err.splitlines()) == 3

    def test_a_shell_expands_or_does_not(self, process, folder):
        for number, inputs in enumerate((["in/*.gpkg"], sorted(map(str, folder.glob("in/*.gpkg"))))):
            found = process("-q", "batch", *inputs, *RUN, "--out-dir", f"out{number}")
            assert (found.code, found.err) == (0, "")
        assert names(folder / "out0") == names(folder / "out1") == ["one.gpkg", "ten.gpkg", "two.gpkg"]

    @pytest.mark.parametrize(
        ("inputs", "code", "says"),
        [
            (("no/*.gpkg",), 1, "matches nothing"),
            (("in/*.shp",), 1, "holds one.gpkg, ten.gpkg"),
            (("",), 2, "INPUT is empty"),
            (("-",), 2, "standard input"),
            (("a.toml", "b.toml"), 2, "both plans"),
        ],
    )
    def test_what_cannot_be_read_is_refused_in_a_line(self, inputs, code, says, folder, refused):
        refused("batch", *inputs, *RUN, "--out-dir", "out", code=code, says=says)


class TestFailures:
    @pytest.fixture
    def bad(self, folder):
        (folder / "in" / "bad.gpkg").write_bytes(b"nothing")

    def test_one_sinks_no_other(self, bad, cli, folder):
        found = cli("-q", "batch", "in", *RUN, "--out-dir", "out")
        assert found.code == 1
        assert names(folder / "out") == ["one.gpkg", "ten.gpkg", "two.gpkg"]
        assert "batch, 4 runs: 3 done, 1 failed" in found.out
        assert "bad: in/bad.gpkg: " in found.out
        assert "Traceback" not in found.out + found.err
        assert [line.split()[1:3] for line in found.err.splitlines()] == [["failed", "bad"]]

    def test_all(self, cli, folder):
        found = cli("batch", "in", *RUN, "--k", 99, "--out-dir", "out", "--summary", "s.csv")
        assert found.code == 1
        assert "batch, 3 runs: 3 failed" in found.out
        assert names(folder / "out") == []
        assert [row["status"] for row in rows_of("s.csv")] == ["failed"] * 3
        assert all("99" in row["error"] and row["output"] == "" for row in rows_of("s.csv"))

    def test_fail_fast_starts_no_more(self, bad, cli, folder):
        found = cli("batch", "in/bad.gpkg", "in/one.gpkg", *RUN, "--out-dir", "o", "--fail-fast", "--jobs", 1)
        assert found.code == 1
        assert "batch, 2 runs: 1 failed, 1 not started" in found.out
        assert names(folder / "o") == []

    @pytest.mark.parametrize(
        ("args", "says"),
        [
            (("--kk", 3), "no option --kk"),
            (("--jobs", 0), "--jobs is 0"),
            (("--by", ""), "--by is empty"),
            (("--resume",), "--out-dir"),
            (("-o", "-"), "standard output"),
            (("-o", "{nam}.gpkg"), "did you mean 'name'"),
            (("--map", ".png"), "--out-dir"),
            ((), "nothing would be written"),
            (("-o", "one.gpkg"), "write {name} in it"),
            (("-o", "{name}.gpkg", "--dissolve", "{name}.gpkg"), "the same file"),
            (("-o", "{name}.gpkg", "--dissolve", "{name}.GPKG"), "the same file"),
        ],
    )
    def test_what_cannot_be_meant_is_refused_before_any_work(self, args, says, folder, refused):
        refused("batch", "in", *RUN, *args, code=2, says=says)

    @pytest.mark.parametrize("args", [(), ("--method", "kmeens")])
    def test_a_method_is_named(self, args, folder, refused):
        refused("batch", "in", *args, "--k", 3, "--out-dir", "out", code=2, says="kmeans")


class TestOutputs:
    def test_none_that_exists_is_replaced_unasked(self, cli, folder, refused):
        (folder / "out").mkdir()
        (folder / "out" / "two.gpkg").write_text("mine")
        line = ("batch", "in", *RUN, "--out-dir", "out")
        refused(*line, says=["1 of 3 outputs exists already", "out/two.gpkg"])
        assert cli(*line, "--overwrite").code == 0

    @pytest.mark.parametrize("args", [("--out-dir", "in"), ("-o", "./in/../in/{name}.gpkg")])
    def test_none_is_an_input(self, args, folder, refused):
        refused("batch", "in/*.gpkg", *RUN, *args, "--overwrite", says="is an input")

    def test_names_that_differ_in_case_get_numbers(self, cli, folder):
        (folder / "x").mkdir()
        for number, name in enumerate(("ce", "CE")):
            (folder / f"d{number}").mkdir()
            shutil.copy("in/one.gpkg", folder / f"d{number}" / f"{name}.gpkg")
        assert cli("batch", "d0", "d1", *RUN, "--out-dir", "out").code == 0
        assert len({name.casefold() for name in names(folder / "out")}) == 2

    def test_patterns(self, cli, folder):
        found = cli(
            *("batch", "in", *RUN, "--out-dir", "out", "-o", "{method}/{k}/{name}.geojson"),
            *("--centers", ".csv", "--report", "r-{name}.md"),
        )
        assert found.code == 0, found.err
        out = folder / "out"
        written = [path.relative_to(out) for path in out.rglob("*") if path.is_file()]
        written = sorted(path.as_posix() for path in written if path.parts[0] != ".regionalize")
        expected = [f"kmeans/3/{name}.geojson" for name in ("one", "ten", "two")]
        expected += [f"{name}.csv" for name in ("one", "ten", "two")]
        assert written == sorted([*expected, *(f"r-{name}.md" for name in ("one", "ten", "two"))])


class TestParts:
    @pytest.mark.parametrize("source", ["parts.gpkg", "parts.parquet"])
    @pytest.mark.parametrize(
        ("column", "values"),
        [
            ("state", ["São Tomé", "d'Oeste", 'N/A "x"']),
            ("year", [9, 10, 2000]),
            ("coast", [True, False]),
        ],
    )
    def test_each_is_what_its_command_makes_alone(self, source, column, values, cli, read, folder):
        found = cli("batch", source, "--by", column, *RUN, "--out-dir", "out", "--summary", "s.json")
        assert found.code == 0, found.err
        assert ("9 rows have no 'state'" in found.err) == (column == "state")
        rows = strict((folder / "s.json").read_text(encoding="utf-8"))
        assert sorted(str(row["part"]).lower() for row in rows) == sorted(
            str(value).lower() for value in values
        )
        whole = read(folder / source)
        for row in rows:
            ours = read(folder / row["output"])
            part = whole[whole[column].astype(str).str.lower() == str(row["part"]).lower()]
            assert ours["name"].tolist() == part["name"].tolist()
            words = shlex.split(row["command"])[1:]
            words[words.index("-o") + 1] = "alone.gpkg"
            assert cli(*words, "--overwrite").code == 0
            assert read(folder / "alone.gpkg")["cluster"].tolist() == ours["cluster"].tolist()

    @pytest.mark.parametrize(
        ("column", "code", "says"),
        [("stat", 2, "did you mean 'state'"), ("a", 1, "--by goes by text, whole numbers or truth values")],
    )
    def test_columns_that_make_none(self, column, code, says, folder, refused):
        refused("batch", "parts.gpkg", "--by", column, *RUN, "--out-dir", "out", code=code, says=says)

    def test_one_layer_without_the_column_sinks_no_other(self, cli, folder):
        found = cli("batch", "parts.gpkg", "in/one.gpkg", "--by", "year", *RUN, "--out-dir", "out")
        assert found.code == 1
        assert "3 done, 1 failed" in found.out
        assert len(names(folder / "out")) == 3

    def test_the_column_is_no_variable(self, cli, folder):
        line = ("batch", "parts.gpkg", "--by", "year", "--method", "kmeans", "--k", 2)
        assert cli(*line, "--columns", "a,*", "--summary", "s.csv").code == 0
        assert all("--exclude" in row["command"] and "year" in row["command"] for row in rows_of("s.csv"))

    def test_the_states_of_brazil(self, cli, shared_data, tmp_path, monkeypatch):
        source = shared_data("brazil/municipalities.gpkg")
        monkeypatch.chdir(tmp_path)
        with sqlite3.connect(source) as file:
            table = file.execute(
                "SELECT table_name FROM gpkg_contents WHERE data_type = 'features'"
            ).fetchone()[0]
            counts = dict(file.execute(f'SELECT ufn, count(*) FROM "{table}" GROUP BY ufn'))
        line = ("--by", "ufn", "--method", "kmeans", "--k", 4, "--columns", "idhm*", "--search", "starts")
        found = cli("-q", "batch", source, *line, "--n-init", 2, "--out-dir", "out", "--summary", "s.csv")
        assert found.code == 1
        assert "27 runs: 26 done, 1 failed" in found.out
        rows = rows_of("s.csv")
        assert {row["part"]: int(row["rows"]) for row in rows if row["status"] == "done"} == {
            state: count for state, count in counts.items() if count > 1
        }
        assert [row["part"] for row in rows if row["status"] == "failed"] == ["Distrito Federal"]
        assert len(names(tmp_path / "out")) == 26


PLAN = """
inputs = ["in/one.gpkg", "in/two.gpkg"]
out-dir = "out"
summary = "sums/s.parquet"
columns = ["a", "b"]
[[run]]
method = "kmeans"
grid = {k = [2, 3], transform = ["z", "raw"]}
[[run]]
name = "regions"
method = "skater"
k = 2
"""


class TestPlans:
    def test_every_input_with_every_run(self, cli, folder, tmp_path, monkeypatch):
        import pyarrow.parquet as pq

        (folder / "plan.toml").write_text(PLAN)
        (folder / "elsewhere").mkdir()
        monkeypatch.chdir(folder / "elsewhere")
        found = cli("batch", "../plan.toml")
        assert found.code == 0, found.err
        table = pq.read_table(folder / "sums" / "s.parquet").to_pylist()
        made = {(row["source"].split("/")[-1], row["method"], row["k"], row["transform"]) for row in table}
        grid = {("kmeans", k, way) for k in (2, 3) for way in ("z", "raw")} | {("skater", 2, "z")}
        assert made == {(f"{name}.gpkg", *one) for name in ("one", "two") for one in grid}
        assert len(names(folder / "out")) == len(table) == 10
        assert not any((folder / "elsewhere").iterdir())

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("colunms = 'a'\nmethod = 'kmeans'", "did you mean 'columns'"),
            ("method = 'kmeens'", "did you mean 'kmeans'"),
            ("method = 'kmeans'\nk = 'three'", "k is 'three'; it takes a whole number"),
            ("method = 'kmeans'\nk = = 3", "line 3"),
            ("[[run]]\nmethod = 'kmeans'\nlinkage = 'ward'", "'linkage' is no option of kmeans"),
        ],
        ids=["key", "method", "type", "TOML", "option"],
    )
    def test_refused_in_a_line_with_the_place(self, text, says, folder, refused):
        (folder / "plan.toml").write_text(f"inputs = 'in'\n{text}\n")
        refused("batch", "plan.toml", "--out-dir", "out", code=2, says=["plan.toml", says])

    def test_that_is_not_there(self, folder, refused):
        refused("batch", "no.toml", code=2, says=["no.toml", "No such file"])

    def test_a_file_that_is_not_there_fails_alone(self, cli, folder):
        (folder / "plan.toml").write_text(PLAN.replace("in/two", "in/three"))
        found = cli("batch", "plan.toml")
        assert found.code == 1
        assert "10 runs: 5 done, 5 failed" in found.out

    def test_the_plan_itself_is_no_output(self, folder, refused):
        (folder / "plan.toml").write_text("inputs = 'in/one.gpkg'\nmethod = 'kmeans'\nk = 2\n")
        refused("batch", "plan.toml", "-o", "plan.toml", "--overwrite", says="plan.toml")


class TestConfiguration:
    def test_tables_of_the_method_and_of_batch(self, cli, folder):
        (folder / "c.toml").write_text(
            "columns = 'a,b'\n[kmeans]\nk = 2\ntransform = 'raw'\n"
            "[batch]\ninputs = ['in/one.gpkg', 'in/two.gpkg']\nmethod = 'kmeans'\nsummary = 's.csv'\nk = 3\n"
        )
        assert cli("--config", "c.toml", "batch").code == 0
        rows = rows_of("s.csv")
        assert [(row["name"], row["k"]) for row in rows] == [("one", "3"), ("two", "3")]
        assert all("--transform raw" in row["command"] for row in rows)

    def test_a_key_of_no_option_is_refused(self, folder, refused):
        (folder / "c.toml").write_text("[batch]\nmethod = 'kmeans'\nfailfast = true\n")
        refused("--config", "c.toml", "batch", "in", "--k", 3, code=2, says="did you mean 'fail-fast'")

    def test_saved_and_repeated(self, cli, folder):
        line = ("batch", "in/*.gpkg", *RUN, "--fail-fast", "--summary", "s.csv", "--out-dir", "out")
        assert cli(*line, "--save-config", "c.toml").code == 0
        first = rows_of("s.csv")
        shutil.rmtree("out")
        assert cli("--config", "c.toml", "batch", "--overwrite").code == 0
        timeless = [[{**row, "seconds": ""} for row in rows] for rows in (first, rows_of("s.csv"))]
        assert timeless[0] == timeless[1]


class TestSummary:
    @pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
    def test_has_failed_runs_and_types_and_its_folder_is_made(self, ending, cli, folder):
        import pyarrow as pa
        import pyarrow.parquet as pq

        (folder / "in" / "bad.gpkg").write_bytes(b"nothing")
        found = cli("batch", "in", *RUN, "--out-dir", "new/out", "--summary", f"new/out/s.{ending}")
        assert found.code == 1, found.err
        path = folder / "new" / "out" / f"s.{ending}"
        if ending == "parquet":
            table = pq.read_table(path)
            types = {
                name: table.schema.field(name).type for name in ("part", "silhouette", "rows", "contiguous")
            }
            assert types == {
                "part": pa.string(),
                "silhouette": pa.float64(),
                "rows": pa.int64(),
                "contiguous": pa.bool_(),
            }
            rows = table.to_pylist()
        else:
            rows = strict(path.read_text(encoding="utf-8")) if ending == "json" else rows_of(path)
        nothing = "" if ending == "csv" else None
        assert [(row["name"], row["status"]) for row in rows] == [
            ("bad", "failed"),
            ("one", "done"),
            ("ten", "done"),
            ("two", "done"),
        ]
        assert [str(row["rows"]) for row in rows[1:]] == ["16", "24", "20"]
        assert (rows[0]["rows"], rows[0]["bss_tss_all"], rows[1]["error"]) == (nothing,) * 3

    @pytest.mark.parametrize(
        ("path", "says"),
        [("s.txt", ".parquet"), ("in/one.gpkg", "s"), ("out/ONE.csv", "is an output of 'one'")],
    )
    def test_that_cannot_be_written(self, path, says, folder, refused):
        line = ("batch", "in", *RUN, "--out-dir", "out", "--centers", ".csv")
        refused(*line, "--summary", path, says=says)

    def test_json_is_strict_and_says_the_same(self, cli, folder):
        (folder / "in" / "bad.gpkg").write_bytes(b"nothing")
        found = cli("-q", "batch", "in", *RUN, "--json", "--summary", "s.json")
        assert found.code == 1
        document = strict(found.out)
        assert (document["runs"], document["done"], document["failed"], document["not_started"]) == (
            4,
            3,
            1,
            0,
        )
        rows = strict((folder / "s.json").read_text(encoding="utf-8"))
        assert [{**one, "notes": None} for one in document["items"]] == [
            {**row, "notes": None} for row in rows
        ]


class TestResume:
    def test_skips_what_is_done_and_does_the_rest(self, cli, folder):
        line = ("batch", "in", *RUN, "--out-dir", "out", "--centers", ".csv", "--summary", "out/s.csv")
        assert cli(*line).code == 0
        (folder / "out" / "two.csv").unlink()
        shutil.copy("in/one.gpkg", "in/ten.gpkg")
        one, two = ((folder / "out" / name).stat().st_mtime_ns for name in ("one.gpkg", "two.gpkg"))
        found = cli(*line, "--resume")
        assert found.code == 0, found.err
        assert "3 runs: 2 done, 1 done before" in found.out
        assert [(row["name"], row["status"]) for row in rows_of("out/s.csv")] == [
            ("one", "skipped"),
            ("ten", "done"),
            ("two", "done"),
        ]
        assert (folder / "out" / "one.gpkg").stat().st_mtime_ns == one
        assert (folder / "out" / "two.gpkg").stat().st_mtime_ns > two
        assert (folder / "out" / "two.csv").exists()

    def test_other_options_are_other_runs(self, cli, folder):
        line = ("batch", "in", *RUN, "--out-dir", "out")
        assert cli(*line).code == 0
        assert "3 runs: 3 done before" in cli(*line, "--resume", "--jobs", 1).out
        assert "3 runs: 3 done\n" in cli(*line, "--seed", 5, "--resume").out


class TestTable:
    def test_long_names_stay_in_a_line(self, cli, folder):
        from rich.cells import cell_len

        for name in ("x" * 90 + "é", "日本" * 20, "short"):
            shutil.copy("in/one.gpkg", folder / "in" / f"{name}.gpkg")
        found = cli("-q", "batch", "in", *RUN, "--summary", "s.csv")
        lines = found.out.splitlines()
        assert max(map(cell_len, lines)) <= 80
        assert sum(line.endswith("done") for line in lines) == 7  # the title, and a line for each
        assert {row["name"] for row in rows_of("s.csv")} >= {"x" * 90 + "é", "日本" * 20}

    def test_of_many_it_ends_with_how_they_ended(self, cli, folder):
        (folder / "plan.toml").write_text(
            f"inputs = ['in/one.gpkg', 'in/no.gpkg']\nmethod = 'kmeans'\n"
            f"columns = 'a,b'\n[[run]]\ngrid = {{k = {list(range(1, 4))}, seed = {list(range(1, 9))}}}\n"
        )
        found = cli("-q", "batch", "plan.toml", "--summary", "s.csv")
        lines = found.out.strip().splitlines()
        assert lines[-1] == lines[0] == "batch, 48 runs: 24 done, 24 failed"
        assert lines[-2].startswith("4 more failed")

    def test_runs_whose_names_do_not_fit_are_told_apart_by_columns(self, cli, folder):
        shutil.copy("in/one.gpkg", "in/a name as long as that of the Distrito Federal.gpkg")
        (folder / "in" / "bad layer with a name that is long.gpkg").write_bytes(b"nothing")
        (folder / "plan.toml").write_text(
            "inputs = 'in/[ab]*.gpkg'\ncolumns = ['a', 'b']\n[[run]]\nmethod = 'kmeans'\n"
            "grid = {k = [2, 3], transform = ['z', 'raw']}\n[[run]]\nmethod = 'skater'\nk = 2\n"
        )
        found = cli("batch", "plan.toml", "--summary", "s.csv")
        rows = [line.split() for line in found.out.splitlines() if line.endswith((" done", " failed"))]
        assert len({tuple(row[:-6]) + tuple(row[-5:-4]) for row in rows[1:]}) == 10
        lines = [line.partition("]")[2] for line in found.err.splitlines() if line.startswith("[")]
        assert len({line.split(None, 1)[1].partition("  ")[0] for line in lines}) == 10
        for method in ("kmeans k=2 transform=raw", "kmeans k=3 transform=z", "skater k=2 transform=z"):
            assert sum(method in line for line in lines) == 2

    @pytest.mark.parametrize("width", [40, 60, 80])
    def test_lines_of_runs_that_are_done_fit(self, cli, folder, monkeypatch, width):
        from rich.cells import cell_len

        monkeypatch.setenv("COLUMNS", str(width))
        for name in ("Rio Grande do Norte e do Sul, duas vezes", "日本" * 20):
            shutil.copy("in/ten.gpkg", folder / "in" / f"{name}.gpkg")
        found = cli("batch", "in", *RUN, "--k", 12, "--summary", "s.csv")
        lines = [line for line in found.err.splitlines() if line.startswith("[")]
        assert len(lines) == 5
        assert max(map(cell_len, lines)) <= width
        assert all("k = 12" in line for line in lines)

    def test_bss_tss_is_the_figure_that_info_has(self, cli, folder):
        import re

        line = ("in/one.gpkg", *RUN[2:], "--with-centroids")
        found = cli("batch", *line, "--method", "kmeans", "--out-dir", "out", "--summary", "s.json")
        told = cli("info", "out/one.gpkg").out
        both, alone = map(float, re.search(r"BSS/TSS ([0-9.]+), attributes alone ([0-9.]+)", told).groups())
        header, row = (line.split() for line in found.out.splitlines()[-2:])
        shown = dict(zip(header, row, strict=True))
        assert (float(shown["BSS/TSS"]), float(shown["attributes"])) == (both, alone)
        assert f"BSS/TSS {both:.2f}" in found.err
        (row,) = strict((folder / "s.json").read_text())
        assert row["bss_tss_all"] == pytest.approx(both, abs=1e-4)
        assert row["bss_tss_attributes"] == pytest.approx(alone, abs=1e-4)


class TestVerbose:
    def test_says_how_long_each_stage_took(self, cli, folder):
        found = cli("-v", "batch", "in", *RUN, "--summary", "s.csv")
        timings = [line for line in found.err.splitlines() if line.startswith("timing: ")]
        assert len(timings) == 3
        assert all("read" in line for line in timings)
        assert "timing" not in cli("batch", "in", *RUN, "--summary", "t.csv").err


class TestNames:
    @pytest.mark.unix
    @pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
    def test_that_are_no_text(self, process, folder, ending):
        import os

        shutil.copy("in/one.gpkg", os.fsencode(folder / "in") + b"/caf\xe9.gpkg")
        found = process("batch", "in", *map(str, RUN), "--summary", f"s.{ending}")
        assert "Traceback" not in found.err
        assert "4 runs" in found.out
        assert (folder / f"s.{ending}").exists()

    def test_the_table_is_shown_before_a_summary_that_cannot_be_written(self, cli, folder, monkeypatch):
        from regionalize.run.batch import summary

        def broken(*_):
            raise ZeroDivisionError("never seen before")

        monkeypatch.setattr(summary, "write_rows", broken)
        found = cli("-q", "batch", "in", *RUN, "--summary", "s.csv", "--out-dir", "out")
        assert found.code == 1
        assert "batch, 3 runs: 3 done" in found.out
        assert found.err.splitlines()[-1].startswith("error: s.csv: the summary cannot be written (ZeroDiv")
        assert names(folder / "out") == ["one.gpkg", "ten.gpkg", "two.gpkg"]


def test_fail_fast_begins_with_the_smallest(cli, folder):
    (folder / "in" / "zzz.gpkg").write_bytes(b"nothing")
    found = cli("batch", "in", *RUN, "--fail-fast", "--jobs", 1, "--summary", "s.csv")
    assert "batch, 4 runs: 1 failed, 3 not started" in found.out
