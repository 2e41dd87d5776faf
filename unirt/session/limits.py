"""How much a session may hold, and what it counted."""

from __future__ import annotations

import attrs

from unirt.value import Value

__all__ = ["Limits", "Stats"]


@attrs.frozen(kw_only=True)
class Limits(Value):
    """
    The bounds of a session's memory.

    What happens at each is said in :mod:`unirt.session.views`, :mod:`unirt.session.outbox`,
    :mod:`unirt.session.history` and :mod:`unirt.session.calls`.
    """

    audio_ms: float = 120_000
    "Unread audio a view holds, in ms; beyond it the oldest is dropped and counted."
    events: int = 20_000
    "Unread other events a view holds; beyond it nothing more is read from the network."
    replay_events: int = 200
    "Events kept from the start, for views that are opened later."
    replay_bytes: int = 64_000
    "Bytes of frames behind those events."
    outgoing_frames: int = 64
    "Frames that wait to be sent; beyond it verbs wait."
    outgoing_bytes: int = 1_000_000
    "Bytes (characters, for text) of those frames."
    history_items: int = 1_000
    "Items of :attr:`Session.history`; beyond it the oldest turns are forgotten."
    history_characters: int = 2_000_000
    "Characters of text in it, likewise."
    tools_running: int = 16
    "Tools that run at once; beyond it calls wait for their turn."
    tools_waiting: int = 64
    "Calls that wait for their turn, or for an approval; beyond it they are refused."
    tool_output: int = 32_000
    "Characters of a tool's result that the model gets; what is beyond it is cut off."


@attrs.frozen(kw_only=True)
class Stats(Value):
    """What a session counted so far."""

    frames_in: int = 0
    frames_out: int = 0
    frames_waiting: int = 0
    "Frames that are queued and not sent yet."
    bytes_in: int = 0
    bytes_out: int = 0
    "Bytes of binary frames, characters of text frames."
    events: int = 0
    dropped_audio_ms: float = 0.0
    "Audio that views dropped because nobody read it, in ms, all views together."
    silenced_audio_ms: float = 0.0
    "Unread audio that views dropped because its response was interrupted, in ms, all together."
    input_dropped_ms: float = 0.0
    "The user's audio that was not sent because the model would not take it, in ms."
    discarded: int = 0
    "Pieces of content that came after their response was interrupted."
