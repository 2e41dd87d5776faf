"""
What a docstring says to the model: what the function does, and what each parameter means.

The three customs in use are read: ``Args:`` with indented entries, ``:param name:``, and a heading
``Parameters`` that is underlined. What is in none of them describes the function; sections that
speak of returns, errors and examples are for people and are left out.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping

__all__ = ["read_docstring"]

_ARGS = {"args:", "arguments:", "parameters:", "params:"}
_OTHERS = re.compile(
    r"(returns?|yields?|raises?|examples?|notes?|see also|warnings?|todo|attributes):",
    re.IGNORECASE,
)
_HEADING = re.compile(r"\w[\w ]*")
_ENTRY = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)")
_FIELD = re.compile(r":(\w+)(?:\s+[^:]*?(\w+))?\s*:\s*(.*)")
_NUMPY_ENTRY = re.compile(r"(\w+)(?:\s*:.*)?")


def read_docstring(text: str | None) -> tuple[str | None, Mapping[str, str]]:
    """What the function does, and what each parameter means, by its name."""
    lines = inspect.cleandoc(text or "").splitlines()
    about: list[str] = []
    parameters: dict[str, str] = {}
    for kind, name, line in _told(lines):
        if kind == "about":
            about.append(line)
        elif kind == "parameter":
            parameters[name] = f"{parameters.get(name, '')} {line}".strip()
    return "\n".join(about).strip() or None, parameters


def _told(lines: list[str]) -> Iterator[tuple[str, str, str]]:
    """Each line with what it is about: the function, a parameter by name, or nothing of ours."""
    kind, name, indent, numpy = "about", "", 0, False
    for number, line in enumerate(lines):
        bare = line.strip()
        depth = len(line) - len(line.lstrip())
        beneath = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if bare and set(bare) == {"-"} and numpy:
            continue
        if depth == 0 and len(beneath) > 2 and set(beneath) == {"-"} and _HEADING.fullmatch(bare):
            numpy, name = True, ""
            kind = "parameter" if bare.lower() in ("parameters", "other parameters") else "other"
            continue
        if depth == 0 and (field := _FIELD.fullmatch(bare)):
            kind = "parameter" if field[1] in ("param", "arg", "parameter") else "other"
            name = field[2] or ""
            yield kind, name, field[3]
            continue
        if depth == 0 and bare.lower() in _ARGS:
            kind, name, indent = "arguments", "", 0
            continue
        if depth == 0 and _OTHERS.fullmatch(bare):
            kind = "other"
            continue
        if kind == "arguments":
            if bare and depth == 0:
                kind = "about"
            else:
                indent = indent or depth
                if depth == indent and (entry := _ENTRY.fullmatch(bare)):
                    name, bare = entry[1], entry[2]
                if name:
                    yield "parameter", name, bare
                continue
        if kind == "parameter" and numpy and depth == 0 and bare:
            entry = _NUMPY_ENTRY.fullmatch(bare)
            name = entry[1] if entry else ""
            continue
        yield kind if kind != "parameter" or name else "other", name, bare if name else line
