"""
A timeline as one page that stands alone: no network, no other file, and it works from a disk.

The page holds its style, its script, and what they show as JSON. A policy in its head lets the
browser run that script and no other, by its hash, and load nothing from anywhere. Whatever stood in
a frame reaches the page as text: in JSON that no HTML can be in, and from there into text nodes.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from importlib.resources import files
from typing import Any

from unirt.cli.page.data import shown
from unirt.timeline import Timeline

__all__ = ["page"]

_SCRIPTS = ("theme.js", "sound.js", "lanes.js", "rows.js", "main.js")

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def page(seen: Timeline, name: str) -> str:
    """The page; `name` is what it calls the cassette."""
    style = _asset("page.css")
    script = '"use strict";\n' + "\n".join(f"(() => {{\n{_asset(part)}}})();" for part in _SCRIPTS)
    return _PAGE.format(
        policy=(
            f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
            "base-uri 'none'; form-action 'none'"
        ),
        title=f"{html.escape(name)} - unirt",
        style=style,
        body=_asset("page.html"),
        data=_inert(shown(seen, name)),
        script=script,
    )


def _asset(name: str) -> str:
    return (files("unirt.cli.page") / name).read_text("utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _inert(value: Any) -> str:
    """JSON in which nothing can be taken for HTML."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
