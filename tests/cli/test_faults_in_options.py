"""Options that cannot be meant: exit code 2, one line that says what to do instead."""

from __future__ import annotations

import pytest

KMEANS = ("kmeans", "--k", 3, "--columns", "a,b")

WRONG = [
    (("--k", 0), ["--k is 0"]),
    (("--k", -3), ["--k is -3"]),
    (("--k", "many"), ["--k", "many"]),
    (("--k", 2.5), ["--k", "2.5"]),
    (("--hops", -1), ["--hops is -1"]),
    (("--hops", "two"), ["--hops"]),
    (("--alpha", 2), ["--alpha is 2"]),
    (("--alpha", -0.1), ["--alpha"]),
    (("--alpha", "nan"), ["--alpha is nan"]),
    (("--snap", "nan"), ["--snap is nan"]),
    (("--snap", "inf"), ["--snap is inf"]),
    (("--snap", -1), ["--snap is -1"]),
    (("--seed", -1), ["--seed is -1"]),
    (("--seed", 2**64), ["--seed"]),
    (("--jobs", 0), ["--jobs is 0"]),
    (("--n-init", 0), ["--n-init is 0"]),
    (("--max-iter", 0), ["--max-iter is 0"]),
    (("--min-size", -1), ["--min-size is -1"]),
    (("--max-size", 0), ["--max-size is 0"]),
    (("--min-size", 5, "--max-size", 4), ["minimum of 5", "maximum of 4"]),
    (("--min-bound", "nobody=5"), ["there is no column 'nobody'"]),
    (("--min-bound", "pop"), ["--min-bound is 'pop'", "COLUMN=VALUE"]),
    (("--min-bound", "pop=lots"), ["'lots'"]),
    (("--min-bound", "pop=nan"), ["'nan'"]),
    (("--max-bound", "pop=-5"), ["'-5'"]),
    (("--min-bound", "*=5"), ["columns; name one"]),
    (("--centroid-weight", 2), ["--centroid-weight is 2"]),
    (("--centroid-weight", "nan"), ["--centroid-weight is nan"]),
    (("--centroid-weight", "automatic"), ["--centroid-weight", "auto"]),
    (("--column-weights", "a=heavy"), ["'heavy'", "not a number"]),
    (("--column-weights", "pop=2"), ["'pop'", "not among the columns"]),
    (("--column-weights", "a=-1"), ["a=-1"]),
    (("--column-weights", "a"), ["--column-weights is 'a'"]),
    (("--exclude", "a,b"), ["--exclude"]),
    (("--id", "nam"), ["did you mean 'name'?"]),
    (("--weights", "quen"), ["did you mean 'queen'?"]),
    (("--weights", "knn:0"), ["knn:0"]),
    (("--weights", "knn"), ["knn:6"]),
    (("--weights", "distance:far"), ["distance"]),
    (("--weights", "kernel:gausian:4"), ["did you mean 'gaussian'?"]),
    (("--weights", "in.shp"), ["in.shp"]),
    (("--transform", "range"), ["--transform is 'range'", "did you mean"]),
    (("--missing", "ignore"), ["--missing is 'ignore'", "error, drop, mean, median"]),
    (("--smooth-mode", "median"), ["--smooth-mode", "median"]),
    (("--colums", "a"), ["there is no option --colums", "--columns"]),
    (("--with-centroid",), ["there is no option --with-centroid", "--with-centroids"]),
    (("--k",), ["--k", "argument"]),
    (("second.gpkg",), ["second.gpkg"]),
]


@pytest.mark.parametrize(("options", "says"), WRONG, ids=lambda value: " ".join(map(str, value)))
def test_wrong_value(options, says, squares, tmp_path, refused):
    refused(*KMEANS, squares, "-o", tmp_path / "out.gpkg", *options, code=2, says=says)


def test_k_is_missing(squares, refused):
    refused("kmeans", squares, code=2, says=["clusters", "--k"])


def test_minus_zero_is_a_number_and_so_is_an_exponent(squares, cli):
    assert cli(*KMEANS, squares, "--snap", "1e-3", "--alpha", "-0").code == 0


@pytest.mark.parametrize(
    ("command", "says"),
    [("kmean", "did you mean 'kmeans'?"), ("Validate", "did you mean 'validate'?"), ("qqqq", "--help")],
)
def test_unknown_command(command, says, refused):
    refused(command, code=2, says=[f"no command '{command}'", says])


def test_unknown_option_before_the_command(refused):
    refused("--quite", "kmeans", code=2, says=["there is no option --quite", "--quiet"])


def test_option_of_all_commands_behind_one(refused):
    refused("kmeans", "--k", 3, "-q", code=2, says=["-q goes before the command", "regionalize -q"])


