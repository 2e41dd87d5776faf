"""The small rooms of WebRTC, each by itself: options, what leaves, what comes, in which order."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from aiortc import RTCStatsReport
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtpPacket
from aiortc.stats import RTCInboundRtpStreamStats, RTCRemoteInboundRtpStreamStats

import unirt
from tests.calling import quiet_peer
from unirt.transports.webrtc.incoming import Incoming
from unirt.transports.webrtc.jitter import Jitter
from unirt.transports.webrtc.measure import condition
from unirt.transports.webrtc.options import CallOptions, IceServer, call_options, reaching
from unirt.transports.webrtc.opus import Decoder, Encoder
from unirt.transports.webrtc.outgoing import OutgoingTrack, Waiting
from unirt.transports.webrtc.sound import FRAME_BYTES

SILENCE = bytes(FRAME_BYTES)


def sound(frames: float, level: int = 7) -> bytes:
    return np.full(int(frames * FRAME_BYTES / 2), level, "<i2").tobytes()


# Options.


def test_by_default_nobody_but_the_provider_is_spoken_to() -> None:
    assert call_options({}) == CallOptions()
    assert CallOptions().ice_servers == ()


def test_tls_is_a_context_or_the_systems_own() -> None:
    context = ssl.create_default_context()
    assert [call_options({"ssl": one}).ssl for one in (None, True, context)] == [
        None,
        True,
        context,
    ]
    with pytest.raises(unirt.ConfigurationError, match=r"no ssl\.SSLContext"):
        call_options({"ssl": False})


def test_servers_may_be_written_as_browsers_write_them() -> None:
    options = call_options(
        {
            "ice_servers": [
                "stun:stun.example:3478",
                {"urls": ["turn:turn.example"], "username": "u", "credential": "secret"},
            ],
            "ports": (40_000, 40_100),
            "interfaces": "192.0.2.7",
        }
    )
    assert options.ice_servers == (
        IceServer(urls=("stun:stun.example:3478",)),
        IceServer(urls=("turn:turn.example",), username="u", credential="secret"),
    )
    assert (options.ports, options.interfaces) == ((40_000, 40_100), ("192.0.2.7",))
    assert "secret" not in repr(options)
    assert "secret" not in repr([server.credential for server in options.ice_servers])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ping_interval": 3}, "no option 'ping_interval'"),
        ({"ice_servers": ["http://stun.example"]}, "no ICE server"),
        ({"ice_servers": [{"url": "stun:x"}]}, "no ICE server"),
        ({"interfaces": ["eth0"]}, "no IP address"),
        ({"ports": (5, 4)}, "no range of ports"),
        ({"ports": 4_000}, "no range of ports"),
        ({"dead_after": 0}, "no time for dead_after"),
        ({"open_timeout": True}, "no time for open_timeout"),
        ({"ice_servers": 5}, "no ICE server"),
        ({"interfaces": 5}, "no IP address"),
        ({"extra_query": 5}, "extra_query holds no names"),
        ({"ssl": "certificates.pem"}, "no ssl.SSLContext"),
    ],
    ids=str,
)
def test_an_option_that_cannot_work_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(unirt.ConfigurationError, match=said) as refused:
        call_options(given)
    assert refused.value.where == "connection_options"


@pytest.mark.parametrize(
    ("url", "interfaces"),
    [
        ("http://127.0.0.1:80/v1", ("127.0.0.1",)),
        ("http://localhost/v1", ("127.0.0.1",)),
        ("http://provider.localhost/v1", ("127.0.0.1",)),
        ("http://[::1]/v1", ("::1",)),
        ("https://api.example/v1", ()),
    ],
)
def test_a_server_of_this_machine_is_reached_over_loopback(
    url: str, interfaces: tuple[str, ...]
) -> None:
    assert reaching(CallOptions(), url).interfaces == interfaces
    chosen = CallOptions(interfaces=("192.0.2.7",))
    assert reaching(chosen, url) == chosen


async def test_only_the_chosen_addresses_and_ports_are_offered() -> None:
    peer = quiet_peer(CallOptions(interfaces=("127.0.0.1",), ports=(42_100, 42_110)))
    offer = await peer.offer("events")
    await peer.close()
    candidates = {line.split()[4:6][0] + ":" + line.split()[5] for line in _candidates(offer)}
    assert len(candidates) == 1
    address, _, port = candidates.pop().partition(":")
    assert address == "127.0.0.1"
    assert 42_100 <= int(port) <= 42_110


async def test_the_servers_that_are_named_are_asked_and_no_other() -> None:
    """The agent of ``aiortc`` would ask a public server where it is told of none."""
    named = CallOptions(
        ice_servers=(
            IceServer(urls=("stun:192.0.2.1:3479",)),
            IceServer(urls=("turn:192.0.2.2:3480",), username="u", credential="c"),
        )
    )
    agents = []
    for options in (named, CallOptions()):
        peer = quiet_peer(options)
        (transceiver,) = peer._connection.getTransceivers()
        agents.append(transceiver.receiver.transport.transport.iceGatherer._connection)
        await peer.close()
    ours, without = agents
    assert ours.stun_server == ("192.0.2.1", 3479)
    assert ours.turn_server == ("192.0.2.2", 3480)
    assert (ours.turn_username, ours.turn_password) == ("u", "c")
    assert (without.stun_server, without.turn_server) == (None, None)


def _candidates(sdp: str) -> list[str]:
    return [line for line in sdp.splitlines() if line.startswith("a=candidate:")]


# How it is doing.


def test_what_is_counted_is_told_in_milliseconds_and_packets() -> None:
    report, now = RTCStatsReport(), datetime.now(UTC)
    ids: dict[str, Any] = {"timestamp": now, "ssrc": 1, "kind": "audio", "transportId": "t"}
    ours: dict[str, Any] = {"packetsReceived": 90, "packetsLost": 10, "jitter": 480}
    theirs: dict[str, Any] = {"packetsReceived": 70, "packetsLost": 7, "jitter": 96}
    report.add(RTCInboundRtpStreamStats(**ids, **ours, type="inbound-rtp", id="a"))
    report.add(
        RTCRemoteInboundRtpStreamStats(
            **ids, **theirs, type="remote-inbound-rtp", id="b", roundTripTime=0.25, fractionLost=0
        )
    )
    told = condition(report, "connected")
    assert (told.received, told.lost, told.loss, told.jitter_ms) == (90, 10, 0.1, 10)
    assert (told.lost_there, told.rtt_ms) == (7, 250)


# What leaves.


async def test_audio_leaves_whole_in_frames_of_20_ms_with_silence_around_it() -> None:
    waiting = Waiting()
    assert waiting.take() == SILENCE
    waiting.put(sound(1.5))
    waiting.put(sound(1.5))
    taken = [waiting.take() for _ in range(6)]
    assert {len(frame) for frame in taken} == {FRAME_BYTES}
    assert b"".join(taken).strip(b"\0") == sound(3).strip(b"\0")
    assert waiting.ms == 0


async def test_a_run_begins_with_something_in_hand_so_that_no_delay_is_a_hole() -> None:
    waiting = Waiting()
    waiting.put(sound(1))
    assert waiting.take() == SILENCE  # more is on its way
    waiting.put(sound(1))
    assert waiting.take() == sound(1)
    waiting.put(sound(1))
    assert [waiting.take(), waiting.take()] == [sound(1), sound(1)]


async def test_a_rest_that_is_shorter_than_a_frame_leaves_all_the_same() -> None:
    waiting = Waiting()
    waiting.put(sound(0.5))
    taken = [waiting.take() for _ in range(3)]
    assert {len(frame) for frame in taken} == {FRAME_BYTES}
    assert b"".join(taken).strip(b"\0") == sound(0.5).strip(b"\0")


async def test_what_is_held_leaves_later_and_is_waited_for() -> None:
    waiting = Waiting()
    waiting.held = True
    waiting.put(sound(3))
    draining = asyncio.ensure_future(waiting.drained())
    for _ in range(20):
        assert waiting.take() == SILENCE
        await asyncio.sleep(0)
    assert not draining.done()
    waiting.held = False
    assert [waiting.take() for _ in range(3)] == [sound(1)] * 3
    draining.cancel()


async def test_what_is_dropped_does_not_leave() -> None:
    waiting = Waiting()
    waiting.put(sound(50))
    waiting.take()
    waiting.drop()
    assert waiting.take() == SILENCE
    await waiting.drained()


async def test_drained_means_that_a_peer_behind_a_jitter_buffer_can_have_heard_it() -> None:
    waiting = Waiting()
    waiting.put(sound(3))
    draining = asyncio.ensure_future(waiting.drained())
    frames = 0
    while not draining.done():
        waiting.take()
        frames += 1
        await asyncio.sleep(0)
    assert 12 <= frames <= 16  # three frames, and 200 ms of silence behind them


async def test_who_sends_waits_while_ten_seconds_wait_and_no_longer_than_the_call() -> None:
    waiting = Waiting()
    waiting.put(sound(501))
    sending = asyncio.ensure_future(waiting.room())
    await asyncio.sleep(0)
    assert not sending.done()
    for _ in range(3):
        waiting.take()
    await sending
    waiting.put(sound(501))
    sending, draining = (asyncio.ensure_future(one()) for one in (waiting.room, waiting.drained))
    await asyncio.sleep(0)
    waiting.finish()
    await asyncio.gather(sending, draining)
    waiting.put(sound(1))
    assert waiting.ms == 0


class Clock:
    """The time of the loop, as far as a track is concerned."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "time", lambda: self.now)
        monkeypatch.setattr("unirt.transports.webrtc.outgoing.asyncio.sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


async def test_frames_are_paced_and_their_time_goes_on_without_a_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    track = OutgoingTrack(lambda: SILENCE)
    clock = Clock(monkeypatch)
    frames = [await track.recv() for _ in range(3)]
    clock.now += 0.05  # a little late: the next ones catch up
    frames += [await track.recv() for _ in range(4)]
    assert clock.slept == [0.02, 0.02, 0.01, 0.02]
    clock.now += 5.0  # very late: nothing is made up for, and nothing comes in a burst
    clock.slept.clear()
    frames += [await track.recv() for _ in range(3)]
    assert clock.slept == [0.02, 0.02]
    assert [frame.pts for frame in frames] == list(range(0, 10 * 960, 960))
    assert {frame.time_base for frame in frames} == {Fraction(1, 48_000)}
    track.stop()
    with pytest.raises(MediaStreamError):
        await track.recv()


# What comes.


def packet(number: int) -> RtpPacket:
    made = RtpPacket(sequence_number=number % 65_536, timestamp=number * 960)
    made._data = bytes([number % 256])  # type: ignore[attr-defined]  # it is set where it is parsed
    return made


def given(numbers: list[int]) -> list[int]:
    jitter = Jitter()
    return [number for one in numbers for number in added(jitter, one)]


def added(jitter: Jitter, number: int) -> list[int]:
    following = jitter.add(packet(number))
    if following is None:
        return []
    timestamp, data = following
    assert data == bytes([timestamp // 960 % 256])
    return [timestamp // 960]


def test_packets_are_handed_on_in_order_a_few_behind() -> None:
    assert given([0, 1, 2, 3, 4, 5]) == [0, 1, 2]
    assert given([0, 2, 1, 3, 5, 4, 6, 7]) == [0, 1, 2, 3, 4]


def test_a_packet_that_is_lost_takes_no_other_with_it() -> None:
    numbers = [number for number in range(60) if number % 10 != 7]
    assert given(numbers) == numbers[:-3]


def test_a_packet_that_comes_too_late_or_twice_is_dropped() -> None:
    assert given([0, 1, 2, 3, 4, 5, 0, 5, 6, 7]) == [0, 1, 2, 3, 4]


def test_numbers_begin_anew_after_65536_and_nobody_notices() -> None:
    numbers = list(range(65_530, 65_545))
    assert given(numbers) == numbers[:-3]


def test_a_sender_that_begins_anew_is_followed() -> None:
    assert given([*range(10), *range(30_000, 30_008)])[-2:] == [30_003, 30_004]


@pytest.mark.parametrize("first", [0, (1 << 32) - 5 * 960], ids=["counting on", "beginning anew"])
def test_what_was_held_through_a_pause_of_the_sender_is_not_heard_after_it(first: int) -> None:
    jitter = Jitter()
    handed_on = []
    for number in range(10):
        made = packet(number)
        # It was silent for a second after the fifth, and sent nothing meanwhile.
        made.timestamp = (first + number * 960 + (48_000 if number > 4 else 0)) % (1 << 32)
        if (following := jitter.add(made)) is not None:
            handed_on.append(following[1][0])
    assert handed_on == [0, 1, 5, 6]


def test_a_long_run_of_packets_that_are_lost_takes_none_of_those_before_it() -> None:
    assert given([*range(5), *range(65, 71)]) == [0, 1, 2, 3, 4, 65, 66, 67]


def heard(numbers: list[int], *, first: int = 0, at: float = 1_000) -> npt.NDArray[np.int16]:
    """What is heard of a tone of so many frames of 20 ms, of which some came."""
    encoder, pieces = Encoder(), list[bytes]()
    incoming = Incoming(pieces.append)
    t = np.arange(480) / 24_000
    frame = (8_000 * np.sin(2 * np.pi * at * t)).astype("<i2").tobytes()
    packets = [bytes(encoder.encode(frame)) for _ in range(12)]
    for number in numbers:
        incoming.take((first + number * 960) % (1 << 32), packets[number % 12])
    return np.frombuffer(b"".join(pieces), "<i2")


def test_what_was_lost_is_silence_of_the_same_length() -> None:
    samples = heard([0, 1, 2, 5, 6, 7, 8])
    assert len(samples) / 24 == pytest.approx(180, abs=5)
    silent = np.flatnonzero(np.abs(samples[480:]) == 0)
    assert len(silent) / 24 == pytest.approx(40, abs=6)
    assert np.median(np.abs(samples[480:1440])) == pytest.approx(8_000 / np.sqrt(2), rel=0.03)


def test_a_long_break_is_not_filled() -> None:
    assert len(heard([0, 1, 2, 500, 501])) / 24 == pytest.approx(100, abs=5)


def test_the_clock_of_a_track_begins_anew_after_32_bits_and_nobody_notices() -> None:
    assert len(heard([0, 1, 4, 5], first=(1 << 32) - 2 * 960)) / 24 == pytest.approx(120, abs=5)


@pytest.mark.parametrize("data", [b"", b"\xff" * 40, b"\x03"], ids=["empty", "nonsense", "cut"])
def test_a_packet_that_is_no_sound_is_none_and_the_next_one_is_heard(data: bytes) -> None:
    pieces: list[bytes] = []
    incoming, encoder = Incoming(pieces.append), Encoder()
    incoming.take(0, bytes(encoder.encode(SILENCE)))
    incoming.take(960, data)
    incoming.take(1920, bytes(encoder.encode(SILENCE)))
    assert len(b"".join(pieces)) / 48 == pytest.approx(60, abs=3)


def test_sound_is_as_loud_after_the_codec_as_before_it_and_in_time() -> None:
    encoder, decoder = Encoder(), Decoder()
    t = np.arange(24_000) / 24_000
    tone = (8_000 * np.sin(2 * np.pi * 440 * t)).astype("<i2").tobytes()
    packets = [encoder.encode(tone[i : i + FRAME_BYTES]) for i in range(0, 48_000, FRAME_BYTES)]
    assert [packet.pts for packet in packets] == list(range(0, 48_000, 960))
    back = np.frombuffer(b"".join(decoder.decode(bytes(one)) for one in packets), "<i2")
    assert len(back) / 24 == pytest.approx(1_000, abs=3)
    inside = back[2_400:-2_400].astype(float)
    assert np.sqrt((inside**2).mean()) == pytest.approx(8_000 / np.sqrt(2), rel=0.03)
