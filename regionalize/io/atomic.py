"""Write whole files or nothing: a temporary sibling, flushed to disk, then renamed into place.

A new version is written under its final name inside a hidden folder beside the old one, so that formats of
many files, journals of databases and names that drivers derive from the file name all come right. Renaming
within a file system is atomic for one file; a format of several files is renamed with signals held back and
rolled back if any step fails.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from regionalize.errors import OutputError
from regionalize.io.lock import hold, remove_lock
from regionalize.io.signals import signals_held

_REASONS = {
    errno.ENOSPC: ("there is no space left on the device", "free some space, or write to another one"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, or write elsewhere"),
    errno.EFBIG: ("the file would be larger than allowed here", "check `ulimit -f`, or write elsewhere"),
    errno.EROFS: ("the file system is read-only", "write to another folder"),
    errno.EACCES: ("permission denied", "write to a folder you may change"),
    errno.EPERM: ("permission denied", "write to a folder you may change"),
    errno.ENAMETOOLONG: ("the file name is too long", "choose a shorter name"),
    errno.EIO: ("the device reports an input/output error", "check the disk, or write to another one"),
    errno.ELOOP: ("the link points to itself", "name a file"),
    errno.EMFILE: ("too many files are open", "raise `ulimit -n`, or write fewer outputs at once"),
    errno.ENFILE: ("too many files are open on this machine", "close some, and run it again"),
    errno.ENOMEM: ("there is not enough memory for this", "free some, or write fewer outputs at once"),
}


_staging: set[Path] = set()
"""Folders in use: what is put in place in one of them is not in place yet."""
_TEMPORARY = ".tmp"
_SWAP, _NEW, _OLD = "swap.", "new", "old"
"""Folders inside, while several files are put in place."""
_RANDOM = 8
"""Letters that `tempfile` puts into a name."""
Moves = Sequence[tuple[Path, Path]]
"""Written files (or folders), and the paths they are to have."""
_told_of_moves: ContextVar[Callable[[Moves], None] | None] = ContextVar("told_of_moves", default=None)


def output_error(error: OSError, path: str | Path) -> OutputError:
    """Say an operating system's refusal in the words of this package.

    Examples
    --------
    >>> print(output_error(OSError(errno.ENOSPC, "No space left on device"), "out.gpkg"))
    out.gpkg: there is no space left on the device; free some space, or write to another one
    """
    while Path(path).parent in _staging:  # what is written in steps is known by where it is to be
        path = Path(path).parent.with_name(Path(path).name)
    # Arrow's own texts name the hidden folder
    other = os.strerror(error.errno) if error.errno else str(error)
    reason, advice = _REASONS.get(error.errno or 0, (other, "write elsewhere"))
    return OutputError(reason, advice=advice, file=str(path))


def writable_folder(folder: Path, *, make: bool = False, shown: str | Path | None = None) -> None:
    """Refuse a folder that is missing, is a file, or cannot be written; make it first if `make`."""
    shown = folder if shown is None else shown
    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        if not folder.exists():
            raise OutputError(f"there is no folder '{folder}'", file=str(shown), advice="make it first")
        if not folder.is_dir():
            raise OutputError(f"'{folder}' is not a folder", file=str(shown), advice="write elsewhere")
    except OSError as error:
        raise output_error(error, shown) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            f"the folder '{folder}' cannot be written", file=str(shown), advice="write to another folder"
        )


def target_of(path: str | Path) -> Path:
    """Return the file that writing to `path` replaces: the end of the chain, where `path` is a link.

    Raises
    ------
    OutputError
        If that is something other than a file or folder (a device or a pipe would be replaced by a file), or
        a link that leads nowhere.
    """
    try:
        target = Path(path).resolve()
        kind = target.stat().st_mode if target.exists() else stat.S_IFREG
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise OutputError("the link leads nowhere", file=str(path), advice="name a file") from error
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise OutputError("is not a regular file", file=str(path), advice="name a file to write")
    return target


@contextmanager
def staging(target: Path) -> Iterator[Path]:
    """Give a hidden, unpredictable folder beside `target`, and remove it afterwards whatever happens.

    It is locked: what no process holds has been left by one that was killed, and is removed first
    (`remove_leftovers`).
    """
    writable_folder(target.parent, shown=target)
    tidy(target)
    folder: Path | None = None
    held: int | None = None
    try:
        try:
            with signals_held():  # so that a folder made is a folder known
                folder, held = _make_folder(target)
                _staging.add(folder)
        except OSError as error:
            raise output_error(error, target) from error
        yield folder
    finally:
        if folder is not None:
            with signals_held():
                _staging.discard(folder)
                _remove(folder)
                if held is not None:
                    os.close(held)


def _make_folder(target: Path) -> tuple[Path, int | None]:
    """Make a folder and lock it, where folders can be locked."""
    while True:
        made = tempfile.mkdtemp(prefix=_hidden(target), suffix=_TEMPORARY, dir=target.parent)
        try:
            held = hold(Path(made), os.O_RDONLY)
        except FileNotFoundError:
            continue  # taken for a leftover before it was locked
        except OSError:
            return Path(made), None
        if held is not None:
            return Path(made), held


def _hidden(target: Path) -> str:
    # a long file name plus our marks could be more than a file system takes
    return f".{target.name[:40]}."


def remove_leftovers(paths: Iterable[str | Path]) -> None:
    """Remove the hidden folders and locks that processes left beside files they were to write, when killed.

    An output of several files, of which some had been put in place, is put right first: with all that were
    there before, or all new ones. What another process holds stays; and all folders do where nobody can tell,
    because they cannot be locked.
    """
    beside: dict[Path, set[str]] = {}
    for path in paths:
        with suppress(OutputError):
            target = target_of(path)
            remove_lock(target)
            beside.setdefault(target.parent, set()).add(_hidden(target))
    for folder, names in beside.items():
        _tidy(folder, names)


def tidy(target: Path) -> None:
    """Remove what a process left beside a file that it was to write, when killed, and put its parts right."""
    _tidy(target.parent, {_hidden(target)})


def _tidy(folder: Path, names: set[str]) -> None:
    """Remove the folders of such names that nobody holds."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            marked = entry.name.endswith(_TEMPORARY) and entry.is_dir(follow_symlinks=False)
            if marked and entry.name[: -len(_TEMPORARY) - _RANDOM] in names:
                _remove_unless_held(Path(entry.path))


