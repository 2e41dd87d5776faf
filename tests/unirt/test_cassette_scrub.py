"""Scrubbing: no secret is written, ids are renamed alike, audio is what was asked for."""

import base64
import json
from typing import Any
from urllib.parse import quote

import attrs
import pytest

from unirt import PCM16_24K, SessionConfig
from unirt.cassettes import (
    Altered,
    Cassette,
    Closed,
    Entry,
    Exchanged,
    Framed,
    Header,
    Opened,
    Origin,
    Stalled,
    dumps,
    loads,
)
from unirt.cassettes.scrub import Scrub, check_clean, scrubbed
from unirt.cassettes.secrets import PLACEHOLDER, Secrets
from unirt.deck.environment import configured
from unirt.errors import CassetteError, ConfigurationError
from unirt.registry import installed, load
from unirt.simulator import Exchange, builtin, run

KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz012345"
MADE_UP = {
    "key": "sk-abcdefghijklmnopqrst",
    "ephemeral key": "ek_68af296e8e408191a1120ab6383263c2",
    "API key": "AIzaSyA-1234567890abcdefghijklmnopqrstu",
    "access token": "ya29.a0AfH6SMBx1234567890abcdef",
    "JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc_DEF",
    "bearer token": "Bearer abcdef0123456789abcdef",
    "ephemeral token": "auth_tokens/0123456789abcdef",
    "organisation": "org-ABCDEFGHIJKLMNOP1234",
    "project": "proj_ABCDEFGHIJKLMNOP1234",
    "cloud project": "projects/my-secret-project-1/locations/global",
    "private key": "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
}
HIDDEN = {
    **MADE_UP,
    "bearer token": "abcdef0123456789abcdef",
    "cloud project": "my-secret-project-1",
}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def cassette(*entries: Entry, provider: str | None = None, **header: Any) -> Cassette:
    return Cassette(
        header=Header(origin=Origin.LIVE, provider=provider, **header),
        entries=(Opened(url="wss://host/"), *entries, Stalled()),
    )


def received(data: Any, **more: Any) -> Framed:
    return Framed(direction="received", data=data, **more)


def clean(found: Cassette, scrub: Scrub | None = None, **secrets: str) -> Cassette:
    return scrubbed(found, scrub or Scrub(), Secrets(secrets))


def text_of(found: Cassette) -> str:
    return dumps(found, "x").decode()


@pytest.mark.parametrize("shape", MADE_UP)
def test_what_looks_like_a_secret_goes_and_would_be_refused(shape: str) -> None:
    found = cassette(received({"text": f"it is {MADE_UP[shape]} they say"}))
    with pytest.raises(CassetteError) as caught:
        check_clean(found, Secrets(), "talk.jsonl")
    assert caught.value.where == "talk.jsonl, line 3"
    assert HIDDEN[shape] not in str(caught.value)

    after = clean(found)
    assert HIDDEN[shape] not in text_of(after)
    assert PLACEHOLDER in text_of(after)
    check_clean(after, Secrets(), "talk.jsonl")
    assert after.header.scrubbed["secrets"] == 1


def test_known_values_go_wherever_they_stand() -> None:
    secret = "hunter2-hunter2"
    found = cassette(
        Exchanged(
            request={
                "method": "POST",
                "uri": f"https://host/?x=1&key={secret}",
                "headers": {"Authorization": [f"Basic {secret}"], "accept": ["*/*"]},
                "body": json.dumps({"deep": [{"er": secret}]}),
            },
            response={
                "body": {"string": f'{{"a": "{secret}"}}'},
                "headers": {"set-cookie": ["a=b"]},
            },
        ),
        received({"a": [f"x{secret}y"]}),
        notes={"said": secret},
    )
    found = attrs.evolve(
        found,
        entries=(
            Opened(url=f"wss://me:{secret}@host/?model=m&api_key={secret}"),
            *found.entries[1:],
            Closed(reason=f"no {secret}"),
        ),
    )
    after = text_of(clean(found, TOKEN=secret))
    assert secret not in after
    assert "host/?model=m&api_key=SCRUBBED" in after
    assert '"accept": ["*/*"]' in after
    assert "a=b" not in after


