"""`--config` and `--save-config`: every option of every command, there and back."""

import subprocess
import sys
import tomllib

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regionalize.cli.config import INPUTS, NOT_SETTINGS, Config, keys_of, kind_of
from regionalize.cli.option_types import Numbers
from regionalize.cli.program import program
from regionalize.cli.save_config import OF_THE_DAY, settings_of
from regionalize.errors import UsageError
from regionalize.io.toml import toml_text
from regionalize.model.catalog import METHODS
from regionalize.model.kinds import kind_in
from regionalize.run.batch import plan_values

SETTINGS = program.context_settings  # of every context: a command keeps the help option that it makes first
ROOT = click.Context(program, **SETTINGS)
COMMANDS = {name: program.get_command(ROOT, name) for name in program.list_commands(ROOT)}
UNSAVED = ("info", "sample", "completion")
SAVED = [name for name in COMMANDS if name not in UNSAVED]


def parsed(command, words, default_map=None):
    """Return what a command is called with, and its context."""
    context = click.Context(command, info_name=command.name, default_map=default_map, **SETTINGS)
    if command.name in SAVED:
        words = [*words, "--save-config", "x.toml"]  # so that what is typed is kept
    command.parse_args(context, list(words))
    context.params.pop("save_config", None)
    return context


def read_back(command, settings):
    """Return what a command is called with when its settings come from a file that was saved."""
    content = tomllib.loads(toml_text({command.name: settings}))
    config = Config("x.toml", {}, content)
    return parsed(command, [], config.values(command, command.name))


def sample_of(option):
    """A value of an option as it is typed, and as a person would write it in TOML."""
    kind = option.type
    if option.is_flag:
        return [], True
    if isinstance(kind, click.Choice):
        return [kind.choices[-1]], kind.choices[-1]
    if isinstance(kind, Numbers) and kind.several:
        return ["4,8"], [4, 8]
    if isinstance(kind, click.types.IntParamType):
        return ["3"], 3
    if isinstance(kind, click.types.FloatParamType):
        return ["0.25"], 0.25
    if option.name == "aggregate":
        return ["pop:sum"], "pop:sum"
    return ["some text"], "some text"


def distinct_options():
    """Every option of every command, once where several commands share it."""
    found = {}
    for name, command in COMMANDS.items():
        for option in command.params:
            if isinstance(option, click.Option) and option.name not in NOT_SETTINGS:
                kind = (name in SAVED, option.name, *option.opts, type(option.type), option.metavar)
                found.setdefault(kind, (name, option.opts[-1]))
    return sorted(found.values())


EVERY_OPTION = distinct_options()


@pytest.mark.parametrize(("name", "typed"), EVERY_OPTION)
def test_every_option_can_be_a_key(name, typed):
    """A key has the effect of the option, under either of its names, at the top and in the table."""
    command = COMMANDS[name]
    option = next(param for param in command.params if typed in param.opts)
    words, value = sample_of(option)
    wanted = parsed(command, [typed, *words]).params
    key = typed.lstrip("-")
    keys = {key, key.replace("-", "_")}
    if keys_of(command).get(str(option.name).replace("_", "-")) is option:
        keys |= {str(option.name), str(option.name).replace("_", "-")}
    for one in keys:
        for config in (Config("x.toml", {one: value}), Config("x.toml", {}, {name: {one: value}})):
            found = parsed(command, [], config.values(command, name)).params
            assert found == wanted, one


@pytest.mark.parametrize(("name", "typed"), [one for one in EVERY_OPTION if one[0] in SAVED])
def test_every_option_can_be_saved(name, typed):
    command = COMMANDS[name]
    option = next(param for param in command.params if typed in param.opts)
    words, value = sample_of(option)
    context = parsed(command, [typed, *words])
    if option.name in OF_THE_DAY:  # it would replace, unasked, what is there another day
        assert settings_of(context) == {}
        return
    assert settings_of(context) == {typed.lstrip("-"): value}
    assert read_back(command, settings_of(context)).params == context.params


