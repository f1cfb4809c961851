"""The documentation says what the program does: generated parts, examples, links, nothing left out."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

import regionalize
from regionalize.cli.program import COMMANDS, program
from regionalize.model.catalog import METHODS

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAGES = sorted([*REPOSITORY.glob("*.md"), *DOCS.glob("*.md")])


def load(name: str) -> ModuleType:
    """Import a module of docs/, which is not a package."""
    found = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module  # dataclasses look their module up
    found.loader.exec_module(module)
    return module


examples = load("examples")
generate = load("generate")


def page_id(path: Path) -> str:
    return path.name


def every_command() -> list[tuple[str, click.Command]]:
    context = click.Context(program)
    found = [(name, program.get_command(context, name)) for name in program.list_commands(context)]
    return [("", program), *((name, command) for name, command in found if command is not None)]


@pytest.mark.parametrize("name", sorted(generate.GENERATED))
def test_generated_parts_are_up_to_date(name):
    assert (DOCS / name).read_text(encoding="utf-8") == generate.written(name), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_examples_do_what_the_page_shows(page, tmp_path):
    text = page.read_text(encoding="utf-8")
    faults = [outcome.fault for outcome in examples.run_page(text, tmp_path) if outcome.fault]
    assert not faults, "\n\n".join(faults)


def test_readme_shows_the_first_command_whole():
    shown = examples.find_examples((REPOSITORY / "README.md").read_text(encoding="utf-8"))[0]
    assert shown.text == "regionalize kmeans --k 12 --with-centroids"
    assert shown.expected.startswith("note: no INPUT given")
    assert "..." not in shown.expected


def test_readme_opens_with_the_two_commands_and_the_picture():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    places = [text.index(part) for part in ("make demo", "make test", "](docs/images/georgia.png)", "$ ")]
    assert places == sorted(places)
    assert (DOCS / "images" / "georgia.png").stat().st_size < 300_000


@pytest.mark.parametrize(("name", "command"), every_command())
def test_every_option_is_documented(name, command):
    reference = (DOCS / "cli.md").read_text(encoding="utf-8")
    title = f"## regionalize {name}".rstrip()
    section = reference.partition(f"{title}\n")[2].partition("\n## ")[0]
    assert section, f"{title} is missing in docs/cli.md"
    options = [param for param in command.params if isinstance(param, click.Option)]
    assert options
    for option in options:
        assert option.help, f"{name} {option.name} has no help"
        assert all(opt in section for opt in option.opts), f"{name} {option.name} is not in docs/cli.md"


@pytest.mark.parametrize("name", [*METHODS, *COMMANDS])
def test_every_command_is_in_an_example(name):
    commands = [
        example.text for page in PAGES for example in examples.find_examples(page.read_text(encoding="utf-8"))
    ]
    assert any(re.search(rf"regionalize( -\S+| \S+\.toml)* {name}\b", text) for text in commands)


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_every_method_has_its_page(method):
    page = DOCS / f"{method.name}.md"
    text = page.read_text(encoding="utf-8")
    assert f"({page.name})" in (DOCS / "index.md").read_text(encoding="utf-8")
    for param in method.params:
        row = re.search(rf"^\| `{param.option}` \| (.*?) \|", text, re.MULTILINE)
        assert row is not None, f"{page.name} has no row for {param.name}"
        assert str(param.default) in row[1], f"{page.name} gives {param.name} another default"
    for year in re.findall(r"\d{4}", method.reference):
        assert year in text, f"{page.name} lacks a reference of {year}"


@pytest.mark.parametrize("name", regionalize.__all__)
def test_every_public_name_is_documented(name):
    assert inspect.getdoc(getattr(regionalize, name))
    assert f"| `{name}` |" in (DOCS / "python.md").read_text(encoding="utf-8")


def test_every_page_is_in_the_index():
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    missing = [page.name for page in DOCS.glob("*.md") if page.name != "index.md" and page.name not in text]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}


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
            ("```console\n$ echo \\\n    a\na\n```\n", ""),
            ("```python\n>>> 1 + 1\n3\n```\n", "failed"),
            ("```python\n>>> 1 + 1\n2\n```\n", ""),
            ("```python\n1 / 0\n```\n", "ZeroDivisionError"),
            ("```python\nx = 1\n```\n```python\n>>> x\n1\n```\n", ""),
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

    def test_refreshing_fills_in_what_a_command_prints(self, tmp_path):
        page = "```console\n$ echo new\nold\n$ echo silent\n$ echo kept\nk...\n```\nold\n"
        assert examples.refreshed(page, tmp_path) == page.replace("old\n$", "new\n$", 1)
