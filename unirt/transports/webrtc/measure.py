"""What ``aiortc`` counts of a call, as a :class:`~unirt.condition.Condition`."""

from __future__ import annotations

from typing import Any

from aiortc import RTCStatsReport
from aiortc.stats import (
    RTCInboundRtpStreamStats,
    RTCOutboundRtpStreamStats,
    RTCRemoteInboundRtpStreamStats,
    RTCTransportStats,
)

from unirt.condition import Condition

__all__ = ["condition", "packets_in"]

_TICKS_A_MS = 48
"Jitter is told in ticks of the codec's clock; that of Opus is 48 kHz."


def packets_in(report: RTCStatsReport) -> int:
    """How many packets came, of any kind."""
    return sum(one.packetsReceived for one in report.values() if isinstance(one, RTCTransportStats))


def condition(report: RTCStatsReport, state: str) -> Condition:
    """What a report says."""
    fields: dict[str, Any] = {}
    for one in report.values():
        match one:
            case RTCTransportStats():
                fields |= {"bytes_in": one.bytesReceived, "bytes_out": one.bytesSent}
            case RTCInboundRtpStreamStats():
                fields |= {"received": one.packetsReceived, "lost": max(0, one.packetsLost)}
                fields["jitter_ms"] = one.jitter / _TICKS_A_MS
            case RTCOutboundRtpStreamStats():
                fields["sent"] = one.packetsSent
            case RTCRemoteInboundRtpStreamStats():
                fields["lost_there"] = max(0, one.packetsLost)
                if one.roundTripTime is not None:
                    fields["rtt_ms"] = max(0.0, one.roundTripTime * 1000)
            case _:
                pass
    return Condition(state=state, **fields)
