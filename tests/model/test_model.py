"""Partition, job, bounds, layer and errors: the plain data every room relies on."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from regionalize.errors import DataError, RegionalizeError, UsageError, listed, located, nearest
from regionalize.model.bounds import Bound
from regionalize.model.job import CHOICES, JOB_OPTIONS, Job
from regionalize.model.layer import Layer
from regionalize.model.partition import LEFT_OUT, NOISE, Partition
from regionalize.model.weights import Weights
from regionalize.run.options import make_job, split_list


@given(st.lists(st.integers(-1, 6), min_size=1, max_size=60))
def test_labels_fall_in_size_and_ties_go_to_the_first_row(codes):
    partition = Partition.canonical(codes)
    labels = partition.labels
    assert [label == LEFT_OUT for label in labels] == [code < 0 for code in codes]
    sizes = partition.sizes.tolist()
    assert sizes == sorted(sizes, reverse=True)
    assert sorted(set(labels[labels > 0])) == list(range(1, partition.k + 1))
    for one in range(1, partition.k):
        if sizes[one - 1] == sizes[one]:
            assert np.argmax(labels == one) < np.argmax(labels == one + 1)
    pairs = {(code, label) for code, label in zip(codes, labels.tolist(), strict=True) if code >= 0}
    assert len(pairs) == partition.k


def test_noise_and_rows_left_out_are_in_no_cluster():
    assert (NOISE, LEFT_OUT) == (0, -1)  # as they are written, too
    partition = Partition(np.array([0, 2, 1, 1, -1, 0]))
    assert (partition.k, partition.sizes.tolist(), len(partition)) == (2, [2, 1], 6)
    assert Partition(np.array([0, -1])).sizes.tolist() == []
    with pytest.raises(FrozenInstanceError):
        partition.labels = np.array([1])


def test_an_error_names_place_reason_and_advice_once():
    with pytest.raises(DataError) as caught, located("a.gpkg", "tracts"):
        raise DataError("holds\n text", advice="choose another", column="name", row=3)
    assert str(caught.value) == "a.gpkg:tracts:name:row 3: holds text; choose another"
    with pytest.raises(DataError) as caught, located("outer"), located("inner"):
        raise DataError("x")
    assert caught.value.file == "inner"


def test_nearest_and_listed():
    assert nearest("colums", ["columns", "k"]) == "did you mean 'columns'?"
    assert nearest("zzz", ["columns"]) == ""
    assert listed(["a"]) == "a"


def test_job_settings_tell_what_differs_from_the_defaults():
    job = make_job("kmeans", {"k": 3, "columns": "a, b", "hops": 2, "search": "starts", "jobs": 4})
    settings = job.settings()
    assert settings["columns"] == ("a", "b")
    assert settings["hops"] == 2
    assert settings["search"] == "starts"
    assert "alpha" not in settings
    assert "jobs" not in settings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kk": 3}, "unknown option 'kk'"),
        ({"colums": "a"}, "did you mean 'columns'"),
        ({"k": 0}, "--k is 0"),
        ({"k": 2.5}, "--k is 2.5"),
        ({"k": True}, "--k is True"),
        ({"hops": -1}, "--hops is -1"),
        ({"alpha": 1.5}, "--alpha is 1.5"),
        ({"alpha": float("nan")}, "--alpha is nan"),
        ({"snap": -1.0}, "--snap is -1"),
        ({"snap": float("nan")}, "--snap is nan"),
        ({"seed": -1}, "--seed is -1"),
        ({"centroid_weight": 1.5}, "--centroid-weight is 1.5"),
        ({"centroid_weight": "many"}, "--centroid-weight is many"),
        ({"transform": "zscore"}, "--transform is 'zscore'"),
        ({"search": "swaps"}, "did you mean 'swap'"),
        ({"n_init": 0}, "--n-init is 0"),
        ({"min_bound": "pop"}, "write COLUMN=VALUE"),
        ({"min_bound": "pop=-1"}, "--min-bound of 'pop' is '-1'"),
        ({"column_weights": "pop=x"}, "the weight of 'pop' is 'x'"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        make_job("kmeans", options)


def test_choices_are_options_whose_default_is_a_choice():
    plain = Job()
    for name, choices in CHOICES.items():
        assert name in JOB_OPTIONS
        assert getattr(plain, name) in choices


def test_commas_inside_quotes_stay():
    assert split_list(('a,"b, c"', "d")) == ("a", "b, c", "d")


def test_bounds_read_shares_and_refuse_nonsense():
    amount = np.array([1.0, 2.0, 7.0])
    assert Bound.make("pop", amount, "10%", 9).lower == pytest.approx(1.0)
    with pytest.raises(UsageError, match="above the maximum"):
        Bound.make("pop", amount, 5, 4)
    with pytest.raises(UsageError, match="negative or missing"):
        Bound.make("pop", np.array([1.0, np.nan]), 1, None)


def test_a_frame_becomes_a_layer_and_odd_columns_become_text():
    frame = geopandas.GeoDataFrame(
        {"a": [1, 2], "mixed": [{"x": 1}, object], 3: [0.5, None]},
        geometry=[shapely.Point(0, 0), None],
        crs="EPSG:3035",
    )
    layer = Layer.from_frame(frame)
    assert layer.column_names == ["a", "mixed", "3"]
    assert len(layer) == 2
    assert layer.geometry_kinds == {"Point": 1}
    assert layer.crs == "EPSG:3035"
    assert layer.attributes["3"].null_count == 1
    assert not layer.is_geographic


def test_every_error_has_an_exit_code_of_the_contract():
    assert {kind.exit_code for kind in (RegionalizeError, DataError, UsageError)} == {1, 2}


def test_weights_among_some_rows():
    weights = Weights.from_links(
        5, np.array([0, 3, 1, 4]), np.array([3, 1, 2, 0]), np.arange(1.0, 5), kind="x"
    )
    some = weights.subset(np.array([0, 1, 3]))
    assert list(zip(some.row.tolist(), some.indices.tolist(), some.values.tolist(), strict=True)) == [
        (0, 2, 1.0),
        (2, 1, 2.0),
    ]
    assert weights.subset(np.arange(5)) is weights
