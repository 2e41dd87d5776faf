"""The playback of a session: players that tell how much more they played, and sinks."""

import asyncio
import threading
from typing import Any

import pytest

import unirt
from unirt.clock import ManualClock
from unirt.session import Player
from unirt.sound import MemorySink

Toy = Any  # the fixture's class lives in conftest.py, which no module may import


async def hear(session: unirt.Session, *kinds: type[Any]) -> Any:
    """Read until an event of one of some kinds comes."""
    async for event in session:
        if isinstance(event, kinds):
            return event
    raise AssertionError("the session ended")


async def speak(toy: Toy, session: unirt.Session, response: str, ms: int) -> None:
    await toy.say("audio", response=response, item=f"{response}.item", size=48 * ms)
    await hear(session, unirt.AudioDelta)


async def done(toy: Toy, session: unirt.Session, response: str) -> None:
    await toy.say("done", response=response)
    await hear(session, unirt.ResponseDone)


def positions(session: unirt.Session) -> dict[str, float | None]:
    return {each.response_id: each.played_ms for each in session.playback.responses}


async def test_what_more_was_played_goes_through_responses_in_order(
    session: unirt.Session, toy: Toy
) -> None:
    await speak(toy, session, "r1", 300)
    await done(toy, session, "r1")
    await speak(toy, session, "r2", 300)
    playback = session.playback
    playback.played(200)
    assert positions(session)["r1"] == 200
    assert playback.current is not None
    assert playback.current.response_id == "r1"
    playback.played(200)
    assert positions(session) == {"r1": 300, "r2": 100}
    assert playback.of("r1") == unirt.ResponsePlayback(
        response_id="r1",
        items=(unirt.ItemPlayback(item_id="r1.item", received_ms=300, played_ms=300),),
        received_ms=300,
        played_ms=300,
        exactly=True,
        finished=True,
    )
    playback.played(5_000)  # silence of the device
    await done(toy, session, "r2")
    await speak(toy, session, "r3", 300)
    playback.played(50)
    assert positions(session) == {"r1": 300, "r2": 300, "r3": 50}
    assert playback.playing
    assert playback.of("r9") is None


