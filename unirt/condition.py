"""
How a connection is doing that carries audio beside its frames, as a value.

Audio that is carried as packets can be late and can be lost, and nobody says so of a single one.
Both ends count, and tell each other what they counted every second or so.
"""

from __future__ import annotations

import attrs

from unirt.value import Value

__all__ = ["Condition"]


@attrs.frozen(kw_only=True)
class Condition(Value):
    """One measurement. All counts are since the connection began."""

    state: str = "connected"
    "``connecting``, ``connected``, ``failed`` or ``closed``."
    rtt_ms: float | None = None
    "How long a packet takes there and back; ``None`` until the peer has reported."
    jitter_ms: float | None = None
    "By how much packets of the model's audio come unevenly; ``None`` until some came."
    received: int = 0
    "Packets of the model's audio that came."
    lost: int = 0
    "Packets of the model's audio that did not come."
    sent: int = 0
    "Packets of the user's audio that were sent."
    lost_there: int | None = None
    "Those of them that the peer misses; ``None`` until it has reported."
    bytes_in: int = 0
    "All that came, the frames' packets included."
    bytes_out: int = 0
    "All that was sent, the frames' packets included."

    @property
    def loss(self) -> float | None:
        """The share of the model's audio that was lost, 0.0 to 1.0; ``None`` until some came."""
        expected = self.received + self.lost
        return self.lost / expected if expected else None
