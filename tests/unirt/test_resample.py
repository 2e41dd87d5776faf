"""Conversion of audio: a tone stays that tone, and chunk borders leave no trace."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
import soxr

from unirt.audio import AudioFormat, Encoding
from unirt.session.resample import Converter

RATES = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000]
FORMATS = [
    AudioFormat(rate=48_000, channels=2, encoding=Encoding.FLOAT32),
    AudioFormat(rate=44_100, channels=1, encoding=Encoding.PCM16),
    AudioFormat(rate=24_000, channels=1, encoding=Encoding.PCM16),
    AudioFormat(rate=16_000, channels=1, encoding=Encoding.PCM16),
    AudioFormat(rate=8_000, channels=1, encoding=Encoding.ULAW),
    AudioFormat(rate=8_000, channels=1, encoding=Encoding.ALAW),
]
FLOAT = AudioFormat(rate=48_000, encoding=Encoding.FLOAT32)


def tone(format: AudioFormat, hz: float = 1_000, seconds: float = 1.0) -> bytes:
    """A tone at half of full scale, in any format."""
    at = np.arange(round(format.rate * seconds)) / format.rate
    wave = (0.5 * np.sin(2 * np.pi * hz * at)).astype("<f4")
    source = AudioFormat(rate=format.rate, encoding=Encoding.FLOAT32)
    return Converter(source, format).feed(wave.tobytes())


def wave(data: bytes, format: AudioFormat) -> np.ndarray:
    """Any audio as floats, the first channel of it."""
    target = AudioFormat(rate=format.rate, channels=format.channels, encoding=Encoding.FLOAT32)
    flat = np.frombuffer(Converter(format, target).feed(data), "<f4")
    return flat.reshape(-1, format.channels)[:, 0]


def chunked(converter: Converter, data: bytes, sizes: list[int]) -> bytes:
    out, position, frame = [], 0, converter.source.frame_bytes
    for size in itertools.cycle(sizes):
        if position >= len(data):
            break
        out.append(converter.feed(data[position : position + size * frame]))
        position += size * frame
    return b"".join([*out, converter.flush()])


@pytest.mark.parametrize("target", FORMATS, ids=str)
@pytest.mark.parametrize("source", FORMATS, ids=str)
def test_a_tone_stays_that_tone_between_any_two_formats(
    source: AudioFormat, target: AudioFormat
) -> None:
    out = chunked(Converter(source, target), tone(source), [source.rate // 50])
    heard = wave(out, target)
    middle = heard[len(heard) // 8 : -len(heard) // 8]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    peak = int(spectrum.argmax())
    rest = spectrum.copy()
    rest[max(0, peak - 4) : peak + 5] = 0

    assert abs(len(heard) - target.rate) <= 1  # a second stays a second
    assert peak * target.rate / len(middle) == pytest.approx(1_000, abs=4)
    coarse = {source.encoding, target.encoding} & {Encoding.ULAW, Encoding.ALAW}
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(0.5, rel=0.03 if coarse else 0.001)
    assert rest.max() < spectrum[peak] / (30 if coarse else 5_000)


@pytest.mark.parametrize("sizes", [[1], [7, 1, 311], [480], [441, 13], [100_000]], ids=str)
@pytest.mark.parametrize(("source", "target"), list(itertools.permutations(RATES, 2)))
def test_chunks_of_any_size_are_the_same_as_one(source: int, target: int, sizes: list[int]) -> None:
    given = AudioFormat(rate=source, encoding=Encoding.FLOAT32)
    wanted = AudioFormat(rate=target, encoding=Encoding.FLOAT32)
    noise = np.random.default_rng(7).uniform(-0.5, 0.5, source // 10).astype("<f4")
    once = soxr.resample(noise, source, target, quality="HQ")

    out = np.frombuffer(chunked(Converter(given, wanted), noise.tobytes(), sizes), "<f4")
    assert len(out) == len(once)
    assert np.abs(out - once).max() < 1e-4


def test_samples_may_be_cut_anywhere() -> None:
    source, target = AudioFormat(rate=48_000, channels=2), AudioFormat(rate=16_000)
    data = tone(source)
    whole = chunked(Converter(source, target), data, [100_000])

    converter = Converter(source, target)
    parts = [converter.feed(data[i : i + 1_001]) for i in range(0, len(data), 1_001)]
    assert b"".join([*parts, converter.flush()]) == whole


@pytest.mark.parametrize("format", FORMATS, ids=str)
def test_the_same_format_goes_untouched(format: AudioFormat) -> None:
    data = tone(format)
    assert Converter(format, format).feed(data) is data


def test_a_native_session_needs_neither_numpy_nor_soxr() -> None:
    code = (
        "import sys; from unirt.session.resample import Converter; "
        "from unirt.audio import PCM16_24K; Converter(PCM16_24K, PCM16_24K).feed(b'ab'); "
        "print(sorted({'numpy', 'soxr'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_several_channels_become_their_mean_and_one_goes_to_each() -> None:
    stereo = AudioFormat(rate=16_000, channels=2)
    mono = AudioFormat(rate=16_000)
    frames = np.array([[1_000, 3_000], [-200, -400]], "<i2").tobytes()

    down = Converter(stereo, mono).feed(frames)
    assert np.frombuffer(down, "<i2").tolist() == [2_000, -300]
    up = Converter(mono, stereo).feed(down)
    assert np.frombuffer(up, "<i2").tolist() == [2_000, 2_000, -300, -300]


def test_samples_beyond_full_scale_are_clipped() -> None:
    data = np.array([1.5, -1.5, 1.0, -1.0, 0.0], "<f4").tobytes()
    out = Converter(FLOAT, AudioFormat(rate=48_000)).feed(data)

    assert np.frombuffer(out, "<i2").tolist() == [32_767, -32_768, 32_767, -32_768, 0]


def test_every_16_bit_sample_survives_floats() -> None:
    every = np.arange(-32_768, 32_768, dtype="<i2").tobytes()
    there = Converter(AudioFormat(rate=48_000), FLOAT)
    back = Converter(FLOAT, AudioFormat(rate=48_000))

    assert back.feed(there.feed(every)) == every


# ITU-T G.711: the codes of silence and of full scale, and the loudest levels.
G711 = [
    (Encoding.ULAW, 0, 0xFF, 0),
    (Encoding.ULAW, 32_767, 0x80, 32_124),
    (Encoding.ULAW, -32_768, 0x00, -32_124),
    (Encoding.ULAW, 1_000, 0xCE, 988),
    (Encoding.ALAW, 8, 0xD5, 8),
    (Encoding.ALAW, -8, 0x55, -8),
    (Encoding.ALAW, 32_767, 0xAA, 32_256),
    (Encoding.ALAW, -32_768, 0x2A, -32_256),
    (Encoding.ALAW, 1_000, 0xFA, 1_008),
]


@pytest.mark.parametrize(("encoding", "sample", "code", "level"), G711)
def test_g711_is_as_the_standard_has_it(
    encoding: Encoding, sample: int, code: int, level: int
) -> None:
    linear, companded = AudioFormat(rate=8_000), AudioFormat(rate=8_000, encoding=encoding)
    encoded = Converter(linear, companded).feed(np.array([sample], "<i2").tobytes())
    decoded = Converter(companded, linear).feed(encoded)

    assert encoded == bytes([code])
    assert np.frombuffer(decoded, "<i2").tolist() == [level]


@pytest.mark.parametrize("encoding", [Encoding.ULAW, Encoding.ALAW])
def test_every_g711_code_survives_a_round_trip(encoding: Encoding) -> None:
    linear, companded = AudioFormat(rate=8_000), AudioFormat(rate=8_000, encoding=encoding)
    every = bytes(range(256))
    back = Converter(linear, companded).feed(Converter(companded, linear).feed(every))

    negative_zero = 0x7F if encoding is Encoding.ULAW else None
    assert [c for c in every if back[c] != c] == [c for c in [negative_zero] if c is not None]


def test_a_converter_can_be_used_again_after_flush_and_reset() -> None:
    source, target = AudioFormat(rate=24_000), AudioFormat(rate=16_000)
    data = tone(source, seconds=0.2)
    converter = Converter(source, target)
    first = converter.feed(data) + converter.flush()
    assert converter.feed(data) + converter.flush() == first

    converter.feed(data[: len(data) // 2])
    converter.reset()
    assert converter.feed(data) + converter.flush() == first
    assert converter.flush() == b""
