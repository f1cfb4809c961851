"""`--config FILE`: option values from TOML, held to the same rules as options that are typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import click

from regionalize.cli.option_types import Numbers
from regionalize.errors import UsageError, listed, located, nearest
from regionalize.io.toml import read_toml
from regionalize.model import kinds
from regionalize.model.kinds import Kind, checked, refuse_twice, with_dashes

CONFIG = "regionalize.config"
"""Where a click context keeps the `Config` that was read."""
OF_METHODS = ("batch",)
"""Commands that take the options of a method, too: which these are is known only when they are called."""
INPUTS = ("input", "inputs")
"""Keys for what a command names without a dash, one thing or several."""
OF_PLANS = ("run", "input")
"""Keys of which a plan has tables, and no configuration."""
NOT_SETTINGS = ("save_config",)
"""Options that say nothing of a run."""
WHAT = "configuration"
MEASURES = ("W|auto", "P%", "LENGTH", "RANGE", "A[,A...]", "H[,H...]")
"""How the help writes what is a number or a word."""


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
        with located(self.file, f"[{table}]" if table else ""):
            refuse_twice(place, lambda key: known[name].name if (name := with_dashes(key)) in known else None)
            for key, value in place.items():
                name = with_dashes(key)
                if name in known:
                    found[str(known[name].name)] = checked_value(known[name], name, value)
                elif strict:
                    raise self.unknown(key, known, table)
        return found

    def unknown(self, key: str, known: Iterable[str], table: str = "") -> UsageError:
        """Return the refusal of a key, with the nearest that is known."""
        known = list(known)
        bare = with_dashes(key.strip("-"))
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
    content = read_toml(path, WHAT)
    if any(isinstance(content.get(key), list) and is_tables(content[key]) for key in OF_PLANS):
        raise UsageError("is a plan, no configuration", advice=f"regionalize batch {path}", file=path)
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
        name = with_dashes(key)
        if name in own or name in everywhere():
            continue
        if key in names:
            raise config.wrong(f"'{key}' is a command", f"write a table, [{key}]")
        if f"--{name}" in before:
            raise config.wrong(f"'{key}' is no setting of a run", f"type --{name} before the command")
        if isinstance(content[key], dict):
            raise config.wrong(f"there is no command '{key}'", nearest(key, names))
        raise config.unknown(key, [*everywhere(), *names])
    for table, place in tables.items():
        keys = known(table)
        for key in place:
            if with_dashes(key) not in keys and not (
                table in OF_METHODS and with_dashes(key) in everywhere()
            ):
                raise config.unknown(key, keys, table)
    return config


def is_tables(value: list[Any]) -> bool:
    """Whether a list is one of tables, ``[[key]]``."""
    return bool(value) and all(isinstance(one, dict) for one in value)


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
            found.setdefault(with_dashes(other.lstrip("-")), option)
    for param in params:
        if isinstance(param, click.Argument) and "INPUT" in (param.metavar or ""):
            for key in INPUTS:
                found.setdefault(key, param)
    return found


def checked_value(param: click.Parameter, name: str, value: Any) -> Any:
    """Return a value as click is to have it, or refuse it.

    Raises
    ------
    UsageError
        Without the file.
    """
    if isinstance(param, click.Argument):
        several = param.nargs != 1
        checked(name, value, kinds.TEXTS if several else kinds.TEXT)
        if value == []:
            raise UsageError(f"{name} is empty", advice="name something, or leave the key out")
        return (value if isinstance(value, list) else [value]) if several else value
    assert isinstance(param, click.Option)
    kind = kind_of(param)
    checked(name, value, kind)
    if kind is kinds.TRUTH:
        return value != (f"--{name}" in param.secondary_opts)  # fail-fast = true is keep-going = false
    if kind in {kinds.NUMBER, kinds.WHOLE_NUMBER, kinds.WHOLE_NUMBERS}:
        return value
    items = [str(item) for item in as_typed(param, value)]
    for item in items:
        param.type.convert(item, param, None)  # refuses a word that is not among the choices
    return tuple(items) if param.multiple else ",".join(items)


def kind_of(option: click.Option) -> Kind:
    """Return what an option of a command takes in a file.

    Examples
    --------
    >>> kind_of(click.Option(["--columns"], multiple=True)).takes, kind_of(click.Option(["--map"])).takes
    ('text, or a list of texts', 'text')
    """
    if option.is_flag:
        return kinds.TRUTH
    if isinstance(option.type, click.types.IntParamType):
        several = isinstance(option.type, Numbers) and option.type.several
        return kinds.WHOLE_NUMBERS if several else kinds.WHOLE_NUMBER
    if isinstance(option.type, click.types.FloatParamType):
        return kinds.NUMBER
    shown = option.metavar or ""
    if shown in MEASURES:
        return kinds.MEASURES if "," in shown or shown == "RANGE" else kinds.MEASURE
    return kinds.KINDS.get(str(option.name), kinds.TEXTS if option.multiple or "," in shown else kinds.TEXT)


def as_typed(option: click.Option, value: Any) -> list[Any]:
    """List what would have been typed for a value of a file: pairs as text, a single value by itself.

    Examples
    --------
    >>> as_typed(click.Option(["--column-weights"], multiple=True), {"pop": 2, "a, b": 0.5})
    ['pop=2', '"a, b=0.5"']
    """
    if not isinstance(value, dict):
        return value if isinstance(value, list) else [value]
    sign = ":" if option.name == "aggregate" else "="
    pairs = [
        f"{key}{sign}{one}"
        for key, found in value.items()
        for one in (found if isinstance(found, list) else [found])
    ]
    return [one_of_list(pair) for pair in pairs] if option.multiple else pairs


def one_of_list(text: str) -> str:
    """Write a text so that a list that is typed has it as one, whatever its signs."""
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def commands_in(path: str, commands: Iterable[str]) -> str:
    """Say which of the commands a configuration file has a table for, as advice for who named none."""
    tables = [name for name in commands if isinstance(read_toml(path, WHAT).get(name), dict)]
    if not tables:
        return "name one; the file has no table of a command"
    return f"the file is for {listed(tables)}: regionalize --config {path} {tables[0]}"
