"""
Commands to client events.

Whatever can be refused is refused before the first frame of a command is queued, and what the
composer tells the application is told after that. Audio has a short way of its own: it is the one
thing that is sent fifty times a second, so its frame is put together by hand.
"""

from __future__ import annotations

import json
from typing import Any, assert_never

import attrs
import pybase64

from unirt import commands as cmd
from unirt.commands import Command, Scheduling
from unirt.composer import Call, Seeds
from unirt.errors import UnsupportedCommand, UnsupportedSetting, UsageError
from unirt.events import HistorySeeded, SpeechStarted, SpeechStopped
from unirt.items import ImageContent, Item, ItemKind, Role, TextContent
from unirt_openai import floor
from unirt_openai.configure import response_object, session_object
from unirt_openai.facts import PROVIDER_NAME
from unirt_openai.items import write_item
from unirt_openai.names import remember
from unirt_openai.seeding import creatable, fitting, with_ids
from unirt_openai.sizes import passes
from unirt_openai.state import State

__all__ = ["append", "say", "seed"]

SHORTEST_COMMIT_MS = 100.0
"""
The provider commits no shorter buffer (``input_audio_buffer_commit_empty``, "buffer too small.
Expected at least 100ms of audio", live errors quoted in public issues, 2026-11).
"""

APPEND_BYTES = 8 * 1024 * 1024
"Audio in one frame; the protocol takes 15 MiB of base64 (SDK InputAudioBufferAppendEvent)."


def say(state: State, command: Command) -> None:  # noqa: PLR0912  (one case a command)
    """
    Queue the frames of a command.

    Raises:
        UnirtError: It cannot be done; nothing of it was queued.
    """
    match command:
        case cmd.AppendAudio():
            append(state, command.data)
        case cmd.SendText():
            _text(state, command)
        case cmd.SendImage():
            _image(state, command)
        case cmd.StartTurn() as start:
            _start_turn(state, start)
        case cmd.EndTurn():
            _end_turn(state, command)
        case cmd.CommitInput():
            _commit(state, "CommitInput")
        case cmd.ClearInput():
            state.buffered = 0
            state.preroll.clear()
            _clear(state)
        case cmd.Respond():
            _respond(state, command)
        case cmd.CancelResponse():
            _cancel(state, command)
        case cmd.Interrupt():
            _interrupt(state, command)
        case cmd.TruncateItem():
            _truncate(state, command)
        case cmd.ReportPlayback():
            floor.played(state, command)
            state.requests.flush(state.now)
        case cmd.ClearPlayback():
            state.say("output_audio_buffer.clear")
        case cmd.SendToolResult():
            _tool_result(state, command)
        case cmd.UpdateSession():
            _update(state, command)
        case cmd.SeedHistory():
            seed(state, command.items)
        case cmd.CreateItem():
            _create_item(state, command)
        case cmd.DeleteItem() | cmd.RetrieveItem():
            _about(state, command)
        case cmd.ApproveServerTool():
            _approve(state, command)
        case cmd.SendRaw():
            _raw(state, command)
        case _:
            assert_never(command)


# What the user says, writes and shows.


def append(state: State, data: bytes) -> None:
    """Queue audio. Nothing is told of it, so it needs no occasion for events."""
    state.input_format.check(data, where="AppendAudio.data")
    if not state.listening:
        state.preroll.keep(data, state.input_format)
        return
    state.buffered += len(data)
    if state.media is not None:
        state.media.outgoing.append(data)
        return
    while len(data) > APPEND_BYTES:
        state.frames.append(_append_frame(state, data[:APPEND_BYTES]))
        data = data[APPEND_BYTES:]
    if data:
        state.frames.append(_append_frame(state, data))


def _append_frame(state: State, data: bytes) -> str:
    # Built by hand: fifty times a second, and neither an id of ours nor base64 needs escaping.
    event_id, audio = state.composer.ids("event"), pybase64.b64encode_as_string(data)
    return f'{{"type":"input_audio_buffer.append","event_id":"{event_id}","audio":"{audio}"}}'


def _text(state: State, command: cmd.SendText) -> None:
    item = Item(role=Role.USER, content=(TextContent(text=command.text),))
    _user_message(state, item, respond=command.respond)


def _image(state: State, command: cmd.SendImage) -> None:
    image = ImageContent(data=command.data, mime_type=command.mime_type)
    _user_message(state, Item(role=Role.USER, content=(image,)), respond=command.respond)


def _user_message(state: State, item: Item, *, respond: bool) -> None:
    """Put something of the user's into the conversation; an answer to it takes the floor."""
    if respond:
        floor.make_way(state)
    item = attrs.evolve(item, id=state.new_item_id())
    event_id = state.say("conversation.item.create", item=write_item(item))
    remember(state.unconfirmed, str(item.id), (event_id, item))
    if respond:
        state.requests.ask({}, state.now)


