"""Hierarchical clustering from the command line: published figures, SciPy's labels, outputs and faults."""

from __future__ import annotations

import csv
import json

import geopandas
import numpy as np
import pytest
import shapely
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform

import regionalize
from regionalize.errors import UsageError
from regionalize.model import distances as table
from regionalize.model.partition import Partition
from regionalize.run.recipes import read_recipe

CHICAGO = "INCPERCAP,Und20,Ov65,Minrty,Unemprt,Noveh,Lt_high,Rentocc,Rntburd,Noeng"
RUN = ("hierarchical", "--columns", "a,b", "--transform", "raw")


@pytest.fixture
def report(cli):
    """Run with --json and return the document."""

    def run(*args):
        found = cli("-q", *args, "--json")
        assert found.code == 0, found.err
        return json.loads(found.out)

    return run


@pytest.fixture
def X(grid):
    return grid()[["a", "b"]].to_numpy()


def scipys(X, how, **cut):
    ((criterion, value),) = cut.items()
    return Partition.canonical(fcluster(linkage(X, how), value, criterion)).labels


@pytest.mark.parametrize(
    ("how", "ratio"),
    [("ward", 0.644089), ("complete", 0.600629), ("average", 0.522972), ("single", 0.120391)],
)
def test_community_areas_of_chicago(how, ratio, shared_data, report):
    source = shared_data("chicago_cca/Chicago_2020_sdoh.shp")
    found = report("hierarchical", source, "--columns", CHICAGO, "--k", 5, "--method", how)
    assert found["bss_tss_all"] == pytest.approx(ratio, abs=1.1e-6)
    assert found["fit"]["tss"] == pytest.approx(760)
    if how == "ward":
        assert found["sizes"] == [21, 15, 15, 13, 13]
        assert found["fit"]["wss"] == pytest.approx(270.493, abs=5e-4)


@pytest.mark.parametrize("how", ["ward", "single", "complete", "average", "weighted", "centroid", "median"])
def test_labels_are_scipys(how, X, squares, cli, tmp_path, read):
    for options, theirs in (
        (("--k", 4), scipys(X, how, maxclust=4)),
        (("--cut", 1.1), scipys(X, how, distance=1.1)),
    ):
        out = tmp_path / "out.gpkg"
        assert cli(*RUN, squares, "--method", how, *options, "-o", out, "--overwrite").code == 0
        assert read(out)["cluster"].tolist() == theirs.tolist()


def test_six_points_cut_at_heights(grid, save, report):
    six = [[0, 10], [0, 11], [5, 0], [5, 2], [8, 0], [8, 2.5]]  # see tests/methods/test_hierarchical.py
    frame = grid(6, 1)
    frame[["a", "b"]] = six
    source = save(frame)
    for cut, clusters in ((1.5, 5), (3, 3), (5, 2)):
        found = report(*RUN, source, "--cut", cut)
        assert found["k"] == clusters
        row = next(row for row in found["extra"]["thresholds"] if row["clusters"] == clusters)
        assert row["from"] <= cut < row["to"]


def test_the_report_says_the_method_and_its_linkage(squares, report, cli, tmp_path):
    found = report(*RUN, squares, "--k", 3, "--method", "average", "--report", tmp_path / "r.md")
    assert found["settings"]["method"] == "hierarchical"
    assert found["settings"]["linkage"] == found["extra"]["linkage"] == "average"
    assert "# hierarchical, k = 3" in (tmp_path / "r.md").read_text()
    assert "| linkage | average |" in (tmp_path / "r.md").read_text()
    said = cli(*RUN, squares, "--k", 3).out
    assert said.startswith("hierarchical, k = 3, in.gpkg, 25 units\n")
    assert "Cuts of the hierarchy (ward linkage)" in said
    assert said.count("largest gap") == 1
    assert "--report json holds all 25 rows." in said


def test_all_cuts_are_in_the_report(X, squares, report):
    rows = report(*RUN, squares, "--k", 3)["extra"]["thresholds"]
    heights = linkage(X, "ward")[:, 2]
    assert [row["clusters"] for row in rows] == list(range(1, 26))
    assert [row["from"] for row in rows] == [*heights[::-1], 0.0]


def test_several_numbers_nest(X, squares, cli, tmp_path, read):
    found = cli(*RUN, squares, "--k", "8,3,5", "-o", tmp_path / "out.gpkg")
    assert found.code == 0, found.err
    frame = read(tmp_path / "out.gpkg")
    for k in (3, 5, 8):
        assert frame[f"cluster_{k}"].tolist() == scipys(X, "ward", maxclust=k).tolist()
    assert (frame.groupby("cluster_8")[["cluster_3", "cluster_5"]].nunique() == 1).all(axis=None)
    assert "Levels" in found.out


