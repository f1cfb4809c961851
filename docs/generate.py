"""Write what the documentation takes from the program: ``python docs/generate.py``.

- in ``docs/cli.md``, the help text of every command;
- in ``docs/python.md``, the table of public names;
- with ``--examples``, the output shown under the commands of README.md and all pages;
- with ``--picture``, the pictures in ``docs/images``, made small: the map of ``make demo``, and two plots.

A test compares all but the pictures with the files, so that they cannot fall behind.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import io
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parent
WIDTH = 80


def help_text(*arguments: str) -> str:
    """Return the help of a command as a terminal of 80 columns shows it."""
    from click.testing import CliRunner

    from regionalize.cli.program import program

    shown = CliRunner().invoke(
        program, [*arguments, "--help"], prog_name="regionalize", terminal_width=WIDTH, catch_exceptions=False
    )
    return shown.output.rstrip()


def command_reference() -> str:
    """Return the help texts of the program and of every command."""
    from regionalize.cli.program import COMMANDS
    from regionalize.model.catalog import METHODS

    parts = ["## regionalize\n", fenced(help_text())]
    for name in (*METHODS, *COMMANDS):
        parts += [f"## regionalize {name}\n", fenced(help_text(name))]
    return "\n".join(parts)


def fenced(text: str) -> str:
    """Put text in a code block."""
    return f"```text\n{text}\n```\n"


def names_table() -> str:
    """Return the table of public Python names, each with the first line of its docstring."""
    import regionalize

    rows = ["| name | kind | what it is |", "|---|---|---|"]
    for name in regionalize.__all__:
        thing = getattr(regionalize, name)
        kind = "class" if inspect.isclass(thing) else "function"
        rows.append(f"| `{name}` | {kind} | {(inspect.getdoc(thing) or '').splitlines()[0]} |")
    return "\n".join(rows) + "\n"


GENERATED = {"cli.md": ("commands", command_reference), "python.md": ("names", names_table)}
"""What is written into which page, between which comments."""


def written(page: str) -> str:
    """Return a page of `GENERATED` as it should be now."""
    title, content = GENERATED[page]
    start, end = f"<!-- {title}: written by docs/generate.py -->", f"<!-- {title}: end -->"
    before, _, rest = (DOCS / page).read_text(encoding="utf-8").partition(start)
    return f"{before}{start}\n\n{content()}\n{end}{rest.partition(end)[2]}"


PICTURES = {
    "georgia.png": ("--map", ("--k", "12", "--with-centroids"), 900),
    "plot.png": ("--plot", ("--k", "6", "--with-centroids"), 700),
    "parallel.png": ("--parallel", ("--k", "3"), 700),
}
"""What draws each picture, and how wide it is: the first is the map of the demo."""


def draw_picture(name: str) -> None:
    """Run a command and save its picture in few colours at a web page's width."""
    from PIL import Image

    from regionalize.cli.program import run_program

    option, words, width = PICTURES[name]
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / name
        with contextlib.redirect_stdout(io.StringIO()):
            code = run_program(["-q", "kmeans", *words, option, str(drawn)])
        if code:
            raise SystemExit(code)
        with Image.open(drawn) as full:
            height = round(full.height * width / full.width)
            small = full.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    small.quantize(128, dither=Image.Dither.NONE).save(DOCS / "images" / name, optimize=True)


def main() -> None:
    """Write the pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", action="store_true", help="run the examples and show what they print")
    parser.add_argument("--picture", action="store_true", help="draw docs/images")
    options = parser.parse_args()
    for name in GENERATED:
        (DOCS / name).write_text(written(name), encoding="utf-8")
    if options.examples:
        from examples import refreshed

        for page in (DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))):
            with tempfile.TemporaryDirectory() as folder:
                page.write_text(refreshed(page.read_text(encoding="utf-8"), Path(folder)), encoding="utf-8")
    if options.picture:
        (DOCS / "images").mkdir(exist_ok=True)
        for name in PICTURES:
            draw_picture(name)


if __name__ == "__main__":
    main()
