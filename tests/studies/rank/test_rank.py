"""Rankings beside plain loops over users and items, and how they answer to changes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from regionalize.errors import UsageError
from regionalize.studies.rank.distances import PlaceIndex, great_circle_km
from regionalize.studies.rank.options import RankOptions
from regionalize.studies.rank.places import Items, Users
from regionalize.studies.rank.rank import rank_blocks, rank_items
from regionalize.studies.rank.zones import center_zones, label_zones

CITIES = {
    "Los Angeles": (34.0522, -118.2437),
    "Chicago": (41.8781, -87.6298),
    "Philadelphia": (39.9526, -75.1652),
}


def on_globe(rng, n):
    return np.column_stack([np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)])


def sample(users=4, n=60, seed=0):
    rng = np.random.default_rng(seed)
    places = on_globe(rng, n)
    places[n // 2 :: 7] = places[0]  # some at one place
    items = Items(rng.permutation(n) + 1, places, rng.integers(0, 5, n).astype(float))
    return items, Users(np.arange(users), on_globe(rng, users))


def table(found):
    ids = found.items.ids[found.item].tolist()
    return list(zip(found.user.tolist(), found.rank.tolist(), ids, found.score.tolist(), strict=True))


def zone_names(found):
    return np.array([*found.zones[0].names, None], dtype=object)[found.codes[0]]


def test_cities_from_new_york():
    items = Items(np.array(list(CITIES)), np.array(list(CITIES.values())))
    found = rank_items(items, Users(np.array([1]), np.array([[40.7128, -74.0060]])))
    assert items.ids[found.item].tolist() == ["Philadelphia", "Chicago", "Los Angeles"]
    np.testing.assert_allclose(found.km, [129.6, 1144.3, 3935.8], atol=0.1)
    np.testing.assert_allclose(found.score, np.exp(-found.km / found.km[1]), rtol=1e-12)
    miles = replace(found, options=RankOptions(units="mi")).distance
    np.testing.assert_allclose(miles, found.km / 1.609344)


@pytest.mark.parametrize("score", ["exp", "linear", "rank"])
@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_beside_plain_loops(score, weight):
    items, users = sample()
    options = RankOptions(score=score, attribute_weight=weight, top=7, max_km=9000)
    found = table(rank_items(items, users, options))
    km = great_circle_km(users.places, items.places).tolist()
    wanted = []
    for u, line in enumerate(km):
        median = sorted(line)[29] / 2 + sorted(line)[30] / 2
        rows = []
        for i, d in enumerate(line):
            near = {
                "exp": math.exp(-d / median),
                "linear": 1 - d / max(line),
                "rank": 1 - sum(other < d for other in line) / len(line),
            }[score]
            total = (1 - weight) * near + weight * items.attribute[i] / 4
            if d <= 9000:
                rows.append((-total, d, int(items.ids[i])))
        wanted += [(u, at, row[2], -row[0]) for at, row in enumerate(sorted(rows)[:7], 1)]
    assert [row[:3] for row in found] == [row[:3] for row in wanted]
    np.testing.assert_allclose([row[3] for row in found], [row[3] for row in wanted], rtol=1e-12)


ALL = [
    {},
    {"top": 5},
    {"top": 150},
    {"score": "weights", "bands": (5,)},
    {"score": "weights", "bands": (4,), "membership": "hard", "zone_weights": (0.1, 0.9, 0.2, 0.5)},
    {"bands": (4,), "zone_weights": (0.1, 0.9, -0.2, 0.5), "attribute_weight": 0.3, "top": 9},
    {"bands": (3, 10), "nested": True, "keep_zones": ("1", "3"), "max_per_region": 2, "top": 4},
    {"bands": (3,), "region_weights": (("2", 5.0),), "normalize": "zscore", "min_score": 0.1},
    {"normalize": "softmax", "attribute_weight": 0.5, "max_km": 6000, "list_all": True},
]


@pytest.mark.parametrize("asked", ALL)
def test_permuting_items_or_users_permutes_the_answer(asked):
    items, users = sample()
    options = RankOptions(**asked)
    before = rank_items(items, users, options)
    rng = np.random.default_rng(9)
    order, turn = rng.permutation(len(items)), rng.permutation(len(users))
    moved = Items(items.ids[order], items.places[order], items.attribute[order])
    after = rank_items(moved, users, options)
    assert table(after) == table(before)
    for one, other in zip(after.memberships, before.memberships, strict=True):
        np.testing.assert_array_equal(one, other)
    turned = rank_items(items, Users(users.ids[turn], users.places[turn]), options)
    assert sorted((int(turn[u]), *row) for u, *row in table(turned)) == sorted(table(before))


@pytest.mark.parametrize("asked", ALL)
def test_the_size_of_blocks_is_no_matter(asked):
    items, users = sample()
    whole = rank_items(items, users, RankOptions(**asked))
    for block in (1, 70, 200):
        options = RankOptions(**asked, block=block)
        parts = rank_items(items, users, options)
        assert table(parts) == table(whole)
        for one, other in zip(parts.memberships, whole.memberships, strict=True):
            np.testing.assert_array_equal(one, other)
        assert sum(len(one) for one in rank_blocks(items, users, options)) == len(whole)


@pytest.mark.parametrize("zones", ["bands", "centers"])
@pytest.mark.parametrize("membership", ["gaussian", "hard"])
def test_learned_weights_are_added_to_the_proximity(zones, membership):
    items, users = sample()
    weights = (0.25, -1.0, 3.0)
    places = [center_zones("abc", on_globe(np.random.default_rng(4), 3))] if zones == "centers" else []
    how = {"membership": membership, "bands": () if places else (3,)}
    plain = rank_items(items, users, RankOptions(score="linear", **how), places)
    found = rank_items(items, users, RankOptions(score="linear", zone_weights=weights, **how), places)
    wanted = {
        (user, item): score + float(belonging @ np.array(weights))
        for user, item, score, belonging in zip(
            plain.user.tolist(), plain.item.tolist(), plain.score.tolist(), plain.memberships[0], strict=True
        )
    }
    pairs = list(zip(found.user.tolist(), found.item.tolist(), strict=True))
    np.testing.assert_allclose(found.score, [wanted[pair] for pair in pairs], rtol=1e-12)
    assert (np.diff(found.score)[np.diff(found.user) == 0] <= 0).all()
    # with as many users a tree would do, if distance alone decided
    many = Users(np.arange(20), on_globe(np.random.default_rng(2), 20))
    crowd = Items(np.arange(10_000), on_globe(np.random.default_rng(3), 10_000))
    options = RankOptions(zone_weights=weights, top=1, **how)
    best = rank_items(crowd, many, options, places)
    whole = rank_items(crowd, many, replace(options, top=None, block=20_000), places)
    assert best.item.tolist() == whole.item[whole.rank == 1].tolist()


@pytest.mark.parametrize("k", [2, 3, 5, 10, 50])
def test_scores_of_weights_fall_with_distance_untrained(k):
    items, users = sample(n=400)
    found = rank_items(items, users, RankOptions(score="weights", bands=(k,)))
    for user in range(4):
        own = found.user == user
        assert spearmanr(found.score[own], -found.km[own]).statistic >= 0.99
        assert (np.diff(found.km[own]) >= 0).all()
    assert ((found.score > 0) & (found.score <= 1)).all()


def test_scores_of_weights_fall_with_distance_for_regions_too():
    items, users = sample(n=400)
    zones = center_zones("abcdef", on_globe(np.random.default_rng(4), 6))
    found = rank_items(items, users, RankOptions(score="weights"), [zones])
    for user in range(4):
        own = found.user == user
        assert spearmanr(found.score[own], -found.km[own]).statistic >= 0.99


def test_learned_weights_are_sums_over_memberships():
    items, users = sample()
    weights = (0.5, -2.0, 7.0)
    for zones, bands in (((), (3,)), ([center_zones("abc", items.places[1:4])], ())):
        options = RankOptions(score="weights", bands=bands, zone_weights=weights)
        found = rank_items(items, users, options, zones)
        np.testing.assert_allclose(found.score, found.memberships[0] @ np.array(weights), atol=1e-12)


def test_weights_of_regions_raise_their_items():
    items, users = sample()
    zones = label_zones(np.arange(60) % 3, ["C1", "C2", "C3"], items.places)
    plain = rank_items(items, users, RankOptions(membership="hard"), [zones])
    raised = rank_items(items, users, RankOptions(membership="hard", region_weights=(("C3", 2.0),)), [zones])
    score = {(u, i): s for u, i, s in zip(plain.user, plain.item, plain.score, strict=True)}
    for u, i, s in zip(raised.user, raised.item, raised.score, strict=True):
        assert s == score[u, i] * (2 if i % 3 == 2 else 1)
    best = raised.rank <= 10
    assert (raised.codes[0][best] == 2).sum() > (plain.codes[0][plain.rank <= 10] == 2).sum()
    assert zone_names(raised)[:5].tolist() == [["C1", "C2", "C3"][i % 3] for i in raised.item[:5]]


def test_zones_kept_capped_and_named():
    items, users = sample()
    labels = np.arange(60) % 4 - 1  # a quarter without a label
    zones = label_zones(labels, ["a", "b", "c"], items.places)
    kept = rank_items(items, users, RankOptions(keep_zones=("a", "c")), [zones])
    assert set(zone_names(kept).tolist()) == {"a", "c"}
    assert len(kept) == 4 * 30
    capped = rank_items(items, users, RankOptions(max_per_region=2, top=30), [zones])
    for user in range(4):
        own = zone_names(capped)[capped.user == user].tolist()
        assert [own.count(name) for name in ("a", "b", "c", None)] == [2, 2, 2, 15]


def test_what_is_left_out_can_be_listed():
    items, users = sample()
    found = rank_items(items, users, RankOptions(max_km=5000, top=3, list_all=True))
    assert len(found) == 4 * 60
    plain = rank_items(items, users, RankOptions(max_km=5000, top=3))
    assert table(plain) == [row for row in table(found) if row[1]]
    for user in range(4):
        own = found.user == user
        assert found.kept[own].tolist() == sorted(found.kept[own], reverse=True)
        left = own & ~found.kept
        assert (np.diff(found.score[left]) <= 0).all()


def test_range_and_score_keep_the_near_and_nothing_left_is_said():
    items, users = sample()
    found = rank_items(items, users, RankOptions(max_km=3000))
    assert found.km.max() <= 3000
    assert len(found) == (great_circle_km(users.places, items.places) <= 3000).sum()
    edge = float(found.km[5])
    assert edge in rank_items(items, users, RankOptions(max_km=edge)).km  # the limit itself is near
    high = rank_items(items, users, RankOptions(min_score=0.5))
    assert high.score.min() >= 0.5
    none = rank_items(items, users, RankOptions(max_km=1e-6, units="mi"))
    assert len(none) == 0
    assert none.notes == ("nothing is left within 6.21371e-07 mi for 4 places: 0, 1, 2, 3",)
    assert none.memberships == ()


def test_weight_0_is_pure_proximity_and_1_the_order_of_the_attribute():
    items, users = sample()
    plain = rank_items(items, users)
    assert table(rank_items(items, users, RankOptions(attribute_weight=0.0))) == table(plain)
    found = rank_items(items, users, RankOptions(attribute_weight=1.0))
    for user in range(4):
        own = found.item[found.user == user]
        assert (np.diff(items.attribute[own]) <= 0).all()


@pytest.mark.parametrize("score", ["exp", "linear", "rank"])
def test_the_tree_ranks_as_a_look_at_all(score):
    rng = np.random.default_rng(6)
    places = np.round(on_globe(rng, 12_000), 0)  # many at one place
    items = Items(rng.permutation(12_000).astype(str).astype(object), places)
    users = Users(np.arange(30), np.round(on_globe(rng, 30), 0))
    for limits in ({}, {"max_km": 150.0}, {"min_score": 0.99}, {"bands": (3,)}):
        options = RankOptions(score=score, top=12, **limits)
        by_tree = rank_items(items, users, options)
        alone = [
            rank_items(items, Users(users.ids[[u]], users.places[[u]]), replace(options, bands=()))
            for u in range(30)
        ]
        wanted = [(u, *row[1:3]) for u, one in enumerate(alone) for row in table(one)]
        assert [row[:3] for row in table(by_tree)] == wanted
        np.testing.assert_allclose(by_tree.score, np.concatenate([one.score for one in alone]), rtol=1e-14)
        np.testing.assert_array_equal(by_tree.km, np.concatenate([one.km for one in alone]))
    index = PlaceIndex(items.places, items.precedence)
    assert table(rank_items(items, users, options, index=index)) == table(by_tree)


def test_a_new_place_outside_all_zones():
    items, _ = sample()
    zones = center_zones("ab", np.array([[60.0, 10.0], [61.0, 11.0]]))
    users = Users(np.array([1]), np.array([[0.0, 0.0]]))
    found = rank_items(items, users, RankOptions(), [zones])
    (memberships,) = found.memberships
    assert np.isfinite(memberships).all()
    np.testing.assert_allclose(memberships.sum(axis=1), 1, atol=1e-12)


def test_many_zones_by_pieces():
    items, users = sample()
    found = rank_items(items, users, RankOptions(bands=(3, 10, 50), block=100))
    assert [one.shape for one in found.memberships] == [(240, 3), (240, 10), (240, 50)]
    for one, codes in zip(found.memberships, found.codes, strict=True):
        np.testing.assert_array_equal(one.argmax(axis=1), codes)


def test_no_items_no_users():
    nothing = Items(np.empty(0, dtype=int), np.empty((0, 2)))
    somebody = Users(np.array([1]), np.zeros((1, 2)))
    assert len(rank_items(nothing, somebody, RankOptions(top=3))) == 0
    assert len(rank_items(sample()[0], Users(np.empty(0), np.empty((0, 2))))) == 0


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"score": "weights"}, "score weights needs zones; give --bands"),
        ({"zone_weights": (1.0,)}, "a learned weight of a zone needs zones; give --bands"),
        ({"keep_zones": ("1",)}, "a zone to keep needs zones"),
        ({"max_per_region": 1}, "a cap per region needs zones"),
        ({"bands": (3,), "keep_zones": ("4",)}, "there is no zone '4'; the zones are 1, 2, 3"),
        ({"bands": (3,), "region_weights": (("x", 1.0),)}, "there is no zone 'x'"),
        ({"bands": (3,), "score": "weights", "zone_weights": (1.0,)}, "1 weights of zones, and 3 zones"),
        ({"bands": (99,)}, "99 bands cannot be made of"),
    ],
)
def test_what_cannot_be_meant(asked, words):
    items, users = sample(users=1)
    with pytest.raises(UsageError, match=words):
        rank_items(items, users, RankOptions(**asked))


def test_an_attribute_that_is_not_there():
    items, users = sample()
    with pytest.raises(UsageError, match="name a column with --attribute"):
        rank_items(replace(items, attribute=None), users, RankOptions(attribute_weight=0.3))


@pytest.mark.parametrize(
    "asked",
    [
        {"membership": "soft"},
        {"score": "near"},
        {"normalize": "max"},
        {"units": "ft"},
        {"top": 0},
        {"max_per_region": 0},
        {"block": 0},
        {"scale": 0.0},
        {"scale": math.nan},
        {"scale": 5.0, "score": "rank"},
        {"max_km": -1.0},
        {"max_km": math.nan},
        {"min_score": math.nan},
        {"attribute_weight": 1.5},
        {"attribute_weight": math.nan},
        {"bands": (0,)},
        {"bands": (301,)},
        {"bands": (3, 3)},
        {"bands": (3,), "nested": True},
        {"bands": (10, 3), "nested": True},
        {"region_weights": (("a", -1.0),)},
        {"region_weights": (("a", 1.0), ("a", 2.0))},
        {"zone_weights": (math.inf,), "score": "weights"},
    ],
)
def test_options_that_cannot_be_meant(asked):
    with pytest.raises(UsageError) as caught:
        RankOptions(**asked)
    assert ";" in str(caught.value)  # what is wrong, and what to do
