"""Signals that wait, and writers that are interrupted at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from regionalize.io.signals import signals_held

pytestmark = pytest.mark.unix


def test_a_signal_waits_for_the_end_of_the_block():
    got = []
    before = signal.signal(signal.SIGTERM, lambda *_: got.append("late"))
    try:
        with signals_held():
            os.kill(os.getpid(), signal.SIGTERM)
            assert got == []
        assert got == ["late"]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_writer_interrupted_at_any_moment_leaves_nothing(tmp_path):
    """Four hundred interrupts, at moments of a lock, a folder and a rename that nobody chose."""
    code = """
        import os, signal, sys, threading, time
        from pathlib import Path
        from regionalize.io.atomic import replacing
        from regionalize.io.lock import alone

        signal.signal(signal.SIGINT, signal.default_int_handler)
        folder = Path(sys.argv[1])
        wanted = threading.Event()

        def interrupt():
            for i in range(400):
                wanted.wait()
                wanted.clear()
                time.sleep(i % 40 * 5e-5)
                os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt, daemon=True).start()
        for _ in range(400):
            try:
                wanted.set()
                while True:
                    with alone(folder / "out"), replacing(folder / "out") as new:
                        new.write_text("whole")
            except KeyboardInterrupt:
                pass
            left = {file.name for file in folder.iterdir()} - {"out"}
            assert not left, left
        assert (folder / "out").read_text() == "whole"
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
