"""Models kept as JSON: they come back as they were, and nothing else comes in."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from regionalize.errors import DataError, RegionalizeError, UsageError
from regionalize.studies.rank.clicks import Clicks
from regionalize.studies.rank.fit import learn
from regionalize.studies.rank.model import (
    RankModel,
    model_document,
    model_of,
    read_model,
    write_model,
)
from regionalize.studies.rank.options import RankOptions
from regionalize.studies.rank.places import Items, Users
from regionalize.studies.rank.rank import rank_items
from regionalize.studies.rank.zones import band_zones, center_zones, label_zones

RNG = np.random.default_rng(3)
ITEMS = Items(np.arange(1, 81), RNG.uniform(-5, 5, (80, 2)), RNG.uniform(0, 9, 80))
USERS = Users(np.arange(12), RNG.uniform(-5, 5, (12, 2)))
CENTERS = center_zones(["Zürich", "b", 'c "3"'], RNG.uniform(-5, 5, (3, 2)))
LABELS = np.array(["north", "south"], dtype=object)[(ITEMS.places[:, 0] < 0).astype(int)]
REGIONS = label_zones((ITEMS.places[:, 0] < 0).astype(int), ["north", "south"], ITEMS.places)
CLICKS = Clicks(np.repeat(np.arange(12), 2), np.tile([3, 40], 12), np.ones(24))


EVERY = {"scale": 77.7, "normalize": "minmax", "max_km": 900.1, "min_score": -0.3, "top": 20, "units": "mi"}
CASES = {
    "bands": (RankOptions(bands=(3, 7), nested=True, **EVERY), []),
    "centers": (RankOptions(membership="hard", region_weights=(("b", 2.5),)), [CENTERS]),
    "labels": (RankOptions(score="weights", max_per_region=4, keep_zones=("south",)), [REGIONS]),
    "none": (RankOptions(attribute_weight=0.4), []),
}


def table(ranking):
    columns = (ranking.user, ranking.rank, ranking.item, ranking.km, ranking.score, *ranking.codes)
    return [column.tolist() for column in (*columns, *ranking.memberships)]


def ranked(model):
    return rank_items(model.items(ITEMS), USERS, model.options, model.levels(LABELS))


@pytest.mark.parametrize("case", CASES)
def test_a_model_comes_back_as_it_was(case, tmp_path):
    found = learn(ITEMS, USERS, CLICKS, *CASES[case], holdout=0.25)
    model = RankModel.from_fit(found, "rating", "region" if case == "labels" else None)
    path = tmp_path / "model.json"
    write_model(model, path)
    again = read_model(path)
    assert again.options == model.options
    assert model_document(again) == model_document(model)
    assert table(ranked(again)) == table(ranked(model))
    other = tmp_path / "again.json"
    write_model(again, other)
    assert other.read_bytes() == path.read_bytes()


def test_a_model_ranks_as_what_it_was_learned_from():
    options = RankOptions(bands=(4,))
    found = learn(ITEMS, USERS, CLICKS, options)
    model = RankModel.from_fit(found, "rating")
    levels = band_zones(USERS.places, ITEMS.places, (4,))
    wanted = replace(found.options, bands=())
    items = replace(ITEMS, attribute=-ITEMS.attribute) if found.falls else ITEMS
    assert table(ranked(model)) == table(rank_items(items, USERS, wanted, levels))
    # bands are those learned, whoever asks
    one = Users(USERS.ids[:1], USERS.places[:1])
    assert rank_items(ITEMS, one, model.options, model.levels()).zones[0] is model.zones[0]


def test_regions_go_by_their_names():
    found = learn(ITEMS, USERS, CLICKS, RankOptions(), [REGIONS])
    model = RankModel.from_fit(found, "rating", "region")
    turned = np.array(["south", "elsewhere", "north", None], dtype=object)
    assert model.levels(turned)[0].labels.tolist() == [1, -1, 0, -1]
    with pytest.raises(UsageError, match="labelled with; give items with a column 'region'"):
        model.levels()


def document():
    zones = band_zones(USERS.places, ITEMS.places, (2, 4), nested=True)
    options = RankOptions(zone_weights=(0.5, -0.25), region_weights=(("1", 2.0),))
    return json.loads(json.dumps(model_document(RankModel(options, (*zones, CENTERS)))))


def test_the_document_tells_names_and_units():
    found = document()
    assert model_document(model_of(found)) == found
    assert (found["format"], found["version"], found["distances"]) == ("regionalize ranking", 1, "km")
    assert found["zones"][0]["names"] == ["1", "2"]
    assert found["zones"][0]["weights"] == [0.5, -0.25]
    assert found["options"]["units"] == "km"
    assert found["options"]["region_weights"] == {"1": 2.0}


def changed(path, value):
    found = document()
    *way, last = path
    inner = found
    for step in way:
        inner = inner[step]
    if value is KeyError:
        del inner[last]
    else:
        inner[last] = value
    return found


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["format"], "GeoJSON", "is no model of a ranking; name a file that --save-model wrote"),
        (["format"], KeyError, "is no model of a ranking"),
        (["version"], 2, "is a model of version 2, and this program reads version 1"),
        (["version"], True, "is a model of version True"),
        (["version"], KeyError, "is a model of version None"),
        (["distances"], "mi", "'distances' is none of km"),
        (["extra"], 1, "the model: 'extra' is not known"),
        (["zones"], KeyError, "the model: 'zones' is missing"),
        (["zones"], {}, "'zones' is no list"),
        (["zones", 0], 7, "zones 1 is no object"),
        (["zones", 0, "kind"], "rings", "'kind' is none of bands, centers, labels"),
        (["zones", 0, "kind"], [], "'kind' is none of bands, centers, labels"),
        (["zones", 0, "names"], ["1"], "zones 1 have no centre each"),
        (["zones", 0, "names"], ["1", "1"], "names that are not their own"),
        (["zones", 0, "names"], ["1", 2], "'names' is no text"),
        (["zones", 0, "centers"], [5.0, 4.0], "zones 1 do not rise"),
        (["zones", 0, "centers"], [-5.0, 4.0], "zones 1 do not rise"),
        (["zones", 0, "centers"], [5.0, "x"], "'zones 1' is no number"),
        (["zones", 0, "edges"], [], "zones 1 do not rise"),
        (["zones", 0, "edges"], [0.0], "zones 1 do not rise"),
        (["zones", 0, "weights"], [1.0], "there are 1 weights of 2 zones"),
        (["zones", 1, "weights"], [1.0, 2.0, 3.0, 4.0], "only the first zones have weights"),
        (["zones", 1, "parents"], [0, 1, 1, 2], "zones 2 do not lie within"),
        (["zones", 1, "parents"], [1, 0, 0, 1], "zones 2 do not lie within"),
        (["zones", 1, "parents"], [0, 1, 0, 1], "zones 2 do not lie within"),
        (["zones", 1, "parents"], [0, 0, 0, 0.5], "'parents' is no whole number"),
        (["zones", 2, "centers", 0], [95.0, 1.0], "swapped"),
        (["zones", 2, "centers", 0], [9.0], "is no list of 2"),
        (["zones", 2, "kind"], "labels", "zones 3 are regions below others"),
        (["zones", 2, "edges"], [1.0], "zones 3 are no bands, and have edges"),
        (["options", "score"], "best", "there is no score 'best'"),
        (["options", "score"], {}, "'score' is no text"),
        (["options", "top"], True, "'top' is no whole number"),
        (["options", "top"], 10**20, "'top' is no whole number"),
        (["options", "top"], 0, "keeps nothing"),
        (["options", "scale"], 10**400, "'scale' is no number"),
        (["options", "attribute_weight"], 1.5, "is no share"),
        (["options", "attribute_weight"], 0.5, "an attribute has a weight and no name"),
        (["options", "keep_zones"], ["9"], "there is no zone '9'"),
        (["options", "region_weights"], {"9": 1.0}, "region_weights: '9' is not known"),
        (["options", "region_weights"], {"1": -1.0}, "weight -1 of zone '1' is none"),
        (["options", "block"], 1, "options: 'block' is not known"),
        (["less_is_better"], 1, "'less_is_better' is neither true nor false"),
        (["learned"], {}, "learned: 'users' is missing"),
        (["learned"], [1], "learned is no object"),
    ],
)
def test_others_are_refused(path, value, words):
    with pytest.raises(DataError) as caught:
        model_of(changed(path, value))
    assert words in str(caught.value)


def test_whatever_stands_there_is_refused_or_ranks():
    strange = [None, True, -1, 1.5, 1e308, "", "x", [], {}, [[]], [None], {"1": []}, 10**30]

    def ways(inner, way=()):
        yield way
        for key, one in inner.items() if isinstance(inner, dict) else enumerate(inner):
            if isinstance(one, dict | list):
                yield from ways(one, (*way, key))
            else:
                yield (*way, key)

    refused = 0
    for way in filter(None, ways(document())):
        for value in strange:
            try:
                model = model_of(changed(way, value))
                rank_items(ITEMS, USERS, model.options, model.levels())
            except RegionalizeError:
                refused += 1
    assert refused > 500


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "is not JSON: Expecting value"),
        (b"[]", "is no model: it holds no object"),
        (b"\xff\xfe", "is not JSON: 'utf-8' codec"),
        (b'{"a": NaN}', "NaN is no number of JSON"),
        (b'{"a": 1, "a": 2}', "a key is there twice"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not JSON: Exceeds the limit"),
        (b" " * ((1 << 25) + 1), "is too large for a model; name a model"),
        (b'{"format": "regionalize ranking"}', "is a model of version None"),
    ],
)
def test_files_that_are_no_model(raw, words, tmp_path):
    path = tmp_path / "model.json"
    path.write_bytes(raw)
    with pytest.raises(DataError) as caught:
        read_model(path)
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"the model cannot be read \(No such file or directory\)"):
        read_model(tmp_path / "none.json")
    with pytest.raises(DataError, match="the model cannot be read"):
        read_model(tmp_path)
