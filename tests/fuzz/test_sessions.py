"""
Whole sessions, with anything happening at any time: verbs, frames, faults, cancellations, waits.

It takes no time (:mod:`unirt.testing.virtual`). The same examples are tried in every run; to search
for new ones::

    python -m pytest -n 0 --timeout=0 --hypothesis-profile=search tests/fuzz/test_sessions.py
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

import unirt
from tests.fuzz import corpus
from tests.fuzz.world import World
from unirt.config import Manual, ServerVAD
from unirt.items import Item, Role, TextContent

NAMES = ("google", "openai")
SAID = (
    Item(role=Role.USER, content=(TextContent(text="Hi"),)),
    Item(role=Role.ASSISTANT, content=(TextContent(text="Hello"),)),
)


def conversations(provider: str) -> list[list[bytes]]:
    """What a server of a provider says, from the inputs that are kept."""
    found = [
        [line for line in path.read_bytes().split(b"\n") if line.startswith(b"{")]
        for path in corpus.inputs(provider)
    ]
    return [lines for lines in found if len(lines) > 2]


FRAMES = {provider: conversations(provider) for provider in NAMES}
GARBAGE = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([b"{", b"null", b"[]", b"{}", b'{"type":1}', b"[" * 5_000, b'{"a":' * 5_000]),
)
CANCELLED = st.one_of(st.none(), st.none(), st.integers(0, 4))
"After how many turns of the loop a verb is cancelled; ``None`` for not at all."


async def lookup(city: str = "Oslo") -> str:
    """A tool."""
    return f"{city}: 7"


async def slow(city: str = "Oslo") -> str:
    """A tool that takes its time."""
    await asyncio.sleep(30)
    return city


VERBS: dict[str, st.SearchStrategy[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "send_text": st.tuples(st.just(("Hi",)), st.fixed_dictionaries({"respond": st.booleans()})),
    "send_audio": st.tuples(
        st.tuples(st.sampled_from([b"", bytes(960), bytes(96_000), b"\1"])), st.just({})
    ),
    "send_image": st.just(((b"x",), {})),
    "send_raw": st.just((({"type": "unheard.of"},), {})),
    "start_turn": st.just(((), {})),
    "end_turn": st.just(((), {})),
    "commit": st.just(((), {})),
    "clear_input": st.just(((), {})),
    "respond": st.just(((), {})),
    "cancel": st.just(((), {})),
    "interrupt": st.tuples(st.tuples(st.sampled_from([None, 0.0, 40.0, 1e9])), st.just({})),
    "report_playback": st.tuples(st.tuples(st.sampled_from([0.0, 40.0, 1e9])), st.just({})),
    "truncate": st.just((("item_1", 20), {})),
    "send_tool_result": st.tuples(
        st.tuples(st.sampled_from(["call_1", "call_2", "function-call-1"]), st.just("7")),
        st.fixed_dictionaries({"more_follows": st.booleans()}),
    ),
    "approve": st.just((("approval_1",), {})),
    "seed": st.just(((SAID,), {})),
    "delete_item": st.just((("item_1",), {})),
    "update": st.tuples(
        st.just(()),
        st.sampled_from(
            [{"instructions": "Be brief."}, {"voice": "alloy"}, {"voice": "Kore"}, {"tools": []}]
        ),
    ),
}


class AnySession(RuleBasedStateMachine):
    """One session, which begins with :attr:`provider`."""

    provider: str
    world: World

    @initialize(
        detection=st.sampled_from([None, Manual(), ServerVAD()]),
        reconnect=st.booleans(),
        fallback=st.booleans(),
        history=st.booleans(),
    )
    def connect(self, detection: Any, reconnect: bool, fallback: bool, history: bool) -> None:
        other = next(name for name in NAMES if name != self.provider)
        self.world = World(
            self.provider,
            reconnect=unirt.Reconnect(random=lambda: 0.0) if reconnect else False,
            history=SAID if history else None,
            turn_detection=detection,
            tools=[lookup, slow],
        )
        self.others = other if fallback else None

    @rule(name=st.sampled_from(sorted(VERBS)), data=st.data(), cancelled=CANCELLED)
    def verb(self, name: str, data: st.DataObject, cancelled: int | None) -> None:
        arguments, named = data.draw(VERBS[name])
        verb = getattr(self.world.session, name)
        self.world.do(partial(verb, *arguments, **named), cancelled)

    @rule(cancelled=CANCELLED, patience=st.sampled_from([0.0, 10.0]), back=st.booleans())
    def switch(self, cancelled: int | None, patience: float, back: bool) -> None:
        there = self.provider if back else next(n for n in NAMES if n != self.provider)
        candidate = unirt.Candidate(provider=there, transport=self.world.dial(there))
        switch = partial(self.world.session.switch, candidate, patience=patience)
        self.world.do(switch, cancelled)

    @rule(data=st.data(), begin=st.integers(0, 6), count=st.integers(1, 30))
    def frames(self, data: st.DataObject, begin: int, count: int) -> None:
        """Frames of one conversation, from somewhere in it on."""
        server = self.world.servers[-1]
        frames = data.draw(st.sampled_from(FRAMES[server.provider]))
        for frame in frames[begin : begin + count]:
            server.say(frame)
        self.world.settle()

    @rule(data=st.data())
    def a_frame(self, data: st.DataObject) -> None:
        """Any frame, out of all order."""
        server = self.world.servers[-1]
        frames = data.draw(st.sampled_from(FRAMES[server.provider]))
        server.say(data.draw(st.sampled_from(frames)))
        self.world.settle()

    @rule(garbage=GARBAGE)
    def garbage(self, garbage: bytes) -> None:
        self.world.servers[-1].say(garbage)
        self.world.settle()

    @rule(code=st.sampled_from([None, 1001, 1006, 1011, 1008, 1012, 4000, 1000]))
    def lose(self, code: int | None) -> None:
        self.world.run(self.world.servers[-1].hang_up(code))

    @rule(status=st.sampled_from([401, 429, 503]), times=st.integers(1, 3))
    def refuse(self, status: int, times: int) -> None:
        self.world.refusals = [status] * times

    @rule(seconds=st.sampled_from([0.01, 0.3, 2.0, 25.0, 700.0]))
    def wait(self, seconds: float) -> None:
        self.world.passes(seconds)

    @rule(turns=st.integers(0, 3))
    def look_on(self, turns: int) -> None:
        """Another view, which is read a little and given up."""

        async def look() -> None:
            view = self.world.session.view()
            try:
                for _ in range(turns):
                    await anext(view, None)
            finally:
                await view.aclose()

        self.world.do(look, 5)

    @rule()
    def look_back(self) -> None:
        """Whatever can be read can be read at any time."""
        session = self.world.session

        async def look() -> None:
            assert session.history.to_json()
            assert repr(session)
            assert session.usage is not None
            assert session.stats.events >= len(self.world.events)
            _ = session.cost, session.model, session.config, session.playback

        self.world.run(look())

    @rule(cancelled=CANCELLED, indeed=st.integers(0, 5))
    def close(self, cancelled: int | None, indeed: int) -> None:
        if indeed == 5:
            self.world.do(self.world.session.close, cancelled)

    @invariant()
    def legal(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.end()


class WithGoogle(AnySession):
    """One that begins with Google."""

    provider = "google"


class WithOpenAI(AnySession):
    """One that begins with OpenAI."""

    provider = "openai"


EXAMPLES = max(settings().max_examples // 4, 1)
"A session is much; one search has as many of them as its profile says."


@pytest.mark.parametrize("machine", [WithGoogle, WithOpenAI])
def test_a_session_that_anything_happens_to(machine: type[AnySession]) -> None:
    some = settings(max_examples=EXAMPLES, stateful_step_count=25)
    run_state_machine_as_test(machine, settings=some)
