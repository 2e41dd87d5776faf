"""An envelope opens what would have been read as the same JSON around other audio, and no more."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unirt.envelope import Envelope
from unirt.events import Origin
from unirt.wire import parse_frame

AUDIO = base64.b64encode(bytes(range(96))).decode()
OTHER = base64.b64encode(bytes(range(1, 121))).decode()


def frame(audio: str = AUDIO, id_: str = "event_1", **more: Any) -> bytes:
    return json.dumps({"type": "audio", "id": id_, "part": 0, "delta": audio, **more}).encode()


def envelope(**fields: Any) -> Envelope:
    made = Envelope.around(frame(**fields), AUDIO, "id")
    assert made is not None
    return made


def test_it_opens_the_same_frame_with_other_audio_and_another_id() -> None:
    opened = envelope().open(frame(OTHER, "event_2"))
    assert opened == base64.b64decode(OTHER)


def test_another_text_that_is_the_same_as_the_id_may_not_change() -> None:
    made = Envelope.around(frame(id_="r_1", other="r_1"), AUDIO, "id")
    assert made is not None
    assert made.open(frame(OTHER, "r_2", other="r_1")) == base64.b64decode(OTHER)
    assert made.open(frame(OTHER, "r_1", other="r_2")) is None
    assert made.open(frame(OTHER, "r_2", other="r_2")) is None


def test_without_an_id_all_around_the_audio_must_be_the_same() -> None:
    made = Envelope.around(frame(), AUDIO)
    assert made is not None
    assert made.open(frame(OTHER)) == base64.b64decode(OTHER)
    assert made.open(frame(OTHER, "event_2")) is None


@pytest.mark.parametrize(
    "other",
    [
        frame(OTHER, part=1),
        frame(OTHER, more=1),
        frame(OTHER, 'event"2'),
        frame(OTHER, "event\\n2"),
        frame(OTHER, "ereignis_ü"),
        frame(OTHER, ""),
        frame(""),
        frame(OTHER + "="),
        frame(OTHER[:-1]),
        frame("*" + OTHER[1:]),
        frame(OTHER.replace("A", "\\/")),
        frame(OTHER)[:-1],
        frame(OTHER)[:-1] + b"]",
        frame(OTHER) + b" ",
        frame(OTHER).replace(b": ", b":"),
        b"",
        b"{}",
    ],
)
def test_every_other_frame_is_left_to_be_read(other: bytes) -> None:
    assert envelope().open(other) is None


def test_every_byte_behind_the_audio_counts() -> None:
    around = {"more": [1, 2.5], "last": "end"}
    made, good = envelope(**around), frame(OTHER, "event_2", **around)
    begin = good.index(OTHER.encode()) + len(OTHER)
    assert made.open(good) == base64.b64decode(OTHER)
    assert len(good) - begin > 30
    for at in range(begin, len(good)):
        for other in b'7A+="]} ':
            if good[at] != other:
                assert made.open(good[:at] + bytes([other]) + good[at + 1 :]) is None


@pytest.mark.parametrize(
    "unclear",
    [
        (frame("AAAA"), "AAAA", "id"),
        (frame(again=AUDIO), AUDIO, "id"),
        (frame(), AUDIO, "another"),
        (frame(id_="a\\b"), AUDIO, "id"),
        (frame(more={"id": "event_1"}), AUDIO, "id"),
        (json.dumps({"delta": AUDIO, "id": "event_1"}).encode(), AUDIO, "id"),
        (json.dumps({"id": 7, "delta": AUDIO}).encode(), AUDIO, "id"),
        (frame().replace(b"/", b"\\/"), base64.b64encode(b"\xff" * 99).decode(), "id"),
    ],
)
def test_what_shows_no_clear_envelope_has_none(unclear: tuple[bytes, str, str]) -> None:
    assert Envelope.around(*unclear) is None


_IDS = st.text(st.characters(codec="utf-8"), max_size=12)
_CHANGES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3)


@given(id_=_IDS, note=_IDS, audio=st.binary(max_size=90), changes=_CHANGES, cut=st.integers(0, 9))
def test_what_it_opens_is_the_same_json_with_another_id_and_this_audio(
    id_: str, note: str, audio: bytes, changes: list[tuple[int, int]], cut: int
) -> None:
    made = Envelope.around(frame(note=note), AUDIO, "id")
    text = base64.b64encode(audio).decode()
    other = bytearray(frame(text, id_, note=note))
    for at, byte in changes:
        other[at % len(other)] = byte
    candidate = bytes(other[: len(other) - cut // 9])
    opened = None if made is None else made.open(candidate)
    if opened is None:
        return
    read = parse_frame(candidate)
    known = parse_frame(frame(note=note))
    assert {**read, "id": "event_1", "delta": AUDIO} == known
    assert base64.b64decode(read["delta"], validate=True) == opened


def test_silence_which_is_the_same_all_over_has_an_envelope_too() -> None:
    silence = "A" * 640
    made = Envelope.around(frame(silence), silence, "id")
    assert made is not None
    assert made.open(frame(OTHER, "event_2")) == base64.b64decode(OTHER)


def test_a_frame_that_was_not_read_is_read_when_somebody_asks() -> None:
    origin = Origin("toy", 1.5, None, None, frame())
    assert origin.raw == json.loads(frame())
    assert origin.raw is origin.raw
