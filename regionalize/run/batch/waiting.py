"""Which item is next."""

from __future__ import annotations

import os
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from typing import Literal

from regionalize.run.batch.items import Item

First = Literal["given", "largest", "smallest"]
"""`largest`: no long one is left over when all others are done; `smallest`: what fails is soon known."""


class WaitingItems:
    """Items that wait, handed out to several threads.

    After an item, those of the same source come before all others, because whoever did it holds the layer.

    Parameters
    ----------
    items : sequence of Item
        What there is.
    first : {"largest", "smallest", "given"}
        Which come first.
    """

    def __init__(self, items: Sequence[Item], *, first: First = "largest") -> None:
        self.items = items
        self.lock = threading.Lock()
        order = list(range(len(items)))
        if first != "given":
            shares = Counter(item.source for item in items if item.part is not None)
            sizes = {source: size_of(source) for source in {item.source for item in items}}
            cost = [sizes[item.source] / (1 if item.part is None else shares[item.source]) for item in items]
            order.sort(key=cost.__getitem__ if first == "smallest" else lambda at: -cost[at])
        self.waiting = OrderedDict.fromkeys(order)
        """Places in their order: any can be taken out at once, however many there are."""
        self.alike: dict[str, deque[int]] = {}
        for at in order:
            self.alike.setdefault(items[at].source, deque()).append(at)

    def are_left(self) -> bool:
        """Tell whether there are any."""
        return bool(self.waiting)

    def take(self, last: int | None) -> int | None:
        """Return the place of the next item for whoever did `last`, None where there are no more."""
        with self.lock:
            if not self.waiting:
                return None
            alike = None if last is None else self.alike[self.items[last].source]
            at = alike[0] if alike else next(iter(self.waiting))
            del self.waiting[at]
            self.alike[self.items[at].source].popleft()
            return at

    def close(self) -> None:
        """Hand out no more."""
        with self.lock:
            self.waiting.clear()


def size_of(source: str) -> int:
    """Return the size of a source in bytes, 0 where nobody knows."""
    try:
        if os.path.isdir(source):
            with os.scandir(source) as entries:
                return sum(entry.stat().st_size for entry in entries if entry.is_file())
        return os.stat(source).st_size
    except (OSError, ValueError):
        return 0
