"""What may stand at a place of the command line: files, layers, columns, methods.

Most functions here are a click ``shell_complete``: they take a context, an option and what is typed so far.
None reads more of a layer than its columns, and none reads standard input.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

import click
from click.shell_completion import CompletionItem

Items: TypeAlias = "list[CompletionItem[str]]"  # a text: the oldest click takes no [] here

LARGEST_TEXT = 64_000_000
"""Bytes of a file whose columns are not in its head, that is still read for their names."""
TEXT = (".geojson", ".json", ".kml", ".gml", ".kmz")
WEIGHTS = ("queen", "rook", "knn:", "distance:", "kernel:gaussian:")


def inputs(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Layers that can be read, and folders."""
    from regionalize.io.source import VECTOR

    return paths(incomplete, VECTOR)


def inputs_and_plans(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Layers that can be read, plans, and folders."""
    from regionalize.io.source import VECTOR

    return paths(incomplete, (*VECTOR, ".toml"))


def tables(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Files of centres, and folders."""
    return paths(incomplete, (".csv",))


def configurations(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Files of settings, and folders."""
    return paths(incomplete, (".toml",))


def paths(incomplete: str, endings: tuple[str, ...]) -> Items:
    """List files with one of some endings, and folders to look on in; a folder ends in a slash."""
    if incomplete.startswith("~") or "$" in incomplete:
        return [CompletionItem(incomplete, type="file")]  # the shell knows what that stands for
    folder, name = os.path.split(incomplete)
    found = []
    try:
        entries = sorted(os.scandir(folder or "."), key=lambda entry: entry.name)
    except OSError:
        return []
    for entry in entries:
        hidden = entry.name.startswith(".") and not name.startswith(".")
        if not entry.name.startswith(name) or hidden or not entry.name.isprintable():
            continue
        is_layer = entry.name.lower().endswith(endings)
        path = os.path.join(folder, entry.name)
        if not is_layer and is_folder(entry):
            found.append(CompletionItem(path + "/", type="path"))
        elif is_layer:
            found.append(CompletionItem(path, type="path"))
    return found


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a folder; what cannot be looked at is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def layers(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Layers of INPUT."""
    source = input_of(ctx, param)
    if not readable(source):
        return []
    from regionalize.io.layers import HELPERS, list_layers
    from regionalize.io.source import find_source

    found = list_layers(find_source(source, None)[0])
    return begun(incomplete, (name for name, _ in found if name not in HELPERS))


def column(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """One column of INPUT."""
    return begun(incomplete, columns_of(ctx, param))


def columns(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Several columns of INPUT, with commas between them."""
    return next_of_list(incomplete, columns_of(ctx, param))


def numeric_columns(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Several columns of numbers of INPUT, with commas between them."""
    return next_of_list(incomplete, columns_of(ctx, param, numeric=True))


def weighted_columns(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Columns with a value after ``=``, with commas between them."""
    return next_of_list(incomplete, columns_of(ctx, param, numeric=True), mark="=")


def bounded_column(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """One column with a value after ``=``."""
    names = columns_of(ctx, param, numeric=True)
    return [CompletionItem(f"{name}=", type="list") for name in names if name.startswith(incomplete)]


def aggregated_columns(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Columns with what they come to after a colon, with commas between them."""
    done, comma, last = incomplete.rpartition(",")
    name, colon, way = last.rpartition(":")
    if colon:
        from regionalize.run.aggregate import FUNCTIONS

        ways = [one for one in FUNCTIONS if one.startswith(way)]
        return [CompletionItem(f"{done}{comma}{name}:{one}", type="list") for one in ways]
    return next_of_list(incomplete, columns_of(ctx, param, numeric=True), mark=":")


def words_or_column(
    words: Iterable[str], ctx: click.Context, param: click.Parameter, incomplete: str
) -> Items:
    """One of some words, or a column of INPUT."""
    return begun(incomplete, dict.fromkeys((*words, *columns_of(ctx, param))))


def weights(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Kinds of weights, and files of them."""
    from regionalize.model.job import WEIGHTS_FILES

    kinds = [
        CompletionItem(word, type="list" if word.endswith(":") else "plain")
        for word in WEIGHTS
        if word.startswith(incomplete)
    ]
    return [*kinds, *paths(incomplete, WEIGHTS_FILES)]


def methods(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Methods, and after a colon their options."""
    from regionalize.model.catalog import METHODS

    name, colon, options = incomplete.partition(":")
    if not colon:
        return [
            CompletionItem(row.name, help=row.summary)
            for row in METHODS.values()
            if row.name.startswith(name)
        ]
    if name not in METHODS:
        return []
    done, comma, last = options.rpartition(",")
    start = f"{name}:{done}{comma}"
    option, equals, value = last.partition("=")
    own = {param.option.removeprefix("--"): param for param in METHODS[name].params}
    if equals:
        kind = own[option].kind if option in own else ()
        words = kind if isinstance(kind, tuple) else ()
        return [
            CompletionItem(f"{start}{option}={one}", type="list") for one in words if one.startswith(value)
        ]
    shared = ["k"] if METHODS[name].takes_k else []
    names = [f"{one}=" for one in (*shared, *own)]
    return [CompletionItem(f"{start}{one}", type="list") for one in names if one.startswith(last)]


def things(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Files, methods and columns of the first file: what can be compared."""
    named = begun(incomplete, columns_of(ctx, param)) if input_of(ctx, param) is not None else []
    return [*inputs(ctx, param, incomplete), *methods(ctx, param, incomplete), *named]


def begun(incomplete: str, names: Iterable[str]) -> Items:
    """Return the names that begin with what is typed."""
    return [CompletionItem(name) for name in names if name.startswith(incomplete) and name.isprintable()]


def next_of_list(incomplete: str, names: Iterable[str], mark: str = "") -> Items:
    """Complete the last of several names with commas between them; those that are there are not offered."""
    from regionalize.run.options import split_list

    done, comma, last = incomplete.rpartition(",")
    if incomplete.count('"') % 2:  # the comma is inside a name
        done, comma, last = "", "", incomplete
    there = {name.rpartition(mark)[0] if mark else name for name in split_list(done)}
    found = []
    for name in names:
        shown = f'"{name}"' if "," in name else name
        if name not in there and name.isprintable() and (name.startswith(last) or shown.startswith(last)):
            found.append(CompletionItem(f"{done}{comma}{shown}{mark}", type="list"))
    return found


def columns_of(ctx: click.Context, param: click.Parameter, *, numeric: bool = False) -> list[str]:
    """Return the columns of INPUT."""
    source = input_of(ctx, param)
    if not readable(source):
        return []
    from regionalize.io.layers import choose_layer
    from regionalize.io.source import find_source

    found, layer = find_source(source, option_of(ctx, param, "layer"))
    if found.format == "GeoParquet":
        import pyarrow.parquet

        schema = pyarrow.parquet.read_schema(found.path)
        wanted = (pyarrow.types.is_integer, pyarrow.types.is_floating, pyarrow.types.is_decimal)
        return [
            field.name
            for field in schema
            if not pyarrow.types.is_binary(field.type)
            and (not numeric or any(is_kind(field.type) for is_kind in wanted))
        ]
    import pyogrio

    from regionalize.io import gdal

    layer, _ = choose_layer(found, layer)
    options = {}
    if found.format == "CSV":
        options = {"AUTODETECT_TYPE": "YES", "AUTODETECT_SIZE_LIMIT": "1000000"}
    with gdal.quiet():
        about = pyogrio.read_info(found.dataset, layer=layer, **options)
    kinds = zip(about["fields"], about["dtypes"], strict=True)
    return [
        str(name) for name, kind in kinds if not numeric or str(kind).startswith(("int", "float", "uint"))
    ]


def readable(source: str | None) -> bool:
    """Tell whether INPUT can be looked into, and will not take long: a file on this machine."""
    if source is None:
        return True
    path = Path(source)
    if not path.exists() or not (path.is_file() or path.suffix.lower() == ".gdb"):
        return False
    return not source.lower().endswith(TEXT) or path.stat().st_size <= LARGEST_TEXT


def input_of(ctx: click.Context, param: click.Parameter) -> str | None:
    """Return the INPUT on the line, None where there is none: the sample, then."""
    found = given(ctx, param)
    if "words" in found:  # `compare`, whose first word may be a layer
        words = [word for word in found["words"] or () if Path(word).exists()]
        return words[0] if words else None
    source: str | tuple[str, ...] | None = found.get("input")
    if isinstance(source, tuple):  # `batch`, whose layers are taken to be alike
        return first_layer(source)
    return None if source is None else os.path.expanduser(source)


def first_layer(patterns: tuple[str, ...]) -> str | None:
    """Return the first file that paths, folders and patterns stand for, None where none are named."""
    from regionalize.run.batch.sources import expand

    named = [os.path.expanduser(one) for one in patterns if not one.lower().endswith(".toml")]
    return expand(named)[0] if named else None


def option_of(ctx: click.Context, param: click.Parameter, name: str) -> Any:
    """Return what another option on the line is."""
    return given(ctx, param).get(name)


def given(ctx: click.Context, param: click.Parameter) -> dict[str, Any]:
    """Return the values on the line, apart from the option that is being typed.

    click stops reading a line at an option without a value, which may come before INPUT was looked at.
    """
    words = list(ctx.obj or ())
    name = ctx.info_name
    if name not in words:
        return ctx.params
    words = words[words.index(name) + 1 :]
    if words and words[-1] in param.opts:
        words.pop()
    return ctx.command.make_context(name, words, parent=ctx.parent, resilient_parsing=True).params
