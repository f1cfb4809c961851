"""A process that does items, one at a time: ``python -m regionalize.run.batch.worker``.

It reads pickled pairs of an item and its terms from standard input, and answers each on standard output with
what came of it. Whatever else is printed goes to standard error. It ends when there is no more to read: at
once, whatever it is at, because whoever started it is gone then.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
from queue import SimpleQueue
from typing import BinaryIO

from regionalize.run.absent import do_without
from regionalize.run.batch.attempt import Runner, Terms
from regionalize.run.batch.items import Finished, Item
from regionalize.run.endings import Terminated, raise_when_ended

READY = "ready"
"""The first thing that is said."""
PATIENCE = 5.0
"""Seconds for tidying up, when whoever started this process is gone."""

Asked = tuple[Item, Terms]


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep standard input and output for messages, and give everybody else nothing and standard error."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # standard error is closed
        os.dup2(nothing, 1)
    return incoming, outgoing


def serve(incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Do items until there are no more, or nobody listens."""
    runner = Runner()
    asked: SimpleQueue[Asked | None] = SimpleQueue()
    idle = threading.Event()
    idle.set()
    threading.Thread(target=listen, args=(incoming, asked, idle), daemon=True).start()
    send(outgoing, READY)
    while (message := asked.get()) is not None:
        found = answer(runner, *message)
        idle.set()  # before anybody can answer with the next
        send(outgoing, found)


def listen(incoming: BinaryIO, asked: SimpleQueue[Asked | None], idle: threading.Event) -> None:
    """Take in items, and end this process when there is nobody any more who asks for any."""
    try:
        while True:
            message = pickle.load(incoming)
            idle.clear()
            asked.put(message)
    except (EOFError, MemoryError):
        pass
    finally:
        asked.put(None)
    if not idle.is_set():
        os.kill(os.getpid(), signal.SIGTERM)  # to tidy up; on Windows that is the end
        time.sleep(PATIENCE)
        os._exit(1)


def answer(runner: Runner, item: Item, terms: Terms) -> Finished:
    """Do an item, and return what can be sent."""
    found = runner.attempt(item, terms)
    try:
        pickle.dumps(found)
    except Exception as error:
        said = f"{item.source}: what came of it cannot be told ({error})"
        return Finished(item=item, status="failed", seconds=found.seconds, error=said)
    return found


def send(outgoing: BinaryIO, message: object) -> None:
    """Send one message."""
    pickle.dump(message, outgoing)
    outgoing.flush()


def main() -> None:
    """Serve whoever started this process."""
    pipes = take_pipes()
    raise_when_ended()
    do_without()
    code = 0
    try:
        serve(*pipes)
    except (BrokenPipeError, MemoryError):  # whoever waits for an answer says that there is none
        code = 1
    except KeyboardInterrupt:
        code = 130
    except Terminated as ending:
        code = 128 + ending.number
    sys.stderr.flush()
    os._exit(code)  # all is written: taking the libraries apart would only take time


if __name__ == "__main__":
    main()
