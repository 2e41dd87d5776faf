"""
To the wire: what each command becomes.

Every command is checked before anything of it is queued. A command that the model hears as an
interruption cuts the running response here and now, not only when the server confirms it, so that
the application can stop its player at once.
"""

from __future__ import annotations

import json
from typing import Any, assert_never

import attrs
import pybase64

from unirt.audio import PCM16_16K
from unirt.capabilities import Change
from unirt.commands import (
    AppendAudio,
    ApproveServerTool,
    CancelResponse,
    ClearInput,
    ClearPlayback,
    Command,
    CommitInput,
    CreateItem,
    DeleteItem,
    EndTurn,
    Interrupt,
    ReportPlayback,
    Respond,
    RetrieveItem,
    SeedHistory,
    SendImage,
    SendRaw,
    SendText,
    SendToolResult,
    StartTurn,
    TruncateItem,
    UpdateSession,
)
from unirt.composer import Seeds
from unirt.config import SessionConfig
from unirt.errors import UnsupportedCommand, UnsupportedSetting, UsageError
from unirt.events import HistorySeeded, SessionUpdated
from unirt.items import Item, ItemKind, Role, TextContent
from unirt_google.configure import instruction, tool_list
from unirt_google.dialogue import Dialogue
from unirt_google.facts import PROVIDER_NAME, capabilities
from unirt_google.history import seed_turns
from unirt_google.results import give_up, send_tool_result

__all__ = ["append", "release", "say", "seed"]

_RESPOND = '{"clientContent":{"turnComplete":true}}'
"Asks for an answer to everything so far."


def say(dialogue: Dialogue, command: Command) -> None:  # noqa: PLR0912  (one case a command)
    """
    Queue the frames of a command.

    Raises:
        UnirtError: The command cannot be done; nothing of it was queued.
    """
    match command:
        case AppendAudio():
            append(dialogue, command.data)
        case SendText():
            _text(dialogue, command)
        case SendImage():
            _image(dialogue, command)
        case StartTurn():
            _start_turn(dialogue, command)
        case EndTurn():
            _end_turn(dialogue, command)
        case CommitInput():
            _commit(dialogue)
        case Respond():
            _respond(dialogue, command)
        case CancelResponse():
            _cancel(dialogue, command)
        case Interrupt():
            _interrupt(dialogue, command)
        case ReportPlayback():
            dialogue.composer.playback(
                command.played_ms, command.response_id, flushed=command.flushed
            )
        case SendToolResult():
            send_tool_result(dialogue, command)
        case SeedHistory():
            _refuse_while_answering(dialogue, "SeedHistory")
            seed(dialogue, command.items)
        case CreateItem():
            _create(dialogue, command)
        case UpdateSession():
            _update(dialogue, command.changes)
        case SendRaw():
            _raw(dialogue, command)
        case (
            ClearInput()
            | ClearPlayback()
            | TruncateItem()
            | DeleteItem()
            | RetrieveItem()
            | ApproveServerTool()
        ):
            # The facts refuse these; a command must still be somebody's case.
            raise _refused(type(command).__name__, "it has no such verb", "do without it")
        case _:
            assert_never(command)


def seed(dialogue: Dialogue, items: tuple[Item, ...]) -> None:
    """Queue earlier conversation, and tell what became of it."""
    seeds = Seeds(len(items))
    _put(dialogue, items, seeds)
    dialogue.composer.emit(HistorySeeded, synthesised=True, **seeds.fields())


def _put(dialogue: Dialogue, items: tuple[Item, ...], seeds: Seeds) -> None:
    if turns := seed_turns(items, seeds):
        _client_content(dialogue, turns, complete=dialogue.awaits_history)
        dialogue.awaits_history = False


def release(dialogue: Dialogue) -> None:
    """Queue what waited for the answer to be over."""
    dialogue.frames += dialogue.after_answer
    dialogue.after_answer.clear()


def _withdraw(dialogue: Dialogue) -> None:
    """An answer that was asked for and has not been sent for is not wanted any more."""
    dialogue.after_answer = [frame for frame in dialogue.after_answer if frame != _RESPOND]


# Input.


def append(dialogue: Dialogue, data: bytes) -> None:
    """Queue audio. Where the gate is open nothing is told of it, so it needs no occasion."""
    format = dialogue.config.input_format or PCM16_16K
    format.check(data, where="AppendAudio.data")
    if dialogue.manual and not dialogue.window_open:
        dialogue.preroll.keep(data, format)
        return
    if not data:
        return
    if dialogue.gate.closed:
        dialogue.gate.drop(format.duration_ms(len(data)))
        return
    dialogue.user.audio_sent = dialogue.window_heard = True
    dialogue.frames.append(_audio_frame(data, format.rate))


