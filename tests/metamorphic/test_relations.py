"""What changes nothing in the data changes nothing in the answer, for every method of the catalog.

A method is held to the strict truth, the same groups, unless it is named below with the reason why that
cannot be; then it is held to what is true of it.
"""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from country import COLUMNS, asked, country, same_groups

import regionalize as rz
from regionalize.io.sample import sample_path
from regionalize.model.catalog import METHODS

ORDER_MATTERS = {
    "azp": "random numbers are dealt to units by their rows: a short search ends in another optimum",
    "maxp": "as azp, and most of its search is for the number of regions",
    "balance": "as azp",
    "hdbscan": "joins at the same distance, of which core distances make many, are split one by one",
    "optics": "the order of reachability begins at the first row, and rims of valleys go by it",
}
"""Methods whose groups may be others where rows stand in another order, and why."""
SHORT_SEARCH = {"azp": 0.1, "maxp": 0.25, "balance": 0.25}
DEFAULT_SEARCH = {"azp": 0.05, "maxp": 0.1, "balance": 0.1}
"""By what share the within sum of squares may differ, whatever the order of rows."""

every_method = pytest.mark.parametrize("method", METHODS)


def groups(frame, method, options):
    """Labels (n,), the within sum of squares, and what is told of each unit besides."""
    found = rz.regionalize(frame, method, **options)
    assert found.report.fit is not None
    return found.labels.to_numpy(), found.report.fit.wss, found.solution.findings.columns


def permuted(frame, options, rng):
    order = rng.permutation(len(frame))
    return frame.iloc[order].reset_index(drop=True), options, np.argsort(order)


def scaled_and_shifted(frame, options, rng):
    """Every variable in another unit, from another zero; some with the other sign."""
    factor = rng.uniform(0.01, 100, len(COLUMNS)) * rng.choice([-1, 1], len(COLUMNS))
    values = frame[COLUMNS] * factor + rng.normal(0, 50, len(COLUMNS))
    return frame.assign(**values), options, None


def renamed_and_in_another_order(frame, options, rng):
    """Columns, as they stand in the layer and as they are asked for."""
    names = dict(zip(COLUMNS, ["zeta", "Höhe über 100 m", "a"], strict=True))
    turned = frame[frame.columns[::-1]].rename(columns=names)
    return turned, {**options, "columns": list(names.values())[::-1]}, None


def turned_moved_and_scaled(frame, options, rng):
    """A similarity: who touches whom, and who is nearer, stays."""
    angle, size = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 10)
    turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = shapely.transform(frame.geometry.to_numpy(), lambda places: places @ turn.T + [4e5, 5e6])
    return frame.set_geometry(moved, crs=frame.crs), options, None


CHANGES = [permuted, scaled_and_shifted, renamed_and_in_another_order, turned_moved_and_scaled]


def check(frame, method, change, options, seed, worst):
    before, cost, told = groups(frame, method, options)
    changed, with_, back = change(frame, options, np.random.default_rng(seed))
    after, new_cost, told_after = groups(changed, method, with_)
    after = after if back is None else after[back]
    if change is not permuted or method not in ORDER_MATTERS:
        assert same_groups(before, after)
    elif method == "optics":
        assert_same_but_for_the_rims(before, after)
    elif method == "hdbscan":  # what does not depend on how joins at one distance are split
        assert told_after["outlier_score"][back] == pytest.approx(told["outlier_score"], abs=1e-12)
    else:  # the same number of regions, and about as good
        assert before.max() == after.max()
        assert abs(new_cost / cost - 1) < worst[method]


def assert_same_but_for_the_rims(before, after):
    """Nine units of ten are together in both; the others are noise in one of them, in no other cluster."""
    assert before.max() == after.max()
    in_both = (before > 0) & (after > 0)
    assert same_groups(before[in_both], after[in_both])
    assert np.mean((before > 0) != (after > 0)) < 0.1


@every_method
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_groups_stay(method, change, small):
    check(small, method, change, asked(method, len(small)), 0, SHORT_SEARCH)


