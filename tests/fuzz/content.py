"""Content for readers: good, nearly good, and none at all."""

from __future__ import annotations

import random

from mutation import changed, mutant
from seeds import DOCUMENTS, SEEDS, WORDS, as_json, within_csv


def draw_content(name: str, draw: random.Random) -> bytes:
    """Return what a reader of that name is to be given."""
    how = draw.random()
    if name in DOCUMENTS and how < 0.5:
        document = changed(DOCUMENTS[name], draw)
        return within_csv(document) if name == "centers" else as_json(document)
    if how < 0.7:
        return mutant(draw.choice(SEEDS[name]), draw)
    if how < 0.8:
        return b"".join(draw.choices(WORDS[name], k=draw.randint(0, 12)))
    content = bytearray(draw.choice(SEEDS[name]))
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(content) + 1)
        content[at : at + draw.choice((0, 0, 1, 3))] = draw.choice(WORDS[name])
    return bytes(content)
