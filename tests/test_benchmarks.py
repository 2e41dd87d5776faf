"""The benchmarks: that they count right, compare right, and say what was measured. No timing."""

from __future__ import annotations

import ast
import asyncio
import base64
import importlib.util
import json
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import attrs
import pytest
from rich.console import Console

from tests.benchmarks import bygone, cassettes, imports, report
from tests.benchmarks import contender as base_module
from tests.benchmarks.calls.marks import Marks
from tests.benchmarks.calls.parrot import Parrots
from tests.benchmarks.calls.section import CALLERS, called
from tests.benchmarks.contender import Contender, Meter, Task
from tests.benchmarks.contenders import anatomy
from tests.benchmarks.contenders.anatomy import STEPS, Anatomy
from tests.benchmarks.contenders.floor import Floor, opened
from tests.benchmarks.contenders.protocols import trigger
from tests.benchmarks.contenders.raw_socket import RawSocket
from tests.benchmarks.contenders.receive_only import ReceiveOnly
from tests.benchmarks.contenders.sdk import SDK
from tests.benchmarks.contenders.unirt import VARIANTS, Unirt
from tests.benchmarks.experiments import SECTIONS, Experiment
from tests.benchmarks.figures import METRICS, metrics, quantiles, ratios, spread
from tests.benchmarks.lab import Lab, Runs, rotated, summary, within_bounds
from tests.benchmarks.load import Block, Load, frame, numbered
from tests.benchmarks.machine import machine
from tests.benchmarks.peers.footnotes import FOOTNOTES
from tests.benchmarks.peers.registry import PEERS, named
from tests.benchmarks.peers.venvs import VENVS
from tests.benchmarks.processes import ROOT, Failed, Process
from tests.benchmarks.roster import FLOOR, Entry, roster
from tests.benchmarks.server import PROTOCOLS, Server
from tests.benchmarks.short import held, shortened, told
from tests.benchmarks.targets import ROOM, SHORT, TARGETS, Kind, Target, judge
from unirt.cassettes import Framed, write
from unirt.registry import load as load_provider

FOLDER = ROOT / "tests" / "benchmarks"
BOTH = ("openai", "google")


