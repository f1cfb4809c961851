"""`contiguous`, and `kmeans --make-contiguous`, through the whole command."""

from __future__ import annotations

import json

import numpy as np
import pytest

from regionalize.methods import make_contiguous as module

WAYS = ("--keep-k", "--split", "--best")
SHARED = ("messy/nyc", "messy/nyc_tracts", "messy/scotlip", "messy/tokyo", "messy/liverpool")


@pytest.fixture
def stripes(grid, save):
    """Twenty-five squares in three clusters, each in several pieces."""
    return save(grid().assign(cluster=np.arange(25) % 7 % 3 + 1))


def ratio(frame, labels, columns=("a", "b")):
    """BSS/TSS over standardised columns, by the formula."""
    Z = frame[list(columns)].to_numpy(float)
    Z = (Z - Z.mean(axis=0)) / Z.std(axis=0, ddof=1)
    labels = np.asarray(labels)
    means = np.stack([Z[labels == one].mean(axis=0) for one in labels])
    return 1 - ((Z - means) ** 2).sum() / (Z**2).sum()


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_whole_clusters_and_says_what_they_cost(way, stripes, cli, read, tmp_path):
    target = tmp_path / "out.gpkg"
    found = cli("contiguous", stripes, way, "--columns", "a,b", "-o", target, "--json")
    assert found.code == 0, found.err
    report = json.loads(found.out)
    before, after = read(stripes), read(target)
    assert list(after.columns) == [*before.columns[:-1], "contiguous", "geometry"]
    assert after["cluster"].tolist() == before["cluster"].tolist()
    assert report["k"] == after["contiguous"].nunique()
    cost = report["extra"]["contiguity_cost"]
    assert cost["bss_tss_before"] == pytest.approx(ratio(before, before["cluster"]))
    assert cost["bss_tss_after"] == pytest.approx(ratio(before, after["contiguous"]))
    assert cost["bss_tss_after"] == pytest.approx(report["bss_tss_attributes"])
    assert (report["settings"]["method"], report["settings"]["way"]) == ("contiguous", way[2:])
    assert ("seed" in report["settings"]) == (way == "--best")  # nothing else is drawn
    if way == "--split":
        assert report["k"] == cost["pieces"] > 3
        assert report["sizes"] == sorted(report["sizes"], reverse=True)
    else:
        assert set(after["contiguous"]) == {1, 2, 3}
    judged = cli(
        "validate", target, "--label-column", "contiguous", "--columns", "a,b", "--require", "contiguous"
    )
    assert judged.code == 0, judged.err
    said = cli("contiguous", stripes, way, "--columns", "a,b").out
    line = next(line for line in said.splitlines() if line.startswith("contiguous: "))
    assert f"{cost['bss_tss_before']:.4f} → {cost['bss_tss_after']:.4f}" in line
    assert f"{cost['pieces']} pieces" in line or f"into {cost['pieces']} regions" in line


def test_joining_fragments_is_the_default(stripes, cli):
    plain, named = (
        cli("contiguous", stripes, *way, "--columns", "a", "--json").out for way in ((), ("--keep-k",))
    )
    assert plain == named


@pytest.mark.parametrize("way", ["--keep-k", "--best"])
def test_labels_keep_their_values(way, grid, save, cli, read, tmp_path):
    names = np.array(["Süd", "Nord", "Ost"])[np.arange(25) % 7 % 3]
    number = np.array([20, 5, 1000])[np.arange(25) % 7 % 3]
    source = save(grid().assign(zone=names, number=number, low=number == 5))
    for column in ("zone", "number", "low"):
        target = tmp_path / f"{column}.gpkg"
        found = cli(
            "-q", "contiguous", source, way, "--columns", "a,b", "--label-column", column, "-o", target
        )
        assert found.code == 0, found.err
        after = read(target)
        assert set(after["contiguous"]) == set(after[column])
        assert after["contiguous"].dtype == after[column].dtype
    drawn = tmp_path / "zone.svg"
    cli("contiguous", source, way, "--columns", "a,b", "--label-column", "zone", "--map", drawn)
    assert drawn.stat().st_size > 5000


def test_rows_that_are_not_clustered_take_no_part(grid, save, cli, read, tmp_path):
    """A row of zeros and a null part the grid; nothing passes through them, and they stay as they are."""
    labels = np.repeat([1.0, 2.0, 0.0, 1.0, 3.0], 5)
    labels[0] = np.nan
    source = save(grid().assign(cluster=labels))
    target = tmp_path / "out.gpkg"
    found = cli("contiguous", source, "--columns", "a,b", "-o", target)
    assert found.code == 0, found.err
    assert any("5 rows have label 0" in note for note in found.notes)
    after = read(target)["contiguous"].to_numpy(float)
    assert np.isnan(after[0])
    assert after[10:15].tolist() == [0] * 5
    # the fragment of 1 above the zeros is as large as its other piece: only the cluster 3 is beside it
    kept = after[[*range(1, 10), *range(15, 25)]]
    assert set(kept.tolist()) == {1, 2, 3}
    judged = cli(
        "-q", "validate", target, "--label-column", "contiguous", "--columns", "a", "--require", "contiguous"
    )
    assert judged.code == 0