@pytest.mark.parametrize("name", list(COMMANDS))
def test_what_can_be_saved(name):
    options = {option for param in COMMANDS[name].params for option in param.opts}
    assert ("--save-config" in options) == (name in SAVED)
    assert name in UNSAVED or "--overwrite" in options


ODD = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12) | st.sampled_from(
    ["", "a\"b'c\\d", "C:\\new\\towns.gpkg", "été — 東京", "'''", '"""', "\x7f\x1b[31m", "#", "\r\n"]
)
TEXT_OPTIONS = ("--where", "--id", "--layer", "--label-column", "--output", "--map", "--columns", "--exclude")


@given(
    st.sampled_from(["kmeans", "contiguous", "assign", "stability", "compare"]),
    st.lists(st.tuples(st.sampled_from(TEXT_OPTIONS), ODD), max_size=5),
    st.lists(ODD.filter(lambda text: not text.startswith("-")), min_size=1, max_size=3),
    st.integers(),
    st.floats(allow_nan=False),
    st.sampled_from(["--qml", "--no-qml", "--json", "--no-json"]),
)
def test_any_text_is_saved_as_it_was_typed(name, texts, inputs, seed, snap, flag):
    command = COMMANDS[name]
    known = {option for param in command.params for option in param.opts}
    words = inputs if name == "compare" else inputs[:1]
    words = [*words, f"--snap={snap!r}", *([flag] if flag.replace("--no-", "--") in known else [])]
    words += [f"--seed={seed}"] if "--seed" in known else []
    words += [f"{option}={text}" for option, text in texts if option in known]
    context = parsed(command, words)
    again = read_back(command, settings_of(context))
    assert again.params == context.params
    assert settings_of(again) == settings_of(context), "what came from a file is saved the same"


PLAIN = st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8"))


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8")), PLAIN | st.lists(PLAIN, max_size=4), max_size=4)
)
def test_toml_is_read_back_as_it_was(values):
    """Equal in type, too: True is not 1, and 1 not 1.0."""
    found = tomllib.loads(toml_text({"kmeans": values}))["kmeans"]
    assert repr(found) == repr(values)


def test_toml_cannot_hold_what_is_no_text():
    with pytest.raises(ValueError, match="surrogates"):
        toml_text({"kmeans": {"output": "a\udcff.gpkg"}})
    with pytest.raises(TypeError):
        toml_text({"kmeans": {"output": None}})


