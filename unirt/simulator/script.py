"""
Scenarios as TOML.

::

    about = "A question is spoken, and the answer is spoken over."

    [session]                        # what the application configures
    instructions = "Be brief."
    turn_detection = { kind = "server_vad", silence_ms = 400 }

    [[session.tools]]
    name = "get_weather"

    [answers]                        # what its tools return
    get_weather = { celsius = 14 }

    [failures]                       # why the first call of one fails
    get_weather = "invalid arguments: city: Field required"

    [pace]                           # how fast the server is
    speed = 4.0

    [[reply]]                        # the server's side, in order
    cue = "speech"
    heard = { text = "What is the weather?", when = "during" }
    steps = [{ say = "It is sunny, and it will stay so.", ms = 4000 }]
    usage = { input_audio = 20, output_audio = 80 }

    [[app]]                          # the application's side, in order
    speak = 1200

    [[app]]
    speak = 900
    heard_ms = 500

Every table and key is checked; what is wrong is told with its file and place.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from unirt import commands as cmd
from unirt.config import (
    Manual,
    SemanticVAD,
    ServerVAD,
    SessionConfig,
    Thinking,
    Tool,
    Transcription,
    TurnDetection,
)
from unirt.errors import ConfigurationError
from unirt.events import Ending, Severity
from unirt.items import Item, ItemKind, Role, TextContent
from unirt.simulator.reading import Table
from unirt.simulator.scenario import (
    Action,
    Call,
    Cite,
    Close,
    Cue,
    End,
    Error,
    GoAway,
    Handle,
    Heard,
    Pace,
    Reply,
    Say,
    Scenario,
    ServerTool,
    Show,
    Silence,
    Speak,
    Step,
    Think,
    Unknown,
    Wait,
    When,
    Write,
)
from unirt.usage import Tokens, Usage

__all__ = ["builtin", "builtin_names", "load", "loads"]

_BUILTIN = files("unirt.simulator") / "scenarios"


def builtin_names() -> tuple[str, ...]:
    """The scenarios that come with unirt."""
    names = (entry.name for entry in _BUILTIN.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def builtin(name: str) -> Scenario:
    """
    A scenario that comes with unirt.

    Raises:
        ConfigurationError: There is none of that name.
    """
    if name not in builtin_names():
        raise ConfigurationError(
            f"there is no scenario {name!r}",
            where="scenario",
            remedy=f"choose one of {', '.join(builtin_names())}",
        )
    text = (_BUILTIN / f"{name}.toml").read_text("utf-8")
    return loads(text, name=name, where=f"{name}.toml")


def load(path: str | Path) -> Scenario:
    """
    The scenario in a file; sounds that it names are looked for beside it.

    Raises:
        ConfigurationError: It cannot be read, or something in it is wrong.
    """
    path = Path(path)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(
            f"the scenario cannot be read: {why}", where=str(path), remedy="name another file"
        ) from exc
    return loads(text, name=path.stem, where=path.name, folder=path.parent)


def loads(
    text: str, *, name: str = "scenario", where: str = "scenario", folder: Path | None = None
) -> Scenario:
    """
    The scenario in a text.

    Args:
        text: TOML.
        name: What to call it.
        where: What to call the file in messages.
        folder: Where the sounds are that it names.

    Raises:
        ConfigurationError: Something in it is wrong.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigurationError(f"not TOML: {exc}", where=where, remedy="correct it") from None
    table = Table(data, f"{where}: ")
    reader = _Reader(folder or Path())
    scenario = Scenario(
        name=name,
        about=table.text("about") or "",
        session=_session(table.table("session")),
        replies=tuple(reader.reply(entry) for entry in table.tables("reply")),
        actions=tuple(reader.action(entry) for entry in table.tables("app")),
        answers=table.object("answers") or {},
        failures=table.object("failures") or {},
        approves=table.flag("approves", default=True),
        pace=_pace(table.table("pace")),
        refused=table.text("refused"),
    )
    table.finish()
    return scenario


