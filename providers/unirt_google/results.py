"""
Tool results on their way to the model.

A call is answered once, by the id that the server gave it. An id that we made up, because the
server gave none, never reaches the wire: there the name has to do. A result for a call that was
cancelled is dropped with a notice, because the server closes the connection on ids that it does not
know (1008, "Requested entity was not found").
"""

from __future__ import annotations

import json
from typing import Any

from unirt.commands import Scheduling, SendToolResult
from unirt.composer import Call
from unirt.errors import UnsupportedCommand, UsageError
from unirt_google.dialogue import Dialogue
from unirt_google.facts import PROVIDER_NAME

__all__ = ["give_up", "send_tool_result"]

_WENT_ON = "cancelled: the user went on"
"What the model is told of a call that was given up."

_SCHEDULING = {
    Scheduling.INTERRUPT: "INTERRUPT",
    Scheduling.WHEN_IDLE: "WHEN_IDLE",
    Scheduling.SILENT: "SILENT",
}
"``google.genai.types.FunctionResponseScheduling`` (3.4.0, 2026-11)."


def send_tool_result(dialogue: Dialogue, command: SendToolResult) -> None:
    """
    Queue a result.

    Raises:
        UsageError: No such call is open, or the result is not JSON.
        UnsupportedCommand: The model cannot do what the result asks of it.
    """
    composer = dialogue.composer
    call = composer.calls.get(command.call_id)
    if call is None:
        raise _misused(f"there is no call {command.call_id!r}", "name a call by ToolCall.call_id")
    if call.cancelled:
        composer.noted("SendToolResult", f"the call {call.id!r} was cancelled; nothing was sent")
        return
    if call.answered:
        raise _misused(f"the call {call.id!r} was answered already", "answer a call once")
    response: dict[str, Any] = {"name": call.name, "response": _body(command)}
    if call.wire_id is not None:
        response["id"] = call.wire_id
    asked = command.scheduling or dialogue.scheduling(call.name)
    scheduling = asked if command.respond else Scheduling.SILENT
    if scheduling is not None:
        _require_scheduling(dialogue, call, "scheduling" if command.respond else "respond")
        response["scheduling"] = _SCHEDULING[scheduling]
    if command.more_follows:
        _require_scheduling(dialogue, call, "more_follows")
        response["willContinue"] = True
    try:
        frame = json.dumps(
            {"toolResponse": {"functionResponses": [response]}},
            ensure_ascii=False,
            separators=(",", ":"),
        )
    except (TypeError, ValueError) as exc:
        raise _misused(f"the output is not JSON: {exc}", "send what json.dumps() takes") from None
    dialogue.frames.append(frame)
    call.answered = not command.more_follows
    if scheduling is not Scheduling.SILENT:
        dialogue.answer.continues()


def give_up(dialogue: Dialogue, calls: list[Call]) -> None:
    """
    Queue answers of calls that nobody waits for any more, because the user went on.

    A model that waits is not to be left waiting, and would not hear what the user says.
    """
    responses = []
    for call in calls:
        response: dict[str, Any] = {"name": call.name, "response": {"error": _WENT_ON}}
        if call.wire_id is not None:
            response["id"] = call.wire_id
        responses.append(response)
    dialogue.frames.append(
        json.dumps({"toolResponse": {"functionResponses": responses}}, separators=(",", ":"))
    )
    dialogue.composer.cancel_calls([call.id for call in calls], synthesised=True)


def _body(command: SendToolResult) -> dict[str, Any]:
    """``output`` and ``error`` are the keys that the model knows (ai.google.dev/api/live)."""
    if command.error is not None:
        return {"error": command.error}
    return {"output": command.output}


def _require_scheduling(dialogue: Dialogue, call: Call, argument: str) -> None:
    """
    Refuse what would be ignored, or would close the connection.

    Scheduling is for calls that the model does not wait for, on models that know it, and not on
    Vertex AI (ai.google.dev/gemini-api/docs/live-api/tools, 2026-11).
    """
    if dialogue.vertex or not dialogue.family.scheduling:
        why = "this model decides by itself when it speaks of a result"
    elif call.blocking:
        why = "the model waits for this tool, so it speaks of the result at once"
    else:
        return
    raise UnsupportedCommand(
        f"SendToolResult({argument}=)",
        provider=PROVIDER_NAME,
        why=why,
        remedy=f"leave {argument} out; or declare the tool with blocking=False on a model that "
        "takes it",
    )


def _misused(what: str, remedy: str) -> UsageError:
    return UsageError(what, where="SendToolResult", remedy=remedy)