@asynccontextmanager
async def serving(protocol: str, **load: Any) -> AsyncIterator[tuple[Server, dict[str, Any]]]:
    """A server in this process, and the command that tells a contender what it plays."""
    server = Server(protocol)
    listening = await asyncio.get_running_loop().create_server(server.connection, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        played = server.answer({"do": "load", **load})
        yield server, {**load, **played, "protocol": protocol, "url": f"ws://127.0.0.1:{port}"}


# Contenders count what the server says it sent.


def contenders() -> list[Contender]:
    found: list[Contender] = [Floor(), SDK()]
    found += [Unirt(name) for name in VARIANTS if name != "unirt_fast"]  # it is a loop's matter
    return found


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("contender", contenders(), ids=lambda contender: contender.name)
async def test_a_contender_hears_every_byte(contender: Contender, protocol: str) -> None:
    async with serving(protocol, kind="drain", chunk_ms=20, turns=3) as (server, command):
        answer = await contender.do_drain(Task.of({"do": "drain", **command}))
        assert answer["wire_events"] == server.stats()["events_out"]
    if contender.hears:
        assert answer["audio_bytes"] == command["audio_bytes"] == 3 * 70 * 960
        assert answer["audio_events"] == command["audio_events"] == 210
    assert answer["cpu_s"] > 0


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("name", STEPS)
async def test_a_step_of_the_way_takes_every_frame(name: str, protocol: str) -> None:
    async with serving(protocol, kind="drain", chunk_ms=20, turns=3) as (server, command):
        answer = await Anatomy(name).do_drain(Task.of({"do": "drain", **command}))
        assert server.stats()["events_out"] == command["wire_events"]
    assert answer["audio_bytes"] == (command["audio_bytes"] if STEPS[name].hears else None)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_step_that_breaks_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(frame: object) -> None:
        raise ValueError(f"{len(str(frame))} characters are too many")

    monkeypatch.setattr(anatomy, "parse_frame", broken)
    async with serving("google", kind="drain", chunk_ms=20, turns=1) as (_, command):
        with pytest.raises(RuntimeError, match="missing"):
            await Anatomy("anatomy_json").do_drain(Task.of({**command, "do": "drain"}))


@pytest.mark.parametrize("protocol", BOTH)
async def test_the_picows_floor_hears_every_byte(protocol: str) -> None:
    module = pytest.importorskip("tests.benchmarks.contenders.picows_floor")
    async with serving(protocol, kind="drain", chunk_ms=20, turns=3) as (_, command):
        answer = await module.PicowsFloor().do_drain(Task.of({"do": "drain", **command}))
    assert answer["audio_bytes"] == command["audio_bytes"]


@pytest.mark.parametrize("protocol", BOTH)
async def test_a_receiver_waits_for_every_frame_and_says_that_it_hears_none(protocol: str) -> None:
    async with serving(protocol, kind="drain", chunk_ms=20, turns=2) as (server, command):
        answer = await ReceiveOnly().do_drain(Task.of({"do": "drain", **command}))
        assert server.stats()["events_out"] == command["wire_events"]
    assert answer["audio_bytes"] is None


@pytest.mark.parametrize("protocol", BOTH)
async def test_a_raw_socket_reads_every_byte(protocol: str) -> None:
    async with serving(protocol, kind="drain", chunk_ms=20, turns=2) as (server, command):
        task = Task.of({"do": "drain", **command})
        await asyncio.to_thread(asyncio.run, RawSocket().do_drain(task))  # its socket blocks
        assert server.stats()["bytes_out"] == command["wire_bytes"]


@pytest.mark.parametrize("protocol", BOTH)
async def test_each_piece_of_paced_audio_tells_how_long_it_was_under_way(protocol: str) -> None:
    load = {"kind": "paced", "chunk_ms": 20, "turns": 1, "interval_ms": 0.1}
    async with serving(protocol, **load) as (server, command):
        answer = await Unirt().do_paced(Task.of({"do": "paced", **command}))
        assert server.stats()["events_out"] >= command["wire_events"] - 1
    assert len(answer["latencies_ns"]) == 70
    assert all(0 < delay < 60e9 for delay in answer["latencies_ns"])


@pytest.mark.parametrize("resample", [False, True])
@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("contender", [Floor(), SDK(), Unirt()], ids=lambda c: c.name)
async def test_what_is_sent_arrives(contender: Contender, protocol: str, resample: bool) -> None:
    send = {"do": "send", "chunk_ms": 20, "count": 50, "resample": resample}
    async with serving(protocol, kind="sink") as (server, command):
        answer = await contender.do_send(Task.of({**command, **send}))
        byte_rate = 48_000 if protocol == "openai" else 32_000
        sent = server.stats()["audio_bytes_in"]
    assert answer["chunks"] == 50
    assert sent <= byte_rate
    assert sent == byte_rate if not resample else sent > byte_rate * 0.9


@pytest.mark.parametrize("contender", [Floor(), SDK(), Unirt()], ids=lambda c: c.name)
async def test_many_sessions_are_measured_and_then_gone(
    contender: Contender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_module, "_SETTLE_S", 0.05)
    # So slowly that nobody falls behind: a client that does waits ten seconds for its close.
    load = {"kind": "paced", "chunk_ms": 20, "turns": 1_000, "interval_ms": 10}
    async with serving("google", **load) as (_, command):
        task = Task.of({**command, "do": "sessions", "count": 5, "seconds": 0.1})
        answer = await contender.do_sessions(task)
    assert answer["failed"] == 0
    assert answer["audio_events"] > 0
    assert answer["lag_p99_ms"] >= answer["lag_p50_ms"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("contender", [Floor(), SDK(), Unirt()], ids=lambda c: c.name)
async def test_idle_sessions_are_all_open_when_they_are_weighed(contender: Contender) -> None:
    opened = 0

    @attrs.define
    class Counting:
        idle: Callable[[Task, Callable[[], Awaitable[None]]], Awaitable[None]]

        async def __call__(self, task: Task, hold: Callable[[], Awaitable[None]]) -> None:
            async def counted() -> None:
                nonlocal opened
                opened += 1
                await hold()

            await self.idle(task, counted)

    async with serving("openai", kind="idle") as (_, command):
        contender.idle = Counting(contender.idle)  # type: ignore[method-assign]  # to look on
        answer = await contender.do_idle(Task.of({**command, "do": "idle", "count": 6}))
    assert opened == 7  # one to warm up
    assert "bytes_per_session" in answer


async def test_a_slow_consumer_is_told_what_was_dropped() -> None:
    async with serving("openai", kind="drain", chunk_ms=500, turns=10) as (_, command):
        task = Task.of({**command, "do": "slow", "pause_ms": 0, "seconds": 20})
        answer = await Unirt().do_slow(task)
    assert answer["frames_in"] >= command["wire_events"]
    assert answer["dropped_s"] > 0


def test_the_base_of_contenders_needs_the_standard_library_alone() -> None:
    tree = ast.parse((FOLDER / "contender.py").read_text(encoding="utf-8"))
    names = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert names <= sys.stdlib_module_names


@pytest.mark.parametrize("turns", [1, 3])
def test_a_meter_stops_with_the_last_answer(turns: int) -> None:
    meter = Meter(Task(do="drain", protocol="", url="", turns=turns, audio_bytes=4))
    meter.start()
    for _ in range(turns):
        assert not meter.done
        meter.turn()
    assert meter.done
    assert not meter.heard_all
    meter.audio(b"1234")
    assert meter.heard_all


# The server.


async def test_a_session_is_played_once_however_often_it_is_asked_for() -> None:
    async with serving("openai", kind="drain", chunk_ms=20, turns=1) as (server, command):
        async with await opened(Task.of({"do": "drain", **command})) as connection:
            for _ in range(2):
                await connection.send(trigger("openai"))
            for _ in range(command["wire_events"]):
                await connection.recv()
            await connection.send('{"type":"input_audio_buffer.clear"}')
            assert json.loads(await connection.recv())["type"] == "input_audio_buffer.cleared"
        assert server.stats()["events_out"] == command["wire_events"]


def test_a_block_is_numbered_and_stamped_in_place() -> None:
    block = Block(PROTOCOLS["openai"][1](Load(chunk_ms=20)), binary=False)
    assert b"resp_E6U0benchmark00000007" in block.turn(7)
    audio = next(i for i, span in enumerate(block.spans) if span.stamp is not None)
    first, second = block.event(audio, 8, 1_000), block.event(audio, 9, 2_000)
    assert len(first) == len(second)
    assert b"resp_E6U0benchmark00000009" in second
    delta = json.loads(second[second.index(b"{") :])["delta"]
    assert int.from_bytes(base64.b64decode(delta)[:8], "little") == 2_000


def test_the_first_turn_follows_nothing() -> None:
    block = Block(PROTOCOLS["openai"][1](Load(chunk_ms=20)), binary=False)
    for number, expected in ((0, None), (1, "item_E6U0benchmark00000000"), (0, None)):
        block.turn(number)
        for index, step in enumerate(PROTOCOLS["openai"][1](Load(chunk_ms=20))):
            played = block.event(index, number, 0)
            sent = numbered(step.payload, number)
            assert len(played) == len(frame(sent, binary=False))
            if b"previous_item_id" in sent:
                assert played == frame(sent, binary=False)
                assert json.loads(sent)["previous_item_id"] == expected


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("limit", [1, 5_000, 10**9])
def test_a_drain_is_cut_between_frames_alone(protocol: str, limit: int) -> None:
    block = Block(PROTOCOLS[protocol][1](Load(chunk_ms=20)), binary=protocol == "google")
    pieces = block.pieces(limit)
    ends = {span.end for span in block.spans}
    assert [start for start, _ in pieces] == [0, *(end for _, end in pieces[:-1])]
    assert pieces[-1][1] == len(block.data)
    assert {end for _, end in pieces} <= ends
    frames = {(span.start, span.end) for span in block.spans}
    assert all(end - start <= limit or (start, end) in frames for start, end in pieces)
    assert (limit != 1) is (len(pieces) < len(frames))


@pytest.mark.parametrize("kind", ["drain", "paced"])
async def test_what_a_request_says_of_itself_is_given_back_in_the_first_event(kind: str) -> None:
    request = {"type": "response.create", "response": {"metadata": {"topic": "trains"}}}
    load = {"kind": kind, "chunk_ms": 20, "turns": 2, "interval_ms": 0.1}
    async with serving("openai", **load) as (_, command):
        connection = await opened(Task.of({"do": "drain", **command}))
        await connection.send(json.dumps(request))
        heard = [json.loads(await connection.recv()) for _ in range(command["wire_events"])]
        await connection.close()
    created = [event for event in heard if event["type"] == "response.created"]
    assert [event["response"]["metadata"] for event in created] == [{"topic": "trains"}, None]
    assert heard[0] is created[0]


def test_a_server_says_what_it_does_not_know() -> None:
    assert "error" in Server("openai").answer({"do": "dance"})


# Figures.


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3.0], (3, 3, 3)), ([1.0, 2.0], (1.5, 1, 2)), ([5.0, 1.0, 3.0, 2.0, 4.0], (3, 2, 4))],
)
def test_a_spread_is_the_median_between_the_quartiles(
    values: list[float], expected: tuple[float, float, float]
) -> None:
    found = spread(values)
    assert (found.median, found.low, found.high) == expected