@pytest.mark.parametrize("name", ["z.npy", "z.csv"])
def test_the_linkage_matrix(name, X, squares, cli, tmp_path):
    found = cli(*RUN, squares, "--k", 3, "--linkage", tmp_path / name)
    assert found.code == 0, found.err
    back = np.load(tmp_path / name) if name == "z.npy" else np.loadtxt(tmp_path / name, delimiter=",")
    assert np.array_equal(back, linkage(X, "ward"))


def test_the_linkage_matrix_is_of_the_rows_used(grid, save, cli, tmp_path, read):
    frame = grid()
    frame.loc[[2, 9], "a"] = np.nan
    outputs = (
        "--linkage",
        tmp_path / "z.npy",
        "-o",
        tmp_path / "out.gpkg",
        "--dendrogram",
        tmp_path / "d.svg",
    )
    assert cli(*RUN, save(frame), "--k", 4, "--missing", "drop", *outputs).code == 0
    kept = frame.drop(index=[2, 9])[["a", "b"]].to_numpy()
    assert np.array_equal(np.load(tmp_path / "z.npy"), linkage(kept, "ward"))
    labels = read(tmp_path / "out.gpkg")["cluster"]
    assert np.flatnonzero(labels.isna()).tolist() == [2, 9]
    assert labels.dropna().tolist() == scipys(kept, "ward", maxclust=4).tolist()
    drawn = (tmp_path / "d.svg").read_text()
    assert ">no. 25<" in drawn  # rows keep their numbers
    assert ">no. 3<" not in drawn


def test_everything_at_once(squares, cli, tmp_path):
    names = ("m.svg", "d.png", "z.csv", "r.json", "c.csv", "out.gpkg")
    map_, dendrogram, joined, document, centers, out = (tmp_path / name for name in names)
    outputs = ("--map", map_, "--dendrogram", dendrogram, "--truncate", 6, "--linkage", joined)
    outputs += ("--report", document, "--centers", centers, "-o", out)
    options = ("--with-centroids", "--hops", 1, "--id", "name", "--column-weights", "a=2", "--cut", 4)
    found = cli("hierarchical", squares, "--columns", "a,b", *options, *outputs)
    assert found.code == 0, found.err
    assert "dendrogram written to" in found.err.replace("\n", " ")
    assert all((tmp_path / name).stat().st_size > 100 for name in names)
    with centers.open() as file:
        assert len(list(csv.reader(file))) == 1 + json.loads(document.read_text())["k"]


def test_contiguous_by_weight_with_a_cut_and_with_levels(squares, cli, report, tmp_path):
    options = ("hierarchical", squares, "--columns", "a,b", "--centroid-weight", "auto")
    for where in (("--cut", 3.0), ("--k", "2,4")):
        found = report(*options, *where, "--dendrogram", tmp_path / "d.svg", "--linkage", tmp_path / "z.csv")
        assert found["contiguous"]
        weight = found["extra"]["centroid_weight"]
        again = report(*options[:-1], weight, *where)
        assert again["sizes"] == found["sizes"]
        assert again["extra"]["thresholds"] == found["extra"]["thresholds"]
        (tmp_path / "d.svg").unlink()
        (tmp_path / "z.csv").unlink()


def test_made_contiguous_afterwards(squares, cli, tmp_path):
    found = cli(*RUN, squares, "--k", 3, "--make-contiguous", "--dendrogram", tmp_path / "d.svg", "--json")
    assert json.loads(found.out)["contiguous"]
    assert any("before they were made contiguous" in " ".join(note.split()) for note in found.notes)
    assert cli(*RUN, squares, "--cut", 2, "--make-contiguous").code == 0


