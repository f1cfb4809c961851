"""GDAL, kept quiet and to the letter.

Nothing is printed or warned: what matters is turned into notes or errors elsewhere. And the file that is
opened is the one that is named: pyogrio takes a path for an address, in which ``!`` parts an archive from its
member and ``;`` begins a parameter, and GDAL takes a backslash for the end of a folder's name.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regionalize.errors import OutputError
from regionalize.io.gdal_closed import closed_off
from regionalize.io.gdal_messages import WARNING, Messages, listening

AS_IT_IS = "/vsisubfile/0,"
"""All of a file from its first byte on, in GDAL's words; pyogrio leaves such paths as they are."""
_PARSED = frozenset("!;?\t\r\n")


def readable(path: str | Path) -> str:
    """Return what pyogrio is to be given to read a file on this machine.

    Examples
    --------
    >>> readable("/data/towns;2020.gpkg").endswith("towns;2020.gpkg")
    True
    """
    full = str(Path(path).absolute())
    return f"{AS_IT_IS}{full}" if is_parsed(full) else full


def is_parsed(path: str) -> bool:
    r"""Whether pyogrio would make something else of an absolute path.

    Examples
    --------
    >>> is_parsed("/data/towns.gpkg"), is_parsed("/data/towns;2020.gpkg"), is_parsed("C:\\towns;2020.gpkg")
    (False, True, False)
    """
    if path[:1].isalpha() and path[1:2] == ":":  # a drive of Windows
        return False
    return path.startswith("//") or not _PARSED.isdisjoint(path)


@contextmanager
def writable(path: Path) -> Iterator[str]:
    """Give what pyogrio is to be given to write a file; when the block ends, the file is there.

    A file of an odd name is made under a plain one. To a folder of an odd name, a link leads.

    Parameters
    ----------
    path : Path
        File to make, or database to change, in a folder of our own.
    """
    odd = "\\" in path.name or is_parsed(f"/{path.name}")
    plain = path.with_name(f"layer{path.suffix}") if odd else path
    if odd and path.exists():
        path.rename(plain)
    with _plain_folder(path.parent.absolute()) as folder:
        yield os.path.join(folder, plain.name)
    for part in sorted(path.parent.glob("layer.*")) if odd else []:
        part.rename(path.with_suffix(part.suffix))


@contextmanager
def _plain_folder(folder: Path) -> Iterator[str]:
    if not is_parsed(str(folder)):
        yield str(folder)
        return
    with tempfile.TemporaryDirectory() as place:
        link = os.path.join(place, "link")
        try:
            if is_parsed(place):
                raise OSError(f"nor is there a plain name for {place}")
            os.symlink(folder, link, target_is_directory=True)
        except OSError as error:
            reason = f"GDAL cannot write to a folder with such a name as '{folder}' ({error})"
            raise OutputError(reason, advice="rename the folder, or write elsewhere") from error
        yield link


@contextmanager
def setting(name: str, value: str) -> Iterator[None]:
    """Set a configuration option of GDAL for a while."""
    import pyogrio

    before = pyogrio.get_gdal_config_option(name)
    pyogrio.set_gdal_config_options({name: value})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({name: before})


@contextmanager
def quiet() -> Iterator[Messages]:
    """Collect what GDAL and pyogrio say instead of showing it; it is all there when the block ends."""
    # what GDAL warns of is for the caller to judge and to word, each time anew
    with closed_off(), warnings.catch_warnings(record=True) as caught, listening() as said:
        warnings.simplefilter("always")
        try:
            yield said
        finally:
            for one in caught:
                said.hear(WARNING, str(one.message))
