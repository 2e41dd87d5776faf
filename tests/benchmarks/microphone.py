"""What the user says in the benchmarks: the same chunk of noise, over and over."""

from __future__ import annotations

import random

from tests.benchmarks.contender import Task

__all__ = ["APPLICATION_RATE", "RATES", "float_chunk", "native_chunk"]

RATES = {"openai": 24_000, "google": 16_000}
"What each provider listens to, in Hz, as PCM16."
APPLICATION_RATE = 48_000
"What the application has where it has to be resampled, in Hz, as float32."
_SEED = 2026


def native_chunk(task: Task) -> bytes:
    """One chunk as the provider wants it."""
    return random.Random(_SEED).randbytes(int(RATES[task.protocol] * task.chunk_ms / 1000) * 2)


def float_chunk(task: Task) -> bytes:
    """One chunk as the application has it: float32 samples in -0.5 to 0.5."""
    import numpy as np

    count = int(APPLICATION_RATE * task.chunk_ms / 1000)
    noise = np.random.default_rng(_SEED).random(count, dtype=np.float32) - np.float32(0.5)
    return noise.tobytes()
