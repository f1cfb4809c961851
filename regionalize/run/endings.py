"""Signals that ask a process to end, as an exception: what is temporary is removed on the way out."""

from __future__ import annotations

import signal
from typing import Any

ENDINGS = ("SIGTERM", "SIGHUP")
"""Like an interrupt, they leave nothing half-written."""


class Terminated(BaseException):
    """The process was asked to end.

    Parameters
    ----------
    number : int
        Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def raise_when_ended() -> dict[int, Any]:
    """Turn signals to end into an exception; return the handlers there were."""
    previous: dict[int, Any] = {}

    def end(number: int, frame: object) -> None:
        raise Terminated(number)

    for name in ENDINGS:
        number = getattr(signal, name, None)
        # a signal that is ignored, as under nohup, stays ignored
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            try:
                previous[number] = signal.signal(number, end)
            except ValueError:  # not in the main thread: the caller sees to signals
                return {}
    return previous
