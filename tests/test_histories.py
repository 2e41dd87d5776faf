"""
A history goes on with any provider: held on one simulator, seeded into each (field 17).

Over real sockets, by what the simulated server heard.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import attrs
import pytest

import unirt
from tests.pace import FAST
from unirt import commands as cmd
from unirt.items import ItemKind
from unirt.provider import Provider
from unirt.registry import load
from unirt.simulator import Line, Simulator
from unirt.simulator.scenario import Say, Scenario
from unirt.simulator.script import builtin, loads
from unirt.simulator.voice import silence, speech

NAMES = ("openai", "google")


@cache
def scenario() -> Scenario:
    return loads("""
        [pace]
        speed = 1000
        latency_ms = 1
        word_ms = 0

        [[reply]]
        cue = "text"
        steps = [
            { say = "Let me look.", ms = 400 },
            { call = "get_weather", args = { city = "Rome" } },
        ]

        [[reply]]
        cue = "tool_result"
        steps = [{ say = "It is fourteen degrees.", ms = 800 }]

        [[reply]]
        cue = "text"
        steps = [{ say = "Once upon a time there was a king who had a daughter.", ms = 6000 }]
    """)


async def until_done(session: unirt.Session) -> None:
    """Answer calls, and wait until a response is done that made none."""
    called = set()
    async for event in session:
        if isinstance(event, unirt.ToolCall):
            called.add(event.response_id)
            await session.send_tool_result(event.call_id, {"celsius": 14})
        elif isinstance(event, unirt.ResponseDone) and event.response_id not in called:
            return


async def held_on(provider: Provider) -> unirt.Conversation:
    """A conversation with a tool round, and a reply of which 1.2 s were heard."""
    tool = unirt.Tool(name="get_weather")
    async with (
        Simulator(provider, scenario()) as simulator,
        unirt.connect(provider, tools=[tool], environ=simulator.env, env_file=None) as session,
    ):
        await session.send_text("What is the weather in Rome?")
        await until_done(session)
        await session.send_text("Tell me a story.")
        await until_done(session)
        await session.interrupt(played_ms=1_250)
        return session.history


def plain(items: unirt.Conversation) -> list[tuple[Any, ...]]:
    """The items without what a provider calls them."""
    return [
        (i.kind, i.role, i.content, i.status, i.name, i.arguments, i.output, i.interruption)
        for i in items
    ]


async def test_the_same_conversation_has_the_same_history() -> None:
    """Also of what was heard: the model's belief can be corrected on one of the two only."""
    one, other = [await held_on(load(name)) for name in NAMES]

    assert plain(one) == plain(other)
    assert [item.text for item in one if item.text] == [
        "What is the weather in Rome?",
        "Let me look.",
        "It is fourteen degrees.",
        "Tell me a story.",
        "Once upon",
    ]
    story = one[-1]
    assert story.interruption == unirt.Interruption(by="client", heard_ms=1250, exactly=True)
    assert story.content == (
        unirt.AudioContent(
            transcript="Once upon",
            whole="Once upon a time there was a king who had a daughter.",
            duration_ms=6000,
        ),
    )


async def heard_from(
    provider: Provider, items: tuple[unirt.Item, ...]
) -> tuple[Line, list[unirt.Event], unirt.HistorySeeded | None]:
    """Seed a history at the start, go on with a question, and close."""
    events: list[unirt.Event] = []
    async with (
        Simulator(provider, pace=FAST) as simulator,
        unirt.connect(
            provider,
            history=items,
            observers=[events.extend],
            environ=simulator.env,
            env_file=None,
        ) as session,
    ):
        seeded = session.seeded
        await session.send_text("Go on.")
        async for event in session:
            if isinstance(event, unirt.ResponseDone):
                break
        return simulator.connections[-1], events, seeded


def said(line: Line) -> list[tuple[str, str]]:
    """What the server heard before the question, as ``who: what``."""
    told: list[tuple[str, str]] = []
    for command in line.commands:
        match command:
            case cmd.SendText(text=text):
                told.append(("user", text))
            case cmd.CreateItem(item=item):
                told.append(_item(item))
            case cmd.SeedHistory(items=items):
                told += map(_item, items)
            case cmd.SendToolResult(output=output, error=error):
                told.append(("result", str(output or error)))
            case cmd.SendImage(mime_type=mime_type):
                told.append(("user", f"<{mime_type}>"))
            case _:
                pass
    assert told.pop() == ("user", "Go on.")
    return told


