"""Options that every method of contiguous regions shares, through the whole command."""

from __future__ import annotations

import json

import geopandas
import numpy as np
import pytest

from regionalize.errors import UsageError
from regionalize.model.catalog import METHODS

SKATER = ("skater", "--columns", "a,b")


@pytest.fixture
def sided(grid):
    """Five by five squares in two states, the two western columns and the three eastern."""
    frame = grid()
    column = np.arange(25) % 5
    frame["state"] = np.where(column < 2, "west", "east")
    frame["stripe"] = column % 2
    return frame


@pytest.fixture
def states(sided, save):
    return save(sided)


def labelled(cli, read, target, *args):
    found = cli("-q", *args, "-o", target, "--json")
    assert found.code == 0, found.err
    return read(target), json.loads(found.out)


class TestWithin:
    """`--within` keeps regions inside upper units."""

    @pytest.mark.parametrize("k", [2, 5, 12, 25])
    def test_no_region_crosses(self, k, states, cli, read, tmp_path):
        frame, _ = labelled(cli, read, tmp_path / "x.gpkg", *SKATER, states, "--k", k, "--within", "state")
        assert frame["cluster"].nunique() == k
        assert (frame.groupby("cluster")["state"].nunique() == 1).all()
        judged = cli("validate", tmp_path / "x.gpkg", "--columns", "a,b", "--require", "contiguous")
        assert judged.code == 0

    def test_the_upper_units_themselves(self, states, cli, read, tmp_path):
        """Two regions within two states are the states, the larger first."""
        frame, _ = labelled(cli, read, tmp_path / "x.gpkg", *SKATER, states, "--k", 2, "--within", "state")
        assert (frame["cluster"] == np.where(frame["state"] == "east", 1, 2)).all()

    def test_it_is_said_what_was_taken_out(self, states, cli):
        """Of 20 + 20 + 2 · 16 queen links, 5 + 2 · 4 cross the line between two columns."""
        found = cli(*SKATER, states, "--k", 4, "--within", "state")
        said = (
            "no region crosses the 2 upper units of 'state': 13 of 72 links between neighbours were taken out"
        )
        assert f"note: {said}" in found.notes

    def test_fragmentation_is_measured_on_all_links(self, states, cli):
        found = cli("-q", *SKATER, states, "--k", 4, "--within", "state", "--json")
        assert json.loads(found.out)["fragmentation"]["neighbors"] == 144

    def test_fewer_regions_than_pieces(self, states, refused):
        said = ["fall into 2 pieces of the 2 upper units of 'state'", "ask for at least 2 regions"]
        refused(*SKATER, states, "--k", 1, "--within", "state", says=said)

    def test_an_upper_unit_may_be_in_pieces(self, states, refused, cli):
        """Stripes 0 1 0 1 0: two upper units in five pieces."""
        said = ["fall into 5 pieces of the 2 upper units of 'stripe'", "ask for at least 5 regions"]
        refused(*SKATER, states, "--k", 4, "--within", "stripe", says=said)
        assert cli(*SKATER, states, "--k", 5, "--within", "stripe").code == 0

    @pytest.mark.parametrize("hole", [None, "", float("nan")])
    def test_missing_values_are_refused_by_name(self, hole, sided, save, refused):
        sided["region"] = sided["stripe"].astype(float) if isinstance(hole, float) else sided["state"]
        sided.loc[[3, 7], "region"] = hole
        source = save(sided)
        said = ["in.gpkg:in:region: 2 of 25 rows have no value", "unit 3, unit 7", "--where"]
        refused(*SKATER, source, "--k", 6, "--within", "region", "--id", "name", says=said)

    def test_rows_left_out_need_no_upper_unit(self, sided, save, cli):
        sided.loc[3, ["a", "state"]] = [np.nan, None]
        source = save(sided)
        found = cli(*SKATER, source, "--k", 6, "--within", "state", "--missing", "drop")
        assert found.code == 0, found.err

    def test_the_column_is_no_variable_unless_named(self, states, cli):
        found = json.loads(cli("-q", "skater", states, "--k", 6, "--within", "stripe", "--json").out)
        assert "stripe" not in found["variables"]
        assert "a" in found["variables"]

    def test_wrong_names(self, states, refused):
        refused(*SKATER, states, "--k", 6, "--within", "stat", code=2, says="did you mean 'state'?")
        refused("kmeans", states, "--k", 6, "--within", "state", code=2, says="--within")

    def test_a_wrong_answer_is_never_written(self, states, cli, tmp_path, monkeypatch):
        from regionalize.run import task

        rows_of_squares = np.arange(25) // 15
        monkeypatch.setattr(task, "call_method", lambda *_: rows_of_squares)
        with pytest.raises(AssertionError, match="pieces"):
            cli(*SKATER, states, "--k", 2, "--within", "state", "-o", tmp_path / "x.gpkg")
        assert not (tmp_path / "x.gpkg").exists()


