"""Guerry's departments, whose measures pygeoda published, and small graphs."""

import csv

import numpy as np
import pytest

from regionalize.model.weights import Weights

GUERRY = ("Crm_prs", "Crm_prp", "Litercy", "Donatns", "Infants", "Suicids")


@pytest.fixture(scope="session")
def guerry(shared_data):
    import geopandas

    return geopandas.read_file(shared_data("guerry/Guerry.shp"))


@pytest.fixture(scope="session")
def guerry_z(guerry):
    values = guerry[list(GUERRY)].to_numpy(dtype=float)
    return (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)


@pytest.fixture(scope="session")
def guerry_queen(guerry):
    """Queen contiguity as libpysal finds it."""
    from libpysal.graph import Graph

    return Weights.from_graph(Graph.build_contiguity(guerry, rook=False), kind="queen")


@pytest.fixture(scope="session")
def path_of_four():
    return Weights(np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2]), np.ones(6), "example")


@pytest.fixture(scope="session")
def published(shared_data):
    """Return the rows of numbers published in print, as dictionaries."""
    with (shared_data("..") / "spec" / "published.csv").open(newline="") as file:
        return list(csv.DictReader(file))
