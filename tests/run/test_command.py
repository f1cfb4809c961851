"""The command line of a run, read again by the program itself, is that run."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest import mock

import geopandas
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import regionalize as rz
from regionalize.cli.program import run_program
from regionalize.errors import UsageError
from regionalize.io.sample import sample_path
from regionalize.model.catalog import METHODS
from regionalize.model.job import Job, Outputs
from regionalize.model.method import Length, Share
from regionalize.model.weights import Weights
from regionalize.run.command import (
    assign_command,
    contiguous_command,
    method_command,
    validate_command,
)
from regionalize.run.options import make_job
from regionalize.run.start import require_k
from regionalize.studies.commands import choose_command, compare_command, stability_command
from regionalize.studies.grid import read_grid, read_numbers
from regionalize.studies.labelings import read_words

LETTERS = "ab ,='\"é日%$`\\|*[-\n\t;&<>#"


class ToldError(Exception):
    """What a command would have done; raised in its place."""


@contextmanager
def watched(place: str):
    """Catch what a command hands on to the function at `place`; yield where it is noted."""
    called = mock.Mock(side_effect=ToldError)
    with mock.patch(place, called):
        yield called


def told(line: str, place: str) -> tuple[tuple, dict]:
    """Run a command line up to the function at `place`; return what that was given."""
    program, *words = shlex.split(line)
    assert program == "regionalize"
    with watched(place) as called, pytest.raises(ToldError):
        run_program(["-q", *words])
    return called.call_args.args, called.call_args.kwargs


def run_told(line: str) -> tuple[str | None, Job, Outputs]:
    """Return layer, job and outputs that a command line of a method comes to."""
    args, _ = told(line, "regionalize.cli.methods.run_and_show")
    return args[1], args[2], args[3]


names = st.text(LETTERS, min_size=1, max_size=6)
texts = st.text(LETTERS, min_size=1, max_size=12)
lists = st.lists(names, max_size=3, unique=True).map(tuple)
shares = st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0, 1e-7])
amounts = st.integers(0, 10**7) | st.floats(0, 1e9) | st.integers(0, 100).map(lambda share: f"{share}%")
few = st.integers(1, 40)


def values_of(param):
    """Draw values of a method's own option."""
    low = 0.0 if param.minimum is None else float(param.minimum)
    low = low if param.above is None else param.above + 0.01
    high = 0.99 if param.below == 1 else 50.0
    if isinstance(param.kind, tuple):
        return st.sampled_from(param.kind)
    if param.kind is int:
        return st.integers(int(low), 60)
    if param.kind is Length:
        return st.sampled_from(["1km", "500m", 0.25, 12.0])
    if param.kind in (float, Share):
        return st.floats(low, high)
    return st.sampled_from(param.words) | texts if param.words else texts


