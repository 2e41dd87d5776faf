"""
The families of Gemini Live's models, and how to tell them by a model's name.

Four families answer to one protocol, and two backends serve them:

- ``2.5``: native audio; waits for tools, thinks by budget, says nothing of voice activity.
- ``3.1``: preview; waits for tools, thinks by level, tells voice activity.
- ``3.8``: talks on while tools run, never thinks aloud, tells no voice activity.
- ``3.8-extended-thinking``: as 3.8, thinks in the background and must be told how much.

The backend shows in the model's name: a resource path that holds ``publishers/`` is Vertex AI's,
anything else is the Gemini API's. A model that no row knows gets the facts of 3.8.

A family names only where it differs; the sources are those of :mod:`unirt_google.facts`.
"""

from __future__ import annotations

import re

import attrs

from unirt.value import Value

__all__ = ["FAMILIES", "Family", "family_of", "hears_beside_tools", "is_vertex"]


@attrs.frozen(kw_only=True)
class Family(Value):
    """Where one family of models differs."""

    name: str
    pattern: str
    "What a model's name holds, as a regular expression."
    tools_block: bool
    """
    Whether the model waits for a tool that does not say if it should. On Vertex AI none does:
    ``models/live-api/asynchronous-function-calling`` there, 2026-11.
    """
    behaviors: frozenset[str]
    "What ``behavior`` a function may be declared with; empty where the field is refused."
    scheduling: bool
    "Whether a tool result may say when it is to be spoken."
    voice_activity: bool
    hears_beside_tools: bool
    "Whether audio may be sent while the model waits for a tool, on the Gemini API."
    stream_end: bool
    "Whether ``audioStreamEnd`` ends the user's turn."
    thinking_levels: tuple[str, ...] = ()
    "The efforts that can be asked for, in unirt's words."
    thinking_budget: bool = False
    default_effort: str | None = None
    "What unirt asks for where the model wants to be told and the application says nothing."
    context_update: bool = False
    "Whether instructions and tools may change while the session runs."


_BOTH = frozenset({"BLOCKING", "NON_BLOCKING"})

FAMILIES: tuple[Family, ...] = (
    # _GUIDE: a level (or a budget) of thinking is required. BLOCKING closes the connection; so did
    # scheduling (1007, seen 2026-09-19).
    Family(
        name="3.8-extended-thinking",
        pattern=r"3\.8-live-extended",
        tools_block=False,
        behaviors=frozenset({"NON_BLOCKING"}),
        scheduling=False,
        voice_activity=False,
        hears_beside_tools=True,
        stream_end=False,
        thinking_levels=("low", "medium", "high"),
        thinking_budget=True,
        default_effort="low",
        context_update=True,
    ),
    # _TOOLS: synchronous function calling only. Levels default to minimal. Audio beside a call may
    # become a turn that cancels it, as speech does elsewhere (after some 12 s, says
    # https://github.com/livekit/agents/pull/5556); no report has the connection closed.
    Family(
        name="3.1",
        pattern=r"3\.1-flash-live",
        tools_block=True,
        behaviors=frozenset(),
        scheduling=False,
        voice_activity=True,
        hears_beside_tools=True,
        stream_end=True,
        thinking_levels=("minimal", "low", "medium", "high"),
    ),
    # _TOOLS: blocking unless declared otherwise. Thinking by budget: _GUIDE. Audio beside a call
    # closes the connection (1008): https://github.com/google/adk-python/issues/4679, and
    # https://discuss.ai.google.dev/t/114644 (56), 2026-11.
    Family(
        name="2.5",
        pattern=r"(2\.5|2\.0).*(live|native-audio)|live-2\.5",
        tools_block=True,
        behaviors=_BOTH,
        scheduling=True,
        voice_activity=False,
        hears_beside_tools=False,
        stream_end=True,
        thinking_budget=True,
    ),
    # _TOOLS: NON_BLOCKING unless declared otherwise. No voiceActivity:
    # https://github.com/googleapis/python-genai/issues/2981. audioStreamEnd does not end a turn:
    # https://github.com/openclaw/openclaw/issues/152830. Any thinkingConfig closes 1007: _GUIDE.
    Family(
        name="3.8",
        pattern="",
        tools_block=False,
        behaviors=_BOTH,
        scheduling=True,
        voice_activity=False,
        hears_beside_tools=True,
        stream_end=False,
        context_update=True,
    ),
)
"The first whose pattern is found in the model's name; the last one fits all."


def waits_for_tools(model: str) -> bool:
    """Whether the model waits for a tool that does not say; on Vertex AI none does."""
    return family_of(model).tools_block and not is_vertex(model)


def hears_beside_tools(model: str) -> bool:
    """Whether audio may be sent while the model waits for a tool; nobody tells of Vertex AI."""
    return is_vertex(model) or family_of(model).hears_beside_tools


def is_vertex(model: str) -> bool:
    """Whether the model's name is a resource path of Vertex AI."""
    return "publishers/" in model


def family_of(model: str) -> Family:
    """The family that a model belongs to; the newest for an unknown one."""
    name = model.rpartition("/")[2]
    return next(family for family in FAMILIES if re.search(family.pattern, name))
