"""Figures others have published or computed, reached from the command line (skipped without the layers)."""

from __future__ import annotations

import json

import numpy as np
import pytest

GUERRY = "Crm_prs,Crm_prp,Litercy,Donatns,Infants,Suicids"
CEARA = ("--where", "ufn = 'Ceará'", "--columns", "t_dens,t_lixo,t_luz,t_banagua,agua_esgoto,rdpc", "--k", 12)
NATREGIMES = "HR90,RD90,PS90,UE90,DV90,MA90,FH90,GI89"


@pytest.fixture
def report(cli):
    """Run with --json and return the document."""

    def run(*args):
        found = cli("-q", "kmeans", *args, "--json")
        assert found.code == 0, found.err
        return json.loads(found.out)

    return run


@pytest.mark.parametrize(("k", "ratio"), [(4, 0.433764), (5, 0.497772), (6, 0.552514)])
def test_guerry(k, ratio, shared_data, report):
    source = shared_data("guerry/Guerry.shp")
    found = report(source, "--columns", GUERRY, "--k", k)
    assert found["bss_tss_all"] == pytest.approx(ratio, abs=5e-7)
    assert found["fit"]["tss"] == pytest.approx(84 * 6)


@pytest.fixture
def validated(shared_data, cli, tmp_path, read):
    """Put labels of GeoDa's on Guerry and measure them."""
    frame = read(shared_data("guerry/Guerry.shp"))

    def measure(labels):
        frame.assign(label=labels).to_file(tmp_path / "labelled.gpkg")
        options = ("--label-column", "label", "--columns", GUERRY, "--json")
        found = cli("-q", "validate", tmp_path / "labelled.gpkg", *options)
        assert found.code == 0, found.err
        return json.loads(found.out)

    return measure


def test_sums_of_squares_as_geoda_has_them(validated, shared_reference):
    for run in shared_reference["results"][::10]:
        found = validated(run["labels"])
        fit = found["fit"]
        assert found["sizes"] == run["sizes"]
        # clusters of one size come in either order
        assert sorted(fit["wss_by_cluster"]) == pytest.approx(sorted(run["within"]), abs=1e-9)
        expected = [run[name] for name in ("TSS", "WSS", "BSS", "ratio")]
        assert [fit["tss"], fit["wss"], fit["bss"], fit["ratio"]] == pytest.approx(expected)


def test_validation_as_geoda_has_it(validated, shared_reference):
    for run in shared_reference["validation"]:
        spatial = validated(run["labels"])["fragmentation"]
        assert spatial["contiguous"] is run["spatially_constrained"]
        pairs = {"entropy": "entropy", "entropy_normalized": "std_entropy", "simpson": "simpson"}
        for own, theirs in {**pairs, "simpson_normalized": "std_simpson"}.items():
            assert spatial[own] == pytest.approx(run["fragmentation"][theirs])
        assert (spatial["neighbors"], spatial["joins"]) == (
            run["all_joincount"]["neighbors"],
            run["all_joincount"]["join_count"],
        )
        for cluster, expected in zip(spatial["clusters"], run["joincount"], strict=True):
            assert (cluster["members"], cluster["neighbors"], cluster["joins"]) == (
                expected["n"],
                expected["neighbors"],
                expected["join_count"],
            )
        if spatial["contiguous"]:
            own = sorted((cluster["diameter"], cluster["diameter_ratio"]) for cluster in spatial["clusters"])
            theirs = sorted((cluster["steps"], cluster["ratio"]) for cluster in run["diameter"])
            np.testing.assert_allclose(own, theirs)


@pytest.mark.parametrize("seed", [123456789, 1, 42])
def test_ceara_whatever_the_seed(seed, shared_data, report):
    found = report(shared_data("brazil/municipalities.gpkg"), *CEARA, "--seed", seed)
    assert found["input"]["rows_used"] == 184
    assert found["bss_tss_all"] == pytest.approx(0.727954, abs=5e-7)
    assert found["fit"]["tss"] == pytest.approx(1098)  # 183 × 6, as in the book's tables


