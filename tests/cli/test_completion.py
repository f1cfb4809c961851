"""Completion: what a shell is offered, by click's protocol and in the shells that are here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import geopandas
import pytest
import shapely

from regionalize.cli.completion import ASKED, SCRIPTS
from regionalize.cli.program import COMMANDS
from regionalize.model.catalog import OWN

NAMES = ["my col", "a,b", "Área", "idhm_e", "idhm_l", "$x", "it's", "state"]


@pytest.fixture
def folder(tmp_path):
    """A folder with layers, another folder, and files that are no layers."""
    values = {name: [1.0, 2.0] for name in NAMES if name != "state"} | {"state": ["CE", "PI"]}
    frame = geopandas.GeoDataFrame(values, geometry=[shapely.Point(0, 0), shapely.Point(1, 1)], crs=4326)
    frame.to_file(tmp_path / "odd.geojson", engine="pyogrio")
    (tmp_path / "my data").mkdir()
    frame.to_file(tmp_path / "my data" / "two.gpkg", layer="first", engine="pyogrio")
    frame.to_file(tmp_path / "my data" / "two.gpkg", layer="second", engine="pyogrio")
    frame.to_parquet(tmp_path / "odd.parquet")
    for name in ("odd.txt", ".hidden.gpkg", "plan.toml", "centers.csv"):
        (tmp_path / name).write_text("x")
    return tmp_path


@pytest.fixture
def offered(folder, process_environment, warm_program):
    """Return what is offered for a line: `offered("regionalize km", "bash")`; nothing may go to stderr."""

    def ask(line, shell="bash", stdin=None):
        words = line.split(" ")
        asked = {ASKED: f"{shell}_complete", "COMP_WORDS": line}
        asked["COMP_CWORD"] = words[-1] if shell == "fish" else str(len(words) - 1)
        done = subprocess.run(
            [warm_program],
            cwd=folder,
            env={**process_environment, **asked},
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        lines = done.stdout.decode().splitlines()
        if shell == "zsh":
            return lines[1::3]
        return [one.split("\t")[0].partition(",")[2] for one in lines]

    return ask


CASES = {
    "regionalize kmed": ["kmedians", "kmedoids"],
    "regionalize choo": ["choose-k"],
    "regionalize --no": ["--no-color"],
    "regionalize --config p": ["plan.toml"],
    "regionalize kmeans --tr": ["--transform"],
    "regionalize kmeans --search s": ["swap", "starts"],
    "regionalize kmeans --search=s": ["--search=swap", "--search=starts"],
    "regionalize kmeans o": ["odd.geojson", "odd.parquet"],
    "regionalize kmeans m": ["my data/"],
    "regionalize kmeans nowhere/": [],
    "regionalize kmeans odd.geojson --columns idhm": ["idhm_e", "idhm_l"],
    "regionalize kmeans --columns idhm": [],  # of the sample, where no INPUT is named
    "regionalize kmeans --columns pct_b": ["pct_bach", "pct_black"],
    "regionalize kmeans odd.parquet --columns idhm_e,s": [],  # text is no variable
    "regionalize kmeans odd.parquet --exclude idhm_e,s": ["idhm_e,state"],
    "regionalize kmeans odd.geojson --columns idhm_e,idhm": ["idhm_e,idhm_l"],
    "regionalize kmeans odd.geojson --columns a": ['"a,b"'],
    "regionalize kmeans odd.geojson --column-weights idhm_l": ["idhm_l="],
    "regionalize kmeans odd.geojson --min-bound idhm": ["idhm_e=", "idhm_l="],
    "regionalize kmeans odd.geojson --aggregate idhm_e": ["idhm_e:"],
    "regionalize kmeans odd.geojson --aggregate idhm_e:me": ["idhm_e:mean", "idhm_e:median"],
    "regionalize kmeans odd.geojson --id st": ["state"],
    "regionalize skater odd.geojson --within st": ["state"],
    "regionalize azp odd.geojson --locked st": ["state"],
    "regionalize azp odd.geojson --start s": ["schc", "skater", "state"],
    "regionalize validate odd.geojson --label-column st": ["state"],
    "regionalize kmeans odd.geojson --label-column st": [],  # a new one
    "regionalize kmeans odd.geojson --axes idhm_e,idhm": ["idhm_e,idhm_l"],
    "regionalize kmeans --weights r": ["rook"],
    "regionalize choose-k --method sp": ["spectral"],
    "regionalize choose-k --method schc:linkage=a": ["schc:linkage=average"],
    "regionalize stability --method kmeans:n": ["kmeans:n-init="],
    "regionalize compare odd.geojson schc:l": ["schc:linkage="],
    "regionalize batch p": ["plan.toml"],
    "regionalize batch o": ["odd.geojson", "odd.parquet"],
    "regionalize batch odd.geojson --by st": ["state"],
    "regionalize batch odd.* --by st": ["state"],
    "regionalize batch nowhere/* --by st": [],
    "regionalize batch odd.parquet --method kmed": ["kmedians", "kmedoids"],
    "regionalize batch odd.parquet --method kmeans --search s": ["swap", "starts"],
    "regionalize batch odd.parquet --method kmeens --columns i": [],
    "regionalize batch odd.parquet --method kmeans --columns idhm": ["idhm_e", "idhm_l"],
    "regionalize assign --centers c": ["centers.csv"],
    "regionalize completion f": ["fish"],
    "regionalize nosuch --co": [],
    "regionalize kmeans --nosuch x --columns a": [],
    "regionalize kmeans odd.txt --columns a": [],
    "regionalize kmeans centers.csv --layer a": [],
    "regionalize kmeans https://example.org/x.gpkg --columns a": [],
}


@pytest.mark.parametrize("line", CASES)
def test_what_is_offered(line, offered):
    assert offered(line) == CASES[line]


@pytest.mark.parametrize("shell", SCRIPTS)
def test_commands_and_columns_in_every_shell(shell, offered):
    assert set(offered("regionalize ", shell)) == {*OWN, *COMMANDS}
    found = offered("regionalize kmeans odd.geojson --columns ", shell)
    assert found == ["my col", '"a,b"', "Área", "idhm_e", "idhm_l", "$x", "it's"]
    assert offered("regionalize kmeans odd.geojson --columns=idhm_l", shell) == ["--columns=idhm_l"]


def test_layers(offered, folder):
    (folder / "two.gpkg").write_bytes((folder / "my data" / "two.gpkg").read_bytes())
    assert offered("regionalize info two.gpkg --layer ") == ["first", "second"]
    assert offered("regionalize kmeans two.gpkg --columns idhm") == []  # which layer, nobody knows yet
    assert offered("regionalize kmeans two.gpkg --layer second --columns idhm") == ["idhm_e", "idhm_l"]


def test_standard_input_is_not_read(offered):
    assert offered("regionalize kmeans - --columns pct", stdin=b"not GeoJSON") == []


@pytest.mark.parametrize("environment", [{"COMP_WORDS": ""}, {"COMP_WORDS": "'"}, {}])
@pytest.mark.parametrize("shell", [*SCRIPTS, "ksh", ""])
def test_nothing_is_said_whatever_is_asked(shell, environment, folder, process_environment, warm_program):
    done = subprocess.run(
        [warm_program],
        cwd=folder,
        env={**process_environment, ASKED: f"{shell}_complete", **environment},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_heavy_is_not_loaded_for_options(process):
    code = (
        "import os, sys; os.environ['_REGIONALIZE_COMPLETE'] = 'bash_complete';"
        "os.environ['COMP_WORDS'] = 'regionalize kmeans --sea';"
        "from regionalize.cli.program import run_program; run_program();"
        "print(*(name for name in ('numpy', 'pyarrow', 'pyogrio', 'rich', 'shapely') if name in sys.modules))"
    )
    assert process(code=code).out.split() == ["plain,--search"]


def test_another_shell_is_refused_with_the_list(refused):
    assert "bash, zsh, fish" in refused("completion", "ksh", code=2)
    assert "bash, zsh, fish" in refused("completion", code=2)


@pytest.fixture
def programs(folder, process_environment):
    """An environment in which `regionalize` is this checkout's."""
    place = folder / ".bin"
    place.mkdir()
    command = place / "regionalize"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m regionalize "$@"\n')
    command.chmod(0o755)
    return {**process_environment, "PATH": f"{place}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}


def shell_or_skip(name):
    if shutil.which(name) is None:
        pytest.skip(f"needs {name}, which is not installed here")


@pytest.mark.parametrize("shell", SCRIPTS)
def test_scripts_are_sound(shell, cli):
    shell_or_skip(shell)
    found = cli("completion", shell)
    assert (found.code, found.err) == (0, "")
    checked = subprocess.run([shell, "-n"], input=found.out, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


BASH = r"""
eval "$(regionalize completion bash)"
compopt() { :; }
ask() {
    COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
    _regionalize_completion regionalize
    printf '%s|' "${COMPREPLY[@]}"
    echo
}
ask 'regionalize kmea' regionalize kmea
ask 'regionalize kmeans my' regionalize kmeans my
ask 'regionalize kmeans odd.geojson --columns idhm_e,m' regionalize kmeans odd.geojson --columns idhm_e,m
ask 'regionalize kmeans odd.geojson --columns=idhm_l' regionalize kmeans odd.geojson --columns = idhm_l
ask 'regionalize compare odd.geojson schc:linkage=av' regionalize compare odd.geojson schc : linkage = av
ask 'regionalize compare odd.geojson schc:' regionalize compare odd.geojson schc :
ask "regionalize kmeans odd.geojson --columns 'my" regionalize kmeans odd.geojson --columns "'my"
ask 'regionalize kmeans "my data/two.gpkg" --layer f' regionalize kmeans '"my data/two.gpkg"' --layer f
ask 'regionalize kmeans odd.geojson --exclude \$' regionalize kmeans odd.geojson --exclude '\$'
ask 'regionalize nothing --x' regionalize nothing --x
"""


def test_in_bash(programs, folder):
    """What bash is to put in place of what it takes for the word."""
    shell_or_skip("bash")
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH], cwd=folder, env=programs, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "kmeans|",
        "my data/|",  # bash itself sees to blanks in names of files
        r"idhm_e,my\ col|",
        "idhm_l|",
        "average|",
        "k=|linkage=|",
        "my col|",
        "first|",
        r"\$x|",
        "|",
    ]


