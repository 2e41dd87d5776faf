"""
A conversation that goes on with another provider, over real sockets (fields 2, 3, 27, 29).

The simulators say what reached them: the history that was seeded, and nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import unirt
from tests.talking import PAIRS, Pair, Reader, two
from unirt import commands as cmd
from unirt.fold import fold
from unirt.registry import load
from unirt.simulator import Simulator
from unirt.simulator.script import loads
from unirt.simulator.voice import speech

FIRST = loads("""
    [pace]
    speed = 50

    [[reply]]
    cue = "text"
    steps = [{ say = "Pleased to meet you, Ada.", ms = 600 }]
    usage = { input_text = 10, output_text = 5 }

    [[reply]]
    cue = "text"
    steps = [{ say = "A long story about a king and his daughter.", ms = 60000 }]

    [[reply]]
    cue = "text"
    steps = [{ say = "Back again.", ms = 400 }]
""")
SECOND = loads("""
    [pace]
    speed = 50

    [[reply]]
    cue = "text"
    steps = [{ say = "Your name is Ada.", ms = 600 }]
    usage = { input_text = 20, output_text = 6 }
""")


@pytest.fixture(params=PAIRS, ids="-to-".join)
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    async with two(request.param[0], request.param[1], FIRST, SECOND) as pair:
        yield pair


async def seeded(reader: Reader, simulator: Simulator) -> list[tuple[str, str]]:
    """What the newest connection knew of the conversation when it answered: who said what."""
    await reader.many(unirt.Reconnected)
    answers = len(reader.of(unirt.ResponseDone))
    await reader.session.send_text("Who am I?")
    await reader.many(unirt.ResponseDone, answers + 1)
    said: list[tuple[str, str]] = []
    for command in simulator.connections[-1].commands:
        match command:
            case cmd.SeedHistory():
                said += [(str(item.role), item.text) for item in command.items]
            case cmd.CreateItem():
                said.append((str(command.item.role), command.item.text))
            case cmd.SendText(text=text, respond=respond):
                if respond or text == "Who am I?":
                    break
                said.append(("user", text))  # one protocol has no other word for it
            case _:
                pass
    return said


async def test_the_next_turn_is_answered_by_somebody_who_knows_what_was_said(pair: Pair) -> None:
    async with pair.connect() as session:
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        session.playback.played(600)
        await session.switch(pair.names[1])

        assert session.provider == pair.names[1]
        assert session.url.startswith(pair.there.url)
        assert await seeded(reader, pair.there) == [
            ("user", "I am Ada."),
            ("assistant", "Pleased to meet you, Ada."),
        ]
    await reader.done()

    assert [item.text for item in session.history] == [
        "I am Ada.",
        "Pleased to meet you, Ada.",
        "Who am I?",
        "Your name is Ada.",
    ]
    asked = [c for c in pair.here.connections[-1].commands if isinstance(c, cmd.SendText)]
    assert [text.text for text in asked] == ["I am Ada."]
    assert pair.here.connections[-1].closed == (1000, "")


async def test_a_control_event_tells_what_was_carried(pair: Pair) -> None:
    async with pair.connect() as session:
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        await session.switch(pair.names[1])
    events = await reader.done()

    (leaving,), (there,) = reader.of(unirt.Reconnecting), reader.of(unirt.Reconnected)
    assert (leaving.why, leaving.target, leaving.attempt) == ("switch", pair.names[1], 1)
    assert (there.why, there.previous, there.origin.provider) == ("switch", *pair.names)
    assert (there.carried + there.changed, there.lost, there.lost_ms) == (2, 0, 0)
    assert there.plane is unirt.Plane.CONTROL
    assert not there.state_restored
    names = [type(event).__name__ for event in events]
    between = names[names.index("Reconnecting") : names.index("Reconnected")]
    assert between[:2] == ["Reconnecting", "SessionStarted"]
    assert "HistorySeeded" in between
    assert names.count("SessionClosed") == 1


async def test_one_fold_spans_both_providers(pair: Pair) -> None:
    async def read(view: unirt.session.ContentView) -> list[unirt.ContentStep]:
        return [step async for step in view]

    async with pair.connect() as session:
        reader = Reader(session)
        folding = asyncio.create_task(read(session.content()))
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        await session.switch(pair.names[1])
        await session.send_text("Who am I?")
        await reader.many(unirt.ResponseDone, 2)
    steps = await folding

    spoken = [s.text for s in steps if s.step == "close" and s.stream.kind == "transcript"]
    assert spoken == ["Pleased to meet you, Ada.", "Your name is Ada."]
    assert steps == fold(await reader.done())


async def test_usage_is_told_apart_by_provider(pair: Pair) -> None:
    async with pair.connect() as session:
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        await session.switch(pair.names[1])
        await session.send_text("Who am I?")
        await reader.many(unirt.ResponseDone, 2)
    await reader.done()

    used = {account.provider: account.usage for account in session.usage.responses}
    assert [used[name].input.text for name in pair.names] == [10, 20]
    assert session.stats.frames_in == sum(
        line.totals.frames_sent for sim in (pair.here, pair.there) for line in sim.connections
    )


async def test_an_answer_that_runs_is_waited_for(pair: Pair) -> None:
    async with pair.connect() as session:
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.AudioDelta)
        await session.switch(pair.names[1])
    await reader.done()

    (done,) = reader.of(unirt.ResponseDone)
    assert done.ending is unirt.Ending.COMPLETE
    assert not reader.of(unirt.Interrupted)


async def test_patience_has_an_end_and_the_answer_is_then_cut(pair: Pair) -> None:
    async with pair.connect() as session:
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        session.playback.played(600)  # all of it was heard, so it stays in the history
        await session.send_text("A story.")
        await reader.until(lambda: len({e.response_id for e in reader.of(unirt.AudioDelta)}) == 2)
        await session.switch(pair.names[1], patience=0)
        assert (await seeded(reader, pair.there))[:3] == [
            ("user", "I am Ada."),
            ("assistant", "Pleased to meet you, Ada."),
            ("user", "A story."),
        ]
    await reader.done()

    (cut,) = reader.of(unirt.Interrupted)
    assert (cut.by, cut.generating) == ("reconnecting", True)
    assert reader.of(unirt.ResponseDone)[1].ending is unirt.Ending.INTERRUPTED
    place = reader.events.index
    assert place(cut) < place(reader.of(unirt.Reconnecting)[0])


async def test_what_cannot_be_reached_changes_nothing(pair: Pair) -> None:
    gone = pair.there.url
    async with pair.connect() as session:
        reader = Reader(session)
        with pytest.raises(unirt.UnknownProvider):
            await session.switch("nobody")
        with pytest.raises(unirt.DialError):
            await session.switch(pair.names[1], base_url=gone.rpartition(":")[0] + ":1")
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        assert session.provider == pair.names[0]
    await reader.done()

    assert not reader.of(unirt.Reconnecting)


async def test_a_missing_key_changes_nothing(pair: Pair) -> None:
    async with unirt.connect(pair.here.provider, environ=pair.here.env, env_file=None) as session:
        with pytest.raises(unirt.MissingKey):
            await session.switch(pair.names[1])
        assert session.provider == pair.names[0]
        assert not session.closed


async def test_a_key_that_is_refused_late_leads_back(pair: Pair) -> None:
    """Where a provider refuses only in the handshake, the connection before is gone by then."""

    async def dial(config: unirt.SessionConfig, credentials: Any) -> Any:
        transport = await load(pair.names[1]).dial(config, credentials)
        await transport.close()
        return transport

    async with pair.connect() as session:
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        with pytest.raises(unirt.HandshakeError):
            await session.switch(pair.names[1], transport=dial)

        assert session.provider == pair.names[0]
        assert await seeded(reader, pair.here) == [
            ("user", "I am Ada."),
            ("assistant", "Pleased to meet you, Ada."),
        ]
    await reader.done()

    attempts = [(each.target, each.attempt) for each in reader.of(unirt.Reconnecting)]
    assert attempts == [(pair.names[1], 1), (pair.names[0], 2)]
    (back,) = reader.of(unirt.Reconnected)
    assert (back.origin.provider, back.attempts) == (pair.names[0], 2)


async def test_a_model_is_never_carried_to_another_provider(pair: Pair) -> None:
    models = {name: load(name).default_model for name in pair.names}
    async with pair.connect(model=models[pair.names[0]], voice=VOICES[pair.names[0]]) as session:
        await session.switch(pair.names[1])

        assert session.config.model is not None
        assert session.config.model.endswith(models[pair.names[1]])
        assert session.config.voice != VOICES[pair.names[0]]
        await session.switch(pair.names[0])
        assert session.config.voice == VOICES[pair.names[0]]


VOICES = {"openai": "coral", "google": "Puck"}


async def test_changes_made_before_hold_after_it(pair: Pair) -> None:
    here, there = pair.names
    async with pair.connect(instructions="Be kind.") as session:
        await session.update(instructions="Be brief.", voice=VOICES[here])
        await session.switch(there)

        assert session.config.instructions == "Be brief."
        assert session.config.voice != VOICES[here]
        assert pair.there.connections[-1].server.config.instructions == "Be brief."


async def test_settings_that_cannot_be_had_there_are_told(pair: Pair) -> None:
    name, value = {"openai": ("speed", 1.25), "google": ("temperature", 0.5)}[pair.names[0]]
    async with pair.connect(**{name: value}) as session:
        reader = Reader(session)
        await session.switch(pair.names[1])

        assert getattr(session.config, name) is None
        (there,) = await reader.many(unirt.Reconnected)
        assert there.settings_lost == (name,)


async def test_audio_keeps_the_format_that_the_application_knows(pair: Pair) -> None:
    """The providers listen to different rates; the application goes on as it began (field 16)."""
    async with pair.connect() as session:
        reader = Reader(session)
        listens = session.capabilities.input_format
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        spoken = {event.format for event in reader.of(unirt.AudioDelta)}
        await session.switch(pair.names[1])
        assert session.capabilities.input_format != listens
        before = pair.there.connections[-1].totals.audio_ms_received
        await session.send_audio(bytes(listens.bytes_for(1000)))
        await session.send_text("Who am I?")
        await reader.many(unirt.ResponseDone, 2)
        line = pair.there.connections[-1]
        assert line.totals.audio_ms_received - before == pytest.approx(1000, abs=30)
        assert {event.format for event in reader.of(unirt.AudioDelta)} == spoken


async def test_what_is_still_heard_of_before_is_counted_and_can_be_interrupted(pair: Pair) -> None:
    """Fields 6 and 7: playback outlives the connection that it came over."""
    async with pair.connect() as session:
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        session.playback.played(100)
        await session.switch(pair.names[1])
        session.playback.played(100)
        (old,) = session.playback.responses
        assert (old.played_ms, old.received_ms, old.exactly) == (200, 600, True)
        await session.report_playback(250)
        await session.send_text("Who am I?")
        (cut,) = await reader.many(unirt.Interrupted)
        await reader.many(unirt.ResponseDone, 2)
        assert (cut.response_id, cut.heard_ms, cut.generating) == (old.response_id, 250, False)
        await session.report_playback(260, old.response_id)  # late, and no matter any more
    await reader.done()


async def test_the_user_goes_over_what_is_still_heard_of_before(pair: Pair) -> None:
    there = loads("""
        [pace]
        speed = 50
        [[reply]]
        cue = "speech"
        heard = { text = "Stop.", when = "during" }
        steps = [{ say = "All right.", ms = 400 }]
    """)
    async with (
        two(*pair.names, FIRST, there) as both,
        both.connect(audio_in=unirt.PCM16_24K) as session,
    ):
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        session.playback.played(0)  # a device that holds what it was given
        await session.switch(both.names[1])
        await session.send_audio(speech(900, unirt.PCM16_24K) + bytes(48_000))
        (cut,) = await reader.many(unirt.Interrupted)
        assert (cut.by, cut.generating, cut.origin.provider) == ("speech", False, both.names[0])
        await reader.many(unirt.ResponseDone, 2)
    await reader.done()


async def test_telemetry_tells_who_answered(pair: Pair) -> None:
    spans = InMemorySpanExporter()
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    async with pair.connect(telemetry=unirt.Telemetry(tracer_provider=tracing)) as session:
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        await session.switch(pair.names[1])
        await session.send_text("Who am I?")
        await reader.many(unirt.ResponseDone, 2)
    await reader.done()

    *answers, whole = spans.get_finished_spans()
    known = {"openai": "openai", "google": "gcp.gen_ai"}
    told = [dict(answer.attributes or {}) for answer in answers]
    assert [each["gen_ai.provider.name"] for each in told] == [known[n] for n in pair.names]
    models = [str(each["gen_ai.request.model"]) for each in told]
    for name, model in zip(pair.names, models, strict=True):
        assert model.endswith(load(name).default_model)
    assert [event.name for event in whole.events] == ["reconnected"]


async def test_what_is_left_is_closed_though_the_session_ends_at_once(pair: Pair) -> None:
    async with pair.connect() as session:
        reader = Reader(session)
        switching = asyncio.create_task(session.switch(pair.names[1]))
        await reader.many(unirt.Reconnecting)
        await session.close()
        with pytest.raises((unirt.SessionClosedError, unirt.DialError)):
            await switching
    await reader.done()
    await pair.here.settled()
    assert pair.here.connections[-1].closed == (1000, "")


async def test_a_question_that_nobody_began_to_answer_is_answered_there(pair: Pair) -> None:
    slow = loads("""
        [pace]
        latency_ms = 600000
        [[reply]]
        cue = "text"
        steps = [{ say = "Never." }]
    """)
    there = loads("""
        [pace]
        speed = 50
        [[reply]]
        cue = "text"
        steps = [{ say = "Here.", ms = 300 }]
        [[reply]]
        cue = "respond"
        steps = [{ say = "Here.", ms = 300 }]
    """)
    async with two(*pair.names, slow, there) as both, both.connect() as session:
        reader = Reader(session)
        await session.send_text("Where are you?")
        await session.switch(both.names[1], patience=0)
        (done,) = await reader.completed_ones(1)
        assert done.origin.provider == both.names[1]
        assert session.history[-1].text == "Here."
    await reader.done()


async def test_an_answer_that_the_application_has_cut_off_stays_so(pair: Pair) -> None:
    async with pair.connect() as session:
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        await session.send_text("A story.")
        await reader.until(lambda: len({e.response_id for e in reader.of(unirt.AudioDelta)}) == 2)
        await session.switch(pair.names[1], patience=0)
        await session.send_text("Who am I?")
        await reader.completed_ones(2)
        asked = [type(c) for c in pair.there.connections[-1].commands]
        assert asked.count(cmd.Respond) == (pair.names[1] == "openai")  # of the text alone
    await reader.done()