class TestKeys:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("kk = 3", ["unknown key 'kk'"]),
            ("K = 3", ["unknown key 'K'", "did you mean 'k'?"]),
            ("--k = 3", ["unknown key '--k'", "write k, without dashes"]),
            ("quiet = true", ["'quiet' is no setting of a run", "type --quiet before the command"]),
            ("config = 'y.toml'", ["'config' is no setting of a run"]),
            ("save-config = 'y.toml'", ["unknown key 'save-config'"]),
            ("help = true", ["unknown key 'help'"]),
            ("[kmeans]\nlinkages = 'ward'", [":[kmeans]: unknown key 'linkages'"]),
            ("[kmeans]\nstart = 'x'", [":[kmeans]: unknown key 'start'"]),
            ("[skater]\nn-init = 3", [":[skater]: unknown key 'n-init'"]),
            ("[tool.regionalize]\nk = 3", ["there is no command 'tool'"]),
            ("[kmean]\nk = 3", ["there is no command 'kmean'; did you mean 'kmeans'?"]),
            ("[[run]]\nmethod = 'kmeans'\nk = 3", ["is a plan", "regionalize batch "]),
            ("[[input]]\npath = 'a.gpkg'", ["is a plan"]),
            ("columns = {pct_rural = 2}", ["columns is {'pct_rural': 2}; it takes text, or a list of texts"]),
            ("columns = 3", ["columns is 3; it takes text, or a list of texts"]),
            ("output = 3", ["output is 3; it takes text"]),
            ("min-bound = {pop = 1, gini = 2}", ["it takes text, or a table of one column and its amount"]),
            ("column-weights = {a = {b = 2}}", ["it takes text, a list of texts, or a table"]),
            (
                "[kmeans.column-weights]\n" + ".".join("a" * 3000) + " = 1",
                ["kmeans.column-weights.a", "is nested too deeply"],
            ),
            ("k = 0x" + "f" * 6000, ["k is a whole number of more than 64 bits"]),
            ('[kmeans]\noutput = "a\\u0000.gpkg"', ["kmeans.output holds the character of code 0"]),
            ('"k\\u0000" = 3', ["a key holds the character of code 0"]),
            ("[[kmeans]]\nk = 3", ["'kmeans' is a command", "write a table, [kmeans]"]),
            ("[kmeans.k]\na = 3", ["[kmeans]", "k is {'a': 3}", "it takes a whole number"]),
            ("[kmeans]\nk = [3]", ["k is [3]", "it takes a whole number"]),
            ("k = 2026-01-02", ["k is 2026-01-02", "it takes a whole number"]),
            ("where = 2026-01-02T03:04:05Z", ["where is 2026-01-02T03:04:05+00:00", "it takes text"]),
            ("where = true", ["where is true", "it takes text"]),
            ("columns = [1979-05-27]", ["columns is 1979-05-27", "it takes text, or a list"]),
            ("columns = ['a', ['b']]", ["columns is ['b']; it takes text, or a list of texts"]),
            ("layer = ['a', 'b']", ["layer is ['a', 'b']", "it takes text"]),
            ("json = 'yes'", ["json is 'yes'", "it takes true or false"]),
            ("alpha = '0.5'", ["alpha is '0.5'", "it takes a number"]),
            ("transform = 'zz'", ["transform is 'zz'"]),
            ("input = 3", ["input is 3", "it takes text"]),
            ("input = ['a.gpkg']", ["input is ['a.gpkg']", "it takes text"]),
            ("input = 'a'\ninputs = 'b'", ["'input' and 'inputs' are one option"]),
            ("n-init = 3\nn_init = 4", ["'n-init' and 'n_init' are one option", "keep one of them"]),
            ("k = 3\nk = 4", ["is not TOML", "line 2"]),
            ("k = ", ["is not TOML", "line 1"]),
            ("seed = 1\nk = 03", ["is not TOML", "line 2, column 6"]),
            ("k: 3", ["is not TOML", "line 1"]),
            ('{"k": 3}', ["is not TOML", "line 1"]),
            ("a = " + "[" * 5000, ["is not TOML"]),
            ("k = " + "9" * 5000, ["is not TOML"]),
        ],
    )
    def test_one_line_says_file_and_key(self, text, says, refused, tmp_path):
        path = tmp_path / "x.toml"
        path.write_text(text, encoding="utf-8")
        said = refused("--config", path, "kmeans", "--k", 3, code=2)
        assert str(path) in said
        for words in says:
            assert words in said

    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (b"\xff\xfek\x00 \x00=\x003\x00", ["line 1 is not UTF-8", "save it as UTF-8"]),
            (b"k = 3\r\nid = '\xe9'\r\n", ["line 2 is not UTF-8"]),
            (b"\x00\x01\x02", ["is not TOML"]),
        ],
    )
    def test_other_encodings(self, data, says, refused, tmp_path):
        (tmp_path / "x.toml").write_bytes(data)
        said = refused("--config", tmp_path / "x.toml", "kmeans", code=2)
        for words in says:
            assert words in said

    @pytest.mark.parametrize(
        "data",
        [
            b"\xef\xbb\xbfk = 4\njson = true\n",
            b"k = 4\r\njson = true\r\n",
            b"\xef\xbb\xbf[kmeans]\r\nk = 4\r\njson = true",
            "# fünf\njson = true\n[kmeans] # vier\nk = 4".encode(),
        ],
    )
    def test_as_editors_of_all_systems_write_it(self, data, cli, squares, tmp_path):
        (tmp_path / "x.toml").write_bytes(data)
        found = cli("--config", tmp_path / "x.toml", "kmeans", squares)
        assert found.code == 0, found.err
        assert '"k": 4' in found.out

    def test_an_empty_file_says_nothing(self, cli, squares, tmp_path):
        (tmp_path / "x.toml").write_bytes(b"")
        assert cli("--config", tmp_path / "x.toml", "kmeans", squares, "--k", 3).code == 0

    def test_keys_of_other_commands_are_passed_over(self, cli, squares, tmp_path):
        """A key at the top need not be an option of this command, but of some command."""
        (tmp_path / "x.toml").write_text("k = 3\nresample = '50%'\nrequire = 'k=3'\n[weights]\nsnap = 1\n")
        assert cli("--config", tmp_path / "x.toml", "kmeans", squares).code == 0

    def test_lists(self):
        command = COMMANDS["choose-k"]
        config = Config("x.toml", {"k": [2, 3, 8], "hops": [0, 1], "alpha": 0.5, "columns": ["a", "b*"]})
        found = parsed(command, [], config.values(command)).params
        assert (found["ks"], found["hops"], found["alpha"]) == ("2,3,8", "0,1", "0.5")
        assert found["columns"] == ("a", "b*")

    def test_several_inputs(self):
        command = COMMANDS["compare"]
        for key in INPUTS:
            config = Config("x.toml", {}, {"compare": {key: ["a.gpkg", "kmeans:k=3"]}})
            assert parsed(command, [], config.values(command, "compare")).params["words"] == (
                "a.gpkg",
                "kmeans:k=3",
            )
        typed = parsed(command, ["b.gpkg", "c.gpkg"], config.values(command, "compare"))
        assert typed.params["words"] == ("b.gpkg", "c.gpkg"), "what is typed takes the place of all of them"

    def test_none_of_several_is_not_the_sample(self):
        for name in ("batch", "compare"):
            with pytest.raises(UsageError, match="inputs is empty"):
                Config("x.toml", {}, {name: {"inputs": []}}).values(COMMANDS[name], name)

    def test_tables_are_what_would_be_typed(self):
        """Read again as they are from a command line, whatever the signs in the name of a column."""
        from regionalize.run.aggregate import parse_aggregates
        from regionalize.run.options import parse_bound, parse_column_weights

        columns = ("pop", "a, b", 'a"b', '"a"', "a=b", "a:b", "é")
        found = Config(
            "x.toml",
            {
                "column-weights": dict.fromkeys(columns, 2),
                "aggregate": {name: ["min", "max"] for name in columns},
                "min-bound": {"a, b": "10%"},
                "axes": ["a", "b"],
            },
        ).values(COMMANDS["kmeans"], "kmeans")
        assert parse_column_weights(",".join(found["column_weights"])) == tuple(
            (name, 2.0) for name in columns
        )
        assert [name for name, _ in parse_aggregates(found["aggregate"])[::2]] == list(columns)
        assert found["axes"] == "a,b"
        assert parse_bound(found["min_bound"], "min_bound") == ("a, b", "10%")

    def test_both_names_of_a_switch(self):
        command = COMMANDS["batch"]
        for key, value in (("keep-going", False), ("fail-fast", True), ("fail_fast", True)):
            assert Config("x.toml", {key: value}).values(command) == {"keep_going": False}
        with pytest.raises(UsageError, match="'keep-going' and 'fail-fast' are one option"):
            Config("x.toml", {}, {"batch": {"keep-going": True, "fail-fast": True}}).values(command, "batch")

    def test_tables_win_in_turn(self):
        """As for commands that take the options of a method: the top, its table, their own table."""
        command = COMMANDS["kmeans"]
        tables = {"skater": {"k": 2, "seed": 2, "save-tree": "t.gpkg"}, "kmeans": {"seed": 3}}
        config = Config("x.toml", {"k": 1, "seed": 1, "transform": "raw"}, tables)
        assert config.values(command, "skater", "kmeans") == {"k": 2, "seed": 3, "transform": "raw"}
        assert config.value("seed", "skater", "kmeans") == 3
        assert config.value("k", "kmeans") == 1
        assert config.value("runs") is None
        with pytest.raises(UsageError, match=r"x.toml:\[skater\]: unknown key 'save-tree'"):
            config.values(command, "kmeans", "skater")


