"""A server frame as the official SDK's own typed object, on request."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

__all__ = ["parse_native"]

_RENAMED = {
    "voiceActivity": {"type": "voiceActivityType"},
    "usageMetadata": {
        "candidatesTokenCount": "responseTokenCount",
        "candidatesTokensDetails": "responseTokensDetails",
    },
}
"What the SDK calls differently than the wire: ``google.genai._live_converters`` 3.4.0, 2026-11."

_UNKNOWN = "extra_forbidden"
"What pydantic calls a field that a strict type does not have."


def parse_native(raw: Any) -> Any:
    """
    The frame as a ``google.genai.types.LiveServerMessage``.

    Fields that this release of the SDK does not know are left out, as the SDK itself does; what
    its types refuse altogether stands in the object as it came. Both are in the event's ``raw``.

    Raises:
        ImportError: The SDK is not installed.
    """
    from google.genai.types import LiveServerMessage
    from pydantic import ValidationError

    frame = _renamed(raw) if isinstance(raw, dict) else {}
    while True:
        try:
            return LiveServerMessage.model_validate(frame)
        except ValidationError as exc:
            unknown = [error["loc"] for error in exc.errors() if error["type"] == _UNKNOWN]
        if not unknown:
            return LiveServerMessage.model_construct(**frame)
        for path in unknown:
            _drop(frame, path)


def _renamed(raw: dict[str, Any]) -> dict[str, Any]:
    frame = copy.deepcopy(raw)
    for field, names in _RENAMED.items():
        inner = frame.get(field)
        if isinstance(inner, dict):
            frame[field] = {names.get(name, name): value for name, value in inner.items()}
    return frame


def _drop(frame: Any, path: Sequence[int | str]) -> None:
    *steps, last = path
    for step in steps:
        frame = frame[step]
    del frame[last]
