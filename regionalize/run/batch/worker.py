"""A process that does items, one at a time: ``python -m regionalize.run.batch.worker``.

It reads pickled pairs of an item and its terms from standard input, and answers each on standard output with
what came of it. Whatever else is printed goes to standard error. It ends when there is no more to read: so it
does, after the item it is at, when whoever started it is gone.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import BinaryIO

from regionalize.run.absent import do_without
from regionalize.run.batch.attempt import Runner, Terms
from regionalize.run.batch.items import Finished, Item
from regionalize.run.endings import Terminated, raise_when_ended

READY = "ready"
"""The first thing that is said."""


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
    send(outgoing, READY)
    while True:
        try:
            item, terms = pickle.load(incoming)
        except EOFError:
            return
        send(outgoing, answer(runner, item, terms))


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
    except BrokenPipeError:
        code = 1
    except KeyboardInterrupt:
        code = 130
    except Terminated as ending:
        code = 128 + ending.number
    sys.stderr.flush()
    os._exit(code)  # all is written: taking the libraries apart would only take time


if __name__ == "__main__":
    main()