def _start_turn(state: State, command: cmd.StartTurn) -> None:
    _need_manual(state, "StartTurn")
    if state.window_open and state.buffered:
        raise UsageError(
            "a turn has been started already", where="StartTurn", remedy="end it with end_turn()"
        )
    if state.window_open:
        state.composer.noted("StartTurn", "the turn that is open holds nothing yet, and goes on")
        return
    state.requests.withdraw()
    if command.audio_ms is not None:
        _tell_speech(state, SpeechStarted, command.audio_ms)
    floor.take_floor(state, by="client" if command.audio_ms is None else "speech")
    state.composer.turn()
    if state.media is not None:
        _clear(state)  # it holds the silence since the last turn
    state.window_open = state.listening = True
    for data in state.preroll.take():
        append(state, data)


def _clear(state: State) -> None:
    event_id = state.say("input_audio_buffer.clear")
    if state.media is not None:
        state.media.clear(event_id, state.now)


def _end_turn(state: State, command: cmd.EndTurn) -> None:
    _need_manual(state, "EndTurn")
    if not state.window_open:
        raise UsageError(
            "no turn has been started",
            where="EndTurn",
            remedy="call start_turn(), then send audio, then end_turn()",
        )
    _commit(state, "EndTurn")
    if command.audio_ms is not None:
        _tell_speech(state, SpeechStopped, command.audio_ms)
    state.window_open = state.listening = False
    if command.respond:
        state.requests.ask({}, state.now)


def _tell_speech(state: State, kind: type[SpeechStarted | SpeechStopped], audio_ms: float) -> None:
    """Tell what the session heard by itself."""
    turn_id = state.composer.turn()
    state.composer.emit(kind, synthesised=True, audio_ms=audio_ms, turn_id=turn_id)


def _commit(state: State, where: str) -> None:
    held_ms = state.input_format.duration_ms(state.buffered)
    if held_ms < SHORTEST_COMMIT_MS:
        raise UsageError(
            f"only {held_ms:g} ms of audio could be committed, and the provider takes no less "
            f"than {SHORTEST_COMMIT_MS:g}"
            if held_ms
            else "no audio was sent that could be committed",
            where=where,
            remedy="call start_turn(), then send audio, then end_turn()"
            if state.manual
            else "send more audio first, with send_audio()",
        )
    state.buffered = 0
    state.say("input_audio_buffer.commit")


def _need_manual(state: State, where: str) -> None:
    if not state.manual:
        raise UsageError(
            "the provider decides where turns start and end",
            where=where,
            remedy="configure turn_detection=Manual()",
        )


# Responses.


def _respond(state: State, command: cmd.Respond) -> None:
    response = response_object(command, state.capabilities)
    if command.in_conversation:
        state.requests.ask(response, state.now)
    else:
        state.requests.ask_beside(response)


def _cancel(state: State, command: cmd.CancelResponse) -> None:
    composer = state.composer
    if command.response_id is None:
        pending = state.requests.waiting
        state.requests.withdraw()
        response = state.running
    else:
        pending, response = False, composer.response(command.response_id)
    if response is not None and not response.ended:
        floor.cancel(state, response)
    elif not (floor.give_up(state, command.response_id) or pending):
        composer.noted("CancelResponse", "nothing is running")


def _interrupt(state: State, command: cmd.Interrupt) -> None:
    composer = state.composer
    if command.played_ms is not None:
        floor.played(
            state,
            cmd.ReportPlayback(played_ms=command.played_ms, response_id=command.response_id),
        )
    pending = state.requests.waiting
    state.requests.withdraw()
    if not floor.take_floor(state, command.by) and not pending:
        composer.noted("Interrupt", "nothing is running or playing")


def _about(state: State, command: cmd.DeleteItem | cmd.RetrieveItem) -> None:
    verb = "delete" if isinstance(command, cmd.DeleteItem) else "retrieve"
    item_id = state.names.wire_id(command.item_id, where=f"{type(command).__name__}.item_id")
    state.say(f"conversation.item.{verb}", item_id=item_id)


def _truncate(state: State, command: cmd.TruncateItem) -> None:
    item_id = state.names.wire_id(command.item_id, where="TruncateItem.item_id")
    before = state.truncated.get(command.item_id, command.audio_end_ms)
    remember(state.truncated, command.item_id, min(before, command.audio_end_ms))
    state.say(
        "conversation.item.truncate",
        item_id=item_id,
        content_index=command.content_index,
        audio_end_ms=command.audio_end_ms,
    )


# Tools.


def _tool_result(state: State, command: cmd.SendToolResult) -> None:
    call = _call_to_answer(state, command)
    output = _output(command)
    if call.cancelled:
        state.composer.noted("SendToolResult", "the call was cancelled; nothing was sent")
        return
    scheduling = command.scheduling or state.scheduling(call.name)
    call.answered = True
    if scheduling is Scheduling.INTERRUPT and command.respond:
        floor.hush(state)
    item = {"type": "function_call_output", "call_id": call.wire_id, "output": output}
    state.say("conversation.item.create", item={"id": state.new_item_id(), **item})
    state.requests.answered(
        call,
        respond=command.respond and scheduling is not Scheduling.SILENT,
        patiently=scheduling is Scheduling.WHEN_IDLE,
    )
    state.requests.settle(call.response_id, state.now)


