"""The table of a batch: a row per item, typed, and the same figures as the report has."""

from __future__ import annotations

import csv
import json
from dataclasses import fields, replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regionalize.errors import OutputError
from regionalize.io.read import read_layer
from regionalize.io.reports import report_document
from regionalize.model.job import Job, Outputs
from regionalize.model.report import Fit, Fragmentation
from regionalize.run.batch.items import Finished, Item, Part
from regionalize.run.batch.summary import MEASURES, measures_of, summary_rows, summary_table, write_summary
from regionalize.run.options import make_job
from regionalize.run.silhouettes import with_silhouettes
from regionalize.run.solve import solve

COLUMNS = "pct_rural,pct_pov"


def solved(method="kmeans", **options):
    return solve(read_layer(None), make_job(method, {"k": 4, "columns": COLUMNS, **options}))


def done(solution, name="a", **about):
    item = Item(name=name, source="georgia.gpkg", job=solution.job, outputs=Outputs(), **about)
    return Finished(
        item=item, status="done", seconds=1.5, measures=measures_of(solution.report), notes=("x", "y")
    )


def failed(name="b", **options):
    item = Item(name=name, source="b.gpkg", job=make_job("kmeans", {"k": 9, **options}), outputs=Outputs())
    return Finished(item=item, status="failed", seconds=0.1, error="b.gpkg: is damaged; get it again")


@pytest.mark.parametrize("options", [{}, {"with_centroids": True}, {"centroid_weight": 0.4}, {"hops": 1}])
def test_measures_are_those_of_the_report(options):
    report = solved(**options).report
    found, document = measures_of(report), report_document(report)
    for name in ("k", "bss_tss_all", "bss_tss_attributes", "contiguous", "subclusters"):
        assert found[name] == document[name]
    attributes = document["fit_attributes"] or document["fit"]
    for name in ("tss", "wss", "bss", "pseudo_f", "mean_distance"):
        assert found[name] == document["fit"][name]
        assert found[f"{name}_attributes"] == attributes[name]
    assert found["smallest"] == min(report.sizes)
    assert found["largest"] == max(report.sizes)
    assert (found["rows"], found["rows_used"]) == (159, 159)
    assert found["silhouette"] is None


def test_every_scalar_of_a_report_has_a_column():
    """A measure that is added to the report is not forgotten here."""
    scalars = ("float", "float | None", "int", "bool", "str")
    for kind, other in ((Fit, {"ratio"}), (Fragmentation, set())):
        names = {field.name for field in fields(kind) if field.type in scalars}
        assert names - other <= set(MEASURES)


def test_silhouettes_where_they_are_asked_for():
    report = with_silhouettes(solved()).report
    found = measures_of(report)
    assert found["silhouette"] == report.silhouettes.mean
    assert found["silhouette_units"] == 159


def test_what_a_method_adds_is_flat():
    report = solved("azp", compactness=0.3, restarts=1, iterations=50).report
    found = measures_of(report)
    assert found["compactness_weight"] == report.extra["compactness"]["weight"] == 0.3
    assert all(value is None or isinstance(value, str | bool | int | float) for value in found.values())


def test_options_that_vary_are_columns():
    one, other = solved(), solved(with_centroids=True, transform="mad")
    rows = summary_rows([done(one), done(other, "c"), failed(hops=2)])
    assert [row["with_centroids"] for row in rows] == [False, True, False]
    assert [row["transform"] for row in rows] == ["z", "mad", "z"]
    assert [row["hops"] for row in rows] == [0, 0, 2]
    assert [row["k"] for row in rows] == [4, 4, 9]
    assert "alpha" not in rows[0]
    assert len({tuple(row) for row in rows}) == 1


def test_an_option_of_one_method_is_null_for_others():
    rows = summary_rows([done(solved()), done(solved("schc", linkage="average"), "c")])
    assert [row["linkage"] for row in rows] == [None, "average"]


def test_a_failed_run_has_its_reason():
    row = summary_rows([done(solved()), failed()])[1]
    assert row["status"] == "failed"
    assert row["error"] == "b.gpkg: is damaged; get it again"
    assert row["bss_tss_all"] is None


