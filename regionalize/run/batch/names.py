"""Names of items, which are names of files too: safe on every system, short, and no two alike."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import PurePath
from typing import Any

MOST_BYTES = 120
"""Of a name: file systems take 255, some 143, and an ending and marks of our own are to follow."""
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
"""What Windows takes for a device, whatever the ending."""
_UNSAFE = re.compile(r'[<>:"/\\|?*!;]+')
"""What Windows does not take in the name of a file, and what programs part an address by."""
_RUNS = re.compile(r"(\d+)")
DOUBLE = (".shp.zip", ".shp.xml", ".csv.gz")
"""Endings of two parts."""


def natural(text: str) -> tuple[Any, str]:
    """Return a key that sorts text as people do: numbers by what they are worth, accents and case last.

    Examples
    --------
    >>> sorted(["b10", "b9", "Á", "a", "z"], key=natural)
    ['a', 'Á', 'b9', 'b10', 'z']
    """
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    pieces = _RUNS.split(plain.casefold())
    # split gives text and digits in turn, so that like is compared with like
    key = [int(piece) if place % 2 else piece for place, piece in enumerate(pieces)]
    return (tuple(key), text)


def safe(text: str) -> str:
    r"""Return a text as part of the name of a file: what some system does not take is replaced.

    Accents and blanks stay; letters are composed, as most systems have them.

    Examples
    --------
    >>> safe("São Paulo"), safe("a/b: \"c\"\n"), safe(" .. "), safe("x. ")
    ('São Paulo', 'a-b- -c', '', 'x')
    """
    shown = "".join(sign if sign.isprintable() else " " for sign in unicodedata.normalize("NFC", text))
    line = " ".join(_UNSAFE.sub("-", shown).split())
    return line.lstrip(". ").rstrip(". -")


def file_name(*parts: str) -> str:
    """Join parts to the name of an item.

    Examples
    --------
    >>> file_name("towns", "CE", ""), file_name("con"), file_name("?")
    ('towns-CE', 'con_', 'unnamed')
    >>> len(file_name("é" * 200).encode()) <= MOST_BYTES
    True
    """
    name = "-".join(filter(None, map(safe, parts))) or "unnamed"
    if len(name.encode()) > MOST_BYTES:
        mark = "-" + sha256(name.encode()).hexdigest()[:8]
        name = name.encode()[: MOST_BYTES - len(mark)].decode(errors="ignore").rstrip(". ") + mark
    found = RESERVED.match(name)
    return name if found is None else f"{found[1]}_{name[len(found[1]) :]}"


def clash_key(name: str) -> str:
    """Return what two names share that some file system takes for one.

    Examples
    --------
    >>> clash_key("ÉTÉ") == clash_key("e\u0301te\u0301")
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def unique(names: Sequence[str]) -> list[str]:
    """Return names of which no two are alike, in any case: of those that are, the later get numbers.

    Examples
    --------
    >>> unique(["CE", "ce", "ce-2", "CE"])
    ['CE', 'ce-3', 'ce-2', 'CE-4']
    """
    taken = Counter(map(clash_key, names))
    seen: set[str] = set()
    last: dict[str, int] = {}
    found = []
    for name in names:
        key = clash_key(name)
        if key not in seen:
            seen.add(key)
            found.append(name)
            continue
        number = last.get(key, 1) + 1
        while clash_key(f"{name}-{number}") in taken or clash_key(f"{name}-{number}") in seen:
            number += 1
        last[key] = number
        found.append(f"{name}-{number}")
        seen.add(clash_key(found[-1]))
    return found


def stem(path: str) -> str:
    """Return the name of a file without its ending.

    Examples
    --------
    >>> stem("a/towns.SHP.zip"), stem("v1.2.gpkg"), stem("b/.gpkg")
    ('towns', 'v1.2', '.gpkg')
    """
    name = PurePath(path).name
    for ending in DOUBLE:
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return PurePath(name).stem


def told_apart(paths: Sequence[str]) -> list[str]:
    """Name files by their stems, and those with equal stems by the least of their folders too.

    Parameters
    ----------
    paths : sequence of str
        Absolute paths, each once.

    Examples
    --------
    >>> told_apart(["/d/2010/ce.gpkg", "/d/2020/ce.gpkg", "/d/2020/pe.gpkg", "/d/2020/pe.shp"])
    ['2010-ce', '2020-ce', 'pe-gpkg', 'pe-shp']
    """
    stems = [stem(path) for path in paths]
    alike: dict[str, list[int]] = {}
    for place, name in enumerate(stems):
        alike.setdefault(clash_key(safe(name)), []).append(place)
    for places in alike.values():
        if len(places) > 1:
            for place, mark in zip(places, differences([paths[one] for one in places]), strict=True):
                stems[place] = "-".join(part for part in (*mark[0], stems[place], mark[1]) if part)
    return stems


def differences(paths: Sequence[str]) -> list[tuple[tuple[str, ...], str]]:
    """Return the folders, and where these do not do, the ending, that tell paths of one stem apart."""
    folders = [PurePath(path).parts[:-1] for path in paths]
    endings = [PurePath(path).suffix.lstrip(".") for path in paths]
    deepest = max(map(len, folders))
    for up in range(1, deepest + 1):  # one folder alone, the nearest that does
        level = [parts[-up] if up <= len(parts) else "" for parts in folders]
        if all(level) and len({clash_key(safe(name)) for name in level}) == len(level):
            return [((name,), "") for name in level]
    if len(set(map(clash_key, endings))) == len(endings) and len(set(folders)) < len(folders):
        return [((), ending) for ending in endings]
    for up in range(1, deepest + 1):  # more of them, from the nearest on
        marks = [(parts[-up:], ending) for parts, ending in zip(folders, endings, strict=True)]
        if len({mark[0] for mark in marks}) == len(marks):
            return [(mark[0], "") for mark in marks]
        if len(set(marks)) == len(marks):
            return marks
    return [((), "")] * len(paths)
