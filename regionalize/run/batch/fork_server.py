"""A process that has loaded what every run needs, and forks a worker whenever one is wanted.

Loading takes longer than a small run. Here it is done once for all workers, and while the batch is being
planned. Only Linux forks safely once such libraries are loaded: elsewhere every worker is started by itself.
"""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO, NoReturn, cast

from regionalize.run.absent import do_without, others_run
from regionalize.run.batch.forking import UNKNOWN, Twin, is_light, run
from regionalize.run.batch.interpreter import here, limits, start_python

LIBRARIES = (
    *("numpy.ma", "numpy.random", "pyarrow.compute"),
    *("pyogrio.raw", "pyproj", "shapely", "threadpoolctl"),
)
ROOMS = ("kernels", "model", "io", "weights", "features", "methods", "measure", "run", "run.batch")
"""Rooms of the package whose modules are loaded: none of them loads the compiler or another slow library."""
BESIDE = ("maps.colors", "maps.style")
"""Modules of another room that every run needs: the colours of its layer."""
LONGEST = 1 << 20
"""Bytes of what is asked at most."""
ANSWER = 1 << 10
"""Bytes of an answer, a number, at most: there is room for them where memory has run out."""
SERVE = "from regionalize.run.batch.fork_server import serve; serve()"


@contextmanager
def fork_server() -> Iterator[ForkServer | None]:
    """Have a server as long as the block lasts, or None where workers are started one by one.

    A method of another package may need what `do_without` passes off as not installed: where one is known,
    nothing may be loaded before it.
    """
    server = None
    if sys.platform == "linux" and not others_run():
        with suppress(OSError):  # no more processes, or a kernel before 5.3
            os.close(os.pidfd_open(os.getpid()))
            server = ForkServer()
    try:
        yield server
    finally:
        if server is not None:
            server.end()


class ForkServer:
    """The server, as the batch sees it.

    Raises
    ------
    OSError
        If it cannot be started.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.line, theirs = socket.socketpair()
        self.process: Twin | subprocess.Popen[bytes]
        with theirs:
            try:
                if is_light(LIBRARIES):  # an interpreter of its own would take longer to start
                    self.process = Twin(here(SERVE), theirs.fileno(), limits(1))
                else:
                    self.process = start_python(
                        here(SERVE), threads=1, stdin=theirs.fileno(), stdout=subprocess.DEVNULL
                    )
            except BaseException:
                self.line.close()
                raise

    def fork(self, code: str) -> Forked | None:
        """Return a new process that runs Python code; None if the server has ended, or cannot fork."""
        with self.lock, suppress(OSError, EOFError), ExitStack() as ours:
            with ExitStack() as theirs:
                stdin, to_it = pipe(ours, theirs, "wb")
                stdout, from_it = pipe(ours, theirs, "rb")
                socket.send_fds(self.line, [pickle.dumps(code)], [to_it, from_it])
            pid = pickle.loads(self.line.recv(ANSWER))
            if pid is not None:
                forked = Forked(server=self, pid=pid, pidfd=os.pidfd_open(pid), stdin=stdin, stdout=stdout)
                ours.pop_all()
                return forked
        return None

    def exit_code(self, pid: int) -> int | None:
        """Return the exit code of a forked process that has ended; None if the server has ended, too."""
        with self.lock, suppress(OSError, EOFError):
            self.line.sendall(pickle.dumps(pid))
            code: int = pickle.loads(self.line.recv(ANSWER))
            return code
        return None

    def end(self) -> None:
        """End the server, whatever it is at; processes that it forked go on."""
        self.process.kill()
        self.process.wait()
        self.line.close()


def pipe(ours: ExitStack, theirs: ExitStack, mode: str) -> tuple[BinaryIO, int]:
    """Return our end of a pipe, to be read or written, and theirs; each is closed with its stack."""
    source, sink = os.pipe()
    mine, other = (source, sink) if mode == "rb" else (sink, source)
    theirs.callback(os.close, other)
    return cast("BinaryIO", ours.enter_context(os.fdopen(mine, mode))), other


@dataclass(eq=False)
class Forked:
    """A forked process, with what is used of `subprocess.Popen`."""

    server: ForkServer
    pid: int
    pidfd: int
    stdin: BinaryIO
    stdout: BinaryIO
    returncode: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        weakref.finalize(self, os.close, self.pidfd)

    def poll(self) -> int | None:
        """Return its exit code, None if it has not ended."""
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended, and return its exit code: `UNKNOWN` if nobody is left who knows.

        Raises
        ------
        TimeoutExpired
            If it has not ended after so many seconds.
        """
        if self.returncode is None:
            ended = select.poll()
            ended.register(self.pidfd, select.POLLIN)
            if not ended.poll(None if timeout is None else 1000 * timeout):
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            with self.lock:  # two may wait
                if self.returncode is None:
                    code = self.server.exit_code(self.pid)
                    self.returncode = UNKNOWN if code is None else code
        return self.returncode

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, number)


def serve() -> NoReturn:
    """Load, and fork for whoever holds the other end of standard input, until that is closed."""
    try:
        line = socket.socket(fileno=os.dup(0))
        do_without()
        load()
        while True:
            message, files, _, _ = socket.recv_fds(line, LONGEST, 2)
            if not message:
                os._exit(0)
            asked = pickle.loads(message)
            line.sendall(pickle.dumps(forked(line, asked, files) if files else exit_code(asked)))
    except Exception:  # workers are started one by one then, and say themselves what is missing
        os._exit(1)


def load() -> None:
    """Import what runs import, and make ready what each would make ready by itself.

    Nothing of it is garbage, so nobody looks for any meanwhile; nor do workers among what they share.
    """
    gc.disable()
    for name in LIBRARIES:
        importlib.import_module(name)
    for room in ROOMS:
        package = importlib.import_module(f"regionalize.{room}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"regionalize.{room}.{module.name}")
    for name in BESIDE:
        importlib.import_module(f"regionalize.{name}")
    from regionalize.io.gdal_closed import stay_closed

    stay_closed()
    gc.freeze()
    gc.enable()


def exit_code(pid: int) -> int:
    """Return the exit code of a process that has ended, forked here."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def forked(line: socket.socket, code: str, files: list[int]) -> int | None:
    """Fork a process that has the files as standard input and output and runs code; return its number."""
    try:
        with warnings.catch_warnings():
            # a thread of pyarrow's memory allocator, which is ready for forks
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
    except OSError:
        pid = -1
    if pid == 0:
        line.close()
        run(code, files)
    for file in files:
        os.close(file)
    return pid if pid > 0 else None
