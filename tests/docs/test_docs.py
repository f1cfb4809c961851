"""The documentation says what the program does: generated parts, examples, links, nothing left out."""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import re
import shlex
import textwrap
import tomllib
from pathlib import Path

import examples
import pictures
import pytest
import reference

import regionalize
from regionalize.cli.examples import EXAMPLES
from regionalize.cli.program import program

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAGES = sorted([*REPOSITORY.glob("*.md"), *DOCS.glob("*.md")])
COMMANDS = {"": program, **reference.commands()}
BLOCK = re.compile(r"^( *)(```+)([^\n]*)\n(.*?)^\1\2$", re.MULTILINE | re.DOTALL)

APART = {"keras.md": "tests/keras/check_page.py"}
"""Pages run by a test of their own, in processes that may load what they need."""

TAKEN_OUT = {"adding-a-method.md": "tests/model/test_example_package.py"}
"""Pages whose files and commands a test of their own takes out of the page and runs."""


def page_id(path: Path) -> str:
    return path.name


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def used_options() -> dict[str, set[str]]:
    """Return, for every command, the options with which an example runs it; "" is the program's own."""
    used: dict[str, set[str]] = {name: set() for name in COMMANDS}
    for page in PAGES:
        for example in examples.find_examples(text_of(page)):
            if example.place is None:
                continue
            text = example.text.replace("\\\n", " ")
            running, name = False, ""
            for word in shlex.shlex(text, posix=True, punctuation_chars="|;&<>()"):
                if set(word) <= set("|;&<>()") or word == "regionalize":
                    running, name = word == "regionalize", ""
                elif running and not name and word in COMMANDS:
                    name = word
                elif running and word.startswith("-"):
                    used[name].add(word.partition("=")[0])
    return used


USED = used_options()


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=page_id)
def test_generated_parts_are_up_to_date(page):
    assert text_of(page) == reference.written(page), "run `python docs/generate.py`"


@pytest.mark.unix
@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in APART], ids=page_id)
def test_examples_do_what_the_page_shows(page, tmp_path):
    faults = [outcome.fault for outcome in examples.run_page(text_of(page), tmp_path) if outcome.fault]
    assert not faults, "\n\n".join(faults)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_block_is_run_or_is_no_code(page):
    """What a reader may copy is run, or read by what it is for; `text` is what is only shown."""
    targets = set(re.findall(r"^([\w-]+):", text_of(REPOSITORY / "Makefile"), re.MULTILINE))
    for _, _, language, content in BLOCK.findall(text_of(page)):
        match language:
            case "console":
                assert content.startswith("$ "), content
            case "py":  # a file of its own, that is run by the test of its page
                ast.parse(content)
            case "toml":
                tomllib.loads(content)
            case "json":
                json.loads(content)
            case "sh":  # what sets things up, and cannot be run from within
                for line in [] if page.name in TAKEN_OUT else content.splitlines():
                    words = line.partition("#")[0].split()
                    assert words[:2] in (["pip", "install"], ["regionalize", "--help"]) or (
                        words[0] == "make" and words[1] in targets
                    ), line
            case _:
                assert language in {"python", "make", "text", "math", "{eval-rst}"}, (
                    f"```{language}\n{content}"
                )


@pytest.mark.parametrize(("page", "test"), [*TAKEN_OUT.items(), *APART.items()])
def test_what_is_taken_out_of_a_page_is_run(page, test):
    assert page in text_of(REPOSITORY / test)


def test_readme_shows_the_first_command_whole():
    shown = examples.find_examples(text_of(REPOSITORY / "README.md"))[0]
    assert shown.text == "regionalize kmeans --k 12 --with-centroids"
    assert shown.expected.startswith("note: no INPUT given")
    assert "..." not in shown.expected


def test_readme_opens_with_the_two_commands_and_the_picture():
    text = text_of(REPOSITORY / "README.md")
    places = [text.index(part) for part in ("make demo", "make test", "](docs/images/georgia.png)", "$ ")]
    assert places == sorted(places)


@pytest.mark.parametrize(("name", "command"), COMMANDS.items())
def test_every_option_has_help(name, command):
    for option in reference.options_of(command):
        assert option.help, f"{name} {option.name} has no help"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_in_the_reference_and_in_its_help(name):
    title = f"## regionalize {name}".rstrip()
    section = text_of(DOCS / "cli.md").partition(f"{title}\n")[2].partition("```text\n")[0]
    run = [example.text for example in examples.find_examples(section)]
    shown = reference.help_text(*name.split()).partition("\nExample")[2].partition("\n\n")[0]
    for line in EXAMPLES[name or "regionalize"]:
        assert line in run
        assert textwrap.indent(line, "  ") in shown
        assert max(map(len, line.splitlines())) <= reference.WIDTH - 2
    assert any(re.match(rf"regionalize {name}\b", text) for text in EXAMPLES[name or "regionalize"])


