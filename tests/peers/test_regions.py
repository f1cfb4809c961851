"""Contiguous regions beside pygeoda and spopt: the same where nothing is left to chance, else as good."""

from __future__ import annotations

import numpy as np
import pytest
from country import same_groups
from scipy.spatial.distance import cdist

from regionalize.measure.fit import measure_fit
from regionalize.methods.azp import azp
from regionalize.methods.maxp import maxp
from regionalize.methods.redcap import redcap
from regionalize.methods.schc import schc
from regionalize.methods.skater import skater
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.partition import Partition

LINKAGES = ("single", "complete", "average", "ward")
EXACT = ("single", "complete", "ward")
"""But for average linkage: there pygeoda joins pairs that are not the least different, as the table shows."""
REDCAP = [("first", "single"), *(("full", linkage) for linkage in EXACT)]
"""What pygeoda has."""
ROUNDING = 1 + 1e-9


def ours_and_theirs(layer, geoda, ours, function, *named):
    """Labels for several k, of ours and of a function of pygeoda."""
    columns = [column.tolist() for column in layer.X.T]

    def there(library, opened):
        links, call = library.queen_weights(opened), getattr(library, function)
        return [call(k, links, columns, *named, scale_method="raw")["Clusters"] for k in ks(layer)]

    return [(ours(k), np.array(labels)) for k, labels in zip(ks(layer), geoda(layer, there), strict=True)]


def ks(layer):
    return (3, 5, 8, 12) if len(layer.X) < 1000 else (12,)


def within(X, labels):
    return measure_fit(X, Partition.canonical(labels).labels).wss


def one_piece_each(labels, weights):
    """Number of pieces of all regions is that of regions."""
    return weights.within(np.asarray(labels)).n_components == len(np.unique(labels))


def test_skater_is_that_of_pygeoda(layer, geoda):
    found = ours_and_theirs(layer, geoda, lambda k: skater(layer.X, k, weights=layer.weights), "skater")
    for ours, theirs in found:
        assert same_groups(ours + 1, theirs)


@pytest.mark.parametrize("linkage", EXACT)
def test_schc_is_that_of_pygeoda(layer, geoda, linkage):
    def ours(k):
        return schc(layer.X, k, weights=layer.weights, linkage=linkage)

    for found, theirs in ours_and_theirs(layer, geoda, ours, "schc", linkage):
        assert same_groups(found + 1, theirs)


@pytest.mark.parametrize("linkage", LINKAGES)
def test_every_join_is_of_the_least_different_neighbours(small_layer, linkage):
    """By the table of all distances, counted anew for every pair of clusters, to the last join."""
    X, links, findings = small_layer.X, small_layer.weights, Findings()
    schc(X, 1 if links.n_components == 1 else 3, weights=links, linkage=linkage, findings=findings)
    table = cdist(X, X)
    members = {unit: [unit] for unit in range(len(X))}
    near = {unit: set() for unit in members}
    for unit, other in zip(links.row.tolist(), links.indices.tolist(), strict=True):
        near[unit].add(other)
        near[other].add(unit)
    heights = {
        (a, b): differs(X, table, members[a], members[b], linkage) for a in near for b in near[a] if a < b
    }
    for new, (one, other, height) in enumerate(findings.merges.tolist(), start=len(X)):
        pair = tuple(sorted((int(one), int(other))))
        assert heights[pair] == pytest.approx(min(heights.values()), rel=1e-9)
        assert height == pytest.approx(heights[pair], rel=1e-9)
        members[new] = members.pop(pair[0]) + members.pop(pair[1])
        near[new] = (near.pop(pair[0]) | near.pop(pair[1])) - {*pair}
        heights = {key: value for key, value in heights.items() if not {*key} & {*pair}}
        for unit in near[new]:
            near[unit] = (near[unit] - {*pair}) | {new}
            heights[unit, new] = differs(X, table, members[unit], members[new], linkage)


