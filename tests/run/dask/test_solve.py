"""Layers in parts, files at both ends: what one machine answers, for all options that both have."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from regionalize.errors import DataError, OutputError, UsageError
from regionalize.methods import hartigan, race
from regionalize.methods import kmeans as module
from regionalize.model.job import Job, Outputs
from regionalize.run.dask import kmeans as parted
from regionalize.run.dask import partitions, solve, write
from regionalize.run.dask.cluster import check_address, connected
from regionalize.run.dask.solve import run_on_dask
from regionalize.run.files import run

N, SIDE = 3200, 60


def layer(geographic=False):
    """Units of a grid with a trend, text, gaps and a column of whole numbers."""
    rng = np.random.default_rng(1)
    x, y = (part.ravel()[:N].astype(float) for part in np.meshgrid(np.arange(SIDE), np.arange(SIDE)))
    step = 0.3 if geographic else 1000.0
    frame = geopandas.GeoDataFrame(
        {
            "name": [f"município {i}" for i in range(N)],
            "a": rng.normal(size=N) + x / 15,
            "b": rng.normal(size=N) + 1e6,
            "whole": rng.integers(0, 50, N),
            "same": np.full(N, 4.0),
        },
        geometry=shapely.box(x * step, y * step, (x + 1) * step, (y + 1) * step),
        crs="EPSG:4326" if geographic else "EPSG:3035",
    )
    frame.loc[::397, "a"] = np.nan
    return frame


def rows_beyond(frame, count):
    """Return the rows behind the first `count` that have all values."""
    return frame.index[np.cumsum(frame.a.notna()) > count]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Many rows are few, so that a small layer is worked on in parts; the search is short."""
    for place in (module, solve):
        monkeypatch.setattr(place, "MANY_ROWS", 1000)
    for name, value in {"SAMPLES": 1, "KEPT": 2, "FIRST_HEAT": 2, "SAMPLE": 400}.items():
        monkeypatch.setattr(race, name, value)
    for place in (hartigan, parted):  # in both engines
        monkeypatch.setattr(place, "MAX_ROUNDS", 2)
    monkeypatch.setattr(partitions, "FEWEST", 900)
    monkeypatch.setattr(partitions, "MOST", 1000)


@pytest.fixture
def job(client):
    return Job(
        k=5,
        columns=("a", "b", "whole", "same"),
        missing="drop",
        engine="dask",
        scheduler=client.scheduler.address,
        params={"max_iter": 4},
    )


def local(job):
    return replace(job, engine="local", scheduler=None)


def assert_same_report(found, expected):
    def close(mine, theirs):
        mine, theirs = (np.array(one, dtype=float) for one in (mine, theirs))
        scale = np.nanmax(np.abs(theirs), initial=1.0)
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-10 * scale)

    assert found.sizes == expected.sizes
    assert found.variables == expected.variables
    assert found.input["rows"] == expected.input["rows"]
    assert found.input["rows_used"] == expected.input["rows_used"]
    close(found.centers, expected.centers)
    close(found.r_squared, expected.r_squared)
    assert found.coordinate_share == pytest.approx(expected.coordinate_share)
    for name in ("mean", "sd", "z", "mean_of_all", "sd_of_all"):
        close(getattr(found.profiles, name), getattr(expected.profiles, name))
    for fits in ((found.fit, expected.fit), (found.fit_attributes, expected.fit_attributes)):
        assert (fits[0] is None) == (fits[1] is None)
        if fits[0] is not None:
            for name in ("tss", "wss", "bss", "ratio", "wss_by_cluster", "pseudo_f", "mean_distance"):
                close(getattr(fits[0], name), getattr(fits[1], name))


