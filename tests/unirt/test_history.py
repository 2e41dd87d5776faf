"""The history: the conversation in the order of its turns, whatever order the network has."""

import itertools
from typing import Any

import pytest

import unirt
from unirt import commands as cmd
from unirt.session.history import History

Toy = Any  # the fixture's class lives in conftest.py, which no module may import


MARKS = itertools.count()


def seed(text: str, **fields: Any) -> unirt.Item:
    return unirt.Item(role=unirt.Role.USER, content=(unirt.TextContent(text=text),), **fields)


def shown(items: tuple[unirt.Item, ...]) -> list[str]:
    """An item as ``who: what``."""
    lines = []
    for item in items:
        match item.kind:
            case unirt.ItemKind.MESSAGE:
                lines.append(f"{item.role}: {item.text}")
            case unirt.ItemKind.TOOL_CALL:
                lines.append(f"call {item.name}({item.arguments})")
            case unirt.ItemKind.TOOL_RESULT:
                lines.append(f"result {item.output or item.error}")
            case _:
                lines.append(f"{item.kind} {item.name}({item.arguments}) = {item.output}")
    return lines


async def settled(session: unirt.Session, toy: Toy) -> tuple[unirt.Item, ...]:
    """The history once the session has heard everything that was said."""
    mark = f"settled {next(MARKS)}"
    await toy.say("note", why=mark)
    async for event in session:
        if isinstance(event, unirt.Noted) and event.why == mark:
            return session.history
    raise AssertionError("the session ended")


async def test_a_transcript_that_comes_late_stands_before_the_answer(
    session: unirt.Session, toy: Toy
) -> None:
    await toy.say("speech", item="u1")
    await toy.say("commit", item="u1")
    await toy.say("text", response="r1", item="a1", kind="transcript", text="Hello there.")
    await toy.say("done", response="r1")
    await toy.say("speech", item="u2")
    await toy.say("commit", item="u2")
    await toy.say("text", response="r2", item="a2", kind="transcript", text="Fine.")
    await toy.say("done", response="r2")
    await toy.say("transcript", item="u2", text="How are you?")
    await toy.say("transcript", item="u1", text="Hi", final=False)
    await toy.say("transcript", item="u1", text="!")

    assert shown(await settled(session, toy)) == [
        "user: Hi!",
        "assistant: Hello there.",
        "user: How are you?",
        "assistant: Fine.",
    ]


async def test_a_transcript_of_what_was_never_committed_stands_before_the_answer_too(
    session: unirt.Session, toy: Toy
) -> None:
    await toy.say("speech", item="u1")
    await toy.say("text", response="r1", item="a1", kind="transcript", text="Hello there.")
    await toy.say("done", response="r1")
    await toy.say("transcript", item="u1", text="Hi!")

    assert shown(await settled(session, toy)) == ["user: Hi!", "assistant: Hello there."]


async def test_words_are_kept_as_they_were_said_or_written(
    session: unirt.Session, toy: Toy
) -> None:
    await session.send_text("in writing")
    await toy.say("audio", response="r", size=4_800)
    await toy.say("text", response="r", kind="transcript", text="spoken")
    await toy.say("text", response="r", kind="thought", text="not said")
    await toy.say("done", response="r")
    user, assistant = await settled(session, toy)

    assert user.content == (unirt.TextContent(text="in writing"),)
    assert assistant.content == (unirt.AudioContent(transcript="spoken", duration_ms=100),)
    assert (user.role, assistant.role) == (unirt.Role.USER, unirt.Role.ASSISTANT)
    assert assistant.status == "completed"


async def test_speech_without_a_transcript_is_still_an_item(
    session: unirt.Session, toy: Toy
) -> None:
    await toy.say("commit", item="u")
    await toy.say("audio", response="r", item="a", size=4_800)
    await toy.say("done", response="r")
    user, assistant = await settled(session, toy)

    assert user.content == (unirt.AudioContent(transcript=None),)
    assert assistant.content == (unirt.AudioContent(transcript=None, duration_ms=100),)
    assert (user.id, assistant.id) == ("u", "a")


async def test_an_interrupted_answer_stays_with_what_is_known(
    session: unirt.Session, toy: Toy
) -> None:
    await session.send_text("count")
    await toy.say("text", response="r", item="a", kind="transcript", text="One, two")
    running = await settled(session, toy)
    await toy.say("interrupt")
    await toy.say("done", response="r")
    cut = await settled(session, toy)

    assert shown(running) == shown(cut) == ["user: count", "assistant: One, two"]
    assert [item.status for item in (running[1], cut[1])] == ["in_progress", "incomplete"]


