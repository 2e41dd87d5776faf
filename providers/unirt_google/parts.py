"""
What a model says: the parts of ``modelTurn``, transcripts, sources, and tool calls.

Each part kind has one row in :data:`PARTS`; a part may hold several. What a part holds beside them
is told as ``Unmapped``, by its path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from unirt import events as ev
from unirt.audio import AudioFormat
from unirt.composer import Response
from unirt.errors import AudioFormatError
from unirt.events import StreamKind, Word
from unirt.wire import Wire, WireError, decode_audio
from unirt_google.dialogue import Dialogue
from unirt_google.rows import Row
from unirt_google.speaking import Speaking
from unirt_google.spelling import spelled

__all__ = [
    "PARTS",
    "citations",
    "function_calls",
    "milliseconds",
    "model_turn",
    "output_transcription",
    "transcription_fields",
]

_OUTPUT_RATE = 24_000
"Where a mime type says no rate, as on Vertex AI (recorded); live-api/capabilities, 2026-11."

_SERVER_TOOLS = {"GOOGLE_SEARCH_WEB": "web_search", "GOOGLE_SEARCH_IMAGE": "image_search"}
"""
``google.genai.types.ToolType`` (3.4.0, 2026-11) by the names that other providers use; a type that
is not listed goes by its own name in lower case.
"""

_WORDS_ALONE = {"text", "finished"}
"What nearly every ``Transcription`` holds, and nothing else."

_PART = "serverContent.modelTurn.parts[]"


def model_turn(dialogue: Dialogue, turn: Wire) -> None:
    """Deliver the parts in order; one that is malformed does not take the others with it."""
    turn = spelled(turn)
    for key in turn.data:
        if key not in ("role", "parts") and key in turn:
            dialogue.composer.emit(
                ev.Unmapped, type=f"serverContent.modelTurn.{key}", data=turn.data[key]
            )
    parts = turn.data.get("parts")
    if parts is None:
        return
    if not isinstance(parts, list):
        raise turn.wrong("parts", "an array")
    for i, part in enumerate(parts):
        try:
            _part(dialogue, spelled(Wire(part, f"{turn.path}.parts[{i}]")))
        except WireError as exc:
            dialogue.composer.emit(ev.Malformed, where=exc.path, what=exc.what)


def _part(dialogue: Dialogue, part: Wire) -> None:
    thought = part.flag("thought")
    told = False
    for key, value in part.data.items():
        if value is None or key == "thought":
            continue
        row = PARTS.get(key)
        if row is None or (thought and key != "text"):
            dialogue.composer.emit(ev.Unmapped, type=f"{_PART}.{key}", data=value)
        else:
            row.handler(dialogue, part)
        told = True
    if not told:
        dialogue.composer.noted(_PART, "a part that holds nothing")


def _text(dialogue: Dialogue, part: Wire) -> None:
    text = part.text("text")
    if not text:
        dialogue.composer.noted(f"{_PART}.text", "an empty text")
        return
    kind = StreamKind.THOUGHT if part.flag("thought") else StreamKind.TEXT
    response = dialogue.answer.response()
    if response is None:
        dialogue.answer.discard(kind, len(text))
    else:
        dialogue.composer.text(response, kind, dialogue.answer.message(kind), 0, text)


def _inline_data(dialogue: Dialogue, part: Wire) -> None:
    blob = spelled(part.obj("inlineData"))
    mime_type = blob.text_or("mimeType") or "audio/pcm"
    data = decode_audio(blob.text_or("data") or "", f"{blob.path}.data")
    format = _audio_format(mime_type, f"{blob.path}.mimeType")
    answer = dialogue.answer
    if not data:
        dialogue.composer.noted(f"{_PART}.inlineData", "no data")
    elif format is None:
        response = answer.response()
        if response is None:
            answer.discard(StreamKind.IMAGE, len(data))
        else:
            item_id = answer.message(StreamKind.IMAGE)
            dialogue.composer.image(response, item_id, 0, data, mime_type)
    else:
        response = answer.response()
        if response is None:
            answer.discard(StreamKind.AUDIO, len(data), format.duration_ms(len(data)))
        else:
            item_id = answer.message(StreamKind.AUDIO)
            entry = dialogue.composer.audio(response, item_id, 0, data, format)
            if entry is not None:
                answer.speaks(
                    Speaking(response=response, entry=entry, format=format, mime_type=mime_type)
                )


@lru_cache(maxsize=64)
def _audio_format(mime_type: str, path: str) -> AudioFormat | None:
    """The format of linear PCM; ``None`` for every other medium."""
    kind, *parameters = (piece.strip().lower() for piece in mime_type.split(";"))
    if kind not in ("audio/pcm", "audio/l16"):
        return None
    given = dict(parameter.partition("=")[::2] for parameter in parameters)
    try:
        return AudioFormat(
            rate=int(given.get("rate") or _OUTPUT_RATE), channels=int(given.get("channels") or 1)
        )
    except (ValueError, AudioFormatError) as exc:
        raise WireError(path, f"{mime_type!r}: {exc}") from None


# Tools that the server runs.


def _server_tool(dialogue: Dialogue, name: str, call: Wire, arguments: Any) -> None:
    text = compact(arguments)
    response = dialogue.answer.response()
    if response is None:
        dialogue.answer.discard(StreamKind.SERVER_TOOL, len(text))
        return
    item_id = dialogue.answer.server_tool(call.text_or("id"))
    dialogue.composer.open(response, StreamKind.SERVER_TOOL, item_id, name=name)
    dialogue.composer.text(response, StreamKind.SERVER_TOOL, item_id, 0, text)


def _server_tool_result(
    dialogue: Dialogue, name: str, result: Wire, *, output: str | None, error: str | None
) -> None:
    response = dialogue.answer.response()
    if response is None:
        dialogue.answer.discard(StreamKind.SERVER_TOOL, len(output or error or ""))
        return
    item_id = dialogue.answer.server_tool_of(result.text_or("id"))
    dialogue.composer.server_tool_result(response, item_id, output=output, error=error, name=name)


def _executable_code(dialogue: Dialogue, part: Wire) -> None:
    code = part.obj("executableCode")
    arguments = {"language": code.text_or("language"), "code": code.text_or("code", "")}
    _server_tool(dialogue, "code_execution", code, arguments)


def _code_execution_result(dialogue: Dialogue, part: Wire) -> None:
    result = part.obj("codeExecutionResult")
    outcome = result.text_or("outcome") or "OUTCOME_OK"
    printed = result.text_or("output") or ""
    fine = outcome == "OUTCOME_OK"
    _server_tool_result(
        dialogue,
        "code_execution",
        result,
        output=printed if fine else None,
        error=None if fine else printed or outcome,
    )


def _tool_name(wire: Wire) -> str:
    kind = wire.text_or("toolType") or "server_tool"
    return _SERVER_TOOLS.get(kind, kind.lower())


def _tool_call(dialogue: Dialogue, part: Wire) -> None:
    call = spelled(part.obj("toolCall"))
    args = call.obj_or("args")
    _server_tool(dialogue, _tool_name(call), call, {} if args is None else args.data)


def _tool_response(dialogue: Dialogue, part: Wire) -> None:
    result = spelled(part.obj("toolResponse"))
    told = result.obj_or("response")
    body = {} if told is None else told.data
    # An object with nothing but an error is how a failure is told (``FunctionResponse.response``).
    error = body.get("error") if len(body) == 1 else None
    output, error = (None, error) if isinstance(error, str) else (compact(body), None)
    _server_tool_result(dialogue, _tool_name(result), result, output=output, error=error)


# Tools that the application runs.


def _function_call(dialogue: Dialogue, part: Wire) -> None:
    function_calls(dialogue, [part.obj("functionCall")])


def function_calls(dialogue: Dialogue, calls: list[Wire]) -> None:
    """
    Deliver calls that came together; they belong to one response.

    Raises:
        WireError: One of them is malformed; none was delivered.
    """
    read = [_read_call(call) for call in calls]
    response = dialogue.answer.response() if read else None
    for call, name, args in read:
        arguments = compact(args)
        if response is None:
            dialogue.answer.discard(StreamKind.TOOL_CALL, len(arguments))
        else:
            _deliver_call(dialogue, response, call.text_or("id") or None, name, args)
        for key in call.data:
            if key not in ("id", "name", "args") and key in call:
                dialogue.composer.emit(
                    ev.Unmapped, type=f"toolCall.functionCalls[].{key}", data=call.data[key]
                )
    if response is not None:
        dialogue.answer.called(response)


def _read_call(call: Wire) -> tuple[Wire, str, dict[str, Any]]:
    call = spelled(call)
    call.text_or("id")
    args = call.obj_or("args")
    return call, call.text("name"), {} if args is None else args.data


def _deliver_call(
    dialogue: Dialogue, response: Response, call_id: str | None, name: str, args: dict[str, Any]
) -> None:
    dialogue.composer.tool_call(
        response,
        dialogue.composer.mint("item"),
        call_id=call_id,
        name=name,
        arguments=compact(args),
        args=args,
        blocking=dialogue.waits_for(name),
    )


def compact(value: Any) -> str:
    """JSON text without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