class TestCompactness:
    """`--compactness` trades fit for shape."""

    COLUMNS = ("skater", "--columns", "pct_*", "--k", 6)

    @pytest.fixture
    def tried(self, cli, read, tmp_path):
        """Run on the sample; return BSS/TSS of the attributes and the moment of inertia, measured here."""

        def run(*args):
            target = tmp_path / "x.gpkg"
            frame, report = labelled(cli, read, target, *self.COLUMNS, *args, "--overwrite")
            values = frame.filter(like="pct_")
            z = (values - values.mean()) / values.std()
            ratio = 1 - within(z, frame["cluster"]) / ((z - z.mean()) ** 2).sum().sum()
            place = frame.centroid.get_coordinates()
            return ratio, within(place, frame["cluster"]), report, frame["cluster"]

        return run

    def test_raising_it_lowers_inertia_and_fit(self, tried):
        found = [tried("--compactness", weight) for weight in (0, 0.3, 0.6, 0.9)]
        ratios, inertias = [one[0] for one in found], [one[1] for one in found]
        assert ratios == sorted(ratios, reverse=True)
        assert inertias == sorted(inertias, reverse=True)
        assert len(set(ratios)) == len(set(inertias)) == 4

    def test_the_report_says_what_was_measured(self, tried):
        ratio, inertia, report, _ = tried("--compactness", 0.6)
        assert report["bss_tss_attributes"] == report["bss_tss_all"] == pytest.approx(ratio)
        assert report["extra"]["compactness"]["moment_of_inertia"] == pytest.approx(inertia)
        assert report["coordinate_share"] == 0
        assert report["center_columns"] == report["variables"]
        assert "X" not in report["variables"]

    def test_zero_changes_nothing(self, tried):
        _, _, plain, labels = tried()
        _, _, zero, same = tried("--compactness", 0)
        assert zero == plain
        assert (labels == same).all()

    def test_it_is_a_centroid_weight_on_one_scale(self, tried):
        """With z-scores; other transforms are the matter of test_regions.py in tests/run."""
        labels = tried("--compactness", 0.4)[3]
        assert (labels == tried("--centroid-weight", 0.4, "--centroid-scale", "isotropic")[3]).all()

    def test_in_its_own_words(self, cli, tmp_path):
        found = cli(*self.COLUMNS, "--compactness", 0.3, "--report", tmp_path / "x.md")
        note = next(note for note in found.notes if "compactness" in note)
        assert "30 %: the centroids' moment of inertia within regions" in note
        assert "70 %" in note
        assert "Compactness counts 30 %: the regions keep" in found.out
        assert "## Compactness" in (tmp_path / "x.md").read_text()
        for words in (found.err, found.out, (tmp_path / "x.md").read_text()):
            assert "coordinates carry" not in words

    @pytest.mark.parametrize("other", [("--with-centroids",), ("--centroid-weight", 0.2)])
    def test_not_with_other_weight_on_coordinates(self, other, squares, refused):
        says = [f"--compactness and {other[0]} both put weight on the coordinates"]
        refused(*SKATER, squares, "--k", 3, "--compactness", 0.2, *other, code=2, says=says)

    @pytest.mark.parametrize("weight", [1, -0.1, "nan"])
    def test_out_of_range(self, weight, squares, refused):
        refused(*SKATER, squares, "--k", 3, "--compactness", weight, code=2, says="at least 0 and below 1")

    def test_a_table_has_no_shape(self, grid, save, cli, tmp_path, refused):
        assert cli("weights", save(grid()), "-o", tmp_path / "in.gal").code == 0
        grid().drop(columns="geometry").to_csv(tmp_path / "in.csv", index=False)
        table = (*SKATER, tmp_path / "in.csv", "--weights", tmp_path / "in.gal", "--k", 3)
        assert cli(*table).code == 0
        refused(*table, "--compactness", 0.2, says="its regions have no shape; give --compactness 0")

    def test_not_for_clusters_that_may_lie_anywhere(self, squares, refused):
        refused("kmeans", squares, "--k", 3, "--compactness", 0.2, code=2, says="--compactness")


