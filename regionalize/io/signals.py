"""Signals that wait until a step is over that must not be cut in two."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

INTERRUPTS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
"""What a person or a system ends a process with, where it may tidy up."""


@contextmanager
def signals_held() -> Iterator[None]:
    """Let an interrupt wait until the block is over (in the main thread, where Python handles them).

    Handlers are put aside, not signals blocked: a signal blocked here would be delivered to one of the
    threads of a library, and handled here all the same.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    before: dict[int, Any] = {}
    try:
        for name in INTERRUPTS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) not in {None, signal.SIG_IGN}:
                before[number] = signal.getsignal(number)
                signal.signal(number, lambda got, _: held.append(got))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in dict.fromkeys(held):
            signal.raise_signal(number)
