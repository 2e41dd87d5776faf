"""How much goes into a message of a call, and how many of them wait to be read."""

from __future__ import annotations

import pytest

import unirt
from tests.calling import quiet_peer
from unirt.transports.webrtc.options import CallOptions
from unirt.transports.webrtc.transport import WebRTCTransport


@pytest.mark.parametrize(
    ("said", "largest"),
    [("a=max-message-size:1000\r\n", 1_000), ("a=max-message-size:0\r\n", None), ("", 65_536)],
    ids=["so much", "any", "nothing said"],
)
async def test_how_much_a_message_may_hold_is_what_the_peer_says(
    said: str, largest: int | None
) -> None:
    transport = WebRTCTransport(CallOptions(interfaces=("127.0.0.1",)), "http://127.0.0.1/")
    there = quiet_peer(CallOptions(interfaces=("127.0.0.1",)))
    answer = await there.answer(await transport.peer.offer("events"))
    line = next(line for line in answer.splitlines(True) if "max-message-size" in line)
    await transport.peer.accept(answer.replace(line, said))
    assert transport.media.largest == largest
    if largest is not None:
        with pytest.raises(unirt.UsageError, match=rf"{largest + 1} bytes .* \({largest}\)"):
            transport.send_now("é" * (largest // 2) + "x" * (largest % 2 + 1))
    await transport.close()
    await there.close()


async def test_what_nobody_reads_ends_a_call_beyond_16_mib() -> None:
    """A data channel cannot be told to wait."""
    transport = WebRTCTransport(CallOptions(interfaces=("127.0.0.1",)), "http://127.0.0.1/")
    frame = b"x" * (1 << 20)
    for _ in range(200):
        if transport._unread is not None:
            break
        transport._heard(frame, False)
    for _ in range(16):
        transport._heard(frame, False)
    assert transport._gone is None
    transport._heard(b"!", False)
    gone = transport._gone
    assert gone is not None
    assert (gone.reason, gone.by) == ("nobody reads what comes", "network")
    await transport.close()