@pytest.mark.parametrize(("name", "command"), COMMANDS.items())
def test_every_option_is_in_an_example(name, command):
    """An option of one command, in an example of that; a shared one, in an example of any."""
    anywhere = set().union(*USED.values())
    for option in reference.options_of(command):
        seen = anywhere if name and not reference.is_own(option) else USED[name]
        assert seen & set(option.opts), f"no example of {option.opts[-1]} of '{name}'"


@pytest.mark.parametrize("name", regionalize.__all__)
class TestPublicNames:
    """Everything public is documented, where the guide and the reference of Python find it."""

    def test_is_in_the_guide_and_in_the_reference(self, name):
        assert f"| [`{name}`](python-api.md#{name.lower()}) |" in text_of(DOCS / "python.md")
        assert f":: regionalize.{name}\n" in text_of(DOCS / "python-api.md")

    def test_parameters_are_described(self, name):
        thing = getattr(regionalize, name)
        described = inspect.getdoc(thing) or ""
        for one in inspect.signature(thing).parameters:
            named = re.search(rf"^(?:[\w*]+, )*\**{one}(?:, [\w*]+)*(?: :|$)", described, re.MULTILINE)
            beneath = re.search(rf'^    {one}: .*\n    """', inspect.getsource(thing), re.MULTILINE)
            assert named or beneath, f"{name}: {one} is not described"

    def test_members_are_described(self, name):
        thing = getattr(regionalize, name)
        if inspect.isclass(thing) and not issubclass(thing, tuple):
            ours = [base for base in thing.__mro__ if base.__module__.startswith("regionalize")]
            for member, value in itertools.chain.from_iterable(vars(base).items() for base in ours):
                if not member.startswith("_") and (callable(value) or hasattr(value, "__get__")):
                    assert inspect.getdoc(value), f"{name}.{member} has no docstring"


class TestPictures:
    """Every picture is used, told in words, small, and drawn by something that is written down."""

    IMAGES = sorted((DOCS / "images").iterdir())

    def test_all_that_are_there_are_shown_with_words_for_them(self):
        found = [match for page in PAGES for match in pictures.SHOWN.finditer(text_of(page))]
        shown = {match["name"]: match["words"] for match in found}
        assert {image.name for image in self.IMAGES} == set(shown)
        assert all(len(words) >= 15 for words in shown.values()), shown

    @pytest.mark.parametrize("image", IMAGES, ids=page_id)
    def test_is_small_and_has_a_recipe(self, image):
        assert image.stat().st_size <= 60_000
        benchmarks = "".join(text_of(script) for script in (REPOSITORY / "benchmarks").glob("*.py"))
        assert image.name in pictures.recipes() or f'"{image.name}"' in benchmarks


def anchors(page: Path) -> set[str]:
    """Return the anchors that a code host, and MyST, give to the titles of a page."""
    text = BLOCK.sub("", text_of(page))
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [*PAGES, REPOSITORY / "sample_data" / "README.md"], ids=page_id)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", text_of(page))):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


class TestExamples:
    """The runner itself notices what it should."""

    @pytest.mark.parametrize(
        ("page", "fault"),
        [
            ("```console\n$ echo a\na\n```\n", ""),
            ("```console\n$ echo a\nb\n```\n", "but printed"),
            ("```console\n$ echo a; echo b\n...\nb\n```\n", ""),
            ("```console\n$ false\n```\n", "failed"),
            ("```console\n$ echo 'error: no'; false\nerror: no\n```\n", ""),
            ("```console\n$ echo 'error: no'\nerror: no\n```\n", "should have failed"),
            ("```console\n$ echo 'Traceback (a)'\nTraceback (a)\n```\n", "should have failed"),
            ("```console\n$ echo \\\n    a\na\n```\n", ""),
            ("```python\n>>> 1 + 1\n3\n```\n", "failed"),
            ("```python\n>>> 1 + 1\n2\n```\n", ""),
            ("```python\n1 / 0\n```\n", "ZeroDivisionError"),
            ("```python\nx = 1\n```\n```python\n>>> x\n1\n```\n", ""),
            ("```make\na:\n\t@echo b\n```\n```console\n$ make -s a\nb\n```\n", ""),
            ("```sh\nfalse\n```\n", None),
        ],
    )
    def test_faults_are_found(self, page, fault, tmp_path):
        outcomes = list(examples.run_page(page, tmp_path))
        if fault is None:
            assert not outcomes
        elif fault:
            assert fault in outcomes[-1].fault
        else:
            assert [outcome.fault for outcome in outcomes] == [""] * len(outcomes)

    def test_a_command_that_hangs_is_ended(self, tmp_path, monkeypatch):
        monkeypatch.setattr(examples, "LONGEST", 0.5)
        (outcome,) = examples.run_page("```console\n$ echo a; sleep 60 | cat\n```\n", tmp_path)
        assert outcome.fault.endswith("failed:\na\n\nnot done after 0.5 s")

    def test_refreshing_fills_in_what_a_command_prints(self, tmp_path):
        page = "```console\n$ echo new\nold\n$ echo silent\n$ echo kept\nk...\n```\nold\n"
        assert examples.refreshed(page, tmp_path) == page.replace("old\n$", "new\n$", 1)
