"""
What is measured: each experiment is a load, a command, and those who take part.

Sections group experiments into one table of the report each. A *series* has one experiment for
each value of its ``x``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from tests.benchmarks.roster import BOTH

__all__ = ["SECTIONS", "Experiment", "Section"]


@attrs.frozen(kw_only=True)
class Experiment:
    """One comparison."""

    name: str
    title: str
    load: dict[str, Any]
    "What the server plays: fields of :class:`~tests.benchmarks.load.Load`."
    ask: dict[str, Any]
    "What the contenders are told."
    contenders: tuple[str, ...]
    protocols: tuple[str, ...] = BOTH
    rounds: float = 1.0
    "How many of the rounds that are asked for: long experiments need fewer."
    fresh: bool = False
    "Whether each sample needs a new process: memory that was used once is not gained again."
    warm: int = 0
    "How many turns a contender hears just before each sample: the caches are full of the others'."
    peers: bool = False
    "Whether the libraries of others take part."
    x: float | None = None
    "Where it is in its series."
    steps: Mapping[str, str] = attrs.field(factory=dict)
    "Which contender does what another does and one thing more, and whom that is added to."


@attrs.frozen(kw_only=True)
class Section:
    """One table of the report."""

    name: str
    title: str
    metrics: tuple[str, ...]
    "What its table shows, absolute."
    ratios: tuple[str, ...] = ()
    "Of which of them it shows the ratio to the floor too; the first is what it is sorted by."
    x: str | None = None
    "What the x of its series is, with the unit."
    ordered: bool = False
    "Whether its table keeps the order of its contenders, instead of from cheap to dear."
    climbs: bool = False
    "Whether each contender goes on through the series until it can hold no more."
    titles: Mapping[str, str] = attrs.field(factory=dict)
    "What contenders are called in this section, where it is something else."
    experiments: tuple[Experiment, ...] = ()


_ALL = ("receive_only", "floor", "picows_floor", "unirt", "unirt_fast", "sdk")
_PLAIN = ("floor", "unirt", "unirt_fast", "sdk")
_TOGGLES = (
    "floor",
    "unirt",
    "folded",
    "both_views",
    "order_checked",
    "traced",
    "no_history",
    "audio_out",
    "unirt_picows",
    "unirt_fast",
)

_WARM = 10
"How many turns are heard before a drained session: some ms."
_TURNS = 150
"How many a drained session hears: 35 minutes of speech, beside which its beginning is little."

_PAUSES_MS = (0, 0.1, 1, 10, 100)
"How long a slow consumer takes for an event."

_STEPS = {
    "anatomy_json": "anatomy_transport",
    "anatomy_pcm": "anatomy_json",
    "anatomy_envelope": "anatomy_transport",
    "anatomy_translator": "anatomy_envelope",
    "anatomy_session": "anatomy_translator",
    "unirt": "anatomy_session",
    "both_views": "unirt",
    "unirt_fast": "anatomy_transport_fast",
}
"""
The way of a frame through unirt. Reading and decoding all JSON is beside the way: it is what the
envelopes take the place of.
"""


def _drained(
    chunk_ms: float, contenders: tuple[str, ...], *, turns: int = _TURNS, **more: Any
) -> Experiment:
    return Experiment(
        name=f"drained-{chunk_ms:g}",
        title=f"{chunk_ms:g} ms chunks",
        load={"kind": "drain", "chunk_ms": chunk_ms, "turns": turns},
        ask={"do": "drain"},
        contenders=contenders,
        warm=_WARM,
        **more,
    )


def _sent(chunk_ms: float, count: int, *, resample: bool = False) -> Experiment:
    what = "48 kHz float32, resampled" if resample else "native rate"
    return Experiment(
        name=f"send-{chunk_ms:g}{'-resampled' if resample else ''}",
        title=f"{chunk_ms:g} ms chunks, {what}",
        load={"kind": "sink"},
        ask={"do": "send", "chunk_ms": chunk_ms, "count": count, "resample": resample},
        contenders=("floor", "picows_floor", "unirt", "unirt_fast", "sdk"),
    )


def _sessions(count: int, seconds: float, contenders: tuple[str, ...], **more: Any) -> Experiment:
    """Sessions of 50 events a second: an answer in 20 ms pieces, hours of it."""
    return Experiment(
        name=f"sessions-{count}",
        title=f"{count} sessions at 50 events/s",
        load={"kind": "paced", "chunk_ms": 20, "interval_ms": 20, "turns": 100_000},
        ask={"do": "sessions", "count": count, "seconds": seconds},
        contenders=contenders,
        x=count,
        **more,
    )


def _crowd(count: int) -> Experiment:
    """The same with fewer and longer pieces, 10 a second, so that a thousand fit into a core."""
    whole = _sessions(count, 10.0, ("floor", "unirt"), rounds=0.25, fresh=True)
    return attrs.evolve(
        whole,
        name=f"crowd-{count}",
        title=f"{count:,} sessions at 10 events/s",
        load={**whole.load, "chunk_ms": 100, "interval_ms": 100},
    )


def _length(turns: int) -> Experiment:
    """All in one process, the shortest first: what a new one costs is no matter of length."""
    load = {"kind": "drain", "chunk_ms": 20, "audio_per_turn": 10, "transcripts_per_turn": 4}
    return Experiment(
        name=f"length-{turns}",
        title=f"{turns:,} turns",
        load={**load, "turns": turns},
        ask={"do": "drain"},
        contenders=("floor", "unirt"),
        rounds=0.3 if turns >= 1_000 else 1.0,
        x=turns,
    )


def _dissected(chunk_ms: float) -> Experiment:
    """Each step of the way, to the end of the next."""
    names = (name for step in _STEPS.items() for name in reversed(step))
    whole = _drained(chunk_ms, ("floor", *dict.fromkeys(names)))
    return attrs.evolve(whole, name=f"anatomy-{chunk_ms:g}", rounds=0.6, steps=_STEPS)


def _slow(pause_ms: float) -> Experiment:
    """All at once, to a consumer that is slow."""
    return Experiment(
        name=f"consumer-{pause_ms:g}",
        title=f"{pause_ms:g} ms an event",
        load={"kind": "drain", "chunk_ms": 200, "turns": 60},
        ask={"do": "slow", "pause_ms": pause_ms, "seconds": 8},
        contenders=("unirt",),
        rounds=0.2,
        fresh=True,
        x=pause_ms,
    )


def _behind(pause_ms: float) -> Experiment:
    """One event each ms, so that the slow ones fall behind while they read."""
    return attrs.evolve(
        _slow(pause_ms),
        name=f"behind-{pause_ms:g}",
        load={"kind": "paced", "chunk_ms": 200, "turns": 20, "interval_ms": 1},
    )


SECTIONS: dict[str, Section] = {
    section.name: section
    for section in (
        Section(
            name="drained",
            title="Drained as fast as it goes",
            metrics=("us", "rss_mb", "faults"),
            ratios=("us",),
            experiments=(
                _drained(200, _ALL, peers=True),
                _drained(20, _ALL, peers=True),
            ),
        ),
        Section(
            name="paced",
            title="Paced at one event every 2 ms",
            metrics=("us", "p50_us", "p99_us"),
            ratios=("us", "p50_us", "p99_us"),
            experiments=(
                Experiment(
                    name="paced",
                    title="200 ms chunks",
                    load={"kind": "paced", "chunk_ms": 200, "turns": 8, "interval_ms": 2},
                    ask={"do": "paced"},
                    contenders=("floor", "picows_floor", "unirt", "unirt_fast", "sdk"),
                    rounds=0.6,
                    peers=True,
                ),
            ),
        ),
        Section(
            name="sending",
            title="Sending the user's voice",
            metrics=("chunk_us",),
            ratios=("chunk_us",),
            titles={
                "floor": "**floor**: base64 + websockets",
                "picows_floor": "base64 + picows",
                "sdk": "official SDK",
            },
            experiments=(
                _sent(20, 4_000),
                _sent(100, 2_000),
                _sent(20, 3_000, resample=True),
            ),
        ),
        Section(
            name="sessions",
            title="Many sessions in one process",
            metrics=("share", "lag_p99_ms", "lag_max_ms", "heard", "active_kb"),
            ratios=("share", "lag_p99_ms"),
            experiments=(_sessions(200, 15.0, _PLAIN, rounds=0.4, fresh=True),),
        ),
        Section(
            name="memory",
            title="Memory of an idle session",
            metrics=("idle_kb",),
            experiments=(
                Experiment(
                    name="idle",
                    title="200 idle sessions",
                    load={"kind": "idle"},
                    ask={"do": "idle", "count": 200},
                    contenders=_PLAIN,
                    rounds=0.2,
                    fresh=True,
                ),
            ),
        ),
        Section(
            name="capacity",
            title="Sessions a core holds",
            metrics=("share", "lag_p99_ms", "heard", "late_p99_ms", "active_kb"),
            x="sessions",
            climbs=True,
            experiments=tuple(
                _sessions(count, 6.0, _PLAIN, fresh=True)
                for count in (1, 10, 50, *range(100, 1_001, 100), 1_200, 1_400, 1_600)
            ),
        ),
        Section(
            name="crowd",
            title="Growth: sessions in one process",
            metrics=("share", "lag_p99_ms", "active_kb"),
            x="sessions",
            experiments=tuple(map(_crowd, (1, 10, 100, 300, 1_000))),
        ),
        Section(
            name="length",
            title="Growth: length of the session",
            metrics=("us", "rss_mb"),
            ratios=("us",),
            x="turns",
            experiments=tuple(map(_length, (1, 10, 100, 1_000, 10_000))),
        ),
        Section(
            name="chunks",
            title="Growth: length of a chunk",
            metrics=("us",),
            ratios=("us",),
            x="ms a chunk",
            experiments=tuple(
                attrs.evolve(
                    _drained(ms, ("floor", "unirt"), turns=30, x=ms, rounds=0.6), name=name
                )
                for ms, name in ((ms, f"chunks-{ms}") for ms in (5, 10, 20, 50, 100, 200, 500))
            ),
        ),
        Section(
            name="consumer",
            title="Growth: slowness of the consumer",
            metrics=("us", "growth_mb", "dropped_s"),
            x="ms an event",
            experiments=tuple(map(_slow, _PAUSES_MS)),
        ),
        Section(
            name="behind",
            title="Growth: slowness of the consumer, one event each ms",
            metrics=("us", "growth_mb", "dropped_s"),
            x="ms an event",
            experiments=tuple(map(_behind, _PAUSES_MS)),
        ),
        Section(
            name="toggles",
            title="What each feature costs",
            metrics=("us",),
            ratios=("us",),
            experiments=(attrs.evolve(_drained(200, _TOGGLES), name="toggles"),),
        ),
        Section(
            name="anatomy",
            title="Where the time goes",
            metrics=("us",),
            ordered=True,
            titles={
                "floor": "**floor**, to compare",
                "anatomy_transport": "frames off the socket",
                "anatomy_json": "beside the way: each frame read as JSON",
                "anatomy_pcm": "beside the way: and its base64 decoded",
                "anatomy_envelope": "audio decoded in its envelope, all else read as JSON",
                "anatomy_translator": "events composed",
                "anatomy_session": "state and history kept",
                "unirt": "a view read by the application: **unirt**, whole",
                "both_views": "`content()` read beside it",
                "anatomy_transport_fast": "frames off the socket, picows and uvloop",
                "unirt_fast": "all the rest: **unirt[fast]**, whole",
            },
            experiments=(_dissected(200), _dissected(20)),
        ),
        Section(
            name="server",
            title="The server is not the bottleneck",
            metrics=("kevents_s", "us"),
            experiments=(
                attrs.evolve(_drained(200, ("raw_socket", "floor")), name="server", rounds=0.5),
            ),
        ),
        Section(
            name="imports",
            title="Importing",
            metrics=("ms", "rss_mb"),
            ratios=("ms",),
            titles={"floor": "its bare dependencies", "sdk": "official SDK"},
        ),
        Section(
            name="instructions",
            title="Instructions an event, without the socket",
            metrics=("instructions",),
            ratios=("instructions",),
            titles={"floor": "typed decode + PCM"},
        ),
        Section(
            name="cassettes",
            title="Playing a cassette of 2,700 frames",
            metrics=("frame_us", "read_ms", "read_gz_ms"),
            ratios=("frame_us",),
            titles={"floor": "decoded, and made into events", "unirt": "**played**, whole session"},
        ),
        Section(
            name="calls",
            title="A call by WebRTC",
            metrics=("share", "ear_p50_ms", "ear_p99_ms"),
            ratios=("share",),
            ordered=True,
            titles={
                "floor": "**floor**: aiortc alone",
                "unirt": "**unirt** by WebRTC",
                "unirt_socket": "unirt over a WebSocket, to compare",
            },
        ),
    )
}
"""
All sections, in the order of the report. Those without experiments need no server:
:mod:`.imports`, :mod:`.instructions`, :mod:`.cassettes` and :mod:`.calls` measure them.
"""
