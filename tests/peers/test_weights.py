"""Neighbours, pair by pair, as pygeoda and libpysal have them."""

from __future__ import annotations

import libpysal.graph
import numpy as np
import pytest

from regionalize.features.centroids import centroids
from regionalize.model.layer import Layer
from regionalize.weights import build_weights


def ours(layer, spec):
    return build_weights(Layer.from_frame(layer.frame), spec)


def pairs(weights):
    return set(zip(weights.row.tolist(), weights.indices.tolist(), strict=True))


def pairs_of_graph(graph):
    return {(i, j) for (i, j), weight in graph.adjacency.items() if i != j}


def pairs_of_geoda(geoda, layer, work):
    """Directed links of the weights that `work(pygeoda, layer)` makes."""
    near = geoda(layer, lambda library, opened: neighbours(work(library, opened), len(layer.frame)))
    return {(unit, other) for unit, others in enumerate(near) for other in others}


def neighbours(weights, n):
    return [list(weights.get_neighbors(unit)) for unit in range(n)]


def flat(layer):
    if layer.frame.crs.is_geographic:
        pytest.skip("neighbours go by great circles here, and by degrees in the plane there")
    return layer


@pytest.mark.parametrize("kind", ["queen", "rook"])
def test_contiguity_is_that_of_pygeoda(layer, geoda, kind):
    theirs = pairs_of_geoda(geoda, layer, lambda library, opened: getattr(library, f"{kind}_weights")(opened))
    assert pairs(ours(layer, kind)) == theirs


@pytest.mark.parametrize("kind", ["queen", "rook"])
def test_contiguity_is_that_of_libpysal(small_layer, kind):
    """Real layers at large: tests/weights/test_contiguity.py."""
    graph = libpysal.graph.Graph.build_contiguity(
        small_layer.frame.reset_index(drop=True), rook=kind == "rook"
    )
    assert pairs(ours(small_layer, kind)) == pairs_of_graph(graph)


@pytest.mark.parametrize("k", [1, 4, 6])
def test_nearest_are_those_of_pygeoda_and_libpysal(layer, geoda, k):
    places = centroids(Layer.from_frame(flat(layer).frame))[0]
    found = pairs(ours(layer, f"knn:{k}"))
    assert found == pairs_of_graph(libpysal.graph.Graph.build_knn(places, k=k))
    assert found == pairs_of_geoda(geoda, layer, lambda library, opened: library.knn_weights(opened, k))


def test_bands_are_those_of_pygeoda_and_libpysal(layer, geoda):
    places = centroids(Layer.from_frame(flat(layer).frame))[0]
    reach = float(geoda(layer, lambda library, opened: library.min_distthreshold(opened))) * 1.1
    found = pairs(ours(layer, f"distance:{reach!r}"))
    assert found == pairs_of_graph(libpysal.graph.Graph.build_distance_band(places, reach))
    assert found == pairs_of_geoda(
        geoda, layer, lambda library, opened: library.distance_weights(opened, reach)
    )


@pytest.mark.parametrize("function", ["triangular", "uniform", "quadratic", "quartic", "gaussian"])
def test_kernels_have_the_neighbours_and_weights_of_libpysal(small_layer, function):
    places = centroids(Layer.from_frame(small_layer.frame))[0]
    theirs = libpysal.weights.Kernel(places, fixed=False, k=6, function=function).full()[0]
    np.fill_diagonal(theirs, 0)
    assert np.allclose(ours(small_layer, f"kernel:{function}:6").to_scipy().toarray(), theirs, atol=1e-9)
