"""
Total reads of untrusted JSON.

A translator reads frames through :class:`Wire`.
A read either returns a value of the type it names or raises :class:`WireError` with the path of
what is wrong; no other exception can come out of it, whatever the frame holds.
"""

from __future__ import annotations

from typing import Any, cast

import pybase64
from pydantic_core import from_json

__all__ = ["Wire", "WireError", "decode_audio", "parse_frame"]


class WireError(ValueError):
    """A frame is not what its protocol says. Caught by translators; never reaches users."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(path, what)
        self.path = path
        self.what = what

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


def parse_frame(frame: str | bytes | bytearray | memoryview) -> Any:
    """
    Decode one frame's JSON.

    Raises:
        WireError: The frame is not JSON.
    """
    if isinstance(frame, memoryview):
        frame = bytes(frame)
    try:
        return from_json(frame, cache_strings="keys")
    except ValueError as exc:
        raise WireError("$", f"not JSON: {exc}") from None


def decode_audio(data: str, path: str) -> bytes:
    """
    Decode base64 in the standard or the URL-safe alphabet, padded or not.

    Raises:
        WireError: The text is not base64.
    """
    try:
        return pybase64.b64decode(data, validate=True)
    except ValueError:
        pass  # not the alphabet and padding that nearly every frame has
    standard = data.replace("-", "+").replace("_", "/")
    try:
        return pybase64.b64decode(standard + "=" * (-len(data) % 4), validate=True)
    except ValueError as exc:
        raise WireError(path, f"not base64: {exc}") from None


class Wire:
    """A JSON object of a frame, and where in the frame it is."""

    __slots__ = ("_at", "_up", "data")

    def __init__(
        self, data: Any, path: str | tuple[str, int] = "$", up: Wire | None = None
    ) -> None:
        self._at = path
        "Its path; where it stands in another, the key there, and its index in an array."
        self._up = up
        if not isinstance(data, dict):
            raise WireError(self.path, f"{_name(data)} where an object was expected")
        self.data: dict[str, Any] = data

    @property
    def path(self) -> str:
        """Where in the frame it is; written when somebody asks, which hardly anybody does."""
        at = self._at if isinstance(self._at, str) else "{}[{}]".format(*self._at)
        return at if self._up is None else f"{self._up.path}.{at}"

    def __contains__(self, key: str) -> bool:
        return self.data.get(key) is not None

    def text(self, key: str) -> str:
        """The string at `key`."""
        value = self.data.get(key)
        if type(value) is str:
            return value
        raise self.wrong(key, "a string")

    def text_or(self, key: str, default: str | None = None) -> str | None:
        """The string at `key`; `default` where it is absent or null."""
        value = self.data.get(key)
        if value is None:
            return default
        if type(value) is str:
            return value
        raise self.wrong(key, "a string")

    def number_or(self, key: str, default: float | None = None) -> float | None:
        """The number at `key`; `default` where it is absent or null."""
        value = self.data.get(key)
        if value is None:
            return default
        if type(value) in (int, float):
            return cast("float", value)
        raise self.wrong(key, "a number")

    def count(self, key: str, default: int = 0) -> int:
        """The whole number at `key`, which may come as a string (protojson's int64)."""
        value = self.data.get(key)
        if value is None:
            return default
        if type(value) is int:
            return value
        if type(value) is float and value.is_integer():
            return int(value)
        if type(value) is str:
            try:
                return int(value)
            except ValueError:
                pass
        raise self.wrong(key, "a whole number")

    def flag(self, key: str) -> bool:
        """The boolean at `key`; ``False`` where it is absent or null."""
        value = self.data.get(key)
        if value is None:
            return False
        if type(value) is bool:
            return value
        raise self.wrong(key, "a boolean")

    def obj(self, key: str) -> Wire:
        """The object at `key`."""
        value = self.data.get(key)
        if type(value) is dict:
            return Wire(value, key, self)
        raise self.wrong(key, "an object")

    def obj_or(self, key: str) -> Wire | None:
        """The object at `key`; ``None`` where it is absent or null."""
        return None if self.data.get(key) is None else self.obj(key)

    def objs(self, key: str) -> list[Wire]:
        """The objects in the array at `key`; empty where it is absent or null."""
        value = self.data.get(key)
        if value is None:
            return []
        if type(value) is not list:
            raise self.wrong(key, "an array")
        return [Wire(entry, (key, i), self) for i, entry in enumerate(value)]

    def texts(self, key: str) -> list[str]:
        """The strings in the array at `key`; empty where it is absent or null."""
        value = self.data.get(key)
        if value is None:
            return []
        if type(value) is not list:
            raise self.wrong(key, "an array")
        for i, entry in enumerate(value):
            if type(entry) is not str:
                raise WireError(f"{self.path}.{key}[{i}]", f"{_name(entry)}, expected a string")
        return cast("list[str]", value)

    def wrong(self, key: str, expected: str) -> WireError:
        """The error for a value at `key` that is not what was expected."""
        value = self.data.get(key)
        found = "missing" if key not in self.data else _name(value)
        return WireError(f"{self.path}.{key}", f"{found}, expected {expected}")


def _name(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    if value is None:
        return "null"
    return names.get(type(value), "a number")
