"""What a client did over one connection, step by step: frames, and runs of audio."""

from __future__ import annotations

import attrs

from unirt.cassettes.entries import Framed, Path, Segment
from unirt.cassettes.meaning import Ear, audio_at

__all__ = ["Step", "steps_of"]


@attrs.define
class Step:
    """One frame that the client sent, or a run of audio."""

    line: int
    index: int
    "Among the entries of the connection."
    frame: Framed
    run: int | None = None
    "How much audio the run holds, in bytes."
    parts: list[tuple[int, Framed]] = attrs.field(factory=list)
    "The frames of the run, each with its line."
    ends: list[int] = attrs.field(factory=list)
    "Where each of them ends, in bytes."
    at: Path = ()
    "Where its audio is in the frame."


def steps_of(segment: Segment, *, runs: bool) -> tuple[list[Step], list[tuple[int, int]]]:
    """
    The steps; and for each entry, how far the client must be: at which step, and in its run.

    Args:
        segment: The connection.
        runs: Whether frames of audio in a row are one step.
    """
    steps: list[Step] = []
    needs: list[tuple[int, int]] = []
    ear = Ear(segment)
    place = (0, 0)
    for index, (line, entry) in enumerate(segment.entries):
        needs.append(place)
        if not isinstance(entry, Framed):
            continue
        if entry.direction == "received":
            if runs:
                ear.told(entry.payload)
            continue
        audio = ear.hear(entry.frame).audio if runs else None
        at = None if audio is None else audio_at(entry.data, audio)
        if audio is None or at is None:
            steps.append(Step(line, index, entry))
            place = (len(steps), 0)
            continue
        last = steps[-1] if steps else None
        if last is None or last.run is None:
            last = Step(line, index, entry, run=0, at=at)
            steps.append(last)
        size = sum(change.size for change in entry.altered) or len(audio)
        last.run = (last.run or 0) + size
        last.parts.append((line, entry))
        last.ends.append(last.run)
        place = (len(steps) - 1, last.run)
    return steps, needs
