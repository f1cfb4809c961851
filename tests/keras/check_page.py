"""What docs/keras.md shows is what happens, on this backend."""

from __future__ import annotations

import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_examples_do_what_the_page_shows(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(REPOSITORY / "docs"), *sys.path])
    import examples

    text = (REPOSITORY / "docs" / "keras.md").read_text(encoding="utf-8")
    names = {"__name__": "example"}
    monkeypatch.chdir(tmp_path)
    outcomes = [examples.run_python(example, names) for example in examples.find_examples(text)]
    faults = [outcome.fault for outcome in outcomes if outcome.fault]
    assert not faults, "\n\n".join(faults)
    assert len(outcomes) > 5
