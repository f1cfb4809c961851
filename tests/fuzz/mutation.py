"""Damage to bytes, drawn with a seed: what wires, disks, half-written programs and attackers do."""

from __future__ import annotations

import copy
import random
import struct
from collections.abc import Iterator
from typing import Any

NUMBERS = (0, 1, 2, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""At the edges of what fields of lengths and kinds can hold."""


def mutant(good: bytes, draw: random.Random, *, most: int = 3) -> bytes:
    """Return bytes with one to `most` kinds of damage."""
    damaged = bytearray(good)
    for _ in range(draw.randint(1, most)):
        if damaged:
            draw.choice(KINDS)(damaged, draw)
    return bytes(damaged)


def place(data: bytearray, draw: random.Random) -> int:
    """Draw a place: often near the beginning, where headers are, and mostly where something is written."""
    for _ in range(20):
        at = draw.randrange(len(data) if draw.random() < 0.6 else min(len(data), 512))
        if data[at]:
            return at
    return at


def flip_bit(data: bytearray, draw: random.Random) -> None:
    data[place(data, draw)] ^= 1 << draw.randrange(8)


def set_byte(data: bytearray, draw: random.Random) -> None:
    data[place(data, draw)] = draw.choice((0, 1, 0x20, 0x2A, 0x7F, 0x80, 0xFF, draw.randrange(256)))


def set_number(data: bytearray, draw: random.Random) -> None:
    """Write another whole number, of 2, 4 or 8 bytes, in either order: one of the edges, or one nearby."""
    size, letter = draw.choice(((2, "H"), (4, "I"), (8, "Q")))
    if len(data) < size:
        return
    at = min(place(data, draw), len(data) - size)
    form = draw.choice("<>") + letter
    old = struct.unpack(form, data[at : at + size])[0]
    new = draw.choice((*NUMBERS, old + 1, old - 1, old * 2, old // 2, old + draw.randrange(1000)))
    data[at : at + size] = struct.pack(form, new % (1 << 8 * size))


def cut(data: bytearray, draw: random.Random) -> None:
    del data[draw.randrange(len(data)) :]


def remove(data: bytearray, draw: random.Random) -> None:
    at = place(data, draw)
    del data[at : at + draw.choice((1, 2, 4, 8, 100, 512, 4096))]


def repeat(data: bytearray, draw: random.Random) -> None:
    at = place(data, draw)
    block = data[at : at + draw.choice((1, 4, 8, 100, 512, 4096))]
    data[at:at] = block * draw.choice((1, 1, 1, 2, 10))


def splice(data: bytearray, draw: random.Random) -> None:
    """Copy a block over another place."""
    size = draw.choice((4, 8, 64, 512, 4096))
    source, target = place(data, draw), place(data, draw)
    block = data[source : source + size]
    data[target : target + len(block)] = block


def blank(data: bytearray, draw: random.Random) -> None:
    """Overwrite a block as a disk does that lost it."""
    at, size = place(data, draw), draw.choice((4, 16, 512, 4096))
    size = min(size, len(data) - at)
    data[at : at + size] = draw.choice((b"\0", b"\xff", b" ")) * size


def junk(data: bytearray, draw: random.Random) -> None:
    at, size = place(data, draw), draw.choice((1, 8, 64))
    data[at : at + size] = draw.randbytes(min(size, len(data) - at))


def swap(data: bytearray, draw: random.Random) -> None:
    """Let two lines, or two parts at commas, change places."""
    mark = draw.choice((b"\n", b","))
    parts = bytes(data).split(mark)
    if 2 < len(parts) < 100_000:
        one, other = draw.randrange(len(parts)), draw.randrange(len(parts))
        parts[one], parts[other] = parts[other], parts[one]
        data[:] = mark.join(parts)


KINDS = (flip_bit, set_byte, set_number, set_number, cut, remove, repeat, splice, blank, junk, swap)

VALUES = (
    None,
    True,
    0,
    -1,
    1,
    2**31,
    2**63,
    10**400,
    0.5,
    1e308,
    "",
    "a",
    "EPSG:4326",
    "knn:2",
    [],
    [None],
    [[]],
    {},
    {"": 1},
    "é\n",
)


def changed(document: object, draw: random.Random) -> object:
    """Return plain nested data with a member or an item that is another, gone, or there again."""
    document = copy.deepcopy(document)
    for _ in range(draw.choice((1, 1, 2, 4))):
        places = list(_places(document))
        if not places:
            return draw.choice(VALUES)
        holder, key = draw.choice(places)
        what = draw.randrange(5)
        if what == 0:
            del holder[key]
        elif what == 1 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif what == 2:
            other, name = draw.choice(places)
            holder[key] = copy.deepcopy(other[name])
        else:
            holder[key] = copy.deepcopy(draw.choice(VALUES))
    return document


def _places(document: object) -> Iterator[tuple[Any, Any]]:
    """Give every holder with every key of it."""
    members = document.items() if isinstance(document, dict) else ()
    for key, value in enumerate(document) if isinstance(document, list) else list(members):
        yield document, key
        yield from _places(value)
