"""What stands before the features of GeoJSON: against the whole file, read by Python."""

from __future__ import annotations

import io
import json
import sys

import geopandas
import pyarrow as pa
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from regionalize.io.geojson_head import FIRST, members_before_features
from regionalize.io.read import read_layer
from regionalize.io.write import write_layer
from regionalize.model.layer import Layer
from regionalize.model.record import RunRecord

texts = st.text(st.sampled_from('features":,{}[]\\\n é'), max_size=12) | st.just("features")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
members = st.dictionaries(texts.filter(lambda name: name not in {"features", "type"}), values, max_size=4)


@given(members, members, st.sampled_from([None, 1]), st.booleans(), st.integers(-20, 200))
@example({"a": "features", "features ": {"features": []}}, {}, None, True, 0)
@example({"name": "features", "crs": None}, {"crs": 1}, 1, False, 0)
def test_the_members_before_the_features(before, after, indent, plain, longer):
    if longer > 0:
        before = before | {"long": "é" * (FIRST // 2 + longer)}
    whole = {"type": "FeatureCollection"} | before | {"features": [{"features": 1}]}
    whole |= {name: value for name, value in after.items() if name not in before}
    text = json.dumps(whole, indent=indent, ensure_ascii=plain).encode("utf-8")
    found = members_before_features(io.BytesIO(text))
    assert found == {"type": "FeatureCollection"} | before


@pytest.mark.parametrize(
    "text", ["", "{", "[", "[{}]", "nothing", '{"a": 1', '{"type": "Feature", "a": 1}', "{1: 2}"]
)
def test_what_is_no_collection(text):
    assert members_before_features(io.BytesIO(text.encode())) == {}


@pytest.mark.parametrize("piped", [False, True])
@pytest.mark.parametrize("column", ["features", "cluster"])
@pytest.mark.parametrize("name", ["features", '"features"', "plain"])
@pytest.mark.parametrize("settings", [{}, {"columns": ["x" * 50] * 30000}])
def test_no_reference_system_is_none_again(tmp_path, monkeypatch, name, column, piped, settings):
    layer = Layer.from_frame(geopandas.GeoDataFrame({"a": [1, 2]}, geometry=[shapely.box(0, 0, 1, 1)] * 2))
    run = RunRecord(made_by="kmeans", columns=(column,), settings=settings)
    out = tmp_path / "out.geojson"
    write_layer(layer, out, added={column: pa.array([1, 2], pa.int32())}, layer_name=name, record=run)
    if piped:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(out.read_bytes())))
    found = read_layer("-" if piped else out)
    assert found.crs is None
    assert found.history == (run,)
    assert found.origin.layer == (name if piped else "out")
