"""`--save-config FILE`: the options of a run, written down so that `--config` repeats it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from regionalize.cli.config import CONFIG, INPUTS, MEASURES, keys_of
from regionalize.cli.option_types import Numbers
from regionalize.cli.sectioned import TYPED
from regionalize.errors import OutputError, UsageError

ENDING = ".toml"
OF_THE_DAY = ("overwrite", "resume")
"""Options that speak of files that were there at the time: saved, they would replace others unasked."""


@contextmanager
def saved_config(ctx: click.Context, path: Path) -> Iterator[None]:
    """Write the options of a command; they are put in place when the block, the run, ends well.

    Raises
    ------
    UsageError, OutputError
        Before the run: the file cannot or must not be written.
    """
    from regionalize.io.atomic import replacing, target_of
    from regionalize.io.toml import toml_text

    if path.suffix.lower() != ENDING:
        raise UsageError(f"--save-config writes {ENDING}, not '{path.suffix or path.name}'", file=str(path))
    settings = settings_of(ctx)
    refuse_to_replace(ctx, target_of(path), path, [*settings.get("inputs", ()), settings.get("input", "")])
    name = str(ctx.info_name)
    try:
        text = toml_text({name: settings})
    except ValueError as error:
        raise OutputError(
            "TOML cannot hold a name that is not valid text", file=str(path), advice="rename the file"
        ) from error
    with replacing(path) as temporary:
        temporary.write_text(f"# regionalize --config FILE {name}\n{text}", encoding="utf-8")
        try:
            yield
            gone = None
        except BrokenPipeError as error:  # whoever read the report has seen enough of it: the run is done
            gone = error
    if gone is not None:
        raise gone
    ctx.obj.say(f"settings written to {path}")


def refuse_to_replace(ctx: click.Context, target: Path, path: Path, named: list[str]) -> None:
    """Refuse to replace what exists, unless that was asked for, and ever what is read."""
    if not target.exists():
        return
    if not ctx.params.get("overwrite"):
        raise OutputError("already exists", file=str(path), advice="use --overwrite to replace it")
    config = ctx.meta.get(CONFIG)
    read = [config.file] if config is not None else []
    read += [word for word in named if word.lower().endswith(ENDING)]
    if any(Path(file).exists() and target.samefile(file) for file in read):
        raise OutputError("is read by this run", file=str(path), advice="name another file to write")


def settings_of(ctx: click.Context) -> dict[str, Any]:
    """Return what was given to a command, typed or by a configuration file, as keys of such a file.

    Returns
    -------
    dict
        The input first, then options in the order of the help; numbers and truth values as such.
    """
    keys: dict[int, str] = {}
    for key, param in keys_of(ctx.command).items():
        keys.setdefault(id(param), key)
    found: dict[str, Any] = {}
    typed: Mapping[str, Any] = ctx.meta.get(TYPED, {})
    given = {ParameterSource.COMMANDLINE: typed, ParameterSource.DEFAULT_MAP: ctx.default_map or {}}
    for param in sorted(ctx.command.params, key=lambda param: isinstance(param, click.Option)):
        name = str(param.name)
        source = given.get(ctx.get_parameter_source(name))  # type: ignore[arg-type]  # None is no key
        if id(param) not in keys or source is None or name not in source or name in OF_THE_DAY:
            continue
        if isinstance(param, click.Argument):
            several = param.nargs != 1
            found[INPUTS[several]] = list(source[name]) if several else source[name]
        else:
            assert isinstance(param, click.Option)
            found[keys[id(param)]] = plain_value(param, source[name])
    return found


def plain_value(option: click.Option, value: Any) -> Any:
    """Return a value that was typed, or came from a file, as TOML has it.

    Examples
    --------
    >>> plain_value(click.Option(["--k"], type=int), "12"), plain_value(click.Option(["--id"]), "12")
    (12, '12')
    """
    if option.multiple:
        items = [str(item) for item in value]
        return items[0] if len(items) == 1 else items
    if option.is_flag:
        return bool(value)
    if isinstance(option.type, Numbers | click.types.IntParamType | click.types.FloatParamType):
        return option.type.convert(value, option, None)
    if option.metavar not in MEASURES:
        return str(value)
    items = [number_or_text(item) for item in str(value).split(",")]
    return items if len(items) > 1 else items[0]


def number_or_text(text: str) -> Any:
    """Return a number where it is read back as this very text.

    Examples
    --------
    >>> number_or_text("0.5"), number_or_text("3"), number_or_text(".5"), number_or_text("auto")
    (0.5, 3, '.5', 'auto')
    """
    for kind in (int, float):
        try:
            if str(kind(text)) == text:
                return kind(text)
        except ValueError:
            continue
    return text
