"""What the pages take from the program: help texts, tables of options, Python names.

A page asks for a part by a pair of comments, and ``docs/generate.py`` writes it between them::

    <!-- options kmeans: written by docs/generate.py -->
    <!-- options kmeans: end -->
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import click

DOCS = Path(__file__).resolve().parent
WIDTH = 80
MARK = re.compile(
    r"<!-- (?P<part>(?P<kind>\w+)(?: (?P<of>[\w-]+))?): written by docs/generate\.py -->\n"
    r"(?P<old>.*?)<!-- (?P=part): end -->",
    re.DOTALL,
)

BUNDLES = {
    "Source": "cli.md#input",
    "Variables": "variables.md",
    "Features": "variables.md#weights-of-variables",
    "Smoothing": "smoothing.md",
    "Weights": "weights.md",
    "Bounds": "regions.md#bounds",
    "Regions": "regions.md#which-method",
    "Run": "cli.md#run",
    "Output": "cli.md#output",
    "Pictures": "plots.md",
}
"""Where the options that commands share are explained, by their title in the help."""

ELSEWHERE = {
    "info": "messy-data.md",
    "map": "maps.md",
    "sample": "tour.md",
    "smooth": "smoothing.md",
    "completion": "shell.md",
}
"""Pages of commands that have none of their own name."""


def written(page: Path) -> str:
    """Return a page with its generated parts as they should be now."""

    def replaced(match: re.Match[str]) -> str:
        part = match["part"]
        content = PARTS[match["kind"]](match["of"] or "", match["old"]).strip("\n")
        return f"<!-- {part}: written by docs/generate.py -->\n\n{content}\n\n<!-- {part}: end -->"

    return MARK.sub(replaced, page.read_text(encoding="utf-8"))


@cache
def commands() -> dict[str, click.Command]:
    """Return every command by its name, in the order of the help, but for methods of other packages."""
    from regionalize.cli.program import COMMANDS, program
    from regionalize.model.catalog import OWN

    context = click.Context(program)
    found = {name: program.get_command(context, name) for name in (*OWN, *COMMANDS)}
    return {name: command for name, command in found.items() if command is not None}


def options_of(command: click.Command) -> list[click.Option]:
    """Return the options of a command, without ``--help``."""
    return [param for param in command.params if isinstance(param, click.Option)]


def long_name(option: click.Option) -> str:
    """Return an option as pages call it."""
    return max(option.opts, key=len)


def section_of(option: click.Option) -> str:
    """Return the title under which an option stands in the help."""
    return getattr(option, "section", "Options")


@cache
def rare() -> set[tuple[str, str | None]]:
    """Return the options, each with its help, that one command alone has."""
    times = Counter(
        (long_name(option), option.help) for one in commands().values() for option in options_of(one)
    )
    return {option for option, count in times.items() if count == 1}


def is_own(option: click.Option) -> bool:
    """Tell whether a command's own page explains an option: it is in no bundle, or nowhere else."""
    return section_of(option) not in BUNDLES or (long_name(option), option.help) in rare()


def page_of(name: str) -> str:
    """Return the page about a command."""
    return ELSEWHERE.get(name, f"{name}.md")


def help_text(*arguments: str) -> str:
    """Return the help of a command as a terminal of 80 columns shows it."""
    from click.testing import CliRunner

    from regionalize.cli.program import program

    shown = CliRunner().invoke(
        program, [*arguments, "--help"], prog_name="regionalize", terminal_width=WIDTH, catch_exceptions=False
    )
    return shown.output.rstrip()


def overview(_: str, __: str) -> str:
    """Return a table of the commands, with their pages."""
    rows = ["| command | what it does | read |", "|---|---|---|"]
    for name, command in commands().items():
        line = (command.help or "").partition("\n\n")[0].replace("\n", " ")
        page = page_of(name)
        read = f"[{title_of(page)}]({page})" if (DOCS / page).exists() else ""
        rows.append(f"| [`{name}`](#regionalize-{name}) | {line} | {read} |")
    return "\n".join(rows)


