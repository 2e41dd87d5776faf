"""
The fault matrix: every fault at every phase, on both providers.

Each cell is a whole session with a simulated server, in virtual time. All of them end in a legal
stream, in bounded time, with nothing left over, and every frame that was taken is behind an event.
What a fault is, the application learns from an event or an error that names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

import unirt
from docs.faults import faults_page
from docs.generate import is_fresh
from unirt.policy import Verdict
from unirt.registry import load
from unirt.testing.faults import KINDS, Fault, Phase, fault_of
from unirt.testing.faults.cell import PATIENCE_S, Outcome, run_cell
from unirt.testing.faults.matrix import CODES, STATUSES, cells

NAMES = ["openai", "google"]
CELLS = [(name, fault) for name in NAMES for fault in cells(load(name))]
BOUND_S = 6 * PATIENCE_S
"No cell may last longer; most last for three seconds."
DIAL_S, HANDSHAKE_S = 10.0, 20.0
"As ``connect()`` has it by default."

NO_FRAME = {
    ("openai", Phase.READY): "nothing is said before something is asked",
    ("google", Phase.READY): "nothing is said before something is asked",
    ("google", Phase.BETWEEN_TURNS): "nothing is said between two turns",
}
"Where no frame comes that a fault could be done to."

UNANSWERED = {
    ("openai", "drop@tool_call"): "the end of the response that called is lost",
    ("openai", "truncate@tool_call"): "the same, and told as malformed",
    ("openai", "corrupt@tool_call"): "the same, and told as malformed",
    ("google", "drop@sent:ready"): "the question itself is lost",
    ("google", "drop@sent:between_turns"): "the question itself is lost",
}
"Where nobody can know that something is missing: an answer is told to be overdue."

OPEN = set(Phase) - {Phase.DIAL}
ENDED = {
    "openai": {
        "error@handshake",
        *(f"{kind}@sent:handshake" for kind in ("drop", "reorder", "truncate", "corrupt")),
    },
    "google": {
        *(f"{kind}@handshake" for kind in ("drop", "reorder", "truncate", "corrupt")),
        *(f"{kind}@sent:handshake" for kind in ("drop", "reorder", "duplicate")),
        "duplicate@sent:reconnect",
        # Its server ends a session at the first frame that it cannot read.
        *(f"{k}@sent:{p}" for k in ("truncate", "corrupt") for p in OPEN - {Phase.CLOSE}),
    },
}
"What no session outlives, of what is neither an end nor silence: it says why."


def test_there_are_enough() -> None:
    come = [fault for name, fault in CELLS if not nothing_comes(name, fault)]
    assert len(come) >= 400
    assert {fault.phase for fault in come} == set(Phase)
    assert {fault.kind for fault in come} == {k.name for k in KINDS.values() if not k.socket_only}


def test_what_is_named_here_is_there() -> None:
    named = {(n, f) for n, faults in ENDED.items() for f in faults} | set(UNANSWERED)
    assert named <= {(name, str(fault)) for name, fault in CELLS}


FRAMES = {"delay", "drop", "duplicate", "reorder", "truncate", "corrupt"}
DIALS = {"refuse": {Phase.DIAL}, "cut": set(Phase), "stall": set(Phase), "delay": set(Phase)}
UNSAID = {("openai", "go_away"), ("google", "error")}
"What a provider has no words for."


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [k.name for k in KINDS.values() if not k.socket_only])
def test_every_one_is_at_every_phase(name: str, kind: str) -> None:
    """But for what can only be done to a dial, or not to one; who closes waits for no frame."""
    phases = set() if (name, kind) in UNSAID else DIALS.get(kind, OPEN)
    unread = {Phase.CLOSE} if kind in FRAMES else set()
    come = [fault for provider, fault in CELLS if (provider, fault.kind) == (name, kind)]
    assert {fault.phase for fault in come if not fault.sent} == phases - unread
    sent = OPEN - unread if kind in FRAMES | {"stall"} else set()
    assert {fault.phase for fault in come if fault.sent} == sent
    numbers = {"close": CODES, "refuse": STATUSES}.get(kind, (None,))
    assert len(come) == len(phases - unread) * len(numbers) + len(sent)
    assert {fault.value for fault in come} <= {*numbers}


@cache
def done(name: str, fault: Fault) -> Outcome:
    return run_cell(load(name), fault)  # which checks the order of the events


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    yield
    done.cache_clear()


@pytest.mark.parametrize(("name", "fault"), CELLS, ids=str)
def test_cell(name: str, fault: Fault) -> None:
    outcome = done(name, fault)

    assert outcome.leaks == ()
    assert outcome.seconds < BOUND_S
    if outcome.opening is None:
        assert outcome.frames == outcome.told_of > 0
        assert isinstance(outcome.events[-1], unirt.SessionClosed)
    if nothing_comes(name, fault):
        assert not outcome.happened
        return
    assert outcome.happened
    told(outcome)


def nothing_comes(name: str, fault: Fault) -> bool:
    frames = fault.scope == "frame" and not fault.sent
    return frames and (name, fault.phase) in NO_FRAME


# What the application must be told.


def told(outcome: Outcome) -> None:
    match outcome.fault:
        case Fault(phase=Phase.DIAL):
            of_a_dial(outcome)
        case Fault(kind="close" | "cut" | "cap"):
            of_an_end(outcome)
        case Fault(kind="stall"):
            of_silence(outcome)
        case Fault(kind="garbage" | "truncate" | "corrupt", sent=False):
            assert after(outcome, unirt.Malformed) or names(outcome, "not ready")
            goes_on(outcome)
        case Fault(kind="unknown" | "oversize"):
            assert next(e.type for e in after(outcome, unirt.Unmapped)) in (
                "novelty.announced",
                "type",
            )
            goes_on(outcome)
        case Fault(kind="go_away"):
            if outcome.fault.phase is not Phase.HANDSHAKE:  # which is begun again
                assert [e.time_left_ms for e in after(outcome, unirt.SessionExpiring)] == [5_000]
            goes_on(outcome)
        case Fault(kind="error"):
            assert names(outcome, "The server had an error while processing your request.")
            goes_on(outcome)
        case Fault(kind="truncate" | "corrupt", sent=True):
            assert names(outcome, "JSON")  # the server says so, each in its own way
            goes_on(outcome)
        case _:
            goes_on(outcome)


def of_a_dial(outcome: Outcome) -> None:
    fault, error = outcome.fault, outcome.opening
    judge = load(outcome.provider).policy.judge
    if fault.kind == "stall":
        goes_on(outcome)  # when its time is over, another is tried
        assert outcome.seconds > DIAL_S
    elif fault.kind == "refuse" and judge(status=fault.number).verdict is Verdict.FATAL:
        assert isinstance(error, unirt.DialError)
        assert error.status == fault.number
    else:
        goes_on(outcome)


def of_an_end(outcome: Outcome) -> None:
    fault = outcome.fault
    code = {"close": fault.number, "cut": None, "cap": 1001}[fault.kind]
    by = "network" if fault.kind == "cut" else "remote"
    fatal = load(outcome.provider).policy.judge(code=code).verdict is Verdict.FATAL
    match fault.phase:
        case Phase.HANDSHAKE if fatal:
            assert isinstance(outcome.opening, unirt.HandshakeError)
            assert outcome.opening.code == code
        case Phase.RECONNECT if fatal:
            assert isinstance(outcome.error, unirt.ConnectionLost)
            assert f"close code {code}" in outcome.error.reason
        case Phase.RECONNECT:
            first, second = outcome_of(outcome, unirt.Reconnecting)
            assert (first.attempt, second.attempt) == (1, 2)
            how = "was lost before it was ready" if code is None else f"close code {code}"
            assert how in (second.error or "")
            goes_on(outcome)
        case Phase.HANDSHAKE:
            goes_on(outcome)  # the first connection is tried again
        case Phase.CLOSE:
            assert closed(outcome).code == code
            assert closed(outcome).by == "local"
            assert outcome.error is None
        case _ if fatal or code == 1000:
            assert (closed(outcome).code, closed(outcome).by) == (code, by)
            assert isinstance(outcome.error, unirt.ConnectionLost) is (code != 1000)
        case _:
            left = after(outcome, unirt.Reconnecting)[0]
            assert (left.code, left.by) == (code, by)
            assert after(outcome, unirt.Reconnected)
            goes_on(outcome)


def of_silence(outcome: Outcome) -> None:
    match outcome.fault.phase:
        case Phase.HANDSHAKE:
            assert names(outcome, "not ready after 20 s")
            assert outcome.seconds == pytest.approx(HANDSHAKE_S + 5.0)  # and closing
        case Phase.RECONNECT:
            assert names(outcome, "not ready after 20 s")
            goes_on(outcome)
        case Phase.CLOSE:
            assert closed(outcome).by == "local"
        case _:
            assert outcome.gave_up
            assert not outcome.answered
            # Who cannot say anything, and waits with that, is not owed an answer to it.
            owed = not (outcome.fault.sent and outcome.fault.phase is Phase.BARGE_IN)
            assert bool(after(outcome, unirt.ResponseOverdue)) is owed
            assert closed(outcome).by == "local"


def goes_on(outcome: Outcome) -> None:
    """The session answers once more, or, where it cannot, says why."""
    if outcome.fault.phase is Phase.CLOSE:
        assert (closed(outcome).code, outcome.error) == (1000, None)
    elif (outcome.provider, str(outcome.fault)) in UNANSWERED:
        assert not outcome.answered
        assert outcome.gave_up
        assert after(outcome, unirt.ResponseOverdue)
    elif str(outcome.fault) not in ENDED[outcome.provider]:
        assert outcome.answered
        assert not outcome.gave_up
        assert outcome.error is outcome.opening is None
    else:
        ended = outcome.opening or outcome.error
        assert isinstance(ended, unirt.HandshakeError | unirt.ConnectionLost)
        assert any(getattr(ended, key, None) for key in ("code", "why", "reason"))


def after(outcome: Outcome, kind: type[unirt.Event]) -> list[Any]:
    return [event for event in outcome.events[outcome.since :] if type(event) is kind]


def outcome_of(outcome: Outcome, kind: type[unirt.Event]) -> list[Any]:
    return [event for event in outcome.events if type(event) is kind]


def closed(outcome: Outcome) -> unirt.SessionClosed:
    last = outcome.events[-1]
    assert isinstance(last, unirt.SessionClosed)
    return last


def names(outcome: Outcome, words: str) -> bool:
    """Whether an event or an error has some words in it."""
    texts = [str(outcome.opening), str(outcome.error)]
    for event in outcome.events:
        texts += [str(getattr(event, key, "")) for key in ("message", "error", "reason", "what")]
    return any(words in text for text in texts)


# The conversation of a cell itself.


@pytest.mark.parametrize("name", NAMES)
def test_the_cells_find_what_is_there(name: str) -> None:
    fault = fault_of("cut@mid_audio")
    outcome = run_cell(load(name), fault)
    (happened,) = outcome.happened
    assert happened.connection == 1
    heard = [type(event) for event in outcome.events]
    lost = heard.index(unirt.Reconnecting)
    assert outcome.since < lost
    assert heard[:lost].count(unirt.AudioDelta) == 1


def test_what_was_heard_of_connections_tried_in_vain_counts() -> None:
    outcome = run_cell(load("openai"), fault_of("error@reconnect*9"))
    tried = outcome_of(outcome, unirt.Reconnecting)
    assert len(tried) == len(outcome.happened) == unirt.Reconnect().tries
    assert isinstance(outcome.error, unirt.ConnectionLost)
    assert "The server had an error" in outcome.error.reason
    assert outcome.frames == outcome.told_of


def test_a_dial_that_never_answers_is_told() -> None:
    outcome = run_cell(load("openai"), fault_of("stall@dial*9"))
    assert isinstance(outcome.opening, unirt.DialError)
    assert "no connection within 10 s" in str(outcome.opening)


def test_the_page_is_fresh() -> None:
    page = faults_page(lambda provider, fault: done(provider.name, fault))
    assert is_fresh("faults.md", page), "run python docs/generate.py"
