"""`--config FILE`: option values from TOML, held to the same rules as options that are typed."""

from __future__ import annotations

from typing import Any

import click

from regionalize.cli.options import Numbers
from regionalize.errors import UsageError, nearest


def read_config(path: str, ctx: click.Context) -> dict[str, dict[str, Any]]:
    """Read option values for every command from a TOML file.

    Keys at the top serve all commands that have the option; a table named like a command serves that command
    alone, and wins. Keys are options without their dashes, as they are typed. Unknown keys are refused.

    Returns
    -------
    dict
        For click's ``default_map``: values by command and parameter name.
    """
    import tomllib

    try:
        with open(path, "rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise UsageError(f"the configuration cannot be read ({error.strerror})", file=path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"is not TOML: {error}", file=path) from error
    group = ctx.command
    assert isinstance(group, click.Group)
    options = {name: options_of(group.get_command(ctx, name)) for name in group.list_commands(ctx)}
    found: dict[str, dict[str, Any]] = {name: {} for name in options}
    tables = {key: value for key, value in content.items() if key in options and isinstance(value, dict)}
    everywhere = {key: option for known in options.values() for key, option in known.items()}
    for key, value in content.items():
        if key in tables:
            continue
        if key in options and key not in everywhere:
            raise UsageError(f"'{key}' is a command", advice=f"write a table, [{key}]", file=path)
        name = checked_key(key, everywhere, path, also=options)
        for command, known in options.items():
            if name in known:
                found[command][str(known[name].name)] = checked_value(known[name], name, value, path, ctx)
    for command, table in tables.items():
        for key, value in table.items():
            name = checked_key(key, options[command], path)
            option = options[command][name]
            found[command][str(option.name)] = checked_value(option, name, value, path, ctx)
    return found


def options_of(command: click.Command | None) -> dict[str, click.Option]:
    """Return a command's options by name, as typed without the dashes."""
    params = command.params if command else ()
    return {param.opts[-1].lstrip("-"): param for param in params if isinstance(param, click.Option)}


def checked_key(key: str, known: dict[str, click.Option], path: str, also: Any = ()) -> str:
    """Return the option's name, or refuse the key with the nearest one."""
    name = key.replace("_", "-")
    if name not in known:
        raise UsageError(f"unknown key '{key}'", advice=nearest(name, [*known, *also]), file=path)
    return name


def checked_value(option: click.Option, name: str, value: Any, path: str, ctx: click.Context) -> Any:
    """Return a value of the type the option takes, or refuse it: TOML's types are not bent to fit."""
    if option.multiple and isinstance(value, dict):  # column-weights = {pop = 2}
        value = [f"{key}={item}" for key, item in value.items()]
    if option.multiple and isinstance(value, list):
        return tuple(checked_value_of_one(option, name, item, path, ctx) for item in value)
    if isinstance(option.type, Numbers) and option.type.several and isinstance(value, list):
        return [checked_value_of_one(option, name, item, path, ctx) for item in value]
    one = checked_value_of_one(option, name, value, path, ctx)
    return (one,) if option.multiple else one


def checked_value_of_one(option: click.Option, name: str, value: Any, path: str, ctx: click.Context) -> Any:
    """Check a value that is not a list."""
    takes: str = "text"
    kinds: tuple[type, ...] = (str, int, float)  # a number is text too: centroid-weight = 0.5
    if option.is_flag:
        takes, kinds = "true or false", (bool,)
    elif isinstance(option.type, click.types.IntParamType):
        takes, kinds = "a whole number", (int,)
    elif isinstance(option.type, click.types.FloatParamType):
        takes, kinds = "a number", (int, float)
    if not isinstance(value, kinds) or (isinstance(value, bool) and not option.is_flag):
        raise UsageError(f"{name} is {value!r}", advice=f"it takes {takes}", file=path)
    if takes != "text":
        return value
    try:
        return option.type.convert(str(value), option, ctx)
    except UsageError as error:
        error.file = path
        raise
