"""Records of runs: what is written is read back, by this version and by others."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regionalize.model.record import (
    FORMAT,
    RunRecord,
    history_document,
    history_of,
    read_history,
    renamed,
)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.lists(st.text(max_size=5), max_size=4, unique=True)
OTHERS = st.dictionaries(st.text().map(lambda name: f"later {name}"), PLAIN, max_size=2)
RECORDS = st.builds(
    RunRecord,
    made_by=st.text(min_size=1),
    columns=NAMES.map(tuple),
    settings=st.dictionaries(st.text(), PLAIN, max_size=4),
    command=st.text(),
    input=st.dictionaries(st.text(), PLAIN, max_size=2),
    versions=st.dictionaries(st.text(), st.text(), max_size=2),
    k=st.none() | st.integers(1),
    seed=st.none() | st.integers(0),
    measures=st.dictionaries(st.text(), PLAIN, max_size=2),
    other=OTHERS,
)


def made(name, *columns):
    return RunRecord(made_by=name, columns=columns)


@given(st.lists(RECORDS, max_size=3))
def test_what_is_written_is_read_back(history):
    text = json.dumps(history_document(history))
    assert read_history(json.loads(text)) == tuple(history)


def test_what_is_not_known_is_not_written():
    assert made("kmeans", "cluster").to_dict() == {"made_by": "kmeans", "columns": ["cluster"]}


@pytest.mark.parametrize("wrong", [["z" * 300_000], {"a": list(range(10_000))}, True, 3])
def test_a_wrong_value_is_told_in_few_words(wrong):
    with pytest.raises(ValueError, match="'made_by' of a run is ") as caught:
        read_history({"runs": [{"made_by": wrong, "columns": ["c"]}]})
    assert len(str(caught.value)) < 200


def test_what_a_later_version_adds_is_kept():
    later = {
        "format": FORMAT + 1,
        "runs": [{"made_by": "kmeans", "columns": ["c"], "mood": {"calm": True}}],
        "signed": "x",
    }
    (record,) = read_history(later)
    assert record.other == {"mood": {"calm": True}}
    assert history_document([record])["runs"] == later["runs"]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "runs",
        {},
        {"runs": {}},
        {"runs": [3]},
        {"runs": [{}]},
        {"runs": [{"made_by": "kmeans", "columns": "cluster"}]},
        {"runs": [{"made_by": "kmeans", "columns": [1]}]},
        {"runs": [{"made_by": 3, "columns": ["c"]}]},
        {"runs": [{"made_by": "kmeans", "columns": ["c"], "k": "four"}]},
        {"runs": [{"made_by": "kmeans", "columns": ["c"], "k": True}]},
        {"runs": [{"made_by": "kmeans", "columns": ["c"], "settings": []}]},
        {"runs": [{"made_by": "kmeans", "columns": ["c"], "command": ["rm"]}]},
    ],
)
def test_what_is_no_history_is_refused(document):
    with pytest.raises(ValueError, match="run"):
        read_history(document)


@given(
    st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True), max_size=4),
    st.sets(st.sampled_from("abcd")),
    st.lists(st.sampled_from("abcd"), max_size=2, unique=True),
)
def test_every_column_is_the_last_run_s_that_made_it(runs, there, new):
    """Against bookkeeping by column: who made it last."""
    history, maker = (), {}
    for number, columns in enumerate(runs):
        history = history_of(history, "abcd", made(str(number), *columns))
        maker |= dict.fromkeys(columns, str(number))
    record = made("new", *new) if new else None
    maker = {name: who for name, who in maker.items() if name in there} | dict.fromkeys(new, "new")
    found = history_of(history, {*there, *new}, record)
    assert {name: one.made_by for one in found for name in one.columns} == maker
    assert sum(len(one.columns) for one in found) == len(maker), "a column has one maker"
    assert [one.made_by for one in found] == sorted(
        (one.made_by for one in found), key=lambda x: (x == "new", x)
    )


def test_names_in_another_format():
    (record,) = renamed([made("kmeans", "a_long_column", "b")], {"a_long_column": "a_long_col"})
    assert record.columns == ("a_long_col", "b")