async def test_tool_results_follow_their_calls(session: unirt.Session, toy: Toy) -> None:
    await session.send_text("weather?")
    await toy.say("call", response="r1", call="c1", name="look", arguments='{"n": 1}')
    await toy.say("call", response="r1", call="c2", name="ask")
    await toy.say("done", response="r1")
    await settled(session, toy)
    await session.send_tool_result("c2", error="no answer")
    await session.send_tool_result("c1", {"sun": True}, more_follows=True)
    await session.send_tool_result("c1", "rain")
    await toy.say("text", response="r2", text="Rain.")
    await toy.say("done", response="r2")

    history = await settled(session, toy)
    assert shown(history) == [
        "user: weather?",
        'call look({"n": 1})',
        "result rain",
        "call ask({})",
        "result no answer",
        "assistant: Rain.",
    ]
    assert [item.call_id for item in history if item.call_id] == ["c1", "c1", "c2", "c2"]


async def test_a_cancelled_call_is_incomplete_and_takes_no_result(
    session: unirt.Session, toy: Toy
) -> None:
    await toy.say("call", response="r", call="c", name="look")
    await toy.say("cancel", calls=["c"])
    await settled(session, toy)
    await session.send_tool_result("c", "late")
    (call,) = await settled(session, toy)

    assert (call.kind, call.status) == (unirt.ItemKind.TOOL_CALL, "incomplete")


async def test_what_server_side_tools_did_is_kept(session: unirt.Session, toy: Toy) -> None:
    await toy.say(
        "server_tool", response="r", item="t", name="search", arguments='{"q": 1}', output="found"
    )
    await toy.say("text", response="r", item="a", text="Found it.")

    assert shown(await settled(session, toy)) == [
        'server_tool search({"q": 1}) = found',
        "assistant: Found it.",
    ]


async def test_responses_outside_the_conversation_leave_no_trace(
    session: unirt.Session, toy: Toy
) -> None:
    await toy.say("start", response="aside", in_conversation=False)
    await toy.say("text", response="aside", item="a", text="a summary")
    await toy.say("call", response="aside", call="c")
    await toy.say("done", response="aside")

    assert await settled(session, toy) == ()


async def test_deleted_items_leave(session: unirt.Session, toy: Toy) -> None:
    await toy.say("text", response="r", item="a", text="Wrong.")
    await toy.say("text", response="r", item="b", text="Right.")
    await toy.say("done", response="r")
    await toy.say("delete", item="a")
    await toy.say("delete", item="unknown")

    assert shown(await settled(session, toy)) == ["assistant: Right."]


async def test_seeds_stand_where_they_were_sown(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting(history=[seed("long ago")]) as session:
        assert shown(session.history) == ["user: long ago"]
        await session.send_text("now")
        await session.seed([seed("between", id="b")])
        await session.send_text("later")

        assert shown(session.history) == [
            "user: long ago",
            "user: now",
            "user: between",
            "user: later",
        ]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (None, ["one", "two", "new"]),
        ("root", ["new", "one", "two"]),
        ("1", ["one", "new", "two"]),
        ("unknown", ["one", "two", "new"]),
    ],
)
def test_created_items_stand_where_they_were_put(after: str | None, expected: list[str]) -> None:
    history = History(10, [seed("one", id="1"), seed("two", id="2")])
    history.said(cmd.CreateItem(item=seed("new", id="3"), previous_item_id=after))

    assert [item.text for item in history.items] == expected


async def test_it_is_bounded_and_forgets_the_oldest_turns(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting(limits=unirt.Limits(history_items=4)) as session:
        for n in range(5):
            await session.send_text(f"question {n}")
            await toy.say("text", response=f"r{n}", item=f"a{n}", text=f"answer {n}")
            await toy.say("done", response=f"r{n}")
            await settled(session, toy)

        assert shown(session.history) == [
            "user: question 3",
            "assistant: answer 3",
            "user: question 4",
            "assistant: answer 4",
        ]


def test_a_single_endless_turn_is_bounded_too() -> None:
    history = History(3, [seed(str(n), id=str(n)) for n in range(10)])

    assert [item.text for item in history.items] == ["7", "8", "9"]


def test_a_call_that_is_forgotten_takes_its_result_along() -> None:
    call = unirt.Item(
        id="c", kind=unirt.ItemKind.TOOL_CALL, call_id="call_1", name="look", arguments="{}"
    )
    result = unirt.Item(id="r", kind=unirt.ItemKind.TOOL_RESULT, call_id="call_1", output="seen")
    history = History(3, [call, seed("one", id="1"), result, seed("two", id="2")])

    assert [item.id for item in history.items] == ["1", "2"]
    assert history.items.forgotten == 2


async def test_the_same_history_is_not_built_twice(session: unirt.Session) -> None:
    await session.send_text("hi")
    assert session.history is session.history


async def test_its_text_is_bounded_by_the_sessions_limits(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting(limits=unirt.Limits(history_characters=30)) as session:
        for n in range(4):
            await session.send_text(f"question {n}")
            await toy.say("text", response=f"r{n}", item=f"a{n}", text="yes")
            await toy.say("done", response=f"r{n}")
            await settled(session, toy)

        assert shown(session.history)[0] == "user: question 2"
        assert session.history.forgotten == 4
