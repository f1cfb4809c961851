"""What options are made of: kinds of values, what a shell offers for them, and paths to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from regionalize.errors import UsageError, nearest


class OneOf(click.Choice[str]):
    """One of a few words; a wrong one is told the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word, or refuse it."""
        if value in self.choices:
            return str(value)
        name = param.opts[-1] if param else "it"
        raise UsageError(
            f"{name} is '{value}'; it must be one of {', '.join(self.choices)}",
            advice=nearest(str(value), self.choices),
        )


class Numbers(click.types.IntParamType):
    """A whole number, or several with commas between them; `several` tells whether these can be meant."""

    def __init__(
        self, several: bool, advice: str = "choose-k tries several numbers, such as --k 2-5"
    ) -> None:
        self.several = several
        self.advice = advice

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or a list of them."""
        parts: Any = value.split(",") if isinstance(value, str) and "," in value else value
        try:
            if isinstance(parts, list | tuple):
                return [super(Numbers, self).convert(one, param, ctx) for one in parts]
            return super().convert(parts, param, ctx)
        except click.BadParameter as error:
            others = ", or several with commas between them" if self.several else ""
            raise UsageError(
                f"{param.opts[-1] if param else 'it'} is '{value}'; it must be a whole number{others}",
                advice=self.advice,
            ) from error


def completes(to: str) -> Callable[[click.Context, click.Parameter, str], Any]:
    """Make what offers candidates to a shell: a function of `regionalize.cli.candidates`."""

    def shell_complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        from regionalize.cli import candidates

        return getattr(candidates, to)(ctx, param, incomplete)

    return shell_complete


def completes_words(words: tuple[str, ...]) -> Callable[[click.Context, click.Parameter, str], Any]:
    """Make what offers some words, and columns, to a shell."""

    def shell_complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        from regionalize.cli import candidates

        return candidates.words_or_column(words, ctx, param, incomplete)

    return shell_complete


def file_option(*names: str, help: str) -> Callable[[Any], Any]:
    """Make an option that takes a path to write."""
    return click.option(*names, metavar="PATH", type=click.Path(path_type=Path), help=help)