def test_nothing_has_no_median() -> None:
    with pytest.raises(ValueError, match="nothing"):
        spread([])


def test_ratios_are_taken_within_a_round() -> None:
    ours = [{"us": 2.0}, {"us": 30.0}, None, {"us": 8.0}]
    floors = [{"us": 1.0}, {"us": 10.0}, {"us": 1.0}, None]
    assert ratios(ours, floors, "us") == [2.0, 3.0]


def test_quantiles_are_of_the_nearest_rank() -> None:
    assert quantiles([4, 1, 3, 2], [0.0, 0.5, 0.99]) == [1, 3, 4]
    assert quantiles([], [0.5]) == []


def test_metrics_are_per_event_of_the_wire() -> None:
    answer = {"cpu_s": 0.5, "wall_s": 1.0, "wire_events": 1_000, "minor_faults": 3, "rss_mb": 40}
    assert metrics(answer, {}) == {"us": 500, "faults": 3, "rss_mb": 40, "kevents_s": 1}


def test_rounds_begin_with_somebody_else_each_time() -> None:
    assert [rotated(["a", "b", "c"], number)[0] for number in range(4)] == ["a", "b", "c", "a"]
    assert sorted(rotated(["a", "b", "c"], 1)) == ["a", "b", "c"]


def test_a_step_s_share_is_what_it_adds_within_a_round() -> None:
    runs = Runs({"a": [{"us": 1.0}, {"us": 9.0}, None], "b": [{"us": 3.0}, {"us": 9.5}, {"us": 1}]})
    found = summary(runs, {"b": "a"})
    assert "adds" not in found["a"]
    assert found["b"]["adds_to"] == "a"
    assert found["b"]["adds"]["us"] == {"median": 1.25, "low": 0.5, "high": 2.0}