@st.composite
def jobs(draw, *, method=None):
    """Draw a method and options for it, of any kind; those that exclude each other are drawn again."""
    row = METHODS[method or draw(st.sampled_from(sorted(METHODS)))]
    choices = {
        "layer": texts,
        "where": texts,
        "id": names,
        "encoding": st.sampled_from(["latin-1", "utf-8"]),
        "columns": lists,
        "exclude": lists,
        "missing": st.sampled_from(["error", "drop", "mean", "median"]),
        "transform": st.sampled_from(["z", "mad", "raw"]),
        "embed": st.sampled_from(["pca:2", "trend", "season:12", "season:365.25"]),
        "column_weights": st.dictionaries(names, st.floats(0, 1e6), max_size=3),
        "with_centroids": st.booleans(),
        "centroid_weight": st.just("auto") | shares,
        "centroid_scale": st.sampled_from(["axis", "isotropic"]),
        "project": st.sampled_from(["auto", "none", "EPSG:32724"]),
        "hops": st.integers(0, 3),
        "alpha": shares,
        "smooth_mode": st.sampled_from(["mean", "idw"]),
        "dtype": st.sampled_from(["float64", "float32"]),
        "weights": st.sampled_from(["rook", "knn:4", "distance:50km", "my weights.gal"]),
        "snap": st.floats(0, 100),
        "islands": st.sampled_from(["keep", "nearest", "error"]),
        "min_size": few,
        "max_size": few,
        "min_bound": st.tuples(names, amounts),
        "max_bound": st.tuples(names, amounts),
        "within": names,
        "compactness": st.floats(0, 0.99),
        "locked": names,
        "make_contiguous": st.booleans(),
        "seed": st.integers(0, 2**63 - 1),
        **{param.name: values_of(param) for param in row.params},
    }
    chosen = draw(st.lists(st.sampled_from(sorted(choices)), max_size=8, unique=True))
    given_ = {name: draw(choices[name]) for name in chosen}
    number = {"k": draw(few | (st.lists(few, min_size=2, max_size=3) if row.nested else few))}
    number = number if row.takes_k and row.instead_of_k not in given_ else {}
    while True:
        try:
            job = make_job(row.name, {**given_, **number})
            require_k(row, job)
        except UsageError:  # one of them does not go with the others
            given_.pop(draw(st.sampled_from(sorted(given_))))
            number = number or ({"k": 5} if row.takes_k and row.instead_of_k not in given_ else {})
        else:
            return job


def is_typable(job: Job) -> bool:
    """Whether lists hold nothing that the reader of lists drops: blanks at the ends of names."""
    listed = [*job.columns, *job.exclude, *(name for name, _ in job.column_weights)]
    pairs = [pair[0] for pair in (job.min_bound, job.max_bound) if pair is not None]
    return all(name == name.strip() for name in (*listed, *pairs))


@settings(max_examples=300)
@given(job=jobs())
@example(job=Job(method="schc", k=8, levels=(4,)))
@example(job=Job(method="balance", k=3, compactness=0.0))
@example(job=Job(columns=("a\nb", 'c"d', "e,f"), k=2))
def test_read_again_it_is_the_same_job(job):
    line = method_command(job).line("in.gpkg")
    if not is_typable(job):
        assert line == ""
        return
    source, again, _ = run_told(line)
    assert source == "in.gpkg"
    assert again == replace(job, jobs=None)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_with_all_its_own_options(method):
    row = METHODS[method]
    own = {}
    for param in row.params:
        if param.name == row.instead_of_k:
            continue
        kinds = {int: 7, float: 0.5, Share: 0.25, Length: "2km", str: "my, plan's"}
        own[param.name] = param.kind[-1] if isinstance(param.kind, tuple) else kinds[param.kind]
    job = make_job(method, {**own, **({"k": 4} if row.takes_k else {}), "seed": 3})
    line = method_command(job).line("in.gpkg")
    assert line.startswith(f"regionalize {method} in.gpkg ")
    assert run_told(line)[1] == job


def test_only_what_differs_is_said():
    assert method_command(make_job("kmeans", {"k": 4, "transform": "z", "hops": 0})).line() == (
        "regionalize kmeans INPUT --k 4 --seed 123456789"
    )
    assert "--with-centroids" not in method_command(make_job("kmeans", {"centroid_weight": 0.3})).line()
    assert "--compactness" not in method_command(make_job("balance", {"k": 2})).line()


@pytest.mark.parametrize("source", ["-odd.gpkg", "-", "it's a file.gpkg", "ö/ä $HOME.gpkg", None])
def test_layers_and_outputs(source):
    outputs = Outputs(output=Path("my out.gpkg"), output_layer="of k=4", label_column="région")
    line = method_command(make_job("kmeans", {"k": 4})).line(source, outputs)
    found, _, written = run_told(line)
    assert found == (f"./{source}" if source == "-odd.gpkg" else source)
    assert written == outputs


