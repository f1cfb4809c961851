"""The wheel and the source distribution: built, looked into, installed somewhere else, used and removed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import regionalize

pytestmark = pytest.mark.release

VERSION = regionalize.__version__
SAMPLE = (
    "georgia.gpkg",
    "georgia.shp",
    "georgia.shx",
    "georgia.dbf",
    "georgia.prj",
    "georgia.cpg",
    "README.md",
)
NO_NETWORK = "NewConnectionError|ConnectTimeout|ConnectionError|ProxyError|Name or service|Temporary failure"


def tell(*line, cwd=None, fine=True, **more) -> subprocess.CompletedProcess[str]:
    """Run a program, without what the environment of this process would add to it."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(word) for word in line],
        cwd=cwd,
        env={**kept, "COLUMNS": "80", "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", **more},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0 or not fine, done.stdout
    return done


def build(source: Path, out: Path, *kinds: str) -> list[Path]:
    """Build with the backend that is installed here, so that this part needs no network."""
    pytest.importorskip("build", reason="needs the extra `release`")
    pytest.importorskip("hatch_fancy_pypi_readme", reason="needs the extra `release`")
    tell(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, *kinds, source)
    return sorted(out.iterdir())


@pytest.fixture(scope="module")
def built(repository, tmp_path_factory):
    """Return the sdist and the wheel that was built from it."""
    wheel, sdist = build(repository, tmp_path_factory.mktemp("dist"))
    assert (wheel.name, sdist.name) == (
        f"regionalize-{VERSION}-py3-none-any.whl",
        f"regionalize-{VERSION}.tar.gz",
    )
    return sdist, wheel


