"""What is to go wrong, and the process that forks for command lines in which it does."""

from __future__ import annotations

import errno
import json
import os
import signal
import struct
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
PACKED = struct.Struct("iiiillll4096s512s")
"""A plan as `shim.c` has it."""
WRITE, SYNC, RENAME, OPEN, READ, ALLOCATE, MAKE = (1 << power for power in range(7))
KINDS = {
    "write": WRITE,
    "sync": SYNC,
    "rename": RENAME,
    "open": OPEN | MAKE,
    "read": READ,
    "allocation": ALLOCATE,
    "call": WRITE | SYNC | RENAME | OPEN | MAKE,
}
ONCE, LASTING, TORN = range(3)
KILLED = -int(signal.SIGKILL)


@dataclass(frozen=True)
class Fault:
    """What is to go wrong.

    Attributes
    ----------
    kind : str
        Of `KINDS`: which calls count.
    error : int
        The errno they fail with, or minus the signal that the process gets.
    manner : int
        `ONCE`: this call alone. `LASTING`: all from it on. `TORN`: half of it is written first.
    folder : str
        Below which files count: ``out``, ``in`` or ``tmp``.
    least : int
        Bytes of an allocation that counts.
    all : bool
        Whether the signal goes to the processes that it has started, too.
    """

    kind: str
    error: int
    manner: int = ONCE
    folder: str = "out"
    least: int = 1 << 16
    all: bool = True

    def __str__(self) -> str:
        how = f"signal {-self.error}" if self.error < 0 else errno.errorcode[self.error]
        return f"{self.kind}-{how}-{('once', 'lasting', 'torn')[self.manner]}-{self.folder}"


@dataclass(frozen=True)
class Ended:
    """What became of a command line.

    Attributes
    ----------
    code : int
        Exit code, or minus a signal.
    out, err : str
    hung : bool
        Whether it had to be ended.
    count : int
        Calls that counted.
    hits : int
        Those that failed.
    met : str
        The first of these.
    """

    code: int
    out: str = ""
    err: str = ""
    hung: bool = False
    count: int = 0
    hits: int = 0
    met: str = ""

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("error: ")]


class Warm:
    """The process that forks for command lines."""

    def __init__(self, shim: Path | None, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.plan = folder / "plan"
        path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
        dropped = {"NO_COLOR", "COLUMNS"}
        self.environment = {k: v for k, v in os.environ.items() if k not in dropped} | {
            "PYTHONPATH": path,
            "COLUMNS": "80",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "1",
            "ARROW_DEFAULT_MEMORY_POOL": "system",  # so that what Arrow allocates is seen
        }
        if shim is not None:
            self.environment["LD_PRELOAD"] = str(shim)
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "server.py")],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def close(self) -> None:
        self.process.communicate()

    def run(
        self,
        folder: Path,
        args: tuple[Any, ...],
        fault: Fault | None = None,
        at: int = 0,
        *,
        seconds: float = 120,
        memory: int = 0,
        **environment: str,
    ) -> Ended:
        """Run a command line in a folder; the call number `at` fails."""
        told = {**self.environment, "TMPDIR": str(folder / "tmp"), **environment}
        if fault is not None:
            watched = str((folder / fault.folder).resolve()).encode()
            kinds, least = KINDS[fault.kind], fault.least
            self.plan.write_bytes(
                PACKED.pack(kinds, fault.error, fault.manner, fault.all, at, least, 0, 0, watched, b"")
            )
            told["FAULTS"] = str(self.plan)  # for what it starts
        out, err = self.folder / "out", self.folder / "err"
        asked = {
            "args": [str(arg) for arg in args],
            "folder": str(folder),
            "environment": told,
            "out": str(out),
            "err": str(err),
            "plan": str(self.plan) if fault is not None else "",
            "seconds": seconds,
            "memory": memory,
        }
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        found = json.loads(self._line())
        ended = Ended(found["code"], out.read_text(), err.read_text(), found["hung"])
        if fault is None:
            return ended
        *_, count, hits, _, met = PACKED.unpack(self.plan.read_bytes())
        text = met.split(b"\0")[0].decode(errors="replace").replace(f"{folder.resolve()}/", "")
        return replace(ended, count=count, hits=hits, met=text)


def is_removal(fault: Fault, ended: Ended) -> bool:
    """Whether what failed is the removal of a hidden folder, which has to open the folders in it."""
    call, _, path = ended.met.partition(" ")
    last = path.split("/")[-1]
    is_folder = last.endswith(".tmp") or last.startswith("swap.") or last in {"new", "old", "gone"}
    return fault.kind == "open" and ((call == "open" and is_folder) or fault.manner == LASTING)


def is_crash(fault: Fault, ended: Ended) -> bool:
    """Whether a library has crashed where we cannot prevent it: the files are all that can be right.

    GDAL writes to a .cpg that could not be opened, and libraries of C go on without memory, or give up.
    """
    crashed = ended.code in {-int(signal.SIGSEGV), -int(signal.SIGABRT)}
    return crashed and (fault.kind == "allocation" or ended.met.endswith(".cpg"))
