"""Spectral clustering: by its definition with all eigenvectors, by scikit-learn, and of graphs in pieces."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import SpectralClustering

from regionalize.errors import InfeasibleError, UsageError
from regionalize.features.centroids import centroids
from regionalize.io.read import read_layer
from regionalize.kernels.components import connected_components
from regionalize.measure.fit import measure_fit
from regionalize.methods import affinity as affinity_module
from regionalize.methods import spectral as spectral_module
from regionalize.methods.affinity import default_neighbors, gaussian_affinity, neighbor_affinity
from regionalize.methods.kmeans import kmeans
from regionalize.methods.spectral import embedded, spectral
from regionalize.model.bounds import Bound
from regionalize.model.findings import Findings
from regionalize.model.partition import Partition


def distances(X):
    return np.sqrt(((X[:, None] - X[None]) ** 2).sum(axis=2))


def blobs(seed, k=3, n=40):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(5 * np.array([i, i % 2]), 1, (n, 2)) for i in range(k)])


def squares(seed):
    """Three filled squares in a row, with narrow gaps."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.uniform(-1, 1, (40, 2)) + np.array([2.3 * i, i % 2]) for i in range(3)])


def spirals(n=300):
    """Two arms that wind about each other."""
    turn = np.sqrt(np.linspace(0.1, 1, n // 2)) * 3 * np.pi
    arm = np.column_stack([turn * np.cos(turn), turn * np.sin(turn)])
    return np.concatenate([arm, -arm])


def alike(one, other):
    return np.array_equal(Partition.canonical(one).labels, Partition.canonical(other).labels)


def table(X, m, mutual):
    """Affinities of the m nearest by sorting all distances."""
    near = np.argsort(distances(X), axis=1, kind="stable")[:, :m]
    directed = np.zeros((len(X),) * 2)
    np.put_along_axis(directed, near, 1, axis=1)
    return np.minimum(directed, directed.T) if mutual else (directed + directed.T) / 2


def textbook(A, k, seed=1):
    """Von Luxburg's recipe with all eigenvectors at once."""
    degree = A.sum(axis=1)
    laplacian = np.eye(len(A)) - A / np.sqrt(np.outer(degree, degree))
    return kmeans(np.linalg.eigh(laplacian)[1][:, :k] / np.sqrt(degree)[:, None], k, seed=seed)


def spread(embedding):
    """Distances of all rows, which no choice of eigenvectors of one eigenvalue changes."""
    return distances(embedding)


class TestAffinity:
    @given(st.integers(0, 1000), st.integers(2, 11), st.booleans())
    def test_nearest_are_those_of_all_distances(self, seed, m, mutual):
        X = np.random.default_rng(seed).normal(size=(12, 2))
        assert np.array_equal(neighbor_affinity(X, m, mutual=mutual).toarray(), table(X, m, mutual))

    def test_a_row_is_among_its_own_nearest_even_where_many_are_equal(self):
        A = neighbor_affinity(np.zeros((30, 2)), 3).toarray()
        assert (np.diag(A) == 1).all()
        assert np.array_equal(A, A.T)

    def test_gaussian_is_that_of_the_formula(self):
        X = blobs(0)[:20]
        assert gaussian_affinity(X, 0.7) == pytest.approx(np.exp(-(distances(X) ** 2) / (2 * 0.49)))
        assert gaussian_affinity(X) == pytest.approx(gaussian_affinity(X, np.sqrt(1 / 2)))

    def test_default_is_that_of_geoda(self):
        assert [default_neighbors(n) for n in (100, 101, 300, 1000, 1001)] == [2, 3, 3, 3, 4]

    def test_a_table_too_large_is_refused_before_it_is_made(self, monkeypatch):
        monkeypatch.setattr(affinity_module, "available_memory", lambda: 2 * 8 * 120**2 - 1)
        with pytest.raises(InfeasibleError, match="affinities of all pairs of 120 units"):
            spectral(blobs(0), 3, affinity="gaussian")

    def test_what_cannot_be_meant_is_refused(self):
        X = blobs(0)
        for m in (1, 120, 121):
            with pytest.raises(UsageError, match="--neighbors is"):
                spectral(X, 3, neighbors=m)
        for sigma in (0.0, -1.0, np.nan):
            with pytest.raises(UsageError, match="--sigma is"):
                spectral(X, 3, affinity="gaussian", sigma=sigma)
        with pytest.raises(UsageError, match="cannot be held within bounds"):
            spectral(X, 3, bounds=(Bound("units", np.ones(120), lower=3.0),))

    def test_two_units_have_each_other_and_nothing_else(self):
        assert sorted(spectral(np.array([[0.0], [1.0]]), 2).tolist()) == [0, 1]
        assert len(set(spectral(np.array([[0.0], [1.0], [5.0]]), 2).tolist())) == 2


class TestEmbedding:
    @pytest.mark.parametrize("dense", [400, 10])
    @pytest.mark.parametrize("restarts", [40, 1])
    @pytest.mark.parametrize("m", [4, 8])
    def test_every_way_finds_the_eigenvectors(self, monkeypatch, dense, restarts, m):
        """All at once, by Lanczos, and by inversion where Lanczos is cut short; in one piece or several."""
        monkeypatch.setattr(spectral_module, "DENSE", dense)
        monkeypatch.setattr(spectral_module, "RESTARTS", restarts)
        X = blobs(3, n=60)
        A = neighbor_affinity(X, m)
        component = connected_components(A.indptr.astype(np.int64), A.indices.astype(np.int64))
        k = 6
        assert component.max() < k
        degree = A.toarray().sum(axis=1)
        normal = A.toarray() / np.sqrt(np.outer(degree, degree))
        values, vectors = scipy.linalg.eigh(normal)
        assert values[-k] - values[-k - 1] > 1e-5  # else the last of them is not determined
        expected = vectors[:, -k:] / np.sqrt(degree)[:, None]
        assert spread(embedded(A, component, k)) == pytest.approx(spread(expected), abs=1e-6)

    def test_pieces_are_told_apart_exactly(self):
        X = np.concatenate([blobs(0), blobs(1) + 1000])
        A = neighbor_affinity(X, 10)
        component = connected_components(A.indptr.astype(np.int64), A.indices.astype(np.int64))
        pieces = component.max() + 1
        places = embedded(A, component, pieces)
        assert len(np.unique(places, axis=0)) == pieces


class TestSpectral:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("mutual", [False, True])
    @pytest.mark.filterwarnings("ignore:Graph is not fully connected")  # scikit-learn says so of one of them
    def test_it_is_the_textbooks(self, seed, mutual):
        X = squares(seed)
        labels = spectral(X, 3, affinity="mutual-knn" if mutual else "knn", neighbors=10)
        assert alike(labels, textbook(table(X, 10, mutual), 3))
        peer = SpectralClustering(3, affinity="precomputed", random_state=0, assign_labels="kmeans")
        assert alike(labels, peer.fit(table(X, 10, mutual)).labels_)

    @pytest.mark.parametrize("seed", range(4))
    def test_gaussian_is_the_textbooks(self, seed):
        X = blobs(seed)
        labels = spectral(X, 3, affinity="gaussian", sigma=1.0)
        assert alike(labels, textbook(np.exp(-(distances(X) ** 2) / 2), 3))

    def test_spirals_come_apart(self):
        """Published: 300 points of two spirals, 3 neighbours, k = 2: BSS/TSS 0.04."""
        X = spirals()
        labels = spectral(X, 2, neighbors=3)
        truth = np.repeat([0, 1], 150)
        assert alike(labels, truth)
        assert measure_fit(X, labels + 1).ratio < 0.1
        assert not alike(kmeans(X, 2), truth)

    def test_places_of_ceara_fit_as_well_as_published(self, shared_data):
        """By GeoDa, 12 clusters of 184 raw centroids and 8 neighbours: BSS/TSS 0.929."""
        layer = read_layer(str(shared_data("brazil/municipalities.gpkg")), where="ufn = 'Ceará'")
        X = centroids(layer)[0]
        assert measure_fit(X, spectral(X, 12, neighbors=8) + 1).ratio == pytest.approx(0.929, abs=0.015)

    def test_more_pieces_than_clusters_stay_whole_and_it_is_said(self):
        rng = np.random.default_rng(0)
        centers = np.array([[0, 0], [1, 0], [20, 0], [21, 0], [0, 30]])
        X = np.concatenate([rng.normal(center, 0.01, (10, 2)) for center in centers])
        findings = Findings()
        labels = spectral(X, 3, neighbors=10, findings=findings)
        assert alike(labels, np.repeat([0, 0, 1, 1, 2], 10))
        assert "leave 5 pieces, more than k" in findings.notes[0]

    def test_as_many_pieces_as_clusters_are_the_clusters(self):
        X = np.concatenate([blobs(0, k=1), blobs(1, k=1, n=7) + 500, blobs(2, k=1, n=90) - 500])
        findings = Findings()
        labels = spectral(X, 3, neighbors=7, findings=findings)
        assert alike(labels, np.repeat([0, 1, 2], [40, 7, 90]))
        assert not findings.notes

    def test_same_bytes_whatever_the_threads(self):
        X = np.random.default_rng(5).normal(size=(900, 2))
        first = spectral(X, 8, neighbors=8, seed=3, jobs=1)
        assert first.tobytes() == spectral(X, 8, neighbors=8, seed=3, jobs=3).tobytes()
        assert len(np.unique(first)) == 8

    @pytest.mark.parametrize("affinity", ["knn", "mutual-knn", "gaussian"])
    def test_limits(self, affinity):
        X = blobs(0)[:6]
        for k in (1, 6):
            assert np.unique(spectral(X, k, affinity=affinity)).tolist() == [*range(k)]
        assert spectral(X[:1], 1, affinity=affinity).tolist() == [0]
        with pytest.raises(InfeasibleError, match="only 2 distinct"):
            spectral(np.repeat([[0.0], [1.0]], 5, axis=0), 3, affinity=affinity)
