"""What is heard where a simulated model says something: a recording, the user's own, or a voice."""

from __future__ import annotations

from unirt.audio import AudioFormat
from unirt.simulator.scenario import Say
from unirt.simulator.voice import load_wav, tune

__all__ = ["uttered"]

_MS_PER_WORD = 300.0


def uttered(step: Say, format: AudioFormat, heard: bytes) -> bytes:
    """
    The sound of it.

    Args:
        step: What is said.
        format: What the sound is to be.
        heard: The spoken turn that is answered, in that format; nothing where there was none.
    """
    if step.wav is not None:
        return load_wav(step.wav, format)
    if step.echo and heard:
        return heard
    return tune(step.text, step.ms or _MS_PER_WORD * max(1, len(step.text.split())), format)