class _Reader:
    """Reads the parts that may name files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def reply(self, table: Table) -> Reply:
        reply = Reply(
            cue=Cue(table.choice("cue", list(Cue))),
            steps=tuple(self._step(entry) for entry in table.tables("steps")),
            heard=_heard(table.table("heard")),
            usage=_usage(table.table("usage")),
        )
        table.finish()
        return reply

    def _step(self, table: Table) -> Step:
        key = table.one_key_of(list(_STEPS))
        step = self._say(table) if key == "say" else _STEPS[key](table)
        table.finish()
        return step

    def _say(self, table: Table) -> Say:
        ms = table.number("ms", least=1)
        return Say(
            text=table.required_text("say"),
            ms=ms,
            wav=self._wav(table),
            echo=table.flag("echo", default=False),
        )

    def action(self, table: Table) -> Action:
        key = table.one_key_of(list(_ACTIONS))
        action = Action(
            do=self._speak(table) if key == "speak" else _ACTIONS[key](table),
            after=table.text("after", "idle") or "idle",
            heard_ms=table.number("heard_ms"),
        )
        table.finish()
        return action

    def _speak(self, table: Table) -> Speak:
        ms = table.number("speak", least=1)
        return Speak(ms=ms or 1000.0, wav=self._wav(table))

    def _wav(self, table: Table) -> Path | None:
        name = table.text("wav")
        if name is None:
            return None
        path = self._folder / name
        if not path.is_file():
            raise table.error(
                "wav", f"there is no file {name!r}", "name a WAV file beside this one"
            )
        return path


def _heard(table: Table | None) -> Heard | None:
    if table is None:
        return None
    when = When(table.choice("when", list(When), When.BEFORE))
    heard = Heard(text=table.required_text("text"), when=when)
    table.finish()
    return heard


def _usage(table: Table | None) -> Usage | None:
    if table is None:
        return None

    def tokens(prefix: str, *kinds: str) -> Tokens:
        return Tokens(**{kind: table.count(f"{prefix}_{kind}") for kind in kinds})

    usage = Usage(
        input=tokens("input", "text", "audio", "image"),
        cached=tokens("cached", "text", "audio"),
        output=tokens("output", "text", "audio"),
        thinking=table.count("thinking"),
    )
    table.finish()
    return usage


def _pace(table: Table | None) -> Pace:
    if table is None:
        return Pace()
    pace = Pace(
        speed=table.number("speed", Pace().speed, least=0.1) or Pace().speed,
        chunk_ms=table.number("chunk_ms", Pace().chunk_ms, least=10) or Pace().chunk_ms,
        latency_ms=table.number("latency_ms", Pace().latency_ms) or 0.0,
        word_ms=table.number("word_ms", Pace().word_ms) or 0.0,
        hold_done=table.flag("hold_done"),
    )
    table.finish()
    return pace


# What a step's key means.

_STEPS: Mapping[str, Callable[[Table], Any]] = {
    "say": lambda t: Say(text=t.required_text("say")),
    "write": lambda t: Write(text=t.required_text("write")),
    "think": lambda t: Think(text=t.required_text("think")),
    "call": lambda t: Call(name=t.required_text("call"), args=t.object("args") or {}),
    "server_tool": lambda t: ServerTool(
        name=t.required_text("server_tool"),
        args=t.object("args") or {},
        output=t.text("output"),
        error=t.text("failure"),
        approval=t.flag("approval"),
    ),
    "cite": lambda t: Cite(data=t.object("cite") or {}),
    "show": lambda t: Show(
        data=t.required_text("show").encode(), mime_type=t.text("mime_type") or "image/png"
    ),
    "wait": lambda t: Wait(ms=t.number("wait") or 0.0),
    "fail": lambda t: _end(t, "fail", Ending.FAILED),
    "incomplete": lambda t: _end(t, "incomplete", Ending.INCOMPLETE),
    "error": lambda t: Error(
        message=t.required_text("error"),
        code=t.text("code"),
        severity=Severity(t.choice("severity", list(Severity), Severity.ERROR)),
    ),
    "close": lambda t: Close(code=t.count("close", 1000), reason=t.text("reason") or ""),
    "unknown": lambda t: Unknown(frame=t.object("unknown") or {}, frames=t.object("frames") or {}),
    "go_away": lambda t: GoAway(time_left_ms=t.number("go_away") or 0.0),
    "handle": lambda t: Handle(handle=t.text("handle") or ""),
}


def _end(table: Table, key: str, ending: Ending) -> End:
    return End(ending=ending, reason=table.required_text(key), detail=table.text("detail"))


# What an action's key means.

_ACTIONS: Mapping[str, Callable[[Table], Any]] = {
    "text": lambda t: cmd.SendText(
        text=t.required_text("text"), respond=t.flag("answer", default=True)
    ),
    "speak": lambda t: Speak(ms=t.number("speak", least=1) or 1000.0),
    "silence": lambda t: Silence(ms=t.number("silence") or 0.0),
    "image": lambda t: cmd.SendImage(
        data=t.required_text("image").encode(), mime_type=t.text("mime_type") or "image/jpeg"
    ),
    "start_turn": lambda t: _bare(t, "start_turn", cmd.StartTurn()),
    "end_turn": lambda t: _bare(t, "end_turn", cmd.EndTurn()),
    "commit": lambda t: _bare(t, "commit", cmd.CommitInput()),
    "clear": lambda t: _bare(t, "clear", cmd.ClearInput()),
    "respond": lambda t: _bare(t, "respond", cmd.Respond()),
    "cancel": lambda t: _bare(t, "cancel", cmd.CancelResponse()),
    "interrupt": lambda t: _bare(t, "interrupt", cmd.Interrupt()),
    "seed": lambda t: cmd.SeedHistory(items=_items(t, "seed")),
    "raw": lambda t: cmd.SendRaw(frame=t.object("raw") or {}),
    "update": lambda t: cmd.UpdateSession(changes=_session(t.table("update"))),
}


def _bare(table: Table, key: str, command: cmd.Command) -> cmd.Command:
    if not table.flag(key):
        raise table.error(key, "false says nothing", "write true, or leave the action out")
    return command


# What the application configures.


def _session(table: Table | None) -> SessionConfig:
    if table is None:
        return SessionConfig()
    config = SessionConfig(
        model=table.text("model"),
        instructions=table.text("instructions"),
        voice=table.text("voice"),
        modalities=table.texts("modalities"),
        language=table.text("language"),
        temperature=table.number("temperature"),
        tools=tuple(_tool(entry) for entry in table.tables("tools")) or None,
        tool_choice=table.text("tool_choice"),
        turn_detection=_turn_detection(table.table("turn_detection")),
        input_transcription=_transcription(table),
        output_transcription=table.flag_or_none("output_transcription"),
        thinking=_thinking(table.table("thinking")),
        history=_items(table, "history") or None,
        provider_options=table.object("provider_options"),
    )
    table.finish()
    return config


def _tool(table: Table) -> Tool:
    tool = Tool(
        name=table.required_text("name"),
        description=table.text("description"),
        parameters=table.object("parameters"),
        blocking=table.flag_or_none("blocking"),
    )
    table.finish()
    return tool


def _turn_detection(table: Table | None) -> TurnDetection | None:
    if table is None:
        return None
    kind = table.choice("kind", (ServerVAD.tag, SemanticVAD.tag, Manual.tag))
    detection: TurnDetection = Manual()
    if kind == ServerVAD.tag:
        detection = ServerVAD(
            threshold=table.number("threshold"),
            prefix_padding_ms=table.count_or_none("prefix_padding_ms"),
            silence_ms=table.count_or_none("silence_ms"),
            respond=table.flag_or_none("respond"),
            interrupt=table.flag_or_none("interrupt"),
        )
    elif kind == SemanticVAD.tag:
        detection = SemanticVAD(
            eagerness=table.text("eagerness"),
            respond=table.flag_or_none("respond"),
            interrupt=table.flag_or_none("interrupt"),
        )
    table.finish()
    return detection


def _thinking(table: Table | None) -> Thinking | None:
    if table is None:
        return None
    thinking = Thinking(
        effort=table.text("effort"),
        budget_tokens=table.count_or_none("budget_tokens"),
        include_thoughts=table.flag_or_none("include_thoughts"),
    )
    table.finish()
    return thinking


def _transcription(table: Table) -> Transcription | None:
    enabled = table.flag_or_none("input_transcription")
    return None if enabled is None else Transcription(enabled=enabled)


_ROLES: Mapping[str, Role] = {role.value: role for role in Role}


def _items(table: Table, key: str) -> tuple[Item, ...]:
    items = []
    for entry in table.tables(key):
        items.append(_ITEMS[entry.one_key_of(list(_ITEMS))](entry))
        entry.finish()
    return tuple(items)


def _message(entry: Table) -> Item:
    role = _ROLES[entry.choice("role", list(_ROLES))]
    return Item(role=role, content=(TextContent(text=entry.required_text("text")),))


_ITEMS: Mapping[str, Callable[[Table], Item]] = {
    "text": _message,
    "call": lambda t: Item(
        kind=ItemKind.TOOL_CALL,
        call_id=t.required_text("id"),
        name=t.required_text("call"),
        arguments=json.dumps(t.object("args") or {}),
    ),
    "result": lambda t: Item(
        kind=ItemKind.TOOL_RESULT,
        call_id=t.required_text("id"),
        name=t.text("name"),
        output=t.required_text("result"),
    ),
}
"What an earlier item's key means."
