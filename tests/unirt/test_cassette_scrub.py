"""Scrubbing: ids are renamed alike, audio is what was asked for, and rules of one's own hold."""

import base64
import json
from typing import Any

import attrs
import pytest

from tests.unirt.scrubbing import KEY, cassette, clean, received, text_of
from unirt import PCM16_24K, SessionConfig
from unirt.cassettes import Altered, Cassette, Entry, Exchanged, Framed, dumps, loads
from unirt.cassettes.scrub import Scrub
from unirt.cassettes.secrets import PLACEHOLDER, Secrets
from unirt.errors import ConfigurationError
from unirt.registry import installed, load
from unirt.simulator import Exchange, builtin, run

# Ids.


def test_ids_are_renamed_alike_everywhere() -> None:
    found = cassette(
        received({"event_id": "event_E6U0upa15", "item": {"id": "item_AAAA1111"}}),
        Framed(direction="sent", data={"item_id": "item_AAAA1111", "previous_item_id": "root"}),
        received({"error": {"message": "Item 'item_AAAA1111' is gone", "param": "item_AAAA1111"}}),
        received({"toolCall": {"functionCalls": [{"id": "function-call-77"}]}, "newHandle": "ab1"}),
        Framed(direction="sent", data={"handle": "ab1", "ids": ["function-call-77", "x9"]}),
    )
    after = clean(found)
    assert [entry.data for entry in after.entries if isinstance(entry, Framed)] == [
        {"event_id": "event_1", "item": {"id": "item_1"}},
        {"item_id": "item_1", "previous_item_id": "root"},
        {"error": {"message": "Item 'item_1' is gone", "param": "item_1"}},
        {"toolCall": {"functionCalls": [{"id": "function-call_1"}]}, "newHandle": "id_1"},
        {"handle": "id_1", "ids": ["function-call_1", "id_2"]},
    ]
    assert after.header.scrubbed["ids"] == 5
    assert clean(found, Scrub(ids=False)).entries == found.entries


def test_ids_in_http_bodies_are_the_same_ids() -> None:
    found = cassette(
        Exchanged(
            request={"body": "{}", "uri": "https://host/sessions"},
            response={"body": {"string": '{"id": "sess_X9", "call_id": "call_LONG7777"}'}},
        ),
        Exchanged(
            request={"body": '{"id": "sess_X9"}', "uri": "https://host/sess_X9/call_LONG7777-x"},
            response={},
        ),
        received({"session": {"id": "sess_X9"}}),
    )
    first, second, frame = clean(found).entries[1:4]
    assert isinstance(first, Exchanged)
    assert isinstance(second, Exchanged)
    assert first.response == {"body": {"string": '{"id": "sess_1", "call_id": "call_1"}'}}
    assert second.request == {"body": '{"id": "sess_1"}', "uri": "https://host/sess_1/call_1-x"}
    assert frame == received({"session": {"id": "sess_1"}})


def test_what_an_application_says_over_http_by_itself_stays() -> None:
    """vcrpy compares it as it is."""
    asked = Exchanged(
        request={"body": '{"order_id": "A4711"}', "uri": "https://host/orders/order-12345678"},
        response={"body": {"string": '{"id": "order-12345678", "order_id": "A4711"}'}},
    )
    told = received({"id": "order-12345678"})
    assert clean(cassette(asked, told)).entries[1:3] == (asked, told)


@pytest.mark.parametrize("id_", ["A4711", "order_20261126", "order_ABCDEFGHI", "f3a1-77"])
def test_what_somebody_gave_as_an_id_over_http_stays(id_: str) -> None:
    asked = Exchanged(
        request={"uri": "https://shop/orders"},
        response={"body": {"string": json.dumps([{"id": id_}])}},
    )
    assert clean(cassette(asked)).entries[1] == asked


@pytest.mark.parametrize(
    ("provider", "call", "result"),
    [
        (
            "google",
            {"toolCall": {"functionCalls": [{"id": "X1", "args": {"order_id": "A4711"}}]}},
            {"toolResponse": {"functionResponses": [
                {"id": "X1", "response": {"output": {"ticketId": "T-A4711"}}}
            ]}},
        ),
        (
            "openai",
            {"type": "t", "item": {"id": "X1", "arguments": '{"order_id": "A4711"}'}},
            {"type": "t", "item_id": "X1", "metadata": {"ticket_id": "T-A4711"}},
        ),
    ],
)  # fmt: skip
def test_ids_of_an_application_are_data(
    provider: str, call: dict[str, Any], result: dict[str, Any]
) -> None:
    found = cassette(
        received(call), Framed(direction="sent", data=result), provider=provider, model="m"
    )
    after = clean(found)
    for entry, before in zip(after.entries[1:3], (call, result), strict=True):
        assert isinstance(entry, Framed)
        assert json.dumps(entry.data) == json.dumps(before).replace("X1", "id_1")


@pytest.mark.parametrize("audio", ["keep", "silence", 5])
def test_scrubbing_twice_changes_nothing(audio: Any) -> None:
    once = clean(recorded("openai", "tool_call"), Scrub(audio=audio))
    assert clean(once, Scrub(audio=audio)) == once


# Audio.


def recorded(provider: str, scenario: str, config: SessionConfig | None = None) -> Cassette:
    exchange: Exchange = run(load(provider), builtin(scenario), config)
    assert exchange.capabilities is not None
    entries = [
        Framed(direction="sent" if direction == "sent" else "received", data=json.loads(frame))
        for direction, frame in exchange.frames
    ]
    model = exchange.capabilities.model
    return cassette(*entries, provider=provider, model=model)


