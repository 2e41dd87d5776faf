"""The timeline of a cassette: rows, meanings, lanes, latencies; whoever's protocol it is."""

import base64
import importlib.util
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import pytest

from unirt.audio import PCM16_24K
from unirt.cassettes import Cassette, Framed, loads
from unirt.cassettes.scrub import Scrub, scrubbed
from unirt.cassettes.secrets import Secrets
from unirt.cli.record import scenario_named
from unirt.commands import AppendAudio, SendText, SendToolResult
from unirt.events import (
    AudioDelta,
    Ending,
    Malformed,
    ResponseDone,
    SessionClosed,
    ToolCall,
    Unmapped,
)
from unirt.provider import Provider
from unirt.registry import installed
from unirt.simulator.voice import encode, silence, speech
from unirt.timeline import Lane, RowKind, Timeline, runs, timeline
from unirt.timeline.listen import wire_name
from unirt.timeline.sound import mixdown, peaks, voice_ms

ROOT = Path(__file__).parent.parent.parent
every_provider = pytest.mark.parametrize("provider", installed())


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Records a built-in scenario, once for each provider."""
    from unirt.cassettes import read
    from unirt.cli.record import run

    folder = tmp_path_factory.mktemp("tapes")

    def recorded(provider: str, scenario: str) -> Cassette:
        path = folder / f"{provider}-{scenario}.jsonl"
        if not path.exists():
            assert scenario_named(scenario).actions or scenario == "greeting"
            assert run(path, [], simulator=provider, scenario=scenario) == 0
        return read(path)

    return recorded


def talk(*lines: dict[str, Any], provider: str | None = "openai", **header: Any) -> Cassette:
    head = {"unirt_cassette": 1, "origin": "hand-written", "provider": provider, **header}
    text = "\n".join(json.dumps(line) for line in (head, *lines))
    return loads(f"{text}\n".encode(), "talk.jsonl")


OPEN = {"open": {"url": "wss://host/v1/realtime?model=gpt-realtime"}}
END = {"close": {"code": 1000, "by": "local"}}


def lane(seen: Timeline, role: str, connection: int = 1) -> Lane:
    (found,) = [one for one in seen.lanes if (one.role, one.connection) == (role, connection)]
    return found


@every_provider
def test_each_line_is_a_row_beside_what_it_caused(provider: str, record: Any) -> None:
    cassette = record(provider, "tool_call")
    seen = timeline(cassette)

    lines = [row.line for row in seen.rows if row.line is not None]
    assert lines == [line for line, _ in cassette.numbered()]
    entries = dict(cassette.numbered())
    for row in seen.rows:
        entry = entries.get(row.line or 0)
        if isinstance(entry, Framed) and entry.direction == "received":
            assert row.events
            assert all(event.raw in (entry.data, None) for event in row.events)
        if isinstance(entry, Framed) and entry.direction == "sent":
            assert row.commands or row.note == "sets the session up"
    assert isinstance(seen.rows[-1].events[-1], SessionClosed)
    assert seen.connections == ((1, provider, cassette.header.model),)
    assert seen.warnings == ()


@every_provider
def test_a_turn_says_how_long_the_user_waited(provider: str, record: Any) -> None:
    seen = timeline(record(provider, "two_turns"))

    spoken, written = seen.turns
    assert (spoken.user_text, spoken.text) == ("Name a colour.", "Blue, like the sea.")
    assert (written.user_text, written.text) == ("And another one?", "Green, like the woods.")
    # The voice is over 500 ms before a server that waits for silence can know it, and 80 ms more.
    assert (spoken.asked_by, spoken.latency_ms) == ("voice", 580)
    assert (written.asked_by, written.latency_ms) == ("command", 100)
    assert spoken.ending is written.ending is Ending.COMPLETE
    assert spoken.usage is not None
    assert written.usage is not None
    assert seen.usage == spoken.usage + written.usage
    assert (spoken.audio_ms, written.audio_ms) == (1200, 1400)


@every_provider
def test_without_the_sound_what_the_provider_says_counts(provider: str, record: Any) -> None:
    cassette = scrubbed(record(provider, "two_turns"), Scrub(audio="silence"), Secrets())
    spoken, _ = timeline(cassette).turns

    told = {"openai": ("speech_stopped", 100.0), "google": ("", None)}
    assert (spoken.asked_by, spoken.latency_ms) == told[provider]


@every_provider
def test_a_tool_run_lasts_until_its_result(provider: str, record: Any) -> None:
    seen = timeline(record(provider, "parallel_tool_calls"))

    called = [row for row in seen.rows if any(isinstance(e, ToolCall) for e in row.events)]
    answered = [
        row for row in seen.rows if any(isinstance(c, SendToolResult) for c in row.commands)
    ]
    assert len(seen.tools) == 2
    assert {tool.called_ms for tool in seen.tools} == {row.at_ms for row in called}
    assert {tool.answered_ms for tool in seen.tools} == {row.at_ms for row in answered}
    for tool in seen.tools:
        assert tool.took_ms is not None
        assert tool.took_ms > 0
        assert not tool.cancelled


@every_provider
def test_a_tool_that_is_cancelled_took_no_time(provider: str, record: Any) -> None:
    (tool,) = timeline(record(provider, "tool_cancelled")).tools
    assert (tool.name, tool.took_ms, tool.cancelled) == ("book_table", None, True)


@every_provider
def test_the_models_lane_ends_where_the_user_spoke_over_it(provider: str, record: Any) -> None:
    seen = timeline(record(provider, "barge_in_playing"))
    first, second = seen.turns
    model = lane(seen, "assistant")

    heard = {
        turn.response_id: sum(p.heard_ms for p in model.pieces if p.response_id == turn.response_id)
        for turn in (first, second)
    }
    assert first.audio_ms == 5000
    assert 2600 <= heard[first.response_id] < 2800  # it began to be spoken over at 2600
    assert heard[second.response_id] == second.audio_ms == 600
    starts = [p.start_ms for p in model.pieces if p.response_id == second.response_id]
    assert starts[0] == second.first_audio_ms
    assert first.heard_ms == pytest.approx(heard[first.response_id], abs=40)
    assert second.heard_ms is None
    played = [piece for piece in model.pieces if piece.heard_ms]
    rows_ms = seen.rows[-1].at_ms
    assert seen.end_ms == max(rows_ms, *(piece.start_ms + piece.heard_ms for piece in played))
    for one, other in pairwise(played):
        assert other.start_ms >= one.start_ms + one.heard_ms - 0.001


@every_provider
def test_what_comes_in_a_burst_is_laid_out_as_it_can_be_heard(provider: str, record: Any) -> None:
    seen = timeline(record(provider, "text_turn"))
    pieces = lane(seen, "assistant").pieces

    assert pieces[-1].at_ms - pieces[0].at_ms < 400  # four times faster than it can be heard
    assert [piece.start_ms for piece in pieces] == [
        pieces[0].at_ms + 100 * n for n in range(len(pieces))
    ]
    assert seen.end_ms >= pieces[-1].end_ms


@every_provider
@pytest.mark.parametrize("audio", ["silence", 20.0], ids=["silenced", "cut"])
def test_audio_that_is_gone_leaves_its_length(
    provider: str, audio: float | str, record: Any
) -> None:
    cassette = record(provider, "barge_in_playing")
    whole, left = timeline(cassette), timeline(scrubbed(cassette, Scrub(audio=audio), Secrets()))

    for role in ("user", "assistant"):
        one, other = lane(whole, role), lane(left, role)
        assert [(p.start_ms, p.end_ms) for p in other.pieces] == [
            (p.start_ms, p.end_ms) for p in one.pieces
        ]
        assert one.audible
        assert other.audible is (audio != "silence")
    assert [turn.audio_ms for turn in left.turns] == [turn.audio_ms for turn in whole.turns]
    notes = {row.note for row in left.rows} - {"", "sets the session up"}
    assert notes == {"its audio was silenced" if audio == "silence" else "its audio was cut"}
    assert sum(row.size for row in left.rows) == sum(row.size for row in whole.rows)


def test_connections_are_kept_apart_and_in_the_order_of_the_file() -> None:
    google = {"open": {"url": "wss://other/", "provider": "google", "model": "gemini-3.8-live"}}
    said = base64.b64encode(bytes(9600)).decode()
    part = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": said}}
    seen = timeline(
        talk(
            OPEN,
            {"t": 5, "received": {"type": "session.created", "session": {"id": "s"}}},
            {"t": 10, "c": 2, **google},
            {"t": 20, "c": 2, "received": {"setupComplete": {}}, "as": "binary"},
            {"t": 25, "received": {"type": "session.updated", "session": {}}},
            {"t": 30, "c": 2, "received": {"serverContent": {"modelTurn": {"parts": [part]}}}},
            {"t": 40, **END},
            {"t": 50, "c": 2, "close": {"code": None, "by": "network"}},
        )
    )
    assert [(row.connection, row.kind) for row in seen.rows] == [
        (1, "open"), (1, "received"), (2, "open"), (2, "received"),
        (1, "received"), (2, "received"), (1, "close"), (2, "close"),
    ]  # fmt: skip
    assert {e.provider for row in seen.rows if row.connection == 2 for e in row.events} == {
        "google"
    }
    assert [(one.connection, one.role) for one in seen.lanes] == [(2, "assistant")]
    (turn,) = seen.turns
    assert (turn.connection, turn.audio_ms, turn.reason) == (2, 200, "connection_lost")


def test_what_nobody_understands_is_shown_all_the_same() -> None:
    garbage = {"received": "{no", "t": 1}
    unknown = {"received": {"type": "novelty.announced"}}
    odd = {"received": "/wA=", "as": "base64"}
    stray = {"sent": {"type": "no.such.command"}}
    seen = timeline(talk(OPEN, garbage, unknown, odd, stray, END))

    one, other, third, sent = seen.rows[1:5]
    assert any(isinstance(event, Malformed) for event in one.events)
    assert any(isinstance(event, Unmapped) for event in other.events)
    assert any(isinstance(event, Malformed) for event in third.events)
    assert [row.name for row in (one, other, third, sent)] == [
        "(text)", "novelty.announced", "(binary)", "no.such.command",
    ]  # fmt: skip
    assert (sent.commands, sent.note) == ((), "not understood")


@pytest.mark.parametrize(
    ("provider", "says"), [(None, "names no provider"), ("nobody", "no provider named 'nobody'")]
)
def test_without_a_provider_frames_are_shown_and_not_translated(
    provider: str | None, says: str
) -> None:
    seen = timeline(talk(OPEN, {"t": 7, "received": {"type": "x"}}, END, provider=provider))

    assert [row.name for row in seen.rows] == ["connected", "x", "code 1000, by local"]
    assert not any(row.events for row in seen.rows)
    (warning,) = seen.warnings
    assert says in warning


def test_a_dial_that_failed_is_a_row() -> None:
    failed = {"open": {"url": "wss://host/", "status": 401, "error": "no such key"}}
    (row,) = timeline(talk(failed)).rows
    assert (row.kind, row.name) == (RowKind.OPEN, "HTTP 401: no such key")


def test_http_is_a_row() -> None:
    http = {
        "request": {"method": "POST", "uri": "https://host/x"},
        "response": {"status": {"code": 200}},
    }
    (row,) = timeline(talk({"http": http})).rows
    assert row.name == "POST https://host/x → 200"


def test_a_strangers_plug_in_is_shown_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    path = ROOT / "examples" / "echo_provider" / "unirt_echo.py"
    spec = importlib.util.spec_from_file_location("unirt_echo_shown", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    echo: Provider = module.PROVIDER
    for room in ("unirt.timeline.listen", "unirt.cassettes.meaning"):
        monkeypatch.setattr(f"{room}.load", lambda _name: echo)
    seen = timeline(
        talk(
            OPEN,
            {"t": 1, "sent": {"say": "hello"}},
            {"t": 9, "received": {"echo": "hello"}},
            END,
            provider="echo",
        )
    )
    assert seen.warnings == ()
    assert {event.provider for row in seen.rows for event in row.events} == {"echo"}
    assert [row.kind for row in seen.rows] == ["open", "sent", "received", "close"]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"type": "a.b", "x": 1}, "a.b"),
        ({"answer": {"text": "x"}}, "answer.text"),
        ({"answer": {"a": 1, "b": 2, "c": 3}, "usage": {}}, "answer, usage"),
        ({}, "{}"),
        ([1], "(array)"),
        ("x", "(text)"),
        (b"x", "(binary)"),
    ],
)
def test_a_frame_is_called_what_it_calls_itself(data: Any, name: str) -> None:
    assert wire_name(data) == name


@every_provider
def test_pieces_of_one_thing_are_one_run_though_they_take_turns(provider: str, record: Any) -> None:
    seen = timeline(record(provider, "spoken_turn"))
    groups = list(runs(seen.rows))

    assert sorted(id(row) for group in groups for row in group.rows) == sorted(map(id, seen.rows))
    assert [g.first.at_ms for g in groups] == sorted(g.first.at_ms for g in groups)
    heard = [g for g in groups if any(isinstance(e, AudioDelta) for e in g.rows[-1].events)]
    assert max(len(group.rows) for group in heard) > 10
    assert sum(group.audio_ms for group in heard) == seen.turns[0].audio_ms
    for group in groups:
        if len(group.rows) > 1:
            assert len({(row.name, row.kind, row.connection) for row in group.rows}) == 1


def test_voices_are_found_and_rooms_are_not() -> None:
    room = encode(speech_like(2000) * 0.01, PCM16_24K)
    voice = speech(1000, PCM16_24K)
    quiet = silence(500, PCM16_24K)
    sound = quiet + voice + room
    frames = [
        {"t": 20 * n, "sent": {"type": "input_audio_buffer.append", "audio": piece}}
        for n, piece in enumerate(pieces(sound, 960))
    ]
    user = lane(timeline(talk(OPEN, *frames, {"t": 9999, **END})), "user")

    heard = voice_ms(user)
    assert heard[0] == pytest.approx(520, abs=20)
    assert heard[-1] == pytest.approx(1500, abs=20)
    loud = peaks(user, 4000, 40)
    assert not any(loud[:5])
    assert min(loud[5:15]) > 60
    assert max(loud[16:]) < 30


def speech_like(ms: float) -> Any:
    import numpy as np

    data = np.frombuffer(speech(ms, PCM16_24K), "<i2")
    return (data / 32768).astype(np.float32)


def pieces(sound: bytes, size: int) -> list[str]:
    return [base64.b64encode(sound[at : at + size]).decode() for at in range(0, len(sound), size)]


def test_a_mixdown_is_what_was_heard_at_its_time() -> None:
    import numpy as np

    sound = speech(1000, PCM16_24K)
    frames = [
        {"t": 300 + 20 * n, "sent": {"type": "input_audio_buffer.append", "audio": piece}}
        for n, piece in enumerate(pieces(sound, 960))
    ]
    user = lane(timeline(talk(OPEN, *frames, {"t": 2000, **END})), "user")
    mixed = np.frombuffer(mixdown(user, 2000, 24_000), "<i2")
    start = 300 * 24
    assert not mixed[:start].any()
    assert not mixed[start + 24_000 :].any()
    expected = np.frombuffer(sound, "<i2").astype(int)
    assert abs(mixed[start : start + 24_000].astype(int) - expected).max() <= 2

    user = attrs.evolve(
        user, pieces=tuple(attrs.evolve(piece, heard_ms=0.0) for piece in user.pieces)
    )
    assert not np.frombuffer(mixdown(user, 2000, 24_000), "<i2").any()


def test_a_command_and_a_response_are_on_their_rows(record: Any) -> None:
    seen = timeline(record("google", "text_turn"))
    (asked,) = [row for row in seen.rows if any(isinstance(c, SendText) for c in row.commands)]
    (done,) = [row for row in seen.rows if any(isinstance(e, ResponseDone) for e in row.events)]
    assert (seen.turns[0].asked_ms, seen.turns[0].done_ms) == (asked.at_ms, done.at_ms)
    assert not any(isinstance(c, AppendAudio) for row in seen.rows for c in row.commands)
