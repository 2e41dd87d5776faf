"""A piece that is made quickly is the event that its class makes, and as frozen."""

import copy
import gc
import pickle
from collections.abc import Callable

import attrs
import pytest

from unirt.audio import PCM16_16K
from unirt.events import AudioDelta, ContentEvent, Origin, Stream, StreamKind, TranscriptDelta
from unirt.events.base import Source
from unirt.events.pieces import unread_audio_delta, unread_transcript_delta

STREAM = Stream(id="s", kind=StreamKind.AUDIO)
FRAME = b'{"a": 1}'


def unread() -> AudioDelta:
    """A piece of whose frame nobody has made an origin."""
    source = Source("p", dict)
    return unread_audio_delta(source, 1.0, FRAME, STREAM, b"ab", PCM16_16K)


def unread_words() -> TranscriptDelta:
    return unread_transcript_delta(Source("p", dict), 1.0, FRAME, STREAM, "a")


Made = tuple[ContentEvent, ContentEvent]
"One made quickly, and one by its class."

EACH = pytest.mark.parametrize(
    "made",
    [
        lambda: ((quick := unread()), AudioDelta(quick.origin, STREAM, b"ab", PCM16_16K)),
        lambda: ((quick := unread_words()), TranscriptDelta(quick.origin, STREAM, "a")),
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


@pytest.mark.parametrize("make", [unread, unread_words])
def test_an_origin_is_made_when_it_is_asked_for(
    make: Callable[[], AudioDelta | TranscriptDelta],
) -> None:
    quick = make()
    assert not any(type(held) is Origin for held in gc.get_referents(quick))
    plain = Origin("p", 1.0, None, dict, FRAME)
    for field in attrs.fields(Origin):
        assert getattr(quick.origin, field.name) == getattr(plain, field.name)
    assert quick.origin is quick.origin
    assert quick.raw == {"a": 1}
    assert quick.raw is quick.raw
    assert (quick.provider, quick.received_at) == ("p", 1.0)


@pytest.mark.parametrize("again", [copy.copy, lambda event: pickle.loads(pickle.dumps(event))])
def test_it_can_be_copied(again: Callable[[AudioDelta], AudioDelta]) -> None:
    other = again(unread())
    assert other == unread()
    assert other.raw == {"a": 1}


def test_what_it_does_not_have_is_told_as_ever() -> None:
    quick = unread()
    with pytest.raises(AttributeError, match="'AudioDelta' object has no attribute 'orign'"):
        _ = quick.orign  # type: ignore[attr-defined]  # that there is none is the point
    assert not hasattr(AudioDelta.__new__(AudioDelta), "origin")