def test_a_summary_tells_why_somebody_has_no_figures() -> None:
    runs = Runs({FLOOR: [{"us": 2.0}], "us": [{"us": 3.0}], "them": [None]}, {"them": "broken"})
    found = summary(runs)
    assert found["us"]["ratios"]["us"]["median"] == 1.5
    assert found["them"] == {"skip": "broken"}


@pytest.mark.parametrize(
    ("lag", "share", "heard", "within"),
    [(1, 50, 100, True), (25, 50, 100, False), (1, 99, 100, False), (1, 50, 90, False)],
)
def test_a_core_holds_its_sessions_within_bounds(
    lag: float, share: float, heard: float, within: bool
) -> None:
    values = {"lag_p99_ms": lag, "share": share, "heard": heard}
    result = {"metrics": {name: {"median": value} for name, value in values.items()}}
    assert within_bounds(result) is within
    assert not within_bounds({"skip": "it failed"})


# The lab, with real processes.

TINY = Experiment(
    name="tiny",
    title="a tiny drain",
    load={"kind": "drain", "chunk_ms": 20, "turns": 1},
    ask={"do": "drain"},
    contenders=(FLOOR, "deaf", "broken", "absent"),
)
DEAF = """
import json, sys
print(json.dumps({"hello": "deaf", "versions": {}}), flush=True)
for line in sys.stdin:
    print(json.dumps({"cpu_s": 1, "wall_s": 1, "wire_events": 1, "audio_bytes": 5}), flush=True)
"""


