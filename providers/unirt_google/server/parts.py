"""The small objects inside Google's server messages: transcripts, durations, server-side tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unirt.events import ServerToolDelta, ServerToolResult, TranscriptDelta, TranscriptInterim
from unirt.wire import parse_frame

__all__ = ["ServerTools", "duration", "nested", "transcription"]

_TOOL_TYPES = {"web_search": "GOOGLE_SEARCH_WEB", "image_search": "GOOGLE_SEARCH_IMAGE"}
"""
``google.genai.types.ToolType`` (3.4.0, 2026-11) by the names that other providers use; a tool that
is not listed goes by its own name in capitals.
"""
_CODE = "code_execution"
_MESSAGES = frozenset(
    {
        "goAway",
        "serverContent",
        "sessionResumptionUpdate",
        "setupComplete",
        "toolCall",
        "toolCallCancellation",
        "usageMetadata",
        "voiceActivity",
        "voiceActivityDetectionSignal",
    }
)
"The nine fields of a server message."


def duration(ms: float) -> str:
    """A protobuf ``Duration``: 1200 ms as ``1.2s``."""
    return f"{ms / 1000:.6f}".rstrip("0").rstrip(".") + "s"


def transcription(event: TranscriptDelta | TranscriptInterim) -> dict[str, Any]:
    """A ``Transcription``, with what is known beside the text."""
    wire: dict[str, Any] = {"text": event.text}
    if event.language is not None:
        wire["languageCode"] = event.language
    if isinstance(event, TranscriptInterim):
        return wire
    if event.speaker is not None:
        wire["speakerLabel"] = event.speaker
    if event.words:
        wire["words"] = [
            {"word": word.text, **_offsets(word.start_ms, word.end_ms)} for word in event.words
        ]
    return {**wire, **_offsets(event.start_ms, event.end_ms)}


def _offsets(start_ms: float | None, end_ms: float | None) -> dict[str, str]:
    offsets = {"startOffset": start_ms, "endOffset": end_ms}
    return {key: duration(ms) for key, ms in offsets.items() if ms is not None}


def nested(path: str, data: Any) -> dict[str, Any] | None:
    """
    The message in which `data` stands at `path`; ``None`` where no message can hold it.

    Data that is a message already is handed back: an object with the path's first field, or with
    any field that messages have, and any object where there is no path.
    """
    keys = [key for key in path.split(".") if key]
    if isinstance(data, Mapping) and (not keys or keys[0] in data or _MESSAGES & data.keys()):
        return dict(data)
    value = data
    for key in reversed(keys):
        name = key.removesuffix("[]")
        value = {name: [value] if key.endswith("[]") else value}
    return value if keys else None


class ServerTools:
    """
    Tools that the server runs, as parts of the model's turn.

    Such a part holds all arguments at once, while events bring them in pieces; so a call is said
    as soon as its pieces add up to a JSON object, at the latest with its result.
    """

    def __init__(self) -> None:
        self._pieces: dict[str, str] = {}
        self._called: set[str] = set()

    def grow(self, event: ServerToolDelta) -> list[dict[str, Any]]:
        """The parts to say for a piece of the arguments."""
        key = event.stream.id
        text = self._pieces[key] = self._pieces.get(key, "") + event.text
        args = _object(text)
        if args is None or key in self._called:
            return []
        self._called.add(key)
        return [self._call(event, args)]

    def finish(self, event: ServerToolResult) -> list[dict[str, Any]]:
        """The parts to say for a result, the call first where it was not said."""
        key = event.stream.id
        parts = []
        if key not in self._called:
            self._called.add(key)
            text = self._pieces.get(key, "")
            parts.append(self._call(event, {"code": text} if text else {}))
        return [*parts, self._result(event)]

    def forget(self, key: str) -> None:
        """Its stream is over."""
        self._pieces.pop(key, None)
        self._called.discard(key)

    def _call(
        self, event: ServerToolDelta | ServerToolResult, args: dict[str, Any]
    ) -> dict[str, Any]:
        if event.stream.name == _CODE:
            language = args.get("language") or "PYTHON"
            code = {"language": language, "code": str(args.get("code", ""))}
            return {"executableCode": {**code, **_id(event)}}
        return {"toolCall": {**_id(event), "toolType": _type(event), "args": args}}

    def _result(self, event: ServerToolResult) -> dict[str, Any]:
        failed = event.error is not None
        if event.stream.name == _CODE:
            outcome = "OUTCOME_FAILED" if failed else "OUTCOME_OK"
            output = (event.error if failed else event.output) or ""
            return {"codeExecutionResult": {"outcome": outcome, "output": output, **_id(event)}}
        if failed:
            response: dict[str, Any] = {"error": event.error}
        else:
            known = _object(event.output or "")
            response = {"output": event.output} if known is None else known
        return {"toolResponse": {**_id(event), "toolType": _type(event), "response": response}}


def _id(event: ServerToolDelta | ServerToolResult) -> dict[str, str]:
    return {} if event.stream.call_id is None else {"id": event.stream.call_id}


def _type(event: ServerToolDelta | ServerToolResult) -> str:
    name = event.stream.name or ""
    return _TOOL_TYPES.get(name, name.upper() or "TOOL_TYPE_UNSPECIFIED")


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = parse_frame(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
