"""The best of items beside plain sorting."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from regionalize.studies.rank.select import position, select


def brute(score, km, kept, top, zones, most, precedence):
    rows = []
    for u, (scores, distances) in enumerate(zip(score.tolist(), km.tolist(), strict=True)):
        order = sorted(range(len(scores)), key=lambda i: (-scores[i], distances[i], precedence[i]))
        seen, count = {}, 0
        for i in order:
            zone = None if zones is None else int(np.broadcast_to(zones, score.shape)[u, i])
            full = most is not None and zone is not None and zone >= 0 and seen.get(zone, 0) >= most
            if not kept[u, i] or full or (top is not None and count >= top):
                continue
            seen[zone] = seen.get(zone, 0) + 1
            count += 1
            rows.append((u, i))
    return rows


@st.composite
def choices(draw):
    users, n = draw(st.integers(1, 3)), draw(st.integers(1, 12))
    few = st.sampled_from([0.0, 0.25, 0.5, 1.0])
    shape = (users, n)
    zone_shape = draw(st.sampled_from([shape, (n,)]))
    return {
        "score": draw(arrays(np.float64, shape, elements=few)),
        "km": draw(arrays(np.float64, shape, elements=few)),
        "kept": draw(arrays(np.bool_, shape)),
        "top": draw(st.one_of(st.none(), st.integers(1, 15))),
        "zones": draw(st.one_of(st.none(), arrays(np.int64, zone_shape, elements=st.integers(-1, 2)))),
        "most": draw(st.one_of(st.none(), st.integers(1, 4))),
        "precedence": np.array(draw(st.permutations(range(n)))),
    }


@settings(max_examples=500)
@given(choices())
def test_as_plain_sorting_with_ties_masks_and_caps(case):
    precedence = case.pop("precedence")
    user, item = select(**case, precedence=lambda: precedence)
    assert list(zip(user.tolist(), item.tolist(), strict=True)) == brute(**case, precedence=precedence)


def test_without_ties_the_order_of_ids_is_not_asked_for():
    def never():
        raise AssertionError

    score = np.array([[3.0, 1.0, 2.0]])
    assert select(score, -score, precedence=never)[1].tolist() == [0, 2, 1]


def test_nothing_to_select():
    for shape in ((0, 3), (2, 0)):
        user, item = select(np.empty(shape), np.empty(shape), top=2)
        assert len(user) == len(item) == 0
    assert position(np.empty(0, dtype=int)).tolist() == []
    user, item = select(np.ones((2, 3)), np.ones((2, 3)), np.zeros((2, 3), dtype=bool), top=2)
    assert len(user) == len(item) == 0
