"""Between two connections of a cassette the client takes its time, and the tape does not."""

import asyncio
import json

import pytest

from unirt.cassettes import loads
from unirt.cassettes.match import matching
from unirt.cassettes.player import Player
from unirt.testing.virtual import LoopClock, run_virtually
from unirt.transport import TransportClosed
from unirt.transports.playing import PlayingTransport, Table
from unirt.transports.tape_clock import TapeClock

URL = "wss://host/v1/realtime?model=gpt-realtime"
LINES = [
    {"unirt_cassette": 1, "origin": "hand-written", "provider": "openai"},
    {"t": 0, "c": 1, "open": {"url": URL}},
    {"t": 1, "c": 1, "close": {"code": 1011}},
    {"t": 5, "c": 2, "open": {"url": URL}},
    {"t": 9, "c": 2, "received": {"type": "session.created", "event_id": "event_1"}},
    {"t": 9, "c": 2, "close": {"code": 1000}},
]


@pytest.mark.parametrize("more", [True, False], ids=["another one is to come", "that was all"])
def test_who_follows_the_time_waits_for_the_next_one(more: bool) -> None:
    cassette = loads("\n".join(map(json.dumps, LINES)).encode() + b"\n", "talk.jsonl")
    first, second = cassette.segments

    async def play() -> None:
        upcoming = (second.line, second.opened) if more else None
        clock, table = TapeClock(), Table(lambda: upcoming)
        one = PlayingTransport(Player(first, matching(()), "talk.jsonl"), table, clock)
        with pytest.raises(TransportClosed):
            await one.receive()
        assert clock.now() == 0.001

        player = asyncio.create_task(clock.follow_until(0.007))
        await LoopClock().sleep_until(1.0)  # the client dials
        assert player.done() is not more
        upcoming = None
        other = PlayingTransport(Player(second, matching(()), "talk.jsonl"), table, clock)
        await other.receive()
        await player
        assert clock.now() == 0.009

    run_virtually(play())
