"""Items in processes of their own: what one does to itself, it does to no other."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

import pytest

from regionalize.io.read import read_layer
from regionalize.run.batch import batch, interpreter, pool, processes
from regionalize.run.batch.fork_server import fork_server
from regionalize.run.batch.items import Part
from regionalize.run.batch.waiting import WaitingItems
from regionalize.run.endings import Terminated, raise_when_ended
from regionalize.run.files import run

posix = pytest.mark.skipif(os.name == "nt", reason="there are no such signals on Windows")


@pytest.fixture(params=["forked", "started"])
def run_batch(request):
    """Return `batch.run_batch`, with workers that a server forks, and with those that start by themselves."""
    if request.param == "started":
        yield batch.run_batch
        return
    with fork_server() as server:
        if server is None:
            pytest.skip("processes are forked on Linux alone")
        yield partial(batch.run_batch, server=server)


def statuses(found):
    return {one.item.name: one.status for one in found}


class TestAllOfThem:
    def test_writes_what_runs_by_themselves_write(self, run_batch, layers, make_item, tmp_path):
        items = [make_item(layers(seed)) for seed in range(3)]
        told = []
        found = run_batch(items, jobs=2, told=lambda one, done, total: told.append((one, done, total)))
        assert [one.item for one in found] == items
        assert statuses(found) == {"in0": "done", "in1": "done", "in2": "done"}
        assert [(done, total) for _, done, total in told] == [(1, 3), (2, 3), (3, 3)]
        assert {one.item.name for one, *_ in told} == {"in0", "in1", "in2"}
        for one in found:
            alone = run(one.item.source, one.item.job, one.item.outputs.__class__())
            written = read_layer(one.item.outputs.output).attributes["cluster"].to_pylist()
            assert written == alone.partition.labels.tolist()
            assert one.measures["bss_tss_attributes"] == pytest.approx(alone.report.fit.ratio)
            assert set(one.notes) >= set(alone.notes)

    def test_one_that_cannot_be_done_sinks_no_other(self, run_batch, layers, make_item):
        items = [make_item(layers(0)), make_item(layers(1, columns=1, rows=1)), make_item(layers(2))]
        found = run_batch(items, jobs=1)
        assert [one.status for one in found] == ["done", "failed", "done"]
        assert found[1].error.startswith(f"{items[1].source}:")
        assert found[1].trace == ""

    def test_order_of_results_is_that_of_the_items(self, run_batch, layers, make_item):
        items = [make_item(layers(seed, columns=3 + 3 * seed)) for seed in range(4)]
        assert [one.item for one in run_batch(items, jobs=3)] == items

    def test_fail_fast_starts_no_more(self, run_batch, layers, make_item):
        items = [make_item(layers(0, columns=1, rows=1)), *(make_item(layers(seed)) for seed in (1, 2))]
        found = run_batch(items, jobs=1, fail_fast=True)
        assert statuses(found) == {"in0": "failed"}
        assert not items[1].outputs.output.exists()

    def test_nothing_heavy_is_loaded_to_hand_out_items(self):
        code = "import sys, regionalize.run.batch.batch; print(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert not {"numpy", "pyarrow", "pyogrio", "shapely"} & set(done.stdout.split())

    def test_modules_of_the_folder_it_runs_in_are_not_taken(
        self, run_batch, layers, make_item, tmp_path, monkeypatch
    ):
        (tmp_path / "queue.py").write_text("raise RuntimeError('taken')")
        (tmp_path / "pickle.py").write_text("raise RuntimeError('taken')")
        item = make_item(layers(0))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
        assert statuses(run_batch([item])) == {"in0": "done"}

    @pytest.mark.parametrize("way", [fork_server, nullcontext])
    def test_what_is_printed_in_a_worker_breaks_nothing(self, layers, make_item, misbehave, capfd, way):
        misbehave("""
def instead(self, item, terms):
    print("said by Python", flush=True)
    os.write(1, b"said to standard output\\n")
    assert not os.read(0, 1)
    return attempt(self, item, terms)