def test_labels_of_an_earlier_run_are_no_variable(tmp_path, job):
    source, labelled = tmp_path / "in.parquet", tmp_path / "labelled.parquet"
    layer().to_parquet(source, row_group_size=900)
    job = replace(job, columns=())
    run(str(source), local(job), Outputs(output=labelled, label_column="zone"))
    found, expected = (run(str(labelled), one, Outputs()).report for one in (job, local(job)))
    assert "zone" not in expected.variables
    assert_same_report(found, expected)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"missing": "mean", "with_centroids": True, "column_weights": (("b", 2.0),)},
        {"with_centroids": True, "centroid_weight": 0.4, "transform": "range-standardize"},
        {"with_centroids": True, "centroid_scale": "isotropic", "where": "whole < 45 AND name <> 'x'"},
        {"hops": 2, "with_centroids": True, "centroid_weight": 0.4},
        {"hops": 1, "smooth_mode": "gaussian", "weights": "rook", "missing": "mean"},
    ],
)
def test_labels_and_figures_are_those_of_one_machine(tmp_path, job, options):
    source, one, many = (tmp_path / f"{name}.parquet" for name in ("in", "one", "many"))
    layer().to_parquet(source, row_group_size=900)
    job = replace(job, **options)
    expected = run(str(source), local(job), Outputs(output=one))
    found = run_on_dask(str(source), job, Outputs(output=many))
    assert_same_report(found.report, expected.report)
    theirs, mine = geopandas.read_parquet(one), geopandas.read_parquet(many)
    assert len(list(many.glob("part.*.parquet"))) > 3
    assert mine.columns.tolist() == theirs.columns.tolist()
    assert (mine.cluster.isna() == theirs.cluster.isna()).all()
    assert (mine.cluster.dropna() == theirs.cluster.dropna()).all()
    assert mine.drop(columns=["cluster"]).equals(theirs.drop(columns=["cluster"]))
    assert mine.crs == theirs.crs


@pytest.mark.parametrize("points", [False, True])
def test_neighbours_that_go_without_saying_are_those_of_all_rows(tmp_path, job, points):
    """The first part has no shapes, or fewer than the nearest that are usual."""
    frame = layer().iloc[:1300]
    if points:
        frame["geometry"] = frame.centroid
        frame.loc[3:1049, "geometry"] = None
    else:
        frame.loc[:1049, "geometry"] = None
    frame.to_parquet(tmp_path / "in.parquet", row_group_size=600)
    job = replace(job, hops=1, missing="mean")
    expected = run(str(tmp_path / "in.parquet"), local(job), Outputs(output=tmp_path / "one.parquet"))
    found = run_on_dask(str(tmp_path / "in.parquet"), job, Outputs(output=tmp_path / "many.parquet"))
    assert_same_report(found.report, expected.report)
    mine, theirs = (geopandas.read_parquet(tmp_path / f"{name}.parquet") for name in ("many", "one"))
    assert mine.cluster.equals(theirs.cluster.astype(mine.cluster.dtype))


def test_longitude_and_latitude_are_projected_as_one_layer(tmp_path, job):
    frame = layer(geographic=True)
    frame.to_parquet(tmp_path / "in.parquet", row_group_size=400)
    job = replace(job, with_centroids=True)
    expected = run(str(tmp_path / "in.parquet"), local(job), Outputs()).report
    found = run_on_dask(str(tmp_path / "in.parquet"), job, Outputs()).report
    assert_same_report(found, expected)


def test_a_folder_of_parts_is_one_layer_in_the_order_of_numbers(tmp_path, job):
    """Also what a run wrote is read again, by its own labels' side."""
    frame, folder = layer(), tmp_path / "über parts.parquet"
    folder.mkdir()
    frame.to_parquet(tmp_path / "whole.parquet")
    for number, start in enumerate(range(0, N, 300)):  # to part 10
        frame.iloc[start : start + 300].to_parquet(folder / f"part {number}.parquet", index=False)
    whole = run_on_dask(str(tmp_path / "whole.parquet"), job, Outputs(output=tmp_path / "a.parquet"))
    parts = run_on_dask(str(folder), job, Outputs(output=tmp_path / "b.parquet"))
    assert_same_report(parts.report, whole.report)
    mine, theirs = (geopandas.read_parquet(tmp_path / f"{name}.parquet") for name in "ba")
    assert mine.equals(theirs)
    again = run_on_dask(str(tmp_path / "b.parquet"), job, Outputs(label_column="second"))
    assert again.report.sizes == parts.report.sizes


def test_paths_mean_the_same_on_workers_in_other_folders(tmp_path, job, monkeypatch):
    layer().iloc[:1200].to_parquet(tmp_path / "in.parquet", row_group_size=500)
    monkeypatch.chdir(tmp_path)  # the workers stay where they began
    run_on_dask("in.parquet", job, Outputs(output=Path("out.parquet"), report=Path("report.json")))
    assert len(geopandas.read_parquet("out.parquet")) == 1200
    assert json.loads(Path("report.json").read_text())["input"]["file"] == "in.parquet"


