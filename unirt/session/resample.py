"""
Streaming conversion of audio: any rate, channel count and encoding into any other.

Resampling is soxr's, in its streaming form, so that chunk borders leave no trace: the output of
many chunks is, byte for byte, the output of one. The price is a filter's delay: the last 20 to
40 ms of what was fed come with the next chunk, or with :meth:`Converter.flush`.

numpy and soxr are imported when the first converter is made that has anything to convert.
"""

from __future__ import annotations

from typing import Any

from unirt.audio import AudioFormat

__all__ = ["Converter"]

_QUALITY = "HQ"
"""
20 bits, the default of soxr. LQ would save 15 ms of delay and alias audibly; VHQ costs twice the
delay for what no speech model hears.
"""


class Converter:
    """
    One run of audio on its way from one format to another.

    Args:
        source: What is fed.
        target: What comes out. From several channels to another number of them, the mean of all
            goes to each.
    """

    def __init__(self, source: AudioFormat, target: AudioFormat) -> None:
        self.source = source
        self.target = target
        self._native = source == target
        self._rest = b""
        "The start of a frame whose other bytes have not been fed yet."
        self._stream: Any = None
        if self._native:
            return
        # Imported here: a native session needs neither soxr nor numpy.
        from unirt.session import samples

        self._decode = samples.decoder(source)
        self._mix = None if source.channels == target.channels else samples.mixed
        self._encode = samples.encoder(target.encoding)
        self._begin()

    def feed(self, data: bytes) -> bytes:
        """Convert the next piece; what comes out may lag behind what was fed."""
        if self._native:
            return data
        if self._rest:
            data, self._rest = self._rest + data, b""
        if odd := len(data) % self.source.frame_bytes:
            data, self._rest = data[:-odd], data[-odd:]
        return self._convert(data) if data else b""

    def flush(self) -> bytes:
        """End the run: return what lags behind, and be ready for another run."""
        if self._stream is None:
            self._rest = b""
            return b""
        tail = self._convert(b"", last=True)
        self.reset()
        return tail

    def reset(self) -> None:
        """Forget what lags behind, and be ready for another run."""
        self._rest = b""
        self._begin()

    def _begin(self) -> None:
        if self.source.rate == self.target.rate:
            return
        import soxr  # here for the same reason; it ships no types

        channels = self.target.channels
        self._stream = soxr.ResampleStream(
            self.source.rate, self.target.rate, channels, dtype="float32", quality=_QUALITY
        )

    def _convert(self, data: bytes, *, last: bool = False) -> bytes:
        samples = self._decode(data)
        if self._mix is not None:
            samples = self._mix(samples, self.target.channels)
        if self._stream is not None:
            samples = self._stream.resample_chunk(samples, last)
            if not len(samples):  # soxr works in blocks: of short chunks, only some complete one
                return b""
        return self._encode(samples)
