"""Tables of clicks, and what is wrong with them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from regionalize.errors import DataError
from regionalize.model.layer import Layer
from regionalize.studies.rank.clicks import clicks_of, read_clicks
from regionalize.studies.rank.places import Items, Users

USERS = Users(np.array([10, 20, 30]), np.zeros((3, 2)))
ITEMS = Items(np.array(["a", "b", "c", "c"]), np.zeros((4, 2)))


def clicks(**columns):
    return clicks_of(Layer(pa.table(columns), None, None), USERS, ITEMS)


def rows(found):
    return list(zip(found.user.tolist(), found.item.tolist(), found.label.tolist(), strict=True))


def test_clicks_count_one_each_and_add_up():
    found = clicks(user=[30, 10, 30, 30], item=["b", "a", "a", "b"])
    assert rows(found) == [(0, 0, 1.0), (2, 0, 1.0), (2, 1, 2.0)]
    assert [found.of(user) for user in (0, 1, 2)] == [slice(0, 1), slice(1, 1), slice(1, 3)]


def test_labels_of_0_are_no_clicks():
    assert rows(clicks(user=[10, 10, 20], item=["a", "b", "a"], rating=[4.5, 0, 1])) == [
        (0, 0, 4.5),
        (1, 0, 1.0),
    ]
    shown = clicks(user=[10, 10, 10], item=["a", "a", "b"], Clicked=[True, False, False])
    assert rows(shown) == [(0, 0, 1.0)]


def test_ids_are_alike_in_every_type():
    assert rows(clicks(User=["10"], ITEM=["a"])) == rows(clicks(user=[10.0], item=["a"])) == [(0, 0, 1.0)]


def test_from_a_file(tmp_path):
    path = tmp_path / "clicks.csv"
    path.write_text("user,item,label\n20,b,0.5\n10,a,2\n")
    assert rows(read_clicks(path, USERS, ITEMS)) == [(0, 0, 2.0), (1, 1, 0.5)]
    path.write_text("user,item\n20,b\n10,q\n")
    with pytest.raises(DataError, match=r"clicks\.csv.*:item:row 2: there is no item 'q'"):
        read_clicks(path, USERS, ITEMS)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"user": [10, 11], "item": ["a", "a"]}, "user:row 2: there is no user '11'; did you mean '10'?"),
        ({"user": [10, 20], "item": ["a", "zzz"]}, "item:row 2: there is no item 'zzz'; there are 3 items"),
        ({"user": [10, None], "item": ["a", "a"]}, "user:row 2: the user is missing"),
        (
            {"user": [10], "item": ["c"]},
            "item:row 1: there are two items 'c'; give each item an id of its own",
        ),
        ({"who": [10], "item": ["a"]}, "there is no column 'user' of clicks; the columns are who, item"),
        (
            {"user": [10, 10], "item": ["a", "a"], "rating": [1, 2]},
            "rating:row 2: user '10' has two labels for item 'a'; keep one of them",
        ),
        ({"user": [10], "item": ["a"], "label": [-1.0]}, "label:row 1: '-1.0' is no label; use numbers of 0"),
        ({"user": [10], "item": ["a"], "label": ["x"]}, "label:row 1: 'x' is no label"),
        ({"user": [10], "item": ["a"], "label": pa.array([None], pa.float64())}, "the label is missing"),
        ({"user": [10], "item": ["a"], "label": [np.inf]}, "label:row 1: 'inf' is no label"),
        ({"user": [10], "item": ["a"], "label": [0]}, "no label is above 0"),
        ({"user": [10], "item": ["a"], "label": [1], "rating": [2]}, "there are label, rating, all of them"),
    ],
)
def test_refused(columns, words):
    with pytest.raises(DataError) as caught:
        clicks(**columns)
    assert words in str(caught.value)