class TestDistances:
    """Clusters of a table of distances."""

    @pytest.fixture
    def given(self, X, grid, tmp_path):
        """Files of the same distances: in row order, and shuffled with names."""
        square = squareform(pdist(X))
        np.save(tmp_path / "d.npy", square)
        order = np.random.default_rng(0).permutation(25)
        names = grid()["name"].to_numpy()
        with (tmp_path / "d.csv").open("w", newline="") as file:
            rows = [[names[i], *square[i, order].tolist()] for i in order]
            csv.writer(file).writerows([["", *names[order]], *rows])
        return {"npy": tmp_path / "d.npy", "csv": tmp_path / "d.csv"}

    @pytest.mark.parametrize("kind", ["npy", "csv"])
    def test_same_clusters_as_from_the_variables(self, kind, given, X, squares, cli, tmp_path, read):
        out = tmp_path / "out.gpkg"
        found = cli(
            *("hierarchical", squares, "--columns", "pop", "--id", "name", "--method", "average"),
            *("--distances", given[kind], "--k", 5, "-o", out, "--json"),
        )
        assert found.code == 0, found.err
        assert read(out)["cluster"].tolist() == scipys(X, "average", maxclust=5).tolist()
        document = json.loads(found.out)
        assert document["variables"] == ["pop"]
        assert document["fit"]["tss"] == pytest.approx(24)
        assert any("variables are only reported on" in note for note in found.notes)

    def test_rows_left_out(self, given, X, grid, save, cli, tmp_path, read):
        frame = grid()
        frame.loc[[0, 7], "pop"] = np.nan
        out = tmp_path / "out.gpkg"
        found = cli(
            *("hierarchical", save(frame, "gaps.gpkg"), "--columns", "pop", "--missing", "drop"),
            *("--id", "name", "--distances", given["csv"], "--k", 3, "-o", out),
        )
        assert found.code == 0, found.err
        kept = np.delete(X, [0, 7], axis=0)
        assert read(out)["cluster"].dropna().tolist() == scipys(kept, "ward", maxclust=3).tolist()
        assert any("Euclidean" in note for note in found.notes)

    def test_a_table_without_numbers_has_no_fit(self, given, X, tmp_path, cli):
        source = tmp_path / "names.csv"
        source.write_text("\n".join(["name", *(f"unit {i}" for i in range(25))]))
        found = cli("hierarchical", source, "--distances", given["npy"], "--k", 4, "--method", "single")
        assert found.code == 0, found.err
        assert "Fit" not in found.out
        assert "Centres" not in found.out
        assert any("the fit is not known" in note for note in found.notes)
        document = json.loads(
            cli("hierarchical", source, "--distances", given["npy"], "--k", 4, "--json").out
        )
        assert document["fit"] is None
        assert document["sizes"] == np.bincount(scipys(X, "ward", maxclust=4))[1:].tolist()
        # columns that are named must be there
        assert cli("hierarchical", source, "--distances", given["npy"], "--k", 4, "--columns", "x").code == 2

    @pytest.mark.parametrize("option", ["--linkage", "-o", "--dendrogram", "--report", "--map"])
    def test_the_file_is_never_replaced(self, option, given, squares, cli, tmp_path):
        link = tmp_path / f"link{'.npy' if option == '--linkage' else '.gpkg' if option == '-o' else '.svg'}"
        link = link.with_suffix(".json") if option == "--report" else link
        link.symlink_to(given["npy"])
        before = given["npy"].read_bytes()
        found = cli(*RUN, squares, "--k", 3, "--distances", given["npy"], option, link, "--overwrite")
        assert found.code == 1
        assert "the input is never changed" in found.errors[0]
        assert given["npy"].read_bytes() == before

    @pytest.mark.parametrize("study", ["stability", "choose-k", "compare"])
    def test_nor_is_it_by_studies(self, study, given, squares, cli, tmp_path):
        link = tmp_path / "link.json"
        link.symlink_to(given["npy"])
        before = given["npy"].read_bytes()
        word = f"hierarchical:distances={given['npy']}"
        words = {
            "stability": (squares, "--method", word, "--k", 3),
            "choose-k": (squares, "--method", word),
            "compare": (squares, "kmeans", word, "--k", 3),
        }
        found = cli(study, *words[study], "--columns", "a,b", "--report", link, "--overwrite")
        assert found.code == 1
        assert "the input is never changed" in found.errors[0]
        assert given["npy"].read_bytes() == before

    @pytest.mark.parametrize(
        ("options", "code", "says"),
        [
            (("--distances", "none.csv"), 1, "none.csv: cannot be read"),
            (("--distances", "d.npy", "--where", "pop > 50"), 1, "holds a table of 25 by 25, not of the"),
            (("--distances", "d.npy", "--centroid-weight", "auto"), 2, "--distances takes their place"),
            (("--distances", "in.gpkg"), 1, "use .csv or .npy"),
        ],
    )
    def test_refusals(self, options, code, says, given, squares, cli, tmp_path, check, monkeypatch):
        monkeypatch.chdir(tmp_path)
        found = cli("-q", "hierarchical", squares, "--columns", "a,b", "--k", 3, *options)
        check.refusal(found, code, says)


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        ((), 2, "give --k, such as --k 12, or --cut"),
        (("--k", 3, "--cut", 1), 2, "--k and --cut exclude each other"),
        (("--cut", -1), 2, "--cut is -1; it must be at least 0"),
        (("--cut", "nan"), 2, "--cut is nan"),
        (("--k", 26), 2, "25 units cannot form 26 clusters"),
        (("--k", 3, "--method", "wards"), 2, "--method is 'wards'"),
        (("--k", 3, "--min-size", 2), 2, "--min-size"),
        (("--k", 3, "--truncate", 5), 2, "--truncate is for the dendrogram"),
        (("--k", 3, "--truncate", 0, "--dendrogram", "d.svg"), 2, "--truncate is 0"),
        (("--k", 3, "--linkage", "z.txt"), 1, "--linkage cannot be written as '.txt'; use .npy or .csv"),
        (("--k", 3, "--linkage", "ward"), 1, "use .npy or .csv; how clusters are joined is --method"),
        (("--k", 3, "--linkage", "in.csv", "--centers", "in.csv"), 2, "--linkage and --centers"),
    ],
)
def test_refusals(options, code, says, squares, cli, tmp_path, check, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = check.tree(tmp_path)
    found = cli("-q", *RUN, squares, *options)
    if "--centers" in options:
        assert "are the same file" in found.errors[0]
    else:
        check.refusal(found, code, says)
    assert found.code == code
    assert check.tree(tmp_path) == before


def test_more_units_than_memory_holds(squares, cli, tmp_path, check, monkeypatch):
    monkeypatch.setattr(table, "available_memory", lambda: 4000)
    found = cli("-q", *RUN, squares, "--k", 3, "-o", tmp_path / "out.gpkg")
    check.refusal(found, 2, ["25 units need a table of", "schc", "kmeans"])
    assert not (tmp_path / "out.gpkg").exists()
    assert cli("-q", *RUN, squares, "--k", 3, "--method", "single").code == 0  # no copy is made


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (["hierarchical", "--k", "3"], 2, "25 units need a table of"),
        (["choose-k", "--method", "hierarchical", "--k", "2-4"], 2, "25 units need a table of"),
        (["stability", "--method", "hierarchical", "--k", "3"], 2, "25 units need a table of"),
        (["compare", "kmeans", "hierarchical", "--k", "3"], 2, "hierarchical: 25 units need a table of"),
        (["spectral", "--k", "3", "--affinity", "gaussian"], 1, "the affinities of all pairs of 25 units"),
    ],
)
def test_too_many_units_are_refused_before_anything_is_worked_out(
    squares, cli, monkeypatch, given, code, said
):
    def build(*_, **__):
        raise AssertionError("neighbours were sought")

    for module in ("model.distances", "methods.affinity"):
        monkeypatch.setattr(f"regionalize.{module}.available_memory", lambda: 4000)
    monkeypatch.setattr("regionalize.weights.build.build_weights", build)
    found = cli("-q", given[0], squares, *given[1:])
    assert found.code == code, found.err
    assert said in found.errors[0]


