"""Readers searched by a fuzzer that is led by coverage (atheris), where there is one."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from seeds import SEEDS
from targets import READERS

WITHOUT = "atheris is not installed: it has wheels for Linux on x86-64 (pip install regionalize[fuzz])"
pytestmark = pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason=WITHOUT)


def explored(name, folder, *options, timeout):
    """Search for a while; return the exit code, and what was said."""
    corpus = folder / "corpus"
    corpus.mkdir()
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("explore.py"), name, corpus, *options],
        cwd=folder,  # where libFuzzer puts what breaks the reader
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_search_begins(tmp_path):
    """That it runs at all, and reaches lines of the package."""
    code, said = explored("gwt", tmp_path, "-runs=300", "-seed=1", timeout=300)
    assert code == 0, said[-3000:]
    assert "cov: " in said
    assert len(list((tmp_path / "corpus").iterdir())) > len(SEEDS["gwt"])


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_long_search(name, tmp_path, seconds, seed):
    """For so many seconds; the content of what is found is kept."""
    number = "".join(filter(str.isdecimal, seed)) or "1"
    options = (f"-seed={number}", f"-max_total_time={seconds:.0f}")
    code, said = explored(name, tmp_path, *options, timeout=seconds * 3 + 300)
    sys.stdout.write("\n".join(line for line in said.splitlines() if line.startswith("stat::")))
    kept = [str(file) for file in tmp_path.iterdir() if file.is_file() and file.suffix != ".dict"]
    assert code == 0, f"{name}, seed {number}, kept as {kept}:\n{said[-3000:]}"
