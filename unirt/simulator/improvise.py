"""
What a simulated model answers when no scenario tells it: something short that shows what it heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unirt.config import ProviderTool, Tool
from unirt.simulator.scenario import Call, Cue, Heard, Reply, Say, Step, When
from unirt.usage import Tokens, Usage

__all__ = ["improvise"]

_EXAMPLES: Mapping[str, Any] = {
    "string": "example",
    "number": 1.0,
    "integer": 1,
    "boolean": True,
    "array": [],
    "object": {},
}


def improvise(
    cue: Cue,
    *,
    words: str = "",
    speech_ms: float = 0.0,
    results: Sequence[str] = (),
    tools: Sequence[Tool | ProviderTool] = (),
) -> Reply:
    """
    A reply to what was heard.

    Args:
        cue: Why to answer.
        words: What the user wrote; where it names a tool, that tool is called.
        speech_ms: How long the user spoke.
        results: What the called tools returned.
        tools: The tools that may be called.
    """
    call = _wanted(words, tools) if cue is Cue.TEXT else None
    step: Step = call or Say(text=_sentence(cue, words, speech_ms, results))
    spoken = cue in (Cue.SPEECH, Cue.TURN)
    heard = Heard(text=_seconds(speech_ms), when=When.DURING) if spoken else None
    return Reply(cue=cue, steps=(step,), heard=heard, usage=_usage(words, speech_ms, step))


def _wanted(words: str, tools: Sequence[Tool | ProviderTool]) -> Call | None:
    for tool in tools:
        if isinstance(tool, Tool) and tool.name.lower() in words.lower():
            return Call(name=tool.name, args=_arguments(tool.parameters or {}))
    return None


def _arguments(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Something for each required argument."""
    properties = schema.get("properties") or {}
    arguments = {}
    for name in schema.get("required") or ():
        about = properties.get(name) or {}
        choices = about.get("enum") or ()
        kind = str(about.get("type", "string")).lower()
        arguments[name] = choices[0] if choices else _EXAMPLES.get(kind, "example")
    return arguments


def _sentence(cue: Cue, words: str, speech_ms: float, results: Sequence[str]) -> str:
    match cue:
        case Cue.TEXT:
            return f"You wrote: {words}"
        case Cue.SPEECH | Cue.TURN:
            return f"I heard {_seconds(speech_ms)} of speech."
        case Cue.TOOL_RESULT:
            return f"The tool returned: {', '.join(results)}"
        case _:
            return "I am here, and I am a simulator."


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.1f} seconds"


def _usage(words: str, speech_ms: float, step: Step) -> Usage:
    """Plausible counts: a token a word, ten a second of speech."""
    spoken = len(step.text.split()) if isinstance(step, Say) else 8
    audio = 3 * spoken if isinstance(step, Say) else 0
    return Usage(
        input=Tokens(text=len(words.split()), audio=int(speech_ms / 100)),
        output=Tokens(text=spoken, audio=audio),
    )
