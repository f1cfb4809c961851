"""`validate`, `weights`, `smooth`, `map` and `info` on good input, against other computations."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely

KMEANS = ("kmeans", "--k", 4, "--columns", "a,b")


@pytest.fixture
def labelled(squares, cli, tmp_path):
    """A labelled layer and the report of the run that made it."""
    target = tmp_path / "labelled.gpkg"
    found = cli(*KMEANS, squares, "-o", target, "--json")
    assert found.code == 0, found.err
    return target, json.loads(found.out)


def test_validate_finds_what_the_run_reported(labelled, cli):
    path, own = labelled
    found = json.loads(cli("validate", path, "--label-column", "cluster", "--columns", "a,b", "--json").out)
    for part in ("k", "sizes", "centers", "fit", "fragmentation", "bss_tss_all", "contiguous", "subclusters"):
        assert found[part] == own[part], part


def test_validate_does_not_take_the_labels_for_a_variable(labelled, cli):
    path, _ = labelled
    found = json.loads(cli("validate", path, "--label-column", "cluster", "--json").out)
    assert "cluster" not in found["variables"]
    assert "exclude" not in found["settings"]


@pytest.mark.parametrize("kind", [str, float, lambda label: 10 * label, lambda label: label - 1])
def test_labels_of_any_kind(kind, labelled, cli, read, tmp_path):
    """The same grouping under other names has the same measures, whatever the order of the names."""
    path, own = labelled
    frame = read(path)
    frame["other"] = [kind(label) for label in frame["cluster"]]
    if kind(1) == 0:
        frame["other"] = frame["other"].replace({0: 9})  # 0 would be noise
    frame.to_file(tmp_path / "other.gpkg")
    columns = ("--columns", "a,b", "--json")
    found = json.loads(cli("validate", tmp_path / "other.gpkg", "--label-column", "other", *columns).out)
    assert sorted(found["sizes"]) == sorted(own["sizes"])
    assert found["bss_tss_all"] == pytest.approx(own["bss_tss_all"], abs=1e-12)
    assert found["subclusters"] == own["subclusters"]


def test_labels_that_are_large_numbers(grid, save, cli):
    """Codes of a trillion are names, not positions."""
    codes = np.where(np.arange(25) < 10, 1, 10**12)
    source = save(grid().assign(code=codes))
    found = json.loads(cli("validate", source, "--label-column", "code", "--columns", "a", "--json").out)
    assert found["sizes"] == [10, 15]
    assert found["extra"]["labels"] == {"1": 1, "2": 10**12}


def test_rows_without_a_label_count_nowhere(labelled, cli, read, tmp_path):
    """Null labels: the same as a layer without those rows, but for the scale of the variables."""
    frame = read(labelled[0])
    holes = frame.assign(cluster=frame["cluster"].astype("Int64").mask(frame.index < 5))
    holes.to_file(tmp_path / "holes.gpkg")
    frame.iloc[5:].to_file(tmp_path / "rest.gpkg")
    options = ("--label-column", "cluster", "--columns", "a,b", "--transform", "raw", "--json")
    one, two = (
        json.loads(cli("validate", tmp_path / name, *options).out) for name in ("holes.gpkg", "rest.gpkg")
    )
    assert one["sizes"] == two["sizes"]
    assert one["fit"]["wss"] == pytest.approx(two["fit"]["wss"])
    assert one["fit"]["tss"] == pytest.approx(two["fit"]["tss"])
    assert one["subclusters"] == two["subclusters"]


def test_requirements(grid, save, cli):
    frame = grid()
    frame["halves"] = np.where(np.arange(25) < 10, 1, 2)
    frame["stripes"] = np.arange(25) // 5 % 2 + 1
    source = save(frame)
    base = ("validate", source, "--columns", "a,b", "--id", "name", "--require")
    good = cli(*base, "contiguous,k=2,min-size=10,max-size=15", "--label-column", "halves")
    assert (good.code, [line for line in good.err.splitlines() if line.startswith("fault")]) == (0, [])
    assert "Contiguous: every cluster is one piece." in good.out
    bad = cli(*base, "contiguous", "--require", "k=3,min-size=11,max-size=14", "--label-column", "stripes")
    faults = [line for line in bad.err.splitlines() if line.startswith("fault: ")]
    assert bad.code == 3
    assert len(faults) == 5  # two clusters in pieces, k, one too small, one too large
    assert "3 pieces" in faults[0]
    assert "unit 0" in faults[0]
    assert "-q" not in bad.err
    assert cli("-q", *base, "contiguous", "--label-column", "stripes").err.count("fault: ") == 2


def test_requirements_that_need_no_neighbours(grid, cli, tmp_path):
    source = tmp_path / "in.csv"
    grid().drop(columns="geometry").assign(half=np.arange(25) // 13).to_csv(source, index=False)
    base = ("validate", source, "--label-column", "half", "--columns", "a,b", "--require")
    assert cli(*base, "min-size=12").code == 0
    assert cli(*base, "min-size=14").code == 3
    refused = cli(*base, "contiguous")
    assert refused.code in (1, 2)
    assert refused.errors
    assert refused.out == ""


def test_validate_writes_reports(labelled, cli, tmp_path):
    path, _ = labelled
    for form in ("json", "csv", "md"):
        found = cli(
            "validate",
            path,
            "--label-column",
            "cluster",
            "--columns",
            "a",
            "--report",
            tmp_path / f"v.{form}",
        )
        assert found.code == 0, found.err
        assert (tmp_path / f"v.{form}").stat().st_size > 100


@pytest.mark.parametrize(
    "spec", ["queen", "rook", "knn:4", "distance:1.5km", "distance:1500", "kernel:gaussian:5"]
)
def test_weights_against_libpysal(spec, squares, cli, read):
    from libpysal.graph import Graph

    frame = read(squares)
    points = frame.set_geometry(frame.centroid)
    graph = {
        "queen": lambda: Graph.build_contiguity(frame, rook=False),
        "rook": lambda: Graph.build_contiguity(frame, rook=True),
        "knn:4": None,  # ties are anyone's choice: only counts are compared
        "distance:1.5km": lambda: Graph.build_distance_band(points, 1500.0),
        "distance:1500": lambda: Graph.build_distance_band(points, 1500.0),
        "kernel:gaussian:5": None,
    }[spec]
    found = json.loads(cli("weights", squares, "--weights", spec, "--json").out)
    if graph is None:
        count = int(spec[-1])
        assert (found["n"], found["links"], found["min_degree"]) == (25, 25 * count, count)
    else:
        made = graph()
        assert found["links"] == len(made.adjacency)
        assert found["degrees"] == {
            str(d): int(n) for d, n in made.cardinalities.value_counts().sort_index().items()
        }
        assert found["symmetric"] is True
    assert found["islands"] == []


@pytest.mark.parametrize("form", ["gal", "gwt", "parquet"])
def test_weights_round_trip(form, squares, cli, tmp_path):
    """Written, read again and converted, they describe alike and give the same run."""
    file = tmp_path / f"w.{form}"
    built = cli("weights", squares, "--id", "name", "-o", file, "--json")
    assert built.code == 0, built.err
    again = cli("weights", squares, "--id", "name", "--weights", file, "--json")
    one, two = json.loads(built.out), json.loads(again.out)
    assert {**one, "kind": ""} == {**two, "kind": ""}
    reports = [
        json.loads(cli(*KMEANS, squares, "--id", "name", "--weights", spec, "--hops", 1, "--json").out)
        for spec in ("queen", file)
    ]
    for report in reports:
        report["fragmentation"].pop("weights")
        report["settings"].pop("weights", None)
        del report["notes"], report["command"]  # they name the source of the weights
    assert reports[0] == reports[1]
    for other in ("gal", "gwt", "parquet"):
        target = tmp_path / f"converted.{other}"
        assert (
            cli("weights", squares, "--id", "name", "--weights", file, "-o", target, "--overwrite").code == 0
        )
        last = json.loads(cli("weights", squares, "--id", "name", "--weights", target, "--json").out)
        assert last["degrees"] == one["degrees"]


def test_weights_are_read_by_libpysal(squares, cli, tmp_path):
    from libpysal.io import open as libpysal_open

    cli("weights", squares, "-o", tmp_path / "w.gal")
    file = libpysal_open(str(tmp_path / "w.gal"))
    try:
        weights = file.read()
    finally:
        file.close()
    assert weights.n == 25
    assert sum(weights.cardinalities.values()) == json.loads(cli("weights", squares, "--json").out)["links"]


def test_symmetric(squares, cli):
    def links(*options):
        found = json.loads(cli("weights", squares, "--weights", "knn:3", *options, "--json").out)
        return found["links"], found["symmetric"]

    (plain, _), (union, both), (mutual, also) = (
        links(),
        links("--symmetric", "union"),
        links("--symmetric", "mutual"),
    )
    assert mutual <= plain <= union
    assert (both, also) == (True, True)


def test_whole_numbers_are_ids_without_a_point(grid, save, cli, tmp_path):
    source = save(grid().assign(code=17031842400.0 + np.arange(25)))
    assert cli("weights", source, "--id", "code", "-o", tmp_path / "w.gal").code == 0
    heads = [line.split()[0] for line in (tmp_path / "w.gal").read_text().splitlines()[1::2]]
    assert heads == [str(17031842400 + unit) for unit in range(25)]


def test_islands_are_joined_and_listed(grid, save, cli):
    frame = grid().drop(index=[1, 5, 6])
    source = save(frame)
    kept = json.loads(cli("weights", source, "--id", "name", "--json").out)
    assert kept["islands"] == ["unit 0"]
    found = cli("weights", source, "--id", "name", "--islands", "nearest", "--json")
    joined = json.loads(found.out)
    assert (joined["islands"], len(joined["components"])) == ([], 1)
    assert ["unit 0" in link for link in joined["added"]] == [True] * len(joined["added"])
    assert any("joined unit 0" in note for note in found.notes)
    assert "Links made" in cli("weights", source, "--islands", "nearest").out


def dense(frame, mode, alpha, hops):
    """Smoothing as the formula says, with a full matrix."""
    shapes, centers = frame.geometry.to_numpy(), shapely.get_coordinates(frame.geometry.centroid)
    links = np.array([shapely.intersects(one, shapes) for one in shapes], dtype=float)
    np.fill_diagonal(links, 0)
    distance = np.hypot(*(centers[:, None] - centers[None]).transpose(2, 0, 1))
    if mode == "idw":
        links = links / np.where(distance > 0, distance, 1)
    elif mode == "gaussian":
        bandwidth = distance[links > 0].mean()
        links = links * np.exp(-((distance / bandwidth) ** 2) / 2)
    if mode != "sum":
        links = links / links.sum(axis=1, keepdims=True)
    values = frame[["a", "b"]].to_numpy()
    for _ in range(hops):
        values = alpha * values + (1 - alpha) * links @ values
    return values


@pytest.mark.parametrize("mode", ["mean", "sum", "idw", "gaussian"])
@pytest.mark.parametrize(("alpha", "hops"), [(0.5, 1), (0.3, 3), (0, 2), (1, 2)])
def test_smooth_against_a_dense_matrix(mode, alpha, hops, squares, cli, tmp_path, read):
    target = tmp_path / "s.gpkg"
    options = ("--alpha", alpha, "--hops", hops, "--smooth-mode", mode)
    found = cli("smooth", squares, "--columns", "a,b", *options, "-o", target)
    assert found.code == 0, found.err
    assert "columns added: a_smooth, b_smooth" in found.err
    frame = read(target)
    np.testing.assert_allclose(frame[["a_smooth", "b_smooth"]], dense(frame, mode, alpha, hops), rtol=1e-9)
    assert frame["a"].tolist() == read(squares)["a"].tolist()


def test_smooth_leaves_missing_values_null(grid, save, cli, tmp_path, read):
    frame = grid()
    frame.loc[3, "a"] = np.nan
    cli(
        "smooth",
        save(frame),
        "--columns",
        "a",
        "--missing",
        "drop",
        "-o",
        tmp_path / "s.gpkg",
        "--suffix",
        "2",
    )
    assert np.flatnonzero(read(tmp_path / "s.gpkg")["a2"].isna()).tolist() == [3]


def test_map_of_text_labels(grid, save, cli, tmp_path):
    frame = grid().assign(region=np.where(np.arange(25) < 12, "North & <East>", "Südwest"))
    target = tmp_path / "x.svg"
    found = cli("map", save(frame), "--label-column", "region", "-o", target, "--title", "Regions [of] 100%")
    assert found.code == 0, found.err
    assert f"map written to {target}" in found.err
    assert target.read_bytes().startswith(b"<?xml")


def test_empty_text_is_no_label(grid, save, cli):
    """A shapefile cannot tell null text from empty text."""
    source = save(grid().assign(zone=[""] * 4 + ["north"] * 10 + ["south"] * 11), "in.shp")
    found = json.loads(cli("validate", source, "--label-column", "zone", "--columns", "a,b", "--json").out)
    assert found["sizes"] == [10, 11]
    assert found["extra"]["labels"] == {"1": "north", "2": "south"}


def test_map_of_the_default_column(labelled, cli, tmp_path):
    assert cli("map", labelled[0], "-o", tmp_path / "x.png").code == 0
    assert (tmp_path / "x.png").stat().st_size > 5000


def described(cli, source):
    return json.loads(cli("info", source, "--json").out)


def test_info(grid, save, cli):
    frame = grid().to_crs("EPSG:4326")
    frame.loc[2, "a"] = np.nan
    shapes = frame.geometry.to_numpy().copy()
    shapes[0], shapes[1] = None, shapely.from_wkt("POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))")
    source = save(frame.set_geometry(shapes, crs=frame.crs))
    found = described(cli, source)
    assert (found["rows"], found["driver"], found["layer"]) == (25, "GeoPackage", "in")
    assert "geographic" in found["crs"]
    assert found["faults"]["null"] == 1
    assert found["faults"]["invalid"] == 1
    columns = {column["name"]: column for column in found["columns"]}
    assert columns["a"]["missing"] == 1
    assert columns["name"]["left_out"] == "text"
    advice = " ".join(found["advice"])
    for word in (
        "geographic",
        "1 row with an invalid geometry: ",
        "missing values in a (1)",
        "1 row without",
    ):
        assert word in advice
    assert cli("info", source).out.count("Advice") == 1


def lines(frame):
    return frame.set_geometry(frame.boundary)


def points(frame):
    return frame.set_geometry(frame.centroid)


def nowhere(frame):
    return frame.set_geometry([None] * 25, crs=frame.crs)


@pytest.mark.parametrize("kind", [lines, points, nowhere])
def test_info_of_every_kind(kind, grid, save, cli):
    source = save(kind(grid()), "in.parquet")
    found = described(cli, source)
    assert found["rows"] == 25
    assert cli("info", source).code == 0
    if kind is points:
        assert found["weights"]["kind"] == "knn:6"


def test_info_of_tables_and_single_rows(grid, save, cli, tmp_path):
    grid().drop(columns="geometry").to_csv(tmp_path / "in.csv", index=False)
    assert described(cli, tmp_path / "in.csv")["weights"] is None
    assert any("one row" in line for line in described(cli, save(grid(1, 1), "one.gpkg"))["advice"])


@pytest.mark.parametrize(
    "name",
    [
        *("guerry/Guerry.shp", "chi_sdoh/Chi-SDOH.shp", "messy/nyc/nyc.shp", "messy/tokyo/tokyomet262a.shp"),
        *("messy/scotlip/scotlip.shp", "messy/liverpool/liverpool_lsoa.geojson"),
        "messy/nyc_tracts/NYC_Tract_ACS2008_12.shp",
    ],
)
def test_info_of_real_layers(name, shared_data, cli):
    found = cli("info", shared_data(name))
    assert found.code == 0, found.err
    assert "Columns" in found.out


def test_zero_based_labels_are_told_apart_from_noise(squares, cli, tmp_path):
    """0 means not clustered, and it is said; booleans are two groups."""
    import pyogrio

    frame = pyogrio.read_dataframe(squares)
    frame["zero"] = [row % 3 for row in range(len(frame))]
    frame["both"] = [row % 2 == 0 for row in range(len(frame))]
    path = tmp_path / "labels.gpkg"
    frame.to_file(path)
    zero = cli("validate", path, "--label-column", "zero", "--columns", "a", "--json")
    told = f"{(frame['zero'] == 0).sum()} rows have label 0 in 'zero'"
    assert told in zero.err
    assert any(told in note for note in json.loads(zero.out)["notes"])
    both = cli("validate", path, "--label-column", "both", "--columns", "a", "--json")
    assert json.loads(both.out)["k"] == 2


def test_a_label_may_not_take_the_name_of_the_geometry(squares, cli, tmp_path):
    out = cli(
        "kmeans", squares, "--k", 2, "--columns", "a", "--label-column", "geom", "-o", tmp_path / "x.parquet"
    )
    assert out.code == 1
    assert "already has a column 'geom'" in out.err
    empty = cli(
        "kmeans", squares, "--k", 2, "--columns", "a", "--label-column", "", "-o", tmp_path / "x.gpkg"
    )
    assert empty.code == 2
