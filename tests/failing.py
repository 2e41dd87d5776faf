"""A provider that fails in the middle of an answer, another that knows, and a chain of both."""

from __future__ import annotations

from typing import Any

import unirt
from tests.talking import Pair
from unirt.failover import Cooldowns
from unirt.simulator.script import loads

__all__ = ["SECOND", "chain", "failing"]


def failing(code: int, reason: str = "", before: str = "") -> Any:
    """A server that answers once, and hangs up in the middle of the second answer."""
    return loads(f"""
        [pace]
        speed = 50

        [[reply]]
        cue = "text"
        steps = [{{ say = "Pleased to meet you, Ada.", ms = 600 }}]

        [[reply]]
        cue = "text"
        steps = [
            {{ say = "Well, that is", ms = 400 }},
            {before}
            {{ close = {code}, reason = "{reason}" }},
        ]
    """)


SECOND = loads("""
    [pace]
    speed = 50

    [[reply]]
    cue = "respond"
    steps = [{ say = "As I was saying: your name is Ada.", ms = 600 }]

    [[reply]]
    cue = "text"
    steps = [{ say = "As I was saying: your name is Ada.", ms = 600 }]

    [[reply]]
    cue = "speech"
    heard = { text = "And now?", when = "before" }
    steps = [{ say = "Now I am here.", ms = 600 }]
""")


def chain(pair: Pair, **more: Any) -> unirt.Failover:
    """Both, none of which has ever failed."""
    candidates = tuple(unirt.Candidate(provider=name) for name in pair.names)
    cooldowns = Cooldowns(lambda: 0.0)
    fields: dict[str, Any] = {"chain": candidates, "retries": 0, "cooldowns": cooldowns} | more
    return unirt.Failover(**fields)