@pytest.fixture(scope="module")
def unpacked(built, tmp_path_factory):
    """Return the folder of the unpacked source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(built[0]) as archive:
        archive.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    return top


def tracked(repository: Path) -> set[str]:
    """Return the files of the repository that are not ignored, as git tells them."""
    if not (repository / ".git").exists():
        pytest.skip("needs a git checkout to tell what belongs to the repository")
    listed = tell("git", "-C", repository, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return {name for name in listed.stdout.split("\0") if name and (repository / name).is_file()}


def text_of(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(f"regionalize-{VERSION}.dist-info/{name}").decode()


class TestContents:
    def test_wheel_has_the_whole_package_and_nothing_else(self, built, repository):
        with zipfile.ZipFile(built[1]) as archive:
            names = {name for name in archive.namelist() if ".dist-info/" not in name}
        package = {name for name in tracked(repository) if name.startswith("regionalize/")}
        sample = {f"regionalize/sample_data/{name}" for name in SAMPLE}
        manual = {f"regionalize-{VERSION}.data/data/share/man/man1/regionalize.1"}
        assert names == package | sample | manual
        assert {"regionalize/py.typed", "regionalize/maps/web/assets/map.html"} <= names

    def test_files_of_the_wheel_are_those_of_the_repository(self, built, repository):
        with zipfile.ZipFile(built[1]) as archive:
            for name in SAMPLE:
                packed = archive.read(f"regionalize/sample_data/{name}")
                assert packed == (repository / "sample_data" / name).read_bytes()
            manual = archive.read(f"regionalize-{VERSION}.data/data/share/man/man1/regionalize.1")
            assert manual == (repository / "docs" / "regionalize.1").read_bytes()
            licence = archive.read(f"regionalize-{VERSION}.dist-info/licenses/LICENSE")
            assert licence == (repository / "LICENSE").read_bytes()

    def test_sdist_has_what_the_repository_has(self, unpacked, repository):
        names = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
        assert names == tracked(repository) | {"PKG-INFO"}

    def test_same_bytes_at_another_time_and_place(self, built, unpacked, tmp_path):
        again = build(unpacked, tmp_path, "--wheel", "--sdist")
        assert [path.read_bytes() for path in again] == [built[1].read_bytes(), built[0].read_bytes()]

    def test_metadata_are_whole(self, built, metadata):
        told = text_of(built[1], "METADATA")
        head, _, body = told.partition("\n\n")
        fields = [line.partition(": ")[::2] for line in head.splitlines()]
        assert ("Name", "regionalize") in fields
        assert ("Version", VERSION) in fields
        assert ("License-Expression", "BSD-3-Clause") in fields
        assert ("Requires-Python", metadata["requires-python"]) in fields
        assert ("Description-Content-Type", "text/markdown") in fields
        assert [value for name, value in fields if name == "Classifier"] == sorted(metadata["classifiers"])
        assert {value for name, value in fields if name == "Project-URL"} == {
            f"{name}, {url}" for name, url in metadata["urls"].items()
        }
        assert body.lstrip().startswith("# regionalize\n")
        assert text_of(built[1], "entry_points.txt").split() == [
            *("[console_scripts]", "regionalize", "=", "regionalize.cli:main")
        ]

    def test_links_of_the_description_lead_somewhere_from_anywhere(self, built, repository):
        readme = (repository / "README.md").read_text(encoding="utf-8")
        shown = text_of(built[1], "METADATA").partition("\n\n")[2]
        before, after = (re.findall(r"(!?)\[[^\]]*\]\(([^)]+)\)", text) for text in (readme, shown))
        assert len(before) == len(after) > 10
        for (picture, path), (_, link) in zip(before, after, strict=True):
            if "://" in path:
                assert link == path
                continue
            host = "raw.githubusercontent.com/regionalize/regionalize" if picture else ""
            start = f"https://{host or 'github.com/regionalize/regionalize/blob'}/v{VERSION}/"
            assert link == f"{start}{path}"
            assert (repository / path.partition("#")[0]).exists()

    def test_a_package_index_takes_them(self, built):
        pytest.importorskip("twine", reason="needs the extra `release`")
        said = tell(sys.executable, "-m", "twine", "check", "--strict", *built).stdout
        assert said.count("PASSED") == len(built)


def test_tests_run_from_the_sdist(unpacked):
    """A packager has no repository: the tests find what they need beside them."""
    line = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not release")
    said = tell(*line, "tests/model", "tests/release", cwd=unpacked).stdout
    assert re.search(r"^\d+ passed", said, re.MULTILINE), said


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel in it, and a folder to work in."""

    folder: Path
    work: Path

    @property
    def programs(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    def run(self, program: str, *words, fine=True) -> str:
        """Return what a program of the environment says; what it compiles is kept out of the environment."""
        path = f"{self.programs}{os.pathsep}{os.environ.get('PATH', '')}"
        cache = str(self.work / "kernels")
        line = (self.programs / program, *words)
        return tell(*line, cwd=self.work, fine=fine, PATH=path, NUMBA_CACHE_DIR=cache).stdout

    def owned(self) -> list[str]:
        """Return what in the environment is named after the package."""
        return [str(path.relative_to(self.folder)) for path in self.folder.rglob("*regionalize*")]


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """Return an environment of its own with the wheel and what it asks for, from the package index."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder / "env", with_pip=True)
    environment = Environment(folder / "env", folder / "work")
    environment.work.mkdir()
    try:
        environment.run("python", "-m", "pip", "install", "--quiet", "--retries", "1", built[1])
    except AssertionError as failed:
        if re.search(NO_NETWORK, str(failed)):
            pytest.skip("needs the package index for what the package asks for, and there is no network")
        raise
    return environment


class TestInstalled:
    def test_what_it_asks_for_is_all_it_needs(self, installed):
        installed.run("python", "-m", "pip", "check")

    def test_version(self, installed):
        assert installed.run("regionalize", "--version") == f"regionalize {VERSION}\n"
        assert installed.run("python", "-m", "regionalize", "--version") == f"regionalize {VERSION}\n"
        code = (
            "import importlib.metadata as m, regionalize as rz; print(rz.__version__, m.version(rz.__name__))"
        )
        assert installed.run("python", "-c", code) == f"{VERSION} {VERSION}\n"

    def test_it_is_not_the_checkout_that_runs(self, installed):
        found = installed.run("python", "-c", "import regionalize; print(regionalize.__file__)")
        assert Path(found.strip()).is_relative_to(installed.folder)

    def test_first_command_of_the_readme(self, installed, repository):
        found = spec_from_file_location("examples", repository / "docs" / "examples.py")
        examples = sys.modules[found.name] = module_from_spec(found)  # dataclasses look their module up
        found.loader.exec_module(examples)
        first, *_ = examples.find_examples((repository / "README.md").read_text(encoding="utf-8"))
        program, *words = first.text.split()
        said = examples.trimmed(installed.run(program, *words))
        assert examples.same_output(first.expected, said), said

    def test_sample_and_maps(self, installed):
        installed.run("regionalize", "sample")
        outputs = ("-o", "out.gpkg", "--map", "map.png", "--report", "report.html", "--plot", "plot.svg")
        installed.run("regionalize", "kmeans", "georgia.gpkg", "--k", "4", *outputs)
        installed.run("regionalize", "map", "out.gpkg", "-o", "map.html")
        assert (installed.work / "map.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (installed.work / "plot.svg").read_text(encoding="utf-8")
        for name in ("map.html", "report.html"):
            assert "<style>" in (installed.work / name).read_text(encoding="utf-8")
        assert "<script" in (installed.work / "map.html").read_text(encoding="utf-8")

    def test_every_command_has_help_and_a_kernel_compiles(self, installed):
        usage = installed.run("regionalize", "--help")
        for name in re.findall(r"^  ([a-z][a-z-]+)  ", usage, re.MULTILINE):
            assert f"regionalize {name}" in installed.run("regionalize", name, "--help")
        assert "skater, k = 5" in installed.run("regionalize", "skater", "--k", "5")

    def test_every_public_name_can_be_had(self, installed):
        code = "import regionalize as rz; print(*(name for name in rz.__all__ if getattr(rz, name)))"
        assert installed.run("python", "-c", code).split() == regionalize.__all__

    def test_manual_page(self, installed, repository):
        page = installed.folder / "share" / "man" / "man1" / "regionalize.1"
        assert page.read_bytes() == (repository / "docs" / "regionalize.1").read_bytes()

    def test_sdist_builds_the_same_wheel_by_itself(self, installed, built, tmp_path):
        """In isolation, with what [build-system] asks for and nothing else."""
        installed.run(
            "python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, built[0]
        )
        (wheel,) = tmp_path.iterdir()
        assert wheel.read_bytes() == built[1].read_bytes()

    def test_removed_it_leaves_nothing(self, installed):
        """The last test: the environment is empty after it."""
        assert installed.owned()
        installed.run("python", "-m", "pip", "uninstall", "--quiet", "--yes", "regionalize")
        assert installed.owned() == []
