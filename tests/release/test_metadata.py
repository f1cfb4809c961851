"""One version, one licence and one list of Pythons, wherever they are told."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest
import yaml

import regionalize


@pytest.fixture(scope="module")
def citation(repository):
    return yaml.safe_load((repository / "CITATION.cff").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def release_notes(repository):
    found = importlib.util.spec_from_file_location(
        "release_notes", repository / ".github" / "release_notes.py"
    )
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_version_is_written_in_one_place(repository, metadata, release_notes):
    assert "version" in metadata["dynamic"]
    assert "version" not in metadata
    assert release_notes.package_version() == regionalize.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+|\.dev\d+)?", regionalize.__version__)
    conf = (repository / "docs" / "conf.py").read_text(encoding="utf-8")
    assert re.search(r"^version = release = regionalize\.__version__$", conf, re.MULTILINE)


def test_copies_of_the_version_agree(repository, citation):
    assert str(citation["version"]) == regionalize.__version__
    manual = (repository / "docs" / "regionalize.1").read_text(encoding="utf-8")
    assert f'"regionalize {regionalize.__version__}"' in re.search(r"^\.TH .*$", manual, re.MULTILINE)[0]


def test_the_citation_says_what_the_metadata_say(citation, metadata):
    assert citation["cff-version"] == "1.2.0"
    assert citation["title"] == metadata["name"]
    assert citation["license"] == metadata["license"]
    assert citation["abstract"] == metadata["description"]
    assert citation["repository-code"] == metadata["urls"]["Source"]
    assert citation["authors"] == metadata["authors"]
    assert set(citation["keywords"]) <= set(metadata["keywords"])


def test_the_licence_is_the_one_named(repository, metadata):
    assert metadata["license"] == "BSD-3-Clause"
    text = (repository / metadata["license-files"][0]).read_text(encoding="utf-8")
    assert text.startswith("BSD 3-Clause License")
    assert metadata["authors"][0]["name"].lower() in text.lower()


def test_classifiers_name_every_python_from_the_required_one_on(metadata):
    named = [
        tuple(map(int, found[1].split(".")))
        for line in metadata["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (\d+\.\d+)", line))
    ]
    first = tuple(map(int, metadata["requires-python"].removeprefix(">=").split(".")))
    assert named == [(3, minor) for minor in range(first[1], named[-1][1] + 1)]
    assert sys.version_info[:2] >= first


def test_every_package_that_is_imported_is_asked_for(repository, metadata):
    """An import that only another package's dependency provides breaks when that package drops it."""
    extras = metadata["optional-dependencies"]
    lines = [*metadata["dependencies"], *extras["dask"], *extras["keras"]]
    asked = {re.match(r"[\w-]+", line)[0].replace("-", "_").lower() for line in lines}
    asked = {"sklearn" if name == "scikit_learn" else name for name in asked}
    imported = set()
    for path in (repository / "regionalize").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        imported |= set(re.findall(r"^\s*(?:from|import) (\w+)", text, re.MULTILINE))
    # llvmlite and docstrings aside, what is no part of Python is asked for, and what is asked for is used
    foreign = {name for name in imported if name not in sys.stdlib_module_names and installed(name)}
    assert foreign - {"regionalize"} == asked


def installed(name: str) -> bool:
    """Tell whether a word that follows `import`, perhaps in a sentence, is the name of a module."""
    return importlib.util.find_spec(name) is not None


class TestChangelog:
    def test_its_first_part_is_what_comes_next_or_this_version(self, repository, release_notes):
        parts = release_notes.sections((repository / "CHANGELOG.md").read_text(encoding="utf-8"))
        first, *released = parts
        assert parts[first]
        if first == "Unreleased":
            assert f"To become {regionalize.__version__}." in parts[first].splitlines()[0]
        else:
            assert first == regionalize.__version__
        assert "Unreleased" not in released

    def test_parts_are_told_apart(self, release_notes):
        text = (
            "# Changelog\n\nWords.\n\n## [Unreleased]\n\n- d\n\n## [0.2.0] - 2030-01-31\n\n### Added\n\n- c\n"
            "\n## [0.1.0] - 2029-01-31\n\n- a\n- b\n"
        )
        assert release_notes.sections(text) == {
            "Unreleased": "- d",
            "0.2.0": "### Added\n\n- c",
            "0.1.0": "- a\n- b",
        }

    @pytest.mark.parametrize(
        ("tag", "changelog", "fault"),
        [
            ("v9.9.9", "## [9.9.9] - 2030-01-31\n\n- a\n", "the tag is v9.9.9"),
            ("{version}", "## [{version}] - 2030-01-31\n\n- a\n", "the tag is"),
            ("v{version}", "## [Unreleased]\n\n- a\n", "nothing under"),
            (
                "v{version}",
                "## [{version}] - 2030-01-31\n\n## [0.0.1] - 2029-01-31\n\n- a",
                "nothing under",
            ),
            ("v{version}", "## [{version}] - 2030-01-31\n\n- a\n", None),
        ],
    )
    def test_a_tag_too_early_is_refused(self, tag, changelog, fault, release_notes, tmp_path, monkeypatch):
        version = regionalize.__version__
        (tmp_path / "regionalize").mkdir()
        (tmp_path / "regionalize" / "__init__.py").write_text(f'__version__ = "{version}"\n')
        (tmp_path / "CHANGELOG.md").write_text(changelog.format(version=version))
        monkeypatch.setattr(release_notes, "REPOSITORY", tmp_path)
        if fault is None:
            assert release_notes.notes(tag.format(version=version)) == "- a"
        else:
            with pytest.raises(SystemExit, match=fault):
                release_notes.notes(tag.format(version=version))