""")
        with way() as server:
            found = batch.run_batch([make_item(layers(0))], server=server)
        assert statuses(found) == {"in0": "done"}
        out, err = capfd.readouterr()
        assert out == ""
        assert "said by Python" in err
        assert "said to standard output" in err


class TestWorkersThatFail:
    @posix
    @pytest.mark.parametrize("sent", ["SIGKILL", "SIGSEGV"])
    def test_a_worker_that_dies_is_replaced(self, run_batch, layers, make_item, misbehave, sent):
        misbehave(f"""
def instead(self, item, terms):
    if item.name == "in1":
        os.kill(os.getpid(), signal.{sent})
    return attempt(self, item, terms)
""")
        items = [make_item(layers(seed)) for seed in range(4)]
        found = run_batch(items, jobs=2)
        assert [one.status for one in found] == ["done", "failed", "done", "done"]
        assert found[1].error.startswith(f"{items[1].source}: ")
        assert sent in found[1].error
        assert "--jobs" in found[1].error

    @posix
    def test_what_a_dead_worker_leaves_is_removed(self, run_batch, layers, make_item, misbehave, tmp_path):
        misbehave("""
from regionalize.io import atomic
place = atomic.move_into_place
def killed(*given, **more):
    os.kill(os.getpid(), signal.SIGKILL)
def instead(self, item, terms):
    import regionalize.io.write
    regionalize.io.staged.move_into_place = killed if item.name == "in1" else place
    return attempt(self, item, terms)
""")
        found = run_batch([make_item(layers(seed), ending=".gpkg") for seed in range(2)], jobs=1)
        assert [one.status for one in found] == ["done", "failed"]
        assert sorted(os.listdir(tmp_path / "out")) == ["in0.gpkg"]

    def test_an_unexpected_exception_is_called_a_fault_of_the_program(
        self, run_batch, layers, make_item, misbehave
    ):
        misbehave("""
def broken(*given):
    raise ZeroDivisionError("by zero,\\nthat is")
Runner.solve = broken
instead = attempt
""")
        (found,) = run_batch([make_item(layers(0))])
        assert found.status == "failed"
        assert "fault of regionalize (ZeroDivisionError: by zero, that is)" in found.error
        assert "\n" not in found.error
        assert "in broken" in found.trace

    @pytest.mark.parametrize(
        "error", ["MemoryError", "ImportError('libgdal.so: failed to map segment from shared object')"]
    )
    def test_too_little_memory_is_said(self, run_batch, layers, make_item, misbehave, error):
        misbehave(f"""
def broken(*given):
    raise {error}
Runner.solve = broken
instead = attempt
""")
        (found,) = run_batch([make_item(layers(0))])
        assert "not enough memory" in found.error
        assert found.trace == ""

    @pytest.mark.parametrize("jobs", [1, 3])
    def test_workers_that_cannot_begin_fail_all_items(
        self, run_batch, layers, make_item, misbehave, capfd, jobs
    ):
        misbehave("raise SystemExit(7)")
        items = [make_item(layers(seed)) for seed in range(3)]
        found = run_batch(items, jobs=jobs)
        assert [one.status for one in found] == ["failed"] * 3
        for one in found:
            assert one.error.startswith(f"{one.item.source}: no worker process can be started")
            assert "exit code 7" in one.error

    @pytest.mark.parametrize("fail_fast", [True, False])
    def test_with_none_left_fail_fast_starts_no_more(
        self, run_batch, layers, make_item, misbehave, capfd, fail_fast
    ):
        misbehave("raise SystemExit(7)")
        items = [make_item(layers(seed)) for seed in range(3)]
        assert len(run_batch(items, jobs=2, fail_fast=fail_fast)) == (1 if fail_fast else 3)

    def test_those_that_begin_do_it_all(self, run_batch, layers, make_item, monkeypatch):
        """The second and third cannot be started, nor can one that is to replace the first."""
        start, started = pool.Worker.__init__, []

        def scarce(self, *given):
            started.append(self)
            if len(started) > 1:
                raise processes.NoWorkerError("too many open files")
            start(self, *given)

        monkeypatch.setattr(pool.Worker, "__init__", scarce)
        items, notes = [make_item(layers(seed)) for seed in range(4)], []
        found = run_batch(items, jobs=3, noted=notes.append)
        assert [one.status for one in found] == ["done"] * 4
        assert len(notes) == 1
        assert notes[0].startswith("2 of 3 worker processes could not be started (too many open files)")

    @posix
    def test_one_that_cannot_be_replaced_fails_only_what_is_left(
        self, run_batch, layers, make_item, misbehave, monkeypatch
    ):
        misbehave("""
