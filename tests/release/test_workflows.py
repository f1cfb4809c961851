"""The workflows and the Makefile name only what exists. They cannot be run here, so they are read."""

from __future__ import annotations

import re
import shlex
import tomllib

import pytest
import yaml

WORKFLOWS = ("test.yml", "thorough.yml", "release.yml")


@pytest.fixture(scope="module")
def workflows(repository):
    folder = repository / ".github" / "workflows"
    assert sorted(path.name for path in folder.iterdir()) == sorted(WORKFLOWS)
    return {name: yaml.safe_load((folder / name).read_text(encoding="utf-8")) for name in WORKFLOWS}


@pytest.fixture(scope="module")
def makefile(repository):
    return (repository / "Makefile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def targets(makefile):
    """Return the names that `make` can be asked for."""
    return set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))


def jobs(workflows):
    return [(name, job, about) for name, flow in workflows.items() for job, about in flow["jobs"].items()]


def steps(workflows):
    return [(name, step) for name, _, about in jobs(workflows) for step in about.get("steps", [])]


def commands(workflows):
    return [line for _, step in steps(workflows) for line in step.get("run", "").splitlines()]


def test_pythons_are_those_of_the_classifiers(workflows, metadata):
    named = [line.rpartition(" ")[2] for line in metadata["classifiers"]]
    pythons = [version for version in named if re.fullmatch(r"3\.\d+", version)]
    matrix = workflows["test.yml"]["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["python"] == pythons
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert workflows["release.yml"]["jobs"]["try"]["strategy"]["matrix"]["python"] == [
        pythons[0],
        pythons[-1],
    ]
    oldest = [
        row
        for row in workflows["test.yml"]["jobs"]["make"]["strategy"]["matrix"]["include"]
        if row["target"] == "test-oldest"
    ]
    assert [row["python"] for row in oldest] == pythons[:1]


def test_targets_exist(workflows, targets):
    makes = [workflows[name]["jobs"]["make"] for name in ("test.yml", "thorough.yml")]
    rows = [row for job in makes for row in job["strategy"]["matrix"]["include"]]
    asked = {word for row in rows for word in row["target"].split() if "=" not in word}
    asked |= {word for line in commands(workflows) for word in re.findall(r"\bmake ([a-z][\w-]*)", line)}
    assert asked <= targets
    assert {name for name in targets if name.startswith("test-")} <= asked
    assert {"lint", "types", "imports", "docs", "coverage", "audit"} <= asked


def test_paths_and_extras_exist(workflows, repository, metadata):
    for line in commands(workflows):
        for path in re.findall(r"(?<![\w/])(?:\.github|docs|tests)/[\w./-]+", line):
            assert (repository / path).exists(), path
        for extras in re.findall(r"\.\[([\w,]+)\]", line):
            assert set(extras.split(",")) <= set(metadata["optional-dependencies"])
    for _, _, about in jobs(workflows):
        if "uses" in about:
            assert (repository / about["uses"]).exists()
    for _, step in steps(workflows):
        if "cache-dependency-path" in step.get("with", {}):
            assert (repository / step["with"]["cache-dependency-path"]).exists()


def test_markers_left_out_are_those_that_have_a_target(workflows, repository, makefile):
    options = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]
    markers = {line.partition(":")[0] for line in options["ini_options"]["markers"]} - {"unix"}  # no part
    (line,) = (line for line in commands(workflows) if "pytest" in line)
    fast = re.search(r"^FAST = (.*)$", makefile, re.MULTILINE)[1]
    assert shlex.split(line)[-1] == fast
    assert set(fast.replace("not ", "").split(" and ")) == markers
    for marker in markers:
        assert re.search(rf"^test-{marker}:.*\n(?:.*\n)*?\t.* -m {marker}$", makefile, re.MULTILINE)


def test_only_what_is_needed_is_permitted(workflows):
    for name, flow in workflows.items():
        assert flow["permissions"] == {"contents": "read"}, name
    more = {
        (name, job): about["permissions"]
        for name, job, about in jobs(workflows)
        if about.get("permissions", {"contents": "read"}) != {"contents": "read"}
    }
    assert more == {
        ("release.yml", "publish"): {"id-token": "write"},
        ("release.yml", "announce"): {"contents": "write"},
    }
    for _, step in steps(workflows):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_nothing_is_published_that_was_not_tried(workflows):
    release = workflows["release.yml"]["jobs"]
    assert set(release["publish"]["needs"]) == {"test", "try"}
    assert release["try"]["needs"] == "build"
    assert release["announce"]["needs"] == "publish"
    assert release["publish"]["environment"]["name"] == "pypi"
    assert workflows["release.yml"][True] == {"push": {"tags": ["v*"]}}  # YAML takes `on` for a truth value


def test_actions_are_named_by_commit_and_jobs_end(workflows, repository):
    for name in WORKFLOWS:
        text = (repository / ".github" / "workflows" / name).read_text(encoding="utf-8")
        for line in re.findall(r"uses: (?!\./)(.*)", text):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    for name, job, about in jobs(workflows):
        longest = 350 if name == "thorough.yml" else 120
        assert "uses" in about or about["timeout-minutes"] <= longest, (name, job)


def test_no_text_from_outside_is_put_into_a_command(workflows):
    assert not [line for line in commands(workflows) if "${{" in line]


def test_help_of_make_names_every_target(makefile, targets):
    told = re.findall(r'^\t@echo "make ([\w-]+) ', makefile, re.MULTILINE)
    assert len(told) == len(set(told))
    assert set(told) == targets - {"help"}
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    assert phony == targets