@pytest.mark.parametrize("name", METHODS)
def test_a_plan_takes_what_a_configuration_takes(name):
    """What an option takes is said by its field in `Job`, and by the command line that is typed."""
    command, method = COMMANDS[name], METHODS[name]
    of_plans = plan_values.keys_of(name)
    of_configurations = keys_of(command)
    assert set(of_plans) <= set(of_configurations)
    for key, option in of_plans.items():
        assert kind_of(of_configurations[key]) is kind_in(method, option), key


class TestSwitchedOff:
    """A flag that is on in the file can be off for once."""

    @pytest.mark.parametrize(
        ("name", "typed"),
        [one for one in EVERY_OPTION if one[0] in SAVED],
    )
    def test_every_flag(self, name, typed):
        command = COMMANDS[name]
        option = next(param for param in command.params if typed in param.opts)
        negated = f"--no-{typed.lstrip('-')}"
        if not option.is_flag:
            with pytest.raises(click.NoSuchOption):
                parsed(command, [negated])
            return
        config = Config("x.toml", {typed.lstrip("-"): True}).values(command)
        assert parsed(command, [], config).params[option.name] is True
        context = parsed(command, [negated], config)
        assert not context.params[option.name]
        assert settings_of(context) == ({} if option.name in OF_THE_DAY else {typed.lstrip("-"): False})

    def test_centroids(self, cli, squares, tmp_path):
        (tmp_path / "x.toml").write_text("k = 3\nwith-centroids = true\njson = true\n")
        on = cli("--config", tmp_path / "x.toml", "kmeans", squares)
        off = cli("--config", tmp_path / "x.toml", "kmeans", squares, "--no-with-centroids")
        assert '"with_centroids": true' in on.out
        assert off.code == 0
        assert "with_centroids" not in off.out

    def test_not_when_they_are_weighted(self, refused, squares, tmp_path):
        (tmp_path / "x.toml").write_text("k = 3\ncentroid-weight = 0.5\n")
        said = refused("--config", tmp_path / "x.toml", "kmeans", squares, "--no-with-centroids", code=2)
        assert "switched off" in said


