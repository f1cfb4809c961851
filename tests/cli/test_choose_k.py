"""`regionalize choose-k` at the shell: what it prints, writes and refuses."""

from __future__ import annotations

import csv
import json

import pytest

VARIABLES = ("--columns", "pct_rural,pct_bach,pct_pov")


def test_a_table_and_a_suggestion_that_fit_the_terminal(cli):
    found = cli("choose-k", "--k", "2-4,200", *VARIABLES)
    assert (found.code, found.errors) == (0, [])
    lines = found.out.splitlines()
    assert lines[0].startswith("choose-k, kmeans, k = 2 to 200, georgia.gpkg, 159 units")
    at = lines.index("Numbers of clusters")
    assert lines[at + 1].split() == [
        *("k", "BSS/TSS", "gap", "pseudo-F", "silhouette", "below", "0", "pieces", "joins", "contiguous")
    ]
    assert [line.split()[0] for line in lines[at + 2 : at + 6]] == ["2", "3", "4", "200"]
    assert "k = 200: k is 200, but there are only 159 rows to group" in lines
    assert any(line.startswith(("k = 2: ", "k = 3: ", "k = 4: ")) for line in lines[at + 7 :])
    assert max(map(len, lines)) <= 80
    assert found.notes == ["note: no INPUT given: using the bundled sample, 159 counties of Georgia (USA)"]


def test_a_grid_is_a_table_per_combination(cli):
    found = cli("choose-k", "--k", "2,3", *VARIABLES, "--hops", "0,1", "--alpha", ".3,.5", "--method", "schc")
    titles = [line for line in found.out.splitlines() if line.startswith("Hops")]
    assert titles == ["Hops 0", "Hops 1, alpha 0.3", "Hops 1, alpha 0.5"]
    assert max(map(len, found.out.splitlines())) <= 80


def test_json_is_one_document_with_everything(cli):
    found = cli("choose-k", "--k", "1-5", *VARIABLES, "--centroid-weight", "0,.5", "--json")
    document = json.loads(found.out)
    assert document["suggestion"]["k"] in range(2, 6)
    assert document["suggestion"]["centroid_weight"] in {0, 0.5}
    assert len(document["candidates"]) == 10
    one = document["candidates"][2]
    assert (one["k"], one["centroid_weight"]) == (3, 0)
    assert len(one["silhouettes"]["by_cluster"]) == 3
    assert sum(one["silhouettes"]["negative_by_cluster"]) == one["negative"]
    assert one["wss"] == pytest.approx(document["tss"] * (1 - one["bss_tss_attributes"]))
    assert sum(row["suggested"] for row in document["candidates"]) == 1
    assert document["candidates"][0]["silhouettes"] is None
    assert document["input"]["rows_used"] == 159
    assert "k" not in document["settings"]


def test_reports_and_plot_are_written_and_agree(cli, tmp_path):
    table, text, document, plot = (tmp_path / f"k.{ending}" for ending in ("csv", "md", "json", "pdf"))
    for report in (table, text, document):
        found = cli("choose-k", "--k", "2-4", *VARIABLES, "--report", report, "--plot", plot, "--overwrite")
        assert found.code == 0
        assert f"report written to {report}" in found.err
        assert f"plot written to {plot}" in found.err
    rows = list(csv.DictReader(table.read_text().splitlines()))
    tried = json.loads(document.read_text())["candidates"]
    assert [float(row["silhouette"]) for row in rows] == [one["silhouette"] for one in tried]
    assert [row["contiguous"] for row in rows] == [str(one["contiguous"]) for one in tried]
    assert text.read_text().count("\n| ") >= 3 + 3
    assert plot.read_bytes()[:5] == b"%PDF-"


def test_the_suggestion_is_what_the_command_then_finds(cli):
    chosen = json.loads(cli("choose-k", "--k", "2-6", *VARIABLES, "--json").out)
    row = next(one for one in chosen["candidates"] if one["suggested"])
    alone = json.loads(cli("kmeans", "--k", row["k"], *VARIABLES, "--json").out)
    assert alone["bss_tss_attributes"] == pytest.approx(row["bss_tss_attributes"], rel=1e-6)
    assert alone["subclusters"] == row["subclusters"]


def test_options_come_from_a_config_file_too(cli, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(
        'columns = ["pct_rural", "pct_pov"]\n[choose-k]\nk = "2,3"\nhops = "0,1"\nmethod = "skater"\n'
    )
    document = json.loads(cli("--config", config, "choose-k", "--json").out)
    assert [(one["k"], one["hops"]) for one in document["candidates"]] == [(2, 0), (3, 0), (2, 1), (3, 1)]
    assert document["settings"]["method"] == "skater"


def test_timing_tells_every_stage(cli):
    found = cli("choose-k", "--k", "2,3", *VARIABLES, "--timing")
    line = next(line for line in found.err.splitlines() if line.startswith("timing:"))
    for stage in ("read", "weights", "features", "kmeans", "measure", "silhouettes", "write"):
        assert f"{stage} " in line


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("--k", "2-"), 2, "--k holds '2-'"),
        (("--k", "9-3"), 2, "its end is below its beginning"),
        (("--method", "maxp"), 2, "maxp finds the number of clusters itself"),
        (("--method", "kmeans:k=3"), 2, "k is what is to be chosen"),
        (("--method", "skatr"), 2, "did you mean 'skater'?"),
        (("--k", "200-210"), 2, "k is 200, but there are only 159 rows"),
        (("--plot", "k.gif"), 1, "--plot cannot be written as '.gif'"),
        (("--report", "k.txt"), 1, "--report cannot be written as '.txt'"),
        (("--plot", "there.png"), 1, "already exists"),
        (("--plot", "nowhere/k.png"), 1, "nowhere"),
        (("--min-size", "100"), 1, "2 clusters of at least 100 units need 200"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(refused, tmp_path, monkeypatch, args, code, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.png").write_bytes(b"mine")
    refused("choose-k", *VARIABLES, *args, code=code, says=(says,))


def test_one_file_cannot_be_both(refused, tmp_path):
    (tmp_path / "k.svg").symlink_to(tmp_path / "k.csv")
    args = ("--plot", tmp_path / "k.svg", "--report", tmp_path / "k.csv")
    refused("choose-k", *VARIABLES, *args, code=2, says=("the same file",))


def test_names_with_accents_go_through(cli, tmp_path):
    file = tmp_path / "são.geojson"
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [i / 100, 0]},
            "properties": {"população": float(i % 3 * 10 + i / 7), "área": float(i % 2)},
        }
        for i in range(30)
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    plot = tmp_path / "ação.svg"
    found = cli("choose-k", file, "--k", "2-5", "--plot", plot)
    assert found.code == 0
    assert "população, área" in found.out
    assert "população, área" in plot.read_text(encoding="utf-8")
