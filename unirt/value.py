"""
What all values of the vocabulary share: how they are made, compare, hash and show themselves.

attrs writes the last three methods anew for each class and compiles them when the class is made,
which for a hundred classes was a third of what importing unirt took. Values are compared and shown
in tests, logs and at prompts, where one text that serves them all is fast enough.

Sessions make such values all the time, so each class has an ``__init__`` of its own. attrs fills a
frozen instance past its own ``__setattr__``, with a call a field. Here it is filled as any object
is, while it is a *draft*: an instance of a class of the same slots that is not frozen. It becomes
what it is when it is whole, and nobody sees it before. That takes two thirds of the time, of which
a session spends a thirtieth less.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import attrs

__all__ = ["Value", "draft_of"]

_ATTRS_WROTE = "<attrs generated"
"What the file of a method is called that attrs has written."


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
        plain = vars(cls).get("__init__")
        written = getattr(plain, "__code__", None)
        if plain is not None and written and written.co_filename.startswith(_ATTRS_WROTE):
            cls.__init__ = _first(cls, plain)  # type: ignore[method-assign]  # it does the same

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


def draft_of(kind: type[Any]) -> type[Any]:
    """A class whose instances may be filled, and then become instances of `kind`."""
    filled = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(f"Draft{kind.__name__}", (kind,), {"__slots__": (), **filled})


def _first(kind: type[Any], plain: Callable[..., None]) -> Callable[..., None]:
    """The ``__init__`` of a class until it is used: most classes are not, in most processes."""

    @functools.wraps(plain)
    def first(self: Any, *given: Any, **named: Any) -> None:
        kind.__init__ = _quick(kind, plain)
        kind.__init__(self, *given, **named)

    return first


def _quick(kind: type[Any], plain: Callable[..., None]) -> Callable[..., None]:
    """What attrs' ``__init__`` does, for those that only put their arguments where they belong."""
    fields = attrs.fields(kind)
    if hasattr(kind, "__attrs_post_init__") or not all(map(_is_plain, fields)):
        return plain
    known: dict[str, Any] = {"_plain": plain, "_kind": kind, "_draft": draft_of(kind)}
    known["_become"] = object.__setattr__
    taken, given = [], []
    for number, field in enumerate(sorted(fields, key=lambda field: field.kw_only)):
        if field.kw_only and "*" not in taken:
            taken.append("*")
        default = ""
        if field.default is not attrs.NOTHING:
            default = f"=_default_{number}"
            known[f"_default_{number}"] = field.default
        taken.append(f"{field.alias}{default}")
        given.append(f"{field.alias}={field.alias}" if field.kw_only else f"{field.alias}")
    lines = [
        f"def __init__(self, {', '.join(taken)}):",
        "    if self.__class__ is not _kind:",
        f"        return _plain(self, {', '.join(given)})",
        "    _become(self, '__class__', _draft)",
        *(f"    self.{field.name} = {field.alias}" for field in fields),
        "    self.__class__ = _kind",
    ]
    exec("\n".join(lines), known)  # noqa: S102  (of names of fields, as attrs itself does)
    quick: Callable[..., None] = known["__init__"]
    return functools.update_wrapper(quick, plain)


def _is_plain(field: attrs.Attribute[Any]) -> bool:
    return (
        field.init
        and field.converter is None
        and field.validator is None
        and not isinstance(field.default, attrs.Factory)  # type: ignore[arg-type]  # it is a class
    )