def test_a_file_that_workers_do_not_see_is_told(tmp_path):
    layer().iloc[:1200].to_parquet(tmp_path / "in.parquet", row_group_size=500)
    found = partitions.open_parts(tmp_path / "in.parquet")
    (tmp_path / "in.parquet").unlink()
    with pytest.raises(DataError, match="is not there for a worker; put it where all machines see it"):
        partitions.read_part(found.files, found.parts[0])


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="Windows sends no such signal to others")
def test_workers_leave_interrupts_to_who_started_them(client):
    def masked():
        return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])

    assert list(client.run(masked).values()) == [True, True]
    assert not masked()


def test_few_rows_are_grouped_in_this_process(tmp_path, job, monkeypatch):
    monkeypatch.setattr(solve, "MANY_ROWS", N)
    monkeypatch.setattr(module, "MANY_ROWS", N)
    frame = layer().iloc[:700]
    frame.to_parquet(tmp_path / "in.parquet", row_group_size=200)
    expected = run(str(tmp_path / "in.parquet"), local(job), Outputs(output=tmp_path / "one.parquet"))
    found = run_on_dask(str(tmp_path / "in.parquet"), job, Outputs(output=tmp_path / "many.parquet"))
    assert found.report.fit == expected.report.fit
    mine, theirs = (geopandas.read_parquet(tmp_path / f"{name}.parquet") for name in ("many", "one"))
    assert mine.cluster.equals(theirs.cluster.astype(mine.cluster.dtype))


def test_few_rows_that_are_left_are_grouped_as_few(tmp_path, job):
    """Many rows, of which most lack a value: the search of one machine for few rows finds more."""
    frame = layer()
    frame.loc[rows_beyond(frame, 300), "a"] = np.nan
    frame.to_parquet(tmp_path / "in.parquet", row_group_size=900)
    job = replace(job, k=12, params={})
    expected = run(str(tmp_path / "in.parquet"), local(job), Outputs(output=tmp_path / "one.parquet"))
    found = run_on_dask(str(tmp_path / "in.parquet"), job, Outputs(output=tmp_path / "many.parquet"))
    assert found.report.input["rows_used"] == 300
    assert_same_report(found.report, expected.report)
    mine, theirs = (geopandas.read_parquet(tmp_path / f"{name}.parquet") for name in ("many", "one"))
    assert mine.cluster.equals(theirs.cluster.astype(mine.cluster.dtype))


def test_parts_have_one_schema_and_tell_how_they_were_made(tmp_path, job):
    frame = layer()
    frame.loc[:1500, "geometry"] = frame.geometry[:1501].apply(lambda shape: shapely.MultiPolygon([shape]))
    frame.to_parquet(tmp_path / "in.parquet", row_group_size=500)
    run_on_dask(str(tmp_path / "in.parquet"), job, Outputs(output=tmp_path / "out.parquet"))
    files = sorted((tmp_path / "out.parquet").glob("part.*"))
    schemas = [pq.read_schema(file) for file in files]
    assert len(schemas) > 2
    assert all(schema.equals(schemas[0], check_metadata=True) for schema in schemas)
    assert pq.read_schema(tmp_path / "out.parquet" / "_common_metadata").equals(schemas[0])
    metadata = json.loads(schemas[0].metadata[b"geo"])
    assert metadata["columns"]["geometry"]["geometry_types"] == ["MultiPolygon", "Polygon"]
    made = json.loads(schemas[0].metadata[b"regionalize"])["runs"][-1]
    assert made["columns"] == ["cluster"]
    assert "--engine dask" in made["command"]