def _item(item: unirt.Item) -> tuple[str, str]:
    if item.kind is ItemKind.TOOL_CALL:
        return "call", f"{item.name} {item.arguments}"
    pictures = [f"<{p.mime_type}>" for p in item.content if isinstance(p, unirt.ImageContent)]
    sounds = ["<audio>" for p in item.content if isinstance(p, unirt.AudioContent)]
    return str(item.role), item.text + "".join(pictures + sounds)


EXPECTED = {
    "openai": [
        ("user", "What is the weather in Rome?"),
        ("assistant", "Let me look."),
        ("call", 'get_weather {"city":"Rome"}'),
        ("result", '{"celsius": 14}'),
        ("assistant", "It is fourteen degrees."),
        ("user", "Tell me a story."),
        ("assistant", "Once upon"),
    ],
    "google": [
        ("user", "What is the weather in Rome?"),
        ("assistant", 'Let me look.[called get_weather with {"city":"Rome"}]'),
        ("user", '[get_weather returned {"celsius": 14}]'),
        ("assistant", "It is fourteen degrees."),
        ("user", "Tell me a story."),
        ("assistant", "Once upon"),
    ],
}


@pytest.mark.parametrize("target", NAMES)
@pytest.mark.parametrize("source", NAMES)
async def test_a_history_goes_on_with_either_provider(source: str, target: str) -> None:
    """Exported, imported and seeded: roles kept, tool pairs kept, no reply, and all of it told."""
    held = await held_on(load(source))
    history = unirt.Conversation.from_json(held.to_json())
    line, events, seeded = await heard_from(load(target), history)

    assert said(line) == EXPECTED[target]
    assert sum(isinstance(event, unirt.ResponseStarted) for event in events) == 1
    assert not [event for event in events if isinstance(event, unirt.ProviderError)]
    assert [event for event in events if isinstance(event, unirt.HistorySeeded)] == [seeded]
    assert seeded is not None
    assert seeded.lost == ()
    assert seeded.carried + len(seeded.changed) == len(history)
    expected = {1, 4, 6} | ({2, 3} if target == "google" else set())
    assert {note.index for note in seeded.changed} == expected


TEXT = unirt.TextContent(text="words")
PICTURE = unirt.ImageContent(data=b"\xff\xd8", mime_type="image/png")
SOUND = unirt.AudioContent(data=bytes(480), format=unirt.PCM16_24K)
USER, ASSISTANT, SYSTEM = unirt.Role.USER, unirt.Role.ASSISTANT, unirt.Role.SYSTEM
CALL = unirt.Item(kind=ItemKind.TOOL_CALL, call_id="c", name="look", arguments="{}")
RESULT = unirt.Item(kind=ItemKind.TOOL_RESULT, call_id="c", name="look", output="fog")

Told = list[tuple[str, str]]
CARRIED, CHANGED, LOST = "carried", "changed", "lost"
KINDS: dict[str, tuple[list[unirt.Item], dict[str, tuple[Told, list[str]]]]] = {
    "user, written": (
        [unirt.Item(role=USER, content=(TEXT,))],
        dict.fromkeys(NAMES, ([("user", "words")], [CARRIED])),
    ),
    "assistant, written": (
        [unirt.Item(role=ASSISTANT, content=(TEXT,))],
        dict.fromkeys(NAMES, ([("assistant", "words")], [CARRIED])),
    ),
    "system": (
        [unirt.Item(role=SYSTEM, content=(TEXT,))],
        {"openai": ([("system", "words")], [CARRIED]), "google": ([("user", "words")], [CHANGED])},
    ),
    "user, spoken": (
        [unirt.Item(role=USER, content=(attrs.evolve(SOUND, transcript="words"),))],
        {
            "openai": ([("user", "words<audio>")], [CARRIED]),
            "google": ([("user", "words")], [CHANGED]),
        },
    ),
    "user, spoken, without words": (
        [unirt.Item(role=USER, content=(SOUND,))],
        {"openai": ([("user", "<audio>")], [CARRIED]), "google": ([], [LOST])},
    ),
    "assistant, spoken": (
        [unirt.Item(role=ASSISTANT, content=(unirt.AudioContent(transcript="words"),))],
        dict.fromkeys(NAMES, ([("assistant", "words")], [CHANGED])),
    ),
    "assistant, unheard": (
        [unirt.Item(role=ASSISTANT, content=(unirt.AudioContent(transcript="", whole="words"),))],
        dict.fromkeys(NAMES, ([], [LOST])),
    ),
    "picture": (
        [unirt.Item(role=USER, content=(PICTURE,))],
        dict.fromkeys(NAMES, ([("user", "<image/png>")], [CARRIED])),
    ),
    "tool pair": (
        [CALL, RESULT],
        {
            "openai": ([("call", "look {}"), ("result", "fog")], [CARRIED, CARRIED]),
            "google": (
                [("assistant", "[called look with {}]"), ("user", "[look returned fog]")],
                [CHANGED, CHANGED],
            ),
        },
    ),
    "failed tool": (
        [CALL, attrs.evolve(RESULT, output=None, error="down")],
        {
            "openai": ([("call", "look {}"), ("result", "down")], [CARRIED, CARRIED]),
            "google": (
                [("assistant", "[called look with {}]"), ("user", "[look failed: down]")],
                [CHANGED, CHANGED],
            ),
        },
    ),
    "result alone": (
        [RESULT],
        dict.fromkeys(NAMES, ([("user", "[look returned fog]")], [CHANGED])),
    ),
    "server tool": (
        [unirt.Item(kind=ItemKind.SERVER_TOOL, name="search", output="found")],
        dict.fromkeys(NAMES, ([], [LOST])),
    ),
    "unknown": (
        [unirt.Item(kind=ItemKind.OTHER)],
        dict.fromkeys(NAMES, ([], [LOST])),
    ),
}
"Items, and on each provider what the server hears and what becomes of each."


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
async def test_every_kind_of_item_is_carried_changed_or_lost_and_that_is_told(
    name: str, kind: str
) -> None:
    items, expected = KINDS[kind]
    told, fates = expected[name]
    line, events, seeded = await heard_from(load(name), tuple(items))

    assert said(line) == told
    assert not [event for event in events if isinstance(event, unirt.ProviderError)]
    assert seeded is not None
    changed = {note.index for note in seeded.changed}
    lost = {note.index for note in seeded.lost}
    assert seeded.carried == fates.count(CARRIED)
    assert [
        LOST if n in lost else CHANGED if n in changed else CARRIED for n in range(len(items))
    ] == fates
    assert all(note.what for note in (*seeded.changed, *seeded.lost))


