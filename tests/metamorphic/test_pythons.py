"""Another Python, with other versions of everything, gives the same labels.

``make test-peers OTHER=python3.13`` makes the environment; REGIONALIZE_OTHER_PYTHON names the Python of any.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from country import asked

import regionalize as rz
from regionalize.model.catalog import METHODS

PROJECT = Path(__file__).parents[2]
CODE = """
import json, sys
sys.path[:0] = {path!r}
import regionalize as rz
layer = sys.argv[1]
found = {{"python": list(sys.version_info[:2]), "from": rz.__file__}}
import geopandas
frame = geopandas.read_parquet(layer)
for name, options in json.loads(sys.stdin.read()).items():
    result = rz.regionalize(frame, name, **options)
    found[name] = result.labels.tolist(), result.report.fit.wss
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def elsewhere(small, tmp_path_factory):
    """What the other Python found: its version, and labels and within sum of squares of every method."""
    other = os.environ.get("REGIONALIZE_OTHER_PYTHON")
    if not other:
        pytest.skip("needs another Python with the package's dependencies: set REGIONALIZE_OTHER_PYTHON")
    layer = tmp_path_factory.mktemp("other") / "layer.parquet"
    small.to_parquet(layer)
    jobs = {name: asked(name, len(small)) for name in METHODS}
    apart = {"NUMBA_CACHE_DIR": str(layer.parent)}  # machine code of another numba
    done = subprocess.run(
        [other, "-W", "ignore", "-c", CODE.format(path=[str(PROJECT)]), str(layer)],
        input=json.dumps(jobs),
        env={**os.environ, **apart},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_it_is_this_package_on_another_python(elsewhere):
    assert elsewhere["from"] == rz.__file__
    assert elsewhere["python"] != list(sys.version_info[:2])


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_labels_are_the_same(method, small, elsewhere):
    labels, within = elsewhere[method]
    here = rz.regionalize(small, method, **asked(method, len(small)))
    assert np.array_equal(labels, here.labels)
    assert within == pytest.approx(here.report.fit.wss, rel=1e-12)
