"""Rows on disk come back as they went there, and leave nothing behind."""

import os
import resource

import numpy as np
import pytest

from regionalize.errors import OutputError
from regionalize.run.stream.store import RowStore


def test_rows_come_back_in_any_batches():
    X = np.random.default_rng(0).normal(size=(1000, 3))
    with RowStore(3) as store:
        for part in np.split(X, [1, 1, 400, 999]):
            store.append(part)
        assert len(store) == 1000
        for rows in (1, 7, 1000, 5000):
            parts = list(store.batches(rows))
            assert np.array_equal(np.concatenate([part for _, part in parts]), X)
            assert [first for first, _ in parts] == list(range(0, 1000, rows))
        assert np.array_equal(store.read(990, 100), X[990:])
        store.put(10, np.zeros((2, 3)))
        X[10:12] = 0
        assert np.array_equal(store.read(0, 1000), X)
        assert store.read(1000, 5).shape == (0, 3)


def test_a_store_of_no_rows_or_labels():
    with RowStore(1, np.int32) as store:
        assert list(store.batches(10)) == []
        store.append(np.array([3, -1, 2]))
        assert store.read(0, 9)[:, 0].tolist() == [3, -1, 2]


def test_nothing_is_left_in_the_folder(tmp_path):
    with RowStore(2, folder=tmp_path) as store:
        store.append(np.ones((5, 2)))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="set TMPDIR to a folder"):
        RowStore(2, folder=tmp_path / "no such folder")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a limit on the size of files is set in a child process")
def test_a_disk_without_room_is_told():
    child = os.fork()
    if not child:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        code = 1
        try:
            with RowStore(4) as store:
                store.append(np.ones((1000, 4)))
        except OutputError as error:
            code = 0 if "temporary file" in str(error) else 2
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
