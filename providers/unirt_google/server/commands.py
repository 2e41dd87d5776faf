"""
What a client may say after its setup: one row a message kind.

A handler returns the canonical commands of a message; several where one message says several
things. Where the service would close the connection it raises
:class:`~unirt_google.server.state.HangUp`, before anything was heard.

``clientContent`` is the hard one: the same message adds history, speaks, asks for an answer, and
stops the model. Read in this order: while announced history is being given, all of it is history.
Without turns it asks for an answer, or (``turnComplete`` false) interrupts and waits. Else the last
turn is what the user says now, if it is the user's, and the turns before it are history.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from unirt.audio import AudioFormat
from unirt.commands import (
    AppendAudio,
    CancelResponse,
    Command,
    CommitInput,
    EndTurn,
    Respond,
    Scheduling,
    SeedHistory,
    SendImage,
    SendText,
    SendToolResult,
    StartTurn,
    UpdateSession,
)
from unirt.config import Manual, ProviderTool, SessionConfig, Tool
from unirt.items import AudioContent, Content, ImageContent, Item, ItemKind, Role, TextContent
from unirt.wire import WireError, decode_audio
from unirt_google.server.checks import ANY, BOOL, TEXT, Spec, check, invalid
from unirt_google.server.setup import CONTENT, TOOLS, read_instructions, read_tools
from unirt_google.server.state import HangUp, PendingCall, ServerState

__all__ = ["Listener"]

_NOT_FOUND = 1008
_NOT_SUPPORTED = 1008
_BLOB: Spec = {"data": TEXT, "mimeType": TEXT, "displayName": TEXT}

MESSAGES: Mapping[str, Spec] = {
    "clientContent": {"turns": [CONTENT], "turnComplete": BOOL},
    "realtimeInput": {
        "audio": _BLOB,
        "video": _BLOB,
        "mediaChunks": [_BLOB],
        "text": TEXT,
        "audioStreamEnd": BOOL,
        "activityStart": {},
        "activityEnd": {},
    },
    "toolResponse": {
        "functionResponses": [
            {
                "id": TEXT,
                "name": TEXT,
                "response": ANY,
                "scheduling": frozenset(
                    {"SCHEDULING_UNSPECIFIED", "SILENT", "WHEN_IDLE", "INTERRUPT"}
                ),
                "willContinue": BOOL,
                "parts": ANY,
            }
        ]
    },
    "contextUpdate": {"systemInstruction": CONTENT, "tools": {"tools": TOOLS}},
}
"The fields of each kind (google.genai.types.LiveClientMessage, 3.4.0, 2026-11)."


class Listener:
    """Hears one connection's client, once it has set up its session."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._rows: Mapping[str, Callable[[Mapping[str, Any]], list[Command]]] = {
            "clientContent": self._client_content,
            "realtimeInput": self._realtime_input,
            "toolResponse": self._tool_response,
            "contextUpdate": self._context_update,
        }

    def hear(self, kind: str, body: Any) -> list[Command]:
        """
        What a message means.

        Raises:
            HangUp: The service would close the connection.
        """
        if kind not in self._rows:
            raise invalid(
                f'Invalid JSON payload received. Unknown name "{kind}": Cannot find field.'
            )
        check(body, MESSAGES[kind], kind)
        try:
            return self._rows[kind](body)
        except WireError as exc:
            raise invalid(f"Invalid value at '{exc.path}': {exc.what}") from None

    # Turns in writing.

    def _client_content(self, body: Mapping[str, Any]) -> list[Command]:
        turns, complete = body.get("turns") or [], bool(body.get("turnComplete"))
        for turn in turns:
            self._check_role(turn.get("role"))
        if self._state.seeding:
            self._state.seeding = not complete
            items = _history(turns)
            return [SeedHistory(items=items)] if items else []
        if not turns:
            return [Respond() if complete else CancelResponse()]
        instructions = "".join(read_instructions(t) for t in turns if t.get("role") == "system")
        turns = [turn for turn in turns if turn.get("role") != "system"]
        commands: list[Command] = []
        if instructions:
            changes = SessionConfig(instructions=instructions)
            self._state.config = self._state.config.merged(changes)
            commands.append(UpdateSession(changes=changes))
        return commands + _conversation(turns, complete)

    def _check_role(self, role: str | None) -> None:
        """Roles are wanted since 3.1; only Vertex AI takes instructions as a turn."""
        allowed = {"user", "model"}
        if self._state.vertex:
            allowed.add("system")
        if role not in allowed and (role or not self._state.family.name.startswith("2")):
            raise invalid()

    # Streaming input.

    def _realtime_input(self, body: Mapping[str, Any]) -> list[Command]:
        commands: list[Command] = []
        if self._state.deaf:
            self._refuse_activity(body)
        if "activityStart" in body:
            self._check_manual()
            commands.append(StartTurn())
        media = [body[key] for key in ("audio", "video") if key in body]
        commands += [self._media(blob) for blob in (*media, *body.get("mediaChunks", ()))]
        if "text" in body:
            commands.append(SendText(text=body["text"]))
        if body.get("audioStreamEnd") and self._state.family.stream_end:
            commands.append(CommitInput())
        if "activityEnd" in body:
            self._check_manual()
            commands.append(EndTurn())
        return commands

    @staticmethod
    def _refuse_activity(body: Mapping[str, Any]) -> None:
        if body.keys() & {"activityStart", "activityEnd", "audioStreamEnd"}:
            raise _deaf()

    def _check_manual(self) -> None:
        if not isinstance(self._state.config.turn_detection, Manual):
            raise invalid(
                "Explicit activity control is not supported when automatic activity detection is "
                "enabled."
            )

    def _media(self, blob: Mapping[str, Any]) -> Command:
        data = decode_audio(blob.get("data") or "", "realtimeInput.data")
        mime_type = blob.get("mimeType") or ""
        if not mime_type.startswith("audio/"):
            return SendImage(data=data, mime_type=mime_type or "image/jpeg", respond=False)
        format = _audio_format(mime_type)
        if format != self._state.config.input_format:
            self._state.config = attrs.evolve(self._state.config, input_format=format)
        if self._state.deaf and self._state.hears_too_much(format.duration_ms(len(data))):
            raise _deaf()
        return AppendAudio(data=data)

    # Tools.

    def _tool_response(self, body: Mapping[str, Any]) -> list[Command]:
        answers = [
            (self._call(response), response) for response in body.get("functionResponses") or ()
        ]
        commands: list[Command] = []
        for call, response in answers:
            if not call.settled:
                call.settled = not response.get("willContinue", False)
                commands.append(_result(call.id, response))
        if commands and not self._state.waits_for_tools:
            self._state.on_answered()
        return commands

    def _call(self, response: Mapping[str, Any]) -> PendingCall:
        """The call that is answered, by its id, or by its name where there is no id."""
        if "scheduling" in response and not self._state.family.scheduling:
            raise invalid("Function response scheduling is not supported for this model.")
        calls = self._state.calls
        if "id" in response:
            call = calls.get(response["id"])
        else:
            named = [c for c in calls.values() if c.name == response.get("name")]
            call = next((c for c in named if not c.settled), named[-1] if named else None)
        if call is None:
            raise HangUp(_NOT_FOUND, "Requested entity was not found.")
        return call

    # Settings.

    def _context_update(self, body: Mapping[str, Any]) -> list[Command]:
        instruction, tools = body.get("systemInstruction"), body.get("tools")
        changes = SessionConfig(
            instructions=None if instruction is None else read_instructions(instruction),
            tools=None if tools is None else self._tools(tools),
        )
        self._state.config = self._state.config.merged(changes)
        return [UpdateSession(changes=changes)]

    def _tools(self, content: Mapping[str, Any]) -> tuple[Tool | ProviderTool, ...]:
        return read_tools(content.get("tools") or [], waits=self._state.waits_unless_told)