def test_what_is_there_stays_unless_it_may_be_replaced(tmp_path, job):
    source, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    layer().iloc[:900].to_parquet(source)
    outputs = Outputs(output=out)
    out.mkdir()
    (out / "part.00000.parquet").write_text("old")
    with pytest.raises(OutputError, match="already exists"):
        run_on_dask(str(source), job, outputs)
    run_on_dask(str(source), job, replace(outputs, overwrite=True))
    assert len(geopandas.read_parquet(out)) == 900
    (out / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds other things"):
        run_on_dask(str(source), job, replace(outputs, overwrite=True))
    assert (out / "notes.txt").read_text() == "mine"
    with pytest.raises(OutputError, match="is the input"):
        run_on_dask(str(source), job, Outputs(output=source, overwrite=True))
    with pytest.raises(OutputError, match=r"name it \.parquet"):
        run_on_dask(str(source), job, Outputs(output=tmp_path / "out.gpkg"))
    assert {path.name for path in tmp_path.iterdir()} == {"in.parquet", "out.parquet"}


def test_a_folder_that_a_killed_run_took_away_comes_back_first(tmp_path, job):
    """It counts as there, whatever else is."""
    (tmp_path / "report.json").touch()
    old = tmp_path / ".out.parquet.abcdefgh.tmp" / "swap.ijklmnop" / "old" / "out.parquet"
    old.mkdir(parents=True)
    (old / "part.00000.parquet").write_text("old")
    outputs = Outputs(output=tmp_path / "out.parquet", report=tmp_path / "report.json")
    with pytest.raises(OutputError, match=r"out\.parquet: already exists"):
        write.check_outputs(outputs, None, job)
    assert (tmp_path / "out.parquet" / "part.00000.parquet").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.parquet", "report.json"]


def test_a_file_gives_way_to_a_folder(tmp_path, job):
    """What one machine wrote is replaced by what workers write."""
    source, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    layer().iloc[:900].to_parquet(source)
    run(str(source), local(job), Outputs(output=out))
    before = geopandas.read_parquet(out)
    run_on_dask(str(source), job, Outputs(output=out, overwrite=True))
    assert out.is_dir()
    assert os.access(out, os.X_OK)
    assert stat.S_IMODE(out.stat().st_mode) & stat.S_IXUSR
    assert geopandas.read_parquet(out).equals(before)
    assert {path.name for path in tmp_path.iterdir()} == {"in.parquet", "out.parquet"}


def full_disk(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_worker_that_dies_while_it_writes_leaves_nothing_among_the_parts(tmp_path, monkeypatch):
    source, staged = tmp_path / "in.parquet", tmp_path / "staging" / "out.parquet"
    layer().iloc[:50].to_parquet(source)
    staged.mkdir(parents=True)
    parts = partitions.open_parts(source)
    about = {
        "codes": np.zeros((1, 50), np.int32),
        "kept": None,
        "path": str(staged / "part.00000.parquet"),
        "files": parts.files,
        "numbers": np.array([1]),
        "schema": write.schema_written(parts, "cluster", ""),
        "shown": "out.parquet",
    }

    class Killed(BaseException):
        pass

    def die(*_):
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(os, "replace", die)
        with pytest.raises(Killed):
            write.write_part(parts.parts[0], **about)
    assert list(staged.iterdir()) == []
    with monkeypatch.context() as full:
        full.setattr(pq, "write_table", full_disk)
        with pytest.raises(OutputError, match=r"^out\.parquet: there is no space"):
            write.write_part(parts.parts[0], **about)
    assert write.write_part(parts.parts[0], **about) == 50
    assert [path.name for path in staged.iterdir()] == ["part.00000.parquet"]


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("step", "failure", "says"),
    [
        ("regionalize.run.dask.write.move_into_place", OutputError("no"), "no"),
        ("pyarrow.parquet.write_metadata", FULL, "out.parquet: there is no space left on the device"),
    ],
)
def test_a_run_that_fails_leaves_nothing(tmp_path, job, monkeypatch, step, failure, says):
    layer().to_parquet(tmp_path / "in.parquet", row_group_size=500)

    def fail(*_):
        raise failure

    monkeypatch.setattr(step, fail)
    with pytest.raises(OutputError, match=says):
        run_on_dask(
            str(tmp_path / "in.parquet"),
            job,
            Outputs(output=tmp_path / "out.parquet", report=tmp_path / "report.json"),
        )
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_workers_that_have_no_room(monkeypatch):
    """The library only says that they have not started; the system has said why."""

    def fail(**_):
        try:
            raise OSError(errno.ENOSPC, "No space left on device", "dask-scratch-space")
        except OSError as error:
            raise RuntimeError("Nanny failed to start.") from error

    monkeypatch.setattr("distributed.LocalCluster", fail)
    says = r"the workers cannot be started \(No space left on device\); check the space there, or set TMPDIR"
    with pytest.raises(DataError, match=says) as found, connected(jobs=1):
        pass
    assert found.value.file == tempfile.gettempdir()


def test_what_a_killed_run_had_on_disk_is_removed(tmp_path, monkeypatch):
    code = """
        import os, distributed
        from regionalize.run.dask.cluster import connected

        def killed(*, local_directory, **_):
            open(os.path.join(local_directory, "spilled"), "w").close()
            os._exit(9)

        distributed.LocalCluster = killed
        with connected(jobs=1):
            pass
    """
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=environment, check=False)
    assert ended.returncode == 9
    assert len(list(tmp_path.glob("*/spilled"))) == 1

    def fail(**_):
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("distributed.LocalCluster", fail)
    with pytest.raises(DataError, match="the workers cannot be started"), connected(jobs=1):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_is_critical_for_the_library_is_an_error_here(client):
    assert not logging.getLogger("distributed.protocol.core").isEnabledFor(logging.CRITICAL)


