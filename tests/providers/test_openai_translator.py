"""The pump: handshake, timers, closes, and what stays silent offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import unirt_openai.translator
from tests.imported import imported
from unirt import commands as cmd
from unirt import events as ev
from unirt.config import Manual, SessionConfig, Transcription
from unirt.events import StreamKind
from unirt.items import AudioContent, Item, Role, TextContent
from unirt.registry import load
from unirt.testing import check
from unirt_openai.translator import OpenAITranslator

CREATED = {"type": "session.created", "session": {"id": "s1", "model": "m"}}
UPDATED = {"type": "session.updated", "session": {"id": "s1"}}
HISTORY = (Item(role=Role.USER, content=(TextContent(text="Hi"),)),)
WHISPER = {"audio": {"input": {"transcription": {"model": "gpt-realtime-whisper"}}}}
CONFIGURED = {"type": "session.update", "session": {"type": "realtime", **WHISPER}}


def test_the_handshake_waits_for_the_greeting_and_the_acknowledgement(
    openai_fresh_wire: Any,
) -> None:
    wire = openai_fresh_wire(history=HISTORY)
    assert wire.sent() == []
    wire.hear(CREATED)
    assert wire.sent() == [CONFIGURED]
    assert not wire.translator.ready
    wire.hear(UPDATED)
    assert wire.translator.ready
    (seeded,) = wire.sent()
    assert seeded["item"]["content"] == [{"type": "input_text", "text": "Hi"}]


def test_who_joins_a_call_is_not_greeted_and_waits_for_no_greeting() -> None:
    translator = OpenAITranslator(SessionConfig())
    translator.joins_call()
    translator.start(0.0)
    (asked,) = map(json.loads, translator.frames_to_send())
    assert asked["type"] == "session.update"
    translator.receive(json.dumps(UPDATED), 0.0)
    assert translator.ready
    told = translator.events_received()
    check(told)
    (started,) = [event for event in told if isinstance(event, ev.SessionStarted)]
    assert started.synthesised


def test_a_dialect_greets_with_its_conversation(openai_fresh_wire: Any) -> None:
    wire = openai_fresh_wire()
    wire.hear({"type": "conversation.created", "conversation": {"id": "c"}})
    assert wire.sent() == [CONFIGURED]
    wire.hear(CREATED)
    assert wire.sent() == []


def test_where_nobody_greets_the_client_speaks_first(openai_fresh_wire: Any) -> None:
    wire = openai_fresh_wire()
    wire.now = wire.translator.get_timer()
    wire.translator.handle_timer(wire.now - 0.001)
    assert wire.sent() == []
    wire.translator.handle_timer(wire.now)
    assert wire.sent() == [CONFIGURED]
    events = wire.hear(UPDATED)
    assert [type(event) for event in events] == [ev.SessionStarted, ev.SessionUpdated]
    assert events[0].synthesised
    assert wire.translator.ready


def test_an_acknowledgement_of_somebody_elses_update_is_no_handshake(
    openai_fresh_wire: Any,
) -> None:
    wire = openai_fresh_wire()
    wire.hear(UPDATED)
    assert not wire.translator.ready


def test_a_greeting_that_is_malformed_does_not_stop_the_handshake(openai_fresh_wire: Any) -> None:
    wire = openai_fresh_wire()
    wire.hear({"type": "session.created", "session": 5})
    assert wire.sent() == []
    wire.translator.handle_timer(wire.translator.get_timer())
    assert wire.sent() == [CONFIGURED]


def test_an_error_about_the_configuration_leaves_the_session_unready(
    openai_fresh_wire: Any,
) -> None:
    wire = openai_fresh_wire()
    wire.hear(CREATED)
    (event,) = wire.hear({"type": "error", "error": {"code": "invalid_value", "message": "no"}})[
        -1:
    ]
    assert isinstance(event, ev.ProviderError)
    assert not wire.translator.ready


def test_the_configuration_holds_the_defaults_and_the_updates(openai_wire: Any) -> None:
    wire = openai_wire(instructions="a")
    assert wire.translator.config.input_transcription == Transcription(model="gpt-realtime-whisper")
    assert wire.translator.config.model == wire.translator.capabilities.model
    wire.send(cmd.UpdateSession(changes=SessionConfig(turn_detection=Manual())))
    assert wire.translator.config.turn_detection == Manual()
    assert wire.translator.config.instructions == "a"


def test_what_becomes_of_the_history_is_told_when_it_is_seeded(openai_fresh_wire: Any) -> None:
    item = Item(role=Role.ASSISTANT, content=(AudioContent(data=b"\0\0"),))
    wire = openai_fresh_wire(history=(item,))
    seeded = wire.hear(CREATED, UPDATED)[-1]
    assert isinstance(seeded, ev.HistorySeeded)
    assert [note.index for note in seeded.lost] == [0]


def test_the_application_is_warned_a_minute_before_the_cap(openai_fresh_wire: Any) -> None:
    wire = openai_fresh_wire()
    wire.now = 100.0
    wire.hear(CREATED, UPDATED)
    assert wire.translator.get_timer() == 100.0 + 59 * 60
    wire.now = 100.0 + 59 * 60
    wire.translator.handle_timer(wire.now)
    (event,) = wire.events()
    assert isinstance(event, ev.SessionExpiring)
    assert (event.time_left_ms, event.synthesised) == (60_000, True)
    assert wire.translator.get_timer() is None
    wire.hear(UPDATED)
    assert wire.translator.get_timer() is None


@pytest.mark.parametrize(
    ("expires_at", "lasts"),
    [
        (1_800_001_800, 1_800.0),
        (1_800_000_300, 300.0),
        (1_800_003_700, 3_600.0),  # no session lasts longer
        (1_800_000_299, 3_600.0),  # the clock here is wrong
        (1_799_999_000, 3_600.0),
        (0, 3_600.0),
        (None, 3_600.0),
        (10**400, 3_600.0),
    ],
)
def test_the_warning_is_a_minute_before_the_provider_said_that_it_ends(
    expires_at: Any, lasts: float
) -> None:
    translator = OpenAITranslator(SessionConfig())
    translator.counts_from(1_800_000_000.0 - 7.0)
    translator.start(7.0)
    session = {**CREATED["session"], "expires_at": expires_at}  # type: ignore[dict-item]  # a frame
    translator.receive({"type": "session.created", "session": session}, 7.0)
    translator.receive(UPDATED, 8.0)
    assert translator.get_timer() == 7.0 + lasts - 60


@pytest.mark.parametrize(
    ("code", "by", "clean"),
    [
        (1000, "local", True),
        (1000, "remote", True),
        (1005, "local", True),
        (None, "local", True),
        (1001, "remote", False),
        (1011, "local", True),
        (1006, "network", False),
        (None, "network", False),
        (4000, "remote", False),
    ],
)
def test_a_close_ends_everything(openai_wire: Any, code: int | None, by: str, clean: bool) -> None:
    wire = openai_wire()
    wire.hear({"type": "response.created", "response": {"id": "r1"}})
    wire.hear({"type": "response.output_text.delta", "delta": "a", "response_id": "r1"})
    wire.translator.receive_close(code, "why", by, 1.0)
    stream, response, closed = wire.events()
    assert isinstance(stream, ev.StreamClosed)
    assert isinstance(response, ev.ResponseDone)
    assert isinstance(closed, ev.SessionClosed)
    assert (closed.code, closed.reason, closed.by, closed.clean) == (code, "why", by, clean)
    assert response.reason == ("session_closed" if clean else "connection_lost")


def test_a_connection_that_never_spoke_leaves_only_its_close(openai_fresh_wire: Any) -> None:
    wire = openai_fresh_wire()
    wire.translator.receive_close(1006, "", "network", 0.0)
    assert [type(event) for event in wire.events()] == [ev.SessionClosed]
    assert wire.translator.get_timer() is None


def test_after_the_close_nothing_is_told(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.translator.receive_close(1000, "", "local", 0.0)
    wire.events()
    assert wire.hear(UPDATED) == []
    wire.translator.handle_timer(1e9)
    wire.translator.receive_close(1000, "", "local", 0.0)
    assert wire.events() == []


def test_offline_nothing_is_ever_sent() -> None:
    translator = load("openai").new_translator(SessionConfig(history=HISTORY), offline=True)
    translator.start(0.0)
    assert translator.get_timer() is None
    audio = {"type": "response.output_audio.delta", "delta": "AAAA", "response_id": "r1"}
    speech = {"type": "input_audio_buffer.speech_started", "item_id": "u"}
    for frame in (CREATED, UPDATED, audio, speech):
        translator.receive(frame, 0.0)
        assert translator.frames_to_send() == []
    translator.handle_timer(1e9)
    assert translator.frames_to_send() == []
    events = translator.events_received()
    check(events)
    (interrupted,) = [e for e in events if isinstance(e, ev.Interrupted)]
    assert interrupted.heard_ms is None


def test_events_name_the_provider_and_the_time(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.now = 12.5
    (event,) = wire.hear({"type": "input_audio_buffer.cleared"})
    assert (event.provider, event.received_at) == ("openai", 12.5)


def test_the_ids_are_minted_by_the_factory_that_was_given() -> None:
    translator = OpenAITranslator(SessionConfig(), ids=lambda noun: f"{noun}-7")
    translator.send(cmd.DeleteItem(item_id="x"), 0.0)
    (frame,) = translator.frames_to_send()
    assert '"event_id":"event-7"' in str(frame)


def test_no_module_of_the_translator_does_io_or_reads_a_clock() -> None:
    package = Path(unirt_openai.translator.__file__).parent
    forbidden = {"asyncio", "socket", "ssl", "time", "random", "secrets", "uuid", "websockets"}
    for path in package.glob("*.py"):
        assert path.name in {"dial.py", "secret.py"} or not imported(path) & forbidden, path.name


@pytest.mark.parametrize("goes_on", [True, False])
def test_what_was_written_is_told_when_the_connection_goes_first(
    openai_wire: Any, goes_on: bool
) -> None:
    wire = openai_wire()
    created, _ = wire.send(cmd.SendText(text="One."))
    wire.hear({"type": "conversation.item.added", "item": created["item"]})
    wire.send(cmd.SendText(text="Two.", respond=False))
    wire.translator.receive_close(1006, "", "network", 1.0, goes_on=goes_on)
    told = [event for event in wire.events() if isinstance(event, ev.StreamClosed)]
    assert [(event.text, event.synthesised) for event in told] == [("Two.", True)]


@pytest.mark.parametrize("echoed", [True, False])
def test_what_was_written_is_told_once_where_its_id_is_taken_by_an_answer(
    openai_wire: Any, echoed: bool
) -> None:
    wire = openai_wire()
    sent, _ = wire.send(cmd.SendText(text="One."))
    call = {"id": sent["item"]["id"], "type": "function_call", "call_id": "c1", "name": "f"}
    added = {"type": "response.output_item.added", "response_id": "r1", "output_index": 0}
    told = wire.hear({**added, "item": call})
    if echoed:
        told += wire.hear({"type": "conversation.item.added", "item": sent["item"]})
    wire.translator.receive_close(1006, "", "network", 1.0)
    told += wire.events()
    closed = [event for event in told if isinstance(event, ev.StreamClosed)]
    assert [event.text for event in closed if event.kind is StreamKind.TEXT] == ["One."]


def test_what_was_refused_is_not_told_as_said(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.translator.send(cmd.SendText(text="One.", respond=False), 0.0)
    (frame,) = wire.translator.frames_to_send()
    event_id = json.loads(frame)["event_id"]
    wire.hear({"type": "error", "error": {"message": "no", "event_id": event_id}})
    wire.translator.receive_close(1006, "", "network", 1.0)
    assert [type(event) for event in wire.events()] == [ev.SessionClosed]