def differs(X, table, one, other, linkage):
    """How two clusters differ, from the distances of their units or, for Ward, from their means."""
    if linkage == "ward":
        gap = X[one].mean(axis=0) - X[other].mean(axis=0)
        return np.sqrt(2 * len(one) * len(other) / (len(one) + len(other)) * (gap @ gap))
    across = table[np.ix_(one, other)]
    return {"single": across.min, "complete": across.max, "average": across.mean}[linkage]()


@pytest.mark.parametrize(("order", "linkage"), REDCAP)
def test_redcap_is_that_of_pygeoda(layer, geoda, order, linkage):
    def ours(k):
        return redcap(layer.X, k, weights=layer.weights, order=order, linkage=linkage)

    for found, theirs in ours_and_theirs(layer, geoda, ours, "redcap", f"{order}order-{linkage}linkage"):
        assert same_groups(found + 1, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("function", ["azp_greedy", "azp_tabu", "azp_sa"])
def test_azp_fits_no_worse_than_pygeodas(small_layer, geoda, function):
    named = {"azp_greedy": (), "azp_tabu": (10,), "azp_sa": (0.85,)}[function]
    X, weights = small_layer.X, small_layer.weights
    found = ours_and_theirs(small_layer, geoda, lambda k: azp(X, k, weights=weights), function, *named)
    for ours, theirs in found:
        assert one_piece_each(ours, weights)
        assert len(np.unique(ours)) == len(np.unique(theirs))
        assert within(X, ours) <= within(X, theirs) * ROUNDING


@pytest.mark.slow
@pytest.mark.parametrize("share", [6, 12])
def test_maxp_finds_no_fewer_regions_than_pygeoda_and_spopt(small_layer, geoda, spopt, share):
    """And of as many, no worse ones."""
    X, weights, amount = small_layer.X, small_layer.weights, small_layer.amount
    least = amount.sum() / share
    ours = maxp(X, weights=weights, bounds=(Bound("amount", amount, lower=least),))
    assert one_piece_each(ours, weights)
    assert np.bincount(ours, amount).min() >= least * (1 - 1e-9)
    columns, held = [column.tolist() for column in X.T], amount.tolist()

    def there(library, opened):
        links = library.queen_weights(opened)
        return library.maxp_greedy(links, columns, held, least, scale_method="raw")["Clusters"]

    options = {"threshold": least, "max_iterations_construction": 5, "max_iterations_sa": 2}
    for theirs in (geoda(small_layer, there), spopt(small_layer, "MaxPHeuristic", amount, **options)):
        number = len(np.unique(theirs))
        assert ours.max() + 1 >= number
        if ours.max() + 1 == number:
            assert within(X, ours) <= within(X, np.asarray(theirs)) * ROUNDING


@pytest.mark.slow
def test_regions_of_spopt_are_no_better(small_layer, spopt):
    """Its SKATER cuts by sums of distances, not of squares: AZP, whose measure is squares, fits no worse."""
    X, weights = small_layer.X, small_layer.weights
    ours = within(X, azp(X, 5, weights=weights))
    for name, options in (("Skater", {}), ("AZP", {"random_state": 1})):
        theirs = spopt(small_layer, name, n_clusters=5, **options)
        assert one_piece_each(theirs, weights)
        assert ours <= within(X, theirs) * ROUNDING


@pytest.mark.parametrize("seed", range(3))
def test_measures_of_fragments_are_those_of_pygeoda(layer, geoda, seed):
    """Of clusters that lie anywhere, and joins of neighbours."""
    from regionalize.measure.fragmentation import measure_fragmentation

    labels = Partition.canonical(np.random.default_rng(seed).integers(0, 6, len(layer.X))).labels

    def there(library, opened):
        found = library.spatial_validation(opened, labels.tolist(), library.queen_weights(opened))
        whole, joins = found.fragmentation, found.all_joincount_ratio
        return whole.entropy, whole.std_entropy, whole.simpson, whole.std_simpson, joins.ratio

    found = measure_fragmentation(labels, layer.weights)
    ours = found.entropy, found.entropy_normalized, found.simpson, found.simpson_normalized
    assert (*ours, found.join_count_ratio) == pytest.approx(geoda(layer, there), rel=1e-9)