async def test_bytes_are_those_of_what_the_application_hears(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting(audio_out=unirt.PCM16_16K) as session:
        await toy.say("audio", response="r", size=48 * 400)
        await hear(session, unirt.AudioDelta)
        session.playback.played(size=32 * 100)
        session.playback.played(size=8 * 100, format=unirt.G711_ULAW)

        assert positions(session) == {"r": 200}


@pytest.mark.parametrize(
    "amount", [{}, {"ms": 1, "size": 2}, {"ms": -1}, {"ms": float("nan")}, {"ms": float("inf")}]
)
async def test_what_is_no_amount_is_refused(session: unirt.Session, amount: Any) -> None:
    with pytest.raises(unirt.UsageError, match="played"):
        session.playback.played(**amount)


async def test_an_interruption_is_exact_where_a_player_tells(
    session: unirt.Session, toy: Toy
) -> None:
    await speak(toy, session, "r", 1000)
    session.playback.played(420)
    await toy.say("interrupt")
    cut = await hear(session, unirt.Interrupted)

    assert (cut.heard_ms, cut.heard_exactly) == (420, True)
    assert session.playback.current is None


async def test_what_a_player_tells_after_the_interruption_corrects_it(
    session: unirt.Session, toy: Toy
) -> None:
    await speak(toy, session, "r", 1000)
    session.playback.played(420)
    await toy.say("interrupt")
    await hear(session, unirt.Interrupted)
    session.playback.played(20)

    corrected = await hear(session, unirt.HeardCorrected)
    assert corrected.heard_ms == 440
    session.playback.flushed()
    session.playback.played(20)  # of whatever the device plays now, but not of that
    assert positions(session) == {"r": 440}


async def test_after_a_cut_what_is_played_is_of_what_came_after_it(
    session: unirt.Session, toy: Toy
) -> None:
    await speak(toy, session, "r1", 1000)
    session.playback.played(300)
    await toy.say("interrupt")
    await done(toy, session, "r1")
    await speak(toy, session, "r2", 1000)
    session.playback.played(100)

    assert positions(session) == {"r1": 300, "r2": 100}


async def test_a_flush_without_an_interruption_ends_what_was_received(toy: Toy) -> None:
    clock = ManualClock(0.0)
    await toy.greet()
    async with toy.connecting(clock=clock) as session:
        await speak(toy, session, "r1", 1000)
        await done(toy, session, "r1")
        session.playback.played(300)
        session.playback.flushed()
        (flushed,) = session.playback.responses
        assert (flushed.flushed, flushed.playing, flushed.played_ms) == (True, False, 300)
        await speak(toy, session, "r2", 1000)
        session.playback.played(100)

        assert positions(session) == {"r1": 300, "r2": 100}


async def test_a_player_may_tell_from_its_own_thread(session: unirt.Session, toy: Toy) -> None:
    await speak(toy, session, "r", 1000)
    players = [threading.Thread(target=session.playback.played, args=(10,)) for _ in range(8)]
    for player in players:
        player.start()
    for player in players:
        player.join()
    await toy.say("note", why="later")
    await hear(session, unirt.Noted)

    assert positions(session) == {"r": 80}


async def test_a_player_may_outlive_its_session(session: unirt.Session, toy: Toy) -> None:
    await speak(toy, session, "r", 1000)
    await session.close()
    session.playback.played(100)
    session.playback.flushed()
    late = threading.Thread(target=session.playback.played, args=(10,))
    late.start()
    late.join()

    assert session.playback.of("r") is not None


class Speaker:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.held = asyncio.Event()

    def play(self, audio: unirt.AudioDelta) -> None:
        self.did.append(f"{audio.response_id} {audio.duration_ms:g}")
        self.held.set()

    def flush(self) -> None:
        self.did.append("flush")


async def test_a_sink_is_given_what_there_is_to_play_and_silenced(
    session: unirt.Session, toy: Toy
) -> None:
    speaker = Speaker()
    playing = asyncio.create_task(session.playback.play(speaker))
    await toy.say("audio", response="r1", size=48 * 100)
    await speaker.held.wait()
    session.playback.played(60)
    await toy.say("audio", response="r1", size=48 * 900)
    await toy.say("interrupt")
    await toy.say("audio", response="r1", size=48 * 50)
    await toy.say("done", response="r1")
    await speak(toy, session, "r2", 200)
    await speak(toy, session, "r2", 200)
    await session.close()
    await playing

    before = speaker.did.index("flush")
    assert speaker.did[0] == "r1 100"
    assert speaker.did[before + 1 :] == ["r2 200", "r2 200"]
    assert session.playback.of("r1") is not None
    assert positions(session)["r1"] == 60


async def test_a_sink_hears_of_a_lost_connection(session: unirt.Session, toy: Toy) -> None:
    playing = asyncio.create_task(session.playback.play(Speaker()))
    await toy.there.close(1011, "gone")
    with pytest.raises(unirt.ConnectionLost):
        await playing


async def test_a_player_is_opened_told_and_closed(session: unirt.Session, toy: Toy) -> None:
    sink = MemorySink(realtime=False)
    assert isinstance(sink, Player)
    playing = asyncio.create_task(session.playback.play(sink))
    await speak(toy, session, "r1", 300)
    await done(toy, session, "r1")
    await session.playback.finished()
    assert session.playback.of("r1") is not None
    assert positions(session) == {"r1": 300}
    await session.close()
    await playing

    assert len(sink.audio) == 48 * 300
    assert not isinstance(Speaker(), Player)


@pytest.mark.parametrize(
    "format", [unirt.G711_ULAW, unirt.AudioFormat(rate=44_100, channels=2)], ids=str
)
async def test_a_player_is_given_its_own_format_to_the_last_sample(
    session: unirt.Session, toy: Toy, format: unirt.AudioFormat
) -> None:
    sink = MemorySink(format, realtime=False)
    playing = asyncio.create_task(session.playback.play(sink))
    await speak(toy, session, "r1", 310)
    await speak(toy, session, "r1", 7)
    await done(toy, session, "r1")
    await session.playback.finished()
    response = session.playback.of("r1")
    assert response is not None
    assert response.finished
    await session.close()
    await playing

    assert format.duration_ms(len(sink.audio)) == pytest.approx(317, abs=0.2)


async def test_what_a_player_has_in_hand_when_it_is_silenced_is_of_what_was_cut(
    session: unirt.Session, toy: Toy
) -> None:
    clock = ManualClock()
    sink = MemorySink(clock=clock)
    playing = asyncio.create_task(session.playback.play(sink))
    await speak(toy, session, "r1", 1_000)
    while not sink.audio:
        await asyncio.sleep(0)
    await toy.say("interrupt")
    await done(toy, session, "r1")
    while sink.sounding:
        await asyncio.sleep(0)
    assert positions(session) == {"r1": 20}
    await speak(toy, session, "r2", 1_000)
    while len(sink.audio) <= 960:
        await asyncio.sleep(0)
        clock.advance(0.02)
    while (after := session.playback.of("r2")) is None or not after.exactly:
        await asyncio.sleep(0)
        clock.advance(0.02)

    assert positions(session)["r1"] == 20
    await session.close()
    await playing


async def test_finished_waits_for_the_last_word(session: unirt.Session, toy: Toy) -> None:
    await session.playback.finished()  # nothing was said
    await speak(toy, session, "r1", 300)
    await done(toy, session, "r1")
    session.playback.played(0)
    finished = asyncio.create_task(session.playback.finished())
    for more in (100, 199):
        session.playback.played(more)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert not finished.done()
    session.playback.played(1)
    await finished


async def test_finished_goes_by_the_clock_where_no_player_tells(
    session: unirt.Session, toy: Toy
) -> None:
    await speak(toy, session, "r1", 30)
    await session.playback.finished()

    assert not session.playback.playing


async def test_finished_ends_with_a_flush_and_with_the_session(
    session: unirt.Session, toy: Toy
) -> None:
    await speak(toy, session, "r1", 100_000)
    session.playback.played(0)
    finished = asyncio.create_task(session.playback.finished())
    await asyncio.sleep(0)
    session.playback.flushed()
    await finished
    await speak(toy, session, "r2", 100_000)
    finished = asyncio.create_task(session.playback.finished())
    await asyncio.sleep(0)
    await session.close()
    await finished