@pytest.mark.slow
@every_method
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("seed", range(1, 6))
def test_groups_stay_on_more_layers(method, change, seed):
    """Where rows are permuted, searches are as long as they are by default."""
    given = {"iterations": None} if change is permuted else {}
    check(country(120, seed), method, change, asked(method, 120, **given), seed, DEFAULT_SEARCH)


@every_method
@pytest.mark.parametrize("scale", ["axis", "isotropic"])
def test_centroids_moved_and_scaled_are_the_same_variables(method, scale, small):
    """And turned, where both axes are scaled alike and distance is straight: it is neither by default."""
    options = {**asked(method, len(small)), "centroid_scale": scale, "centroid_weight": 0.4}
    if any(param.name == "distance" for param in METHODS[method].params):
        options["distance"] = "euclidean"
    rng = np.random.default_rng(1)
    moved = small.set_geometry(small.scale(2.5, 2.5, origin=(0, 0)).translate(3e5, -1e5))
    turned = turned_moved_and_scaled(small, options, rng)[0]
    before = groups(small, method, options)[0]
    assert same_groups(before, groups(moved, method, options)[0])
    if scale == "isotropic":
        assert same_groups(before, groups(turned, method, options)[0])


@every_method
def test_a_constant_is_told_and_changes_nothing(method, small):
    options = asked(method, len(small))
    before = rz.regionalize(small, method, **options)
    after = rz.regionalize(small.assign(flat=7.1), method, **{**options, "columns": [*COLUMNS, "flat"]})
    assert "constant, so without effect: flat" in after.notes
    assert np.array_equal(before.labels, after.labels)
    assert after.report.fit.wss == pytest.approx(before.report.fit.wss, rel=1e-12)


@every_method
def test_a_unit_and_its_double_go_together(method, small):
    """But for balance, which may have no room for both in one region.

    Doubles lie upon each other, so they are neighbours and have the same ones, and no variable parts them: a
    cut between them gains no more than one beside them, and no move of one alone makes regions fit better.
    """
    twice = pd.concat([small, small.iloc[[40]]], ignore_index=True)
    labels = groups(twice, method, asked(method, len(twice)))[0]
    if method == "balance":
        sizes = np.bincount(labels)[1:]
        assert sizes.max() - sizes.min() <= 1
    else:
        assert labels[40] == labels[-1]


@every_method
def test_another_run_and_other_threads_give_the_same_bytes(method, small):
    options = asked(method, len(small))
    if any(param.name == "restarts" for param in METHODS[method].params):
        options["restarts"] = 3
    first = rz.regionalize(small, method, **options, jobs=1)
    for jobs in (1, 3):
        again = rz.regionalize(small, method, **options, jobs=jobs)
        assert again.labels.to_numpy().tobytes() == first.labels.to_numpy().tobytes()
        assert again.report.fit == first.report.fit


@pytest.mark.slow
@every_method
def test_threads_of_a_larger_layer_give_the_same_bytes(method):
    """Large enough for the ways that share work among threads."""
    frame = country(2500, 7)
    options = asked(method, 2500)
    if method in {"dbscan", "optics"}:
        options["eps"] = 0.2
    first, *others = (rz.regionalize(frame, method, **options, jobs=jobs).labels for jobs in (1, 2, 5))
    for other in others:
        assert other.to_numpy().tobytes() == first.to_numpy().tobytes()


@pytest.mark.slow
@every_method
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_groups_of_counties_stay(method, change):
    """The bundled sample, whose percentages are rounded: what differs by less tells apart what is tied."""
    frame = geopandas.read_file(sample_path())[["pct_rural", "pct_bach", "pct_pov", "geometry"]]
    frame.columns = [*COLUMNS, "geometry"]
    frame[COLUMNS] += np.random.default_rng(3).normal(0, 1e-6, (len(frame), len(COLUMNS)))
    check(frame, method, change, asked(method, len(frame)), 3, SHORT_SEARCH)
