"""One session, a thousand turns, and connections that are lost or run out on the way."""

from __future__ import annotations

import time

import attrs

import unirt
from tests.soak.account import Ledger, Listener, Voice
from tests.soak.gauge import Reading, read, settled
from tests.soak.many import FORMATS
from unirt.registry import load
from unirt.simulator import Pace, Scenario, Simulator
from unirt.simulator.scenario import Close, Cue, GoAway, Handle, Reply, Say, Step

__all__ = ["Long", "run_long"]

_PACE = Pace(speed=400.0, latency_ms=0.0)
_AT_ONCE = unirt.Reconnect(first_wait=0.0, jitter=0.0)
_SPOKEN_MS = 100.0
_EVERY = 20
"Turns between two looks at the process."


@attrs.frozen(kw_only=True)
class Long:
    """What came of it."""

    provider: str
    ledger: Ledger
    readings: tuple[Reading, ...]
    "The first before anything was opened, the last when all was closed."
    seconds: float

    @property
    def open(self) -> tuple[Reading, ...]:
        """The readings while the session was open."""
        return self.readings[1:-1]


async def run_long(provider: str, turns: int, reconnects: int) -> Long:
    """
    Hold one conversation over so many connections and one more.

    Raises:
        AssertionError: Something was lost, doubled or changed.
    """
    began = time.perf_counter()
    readings = [read(0)]
    lasts = [turns * (n + 1) // (reconnects + 1) - 1 for n in range(reconnects + 1)]
    simulator = Simulator(load(provider), _scenarios(lasts), pace=_PACE)
    async with simulator:
        connecting = unirt.connect(
            provider,
            environ=simulator.env,
            env_file=None,
            turn_detection=unirt.Manual(),
            reconnect=_AT_ONCE,
        )
        async with connecting as session:
            connections = 1
            listener, voice = Listener(session), Voice(FORMATS[provider])
            for turn in range(turns):
                spoken = b""
                if _is_spoken(turn, lasts):
                    spoken = voice.say(_SPOKEN_MS)
                    await session.start_turn()
                    await session.send_audio(spoken, voice.format)
                    await session.end_turn()
                else:
                    await session.send_text(f"Question {turn}")
                await listener.answer(_answer(turn))
                session.playback.played(1e6)
                heard = voice.check(spoken, simulator.connections)
                listener.ledger.audio_out_mb += heard / 1e6
                while len(simulator.connections) > 1:
                    simulator.connections.popleft()  # its server's memory is not the session's
                    connections += 1
                if turn % _EVERY == _EVERY - 1:
                    readings.append(read(turn + 1))
        ledger = await listener.done()
        assert ledger.turns == turns
        assert ledger.reconnects == reconnects
        assert connections == reconnects + 1
    del session, listener, connecting
    simulator.connections.clear()
    readings.append(await settled(readings[0], turns))
    return Long(
        provider=provider,
        ledger=ledger,
        readings=tuple(readings),
        seconds=time.perf_counter() - began,
    )


def _answer(turn: int) -> str:
    return f"Answer {turn} of many"


def _is_spoken(turn: int, lasts: list[int]) -> bool:
    """Every other turn, but for those that a connection ends in."""
    return turn % 2 == 1 and turn not in lasts


def _scenarios(lasts: list[int]) -> list[Scenario]:
    """One for each connection: what it answers, and how it ends."""
    scenarios = []
    for number, last in enumerate(lasts):
        replies: list[Reply] = []
        if number:
            replies.append(Reply(cue=Cue.TEXT, steps=_answered(lasts[number - 1])))
        first = lasts[number - 1] + 1 if number else 0
        replies += (
            Reply(cue=_cue(turn, lasts), steps=_answered(turn)) for turn in range(first, last)
        )
        is_end = number == len(lasts) - 1
        end = _answered(last) if is_end else _ENDS[number % len(_ENDS)](last)
        replies.append(Reply(cue=Cue.TEXT, steps=end))
        scenarios.append(Scenario(name=f"soak {number}", replies=tuple(replies), pace=_PACE))
    return scenarios


def _cue(turn: int, lasts: list[int]) -> Cue:
    return Cue.TURN if _is_spoken(turn, lasts) else Cue.TEXT


def _answered(turn: int) -> tuple[Step, ...]:
    """An answer; and what the conversation can be resumed by, where the protocol has that."""
    return Say(text=_answer(turn)), Handle(handle=f"after-{turn}")


def _cut(turn: int) -> tuple[Step, ...]:
    return Say(text=_answer(turn)), Close(code=1011, reason="a fault that passes")


def _silent(turn: int) -> tuple[Step, ...]:
    return (Close(code=1001, reason="going away"),)


def _warned(turn: int) -> tuple[Step, ...]:
    return GoAway(time_left_ms=0.0), Say(text="Answer"), Close(code=1001, reason="time is up")


_ENDS = (_cut, _silent, _warned)