def instead(self, item, terms):
    if item.name == "in1":
        os.kill(os.getpid(), signal.SIGKILL)
    return attempt(self, item, terms)
""")
        start, started = pool.Worker.__init__, []

        def once(self, *given):
            started.append(self)
            if len(started) > 1:
                raise processes.NoWorkerError("too many open files")
            start(self, *given)

        monkeypatch.setattr(pool.Worker, "__init__", once)
        found = run_batch([make_item(layers(seed)) for seed in range(4)], jobs=1)
        assert [one.status for one in found] == ["done", "failed", "failed", "failed"]
        assert ["SIGKILL" in one.error for one in found] == [False, True, False, False]
        assert ["too many open files" in one.error for one in found] == [False, False, True, True]

    @posix
    def test_a_worker_ended_while_it_starts_is_started_again(
        self, run_batch, layers, make_item, misbehave, tmp_path
    ):
        misbehave("""
if not (begun := Path(__file__).with_name("begun")).exists():
    begun.touch()
    os.kill(os.getpid(), signal.SIGKILL)
instead = attempt
""")
        found = run_batch([make_item(layers(seed)) for seed in range(2)], jobs=1)
        assert statuses(found) == {"in0": "done", "in1": "done"}

    def test_told_may_raise(self, run_batch, layers, make_item, misbehave, tmp_path):
        """What has been told is whole, and no worker goes on."""
        misbehave(SLOW)
        items = [make_item(layers(0, columns=5)), *(make_item(layers(seed)) for seed in (1, 2, 3))]

        def broken(one, *_):
            raise ZeroDivisionError(one.item.name)

        with pytest.raises(ZeroDivisionError, match="in0"):
            run_batch(items, jobs=2, out_dir=tmp_path / "out", told=broken)
        left = {name for name in os.listdir(tmp_path / "out") if not name.startswith("begun")}
        assert left == {"in0.geojson", ".regionalize"}

    @posix
    def test_an_answer_larger_than_a_pipe(self, run_batch, layers, make_item, misbehave):
        misbehave("""
from dataclasses import replace
def instead(self, item, terms):
    return replace(attempt(self, item, terms), notes=("n" * 5_000_000,))