def test_what_stands_under_the_name_of_a_secret_goes() -> None:
    names = ("authorization", "api_key", "apiKey", "client_secret", "accessToken", "password")
    after = clean(cassette(received({"tools": [dict.fromkeys(names, "plain")]})))
    assert json.loads(text_of(after).splitlines()[2])["received"]["tools"] == [
        dict.fromkeys(names, PLACEHOLDER)
    ]


def test_an_object_under_the_name_of_a_secret_loses_its_value() -> None:
    secret = {"client_secret": {"value": "opaque", "expires_at": 1}}
    schema = {"properties": {"token": {"type": "string", "description": "What you were given."}}}
    after = clean(cassette(received({"a": secret, "b": schema})))
    assert after.entries[1] == received(
        {"a": {"client_secret": {"value": PLACEHOLDER, "expires_at": 1}}, "b": schema}
    )


AWKWARD = 'pa"ss\\wörd/x+y=1234'


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (f"it is {AWKWARD}.", "it is SCRUBBED."),
        (json.dumps({"a": AWKWARD}), '{"a": "SCRUBBED"}'),
        (f'{{"a": {json.dumps(AWKWARD)}, "cut', '{"a": "SCRUBBED", "cut'),
        (json.dumps({"password": "any"}), '{"password": "SCRUBBED"}'),
        (json.dumps({"a": json.dumps({"apiKey": "any"})}), None),
        ("grant=x&password=any+thing&q=pa%22ss", "grant=x&password=SCRUBBED&q=pa%22ss"),
        (f"see {quote(AWKWARD, safe='')}!", "see SCRUBBED!"),
        (encoded(f"x{AWKWARD}"), "eHSCRUBBED"),
        (encoded(f"it is {MADE_UP['key']}"), "SCRUBBED"),
        (f"{AWKWARD}{MADE_UP['key']}", "SCRUBBEDSCRUBBED"),
        (f"wss://host/{MADE_UP['key']}/x", "wss://host/SCRUBBED/x"),
    ],
)
def test_a_secret_is_found_however_it_is_written(text: str, after: str | None) -> None:
    found = clean(cassette(received({"text": text})), PASSWORD=AWKWARD)
    assert isinstance(found.entries[1], Framed)
    said = found.entries[1].data["text"]
    assert said == (json.dumps({"a": '{"apiKey": "SCRUBBED"}'}) if after is None else after)
    check_clean(found, Secrets({"PASSWORD": AWKWARD}), "x")
    assert clean(found, PASSWORD=AWKWARD).entries == found.entries


def test_bytes_that_are_no_text_are_looked_into_too() -> None:
    data = b"\xff" + AWKWARD.encode() + KEY.encode()
    found = cassette(
        received(data, binary=True),
        Exchanged(request={"body": {"base64": base64.b64encode(data).decode()}}, response={}),
    )
    frame, exchanged = clean(found, PASSWORD=AWKWARD).entries[1:3]
    assert frame == received(b"\xffSCRUBBEDSCRUBBED", binary=True)
    assert isinstance(exchanged, Exchanged)
    assert base64.b64decode(exchanged.request["body"]["base64"]) == b"\xffSCRUBBEDSCRUBBED"


def test_headers_of_one_name_all_stay() -> None:
    headers = {"Set-Cookie": ["a=1", "b=2"], "Via": ["one", "two"]}
    asked = Exchanged(request={}, response={"headers": headers})
    (after,) = clean(cassette(asked)).exchanges
    assert after.response["headers"] == {"Set-Cookie": [PLACEHOLDER] * 2, "Via": ["one", "two"]}


def test_the_header_and_the_subprotocol_hold_none() -> None:
    found = cassette(protocol=f"/{KEY}", against=f"wss://me:pw@host/{KEY}", recorded_by=KEY)
    found = attrs.evolve(
        found, entries=(Opened(url="wss://host/", subprotocol=f"key.{KEY}"), Stalled())
    )
    after = clean(found)
    assert KEY not in text_of(after)
    assert after.header.against == "wss://host/SCRUBBED"


