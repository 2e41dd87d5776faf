"""How loud a piece of audio is, in decibels of full scale: for meters, and for guards."""

from __future__ import annotations

import attrs

from unirt.audio import AudioFormat

__all__ = ["QUIET", "Level", "level"]

_FLOOR_DB = -120.0
"What silence is called: quieter than any of 16 bits."


@attrs.frozen
class Level:
    """A loudness. A sine of full scale has a peak of 0 and an average of -3."""

    rms_db: float
    "The average."
    peak_db: float
    "The loudest sample."


QUIET = Level(_FLOOR_DB, _FLOOR_DB)
"Nothing is heard."


def level(data: bytes, format: AudioFormat) -> Level:
    """How loud whole samples are, all channels together."""
    if not data:
        return QUIET
    import numpy as np  # here, for a session that measures nothing needs none

    from unirt.session.samples import decoder

    samples = decoder(format)(data).astype(np.float64)
    return Level(_db(float(np.sqrt(np.mean(samples**2)))), _db(float(np.abs(samples).max())))


def _db(amplitude: float) -> float:
    from math import log10

    return max(_FLOOR_DB, 20 * log10(amplitude)) if amplitude > 0 else _FLOOR_DB
