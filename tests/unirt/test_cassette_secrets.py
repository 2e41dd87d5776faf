"""Secrets: none is written, however it stands there, and what is none is left alone."""

import base64
import json
from typing import Any
from urllib.parse import quote

import attrs
import pytest

from tests.unirt.scrubbing import KEY, cassette, clean, encoded, received, text_of
from unirt.cassettes import Closed, Exchanged, Framed, Opened, Stalled
from unirt.cassettes.scrub import Scrub, check_clean
from unirt.cassettes.secrets import PLACEHOLDER, Secrets
from unirt.deck.environment import configured
from unirt.errors import CassetteError

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