# Words about what was said.


def output_transcription(dialogue: Dialogue, wire: Wire) -> None:
    """Deliver a piece of the transcript of the model's speech."""
    wire = spelled(wire)
    text, finished = wire.text_or("text") or "", wire.flag("finished")
    fields = transcription_fields(wire)
    kind = StreamKind.TRANSCRIPT
    if text:
        response = dialogue.answer.response()
        if response is None:
            dialogue.answer.discard(kind, len(text))
            return
        item_id = dialogue.answer.message(kind)
        entry = dialogue.composer.text(response, kind, item_id, 0, text, **fields)
        if dialogue.answer.speaking is not None:
            dialogue.answer.speaking.words = entry
    if not (finished and dialogue.answer.transcribed()) and not text:
        dialogue.composer.noted("serverContent.outputTranscription", "no text")


def transcription_fields(wire: Wire) -> dict[str, Any]:
    """What a ``Transcription`` says beside its text, as fields of ``TranscriptDelta``."""
    if wire.data.keys() <= _WORDS_ALONE:
        return {}
    words = tuple(
        Word(
            text=word.text_or("word") or "",
            start_ms=milliseconds(word, "startOffset"),
            end_ms=milliseconds(word, "endOffset"),
        )
        for word in map(spelled, wire.objs("words"))
    )
    fields = {
        "words": words,
        "language": wire.text_or("languageCode"),
        "speaker": wire.text_or("speakerLabel"),
        "start_ms": milliseconds(wire, "startOffset"),
        "end_ms": milliseconds(wire, "endOffset"),
    }
    return {name: value for name, value in fields.items() if value is not None and value != ()}


