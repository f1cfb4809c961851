"""Print the part of CHANGELOG.md that speaks of one version: ``python .github/release_notes.py v0.1.0``.

It fails where the tag is not the package's version, or the changelog has no part for it, so that a tag
set too early publishes nothing.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def package_version() -> str:
    """Return the version that the package gives itself, without importing it."""
    text = (REPOSITORY / "regionalize" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise SystemExit("regionalize/__init__.py has no __version__")
    return found[1]


def sections(changelog: str) -> dict[str, str]:
    """Return the parts of a changelog by version, in order; what is not released yet is `Unreleased`."""
    parts = re.split(r"^## \[(.+?)\](?: - \d{4}-\d{2}-\d{2})?$", changelog, flags=re.MULTILINE)
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def notes(tag: str) -> str:
    """Return what the changelog says of the version of a tag."""
    version = tag.removeprefix("v")
    if tag != f"v{package_version()}":
        raise SystemExit(f"the tag is {tag}, and the version in regionalize/__init__.py {package_version()}")
    found = sections((REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")).get(version)
    if not found:
        raise SystemExit(f"CHANGELOG.md has nothing under ## [{version}] - YYYY-MM-DD")
    return found


if __name__ == "__main__":
    sys.stdout.buffer.write(f"{notes(sys.argv[1])}\n".encode())