def _deaf() -> HangUp:
    """
    What is answered to audio and activity signals by models that wait for a tool and take none.

    https://discuss.ai.google.dev/t/114644, post 56, 2026-11.
    """
    return HangUp(_NOT_SUPPORTED, "Operation is not implemented, or supported, or enabled.")


def _audio_format(mime_type: str) -> AudioFormat:
    """What ``audio/pcm;rate=16000`` says; 16 kHz where it says nothing."""
    parameters = mime_type.replace(" ", "").lower().split(";")[1:]
    rate = dict(p.partition("=")[::2] for p in parameters).get("rate", "16000")
    if not rate.isascii() or not rate.isdigit() or not 1_000 <= int(rate[:7]) <= 384_000:
        raise invalid(f"Invalid value at 'realtimeInput.audio.mimeType': \"{mime_type}\"")
    return AudioFormat(rate=int(rate[:7]))


def _conversation(turns: list[Mapping[str, Any]], complete: bool) -> list[Command]:
    """History, and what the user says now."""
    now: list[Command] = []
    if turns and turns[-1].get("role") != "model":
        now = _spoken(turns[-1], complete)
        if now and (complete or len(turns) == 1):
            turns = turns[:-1]
        else:
            now = []
    history = _history(turns)
    commands: list[Command] = [SeedHistory(items=history)] if history else []
    if complete and not now:
        now = [Respond()]
    return commands + now


