"""Continuous integration installs versions that are written down; an audit says what it could not look up."""

from __future__ import annotations

import importlib.util
import json
import re
import stat
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]
CONSTRAINTS = ".github/constraints/ci.txt"


@pytest.fixture(scope="module")
def pinned():
    """Return the requirements of the file by name; there may be several, for different systems."""
    lines = (PROJECT / CONSTRAINTS).read_text(encoding="utf-8").splitlines()
    found: dict[str, list[Requirement]] = {}
    for line in lines:
        if line and not line.startswith("#"):
            one = Requirement(line)
            found.setdefault(canonicalize_name(one.name), []).append(one)
    return found


def test_every_version_is_one(pinned):
    assert len(pinned) > 50
    for ones in pinned.values():
        for one in ones:
            assert re.fullmatch(r"==[\w.+!]+", str(one.specifier)), one


def test_every_dependency_is_there_in_a_version_that_is_allowed(pinned):
    """Else: `make constraints`."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for line in [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]:
        wanted = Requirement(line)
        versions = [next(iter(one.specifier)).version for one in pinned[canonicalize_name(wanted.name)]]
        assert all(wanted.specifier.contains(version, prereleases=True) for version in versions), line


def test_workflows_install_these():
    """But for the package as a user gets it."""
    for file in (PROJECT / ".github" / "workflows").iterdir():
        flow = yaml.safe_load(file.read_text(encoding="utf-8"))
        for job, about in flow["jobs"].items():
            for step in about.get("steps", []):
                for line in step.get("run", "").splitlines():
                    if "pip install" in line and job != "try":
                        assert f"-c {CONSTRAINTS}" in line, line
                    if line.startswith("make "):
                        assert step["env"]["PIP_CONSTRAINT"].endswith(f"/{CONSTRAINTS}")


@pytest.mark.unix
@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (
            {"dependencies": [{"name": "a", "version": "1", "vulns": []}]},
            0,
            "1 of 1 packages looked up; 0 with",
        ),
        (
            {
                "dependencies": [
                    {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]},
                    {"name": "regionalize", "skip_reason": "editable"},
                ]
            },
            1,
            "a 1: PYSEC-1, mended in 2",
        ),
        ({"dependencies": [{"name": "a", "skip_reason": "not found"}]}, 2, "nothing is known"),
        (None, 2, "cannot be reached, and nothing is known: no way there"),
    ],
)
def test_the_audit_says_what_it_could_not_look_up(answer, code, words, tmp_path, capsys):
    """With an auditor of ours in the place of pip-audit."""
    auditor = tmp_path / "pip-audit"
    said = "" if answer is None else json.dumps(answer)
    auditor.write_text(
        f"#!{sys.executable}\nimport sys\nprint({said!r})\nprint('no way there', file=sys.stderr)\n"
    )
    auditor.chmod(auditor.stat().st_mode | stat.S_IXUSR)
    found = importlib.util.spec_from_file_location("audit", PROJECT / ".github" / "audit.py")
    audit = importlib.util.module_from_spec(found)
    found.loader.exec_module(audit)
    assert audit.main(str(auditor)) == code
    assert words in capsys.readouterr().out
