"""A `regionalize` that starts at once, for the hundreds of commands in the examples.

A process loads the program and what it needs, and waits. The program that a shell finds is a small client:
it hands its arguments, folder, environment and open files to that process, which forks for it; the copy does
what a process of its own would do, and the client ends as the copy ends.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import io
import os
import pkgutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

BESIDE = ("matplotlib.figure", "scipy.sparse.csgraph", "scipy.spatial", "scipy.optimize", "pyarrow.parquet")
"""What the program loads when it needs it."""
HEAD = 8
"""Bytes of a number in a message."""
READY = b"ready\n"

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


@contextlib.contextmanager
def warm_program(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Have a program called `regionalize` in a folder, as long as the block lasts."""
    program = folder / "regionalize"
    with tempfile.TemporaryDirectory() as short:  # the address of a socket has room for some hundred letters
        address = str(Path(short) / "warm")
        with subprocess.Popen(
            [sys.executable, __file__, address], env=environment, stdout=subprocess.PIPE
        ) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == READY
                program.write_text(CLIENT.format(python=sys.executable, address=address, head=HEAD))
                program.chmod(program.stat().st_mode | stat.S_IXUSR)
                yield
            finally:
                process.terminate()


def serve(address: str) -> NoReturn:
    """Wait for clients, and fork for each."""
    load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a copy ended: it tells its client
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen(64)
        os.write(1, READY)
        while True:
            client, _ = door.accept()
            if os.fork() == 0:
                door.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                answer(client)
            client.close()


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
