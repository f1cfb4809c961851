"""The example of docs/adding-a-method.md, taken out of the page, built, installed and run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "adding-a-method.md"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the package of the page and install it into a folder of its own."""
    if find_spec("hatchling") is None:
        pytest.skip("needs hatchling, which builds the example (extra: test)")
    source, target = tmp_path_factory.mktemp("package"), tmp_path_factory.mktemp("site")
    text = PAGE.read_text(encoding="utf-8")
    for name, content in re.findall(r"```(?:toml|py)\n# (\S+)\n(.*?)```", text, re.DOTALL):
        (source / name).write_text(content, encoding="utf-8")
    assert sorted(path.name for path in source.iterdir()) == ["pyproject.toml", "regionalize_slices.py"]
    options = ["--quiet", "--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(source)],
        check=True,
        capture_output=True,
        env={**os.environ, "PIP_NO_INPUT": "1"},
    )
    return target


@pytest.fixture
def shell(site, tmp_path):
    """Run a line in a shell, with the package installed."""
    if os.name == "nt":
        pytest.skip("the lines of the page are for a shell of Unix")
    (tmp_path / "bin").mkdir()
    for name, start in {"regionalize": "-m regionalize", "python": ""}.items():
        command = tmp_path / "bin" / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" {start} "$@"\n')
        command.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(PROJECT), str(site)]),
        "COLUMNS": "80",
    }

    def run(line):
        return subprocess.run(
            line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


def lines_of_the_page():
    block = re.search(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return block[1].splitlines()


@pytest.mark.parametrize("line", lines_of_the_page())
def test_every_line_of_the_page_works(line, shell):
    done = shell(line)
    assert done.returncode == 0, done.stderr


def test_it_is_in_the_help_and_gives_the_right_groups(shell, tmp_path):
    import geopandas
    import numpy as np

    assert "regionalize-slices" in "".join(shell("regionalize --help").stdout.split())
    done = shell("regionalize -q slices --k 4 --columns pct_pov,pct_rural --variable 2 -o out.gpkg --json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["settings"]["method"] == "slices"
    assert sorted(report["sizes"]) == [39, 40, 40, 40]
    frame = geopandas.read_file(tmp_path / "out.gpkg", layer=0)
    first = np.sort([group["pct_rural"].min() for _, group in frame.groupby("cluster")])
    last = np.sort([group["pct_rural"].max() for _, group in frame.groupby("cluster")])
    assert (last[:-1] <= first[1:]).all()  # quartiles


def test_its_options_are_held_to(shell):
    done = shell("regionalize -q slices --k 4 --variable 0")
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["error: --variable is 0; it must be a whole number of at least 1"]
    done = shell("regionalize -q slices --k 4 --variabel 1")
    assert done.stderr.splitlines() == ["error: there is no option --variabel; did you mean --variable?"]
    done = shell("regionalize -q slices --k 4 --variable 90")
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "package regionalize-slices 0.1 failed: index 89 is out of bounds" in done.stderr


def test_it_takes_part_in_batch(shell):
    assert shell("regionalize sample a").returncode == 0
    done = shell("regionalize -q batch 'a/*.gpkg' --method slices --k 3 --variable 2 --out-dir out")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_from_python(shell):
    code = (
        "import geopandas, regionalize as rz;"
        "from regionalize.io.sample import sample_path;"
        "found = rz.regionalize(geopandas.read_file(sample_path()), 'slices', k=3, columns=['pct_pov']);"
        "print(found.labels.value_counts().tolist())"
    )
    done = shell(f'python -c "{code}"')
    assert done.stdout == "[53, 53, 53]\n", done.stderr