class TestSave:
    def test_the_run_is_repeated(self, cli, squares, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        words = ["--k", 3, "--columns", "a,b", "--exclude", "b", "--seed", 5, "--with-centroids", "--json"]
        first = cli("kmeans", squares, *words, "--save-config", "run.toml")
        assert first.code == 0, first.err
        assert "settings written to run.toml" in first.err
        text = (tmp_path / "run.toml").read_text(encoding="utf-8")
        assert tomllib.loads(text) == {
            "kmeans": {
                "input": str(squares),
                "k": 3,
                "columns": "a,b",
                "exclude": "b",
                "with-centroids": True,
                "seed": 5,
                "json": True,
            }
        }
        again = cli("--config", "run.toml", "kmeans")
        assert again.out == first.out
        assert "no INPUT given" not in again.err

    def test_a_file_is_extended(self, cli, squares, tmp_path):
        """What another file says is saved along with what is typed, which wins."""
        first, second = tmp_path / "first.toml", tmp_path / "second.toml"
        first.write_text("seed = 4\nk = 3\nruns = 7\n[kmeans]\ncolumns = ['a', 'b']\n[skater]\nk = 9\n")
        assert cli("--config", first, "kmeans", squares, "--seed", 6, "--save-config", second).code == 0
        assert tomllib.loads(second.read_text())["kmeans"] == {
            "input": str(squares),
            "k": 3,
            "columns": ["a", "b"],
            "seed": 6,
        }

    def test_nothing_is_replaced_unasked(self, cli, refused, squares, tmp_path):
        out = tmp_path / "x.toml"
        out.write_text("mine")
        said = refused("kmeans", squares, "--k", 3, "--save-config", out, code=1)
        assert "already exists; use --overwrite" in said
        assert out.read_text() == "mine"
        assert cli("kmeans", squares, "--k", 3, "--save-config", out, "--overwrite").code == 0
        assert tomllib.loads(out.read_text())["kmeans"] == {"input": str(squares), "k": 3}

    def test_what_is_read_is_never_replaced(self, refused, squares, tmp_path):
        out = tmp_path / "x.toml"
        out.write_text("k = 3\n[skater]\nk = 4\n")
        said = refused("--config", out, "kmeans", squares, "--save-config", out, "--overwrite", code=1)
        assert "is read by this run" in said
        assert "skater" in out.read_text()

    def test_refused_before_any_work(self, refused, tmp_path):
        for path, code, says in (
            (tmp_path / "x.txt", 2, "writes .toml"),
            (tmp_path / "none" / "x.toml", 1, "there is no folder"),
        ):
            words = ["kmeans", tmp_path / "missing.gpkg", "--k", 3, "--save-config", path]
            assert "missing.gpkg" not in refused(*words, code=code, says=says)

    def test_a_run_that_fails_saves_nothing(self, refused, squares, tmp_path):
        refused(
            "kmeans", squares, "--k", 3, "--columns", "nope", "--save-config", tmp_path / "x.toml", code=2
        )
        assert not list(tmp_path.glob("*.toml"))
        assert not list(tmp_path.glob(".*"))

    def test_faults_that_were_found_are_no_failure(self, cli, squares, tmp_path):
        words = ["--label-column", "name", "--require", "k=99", "--save-config", tmp_path / "x.toml"]
        assert cli("validate", squares, *words).code == 3
        assert tomllib.loads((tmp_path / "x.toml").read_text())["validate"]["require"] == "k=99"

    def test_whoever_reads_the_report_may_go_away(self, process, squares, tmp_path):
        code = (
            "import os, sys, regionalize.cli.program as p; r, w = os.pipe(); os.dup2(w, 1); os.close(r); "
            f"sys.exit(p.run_program(['kmeans', {str(squares)!r}, '--k', '3', '--json', "
            "'--save-config', 'x.toml']))"
        )
        process(code=code)
        assert (tmp_path / "x.toml").exists()

    def test_it_is_no_part_of_what_is_kept_with_the_layer(self, cli, squares, tmp_path):
        from regionalize.io.read import read_layer

        out = tmp_path / "out.gpkg"
        assert cli("kmeans", squares, "--k", 3, "-o", out, "--save-config", tmp_path / "x.toml").code == 0
        (record,) = read_layer(out).history
        assert "toml" not in str(record.to_dict())


class TestNoCommand:
    def test_the_file_says_which(self, refused, tmp_path):
        (tmp_path / "x.toml").write_text("seed = 3\n[kmeans]\nk = 3\n")
        said = refused("--config", tmp_path / "x.toml", code=2)
        assert "the file is for kmeans: regionalize --config" in said
        assert said.rstrip().endswith("kmeans")

    def test_several_and_none(self, refused, tmp_path):
        (tmp_path / "x.toml").write_text("[kmeans]\nk = 3\n[skater]\nk = 3\n")
        assert "for kmeans, skater" in refused("--config", tmp_path / "x.toml", code=2)
        (tmp_path / "x.toml").write_text("k = 3\n")
        assert "no table of a command" in refused("--config", tmp_path / "x.toml", code=2)
        assert "cannot be read" in refused("--config", tmp_path / "none.toml", code=2)


@pytest.mark.unix
def test_settings_are_saved_although_the_reader_of_the_report_goes_away(tmp_path, process_environment):
    line = f'"{sys.executable}" -m regionalize kmeans --k 4 --save-config x.toml --map x.png | true'
    subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, env=process_environment, check=True)
    assert (tmp_path / "x.png").exists()
    assert tomllib.loads((tmp_path / "x.toml").read_text()) == {"kmeans": {"k": 4, "map": "x.png"}}