def test_a_lab_compares_and_counts_nobody_who_did_not_hear() -> None:
    entries = {
        FLOOR: roster()[FLOOR],
        "deaf": Entry(name="deaf", title="deaf", command=(sys.executable, "-c", DEAF)),
        "broken": Entry(
            name="broken", title="broken", command=(sys.executable, "-c", "raise OSError('no')")
        ),
        "absent": Entry(name="absent", title="absent", command=(), missing="cannot be built"),
    }
    heard: list[str] = []
    with Lab(entries, rounds=2, tell=heard.append) as lab:
        row = lab.experiment(TINY, "openai")
    found = row["contenders"]
    assert found[FLOOR]["ratios"]["us"]["median"] == 1
    assert found["deaf"] == {"skip": "failed: deaf: heard 5 of 67200 bytes of audio"}
    assert found["broken"]["skip"].endswith("(OSError: no)")
    assert found["absent"] == {"skip": "cannot be built"}
    assert heard[-1] == "a tiny drain, openai, round 2 of 2"
    assert lab.versions[FLOOR]["websockets"]


def test_a_silent_process_is_not_waited_for() -> None:
    mute = Process("mute", [sys.executable, "-c", "input()"])
    with mute, pytest.raises(Failed, match="said nothing"):
        mute.hear(0.01)


@pytest.mark.parametrize("provider", BOTH)
def test_no_vendor_s_package_is_imported_for_a_turn(provider: str) -> None:
    found = imports.vendors_after_a_turn(provider)
    assert found["events"] > 0
    assert found["vendors"] == []


def test_bare_dependencies_are_what_is_imported_anyway_and_nothing_of_ours() -> None:
    lines = imports.bare("import unirt\n")
    assert "import attrs\n" in lines
    assert "unirt" not in lines


# Targets.


def test_every_target_is_about_something_that_is_measured() -> None:
    names = {e.name for section in SECTIONS.values() for e in section.experiments}
    names |= {"import", "import-openai", "import-google", "instructions", "cassettes", "calls"}
    for target in TARGETS:
        assert target.experiment in names
        assert target.metric in METRICS
        assert target.contender in roster()
        assert report.what(target)


def test_everybody_who_takes_part_can_be_started() -> None:
    entries = roster()
    for section in SECTIONS.values():
        for experiment in section.experiments:
            assert set(experiment.contenders) <= entries.keys()
        assert set(section.metrics) | set(section.ratios) <= METRICS.keys()
    for entry in entries.values():
        _, option, module, *arguments = entry.command
        assert option == "-m"
        assert importlib.util.find_spec(module) is not None
        assert set(arguments) <= VARIANTS.keys() | STEPS.keys()


