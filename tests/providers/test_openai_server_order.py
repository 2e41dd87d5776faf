"""OpenAI's server side: what it says of a response, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

import unirt.events as ev
from tests.providers.openai_server_wire import (
    CALL,
    CALLED,
    CAPTION,
    DONE,
    SECOND,
    SPOKEN,
    STARTED,
    VOICE,
    Strict,
    Wire,
    say,
    stream,
    types,
)
from unirt import PCM16_24K
from unirt.events import Ending, StreamKind
from unirt.items import Item, Role, TextContent
from unirt.usage import Tokens, Usage

SPOKEN_ENDS = [
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
]
"What is said at the end of a spoken answer, in its order."


@pytest.fixture
def wire(openai_strict: Strict) -> Wire:
    return Wire(openai_strict)


def test_a_spoken_turn_is_said_in_the_recorded_order(wire: Wire) -> None:
    wire.configure(audio={"input": {"transcription": {"model": "m"}}})
    words = ev.Stream(id="w", kind=StreamKind.TRANSCRIPT, role="user", item_id="item_u")
    usage = Usage(input=Tokens(text=14, audio=27), output=Tokens(audio=100, text=20))
    frames = wire.say(
        say(ev.SpeechStarted, audio_ms=1460.0, item_id="item_u"),
        say(ev.SpeechStopped, audio_ms=4256.0, item_id="item_u"),
        say(ev.InputCommitted, item_id="item_u"),
        STARTED,
        *SPOKEN,
        say(ev.TranscriptDelta, stream=words, text="Hello"),
        say(ev.StreamClosed, stream=words, text="Hello."),
        say(ev.StreamClosed, stream=VOICE),
        say(ev.StreamClosed, stream=CAPTION, text="Hello"),
        say(ev.GenerationDone, response_id="resp_a"),
        say(ev.ResponseDone, response_id="resp_a", usage=usage),
    )
    assert types(frames) == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        *SPOKEN_ENDS,
    ]
    assert (frames[0]["audio_start_ms"], frames[1]["audio_end_ms"]) == (1460, 4256)
    assert frames[7]["previous_item_id"] == "item_u"
    assert frames[12]["usage"] == {"type": "duration", "seconds": 3}
    response = frames[18]["response"]
    assert (response["status"], response["status_details"]) == ("completed", None)
    assert response["conversation_id"].startswith("conv_")
    assert response["output"] == [frames[17]["item"]]
    assert response["output"][0]["content"] == [{"type": "output_audio", "transcript": "Hello"}]
    assert response["usage"]["total_tokens"] == 161
    [limit] = frames[19]["rate_limits"]
    assert limit["limit"] - limit["remaining"] == 161


def test_a_function_call_is_said_in_the_recorded_order(wire: Wire) -> None:
    frames = wire.say(
        STARTED,
        say(ev.StreamOpened, stream=CALL),
        say(ev.ToolCallDelta, stream=CALL, text='{"city":'),
        CALLED,
        say(ev.StreamClosed, stream=CALL),
        DONE,
    )
    assert types(frames) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert frames[3]["delta"] + frames[4]["delta"] == frames[5]["arguments"] == '{"city":"Oslo"}'
    assert (frames[5]["name"], frames[5]["call_id"]) == ("get_weather", "call_a")
    assert frames[7]["item"]["status"] == "completed"


@pytest.mark.parametrize(
    ("result", "status", "output", "error"),
    [
        ({"output": "42"}, "completed", "42", None),
        (
            {"error": "down"},
            "failed",
            None,
            {"type": "tool_execution_error", "message": "down"},
        ),
    ],
)
def test_a_tool_that_the_server_runs_is_said_with_its_result(
    wire: Wire, result: dict[str, str], status: str, output: str | None, error: Any
) -> None:
    wire.configure(
        tools=[{"type": "mcp", "server_label": "docs", "server_url": "https://example.org"}]
    )
    search = stream(StreamKind.SERVER_TOOL, "item_s", name="search")
    frames = wire.say(
        STARTED,
        say(ev.StreamOpened, stream=search),
        say(ev.ServerToolDelta, stream=search, text='{"q":1}'),
        say(ev.ServerToolResult, stream=search, **result),
        say(ev.StreamClosed, stream=search),
    )
    assert types(frames)[1:] == [
        "response.output_item.added",
        "conversation.item.added",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.in_progress",
        f"response.mcp_call.{status}",
        "conversation.item.done",
        "response.output_item.done",
    ]
    item = frames[-1]["item"]
    assert (item["server_label"], item["name"], item["arguments"]) == ("docs", "search", '{"q":1}')
    assert (item["output"], item["error"]) == (output, error)


def test_the_tools_of_an_mcp_server_are_read_once(wire: Wire) -> None:
    docs = {
        "type": "mcp",
        "server_label": "docs",
        "server_url": "https://example.org",
        "allowed_tools": ["search"],
    }
    frames = wire.hear(type="session.update", session={"type": "realtime", "tools": [docs]})
    assert types(frames) == [
        "session.updated",
        "conversation.item.added",
        "mcp_list_tools.in_progress",
        "conversation.item.done",
        "mcp_list_tools.completed",
    ]
    item = frames[3]["item"]
    assert (item["server_label"], [tool["name"] for tool in item["tools"]]) == ("docs", ["search"])
    again = wire.hear(type="session.update", session={"type": "realtime", "tools": [docs]})
    assert types(again) == ["session.updated"]
    gone = {**docs, "server_url": "https://nowhere.invalid"}
    frames = wire.hear(type="session.update", session={"type": "realtime", "tools": [gone]})
    assert types(frames)[1:] == [
        "conversation.item.added",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.failed",
    ]


def test_a_call_that_was_asked_for_names_the_request(wire: Wire) -> None:
    search = stream(StreamKind.SERVER_TOOL, "item_s", name="search")
    frames = wire.say(
        STARTED,
        say(ev.ApprovalRequested, approval_id="mcpr_1", name="search", response_id="resp_a"),
        say(ev.StreamOpened, stream=search),
    )
    asked, call = frames[1]["item"], frames[-1]["item"]
    assert (asked["type"], asked["id"]) == ("mcp_approval_request", "mcpr_1")
    assert (call["type"], call["approval_request_id"]) == ("mcp_call", "mcpr_1")


def test_a_barge_in_closes_what_is_open_as_incomplete(wire: Wire) -> None:
    frames = wire.say(
        STARTED,
        *SPOKEN,
        say(ev.SpeechStarted, audio_ms=900.0, item_id="item_u"),
        say(ev.StreamClosed, stream=VOICE, ending=Ending.INTERRUPTED),
        say(ev.StreamClosed, stream=CAPTION, ending=Ending.INTERRUPTED),
        say(ev.Interrupted, response_id="resp_a"),
        say(ev.ResponseDone, response_id="resp_a", ending=Ending.INTERRUPTED, reason="speech"),
    )
    assert types(frames)[6:] == [
        "input_audio_buffer.speech_started",
        *SPOKEN_ENDS,
    ]
    assert frames[11]["item"]["status"] == "incomplete"
    response = frames[12]["response"]
    assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}


@pytest.mark.parametrize(
    ("ending", "reason", "status", "details"),
    [
        (
            Ending.CANCELLED,
            "client",
            "cancelled",
            {"type": "cancelled", "reason": "client_cancelled"},
        ),
        (
            Ending.INTERRUPTED,
            "client",
            "cancelled",
            {"type": "cancelled", "reason": "client_cancelled"},
        ),
        (
            Ending.INCOMPLETE,
            "max_output_tokens",
            "incomplete",
            {"type": "incomplete", "reason": "max_output_tokens"},
        ),
        (
            Ending.FAILED,
            "rate_limited",
            "failed",
            {
                "type": "failed",
                "error": {
                    "type": "rate_limit_exceeded",
                    "code": "rate_limit_exceeded",
                    "message": "Slow down.",
                },
            },
        ),
    ],
)
def test_how_a_response_ended_is_said(
    wire: Wire, ending: Ending, reason: str, status: str, details: dict[str, Any]
) -> None:
    done = say(
        ev.ResponseDone, response_id="resp_a", ending=ending, reason=reason, detail="Slow down."
    )
    response = wire.say(STARTED, *SPOKEN, done)[-2]["response"]
    assert (response["status"], response["status_details"]) == (status, details)
    assert response["output"][0]["status"] == "incomplete"


def test_a_call_that_is_cut_keeps_its_partial_arguments_and_is_incomplete(wire: Wire) -> None:
    frames = wire.say(
        STARTED,
        say(ev.ToolCallDelta, stream=CALL, text='{"ci'),
        say(ev.ResponseDone, response_id="resp_a", ending=Ending.INTERRUPTED),
    )
    done = frames[types(frames).index("response.output_item.done")]
    assert (done["item"]["status"], done["item"]["arguments"]) == ("incomplete", '{"ci')


def test_items_interleave_and_parts_of_one_item_have_places_of_their_own(wire: Wire) -> None:
    text = stream(StreamKind.TEXT)  # the same item and index as the voice
    frames = wire.say(
        STARTED,
        say(ev.TextDelta, stream=text, text="Let me see."),
        say(ev.AudioDelta, stream=VOICE, data=SECOND, format=PCM16_24K),
        CALLED,
        say(ev.StreamClosed, stream=text, text="Let me see."),
        DONE,
    )
    places = {
        (frame["type"], frame["output_index"], frame.get("content_index"))
        for frame in frames
        if frame["type"].endswith((".delta", "text.done"))
    }
    assert places == {
        ("response.output_text.delta", 0, 0),
        ("response.output_audio.delta", 0, 1),
        ("response.function_call_arguments.delta", 1, None),
        ("response.output_text.done", 0, 0),
    }
    [message, call] = frames[-2]["response"]["output"]
    assert [part["type"] for part in message["content"]] == ["output_text", "output_audio"]
    assert call["type"] == "function_call"


def test_outside_the_conversation_no_item_enters_it(wire: Wire) -> None:
    frames = wire.say(
        say(ev.ResponseStarted, response_id="resp_a", in_conversation=False), *SPOKEN, DONE
    )
    assert not [type_ for type_ in types(frames) if type_.startswith("conversation.item")]
    assert frames[0]["response"]["conversation_id"] is None


def test_an_empty_response_is_said(wire: Wire) -> None:
    assert types(wire.say(STARTED, DONE)) == [
        "response.created",
        "response.done",
        "rate_limits.updated",
    ]


def test_a_finished_response_says_nothing_more(wire: Wire) -> None:
    wire.say(STARTED, DONE)
    assert wire.say(*SPOKEN, DONE) == []


def test_items_that_events_tell_of_are_said_once(wire: Wire) -> None:
    item = Item(id="item_a", role=Role.ASSISTANT, status="in_progress")
    final = Item(
        id="item_a", role=Role.ASSISTANT, status="completed", content=(TextContent(text="Hi"),)
    )
    text = stream(StreamKind.TEXT)
    ids: dict[str, Any] = {"response_id": "resp_a", "item_id": "item_a"}
    frames = wire.say(
        STARTED,
        say(ev.OutputItemAdded, item=item, **ids),
        say(ev.ItemAdded, item=item, **ids),
        say(ev.StreamOpened, stream=text),
        say(ev.TextDelta, stream=text, text="Hi"),
        say(ev.StreamClosed, stream=text, text="Hi"),
        say(ev.ItemDone, item=final, **ids),
        say(ev.OutputItemDone, item=final, **ids),
        DONE,
    )
    assert types(frames) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]


def test_hanging_up_is_wanted_once_the_session_was_closed(wire: Wire) -> None:
    assert wire.server.close_wanted() is None
    wire.say(say(ev.SessionClosed, code=1001, reason="Your session hit the maximum duration."))
    assert wire.server.close_wanted() == (1001, "Your session hit the maximum duration.")
