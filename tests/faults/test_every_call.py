"""Every n-th call fails, or the process ends there, for n = 1, 2, 3 … until a run passes, for every output.

Whatever happens, an output is the old one or the whole new one, the input is as it was, nothing is left
over, and one line says what is wrong. A process that is killed may leave what is hidden: whoever comes next
to write there puts right what it left. FAULTS_STEP=10 breaks every tenth call only.
"""

from __future__ import annotations

import errno
import os

import pytest

STEP = int(os.environ.get("FAULTS_STEP", "1"))
pytestmark = [pytest.mark.slow, pytest.mark.unix]


def check(stage, scenario, fault):
    """Break all calls; show what is wrong with which."""
    at = stage(scenario)
    step = max(1, min(STEP, at.calls(fault)))
    broken, wrong = at.sweep(fault, step)
    assert not wrong, "\n".join(f"{calls}: {text}" for text, calls in wrong.items())
    assert broken == -(-at.calls(fault) // step)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
@pytest.mark.parametrize("manner", ["ONCE", "LASTING", "TORN"])
def test_a_write_fails(manner, error, scenario, stage, harness):
    """On a full disk all fail from some call on; or one does, since space was free again a moment later."""
    check(stage, scenario, harness.Fault("write", error, getattr(harness, manner)))


def test_a_sync_fails(scenario, stage, harness):
    check(stage, scenario, harness.Fault("sync", errno.EIO))


@pytest.mark.parametrize("error", [errno.EACCES, errno.EIO], ids=errno.errorcode.get)
def test_a_rename_fails(error, scenario, stage, harness):
    check(stage, scenario, harness.Fault("rename", error))


@pytest.mark.parametrize(("error", "manner"), [(errno.EACCES, "ONCE"), (errno.EMFILE, "LASTING")])
def test_a_file_cannot_be_opened(error, manner, scenario, stage, harness):
    check(stage, scenario, harness.Fault("open", error, getattr(harness, manner)))


def test_what_was_written_cannot_be_read(scenario, stage, harness):
    check(stage, scenario, harness.Fault("read", errno.EIO))


@pytest.mark.parametrize("manner", ["ONCE", "LASTING"])
def test_the_input_cannot_be_read(manner, scenario, stage, harness):
    check(stage, scenario, harness.Fault("read", errno.EIO, getattr(harness, manner), folder="in"))


def test_the_input_cannot_be_opened(scenario, stage, harness):
    check(stage, scenario, harness.Fault("open", errno.EACCES, folder="in"))


@pytest.mark.parametrize("manner", ["ONCE", "LASTING"])
def test_there_is_no_memory(manner, scenario, stage, harness):
    check(stage, scenario, harness.Fault("allocation", errno.ENOMEM, getattr(harness, manner)))


@pytest.mark.parametrize("kind", ["call", "write"])
def test_the_process_is_killed(kind, scenario, stage, harness):
    """Before a call of any kind, or in the middle of a write."""
    manner = harness.TORN if kind == "write" else harness.ONCE
    check(stage, scenario, harness.Fault(kind, harness.KILLED, manner))
