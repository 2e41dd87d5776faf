"""What a row says: of a frame, and of those that came before it."""

from __future__ import annotations

from typing import Any

from unirt.events import Event

__all__ = ["Row"]

Row = tuple[list[dict[str, Any]], dict[str, Any], list[tuple[type[Event], dict[str, Any]]]]
"The frames before, the frame, and what that becomes."
