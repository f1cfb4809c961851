"""The bundled sample: Georgia's counties, used when no input is named."""

from __future__ import annotations

import shutil
from pathlib import Path

from regionalize.errors import DataError, OutputError, listed
from regionalize.io.atomic import replacing, writable_folder

SAMPLE_LAYER = "georgia.gpkg"
INSTEAD = "no INPUT given: using the bundled sample, 159 counties of Georgia (USA)"
_FILES = {
    name: name
    for name in (SAMPLE_LAYER, "georgia.shp", "georgia.shx", "georgia.dbf", "georgia.prj", "georgia.cpg")
} | {"README.md": "georgia_README.md"}  # a folder of the user's often has a README.md of its own


def sample_path() -> Path:
    """Return the path of the bundled layer, in a source checkout or an installed package.

    Raises
    ------
    DataError
        If the installation lacks the file.

    Examples
    --------
    >>> sample_path().name
    'georgia.gpkg'
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "sample_data", package.parent / "sample_data"):
        if (folder / SAMPLE_LAYER).is_file():
            return folder / SAMPLE_LAYER
    raise DataError(
        "the bundled sample is missing from this installation", advice="install regionalize again"
    )


def copy_sample(folder: str | Path, overwrite: bool = False) -> list[Path]:
    """Copy the sample data to a folder, made if it is not there.

    Parameters
    ----------
    folder : path
        Where to copy to.
    overwrite : bool
        Replace files of the same names.

    Returns
    -------
    list of Path
        The copies: GeoPackage, shapefile and companions, and a note on provenance.

    Raises
    ------
    OutputError
        If a file is there already, or the folder cannot be written.
    """
    source, target = sample_path().parent, Path(folder)
    if target.exists() and not target.is_dir():
        raise OutputError("is not a folder", file=str(target), advice="name a folder to copy the sample into")
    copies = {source / name: target / copy for name, copy in _FILES.items() if (source / name).is_file()}
    present = [copy.name for copy in copies.values() if copy.exists()]
    if present and not overwrite:
        raise OutputError(
            f"already holds {listed(present)}", file=str(target), advice="use --overwrite to replace them"
        )
    if target.exists() and target.resolve() == source:
        raise OutputError("is the bundled sample itself", file=str(target), advice="name another folder")
    writable_folder(target, make=True)
    for original, copy in copies.items():
        with replacing(copy) as temporary:
            shutil.copyfile(original, temporary)
    return list(copies.values())
