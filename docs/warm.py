"""A `regionalize` that starts at once, for the hundreds of commands in the examples.

A process loads the program and what it needs, and waits. The program that a shell finds is a small client:
it hands its arguments, folder, environment and open files to that process, which forks for it; the copy does
what a process of its own would do, and the client ends as the copy ends.
"""

from __future__ import annotations

import ast
import atexit
import contextlib
import functools
import importlib
import io
import os
import pkgutil
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import Any, NoReturn

BESIDE = ("matplotlib.figure", "scipy.sparse.csgraph", "scipy.spatial", "scipy.optimize", "pyarrow.parquet")
"""What the program loads when it needs it."""
HEAD = 8
"""Bytes of a number in a message."""
READY = b"ready\n"
OF_CLIENTS = ("PATH", "PYTEST_CURRENT_TEST")
"""What differs from client to client, and means nothing to what is only loaded."""

CLIENT = """#!{python} -ISE
import os, signal, socket, sys
there = socket.socket(socket.AF_UNIX)
there.connect({address!r})
socket.send_fds(there, [b"+"], [0, 1, 2])
told = repr((sys.argv[1:], os.getcwd(), dict(os.environ))).encode()
there.sendall(len(told).to_bytes({head}, "big") + told)
process = int.from_bytes(there.recv({head}), "big")
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda number, _: os.kill(process, number))
code = there.recv({head})
sys.exit(int.from_bytes(code, "big") if code else 1)
"""


def warm_program(folder: Path, environment: dict[str, str]) -> None:
    """Put a program called `regionalize` into a folder; it works as long as this process does."""
    address = started(frozenset(item for item in environment.items() if item[0] not in OF_CLIENTS))
    program = folder / "regionalize"
    program.write_text(CLIENT.format(python=sys.executable, address=address, head=HEAD))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


@functools.cache
def started(environment: frozenset[tuple[str, str]]) -> str:
    """Start a process that waits for clients, and return its address. It ends with this process."""
    short = tempfile.mkdtemp()  # the address of a socket has room for some hundred letters
    atexit.register(shutil.rmtree, short, ignore_errors=True)
    address = str(Path(short) / "warm")
    process = subprocess.Popen(
        [sys.executable, __file__, address],
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    atexit.register(process.communicate)  # closes the pipe, and with it ends the process
    assert process.stdout is not None
    assert process.stdout.readline() == READY
    return address


def serve(address: str) -> NoReturn:
    """Wait for clients, and fork for each, until whoever started this is gone."""
    load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a copy ended: it tells its client
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen(64)
        os.write(1, READY)
        while 0 not in select.select([door, 0], [], [])[0]:
            client, _ = door.accept()
            if os.fork() == 0:
                door.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                answer(client)
            client.close()
    sys.exit()


def load() -> None:
    """Import what commands import, as the program does it."""
    from regionalize.kernels.threads import start_with_few
    from regionalize.run.absent import do_without

    do_without()
    start_with_few()
    import regionalize

    for module in pkgutil.walk_packages(regionalize.__path__, "regionalize.", onerror=lambda _: None):
        if not module.name.endswith("__main__"):
            with contextlib.suppress(ImportError):  # of an extra, which commands may do without
                importlib.import_module(module.name)
    for name in BESIDE:
        importlib.import_module(name)


def answer(client: socket.socket) -> NoReturn:
    """Do the work of a client, and end."""
    code = 1
    try:
        _, files, _, _ = socket.recv_fds(client, 1, 3)
        arguments, folder, environment = ast.literal_eval(received(client).decode())
        client.sendall(os.getpid().to_bytes(HEAD, "big"))
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["regionalize", *arguments]
        sys.stdin = sys.__stdin__ = opened(0, "rb", "surrogateescape")
        sys.stdout = sys.__stdout__ = opened(1, "wb", "strict")
        sys.stderr = sys.__stderr__ = opened(2, "wb", "backslashreplace")
        code = run()
        client.sendall(code.to_bytes(HEAD, "big"))
    finally:
        os._exit(code)


def received(client: socket.socket) -> bytes:
    """Return a message whose length comes first."""
    with client.makefile("rb") as file:
        return file.read(int.from_bytes(file.read(HEAD), "big"))


def opened(number: int, mode: str, errors: str) -> io.TextIOWrapper:
    """Open a standard stream, not buffered, as PYTHONUNBUFFERED asks."""
    raw: Any = open(number, mode, buffering=0 if mode == "wb" else -1, closefd=False)  # noqa: SIM115  # to the end
    return io.TextIOWrapper(raw, encoding="utf-8", errors=errors, write_through=True)


def run() -> int:
    """Run the program; return its exit code."""
    from regionalize.cli import main

    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # as the interpreter tells what nobody catches
        traceback.print_exc()
        code = 1
    else:
        code = 0
    threading._shutdown()  # type: ignore[attr-defined]  # what the interpreter waits for at its end
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    return code


if __name__ == "__main__":
    serve(sys.argv[1])