def _call_to_answer(state: State, command: cmd.SendToolResult) -> Call:
    call = state.composer.calls.get(command.call_id)
    if call is None:
        raise UsageError(
            f"there is no call {command.call_id!r}",
            where="SendToolResult.call_id",
            remedy="give the call_id of a ToolCall of this session",
        )
    if call.wire_id is None:
        raise UsageError(
            "the provider gave the call no id, so no result can name it",
            where="SendToolResult.call_id",
            remedy="tell the result with send_text()",
        )
    if call.answered:
        raise UsageError(
            f"the call {command.call_id!r} was answered already",
            where="SendToolResult.call_id",
            remedy="answer each call once",
        )
    if command.more_follows:
        raise UnsupportedCommand(
            "SendToolResult(more_follows=True)",
            provider=PROVIDER_NAME,
            why="a call has one result",
            remedy="send the result when it is whole",
        )
    return call


def _output(command: cmd.SendToolResult) -> str:
    """The result as text: a string as it is, everything else as JSON."""
    if command.error is not None:
        return json.dumps({"error": command.error}, ensure_ascii=False)
    if isinstance(command.output, str):
        return command.output
    return _json(command.output, where="SendToolResult.output")


def _json(value: Any, *, where: str) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError) as exc:
        raise UsageError(
            f"it cannot be written as JSON: {exc}",
            where=where,
            remedy="use strings, numbers, booleans, lists and mappings only",
        ) from None


def _approve(state: State, command: cmd.ApproveServerTool) -> None:
    reason = {} if command.reason is None else {"reason": command.reason}
    request_id = state.names.wire_id(command.approval_id, where="ApproveServerTool.approval_id")
    item = {
        "id": state.new_item_id(),
        "type": "mcp_approval_response",
        "approval_request_id": request_id,
        "approve": command.approve,
        **reason,
    }
    state.say("conversation.item.create", item=item)


# The session and its items.


def _update(state: State, command: cmd.UpdateSession) -> None:
    changes = command.changes
    for field in ("model", "history"):
        if getattr(changes, field) not in (None, getattr(state.config, field)):
            row = state.capabilities.changing(field)
            raise UnsupportedSetting(
                field,
                provider=PROVIDER_NAME,
                why=row.why,
                remedy=row.remedy or "use update(), which opens a new connection for it",
                model=state.capabilities.model,
            )
    session = session_object(attrs.evolve(changes, model=None), state.capabilities)
    state.config = state.config.merged(changes)
    state.say("session.update", session=session)
    state.listen()


def seed(state: State, items: tuple[Item, ...]) -> None:
    """
    Put earlier conversation before what follows, and tell what became of it.

    Raises:
        UsageError: The data of an item is no JSON.
    """
    seeds = Seeds(len(items))
    largest = None if state.media is None else state.media.largest
    fitted = fitting(
        items,
        audio_format=state.input_format,
        known_calls=state.names.calls,
        seeds=seeds,
        passes=lambda item: passes(item, largest),
    )
    for item in fitted:
        if item.data is not None:
            _json(dict(item.data), where="SeedHistory.items")
    names = state.names
    named = with_ids(
        fitted, taken=names.seeded.__contains__, calls=names.calls, mint=state.composer.mint
    )
    for item, sent in zip(fitted, named, strict=True):
        names.put(item, sent)
        state.say("conversation.item.create", item=write_item(sent))
    state.composer.emit(HistorySeeded, synthesised=True, **seeds.fields())


def _create_item(state: State, command: cmd.CreateItem) -> None:
    item = _checked(state, command.item, "CreateItem.item")
    if item is None:
        raise UsageError(
            "the item holds nothing that can be created",
            where="CreateItem.item",
            remedy="give it text, audio with data, or a picture",
        )
    item = item if item.id else attrs.evolve(item, id=state.new_item_id())
    names, before = state.names, command.previous_item_id
    place = {}
    if before is not None:
        where = "CreateItem.previous_item_id"
        place["previous_item_id"] = names.wire_id(before, where=where)
    sent = item
    if item.kind is ItemKind.TOOL_RESULT and item.call_id is not None:
        call = state.composer.calls.get(item.call_id)
        if call is not None:
            call.answered = True
        asked = names.calls.get(item.call_id) if call is None else call.wire_id
        sent = attrs.evolve(item, call_id=asked or item.call_id)
    names.put(item, sent)
    state.say("conversation.item.create", item=write_item(sent), **place)


def _checked(state: State, item: Item, where: str) -> Item | None:
    written = creatable(item, audio_format=state.input_format, where=where)
    if written is not None and written.data is not None:
        _json(dict(written.data), where=where)
    return written


def _raw(state: State, command: cmd.SendRaw) -> None:
    frame = command.frame
    if isinstance(frame, str | bytes):
        state.frames.append(frame)
    else:
        state.frames.append(_json(dict(frame), where="SendRaw.frame"))
