"""Methods of no use but to see what the command line hands to a method, and makes of what it finds."""

from __future__ import annotations

import sys
import time

import numpy as np

from regionalize.methods.contiguous_links import contiguous_links
from regionalize.methods.skater import skater
from regionalize.model.method import Method, Param

CALLS: list[dict] = []
"""What `planned` was given, call by call."""


def planned(X, k, *, start="random", locked=None, **shared):
    """Keep the plan, or make one."""
    CALLS.append({"X": X, "k": k, "start": start, "locked": locked, **shared})
    return skater(X, k, **shared) if isinstance(start, str) else start.copy()


def nesting(X, k, *, weights, levels=(), findings=None, **_):
    """Join the two most alike neighbours until k regions are left: single linkage, slow and plain."""
    n = len(X)
    first, second = contiguous_links(weights)
    length = np.linalg.norm(X[first] - X[second], axis=1)
    label, node, merges, found = np.arange(n), np.arange(n), [], {}
    for link in np.lexsort((second, first, length)):
        one, other = label[first[link]], label[second[link]]
        if one == other:
            continue
        if len(np.unique(label)) in (k, *levels):
            found[len(np.unique(label))] = np.unique(label, return_inverse=True)[1]
        merges.append((node[one], node[other], length[link]))
        label[label == other] = one
        node[one] = n + len(merges) - 1
    found[len(np.unique(label))] = np.unique(label, return_inverse=True)[1]
    findings.merges = np.array(merges)
    findings.levels = {level: found[level] for level in levels}
    return found[k]


def endless(X, k, *, progress=None, **_):
    """Search without end, and say when that begins."""
    sys.stderr.write("searching\n")
    sys.stderr.flush()
    while True:
        if progress is not None:
            progress(0, 1)
        time.sleep(0.01)


ROWS = {
    "planned": Method(
        "planned",
        "Keep the plan.",
        f"{__name__}:planned",
        (Param("start", str, "random", "Plan to begin with.", words=("random", "skater")),),
        "nobody (2026)",
        contiguous=True,
        takes_start=True,
    ),
    "nesting": Method(
        "nesting",
        "Join neighbours.",
        f"{__name__}:nesting",
        (),
        "nobody (2026)",
        contiguous=True,
        nested=True,
    ),
    "endless": Method("endless", "Search.", f"{__name__}:endless", (), "nobody (2026)", contiguous=True),
}
