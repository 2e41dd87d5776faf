"""What the environment configures that must not be in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from unirt.cassettes.secrets import is_secret_name
from unirt.registry import installed, load

__all__ = ["configured"]

_PRIVATE: Final = ("ORG", "PROJECT")
"Parts of a variable's name: no key, and whose account it is all the same."


def configured(environ: Mapping[str, str]) -> dict[str, str]:
    """
    The values of the environment that are secret, by the name of their variable.

    They are what the installed providers read of keys and accounts, and whatever else is called a
    key, a token, a password: an application's tools have secrets of their own.
    """
    found = {
        name: value
        for name, value in environ.items()
        if value and (is_secret_name(name) or name.endswith("_KEY"))
    }
    for name in installed():
        for variable in load(name).env:
            private = variable.secret or set(variable.name.split("_")) & set(_PRIVATE)
            value = environ.get(variable.name)
            if private and value:
                found[variable.name] = value
    return found
