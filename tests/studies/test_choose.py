"""Choosing k: against scikit-learn, single runs, made-up data whose k is known, and awkward layers."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import calinski_harabasz_score, silhouette_samples

import regionalize as rz
from regionalize.errors import DataError, InfeasibleError, UsageError
from regionalize.io.read import read_layer
from regionalize.model.layer import Layer
from regionalize.model.report import Silhouettes
from regionalize.run.options import make_job
from regionalize.run.solve import solve
from regionalize.studies import choose
from regionalize.studies.choose import choose_number
from regionalize.studies.grid import read_grid, read_numbers
from regionalize.studies.suggest import Candidate, find_elbow, suggest

VARIABLES = ["pct_rural", "pct_bach", "pct_pov", "pct_black"]


@pytest.fixture(scope="module")
def sample():
    return read_layer(None)


def points(values, **columns):
    """A layer of points on a line with columns a, b, …"""
    n = len(values)
    frame = geopandas.GeoDataFrame(
        {**{chr(97 + j): column for j, column in enumerate(np.atleast_2d(values.T))}, **columns},
        geometry=[shapely.Point(x, 0) for x in range(n)],
        crs=3857,
    )
    return Layer.from_frame(frame)


def blobs():
    """150 points in three Gaussian blobs."""
    rng = np.random.default_rng(12)
    return np.concatenate([rng.normal(center, 0.45, (50, 2)) for center in ((0, 0), (3, 0.5), (1, 3))])


def test_three_blobs_are_three_by_every_rule():
    found = choose_number(points(blobs()), "kmeans", "2-10", {"columns": ["a", "b"]})
    assert found.chosen.k == 3
    assert found.elbows == [3]
    assert max(found.candidates, key=lambda one: one.pseudo_f).k == 3
    assert found.reason.startswith("k = 3: the highest mean silhouette, 0.")
    assert found.reason.endswith("structure); the elbow and pseudo-F agree")
    for method in ("schc", "skater"):
        links = {"weights": "knn:20"}  # the line of points says nothing of the blobs: all may be joined
        assert choose_number(points(blobs()), method, "2-6", {"columns": "a,b", **links}).chosen.k == 3


def test_a_hierarchy_is_made_once_whatever_some_k_cannot_have(monkeypatch):
    from regionalize.methods import hierarchical, schc

    made = []
    for module, name in ((schc, "full_order"), (hierarchical, "join_all")):
        make = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *given, make=make, **own: made.append(1) or make(*given, **own)
        )
    squares = [shapely.box(x, 0, x + 1, 1) for x in (0, 1, 2, 10, 11, 20)]  # three components
    frame = geopandas.GeoDataFrame({"a": [0.0, 1, 5, 2, 9, 4]}, geometry=squares, crs=3857)
    layer = Layer.from_frame(frame)
    for method, possible in (("schc", {3, 4, 5, 6}), ("hierarchical", {1, 2, 3, 4, 5, 6})):
        made.clear()
        found = choose_number(layer, method, "1-8", {"columns": "a"})
        assert len(made) == 1
        assert {one.k for one in found.candidates if one.reason is None} == possible
        for one in found.candidates:
            job = make_job(method, {"columns": "a", "k": one.k})
            if one.reason is None:
                assert one.wss == pytest.approx(solve(layer, job).report.fit.wss, abs=1e-12)
            else:
                with pytest.raises((InfeasibleError, UsageError)) as refused:
                    solve(layer, job)
                assert one.reason == refused.value.reason


def test_notes_name_the_settings_they_are_of(sample):
    found = choose_number(sample, "kmeans", "2,3", {"columns": VARIABLES, "hops": "0-2", "alpha": 0.5})
    said = [note for note in found.notes if "smoothing over queen weights" in note]
    assert [note.partition(": ")[0] for note in said] == ["hops 1", "hops 2"]
    alone = choose_number(sample, "kmeans", "2,3", {"columns": VARIABLES, "hops": 2})
    assert [note for note in alone.notes if note.startswith("smoothing over")] == [said[1][len("hops 2: ") :]]


def test_where_there_is_no_structure_it_is_said():
    X = np.random.default_rng(3).normal(size=(400, 6))
    found = choose_number(points(X), "kmeans", range(2, 9), {})
    assert max(one.silhouette for one in found.candidates) < 0.25
    assert "(no substantial structure)" in found.reason
    assert found.reason.endswith("no number of clusters stands out, so let what the clusters are for decide")


def test_every_figure_is_that_of_scikit_learn_or_of_a_run_of_its_own(sample):
    found = choose_number(sample, "skater", "2-5", {"columns": VARIABLES})
    assert [one.k for one in found.candidates] == [2, 3, 4, 5]
    for one in found.candidates:
        alone = solve(sample, make_job("skater", {"columns": VARIABLES, "k": one.k}))
        Z, labels = alone.features.scaled, alone.partition.labels
        assert one.bss_tss == pytest.approx(alone.report.fit.ratio, rel=1e-12)
        assert one.wss == pytest.approx(alone.report.fit.wss, rel=1e-12)
        assert one.pseudo_f == pytest.approx(calinski_harabasz_score(Z, labels), rel=1e-9)
        each = silhouette_samples(Z, labels)
        assert one.silhouette == pytest.approx(each.mean(), abs=1e-9)
        assert one.silhouettes.negative == (each < 0).sum()
        means = [each[labels == label].mean() for label in range(1, one.k + 1)]
        assert one.silhouettes.by_cluster == pytest.approx(means, abs=1e-9)
        assert (one.subclusters, one.contiguous) == (one.k, True)
        assert one.join_count_ratio == alone.report.fragmentation.join_count_ratio
    ratios = [one.bss_tss for one in found.candidates]
    assert [one.gap for one in found.candidates[:-1]] == pytest.approx(np.diff(ratios))
    assert found.candidates[-1].gap is None
    assert found.tss == pytest.approx(len(VARIABLES) * (len(sample) - 1))


def test_k_means_over_a_range_is_as_good_as_one_by_one(sample):
    found = choose_number(sample, "kmeans", "1-9", {"columns": VARIABLES})
    for one in found.candidates:
        alone = solve(sample, make_job("kmeans", {"columns": VARIABLES, "k": one.k})).report
        assert one.wss <= alone.fit.wss * 1.005
    assert [one.wss for one in found.candidates] == sorted(
        (one.wss for one in found.candidates), reverse=True
    )
    assert found.candidates[0].silhouettes is None
    assert found.candidates[0].pseudo_f is None
    same = solve(sample, make_job("kmeans", {"columns": VARIABLES, "k": found.chosen.k})).report
    assert found.chosen.bss_tss == pytest.approx(same.fit.ratio, rel=1e-6)
    assert found.chosen.subclusters == same.fragmentation.subclusters


@pytest.mark.parametrize("method", ["schc", "schc:linkage=average", "kmeans:search=starts,n-init=5"])
def test_a_hierarchy_made_once_gives_what_each_cut_gives(sample, method, monkeypatch):
    calls = []
    answer = choose.answer
    monkeypatch.setattr(choose, "answer", lambda task, *rest: calls.append(task.job.k) or answer(task, *rest))
    found = choose_number(sample, method, "1-3,7", {"columns": VARIABLES})
    assert calls == ([7] if method.startswith("schc") else [1, 2, 3, 7])
    name, _, own = method.partition(":")
    params = {"linkage": "average"} if own.startswith("linkage") else {}
    params = {"search": "starts", "n_init": 5} if own.startswith("search") else params
    for one in found.candidates:
        alone = solve(sample, make_job(name, {"columns": VARIABLES, "k": one.k, **params})).report
        assert one.wss == pytest.approx(alone.fit.wss, rel=1e-12)
        assert one.subclusters == alone.fragmentation.subclusters


def test_what_some_k_cannot_have_is_the_reason_of_those(sample):
    found = choose_number(sample, "schc", "2,3,8", {"columns": VARIABLES, "min_size": 40})
    assert [one.reason is None for one in found.candidates] == [True, True, False]
    assert found.candidates[2].reason.startswith("8 clusters of at least 40 units need 320")
    for one in found.candidates[:2]:
        alone = solve(sample, make_job("schc", {"columns": VARIABLES, "k": one.k, "min_size": 40})).report
        assert one.wss == pytest.approx(alone.fit.wss, rel=1e-12)
    many = choose_number(sample, "kmeans", "2,159,160", {"columns": VARIABLES})
    assert [one.reason for one in many.candidates] == [
        None,
        None,
        "k is 160, but there are only 159 rows to group",
    ]
    assert many.candidates[0].gap == pytest.approx(1 - many.candidates[0].bss_tss)
    with pytest.raises(InfeasibleError, match="4 clusters of at least 60"):
        choose_number(sample, "kmeans", "4-6", {"columns": VARIABLES, "min_size": 60})


def test_fewer_regions_than_components_are_told_as_such():
    values = np.arange(6.0)[:, None]
    squares = [shapely.box(x, 0, x + 1, 1) for x in (0, 1, 2, 10, 11, 20)]
    layer = Layer.from_frame(geopandas.GeoDataFrame({"a": values[:, 0]}, geometry=squares, crs=3857))
    found = choose_number(layer, "schc", "2-5", {"columns": "a"})
    assert [one.reason is None for one in found.candidates] == [False, True, True, True]
    assert "3" in found.candidates[0].reason
    assert all(one.contiguous for one in found.candidates[1:])
    joined = choose_number(layer, "schc", "2-5", {"columns": "a", "islands": "nearest"})
    assert all(one.reason is None for one in joined.candidates)


def test_what_the_method_noticed_is_told_once():
    far = np.repeat([0.0, 10, 20, 30, 40, 50], 4) + np.tile([0.0, 0.1, 0.2, 0.3], 6)
    found = choose_number(points(far[:, None]), "spectral:neighbors=3", "2-4", {"columns": "a"})
    assert sum("pieces, more than k" in note for note in found.notes) == 1


def test_every_combination_of_the_grid_is_the_run_with_those_options(sample):
    options = {"columns": VARIABLES, "hops": "0,2", "alpha": [0.3, 0.7], "centroid_weight": [0, 0.4]}
    found = choose_number(sample, "kmeans", [3, 5], options)
    grids = [group[0].grid for group in found.by_settings]
    assert grids == [
        {"hops": 0, "centroid_weight": 0.0},
        {"hops": 0, "centroid_weight": 0.4},
        *({"hops": 2, "alpha": a, "centroid_weight": w} for a in (0.3, 0.7) for w in (0.0, 0.4)),
    ]
    for one in found.candidates:
        asked = {"columns": VARIABLES, "k": one.k, **one.grid}
        alone = solve(sample, make_job("kmeans", asked)).report
        fit = alone.fit_attributes or alone.fit
        assert one.bss_tss == pytest.approx(fit.ratio, abs=0.003)  # the search is another one
        assert one.coordinate_share == pytest.approx(alone.coordinate_share)
    best = max(found.candidates, key=lambda one: one.silhouette)
    assert found.chosen is best
    assert found.reason.startswith(f"k = {best.k} with hops 0, centroid-weight 0: ")
    assert "The fewest pieces at this k are" in found.reason


def test_pieces_are_fewer_and_coordinates_told_with_centroids(sample):
    plain = choose_number(sample, "kmeans", "4-12", {"columns": VARIABLES})
    pulled = choose_number(sample, "kmeans", "4-12", {"columns": VARIABLES, "with_centroids": True})
    share = 2 / (len(VARIABLES) + 2)
    assert [one.coordinate_share for one in pulled.candidates] == pytest.approx([share] * 9)
    assert sum(one.subclusters for one in pulled.candidates) < sum(
        one.subclusters for one in plain.candidates
    )


def test_the_weight_that_auto_finds_is_told(sample, monkeypatch):
    from regionalize.run import centroid_weight

    monkeypatch.setattr(centroid_weight, "WEIGHTS", (0.25, 0.5, 0.75, 0.9))  # all hundredths take long
    found = choose_number(sample, "kmeans", [3], {"columns": VARIABLES, "centroid_weight": "auto,0"})
    alone = solve(
        sample, make_job("kmeans", {"columns": VARIABLES, "centroid_weight": "auto", "k": 3})
    ).report
    one = found.candidates[0]
    assert one.grid == {"centroid_weight": "auto"}
    assert one.coordinate_share == pytest.approx(alone.extra["centroid_weight"])
    assert one.bss_tss == pytest.approx(alone.fit.ratio)
    assert one.contiguous


def test_neighbours_are_found_once_and_the_layer_is_read_once(monkeypatch, tmp_path):
    from regionalize.io import read
    from regionalize.studies.choose_files import choose_number_of_file
    from regionalize.weights import build

    counts = {"layer": 0, "weights": 0}

    def counting(name, function):
        def call(*args, **kwargs):
            counts[name] += 1
            return function(*args, **kwargs)

        return call

    monkeypatch.setattr(read, "read_layer", counting("layer", read.read_layer))
    monkeypatch.setattr(build, "build_weights", counting("weights", build.build_weights))
    options = {"columns": "pct_rural,pct_pov", "hops": "0,1,2", "centroid_weight": "0,.5"}
    choose_number_of_file(None, "kmeans", "2-4", options, report=tmp_path / "r.csv")
    assert counts == {"layer": 1, "weights": 1}
    assert len(pd.read_csv(tmp_path / "r.csv")) == 18


def test_same_seed_same_figures_on_any_number_of_threads(sample):
    first, again = (
        choose_number(sample, "kmeans", "2-8", {"columns": VARIABLES, "seed": 5, "jobs": jobs})
        for jobs in (1, 3)
    )
    assert first.candidates == again.candidates


def test_a_sample_of_silhouettes_is_told(sample, monkeypatch):
    from functools import partial

    from regionalize.measure import silhouette

    monkeypatch.setattr(silhouette, "measure_silhouettes", partial(silhouette.measure_silhouettes, limit=60))
    found = choose_number(sample, "kmeans", "2-4", {"columns": VARIABLES})
    assert "silhouettes are of a random sample of 60 of 159 units" in found.notes
    assert all(one.silhouettes.units == 60 for one in found.candidates)


def test_made_contiguous_regions_are_measured_as_they_are(sample):
    found = choose_number(sample, "kmeans", "3,4", {"columns": VARIABLES, "make_contiguous": True})
    assert [(one.subclusters, one.contiguous) for one in found.candidates] == [(3, True), (4, True)]


@pytest.mark.parametrize("method", ["kmeans", "schc"])
@pytest.mark.parametrize(
    "values",
    [np.array([[1.0], [1], [3], [3]]), np.array([[1.0, 5], [1, 7], [1, 5], [1, 7]])],
    ids=["repeated rows", "constant column"],
)
def test_fewer_kinds_of_rows_than_clusters(values, method):
    options = {"transform": "raw", "columns": ["a", "b"][: values.shape[1]], "weights": "knn:2"}
    found = choose_number(points(values), method, "1-5", options)
    most = 2 if method == "kmeans" else 4  # contiguous regions may be alike
    assert [one.k for one in found.candidates if one.reason is None] == list(range(1, most + 1))
    assert found.chosen.k == 2 or (method == "schc" and found.chosen.k < 4)
    if method == "kmeans":
        assert (found.chosen.silhouette, found.chosen.bss_tss, found.chosen.pseudo_f) == (1, 1, None)


@pytest.mark.parametrize("values", [np.zeros((4, 1)), np.ones((1, 1))], ids=["equal rows", "one row"])
def test_nothing_to_cluster_is_said_as_ever(values):
    with pytest.raises(DataError, match=r"every column is constant|at least 2"):
        choose_number(points(values), "kmeans", "1-3", {"columns": "a", "weights": "distance:1"})


def test_a_table_without_geometry_has_no_pieces(sample):
    frame = pd.DataFrame({"a": blobs()[:, 0], "b": blobs()[:, 1]})
    found = rz.choose_k(frame, k=[2, 3, 4])
    assert found.suggestion == {"k": 3}
    assert found.table.subclusters.isna().all()
    with pytest.raises(DataError, match="no geometry"):
        rz.choose_k(frame, "schc", k=[2, 3])


def test_rows_left_out_take_no_part():
    X = blobs()
    X[:7, 0] = np.nan
    found = choose_number(points(X), "kmeans", "2-4", {"missing": "drop", "columns": "a,b"})
    assert found.rows_used == 143
    assert found.chosen.k == 3
    assert sum(found.chosen.silhouettes.negative_by_cluster) == found.chosen.silhouettes.negative


@pytest.mark.parametrize(
    ("method", "options", "says"),
    [
        ("maxp", {"min_size": 5}, "maxp finds the number of clusters itself"),
        ("kmeans:k=4", {}, "k is what is to be chosen"),
        ("kmean", {}, "did you mean 'kmeans'"),
        ("kmeans:serach=swap", {}, "did you mean 'search'"),
        ("kmeans", {"colums": "a"}, "unknown option 'colums'; did you mean 'columns'"),
        ("kmeans", {"within": "state"}, "--within is for methods that make contiguous regions"),
        ("skater", {"make_contiguous": True}, "contiguous anyhow"),
        ("kmeans", {"k": 4}, "k is what is to be chosen"),
        ("kmeans", {"hops": "2-1"}, "its end is below its beginning"),
        ("kmeans", {"hops": "one"}, "--hops holds 'one'"),
        ("kmeans", {"hops": "0-999999999"}, "these are more than 10,000 numbers"),
        ("kmeans", {"alpha": ".3,x", "hops": 1}, "--alpha is .3, x"),
        ("kmeans", {"alpha": "2", "hops": 1}, "--alpha is 2.0; it must be from 0 to 1"),
        ("kmeans", {"centroid_weight": ",", "hops": 1}, "--centroid-weight is empty"),
    ],
)
def test_what_cannot_be_meant_is_refused(sample, method, options, says):
    with pytest.raises(UsageError) as refusal:
        choose_number(sample, method, "2-4", options)
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    "ks", ["", "2-", "0-3", "5-2", "a", "2-3-4", [], [0], [2.5], "1e3", None, "2-999999999"]
)
def test_numbers_that_are_none_are_refused(ks):
    with pytest.raises(UsageError, match="--k "):
        read_numbers(ks)


@given(st.sets(st.integers(1, 60), min_size=1))
def test_numbers_are_read_however_they_are_written(ks):
    expected = tuple(sorted(ks))
    assert (
        read_numbers(ks)
        == read_numbers(",".join(map(str, ks)))
        == read_numbers(np.array(sorted(ks)))
        == expected
    )
    low, high = expected[0], expected[-1]
    assert read_numbers(f"{low}-{high}") == read_numbers(range(low, high + 1)) == tuple(range(low, high + 1))


def test_one_value_is_no_grid_and_ranges_of_hops_are():
    ((job, grid),) = read_grid("kmeans", {"hops": 1, "alpha": 0.3, "centroid_weight": "0.25"})
    assert (grid, job.hops, job.alpha, job.centroid_weight) == ({}, 1, 0.3, 0.25)
    assert [grid for _, grid in read_grid("kmeans", {"hops": "0-2,5"})] == [{"hops": h} for h in (0, 1, 2, 5)]
    assert [grid for _, grid in read_grid("schc:linkage=single", {})] == [{}]


@given(st.lists(st.floats(0.1, 100), min_size=3, max_size=12), st.integers(1, 4), st.integers(0, 99))
@settings(max_examples=100)
def test_the_elbow_is_the_point_farthest_from_the_chord(drops, first, seed):
    """Against distances at right angles to the chord, in the unit square."""
    gaps = np.random.default_rng(seed).integers(1, 4, size=len(drops) - 1)
    ks = first + np.r_[0, np.cumsum(gaps)]
    sums = np.cumsum(drops[::-1])[::-1]
    tss = float(sums[0] + drops[0])
    elbow = find_elbow(dict(zip(ks.tolist(), sums.tolist(), strict=True)), tss)
    if first == 2:
        ks, sums = np.r_[1, ks], np.r_[tss, sums]
    x = (ks - ks[0]) / (ks[-1] - ks[0])
    y = (sums - sums[-1]) / (sums[0] - sums[-1])
    below = (1 - x - y) / np.sqrt(2)
    if elbow is None:
        assert below.max() <= 1e-8
    else:
        assert below[ks == elbow][0] >= below.max() - 1e-8
        assert below[ks == elbow][0] > 0
        assert elbow in ks[1:-1]


def tried(k, mean, **more):
    silhouettes = None if mean is None else Silhouettes(mean, (mean,) * k, 0, (0,) * k, 9, False)
    return Candidate(k, **{"wss": 10.0 / k, "bss_tss": 1 - 1 / k, "silhouettes": silhouettes, **more})


def test_ties_go_to_the_smaller_k_and_failures_are_passed_over():
    found = [tried(2, 0.5), Candidate(3, reason="no"), tried(4, 0.6), tried(5, 0.6 + 1e-13)]
    assert suggest(found, 10.0)[0].k == 4
    grid = [tried(4, 0.6, grid={"hops": 0}), tried(3, 0.6, grid={"hops": 1})]
    assert suggest(grid, 10.0)[0].grid == {"hops": 1}


@pytest.mark.parametrize(
    ("mean", "words"),
    [(0.71, "strong"), (0.7049, "reasonable"), (0.51, "reasonable"), (0.5, "weak"), (0.26, "weak")],
)
def test_structure_goes_by_kaufman_and_rousseeuw(mean, words):
    assert f"(a {words} structure)" in suggest([tried(2, mean)], 10.0)[1]
    assert "no number" not in suggest([tried(2, mean)], 10.0)[1]
    assert "(no substantial structure)" in suggest([tried(2, 0.25)], 10.0)[1]


def test_without_silhouettes_the_elbow_is_suggested_or_the_smallest():
    wss = {3: 100.0, 4: 20.0, 5: 15.0, 6: 10.0}
    found = [tried(k, None, wss=value) for k, value in wss.items()]
    assert suggest(found, 200.0) == (found[1], suggest(found, 200.0)[1])
    assert suggest(found, 200.0)[1].startswith("k = 4: the elbow")
    assert suggest(found[:1], 200.0)[1].startswith("k = 3: the smallest number")


def test_python_finds_what_the_shell_finds_and_hands_it_on(tmp_path):
    from regionalize.io.sample import sample_path

    counties = geopandas.read_file(sample_path()).set_index("fips")
    found = rz.choose_k(counties, "schc", k=range(2, 6), columns=VARIABLES, hops=[0, 1], linkage="average")
    assert list(found.table.k) == [2, 3, 4, 5] * 2
    assert list(found.table.hops) == [0] * 4 + [1] * 4
    chosen = found.table[found.table.suggested]
    assert len(chosen) == 1
    assert {"k": chosen.k.item(), "hops": chosen.hops.item()} == found.suggestion
    alone = rz.regionalize(counties, "schc", columns=VARIABLES, linkage="average", **found.suggestion)
    assert (alone.report.fit_attributes or alone.report.fit).ratio == pytest.approx(
        chosen.bss_tss_attributes.item()
    )
    assert found.reason == found.numbers.reason
    assert found.plot()[:8] == b"\x89PNG\r\n\x1a\n"
    assert found.plot(tmp_path / "k.svg").read_text().startswith("<?xml")
    with pytest.raises(UsageError, match=r"cannot be written as '\.gif'"):
        found.plot(tmp_path / "k.gif")
    weights = alone.weights
    named = rz.choose_k(counties, "skater", k=[3], columns=VARIABLES, weights=weights)
    assert named.table.contiguous.item()
    with pytest.raises(UsageError, match="not a GeoDataFrame"):
        rz.choose_k([1, 2], k=[2])
