"""How the pages become a site: ``make docs``, by Sphinx, MyST (Markdown) and the theme furo.

The source folder is the repository, not this one, so that a link from one file to another is the same on a
code host and on the site. What the site is made of, and in which order, is told by ``docs/index.md`` alone:
its headings and links become the navigation. Formulas are turned into MathML, which browsers set themselves:
nothing is fetched from anywhere when a page is looked at.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

import regionalize  # noqa: E402  this checkout's, whatever is installed

project = "regionalize"
author = "The regionalize developers"
copyright = author
version = release = regionalize.__version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = ["docs/*.md", "*.md", "sample_data/*.md"]

myst_heading_anchors = 4  # the anchors that code hosts give to titles
myst_fence_as_directive = ["math"]
suppress_warnings = ["misc.highlighting_failure"]  # console blocks end where a reader has seen enough

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_search_summary = False  # would be fetched, which a page opened as a file may not
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"

smartquotes = False  # -- is the beginning of an option, not a dash
default_role = "literal"
autodoc_typehints = "none"  # types are in the docstrings, with shapes and units
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
nitpicky = True
# Types in docstrings are words for a reader, such as "(n, p) float64", and errors go by their short names.
nitpick_ignore_regex = [("py:(class|exc)", ".*")]


def navigation(page: str) -> str:
    """Return the tables of contents that the headings and links of the index stand for."""
    seen: set[str] = set()
    parts = []
    for section in page.split("\n## ")[1:]:
        caption = section.partition("\n")[0]
        linked = [path for path in re.findall(r"\]\(([\w./-]+)\.md\)", section) if path not in seen]
        seen.update(linked)
        lines = ["```{toctree}", ":hidden:", f":caption: {caption}", "", *linked, "```"]
        parts.append("\n".join(["", *lines, ""]))
    return "\n".join(parts)


def add_navigation(app: Any, name: str, source: list[str]) -> None:
    """Give the index its tables of contents."""
    if name == root_doc:
        source[0] += navigation(source[0])


def write_entrance(app: Any, error: Exception | None) -> None:
    """Lead from the top of the site to its index."""
    if error is None and app.builder.format == "html":
        line = f'<!doctype html><meta charset="utf-8"><title>{project}</title>'
        refresh = f'<meta http-equiv="refresh" content="0; url={root_doc}.html">'
        link = f'<a href="{root_doc}.html">{project}</a>'
        (Path(app.outdir) / "index.html").write_text(f"{line}{refresh}{link}\n", encoding="utf-8")


def set_inline(translator: Any, node: Any) -> None:
    """Write a formula within a line."""
    translator.body.append(convert(node.astext()))
    skip(node)


def set_block(translator: Any, node: Any) -> None:
    """Write a formula on a line of its own."""
    translator.body.append(f'<div class="formula">{convert(node.astext(), display="block")}</div>\n')
    skip(node)


def skip(node: Any) -> None:
    """Leave out what is in a node, which has been written."""
    from docutils.nodes import SkipNode

    raise SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx of the above."""
    app.add_html_math_renderer("mathml", (set_inline, None), (set_block, None))
    app.connect("source-read", add_navigation)
    app.connect("build-finished", write_entrance)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
