"""What a terminal shows that a pipe does not: colours of clusters, and a bar while something takes long."""

from __future__ import annotations

import json
import os
import re
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from regionalize.cli.bar import Bar, Pace
from regionalize.maps.colors import NOISE_COLOR, cluster_color

RUN = "from regionalize.cli import main; main()"
IMPATIENT = f"import regionalize.cli.bar as bar; bar.PATIENCE = 0.01; {RUN}"
SLOW = ("kmeans", "--k", 12, "--search", "starts", "--n-init", 1500)
SLOWER = (*SLOW[:-1], 10**7)
STYLE = re.compile(r"\x1b\[[0-9;]*m")


def on_a_terminal(command, environment, folder, code=RUN, *, columns=80, ends_with=0, interrupt_at=None):
    """Run with a terminal for all three streams and return what it is sent.

    Ctrl-C is pressed once it shows `interrupt_at`.
    """
    pty = pytest.importorskip("pty", reason="a terminal is made the Unix way")
    import fcntl
    import struct
    import termios

    environment = {name: value for name, value in environment.items() if name != "COLUMNS"}
    with warnings.catch_warnings():
        # from Python 3.12 on: threads of the test runner, which the child leaves behind at once
        warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
        pid, descriptor = pty.fork()
    if pid == 0:  # the child becomes the program
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        os.chdir(folder)
        # whoever runs the tests in the background has told them to ignore an interrupt
        heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); signal.alarm(120);"
        os.execve(sys.executable, [sys.executable, "-c", heed + code, *map(str, command)], environment)
    shown = b""
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
        if interrupt_at is not None and re.search(interrupt_at, STYLE.sub("", shown.decode(errors="ignore"))):
            os.write(descriptor, b"\x03")
            interrupt_at = None
    os.close(descriptor)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == ends_with, shown.decode()
    return shown.decode()


def screen(sent, columns):
    """What is left to see in the end, line by line, by the few controls that a bar is made of."""
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[\s\S]", sent):
        if part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\r":
            column = 0
        elif part.startswith("\x1b["):
            if part.endswith("A"):
                row = max(row - int(part[2:-1] or 1), 0)
            elif part == "\x1b[2K":
                lines[row] = ""
            else:
                assert part[-1] == "m" or part in {"\x1b[?25l", "\x1b[?25h"}, repr(part)
        else:
            if column >= columns:  # the line is full
                row, column = row + 1, 0
                lines += [""] * (row + 1 - len(lines))
            lines[row] = lines[row].ljust(column)[:column] + part + lines[row][column + 1 :]
            column += cell_len(part)
    return lines


def background(color):
    """The code of a colour behind letters, on a terminal that knows all."""
    return "48;2;" + ";".join(str(int(color[at : at + 2], 16)) for at in (1, 3, 5))


@pytest.fixture
def terminal(process_environment):
    return {**process_environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"}


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        (("--no-color",), {}),
        ((), {"NO_COLOR": "1"}),
        ((), {"NO_COLOR": ""}),
        ((), {"TERM": "dumb", "COLORTERM": ""}),
    ],
)
def test_without_colours_a_terminal_shows_what_a_pipe_gets(options, variables, tmp_path, terminal, process):
    command = (*options, "-q", "kmeans", "--k", 3)
    shown = on_a_terminal(command, {**terminal, **variables}, tmp_path)
    assert not re.search(r"\x1b\[[0-9;]*[34][0-9]", shown)
    # headings are bold, with the blanks after them
    assert [line.rstrip() for line in STYLE.sub("", shown).splitlines()] == process(*command).out.splitlines()


