"""Run many command lines, each in a copy of one process that has loaded the program.

As a program (`python warm_jobs.py`): a job a line on standard input, what became of it a line on the output.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
SPACE = 8 << 30
"""Bytes that a run may ask for before it is refused, to protect the machine."""


@dataclass(frozen=True)
class Ended:
    """How a run ended: its code (negative for a signal, None past its time), what it said, what it took."""

    code: int | None
    out: str
    err: str
    seconds: float
    peak: int
    """Megabytes."""


class Warm:
    """Command lines run in a folder, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment = {**os.environ, "COLUMNS": "80", "PYTHONPATH": str(PROJECT), "TMPDIR": str(folder)}
        self.server = subprocess.Popen(
            [sys.executable, __file__],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stdin.close()
        self.server.wait(timeout=60)
        self.server.stdout.close()

    def run(self, *args: object, seconds: float = 20) -> Ended:
        """Run a command line of the program."""
        return Ended(**self._ask({"args": list(map(str, args)), "seconds": seconds}))

    def read(self, path: Path, seconds: float = 20) -> dict[str, Any]:
        """Read a layer row by row, as GDAL does without us: rows, warnings, and the error if there is one."""
        ended = self.call("warm_jobs:rows_of", str(path), seconds=seconds)
        told = {"rows": None, "warnings": [], "error": f"ended by {ended.code}"}
        return json.loads(ended.out) if ended.code == 0 else told

    def call(self, function: str, *args: object, seconds: float) -> Ended:
        """Call a function of this folder, ``module:name``; what it returns is said as JSON."""
        return Ended(**self._ask({"call": function, "args": args, "seconds": seconds}))

    def _ask(self, job: dict[str, Any]) -> dict[str, Any]:
        self.server.stdin.write(json.dumps(job) + "\n")
        self.server.stdin.flush()
        return json.loads(self.server.stdout.readline())


def serve() -> None:
    found = importlib.util.spec_from_file_location("warm_program", PROJECT / "docs" / "warm.py")
    program = importlib.util.module_from_spec(found)
    found.loader.exec_module(program)
    program.load()
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        job = json.loads(line)
        answers.write(json.dumps(done(job, program)) + "\n")
        answers.flush()


def done(job: dict[str, Any], program: Any) -> dict[str, Any]:
    """Do a job in a copy of this process, and wait for it, but not for long."""
    begun = time.monotonic()
    names = ("call.txt", "call.err") if "call" in job else ("out.txt", "err.txt")
    child = os.fork()
    if child == 0:
        work(job, program, names)
    code, usage = waited(child, begun + job["seconds"])
    said = [Path(name).read_bytes().decode("utf-8", "replace") for name in names]
    seconds = round(time.monotonic() - begun, 2)
    return {"code": code, "out": said[0], "err": said[1], "seconds": seconds, "peak": usage.ru_maxrss >> 10}


def waited(child: int, until: float) -> tuple[int | None, Any]:
    while time.monotonic() < until:
        process, status, usage = os.wait4(child, os.WNOHANG)
        if process:
            return os.waitstatus_to_exitcode(status), usage
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    return None, os.wait4(child, 0)[2]


def work(job: dict[str, Any], program: Any, names: tuple[str, str]) -> None:
    code = 70
    try:
        resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for number, name in zip((1, 2), names, strict=True):
            file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, number)
        sys.stdin = Path(os.devnull).open()  # noqa: SIM115  # to the end
        sys.stdout = sys.__stdout__ = program.opened(1, "wb", "strict")
        sys.stderr = sys.__stderr__ = program.opened(2, "wb", "backslashreplace")
        if "call" in job:
            sys.path.insert(0, str(Path(__file__).parent))
            module, _, name = job["call"].partition(":")
            sys.stdout.write(json.dumps(getattr(importlib.import_module(module), name)(*job["args"])))
            code = 0
        else:
            sys.argv = ["regionalize", *job["args"]]
            code = program.run()
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(code)


def rows_of(path: str) -> dict[str, Any]:
    """Read a layer with GDAL's oldest interface, a row at a time."""
    import warnings

    import pyogrio.raw

    found: dict[str, Any] = {"rows": None, "stated": None, "warnings": [], "error": ""}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            found["stated"] = int(pyogrio.read_info(path)["features"])
            found["rows"] = len(pyogrio.raw.read(path, return_fids=True)[1])
        except Exception as error:
            found["error"] = f"{type(error).__name__}: {error}"
    found["warnings"] = [str(one.message) for one in said]
    return found


if __name__ == "__main__":
    serve()