""")
        found = run_batch([make_item(layers(seed)) for seed in range(3)], jobs=2)
        assert [len(one.notes[0]) for one in found] == [5_000_000] * 3

    def test_no_memory_is_left_to_hear_how_a_worker_ended(self, layers, make_item, monkeypatch):
        """The thread that waits tells all the same that it is done: nobody waits for ever."""
        dismiss = pool.Worker.dismiss

        def scarce(self):
            dismiss(self)
            raise MemoryError

        monkeypatch.setattr(pool.Worker, "dismiss", scarce)
        assert statuses(batch.run_batch([make_item(layers(0))])) == {"in0": "done"}

    @posix
    @pytest.mark.parametrize(
        ("code", "home", "said"),
        [
            ("pass", "/nowhere", ""),  # words of the interpreter, with a traceback
            ("import sys; print('heard', file=sys.stderr)", None, "heard\n"),
            (interpreter.here("1 / 0"), None, "ZeroDivisionError: division by zero\n"),
            (interpreter.here("raise MemoryError"), None, ""),
        ],
    )
    def test_what_a_worker_says_is_heard_once_it_has_begun(self, code, home, said, monkeypatch, capfd):
        if home is not None:
            monkeypatch.setenv("PYTHONHOME", home)
        process = interpreter.start_python(
            code, threads=1, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        assert process.wait(60) == (0 if said == "heard\n" else 1)
        err = capfd.readouterr().err
        assert err.endswith(said)
        assert bool(err) == bool(said)

    def test_python_that_is_not_there(self, layers, make_item, monkeypatch):
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        (found,) = batch.run_batch([make_item(layers(0))])
        assert "no worker process can be started" in found.error

    def test_flags_of_the_interpreter_hold_for_workers(self, layers, make_item, tmp_path):
        code = (
            "import sys, regionalize.run.batch.processes as processes\n"
            "processes.WORK = 'print(*sys.warnoptions, sys.flags, file=sys.stderr)'\n"
            "print(*sys.warnoptions, sys.flags, file=sys.stderr)\n"
            "processes.Worker(1).dismiss()\n"
        )
        flags = ["-W", "error::UserWarning", "-X", "utf8", "-E", "-s", "-B", "-P"]
        done = subprocess.run(
            [sys.executable, *flags, "-c", code], capture_output=True, text=True, check=True, timeout=60
        )
        ours, theirs = done.stderr.splitlines()
        assert theirs == ours
        assert "error::UserWarning" in ours
        assert "utf8_mode=1" in ours


SLOW = """
def instead(self, item, terms):
    Path(item.outputs.output.parent, f"begun {item.name}").touch()
    from regionalize.io.atomic import staging
    with staging(item.outputs.output):
        time.sleep(60 if item.name != "in0" else 0)
    return attempt(self, item, terms)
