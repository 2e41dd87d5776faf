"""
Settings that change while a session runs, on both providers, over real sockets (field 18).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

import unirt
from tests.pace import FAST
from tests.talking import Reader
from unirt import commands as cmd
from unirt.capabilities import Change
from unirt.registry import load
from unirt.simulator import Simulator
from unirt.simulator.script import loads

VERTEX = "projects/p/locations/us-central1/publishers/google/models/gemini-3.8-live"
TALK = loads("""
    [pace]
    speed = 50

    [[reply]]
    cue = "text"
    steps = [{ say = "One.", ms = 400 }]

    [[reply]]
    cue = "text"
    steps = [{ say = "Two, and that is a long story.", ms = 1500 }]
""")

Talk = tuple[unirt.Session, Simulator, Reader]


def talking(name: str, **more: Any) -> Any:
    return _Talking(name, more)


class _Talking:
    def __init__(self, name: str, more: dict[str, Any]) -> None:
        self.simulator = Simulator(load(name), TALK, model=more.get("model"))
        self.more = more

    async def __aenter__(self) -> Talk:
        await self.simulator.__aenter__()
        self.connecting = unirt.connect(
            self.simulator.provider,
            environ=self.simulator.env,
            env_file=None,
            instructions="Be kind.",
            **self.more,
        )
        self.session = await self.connecting.__aenter__()
        self.reader = Reader(self.session)
        return self.session, self.simulator, self.reader

    async def __aexit__(self, *exc: Any) -> None:
        await self.connecting.__aexit__(None, None, None)
        await self.simulator.__aexit__(None, None, None)
        if exc[0] is None:
            await self.reader.done()


@pytest.fixture(params=["openai", "google"])
async def talk(request: pytest.FixtureRequest) -> AsyncIterator[Talk]:
    async with talking(request.param) as talk:
        yield talk


async def said(reader: Reader, text: str = "Hi") -> None:
    """One exchange, so that there is something to be remembered."""
    answers = len(reader.of(unirt.ResponseDone))
    await reader.session.send_text(text)
    await reader.many(unirt.ResponseDone, answers + 1)


async def test_instructions_change_on_every_provider_and_the_conversation_is_kept(
    talk: Talk,
) -> None:
    session, simulator, reader = talk
    await said(reader)
    result = await session.update(instructions="Be brief.")
    await said(reader)

    how = session.capabilities.changing("instructions").change
    expected = {
        Change.IN_PLACE: unirt.Outcome.APPLIED,
        Change.RECONNECT: unirt.Outcome.RECONNECTED,
    }
    assert result["instructions"] is expected[how]
    assert session.config.instructions == "Be brief."
    line = simulator.connections[-1]
    assert line.server.config.instructions == "Be brief."
    assert len(simulator.connections) == (1 if how is Change.IN_PLACE else 2)
    if how is Change.RECONNECT:
        (seed, *_) = [c for c in line.commands if isinstance(c, cmd.SeedHistory)]
        assert [item.text for item in seed.items] == ["Hi", "One."]
        (there,) = reader.of(unirt.Reconnected)
        assert (there.why, there.previous) == ("update", session.provider)


async def test_a_voice_changes_in_place_until_something_was_spoken() -> None:
    async with talking("openai") as (session, simulator, reader):
        assert (await session.update(voice="coral"))["voice"] is unirt.Outcome.APPLIED
        await said(reader)
        assert simulator.connections[-1].server.config.voice == "coral"
        assert len(simulator.connections) == 1
        result = await session.update(voice="sage", instructions="Be brief.")
        assert result["voice"] is unirt.Outcome.RECONNECTED
        assert "spoken" in result.settings["voice"].why
        assert result["instructions"] is unirt.Outcome.APPLIED  # it needed no other connection
        await said(reader)
        assert simulator.connections[-1].server.config.voice == "sage"
        assert len(simulator.connections) == 2


async def test_a_new_connection_can_be_forbidden(talk: Talk) -> None:
    session, simulator, reader = talk
    await said(reader)
    with pytest.raises(unirt.UnsupportedSetting, match="reconnect=True"):
        await session.update(voice="other", instructions="Be brief.", reconnect=False)

    assert session.config.instructions == "Be kind."
    assert len(simulator.connections) == 1
    assert not reader.of(unirt.Reconnecting)


async def test_what_cannot_be_had_is_refused_before_anything_is_sent(talk: Talk) -> None:
    session, simulator, _ = talk
    sent = session.stats.frames_out
    with pytest.raises(unirt.UnsupportedSetting, match="seed"):
        await session.update(history=[unirt.Item(role=unirt.Role.USER)], instructions="x")
    missing: Any = {"openai": {"language": "de"}, "google": {"speed": 1.2}}[session.provider]
    with pytest.raises(unirt.UnsupportedSetting, match=next(iter(missing))):
        await session.update(**missing, instructions="x")

    assert session.stats.frames_out == sent
    assert session.config.instructions == "Be kind."
    assert len(simulator.connections) == 1


async def test_without_strict_the_rest_is_changed_and_the_refusal_is_told(talk: Talk) -> None:
    session, _, reader = talk
    missing: Any = {"openai": {"language": "de"}, "google": {"speed": 1.2}}[session.provider]
    result = await session.update(strict=False, instructions="Be brief.", **missing)

    (name,) = missing
    assert result[name] is unirt.Outcome.REFUSED
    assert set(result.refused) == {name}
    assert result.refused[name]
    assert result["instructions"] is not unirt.Outcome.REFUSED
    assert session.config.instructions == "Be brief."
    await said(reader)


async def test_while_an_answer_runs_changes_are_for_the_next(talk: Talk) -> None:
    session, simulator, reader = talk
    await said(reader)
    await session.send_text("More.")
    await reader.until(lambda: len({e.response_id for e in reader.of(unirt.AudioDelta)}) == 2)
    result = await session.update(instructions="Be brief.")
    assert result["instructions"] is unirt.Outcome.DEFERRED

    done = await reader.many(unirt.ResponseDone, 2)
    assert done[1].ending is unirt.Ending.COMPLETE  # it was not cut off for that
    if session.capabilities.changing("instructions").change is Change.RECONNECT:
        (settled,) = await reader.many(unirt.UpdateSettled)
        assert settled.result["instructions"] is unirt.Outcome.RECONNECTED
        place = reader.events.index
        assert place(done[1]) < place(reader.of(unirt.Reconnecting)[0]) < place(settled)
    assert simulator.connections[-1].server.config.instructions == "Be brief."


async def test_what_changes_between_answers_only_waits_for_the_end_of_one() -> None:
    async with talking("openai") as (session, simulator, reader):
        await said(reader)
        await session.send_text("More.")
        await reader.until(lambda: len({e.response_id for e in reader.of(unirt.AudioDelta)}) == 2)
        first = await session.update(speed=1.2)
        second = await session.update(speed=1.5)
        assert (first["speed"], second["speed"]) == (unirt.Outcome.DEFERRED,) * 2
        assert not [c for c in simulator.connections[-1].commands if _speed(c) in (1.2, 1.5)]
        (settled,) = await reader.many(unirt.UpdateSettled)

        assert settled.result["speed"] is unirt.Outcome.APPLIED
        assert session.config.speed == 1.5
        assert len(simulator.connections) == 1
        kinds = [type(event) for event in reader.events]
        last = len(kinds) - 1 - kinds[::-1].index(unirt.ResponseDone)
        assert last < reader.events.index(settled)


def _speed(command: cmd.Command) -> float | None:
    return command.changes.speed if isinstance(command, cmd.UpdateSession) else None


async def test_turn_detection_is_not_put_off() -> None:
    async with talking("openai") as (session, _, reader):
        await said(reader)
        await session.send_text("More.")
        await reader.until(lambda: len({e.response_id for e in reader.of(unirt.AudioDelta)}) == 2)
        result = await session.update(turn_detection="manual", instructions="Be brief.")

        assert result["turn_detection"] is unirt.Outcome.APPLIED
        assert result["instructions"] is unirt.Outcome.DEFERRED


@pytest.mark.parametrize("setting", ["instructions", "tools"])
async def test_context_update_is_used_where_the_model_takes_it(setting: str) -> None:
    value: Any = {"instructions": "Be brief.", "tools": (unirt.Tool(name="look_up"),)}[setting]
    async with talking("google", model=VERTEX) as (session, simulator, reader):
        await said(reader)
        result = await session.update(**{setting: value})
        assert result[setting] is unirt.Outcome.APPLIED
        await said(reader)
        (line,) = simulator.connections
        updates = [c for c in line.commands if isinstance(c, cmd.UpdateSession)]
        assert [named(getattr(each.changes, setting)) for each in updates] == [named(value)]
        assert named(getattr(line.server.config, setting)) == named(value)
        assert getattr(session.config, setting) == value


async def test_a_model_changes_by_reconnecting(talk: Talk) -> None:
    session, simulator, reader = talk
    other = {"openai": "gpt-realtime", "google": "gemini-3.1-flash-live-preview"}
    await said(reader)
    result = await session.update(model=other[session.provider])

    assert result["model"] is unirt.Outcome.RECONNECTED
    assert session.capabilities.model.endswith(other[session.provider])
    await said(reader)
    assert len(simulator.connections) == 2


async def test_a_change_is_remembered_by_the_next_connection(talk: Talk) -> None:
    session, simulator, reader = talk
    await session.update(instructions="Be brief.")
    await said(reader)
    await session.switch(session.provider)
    await said(reader)

    assert simulator.connections[-1].server.config.instructions == "Be brief."


@unirt.tool
def look_up(query: str) -> str:
    """Look something up."""
    return "found"


SETTINGS: dict[str, Any] = {
    "instructions": "Be brief.",
    "tools": (unirt.Tool(name="look_up", description="Look something up."),),
    "voice": {"openai": "coral", "google": "Kore"},
    "turn_detection": unirt.Manual(),
}


def named(value: Any) -> Any:
    """The names of tools, whose defaults one protocol writes out; anything else as it is."""
    return [tool.name for tool in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("setting", SETTINGS)
async def test_each_setting_is_in_force_at_the_server(talk: Talk, setting: str) -> None:
    """Whatever became of it was told, and the next answer is given with it."""
    session, simulator, reader = talk
    value = SETTINGS[setting]
    value = value[session.provider] if setting == "voice" else value
    await said(reader)
    how = session.capabilities.changing(setting).change
    result = await session.update(**{setting: value})
    await said(reader)

    again = result[setting] is unirt.Outcome.RECONNECTED
    assert result[setting] in (unirt.Outcome.APPLIED, unirt.Outcome.RECONNECTED)
    assert again or how is Change.IN_PLACE
    assert len(simulator.connections) == 1 + again
    assert getattr(session.config, setting) == value
    assert named(getattr(simulator.connections[-1].server.config, setting)) == named(value)


@pytest.mark.parametrize("provider", ["openai", "google"])
async def test_tools_that_came_later_run_over_the_connection_that_has_them(provider: str) -> None:
    async with (
        Simulator(load(provider), pace=FAST) as simulator,
        unirt.connect(provider, environ=simulator.env, env_file=None) as session,
    ):
        reader = Reader(session)
        await said(reader, "look_up, please")
        assert not reader.of(unirt.ToolCall)
        await session.update(tools=[look_up])
        await said(reader, "look_up, please")
        (finished,) = await reader.many(unirt.ToolFinished)
        assert (finished.status, finished.output) == ("completed", "found")
        await reader.until(lambda: session.history[-1].text.startswith("The tool returned"))
        results = [c for c in simulator.connections[-1].commands if type(c) is cmd.SendToolResult]
        assert [result.output for result in results] == ["found"]
    await reader.done()