def long_strings(found: Cassette) -> list[str]:
    def strings(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value] if len(value) > 500 and " " not in value else []
        inner = value.values() if isinstance(value, dict) else value
        return [s for one in inner for s in strings(one)] if isinstance(value, dict | list) else []

    return [s for entry in found.entries if isinstance(entry, Framed) for s in strings(entry.data)]


@pytest.mark.parametrize("scenario", ["spoken_turn", "barge_in_playing", "manual_turn", "seeding"])
@pytest.mark.parametrize("provider", installed())
def test_all_audio_is_found_in_both_directions_and_nothing_else(
    provider: str, scenario: str
) -> None:
    found = recorded(provider, scenario)
    silent = clean(found, Scrub(audio="silence"))
    assert not [s for s in long_strings(silent) if s.strip("A=")]
    sizes = [len(s) for s in long_strings(found)]
    assert [len(s) for s in long_strings(silent)] == sizes
    assert len(text_of(silent)) < len(text_of(found)) / (5 if sizes else 1)
    assert loads(dumps(silent, "x"), "x") == silent
    assert silent.header.scrubbed["audio"] == "silence"
    changed = [
        (old, new)
        for old, new in zip(found.entries, silent.entries, strict=True)
        if isinstance(new, Framed) and new.altered
    ]
    assert len(changed) >= len(sizes)


def test_audio_is_cut_to_what_was_asked_for() -> None:
    found = recorded("google", "text_turn")
    cut = clean(found, Scrub(audio=10))
    frames = [e for e in cut.entries if isinstance(e, Framed) and e.altered]
    assert frames
    for frame in frames:
        part = frame.data["serverContent"]["modelTurn"]["parts"][0]["inlineData"]["data"]
        assert len(base64.b64decode(part)) == PCM16_24K.bytes_for(10)
        assert frame.altered[0].size > PCM16_24K.bytes_for(10)
        assert frame.altered[0].silence is None
    assert cut.header.scrubbed["audio"] == "cut to 10 ms"
    whole = clean(found, Scrub(audio=10_000))
    assert not any(entry.altered for entry in whole.entries if isinstance(entry, Framed))


def test_silence_is_silence_in_every_encoding() -> None:
    from unirt import G711_ALAW, G711_ULAW

    for format, byte in ((G711_ULAW, 0xFF), (G711_ALAW, 0xD5)):
        config = SessionConfig(input_format=format, output_format=format)
        silent = clean(recorded("openai", "spoken_turn", config), Scrub(audio="silence"))
        fills = {c.silence for e in silent.entries if isinstance(e, Framed) for c in e.altered}
        assert fills == {byte}


def test_audio_that_no_event_tells_is_found_too() -> None:
    delta = {"type": "response.output_audio.delta", "response_id": "r1", "item_id": "i1"}
    sound = base64.b64encode(bytes(range(200)) * 2).decode()
    found = cassette(
        received({"type": "response.created", "response": {"id": "r1", "status": "in_progress"}}),
        received({**delta, "delta": sound}),
        received({"type": "input_audio_buffer.speech_started", "item_id": "i2"}),
        received({"type": "response.done", "response": {"id": "r1", "status": "cancelled"}}),
        received({**delta, "delta": sound}),
        provider="openai",
    )
    silent = clean(found, Scrub(audio="silence", ids=False))
    assert [bool(e.altered) for e in silent.entries if isinstance(e, Framed)] == [
        False, True, False, False, True,
    ]  # fmt: skip


def test_audio_of_a_protocol_that_nobody_knows_is_found_by_its_name() -> None:
    sound = base64.b64encode(bytes(range(256)) * 4).decode()
    picture = {"mimeType": "image/png", "data": sound}
    found = cassette(received({"audio": sound, "blob": {"mimeType": "audio/pcm", "data": sound}}),
                     received({"data": sound, "image": picture}))  # fmt: skip
    one, other = clean(found, Scrub(audio="silence")).entries[1:3]
    assert isinstance(one, Framed)
    assert isinstance(other, Framed)
    assert one.altered == (
        Altered(at=("audio",), size=1024, silence=0),
        Altered(at=("blob", "data"), size=1024, silence=0),
    )
    assert not other.altered


# Rules.


def test_own_rules_change_and_leave_out() -> None:
    def rule(entry: Entry) -> Entry | None:
        if not isinstance(entry, Framed) or not isinstance(entry.data, dict):
            return entry
        if "ping" in entry.data:
            return None
        return attrs.evolve(entry, data={**entry.data, "name": "N."})

    found = cassette(received({"ping": 1}), received({"name": "Ada"}))
    scrub = Scrub(rules=(rule,))
    assert clean(found, scrub).entries[1:-1] == (received({"name": "N."}),)

    live = scrub.live(Secrets({"K": KEY}))
    assert live({"ping": 1}) is None
    assert live({"name": "Bob", "x": KEY}) == {"name": "N.", "x": PLACEHOLDER}


def test_a_rule_that_gives_back_no_entry_is_named() -> None:
    def careless(entry: Entry) -> Any:
        return {"a": KEY}

    scrub = Scrub(rules=(careless,))
    for act in (lambda: clean(cassette(received({})), scrub), lambda: scrub.live(Secrets({}))({})):
        with pytest.raises(ConfigurationError, match="careless gave back no entry but a dict") as e:
            act()
        assert KEY not in str(e.value)


@pytest.mark.parametrize("audio", ["loud", -1, True, None])
def test_audio_cannot_be_anything(audio: Any) -> None:
    with pytest.raises(ConfigurationError, match="audio cannot be"):
        Scrub(audio=audio)
