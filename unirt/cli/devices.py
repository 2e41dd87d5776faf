"""``unirt devices``: the sound devices of this machine."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from unirt.sound import devices

__all__ = ["run"]


def run(console: Console | None = None) -> None:
    """Show them; * is what the system chooses."""
    console = console or Console(highlight=False)
    table = Table("", "name", "system", "microphone", "speaker", "Hz", box=None)
    for each in devices():
        table.add_row(
            str(each.index),
            escape(each.name),
            escape(each.host),
            _channels(each.inputs, each.default_input),
            _channels(each.outputs, each.default_output),
            str(each.rate),
        )
    console.print(table)


def _channels(count: int, usual: bool) -> str:
    return f"{count or ''}{' *' if usual else ''}"