def _spoken(turn: Mapping[str, Any], complete: bool) -> list[Command]:
    """A user's turn as verbs; nothing where it holds what only history can say."""
    contents = _contents(turn)
    pictures = [part for part in contents if isinstance(part, ImageContent)]
    words = [part.text for part in contents if isinstance(part, TextContent)]
    if len(pictures) + len(words) != len(turn.get("parts") or ()):
        return []
    commands: list[Command] = [
        SendImage(data=part.data or b"", mime_type=part.mime_type, respond=False)
        for part in pictures
    ]
    if words:
        commands.append(SendText(text="".join(words), respond=complete))
    elif commands and isinstance(last := commands[-1], SendImage):
        commands[-1] = attrs.evolve(last, respond=complete)
    return commands


def _history(turns: list[Mapping[str, Any]]) -> tuple[Item, ...]:
    items: list[Item] = []
    for turn in turns:
        role = Role.ASSISTANT if turn.get("role") == "model" else Role.USER
        if contents := _contents(turn):
            items.append(Item(role=role, content=tuple(contents), status="completed"))
        items += [item for part in turn.get("parts") or () for item in _tool_items(part)]
    return tuple(items)


def _contents(turn: Mapping[str, Any]) -> list[Content]:
    contents: list[Content] = []
    for part in turn.get("parts") or ():
        if "text" in part:
            contents.append(TextContent(text=part["text"]))
        elif "inlineData" in part:
            blob = part["inlineData"]
            data = decode_audio(blob.get("data") or "", "clientContent.turns.parts.inlineData.data")
            mime_type = blob.get("mimeType") or ""
            if mime_type.startswith("audio/"):
                contents.append(AudioContent(data=data, format=_audio_format(mime_type)))
            else:
                contents.append(ImageContent(data=data, mime_type=mime_type or "image/jpeg"))
    return contents


def _tool_items(part: Mapping[str, Any]) -> list[Item]:
    call, result = part.get("functionCall"), part.get("functionResponse")
    items = []
    if call is not None:
        arguments = _json(call.get("args") or {})
        items.append(
            Item(
                kind=ItemKind.TOOL_CALL,
                call_id=call.get("id"),
                name=call.get("name"),
                arguments=arguments,
            )
        )
    if result is not None:
        output = _json(result.get("response") or {})
        items.append(
            Item(
                kind=ItemKind.TOOL_RESULT,
                call_id=result.get("id"),
                name=result.get("name"),
                output=output,
            )
        )
    return items


def _result(call_id: str, response: Mapping[str, Any]) -> SendToolResult:
    """
    The result of a call.

    By the SDK's own words ``output`` holds it and ``error`` a failure; without either the whole
    object is the output (google.genai.types.FunctionResponse.response, 3.4.0, 2026-11).
    """
    body = response.get("response")
    output, error = body, None
    if isinstance(body, dict) and list(body) == ["output"]:
        output = body["output"]
    elif isinstance(body, dict) and list(body) == ["error"]:
        output, error = None, body["error"]
        error = error if isinstance(error, str) else _json(error)
    scheduling = response.get("scheduling", "SCHEDULING_UNSPECIFIED").lower()
    return SendToolResult(
        call_id=call_id,
        output=output,
        error=error,
        scheduling=Scheduling(scheduling) if scheduling in set(Scheduling) else None,
        more_follows=bool(response.get("willContinue")),
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
