"""
Who has the floor: what happens when a response is cut short.

Three things belong together, whoever cuts. The application is told at once, at the first sign, and
hears nothing of the response after it. The provider is told to stop generating, unless it stopped
by itself. And the provider is told how much was heard, because over a WebSocket it cannot know:
without that the model goes on as if the user had heard everything.

Of a call, whose audio goes beside the frames, the provider knows by itself how much was heard. Then
it is told to throw away what it has not played, and nothing is truncated.

The truncation names one item and a position in it: the smaller of what was played and what was
received of it. Nothing is truncated at 0 ms, where the provider refuses it. Nothing is truncated at
its end, for the provider forgets the words of what it truncates, and all of them were heard. And
nothing is by whoever only joined a call, for there nothing was received here.

A player that tells only afterwards how far it came may correct that downwards: what was cut to a
length can be cut again to a shorter one.
"""

from __future__ import annotations

from unirt.commands import ReportPlayback
from unirt.composer import Call, Response
from unirt_openai.names import remember
from unirt_openai.state import State

__all__ = ["barge_in", "cancel", "cut", "give_up", "hush", "make_way", "played", "take_floor"]


def barge_in(state: State) -> None:
    """The user speaks over the model, and the provider stops by itself."""
    if not state.speech_interrupts:
        return
    _stop(state, state.composer.active, by="speech", said=True)
    _cancel_calls(state, state.composer.pending_calls(), by="speech", said=True)


def cut(state: State, response: Response) -> None:
    """The application wants something else: stop this running response."""
    _hurry(state)
    _stop(state, response, by="client")
    own = [call for call in state.composer.pending_calls() if call.response_id == response.id]
    _cancel_calls(state, own, by="client")


def make_way(state: State) -> None:
    """Something else is to be answered: stop what runs, and the tools that the model waits for."""
    if (running := state.running) is not None:
        cut(state, running)
    calls = state.composer.pending_calls()
    if any(call.blocking for call in calls):
        _hurry(state)
        _cancel_calls(state, calls, by="client")


def give_up(state: State, response_id: str | None = None) -> bool:
    """An answer is not wanted, whose tools still run; returns whether there were any."""
    calls = [
        call
        for call in state.composer.pending_calls()
        if call.blocking and response_id in (None, call.response_id)
    ]
    for call in calls:
        state.requests.abandon(call.response_id)
    if calls:
        state.composer.cancel_calls([call.id for call in calls], synthesised=True)
    return bool(calls)


def hush(state: State) -> None:
    """The model is to speak of something else: stop what runs, else what plays."""
    _hurry(state)
    if (running := state.running) is not None:
        cut(state, running)
    else:
        _stop(state, None, by="client")


def take_floor(state: State, by: str = "client") -> bool:
    """Whoever it is interrupts whatever runs or plays; returns whether anything did."""
    _hurry(state)
    composer = state.composer
    before = composer.pending_events
    active = composer.active
    _stop(state, active, by=by)
    _cancel_calls(state, composer.pending_calls(), by=by)
    return active is not None or composer.pending_events > before


def cancel(state: State, response: Response) -> None:
    """Tell the provider to stop generating, once."""
    if response.ended or response.id in state.cancelled:
        return
    remember(state.cancelled, response.id, None)
    state.say("response.cancel", response_id=response.wire_id)


def _stop(state: State, response: Response | None, *, by: str, said: bool = False) -> None:
    """
    Cut the response, else the running one, and what is playing before it.

    The provider is told to stop before it is told what was heard: an item can only be cut to a
    length when it grows no more. What the provider `said` it has stopped by itself.
    """
    told = state.composer.interrupt(response, by=by, synthesised=True)
    if not said and response is not None:
        cancel(state, response)
    if not said and state.in_a_call and any(silenced.spoken for silenced in told):
        state.say("output_audio_buffer.clear")
    for silenced in told:
        state.requests.abandon(silenced.id)
        _truncate(state, silenced)


def played(state: State, report: ReportPlayback) -> None:
    """A player tells how much of a response it has played."""
    response = state.composer.playback(report.played_ms, report.response_id, flushed=report.flushed)
    if response is not None and response.interrupted:
        _truncate(state, response)


def _hurry(state: State) -> None:
    """On an occasion of the application's: hear what waits for audio that will not come."""
    if state.media is not None and state.media.held:
        state.media.release()
        state.composer.begin(None, state.now)


def _truncate(state: State, response: Response) -> None:
    if state.in_a_call:
        return
    place = state.composer.playhead(response)
    if place is None or int(place[1]) <= 0:
        return
    item_id, heard_ms = place
    before = state.truncated.get(item_id)
    if before is not None and int(heard_ms) >= before:
        return
    remember(state.truncated, item_id, int(heard_ms))
    output = state.outputs.get(item_id)
    state.say(
        "conversation.item.truncate",
        item_id=state.names.wire_id(item_id, where="item_id"),
        content_index=0 if output is None else output.audio_index,
        audio_end_ms=int(heard_ms),
    )


def _cancel_calls(state: State, calls: list[Call], *, by: str, said: bool = False) -> None:
    """Settle calls that the model waits for: whoever speaks now does not want their results."""
    blocking = [call for call in calls if call.blocking]
    if not blocking:
        return
    for response_id in dict.fromkeys(call.response_id for call in blocking):
        response = state.composer.response(response_id)
        if response is not None:
            _stop(state, response, by=by, said=said)
        state.requests.abandon(response_id)
    state.composer.cancel_calls([call.id for call in blocking], synthesised=True)
