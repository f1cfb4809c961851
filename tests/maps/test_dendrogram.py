"""What a dendrogram shows, and that it cuts the hierarchy where the labels do."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.cluster.hierarchy import dendrogram, fcluster, linkage
from scipy.spatial.distance import pdist

from regionalize.errors import DataError, UsageError
from regionalize.maps.colors import cluster_color
from regionalize.maps.plots.branches import LEAVES, MOST_LEAVES, select_branches
from regionalize.maps.plots.dendrogram import PLOT_WIDTH, draw_dendrogram
from regionalize.methods.schc import schc
from regionalize.model.findings import Findings
from regionalize.model.partition import Partition
from regionalize.model.weights import Weights

SVG = "{http://www.w3.org/2000/svg}"


def hierarchy(rows, columns, linkage="ward", share=1.0, seed=0):
    """Return the merges of a grid with some links taken away, values, and weights."""
    rng = np.random.default_rng(seed)
    cell = np.arange(rows * columns).reshape(rows, columns)
    first = np.concatenate([cell[:, :-1].ravel(), cell[:-1].ravel()])
    second = np.concatenate([cell[:, 1:].ravel(), cell[1:].ravel()])
    kept = rng.random(len(first)) < share
    weights = Weights.from_links(cell.size, first[kept], second[kept], kind="grid")
    X = rng.normal(size=(cell.size, 2))
    findings = Findings()
    schc(X, cell.size, weights=weights, linkage=linkage, findings=findings)
    return findings.merges, X, weights


def crossing(branches, height):
    """Count the branches at a height: those that begin at or below it, and meet another above."""
    ends = [(join.low_height, join.height) for join in branches.joins]
    ends += [(join.high_height, join.height) for join in branches.joins]
    return sum(begin <= height < end for begin, end in ends)


@given(
    size=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    linkage=st.sampled_from(["ward", "single", "average"]),
    share=st.sampled_from([1.0, 0.8, 0.5]),
    seed=st.integers(0, 500),
    k=st.integers(1, 36),
)
@settings(max_examples=80)
def test_the_cut_leaves_the_clusters_of_the_map(size, linkage, share, seed, k):
    merges, X, weights = hierarchy(*size, linkage, share, seed)
    n = len(X)
    k = min(max(k, weights.n_components), n)
    if not len(merges):
        return
    branches = select_branches(merges, n, k)
    labels = Partition.canonical(schc(X, k, weights=weights, linkage=linkage)).labels
    assert sorted(leaf.node for leaf in branches.leaves) == list(range(n))  # small: nothing is drawn together
    assert all(leaf.cluster == labels[leaf.node] for leaf in branches.leaves)
    assert branches.sizes == np.bincount(labels)[1:].tolist()
    order = [leaf.cluster for leaf in branches.leaves]
    assert len([1 for one, other in zip(order, [0, *order], strict=False) if one != other]) == k
    heights = [join.height for join in branches.joins]
    assert heights == sorted(set(heights))
    assert branches.cut not in heights
    assert sum(height < branches.cut for height in heights) == n - k
    assert sorted(stem.cluster for stem in branches.stems) == list(range(1, k + 1))
    whole = [
        (labels == label).sum() == (weights.component == weights.component[unit]).sum()
        for label, unit in zip(*np.unique(labels, return_index=True), strict=True)
    ]
    if k > weights.n_components:  # clusters that are components meet no other
        assert crossing(branches, branches.cut) + sum(whole) == k
    assert all(max(join.low_height, join.high_height) < join.height for join in branches.joins)


def test_rising_heights_are_drawn_as_they_are_and_others_just_above_those_before():
    merges = np.array([[0.0, 1, 2.0], [2, 3, 4.0], [4, 5, 10.0]])
    branches = select_branches(merges, 4, 2)
    assert [join.height for join in branches.joins] == [2, 4, 10]
    assert (branches.cut, branches.falling) == (7, 0)
    merges[1, 2] = 1.0
    branches = select_branches(merges, 4, 2)
    low, middle, high = (join.height for join in branches.joins)
    assert (low, high) == (2, 10)
    assert low < middle < 2.1
    assert branches.falling == 1


@pytest.mark.parametrize("shape", [1.0, 4.0])
def test_many_joins_close_together_are_drawn_at_their_heights(shape):
    """Joins closer than the eye can tell do not lift those above them."""
    height = np.sort(np.random.default_rng(0).random(2999) ** shape)
    height[1500] = height[1499]  # one tie
    nodes = [[0, 1], *([3000 + join, join + 2] for join in range(2998))]
    branches = select_branches(np.column_stack([nodes, height]), 3000, 12, most=200)
    drawn = np.array([join.height for join in branches.joins])
    assert len(drawn) == 199
    assert np.abs(drawn - height[-199:]).max() < 0.004


def test_equal_joins_do_not_stretch_the_axis():
    nodes = [[0, 1], *([100 + join, join + 2] for join in range(98))]
    branches = select_branches(np.column_stack([nodes, np.ones(99)]), 100, 5)
    assert max(join.height for join in branches.joins) <= 1.04


def test_a_large_hierarchy_is_drawn_from_its_last_joins():
    merges, _, _ = hierarchy(20, 20)
    branches = select_branches(merges, 400, 5)
    assert len(branches.leaves) == LEAVES
    assert sum(leaf.units for leaf in branches.leaves) == 400
    assert all(leaf.height > 0 for leaf in branches.leaves if leaf.units > 1)
    assert len(select_branches(merges, 400, 70).leaves) == 70
    many = select_branches(merges, 400, 300)
    assert (len(many.leaves), many.cut, many.stems) == (MOST_LEAVES, None, [])


def test_components_are_trees_apart_and_the_smallest_left_out():
    merges, _, weights = hierarchy(30, 30, share=0.35)
    components = weights.n_components
    assert components > MOST_LEAVES
    branches = select_branches(merges, 900, components)
    assert len(branches.leaves) == MOST_LEAVES
    assert branches.left_out == components - MOST_LEAVES
    largest = np.sort(np.bincount(weights.component))[::-1][:MOST_LEAVES]
    assert sorted((leaf.units for leaf in branches.leaves), reverse=True) == largest.tolist()


class Picture:
    """A dendrogram read back from SVG."""

    def __init__(self, merges, units, k, **options):
        raw, self.notes = drawn(merges, units, k, "svg", **options)
        root = ET.fromstring(raw)
        self.groups = {g.get("id"): g for g in root.iter(f"{SVG}g") if g.get("id")}
        self.texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
        self.size = [float(value) for value in root.get("viewBox").split()[2:]]

    def points(self, name):
        path = next(self.groups[name].iter(f"{SVG}path")).get("d")
        return np.array(re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", path), dtype=float)

    def style(self, name):
        return next(self.groups[name].iter(f"{SVG}path")).get("style")


def drawn(merges, units, k, file_format, title="SCHC, k = 3", footer="from a.gpkg", **options):
    file = io.BytesIO()
    notes = draw_dendrogram(
        merges, file, file_format=file_format, units=units, k=k, title=title, footer=footer, **options
    )
    return file.getvalue(), notes


def test_what_is_on_the_page():
    merges, _, _ = hierarchy(3, 4, "complete")
    picture = Picture(merges, 12, 3)
    assert picture.texts[:2] == ["SCHC, k = 3", "from a.gpkg"]
    assert {f"no. {unit}" for unit in range(1, 13)} < set(picture.texts)
    assert {"1", "2", "3", "difference of the clusters joined", "0"} < set(picture.texts)
    for cluster in (1, 2, 3):
        assert f"stroke: {cluster_color(cluster)}" in picture.style(f"cluster-{cluster}")
        assert f"fill: {cluster_color(cluster)}" in picture.style(f"bar-cluster-{cluster}")
    cut = picture.points("cut")[0, 0]
    assert picture.points("above-the-cut")[:, 0].min() == pytest.approx(cut, abs=0.01)
    assert max(picture.points(f"cluster-{one}")[:, 0].max() for one in (1, 2, 3)) == pytest.approx(
        cut, abs=0.01
    )
    everything = np.concatenate(
        [picture.points(name) for name in picture.groups if re.match("cluster|above|bar", name)]
    )
    assert (everything >= 0).all()
    assert (everything <= picture.size).all()


def test_joins_that_fall_are_counted_in_a_note():
    merges = np.array([[0.0, 1, 2.0], [2, 3, 1.0], [4, 5, 10.0]])
    (note,) = drawn(merges, 4, 2, "svg")[1]
    assert note.startswith("1 join in the dendrogram is of clusters less different than some joined before")
    merges, _, _ = hierarchy(20, 20, "complete")
    assert any(
        "room for the last 200 branches, not for 300" in note for note in drawn(merges, 400, 300, "svg")[1]
    )


@pytest.mark.parametrize("file_format", ["png", "svg", "pdf"])
def test_the_same_bytes_every_time(file_format):
    merges, _, _ = hierarchy(12, 12, share=0.9)
    first, second = (drawn(merges, 144, 30, file_format)[0] for _ in range(2))
    assert first == second
    assert len(first) > 5000


def test_colours_of_the_clusters_are_in_the_png():
    merges, _, _ = hierarchy(8, 8)
    raw, _ = drawn(merges, 64, 4, "png")
    seen = {tuple(color) for color in np.asarray(Image.open(io.BytesIO(raw)).convert("RGB")).reshape(-1, 3)}
    for cluster in range(1, 5):
        code = cluster_color(cluster)
        assert tuple(int(code[i : i + 2], 16) for i in (1, 3, 5)) in seen


def test_units_that_are_all_alike():
    path = Weights.from_links(4, np.arange(3), np.arange(1, 4), kind="path")
    findings = Findings()
    schc(np.zeros((4, 1)), 2, weights=path, findings=findings)
    assert len(select_branches(findings.merges, 4, 2).stems) == 2
    assert drawn(findings.merges, 4, 2, "svg")[1] == ()


def test_what_cannot_be_drawn_is_said():
    merges = np.array([[0.0, 1, 2.0]])
    with pytest.raises(UsageError, match="written as 'gif'"):
        drawn(merges, 3, 2, "gif")
    with pytest.raises(DataError, match="no units were joined"):
        drawn(np.zeros((0, 3)), 3, 3, "png")
    for k in (1, 4):
        with pytest.raises(DataError, match="1 joins of 3 units cannot be cut into"):
            drawn(merges, 3, k, "png")


def test_hostile_titles():
    words = "<script>&\"'$_^\\ $\\frac{a}{b}$ ]]> %s"
    picture = Picture(np.array([[0.0, 1, 2.0]]), 2, 1, title=words)
    assert words in " ".join(picture.texts)


def of_joins(X, how):
    return linkage(X, how)[:, :3]


def branches_at_the_line(picture):
    """Count the horizontal strokes that end at the line of the cut, and those that go on from it."""
    at = picture.points("cut")[0, 0]

    def ends(name, side):
        path = next(picture.groups[name].iter(f"{SVG}path")).get("d")
        found = 0
        for stroke in re.findall(r"M[^M]+", path):
            # points are repeated where a path is simplified
            points = dict.fromkeys(re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", stroke))
            x = [float(across) for across, _ in points]
            legs = [x] if len(x) == 2 else [x[:2], x[-2:]]  # two branches that meet, or one by itself
            found += sum(abs(side(leg) - at) < 0.02 for leg in legs)
        return found

    below = sum(ends(name, max) for name in picture.groups if re.fullmatch(r"cluster-\d+", name))
    return below, ends("above-the-cut", min) if "above-the-cut" in picture.groups else 0


@pytest.mark.parametrize("how", ["ward", "single", "complete", "average", "weighted", "centroid", "median"])
@pytest.mark.parametrize("truncate", [None, 3, 12])
def test_the_line_crosses_as_many_branches_as_there_are_clusters(how, truncate):
    X = np.random.default_rng(6).normal(size=(60, 2))
    merges = of_joins(X, how)
    top = merges[:, 2].max()
    for cut in (0.98 * top, 0.8 * top, 0.55 * top):
        k = int(fcluster(linkage(X, how), cut, "distance").max())
        if not 1 < k <= 40:
            continue
        below, above = branches_at_the_line(Picture(merges, 60, k, cut=cut, truncate=truncate))
        assert below == above == k


@given(
    how=st.sampled_from(["ward", "single", "centroid", "median"]),
    n=st.integers(2, 30),
    step=st.integers(0, 60),
    seed=st.integers(0, 99),
    most=st.integers(1, 40),
)
@settings(max_examples=150)
def test_a_cut_at_any_height_leaves_scipys_clusters(how, n, step, seed, most):
    X = np.random.default_rng(seed).integers(0, 6, (n, 2)).astype(float)
    joined = linkage(pdist(X), how)
    cut = step / 50 * joined[:, 2].max()
    theirs = Partition.canonical(fcluster(joined, cut, "distance")).labels
    k = theirs.max()
    branches = select_branches(joined[:, :3], n, k, cut=cut, most=most)
    assert len(branches.leaves) == min(max(most, k), n)
    if k > 1:
        assert crossing(branches, branches.cut) == k
    assert sum(leaf.units for leaf in branches.leaves) == n
    assert branches.sizes == np.bincount(theirs)[1:].tolist()
    assert all(leaf.cluster == theirs[leaf.node] for leaf in branches.leaves if leaf.node < n)
    # the line is where it was asked for, but for joins that are drawn apart to be told apart
    nearest = np.abs(joined[:, 2] - cut).min()
    if k > 1 and nearest > 0.25 * joined[:, 2].max() and not branches.falling:
        assert branches.cut == pytest.approx(cut, abs=0.1 * joined[:, 2].max())


def test_the_line_is_at_the_height_that_was_asked_for():
    merges = np.array([[0.0, 1, 2.0], [2, 3, 4.0], [4, 5, 10.0]])
    assert select_branches(merges, 4, 2, cut=5.0).cut == 5
    assert select_branches(merges, 4, 2, cut=9.9).cut == pytest.approx(9.7)  # not at the very join
    far = select_branches(merges, 4, 1, cut=99.0)
    assert far.beyond
    assert 10 < far.cut < 13
    assert "beyond" in drawn(merges, 4, 1, "svg", cut=99.0)[1][0]
    assert not select_branches(merges, 4, 1, cut=11.0).beyond


def test_contracted_branches_show_what_they_hold():
    X = np.random.default_rng(3).normal(size=(150, 2))
    joined = linkage(X, "ward")
    shown = dendrogram(joined, p=12, truncate_mode="lastp", no_plot=True)
    picture = Picture(joined[:, :3], 150, 3, truncate=12)
    sizes = [text for text in picture.texts if "units" in text or text.startswith("no.")]
    theirs = [
        f"({label[1:-1]} units)" if label[0] == "(" else f"no. {int(label) + 1}" for label in shown["ivl"]
    ]
    assert sorted(sizes) == sorted(theirs)
    branches = select_branches(joined[:, :3], 150, 3, most=12)
    held = sorted(height for leaf in branches.leaves for height in leaf.held)
    assert held == sorted(joined[: 150 - 12, 2])
    marks = [name for name in picture.groups if name.startswith("joins-before-")]
    assert len(marks) == sum(leaf.units > 1 for leaf in branches.leaves)
    left = min(picture.points(name)[:, 0].min() for name in marks)
    right = max(picture.points(name)[:, 0].max() for name in marks)
    wedges = max(leaf.height for leaf in branches.leaves)
    longest = joined[-1, 2] * 1.02
    assert right - left <= wedges / longest * PLOT_WIDTH + 2


def test_fewer_branches_than_clusters_cannot_be():
    merges = of_joins(np.random.default_rng(3).normal(size=(50, 2)), "ward")
    (note,) = drawn(merges, 50, 6, "svg", truncate=2)[1]
    assert note == "the dendrogram begins with 6 branches, not 2: one per cluster"
    assert drawn(merges, 50, 1, "svg", truncate=1)[1] == ()  # nothing is left to join


def test_more_branches_than_fit_are_said(tmp_path):
    merges = np.column_stack([[[0, 1], *([300 + join, join + 2] for join in range(298))], np.arange(299.0)])
    (note,) = draw_dendrogram(
        merges, tmp_path / "d.svg", file_format="svg", units=300, k=4, title="", footer="", truncate=250
    )
    assert note == "the dendrogram begins with 200 branches, not 250: the most that fit"


def test_rings_at_the_own_height_of_joins_that_fall():
    merges = np.array([[0.0, 1, 2.0], [2, 4, 1.0], [3, 5, 10.0]])
    picture = Picture(merges, 4, 2)
    assert "rings are at its own height" in picture.notes[0]
    assert "own-height" in picture.groups
    join = select_branches(merges, 4, 2).joins[1]
    assert (join.own, join.height > 2) == (1.0, True)
    assert "own-height" not in Picture(np.array([[0.0, 1, 1.0], [2, 4, 1.0], [3, 5, 10.0]]), 4, 2).groups


def test_units_go_by_their_names():
    merges = np.array([[0.0, 1, 2.0], [2, 3, 4.0]])
    names = ["Évora", "x" * 50, "Żary"]
    texts = Picture(merges, 3, 2, names=names).texts
    assert {"Évora", "x" * 31 + "…", "Żary"} < set(texts)
    assert "no. 1" not in texts


@pytest.mark.parametrize("n", [5, 3085])
def test_from_five_units_to_a_few_thousand(n):
    merges = of_joins(np.random.default_rng(0).normal(size=(n, 3)), "ward")
    picture = Picture(merges, n, 4)
    assert branches_at_the_line(picture) == (4, 4)
    assert picture.size[1] < 1000