@pytest.mark.parametrize("way", ["keep-k", "split", "best"])
def test_contiguous(way):
    job = make_job("kmeans", {"columns": "a,b", "weights": "rook", "min_size": 3, "seed": 5, "id": "né"})
    outputs = Outputs(output=Path("o.gpkg"), label_column="whole")
    line = contiguous_command(job, "old one", way).line("in.gpkg", outputs)
    args, _ = told(line, "regionalize.cli.contiguous.run_and_show")
    assert args[1:4] == ("in.gpkg", job, outputs)
    assert args[4].keywords == {"label_column": "old one", "way": way}


def test_assign(tmp_path):
    centers = tmp_path / "my centres.csv"
    centers.write_text("cluster,a\n1,0\n2,1\n")
    job = make_job("kmeans", {"missing": "drop", "islands": "nearest"})
    line = assign_command(job, str(centers), transform="mad", distance_column="how far").line("in.gpkg")
    args, _ = told(line, "regionalize.cli.assign.run_and_show")
    assert args[1:3] == ("in.gpkg", job)
    assert args[4].keywords["file"] == str(centers)
    assert args[4].keywords["transform"] == "mad"
    assert args[5] == ("how far",)


def test_validate():
    job = make_job("kmeans", {"columns": ["a", "b, c"], "weights": "knn:4", "where": "pop > 5"})
    required = {"k": 4, "contiguous": None}
    line = validate_command(job, "the zone", required).line("in.gpkg")
    args, keywords = told(line, "regionalize.run.validate.validate_source")
    assert args == ("in.gpkg", job, "the zone")
    assert keywords["require"] == "k=4,contiguous"


@settings(max_examples=150)
@given(job=jobs(), runs=st.integers(1, 300), resample=st.none() | st.floats(0.05, 0.95))
def test_stability(job, runs, resample):
    job = replace(job, levels=())
    line = stability_command(job, runs=runs, resample=resample, column="kept").line("in.gpkg")
    if not line:
        odd = [*map(str, job.params.values()), job.locked or ""]
        assert not is_typable(job) or any("," in text or text != text.strip() for text in odd)
        return
    args, keywords = told(line, "regionalize.studies.stability_files.stability_files")
    assert args[:2] == ("in.gpkg", replace(job, jobs=None))
    assert (keywords["runs"], keywords["resample"], keywords["column"]) == (runs, resample, "kept")


@pytest.mark.parametrize(
    ("method", "ks", "options"),
    [
        ("kmeans", "2-15", {}),
        ("schc:linkage=average", [2, 3, 4, 9], {"hops": "0,1", "alpha": ".3,.5", "columns": "a,b"}),
        ("kmeans:n-init=10,search=starts", "3", {"centroid_weight": "0,.25,auto", "seed": 4}),
        ("azp:locked=fixed,start=plan", "2,3", {"hops": [1], "alpha": [0.2, 0.4], "min_size": 2}),
        ("kmeans:columns=a,b", "2-4", {"with_centroids": True, "column_weights": {"a": 2}}),
    ],
)
def test_choose_k(method, ks, options):
    line = choose_command(method, ks, options).line("in.gpkg")
    args, _ = told(line, "regionalize.studies.choose_files.choose_number_of_file")
    assert args[0] == "in.gpkg"
    assert read_numbers(args[2]) == read_numbers(ks)
    assert read_grid(args[1], args[3]) == read_grid(method, options)


@pytest.mark.parametrize(
    "words",
    [
        ["in.gpkg", "kmeans:k=3", "skater", ":kmeans"],
        ["in.gpkg:zone", "other.gpkg:région", "kmeans"],
        ["in.gpkg", "other.gpkg"],
        ["in.gpkg", "other.gpkg", "third.gpkg:x"],
        ["in.gpkg:zone"],
        ["kmeans", "kmeans", "county"],
    ],
)
@pytest.mark.parametrize("label_column", ["cluster", "my zone"])
def test_compare(words, label_column):
    common = {"k": 4, "columns": "a,b", "hops": 1, "seed": 7, "min_bound": "pop=10%"}
    source, things = read_words(words, label_column, common)
    line = compare_command(things, common, match=True).line(source)
    args, keywords = told(line, "regionalize.studies.comparison_files.compare_files")
    assert args[0] == source
    assert [replace(one, text="") for one in args[1]] == [replace(one, text="") for one in things]
    assert make_job("kmeans", args[2]) == make_job("kmeans", common)
    assert keywords["match"]


