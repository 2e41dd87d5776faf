"""What the environment configures that must not be in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from unirt.registry import installed, load

__all__ = ["configured"]

_PRIVATE: Final = ("ORG", "PROJECT")
"Parts of a variable's name: no key, and whose account it is all the same."


def configured(environ: Mapping[str, str]) -> dict[str, str]:
    """The secrets that the installed providers read, by the name of their variable."""
    found = {}
    for name in installed():
        for variable in load(name).env:
            private = variable.secret or set(variable.name.split("_")) & set(_PRIVATE)
            value = environ.get(variable.name)
            if private and value:
                found[variable.name] = value
    return found