def _audio_frame(data: bytes, rate: int) -> str:
    # Built by hand: fifty times a second, and base64 needs no escaping.
    encoded = pybase64.b64encode_as_string(data)
    return (
        f'{{"realtimeInput":{{"audio":{{"data":"{encoded}","mimeType":"audio/pcm;rate={rate}"}}}}}}'
    )


def _text(dialogue: Dialogue, command: SendText) -> None:
    turn = {"role": "user", "parts": [{"text": command.text}]}
    if command.respond:
        _ask(dialogue)
    dialogue.user.writes(command.text)
    if command.respond or dialogue.composer.active is None:
        _client_content(dialogue, [turn], complete=command.respond)
    else:
        frame = {"clientContent": {"turns": [turn], "turnComplete": False}}
        dialogue.after_answer.append(_encode(frame))


def _ask(dialogue: Dialogue) -> None:
    """Make way for content that asks for an answer."""
    dialogue.answer.cut()
    _withdraw(dialogue)
    release(dialogue)


def _image(dialogue: Dialogue, command: SendImage) -> None:
    if not command.mime_type.startswith("image/"):
        raise UsageError(
            f"{command.mime_type!r} is no picture",
            where="SendImage.mime_type",
            remedy="send image/jpeg or image/png; of a video, send its frames one by one",
        )
    encoded = pybase64.b64encode_as_string(command.data)
    blob = {"data": encoded, "mimeType": command.mime_type}
    if not command.respond:
        frame = {"realtimeInput": {"video": blob}}
        if dialogue.gate.closed:
            dialogue.gate.hold(_encode(frame))
        else:
            _queue(dialogue, frame)
        return
    _ask(dialogue)
    dialogue.user.shows()
    _client_content(dialogue, [{"role": "user", "parts": [{"inlineData": blob}]}], complete=True)


def _require_manual(dialogue: Dialogue, verb: str) -> None:
    if not dialogue.manual:
        raise UsageError(
            "the server detects turns by itself in this session",
            where=verb,
            remedy="configure turn_detection=Manual()",
        )


def _start_turn(dialogue: Dialogue, command: StartTurn) -> None:
    _require_manual(dialogue, "StartTurn")
    if dialogue.window_open and dialogue.window_heard:
        raise UsageError(
            "a turn has been started already", where="StartTurn", remedy="end it with end_turn()"
        )
    if dialogue.window_open:
        dialogue.composer.noted("StartTurn", "the turn that is open holds nothing yet, and goes on")
        return
    waiting = dialogue.gate.calls if dialogue.gate.closed else []
    if waiting and not dialogue.interrupts:
        raise UsageError(
            "the model waits for a tool, and this session does not interrupt it",
            where="StartTurn",
            remedy="wait until the tool is done, or leave out activity_handling",
        )
    by = "client"
    if command.audio_ms is not None:
        by = "speech"
        dialogue.user.speech_started(command.audio_ms, synthesised=True)
    if dialogue.interrupts:
        dialogue.answer.cut(playing=True, by=by)
        _withdraw(dialogue)
    if waiting:
        give_up(dialogue, waiting)
    dialogue.user.speaks()
    _queue(dialogue, {"realtimeInput": {"activityStart": {}}})
    dialogue.window_open, dialogue.window_heard = True, False
    for data in dialogue.preroll.take():
        append(dialogue, data)


def _end_turn(dialogue: Dialogue, command: EndTurn) -> None:
    _require_manual(dialogue, "EndTurn")
    if not command.respond:
        raise _refused(
            "EndTurn(respond=False)",
            "the end of a turn always asks for an answer",
            "leave the turn open until an answer is wanted",
        )
    if not (dialogue.window_open and dialogue.window_heard):
        what = "no audio was sent since the turn started"
        raise UsageError(
            what if dialogue.window_open else "no turn has been started",
            where="EndTurn",
            remedy="call start_turn(), then send audio, then end_turn()",
        )
    if command.audio_ms is not None:
        dialogue.user.speech_stopped(command.audio_ms, synthesised=True)
    dialogue.window_open = False
    _queue(dialogue, {"realtimeInput": {"activityEnd": {}}})


def _commit(dialogue: Dialogue) -> None:
    if dialogue.manual:
        raise UsageError(
            "the application marks its turns in this session",
            where="CommitInput",
            remedy="use end_turn()",
        )
    if dialogue.gate.closed:
        raise UsageError(
            "the model waits for a tool, and hears nothing meanwhile",
            where="CommitInput",
            remedy="wait until the tool is done",
        )
    _queue(dialogue, {"realtimeInput": {"audioStreamEnd": True}})


