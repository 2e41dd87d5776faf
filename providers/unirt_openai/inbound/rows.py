"""What a row of the inbound tables is; the documentation's mapping page is written from them."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from unirt.events import Event
from unirt.value import Value
from unirt.wire import Wire
from unirt_openai.state import State

__all__ = ["Handler", "Row"]

Handler = Callable[[State, Wire], None]
"""
Reads everything it needs from the frame, then tells it through the composer.

Reading first keeps a malformed frame from being told by half. May raise
:class:`~unirt.wire.WireError` and nothing else.
"""


@attrs.frozen
class Row(Value):
    """One type of server event: who reads it, and what it may mean."""

    handler: Handler
    gives: tuple[type[Event], ...]
    "The events that it may become, most usual first; any may also become a ``Noted``."
