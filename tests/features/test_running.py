"""Statistics, samples and shares of rows that come in pieces, against those of all rows at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from regionalize.errors import DataError, UsageError
from regionalize.features.running import (
    STREAMED,
    Reservoir,
    RunningStatistics,
    scaled,
    scaling,
    split_rows,
)
from regionalize.features.transforms import TRANSFORMS, constant_columns, transform


def in_pieces(X, rng, most=40):
    """Cut rows anywhere."""
    at = 0
    while at < len(X):
        step = int(rng.integers(0, most))
        yield X[at : at + step]
        at += step


def running(X, rng=None, most=40):
    seen = RunningStatistics()
    for piece in [X] if rng is None else in_pieces(X, rng, most):
        seen.update(piece)
    return seen


def two_pass(column):
    """Mean and standard deviation in two exactly summed passes."""
    values = [float(value) for value in column if not math.isnan(value)]
    mean = math.fsum(values) / len(values)
    lacking = math.fsum(value - mean for value in values) / len(values)
    squares = math.fsum((value - mean - lacking) ** 2 for value in values)
    return mean, math.sqrt(squares / (len(values) - 1))


@pytest.mark.parametrize("offset", [0.0, 1e9, -1e9])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e5])
@pytest.mark.parametrize("most", [3, 40, 5000])
def test_they_equal_two_passes_whatever_the_offset(offset, scale, most):
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.normal(size=3000), rng.lognormal(0, 2, size=3000)]) * scale + offset
    X = np.concatenate([X, X[:1] + 1e4 * scale])
    X = X[np.argsort(X[:, 0])]  # every piece has another mean
    seen = running(X, rng, most)
    for j, column in enumerate(X.T):
        mean, sd = two_pass(column)
        assert seen.mean[j] == pytest.approx(mean, rel=1e-15)
        assert seen.sd[j] == pytest.approx(sd, rel=1e-12)
        assert (seen.low[j], seen.high[j]) == (column.min(), column.max())


def test_many_pieces_cost_no_digits():
    rng = np.random.default_rng(2)
    X = rng.normal(1e9, 1, size=(20_000, 1))
    seen = RunningStatistics()
    for row in X:
        seen.update(row[None])
    assert seen.sd[0] == pytest.approx(two_pass(X[:, 0])[1], rel=1e-13)


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_missing_values_are_left_out_column_by_column(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(5, 2, size=(rng.integers(1, 200), 3))
    X[rng.random(X.shape) < 0.4] = np.nan
    X[:, 2] = np.nan
    seen = running(X, rng)
    assert seen.count.tolist() == (~np.isnan(X)).sum(axis=0).tolist()
    for j in range(2):
        held = X[~np.isnan(X[:, j]), j]
        if len(held) > 1:
            assert (seen.mean[j], seen.sd[j]) == pytest.approx(two_pass(held), rel=1e-12)
        else:
            assert np.isnan(seen.sd[j])
        if len(held):
            assert (seen.low[j], seen.high[j]) == (held.min(), held.max())
    assert np.isnan([seen.mean[2], seen.sd[2], seen.low[2], seen.high[2]]).all()


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_merged_in_any_way_they_are_the_same(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(1e9, 3, size=(300, 2))
    parts = [running(piece) for piece in in_pieces(X, rng, 90)]
    rng.shuffle(parts)
    seen = RunningStatistics()
    for part in parts:
        seen.merge(part)
    whole = running(X)
    assert seen.count.tolist() == whole.count.tolist()
    np.testing.assert_allclose(seen.mean, whole.mean, rtol=1e-15)
    np.testing.assert_allclose(seen.sd, whole.sd, rtol=1e-13)


@pytest.mark.parametrize("scale", [1e-200, 1e-300, 1e200, 1e300])
def test_no_square_overflows_or_vanishes(scale):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(500, 2))
    seen = running(X * scale, rng)
    np.testing.assert_allclose(seen.sd / scale, X.std(axis=0, ddof=1), rtol=1e-12)


def test_other_numbers_of_columns_are_a_mistake():
    seen = RunningStatistics(2)
    with pytest.raises(ValueError, match="3 columns, and 2 before"):
        seen.update(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="shape"):
        seen.update(np.zeros(4))


def test_no_rows_leave_nothing_known():
    seen = running(np.empty((0, 2)))
    assert seen.count.tolist() == [0, 0]
    assert np.isnan(seen.mean).all()
    assert seen.constant.tolist() == [True, True]


AWKWARD = {
    "offset": lambda rng: rng.normal(1e9, 1, size=(700, 3)),
    "skewed": lambda rng: rng.lognormal(0, 3, size=(700, 3)),
    "one constant": lambda rng: np.column_stack([rng.normal(size=700), np.full(700, 0.3)]),
    "constant up to rounding": lambda rng: np.column_stack(
        [rng.normal(size=700), np.where(np.arange(700) % 2, 0.3, 0.1 + 0.2)]
    ),
    "large whole numbers": lambda rng: rng.integers(2**52, 2**52 + 9, size=(700, 2)).astype(float),
    "a half among large whole numbers": lambda rng: 2.0**51 + np.array([[0.0], [0.5], [4.0]]),
    "two values": lambda rng: rng.integers(0, 2, size=(700, 2)) * 7.5,
    "single precision": lambda rng: rng.normal(100, 1, size=(700, 2)).astype(np.float32),
}


@pytest.mark.parametrize("how", STREAMED)
@pytest.mark.parametrize("kind", AWKWARD)
def test_scaled_pieces_are_the_scaled_whole(kind, how):
    rng = np.random.default_rng(5)
    X = AWKWARD[kind](rng)
    seen = running(X, rng)
    whole = transform(X, how)
    pieces = np.concatenate([scaled(piece, seen, how) for piece in in_pieces(X, rng)])
    size = np.abs(whole).max(axis=0)
    np.testing.assert_allclose(pieces, whole, atol=1e-12 * max(size.max(), 1e-300), rtol=1e-12)
    by = scaling(seen, how)
    rounding = np.spacing(np.abs(by.offset)) / by.scale  # an offset is a single number
    assert (np.abs(by.apply(X) - whole) <= rounding + 1e-12 * size).all()


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 30), st.just(2)),
        elements=st.one_of(
            st.integers(-5, 5).map(float), st.floats(1, 1 + 1e-14), st.floats(-1e6, 1e6, width=32)
        ),
    ),
    st.integers(0, 100),
)
@settings(max_examples=100)
def test_a_column_is_constant_where_all_rows_say_so(X, seed):
    seen = running(X, np.random.default_rng(seed), 7)
    assert seen.constant.tolist() == constant_columns(X).tolist()


def test_what_is_missing_stays_missing():
    X = np.array([[1.0, 2.0], [np.nan, 4.0], [5.0, 9.0]])
    found = scaled(X, running(X), "z")
    assert np.argwhere(np.isnan(found)).tolist() == [[1, 0]]
    np.testing.assert_allclose(found[[0, 2], 0], transform(X[[0, 2], :1], "z")[:, 0])


@pytest.mark.parametrize("how", [how for how in TRANSFORMS if how not in STREAMED])
def test_transforms_that_need_all_rows_are_refused(how):
    with pytest.raises(UsageError, match=f"--transform {how} needs .*; use z, ") as error:
        scaled(np.eye(2), running(np.eye(2)), how)
    assert "\n" not in str(error.value)


def test_a_wrong_transform_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"unknown transform 'demeen'.*demean"):
        scaling(running(np.eye(2)), "demeen")


@pytest.mark.parametrize(("how", "value"), [("raw", 1e200), ("demean", 1e200), ("demean", 1e-200)])
def test_what_the_whole_refuses_pieces_refuse(how, value):
    X = np.array([[0.0], [value], [3 * value]])
    with pytest.raises(DataError, match="to square") as whole:
        transform(X, how)
    with pytest.raises(DataError, match="to square") as pieces:
        scaled(X, running(X), how)
    assert str(pieces.value) == str(whole.value)


@given(st.integers(0, 10_000), st.integers(1, 60))
@settings(max_examples=30)
def test_a_sample_does_not_depend_on_where_rows_are_cut_nor_on_their_order(seed, size):
    rng = np.random.default_rng(seed)
    X = np.arange(400.0).reshape(200, 2)
    whole = Reservoir(size, seed)
    whole.update(X)
    cut, mixed = Reservoir(size, seed), Reservoir(size, seed)
    for piece in in_pieces(X, rng):
        cut.update(piece)
    order = rng.permutation(200)
    for some in np.array_split(order, 7):
        mixed.update(X[some], some)
    parts = [Reservoir(size, seed), Reservoir(size, seed)]
    parts[0].update(X[120:], np.arange(120, 200))
    parts[1].update(X[:120])
    parts[0].merge(parts[1])
    for other in (cut, mixed, parts[0]):
        assert np.array_equal(other.numbers, whole.numbers)
        assert np.array_equal(other.rows, whole.rows)
        assert other.seen == 200
    assert len(whole.numbers) == size
    assert (np.diff(whole.numbers) > 0).all()
    assert np.array_equal(whole.rows, X[whole.numbers])


def test_every_row_is_equally_likely_and_so_is_every_pair():
    drawn = np.zeros((4000, 30))
    for seed in range(len(drawn)):
        sample = Reservoir(6, seed)
        sample.update(np.zeros((30, 1)))
        drawn[seed, sample.numbers] = 1
    each = drawn.mean(axis=0)
    assert np.abs(each - 6 / 30).max() < 4.5 * math.sqrt(0.2 * 0.8 / len(drawn))
    pairs = (drawn.T @ drawn / len(drawn))[np.triu_indices(30, 1)]
    expected = 6 / 30 * 5 / 29
    assert np.abs(pairs - expected).max() < 5 * math.sqrt(expected / len(drawn))


def test_fewer_rows_than_asked_are_all_kept_and_none_give_none():
    sample = Reservoir(9, 1)
    assert sample.rows.shape[0] == 0
    sample.update(np.empty((0, 3)))
    sample.update(np.eye(3))
    assert sample.rows.tolist() == np.eye(3).tolist()
    with pytest.raises(ValueError, match="2 numbers for 3 rows"):
        sample.update(np.eye(3), np.arange(2))
    with pytest.raises(ValueError, match="sample of 0 rows"):
        Reservoir(0, 1)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.75, 1.0])
def test_the_test_share_has_its_size_and_does_not_depend_on_cuts(share):
    whole = split_rows(0, 40_000, share, 8)
    assert abs(whole.mean() - share) <= 4.5 * math.sqrt(share * (1 - share) / 40_000)
    cut = [split_rows(at, 333, share, 8) for at in range(0, 39_960, 333)]
    assert np.array_equal(np.concatenate(cut), whole[:39_960])


def test_the_test_share_is_drawn_apart_from_the_sample_and_from_other_seeds():
    tested = split_rows(0, 40_000, 0.5, 8)
    sample = Reservoir(20_000, 8)
    sample.update(np.zeros((40_000, 1)))
    limit = 4.5 * 0.5 / math.sqrt(20_000)
    assert abs(tested[sample.numbers].mean() - 0.5) < limit
    for seed in (0, 7, 9, 2**63 - 1):
        other = split_rows(0, 40_000, 0.5, seed)
        for shift in (0, 1, 2):
            assert abs(np.mean(tested[shift:] == other[: 40_000 - shift]) - 0.5) < limit