@pytest.mark.parametrize(
    ("changed", "outputs", "words"),
    [
        ({"method": "kmedians"}, {}, "is for k-means, and kmedians needs all rows"),
        ({"make_contiguous": True}, {}, "--make-contiguous exclude"),
        ({"min_size": 5}, {}, "--min-size exclude"),
        ({"transform": "robust"}, {}, "--transform robust exclude"),
        ({"missing": "median"}, {}, "--missing median exclude"),
        ({"centroid_weight": "auto"}, {}, "takes a number for --centroid-weight"),
        ({"hops": 1, "weights": "w.gal"}, {}, "reads no file of neighbours"),
        ({"hops": 1, "islands": "nearest"}, {}, "--islands nearest exclude"),
        ({"scheduler": "nowhere"}, {}, "--scheduler nowhere is no address"),
        ({}, {"map": "m.png"}, "--map exclude"),
        ({}, {"qml": True}, "--qml exclude"),
    ],
)
def test_what_is_not_done_on_workers_is_refused(tmp_path, job, changed, outputs, words):
    layer().iloc[:50].to_parquet(tmp_path / "in.parquet")
    job = replace(job, params={}, **changed)
    if "map" in outputs:
        outputs = {"map": tmp_path / "m.png"}
    with pytest.raises(UsageError, match=words):
        run_on_dask(str(tmp_path / "in.parquet"), job, Outputs(**outputs))


def test_faults_of_the_data_are_told_with_the_file(tmp_path, job):
    frame, source = layer(), tmp_path / "in.parquet"
    frame.to_parquet(source, row_group_size=500)
    with pytest.raises(DataError, match=r"values are missing in 9 of 3200 rows: a \(9\)") as caught:
        run_on_dask(str(source), replace(job, missing="error"), Outputs())
    assert caught.value.file == str(source)
    with pytest.raises(DataError, match="every column is constant"):
        run_on_dask(str(source), replace(job, columns=("same",)), Outputs())
    with pytest.raises(DataError, match="no row satisfies"):
        run_on_dask(str(source), replace(job, where="whole > 99"), Outputs())
    with pytest.raises(DataError, match="reads GeoParquet"):
        run_on_dask(None, job, Outputs())
    with pytest.raises(DataError, match="there is no such file"):
        run_on_dask(str(tmp_path / "none.parquet"), job, Outputs())
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"is a folder, not a layer"):
        run_on_dask(str(tmp_path / "empty"), job, Outputs())
    (tmp_path / "empty" / "bad.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        run_on_dask(str(tmp_path / "empty"), job, Outputs())


def test_parts_of_other_columns_are_refused(tmp_path, job):
    frame = layer()
    frame.iloc[:900].to_parquet(tmp_path / "1.parquet")
    frame.iloc[900:].rename(columns={"b": "β"}).to_parquet(tmp_path / "2.parquet")
    with pytest.raises(DataError, match=r"its columns are not those of 1\.parquet: 'b' is in one") as caught:
        run_on_dask(str(tmp_path), job, Outputs())
    assert caught.value.file.endswith("2.parquet")


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr("regionalize.run.dask.cluster.PATIENCE", 1.0)
    with (
        pytest.raises(DataError, match=r"the scheduler tcp://127\.0\.0\.1:1 does not answer"),
        connected("tcp://127.0.0.1:1"),
    ):
        raise AssertionError("there is none")


def test_a_cluster_that_goes_away_is_told_in_one_line(client, caplog):
    def lose(error):
        with connected(client.scheduler.address):
            logging.getLogger("distributed.client").error("Failed to reconnect to scheduler")
            raise error

    with pytest.raises(DataError, match="the cluster went away") as caught:
        lose(OSError("Timed out trying to connect to tcp://127.0.0.1:1 after 10 s"))
    assert caught.value.advice == "start it again, and run this again"
    assert not caplog.records
    with pytest.raises(FileNotFoundError):  # a fault of a file stays one
        lose(FileNotFoundError(2, "No such file or directory"))


@pytest.mark.parametrize("address", ["", "8786", "localhost:8786", "http://a:1", "tcp://a", "tcp://a:x"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(UsageError, match="is no address"):
        check_address(address)


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("regionalize.run.dask.cluster.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"needs dask; pip install 'regionalize\[dask\]'"), connected():
        raise AssertionError("it is there")