def test_missing_values_are_left_out_when_asked(grid, save, cli, read, tmp_path):
    frame = grid().assign(cluster=np.arange(25) % 7 % 3 + 1)
    frame.loc[12, "a"] = np.nan
    source, target = save(frame), tmp_path / "out.gpkg"
    assert "missing" in cli("contiguous", source, "--columns", "a,b").err
    found = cli("-q", "contiguous", source, "--columns", "a,b", "--missing", "drop", "-o", target)
    assert found.code == 0, found.err
    assert np.flatnonzero(read(target)["contiguous"].isna()).tolist() == [12]


def test_values_that_nobody_asked_for_may_be_missing(grid, save, cli, read, tmp_path):
    frame = grid().assign(cluster=np.arange(25) % 7 % 3 + 1)
    frame.loc[12, "a"] = np.nan
    source, target = save(frame), tmp_path / "out.gpkg"
    found = cli("contiguous", source, "-o", target)
    assert found.code == 0, found.err
    assert any("not known" in note and "missing" in note for note in found.notes)
    assert not read(target)["contiguous"].isna().any()
    assert "missing" in cli("contiguous", source, "--best").errors[0]


def test_without_variables_there_is_no_cost(grid, save, cli):
    source = save(grid().assign(cluster=np.arange(25) % 7 % 3 + 1)[["cluster", "geometry"]])
    for way in ("--keep-k", "--split"):
        found = cli("contiguous", source, way)
        assert found.code == 0, found.err
        assert any("not known" in note for note in found.notes)
        assert "BSS/TSS" not in found.out
        cost = json.loads(cli("contiguous", source, way, "--json").out)["extra"]["contiguity_cost"]
        assert cost["bss_tss_before"] is cost["bss_tss_after"] is None
    best = cli("contiguous", source, "--best")
    assert best.code == 1
    assert "--keep-k or --split" in best.errors[0]


@pytest.fixture
def archipelago(grid, save):
    """A block of squares and two single ones, both of which are of cluster 1."""
    frame = grid().drop(index=[1, 5, 6, 3, 8, 9]).reset_index(drop=True)
    labels = np.arange(19) % 5 % 3 + 1
    labels[[0, 2]] = 1
    return save(frame.assign(cluster=labels))


def test_islands(archipelago, cli, refused, read, tmp_path):
    base = ("contiguous", archipelago, "--columns", "a,b", "--id", "name")
    line = refused(*base, "-o", tmp_path / "x.gpkg", says="2 components that no region can span hold only 1 ")
    assert "unit 0, unit 4" in line
    assert "--islands nearest" in line
    for option in ("--best", "--split", "--islands"):
        target = tmp_path / f"{option[2:]}.gpkg"
        value = ("nearest",) if option == "--islands" else ()
        found = cli("-q", *base, option, *value, "-o", target, "--json")
        assert found.code == 0, found.err
        report = json.loads(found.out)
        assert report["contiguous"] is True
        assert report["k"] == (report["extra"]["contiguity_cost"]["pieces"] if option == "--split" else 3)
        assert len(read(target)) == 19


def test_fewer_clusters_than_components(grid, save, refused):
    frame = grid().drop(index=[1, 5, 6]).assign(cluster=1)
    refused(
        "contiguous",
        save(frame, "one.gpkg"),
        "--columns",
        "a",
        says=["1 cluster,", "2 components", "--split"],
    )


def test_what_cannot_be_meant(stripes, refused, tmp_path):
    base = ("contiguous", stripes, "--columns", "a,b")
    refused(*base, "--split", "--best", code=2, says="--split and --best exclude each other")
    refused(*base, "--keep-k", "--best", code=2, says="exclude each other")
    refused(*base, "--label-column", "clutser", code=2, says="did you mean 'cluster'?")
    refused(*base, "--label-column", "geometry", code=2, says="no column")
    refused(*base, "--new-column", " ", "-o", tmp_path / "x.gpkg", code=2, says="--new-column is empty")
    refused(*base, "--new-column", "pop", "-o", tmp_path / "x.gpkg", says="already has a column 'pop'")
    refused(*base, "-o", stripes, "--overwrite", says="input")
    refused(*base, "--json", "-o", "-", code=2, says="standard output")


def test_tables(tmp_path, cli, refused):
    source = tmp_path / "in.csv"
    source.write_text("id,cluster,a\n1,x,2\n2,y,5\n3,x,4\n4,x,1\n")
    base = ("contiguous", source, "--columns", "a", "--id", "id")
    refused(*base, says="nobody can tell what is contiguous")
    (tmp_path / "w.gal").write_text("0 4 in id\n1 1\n2\n2 2\n1 3\n3 2\n2 4\n4 1\n3\n")
    found = cli("-q", *base, "--weights", tmp_path / "w.gal", "-o", tmp_path / "out.csv")
    assert found.code == 0, found.err
    written = (tmp_path / "out.csv").read_text().splitlines()
    assert [line.split(",")[-1].strip('"') for line in written] == ["contiguous", "y", "y", "x", "x"]


