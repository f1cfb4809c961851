"""Options of large data are read, and refused where they cannot be meant."""

import geopandas
import pytest

import regionalize as rz
from regionalize.errors import UsageError
from regionalize.io.sample import sample_path
from regionalize.run.command import method_command
from regionalize.run.dask.solve import check_job
from regionalize.run.large import read_sample
from regionalize.run.options import make_job


def test_values_are_those_of_the_command_line_and_of_python():
    job = make_job("kmeans", {"k": 4, "batch_size": 256, "warm_start": 1000, "test_share": "20%"})
    assert (job.batch_size, job.warm_start, job.test_share) == (256, 1000, 0.2)
    assert make_job("kmeans", {"k": 4, "batch_size": 256, "test_share": 0.2}).test_share == 0.2
    assert make_job("kmeans", {"k": 4, "sample": 0.01}).sample == "1%"
    plain = make_job("kmeans", {"k": 4})
    assert (plain.batch_size, plain.sample, plain.engine) == (None, None, "local")


@pytest.mark.parametrize(
    ("typed", "read"),
    [("1%", "1%"), (" 0.5 % ", "0.5%"), ("5000", "5000"), (5000, "5000"), (0.25, "25%"), ("100%", "100%")],
)
def test_samples(typed, read):
    assert read_sample(typed) == read


@pytest.mark.parametrize("typed", ["", "0", "0%", "-1", "101%", "12.5", "many", "nan", "inf", "1e400"])
def test_what_is_no_sample(typed):
    with pytest.raises(UsageError, match=r"--sample is .*a share such as 1%, or a number of rows"):
        read_sample(typed)


@pytest.mark.parametrize(
    ("method", "given", "message"),
    [
        ("skater", {"sample": "1%"}, "--sample is for k-means, and skater needs all rows at once"),
        ("skater", {"engine": "dask"}, "--engine is for k-means"),
        ("kmeans", {"test_share": 0.2}, "--test-share is for rows that come in batches; add --batch-size"),
        ("kmeans", {"warm_start": 100}, "--warm-start is for rows that come in batches"),
        ("kmeans", {"scheduler": "tcp://a:1"}, "--scheduler is for Dask; add --engine dask"),
        ("kmeans", {"engine": "spark"}, "--engine is 'spark'; it must be one of local, dask"),
        ("kmeans", {"batch_size": 0}, "--batch-size is 0; it must be a whole number of at least 1"),
        ("kmeans", {"batch_size": 9, "test_share": 1}, "--test-share is 1; it must be below 1"),
        ("kmeans", {"batch_size": 9, "test_share": "most"}, "--test-share is most"),
        ("kmeans", {"batch_size": 9, "make_contiguous": True}, "--make-contiguous exclude each other"),
        ("kmeans", {"batch_size": 9, "min_size": 2}, "--min-size exclude each other"),
        ("kmeans", {"batch_size": 9, "transform": "robust"}, "a column at once; use --transform z"),
        ("kmeans", {"batch_size": 9, "missing": "median"}, "a column at once; use --missing mean"),
        ("kmeans", {"batch_size": 9, "transform": "mad"}, "--batch-size and --transform mad exclude"),
        ("kmeans", {"batch_size": 9, "centroid_weight": "auto"}, "takes a number for --centroid-weight"),
        ("kmeans", {"batch_size": 9, "islands": "nearest"}, "--islands nearest exclude each other"),
        ("kmeans", {"batch_size": 9, "sample": "1%"}, "both read a part of the rows"),
        ("kmeans", {"batch_size": 9, "embed": "pca:2"}, "--embed exclude each other: what series are"),
        ("kmeans", {"batch_size": 9, "engine": "dask"}, "two ways with large data"),
    ],
)
def test_what_cannot_be_meant(method, given, message):
    with pytest.raises(UsageError) as refusal:
        make_job(method, {"k": 3, **given})
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("given", "other"), [({"transform": "mad"}, "--transform z"), ({"missing": "median"}, "--missing mean")]
)
def test_what_needs_a_whole_column_on_workers(given, other):
    with pytest.raises(UsageError) as refusal:
        check_job(make_job("kmeans", {"k": 3, "engine": "dask", **given}))
    assert str(refusal.value).endswith(f"a column at once; use {other}")


def test_the_command_that_repeats_a_run_says_them():
    given = {"k": 4, "batch_size": 256, "test_share": 0.2, "warm_start": 500, "seed": 1}
    words = method_command(make_job("kmeans", given)).line("big.parquet")
    assert "--batch-size 256 --warm-start 500 --test-share 0.2" in words
    again = method_command(make_job("kmeans", {"k": 4, "sample": "1%"})).line("big.parquet")
    assert "--sample 1%" in again


def test_rows_in_memory_are_told_what_reads_files():
    counties = geopandas.read_file(sample_path())
    for given, name in (({"batch_size": 32}, "--batch-size"), ({"engine": "dask"}, "--engine")):
        with pytest.raises(UsageError, match=f"{name} reads a file, .*; call regionalize_file"):
            rz.regionalize(counties, k=3, **given)
