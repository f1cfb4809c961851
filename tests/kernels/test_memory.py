"""How much memory is said to be free, from what the system says."""

from __future__ import annotations

import pytest

from regionalize.kernels import memory

OF_PROCESS = memory._of_process


@pytest.fixture(autouse=True)
def _plain(monkeypatch, tmp_path):
    """A machine with a thousand kB free, and no limits."""
    system = tmp_path / "meminfo"
    system.write_text("MemTotal:  5000 kB\nMemAvailable:  1000 kB\n")
    monkeypatch.setattr(memory, "SYSTEM", system)
    monkeypatch.setattr(memory, "GROUP", tmp_path)
    monkeypatch.setattr(memory, "_of_process", lambda: None)


def limit(folder, most, used, held):
    (folder / "memory.max").write_text(f"{most}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {held}\n")


def test_what_the_kernel_calls_available():
    assert memory.available_memory() == 1024 * 1000


@pytest.mark.parametrize(
    ("most", "used", "held", "free"),
    [
        (600_000, 200_000, 50_000, 450_000),
        (9_000_000, 200_000, 0, 1_024_000),
        ("max", 200_000, 0, 1_024_000),
        (100_000, 200_000, 0, 0),
    ],
)
def test_a_container(most, used, held, free, tmp_path):
    limit(tmp_path, most, used, held)
    assert memory.available_memory() == free


def test_a_process_that_may_take_less(monkeypatch):
    monkeypatch.setattr(memory, "_of_process", lambda: 77)
    assert memory.available_memory() == 77


def test_systems_that_do_not_say(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "SYSTEM", tmp_path / "none")
    pages = {"SC_PHYS_PAGES": 10, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(memory.os, "sysconf", pages.__getitem__)
    assert memory.available_memory() == 40960
    monkeypatch.delattr(memory.os, "sysconf")
    assert memory.available_memory() == memory.UNKNOWN


@pytest.mark.unix
@pytest.mark.parametrize("of", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_limits_of_a_process_are_those_in_force_less_what_it_has(monkeypatch, of):
    """Not those that it may raise them to."""
    import resource

    none = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    limits = {resource.RLIMIT_AS: none, resource.RLIMIT_DATA: none}
    monkeypatch.setattr(resource, "getrlimit", limits.__getitem__)
    assert OF_PROCESS() is None
    limits[getattr(resource, of)] = (2**40, 2**41)
    monkeypatch.setattr(memory.Path, "read_text", lambda *_, **__: "100 50 20 5 0 30 0\n")
    used = {"RLIMIT_AS": 100, "RLIMIT_DATA": 30}[of]
    assert OF_PROCESS() == 2**40 - used * resource.getpagesize()


@pytest.mark.parametrize("left", [None, memory.LINEAR_ALGEBRA])
def test_linear_algebra_is_loaded_where_there_is_room(monkeypatch, left):
    monkeypatch.setattr(memory, "_of_process", lambda: left)
    memory.room_for_linear_algebra()
    monkeypatch.setattr(memory, "_of_process", lambda: memory.LINEAR_ALGEBRA - 1)
    with pytest.raises(MemoryError):
        memory.room_for_linear_algebra()