def test_clusters_have_the_colours_of_the_map(tmp_path, terminal, process):
    command = ("-q", "kmeans", "--k", 25, "--columns", "pct_rural,pct_pov")
    shown = on_a_terminal(command, terminal, tmp_path)
    plain = process(*command).out
    assert "\x1b" not in plain
    bare = STYLE.sub("", shown).replace("\r", "")
    assert bare.split() == plain.split()  # the same words
    rows = shown.split("Clusters")[1].splitlines()[2:27]
    for label, row in enumerate(rows, 1):
        patch, _, rest = row.partition("\x1b[0m")
        assert patch == f"\x1b[{background(cluster_color(label))}m  "
        assert rest.split()[0] == str(label)
    assert len({row.partition("\x1b[0m")[0] for row in rows}) == 25
    drawn = on_a_terminal((*command[:3], 3, *command[4:], "--map", "map.svg"), terminal, tmp_path)
    svg = (tmp_path / "map.svg").read_text()
    for label in (1, 2, 3):
        assert background(cluster_color(label)) in drawn
        assert cluster_color(label) in svg


@pytest.mark.parametrize("name", ["xterm-256color", "xterm"])
def test_fewer_colours_are_the_nearest(name, tmp_path, terminal):
    shown = on_a_terminal(("-q", "kmeans", "--k", 3), {**terminal, "TERM": name, "COLORTERM": ""}, tmp_path)
    assert "48;2;" not in shown
    assert len(set(re.findall(r"\x1b\[(48;5;\d+|4[0-7]|10[0-7])m  ", shown))) == 3


def test_noise_is_grey_and_regions_are_matched_by_colour(tmp_path, terminal):
    variables = ("--columns", "pct_rural,pct_pov")
    shown = on_a_terminal(("-q", "hdbscan", "--min-cluster-size", 6, *variables), terminal, tmp_path)
    line = next(line for line in shown.splitlines() if "are noise" in line)
    assert line.startswith(f"\x1b[{background(NOISE_COLOR)}m  \x1b[0m")
    steady = ("-q", "stability", "--method", "hdbscan:min-cluster-size=6", "--runs", 3, *variables)
    line = next(line for line in on_a_terminal(steady, terminal, tmp_path).splitlines() if "noise " in line)
    assert line.startswith(f"\x1b[{background(NOISE_COLOR)}m  \x1b[0m noise")
    both = on_a_terminal(("-q", "compare", "kmeans", "skater", "--k", 3, *variables), terminal, tmp_path)
    table = both.split("(across)")[1].splitlines()
    assert re.findall(r"48;2;[0-9;]+", table[1]) == [background(cluster_color(label)) for label in (1, 2, 3)]
    for label in (1, 2, 3):
        assert table[1 + label].startswith(f"\x1b[{background(cluster_color(label))}m")


def test_progress_on_a_terminal_only(tmp_path, terminal, cli):
    shown = STYLE.sub("", on_a_terminal(SLOW, terminal, tmp_path, IMPATIENT))
    bar = re.compile(r"kmeans ━+[╸╺]?━*\s+\d+% \d:\d\d")
    assert bar.search(shown)
    shares = [int(share) for share in re.findall(r"kmeans [━╸╺]+\s+(\d+)%", shown)]
    assert shares == sorted(shares)
    assert not any("━" in line for line in screen(shown, 80))
    assert "BSS/TSS" in shown
    assert not bar.search(STYLE.sub("", on_a_terminal(("-q", *SLOW), terminal, tmp_path, IMPATIENT)))
    assert "━" not in cli(*SLOW).err


def test_files_are_named_while_they_are_made(tmp_path, terminal):
    outputs = ("-o", "out.gpkg", "--map", "map.png")
    shown = on_a_terminal(("kmeans", "--k", 3, *outputs), terminal, tmp_path, IMPATIENT)
    assert "writing map.png" in shown
    assert not any("writing" in line for line in screen(shown, 80))


def test_a_quick_run_shows_no_progress(tmp_path, terminal):
    patient = IMPATIENT.replace("0.01", "60")
    shown = on_a_terminal(("kmeans", "--k", 3), terminal, tmp_path, patient)
    assert "\x1b[?25l" not in shown  # a bar hides the cursor


