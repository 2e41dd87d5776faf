"""WAV files: what was written is read, what others write too, and what is wrong is told."""

import io
import struct
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import unirt
from tests.tones import tone
from unirt.audio import AudioFormat, Encoding
from unirt.events import AudioDelta, Origin, Stream, StreamKind
from unirt.sound import WavSink, WavSource, read_wav, write_wav
from unirt.sound.riff import read_header, written_header

STREAM = Stream(id="s", kind=StreamKind.AUDIO, item_id="i", index=0, response_id="r", turn_id="t")
FORMATS = [
    AudioFormat(rate=48_000, channels=2),
    AudioFormat(rate=44_100, channels=2, encoding=Encoding.FLOAT32),
    unirt.PCM16_16K,
    unirt.G711_ULAW,
    unirt.G711_ALAW,
]


def audio(data: bytes, format: AudioFormat) -> AudioDelta:
    return AudioDelta(origin=Origin(provider="toy"), stream=STREAM, data=data, format=format)


async def spoken(file: Any) -> tuple[bytes, AudioFormat]:
    source = WavSource(file, realtime=False)
    return b"".join([piece async for piece in source]), source.format


@pytest.mark.parametrize("format", FORMATS, ids=str)
async def test_what_was_written_is_read(format: AudioFormat, tmp_path: Path) -> None:
    data = tone(format, seconds=0.1)[: -3 * format.frame_bytes]
    write_wav(tmp_path / "whole.wav", data, format)
    assert read_wav(tmp_path / "whole.wav") == (data, format)

    sink = WavSink(tmp_path / "new" / "played.wav", format, realtime=False)
    async with sink.open(lambda ms: None):
        sink.play(audio(data[: 7 * format.frame_bytes], format))
        sink.play(audio(data[7 * format.frame_bytes :], format))
    assert await spoken(tmp_path / "new" / "played.wav") == (data, format)
    assert (tmp_path / "new" / "played.wav").read_bytes() == (tmp_path / "whole.wav").read_bytes()


@pytest.mark.parametrize("channels", [1, 2])
async def test_pythons_own_module_reads_and_writes_the_same(channels: int, tmp_path: Path) -> None:
    format = AudioFormat(rate=22_050, channels=channels)
    data = tone(format, seconds=0.1)
    write_wav(tmp_path / "ours.wav", data, format)
    with wave.open(str(tmp_path / "ours.wav")) as file:
        assert (file.getframerate(), file.getnchannels()) == (22_050, channels)
        assert file.readframes(file.getnframes()) == data
    with wave.open(str(tmp_path / "theirs.wav"), "wb") as file:
        file.setparams((channels, 2, 22_050, 0, "NONE", ""))
        file.writeframes(data)
    assert await spoken(tmp_path / "theirs.wav") == (data, format)


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WAVE"
    for name, data in chunks:
        body += struct.pack("<4sI", name, len(data)) + data + b"\0" * (len(data) % 2)
    return struct.pack("<4sI", b"RIFF", len(body)) + body


FMT = struct.pack("<HHIIHH", 1, 1, 8_000, 16_000, 2, 16)
GUID = struct.pack("<HHI", 22, 32, 3) + struct.pack("<H", 3) + bytes(14)
EXTENSIBLE = struct.pack("<HHIIHH", 0xFFFE, 2, 48_000, 384_000, 8, 32) + GUID


@pytest.mark.parametrize(
    ("chunks", "data", "format"),
    [
        ([(b"fmt ", FMT), (b"data", b"abcd")], b"abcd", AudioFormat(rate=8_000)),
        (
            [(b"LIST", b"odd"), (b"fmt ", FMT), (b"data", b"abcd"), (b"LIST", b"after")],
            b"abcd",
            AudioFormat(rate=8_000),
        ),
        (
            [(b"fmt ", EXTENSIBLE), (b"data", bytes(16))],
            bytes(16),
            AudioFormat(rate=48_000, channels=2, encoding=Encoding.FLOAT32),
        ),
    ],
    ids=["plain", "with other chunks", "extensible"],
)
async def test_files_of_others(
    chunks: Any, data: bytes, format: AudioFormat, tmp_path: Path
) -> None:
    (tmp_path / "x.wav").write_bytes(riff(*chunks))

    assert read_wav(tmp_path / "x.wav") == (data, format)
    assert await spoken(tmp_path / "x.wav") == (data, format)


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF])
async def test_a_stream_that_does_not_know_its_length_is_read_to_its_end(
    size: int, tmp_path: Path
) -> None:
    head = riff((b"fmt ", FMT), (b"data", b""))[:-4] + struct.pack("<I", size)
    (tmp_path / "x.wav").write_bytes(head + b"abcdef" + b"x")  # and part of a sample

    assert (await spoken(tmp_path / "x.wav"))[0] == b"abcdef"
    assert read_wav(tmp_path / "x.wav")[0] == b"abcdef"


WRONG = {
    "nothing": (b"", "ends within its header"),
    "something else": (b"not a wave file at all", "does not begin as one"),
    "no format": (riff((b"data", b"")), "does not say what its samples are"),
    "cut short": (riff((b"fmt ", FMT))[:30], "ends within its header"),
    "a huge format": (
        b"RIFF\0\0\0\0WAVEfmt " + b"\xff" * 4,
        "what it says of its samples is broken",
    ),
    "24 bits": (
        riff((b"fmt ", FMT[:14] + b"\x18\0"), (b"data", b"")),
        "kind 1 with 24 bits .* convert it to 16-bit PCM",
    ),
    "no rate": (riff((b"fmt ", FMT[:4] + bytes(12)), (b"data", b"")), "kind 1 with 0 bits"),
    "a rate of zero": (
        riff((b"fmt ", FMT[:4] + bytes(4) + FMT[8:]), (b"data", b"")),
        "a sample rate of 0 Hz",
    ),
}


@pytest.mark.parametrize("read", [read_wav, WavSource])
@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_such_file_is_told(
    what: str, read: Callable[[Path], object], tmp_path: Path
) -> None:
    data, says = WRONG[what]
    (tmp_path / "x.wav").write_bytes(data)
    with pytest.raises(unirt.ConfigurationError, match=f"(?s){says}") as told:
        read(tmp_path / "x.wav")
    assert told.value.where == str(tmp_path / "x.wav")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(unirt.ConfigurationError, match=r"cannot be read .* No such file"):
        read_wav(tmp_path / "x.wav")
    with pytest.raises(unirt.ConfigurationError, match=r"cannot be written .* Is a directory"):
        WavSink(tmp_path)


def test_a_header_that_comes_byte_by_byte() -> None:
    data = io.BytesIO(written_header(unirt.G711_ULAW, 5))
    header = read_header(lambda size: data.read(1), "")

    assert (header.format, header.size) == (unirt.G711_ULAW, 5)