"""


def wait_for(condition, seconds=60):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.02)


@posix
class TestInterrupts:
    @pytest.fixture(autouse=True)
    def heeded(self):
        """Interrupts are heeded, also where a shell started the tests in the background."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
        signal.signal(signal.SIGINT, before)

    @pytest.mark.parametrize(
        ("sent", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
    )
    def test_no_more_is_started_and_nothing_left(
        self, run_batch, layers, make_item, misbehave, tmp_path, sent, raised
    ):
        misbehave(SLOW)
        items = [make_item(layers(seed, columns=4 - (seed > 0))) for seed in range(4)]
        out = tmp_path / "out"
        heard = []

        def interrupt():
            wait_for(lambda: heard and len(list(out.glob("begun *"))) == 3)
            os.kill(os.getpid(), sent)

        thread = threading.Thread(target=interrupt)
        previous = raise_when_ended()
        thread.start()
        try:
            with pytest.raises(raised):
                run_batch(items, jobs=2, out_dir=out, told=lambda one, *_: heard.append(one))
        finally:
            thread.join()
            for number, handler in previous.items():
                signal.signal(number, handler)
        assert statuses(heard) == {"in0": "done"}
        names = set(os.listdir(out))
        assert {name for name in names if not name.startswith("begun")} == {"in0.geojson", ".regionalize"}
        assert len(names) == 5  # three of four were begun

    def test_a_worker_that_does_not_listen_is_ended(
        self, run_batch, layers, make_item, misbehave, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(pool, "GRACE", 0.2)
        misbehave("""
from regionalize.io.atomic import staging
def instead(self, item, terms):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with staging(item.outputs.output):
        Path(item.outputs.output.parent, "begun").touch()
        time.sleep(60)
""")
        out = tmp_path / "out"
        thread = threading.Thread(
            target=lambda: (wait_for((out / "begun").exists), os.kill(os.getpid(), signal.SIGINT))
        )
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            run_batch([make_item(layers(0))])
        thread.join()
        assert os.listdir(out) == ["begun"]

    @pytest.mark.parametrize(("grace", "sent"), [(0.2, [signal.SIGTERM]), (60, [signal.SIGINT] * 2)])
    def test_a_worker_hung_in_c_is_ended(
        self, run_batch, layers, make_item, misbehave, tmp_path, monkeypatch, grace, sent
    ):
        """Python's handler cannot run there: it is ended after the grace, or at once when asked again."""
        misbehave(HUNG)
        out = tmp_path / "out"
        monkeypatch.setattr(pool, "GRACE", grace)

        def interrupt():
            wait_for(lambda: (out / "begun").exists() and (out / "begun").read_text())
            for number in sent:
                time.sleep(0.5)
                os.kill(os.getpid(), number)

        thread = threading.Thread(target=interrupt)
        previous = raise_when_ended()
        thread.start()
        try:
            with pytest.raises((KeyboardInterrupt, Terminated)):
                run_batch([make_item(layers(0))])
            thread.join()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        assert is_gone(int((out / "begun").read_text()))
        assert os.listdir(out) == ["begun"]

    @pytest.mark.parametrize("listens", [True, False])
    def test_workers_end_when_whoever_started_them_is_killed(
        self, run_batch, layers, make_item, misbehave, tmp_path, listens
    ):
        """They remove what they had not finished, and nothing stands in the way of what goes on."""
        misbehave(f"""
from regionalize.io.atomic import staging
from regionalize.run.batch import worker
worker.PATIENCE = 0.2 if not {listens} else 60
def instead(self, item, terms):
    if not {listens}:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with staging(item.outputs.output):
        Path(item.outputs.output.parent, f"begun {{item.name}}").write_text(str(os.getpid()))
        time.sleep(120)
""")
        items, out = [make_item(layers(seed)) for seed in range(3)], tmp_path / "out"
        code = (
            "import pickle, sys\n"
            "from regionalize.run.batch import batch, processes\n"
            "items, processes.WORK, sys.path = pickle.load(open(sys.argv[1], 'rb'))\n"
            "batch.run_batch(items, jobs=2, out_dir=items[0].outputs.output.parent, resume=True)\n"
        )
        (tmp_path / "all").write_bytes(pickle.dumps((items, processes.WORK, sys.path)))
        process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "all")])
        pids = [out / f"begun in{number}" for number in range(2)]
        wait_for(lambda: all(file.exists() and file.read_text() for file in pids))
        assert len(list(out.glob(".*.tmp"))) == 2
        process.kill()
        process.wait()
        wait_for(lambda: all(is_gone(int(file.read_text())) for file in pids))
        assert len(list(out.glob(".*.tmp"))) == (0 if listens else 2)
        processes.WORK = processes.WORK.replace("import misbehaviour; ", "")
        found = run_batch(items, jobs=2, out_dir=out, resume=True)
        assert [one.status for one in found] == ["done"] * 3
        assert not list(out.glob(".*.tmp"))


HUNG = """
import ctypes
from regionalize.io.atomic import staging
def instead(self, item, terms):
    with staging(item.outputs.output):
        Path(item.outputs.output.parent, "begun").write_text(str(os.getpid()))
        mutex, library = ctypes.create_string_buffer(256), ctypes.CDLL(None)
        library.pthread_mutex_init(mutex, None)
        library.pthread_mutex_lock(mutex)
        library.pthread_mutex_lock(mutex)
"""


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return state_of(pid) == "Z"


@posix
class TestSideBySide:
    def test_a_second_batch_leaves_what_the_first_is_writing(
        self, run_batch, layers, make_item, misbehave, tmp_path, monkeypatch
    ):
        """The first writes one item until the second has looked for leftovers and done another."""
        misbehave("""
from regionalize.io.atomic import staging
def instead(self, item, terms):
    out = item.outputs.output.parent
    if item.name != "in0":
        return attempt(self, item, terms)
    with staging(item.outputs.output) as folder:
        (folder / "half").touch()
        (out / "begun").touch()
        limit = time.monotonic() + 60
        while not (out / "in1.geojson").exists() and time.monotonic() < limit:
            time.sleep(0.02)
        assert (folder / "half").exists()
    return attempt(self, item, terms)
""")
        one, other, out = make_item(layers(0)), make_item(layers(1)), tmp_path / "out"
        found = []
        first = threading.Thread(target=lambda: found.extend(run_batch([one], out_dir=out, resume=True)))
        first.start()
        wait_for((out / "begun").exists)
        found += run_batch([replace(one, name="in1", outputs=other.outputs)], out_dir=out, resume=True)
        batch.remove_leftovers(batch.places([one]))
        first.join()
        assert [found.status for found in found] == ["done", "done"], found


