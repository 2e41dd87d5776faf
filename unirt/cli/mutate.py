"""
``unirt cassette mutate``: faults, by name.

What a fault can be told is read off its function: the names, the types and the usual values of its
options.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from unirt.cassettes import Cassette, Framed, write
from unirt.cassettes.faults import FAULTS, line_with
from unirt.cli.calls import new_file, read_file
from unirt.errors import ConfigurationError
from unirt.spelling import nearest

__all__ = ["listed", "parsed", "place", "run"]

Fault = Callable[[Cassette, int], Cassette]

_OPTION: Final = "--fault"


def run(
    source: Path | None,
    target: Path | None,
    *,
    faults: list[str],
    at: str | None = None,
    force: bool = False,
    console: Console | None = None,
) -> int:
    """
    Write a cassette with faults; several happen at the same place. Returns the exit status.

    Raises:
        ConfigurationError: There is no such file, fault, option or place.
        CassetteError: It is no cassette, or its protocol has no frame for a fault.
    """
    if source is None or target is None:
        raise ConfigurationError(
            "two files are needed",
            where="unirt cassette mutate",
            remedy="name what to read and what to write, or pass --list",
        )
    if not faults:
        raise ConfigurationError(
            "no fault is named",
            where=_OPTION,
            remedy=f"name one of {', '.join(FAULTS)}",
        )
    chosen = [parsed(fault) for fault in faults]
    cassette = read_file(source)
    new_file(target, source, force=force)
    line = place(cassette, at)
    changed = cassette
    for fault in reversed(chosen):  # each happens before what the ones after it did
        changed = fault(changed, line)
    write(target, changed)
    console = console or Console(highlight=False, soft_wrap=True)
    console.print(f"wrote {escape(str(target))}: {escape(', '.join(faults))} at line {line}")
    return 0


def listed(console: Console | None = None) -> int:
    """Show all faults and their options."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("fault", "what happens", "options"):
        table.add_column(column)
    for name, fault in FAULTS.items():
        what = (inspect.getdoc(fault) or "").partition("\n")[0]
        options = ", ".join(f"{key}={value!r}" for key, (_, value) in _options(fault).items())
        table.add_row(name, escape(what), escape(options))
    (console or Console(highlight=False)).print(table)
    return 0


def place(cassette: Cassette, at: str | None) -> int:
    """
    Where something goes wrong: a line, the first received frame with a text in it, or the middle.

    Raises:
        ConfigurationError: There is no such place.
        CassetteError: No frame that is received has the text in it.
    """
    received = [
        line
        for line, entry in cassette.numbered()
        if isinstance(entry, Framed) and entry.direction == "received"
    ]
    if not received:
        raise ConfigurationError(
            "nothing is received in it", where="the cassette", remedy="choose another cassette"
        )
    if at is None:
        return received[len(received) // 2]
    if not at.isdecimal():
        return line_with(cassette, at)
    if int(at) not in received:
        near = min(received, key=lambda line: abs(line - int(at)))
        raise ConfigurationError(
            f"no frame is received in line {at}",
            where="--at",
            remedy=f"take line {near}, which is the nearest",
        )
    return int(at)


def parsed(text: str) -> Fault:
    """
    A fault as it is written on the command line: ``close:code=1008,reason=Not today``.

    Raises:
        ConfigurationError: There is no such fault, or it has no such option.
    """
    name, _, rest = text.partition(":")
    found = FAULTS.get(name.replace("-", "_"))
    if found is None:
        raise ConfigurationError(
            f"there is no fault {name!r}", where=_OPTION, remedy=nearest(name, FAULTS)
        )
    known = _options(found)
    given: dict[str, Any] = {}
    names = "|".join(known)
    # A comma ends an option only where another one begins: texts have commas too.
    for part in filter(None, re.split(rf",(?=(?:{names})=)", rest) if names else [rest]):
        key, equals, value = part.partition("=")
        if key not in known or not equals:
            remedy = nearest(key, known) if known else "leave it out"
            raise ConfigurationError(
                f"the fault {name!r} has no option {part!r}", where=_OPTION, remedy=remedy
            )
        given[key] = _value(value, known[key][0], f"{name}:{key}")
    return lambda cassette, line: found(cassette, line, **given)


def _options(fault: Callable[..., Cassette]) -> dict[str, tuple[Any, Any]]:
    """The type and the usual value of each option of a fault."""
    hints = get_type_hints(fault)
    return {
        name: (hints[name], parameter.default)
        for name, parameter in inspect.signature(fault).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }


def _value(text: str, kind: Any, option: str) -> Any:
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        if text not in choices:
            raise ConfigurationError(
                f"{option} cannot be {text!r}", where=_OPTION, remedy=nearest(text, choices)
            )
        return text
    if kind not in (int, float):
        return text
    try:
        return kind(text)
    except ValueError:
        raise ConfigurationError(
            f"{option} cannot be {text!r}", where=_OPTION, remedy="write a number"
        ) from None