def within(values, labels):
    """Sum the squared distances to the mean of each label."""
    means = values.groupby(labels.to_numpy()).transform("mean")
    return float(((values - means) ** 2).sum().sum())


class TestStart:
    """`--start COLUMN` and `--locked COLUMN` become arrays."""

    PLANNED = ("planned", "--columns", "a,b")

    @pytest.fixture
    def plans(self, grid, save):
        frame = grid()
        row = np.arange(25) // 5
        frame["plan"] = np.array(["north", "south", "", "mid", "mid"], dtype=object)[row]
        frame["zone"] = row + 1
        frame["fixed"] = row == 1
        frame["lock"] = np.where(row == 3, 2.5, 0)
        frame["words"] = "yes"
        frame["random"] = 1
        return save(frame)

    def call(self, standin, cli, *args):
        found = cli(*args)
        assert found.code == 0, found.err
        return standin.CALLS[-1], found

    def test_a_word_stays_a_word(self, standin, cli, squares):
        assert self.call(standin, cli, *self.PLANNED, squares, "--k", 3)[0]["start"] == "random"
        given, found = self.call(standin, cli, *self.PLANNED, squares, "--k", 3, "--start", "skater")
        assert given["start"] == "skater"
        assert given["locked"] is None
        assert not [note for note in found.notes if "--start" in note]

    def test_a_column_becomes_codes(self, standin, cli, plans, tmp_path, read):
        args = (*self.PLANNED, plans, "--k", 5, "--start", "zone")
        given, _ = self.call(standin, cli, *args, "-o", tmp_path / "x.gpkg")
        assert given["start"].dtype == np.int64
        assert given["start"].tolist() == (np.arange(25) // 5).tolist()
        assert read(tmp_path / "x.gpkg")["cluster"].tolist() == (np.arange(25) // 5 + 1).tolist()

    def test_text_and_gaps(self, standin, cli, plans):
        """In the order of the words: mid, north, south; the third row of squares has none."""
        row = np.arange(25) // 5
        where = ("--where", "name <> 'unit 0'")
        with pytest.raises(AssertionError, match="4 regions"):  # the stand-in gives back what is no answer
            cli(*self.PLANNED, plans, "--k", 3, "--start", "plan", *where)
        assert standin.CALLS[-1]["start"].tolist() == np.array([1, 2, -1, 0, 0])[row][1:].tolist()

    @pytest.mark.parametrize(("column", "row"), [("fixed", 1), ("lock", 3)])
    def test_locked_units(self, column, row, standin, cli, plans):
        args = (*self.PLANNED, plans, "--k", 5, "--start", "zone", "--locked", column)
        given, found = self.call(standin, cli, *args)
        assert given["locked"].dtype == np.bool_
        assert np.flatnonzero(given["locked"]).tolist() == list(range(5 * row, 5 * row + 5))
        assert "note: 5 of 25 units are locked" in found.notes

    def test_locked_units_that_moved_are_noticed(self, standin, cli, plans, monkeypatch, tmp_path):
        from regionalize.run import task

        columns = np.arange(25) % 5
        monkeypatch.setattr(task, "call_method", lambda *_: columns)
        args = (*self.PLANNED, plans, "--k", 5, "--start", "zone")
        assert cli(*args).code == 0
        with pytest.raises(AssertionError, match="locked units of region 1 of the plan"):
            cli(*args, "--locked", "fixed", "-o", tmp_path / "x.gpkg")
        assert not (tmp_path / "x.gpkg").exists()

    def test_guides_are_no_variables(self, standin, cli, plans):
        guides = ("--start", "zone", "--locked", "lock")
        found = json.loads(cli("-q", "planned", plans, "--k", 5, *guides, "--json").out)
        assert not {"zone", "lock"} & set(found["variables"])

    @pytest.mark.parametrize(
        ("options", "code", "says"),
        [
            (("--locked", "fixed"), 2, "name the column that holds the plan with --start COLUMN"),
            (("--start", "zones"), 2, "did you mean 'zone'?"),
            (("--start", "zone", "--locked", "look"), 2, "did you mean 'lock'?"),
            (("--start", "zone", "--locked", "words"), 1, "holds neither numbers nor truth values"),
            (("--start", "plan", "--locked", "zone"), 1, "5 locked units have no region to keep: 11, 12"),
        ],
    )
    def test_refusals(self, options, code, says, standin, plans, refused):
        refused(*self.PLANNED, plans, "--k", 3, *options, code=code, says=says)
        assert not standin.CALLS

    def test_a_column_called_like_a_word(self, standin, cli, plans):
        given, found = self.call(standin, cli, *self.PLANNED, plans, "--k", 3, "--start", "random")
        assert given["start"] == "random"
        assert any("--start random is the word, not the column" in note for note in found.notes)

    def test_zero_is_no_region(self, standin, cli, grid, save):
        frame = grid()
        frame["zone"] = np.arange(25) // 5
        with pytest.raises(AssertionError, match="regions were made"):  # the stand-in gives back no answer
            cli(*self.PLANNED, save(frame), "--k", 4, "--start", "zone")
        assert standin.CALLS[-1]["start"].tolist() == np.repeat(np.arange(-1, 4), 5).tolist()

    def test_only_where_a_search_begins_with_a_plan(self, standin, squares, refused, cli):
        refused(*SKATER, squares, "--k", 3, "--locked", "pop", code=2, says="--locked")
        assert "--locked COLUMN" in cli("planned", "--help").out
        assert "--start random|skater|COLUMN" in cli("planned", "--help").out


class TestLevels:
    """`--k 4,8,12` of a method that nests regions."""

    NESTING = ("nesting", "--columns", "a,b")

    @pytest.mark.parametrize("method", ["nesting", *(name for name, row in METHODS.items() if row.nested)])
    def test_a_column_per_number(self, method, standin, states, cli, read, tmp_path):
        frame, report = labelled(
            cli,
            read,
            tmp_path / "x.gpkg",
            method,
            "--columns",
            "a,b",
            states,
            "--k",
            "12,4,8,8",
            "--report",
            tmp_path / "x.md",
        )
        assert [name for name in frame if "cluster" in name] == ["cluster_4", "cluster_8", "cluster_12"]
        z = (frame[["a", "b"]] - frame[["a", "b"]].mean()) / frame[["a", "b"]].std()
        for k, level in zip((4, 8, 12), report["extra"]["levels"], strict=True):
            label = frame[f"cluster_{k}"]
            sizes = label.value_counts().sort_index()
            assert sizes.index.tolist() == list(range(1, k + 1))
            assert sizes.tolist() == sorted(sizes, reverse=True) == level["sizes"]
            assert level["k"] == k
            assert level["bss_tss_attributes"] == pytest.approx(1 - within(z, label) / ((z**2).sum().sum()))
            if METHODS[method].contiguous:
                require = ("--label-column", f"cluster_{k}", "--columns", "a,b", "--require", "contiguous")
                assert cli("validate", tmp_path / "x.gpkg", *require).code == 0
        assert (frame.groupby("cluster_12")["cluster_8"].nunique() == 1).all()
        assert (frame.groupby("cluster_8")["cluster_4"].nunique() == 1).all()
        assert report["k"] == 12
        assert report["sizes"] == report["extra"]["levels"][-1]["sizes"]
        assert "## Levels" in (tmp_path / "x.md").read_text()

    def test_the_finest_is_the_one_alone(self, standin, states, cli, read, tmp_path):
        alone, _ = labelled(cli, read, tmp_path / "a.gpkg", *self.NESTING, states, "--k", 9)
        also, _ = labelled(cli, read, tmp_path / "b.gpkg", *self.NESTING, states, "--k", "3,9")
        assert (alone["cluster"] == also["cluster_9"]).all()

    def test_one_number_twice_is_one(self, standin, states, cli, read, tmp_path):
        frame, report = labelled(cli, read, tmp_path / "x.gpkg", *self.NESTING, states, "--k", "4,4")
        assert frame["cluster"].nunique() == 4
        assert "levels" not in report["extra"]

    def test_on_the_terminal_and_in_the_centres(self, standin, states, cli, tmp_path):
        found = cli(*self.NESTING, states, "--k", "3,6", "--centers", tmp_path / "x.csv")
        lines = found.out.splitlines()
        table = lines[lines.index("Levels") + 1 :]
        assert [line.split()[0] for line in table[:3]] == ["k", "3", "6"]
        assert (tmp_path / "x.csv").read_text().startswith("cluster_6,")

    def test_names_that_a_format_would_make_the_same(self, standin, states, cli, read, refused, tmp_path):
        args = (*self.NESTING, states, "--k", "4,12,15", "-o", tmp_path / "x.shp", "--label-column")
        refused(*args, "mylabels", says=["mylabels_12, mylabels_15 the same", "--label-column"])
        assert cli("-q", *args, "lab").code == 0
        assert {"lab_4", "lab_12", "lab_15"} < set(read(tmp_path / "x.shp"))

    def test_a_name_that_is_taken(self, standin, sided, save, refused, tmp_path):
        source = save(sided.rename(columns={"stripe": "cluster_4"}))
        args = (*self.NESTING, source, "--k", "4,12", "-o", tmp_path / "x.gpkg")
        refused(*args, says="already has a column 'cluster_4'")

    @pytest.mark.parametrize("method", ["skater", "kmeans"])
    def test_other_methods_take_one_number(self, method, squares, refused):
        refused(method, squares, "--columns", "a,b", "--k", "4,8", code=2, says="--k takes one number")

    @pytest.mark.parametrize("numbers", ["4,", "0,4", "4,x", "4.5,8"])
    def test_numbers_that_cannot_be(self, numbers, standin, squares, cli):
        found = cli(*self.NESTING, squares, "--k", numbers)
        assert found.code == 2
        assert len(found.errors) == 1
        assert "--k" in found.errors[0]

    def test_in_a_file_of_settings(self, standin, states, cli, tmp_path):
        (tmp_path / "x.toml").write_text("[nesting]\nk = [4, 8]\n")
        found = cli("-q", "--config", tmp_path / "x.toml", *self.NESTING, states, "--json")
        assert [level["k"] for level in json.loads(found.out)["extra"]["levels"]] == [4, 8]

    def test_the_coarsest_needs_a_region_per_upper_unit(self, standin, states, refused):
        args = (*self.NESTING, states, "--within", "stripe", "--k", "4,9")
        refused(*args, says=["k is 4, but the units fall into 5 pieces of the 2 upper units", "at least 5"])

    def test_levels_that_do_not_nest_are_noticed(self, standin, states, cli, monkeypatch, tmp_path):
        from regionalize.run import task

        def crossing(*args):
            args[3].levels = {5: np.arange(25) // 5}
            return np.concatenate([np.arange(5), np.arange(5), np.arange(5), np.repeat([5, 6], 5)])

        monkeypatch.setattr(task, "call_method", crossing)
        with pytest.raises(AssertionError, match="coarser"):
            cli(*self.NESTING, states, "--k", "5,7", "-o", tmp_path / "x.gpkg")
        assert not (tmp_path / "x.gpkg").exists()


class TestDendrogram:
    """`--dendrogram` hands the joins to the drawing room."""

    @pytest.fixture
    def drawn(self, monkeypatch):
        import sys
        from types import ModuleType

        calls = []

        def draw_dendrogram(merges, target, **about):
            calls.append((merges, about))
            target.write_text("drawn")
            return ("few units",)

        module = ModuleType("regionalize.maps.plots.dendrogram")
        module.draw_dendrogram = draw_dendrogram
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return calls

    def test_it_is_drawn(self, standin, drawn, states, cli, tmp_path):
        target = tmp_path / "x.svg"
        found = cli("nesting", "--columns", "a,b", states, "--k", "3,7", "--dendrogram", target)
        assert found.code == 0, found.err
        assert target.read_text() == "drawn"
        assert "note: few units" in found.notes
        ((merges, about),) = drawn
        assert merges.shape == (24, 3)
        assert (about["file_format"], about["units"], about["k"]) == ("svg", 25, 7)
        assert about["title"] == "nesting, k = 7: a, b"
        assert "in.gpkg" in about["footer"]

    def test_refusals(self, standin, drawn, states, refused, tmp_path):
        args = ("nesting", "--columns", "a,b", states, "--k", 3, "--dendrogram")
        refused(*args, tmp_path / "x.txt", says="--dendrogram cannot be written as '.txt'")
        (tmp_path / "x.svg").write_text("old")
        refused(*args, tmp_path / "x.svg", says="already exists")
        refused(*args, tmp_path / "y.svg", "--map", tmp_path / "y.svg", code=2, says="are the same file")
        refused(*SKATER, states, "--k", 3, "--dendrogram", tmp_path / "z.svg", code=2, says="--dendrogram")
        assert not drawn


@pytest.mark.parametrize("method", [name for name, row in METHODS.items() if row.nested and row.bounded])
@pytest.mark.parametrize("bounds", [(), ("--min-size", 3), ("--within", "state"), ("--islands", "nearest")])
def test_a_dendrogram_for_every_method_that_nests(method, bounds, states, cli, tmp_path):
    target = tmp_path / "x.png"
    found = cli(method, "--columns", "a,b", states, "--k", "2,4", *bounds, "--dendrogram", target)
    assert found.code == 0, found.err
    assert target.read_bytes().startswith(b"\x89PNG")
    assert f"dendrogram written to {target}" in found.err


class TestSettings:
    """Options shared by contiguous methods are told in a section of the help, and in the report."""

    def test_help(self, cli):
        regions = cli("skater", "--help").out.partition("\nRegions:\n")[2].partition("\n\n")[0]
        assert "--within COLUMN" in regions
        assert "--compactness W" in regions
        assert "--within" not in cli("kmeans", "--help").out

    def test_report(self, states, cli):
        found = cli("-q", *SKATER, states, "--k", 4, "--within", "state", "--compactness", 0.25)
        assert "within state, compactness 0.25" in found.out


def test_python_takes_the_same_options(standin, sided):
    import regionalize as rz

    found = rz.regionalize(sided, "nesting", k=[3, 6], columns=["a", "b"], within="state", compactness=0.2)
    assert found.levels.columns.tolist() == [3, 6]
    assert found.levels.index.equals(sided.index)
    assert (found.levels[6] == found.labels).all()
    frame = found.to_frame("region")
    assert isinstance(frame, geopandas.GeoDataFrame)
    assert frame["region_3"].nunique() == 3
    assert frame["region_6"].nunique() == 6
    assert (frame.groupby("region_3")["state"].nunique() == 1).all()
    sided["plan"] = np.arange(25) // 5 + 1
    rz.regionalize(sided, "planned", k=5, columns=["a"], start="plan")
    assert standin.CALLS[-1]["start"].tolist() == (sided["plan"] - 1).tolist()
    with pytest.raises(UsageError, match="is none of them"):
        rz.regionalize(sided, "kmeans", k=3, within="state")
