"""
Reading a client's JSON as protojson does, and the words in which Google's server refuses it.

A name may come in either spelling, and the official SDK mixes them in one frame; here all become
camelCase, except inside what is free-form: arguments, results, labels, JSON schemas.
Tables of fields say what is known. Anything else ends the connection with 1007, in the sentence
that Google's JSON parser has for it (quoted in public issue threads, 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unirt_google.facts import FREE_FORM
from unirt_google.server.state import HangUp
from unirt_google.spelling import camel

__all__ = ["ANY", "BOOL", "NUMBER", "TEXT", "Spec", "check", "invalid", "one_spelling"]

INVALID_ARGUMENT = 1007

Spec = Mapping[str, Any] | list[Any] | tuple[Any, ...] | frozenset[str]
"""
What may stand somewhere: an object with these fields, an array of that, a leaf of those Python
types, or a word of that set.
"""

ANY: Spec = ()
TEXT: Spec = (str,)
BOOL: Spec = (bool,)
NUMBER: Spec = (int, float, str)
"Protojson reads numbers from strings as well."

_NAMED = frozenset({"properties", "defs", "$defs"})
"Fields whose names are data and whose values are not."


def invalid(reason: str = "Request contains an invalid argument.") -> HangUp:
    """The close for a message that breaks the protocol."""
    return HangUp(INVALID_ARGUMENT, reason)


def one_spelling(value: Any) -> Any:
    """The value with every field name in camelCase and null fields left out."""
    if isinstance(value, list):
        return [one_spelling(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    fields: dict[str, Any] = {}
    for name, inner in value.items():
        key = camel(name)
        if inner is None:
            continue
        if key in FREE_FORM:
            fields[key] = inner
        elif key in _NAMED and isinstance(inner, dict):
            fields[key] = {entry: one_spelling(schema) for entry, schema in inner.items()}
        else:
            fields[key] = one_spelling(inner)
    return fields


def check(value: Any, spec: Spec, path: str) -> None:
    """
    Refuse what the table does not allow.

    Raises:
        HangUp: With the path of the first thing at fault.
    """
    if isinstance(spec, Mapping):
        _check_object(value, spec, path)
    elif isinstance(spec, list):
        if not isinstance(value, list):
            raise invalid(f"Invalid value at '{path}' (an array was expected)")
        for i, entry in enumerate(value):
            check(entry, spec[0], f"{path}[{i}]")
    elif isinstance(spec, frozenset):
        if not isinstance(value, str) or value not in spec:
            raise invalid(f"Invalid value at '{path}': {_shown(value)}")
    elif spec and type(value) not in spec:
        raise invalid(f"Invalid value at '{path}': {_shown(value)}")


def _check_object(value: Any, fields: Mapping[str, Any], path: str) -> None:
    if not isinstance(value, dict):
        raise invalid(f"Invalid value at '{path}': {_shown(value)}")
    for name, entry in value.items():
        if name not in fields:
            at = f" at '{path}'" if path else ""
            raise invalid(
                f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.'
            )
        check(entry, fields[name], f"{path}.{name}" if path else name)


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else "an object, an array or another type"
