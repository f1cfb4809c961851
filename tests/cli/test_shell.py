"""Among other programs: pipes, one JSON document, exit codes, many processes at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import partial

import geopandas
import numpy as np
import pyogrio
import pyproj
import pytest
import shapely

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")


@pytest.fixture
def shell(tmp_path, process_environment, warm_program):
    """Run a line in a real shell, in the test's folder, with `regionalize` on the path."""
    return partial(run_line, warm_program.parent, tmp_path, process_environment)


@pytest.fixture
def cold_shell(tmp_path, process_environment):
    """The same with a `regionalize` that has all files the shell gives it, or none."""
    folder = tmp_path / ".bin"
    folder.mkdir()
    command = folder / "regionalize"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m regionalize "$@"\n')
    command.chmod(0o755)
    return partial(run_line, folder, tmp_path, process_environment)


def run_line(programs, folder, environment, line, program="/bin/bash"):
    return subprocess.run(
        [program, "-c", line],
        cwd=folder,
        env={**environment, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def typed(tmp_path):
    """A GeoJSON file with a property of every type, and the features."""
    features = [
        {
            "type": "Feature",
            "properties": {
                "zeta": 0.1 * row,
                "b": bool(row % 2),
                "big": 9007199254740993 + row,
                "f": 0.1 + 0.2 * row,
                "text": 'x"y\né',
                "day": f"2020-01-0{row + 1}",
                "none": None if row else 1.5,
                "nest": {"a": [1, 2]},
                "alpha": row,
            },
            "geometry": {"type": "Point", "coordinates": [row + 0.123456789012345, 1.0, float(row)]},
        }
        for row in range(6)
    ]
    document = {"type": "FeatureCollection", "name": "typed", "features": features}
    (tmp_path / "typed.geojson").write_text(json.dumps(document))
    return features


def strict(text):
    """Parse JSON as the standard has it: no NaN, no infinity, and nothing but one document."""
    assert text.endswith("}\n")

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


@posix
class TestPipes:
    def test_a_chain_keeps_rows_columns_types_and_name(self, shell, typed):
        done = shell(
            "set -o pipefail;"
            "regionalize -q kmeans typed.geojson --columns zeta --k 2 --centers c.csv > /dev/null;"
            "cat typed.geojson | regionalize kmeans - --columns zeta --k 2 -o - |"
            " regionalize smooth - --columns alpha --weights knn:2 -o - |"
            " regionalize contiguous - --label-column cluster --columns zeta --weights knn:2 -o - |"
            " regionalize assign - --centers c.csv --label-column again -o -"
        )
        assert done.returncode == 0, done.stderr
        back = strict(done.stdout)
        assert back["name"] == "typed"
        assert len(back["features"]) == len(typed)
        for before, after in zip(typed, back["features"], strict=True):
            kept = list(before["properties"])
            assert list(after["properties"])[: len(kept)] == kept
            assert {name: after["properties"][name] for name in kept} == before["properties"]
            assert after["geometry"] == before["geometry"]
            assert set(after["properties"]) - set(kept) == {"cluster", "alpha_smooth", "contiguous", "again"}

    @pytest.mark.parametrize(
        "crs", ["EPSG:4326", "EPSG:26716", "ESRI:102003", "+proj=laea +lat_0=33 +lon_0=-84", None]
    )
    def test_a_reference_system_is_kept(self, crs, shell, grid, save):
        save(grid().set_crs(crs, allow_override=True), "in.gpkg")
        line = "regionalize -q kmeans in.gpkg --columns a,b --k 2 -o - | "
        line += "regionalize -q smooth - --columns a,b -o - | regionalize -q info - --json"
        found = strict(shell(line).stdout)
        if crs is None:
            assert found["crs"] is None
        else:
            wanted = strict(shell("regionalize -q info in.gpkg --json").stdout)
            assert found["crs"] == wanted["crs"]
            piped = shell("regionalize -q smooth in.gpkg --columns a,b -o -").stdout
            written = strict(piped).get("crs", {"properties": {"name": "EPSG:4326"}})
            assert pyproj.CRS(written["properties"]["name"]).equals(pyproj.CRS(crs), ignore_axis_order=True)

    @pytest.mark.parametrize("separator", ["", "\x1e"])
    def test_a_feature_a_line(self, separator, shell, typed, tmp_path):
        lines = "".join(f"{separator}{json.dumps(feature)}\n" for feature in typed)
        (tmp_path / "lines").write_text(lines)
        done = shell("cat lines | regionalize -q kmeans - --columns zeta --k 2 --json")
        assert done.returncode == 0, done.stderr
        assert strict(done.stdout)["input"]["rows"] == len(typed)

    def test_filter_and_layer_of_what_comes_in(self, shell, typed):
        line = "cat typed.geojson | regionalize -q info - --json"
        assert strict(shell(f"{line} --where 'alpha > 2'").stdout)["rows"] == 3
        assert strict(shell(f"{line} --layer typed").stdout)["rows"] == 6
        done = shell(f"{line} --layer other")
        assert (done.returncode, done.stdout) == (1, "")
        assert "there is no layer 'other'; it holds typed" in done.stderr

    @pytest.mark.parametrize(
        ("source", "says"),
        [
            ("< /dev/null", "nothing came in"),
            ("<&-", "it is closed"),
            ("< blank", "nothing came in"),
            ("< compressed", "gunzip"),
            ("< words", "is not a vector layer"),
            ("< half", "standard input"),
        ],
    )
    def test_what_is_no_layer_is_refused_in_a_line(self, source, says, cold_shell, tmp_path):
        import gzip

        (tmp_path / "blank").write_text(" \n")
        (tmp_path / "compressed").write_bytes(gzip.compress(b"{}"))
        (tmp_path / "words").write_text("not a layer\n")
        (tmp_path / "half").write_text('{"type": "FeatureCollection", "features": [{"type": "Feat')
        done = cold_shell(f"regionalize -q kmeans - --k 2 {source}")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: standard input: ")
        assert done.stderr.count("\n") == 1
        assert says in done.stderr

    def test_a_terminal_is_not_waited_for(self, tmp_path, process_environment):
        import pty

        ours, theirs = pty.openpty()
        try:
            done = subprocess.run(
                [sys.executable, "-m", "regionalize", "info", "-"],
                stdin=theirs,
                cwd=tmp_path,
                env=process_environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        finally:
            os.close(ours)
            os.close(theirs)
        assert done.returncode == 1
        assert done.stderr.startswith("error: standard input: it is the terminal")

    def test_standard_input_is_no_second_thing(self, shell, typed):
        done = shell("cat typed.geojson | regionalize -q compare - - kmeans:k=2")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1

    def test_two_pipes_of_names(self, cold_shell, typed):
        done = cold_shell("regionalize -q info <(cat typed.geojson) --json")
        assert strict(done.stdout)["rows"] == 6

    def test_a_reader_that_goes_away(self, shell, squares):
        done = shell(f"regionalize -q kmeans '{squares}' --k 2 -o - | head -c 10; echo ${{PIPESTATUS[0]}}")
        assert done.stderr == ""
        assert done.stdout.startswith('{"type": "')
        assert done.stdout.splitlines()[-1][-1] in "01"  # little output may fit the pipe

    def test_a_reader_that_is_slow(self, shell, grid, save):
        save(grid(80, 80), "many.gpkg")
        slow = "import sys, time; n = 0\n"
        slow += "while part := sys.stdin.buffer.read(200_000): n += part.count(b'\\n'); time.sleep(0.05)\n"
        slow += "print(n)"
        line = "set -o pipefail; regionalize -q smooth many.gpkg --columns a -o - | "
        done = shell(f'{line} "{sys.executable}" -c "{slow}"')
        assert (done.returncode, done.stdout) == (0, f"{80 * 80 + 2}\n"), done.stderr


REPORTING = {
    "kmeans": "kmeans squares.gpkg --k 3 --columns a,b",
    "as many clusters as units": "kmeans squares.gpkg --k 25 --columns a,b",
    "one cluster": "kmeans squares.gpkg --k 1 --columns constant,a",
    "skater": "skater squares.gpkg --k 3 --columns a,b",
    "hierarchical": "hierarchical squares.gpkg --k 3 --columns a,b",
    "dbscan": "dbscan squares.gpkg --eps 1500 --min-samples 3",
    "contiguous": "contiguous labelled.gpkg --columns a,b",
    "validate": "validate labelled.gpkg --columns a,b",
    "assign": "assign squares.gpkg --centers centers.csv",
    "choose-k": "choose-k squares.gpkg --k 2-25 --columns a,b",
    "compare": "compare labelled.gpkg cluster skater:k=3 --columns a,b",
    "stability": "stability squares.gpkg --k 3 --runs 3 --columns a,b",
    "rank": "rank squares.gpkg --at 50,10 --top 2",
    "weights": "weights squares.gpkg --islands nearest",
    "info": "info squares.gpkg",
    "smooth": "smooth squares.gpkg --columns a -o smooth.gpkg",
    "map": "map labelled.gpkg -o map.png",
    "sample": "sample copies",
    "batch": "batch squares.gpkg --method kmeans --k 3 --columns a,b",
}


class TestJson:
    @pytest.fixture
    def files(self, cli, tmp_path, monkeypatch, grid, save):
        monkeypatch.chdir(tmp_path)
        save(grid(), "squares.gpkg")
        files = ("-o", "labelled.gpkg", "--centers", "centers.csv")
        assert cli("kmeans", "squares.gpkg", "--k", 3, "--columns", "a,b", *files).code == 0

    @pytest.mark.parametrize("line", REPORTING.values(), ids=REPORTING)
    def test_one_document_that_any_parser_takes(self, line, files, cli):
        found = cli("-q", *line.split(), "--json")
        assert found.code == 0, found.err
        assert isinstance(strict(found.out), dict)
        assert found.err == ""

    @pytest.mark.parametrize("line", REPORTING.values(), ids=REPORTING)
    def test_its_keys_are_the_documented_ones(self, line, files, cli):
        from pathlib import Path

        page = (Path(__file__).parents[2] / "docs" / "shell.md").read_text(encoding="utf-8")
        name = line.split()[0]
        rows = [row for row in page.splitlines() if row.startswith("| ") and f"`{name}`" in row.split("|")[1]]
        row = rows[0] if rows else next(row for row in page.splitlines() if row.startswith("| methods"))
        documented = {word.strip("` ") for word in row.split("|")[2].split(",")}
        assert set(strict(cli("-q", *line.split(), "--json").out)) == documented

    def test_every_command_has_it(self):
        from regionalize.cli.program import COMMANDS

        assert set(COMMANDS) - set(REPORTING) == {"completion"}

    def test_not_with_a_layer_on_the_same_stream(self, files, refused):
        for line in ("kmeans squares.gpkg --k 2", "smooth squares.gpkg", "compare labelled.gpkg skater:k=2"):
            refused(*line.split(), "-o", "-", "--json", code=2, says="both write to standard output")


@posix
class TestExitCodes:
    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("regionalize -q kmeans squares.gpkg --k 2", 0),
            ("regionalize -q kmeans nowhere.gpkg --k 2", 1),
            ("regionalize -q kmeans squares.gpkg --k 2 -o nowhere/x.gpkg", 1),
            ("regionalize -q skater squares.gpkg --k 2 --min-size 13", 1),
            ("regionalize -q kmeans squares.gpkg", 2),
            ("regionalize -q kmeans squares.gpkg --kk 2", 2),
            ("regionalize -q nothing", 2),
            ("regionalize -q completion ksh", 2),
            ("regionalize -q validate squares.gpkg --label-column name --require k=3", 3),
            ("timeout -s TERM 3 regionalize -q kmeans --k 9 --search starts --n-init 99999999", 124),
        ],
    )
    def test_each_through_a_shell(self, line, code, shell, squares):
        squares.rename(squares.with_name("squares.gpkg"))
        done = shell(line)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr

    def test_set_e_stops_a_script(self, shell):
        done = shell("set -e; regionalize -q kmeans nowhere.gpkg --k 2; echo went on", "/bin/sh")
        assert (done.returncode, done.stdout) == (1, "")


@posix
class TestManyAtATime:
    def test_layers_added_to_one_file_are_all_there(self, shell, squares, tmp_path):
        add = "regionalize -q kmeans in.gpkg --columns a,b --k {} -o all.gpkg --output-layer k{}"
        done = shell(f"seq 2 7 | xargs -P 6 -I {{}} {add} > /dev/null")
        assert done.returncode == 0, done.stderr
        layers = {str(name) for name in pyogrio.list_layers(tmp_path / "all.gpkg")[:, 0]} - {"layer_styles"}
        assert layers == {f"k{k}" for k in range(2, 8)}
        for k in range(2, 8):
            found = geopandas.read_file(tmp_path / "all.gpkg", layer=f"k{k}")
            assert found["cluster"].nunique() == k
        assert {path.name for path in tmp_path.iterdir()} == {".bin", "in.gpkg", "all.gpkg"}

    def test_one_makes_a_file_and_the_others_say_so(self, shell, squares, tmp_path):
        make = "regionalize -q kmeans in.gpkg --columns a,b --k {} -o same.gpkg"
        done = shell(f"seq 2 5 | xargs -P 4 -I {{}} {make} > /dev/null")
        assert done.returncode == 123  # xargs: some ended with another code than 0
        assert done.stderr.count("error: ") == 3
        assert done.stderr.count("already exists") == 3
        assert 2 <= geopandas.read_file(tmp_path / "same.gpkg", layer=0)["cluster"].nunique() <= 5
        assert {path.name for path in tmp_path.iterdir()} == {".bin", "in.gpkg", "same.gpkg"}

    def test_names_with_blanks_quotes_and_line_ends(self, shell, grid, save, tmp_path):
        (tmp_path / "in").mkdir()
        (tmp_path / "out").mkdir()
        names = ["a b.gpkg", 'it\'s "it".gpkg', "-dash.gpkg", "é%s.gpkg"]
        layer = save(grid(), "plain.gpkg").read_bytes()
        for name in names:
            (tmp_path / "in" / name).write_bytes(layer)
        save(grid(), "in/two\nlines.parquet")
        done = shell(
            "find in -type f -print0 | xargs -0 -P 3 -I {} sh -c"
            ' \'regionalize -q kmeans "$1" --columns a,b --k 2 -o "out/${1#in/}" > /dev/null\' sh {}'
        )
        assert done.returncode == 0, done.stderr
        assert {path.name for path in (tmp_path / "out").iterdir()} == {*names, "two\nlines.parquet"}

    def test_signs_in_names_that_GDAL_takes_apart(self, shell, squares, tmp_path):
        squares.rename(squares.with_name("two\nlines!;.gpkg"))
        done = shell("regionalize -q kmeans $'two\\nlines!;.gpkg' --columns a,b --k 2 -o $'out\\n!;in.shp'")
        assert (done.returncode, done.stderr) == (0, "")
        parts = {f"out\n!;in.{ending}" for ending in ("shp", "shx", "dbf", "prj", "cpg", "shp.run.json")}
        assert {path.name for path in tmp_path.iterdir()} <= {".bin", "two\nlines!;.gpkg", *parts}

    def test_find_exec_and_make(self, shell, grid, save, tmp_path):
        for name in ("a", "b", "c"):
            save(grid(), f"{name}.gpkg")
        line = "regionalize -q kmeans {} --columns a,b --k 2 -o {}.geojson"
        done = shell(f"find . -maxdepth 1 -name '*.gpkg' -exec {line} ';' > /dev/null")
        assert (done.returncode, done.stderr) == (0, "")
        assert len(list(tmp_path.glob("*.gpkg.geojson"))) == 3
        rule = "%.fgb: %.gpkg\n\tregionalize -q kmeans $< --columns a,b --k 2 -o $@ --overwrite > /dev/null\n"
        (tmp_path / "Makefile").write_text(f"all: a.fgb b.fgb c.fgb\n{rule}")
        done = shell("make -s -j 3 && make -q")
        if done.returncode == 127:
            pytest.skip("needs make, which is not installed here")
        assert (done.returncode, done.stderr) == (0, "")

    def test_compiled_code_is_kept_by_several_at_once(self, shell, grid, save, tmp_path):
        """Machine code is written to one folder by several processes, and read by the next."""
        save(grid(), "in.gpkg")
        run = "NUMBA_CACHE_DIR=cache regionalize -q skater in.gpkg --columns a,b --k 3 --json"
        done = shell(f"seq 4 | xargs -P 4 -I {{}} sh -c '{run} > {{}}.json'")
        assert (done.returncode, done.stderr) == (0, "")
        found = [strict((tmp_path / f"{at}.json").read_text())["sizes"] for at in range(1, 5)]
        assert found == [found[0]] * 4


def test_a_lock_is_let_go_of_when_its_holder_is_killed(tmp_path, child):
    from regionalize.io.lock import alone

    target = tmp_path / "x.gpkg"
    code = (
        "import sys, time; from pathlib import Path; from regionalize.io.lock import alone\n"
        f"with alone(Path({str(target)!r})): print('held', flush=True); time.sleep(100)"
    )
    holder = child(code=code)
    assert holder.stdout.readline() == "held\n"
    start = time.monotonic()
    holder.kill()
    holder.wait()
    with alone(target):
        assert time.monotonic() - start < 60
    assert list(tmp_path.iterdir()) == []


def test_json_of_numpy_and_of_what_is_not_finite():
    from regionalize.io.documents import json_text

    values = {
        "a": np.float32("nan"),
        "b": np.int64(3),
        "c": np.array([1.0, np.inf]),
        "d": (-np.inf, np.bool_(True)),
    }
    assert json.loads(json_text(values)) == {"a": None, "b": 3, "c": [1.0, None], "d": [None, True]}


def test_points_are_still_points(tmp_path):
    """The head of GeoJSON is looked at in any order of its members."""
    from regionalize.io.read import read_layer

    feature = {
        "type": "Feature",
        "properties": {"a": 1},
        "geometry": shapely.geometry.mapping(shapely.Point(1, 2)),
    }
    for head in ({"crs": None, "type": "FeatureCollection"}, {"type": "FeatureCollection", "crs": None}):
        (tmp_path / "x.geojson").write_text(json.dumps({**head, "features": [feature]}))
        assert read_layer(tmp_path / "x.geojson").crs is None
