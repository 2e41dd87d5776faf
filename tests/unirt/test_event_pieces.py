"""A piece that is made quickly is the event that its class makes, and as frozen."""

from collections.abc import Callable

import attrs
import pytest

from unirt.audio import PCM16_16K
from unirt.events import AudioDelta, ContentEvent, Origin, Stream, StreamKind, TranscriptDelta
from unirt.events.pieces import audio_delta, transcript_delta, unread_origin

ORIGIN = Origin(provider="p", received_at=1.0)
STREAM = Stream(id="s", kind=StreamKind.AUDIO)

Made = tuple[ContentEvent, ContentEvent]
"One made quickly, and one by its class."

EACH = pytest.mark.parametrize(
    "made",
    [
        lambda: (
            audio_delta(ORIGIN, STREAM, b"ab", PCM16_16K),
            AudioDelta(ORIGIN, STREAM, b"ab", PCM16_16K),
        ),
        lambda: (transcript_delta(ORIGIN, STREAM, "a"), TranscriptDelta(ORIGIN, STREAM, "a")),
    ],
    ids=["audio", "transcript"],
)


@EACH
def test_it_is_the_same_event_in_every_field(made: Callable[[], Made]) -> None:
    quick, plain = made()
    assert type(quick) is type(plain)
    assert quick == plain
    assert (hash(quick), repr(quick)) == (hash(plain), repr(plain))
    for field in attrs.fields(type(plain)):
        assert getattr(quick, field.name) is getattr(plain, field.name)


@EACH
def test_it_is_frozen(made: Callable[[], Made]) -> None:
    quick, _ = made()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        quick.stream = STREAM  # type: ignore[misc]  # that it cannot be set is the point
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del quick.stream


@EACH
def test_it_can_be_changed_into_another(made: Callable[[], Made]) -> None:
    quick, plain = made()
    assert attrs.evolve(quick, synthesised=True) == attrs.evolve(plain, synthesised=True) != quick


def test_an_origin_that_is_made_quickly_is_read_when_it_is_asked_for() -> None:
    quick = unread_origin("p", 1.0, dict, b'{"a": 1}')
    plain = Origin("p", 1.0, None, dict, b'{"a": 1}')
    for field in attrs.fields(Origin):
        assert getattr(quick, field.name) == getattr(plain, field.name)
    assert quick.raw == plain.raw == {"a": 1}
    assert quick.raw is quick.raw