def citations(dialogue: Dialogue, key: str, sources: Mapping[str, Any]) -> None:
    """Deliver sources; what no response is there for is told as it is."""
    composer, answer = dialogue.composer, dialogue.answer
    if not sources:
        composer.noted(f"serverContent.{key}", "no sources")
        return
    if composer.active is None and not composer.turn_is_open:
        composer.emit(ev.Unmapped, type=f"serverContent.{key}", data=sources)
        return
    response = answer.response()
    if response is None:
        answer.discard(StreamKind.CITATIONS, 0)
    else:
        composer.citations(response, answer.message(StreamKind.CITATIONS), 0, sources)


_DURATION = re.compile(r"(-?\d{1,12}(?:\.\d{1,9})?)s")


def milliseconds(wire: Wire, key: str) -> float | None:
    """
    A protobuf ``Duration`` such as ``1.5s``, in ms; ``None`` where it is absent.

    Raises:
        WireError: It is something else.
    """
    text = wire.text_or(key)
    if text is None:
        return None
    match = _DURATION.fullmatch(text)
    if match is None:
        raise WireError(f"{wire.path}.{key}", f"{text!r}, expected a duration such as '1.5s'")
    return float(match[1]) * 1000


PARTS: Mapping[str, Row[Wire]] = {
    "text": Row(_text, (ev.TextDelta, ev.ThoughtDelta)),
    "inlineData": Row(_inline_data, (ev.AudioDelta, ev.ImageDelta)),
    "executableCode": Row(_executable_code, (ev.ServerToolDelta,)),
    "codeExecutionResult": Row(_code_execution_result, (ev.ServerToolResult,)),
    "toolCall": Row(_tool_call, (ev.ServerToolDelta,)),
    "toolResponse": Row(_tool_response, (ev.ServerToolResult,)),
    "functionCall": Row(_function_call, (ev.ToolCall,)),
}
"The kinds with a canonical meaning, of the 20 of ``google.genai.types.Part`` (3.4.0, 2026-11)."