# Responses.


def _respond(dialogue: Dialogue, command: Respond) -> None:
    plain = Respond()
    for field in attrs.fields(Respond):
        name = field.name
        if getattr(command, name) != getattr(plain, name):
            raise _refused(
                f"Respond({name}=)",
                "a single response cannot be configured",
                "configure the session instead",
            )
    _withdraw(dialogue)
    dialogue.after_answer.append(_RESPOND)
    if dialogue.composer.active is None:
        release(dialogue)
    dialogue.answer.continues()


def _cancel(dialogue: Dialogue, command: CancelResponse) -> None:
    composer = dialogue.composer
    wanted, active = command.response_id, composer.active
    if wanted is not None and composer.response(wanted) is None:
        raise UsageError(
            f"there is no response {wanted!r}",
            where="CancelResponse.response_id",
            remedy="leave it out for the one that is running",
        )
    if active is None or active.interrupted or (wanted is not None and wanted != active.id):
        composer.noted("CancelResponse", "the response is not running")
        return
    _withdraw(dialogue)
    dialogue.answer.cancel(active)
    _client_content(dialogue, [], complete=False)


def _interrupt(dialogue: Dialogue, command: Interrupt) -> None:
    composer = dialogue.composer
    if command.played_ms is not None:
        composer.playback(command.played_ms, command.response_id)
    _withdraw(dialogue)
    active = composer.active
    if active is not None and not active.interrupted:
        dialogue.answer.cut(by=command.by)
        _client_content(dialogue, [], complete=False)
    elif not composer.interrupt(by=command.by, synthesised=True):
        composer.noted("Interrupt", "nothing is running, and nothing playing as far as is known")


# The conversation.


def _refuse_while_answering(dialogue: Dialogue, verb: str) -> None:
    if dialogue.composer.active is not None:
        raise UsageError(
            "a response is running, and this would interrupt it",
            where=verb,
            remedy="wait until the response is done, or interrupt() it first",
        )


def _create(dialogue: Dialogue, command: CreateItem) -> None:
    item = command.item
    written = all(isinstance(part, TextContent) for part in item.content)
    spoken_by = item.role in (Role.USER, Role.ASSISTANT)
    if item.kind is not ItemKind.MESSAGE or not written or not spoken_by:
        raise _refused(
            "CreateItem",
            "only written messages of the user or the assistant can be added",
            "write it as text; a tool's result goes by send_tool_result()",
        )
    if command.previous_item_id is not None:
        raise _refused(
            "CreateItem(previous_item_id=)", "items are added at the end", "leave it out"
        )
    _refuse_while_answering(dialogue, "CreateItem")
    _put(dialogue, (item,), Seeds(1))


def _update(dialogue: Dialogue, changes: SessionConfig) -> None:
    facts = capabilities(dialogue.config.model or "")
    for field in attrs.fields(SessionConfig):
        row = facts.changing(field.name)
        if row.change is not Change.IN_PLACE and getattr(changes, field.name) is not None:
            raise UnsupportedSetting(
                field.name,
                provider=PROVIDER_NAME,
                model=dialogue.config.model,
                why=row.why,
                remedy=row.remedy or "use update(), which opens a new connection for it",
            )
    merged = dialogue.config.merged(changes)
    update: dict[str, Any] = {}
    if changes.instructions is not None:
        update["systemInstruction"] = instruction(changes.instructions)
    if changes.tools is not None:
        update["tools"] = {"tools": tool_list(merged, dialogue.family)}
    dialogue.config = merged
    _queue(dialogue, {"contextUpdate": update})
    dialogue.composer.emit(SessionUpdated, synthesised=True)


def _raw(dialogue: Dialogue, command: SendRaw) -> None:
    frame = command.frame
    dialogue.frames.append(frame if isinstance(frame, str | bytes) else _encode(dict(frame)))


# Frames.


def _client_content(dialogue: Dialogue, turns: list[dict[str, Any]], *, complete: bool) -> None:
    _queue(dialogue, {"clientContent": {"turns": turns, "turnComplete": complete}})


def _queue(dialogue: Dialogue, frame: dict[str, Any]) -> None:
    dialogue.frames.append(_encode(frame))


def _encode(frame: dict[str, Any]) -> str:
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def _refused(command: str, why: str, remedy: str) -> UnsupportedCommand:
    return UnsupportedCommand(command, provider=PROVIDER_NAME, why=why, remedy=remedy)
