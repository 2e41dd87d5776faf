"""Results of tools: the frame that each becomes, and what is refused of one."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai.types import FunctionResponse, LiveClientMessage

from tests.providers.google_sending import OLD, VERTEX, frames, opened
from unirt import Scheduling, SendToolResult, SessionConfig, Tool, UsageError
from unirt_google.translator import GoogleTranslator


def called(
    config: SessionConfig | None = None, call_id: str | None = "c"
) -> tuple[GoogleTranslator, str]:
    """A translator whose model has called a tool ``f``, and the call's canonical id."""
    translator = opened(config or SessionConfig(model=OLD))
    call = {"name": "f"} if call_id is None else {"name": "f", "id": call_id}
    translator.receive({"toolCall": {"functionCalls": [call]}}, 0.0)
    ids = [getattr(event, "call_id", None) for event in translator.events_received()]
    return translator, next(id_ for id_ in ids if id_)


def result(**fields: Any) -> dict[str, Any]:
    return {"toolResponse": {"functionResponses": [{"name": "f", **fields}]}}


NON_BLOCKING = SessionConfig(tools=(Tool(name="f", blocking=False),))


@pytest.mark.parametrize(
    ("config", "fields", "expected"),
    [
        (None, {"output": "ok"}, {"response": {"output": "ok"}}),
        (None, {"output": {"t": 12}}, {"response": {"output": {"t": 12}}}),
        (None, {}, {"response": {"output": None}}),
        (None, {"error": "no"}, {"response": {"error": "no"}}),
        (
            NON_BLOCKING,
            {"output": 1, "scheduling": Scheduling.WHEN_IDLE},
            {"response": {"output": 1}, "scheduling": "WHEN_IDLE"},
        ),
        (
            SessionConfig(tools=(Tool(name="f", scheduling=Scheduling.WHEN_IDLE),)),
            {"output": 1},
            {"response": {"output": 1}, "scheduling": "WHEN_IDLE"},
        ),
        (
            SessionConfig(tools=(Tool(name="f", scheduling=Scheduling.WHEN_IDLE),)),
            {"output": 1, "scheduling": Scheduling.INTERRUPT},
            {"response": {"output": 1}, "scheduling": "INTERRUPT"},
        ),
        (
            NON_BLOCKING,
            {"output": 1, "respond": False},
            {"response": {"output": 1}, "scheduling": "SILENT"},
        ),
        (
            NON_BLOCKING,
            {"output": 1, "more_follows": True},
            {"response": {"output": 1}, "willContinue": True},
        ),
    ],
    ids=[
        "text",
        "object",
        "nothing",
        "error",
        "scheduled",
        "scheduled by the tool",
        "scheduled against the tool",
        "silent",
        "in pieces",
    ],
)
def test_a_result_goes_to_its_call(
    config: SessionConfig | None, fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    translator, call_id = called(config)
    sent = frames(translator, SendToolResult(call_id=call_id, **fields))
    assert sent == [result(id="c", **expected)]
    LiveClientMessage.model_validate(sent[0])


def test_every_field_of_a_function_response_is_sent_or_left_for_a_reason() -> None:
    names = {field.alias or name for name, field in FunctionResponse.model_fields.items()}
    # `parts` would carry media, which a canonical result does not; `send_raw` reaches it.
    assert names - {"parts"} == {"id", "name", "response", "scheduling", "willContinue"}


def test_an_id_that_was_made_up_never_reaches_the_wire() -> None:
    """Field 9: a call without an id has one here, and is answered by its name."""
    translator, call_id = called(call_id=None)
    assert frames(translator, SendToolResult(call_id=call_id, output=1)) == [
        result(response={"output": 1})
    ]


def test_a_result_in_pieces_is_over_with_its_last() -> None:
    translator, call_id = called(NON_BLOCKING)
    translator.send(SendToolResult(call_id=call_id, output=1, more_follows=True), 0.0)
    translator.send(SendToolResult(call_id=call_id, output=2), 0.0)
    with pytest.raises(UsageError, match="answered already"):
        translator.send(SendToolResult(call_id=call_id, output=3), 0.0)


@pytest.mark.parametrize(
    ("config", "fields", "match"),
    [
        (None, {"call_id": "other"}, "no call 'other'"),
        (None, {"output": object()}, "not JSON"),
        (None, {"scheduling": Scheduling.SILENT}, "waits for this tool"),
        (None, {"respond": False}, "respond"),
        (None, {"more_follows": True}, "more_follows"),
        (SessionConfig(model="gemini-3.8-live-extended-thinking"), {"respond": False}, "decides"),
        (SessionConfig(model=VERTEX), {"scheduling": Scheduling.INTERRUPT}, "decides by itself"),
    ],
)
def test_a_result_that_cannot_work_is_refused(
    config: SessionConfig | None, fields: dict[str, Any], match: str
) -> None:
    translator, call_id = called(config)
    with pytest.raises(UsageError, match=match):
        translator.send(SendToolResult(**{"call_id": call_id, **fields}), 0.0)
    assert translator.frames_to_send() == []
    translator.send(SendToolResult(call_id=call_id, output="still open"), 0.0)
