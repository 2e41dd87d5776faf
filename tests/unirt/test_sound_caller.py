"""Who calls by WebRTC, as a source and a player: real peers on loopback, of ours and of aiortc."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable

import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

import unirt
from tests.calling import cut_off, idle, loudest_hz, time_passes
from unirt.audio import PCM16_24K
from unirt.clock import ManualClock
from unirt.events import AudioDelta, Origin, Stream, StreamKind
from unirt.sound import Caller, PulledPlayer, TrackSink, TrackSource
from unirt.sound.unread import Unread
from unirt.transport import TransportClosed
from unirt.transports.webrtc.candidates import restrict
from unirt.transports.webrtc.options import CallOptions
from unirt.transports.webrtc.peer import Peer

HERE = {"interfaces": "127.0.0.1"}
STREAM = Stream(id="s", kind=StreamKind.AUDIO, item_id="i", index=0, response_id="r", turn_id="t")


def tone(hz: float, ms: float = 1_000) -> bytes:
    t = np.arange(int(ms * 24)) / 24_000
    return (9_000 * np.sin(2 * np.pi * hz * t)).astype("<i2").tobytes()


def audio(data: bytes) -> AudioDelta:
    return AudioDelta(origin=Origin(provider="toy"), stream=STREAM, data=data, format=PCM16_24K)


def hz(sound: bytes) -> float:
    """What is heard most, where it is heard."""
    samples = np.frombuffer(sound, "<i2").astype(float)
    loud = np.flatnonzero(np.abs(samples) > 3_000)
    assert loud[-1] - loud[0] > 0.8 * 24_000
    return loudest_hz(samples[loud[0] + 2_400 : loud[-1] - 2_400])


async def heard(source: Caller | TrackSource, enough: Callable[[bytes], bool]) -> bytes:
    sound = b""
    async with contextlib.aclosing(aiter(source)) as pieces:
        async for piece in pieces:
            sound += piece
            if enough(sound):
                break
    return sound


def said(sound: bytes) -> bool:
    """Whether somebody has said something for a second, and then stopped."""
    samples = np.frombuffer(sound, "<i2")
    loud = np.flatnonzero(np.abs(samples) > 3_000)
    return len(loud) > 0 and len(samples) - loud[-1] > 2_400 and loud[-1] - loud[0] > 19_200


class Page:
    """A browser, as far as a caller is one: it speaks a tone, and notes what it hears."""

    def __init__(self, speaks: bytes) -> None:
        self.sound = b""
        self.words: list[str] = []
        self.moved = asyncio.Event()
        self._speaks = speaks
        self.peer = Peer(
            CallOptions(interfaces=("127.0.0.1",)),
            take=self._take,
            heard=self._word,
            hear=self._hear,
            told=lambda condition: None,
            over=self._over,
        )
        self.gone: TransportClosed | None = None

    async def call(self, caller: Caller) -> None:
        await self.peer.accept(await caller.answer(await self.peer.offer("words")))
        await self.peer.opened()

    async def until(self, told: Callable[[], object]) -> None:
        while not told():
            self.moved.clear()
            await self.moved.wait()

    def _take(self) -> bytes:
        frame, self._speaks = self._speaks[:960], self._speaks[960:]
        return frame.ljust(960, b"\0")

    def _word(self, frame: bytes, binary: bool) -> None:
        self.words.append(frame.decode())
        self.moved.set()

    def _hear(self, data: bytes) -> None:
        self.sound += data
        self.moved.set()

    def _over(self, gone: TransportClosed) -> None:
        self.gone = gone
        self.moved.set()


async def test_a_caller_is_heard_and_hears_and_ends_as_a_source_ends() -> None:
    words: list[str | bytes] = []
    played: list[float] = []
    page = Page(tone(440))
    async with Caller(heard=words.append, options=HERE) as caller:
        assert not caller.say("nobody is there")
        async with caller.player.open(played.append):
            await page.call(caller)
            assert await caller.arrived()
            listening = asyncio.create_task(heard(caller, said))
            caller.player.play(audio(tone(1_000)))
            assert page.peer.send_now("here I am")
            assert caller.say("and here is a reply")
            assert hz(await listening) == pytest.approx(440, abs=3)
            await page.until(lambda: said(page.sound))
            assert hz(page.sound) == pytest.approx(1_000, abs=3)
            assert sum(played) == pytest.approx(1_000)
            assert (words, page.words) == (["here I am"], ["and here is a reply"])
            assert caller.condition.state == "connected"
            ending = asyncio.create_task(heard(caller, lambda sound: False))
            await page.peer.close()
            await ending
            assert caller.ended == "the peer hung up"
            assert not caller.say("is anybody there?")
    assert await idle() == set()


async def test_nobody_is_waited_for_longer_than_somebody_may_take() -> None:
    page = Page(b"")
    async with Caller(options=HERE) as caller:
        await caller.answer(await page.peer.offer("words"))  # which never gets back to it
        assert not await caller.arrived(patience=0.01)
        assert caller.ended is None
        coming = asyncio.create_task(caller.arrived())
    assert not await coming
    await page.peer.close()
    assert await idle() == set()


async def test_a_call_that_is_left_is_hung_up() -> None:
    page = Page(b"")
    async with Caller(options=HERE) as caller:
        await page.call(caller)
    await page.until(lambda: page.gone)
    assert caller.ended == "hung up here"
    await page.peer.close()
    assert await idle() == set()


async def test_what_cannot_be_done_with_a_call_is_said() -> None:
    with pytest.raises(unirt.ConfigurationError, match="no option 'volume'"):
        Caller(options={"volume": 11})
    with pytest.raises(unirt.UsageError, match="async with"):
        Caller().say("too early")
    page = Page(b"")
    async with Caller(options=HERE) as caller:
        with pytest.raises(ValueError, match="cannot be used"):
            await caller.answer("this is no SDP")
    async with Caller(options=HERE) as caller:
        await page.call(caller)
        assert caller._peer is not None
        caller._peer.largest = 1_000
        with pytest.raises(unirt.UsageError, match="larger than the caller takes"):
            caller.say("x" * 1_001)
    await page.peer.close()
    assert await idle() == set()


async def test_a_caller_that_can_have_no_socket_says_so() -> None:
    page = Page(b"")
    options = {"interfaces": "192.0.2.7", "ports": (40_000, 40_001)}
    async with Caller(options=options) as caller:
        with pytest.raises(unirt.ConfigurationError, match="a port from 40000 to 40001") as refused:
            await page.call(caller)
        assert refused.value.where == "options"
    await page.peer.close()
    assert await idle() == set()


async def test_a_caller_whose_network_is_dead_is_gone_in_the_documented_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ManualClock()
    monkeypatch.setattr("unirt.transports.webrtc.peer.SystemClock", lambda: clock)
    page = Page(b"")
    async with Caller(options=HERE) as caller:
        await page.call(caller)
        assert caller._peer is not None
        await cut_off(page.peer, caller._peer)
        await time_passes(clock, 19, lambda: caller.ended)
        assert caller.ended == "nothing came for 15 s"
        assert await heard(caller, lambda sound: False) is not None  # its sound has an end
    await page.peer.close()


async def test_a_caller_needs_no_words_to_be_there_and_to_be_missed() -> None:
    async with connection() as one, Caller(options=HERE) as caller:
        sink = TrackSink()
        one.addTrack(sink.track)
        for transceiver in one.getTransceivers():
            gatherer = transceiver.receiver.transport.transport.iceGatherer
            restrict(gatherer, CallOptions(interfaces=("127.0.0.1",)))
        await one.setLocalDescription(await one.createOffer())
        sdp = await caller.answer(one.localDescription.sdp)
        await one.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))
        assert await caller.arrived()
        assert not caller.say("there is no way to say it")
        await one.close()
        assert await heard(caller, lambda sound: False) is not None
        assert caller.ended == "the peer hung up"
    assert await idle() == set()


async def test_who_does_not_take_opus_is_refused() -> None:
    async with connection() as one, Caller(options=HERE) as caller:
        voice = one.addTransceiver("audio")
        known = RTCRtpSender.getCapabilities("audio").codecs
        voice.setCodecPreferences([codec for codec in known if codec.mimeType == "audio/PCMU"])
        await one.setLocalDescription(await one.createOffer())
        with pytest.raises(ValueError, match="cannot be used"):
            await caller.answer(one.localDescription.sdp)
    assert await idle() == set()


async def test_what_breaks_over_a_sound_ends_the_call_and_is_told() -> None:
    page = Page(b"")

    def broken(data: bytes) -> None:
        raise OSError("no room")

    page.peer._hear = broken
    async with Caller(options=HERE) as caller:
        await page.call(caller)
        await page.until(lambda: page.gone)
        assert page.gone is not None
        assert (page.gone.by, page.gone.reason) == ("network", "the call broke: OSError('no room')")
    await page.peer.close()
    assert await idle() == set()


# Tracks of a connection that is not ours.


async def connected(here: RTCPeerConnection, there: RTCPeerConnection) -> None:
    for connection in (here, there):
        for transceiver in connection.getTransceivers():
            gatherer = transceiver.receiver.transport.transport.iceGatherer
            restrict(gatherer, CallOptions(interfaces=("127.0.0.1",)))
    await here.setLocalDescription(await here.createOffer())
    await there.setRemoteDescription(_same(here.localDescription))
    await there.setLocalDescription(await there.createAnswer())
    await here.setRemoteDescription(_same(there.localDescription))


def _same(description: RTCSessionDescription) -> RTCSessionDescription:
    return RTCSessionDescription(sdp=description.sdp, type=description.type)


@contextlib.asynccontextmanager
async def connection() -> AsyncGenerator[RTCPeerConnection]:
    one = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        yield one
    finally:
        await one.close()


async def test_a_tone_through_tracks_of_somebody_s_connection() -> None:
    sink, back = TrackSink(), TrackSink()
    tracks: list[MediaStreamTrack] = []
    played: list[float] = []
    async with connection() as here, connection() as there, sink.open(played.append):
        here.addTrack(sink.track)
        there.addTrack(back.track)
        there.on("track", tracks.append)
        await connected(here, there)
        source = TrackSource(tracks[0])
        listening = asyncio.create_task(heard(source, said))
        sink.play(audio(tone(1_000)))
        sound = await listening
        assert hz(sound) == pytest.approx(1_000, abs=3)
        samples = np.frombuffer(sound, "<i2").astype(float)
        level = np.sqrt((samples[np.abs(samples) > 100] ** 2).mean())
        assert level == pytest.approx(9_000 / np.sqrt(2), rel=0.15)  # both channels were filled
        assert sum(played) == pytest.approx(1_000)
        assert source.dropped_ms == 0
        assert await heard(source, lambda sound: len(sound) > 4_800)  # it can be listened to again
        robbed = asyncio.create_task(heard(source, lambda sound: False))
        await asyncio.sleep(0)
        (task,) = (task for task in asyncio.all_tasks() if task.get_name() == "unirt-track")
        task.cancel()
        with pytest.raises(RuntimeError, match="not by its reader"):
            await robbed
        ending = asyncio.create_task(heard(source, lambda sound: False))
        await here.close()
        await ending
    assert await idle() == set()


async def test_what_nobody_takes_was_not_heard_and_what_is_flushed_is_silent() -> None:
    played: list[float] = []
    player = PulledPlayer()
    async with player.open(played.append):
        player.play(audio(tone(440, 100)))
        assert (player.waiting_ms, played) == (100, [])
        assert player.take() == tone(440, 100)[:960]
        player.flush()
        assert player.take() == bytes(960)
        assert (player.waiting_ms, sum(played)) == (0, 20)
        with pytest.raises(unirt.UsageError, match="plays already"):
            async with player.open(played.append):
                pass
    assert player.take() == bytes(960)


async def test_of_what_is_not_read_in_time_the_oldest_goes() -> None:
    unread = Unread(PCM16_24K, 100, "somebody")
    for number in range(8):
        unread.put(bytes([number]) * 960)
    unread.end()
    assert [piece[0] async for piece in unread.pieces()] == [3, 4, 5, 6, 7]
    assert unread.dropped_ms == 60


class Watched:
    """What is held and not read, of which somebody is told whenever more comes."""

    def __init__(self, unread: Unread) -> None:
        self._unread = unread
        self._more = asyncio.Event()
        self._put = unread.put
        unread.put = self._note  # type: ignore[method-assign]  # to look on

    def _note(self, piece: bytes) -> None:
        self._put(piece)
        self._more.set()

    async def until_dropped(self, ms: float) -> None:
        while self._unread.dropped_ms < ms:
            self._more.clear()
            await self._more.wait()


async def test_a_caller_whom_nobody_listens_to_is_heard_and_no_more_is_held() -> None:
    page = Page(tone(440, 600))
    caller = Caller(options=HERE, most_ms=100)
    watched = Watched(caller._unread)
    async with caller:
        await page.call(caller)
        await watched.until_dropped(500)
        held = await heard(caller, lambda sound: len(sound) >= PCM16_24K.bytes_for(80))
        assert PCM16_24K.duration_ms(len(held)) <= 100
    await page.peer.close()


async def test_a_track_that_is_not_read_is_drained_and_no_more_of_it_is_held() -> None:
    sink, back = TrackSink(), TrackSink()
    tracks: list[MediaStreamTrack] = []
    async with connection() as here, connection() as there:
        here.addTrack(sink.track)
        there.addTrack(back.track)
        there.on("track", tracks.append)
        await connected(here, there)
        (track,) = tracks
        queue: asyncio.Queue[object] = track._queue  # type: ignore[attr-defined]  # without a bound
        source = TrackSource(track, most_ms=100)
        watched = Watched(source._unread)
        async with contextlib.aclosing(aiter(source)) as pieces:
            await anext(pieces)  # and no other
            await watched.until_dropped(300)
            assert queue.qsize() < 5
            held = [await anext(pieces) for _ in range(len(source._unread._pieces))]
            assert PCM16_24K.duration_ms(sum(map(len, held))) <= 100
    assert await idle() == set()


async def test_what_is_no_track_of_audio_is_refused() -> None:
    async with connection() as one:
        video = one.addTransceiver("video").receiver.track
        with pytest.raises(unirt.UsageError, match="no track of audio"):
            TrackSource(video)


async def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unirt.transports.webrtc.extra.find_spec", lambda name: None)
    for made in (Caller, TrackSink):
        with pytest.raises(unirt.ConfigurationError, match="not installed") as refused:
            made()
        assert "unirt-realtime[webrtc]" in str(refused.value)
    environ = {"OPENAI_API_KEY": "sk-x"}
    with pytest.raises(unirt.ConfigurationError, match="not installed") as refused:
        async with unirt.connect("openai", transport="webrtc", environ=environ, env_file=None):
            pass
    assert refused.value.where == "transport"
