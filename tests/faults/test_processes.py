"""Runs of several processes of which one is broken: a batch with its workers and what forks them, and Dask.

The calls of all of them count together; which process makes the n-th one differs from run to run.
"""

from __future__ import annotations

import errno
from importlib.util import find_spec

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.unix]

BROKEN = 12
"""Calls of a kind that are broken, spread over all: each takes seconds."""
FAULTS = {
    "memory is short for a moment": {"kind": "allocation", "error": errno.ENOMEM},
    "memory has run out": {"kind": "allocation", "error": errno.ENOMEM, "manner": "LASTING"},
    "the disk is full": {"kind": "write", "error": errno.ENOSPC, "manner": "LASTING"},
    "a write is half done": {"kind": "write", "error": errno.EIO, "manner": "TORN"},
    "too many files are open": {"kind": "open", "error": errno.EMFILE, "manner": "LASTING"},
    "the input cannot be read": {"kind": "read", "error": errno.EIO, "folder": "in"},
    "one is killed": {"kind": "call", "error": "KILLED", "all": False},
    "one is killed while it works": {"kind": "allocation", "error": "KILLED", "all": False},
    "its group is killed": {"kind": "call", "error": "KILLED"},
}


@pytest.fixture(params=FAULTS.values(), ids=FAULTS)
def fault(request, harness):
    """Return what is to go wrong."""
    named = {key: getattr(harness, str(value), value) for key, value in request.param.items()}
    return harness.Fault(**named)


def broken(at, fault, *, resumed=False):
    """Break some calls, and return what is wrong then; the last may be made in no other run."""
    counted = at.calls(fault)
    found, hits = [], 0
    for number in range(1, counted + 1, max(counted // BROKEN, 1)):
        ended, wrong = at.break_at(fault, number)
        wrong += at.faults_when_resumed() if resumed else []
        found += [(number, ended.met, one) for one in wrong]
        hits += bool(ended.hits)
    assert hits > 1 or hits == counted
    return found


def test_a_batch(fault, scenarios, stage):
    assert broken(stage(scenarios["two at a time"]), fault, resumed=True) == []


@pytest.mark.skipif(find_spec("distributed") is None, reason="Dask is not installed")
def test_workers_of_dask(fault, scenarios, stage):
    if fault.kind == "allocation":
        pytest.skip("where there is no memory for a message, Dask may wait for its answer for ever")
    assert broken(stage(scenarios["dask"]), fault) == []
