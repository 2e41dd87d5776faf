"""
What OpenAI's server refuses in a client's JSON, and the words in which it does.

Checks are small functions made by the functions here and put together into tables in
:mod:`unirt_openai.server.session`; each takes a value and its path and raises :class:`Refused`.
The codes and sentences are those of ``error`` events of the live service, as quoted in public
issue threads and recordings (2026-11); ``param`` always holds the path of what is at fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = [
    "Check",
    "Refused",
    "anything",
    "between",
    "by_type",
    "either",
    "flag",
    "invalid_value",
    "listed",
    "mapping",
    "missing",
    "nullable",
    "obj",
    "one_of",
    "text",
    "unknown_parameter",
    "wrong_type",
]

Check = Callable[[Any, str], None]
"Takes a value and its path; raises :class:`Refused` where the value cannot stand."


class Refused(Exception):
    """A client event that the server answers with ``error``. It never leaves this package."""

    def __init__(self, code: str | None, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param


# The refusals, in the server's words.


def wrong_type(path: str, expected: str, value: Any) -> Refused:
    """A value of another JSON type."""
    return Refused(
        "invalid_type",
        f"Invalid type for '{path}': expected {expected}, but got {_name(value)} instead.",
        path,
    )


def invalid_value(path: str, value: Any, supported: Sequence[Any] = ()) -> Refused:
    """A value of the right type that is not among those supported."""
    *known, last = [f"'{entry}'" for entry in supported] or [""]
    several = f"{', '.join(known)}{',' * (len(known) > 1)} and {last}" if known else last
    tail = f" Supported values are: {several}." if last else ""
    return Refused("invalid_value", f"Invalid value: {_shown(value)}.{tail}", path)


def unknown_parameter(path: str) -> Refused:
    """A key that the protocol does not have."""
    return Refused("unknown_parameter", f"Unknown parameter: '{path}'.", path)


def missing(path: str) -> Refused:
    """A key that the protocol requires."""
    return Refused("missing_required_parameter", f"Missing required parameter: '{path}'.", path)


# The checks.


def anything(_value: Any, _path: str) -> None:
    """Accept whatever it is."""


def text(value: Any, path: str) -> None:
    """Accept a string."""
    if not isinstance(value, str):
        raise wrong_type(path, "a string", value)


def flag(value: Any, path: str) -> None:
    """Accept a boolean."""
    if not isinstance(value, bool):
        raise wrong_type(path, "a boolean", value)


def one_of(*values: Any) -> Check:
    """Accept exactly these values."""

    def check(value: Any, path: str) -> None:
        if isinstance(value, dict | list) or value not in values:
            raise invalid_value(path, value, values)

    return check


def between(low: float, high: float, *, whole: bool = False) -> Check:
    """Accept a number from `low` to `high`."""
    expected = "an integer" if whole else "a number"

    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise wrong_type(path, expected, value)
        if not low <= value <= high:
            raise Refused(
                "invalid_value",
                f"Invalid '{path}': expected {expected} from {low} to {high}, but got {value}.",
                path,
            )

    return check


def nullable(check: Check) -> Check:
    """Accept null, or what `check` accepts."""
    return lambda value, path: None if value is None else check(value, path)


def either(kind: type, check: Check, otherwise: Check) -> Check:
    """Check values of one Python type by `check`, and all others by `otherwise`."""
    return lambda value, path: (check if isinstance(value, kind) else otherwise)(value, path)


def listed(check: Check) -> Check:
    """Accept an array whose entries `check` accepts."""

    def check_all(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise wrong_type(path, "an array", value)
        for i, entry in enumerate(value):
            check(entry, f"{path}[{i}]")

    return check_all


def mapping(check: Check = anything) -> Check:
    """Accept an object with any keys, whose values `check` accepts."""

    def check_all(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(path, "an object", value)
        for key, entry in value.items():
            check(entry, f"{path}.{key}")

    return check_all


def obj(fields: Mapping[str, Check], *, required: Sequence[str] = ()) -> Check:
    """Accept an object with these keys and no others."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(path, "an object", value)
        for key in required:
            if key not in value:
                raise missing(f"{path}.{key}")
        for key, entry in value.items():
            if key not in fields:
                raise unknown_parameter(f"{path}.{key}")
            fields[key](entry, f"{path}.{key}")

    return check


def by_type(variants: Mapping[str, Mapping[str, Check]], *, required: bool = True) -> Check:
    """
    Accept an object whose ``type`` names one of the variants, with that variant's keys.

    Args:
        variants: The keys of each variant, ``type`` left out.
        required: Whether ``type`` must be there; without it any variant's keys are accepted.
    """
    checks = {name: obj({"type": text, **fields}) for name, fields in variants.items()}
    merged: dict[str, Check] = {}
    for fields in variants.values():
        merged.update(fields)
    untyped = obj(merged)

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(path, "an object", value)
        if "type" not in value:
            if required:
                raise missing(f"{path}.type")
            untyped(value, path)
            return
        chosen = value["type"]
        if not isinstance(chosen, str) or chosen not in checks:
            raise invalid_value(f"{path}.type", chosen, list(variants))
        checks[chosen](value, path)

    return check


def _name(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names = {dict: "an object", list: "an array", str: "a string", int: "an integer"}
    return names.get(type(value), "a decimal")


def _shown(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str | int | float) else _name(value)
