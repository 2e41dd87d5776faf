"""Conversations come back from JSON exactly, and what cannot be read is told with its place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import unirt
from unirt import AudioContent, Conversation, ImageContent, Interruption, Item, TextContent

texts = st.none() | st.text(max_size=20)
numbers = st.none() | st.floats(0, 1e9) | st.integers(0, 10**6)
formats = st.none() | st.builds(
    unirt.AudioFormat,
    rate=st.integers(1_000, 384_000),
    channels=st.integers(1, 32),
    encoding=st.sampled_from(unirt.Encoding),
)
contents = st.one_of(
    st.builds(TextContent, text=st.text()),
    st.builds(
        AudioContent,
        transcript=texts,
        whole=texts,
        start_ms=numbers,
        duration_ms=numbers,
        data=st.none() | st.binary(max_size=20),
        format=formats,
    ),
    st.builds(
        ImageContent,
        data=st.none() | st.binary(max_size=20),
        mime_type=st.sampled_from(["image/jpeg", "image/png"]),
        url=texts,
    ),
)
jsons = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
items = st.builds(
    Item,
    kind=st.sampled_from(unirt.ItemKind),
    id=texts,
    role=st.none() | st.sampled_from(unirt.Role),
    content=st.lists(contents, max_size=3).map(tuple),
    status=texts,
    phase=texts,
    call_id=texts,
    name=texts,
    arguments=texts,
    output=texts,
    error=texts,
    interruption=st.none()
    | st.builds(
        Interruption,
        by=st.sampled_from(["speech", "client"]),
        heard_ms=numbers,
        exactly=st.booleans(),
    ),
    data=st.none() | st.dictionaries(st.text(max_size=5), jsons, max_size=3),
)


@given(kept=st.lists(items, max_size=4), forgotten=st.integers(0, 10**6))
def test_what_was_written_comes_back_exactly(kept: list[Item], forgotten: int) -> None:
    conversation = Conversation(kept, forgotten=forgotten)
    again = Conversation.from_json(conversation.to_json())

    assert again == conversation == tuple(kept)
    assert repr(again) == repr(conversation)
    assert again.forgotten == forgotten
    assert Conversation.from_json(again.to_json().encode()) == conversation


def test_it_is_written_for_people_to_read() -> None:
    conversation = Conversation(
        [
            Item(role=unirt.Role.USER, content=(TextContent(text="Grüß Gott"),)),
            Item(
                role=unirt.Role.ASSISTANT,
                status="incomplete",
                content=(AudioContent(transcript="Good", whole="Good day", duration_ms=900.0),),
                interruption=Interruption(heard_ms=420.0, exactly=True),
            ),
        ]
    )
    text = conversation.to_json()

    assert "Grüß Gott" in text
    assert json.loads(text) == {
        "format": "unirt.conversation",
        "version": 1,
        "items": [
            {
                "kind": "message",
                "role": "user",
                "content": [{"type": "text", "text": "Grüß Gott"}],
            },
            {
                "kind": "message",
                "role": "assistant",
                "status": "incomplete",
                "content": [
                    {
                        "type": "audio",
                        "transcript": "Good",
                        "whole": "Good day",
                        "duration_ms": 900.0,
                    }
                ],
                "interruption": {"by": "speech", "heard_ms": 420.0, "exactly": True},
            },
        ],
    }


def written(*entries: Any, **head: Any) -> str:
    return json.dumps(
        {"format": "unirt.conversation", "version": 1, "items": list(entries), **head}
    )


AUDIO = {"type": "audio"}


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("{", "$", "not JSON"),
        ("[]", "$", "an array where an object belongs"),
        ("[" * 100_000, "$", "not JSON"),
        (b"\xff\xfe\xfa", "$", "not JSON"),
        ('{"items": []}', "$.format", "no 'unirt.conversation'"),
        ('{"format": "unirt.conversation", "items": []}', "$.version", "missing"),
        (written(version=2), "$.version", "version 2, and this unirt reads up to 1"),
        (written(version="1"), "$.version", "a string where a whole number belongs"),
        (written(version=True), "$.version", "a boolean where a whole number"),
        (written(forgotten=-1), "$.forgotten", "negative"),
        (written(novelty=1), "$.novelty", "no such field"),
        (written(items={}), "$.items", "an object where an array belongs"),
        (written(7), "$.items[0]", "a number where an object belongs"),
        (written({}, {"kind": "gossip"}), "$.items[1].kind", "'gossip' is not known"),
        (written({"role": "tool"}), "$.items[0].role", "'tool' is not known"),
        (written({"id": 3}), "$.items[0].id", "a number where a string belongs"),
        (written({"mood": "good"}), "$.items[0].mood", "no such field"),
        (written({"data": []}), "$.items[0].data", "an array where an object belongs"),
        (written({"content": [{}]}), "$.items[0].content[0].type", "missing"),
        (written({"content": [{"type": "text"}]}), "$.items[0].content[0].text", "missing"),
        (
            written({"content": [{"type": "text", "text": "x", "font": 1}]}),
            "$.items[0].content[0].font",
            "no such field",
        ),
        (
            written({"content": [{**AUDIO, "data": "!"}]}),
            "$.items[0].content[0].data",
            "not base64",
        ),
        (
            written({"content": [{**AUDIO, "duration_ms": "1"}]}),
            "$.items[0].content[0].duration_ms",
            "a string where a number belongs",
        ),
        (
            written({"content": [{**AUDIO, "format": {"rate": 1}}]}),
            "$.items[0].content[0].format",
            "out of range",
        ),
        (
            written({"interruption": {"heard_ms": 1, "why": "x"}}),
            "$.items[0].interruption.why",
            "no such field",
        ),
        (
            '{"format": "unirt.conversation", "version": 1, "items": '
            '[{"interruption": {"heard_ms": NaN}}]}',
            "$",
            "NaN is no number",
        ),
        (
            '{"format": "unirt.conversation", "version": 1, "items": '
            '[{"interruption": {"heard_ms": 1e999}}]}',
            "$.items[0].interruption.heard_ms",
            "too large",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    text: str | bytes, where: str, what: str
) -> None:
    with pytest.raises(unirt.UnreadableConversation) as caught:
        Conversation.from_json(text)
    assert caught.value.where == where
    assert what in caught.value.what
    assert caught.value.remedy


@pytest.mark.parametrize("data", [{"x": (1, 2)}, {"x": {1}}, {"x": float("nan")}, {1: "x"}])
def test_what_json_would_not_give_back_is_not_written(data: Any) -> None:
    with pytest.raises(unirt.UsageError, match=r"cannot be written as JSON.*items\[1\].data"):
        Conversation([Item(), Item(data=data)]).to_json()


def test_half_a_character_is_not_written() -> None:
    half = Item(content=(TextContent(text="\ud800"),))
    with pytest.raises(unirt.UsageError, match=r"surrogate.*items\[0\]\.content\[0\]\.text"):
        Conversation([half]).to_json()


def test_null_is_what_is_not_set() -> None:
    text = written({"id": None, "content": None, "interruption": None, "data": None})
    assert Conversation.from_json(text) == (Item(),)
