"""What a page says of a bound, or of a default, is what the code has."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import unirt
from unirt import bounded, grammar, ids
from unirt.cli.page import data as page
from unirt.composer import hearing, records
from unirt.preroll import PREROLL_MS
from unirt.session import calls, local_vad, lookout, moves, patience, stopwatch, trace, unanswered
from unirt.session.limits import Limits
from unirt.simulator.ear import HEARD_MS
from unirt.sound import Caller, EchoGuard, MemorySink, Microphone, TrackSource
from unirt.sound.backlog import MOST_MS
from unirt.sound.paced import BLOCK_MS
from unirt.testing.faults import wrapper
from unirt.tools.function import TIMEOUT_S
from unirt.transports import frames, websocket
from unirt.transports.webrtc import jitter, outgoing, transport
from unirt.transports.webrtc.options import CallOptions
from unirt.transports.webrtc.sound import FORMAT, FRAME_MS
from unirt_google import secret as token
from unirt_openai import facts, media, names, secret, translator

DOCS = Path(__file__).parent.parent / "docs"
LIMITS, TIMEOUTS, CALL = Limits(), unirt.Timeouts(), CallOptions()
WORDS: dict[float, str] = {1: "a", 2: "two", 10: "ten"}


def default(of: Callable[..., Any], name: str) -> Any:
    return inspect.signature(of).parameters[name].default


def s(ms: float) -> str:
    return f"{ms / 1000:g} s"


SAID = {
    "topics/bounds": [
        f"`audio_ms`, {s(LIMITS.audio_ms)}",
        f"`events`, {LIMITS.events:,}",
        f"`replay_events` {LIMITS.replay_events}",
        f"`replay_bytes` {LIMITS.replay_bytes // 1000} kB",
        f"| {websocket.DEFAULTS['max_size'] >> 20} MiB (`connection_options=",
        f"`outgoing_frames` {LIMITS.outgoing_frames}",
        f"`outgoing_bytes` {LIMITS.outgoing_bytes // 10**6} MB",
        f"`tools_running`, {LIMITS.tools_running} |",
        f"`tools_waiting`, {LIMITS.tools_waiting} |",
        f"`tool_output`, {LIMITS.tool_output:,} characters",
        f"to run each once | {calls._REMEMBERED:,} |",
        f"`history_items` {LIMITS.history_items:,}",
        f"`history_characters` {LIMITS.history_characters:,}",
        f"before a manual turn | {s(PREROLL_MS)} (`unirt.preroll.PREROLL_MS`)",
        f"| {s(unanswered.BEFORE_MS)}; {s(unanswered.TURN_MS)} while the user is known to speak",
        f"| {default(Microphone, 'most_ms'):g} ms (`Microphone(most_ms=)`)",
        f"| {default(Caller, 'most_ms'):g} ms (`Caller(most_ms=)`",
        f"has not played | {MOST_MS / 60_000:g} min (`most_ms`)",
        f"can say again | {s(HEARD_MS)}",
        f"the latest {hearing.AUDIBLE} with audio",
        f"has not confirmed yet | {names.REMEMBERED}, swept when {bounded.SWEEP} more",
        f"| {records.REMEMBERED} each, swept when {bounded.SWEEP} more have gathered",
        f"| {grammar.REMEMBERED:,} responses, and as many streams, items and calls",
        f"that it was given over | {ids._REMEMBERED:,}, swept when {ids._SWEEP} more",
        f"in a [call](../howto/webrtc.md) | {s(FORMAT.duration_ms(outgoing._MOST))} |",
        f"that nobody read | {transport._MOST_UNREAD >> 20} MiB |",
        f"to be put in order | {jitter.DEPTH}, {jitter.DEPTH * FRAME_MS} ms |",
        f"that wait for audio | {media.HELD:,} |",
        f"before its answer was told | {media.EARLY_S:g} s |",
        f"have none | the latest {patience._REMEMBERED} each |",
        f"| {frames._LINE:,} characters; {frames._TEXT} of a text, {frames._MEMBERS} members",
        f"were not received | {wrapper._WAITING} |",
        f"dialling {TIMEOUTS.dial:g} s, the handshake {TIMEOUTS.handshake:g} s",
        f"closing {TIMEOUTS.close:g} s; an answer that is due, and silence in one that has begun, "
        f"{TIMEOUTS.answer:g} s each",
    ],
    "howto/timeouts": [
        *(
            f"| `{name}` | `UNIRT_{name.upper()}_TIMEOUT` | {getattr(TIMEOUTS, name):g} s |"
            for name in ("dial", "handshake", "answer", "silence", "close")
        ),
        f'`at_overdue="{TIMEOUTS.at_overdue}"`, the default',
        f"one every {websocket.DEFAULTS['ping_interval']} s",
        f"a pong has {websocket.DEFAULTS['ping_timeout']} s",
    ],
    "howto/sound": [
        f"stands still | {default(Microphone, 'most_ms'):g} ms, `most_ms`",
        f"not read in time | {default(TrackSource, 'most_ms'):g} ms, `most_ms`",
        f"has not played | {MOST_MS / 60_000:g} min, `most_ms`",
        f"| {default(MemorySink, 'keep_ms') / 3_600_000:g} h, `keep_ms`",
        f"by `loss_db`, {default(EchoGuard, 'loss_db'):g} dB",
        f"at most {BLOCK_MS:g} ms later",
    ],
    "howto/webrtc": [
        f"is lost is {FRAME_MS} ms of sound",
        f"in seconds | {CALL.open_timeout:g} |",
        f"is taken for dead | {CALL.dead_after:g} |",
        f"is measured, in seconds | {CALL.measure_every:g} |",
        f"up to {jitter.DEPTH * FRAME_MS} ms late",
        f"cap of {facts.MAX_SESSION_MS / 60_000:g} minutes",
        f"up to {FORMAT.duration_ms(outgoing._MOST) / 1000:g} seconds",
        f"| may last | {secret.SHORTEST_S} s to {secret.LONGEST_S / 3_600:g} h "
        f"| up to {(token.LONGEST_S - token.SESSION_S) / 3_600:g} h |",
        f"held for {default(Caller, 'most_ms'):g} ms",
    ],
    "howto/reconnect": [
        f"else {moves._MARGIN_S:g} s before the end",
        f"when a connection lasted {WORDS[lookout._PROGRESS_S / 60]} minute",
        f"{WORDS[translator.WARNING_S / 60]} minute before the cap",
    ],
    "howto/switch": [f"up to {s(unanswered.TURN_MS)}, and sent again"],
    "howto/limits": [f"At {100 * (unirt.Bound(1).warn_at or 0):g} % the session tells"],
    "howto/latency": [f"the latest {stopwatch.KEPT} turns"],
    "howto/tools": [f"`timeout`, {TIMEOUT_S:g} s by default"],
    "howto/turns": [
        f"| `{name}` | {getattr(local_vad.DEFAULTS, name):g} |"
        for name in ("threshold", "min_speech_ms", "prefix_padding_ms", "silence_ms")
    ],
    "howto/debug": [
        f"texts are cut at {trace._TEXT} characters",
        f"Texts are cut at {frames._TEXT} characters",
        f"after {frames._MEMBERS} members, a line after {frames._LINE:,} characters",
    ],
    "howto/barge-in": [f"up to {WORDS[PREROLL_MS / 1000]} seconds"],
    "howto/look-at-cassettes": [f"(up to {WORDS[page._PLAYABLE_MS / 60_000]} minutes)"],
}


@pytest.mark.parametrize(
    ("name", "words"), [(name, words) for name, all_of_it in SAID.items() for words in all_of_it]
)
def test_it_says_so(name: str, words: str) -> None:
    assert words in (DOCS / f"{name}.md").read_text("utf-8")