def _remove_unless_held(folder: Path) -> None:
    with suppress(OSError):
        held = hold(folder, os.O_RDONLY)
        if held is None:
            return
        _remove(folder)  # before it is let go of: nobody can take it meanwhile
        os.close(held)


def _remove(folder: Path) -> None:
    """Remove a folder, unless it holds old files that cannot be put back: they wait for the next to come."""
    with suppress(OSError):
        _complete(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _complete(folder: Path) -> None:
    """Put right what has come to an end while several files were put in place (`_swap`)."""
    for swap in folder.glob(f"{_SWAP}*"):
        begun, back = swap.stat().st_mtime_ns, swap / _OLD
        for part in (back if back.exists() else swap / _NEW).glob("*"):
            place = folder.parent / part.name
            if not os.path.lexists(place):
                os.rename(part, place)
            elif place.lstat().st_mtime_ns <= begun:  # not made anew since
                os.replace(part, place)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path to write; when the block ends well, it takes the place of `path`.

    Parameters
    ----------
    path : path
        File to make or replace. A symbolic link is followed: its target is replaced. The permissions of an
        old file are kept. The folder must exist.

    Yields
    ------
    Path
        Where to write: on the same file system, with the same name, in a hidden folder.

    Raises
    ------
    OutputError
        If the folder or file cannot be written, the disk is full, or nothing was written. The old file is
        then as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder) / "out.txt"
    ...     with replacing(target) as temporary:
    ...         _ = temporary.write_text("whole")
    ...     target.read_text()
    'whole'
    """
    target = target_of(path)
    if target.is_dir():
        raise OutputError("is a folder", file=str(path), advice="name a file to write")
    is_new = not target.exists()
    with staging(target) as folder:
        temporary = folder / target.name
        try:
            yield temporary
            if not temporary.is_file():
                raise OutputError("nothing was written", file=str(path), advice="write elsewhere")
            if is_new and target.exists():
                raise OutputError("another process made it meanwhile", file=str(path), advice="run it again")
            move_into_place([(temporary, target)], folder)
        except OSError as error:
            raise output_error(error, path) from error


def move_into_place(
    moves: Moves, folder: Path, *, obsolete: Sequence[Path] = (), whole: bool = False
) -> None:
    """Flush new files (or folders) to disk and rename them over their targets, all or none.

    Parameters
    ----------
    moves : sequence of (Path, Path)
        Written file and the path it is to have.
    folder : Path
        The `staging` folder: the old versions are kept there until every move is done.
    obsolete : sequence of Path
        Old companions that would contradict the new files (a spatial index, say) and go with the old ones.
    whole : bool
        Whether the last file can be read without the others.
    """
    for new, old in moves:
        if old.is_file() and new.is_file():
            new.chmod(stat.S_IMODE(old.stat().st_mode))
        flush(new)
    tell = _told_of_moves.get()
    if tell is not None and folder.parent not in _staging:
        tell(moves)
    only_one_file = len(moves) == 1 and not obsolete and not any(path.is_dir() for path in moves[0])
    with signals_held():
        if only_one_file:
            os.replace(*moves[0])
        else:
            _swap(moves, folder, obsolete, whole=whole)
    flush_folder(folder.parent)


@contextmanager
def telling_of_moves(tell: Callable[[Moves], None]) -> Iterator[None]:
    """Tell of all files that are put in place inside the block, when they are whole and still elsewhere.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with telling_of_moves(lambda moves: print([place.name for _, place in moves])):
    ...         with replacing(Path(folder) / "out.txt") as temporary:
    ...             _ = temporary.write_text("whole")
    ['out.txt']
    """
    token = _told_of_moves.set(tell)
    try:
        yield
    finally:
        _told_of_moves.reset(token)


def _swap(moves: Moves, folder: Path, obsolete: Sequence[Path], *, whole: bool) -> None:
    """Put several files in place; whoever finds this half done can tell what is to be done (`_complete`).

    The last is the first to go and the last to come: without it, nobody takes the others for a layer. If it
    is `whole` by itself, it is replaced in one step. Once all old files lie in a folder that is no longer
    called `_OLD`, the new ones are what counts.
    """
    swap = Path(tempfile.mkdtemp(prefix=_SWAP, dir=folder))
    old, new, gone = swap / _OLD, swap / _NEW, swap / "gone"
    old.mkdir()
    new.mkdir()
    for written, target in moves:
        os.rename(written, new / target.name)
    places = [target for _, target in moves]
    stays = whole and places[-1].is_file()
    try:
        for there in [*(places[:-1] if stays else places[::-1]), *obsolete]:
            if os.path.lexists(there):
                os.rename(there, old / there.name)
        os.rename(old, gone)
        for target in places:
            move = os.replace if stays and target == places[-1] else os.rename
            move(new / target.name, target)
    except BaseException:
        if gone.exists():
            for target in places:
                if not os.path.lexists(new / target.name):
                    os.rename(target, new / target.name)
            os.rename(gone, old)
        _complete(folder)
        raise


def flush(path: Path) -> None:
    """Flush a file, or every file in a folder, to the disk."""
    mode = "r+b" if os.name == "nt" else "rb"  # Windows flushes what is open for writing, and nothing else
    for part in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if part.is_file():
            with part.open(mode) as file:
                os.fsync(file.fileno())
    if path.is_dir():
        flush_folder(path)


def flush_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system can."""
    with suppress(OSError):  # not every file system, and not Windows
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
