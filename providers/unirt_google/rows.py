"""What a row of the inbound tables is; the documentation's mapping page is written from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

from unirt.events import Event
from unirt.value import Value
from unirt_google.dialogue import Dialogue

__all__ = ["Row"]

Source = TypeVar("Source")


@attrs.frozen
class Row(Value, Generic[Source]):
    """One field of the wire: who reads it, and what it may mean."""

    handler: Callable[[Dialogue, Source], None]
    "May raise :class:`~unirt.wire.WireError` and nothing else."
    gives: tuple[type[Event], ...]
    """
    The events that it may become, most usual first. Any may also become a ``Noted``, and any that
    is about content opens and closes what it must: ``ResponseStarted``, ``StreamOpened``.
    """
