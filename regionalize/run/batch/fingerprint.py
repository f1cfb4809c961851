"""What an item is made from, in one line: where it is equal, the same would come out again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from regionalize import __version__
from regionalize.model.catalog import package_of
from regionalize.run.batch.digests import DIGEST_BYTES, Digests
from regionalize.run.batch.items import Item

PACKAGES = ("numpy", "scipy", "numba", "scikit-learn", "shapely", "pyproj", "pyogrio", "pyarrow")
"""What computes, reads and writes."""
NO_ANSWER = {"jobs"}
"""Of a job, what changes no answer."""
A_FILE = "a file"
"""In the place of a path: what is in the file is among the inputs."""


def fingerprint(item: Item, folder: Path, digests: Digests, versions: Mapping[str, str]) -> str | None:
    """Return what stands for the content of all inputs, the options, and the versions of what computes.

    Parameters
    ----------
    item : Item
        What is to be run.
    folder : Path
        Of the outputs: it may be called otherwise tomorrow.
    digests : Digests
        What is known of the inputs already.
    versions : mapping
        What `versions_here` gives.

    Returns
    -------
    str or None
        None where an input is no file, so that nobody can tell whether it has changed.
    """
    inputs = [digests.of(file) for file in (item.source, *item.job.files)]
    if None in inputs:
        return None
    job = {field.name: getattr(item.job, field.name) for field in fields(item.job)}
    job |= {} if item.job.weights_file is None else {"weights": A_FILE}
    if job["params"].get("distances") is not None:
        job["params"] = {**job["params"], "distances": A_FILE}
    outputs = {field.name: getattr(item.outputs, field.name) for field in fields(item.outputs)}
    del outputs["overwrite"]
    about = {
        "inputs": inputs,
        "job": {name: value for name, value in job.items() if name not in NO_ANSWER},
        "outputs": {name: placed(value, folder) for name, value in outputs.items()},
        "part": None if item.part is None else [item.part.column, item.part.value],
        "versions": {**versions, "method": package_of(item.job.method)},
    }
    text = json.dumps(about, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()


def placed(value: Any, folder: Path) -> Any:
    """Return a path in the words of a folder; anything else as it is."""
    return relative(value, folder) if isinstance(value, Path) else value


def relative(path: Path, folder: Path) -> str:
    """Return the real path in the words of the real folder, with slashes; whole where it is elsewhere.

    Examples
    --------
    >>> relative(Path("out/maps/a.png"), Path("out"))
    'maps/a.png'
    """
    full, root = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    return (full.relative_to(root) if full.is_relative_to(root) else full).as_posix()


def versions_here() -> dict[str, str]:
    """Return the versions of regionalize and of the packages it computes with."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"regionalize": __version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found