def test_in_fish(programs, folder):
    shell_or_skip("fish")
    script = "regionalize completion fish | source; complete -C $argv"
    for line, wanted in {
        "regionalize kmea": ["kmeans"],
        "regionalize kmeans my": ["my data/"],
        "regionalize kmeans odd.geojson --columns idhm_e,m": ["idhm_e,my col"],
        "regionalize kmeans odd.geojson --search=s": ["--search=starts", "--search=swap"],
    }.items():
        done = subprocess.run(
            ["fish", "--no-config", "-c", script, line],
            cwd=folder,
            env={**programs, "HOME": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        assert [one.split("\t")[0] for one in done.stdout.splitlines()] == wanted


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_in_zsh(programs, folder):
    """The tab key, pressed on a terminal."""
    shell_or_skip("zsh")
    home = folder / "home"
    home.mkdir()
    (home / ".zshrc").write_text(
        'autoload -Uz compinit; compinit -u -d "$HOME/dump"; eval "$(regionalize completion zsh)"\n'
        "show() { print -r -- \"<$BUFFER>\"; BUFFER=; zle accept-line }; zle -N show; bindkey '^X' show\n"
        "PS1=; print ready\n"
    )
    lines = {
        "regionalize kmea\t\x18": "<regionalize kmeans >",
        "regionalize kmeans my\t\x18": r"<regionalize kmeans my\ data/>",
        "regionalize kmeans odd.geojson --columns idhm_e,m\t\x18": (
            r"<regionalize kmeans odd.geojson --columns idhm_e,my\ col>"
        ),
        "regionalize compare odd.geojson schc:linkage=av\t\x18": (
            "<regionalize compare odd.geojson schc:linkage=average>"
        ),
    }
    said = typed_into(["zsh", "-i"], list(lines), {**programs, "HOME": str(home), "TERM": "dumb"}, folder)
    for wanted in lines.values():
        assert wanted in said, json.dumps(said)


def typed_into(command, lines, environment, folder):
    """Type lines into a program on a terminal of its own, and return what it showed."""
    import pty
    import select
    import time

    pid, terminal = pty.fork()
    if pid == 0:  # the child
        os.chdir(folder)
        os.execvpe(command[0], command, environment)
    shown = b""

    def read_until(mark, seconds=30.0):
        nonlocal shown
        end = time.monotonic() + seconds
        start = len(shown)
        while time.monotonic() < end and mark not in shown[start:]:
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    shown += os.read(terminal, 65536)
                except OSError:
                    return

    try:
        read_until(b"ready")
        for line in lines:
            os.write(terminal, line.encode())
            read_until(b">\r\n")
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    return shown.decode(errors="replace")
