"""Whatever is handed to a reader of text or a few bytes: a result, or a refusal of one line."""

import random
import time

import pytest
from content import draw_content
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import SEEDS
from targets import READERS, survives

SLOW = {"geo-metadata": 4, "pandas-metadata": 4, "where": 8, "geojson": 12}
"""Examples of readers that write layers, or have SQLite filter them."""
PATIENCE = 10
"""Processor seconds; the largest content has some ten kilobytes."""
ROOM = 500
"""Megabytes that reading may take in more, once all is loaded and a hundred were read."""


def peak():
    """Return the most memory that this process has had, in megabytes."""
    import resource  # Unix has it

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


@pytest.mark.parametrize("name", READERS)
def test_good_content_is_read(name, tmp_path):
    """One of the seeds at least: what is mutated should be worth it."""
    refusals = [survives(name, seed, tmp_path) for seed in SEEDS[name]]
    assert "" in refusals or name == "expressions", refusals  # no text is in all of these languages


@pytest.mark.parametrize("name", READERS)
def test_content_of_any_kind(name, tmp_path_factory):
    folder = tmp_path_factory.mktemp(name)

    @settings(max_examples=SLOW.get(name, 20), database=None)
    @given(st.randoms(use_true_random=False))
    def check(draw):
        survives(name, draw_content(name, draw), folder)

    check()


@pytest.mark.slow
@pytest.mark.unix
@pytest.mark.parametrize("name", READERS)
def test_much_content_of_any_kind(name, tmp_path, seconds, seed):
    """For so many seconds. The seed and the number of what fails are told."""
    number, until = 0, time.monotonic() + seconds
    survives(name, SEEDS[name][0], tmp_path)  # loads what it needs
    while time.monotonic() < until:
        number += 1
        content = draw_content(name, random.Random(f"{seed} {name} {number}"))
        begun = time.process_time()
        try:
            survives(name, content, tmp_path)
        except Exception as error:
            kept = tmp_path / "content"
            kept.write_bytes(content)
            raise AssertionError(
                f"{name}, seed {seed}, number {number}, kept as {kept}: {error!r}"
            ) from error
        if number == 100:
            before = peak()
        assert number < 100 or peak() < before + ROOM, f"{name}, seed {seed}, number {number}: {peak()} MB"
        took = time.process_time() - begun
        assert took < PATIENCE, f"{name}, seed {seed}, number {number}: {took:.0f} s"
