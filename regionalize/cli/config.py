"""`--config FILE`: option values from TOML, held to the same rules as options that are typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache
from reprlib import repr as shortened
from typing import Any

import click

from regionalize.cli.options import Numbers
from regionalize.errors import UsageError, listed, nearest

CONFIG = "regionalize.config"
"""Where a click context keeps the `Config` that was read."""
OF_METHODS = ("batch",)
"""Commands that take the options of a method, too: which these are is known only when they are called."""
INPUTS = ("input", "inputs")
"""Keys for what a command names without a dash, one thing or several."""
NOT_SETTINGS = ("save_config",)
"""Options that say nothing of a run."""


@dataclass(frozen=True)
class Config:
    """What a configuration file says, before it is asked what that means for one command.

    Attributes
    ----------
    file : str
        Its name.
    top : dict
        Keys outside of all tables: they serve every command that has the option.
    tables : dict of dict
        Keys of each command's own table.
    """

    file: str
    top: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)

    def value(self, key: str, *tables: str) -> Any:
        """Return what one key says as the file has it, the last table first and the top last; None if unsaid.

        Examples
        --------
        >>> config = Config("x.toml", {"method": "kmeans"}, {"batch": {"method": "skater"}})
        >>> config.value("method", "batch"), config.value("method")
        ('skater', 'kmeans')
        """
        for place in (*(self.tables.get(name, {}) for name in reversed(tables)), self.top):
            for typed in (key, key.replace("-", "_")):
                if typed in place:
                    return place[typed]
        return None

    def values(self, command: click.Command, *tables: str) -> dict[str, Any]:
        """Return what the file says for a command, by the names of its parameters: click's ``default_map``.

        Parameters
        ----------
        command : click.Command
            With all the options it has in this call.
        *tables : str
            Tables that serve it, each winning over those before; all win over the keys at the top. Of the
            last one every key must be an option of the command; of the top and of other tables, those are
            passed over that it does not have.

        Raises
        ------
        UsageError
            An unknown key, with the nearest, or a value of the wrong type.
        """
        known = keys_of(command)
        found: dict[str, Any] = {}
        own = tables[-1] if tables else None
        for name in (None, *tables):
            place = self.top if name is None else self.tables.get(name, {})
            found |= self._checked(place, known, "" if name is None else name, strict=name == own is not None)
        return found

    def _checked(
        self, place: Mapping[str, Any], known: Mapping[str, click.Parameter], table: str, *, strict: bool
    ) -> dict[str, Any]:
        """Return the values of one table by parameter name, each checked against its parameter."""
        found: dict[str, Any] = {}
        said: dict[str, str] = {}
        for key, value in place.items():
            name = as_typed(key)
            if name not in known:
                if strict:
                    raise self.unknown(key, known, table)
                continue
            param = known[name]
            if param.name in said:
                raise self.wrong(
                    f"'{said[param.name]}' and '{key}' are one option", "keep one of them", table
                )
            said[str(param.name)] = key
            try:
                found[str(param.name)] = checked_value(param, name, value)
            except UsageError as error:
                error.file = self.file
                error.layer = f"[{table}]" if table else ""
                raise
        return found

    def unknown(self, key: str, known: Iterable[str], table: str = "") -> UsageError:
        """Return the refusal of a key, with the nearest that is known."""
        known = list(known)
        bare = as_typed(key.strip("-"))
        advice = f"write {bare}, without dashes" if bare in known else nearest(bare, known)
        return self.wrong(f"unknown key '{key}'", advice, table)

    def wrong(self, reason: str, advice: str, table: str = "") -> UsageError:
        """Return an error that says where in the file it is."""
        return UsageError(reason, advice=advice, file=self.file, layer=f"[{table}]" if table else "")


def read_config(path: str, ctx: click.Context) -> Config:
    """Read a configuration file and refuse keys that no command has.

    Keys at the top serve all commands that have the option; a table named like a command serves that command
    alone, and wins. Keys are options without their dashes, as they are typed or as Python has them.

    Raises
    ------
    UsageError
        The file cannot be read or is not TOML, or a key is unknown.
    """
    content = read_toml(path)
    group = ctx.command
    assert isinstance(group, click.Group)
    names = group.list_commands(ctx)

    def known(name: str | None) -> dict[str, click.Parameter]:
        return keys_of(None if name is None else group.get_command(ctx, name))

    @cache  # loads every command: only for keys that the one to be run does not have
    def everywhere() -> frozenset[str]:
        return frozenset(key for name in names for key in known(name))

    tables = {key: value for key, value in content.items() if key in names and isinstance(value, dict)}
    config = Config(path, {key: content[key] for key in content if key not in tables}, tables)
    own = known(ctx.invoked_subcommand)
    before = {opt for param in group.params for opt in param.opts}
    for key in config.top:
        name = as_typed(key)
        if name in own or name in everywhere():
            continue
        if key in names:
            raise config.wrong(f"'{key}' is a command", f"write a table, [{key}]")
        if f"--{name}" in before:
            raise config.wrong(f"'{key}' is no setting of a run", f"type --{name} before the command")
        raise config.unknown(key, [*everywhere(), *names])
    for table, place in tables.items():
        keys = known(table)
        for key in place:
            if as_typed(key) not in keys and not (table in OF_METHODS and as_typed(key) in everywhere()):
                raise config.unknown(key, keys, table)
    return config


def read_toml(path: str) -> dict[str, Any]:
    """Read a TOML file, as editors of all systems write it.

    Raises
    ------
    UsageError
        With the line, where there is one.
    """
    import tomllib

    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8-sig")  # some editors begin with a mark
        return tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"the configuration cannot be read ({error.strerror})", file=path) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(
            f"is not TOML: line {line} is not UTF-8", advice="save it as UTF-8", file=path
        ) from error
    except RecursionError as error:
        raise UsageError("is not TOML that anybody wrote: it is nested too deeply", file=path) from error
    except ValueError as error:  # TOMLDecodeError is one, and a number of too many digits another
        end = f"at line {len(text.splitlines())}, the end"
        raise UsageError(
            f"is not TOML: {str(error).replace('at end of document', end)}", file=path
        ) from error


def as_typed(key: str) -> str:
    """Return a key with the dashes that an option is typed with."""
    return key.replace("_", "-")


def keys_of(command: click.Command | None) -> dict[str, click.Parameter]:
    """Return a command's options and argument by the keys that stand for them.

    An option's key is what is typed, without the dashes; what Python calls it stands for it too, where no
    other option is typed so.
    """
    params = [param for param in (command.params if command else ()) if param.name not in NOT_SETTINGS]
    options = [param for param in params if isinstance(param, click.Option)]
    found: dict[str, click.Parameter] = {option.opts[-1].lstrip("-"): option for option in options}
    for option in options:
        for other in (*option.secondary_opts, *([str(option.name)] if option.name != "as_json" else [])):
            found.setdefault(as_typed(other.lstrip("-")), option)
    for param in params:
        if isinstance(param, click.Argument) and "INPUT" in (param.metavar or ""):
            for key in INPUTS:
                found.setdefault(key, param)
    return found


def checked_value(param: click.Parameter, name: str, value: Any) -> Any:
    """Return a value as click is to have it, or refuse it: TOML's types are not bent to fit.

    Raises
    ------
    UsageError
        Without the file.
    """
    if isinstance(param, click.Argument):
        return checked_input(param, name, value)
    assert isinstance(param, click.Option)
    if param.multiple and isinstance(value, dict):  # column-weights = {pop = 2}
        value = [f"{key}={checked_one(param, name, item)}" for key, item in value.items()]
    if isinstance(value, list) and takes_several(param):
        items = [checked_one(param, name, item) for item in value]
        if param.multiple:
            return tuple(items)
        return items if isinstance(param.type, Numbers) else ",".join(items)
    one = checked_one(param, name, value)
    if f"--{name}" in param.secondary_opts:  # fail-fast = true is keep-going = false
        return not one
    return (one,) if param.multiple else one


def checked_input(param: click.Argument, name: str, value: Any) -> Any:
    """Check what a command names without a dash."""
    several = param.nargs != 1
    items = value if isinstance(value, list) and several else [value]
    if not all(isinstance(item, str) for item in items):
        takes = "text, or a list of texts" if several else "text"
        raise UsageError(f"{name} is {as_toml(value)}", advice=f"it takes {takes}")
    return tuple(items) if several else value


def takes_several(option: click.Option) -> bool:
    """Whether an option can be given a list, as its help says: LIST, A,B or K[,K...]."""
    if isinstance(option.type, Numbers):
        return option.type.several
    return option.multiple or "," in (option.metavar or "") or option.metavar == "RANGE"


def checked_one(option: click.Option, name: str, value: Any) -> Any:
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
        takes += ", or a list" if takes_several(option) else ""
        raise UsageError(f"{name} is {as_toml(value)}", advice=f"it takes {takes}")
    if takes != "text":
        return value
    option.type.convert(str(value), option, None)  # refuses a word that is not among the choices
    return str(value)


def as_toml(value: Any) -> str:
    """Write a value for a message about as it stands in the file.

    Examples
    --------
    >>> as_toml(True), as_toml("many"), as_toml(date(2026, 1, 2)), as_toml([1] * 20)
    ('true', "'many'", '2026-01-02', '[1, 1, 1, 1, 1, 1, ...]')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return shortened(value)


def commands_in(path: str, commands: Iterable[str]) -> str:
    """Say which of the commands a configuration file has a table for, as advice for who named none."""
    tables = [name for name in commands if isinstance(read_toml(path).get(name), dict)]
    if not tables:
        return "name one; the file has no table of a command"
    return f"the file is for {listed(tables)}: regionalize --config {path} {tables[0]}"