def state_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


class TestWaiting:
    def test_largest_first_and_the_same_source_again(self, layers, make_item):
        small, large = layers(0), layers(1, columns=60, rows=40)
        items = [make_item(small, "a"), make_item(large, "b"), make_item(small, "c"), make_item(large, "d")]
        waiting = WaitingItems(items)
        assert waiting.take(None) == 1
        assert waiting.take(None) == 3
        assert waiting.take(3) == 0
        assert waiting.take(0) == 2
        assert waiting.take(2) is None

    def test_parts_share_the_size_of_their_source(self, layers, make_item):
        whole, halves = layers(0, columns=40, rows=40), layers(1, columns=40, rows=41)
        parts = [Part(column="year", value=year) for year in (2000, 2001)]
        items = [*(make_item(halves, f"p{part.value}", part=part) for part in parts), make_item(whole)]
        assert WaitingItems(items).take(None) == 2

    @pytest.mark.parametrize(
        ("first", "order"), [("given", [0, 1, 2]), ("largest", [1, 0, 2]), ("smallest", [2, 0, 1])]
    )
    def test_which_come_first(self, layers, make_item, first, order):
        items = [make_item(layers(0)), make_item(layers(1, columns=60, rows=40)), make_item("/nowhere/a.shp")]
        waiting = WaitingItems(items, first=first)
        assert [waiting.take(None) for _ in items] == order

    def test_every_item_once_by_many_threads(self, layers, make_item):
        path = layers(0)
        waiting, taken = WaitingItems([make_item(path, str(n)) for n in range(200)]), []

        def take():
            at = None
            while (at := waiting.take(at)) is not None:
                taken.append(at)

        threads = [threading.Thread(target=take) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Counter(taken) == Counter(range(200))

    def test_nothing_after_it_is_closed(self, layers, make_item):
        waiting = WaitingItems([make_item(layers(0), str(n)) for n in range(3)])
        at = waiting.take(None)
        waiting.close()
        assert waiting.take(at) is None

    @pytest.mark.parametrize("sources", [1, 2000])
    def test_an_item_is_found_without_looking_through_all(self, make_item, monkeypatch, sources):
        """Looks at sources are counted: they are few for each item, however many wait."""
        item, looks = make_item("/nowhere/a.gpkg"), 0

        class Source(str):
            def __eq__(self, other):
                nonlocal looks
                looks += 1
                return str.__eq__(self, other)

            def __hash__(self):
                nonlocal looks
                looks += 1
                return str.__hash__(self)

        items = [replace(item, source=Source(f"/nowhere/{n % sources}.gpkg")) for n in range(2000)]
        waiting, at = WaitingItems(items), None
        looks = 0
        while (at := waiting.take(at)) is not None:
            pass
        assert 0 < looks < 10 * len(items)

    def test_a_source_that_is_not_there_has_no_size(self, make_item):
        assert WaitingItems([make_item("/nowhere/a.gpkg")]).take(None) == 0


def test_no_more_workers_than_items_and_processors_are_shared_out(run_batch, layers, make_item, monkeypatch):
    asked = []

    class Spy(pool.Pool):
        def __init__(self, items, terms, workers, **more):
            asked.append((terms.threads, workers))
            super().__init__(items, terms, workers, **more)

    monkeypatch.setattr(batch, "Pool", Spy)
    monkeypatch.setattr(batch, "processors", lambda: 8)
    items = [make_item(layers(seed)) for seed in range(2)]
    run_batch(items)
    run_batch([], jobs=3)
    assert asked == [(4, 2), (8, 1)]
