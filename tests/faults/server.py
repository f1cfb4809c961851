"""A process that has loaded the program, and forks for every command line it is told of.

It reads a line of JSON for each from standard input, and answers with a line: how the copy ended. The copy
has a group of processes of its own, so that all that it starts can be ended with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.util
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

WARM = Path(__file__).parents[2] / "docs" / "warm.py"
FIRST = ("--quiet", "kmeans", "--k", "3", "-o", "-")
"""A command line that loads what most others need."""
PAUSE = 0.002
"""Seconds between two looks at a copy."""


def load_warm() -> Any:
    """Import what the examples of the documentation are run with."""
    found = importlib.util.spec_from_file_location("warm", WARM)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def needed(warm: Any) -> list[str]:
    """Return the modules that a run has loaded besides, found by a copy."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            sys.argv = ["regionalize", *FIRST]
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            warm.run()
        finally:
            os.write(writer, json.dumps(sorted(sys.modules)).encode())
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as told:
        names: list[str] = json.loads(told.read())
    os.wait()
    return [name for name in names if name not in sys.modules]


def become(told: dict[str, Any], warm: Any) -> None:
    """Do in a copy what was asked for, and end."""
    code = 1
    try:
        os.setsid()
        for number, name in enumerate((os.devnull, told["out"], told["err"])):
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(name, flags), number)
        os.chdir(told["folder"])
        os.environ.clear()
        os.environ.update(told["environment"])
        sys.argv = ["regionalize", *told["args"]]
        sys.stdin = sys.__stdin__ = warm.opened(0, "rb", "surrogateescape")
        sys.stdout = sys.__stdout__ = warm.opened(1, "wb", "strict")
        sys.stderr = sys.__stderr__ = warm.opened(2, "wb", "backslashreplace")
        if told["memory"]:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            most = used + told["memory"]
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        if told["plan"]:
            ctypes.CDLL(None).fault_arm(told["plan"].encode())
        code = warm.run()
    finally:
        os._exit(code)


def wait(child: int, seconds: float) -> dict[str, Any]:
    """Return how a copy ended; end it when it takes too long."""
    end = time.monotonic() + seconds
    hung = False
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            break
        if not hung and time.monotonic() > end:
            hung = True
            os.killpg(child, signal.SIGKILL)
        time.sleep(PAUSE)
    return {"code": os.waitstatus_to_exitcode(status), "hung": hung}


def serve() -> None:
    """Answer one line after the other."""
    warm = load_warm()
    warm.load()
    for name in needed(warm):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    print("ready", flush=True)  # noqa: T201  # to whoever has started this
    for line in sys.stdin:
        told = json.loads(line)
        child = os.fork()
        if child == 0:
            become(told, warm)
        print(json.dumps(wait(child, told["seconds"])), flush=True)  # noqa: T201  # as above


if __name__ == "__main__":
    serve()