def test_parquet_has_the_same_types_whether_or_not_anything_is_known(tmp_path):
    full, empty = summary_table(summary_rows([done(solved())])), summary_table(summary_rows([failed()]))
    for name in set(full.column_names) & set(empty.column_names):
        assert full.schema.field(name).type == empty.schema.field(name).type, name
    assert set(MEASURES) <= set(empty.column_names)
    assert not any(pa.types.is_null(kind) for kind in (*full.schema.types, *empty.schema.types))
    write_summary(tmp_path / "s.parquet", ".parquet", [failed()])
    assert pq.read_table(tmp_path / "s.parquet").schema.equals(empty.schema)


def test_all_forms_hold_the_same(tmp_path):
    finished = [done(solved(), part=Part(column="state", value='d\'Oeste, "x"')), failed()]
    rows = summary_rows(finished)
    for suffix in (".csv", ".json", ".parquet"):
        write_summary(tmp_path / f"s{suffix}", suffix, finished)
    assert json.loads((tmp_path / "s.json").read_text(encoding="utf-8")) == rows
    assert pq.read_table(tmp_path / "s.parquet").to_pylist() == rows
    with (tmp_path / "s.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["part"] for row in read] == ['d\'Oeste, "x"', ""]
    assert float(read[0]["wss"]) == rows[0]["wss"]
    assert read[1]["wss"] == ""


@pytest.mark.parametrize(
    ("values", "kind"),
    [(["CE", "PE"], pa.string()), ([2010, 2020], pa.int64()), ([True, False], pa.bool_())],
)
def test_values_of_parts(values, kind):
    job = Job(k=2)
    finished = [
        Finished(
            item=Item(name=str(v), source="a", job=job, outputs=Outputs(), part=Part(column="c", value=v)),
            status="failed",
        )
        for v in values
    ]
    table = summary_table(summary_rows(finished))
    assert table["part"].to_pylist() in (values, [str(value) for value in values])
    if table.schema.field("part").type != pa.string():
        assert table.schema.field("part").type == kind


def test_nothing_at_all_is_a_table_without_rows(tmp_path):
    write_summary(tmp_path / "s.parquet", ".parquet", [])
    assert pq.read_table(tmp_path / "s.parquet").num_rows == 0


def test_an_option_named_like_a_measure_has_a_column_of_its_own():
    items = [done(solved("spectral", neighbors=number), str(number)) for number in (8, 12)]
    rows = summary_rows(items)
    assert [row["option_neighbors"] for row in rows] == [8, 12]
    links = items[0].measures["neighbors"]
    assert [row["neighbors"] for row in rows] == [links, links] != [8, 12]


def test_an_option_named_like_a_fact_of_a_method_has_one_too():
    one, other = done(solved(hops=1)), done(solved(hops=2), "c")
    rows = summary_rows([replace(found, measures={**found.measures, "hops": 99}) for found in (one, other)])
    assert [(row["option_hops"], row["hops"]) for row in rows] == [(1, 99), (2, 99)]


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_names_that_are_no_text_are_escaped(tmp_path, suffix):
    one = failed("caf\udce9")
    write_summary(tmp_path / "s", suffix, [replace(one, error="caf\udce9.gpkg: no", notes=("\ud800",))])
    assert b"caf\\udce9" in (tmp_path / "s").read_bytes().replace(b"\\\\", b"\\")


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
@pytest.mark.parametrize("fact", [10**30, -(10**30), 2**63, 10**400, float("inf"), "x", None])
def test_facts_that_fit_no_column(tmp_path, suffix, fact):
    one, other = done(solved()), done(solved(), "c")
    items = [replace(one, measures={**one.measures, "fact": fact}), replace(other, measures={"fact": 1})]
    write_summary(tmp_path / "s", suffix, items)
    if suffix == ".parquet":
        column = pq.read_table(tmp_path / "s")["fact"].to_pylist()
        assert float(column[1]) == 1
        assert column[0] in (fact, str(fact)) or float(column[0]) == float(fact)


def test_what_cannot_be_written_is_said_in_a_line(tmp_path, monkeypatch):
    def broken(*_):
        raise pa.ArrowInvalid("never seen before")

    monkeypatch.setattr(pq, "write_table", broken)
    with pytest.raises(OutputError, match=r"s.parquet: the summary cannot be written \(ArrowInvalid: never"):
        write_summary(tmp_path / "s.parquet", ".parquet", [failed()])
