"""A command as this program has them: help in sections, flags that can be switched off, settings saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from regionalize.cli.examples import Exemplified

TYPED = "regionalize.typed"
"""Where a click context keeps the values of options as they were typed."""


def bundle(title: str, *options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make one decorator of several, kept in order under a title of their own in the help."""

    def decorate(function: Any) -> Any:
        before = len(getattr(function, "__click_params__", []))
        for option in reversed(options):
            function = option(function)
        for param in function.__click_params__[before:]:
            param.section = title
        return function

    return decorate


class Inputs(click.Argument):
    """Any number of things that are named without a dash."""

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, Any]:
        """Take none for nothing said, so that a configuration file may say it: click before 8.3 does not."""
        said = {name: value for name, value in opts.items() if name != self.name or value != ()}
        return super().consume_value(ctx, said)


class Sectioned(Exemplified):
    """A command whose help lists options under the titles of their bundles, and whose call can be saved."""

    def make_parser(self, ctx: click.Context) -> Any:
        """Let every flag be switched off, too, as ``--no-FLAG``: a configuration file may have it on."""
        parser = super().make_parser(ctx)
        for param in self.params:
            if isinstance(param, click.Option) and param.is_flag:
                names = [f"--no-{name.removeprefix('--')}" for name in param.opts if name.startswith("--")]
                parser.add_option(param, names, dest=param.name, action="store_const", const=False)
        return parser

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what was typed, for ``--save-config``, besides what it comes to."""
        if any(word.startswith("--save-config") for word in args):
            ctx.meta[TYPED], _, _ = self.make_parser(ctx).parse_args(list(args))
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; where its settings are to be saved, refuse before and save after."""
        path = ctx.params.pop("save_config", None)
        if path is None:
            return super().invoke(ctx)
        from regionalize.cli.save_config import saved_config

        with saved_config(ctx, path):
            return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section per bundle, in the order of the command; --help goes with the last."""
        sections: dict[str, list[tuple[str, str]]] = {}
        title = "Options"
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                title = title if "--help" in param.opts else getattr(param, "section", "Options")
                names, text = record
                sections.setdefault(title, []).append((names, text.replace("  [", " [")))
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)