def row(protocol: str, metric: str, ours: float, floor: float, **more: Any) -> dict[str, Any]:
    """One result, of a single round."""
    runs = Runs({FLOOR: [{metric: floor}], "unirt": [{metric: ours}]})
    return {"protocol": protocol, "x": None, "contenders": summary(runs), **more}


@pytest.mark.parametrize(
    ("kind", "bound", "met"),
    [
        (Kind.RATIO, 1.5, True),
        (Kind.RATIO, 1.49, False),
        (Kind.ABOVE, 10, True),
        (Kind.ABOVE, 9, False),
        (Kind.VALUE, 30, True),
        (Kind.VALUE, 29, False),
    ],
)
def test_a_bound_holds_for_a_ratio_a_difference_or_a_value(
    kind: Kind, bound: float, met: bool
) -> None:
    target = Target(experiment="e", metric="us", bound=bound, kind=kind)
    results = {"section": {"experiments": [row("openai", "us", 30, 20, experiment="e")]}}
    (verdict,) = judge([target], results)
    assert verdict.met is met


def test_a_bound_for_one_provider_is_no_matter_of_the_other() -> None:
    target = Target(experiment="e", metric="us", bound=1, protocol="google")
    rows = [row(protocol, "us", 3, 2, experiment="e") for protocol in BOTH]
    assert [v.protocol for v in judge([target], {"s": {"experiments": rows}})] == ["google"]


def test_growth_is_the_end_of_a_series_over_its_middle() -> None:
    rows = [
        row("openai", "us", ours, 10, experiment=f"length-{turns}", x=turns)
        for turns, ours in ((1, 50), (10, 20), (100, 30))
    ]
    target = Target(experiment="length-100", metric="us", bound=1.2, kind=Kind.GROWTH)
    (verdict,) = judge([target], {"length": {"experiments": rows}})
    assert verdict.measured == pytest.approx(1.5)
    assert not verdict.met


def test_the_short_form_holds_to_ratios_with_room() -> None:
    full = {(t.experiment, t.metric): t.bound for t in TARGETS if t.contender == "unirt"}
    assert len(SHORT) == 5
    for target in SHORT:
        assert target.kind is Kind.RATIO
        assert target.bound == full[target.experiment, target.metric] * ROOM[target.experiment]
    assert len(shortened(target.experiment for target in SHORT)) == 5


@attrs.define
class Prepared:
    """A lab whose results are given: for each try at an experiment, the ratio."""

    tries: list[float]
    rounds: int = 4
    seen: list[tuple[str, int]] = attrs.field(factory=list)

    def experiment(self, experiment: Experiment, protocol: str) -> dict[str, Any]:
        first = all(name != protocol for name, _ in self.seen)
        self.seen.append((protocol, self.rounds))
        ratio = self.tries[0] if first else self.tries[1]
        return row(protocol, "us", ratio, 1, experiment=experiment.name)


DRAINED = [target for target in SHORT if target.experiment == "drained-200"]


@pytest.mark.parametrize(
    ("tries", "passes", "measured"),
    [
        ([1.0], True, [4, 4]),
        ([9.0, 1.0], True, [4, 8, 4, 8]),
        ([9.0, 8.0], False, [4, 8, 4, 8]),
    ],
)
def test_what_is_missed_is_measured_once_more_and_then_counts(
    tries: list[float], passes: bool, measured: list[int]
) -> None:
    lab, output = Prepared(tries), StringIO()
    verdicts, rows = held(lab, DRAINED)
    assert told(Console(file=output, width=200), DRAINED, verdicts) is passes
    assert [rounds for _, rounds in lab.seen] == measured
    assert len(rows) == 2
    assert ("MISSED unirt on OpenAI" in output.getvalue()) is not passes


def test_what_was_not_measured_is_missed() -> None:
    output = StringIO()
    assert not told(Console(file=output), DRAINED, [])
    assert "nothing was measured" in output.getvalue()


# The report.