def test_a_terminal_without_controls_is_sent_none(tmp_path, terminal):
    shown = on_a_terminal(SLOW, {**terminal, "TERM": "dumb", "COLORTERM": ""}, tmp_path, IMPATIENT)
    assert "\x1b" not in shown
    assert "━" not in shown


@pytest.mark.parametrize("columns", [80, 40, 12])
def test_an_interrupt_leaves_nothing_of_the_bar(columns, tmp_path, terminal):
    shown = on_a_terminal(
        ("--quiet", *SLOWER)[1:],
        terminal,
        tmp_path,
        IMPATIENT,
        columns=columns,
        ends_with=130,
        interrupt_at="0:01",
    )
    lines = "".join(line for line in screen(shown, columns) if line.strip())
    error = lines.index("error: interrupted; every file is")
    assert re.fullmatch(r"note: no INPUT given.*", lines[:error])
    assert "━" not in lines
    assert "0:01" not in lines
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")  # the cursor is shown again


def test_a_layer_on_standard_output_is_not_mixed_with_the_bar(tmp_path, terminal):
    into_file = "import os; os.dup2(os.open('out.json', os.O_CREAT | os.O_WRONLY), 1);"
    shown = on_a_terminal((*SLOW, "-o", "-"), terminal, tmp_path, into_file + IMPATIENT)
    assert "kmeans" in shown
    assert len(json.loads((tmp_path / "out.json").read_text())["features"]) == 159
    both = screen(on_a_terminal((*SLOW, "-o", "-"), terminal, tmp_path, IMPATIENT, columns=10**4), 10**4)
    document = "\n".join(both)
    assert len(json.loads(document[document.index("{") : document.rindex("}") + 1])["features"]) == 159


@given(
    st.integers(1, 200),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=5),
)
@example(80, "kmeans", [(1, 2)])
@example(3, "人口密度と平均所得の変化率", [])
def test_a_line_is_never_wider_than_the_terminal(columns, stage, told):
    bar = Bar(None)
    bar.stop()
    for done, total in told:
        bar.show(stage, min(done, total), total)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(width=columns, file=nowhere, force_terminal=True)
        with console.capture() as drawn:
            console.print(bar.line(columns))
    lines = STYLE.sub("", drawn.get()).splitlines()
    assert len(lines) == 1
    assert cell_len(lines[0]) <= columns


def test_a_stage_that_comes_again_goes_on_where_it_was(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("regionalize.cli.bar.monotonic", lambda: now[0])
    bar = Bar(None)
    bar.stop()
    for stage, done, seconds in (
        ("features", 0, 5),
        ("kmeans", 0, 10),
        ("kmeans", 1, 0),
        ("features", 0, 30),
    ):
        bar.show(stage, done, 4 if stage == "kmeans" else 0)
        now[0] += seconds
    bar.show("kmeans", 0, 0)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(width=80, file=nowhere)
        with console.capture() as drawn:
            console.print(bar.line(80))
    assert drawn.get().split()[-4:] == ["25%", "0:10,", "0:30", "left"]


@given(st.lists(st.tuples(st.floats(0.01, 100), st.integers(0, 50), st.integers(0, 50)), max_size=20))
def test_shares_never_fall_and_the_rest_never_takes_less_than_nothing(steps):
    now = 0.0
    pace = Pace(begun=now)
    before = 0.0
    for seconds, done, total in steps:
        now += seconds
        pace.tell(min(done, total), total, now)
        share = pace.share or 0.0
        assert before <= share <= 1
        before = share
        left = pace.left(now)
        assert left is None or left > 0


def test_at_an_even_pace_the_time_left_is_the_time_it_takes():
    pace = Pace(begun=10.0)
    for done in range(1, 100):
        pace.tell(done, 100, now=10.0 + done)
        assert pace.left(now=10.0 + done) == (pytest.approx(100.0 - done) if done > 1 else None)