@pytest.mark.parametrize("name", NAMES)
async def test_a_verb_that_seeds_returns_what_became_of_it(name: str) -> None:
    """And nothing is answered but what is asked after it."""
    provider = load(name)
    told: list[unirt.Event] = []
    async with (
        Simulator(provider, pace=FAST) as simulator,
        unirt.connect(
            provider, observers=[told.extend], environ=simulator.env, env_file=None
        ) as session,
    ):
        assert session.seeded is None
        items = [unirt.Item(role=USER, content=(TEXT,)), unirt.Item(kind=ItemKind.OTHER)]
        seeded = await session.seed(items)
        assert (seeded.carried, [note.index for note in seeded.lost]) == (1, [1])
        assert session.seeded is seeded
        async for event in session:
            if isinstance(event, unirt.HistorySeeded):
                assert event is seeded
                break
        assert [item.text for item in session.history] == ["words", ""]
        await session.send_text("Go on.")
        async for event in session:
            if isinstance(event, unirt.ResponseDone):
                break
        assert said(simulator.connections[-1]) == [("user", "words")]
    assert sum(isinstance(event, unirt.ResponseStarted) for event in told) == 1


@pytest.mark.parametrize("name", NAMES)
async def test_words_that_come_late_stand_before_their_answer(name: str) -> None:
    """Field 12: one final transcript of the turn, which says whose it is, and in true order."""
    events: list[unirt.Event] = []
    provider, plan = load(name), builtin("late_transcript")
    async with (
        Simulator(provider, plan, pace=FAST) as simulator,
        unirt.connect(
            provider,
            input_transcription=True,
            observers=[events.extend],
            environ=simulator.env,
            env_file=None,
        ) as session,
    ):
        format = session.capabilities.input_format
        await session.send_audio(speech(900, format) + silence(900, format), format)
        over = set[str | None]()
        async for event in session:
            if isinstance(event, unirt.ResponseDone):
                over.add("answer")
            if isinstance(event, unirt.StreamClosed) and event.stream.role == "user":
                over.add("words")
            if len(over) == 2:
                break
        history = [(item.role, item.text) for item in session.history]

    (words,) = [e for e in events if isinstance(e, unirt.StreamClosed) and e.stream.role == "user"]
    (started,) = [e for e in events if isinstance(e, unirt.ResponseStarted)]
    assert words.stream.item_id is not None
    assert words.stream.turn_id == started.turn_id
    spoken = [step.text for step in plan.replies[0].steps if isinstance(step, Say)]
    heard = plan.replies[0].heard
    assert heard is not None
    assert events.index(words) > events.index(started)
    assert history == [(USER, heard.text), (ASSISTANT, " ".join(spoken))]
