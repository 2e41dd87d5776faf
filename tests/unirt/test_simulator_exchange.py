"""Exchanges: whole conversations in memory, the same every time; and the simulated loudspeaker."""

from __future__ import annotations

import pytest

from unirt import (
    PCM16_24K,
    AppendAudio,
    AudioDelta,
    ConfigurationError,
    Event,
    Interrupted,
    ResponseDone,
    SendText,
    SendToolResult,
    SessionClosed,
    SessionConfig,
    Stream,
    StreamKind,
    ToolCall,
    UnirtError,
    UnsupportedSetting,
)
from unirt.events import Origin
from unirt.provider import Provider
from unirt.registry import installed, load
from unirt.simulator import Pace, builtin, loads, run
from unirt.simulator.player import Player
from unirt.testing import check

ORIGIN = Origin(provider="toy")


@pytest.fixture(params=installed())
def provider(request: pytest.FixtureRequest) -> Provider:
    found = load(request.param)
    if found.server is None:
        pytest.skip("the plug-in brings no server side")
    return found


@pytest.mark.parametrize("name", ["tool_call", "barge_in_generating", "two_turns"])
def test_the_same_exchange_is_the_same_to_the_byte(provider: Provider, name: str) -> None:
    one, two = run(provider, builtin(name)), run(provider, builtin(name))
    assert one.events == two.events
    assert [event.received_at for event in one.events] == [e.received_at for e in two.events]
    assert one.frames_sent == two.frames_sent
    assert one.frames_received == two.frames_received
    assert one.seconds == two.seconds


def test_the_last_event_is_the_applications_own_goodbye(provider: Provider) -> None:
    exchange = run(provider, builtin("text_turn"))
    closed = exchange.events[-1]
    assert isinstance(closed, SessionClosed)
    assert (closed.by, closed.clean) == ("local", True)


def test_the_microphone_is_open_as_long_as_the_session(provider: Provider) -> None:
    exchange = run(provider, builtin("spoken_turn"))
    assert exchange.line is not None
    sent = exchange.line.totals.audio_ms_received
    assert sent == pytest.approx(exchange.seconds * 1000, abs=40)


def test_push_to_talk_sends_only_what_was_said(provider: Provider) -> None:
    exchange = run(provider, builtin("manual_turn"))
    assert exchange.line is not None
    assert exchange.line.totals.audio_ms_received == 800


def test_what_was_heard_is_exact(provider: Provider) -> None:
    exchange = run(provider, builtin("barge_in_generating"))
    (interrupted,) = (event for event in exchange.events if isinstance(event, Interrupted))
    assert interrupted.heard_exactly
    assert interrupted.heard_ms is not None
    assert 700 < interrupted.heard_ms < 900


def test_tools_are_answered_by_name(provider: Provider) -> None:
    exchange = run(provider, builtin("parallel_tool_calls"))
    assert exchange.line is not None
    calls = [event for event in exchange.events if isinstance(event, ToolCall)]
    results = [c for c in exchange.line.commands if isinstance(c, SendToolResult)]
    assert [call.name for call in calls] == ["get_weather", "get_time"]
    assert len(results) == 2
    assert "31" in str(results[0].output)


def test_settings_are_laid_over_the_scenarios(provider: Provider) -> None:
    exchange = run(provider, builtin("text_turn"), SessionConfig(instructions="Be a pirate."))
    assert any("Be a pirate." in str(frame) for frame in exchange.frames_sent)


def test_a_slower_server_takes_longer(provider: Provider) -> None:
    done = []
    for speed in (1.0, 10.0):
        exchange = run(provider, builtin("text_turn"), pace=Pace(speed=speed))
        done += [e.received_at for e in exchange.events if isinstance(e, ResponseDone)]
    assert done[0] > done[1] + 0.5


def test_a_scenario_that_never_ends_says_what_it_waits_for(provider: Provider) -> None:
    plan = loads("[[app]]\ntext = 'Hello'\nafter = 'ToolCall'", name="waiting")
    with pytest.raises(ConfigurationError, match="'waiting' waits for something that never"):
        run(provider, plan)


def test_an_unexpected_refusal_is_raised(provider: Provider) -> None:
    plan = loads("[session]\nprovider_options = { no_such_setting = true }")
    with pytest.raises(UnsupportedSetting):
        run(provider, plan)


def test_an_unexpected_refusal_of_a_command_is_raised(provider: Provider) -> None:
    with pytest.raises(UnirtError):
        run(provider, loads("[[app]]\nend_turn = true"))


def test_without_replies_the_server_makes_something_up(provider: Provider) -> None:
    exchange = run(provider, loads("[[app]]\ntext = 'Hello'"))
    check(exchange.events, complete=True)
    assert any(isinstance(event, AudioDelta) for event in exchange.events)
    assert exchange.line is not None
    assert not any(isinstance(command, AppendAudio) for command in exchange.line.commands)
    assert any(isinstance(command, SendText) for command in exchange.line.commands)


# The loudspeaker.


def sound(response_id: str, ms: float) -> Event:
    stream = Stream(id=response_id, kind=StreamKind.AUDIO, response_id=response_id)
    return AudioDelta(origin=ORIGIN, stream=stream, data=bytes(PCM16_24K.bytes_for(ms)))


def test_a_player_plays_in_real_time_and_one_after_the_other() -> None:
    player = Player()
    assert player.position is None
    player.take(sound("a", 100))
    player.take(sound("b", 100))
    player.advance(60_000)
    assert player.position == ("a", 60.0)
    player.advance(150_000)
    assert player.position == ("b", 50.0)
    player.advance(900_000)
    assert player.position == ("b", 100.0)
    assert not player.playing


def test_silence_is_not_made_up_for() -> None:
    player = Player()
    player.take(sound("a", 100))
    player.advance(500_000)
    player.take(sound("a", 100))
    assert player.newest_ms == 100.0
    player.advance(550_000)
    assert player.newest_ms == 150.0


def test_an_interruption_silences_its_response_only() -> None:
    player = Player()
    player.take(sound("a", 100))
    player.take(sound("b", 100))
    player.advance(50_000)
    player.take(Interrupted(origin=ORIGIN, response_id="a"))
    player.advance(60_000)
    assert player.position == ("b", 10.0)
