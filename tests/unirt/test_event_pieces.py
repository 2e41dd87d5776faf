"""A piece that is made quickly is the event that its class makes, and as frozen."""

from collections.abc import Callable

import attrs
import pytest

from unirt.audio import PCM16_16K
from unirt.events import AudioDelta, ContentEvent, Origin, Stream, StreamKind, TranscriptDelta
from unirt.events.pieces import audio_delta, transcript_delta

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
