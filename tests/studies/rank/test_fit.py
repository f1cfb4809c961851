"""Weights learned from users who choose by known preferences."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from regionalize.errors import DataError, UsageError
from regionalize.studies.rank import fit
from regionalize.studies.rank.clicks import Clicks
from regionalize.studies.rank.distances import great_circle_km, typical_km
from regionalize.studies.rank.fit import learn, negative
from regionalize.studies.rank.listwise import Lists, fitted, sharpest
from regionalize.studies.rank.ndcg import ndcg
from regionalize.studies.rank.options import RankOptions
from regionalize.studies.rank.places import Items, Users
from regionalize.studies.rank.rank import rank_items
from regionalize.studies.rank.zones import band_zones, center_zones, label_zones

NAMES = ("west", "middle", "east")
CENTERS = np.array([[0.0, -3.0], [0.0, 0.0], [0.0, 3.0]])


def world(users=60, n=120, seed=0):
    """Make items on a plain of 8 by 8 degrees, and users anywhere on it."""
    rng = np.random.default_rng(seed)
    items = Items(np.arange(1, n + 1), rng.uniform(-4, 4, (n, 2)), rng.uniform(0, 10, n))
    return items, Users(np.arange(users), rng.uniform(-4, 4, (users, 2)))


def chosen(logits, each=4, seed=1):
    """Draw what every user chooses, each item with chances of a softmax."""
    rng = np.random.default_rng(seed)
    pairs = []
    for user, logit in enumerate(logits):
        chance = np.exp(logit - logit.max())
        picked = rng.choice(len(logit), each, p=chance / chance.sum())
        pairs += [(user, int(item)) for item in picked]
    once, label = np.unique(np.array(pairs), axis=0, return_counts=True)
    return Clicks(once[:, 0], once[:, 1], label.astype(float))


def proximity_of(items, users):
    km = great_circle_km(users.places, items.places)
    return np.exp(-km / typical_km(users.places, items.places)[:, None])


def in_zone(items):
    return np.argmin(np.abs(items.places[:, 1, None] - CENTERS[:, 1]), axis=1)


@pytest.mark.parametrize("kind", ["centers", "labels"])
@pytest.mark.parametrize("membership", ["gaussian", "fuzzy", "hard"])
@pytest.mark.parametrize("score", ["exp", "linear", "rank", "weights"])
def test_users_who_prefer_a_zone(kind, membership, score):
    items, users = world(users=120)
    items = replace(items, attribute=None)
    labels = in_zone(items)
    zones = center_zones(NAMES, CENTERS) if kind == "centers" else label_zones(labels, NAMES, items.places)
    belonging = zones.belonging(membership, np.empty(0), items.places)
    near = 0 if score == "weights" else 3 * proximity_of(items, users)
    clicks = chosen(np.zeros((120, 1)) + near + belonging @ np.array([0.0, 6.0, 3.0]))
    found = learn(items, users, clicks, RankOptions(score=score, membership=membership), [zones])
    assert found.is_better
    assert found.trained > found.untrained + 0.03
    assert np.argsort(found.options.zone_weights).tolist() == [0, 2, 1]
    assert (found.learned_from, found.held_out) == (96, 24)


def test_users_who_prefer_a_band():
    items, users = world(users=80)
    items = replace(items, attribute=None)
    km = great_circle_km(users.places, items.places)
    clicks = chosen(np.where((km > 250) & (km < 400), 4.0, 0.0))
    found = learn(items, users, clicks, RankOptions(bands=(4,), membership="hard"))
    assert found.options.bands == ()
    assert len(found.zones[0]) == 4
    low, high = np.searchsorted(found.zones[0].edges, [275, 375])
    assert np.argmax(found.options.zone_weights) in range(low, high + 1)
    assert found.trained > found.untrained + 0.1


@pytest.mark.parametrize("sign", [1, -1])
def test_users_who_prefer_an_attribute(sign):
    items, users = world(users=120)
    clicks = chosen(2 * proximity_of(items, users) + sign * 0.8 * items.attribute)
    found = learn(items, users, clicks)
    assert found.falls == (sign < 0)
    assert any("less of the attribute" in note for note in found.notes) == found.falls
    assert found.trained > found.untrained + 0.1
    # by hand: 8 for the whole range of the attribute, 2 for proximity
    assert found.options.attribute_weight == pytest.approx(8 / 10, abs=0.08)
    ranked = rank_items(negative(items) if sign < 0 else items, users, found.options)
    first = items.attribute[ranked.item[ranked.rank <= 5]]
    assert (sign * (first - 5) > 0).mean() > 0.9


def test_weights_are_what_they_were_drawn_from():
    items, users = world(users=400, n=60)
    code, share = in_zone(items), items.attribute / 10
    low, high = share.min(), share.max()
    clicks = chosen(3 * proximity_of(items, users) + np.array([0.0, 2.0, -1.0])[code] + 1.5 * share, each=12)
    options = RankOptions(membership="hard")
    found = learn(items, users, clicks, options, [center_zones(NAMES, CENTERS)], holdout=0).options
    west, middle, east = (3 * weight for weight in found.zone_weights)
    assert middle - west == pytest.approx(2, abs=0.25)
    assert east - west == pytest.approx(-1, abs=0.25)
    odds = found.attribute_weight / (1 - found.attribute_weight)
    assert 3 * odds == pytest.approx(1.5 * (high - low), abs=0.25)


def test_figures_are_those_of_the_rankings():
    items, users = world()
    items = replace(items, attribute=None)
    clicks = chosen(2 * proximity_of(items, users) + np.array([0.0, 3.0, 0.0])[in_zone(items)])
    zones = [center_zones(NAMES, CENTERS)]
    found = learn(items, users, clicks, RankOptions(), zones, holdout=0.25, seed=5, k=7)
    held = np.random.default_rng(5).permutation(60)[:15]
    for options, figure in ((RankOptions(), found.untrained), (found.options, found.trained)):
        ranked = rank_items(items, users, options, zones)
        figures = []
        for user in held:
            own = ranked.user == user
            label = dict(
                zip(clicks.item[clicks.user == user], clicks.label[clicks.user == user], strict=True)
            )
            gain = np.array([label.get(item, 0.0) for item in ranked.item[own]])
            figures.append(ndcg(ranked.score[own], gain, 7))
        assert figure == pytest.approx(np.mean(figures), rel=1e-12)


def test_ties_beyond_the_head_of_a_list_count():
    # all items of a zone score alike: what is wanted may be anywhere among 200 of them
    places = np.column_stack([np.zeros(201), np.full(201, 1.0)])
    places[200] = [0.0, -1.0]
    items, users = Items(np.arange(201), places), Users(np.arange(4), np.zeros((4, 2)))
    clicks = Clicks(np.arange(4), np.array([7, 150, 30, 99]), np.ones(4))
    zones = [center_zones("ab", np.array([[0.0, 1.0], [0.0, -1.0]]))]
    options = RankOptions(score="weights", membership="hard")
    found = learn(items, users, clicks, options, zones, holdout=0.5)
    assert found.options.zone_weights[0] > found.options.zone_weights[1]
    shared = sum(1 / math.log2(1 + rank) for rank in range(1, 11)) / 200
    assert found.trained == pytest.approx(shared, rel=1e-12)


def test_when_there_is_nothing_to_find_the_report_says_so():
    items, users = world(users=20)
    clicks = chosen(20 * proximity_of(items, users), each=3)
    found = learn(items, users, clicks, RankOptions(score="rank"), [center_zones(NAMES, CENTERS)], seed=3)
    worse = replace(found, trained=found.untrained)
    assert worse.is_better is False
    assert worse.sentences()[-1] == (
        "the learned weights do not rank better than the untrained score; leave them out"
    )
    # clicks of the nearest leave little to learn: the ranking stays about what it was
    assert found.trained == pytest.approx(found.untrained, abs=0.1)


def test_nobody_held_out():
    items, users = world(users=10)
    clicks = chosen(3 * proximity_of(items, users))
    found = learn(items, users, clicks, holdout=0)
    assert (found.held_out, found.untrained, found.trained, found.is_better) == (0, None, None, None)
    assert found.sentences() == (
        "weights are learned from the clicks of 10 users; no user was held out, so nothing tells whether "
        "they rank better",
    )
    one = learn(items, users, clicks, holdout=0.01)
    assert (one.held_out, one.learned_from) == (1, 9)
    assert one.sentences()[0].startswith(
        f"weights are learned from the clicks of 9 users; NDCG@10 of 1 user held out: {one.untrained:.4f} "
    )


def test_users_without_clicks_have_no_part():
    items, users = world(users=10)
    clicks = chosen(3 * proximity_of(items, users))
    some = clicks.take((clicks.user != 3) & (clicks.user != 7))
    found = learn(items, users, some, RankOptions())
    assert found.notes[0] == "2 users without clicks had no part in learning"
    rest = np.array([0, 1, 2, 4, 5, 6, 8, 9])
    fewer = Users(users.ids[rest], users.places[rest])
    alone = learn(
        items, fewer, Clicks(np.searchsorted(rest, some.user), some.item, some.label), RankOptions()
    )
    assert (alone.options, alone.trained) == (found.options, found.trained)


def test_clicks_out_of_range_are_left_out():
    items, users = world(users=12)
    km = great_circle_km(users.places, items.places)
    clicks = chosen(3 * proximity_of(items, users))
    beyond = int((km[clicks.user, clicks.item] > 400).sum())
    found = learn(items, users, clicks, RankOptions(max_km=400))
    assert 0 < beyond < len(clicks)
    assert f"{beyond} clicks on items out of range: left out" in found.notes
    near = learn(items, users, clicks.take(km[clicks.user, clicks.item] <= 400), RankOptions(max_km=400))
    assert near.options == found.options
    with pytest.raises(DataError, match="all clicks are on items out of range; widen"):
        learn(items, users, clicks, RankOptions(max_km=0.001))


def test_twice_the_same_and_the_seed_only_draws_users():
    items, users = world()
    clicks = chosen(2 * proximity_of(items, users) + 0.3 * items.attribute)
    options = RankOptions(bands=(3,))
    one, two = (learn(items, users, clicks, options, seed=4) for _ in range(2))
    assert (one.options, one.trained, one.untrained) == (two.options, two.trained, two.untrained)
    other = learn(items, users, clicks, options, seed=5)
    assert other.options != one.options
    whole = [learn(items, users, clicks, options, holdout=0, seed=seed).options for seed in (4, 5)]
    assert whole[0] == whole[1]


@pytest.mark.parametrize("score", ["exp", "linear", "rank", "weights"])
@pytest.mark.parametrize("kind", ["bands", "centers"])
def test_what_is_learned_from_is_what_is_ranked(score, kind):
    items, users = world(users=5)
    zones = center_zones(NAMES, CENTERS)
    if kind == "bands":
        zones = band_zones(users.places, items.places, (3,))[0]
    own = tuple(zip(zones.names, (0.5, 2.0, 1.0), strict=True))
    options = RankOptions(score=score, attribute_weight=0.3, region_weights=own)
    source = fit._Source(items, users, options, (zones,))
    lists = source.lists(Clicks(np.arange(5), np.arange(5), np.ones(5)), np.arange(5))[0]
    theta = np.array([2.0, 0.5, -1.0, 3.0, 0.8])[score == "weights" :]
    unit = 2.0 if score != "weights" else 4.0  # of proximity, or the spread of weights

    def in_order(ranking):
        found = np.empty((5, len(items)))
        found[ranking.user, ranking.item] = ranking.score
        return found.ravel()

    ranked = in_order(rank_items(items, users, source.as_options(theta), [zones]))
    np.testing.assert_allclose(ranked * (unit + 0.8), lists.features @ theta, rtol=1e-10, atol=1e-10)
    before = lists.features @ source.untrained(np.arange(5))
    if score != "weights":
        np.testing.assert_allclose(before, in_order(rank_items(items, users, options, [zones])), rtol=1e-10)
    else:
        away, scale = zones.away(users.places), typical_km(users.places, items.places)
        weights = 0.7 * np.mean(
            [1 / (1 + one / length) for one, length in zip(away, scale, strict=True)], axis=0
        )
        np.testing.assert_allclose(source.untrained(np.arange(5)), [*weights, 0.3], rtol=1e-12)


def test_less_of_an_attribute_is_learned_as_a_negative_weight():
    items, users = world()
    clicks = chosen(2 * proximity_of(items, users) - 0.8 * items.attribute)
    options = RankOptions(attribute_weight=0.5)
    found = learn(items, users, clicks, options, holdout=0).options.attribute_weight
    source, everybody = fit._Source(items, users, options, ()), np.arange(60)
    near, attribute = fit._weights(source, source.lists(clicks, everybody)[0], everybody)
    assert attribute < 0
    assert found == pytest.approx(-attribute / (near - attribute), rel=1e-6)


def test_an_attribute_that_is_not_known_of_what_is_chosen():
    # only what has none is wanted: neither more of it nor less is better
    items, users = world()
    unknown = np.arange(len(items)) % 3 == 0
    items = replace(items, attribute=np.where(unknown, np.nan, items.attribute))
    clicks = chosen(2 * proximity_of(items, users) + 3 * unknown)
    found = learn(items, users, clicks)
    assert found.falls
    assert found.options.attribute_weight == 0


def test_users_who_go_far_still_take_the_nearer_of_two_alike():
    items, users = world()
    items = replace(items, attribute=None)
    zones = center_zones(NAMES, CENTERS)
    clicks = chosen(-6 * proximity_of(items, users) + np.array([0.0, 3.0, 0.0])[in_zone(items)])
    options = learn(items, users, clicks, RankOptions(membership="hard"), [zones], holdout=0).options
    assert np.argmax(options.zone_weights) == 1
    ranked = rank_items(items, users, options, [zones])
    for user in range(60):
        for zone in range(3):
            km = ranked.km[(ranked.user == user) & (ranked.codes[0] == zone)]
            assert (np.diff(km) >= 0).all()


def test_what_does_not_change_the_order_changes_no_figure():
    items, users = world(users=20)
    clicks = chosen(3 * proximity_of(items, users))
    plain = learn(items, users, clicks, RankOptions(max_km=500))
    given = {"normalize": "softmax", "min_score": 0.9, "list_all": True, "top": 2}
    other = learn(items, users, clicks, RankOptions(max_km=500, **given))
    assert (other.trained, other.untrained) == pytest.approx((plain.trained, plain.untrained), rel=1e-12)
    assert other.options == replace(plain.options, **given)


def test_clicks_outside_the_zones_to_keep_are_left_out():
    items, users = world(users=12)
    clicks = chosen(3 * proximity_of(items, users))
    inside = in_zone(items)[clicks.item] > 0
    options, zones = RankOptions(keep_zones=("middle", "east")), [center_zones(NAMES, CENTERS)]
    found = learn(items, users, clicks, options, zones)
    assert f"{(~inside).sum()} clicks on items out of range: left out" in found.notes
    assert learn(items, users, clicks.take(inside), options, zones).options == found.options


def test_weights_of_regions_that_were_given_stay():
    items, users = world()
    code = in_zone(items)
    clicks = chosen(2 * proximity_of(items, users) + np.array([3.0, 0.0, 0.0])[code])
    options = RankOptions(region_weights=(("east", 4.0),))
    found = learn(items, users, clicks, options, [center_zones(NAMES, CENTERS)])
    assert found.options.region_weights == options.region_weights
    assert found.trained > found.untrained + 0.1


def test_long_lists_are_thinned_with_about_the_same_weights(monkeypatch):
    items, users = world(users=60, n=3000)
    clicks = chosen(2 * proximity_of(items, users) + np.array([0.0, 3.0, 1.0])[in_zone(items)], each=6)
    zones = [center_zones(NAMES, CENTERS)]
    whole = learn(items, users, clicks, None, zones)
    monkeypatch.setattr(fit, "_NUMBERS", 48 * 5 * 600)
    thin = learn(items, users, clicks, None, zones)
    assert "lists of up to 3,000 items are learned from 600 of each" in thin.notes
    np.testing.assert_allclose(thin.options.zone_weights, whole.options.zone_weights, atol=0.15)
    assert thin.trained == pytest.approx(whole.trained, abs=0.05)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"holdout": 1.0}, "--holdout 1 is no share"),
        ({"holdout": -0.1}, "--holdout -0.1 is no share"),
        ({"holdout": math.nan}, "--holdout nan is no share"),
        ({"holdout": 0.99}, "--holdout 0.99 of 6 users with clicks leaves nobody to learn from"),
        ({"options": RankOptions(keep_zones=("q",), bands=(2,))}, "there is no zone 'q'"),
        ({"options": RankOptions(score="weights")}, "there is nothing to learn weights of"),
    ],
)
def test_refused(given, words):
    items, users = world(users=6)
    with pytest.raises(UsageError) as caught:
        learn(items, users, chosen(proximity_of(items, users)), **given)
    assert words in str(caught.value)


def test_no_zones_and_no_attribute():
    items, users = world(users=6)
    clicks = chosen(proximity_of(items, users))
    with pytest.raises(UsageError, match="nothing to learn weights of; give zones, or name an --attribute"):
        learn(replace(items, attribute=None), users, clicks)


def some_lists():
    rng = np.random.default_rng(8)
    starts = np.array([0, 4, 5, 11])
    target = rng.uniform(0, 1, 16)
    for own in np.split(np.arange(16), starts[1:]):
        target[own] /= target[own].sum()
    return Lists(rng.normal(size=(16, 3)), target, starts, rng.uniform(0, 2, 16))


def plain_loss(lists, theta):
    total = 0.0
    for own in np.split(np.arange(16), lists.starts[1:]):
        weight = [math.exp(lists.features[i] @ theta + lists.offset[i]) for i in own]
        total -= sum(lists.target[i] * math.log(w / sum(weight)) for i, w in zip(own, weight, strict=True))
    return total / len(lists.starts)


def test_loss_and_gradient_beside_plain_ones():
    lists, theta = some_lists(), np.array([0.3, -1.2, 0.7])
    value, slope = lists.loss(theta)
    assert value == pytest.approx(plain_loss(lists, theta), rel=1e-12)
    for at in range(3):
        step = np.eye(3)[at] * 1e-5
        wanted = (plain_loss(lists, theta + step) - plain_loss(lists, theta - step)) / 2e-5
        assert slope[at] == pytest.approx(wanted, abs=1e-8)
    assert math.isfinite(lists.loss(theta * 1e4)[0])


def test_best_weights_beside_a_search_without_gradient():
    lists, start, unit = some_lists(), np.array([1.0, 0.0, -0.5]), np.array([1.0, 2.0, 0.5])

    def objective(theta):
        return plain_loss(lists, theta) + 0.7 / 8 * (((theta - start) / unit) ** 2).sum()

    wanted = minimize(objective, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14}).x
    free = np.full(3, -np.inf)
    np.testing.assert_allclose(fitted(lists, start, unit, free, 0.7), wanted, atol=1e-5)
    held = fitted(lists, start, unit, wanted + np.array([-9.0, 1.0, -9.0]), 0.7)
    assert held[1] == pytest.approx(wanted[1] + 1)
    sharp = sharpest(lists, start)
    assert plain_loss(lists, sharp * start) <= min(
        plain_loss(lists, factor * sharp * start) for factor in (0.9, 0.99, 1.01, 1.1)
    )
