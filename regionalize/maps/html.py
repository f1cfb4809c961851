"""Pages of one file that ask nobody for anything: what names hold is text, and only our own script runs."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from typing import Any

from regionalize.maps.text import clean

_HIDDEN = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&"}
"""Letters that could end a script block; JSON reads them back as they were, and any not of ASCII too."""


def escape(text: object) -> str:
    r"""Return `text` for the body of a page or a quoted attribute, on one line, without control characters.

    Examples
    --------
    >>> escape('<b onclick="x">Saint\nPaul</b>')
    '&lt;b onclick=&quot;x&quot;&gt;Saint Paul&lt;/b&gt;'
    """
    return html.escape(clean(text), quote=True)


def data_block(identifier: str, data: Any) -> str:
    r"""Return a script block that holds data and is never run: `JSON.parse` reads its text.

    Examples
    --------
    >>> data_block("units", ["</script><b>"])
    '<script type="application/json" id="units">["\\u003c/script\\u003e\\u003cb\\u003e"]</script>'
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).translate(_HIDDEN)
    return f'<script type="application/json" id="{escape(identifier)}">{text}</script>'


def page(title: str, body: str, *, style: str, script: str = "") -> str:
    """Return a whole document under a content security policy that lets in its own style and script alone.

    No address can be asked for anything: pictures must be data. Attributes such as ``style=`` and
    ``onclick=`` have no effect, whoever wrote them.

    Parameters
    ----------
    title : str
        Of the window, as text.
    body : str
        HTML whose every name and value went through `escape` or `data_block`.
    style, script : str
        The one style sheet, and the one script, which is run once the body is there.

    Examples
    --------
    >>> "script-src 'none'" in page("Regions", "<h1>Regions</h1>", style="h1 { color: red }")
    True
    """
    policy = (
        f"default-src 'none'; script-src {_allowed(script)}; style-src {_allowed(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    run = f"<script>{script}</script>\n" if script else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<link rel="icon" href="data:,">\n'  # else a browser asks the server for one
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n"
        f"<body>\n{body}\n{run}</body>\n</html>\n"
    )


def _allowed(text: str) -> str:
    """Return what a policy calls a text: the hash of it, or nothing at all."""
    if not text:
        return "'none'"
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