def title_of(page: str) -> str:
    """Return the title of a page."""
    return (DOCS / page).read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def command_reference(_: str, old: str) -> str:
    """Return examples and help of the program and of every command; what stands before the examples stays."""
    from regionalize.cli.examples import EXAMPLES

    sections = {}
    for section in f"\n{old}".split("\n## ")[1:]:
        title, _, rest = section.partition("\n")
        before = rest.partition("```text\nUsage:")[0]
        sections[title] = before.rpartition("```console\n")[0].strip("\n")  # the last block is of examples
    parts = []
    for name in ("", *commands()):
        title = f"regionalize {name}".rstrip()
        shown = "\n".join(f"$ {example}\n..." for example in EXAMPLES[name or title])
        usage = fenced(help_text(*name.split()))
        kept = [sections[title]] if sections.get(title) else []
        parts += [f"## {title}", *kept, f"```console\n{shown}\n```", usage]
    return "\n\n".join(parts)


def fenced(text: str) -> str:
    """Put text in a code block."""
    return f"```text\n{text}\n```"


def option_tables(name: str, _: str) -> str:
    """Return the options of a command: its own, explained, and those it shares, with their pages."""
    command = commands()[name]
    rows = []
    shared: dict[str, list[str]] = {}
    for option in options_of(command):
        if is_own(option):
            rows.append(own_row(command, option))
        else:
            shared.setdefault(section_of(option), []).append(f"`{long_name(option)}`")
    parts = []
    if rows:
        parts.append("\n".join(["| option | default | meaning |", "|---|---|---|", *rows]))
    if shared:
        links = [f"| [{title}]({BUNDLES[title]}) | {', '.join(names)} |" for title, names in shared.items()]
        parts.append("\n".join(["| shared with other commands | options |", "|---|---|", *links]))
    return "\n\n".join(parts)


def own_row(command: click.Command, option: click.Option) -> str:
    """Return what the help says of an option as a row of a table."""
    record = option.get_help_record(click.Context(command))
    names, text = record if record is not None else (long_name(option), option.help or "")
    meaning, default = re.match(r"(.*?)\s*(?:\[(?:default:\s*)?([^\]]*)\])?$", text, re.DOTALL).groups()
    meaning = re.sub(r"(?<![\w`-])--[a-z][\w-]*", r"`\g<0>`", meaning)
    shown = f"`{names}`"
    if isinstance(option.type, click.Choice) and "[" in names:
        shown = f"`{long_name(option)}`"
        meaning = f"{', '.join(f'`{word}`' for word in option.type.choices)}. {meaning}"
    cells = (cell.replace("|", "\\|") for cell in (shown, default or "", meaning))
    return f"| {' | '.join(cells)} |"


def names_table(_: str, __: str) -> str:
    """Return the table of public Python names, each with the first line of its docstring."""
    import regionalize

    rows = ["| name | kind | what it is |", "|---|---|---|"]
    for name in regionalize.__all__:
        thing = getattr(regionalize, name)
        kind = "class" if inspect.isclass(thing) else "function"
        line = (inspect.getdoc(thing) or "").splitlines()[0]
        rows.append(f"| [`{name}`](python-api.md#{name.lower()}) | {kind} | {line} |")
    return "\n".join(rows)


def name_sections(_: str, __: str) -> str:
    """Return a section for every public Python name, which Sphinx fills from its docstring."""
    import regionalize

    public = {name: inspect.isclass(getattr(regionalize, name)) for name in regionalize.__all__}
    parts = []
    for name, is_class in {**public, **dict.fromkeys(RETURNED, True)}.items():
        lines = [f".. {'autoclass' if is_class else 'autofunction'}:: regionalize.{name}"]
        if is_class:
            lines += ["   :members:", "   :inherited-members: object, tuple, Exception, BaseException"]
        parts.append("\n".join([f"## {name.rpartition('.')[2]}", "", "```{eval-rst}", *lines, "```"]))
    return "\n\n".join(parts)


RETURNED = (
    "model.report.Report",
    "errors.UsageError",
    "errors.DataError",
    "errors.InfeasibleError",
    "errors.OutputError",
)
"""What public functions return and raise that has no public name, because nobody makes one."""

PARTS: dict[str, Callable[[str, str], str]] = {
    "api": name_sections,
    "commands": command_reference,
    "names": names_table,
    "options": option_tables,
    "overview": overview,
}
"""What can be asked for: functions of what stands behind the kind, and of what is there now."""
