"""
The gate before the microphone: what a model must not be sent while it waits for a tool.

A family of models closes the connection over it (1008); which does is in
:mod:`unirt_google.families`. So from a call that such a model waits for until its answer is on its
way nothing of the microphone is sent. Models that take audio then are sent it: what they hear may
cancel the call, as speech does on every provider.

It is dropped, and not kept for later. Speech that is sent when the tool is done would be heard as
if it were spoken then: it would interrupt the very answer that was waited for, and a silence that
is sent faster than it lasted tells the server's detection nothing. What was dropped is told, and
counted in ms. A picture is as true later as it is now, so the newest is kept.

What ends the waiting opens the gate: the answer, the server's cancellation, a text or an
interruption, and the start of a manual turn.
"""

from __future__ import annotations

from unirt.composer import Call, Composer
from unirt.events import InputPaused, InputResumed

__all__ = ["Gate"]


class Gate:
    """
    The gate of one connection.

    Args:
        composer: Knows the calls, and tells of the gate.
        guards: Whether the model is one of those; else it is always open.
    """

    def __init__(self, composer: Composer, *, guards: bool) -> None:
        self._composer = composer
        self._guards = guards
        self._told = False
        self._dropped_ms = 0.0
        self._dropped_images = 0
        self._image: str | None = None

    @property
    def closed(self) -> bool:
        """Whether the model waits for a tool, and would not take audio."""
        return self._guards and bool(self.calls)

    @property
    def calls(self) -> list[Call]:
        """The calls that the model waits for."""
        composer = self._composer
        return [
            call
            for call in composer.pending_calls()
            if call.blocking and not self._was_cut(call.response_id)
        ]

    def drop(self, ms: float) -> None:
        """Count audio that is not sent."""
        self._tell()
        self._dropped_ms += ms

    def hold(self, frame: str) -> None:
        """Keep a picture, in place of the one before it."""
        self._tell()
        self._dropped_images += self._image is not None
        self._image = frame

    def settle(self) -> list[str]:
        """Once the gate is open, tell what was dropped; returns what is to be sent now."""
        if not self._told or self.closed:
            return []
        kept = [] if self._image is None else [self._image]
        self._image = None
        self._resume()
        return kept

    def end(self) -> None:
        """The connection is gone: what was kept is dropped, too."""
        if self._told:
            self._dropped_images += self._image is not None
            self._image = None
            self._resume()

    def _was_cut(self, response_id: str) -> bool:
        response = self._composer.response(response_id)
        return response is not None and response.interrupted

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            ids = tuple(call.id for call in self.calls)
            self._composer.emit(InputPaused, synthesised=True, call_ids=ids)

    def _resume(self) -> None:
        self._composer.emit(
            InputResumed,
            synthesised=True,
            dropped_ms=self._dropped_ms,
            dropped_images=self._dropped_images,
        )
        self._told = False
        self._dropped_ms, self._dropped_images = 0.0, 0