def delta(text: str, **more: Any) -> Framed:
    return received({"type": "delta", "item_id": "item_a", "delta": text}, **more)


def test_a_secret_that_is_spread_over_frames_is_taken_out_of_each() -> None:
    pieces = ["it is ", KEY[:9], KEY[9:20], KEY[20:] + ", they", " say"]
    after = clean(cassette(*map(delta, pieces)))
    said = [entry.data["delta"] for entry in after.entries if isinstance(entry, Framed)]
    assert said == ["it is ", PLACEHOLDER, "", ", they", " say"]


def test_what_a_client_spreads_over_frames_is_refused() -> None:
    """A live client would still say it, and that would not match."""
    pieces = [attrs.evolve(delta(text), direction="sent") for text in (KEY[:9], KEY[9:])]
    found = clean(cassette(*pieces))
    with pytest.raises(CassetteError, match=r"what looks like a key, .*line 3"):
        check_clean(found, Secrets(), "x")


def test_pieces_of_other_places_do_not_make_a_secret() -> None:
    other = received({"type": "other", "delta": KEY[9:]})
    found = cassette(delta(KEY[:9]), other, delta(" and then"))
    after = clean(found, Scrub(ids=False))
    assert after.entries == found.entries
    check_clean(after, Secrets(), "x")


def test_whatever_the_environment_calls_a_secret_is_one() -> None:
    environ = {
        "OPENAI_API_KEY": "1", "OPENAI_ORG_ID": "2", "GOOGLE_CLOUD_PROJECT": "3",
        "SHOP_DB_PASSWORD": "4", "STRIPE_KEY": "5", "GH_TOKEN": "6", "AWS_SECRET_ACCESS_KEY": "7",
        "HOME": "8", "OPENAI_BASE_URL": "9", "KEYBOARD": "10", "EMPTY_TOKEN": "",
    }  # fmt: skip
    assert sorted(configured(environ).values()) == ["1", "2", "3", "4", "5", "6", "7"]


def test_words_numbers_and_audio_are_left_alone() -> None:
    data = {
        "total_tokens": 12,
        "max_output_tokens": "inf",
        "text": "the bearer of good news sk-ipped a task-force, org-anised",
        "delta": base64.b64encode(bytes(range(256)) * 40).decode(),
    }
    after = clean(cassette(received(data)))
    assert after.entries[1] == received(data)
    assert after.header.scrubbed == {"secrets": 0, "ids": 0, "audio": "kept"}


def test_a_secret_that_a_rule_puts_back_is_not_written() -> None:
    secrets = Secrets({"MY_KEY": KEY})
    for data in ({"t": KEY}, {KEY: "t"}, b"\xff" + KEY.encode(), {"t": encoded(f"it is {KEY}")}):
        found = cassette(Framed(direction="sent", data=data))
        with pytest.raises(CassetteError, match="the value of MY_KEY, so it is not written"):
            check_clean(found, secrets, "x")
    with pytest.raises(CassetteError, match="line 1") as caught:
        check_clean(cassette(against=f"wss://host/{KEY}"), secrets, "x")
    assert KEY not in str(caught.value)


def test_a_secret_in_the_name_of_the_file_is_not_written() -> None:
    with pytest.raises(CassetteError, match="give it another name") as caught:
        check_clean(cassette(), Secrets({"MY_KEY": KEY}), f"cassettes/test_x[{KEY}].jsonl")
    assert KEY not in str(caught.value)


def test_short_values_are_no_secrets() -> None:
    secrets = Secrets({"KEY": "simulator"})
    assert secrets.hide("a simulator") == "a simulator"
    assert secrets.found("a simulator") is None


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


@pytest.mark.parametrize("audio", ["loud", -1, True, None])
def test_audio_cannot_be_anything(audio: Any) -> None:
    with pytest.raises(ConfigurationError, match="audio cannot be"):
        Scrub(audio=audio)
