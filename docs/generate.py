"""Write what the documentation takes from the program: ``python docs/generate.py``.

- what stands between comments such as ``<!-- options kmeans: written by docs/generate.py -->``: help texts,
  tables of options and of names (``docs/reference.py``);
- with ``--examples``, the output shown under the commands of README.md and all pages;
- with ``--picture [NAME ...]``, the pictures in ``docs/images`` (``docs/pictures.py``);
- with ``--check``, nothing: it fails where one of the first is out of date, and names the pages.

Tests compare all but the pictures with the files, so that they cannot fall behind.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from reference import DOCS, written


def pages() -> list[Path]:
    """Return the pages that may hold generated parts."""
    return sorted(DOCS.glob("*.md"))


def stale() -> list[str]:
    """Return the pages whose generated parts are out of date."""
    return [page.name for page in pages() if page.read_text(encoding="utf-8") != written(page)]


def refresh_examples() -> None:
    """Show under the commands of all pages what they print now."""
    from examples import refreshed

    for page in (DOCS.parent / "README.md", *pages()):
        with tempfile.TemporaryDirectory() as folder:
            page.write_text(refreshed(page.read_text(encoding="utf-8"), Path(folder)), encoding="utf-8")


def main() -> None:
    """Write the pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where a page is out of date"
    )
    parser.add_argument("--examples", action="store_true", help="run the examples and show what they print")
    parser.add_argument("--picture", nargs="*", metavar="NAME", help="draw docs/images, or these of them")
    options = parser.parse_args()
    if options.check:
        sys.exit(f"out of date, run docs/generate.py: {', '.join(stale())}" if stale() else None)
    for page in pages():
        page.write_text(written(page), encoding="utf-8")
    if options.examples:
        refresh_examples()
    if options.picture is not None:
        from pictures import draw_pictures

        draw_pictures(options.picture)


if __name__ == "__main__":
    main()
