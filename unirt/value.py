"""
What all values of the vocabulary share: how they compare, hash and show themselves.

attrs writes these three methods anew for each class and compiles them when the class is made, which
for a hundred classes was a third of what importing unirt took. Sessions make such values all the
time, so each class has an ``__init__`` of its own; they are compared and shown in tests, logs and
at prompts, where one text that serves them all is fast enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

__all__ = ["Value"]


@attrs.frozen
class Value:
    """
    The base of frozen attrs classes that are told apart by their fields alone.

    Two values are equal where they are of one class and their fields are. What a field says of
    itself holds: ``eq=False`` keeps it out of that, ``repr=`` says whether it shows, and how.
    """

    def __init_subclass__(cls) -> None:
        # attrs writes what the class does not have itself, be it inherited or not.
        super().__init_subclass__()
        for name in ("__eq__", "__hash__", "__repr__"):
            if name not in vars(cls):
                setattr(cls, name, getattr(Value, name))

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _compared(self))

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in _compared(self))))

    def __repr__(self) -> str:
        fields = attrs.fields(type(self))
        shown = ", ".join(f"{field.name}={_shown(field, self)}" for field in fields if field.repr)
        return f"{type(self).__qualname__}({shown})"


def _compared(value: Value) -> Iterator[str]:
    return (field.name for field in attrs.fields(type(value)) if field.eq)


def _shown(field: attrs.Attribute[Any], value: Value) -> str:
    inner = getattr(value, field.name)
    return field.repr(inner) if callable(field.repr) else repr(inner)
