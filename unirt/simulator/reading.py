"""
Total reads of a TOML table that a person wrote.

A read returns a value of the type it names or raises with the file, the table and the key; a key
that nobody asked for is an error too, because it is most likely a misspelt one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from unirt.errors import ConfigurationError

__all__ = ["Table"]

T = TypeVar("T")

_NAMES: dict[type, str] = {
    str: "a string",
    bool: "true or false",
    float: "a number",
    int: "a whole number",
}


class Table:
    """
    One table, and where it is.

    Args:
        data: What the TOML parser returned for it.
        where: The file and the path of the table in it, for messages.
    """

    def __init__(self, data: object, where: str) -> None:
        self.where = where
        if not isinstance(data, dict):
            raise self.error("", f"{_found(data)} where a table was expected", "write a table")
        self._data: dict[str, Any] = data
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._data

    def text(self, key: str, default: str | None = None) -> str | None:
        """The string at `key`."""
        return self._typed(key, str, default)

    def required_text(self, key: str) -> str:
        """The string at `key`, which must be there."""
        value = self.text(key)
        if value is None:
            raise self.error(key, "it is missing", "write a string")
        return value

    def choice(self, key: str, choices: Sequence[str], default: str | None = None) -> str:
        """One of a few strings."""
        value = self.text(key, default)
        if value is None or value not in choices:
            what = "it is missing" if value is None else f"{value!r} is not known"
            raise self.error(key, what, _one_of(value or "", choices))
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """The boolean at `key`."""
        value = self._typed(key, bool, default)
        return default if value is None else value

    def number(self, key: str, default: float | None = None, *, least: float = 0) -> float | None:
        """The number at `key`, not below `least`."""
        value = self._typed(key, float, default)
        if value is not None and value < least:
            raise self.error(key, f"{value} is too small", f"write at least {least}")
        return value

    def count(self, key: str, default: int = 0) -> int:
        """The whole number at `key`, not negative."""
        value = self._typed(key, int, default)
        if value is None or value < 0:
            raise self.error(key, f"{value} is negative", "write 0 or more")
        return value

    def flag_or_none(self, key: str) -> bool | None:
        """The boolean at `key`; ``None`` where there is none."""
        return self.flag(key) if key in self else None

    def count_or_none(self, key: str) -> int | None:
        """The whole number at `key`; ``None`` where there is none."""
        return self.count(key) if key in self else None

    def object(self, key: str) -> dict[str, Any] | None:
        """The table at `key` as it is, for data that is passed on untouched."""
        value = self._take(key)
        if value is None or isinstance(value, dict):
            return value
        raise self.error(key, f"{_found(value)} where a table was expected", "write a table")

    def table(self, key: str) -> Table | None:
        """The table at `key`."""
        value = self._take(key)
        return None if value is None else Table(value, self._place(key))

    def tables(self, key: str) -> Iterator[Table]:
        """The tables in the array at `key`."""
        value = self._take(key)
        if value is None:
            return
        if not isinstance(value, list):
            raise self.error(key, f"{_found(value)} where an array was expected", "write [...]")
        for i, entry in enumerate(value):
            yield Table(entry, f"{self._place(key)}[{i}]")

    def texts(self, key: str) -> tuple[str, ...] | None:
        """The strings in the array at `key`."""
        value = self._take(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise self.error(key, f"{_found(value)} where strings were expected", 'write ["..."]')
        return tuple(value)

    def one_key_of(self, keys: Sequence[str]) -> str:
        """Which of some keys that exclude each other is there."""
        present = [key for key in keys if key in self]
        if len(present) != 1:
            what = f"{' and '.join(present)} exclude each other" if present else "it says nothing"
            given = next((key for key in self._data if key not in keys), "")
            raise self.error("", what, _one_of(given, keys))
        return present[0]

    def finish(self) -> None:
        """
        Refuse keys that nobody asked for.

        Raises:
            ConfigurationError: There is one.
        """
        for key in self._data:
            if key not in self._asked:
                raise self.error(key, "there is no such key", _one_of(key, sorted(self._asked)))

    def error(self, key: str, what: str, remedy: str) -> ConfigurationError:
        """The error for what is wrong at `key`."""
        return ConfigurationError(what, where=self._place(key), remedy=remedy)

    def _place(self, key: str) -> str:
        return self.where + ("" if not key else key if self.where.endswith(": ") else f".{key}")

    def _take(self, key: str) -> Any:
        self._asked.add(key)
        return self._data.get(key)

    def _typed(self, key: str, kind: type[T], default: T | None) -> T | None:
        value = self._take(key)
        if value is None:
            return default
        if kind is float and type(value) is int:
            value = float(value)
        if isinstance(value, kind) and type(value) is kind:
            return value
        raise self.error(key, f"{_found(value)} where {_NAMES[kind]} was expected", "correct it")


def _found(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    return "an array" if isinstance(value, list) else repr(value)


def _one_of(given: str, choices: Sequence[str]) -> str:
    near = difflib.get_close_matches(given, list(map(str, choices)), n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}write one of {', '.join(map(str, choices))}"