def test_ceara_with_centroids(shared_data, report):
    """Centroids cost fit over the attributes and buy compactness."""
    source = shared_data("brazil/municipalities.gpkg")
    plain, near = report(source, *CEARA), report(source, *CEARA, "--with-centroids")
    assert near["fit"]["tss"] == pytest.approx(1464)  # 183 × 8
    assert near["coordinate_share"] == pytest.approx(0.25)
    assert near["subclusters"] < plain["subclusters"]
    assert near["bss_tss_attributes"] < plain["bss_tss_attributes"]
    assert not near["contiguous"]


def test_a_quarter_of_the_weight_is_plain_centroids(shared_data, report):
    """With six attributes, W = 0.25 weighs all eight variables alike: the same clusters."""
    source = shared_data("brazil/municipalities.gpkg")
    plain, weighted = (
        report(source, *CEARA, "--with-centroids"),
        report(source, *CEARA, "--centroid-weight", 0.25),
    )
    assert weighted["sizes"] == plain["sizes"]
    assert weighted["fit"]["tss"] == pytest.approx(1098)
    assert weighted["bss_tss_all"] == pytest.approx(plain["bss_tss_attributes"])
    assert weighted["subclusters"] == plain["subclusters"]


@pytest.mark.slow
def test_ceara_contiguous_by_weight(shared_data, cli):
    """The smallest hundredth that leaves 12 pieces, or exit code 1 saying there is none."""
    found = cli(
        "kmeans", shared_data("brazil/municipalities.gpkg"), *CEARA, "--centroid-weight", "auto", "--json"
    )
    if found.code == 1:
        assert "no weight of the centroids" in found.errors[0]
        return
    document = json.loads(found.out)
    curve = document["extra"]["trade_off"]
    assert document["contiguous"] is True
    assert document["subclusters"] == 12
    assert [point["weight"] for point in curve] == [round(step / 100, 2) for step in range(101)]
    assert curve[0]["subclusters"] > 50
    chosen = document["extra"]["centroid_weight"]
    assert chosen == min(point["weight"] for point in curve if point["subclusters"] == 12)


def test_natregimes(shared_data, report):
    found = report(shared_data("natregimes/natregimes.shp"), "--columns", NATREGIMES, "--k", 12)
    assert found["bss_tss_all"] == pytest.approx(0.639291, abs=5e-7)
    assert sum(found["sizes"]) == 3085


def test_chicago_within_a_bound(shared_data, cli, tmp_path, read):
    """Every cluster holds a tenth of the people, at a cost in fit."""
    source = shared_data("chicago_cca/Chicago_2020_sdoh.shp")
    variables = ("--columns", "INCPERCAP,Und20,Ov65,Minrty,Unemprt,Noveh", "--k", 6, "--json")
    free = json.loads(cli("-q", "kmeans", source, *variables).out)
    target = tmp_path / "x.gpkg"
    found = cli("-q", "kmeans", source, *variables, "--min-bound", "TOT_POP=10%", "-o", target)
    assert found.code == 0, found.err
    people = read(target).groupby("cluster")["TOT_POP"].sum()
    assert len(people) == 6
    assert people.min() >= 0.1 * people.sum()
    assert json.loads(found.out)["bss_tss_all"] <= free["bss_tss_all"] + 1e-12


@pytest.mark.parametrize("name", ["Chi-SDOH_com.gal", "Chi-SDOH_k6.gwt", "Chi-SDOH_vk6.gwt"])
def test_weights_that_geoda_wrote(name, shared_data, cli):
    source, file = shared_data("chi_sdoh/Chi-SDOH.shp"), shared_data(f"chi_sdoh/{name}")
    found = cli("weights", source, "--weights", file, "--json")
    assert found.code == 0, found.err
    document = json.loads(found.out)
    assert document["n"] == 791
    if name.endswith("k6.gwt"):
        assert (document["min_degree"], document["max_degree"]) == (6, 6)
    degrees = np.array([[int(degree), units] for degree, units in document["degrees"].items()])
    assert degrees[:, 1].sum() == 791
    assert (degrees[:, 0] * degrees[:, 1]).sum() == document["links"]