def test_rows_that_may_be_left_out_are_not_counted_beforehand(monkeypatch):
    monkeypatch.setattr(table, "available_memory", lambda: 2 * 8 * 190)  # of 20 units
    layer = geopandas.GeoDataFrame(
        {"a": [*range(20), np.nan]}, geometry=[shapely.Point(i, 0) for i in range(21)]
    )
    given = {"k": 3, "method": "hierarchical"}
    assert regionalize.regionalize(layer, missing="drop", **given).report.input["rows_used"] == 20
    with pytest.raises(UsageError, match="21 units need a table"):
        regionalize.regionalize(layer, missing="mean", **given)


def test_runs_written_as_one_word():
    for word in ("hierarchical:method=average,k=4", "hierarchical:linkage=average,k=4"):
        job = read_recipe(word)
        assert (job.method, job.k, job.params) == ("hierarchical", 4, {"linkage": "average"})
    assert read_recipe("hierarchical:cut=2.5", {"k": 7}).k is None


def test_a_configuration(squares, cli, tmp_path):
    config = tmp_path / "run.toml"
    config.write_text(f'[hierarchical]\nmethod = "single"\nlinkage = "{(tmp_path / "z.npy").as_posix()}"\n')
    found = cli("--config", config, *RUN, squares, "--k", 3, "--json")
    assert found.code == 0, found.err
    assert json.loads(found.out)["settings"]["linkage"] == "single"
    assert np.load(tmp_path / "z.npy").shape == (24, 4)


def test_from_python(grid, X, tmp_path):
    frame = grid()
    found = regionalize.regionalize(
        frame, "hierarchical", columns=["a", "b"], transform="raw", linkage="complete", cut=1.5
    )
    assert found.labels.tolist() == scipys(X, "complete", distance=1.5).tolist()
    assert np.array_equal(found.linkage, linkage(X, "complete"))
    assert found.dendrogram(tmp_path / "d.svg", truncate=8).read_text().count(" units)") > 0
    assert found.dendrogram()._repr_png_().startswith(b"\x89PNG")
    plain = regionalize.regionalize(frame, "kmeans", columns=["a", "b"], k=3)
    for ask, says in ((lambda: plain.linkage, "no linkage matrix"), (plain.dendrogram, "joins nothing")):
        with pytest.raises(regionalize.RegionalizeError, match=says):
            ask()
    levels = regionalize.regionalize(frame, "hierarchical", columns=["a", "b"], k=[2, 5]).levels
    assert isinstance(frame, geopandas.GeoDataFrame)
    assert list(levels.columns) == [2, 5]