class TestRunAgain:
    """A line out of a report gives the labels of the report."""

    OPTIONS = (
        ("kmeans", {"k": 4, "columns": ["pct_rural", "pct_pov"], "hops": 1, "seed": 5}),
        ("schc", {"k": [3, 6], "columns": ["pct_rural", "pct_pov"], "linkage": "average"}),
        ("kmedoids", {"k": 3, "columns": ["pct_rural", "pct_pov"], "column_weights": {"pct_pov": 2}}),
        ("maxp", {"columns": ["pct_rural"], "min_bound": ("tot_pop", "10%"), "iterations": 5}),
        ("dbscan", {"eps": "30km"}),
    )

    @pytest.mark.parametrize(("method", "options"), OPTIONS, ids=[method for method, _ in OPTIONS])
    def test_from_python(self, method, options, tmp_path):
        frame = geopandas.read_file(sample_path())
        found = rz.regionalize(frame, method, **options)
        line = found.report.command.replace("INPUT", shlex.quote(str(sample_path())))
        assert run_program(["-q", *shlex.split(line)[1:], "-o", str(tmp_path / "o.parquet")]) == 0
        written = geopandas.read_parquet(tmp_path / "o.parquet")
        column = f"cluster_{max(options['k'])}" if method == "schc" else "cluster"
        assert np.array_equal(written[column], found.labels)

    def test_from_a_file(self, tmp_path, capsys):
        import json

        out, column = tmp_path / "o u t.parquet", "ré gion"
        words = ["skater", str(sample_path()), "--k", "5", "-o", str(out), "--label-column", column]
        assert run_program(["-q", *words, "--report", str(tmp_path / "r.json")]) == 0
        labels = geopandas.read_parquet(out)[column]
        line = json.loads((tmp_path / "r.json").read_text())["command"]
        out.unlink()
        assert run_program(["-q", *shlex.split(line)[1:]]) == 0
        assert np.array_equal(geopandas.read_parquet(out)[column], labels)


def test_what_no_shell_can_say_has_no_line():
    frame = geopandas.read_file(sample_path())
    renamed = frame.rename(columns={"pct_pov": " pct_pov"})
    assert rz.regionalize(renamed, k=2, columns=[" pct_pov"]).report.command == ""
    found = rz.compare(frame, {"mine": np.arange(159) % 3, "kmeans": "kmeans:k=3"}, columns=["pct_pov"])
    assert found.report["command"] == ""


def test_weights_and_centres_that_are_no_files_have_their_places_held():
    frame = geopandas.read_file(sample_path())
    ready = Weights.from_links(159, np.arange(158), np.arange(1, 159), kind="chain")
    found = rz.regionalize(frame, k=2, columns=["pct_pov"], weights=ready)
    assert "--weights WEIGHTS.gal" in found.report.command
    assert "--centers CENTERS.csv" in rz.assign(frame, found).report.command


def test_studies_tell_their_lines(tmp_path):
    frame = geopandas.read_file(sample_path())
    shared = {"columns": ["pct_rural", "pct_pov"], "seed": 9}
    chosen = rz.choose_k(frame, k=range(2, 5), **shared)
    assert chosen.numbers.command == (
        "regionalize choose-k INPUT --k 2-4 --columns pct_rural,pct_pov --seed 9"
    )
    stable = rz.stability(frame, k=3, runs=5, reseed=True, **shared)
    assert stable.report["command"] == (
        "regionalize stability INPUT --k 3 --runs 5 --reseed --columns pct_rural,pct_pov --seed 9"
    )
    compared = rz.compare(frame, ["kmeans", "skater:k=4"], k=3, **shared)
    assert compared.report["command"] == (
        "regionalize compare INPUT kmeans skater:k=4 --k 3 --columns pct_rural,pct_pov --seed 9"
    )