def test_quiet_and_verbose_exclude_each_other(refused):
    refused("-q", "-v", "info", code=2, says=["--verbose", "--quiet"])


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("validate",), "there is no column 'cluster'"),
        (("validate", "--label-column", "clutser"), "there is no column 'clutser'"),
        (("validate", "--label-column", "b", "--require", "contigous"), "did you mean 'contiguous'?"),
        (("validate", "--label-column", "b", "--require", "min-size"), "min-size"),
        (("validate", "--label-column", "b", "--require", "k=0"), "k=0"),
        (("map",), "-o"),
        (("smooth",), "-o"),
        (("smooth", "-o", "x.gpkg", "--alpha", 3), "--alpha"),
        (("weights", "--symmetric", "both"), "--symmetric"),
        (("info", "--id", "nam"), "did you mean 'name'?"),
        (("weights", "--id", "nam"), "did you mean 'name'?"),
        (("map", "-o", "x.svg", "--label-column", "nam"), "did you mean 'name'?"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_other_commands(args, says, squares, tmp_path, refused, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(args[0], squares, *args[1:], code=2, says=says)


@pytest.fixture
def config(tmp_path):
    def write(text, name="run.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("clusters = 3", ["unknown key 'clusters'"]),
        ("colums = ['a']", ["unknown key 'colums'", "did you mean 'columns'?"]),
        ("[kmeans]\nn-int = 3", ["unknown key 'n-int'", "did you mean 'n-init'?"]),
        ("[kmean]\nk = 3", ["there is no command 'kmean'", "did you mean 'kmeans'?"]),
        ("[weights]\nk = 3", ["unknown key 'k'"]),
        ("k = ", ["is not TOML"]),
        ("k = 2.5", ["k"]),
        ("k = true", ["k"]),
        ("k = [3, 4]", ["k"]),
        ("k = 'many'", ["many"]),
        ("transform = 'robst'", ["robst", "did you mean 'robust'?"]),
        ("transform = 3", ["transform"]),
        ("with-centroids = 'perhaps'", ["with-centroids"]),
        ("alpha = 2", ["--alpha"]),
        ("seed = -1", ["--seed"]),
        ("columns = [['a']]", ["columns"]),
        ("columns = true", ["columns"]),
        ("json = 1", ["json"]),
        ("kmeans = 3", ["kmeans"]),
    ],
)
def test_configuration_that_cannot_be_meant(text, says, squares, config, refused):
    path = config(text)
    said = refused("--config", path, "kmeans", squares, *(() if "k = " in text else ("--k", 3)), code=2)
    for word in says:
        assert word in said
    if "alpha" not in text and "seed" not in text:
        assert str(path) in said


def test_configuration_cannot_be_read(tmp_path, refused):
    refused("--config", tmp_path / "none.toml", "kmeans", code=2, says=["none.toml", "cannot be read"])
    refused("--config", tmp_path, "kmeans", code=2, says="cannot be read")
    (tmp_path / "latin.toml").write_bytes(b"id = '\xe9'")
    refused("--config", tmp_path / "latin.toml", "kmeans", code=2, says="is not TOML")


def settings(found):
    import json

    assert found.code == 0, found.err
    document = json.loads(found.out)
    return {**document["settings"], "variables": document["variables"]}


def test_configuration_serves_every_command(squares, config, cli):
    path = config(
        "k = 4\nseed = 7\ncolumns = ['a', 'b']\nweights = 'rook'\njson = true\nwith-centroids = true\n"
        "column_weights = {a = 2}\n[validate]\nlabel-column = 'name'\n"
    )
    found = settings(cli("--config", path, "kmeans", squares))
    assert (found["k"], found["seed"], found["weights"]) == (4, 7, "rook")
    assert found["with_centroids"] is True
    assert found["variables"][:2] == ["a", "b"]
    assert found["column_weights"] == {"a": 2.0}
    assert settings(cli("--config", path, "validate", squares))["method"] == "validate name"
    assert cli("--config", path, "weights", squares).out.count("rook") == 1


def test_option_beats_table_beats_top_beats_default(squares, config, cli):
    path = config("k = 4\nseed = 7\ncolumns = 'a,b'\n[kmeans]\nseed = 8\nmissing = 'drop'\n")
    found = settings(cli("--config", path, "kmeans", squares, "--json", "--seed", 9))
    assert (found["k"], found["seed"], found["transform"]) == (4, 9, "z")
    assert settings(cli("--config", path, "kmeans", squares, "--json"))["seed"] == 8
    assert found["variables"] == ["a", "b"]


def test_no_hidden_configuration(squares, config, cli, tmp_path, monkeypatch):
    for name in ("regionalize.toml", ".regionalize.toml"):
        config("k = 4", name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cli("kmeans", squares).code == 2
