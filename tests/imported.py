"""What a file of Python imports, for tests of what it may."""

from __future__ import annotations

import ast
from pathlib import Path

__all__ = ["imported"]


def imported(path: Path) -> set[str]:
    """The names at the root of all that it imports, wherever in it that stands."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return {name.partition(".")[0] for name in names}
