"""Names of items: files of these names can be made on every system, and no two are one."""

from __future__ import annotations

import ntpath
import unicodedata
from pathlib import PureWindowsPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regionalize.run.batch.names import file_name, natural, stem, told_apart, unique

FORBIDDEN = set('<>:"/\\|?*') | {chr(code) for code in range(32)} | set("!;")
"""What Windows takes in no name, and what GDAL's readers part an address by."""
words = st.text(max_size=12)


def is_reserved(name: str) -> bool:
    """Whether Windows keeps a name for a device: as the standard library knows it."""
    known = getattr(ntpath, "isreserved", None)
    return known(name) if known is not None else PureWindowsPath(name).is_reserved()


@given(st.lists(words, min_size=1, max_size=3))
@example(["COM1.x"])
@example(["nul"])
@example(["a" * 300])
@example(["\ud800"])
@example([" ."])
@example(["é" * 100])
@example(["x!Roraima", "Rio; Sul", "Wow!", "=cmd|' /C calc'!A0"])
def test_a_name_is_safe_everywhere(parts):
    name = file_name(*parts)
    assert name
    assert not FORBIDDEN & set(name)
    assert not is_reserved(name)
    assert not is_reserved(f"{name}.gpkg")
    assert name == name.strip(" .")
    assert len(name.encode()) <= 121  # with the mark behind a reserved word
    assert unicodedata.is_normalized("NFC", name)


@settings(max_examples=60)
@given(st.lists(st.text("aAéÉ/\u0301. -2", max_size=4), min_size=1, max_size=12))
@example(["CE", "ce", "CE-2", "ce"])
def test_no_two_names_are_one_file(texts):
    names = unique([file_name(text) for text in texts])
    assert len(names) == len(texts)
    folded = {unicodedata.normalize("NFD", name.casefold()) for name in names}
    assert len(folded) == len(names)
    assert names == unique([file_name(text) for text in texts])


def test_files_of_these_names_can_be_made(tmp_path):
    texts = [
        "a/b",
        "a\\b",
        "a:b",
        "..",
        "",
        "con",
        "São Paulo",
        "d'Oeste",
        "x\ny",
        "日" * 200,
        "日" * 201,
        "-o",
    ]
    names = unique([file_name(text) for text in texts])
    for name in names:
        (tmp_path / f"{name}.gpkg").write_text(name)
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(names)


def test_accents_blanks_and_apostrophes_stay():
    assert file_name("Espírito Santo", "Olho d'Água") == "Espírito Santo-Olho d'Água"


@given(st.lists(st.integers(0, 10**12), max_size=8))
def test_numbers_sort_by_what_they_are_worth(numbers):
    texts = [f"b{number}" for number in numbers]
    assert sorted(texts, key=natural) == [f"b{number}" for number in sorted(numbers)]


@given(st.lists(words, max_size=8), st.randoms(use_true_random=False))
def test_order_does_not_depend_on_the_order_before(texts, random):
    in_order = sorted(texts, key=natural)
    random.shuffle(texts)
    assert sorted(texts, key=natural) == in_order


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/towns.gpkg", "towns"), ("towns.shp.zip", "towns"), ("v1.2.gpkg", "v1.2"), ("data.gdb", "data")],
)
def test_stem(path, expected):
    assert stem(path) == expected


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["/d/a.gpkg", "/d/b.gpkg"], ["a", "b"]),
        (["/d/x/a.gpkg", "/d/y/a.gpkg", "/d/y/b.gpkg"], ["x-a", "y-a", "b"]),
        (["/x/2010/a.gpkg", "/y/2010/a.gpkg"], ["x-a", "y-a"]),
        (["/d/a.gpkg", "/d/a.shp"], ["a-gpkg", "a-shp"]),
        (["/x/1/a.gpkg", "/x/2/a.gpkg", "/y/1/a.gpkg"], ["x-1-a", "x-2-a", "y-1-a"]),
        (["/d/A.gpkg", "/e/a.gpkg"], ["d-A", "e-a"]),
    ],
)
def test_equal_stems_get_the_least_of_their_folders(paths, expected):
    assert told_apart(paths) == expected


@given(
    st.lists(
        st.tuples(
            st.sampled_from("xy"),
            st.sampled_from("12"),
            st.sampled_from("ab"),
            st.sampled_from(["gpkg", "shp"]),
        ),
        unique=True,
        max_size=12,
    )
)
def test_names_tell_all_paths_apart(parts):
    paths = [f"/{one}/{two}/{name}.{ending}" for one, two, name, ending in parts]
    assert len(set(told_apart(paths))) == len(paths)