def test_a_wrong_answer_is_never_written(stripes, cli, tmp_path, monkeypatch):
    """The check after the work is independent of it."""
    monkeypatch.setattr(module, "make_contiguous", lambda labels, *_, **__: labels)
    with pytest.raises(AssertionError, match="pieces"):
        cli("contiguous", stripes, "--columns", "a,b", "-o", tmp_path / "x.gpkg")
    assert not (tmp_path / "x.gpkg").exists()


@pytest.mark.parametrize("name", SHARED)
def test_messy_layers(name, shared_data, cli, tmp_path):
    """Clusters of k-means, islands joined, made contiguous in all ways."""
    folder = shared_data(name)
    source = sorted(path for ending in ("*.gpkg", "*.shp", "*.geojson") for path in folder.rglob(ending))[0]
    about = json.loads(cli("info", source, "--json").out)
    columns = [column["name"] for column in about["columns"] if column["left_out"] is None][-3:]
    options = ("--columns", ",".join(columns), "--missing", "mean", "--islands", "nearest")
    labelled = tmp_path / "labelled.gpkg"
    made = cli("-q", "kmeans", source, *options, "--k", 6, "-o", labelled, "--label-column", "found")
    assert made.code == 0, made.err
    reports = {}
    for way in WAYS:
        found = cli("-q", "contiguous", labelled, way, *options, "--label-column", "found", "--json")
        assert found.code == 0, found.err
        reports[way] = json.loads(found.out)
        assert reports[way]["contiguous"] is True
    assert reports["--keep-k"]["k"] == reports["--best"]["k"] == 6
    assert reports["--best"]["bss_tss_attributes"] > reports["--keep-k"]["bss_tss_attributes"]


def test_kmeans_can_be_made_contiguous(squares, cli, read, tmp_path):
    base = ("-q", "kmeans", squares, "--columns", "a,b", "--k", 4)
    plain, made, after = (tmp_path / f"{name}.gpkg" for name in ("plain", "made", "after"))
    cli(*base, "-o", plain)
    found = cli(*base, "--make-contiguous", "-o", made, "--json")
    assert found.code == 0, found.err
    cli("-q", "contiguous", plain, "--columns", "a,b", "-o", after)
    report, labels = json.loads(found.out), read(made)["cluster"]
    assert len({*zip(labels, read(after)["contiguous"], strict=True)}) == 4
    assert report["contiguous"] is True
    assert report["sizes"] == sorted(report["sizes"], reverse=True)
    assert report["settings"]["make_contiguous"] is True
    cost = report["extra"]["contiguity_cost"]
    assert cost["bss_tss_before"] == pytest.approx(ratio(read(plain), read(plain)["cluster"]))
    assert cost["bss_tss_after"] == pytest.approx(ratio(read(plain), labels)) == report["bss_tss_attributes"]
    assert "BSS/TSS" in cli(*base, "--make-contiguous").out


def test_kmeans_made_contiguous_in_python(grid):
    import regionalize as rz

    frame = grid()
    found = rz.regionalize(frame, "kmeans", k=4, columns=["a", "b"], make_contiguous=True)
    assert found.report.fragmentation.contiguous
    assert found.labels.nunique() == 4
    plain = rz.regionalize(frame, "kmeans", k=4, columns=["a", "b"], make_contiguous=False)
    assert plain.report.fragmentation.subclusters > 4
    assert "contiguity_cost" not in plain.report.extra


def test_what_cannot_be_made_contiguous(squares, refused, tmp_path):
    base = ("kmeans", squares, "--columns", "a,b", "--k", 4, "--make-contiguous")
    for bound in (
        ("--min-size", 3),
        ("--max-size", 9),
        ("--min-bound", "pop=5%"),
        ("--max-bound", "pop=50%"),
    ):
        line = refused(*base, *bound, code=2, says=f"{bound[0]} and --make-contiguous exclude each other")
        assert "skater" in line
    refused(*base, "--centroid-weight", "auto", code=2, says="give one of them")
    source = tmp_path / "in.csv"
    source.write_text("a,b\n1,2\n3,5\n4,4\n")
    refused("kmeans", source, "--columns", "a,b", "--k", 2, "--make-contiguous", says="nobody can tell")


def test_contiguous_methods_need_not_be_made_so(grid):
    import regionalize as rz

    with pytest.raises(rz.errors.UsageError, match="contiguous anyhow"):
        rz.regionalize(grid(), "skater", k=4, columns=["a"], make_contiguous=True)
    with pytest.raises(rz.errors.UsageError, match="must be True or False"):
        rz.regionalize(grid(), "kmeans", k=4, columns=["a"], make_contiguous="yes")