def results() -> dict[str, Any]:
    """Results of one round, for every shape of section."""
    series = [
        {**row(p, "us", 10.0 * x, 5.0 * x, experiment=f"length-{x}", title="t"), "x": float(x)}
        for p in BOTH
        for x in (1, 10)
    ]
    climb = [row("openai", "share", 3, 2, experiment="sessions-1") | {"x": 1.0}]
    climb[0]["contenders"]["unirt"]["metrics"]["lag_p99_ms"] = {"median": 1.0}
    drained = [row(p, "us", 12.3, 10, experiment="drained-200", title="200 ms") for p in BOTH]
    drained[0]["contenders"]["sdk"] = {"skip": "not | installed"}
    steps = Runs({"anatomy_transport": [{"us": 3.0}], "unirt": [{"us": 4.5}], FLOOR: [{"us": 4}]})
    dissected = {
        "experiment": "anatomy-20",
        "title": "20 ms chunks",
        "protocol": "openai",
        "x": None,
        "contenders": summary(steps, {"unirt": "anatomy_transport", "both_views": "unirt"}),
    }
    sections = {
        "anatomy": {"title": "Anatomy", "experiments": [dissected]},
        "drained": {"title": "Drained", "experiments": drained},
        "length": {"title": "Length", "experiments": series},
        "capacity": {
            "title": "Capacity",
            "experiments": climb,
            "held": {"openai": {"unirt": 700.0}},
        },
    }
    return {"machine": machine(), "versions": {}, "sections": sections}


def test_the_tables_say_what_was_measured() -> None:
    found = results()
    blocks = report.blocks(found, judge(TARGETS, found["sections"]), roster())
    assert "| **unirt** | 12.3 | 1.23 (1.23 to 1.23) | 12.3 |" in blocks["drained"]
    assert "| --- | ---: | ---: | ---: | ---: |" in blocks["drained"]
    assert "- official SDK, PCM decoded on OpenAI: not | installed." in blocks["drained"]
    assert "| provider | contender | 1 | 10 |" in blocks["length"]
    assert "| Gemini | **unirt** | 10.0 | 100.0 |" in blocks["length"]
    assert "| **unirt** | 700 |" in blocks["capacity"]
    assert blocks["anatomy"].index("off the socket") < blocks["anatomy"].index("whole | 4.5")
    assert "whole | 4.5 | +1.50 (+1.50 to +1.50) |" in blocks["anatomy"]
    assert "| unirt | OpenAI | 1.23 | ≤ 1.35 | yes |" in blocks["targets"]
    assert found["machine"]["python"] in blocks["machine"]


def test_a_page_keeps_its_prose_around_the_blocks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Before.\n<!-- benchmarks:begin a -->\nold\n<!-- benchmarks:end a -->\nAfter.\n",
        encoding="utf-8",
    )
    for _ in range(2):
        assert report.write(page, {"a": "new \\1 table", "b": "homeless"}) == ["b"]
    assert page.read_text(encoding="utf-8") == (
        "Before.\n<!-- benchmarks:begin a -->\nnew \\1 table\n<!-- benchmarks:end a -->\nAfter.\n"
    )


def test_a_block_without_an_end_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- benchmarks:begin a -->\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no end"):
        report.write(page, {"a": "new"})


