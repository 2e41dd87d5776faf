"""The user's audio on its way in: whatever the application has, as what the provider listens to."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs

from unirt.audio import AudioFormat, Encoding
from unirt.errors import AudioFormatError
from unirt.session.resample import Converter

if TYPE_CHECKING:
    import numpy.typing as npt

    AudioData = bytes | bytearray | memoryview | npt.NDArray[Any]

__all__ = ["AudioIn", "pieces"]

_WHERE = "send_audio"
_PIECE_SECONDS = 1
"The most that goes into one frame, so that a whole file is sent at the pace of the network."


class AudioIn:
    """
    The input side of one session.

    Args:
        given: What the application sends unless it says otherwise; ``None`` for what the provider
            listens to.
    """

    def __init__(self, given: AudioFormat | None) -> None:
        self.given = given
        self._run: tuple[AudioFormat, AudioFormat] | None = None
        "What came last, and what was made of it."
        self._converter: Converter | None = None
        "``None`` where nothing needs converting."

    def accept(
        self, data: AudioData, format: AudioFormat | None, wire: AudioFormat
    ) -> tuple[bytes, AudioFormat]:
        """
        The bytes of any form of audio, and their format.

        Raises:
            AudioFormatError: They cannot be what `format` says.
        """
        given = format or self.given or wire
        if not isinstance(given, AudioFormat):
            raise AudioFormatError(
                f"{given!r} is no format",
                where=_WHERE,
                remedy="give a unirt.AudioFormat, such as unirt.PCM16_16K",
            )
        if isinstance(data, bytes):
            raw = data
        elif isinstance(data, bytearray | memoryview):
            raw = bytes(data)
        else:
            raw, given = _from_array(data, format, given)
        given.check(raw, where=_WHERE)
        return raw, given

    def convert(self, data: bytes, given: AudioFormat, wire: AudioFormat) -> bytes:
        """Audio for the wire; a change of either format ends the run before it."""
        tail = b""
        if (given, wire) != self._run:
            tail = self.flush()
            self._run = (given, wire)
            self._converter = None if given == wire else Converter(given, wire)
        return tail + (data if self._converter is None else self._converter.feed(data))

    def flush(self) -> bytes:
        """End the run: what the resampler still holds."""
        converter = self._converter
        self.reset()
        return b"" if converter is None else converter.flush()

    def reset(self) -> None:
        """Forget what the resampler still holds."""
        self._run = self._converter = None


def pieces(data: bytes, format: AudioFormat) -> Sequence[bytes]:
    """Cut audio into pieces of at most a second; one piece where it is no longer."""
    size = format.byte_rate * _PIECE_SECONDS
    if 0 < len(data) <= size:
        return (data,)
    return [data[start : start + size] for start in range(0, len(data), size)]


def _from_array(
    data: Any, format: AudioFormat | None, default: AudioFormat
) -> tuple[bytes, AudioFormat]:
    """The bytes of a numpy array, whose type and shape say the encoding and the channels."""
    numpy = sys.modules.get("numpy")  # whoever has an array has imported it
    if numpy is None or not isinstance(data, numpy.ndarray):
        raise AudioFormatError(
            f"a {type(data).__name__} is no audio",
            where=_WHERE,
            remedy="send bytes, a bytearray, a memoryview or a numpy array",
        )
    said = format or default
    encoding, order = _stored(data, said)
    channels = said.channels if data.ndim == 1 else data.shape[-1]
    if encoding is not said.encoding or channels != said.channels:
        said = attrs.evolve(said, encoding=encoding, channels=channels)
        if format is not None:
            raise AudioFormatError(
                f"an array of {data.dtype} with shape {data.shape} is {said}, not {format}",
                where=_WHERE,
                remedy="leave out format=, or convert the array to it",
            )
    return data.astype(order, copy=False).tobytes(), said


def _stored(array: npt.NDArray[Any], said: AudioFormat) -> tuple[Encoding, str]:
    """The encoding that an array of such samples has, and its type on the wire."""
    match array.ndim, array.dtype.kind, array.dtype.itemsize:
        case 1 | 2, "f", _:
            return Encoding.FLOAT32, "<f4"
        case 1 | 2, "i", 2:
            return Encoding.PCM16, "<i2"
        case 1 | 2, "u", 1 if said.encoding in (Encoding.ULAW, Encoding.ALAW):
            return said.encoding, "u1"
    raise AudioFormatError(
        f"an array of {array.dtype} with shape {array.shape} is no audio that unirt knows",
        where=_WHERE,
        remedy="use int16 or float32 samples of shape (frames,) or (frames, channels)",
    )
