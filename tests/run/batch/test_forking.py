"""The server as a fork of a process of ours: as good as one with an interpreter of its own."""

from __future__ import annotations

import ast
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")

BEGIN = """
import os, signal, sys, time
from threading import Thread
from regionalize.run.absent import do_without
from regionalize.run.batch import forking
from regionalize.run.batch.fork_server import ForkServer, fork_server
from regionalize.run.endings import raise_when_ended

def said_by(server, code):
    process = server.fork(code)
    process.stdin.close()
    with process.stdout:
        return process.stdout.read().decode(), process.wait(30)

def told(server, text):
    return said_by(server, f"import os; os.write(1, str({text}).encode())")
"""


def outcome(code, **more):
    """Return what a process prints that begins as the command line does."""
    command = [sys.executable, "-c", BEGIN + code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        ("do_without()", "Twin"),
        ("pass", "Popen"),
        ("do_without(); import numpy", "Popen"),
        ("do_without(); Thread(target=time.sleep, args=(20,), daemon=True).start()", "Popen"),
    ],
    ids=["ours", "of somebody else", "with libraries", "with threads"],
)
def test_a_process_is_forked_where_that_is_safe(before, kind):
    code = "with fork_server() as server: print(type(server.process).__name__, *told(server, 7))"
    assert outcome(f"{before}\n{code}") == f"{kind} 7 0"


def test_what_it_is_like():
    """Linear algebra held to a thread, a process group of its own, nothing of ours open."""
    code = """
do_without()
kept = open(sys.executable, "rb")
files = "[os.path.realpath(file) for file in os.scandir('/proc/self/fd')]"
asked = f"os.environ['OPENBLAS_NUM_THREADS'], os.getpgrp() != {os.getpgrp()}, {files}"
with fork_server() as server:
    print("ours")
    print(told(server, f"({asked})")[0])
"""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    ours, theirs = outcome(code, env=environment).splitlines()
    threads, apart, files = ast.literal_eval(theirs)
    assert (ours, threads, apart) == ("ours", "1", True)
    assert os.path.realpath(sys.executable) not in files
    assert not any("socket:" in file for file in files)


def test_how_it_is_ended():
    code = """
do_without()
server = ForkServer()
pid = server.process.pid
server.end()
server.end()
print(server.process.wait(), server.fork("pass"))
try:
    os.kill(pid, 0)
except ProcessLookupError:
    print("gone")
"""
    assert outcome(code).split() == ["-9", "None", "gone"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_this_process_makes_an_error_of_ends_it_quietly(number):
    code = f"""
do_without()
raise_when_ended()
server = ForkServer()
print(said_by(server, "pass")[1])
os.kill(server.process.pid, {int(number)})
print(server.process.wait())
"""
    assert outcome(code).split() == ["0", str(-number)]


def test_a_signal_that_is_ignored_stays_ignored():
    code = """
do_without()
signal.signal(signal.SIGHUP, signal.SIG_IGN)
with fork_server() as server:
    os.kill(server.process.pid, signal.SIGHUP)
    print(said_by(server, "raise SystemExit(3)")[1])
"""
    assert outcome(code) == "3"


def test_what_is_raised_in_it_ends_it_and_goes_no_further():
    """Its caller is the parent's, and must not go on twice."""
    code = """
do_without()
parent = os.getpid()
def leave(stdin): raise KeyboardInterrupt
forking.leave_parent = leave
server = ForkServer()
print(os.getpid() == parent, server.process.wait())
"""
    assert outcome(code) == "True 1"


def runs(pid):
    """Whether there is such a process that has not ended, looked for by its parent or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("closed", ["", "<&- >&- 2>&-"])
def test_it_ends_when_this_process_is_gone(closed, tmp_path):
    """Also where standard files are closed, so that others have their numbers."""
    told = tmp_path / "told"
    code = f"""
do_without()
server = ForkServer()
said_by(server, "pass")
with open({str(told)!r}, "w") as file: file.write(f"{{server.process.pid}} ")
time.sleep(60)
"""
    line = f'exec {shlex.quote(sys.executable)} -c "$0" {closed}'
    with subprocess.Popen(["sh", "-c", line, BEGIN + code]) as first:
        while not (told.exists() and told.read_text().endswith(" ")):
            assert first.poll() is None
            time.sleep(0.02)
        pid = int(told.read_text())
        assert runs(pid)
        first.kill()
    end = time.monotonic() + 30
    while runs(pid):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_where_there_can_be_no_more_processes():
    code = """
do_without()
def none(): raise BlockingIOError("no more")
os.fork = none
with fork_server() as server: print(server)
"""
    assert outcome(code) == "None"