def test_a_new_page_has_a_place_for_everything(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(report.skeleton(), encoding="utf-8")
    blocks = dict.fromkeys(["machine", "targets", *SECTIONS], "text")
    assert report.write(page, blocks) == []
    assert page.read_text(encoding="utf-8").count("text\n<!--") == len(blocks)


def test_a_terminal_shows_every_section() -> None:
    output = StringIO()
    console = Console(file=output, width=200)
    for table in report.terminal_tables(results(), roster()):
        console.print(table)
    for word in ("Drained", "Length", "unirt", "700", "installed"):
        assert word in output.getvalue()


@pytest.mark.long
def test_plots_are_the_same_for_the_same_results(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="it is in the extra [bench]")
    from tests.benchmarks.plots import draw

    first, again = tmp_path / "a", tmp_path / "b"
    names = [path.name for path in draw(results(), roster(), first)]
    draw(results(), roster(), again)
    assert "ratios.svg" in names
    for name in names:
        assert (first / name).read_bytes() == (again / name).read_bytes()


# Commits of the past.


def test_what_is_measured_of_a_commit_is_all_its_own(tmp_path: Path) -> None:
    for name in ("unirt", "providers"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    environ = bygone.on_path(tmp_path)
    assert bygone.obstacle(tmp_path, environ) is None
    shutil.rmtree(tmp_path / "providers" / "unirt_openai")
    assert "not its own" in (bygone.obstacle(tmp_path, environ) or "")
    (tmp_path / "unirt" / "__init__.py").write_text("from unirt.fold import Gone", encoding="utf-8")
    reason = bygone.obstacle(tmp_path, environ) or ""
    assert "Gone" in reason
    assert str(tmp_path) not in reason


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
def test_a_commit_is_unpacked_and_leaves_the_repository_alone(tmp_path: Path) -> None:
    entry = bygone.bygone("HEAD", tmp_path)
    assert entry.name.startswith("bygone_")
    (home,) = tmp_path.iterdir()
    assert (home / "unirt" / "__init__.py").exists()
    assert entry.environ["PYTHONPATH"].startswith(str(home))
    shape = bygone.section({FLOOR: roster()[FLOOR], entry.name: entry})
    assert {e.contenders for e in shape.experiments} == {(FLOOR, entry.name)}


# Peers.


def test_peers_their_footnotes_and_their_environments_are_about_the_same() -> None:
    assert {peer.name for peer in PEERS} == FOOTNOTES.keys()
    assert {peer.venv for peer in PEERS} == VENVS.keys()


def test_the_machine_is_described_and_not_named() -> None:
    import platform

    text = json.dumps(machine())
    assert platform.node() not in text or len(platform.node()) < 4
    assert str(Path.home()) not in text


def test_no_module_is_a_hall() -> None:
    for path in FOLDER.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 450, path


@pytest.mark.parametrize("protocol", ["openai", "google"])
def test_a_cassette_of_the_benchmarks_is_played_to_its_end(protocol: str, tmp_path: Path) -> None:
    cassette, turns = cassettes.recording(protocol)
    write(tmp_path / "talk.jsonl", cassette)
    received = [e for e in cassette.entries if isinstance(e, Framed) and e.direction == "received"]
    assert len(received) >= cassettes.FRAMES
    assert cassettes.translated(cassette, protocol) > 0
    assert cassettes.played(tmp_path / "talk.jsonl", turns) > 0


@pytest.mark.long
@pytest.mark.parametrize("who", list(CALLERS))
async def test_whoever_calls_hears_what_was_said_and_knows_the_marks_in_it(who: str) -> None:
    async with Parrots(load_provider("openai")) as server:
        answer = await asyncio.to_thread(called, who, server.url, seconds=1.0)
    assert answer["cpu_s"] > 0
    assert answer["delays_ms"]
    assert min(answer["delays_ms"]) > 0
    assert answer["heard_s"] > 0.5


def test_a_mark_is_loud_and_the_voice_around_it_is_not() -> None:
    marks = Marks()
    said = [marks.say(number) for number in range(50)]
    for piece in said[1:25]:
        marks.hear(piece)
    assert marks.delays_ms == []
    marks.hear(said[25])
    marks.hear(said[25])  # its echo is no second mark
    assert len(marks.delays_ms) == 1
    assert marks.heard_bytes == 26 * 960


def test_the_page_calls_peers_by_their_names_whoever_took_part_last() -> None:
    called = {entry.name: entry.title for entry in named()}
    assert len(called) >= 8
    page = report.PAGE.read_text("utf-8")
    assert "peer_" not in page
    assert all(f"| {title} |" in page for title in called.values())
