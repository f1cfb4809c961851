"""spectral at the shell: options, weights of centroids, contiguous clusters, a published run."""

from __future__ import annotations

import json

import numpy as np
import pytest


def test_report_map_and_outputs_are_those_of_other_methods(squares, cli, read, tmp_path):
    out, drawn, centers = tmp_path / "out.gpkg", tmp_path / "map.svg", tmp_path / "centers.csv"
    options = ("--columns", "a,b", "--neighbors", 8, "-o", out, "--map", drawn, "--centers", centers)
    found = cli("spectral", squares, "--k", 3, *options)
    assert found.code == 0, found.err
    assert sorted(read(out)["cluster"].unique()) == [1, 2, 3]
    assert "neighbors 8" in found.out
    assert drawn.stat().st_size
    assert len(centers.read_text().splitlines()) == 4


def test_centroids_draw_clusters_together(squares, cli):
    def pieces(weight):
        options = ("--columns", "a,b", "--neighbors", 6, "--centroid-weight", weight, "--json")
        found = cli("spectral", squares, "--k", 4, *options)
        assert found.code == 0, found.err
        return json.loads(found.out)["fragmentation"]["subclusters"]

    assert pieces(1) == 4 < pieces(0)


def test_the_least_weight_of_centroids_is_looked_for(squares, cli):
    options = ("--columns", "a,b", "--neighbors", 6, "--centroid-weight", "auto", "--json")
    found = cli("spectral", squares, "--k", 3, *options)
    assert found.code == 0, found.err
    report = json.loads(found.out)
    assert report["fragmentation"]["contiguous"]
    assert 0 < report["extra"]["centroid_weight"] <= 1


@pytest.mark.parametrize("affinity", ["knn", "mutual-knn", "gaussian"])
def test_clusters_can_be_made_contiguous_afterwards(affinity, squares, cli):
    options = ("--columns", "a,b", "--affinity", affinity, "--make-contiguous", "--json")
    found = cli("spectral", squares, "--k", 4, *options)
    assert found.code == 0, found.err
    assert json.loads(found.out)["fragmentation"]["contiguous"]


def test_pieces_are_noted_and_options_without_effect(squares, cli):
    found = cli("spectral", squares, "--k", 2, "--columns", "a,b", "--neighbors", 2, "--sigma", 1)
    assert any("pieces, more than k" in note for note in found.notes)
    assert "note: --sigma has no effect: it belongs to --affinity gaussian" in found.notes
    found = cli("spectral", squares, "--k", 2, "--columns", "a,b", "--affinity", "gaussian", "--neighbors", 4)
    assert "note: --neighbors has no effect: it belongs to --affinity knn and mutual-knn" in found.notes


def test_a_gaussian_too_narrow_to_tell_units_apart_is_noted(squares, cli):
    options = ("--k", 2, "--columns", "a,b", "--affinity", "gaussian")
    narrow = cli("spectral", squares, *options, "--sigma", 1e-3)
    assert narrow.code == 0, narrow.err
    assert any("25 units are like no other" in note for note in narrow.notes)
    assert not any("like no other" in note for note in cli("spectral", squares, *options, "--sigma", 1).notes)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--neighbors", 1), "--neighbors is 1"),
        (("--neighbors", 25), "every two are equally alike"),
        (("--neighbors", 26), "--neighbors is 26"),
        (("--sigma", 0), "--sigma is 0"),
        (("--affinity", "nearest"), "--affinity is 'nearest'"),
        (("--min-size", 3), "--min-size: spectral can keep no bounds; use kmeans"),
        (("--k", 26), "k is 26"),
    ],
)
def test_refusals(given, says, squares, refused):
    k = () if "--k" in given else ("--k", 3)
    refused("spectral", squares, *k, "--columns", "a,b", *given, code=2, says=says)


def test_places_of_ceara(shared_data, cli):
    """Published (GeoDa): 12 clusters of the 184 municipalities by raw coordinates, 8 neighbours: 0.929."""
    options = ("--where", "ufn = 'Ceará'", "--columns", "gini", "--centroid-weight", 1, "--transform", "raw")
    found = cli(
        "spectral", shared_data("brazil/municipalities.gpkg"), "--k", 12, "--neighbors", 8, *options, "--json"
    )
    assert found.code == 0, found.err
    report = json.loads(found.out)
    assert np.sum(report["sizes"]) == 184
    assert report["fragmentation"]["contiguous"]
