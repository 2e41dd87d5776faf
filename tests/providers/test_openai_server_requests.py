"""OpenAI's server side: the responses that it is asked for, and what it is asked in vain."""

from __future__ import annotations

from typing import Any

import pytest

import unirt.events as ev
from tests.providers.openai_server_wire import DONE, STARTED, Strict, Wire, say, user_text
from unirt.commands import CancelResponse, Respond
from unirt.config import Tool
from unirt.items import Item, Role, TextContent


@pytest.fixture
def wire(openai_strict: Strict) -> Wire:
    return Wire(openai_strict)


def test_a_response_is_asked_for_with_everything_the_request_says(wire: Wire) -> None:
    request = {
        "instructions": "Briefly.",
        "output_modalities": ["text"],
        "tools": [{"type": "function", "name": "f"}],
        "tool_choice": "required",
        "audio": {"output": {"voice": "cedar"}},
        "max_output_tokens": 50,
        "metadata": {"k": "v"},
        "conversation": "none",
        "input": [user_text("Hi")],
        "reasoning": {"effort": "low"},
    }
    command = wire.command(type="response.create", response=request)
    assert command == Respond(
        instructions="Briefly.",
        modalities=("text",),
        tools=(Tool(name="f"),),
        tool_choice="required",
        voice="cedar",
        max_output_tokens=50,
        metadata={"k": "v"},
        in_conversation=False,
        input=(Item(role=Role.USER, content=(TextContent(text="Hi"),)),),
        provider_options={"reasoning": {"effort": "low"}},
    )
    [created] = wire.say(say(ev.ResponseStarted, response_id="resp_o", in_conversation=False))
    response = created["response"]
    assert (response["conversation_id"], response["metadata"]) == (None, {"k": "v"})
    assert (response["output_modalities"], response["max_output_tokens"]) == (["text"], 50)
    assert response["audio"]["output"]["voice"] == "cedar"


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        ({"temperature": 1}, "response.temperature"),
        ({"conversation": "other"}, "response.conversation"),
        ({"metadata": {"k": 1}}, "response.metadata.k"),
        (5, "response"),
    ],
)
def test_a_bad_request_is_refused_by_its_path(wire: Wire, request_: Any, param: str) -> None:
    assert wire.error(type="response.create", response=request_)["param"] == param


def test_only_one_response_of_the_conversation_runs_at_a_time(wire: Wire) -> None:
    busy = "conversation_already_has_active_response"
    assert wire.command(type="response.create") == Respond()
    assert wire.error(type="response.create")["code"] == busy
    wire.say(STARTED)
    assert wire.error(type="response.create")["code"] == busy
    aside = wire.command(type="response.create", response={"conversation": "none"})
    assert aside == Respond(in_conversation=False)
    wire.say(DONE)
    assert wire.command(type="response.create") == Respond()


def test_what_runs_can_be_cancelled_and_nothing_else(wire: Wire) -> None:
    cancel = {"type": "response.cancel"}
    assert wire.error(**cancel)["code"] == "response_cancel_not_active"
    wire.say(STARTED)
    assert wire.command(**cancel) == CancelResponse()
    assert wire.command(**cancel, response_id="resp_a") == CancelResponse(response_id="resp_a")
    assert wire.error(**cancel, response_id="resp_z")["code"] == "response_cancel_not_active"
    wire.say(DONE)
    assert wire.error(**cancel)["code"] == "response_cancel_not_active"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"type":"session.destroy"}', "invalid_value"),
        ('{"event_id":"e"}', "invalid_event"),
        ('{"type":5}', "invalid_event"),
        ('{"type":"response.create","event_id":5}', "invalid_event"),
        ("[]", "invalid_event"),
        ("{", "invalid_event"),
        (b"\xff", "invalid_event"),
    ],
)
def test_what_is_no_client_event_is_answered_with_an_error(
    wire: Wire, frame: str | bytes, code: str
) -> None:
    wire.server.receive(frame, 0.0)
    [error] = wire.take()
    assert error["error"]["code"] == code
    assert [heard.command for heard in wire.server.heard()] == [None]
